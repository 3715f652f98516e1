//! The shape of a document: its top-level keys, where each stands, what is under them. One of them is kept as
//! a tree; of the others no more is remembered than where they end.

use std::borrow::Cow;

use crate::manifest::event::{Event, Scalar, Sink, Word};
use crate::manifest::fast::FastReader;
use crate::manifest::{ParseError, ScalarStyle, Span, json, yaml};

use crate::manifest::tree::{Builder, Node, Tree};

/// What stands under a top-level key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    Null,
    /// With the number of its elements.
    Sequence(usize),
    Mapping,
    Alias,
}

/// A top-level key and what is under it.
#[derive(Debug)]
pub(super) struct TopKey<'a> {
    pub(super) name: Cow<'a, str>,
    /// The key as written, quotes included.
    pub(super) span: Span,
    pub(super) value: Kind,
    /// The value, where it is a scalar.
    pub(super) text: Option<Cow<'a, str>>,
    /// Where the last scalar or alias of the value ends; where the key ends when there is none.
    pub(super) last: usize,
    /// How many collections close behind that.
    pub(super) closers: usize,
}

/// The shape of a stream that should hold one mapping.
#[derive(Debug, Default)]
pub(super) struct Outline<'a> {
    pub(super) keys: Vec<TopKey<'a>>,
    /// The tree under the key that was asked for.
    pub(super) tree: Option<Node<'a>>,
    /// Why that tree could not be built.
    pub(super) fault: Option<&'static str>,
    /// Whether the mapping is in flow style, as in JSON.
    pub(super) flow: bool,
    /// How many documents have something in them.
    pub(super) documents: usize,
    /// The first of them is a mapping.
    pub(super) is_mapping: bool,
}

impl<'a> Outline<'a> {
    /// Reads `text`, YAML or JSON, and keeps the tree under the top-level key `kept`; the whole document's
    /// when there is no key to keep.
    ///
    /// # Errors
    /// What is neither YAML nor JSON.
    pub(super) fn read(text: &'a str, kept: Option<&'static str>) -> Result<Self, ParseError> {
        let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let whole = Span::new(start, text.len());
        if text[start..].trim_start().starts_with('{') {
            let mut shaper = Shaper::new(kept);
            if json::read(text, whole, &mut shaper).is_ok() {
                return Ok(shaper.finish());
            }
        }
        let mut shaper = Shaper::new(kept);
        shaper.document_start();
        if is_one_document(text) && FastReader::default().read(text, whole, &mut shaper) {
            return Ok(shaper.finish());
        }
        let mut shaper = Shaper::new(kept);
        yaml::read(text, whole, &mut shaper)?;
        Ok(shaper.finish())
    }

    /// The first key of that name.
    pub(super) fn key(&self, name: &str) -> Option<&TopKey<'a>> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// Whether nothing in `text` could start a second document; the fast reader takes one at a time.
fn is_one_document(text: &str) -> bool {
    let rest = text.strip_prefix("---").unwrap_or(text);
    !rest.starts_with('%')
        && ["\n---", "\r---", "\n...", "\r...", "\n%", "\r%"]
            .iter()
            .all(|marker| memchr::memmem::find(rest.as_bytes(), marker.as_bytes()).is_none())
}

/// Where a scalar ends. A block scalar without a text is its header, from which its span is far.
fn end_of_scalar(scalar: &Scalar<'_>) -> usize {
    match scalar.style {
        ScalarStyle::Literal | ScalarStyle::Folded if scalar.value.trim().is_empty() => scalar.start,
        ScalarStyle::Literal
        | ScalarStyle::Folded
        | ScalarStyle::Plain
        | ScalarStyle::SingleQuoted
        | ScalarStyle::DoubleQuoted => scalar.span.end,
    }
}

/// Hears the events and keeps the outline.
struct Shaper<'a> {
    outline: Outline<'a>,
    kept: Option<&'static str>,
    builder: Builder<'a>,
    depth: usize,
    /// In the root mapping, the next node is a value.
    at_value: bool,
    /// Elements of the open top-level value.
    elements: usize,
}

