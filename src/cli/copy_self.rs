//! `imageswap copy-self DIR`: for hosts that must take the program out of its image, which has no shell and no
//! `cp` (an init container that fills a volume).

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};

use super::args::CopySelfArgs;
use super::exit_code::ExitCode;

/// The name of the copy.
const NAME: &str = "imageswap";

/// Copies the running program to the folder that the arguments name.
pub fn run(args: &CopySelfArgs) -> Result<ExitCode> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    fs::create_dir_all(&args.folder).with_context(|| format!("cannot make {}", args.folder.display()))?;
    let target = args.folder.join(NAME);
    let temp = args.folder.join(format!(".{NAME}.{}.tmp", std::process::id()));
    let copied = copy(&program, &temp).and_then(|()| fs::rename(&temp, &target));
    if copied.is_err() {
        // The error that is reported is the one that counts.
        let _ = fs::remove_file(&temp);
    }
    copied.with_context(|| format!("cannot copy {} to {}", program.display(), target.display()))?;
    Ok(ExitCode::Done)
}

/// Copies `from` to `to`, which must not exist, and lets everyone run it.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(0o755).open(to)?;
    io::copy(&mut source, &mut copy)?;
    // The mode that `open` takes is cut by the umask.
    copy.set_permissions(fs::Permissions::from_mode(0o755))?;
    copy.sync_all()
}
