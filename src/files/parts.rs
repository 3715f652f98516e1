//! Writing a text that is given in parts, without putting it together first.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fd::AsFd;
use rustix::io::Errno;

/// How many slices one writev takes; Linux' limit is 1,024.
const SLICES: usize = 1024;

/// Writes `parts`, one after another, with one writev for every 1,024 of them. Stops with `Interrupted`
/// when `cancel` is set between two of these.
///
/// # Errors
/// The system's.
pub fn write_parts(file: impl AsFd, parts: &[impl AsRef<[u8]>], cancel: &AtomicBool) -> io::Result<()> {
    let mut slices = Vec::with_capacity(parts.len().min(SLICES));
    for batch in parts.chunks(SLICES) {
        slices.clear();
        slices.extend(batch.iter().map(|part| IoSlice::new(part.as_ref())));
        let mut rest = slices.as_mut_slice();
        // Empty slices at the front must go before the test, else the last write would be of nothing.
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            if cancel.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match rustix::io::writev(&file, rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}
