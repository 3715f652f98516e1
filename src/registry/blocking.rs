//! The client for synchronous callers: it starts a runtime on the caller's thread at the first lookup.

use std::io;

use tokio::runtime::{Builder, Runtime};

use super::{Client, Keychain, RegistryError, RegistryOptions, ResolveOptions, Resolved};
use crate::image::ImageReference;

/// Looks up digests and waits for them. Making one starts nothing.
pub struct Resolver {
    inner: super::Resolver,
    runtime: Option<Runtime>,
}

impl Resolver {
    /// A resolver with its own client.
    #[must_use]
    pub fn new(options: RegistryOptions, keychain: impl Keychain + 'static, resolve: ResolveOptions) -> Self {
        Self { inner: super::Resolver::new(Client::new(options, keychain), resolve), runtime: None }
    }

    /// The digests of many images, in their order; see [`super::Resolver::resolve_all`].
    ///
    /// # Errors
    /// When the system has no place for a runtime (file descriptors). What goes wrong with an image is in its
    /// own result.
    pub fn resolve_all(
        &mut self,
        images: &[ImageReference<'_>],
        progress: impl FnMut(usize, usize),
    ) -> io::Result<Vec<Result<Resolved, RegistryError>>> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        let runtime = match &mut self.runtime {
            Some(runtime) => runtime,
            none => none.insert(Builder::new_current_thread().enable_all().build()?),
        };
        Ok(runtime.block_on(self.inner.resolve_all(images, progress)))
    }
}
