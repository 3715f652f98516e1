//! Text that looks like an image where none is expected. A guess, for reports only: nothing is edited by it.

use std::sync::LazyLock;

use memchr::{memchr, memchr2, memchr3_iter, memmem, memrchr};

use super::event::Undecoded;
use crate::image::ImageReference;

/// Whether `text` can hardly be anything but an image: a registry with a top-level domain (or `localhost`),
/// and a tag or a digest.
#[must_use]
pub fn is_image_like(text: &str) -> bool {
    if memchr(b'/', text.as_bytes()).is_none() || memchr(b':', text.as_bytes()).is_none() {
        return false;
    }
    ImageReference::parse(text).is_ok_and(|image| {
        let has_domain = image.host().is_some_and(|host| {
            host == "localhost"
                || host
                    .rsplit_once('.')
                    .is_some_and(|(_, tld)| tld.len() > 1 && tld.bytes().all(|b| b.is_ascii_alphabetic()))
        });
        has_domain && (image.tag().is_some() || image.digest().is_some())
    })
}

/// Whether `text` is a reference with more than a bare name to it.
#[must_use]
pub(super) fn is_reference_like(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Most of what has one of these in a manifest is the URL of something else.
    let is_url = |sign: usize| bytes[sign] == b':' && bytes.get(sign + 1) == Some(&b'/');
    memchr2(b'/', b':', bytes).is_some_and(|sign| !is_url(sign)) && ImageReference::parse(text).is_ok()
}

/// Whether [`images_of_value`] finds any.
pub(super) fn may_hold_images(value: &str) -> bool {
    memchr2(b'/', b':', value.as_bytes()).is_some() && !images_of_value(value).is_empty()
}

/// The images of a variable's value, as ranges of bytes: the whole, or what stands behind `=` in lists as
/// Strimzi has them (`3.9.0=quay.io/strimzi/kafka:…`). Empty when it is neither.
pub(super) fn images_of_value(value: &str) -> Vec<Part> {
    if is_reference_like(value) {
        return vec![Part { start: 0, end: value.len() }];
    }
    let bytes = value.as_bytes();
    // Whatever else there is, behind the last `=` there must be an image.
    if memrchr(b'=', bytes).is_none_or(|equals| memchr2(b'/', b':', &bytes[equals..]).is_none()) {
        return Vec::new();
    }
    let mut images = Vec::new();
    let mut start = 0;
    for end in memchr3_iter(b'\n', b',', b' ', bytes).chain([value.len()]) {
        let item = value[start..end].trim_end_matches('\r');
        match memchr(b'=', item.as_bytes()).map(|equals| equals + 1) {
            Some(image) if is_reference_like(&item[image..]) => {
                images.push(Part { start: start + image, end: start + item.len() });
            }
            None if item.is_empty() => {}
            _ => return Vec::new(),
        }
        start = end + 1;
    }
    images
}

/// A part of a scalar's value, in bytes from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What the text of a string must hold for an image to be in it.
static IMAGE: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("image"));

/// Whether [`images_in`] may find something in the value of `block`.
pub(super) fn may_hold_image<'a>(block: impl Undecoded<'a>) -> bool {
    block.contains(&IMAGE)
}

/// The images of a manifest or patch that stands as text in a string: what is behind `image:`, and behind `value:` where the
/// text patches an image.
pub(super) fn images_in(text: &str) -> impl Iterator<Item = &str> {
    let lines = IMAGE.find(text.as_bytes()).map(|_| text.lines());
    let patches = lines.is_some() && text.contains("/image");
    lines.into_iter().flatten().filter_map(move |line| {
        let line = line.trim_start().trim_start_matches("- ").trim_start();
        let value = line.strip_prefix("image:").or(line.strip_prefix("value:").filter(|_| patches))?;
        let value = value.split(" #").next().unwrap_or_default().trim();
        let image = value.trim_matches(['"', '\'']);
        ImageReference::parse(image).is_ok().then_some(image)
    })
}

/// What is behind the last `=` of a word: of `--image=a`, the image. Words may be long scripts.
pub(super) fn behind_last_equals(word: &str) -> &str {
    memchr::memrchr(b'=', word.as_bytes()).map_or(word, |i| &word[i + 1..])
}

/// Whether a variable of this name may hold an image.
pub(super) fn names_image(name: &str) -> bool {
    let name = name.as_bytes();
    let mut end = 4;
    // The letter at the end of where it may stand says how far on it may stand at the earliest.
    while let Some(last) = name.get(end) {
        end += match last | 0x20 {
            b'e' if name[end - 4..end].eq_ignore_ascii_case(b"imag") => return true,
            b'g' => 1,
            b'a' => 2,
            b'm' => 3,
            b'i' => 4,
            _ => 5,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_images_in_any_case() {
        for name in ["IMAGE", "SIDECAR_IMAGE_TAG", "myImage", "iimage"] {
            assert!(names_image(name), "{name}");
        }
        // Every text of up to seven of its letters, in either case and among others.
        let letters = [b'i', b'M', b'a', b'G', b'e', b'\r'];
        for number in 0..6_u32.pow(7) {
            let name: Vec<u8> =
                (0..7).map(|place| letters[(number / 6_u32.pow(place) % 6) as usize]).collect();
            let name = String::from_utf8_lossy(&name);
            assert_eq!(names_image(&name), name.to_ascii_lowercase().contains("image"), "{name}");
        }
        for name in ["", "IMAG", "I", "IM_AGE", "TIMEAGE"] {
            assert!(!names_image(name), "{name}");
        }
    }

    #[test]
    fn finds_images_in_text() {
        let patch = "- op: replace\n  path: /spec/containers/0/image\n  value: \"nginx:1\" # why\n";
        assert_eq!(images_in(patch).collect::<Vec<_>>(), ["nginx:1"]);
        let manifest = "kind: Pod\nspec:\n  containers:\n  - image: a:1\n    name: b\n    value: c\n";
        assert_eq!(images_in(manifest).collect::<Vec<_>>(), ["a:1"]);
        assert_eq!(images_in("An image: see below.\nimage: {{ x }}\n").count(), 0);
    }

    #[test]
    fn finds_the_images_of_a_variable() {
        let parts = |value: &'static str| -> Vec<&'static str> {
            images_of_value(value).into_iter().map(|part| &value[part.start..part.end]).collect()
        };
        assert_eq!(parts("quay.io/a:1"), ["quay.io/a:1"]);
        assert_eq!(parts("3.9.0=q.io/k:1\n4.0.0=q.io/k:2\n"), ["q.io/k:1", "q.io/k:2"]);
        assert_eq!(parts("a=q.io/k:1,b=q.io/k:2"), ["q.io/k:1", "q.io/k:2"]);
        assert!(!is_reference_like("https://quay.io/a:1") && !is_reference_like("postgres://db:5432/a"));
        for value in ["", "120000", "true", "a=b", "a=q.io/k:1 text", "q.io/k:1 q.io/k:2"] {
            assert!(parts(value).is_empty(), "{value}");
        }
    }
}
