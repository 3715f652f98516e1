//! A text of rules and where it came from: the file's name, and the lines it has there.

use std::borrow::Cow;

/// One source of rules. Several are read in order; of two rules with the same key the later text's wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapsText<'a> {
    /// What messages call it: a file name, `--map`, `functionConfig`.
    pub source: String,
    /// The text in the maps language.
    pub text: Cow<'a, str>,
    /// The line of the source at which the text's first line stands, from 1.
    pub first_line: usize,
    /// How many columns stand before the text on each of its lines (the indentation of a block scalar).
    pub indent: usize,
    /// The whole text stands on one line of the source (a quoted scalar with `\n` in it).
    pub on_one_line: bool,
}

impl<'a> MapsText<'a> {
    /// A text that is the whole of its source.
    pub fn new(source: impl Into<String>, text: impl Into<Cow<'a, str>>) -> Self {
        Self { source: source.into(), text: text.into(), first_line: 1, indent: 0, on_one_line: false }
    }

    /// The same text, standing inside a larger source: its first line is `first_line` there, and `indent`
    /// columns stand before each line.
    #[must_use]
    pub fn at(self, first_line: usize, indent: usize) -> Self {
        Self { first_line, indent, ..self }
    }

    /// The lines with the number each has in the source.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(&self.text);
        text.lines().enumerate().map(|(index, line)| {
            (if self.on_one_line { self.first_line } else { self.first_line + index }, line)
        })
    }
}
