//! What runs asynchronous code for commands that wait for it.

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};

/// What is said when it does not start.
pub const NOT_STARTED: &str = "cannot start the async runtime (out of file descriptors or threads?)";

/// A runtime on the caller's thread.
pub fn current_thread() -> Result<Runtime> {
    Builder::new_current_thread().enable_all().build().context(NOT_STARTED)
}
