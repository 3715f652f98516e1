//! How images are copied.

use crate::registry::Platform;

/// What travels with an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attachments {
    /// Everything that refers to it: signatures, attestations, SBOMs.
    #[default]
    All,
    /// Signatures alone.
    Signatures,
    /// Nothing.
    None,
}

/// How images are copied.
#[derive(Clone, Debug)]
pub struct CopyOptions {
    /// How many blobs are under way at once.
    pub transfers: usize,
    /// What travels with an image.
    pub attachments: Attachments,
    /// The platforms that are copied of an index; all when it is empty.
    pub platforms: Vec<Platform>,
    /// Whether an index of which some platforms are copied stays as it is, with its digest.
    pub sparse: bool,
    /// Whether everything that an image is made of is looked for, although its manifest is there.
    pub deep: bool,
    /// The largest image that is copied, with all its platforms, in bytes.
    pub max_size: Option<u64>,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self {
            transfers: 8,
            attachments: Attachments::All,
            platforms: Vec::new(),
            sparse: false,
            deep: false,
            max_size: None,
        }
    }
}
