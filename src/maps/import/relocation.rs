//! CNAB's relocation-mapping.json (CNAB Core 1.0, section 103): an object of `"source": "target"`.

use super::{Collector, ImportError, ImportSource};

pub(super) fn read(source: ImportSource<'_>, into: &mut Collector) -> Result<(), ImportError> {
    let unreadable = |reason: String| ImportError::Unreadable {
        file: source.name.to_owned(),
        expected: "relocation-mapping.json",
        reason,
    };
    let mapping: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(source.text).map_err(|error| unreadable(error.to_string()))?;
    for (from, to) in mapping {
        match to {
            serde_json::Value::String(to) => into.rule(format!("[EXACT]{from}"), to, 0),
            other => return Err(unreadable(format!("{from} must have a string, and has {other}"))),
        }
    }
    Ok(())
}
