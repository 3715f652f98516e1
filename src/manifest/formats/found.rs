//! What is found in files that are no manifests: images, and the parts of which they are put together.

use crate::manifest::path::FieldPath;
use crate::manifest::{Blocked, Text};

/// An image of a file that is no manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundImage {
    /// The way to it, or to the part of it that says most: its repository.
    pub path: FieldPath,
    /// The document of the file, from 0.
    pub document: usize,
    /// How it is written.
    pub kind: FoundKind,
    /// Why it must not be edited.
    pub blocked: Option<Blocked>,
    /// It is another image of this file with further values on top: what changes must be right for it, too.
    pub is_variant: bool,
}

/// How an image of such a file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundKind {
    /// As one text.
    Whole(Text),
    /// As a name in parts, between which the chart puts `/`, and perhaps tag and digest.
    Parts {
        /// The parts of the name.
        name: Vec<NamePart>,
        /// The tag.
        tag: Option<Text>,
        /// The digest, with its algorithm or without.
        digest: Option<Text>,
        /// The value of a key for a digest that is there and says nothing.
        empty_digest: Option<EmptyDigest>,
    },
    /// As a registry, or a registry and the first parts of a path: what behind it stands is not known.
    Start(Text),
    /// In a way that does not tell which image it is.
    Unclear {
        /// What is written.
        text: Text,
        /// Why that does not tell.
        why: String,
    },
}

/// Where a chart takes a digest from, which has none yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmptyDigest {
    /// The empty text.
    pub text: Text,
    /// Whether the digest stands there without its algorithm, as under `sha`.
    pub is_bare: bool,
}

/// A part of an image's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamePart {
    /// It stands in the file.
    Own(Text),
    /// It stands in other values, which this file's come on top of.
    Elsewhere {
        /// What it is there.
        value: String,
        /// What it is there once those values are rewritten.
        becomes: String,
    },
}

impl NamePart {
    /// What it is.
    #[must_use]
    pub fn value(&self) -> &str {
        match self {
            Self::Own(text) => &text.value,
            Self::Elsewhere { value, .. } => value,
        }
    }
}

impl FoundImage {
    /// The scalar that says most of it; `None` when all of it stands elsewhere but its tag or digest.
    #[must_use]
    pub fn main_text(&self) -> Option<&Text> {
        match &self.kind {
            FoundKind::Whole(text) | FoundKind::Start(text) | FoundKind::Unclear { text, .. } => Some(text),
            FoundKind::Parts { name, tag, digest, .. } => {
                let own = name.iter().rev().find_map(|part| match part {
                    NamePart::Own(text) => Some(text),
                    NamePart::Elsewhere { .. } => None,
                });
                own.or(tag.as_ref()).or(digest.as_ref())
            }
        }
    }

    /// The scalars of the file that it is made of.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        let (one, parts, ends) = match &self.kind {
            FoundKind::Whole(text) | FoundKind::Start(text) | FoundKind::Unclear { text, .. } => {
                (Some(text), &[][..], [None, None])
            }
            FoundKind::Parts { name, tag, digest, .. } => (None, &name[..], [tag.as_ref(), digest.as_ref()]),
        };
        let parts = parts.iter().filter_map(|part| match part {
            NamePart::Own(text) => Some(text),
            NamePart::Elsewhere { .. } => None,
        });
        one.into_iter().chain(parts).chain(ends.into_iter().flatten())
    }
}
