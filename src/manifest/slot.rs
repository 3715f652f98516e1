//! Where a scalar's value stands in a text, and how another is written there.

use super::edit::Edit;
use super::layers::Layers;
use super::new_key::NewKey;
use super::{ScalarStyle, Span, scalar};

/// The place of one value in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The bytes to replace for another value.
    pub span: Span,
    /// How the value is written.
    pub style: ScalarStyle,
    /// Whether it stands within a flow collection.
    pub flow: bool,
    /// Whether a bracket would be read as YAML's own: in a part of a plain scalar, at the scalar's start or in a flow
    /// collection.
    pub refuses_brackets: bool,
    /// The scalars whose strings it stands in, when it is part of a text within the text.
    pub within: Layers,
    /// The key that the value gets, when it has none yet; the span is empty then.
    pub new_key: Option<NewKey>,
}

impl Slot {
    /// Whether `value` can be written there. All of a scalar gets quotes where it needs them, a part of one cannot.
    #[must_use]
    pub fn takes(&self, value: &str) -> bool {
        !(self.refuses_brackets && value.contains(['[', ']']))
    }

    /// The edit that writes `value` there, encoded for its place.
    #[must_use]
    pub fn edit(&self, value: &str) -> Edit {
        let encoded = scalar::encode(value, self.style, self.flow);
        let text = match self.new_key {
            Some(key) => key.before(&encoded),
            None => self.within.spell(&encoded).into_owned(),
        };
        Edit { span: self.span, text }
    }
}
