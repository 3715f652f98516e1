//! `fields`: where images are looked for besides in containers.

use schemars::JsonSchema;

use crate::manifest::{PlaceSpec, Places};

/// `core`, `known`, or a list of these words and of further fields.
///
/// ```yaml
/// fields: [known, "apps.example.com/Widget:spec.engine.image"]
/// ```
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the published schema is made from it")]
pub enum Fields {
    /// One word or field.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// The table that `words` ask for: each is `core`, `known`, or a field as `[GROUP/]KIND:PATH`. Without one of the
/// two words the known fields are looked at.
///
/// # Errors
/// What is wrong with a word.
pub(super) fn table(words: &[String]) -> Result<Places, String> {
    let has = |name: &str| words.iter().any(|word| word == name);
    if has("core") && has("known") {
        return Err("core and known exclude each other".to_owned());
    }
    let mut table = if has("core") { Places::core() } else { Places::known() };
    for word in words.iter().filter(|word| !matches!(word.as_str(), "core" | "known")) {
        let spec: Result<PlaceSpec, _> = word.parse();
        table.add(spec.map_err(|error| {
            if word.contains(':') {
                error.to_string()
            } else {
                format!(
                    "'{word}' is neither core nor known nor a field such as apps/Widget:spec.engine.image"
                )
            }
        })?);
    }
    Ok(table)
}
