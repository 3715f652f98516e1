//! What an object says of itself, as far as it decides whether and how it is patched.

use super::annotation::ORIGINALS;
use super::cursor::{Cursor, CursorError, Raw};

/// The annotation of pods that a kubelet runs by itself; the API server has only their mirror.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// What is read of an object's metadata.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Metadata<'a> {
    /// Whether there is any.
    pub(super) is_there: bool,
    /// Whether it has annotations, and they are an object.
    pub(super) has_annotations: bool,
    /// It is the mirror of a static pod, which no answer can change.
    pub(super) is_mirror: bool,
    /// It is being deleted.
    pub(super) is_deleted: bool,
    /// The annotation that says what its images were.
    pub(super) originals: Option<Raw<'a>>,
}

impl<'a> Metadata<'a> {
    /// Passes over the object at the cursor, and reads its metadata on the way. What is not well-formed is left to the
    /// engine, which reads all of it.
    pub(super) fn of_object(cursor: &mut Cursor<'a>) -> Result<(Raw<'a>, Self), CursorError> {
        let before = cursor.clone();
        let mut found = Self::default();
        let read = cursor.entries(|key, cursor| {
            if key == "metadata" {
                found = Self::read(cursor)?;
            }
            Ok(())
        });
        match read {
            Ok(object) => Ok((object, found)),
            Err(_) => {
                *cursor = before;
                Ok((cursor.value()?, Self::default()))
            }
        }
    }

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, CursorError> {
        let mut found = Self::default();
        if !cursor.is_at_object() {
            return Ok(found);
        }
        found.is_there = true;
        cursor.entries(|key, cursor| {
            match key {
                "annotations" => found.annotations(cursor)?,
                "deletionTimestamp" => found.is_deleted = !cursor.value()?.is_null(),
                _ => {}
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn annotations(&mut self, cursor: &mut Cursor<'a>) -> Result<(), CursorError> {
        (self.has_annotations, self.is_mirror, self.originals) = (cursor.is_at_object(), false, None);
        if !self.has_annotations {
            return Ok(());
        }
        cursor.entries(|key, cursor| {
            match key {
                MIRROR => self.is_mirror = true,
                ORIGINALS => self.originals = Some(cursor.value()?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(())
    }
}
