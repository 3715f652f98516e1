//! Image references as distribution/reference has them: parts and original spelling. Knows nothing else.
