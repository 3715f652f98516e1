//! How reviews are answered.

use std::sync::Arc;

/// What becomes of a request with an image that no rule covers; the later ones are stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum OnUnmapped {
    /// It is let through.
    #[default]
    Ignore,
    /// It is let through with a warning.
    Warn,
    /// It is refused.
    Deny,
}

/// What becomes of a request that cannot be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// It is let through with a warning.
    Allow,
    /// It is refused.
    #[default]
    Deny,
}

/// How all reviews are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// What becomes of a request with an image that no rule covers.
    pub on_unmapped: OnUnmapped,
    /// What becomes of a request that cannot be judged.
    pub on_error: OnError,
    /// Whether an annotation says what the images were.
    pub annotate_original: bool,
    /// Nothing is patched; what would change is said as warnings.
    pub dry_run: bool,
    /// Nothing is patched; an object with an image that would change is refused.
    pub validate: bool,
}

/// How one review is answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ask {
    /// The settings of the server.
    pub settings: Settings,
    /// It came to the endpoint that only looks: nothing is patched and nothing refused.
    pub audit: bool,
    /// The digest of the rules, for the audit log; `None` when there are none.
    pub rules: Option<Arc<str>>,
}

impl Ask {
    /// Whether images may be patched.
    pub(super) fn patches(&self) -> bool {
        !self.audit && !self.settings.dry_run && !self.settings.validate
    }
}
