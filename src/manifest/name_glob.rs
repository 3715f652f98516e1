//! Globs over names of keys, variables and flags: `*` stands for any text, and everything else for itself.

use rustc_hash::FxHashSet;

use super::mention;
use super::name_hash::{ByteSet, name_hash};
use crate::image::ImageReference;

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

    /// Whether it is a single name, and no pattern.
    pub(super) fn is_name(&self) -> bool {
        self.parts.len() == 1
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

/// Several of them, of which those that are no pattern are found at once, however many there are.
#[derive(Debug, Clone, Default)]
pub(super) struct NameGlobs {
    names: FxHashSet<Box<str>>,
    hashes: ByteSet,
    patterns: Vec<NameGlob>,
    /// The bytes that what a pattern stands for may start with.
    starts: ByteSet,
}

impl NameGlobs {
    pub(super) fn add(&mut self, glob: NameGlob) {
        match &glob.parts[..] {
            [name] => {
                self.hashes.add(name_hash(name.as_bytes()));
                self.names.insert(name.as_str().into());
            }
            parts => {
                match parts[0].as_bytes() {
                    [start, ..] => self.starts.add(*start),
                    [] => (0..=u8::MAX).for_each(|any| self.starts.add(any)),
                }
                self.patterns.push(glob);
            }
        }
    }

    /// Whether one of them may match `name`; false for most names that none does.
    #[inline(always)]
    pub(super) fn may_match(&self, name: &[u8]) -> bool {
        self.hashes.has(name_hash(name)) || self.starts.has(name.first().copied().unwrap_or_default())
    }

    /// Whether one of them matches `name`, and if so, whether none but a pattern does.
    #[inline]
    pub(super) fn matching(&self, name: &str) -> Option<Matching> {
        if self.may_match(name.as_bytes()) { self.match_of(name) } else { None }
    }

    /// [`NameGlobs::matching`], for a name that may match.
    #[inline(never)]
    fn match_of(&self, name: &str) -> Option<Matching> {
        if self.names.contains(name) {
            return Some(Matching::Name);
        }
        self.patterns.iter().any(|pattern| pattern.matches(name)).then_some(Matching::Pattern)
    }

    #[inline]
    pub(super) fn matches(&self, name: &str) -> bool {
        self.matching(name).is_some()
    }

    /// For each of them, the longest text that every name has which it stands for.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name).chain(self.patterns.iter().map(NameGlob::literal))
    }
}

/// How a name is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matching {
    Name,
    Pattern,
}

impl Matching {
    /// Whether `text`, which stands at a place that was asked for so, is an image. What a pattern names may be anything, and a
    /// bare word (`true`, `nginx`) counts as no image there.
    pub(super) fn takes(self, text: &str) -> bool {
        match self {
            Self::Name => ImageReference::parse(text).is_ok(),
            Self::Pattern => mention::is_reference_like(text),
        }
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

    #[test]
    fn tells_names_from_patterns() {
        let mut globs = NameGlobs::default();
        ["--a-image", "--b-*"].into_iter().for_each(|glob| globs.add(NameGlob::new(glob)));
        for (name, want) in [
            ("--a-image", Some(Matching::Name)),
            ("--b-image", Some(Matching::Pattern)),
            ("--a", None),
            ("", None),
        ] {
            assert_eq!(globs.matching(name), want, "{name}");
            assert_eq!(globs.matches(name), want.is_some());
        }
        assert_eq!(globs.literals().collect::<Vec<_>>(), ["--a-image", "--b-"]);
        globs.add(NameGlob::new("*"));
        assert!(globs.matches("") && globs.matches("x"));
    }
}
