//! The schema of the function's configuration, made from the types: `krm-fn/schema.json`.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::function_config::{API_VERSION, ImageSwap};

/// An OpenAPI 3.0 document with one schema, `ImageSwap`, marked with its group, version and kind as
/// Kubernetes marks them.
#[must_use]
pub fn openapi() -> Value {
    let mut generator = SchemaSettings::openapi3().into_generator();
    let mut schema = generator.root_schema_for::<ImageSwap>().to_value();
    let mut schemas = match schema.pointer_mut("/components/schemas").map(Value::take) {
        Some(Value::Object(schemas)) => schemas,
        _ => serde_json::Map::new(),
    };
    if let Value::Object(root) = &mut schema {
        for key in ["$schema", "components", "title"] {
            root.remove(key);
        }
    }
    schema["properties"]["apiVersion"]["enum"] = json!([API_VERSION]);
    schema["properties"]["kind"]["enum"] = json!(["ImageSwap"]);
    let (group, version) = API_VERSION.split_once('/').unwrap_or_default();
    schema["x-kubernetes-group-version-kind"] =
        json!([{ "group": group, "version": version, "kind": "ImageSwap" }]);
    schemas.insert("ImageSwap".to_owned(), schema);
    schemas.sort_keys();
    json!({
        "openapi": "3.0.3",
        "info": { "title": "imageswap", "version": version },
        "paths": {},
        "components": { "schemas": schemas },
    })
}

#[cfg(test)]
mod tests {
    use super::super::function_config::KEYS;
    use super::*;

    #[test]
    fn has_the_keys_that_are_read() {
        let schema = openapi();
        let spec = &schema["components"]["schemas"]["ImageSwapSpec"]["properties"];
        let mut known: Vec<&str> = KEYS.to_vec();
        let mut keys: Vec<&str> = spec.as_object().unwrap().keys().map(String::as_str).collect();
        known.sort_unstable();
        keys.sort_unstable();
        assert_eq!(keys, known);
    }
}
