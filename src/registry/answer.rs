//! What a registry says beside a status that is no answer, made safe to show.

use serde::Deserialize;

use super::transport::printable;

/// The largest part of such an answer that is read.
pub(super) const WORDS_MAX: usize = 64 * 1024;

/// What was sent and must not be shown, should a server say it back.
#[derive(Clone, Default)]
pub(super) struct Secrets(Vec<Box<str>>);

impl Secrets {
    /// Adds a text; a short one would blot out harmless words.
    pub(super) fn add(&mut self, text: &str) {
        if text.len() >= 4 && !self.0.iter().any(|known| **known == *text) {
            self.0.push(text.into());
        }
    }

    /// The text without the secrets.
    pub(super) fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            if text.contains(&**secret) {
                text = text.replace(&**secret, "[redacted]");
            }
        }
        text
    }
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<Error>,
}

#[derive(Deserialize)]
struct Error {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// `: DENIED: requested access to the resource is denied`, from a body of the distribution specification's form;
/// nothing from any other.
pub(super) fn words(body: &[u8], secrets: &Secrets) -> String {
    let Ok(Errors { errors }) = serde_json::from_slice::<Errors>(body) else { return String::new() };
    let Some(Error { code, message }) = errors.into_iter().next() else { return String::new() };
    let mut out = String::new();
    for part in [code, message] {
        if !part.trim().is_empty() {
            out.push_str(": ");
            out.push_str(&printable(&secrets.hide(part.trim())));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said() {
        let mut secrets = Secrets::default();
        secrets.add("hunter2");
        for (body, want) in [
            (r#"{"errors":[{"code":"DENIED","message":"no"}]}"#, ": DENIED: no"),
            (r#"{"errors":[{"code":"DENIED"}]}"#, ": DENIED"),
            (r#"{"errors":[{"message":"hunter2 is wrong"}]}"#, ": [redacted] is wrong"),
            (r#"{"errors":[{"message":"a\u001b[31mb\u202e"}]}"#, ": a\\u{1b}[31mb\\u{202e}"),
            (r#"{"errors":[]}"#, ""),
            ("<html>", ""),
            ("", ""),
        ] {
            assert_eq!(words(body.as_bytes(), &secrets), want, "{body}");
        }
        let long = format!(r#"{{"errors":[{{"message":"{}"}}]}}"#, "x".repeat(5000));
        assert!(words(long.as_bytes(), &secrets).len() < 250);
    }
}
