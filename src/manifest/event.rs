//! Structural events: what every reader of a manifest says, and all that the finder hears.

use std::borrow::Cow;

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

/// What hears the events of a stream of documents.
pub trait Sink<'a> {
    /// A document starts.
    fn document_start(&mut self) {}
    /// Takes the next event of the document.
    fn event(&mut self, event: Event<'a>);
    /// The document is whole.
    fn document_end(&mut self) {}
}

impl<'a> Sink<'a> for Vec<Event<'a>> {
    fn event(&mut self, event: Event<'a>) {
        self.push(event);
    }
}
