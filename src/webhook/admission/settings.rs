//! How reviews are answered.

/// What becomes of a request with an image that no rule covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
}

/// How one review is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ask {
    /// The settings of the server.
    pub settings: Settings,
    /// It came to the endpoint that only looks: nothing is patched and nothing refused.
    pub audit: bool,
    /// How often rules were loaded since the start, the first time included.
    pub generation: u64,
}

impl Ask {
    /// Whether images may be patched.
    pub(super) fn patches(&self) -> bool {
        !self.audit && !self.settings.dry_run
    }
}
