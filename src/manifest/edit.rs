//! Edits of a text, applied in one pass. Owns the promise that every byte outside an edit stays.

use super::Span;

/// One replacement: the bytes of `span` become `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go.
    pub span: Span,
    /// What stands there instead, already encoded for its place.
    pub text: String,
}

/// Why a list of edits cannot be applied to a text.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EditError {
    /// Two edits touch the same bytes, or the list is not in the order of the text.
    #[error("edits overlap or are out of order at byte {at}")]
    Overlap {
        /// Where the second of the two starts.
        at: usize,
    },
    /// An edit reaches past the end of the text, or cuts a character in two.
    #[error("edit {start}..{end} does not lie within the text", start = span.start, end = span.end)]
    OutOfText {
        /// The edit's range.
        span: Span,
    },
}

/// The pieces of `text` after `edits`, in order: unchanged stretches borrowed from `text`, and new texts.
///
/// `edits` must be sorted by position and must not overlap.
///
/// # Errors
/// [`EditError`] when they are not, or do not fit the text; nothing is produced then.
pub fn pieces<'a>(text: &'a str, edits: &'a [Edit]) -> Result<Vec<&'a str>, EditError> {
    let mut pieces = Vec::with_capacity(edits.len() * 2 + 1);
    let mut at = 0;
    for edit in edits {
        if edit.span.start < at {
            return Err(EditError::Overlap { at: edit.span.start });
        }
        let out_of_text = EditError::OutOfText { span: edit.span };
        let kept = text.get(at..edit.span.start).ok_or(out_of_text)?;
        edit.span.of(text).ok_or(EditError::OutOfText { span: edit.span })?;
        pieces.push(kept);
        pieces.push(edit.text.as_str());
        at = edit.span.end;
    }
    pieces.push(&text[at..]);
    Ok(pieces)
}

/// `text` with `edits` applied, as a new string.
///
/// # Errors
/// As [`pieces`].
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    Ok(pieces(text, edits)?.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, end: usize, text: &str) -> Edit {
        Edit { span: Span::new(start, end), text: text.to_owned() }
    }

    #[test]
    fn keeps_every_byte_outside_the_edits() {
        assert_eq!(apply("a: b # c\r\n", &[edit(3, 4, "xyz")]).unwrap(), "a: xyz # c\r\n");
        assert_eq!(apply("abc", &[]).unwrap(), "abc");
        assert_eq!(apply("abc", &[edit(0, 1, ""), edit(1, 3, "z")]).unwrap(), "z");
    }

    #[test]
    fn refuses_what_does_not_fit() {
        assert_eq!(apply("abc", &[edit(0, 2, ""), edit(1, 3, "")]), Err(EditError::Overlap { at: 1 }));
        assert_eq!(apply("abc", &[edit(2, 9, "")]), Err(EditError::OutOfText { span: Span::new(2, 9) }));
        assert_eq!(apply("aé", &[edit(1, 2, "")]), Err(EditError::OutOfText { span: Span::new(1, 2) }));
    }
}
