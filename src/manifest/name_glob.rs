//! Globs over names of keys, variables and flags: `*` stands for any text, and everything else for itself.

/// A name, or a pattern of names such as `RELATED_IMAGE_*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NameGlob {
    /// What stands before, between and behind the stars.
    parts: Vec<String>,
}

impl NameGlob {
    pub(super) fn new(pattern: &str) -> Self {
        Self { parts: pattern.split('*').map(str::to_owned).collect() }
    }

    /// Whether it names more than one name.
    pub(super) fn is_pattern(&self) -> bool {
        self.parts.len() > 1
    }

    /// The longest text that every name has which it stands for; empty when there is none.
    pub(super) fn literal(&self) -> &str {
        self.parts.iter().max_by_key(|part| part.len()).map_or("", String::as_str)
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        let [first, middle @ .., last] = &self.parts[..] else { return name == self.parts[0] };
        let Some(mut rest) = name.strip_prefix(first.as_str()) else { return false };
        for part in middle {
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

impl std::fmt::Display for NameGlob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.parts.join("*"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_names() {
        for (pattern, name, want) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("RELATED_IMAGE_*", "RELATED_IMAGE_X", true),
            ("RELATED_IMAGE_*", "A_RELATED_IMAGE_X", false),
            ("*Image", "sidecarImage", true),
            ("*Image", "sidecarImages", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "abc", true),
            ("a*a", "a", false),
            ("a.b", "aXb", false),
        ] {
            assert_eq!(NameGlob::new(pattern).matches(name), want, "{pattern} and {name}");
            assert_eq!(NameGlob::new(pattern).to_string(), pattern);
        }
        assert_eq!(NameGlob::new("*_IMAGE_*").literal(), "_IMAGE_");
    }
}
