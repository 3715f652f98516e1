//! Structural events: what every reader of a manifest says, and all that the finder hears.

use std::borrow::Cow;

use memchr::memmem;

use super::Span;

/// Names an anchor within its document; `None` of it means "no anchor".
pub type AnchorId = u32;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarStyle {
    /// Without quotes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`, and every JSON string.
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

impl ScalarStyle {
    /// Whether it stands in quotes.
    #[must_use]
    pub fn is_quoted(self) -> bool {
        matches!(self, Self::SingleQuoted | Self::DoubleQuoted)
    }
}

/// What an explicit tag says about a scalar's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    /// No tag: the style and the text decide.
    None,
    /// `!!str`, or the non-specific `!`.
    Str,
    /// `!!merge`
    Merge,
    /// Another tag of the core schema (`!!int`, `!!null`, `!!binary`, …).
    Core,
    /// An application's own tag; its scalars are strings to us.
    Custom,
}

/// A scalar node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar<'a> {
    /// The decoded value.
    pub value: Cow<'a, str>,
    /// The bytes of the value as written: quotes included, properties, comments and a block scalar's
    /// header not. A block scalar's span may run on into the blank lines behind it.
    pub span: Span,
    /// Where the scalar begins as a reader sees it: of a block scalar its `|` or `>`, else `span.start`.
    pub start: usize,
    /// How it is written.
    pub style: ScalarStyle,
    /// Its explicit tag.
    pub tag: Tag,
    /// Its anchor.
    pub anchor: Option<AnchorId>,
}

impl<'a> Scalar<'a> {
    /// A scalar without a tag and an anchor, whose value is written at `span` and which begins at `start`.
    pub(super) fn bare(value: Cow<'a, str>, span: Span, start: usize, style: ScalarStyle) -> Self {
        Self { value, span, start, style, tag: Tag::None, anchor: None }
    }
}

/// A scalar whose value stands in the text as it is, within its quotes if it has any: one line, no escapes, no tag and
/// no anchor. Most scalars of manifests are such, and most of them nobody needs to look at.
#[derive(Clone, Copy)]
pub struct Word<'a> {
    /// The whole text.
    text: &'a str,
    span: Span,
    style: ScalarStyle,
}

impl<'a> Word<'a> {
    /// The scalar of `style` (plain, or in quotes that stand within it) that is written at `span` of `text`.
    #[inline]
    pub(super) fn new(text: &'a str, span: Span, style: ScalarStyle) -> Self {
        Self { text, span, style }
    }

    /// The bytes of the scalar as written, quotes included.
    #[inline]
    #[must_use]
    pub fn span(self) -> Span {
        self.span
    }

    /// Where its value stands.
    #[inline]
    fn inner(self) -> Span {
        let quote = usize::from(self.style != ScalarStyle::Plain);
        Span::new(self.span.start + quote, self.span.end - quote)
    }

    /// The value.
    #[inline]
    #[must_use]
    pub fn value(self) -> &'a str {
        self.inner().of(self.text).unwrap_or_default()
    }

    /// The value's bytes; cheaper to get than the value.
    #[inline]
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        let inner = self.inner();
        self.text.as_bytes().get(inner.start..inner.end).unwrap_or_default()
    }
}

impl<'a> From<Word<'a>> for Scalar<'a> {
    fn from(word: Word<'a>) -> Self {
        Self::bare(Cow::Borrowed(word.value()), word.span, word.span.start, word.style)
    }
}

/// An event of a document's structure, in the order of the text. Every node is one `Scalar`, one `Alias`, or
/// a start with its matching end; in a mapping, keys and values alternate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// A mapping opens.
    MappingStart {
        /// Its anchor.
        anchor: Option<AnchorId>,
        /// Whether it is in flow style.
        flow: bool,
    },
    /// The innermost mapping closes.
    MappingEnd,
    /// A sequence opens.
    SequenceStart {
        /// Its anchor.
        anchor: Option<AnchorId>,
        /// Whether it is in flow style.
        flow: bool,
    },
    /// The innermost sequence closes.
    SequenceEnd,
    /// A scalar.
    Scalar(Scalar<'a>),
    /// A `*name`: of the anchor of that number, or of none that is defined.
    Alias {
        /// The anchor it names; `None` when the document defines no such anchor before it.
        anchor: Option<AnchorId>,
        /// The alias as written, `*` included.
        span: Span,
    },
}

/// A scalar whose value is decoded when somebody asks for it.
pub trait Undecoded<'a>: Copy + Into<Scalar<'a>> {
    /// Whether `word`, which has no white space in it, stands in the value.
    fn contains(&self, word: &memmem::Finder<'_>) -> bool;
}

/// What hears the events of a stream of documents.
pub trait Sink<'a> {
    /// A document starts.
    fn document_start(&mut self) {}
    /// Takes the next event of the document.
    fn event(&mut self, event: Event<'a>);
    /// A mapping opens, without an anchor; the same as its event.
    #[inline]
    fn mapping_start(&mut self, flow: bool) {
        self.event(Event::MappingStart { anchor: None, flow });
    }
    /// A sequence opens, without an anchor; the same as its event.
    #[inline]
    fn sequence_start(&mut self, flow: bool) {
        self.event(Event::SequenceStart { anchor: None, flow });
    }
    /// The innermost mapping closes; the same as its event.
    #[inline]
    fn mapping_end(&mut self) {
        self.event(Event::MappingEnd);
    }
    /// The innermost sequence closes; the same as its event.
    #[inline]
    fn sequence_end(&mut self) {
        self.event(Event::SequenceEnd);
    }
    /// Takes a scalar in its lightest form; the same as its event.
    #[inline]
    fn word(&mut self, word: Word<'a>) {
        self.event(Event::Scalar(word.into()));
    }
    /// Takes a key and its value; the same as their two events.
    #[inline]
    fn entry(&mut self, key: Word<'a>, value: Word<'a>) {
        self.word(key);
        self.word(value);
    }
    /// Takes a block scalar that is not decoded yet; the same as its event.
    #[inline]
    fn block(&mut self, block: impl Undecoded<'a>) {
        self.event(Event::Scalar(block.into()));
    }
    /// The document is whole.
    fn document_end(&mut self) {}
}

impl<'a> Sink<'a> for Vec<Event<'a>> {
    fn event(&mut self, event: Event<'a>) {
        self.push(event);
    }
}
