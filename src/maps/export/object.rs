//! Objects of Kubernetes, as exports write them.

use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<'a, S> {
    api_version: &'a str,
    kind: &'a str,
    metadata: Metadata<'a>,
    spec: S,
}

#[derive(Serialize)]
struct Metadata<'a> {
    name: &'a str,
}

/// An object as YAML. Its `spec` is made of strings, lists and mappings.
pub(super) fn render(api_version: &str, kind: &str, name: &str, spec: impl Serialize) -> String {
    let object = Object { api_version, kind, metadata: Metadata { name }, spec };
    serde_saphyr::to_string(&object).expect("strings, lists and mappings are YAML")
}
