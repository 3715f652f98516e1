//! Files and folders: which are read, and the transaction that writes them. Knows paths and bytes, not YAML.
