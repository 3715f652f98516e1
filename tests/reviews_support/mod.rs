//! JSON Patch as API servers apply it, as far as answers use it.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use serde_json::Value;

/// The patch of an answer.
pub fn decoded_patch(review: &Value) -> Option<Value> {
    let patch = review["response"]["patch"].as_str()?;
    assert_eq!(review["response"]["patchType"], "JSONPatch");
    let bytes = base64::engine::general_purpose::STANDARD.decode(patch).unwrap();
    Some(serde_json::from_slice(&bytes).unwrap())
}

/// Applies `patch` to `object`. A `replace` needs something to replace, and an `add` the parent.
pub fn apply(object: &mut Value, patch: &Value) {
    for operation in patch.as_array().unwrap() {
        let (path, value) = (operation["path"].as_str().unwrap(), operation["value"].clone());
        match operation["op"].as_str().unwrap() {
            "replace" => *object.pointer_mut(path).unwrap_or_else(|| panic!("nothing at {path}")) = value,
            "add" => {
                let (parent, key) = path.rsplit_once('/').unwrap();
                let key = key.replace("~1", "/").replace("~0", "~");
                let parent = object.pointer_mut(parent).unwrap_or_else(|| panic!("no parent of {path}"));
                parent.as_object_mut().unwrap().insert(key, value);
            }
            other => panic!("{other}"),
        }
    }
}
