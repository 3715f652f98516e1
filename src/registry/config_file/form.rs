//! The form of the file: its tables, their keys, and what is said about a key that is not one of them.

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::nearest::nearest;

/// What is wrong, and where in the text.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) message: String,
}

impl Wrong {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    #[serde(default)]
    pub(super) client: Limits,
    #[serde(default)]
    pub(super) registry: Vec<Spanned<Registry>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Limits {
    pub(super) concurrency: Option<Spanned<u16>>,
    pub(super) lookups_per_registry: Option<Spanned<u16>>,
    pub(super) blobs_per_registry: Option<Spanned<u16>>,
    pub(super) connect_timeout: Option<Spanned<u16>>,
    pub(super) read_timeout: Option<Spanned<u16>>,
    pub(super) answer_timeout: Option<Spanned<u16>>,
    pub(super) longest_wait: Option<Spanned<u16>>,
    pub(super) tries: Option<Spanned<u16>>,
    pub(super) https_proxy: Option<Spanned<String>>,
    pub(super) http_proxy: Option<Spanned<String>>,
    pub(super) no_proxy: Option<Vec<String>>,
    #[serde(default)]
    pub(super) ca: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Registry {
    pub(super) prefix: Option<Spanned<String>>,
    pub(super) location: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) blocked: bool,
    #[serde(default)]
    pub(super) mirror: Vec<Mirror>,
    #[serde(default)]
    pub(super) plain_http: bool,
    pub(super) ca: Option<String>,
    pub(super) client_cert: Option<Spanned<String>>,
    pub(super) client_key: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Mirror {
    pub(super) location: Spanned<String>,
    #[serde(default)]
    pub(super) plain_http: bool,
    pub(super) ca: Option<String>,
    pub(super) client_cert: Option<Spanned<String>>,
    pub(super) client_key: Option<Spanned<String>>,
}

impl File {
    pub(super) fn read(text: &str) -> Result<Self, Wrong> {
        // The messages alone: what the parser prints besides is the line itself, which may hold a password.
        let wrong = |error: toml::de::Error| {
            Wrong::new(error.span().map_or(0, |span| span.start), error.message().trim())
        };
        let table = DeTable::parse(text).map_err(wrong)?;
        if let Some(unknown) = unknown_key(table.get_ref(), "") {
            return Err(unknown);
        }
        toml::from_str(text).map_err(wrong)
    }
}

/// The keys of a table; those of the file itself have the name "". None for what is no table.
fn keys(table: &str) -> &'static [&'static str] {
    match table {
        "" => &["client", "registry"],
        "client" => &[
            "concurrency",
            "lookups-per-registry",
            "blobs-per-registry",
            "connect-timeout",
            "read-timeout",
            "answer-timeout",
            "longest-wait",
            "tries",
            "https-proxy",
            "http-proxy",
            "no-proxy",
            "ca",
        ],
        "registry" => {
            &["prefix", "location", "blocked", "mirror", "plain-http", "ca", "client-cert", "client-key"]
        }
        "mirror" => &["location", "plain-http", "ca", "client-cert", "client-key"],
        _ => &[],
    }
}

/// The first key, as the text goes, that the form does not know.
fn unknown_key(table: &DeTable<'_>, name: &str) -> Option<Wrong> {
    let known = keys(name);
    if known.is_empty() {
        return None;
    }
    let wrong = table.iter().filter_map(|(key, value)| {
        let text: &str = key.get_ref();
        if known.contains(&text) {
            return below(value.get_ref(), text);
        }
        let message = match nearest(text, known) {
            Some(near) => format!("unknown key '{text}', did you mean '{near}'?"),
            None => format!("unknown key '{text}', expected one of {}", known.join(", ")),
        };
        Some(Wrong::new(key.span().start, message))
    });
    wrong.min_by_key(|wrong| wrong.at)
}

/// The same in the tables of a value.
fn below(value: &DeValue<'_>, name: &str) -> Option<Wrong> {
    match value {
        DeValue::Table(table) => unknown_key(table, name),
        DeValue::Array(items) => {
            items.iter().filter_map(|item| below(item.get_ref(), name)).min_by_key(|wrong| wrong.at)
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => None,
    }
}
