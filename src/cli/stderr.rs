//! What is written to standard error, and when.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use anstyle::AnsiColor;

pub use crate::report::words::count;

/// Writes `text` to standard error, where a terminal shows `error:` and the like in clap's colours; a closed standard error
/// is nobody's error.
pub fn print(text: &str) {
    let coloured = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let text = if coloured { Cow::Owned(painted(text)) } else { Cow::Borrowed(text) };
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// `text` with the words coloured that mark lines.
fn painted(text: &str) -> String {
    let marks = [
        ("error:", AnsiColor::Red.on_default().bold()),
        ("warning:", AnsiColor::Yellow.on_default().bold()),
        ("note:", AnsiColor::Cyan.on_default().bold()),
    ];
    text.split_inclusive('\n')
        .map(|line| match marks.iter().find(|(mark, _)| line.starts_with(mark)) {
            Some((mark, style)) => format!("{style}{mark}{style:#}{}", &line[mark.len()..]),
            None => line.to_owned(),
        })
        .collect()
}

/// Says an error.
pub fn error(message: &str) {
    print(&format!("error: {message}\n"));
}

/// Says a warning.
pub fn warning(message: &str) {
    print(&format!("warning: {message}\n"));
}

/// Whether a person is likely to see what is said.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Whether `error` only means that the reader of our output has gone (`imageswap images . | head`).
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

/// `what: no such file or folder`: a failure of the system in the words that the rest of the program uses.
pub fn failure(what: &str, error: &io::Error) -> anyhow::Error {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::InvalidData => "it is not UTF-8".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error ").next().unwrap_or_default().to_lowercase()
        }
    };
    anyhow::anyhow!("{what}: {reason}")
}

/// The message with the image in front, unless it starts with that already.
pub fn about(image: &str, message: &str) -> String {
    match message.strip_prefix(image) {
        Some(rest) if rest.starts_with(": ") => message.to_owned(),
        Some(_) | None => format!("{image}: {message}"),
    }
}

/// An error, and what to do about it.
pub fn with_hint(error: &dyn std::error::Error, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => format!("{error}: {hint}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::about;

    #[test]
    fn an_image_is_named_once() {
        assert_eq!(about("nginx", "refused"), "nginx: refused");
        assert_eq!(about("m.io/a:1", "m.io/a:1: refused"), "m.io/a:1: refused");
        assert_eq!(
            about("nginx", "docker.io/library/nginx: refused"),
            "nginx: docker.io/library/nginx: refused"
        );
        assert_eq!(about("m.io/a", "m.io/a:1: refused"), "m.io/a: m.io/a:1: refused");
    }
}
