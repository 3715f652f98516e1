//! Characters that YAML 1.1, and so kubectl, takes for a line end, and YAML 1.2 does not: behind one of them, in what is a
//! comment or a plain scalar here, an image may stand that the API server gets to see.

use memchr::memmem;

use super::Span;

/// Those of a text that have the word "image" behind them in their line.
#[derive(Debug, Default)]
pub(super) struct OldLineEnds {
    /// Their offsets, rising.
    pub(super) ends: Vec<usize>,
    /// How many of them are judged.
    passed: usize,
    /// Those that hide something.
    hiding: Vec<usize>,
}

impl OldLineEnds {
    /// Those in `span` of `text`.
    pub(super) fn find(text: &str, span: Span) -> Self {
        let source = span.of(text).unwrap_or_default();
        let is_in_text = |end: &str| memmem::find(source.as_bytes(), end.as_bytes()).is_some();
        if !["\u{85}", "\u{2028}", "\u{2029}"].into_iter().any(is_in_text) {
            return Self::default();
        }
        let mut ends = Vec::new();
        let mut start = span.start;
        for line in source.split_inclusive('\n') {
            let before = &line[..line.rfind("image").unwrap_or(0)];
            let is_old_end = |c: char| matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}');
            ends.extend(before.match_indices(is_old_end).map(|(at, _)| start + at));
            start += line.len();
        }
        Self { ends, ..Self::default() }
    }

    /// Judges them anew.
    pub(super) fn start_over(&mut self) {
        self.passed = 0;
        self.hiding.clear();
    }

    /// Takes note of a quoted scalar behind all that were passed: those in it hide nothing.
    pub(super) fn pass_quoted(&mut self, scalar: Span) {
        let before = self.ends[self.passed..].partition_point(|end| *end < scalar.start);
        self.hiding.extend_from_slice(&self.ends[self.passed..self.passed + before]);
        self.passed += before;
        self.passed += self.ends[self.passed..].partition_point(|end| *end < scalar.end);
    }

    /// Those that hide something.
    pub(super) fn that_hide(mut self) -> Vec<usize> {
        self.hiding.extend_from_slice(&self.ends[self.passed..]);
        self.hiding
    }
}
