//! JSON Patch (RFC 6902) at JSON Pointers (RFC 6901).

use crate::manifest::{FieldPath, Segment};

/// The pointer of `path`: `/spec/containers/0/image`.
pub(super) fn pointer(path: &FieldPath) -> String {
    let mut pointer = String::with_capacity(8 * path.len());
    for segment in path.segments() {
        pointer.push('/');
        match segment {
            Segment::Key(key) => push_escaped(&mut pointer, key),
            Segment::Index(index) => pointer.push_str(&index.to_string()),
        }
    }
    pointer
}

/// Adds one token: `~` is written as `~0` and `/` as `~1`.
pub(super) fn push_escaped(pointer: &mut String, token: &str) {
    for c in token.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

/// A patch being written.
#[derive(Debug, Default)]
pub(super) struct Patch {
    text: String,
}

impl Patch {
    /// A string takes another's place.
    pub(super) fn replace(&mut self, pointer: &str, value: &str) {
        self.operation("replace", pointer, &json(value));
    }

    /// A value (JSON) is added, or takes the place of the one that is there.
    pub(super) fn add(&mut self, pointer: &str, value: &str) {
        self.operation("add", pointer, value);
    }

    fn operation(&mut self, name: &str, pointer: &str, value: &str) {
        self.text.push(if self.text.is_empty() { '[' } else { ',' });
        self.text.push_str("{\"op\":\"");
        self.text.push_str(name);
        self.text.push_str("\",\"path\":");
        self.text.push_str(&json(pointer));
        self.text.push_str(",\"value\":");
        self.text.push_str(value);
        self.text.push('}');
    }

    /// The patch; `None` when it does nothing.
    pub(super) fn finish(mut self) -> Option<String> {
        if self.text.is_empty() {
            return None;
        }
        self.text.push(']');
        Some(self.text)
    }
}

/// `text` as a JSON string.
pub(super) fn json(text: &str) -> String {
    let mut written = Vec::with_capacity(text.len() + 2);
    serde_json::to_writer(&mut written, text).expect("a string can be written to memory");
    String::from_utf8(written).expect("JSON is UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_pointers() {
        let path: FieldPath =
            [Segment::Key("a/b~c"), Segment::Index(2), Segment::Key(""), Segment::Key("é\"")]
                .into_iter()
                .collect();
        assert_eq!(pointer(&path), "/a~1b~0c/2//é\"");
        let mut patch = Patch::default();
        patch.replace(&pointer(&path), "x");
        patch.add("/y", "{}");
        let want =
            r#"[{"op":"replace","path":"/a~1b~0c/2//é\"","value":"x"},{"op":"add","path":"/y","value":{}}]"#;
        assert_eq!(patch.finish().as_deref(), Some(want));
        assert_eq!(Patch::default().finish(), None);
    }
}
