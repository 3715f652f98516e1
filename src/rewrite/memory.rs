//! What is kept from one text to the next: the reader's memory, and what the maps make of each distinct image. A tree
//! names few images, and each of them often.

use rustc_hash::FxHashMap;

use crate::manifest::fast::FastReader;
use crate::maps::{Decision, Maps, Rule};

use super::plan::SkipReason;
use super::value::{Value, classify};

/// How many images are remembered before all are forgotten, so that memory stays bounded whatever the tree.
const MOST: usize = 10_000;

/// What is kept from one text to the next. Each thread of a run has its own.
#[derive(Debug, Default)]
pub struct Memory<'m> {
    pub(super) reader: FastReader,
    /// The images that were asked about.
    known: FxHashMap<Box<str>, Asked<'m>>,
}

/// What the maps say of an image.
#[derive(Debug, Clone)]
pub(super) struct Asked<'m> {
    pub(super) decision: Decision<'m>,
    pub(super) other_spelling: Option<&'m Rule>,
}

impl<'m> Memory<'m> {
    /// What `maps` say of the image `text`.
    ///
    /// # Errors
    /// Why it is to be left alone, when it is no reference.
    pub(super) fn ask(&mut self, maps: &'m Maps, text: &str) -> Result<Asked<'m>, SkipReason> {
        if let Some(asked) = self.known.get(text) {
            return Ok(asked.clone());
        }
        let reference = match classify(text) {
            Value::Reference(reference) => reference,
            Value::Templated => return Err(SkipReason::Templated),
            Value::Encrypted => return Err(SkipReason::Encrypted),
            Value::Invalid(error) => return Err(SkipReason::Invalid(error.to_string())),
        };
        let decision = maps.decide(&reference);
        let asked = Asked { decision, other_spelling: maps.exact_in_other_spelling(&reference) };
        if self.known.len() == MOST {
            self.known.clear();
        }
        self.known.insert(text.into(), asked.clone());
        Ok(asked)
    }
}
