//! What is remembered of images, so that not every pod asks a registry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::pods::Job;

/// How many images are remembered, about.
pub(super) const KNOWN_MAX: usize = 10_000;

/// How long an image that was found, or one that cannot be had, is remembered.
const LONG: Duration = Duration::from_secs(5 * 60);

/// How long a registry that does not answer is left alone.
const SHORT: Duration = Duration::from_secs(1);

/// What is known of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fact {
    /// It is at its target.
    There,
    /// It is not, and copying it fails in a way that stays.
    Failed(Arc<str>),
    /// Its target could not be asked.
    Unknown(Arc<str>),
}

/// What is known of images.
#[derive(Debug, Default)]
pub(super) struct Known {
    facts: Mutex<HashMap<Job, (Fact, Instant)>>,
}

impl Known {
    pub(super) fn put(&self, job: &Job, fact: Fact) {
        let now = Instant::now();
        let until = now + if matches!(fact, Fact::Unknown(_)) { SHORT } else { LONG };
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        if facts.len() >= KNOWN_MAX {
            facts.retain(|_, (_, until)| *until > now);
            if facts.len() >= KNOWN_MAX {
                facts.clear();
            }
        }
        facts.insert(job.clone(), (fact, until));
    }

    pub(super) fn get(&self, job: &Job) -> Option<Fact> {
        let facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        let (fact, until) = facts.get(job)?;
        (*until > Instant::now()).then(|| fact.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::admission::Move;

    #[test]
    fn it_stays_small() {
        let known = Known::default();
        let image = |at: usize| Job::from(Move { from: format!("a:{at}"), to: "b".into() });
        for at in 0..3 * KNOWN_MAX {
            known.put(&image(at), Fact::There);
            assert_eq!(known.get(&image(at)), Some(Fact::There));
            assert!(known.facts.lock().unwrap().len() <= KNOWN_MAX);
        }
        assert_eq!(known.get(&image(3 * KNOWN_MAX)), None);
    }
}
