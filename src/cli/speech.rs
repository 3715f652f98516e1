//! What is said on standard error, and when.

use std::io::{self, IsTerminal, Write};

/// Writes `text` to standard error; a closed standard error is nobody's error.
pub fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Says an error.
pub fn error(message: &str) {
    say(&format!("error: {message}\n"));
}

/// Says a warning.
pub fn warning(message: &str) {
    say(&format!("warning: {message}\n"));
}

/// Whether a person is likely to see what is said.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Whether `error` only means that the reader of our output has gone (`imageswap images . | head`).
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

/// `3 images`, `1 image`
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
