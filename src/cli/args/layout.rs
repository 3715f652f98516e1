//! What `mirror` takes of image layouts.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Image layouts")]
pub struct LayoutArgs {
    /// Write the images to an OCI image layout instead, with a lock file in it: to a folder, or to a tar file if the
    /// name ends in .tar
    #[arg(long, value_name = "DIR|X.tar", conflicts_with_all = ["from_layout", "dry_run", "check"])]
    pub to_layout: Option<PathBuf>,
    /// Leave out the blobs of the images in the lock file OLD, which the other side already has
    #[arg(long, value_name = "OLD", requires = "to_layout")]
    pub since_lock: Option<PathBuf>,
    /// Split the tar file into parts of at most this size, X.tar.00, X.tar.01 and so on, such as 4GiB
    #[arg(long, value_name = "SIZE", requires = "to_layout", value_parser = super::mirror::size)]
    pub split: Option<u64>,
    /// Read the images from an OCI image layout: a folder, a tar file, or parts of one; without PATH, --images and
    /// --lock, copy all of them
    #[arg(long, value_name = "DIR|X.tar")]
    pub from_layout: Option<PathBuf>,
}
