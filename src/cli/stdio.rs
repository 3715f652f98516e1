//! Standard input, read whole, and edited texts on standard output.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};

use crate::files::write_parts;
use crate::manifest::edit::{self, Edit};
use crate::manifest::encoding;

use super::stderr;

/// All of standard input.
pub fn read() -> Result<Vec<u8>> {
    if io::stdin().is_terminal() {
        stderr::print("reading from the terminal; press Ctrl-D to end\n");
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
    Ok(bytes)
}

/// All of standard input, which is text.
pub fn read_text() -> Result<String> {
    Ok(encoding::decode(&read()?).context("standard input")?.to_owned())
}

/// Writes `text` with `edits` applied to standard output, without a copy of the whole in memory.
pub fn print_edited(text: &str, edits: &[Edit]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.flush()?;
    Ok(write_parts(stdout, &edit::pieces(text, edits)?, &AtomicBool::new(false))?)
}