impl<'a> Shaper<'a> {
    fn new(kept: Option<&'static str>) -> Self {
        let outline = Outline::default();
        Self { outline, kept, builder: Builder::default(), depth: 0, at_value: false, elements: 0 }
    }

    fn finish(mut self) -> Outline<'a> {
        let Tree { root, fault } = self.builder.finish();
        (self.outline.tree, self.outline.fault) = (root, fault);
        self.outline
    }

    fn is_kept(&self) -> bool {
        match self.kept {
            None => true,
            Some(name) => {
                self.at_value && self.depth > 0 && self.outline.keys.last().is_some_and(|k| k.name == name)
            }
        }
    }

    /// A node opens or stands directly under the root mapping.
    fn top(&mut self, event: &Event<'a>) {
        if self.at_value {
            let Some(key) = self.outline.keys.last_mut() else { return };
            key.value = match event {
                Event::Scalar(scalar) => {
                    let null = scalar.style == ScalarStyle::Plain
                        && matches!(&*scalar.value, "" | "~" | "null" | "Null" | "NULL");
                    key.text = Some(scalar.value.clone());
                    if null { Kind::Null } else { Kind::Scalar }
                }
                Event::SequenceStart { .. } => Kind::Sequence(0),
                Event::Alias { .. } => Kind::Alias,
                Event::MappingStart { .. } | Event::MappingEnd | Event::SequenceEnd => Kind::Mapping,
            };
            return;
        }
        let (name, span) = match event {
            Event::Scalar(scalar) => (scalar.value.clone(), scalar.span),
            _ => (Cow::Borrowed(""), Span::new(0, 0)),
        };
        let (last, value) = (span.end, Kind::Null);
        self.outline.keys.push(TopKey { name, span, value, text: None, last, closers: 0 });
    }
}

impl<'a> Sink<'a> for Shaper<'a> {
    fn document_start(&mut self) {
        self.depth = 0;
        self.at_value = false;
    }

    fn event(&mut self, event: Event<'a>) {
        let is_end = matches!(event, Event::MappingEnd | Event::SequenceEnd);
        if self.depth == 0 && !is_end {
            // An empty node is how an empty document shows.
            let empty = matches!(&event, Event::Scalar(s) if s.span.start == s.span.end);
            self.outline.documents += usize::from(!empty);
            if let (1, Event::MappingStart { flow, .. }) = (self.outline.documents, &event) {
                self.outline.flow = *flow;
                self.outline.is_mapping = true;
            }
        }
        if self.outline.documents > 1 {
            return;
        }
        if is_end {
            self.depth -= 1;
        }
        if self.depth == 1 && !is_end {
            self.elements = 0;
            self.top(&event);
        }
        if self.depth == 2 && !is_end && self.at_value {
            self.elements += 1;
        }
        if self.is_kept() {
            self.builder.event(&event);
        }
        if self.depth >= 1
            && let Some(key) = self.outline.keys.last_mut()
        {
            match &event {
                Event::Scalar(scalar) => (key.last, key.closers) = (end_of_scalar(scalar), 0),
                Event::Alias { span, .. } => (key.last, key.closers) = (span.end, 0),
                Event::MappingEnd | Event::SequenceEnd => key.closers += 1,
                Event::MappingStart { .. } | Event::SequenceStart { .. } => {}
            }
            if let (1, Event::SequenceEnd) = (self.depth, &event) {
                key.value = Kind::Sequence(self.elements);
            }
        }
        match event {
            Event::MappingStart { .. } | Event::SequenceStart { .. } => self.depth += 1,
            Event::Scalar(_) | Event::Alias { .. } | Event::MappingEnd | Event::SequenceEnd => {}
        }
        let whole = !matches!(event, Event::MappingStart { .. } | Event::SequenceStart { .. });
        if self.depth == 1 && whole {
            self.at_value = !self.at_value;
        }
    }

    fn entry(&mut self, key: Word<'a>, value: Word<'a>) {
        // Most of a list is deep in its items, of which only the end is kept.
        if self.depth > 2 && self.outline.documents == 1 && !self.is_kept() {
            if let Some(key) = self.outline.keys.last_mut() {
                (key.last, key.closers) = (value.span().end, 0);
            }
        } else {
            self.word(key);
            self.word(value);
        }
    }
}
