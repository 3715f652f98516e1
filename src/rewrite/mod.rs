//! The one pipeline: occurrences and maps become a plan of changes and skips. Pure.
