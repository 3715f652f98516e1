//! The maps language: which image becomes which. Knows references, not manifests or files.
