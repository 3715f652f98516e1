//! What is kept from one text to the next: the reader's memory, and what the maps make of each distinct image. A tree
//! names few images, and each of them often.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::manifest::fast::FastReader;
use crate::maps::{Decision, Maps, Rule};

use super::image_value::{ImageValue, classify};
use super::plan::SkipReason;

/// How many images are remembered before all are forgotten, so that memory stays bounded whatever the tree.
pub(super) const CAPACITY: usize = 10_000;

/// What is kept from one text to the next. Each thread of a run has its own.
#[derive(Debug, Default)]
pub struct Memory {
    pub(super) reader: FastReader,
    /// The maps that made the rulings.
    maps: Option<Arc<Maps>>,
    /// The number of each image's ruling.
    numbers: FxHashMap<Box<str>, usize>,
    rulings: Vec<Ruling>,
}

/// What the maps say of an image.
#[derive(Debug)]
pub(super) struct Ruling {
    pub(super) decision: Decision,
    pub(super) other_spelling: Option<Arc<Rule>>,
}

impl Memory {
    /// Forgets what other maps than these said.
    pub(super) fn reset_if_maps_changed(&mut self, maps: &Arc<Maps>) {
        if !self.maps.as_ref().is_some_and(|own| Arc::ptr_eq(own, maps)) {
            self.forget();
            self.maps = Some(Arc::clone(maps));
        }
    }

    fn forget(&mut self) {
        self.numbers.clear();
        self.rulings.clear();
    }

    /// What `maps`, those of [`Memory::reset_if_maps_changed`], say of the image `text`.
    ///
    /// # Errors
    /// Why it is to be left alone, when it is no reference.
    pub(super) fn decide(&mut self, maps: &Maps, text: &str) -> Result<&Ruling, SkipReason> {
        if let Some(&number) = self.numbers.get(text) {
            return Ok(&self.rulings[number]);
        }
        let reference = match classify(text) {
            ImageValue::Reference(reference) => reference,
            ImageValue::Templated => return Err(SkipReason::Templated),
            ImageValue::Encrypted => return Err(SkipReason::Encrypted),
            ImageValue::Invalid(error) => return Err(SkipReason::Invalid(error.to_string())),
        };
        let decision = maps.decide(&reference);
        let other_spelling = maps.exact_in_other_spelling(&reference).cloned();
        if self.rulings.len() == CAPACITY {
            self.forget();
        }
        let number = self.rulings.len();
        self.numbers.insert(text.into(), number);
        self.rulings.push(Ruling { decision, other_spelling });
        Ok(&self.rulings[number])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::{MapsText, ParseOptions};

    fn maps(text: &str) -> Arc<Maps> {
        Arc::new(Maps::parse(&[MapsText::new("maps", text)], ParseOptions::default()).unwrap().maps)
    }

    #[test]
    fn forgets_what_other_maps_said() {
        let (one, two) = (maps("default::one.io"), maps("default::two.io"));
        let mut memory = Memory::default();
        for (maps, becomes) in [(&one, "one.io/a"), (&two, "two.io/a"), (&one, "one.io/a")] {
            memory.reset_if_maps_changed(maps);
            for _ in 0..2 {
                let ruling = memory.decide(maps, "a").unwrap();
                assert_eq!(ruling.decision.outcome.changed(), Some(becomes));
            }
        }
    }

    #[test]
    fn is_bounded() {
        let maps = maps("default::m.io");
        let mut memory = Memory::default();
        memory.reset_if_maps_changed(&maps);
        for number in 0..=CAPACITY {
            let image = format!("a:{number}");
            let becomes = format!("m.io/{image}");
            let ruling = memory.decide(&maps, &image).unwrap();
            assert_eq!(ruling.decision.outcome.changed(), Some(becomes.as_str()));
        }
        assert!(memory.rulings.len() <= CAPACITY && memory.numbers.len() == memory.rulings.len());
    }
}
