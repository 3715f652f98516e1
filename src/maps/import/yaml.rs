//! Reading YAML into types, with errors that name the file.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{ImportError, ImportSource};

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

/// The documents of `source`, each as a `T`; what `T` does not name is passed over.
pub(super) fn documents<T: DeserializeOwned>(
    source: ImportSource<'_>,
    expected: &'static str,
) -> Result<Vec<T>, ImportError> {
    serde_saphyr::from_multiple::<Option<T>>(source.text)
        .map(|documents| documents.into_iter().flatten().collect())
        .map_err(|error| unreadable(source, expected, &error))
}

/// The kinds of the documents in `text`; `None` when it does not parse.
pub(super) fn kinds(text: &str) -> Option<Vec<String>> {
    let documents = serde_saphyr::from_multiple::<Option<Kind>>(text).ok()?;
    Some(documents.into_iter().flatten().filter_map(|document| document.kind).collect())
}

pub(super) fn unreadable(
    source: ImportSource<'_>,
    expected: &'static str,
    error: &serde_saphyr::Error,
) -> ImportError {
    ImportError::Unreadable {
        file: source.name.to_owned(),
        expected,
        reason: error.without_snippet().to_string().lines().next().unwrap_or_default().to_owned(),
    }
}

/// The line of a value, from 1.
pub(super) fn line<T>(value: &serde_saphyr::Spanned<T>) -> usize {
    value.referenced.line() as usize
}
