//! `fields`: where images are looked for besides in containers.

use schemars::JsonSchema;

use crate::manifest::{PlaceSpec, Places};

/// `core`, `known`, `all`, or a list of one of these words and of further fields.
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

/// The table that `words` ask for: each is `core`, `known`, `all`, or a field as `[GROUP/]KIND:PATH`. Without one of
/// the three words the known fields are looked at.
///
/// # Errors
/// What is wrong with a word.
pub(super) fn table(words: &[String]) -> Result<Places, String> {
    let has = |name: &str| words.iter().any(|word| word == name);
    let mut named = ["core", "known", "all"].into_iter().filter(|name| has(name));
    let (first, second) = (named.next(), named.next());
    if let (Some(first), Some(second)) = (first, second) {
        return Err(format!("{first} and {second} exclude each other"));
    }
    let mut table = match first {
        Some("core") => Places::core(),
        Some("all") => Places::all(),
        _ => Places::known(),
    };
    for word in words.iter().filter(|word| first != Some(word.as_str())) {
        let spec: Result<PlaceSpec, _> = word.parse();
        table.add(spec.map_err(|error| {
            if word.contains(':') {
                error.to_string()
            } else {
                format!(
                    "'{word}' is neither core, known nor all, nor a field such as apps/Widget:spec.engine.image"
                )
            }
        })?);
    }
    Ok(table)
}
