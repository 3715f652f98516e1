//! registries.conf of containers/image, version 2: a `[[registry]]` for each redirect.

use std::fmt::Write;

use super::Exported;
use super::redirect::{LIBRARY_NOTE, Redirect};
use crate::maps::Rule;

pub(super) fn write(redirects: &[(&Rule, Redirect)], exported: &mut Exported) {
    let mut out = String::new();
    for (rule, redirect) in redirects {
        let Redirect { prefix, location, drops_library } = redirect;
        let _ = write!(out, "[[registry]]\nprefix = {}\nlocation = {}\n", quoted(prefix), quoted(prefix));
        if let Some(location) = location {
            let _ = write!(out, "\n[[registry.mirror]]\nlocation = {}\n", quoted(location));
        }
        out.push('\n');
        if *drops_library {
            exported.note(rule, LIBRARY_NOTE);
        }
    }
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
    exported.file("registries.conf", out);
}

/// A TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
