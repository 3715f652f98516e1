//! From text to entries: strict, every fault located.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::Arc;

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use crate::image::{Digest, ImageReference};

use super::entry::{LockEntry, Looked, meaning, without_digest};
use super::error::{LockError, LockErrorKind, LockErrors};
use super::render::{ID, PLATFORM, PREVIOUS, SOURCE, TARGET};
use super::{API_VERSION, KIND, Lock};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    api_version: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
    images: Option<Vec<Spanned<Image>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    image: Option<Spanned<String>>,
    annotations: Option<BTreeMap<String, Spanned<String>>>,
}

impl Lock {
    /// Reads the text of a lock file; `file` is its name, for messages.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(file: &str, text: &str) -> Result<Self, LockErrors> {
        let mut reader = LockReader { file, errors: Vec::new(), lock: Self::default() };
        reader.read(text);
        if reader.errors.is_empty() { Ok(reader.lock) } else { Err(LockErrors(reader.errors)) }
    }
}

struct LockReader<'a> {
    file: &'a str,
    errors: Vec<LockError>,
    lock: Lock,
}

impl LockReader<'_> {
    fn read(&mut self, text: &str) {
        // The text is a file of the user's, not a stranger's: its own length bounds the work.
        let options = serde_saphyr::options! { budget: None, with_snippet: false };
        let mut documents: Vec<Document> = match serde_saphyr::from_multiple_with_options(text, options) {
            Ok(documents) => documents,
            Err(error) => {
                let at = error.location().unwrap_or(Location::UNKNOWN);
                return self.error(at, LockErrorKind::Shape(message_of(&error)));
            }
        };
        let [document] = &mut documents[..] else {
            return self.error(Location::UNKNOWN, LockErrorKind::Documents(documents.len()));
        };
        self.header("apiVersion", document.api_version.take(), API_VERSION);
        self.header("kind", document.kind.take(), KIND);
        for Spanned { value: image, referenced, .. } in document.images.take().unwrap_or_default() {
            if let Err((at, kind)) = self.image(image, referenced) {
                self.error(at, kind);
            }
        }
    }

    fn error(&mut self, at: Location, kind: LockErrorKind) {
        let place = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).max(1);
        self.errors.push(LockError {
            file: self.file.to_owned(),
            line: place(at.line()),
            column: place(at.column()),
            kind,
        });
    }

    fn header(&mut self, key: &'static str, found: Option<Spanned<String>>, expected: &'static str) {
        let at = found.as_ref().map_or(Location::UNKNOWN, |found| found.referenced);
        let found = found.map(|found| found.value).unwrap_or_default();
        if found != expected {
            self.error(at, LockErrorKind::Header { key, found, expected });
        }
    }

    fn image(&mut self, image: Image, at: Location) -> Result<(), (Location, LockErrorKind)> {
        let Image { image: Some(image), annotations } = image else {
            return Err((at, LockErrorKind::NoImage));
        };
        let mut annotations = annotations.unwrap_or_default();
        let reference = reference("image", &image)?;
        let Some(digest) = reference.digest() else {
            return Err((image.referenced, LockErrorKind::NoDigest { image: image.value.clone() }));
        };
        let digest = digest.to_digest();

        let id = annotations.remove(ID).unwrap_or_else(|| image.clone());
        let id_reference = self::reference(ID, &id)?;
        let target = match annotations.remove(TARGET) {
            Some(target) => {
                let target_reference = self::reference(TARGET, &target)?;
                if target_reference.digest().is_some() {
                    let reason = "a target has no digest".to_owned();
                    return Err((target.referenced, annotation(TARGET, &target, reason)));
                }
                if target_reference.repository() != reference.repository() {
                    let (target_text, image) = (target.value.clone(), image.value.clone());
                    return Err((target.referenced, LockErrorKind::Torn { target: target_text, image }));
                }
                target.value
            }
            None if reference.tag().is_some() => without_digest(reference).to_owned(),
            // As kbld and imgpkg write it: the name that it is found under, the tag that was asked for.
            None => match id_reference.tag() {
                Some(tag) => format!("{}:{tag}", reference.name()),
                None => reference.name().to_owned(),
            },
        };
        let looked = match annotations.remove(SOURCE) {
            Some(source) => {
                self::reference(SOURCE, &source)?;
                Looked::Source(source.value)
            }
            None => Looked::Target,
        };
        let previous = match annotations.remove(PREVIOUS) {
            Some(previous) => match Digest::parse(&previous.value) {
                Ok(digest) => Some(digest),
                Err(error) => {
                    return Err((previous.referenced, annotation(PREVIOUS, &previous, error.to_string())));
                }
            },
            None => None,
        };
        let entry = LockEntry {
            id: id.value.clone(),
            target,
            digest,
            looked,
            platform: annotations.remove(PLATFORM).map(|platform| platform.value),
            previous,
            annotations: annotations.into_iter().map(|(key, value)| (key, value.value)).collect(),
        };
        match self.lock.entries.entry(entry.key()) {
            Slot::Vacant(slot) => {
                slot.insert(Arc::new(entry));
                Ok(())
            }
            Slot::Occupied(_) => Err((at, LockErrorKind::Twice { id: entry.id, target: entry.target })),
        }
    }
}

fn reference<'t>(
    what: &'static str,
    text: &'t Spanned<String>,
) -> Result<ImageReference<'t>, (Location, LockErrorKind)> {
    ImageReference::parse(&text.value).map_err(|reason| {
        (text.referenced, LockErrorKind::Reference { what, text: text.value.clone(), reason })
    })
}

fn annotation(annotation: &'static str, text: &Spanned<String>, reason: String) -> LockErrorKind {
    LockErrorKind::Annotation { annotation, text: text.value.clone(), reason }
}

/// The message without the place, which [`LockError`] gives.
fn message_of(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let first = text.lines().next().unwrap_or_default();
    first.split(" at line ").next().unwrap_or(first).to_owned()
}

/// Whether an entry's target means the same image as `reference`.
pub(super) fn means(entry: &LockEntry, reference: ImageReference<'_>) -> bool {
    ImageReference::parse(&entry.target).is_ok_and(|target| meaning(target) == meaning(reference))
}
