//! Rules and settings that were read.

use std::path::PathBuf;
use std::sync::Arc;

use crate::krm::OnUnmapped;
use crate::manifest::Places;
use crate::maps::{Maps, MapsNotice};
use crate::rewrite::SkipRule;

use super::super::speech;

/// What configurations say besides rules.
#[derive(Debug, Clone, Default)]
pub struct RuleSettings {
    /// Where images are looked for; `None` when nothing is said.
    pub fields: Option<Places>,
    /// What is left alone.
    pub skip: Vec<SkipRule>,
    /// What to do about an image that no rule covers.
    pub on_unmapped: OnUnmapped,
    /// The configuration that forbids changes, if one does.
    pub validate: Option<String>,
    /// Add digests to images.
    pub pin: bool,
    /// A lock file of digests.
    pub lock: Option<PathBuf>,
}

/// Rules and settings that were read, ready for an engine.
#[derive(Debug, Default)]
pub struct Ruleset {
    /// Which image becomes which.
    pub maps: Arc<Maps>,
    /// What else was said.
    pub settings: RuleSettings,
    /// About the rules.
    pub notices: Vec<MapsNotice>,
    /// What was read, in its order.
    pub names: Vec<String>,
    /// Whether any source says anything about rules.
    pub given: bool,
}

impl Ruleset {
    /// Says what is to be said about the rules.
    pub fn announce(&self) {
        self.warnings().for_each(|warning| speech::warning(&warning));
    }

    /// What is to be said about the rules, a line each.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let notices = self.notices.iter().map(|notice| {
            if notice.line() > 0 {
                format!("{}:{}: {}", notice.source_name(), notice.line(), notice.message())
            } else {
                format!("{}: {}", notice.source_name(), notice.message())
            }
        });
        let empty = self.given && self.maps.is_empty();
        notices.chain(empty.then(|| "the maps hold no rule, so nothing changes".to_owned()))
    }

    /// Where the rules are from, and in which order: `base.maps, then imageswap.maps, then --map`.
    pub fn origin(&self) -> String {
        match self.names.len() {
            0 => "nowhere".to_owned(),
            1 => self.names[0].clone(),
            _ => format!("{} (of the same key the last one wins)", self.names.join(", then ")),
        }
    }
}
