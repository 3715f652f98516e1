//! What must not go unnoticed about an image: the rules do not lead to one other image.

use super::site::Site;

/// Something that must not go unnoticed: the run fails.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The image.
    pub site: Site,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What a [`Problem`] is about. The texts name the rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// Rewriting once and twice would differ.
    #[error("chained: {first} makes it {once}, and {second} would make that {twice}")]
    Chained {
        /// The rule that applies.
        first: String,
        /// Its result.
        once: String,
        /// The rule that would apply to the result.
        second: String,
        /// And its result.
        twice: String,
    },
    /// Following the chain never ends.
    #[error("{rule} starts a chain that does not end: {}", .steps.join(", then "))]
    Endless {
        /// The rule that applies first.
        rule: String,
        /// The image and what it becomes, step by step.
        steps: Vec<String>,
    },
    /// The rule makes no valid reference of this image.
    #[error("{rule} makes it {result:?}, which is not a valid image reference: {reason}")]
    BadResult {
        /// The rule.
        rule: String,
        /// What it makes.
        result: String,
        /// Why that is no reference.
        reason: String,
    },
    /// Two names of a tree become one, and an entry of a Kustomization that meant one would take both.
    #[error("would take images that it did not take before: {} and {} would both be {becomes}", .names[0], .names[1])]
    OneName {
        /// The name that the entry gives, and the other.
        names: [String; 2],
        /// What both are after the rewrite.
        becomes: String,
    },
}

impl ProblemKind {
    /// What to do about it, if there is good advice.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Chained { .. } => {
                Some("--allow-chained follows the rules to the end, or give one rule that leads there")
            }
            Self::Endless { .. } => Some("take one of these rules out"),
            Self::OneName { .. } => {
                Some("write both images alike in the base, or give rules that keep them apart")
            }
            Self::BadResult { .. } => Some("give this image a rule of its own"),
        }
    }
}
