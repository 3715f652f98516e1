//! The annotation that says what images were before they were swapped.
//!
//! ```yaml
//! metadata:
//!   annotations:
//!     imageswap.dev/original-images: '{"spec.containers[0].image":"nginx:1.27"}'
//! ```

use serde_json::{Map, Value};

use super::object::Metadata;
use super::patch::{Patch, json, push_escaped};

/// Its name.
pub(super) const ORIGINALS: &str = "imageswap.dev/original-images";

/// How long its value may be, in bytes; all annotations of an object together may have 256 KiB.
const LENGTH_MAX: usize = 64 * 1024;

/// Adds the annotation to `patch`: what is there already stays, and the originals at the same places are replaced.
/// `originals`: field paths and images. Says false when it would be too long, and adds nothing.
pub(super) fn annotate<'a>(
    patch: &mut Patch,
    metadata: &Metadata<'_>,
    originals: impl Iterator<Item = (String, &'a str)>,
) -> bool {
    let known = metadata.originals.and_then(super::cursor::Raw::string);
    let mut all: Map<String, Value> =
        known.and_then(|known| serde_json::from_str(&known).ok()).unwrap_or_default();
    all.extend(originals.map(|(path, image)| (path, Value::from(image))));
    let value = Value::Object(all).to_string();
    if value.len() > LENGTH_MAX {
        return false;
    }
    let value = json(&value);
    let name = json(ORIGINALS);
    if metadata.has_annotations {
        let mut pointer = "/metadata/annotations/".to_owned();
        push_escaped(&mut pointer, ORIGINALS);
        patch.add(&pointer, &value);
    } else if metadata.is_there {
        patch.add("/metadata/annotations", &format!("{{{name}:{value}}}"));
    } else {
        patch.add("/metadata", &format!("{{\"annotations\":{{{name}:{value}}}}}"));
    }
    true
}
