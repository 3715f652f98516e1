//! The KRM function contract: ResourceList, functionConfig, results. Text in, text out; no files.
