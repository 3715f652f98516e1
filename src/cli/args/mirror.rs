//! What `mirror` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::layout::LayoutArgs;
use super::{FindArgs, FormatArgs, MapsArgs, RegistryArgs, ReportFormat, WalkArgs};
use crate::mirror::Attachments;
use crate::registry::Platform;

#[derive(Debug, Args)]
pub struct MirrorArgs {
    /// Files and folders whose images to copy; `-` reads standard input
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Copy the images of a list instead: one per line, as SOURCE TARGET, or as SOURCE with the target taken
    /// from the maps; `-` reads standard input
    #[arg(long, value_name = "LIST", conflicts_with = "paths")]
    pub images: Option<PathBuf>,
    /// Copy the digests recorded in FILE, and record those of other images there; without PATH and --images,
    /// copy all images in FILE
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
    /// Copy only digests recorded in the lock file (imageswap.lock unless --lock names another), and do not
    /// change it
    #[arg(long)]
    pub locked: bool,
    /// Show what would be done without writing anything
    #[arg(long)]
    pub dry_run: bool,
    /// Write nothing; exit with 1 if anything would be copied
    #[arg(long, conflicts_with = "dry_run")]
    pub check: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Print only errors
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub layout: LayoutArgs,
    #[command(flatten)]
    pub copying: CopyingArgs,
    #[command(flatten)]
    pub maps: MapsArgs,
    #[command(flatten)]
    pub find: FindArgs,
    #[command(flatten)]
    pub formats: FormatArgs,
    #[command(flatten)]
    pub walk: WalkArgs,
    #[command(flatten)]
    pub registry: RegistryArgs,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Copying")]
pub struct CopyingArgs {
    /// Number of images to copy at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = jobs)]
    pub jobs: usize,
    /// Start no more images after a failure
    #[arg(long)]
    pub fail_fast: bool,
    /// Copy only these platforms, as os/architecture[/variant]; the smaller index gets a new digest
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    pub platform: Vec<Platform>,
    /// Keep the whole index and its digest when copying only some platforms; few registries accept this
    #[arg(long, requires = "platform")]
    pub sparse: bool,
    /// Which signatures and other referrers to copy with an image
    #[arg(long, value_enum, default_value_t = ReferrersArg::All, value_name = "WHICH")]
    pub referrers: ReferrersArg,
    /// Move target tags that point to another digest; with GLOB, only those of matching targets
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    pub overwrite: Option<String>,
    /// Check every manifest and blob of an image, even if the target already has its digest
    #[arg(long)]
    pub deep: bool,
    /// Refuse images larger than SIZE over all their platforms, such as 20GiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_size: Option<u64>,
    /// Create missing repositories in Amazon ECR, using the program `aws`
    #[arg(long)]
    pub create_repos: bool,
}

/// What comes along with an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ReferrersArg {
    /// Signatures, attestations, SBOMs and all other referrers
    #[default]
    All,
    /// Signatures only
    Signatures,
    /// Nothing
    None,
}

impl From<ReferrersArg> for Attachments {
    fn from(which: ReferrersArg) -> Self {
        match which {
            ReferrersArg::All => Self::All,
            ReferrersArg::Signatures => Self::Signatures,
            ReferrersArg::None => Self::None,
        }
    }
}

/// More only waits for the limits of the registries.
const JOBS_MAX: usize = 64;

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs) if (1..=JOBS_MAX).contains(&jobs) => Ok(jobs),
        _ => Err(format!("expected a number from 1 to {JOBS_MAX}")),
    }
}

/// Bytes, with the units of 1000 and 1024.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let expected = || "expected a size such as 500MB or 20GiB".to_owned();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..end].parse().map_err(|_| expected())?;
    let unit: u64 = match text[end..].trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1000 * 1000,
        "GB" => 1000 * 1000 * 1000,
        "TB" => 1000 * 1000 * 1000 * 1000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err(expected()),
    };
    number.checked_mul(unit).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, want) in [
            ("0", Some(0)),
            ("20GiB", Some(20 << 30)),
            ("20 GiB", Some(20 << 30)),
            ("500MB", Some(500_000_000)),
            ("1kB", Some(1000)),
            ("99999999999TiB", None),
            ("GiB", None),
            ("-1", None),
            ("1.5GiB", None),
            ("20gib", None),
        ] {
            assert_eq!(size(text).ok(), want, "{text}");
        }
    }
}
