//! Why a text is no image reference: the reason, the character and where it stands.

use std::fmt;

use super::digest::DigestError;

/// A part of a reference, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// `quay.io` in `quay.io:443/a/b:v1`.
    Registry,
    /// `443` in `quay.io:443/a/b:v1`.
    Port,
    /// `a/b` in `quay.io:443/a/b:v1`.
    Path,
    /// `v1` in `quay.io:443/a/b:v1`.
    Tag,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Registry => "registry",
            Self::Port => "port",
            Self::Path => "path",
            Self::Tag => "tag",
        })
    }
}

/// The scheme of a URL, without `://`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme(Box<str>);

impl Scheme {
    /// The scheme that `text` starts with.
    pub(super) fn of(text: &str) -> Option<Self> {
        let (scheme, _) = text.split_once("://")?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let starts = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        (starts && scheme.chars().all(fits)).then(|| Self(scheme.into()))
    }

    /// Which program replaces such values, where that is known.
    fn hint(&self) -> &'static str {
        if &*self.0 == "ko" { " (ko replaces it when it builds the image)" } else { "" }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no image reference. Offsets are bytes from the start of the text; since every character
/// before the offending one is ASCII they are characters as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceError {
    /// Nothing is written.
    Empty,
    /// A tag, a digest or a registry stands there without a name.
    NoName {
        /// Where the name should start.
        at: usize,
    },
    /// `a//b`, `/a` or `a/`.
    EmptyComponent {
        /// Where a name was expected.
        at: usize,
    },
    /// A `:` with nothing behind it.
    EmptyPart {
        /// The tag or the port.
        part: Part,
        /// Where it was expected.
        at: usize,
    },
    /// The path of a repository is lower case.
    UpperCase {
        /// The letter.
        found: char,
        /// Where it stands.
        at: usize,
    },
    /// A character that this part never has.
    Character {
        /// The character.
        found: char,
        /// The part it stands in.
        part: Part,
        /// Where it stands.
        at: usize,
    },
    /// A separator (`.`, `_`, `-`) that does not stand between letters or digits.
    Separator {
        /// The separator.
        found: char,
        /// The part it stands in.
        part: Part,
        /// Where it stands in the reference.
        at: usize,
    },
    /// The path has more than 255 characters (`library/` counts where Docker Hub implies it).
    PathTooLong {
        /// Its length.
        length: usize,
    },
    /// The tag has more than 128 characters.
    TagTooLong {
        /// Its length.
        length: usize,
        /// Where it starts.
        at: usize,
    },
    /// `ko://`, `docker://` or `https://` stands before it.
    Scheme {
        /// The scheme.
        scheme: Scheme,
    },
    /// 64 hexadecimal digits alone are an image ID, which is no name.
    ImageId,
    /// The digest is malformed.
    Digest {
        /// What is wrong with it.
        reason: DigestError,
        /// Where it starts.
        at: usize,
    },
}

impl std::error::Error for ReferenceError {}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason())?;
        match self.character() {
            Some(character) => write!(f, ", at character {character}"),
            None => Ok(()),
        }
    }
}

impl ReferenceError {
    /// The reason without the place, for messages that give the place themselves.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Empty => "empty image reference".to_owned(),
            Self::NoName { .. } => "no image name".to_owned(),
            Self::EmptyComponent { .. } => "empty part of the path".to_owned(),
            Self::EmptyPart { part, .. } => format!("empty {part}"),
            Self::UpperCase { found, .. } => format!("upper-case letter {found:?} in the path"),
            Self::Character { found, part, .. } => {
                format!("character {found:?} is not allowed in the {part}")
            }
            Self::Separator { found, part, .. } => format!("{found:?} cannot stand there in the {part}"),
            Self::PathTooLong { length } => {
                format!("the path has {length} characters, at most 255 are allowed")
            }
            Self::TagTooLong { length, .. } => {
                format!("the tag has {length} characters, at most 128 are allowed")
            }
            Self::Scheme { scheme } => {
                format!("it starts with {scheme}://, which image references do not have{}", scheme.hint())
            }
            Self::ImageId => "64 hexadecimal digits are an image ID, not a name".to_owned(),
            Self::Digest { reason, .. } => reason.to_string(),
        }
    }

    /// The character, from 1, to be named behind the reason; `None` where the reason is about the whole text.
    fn character(&self) -> Option<usize> {
        match self {
            Self::NoName { at }
            | Self::EmptyComponent { at }
            | Self::EmptyPart { at, .. }
            | Self::UpperCase { at, .. }
            | Self::Character { at, .. }
            | Self::Separator { at, .. } => Some(at + 1),
            Self::Empty
            | Self::PathTooLong { .. }
            | Self::TagTooLong { .. }
            | Self::Scheme { .. }
            | Self::ImageId
            | Self::Digest { .. } => None,
        }
    }

    /// Where in the text the reason stands, in bytes from its start.
    #[must_use]
    pub fn offset(&self) -> usize {
        match self {
            Self::Empty | Self::PathTooLong { .. } | Self::Scheme { .. } | Self::ImageId => 0,
            Self::NoName { at }
            | Self::EmptyComponent { at }
            | Self::EmptyPart { at, .. }
            | Self::UpperCase { at, .. }
            | Self::Character { at, .. }
            | Self::Separator { at, .. }
            | Self::TagTooLong { at, .. } => *at,
            Self::Digest { reason, at } => at + reason.offset(),
        }
    }
}
