//! The events of one document, kept to be replayed. A document may have millions of them, so each is kept in twelve bytes
//! where that is possible.

use std::num::NonZero;

use rustc_hash::{FxHashMap, FxHashSet};

use super::event::{AnchorId, Event, Scalar, ScalarStyle, Tag, Word};
use super::{ParseError, Span};

/// The events of a document, and what must be known of them before they are replayed.
#[derive(Debug)]
pub(super) struct DocumentEvents<'a> {
    text: &'a str,
    events: Vec<Compact>,
    /// Those that are more than a [`Compact`] can say.
    others: Vec<Event<'a>>,
    /// The collections that are open.
    open: Vec<Open>,
    /// Where each anchor's node starts.
    anchors: FxHashMap<AnchorId, usize>,
    /// Anchors that an alias names.
    named: FxHashSet<AnchorId>,
    /// There are more than can be numbered.
    is_too_long: bool,
}

/// An event in few bytes.
#[derive(Debug, Clone, Copy)]
enum Compact {
    Start {
        is_map: bool,
        flow: bool,
        merges: bool,
        anchor: Option<NonZero<AnchorId>>,
        end: u32,
    },
    MappingEnd,
    SequenceEnd,
    /// A scalar that is a [`Word`].
    Word {
        style: ScalarStyle,
        start: u32,
        length: u32,
    },
    Alias {
        anchor: Option<NonZero<AnchorId>>,
        start: u32,
        length: u16,
    },
    /// The number of one of the others.
    Other(u32),
}

/// The start of a collection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) is_map: bool,
    /// Whether it is a mapping that has a merge key.
    pub(super) merges: bool,
    pub(super) anchor: Option<AnchorId>,
    /// The number of its last event.
    end: usize,
}

#[derive(Debug)]
struct Open {
    start: usize,
    is_map: bool,
    /// How many nodes it has so far.
    nodes: usize,
}

impl<'a> DocumentEvents<'a> {
    /// None, of a document of `text`.
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            events: Vec::new(),
            others: Vec::new(),
            open: Vec::new(),
            anchors: FxHashMap::default(),
            named: FxHashSet::default(),
            is_too_long: false,
        }
    }

    /// Forgets the document.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.text);
    }

    /// Adds the next event.
    pub(super) fn push(&mut self, event: Event<'a>) {
        let number = self.events.len();
        let Ok(index) = u32::try_from(number) else {
            self.is_too_long = true;
            return;
        };
        match event {
            Event::MappingStart { anchor, .. } | Event::SequenceStart { anchor, .. } => {
                self.node(number, anchor, false);
                let is_map = matches!(event, Event::MappingStart { .. });
                self.open.push(Open { start: number, is_map, nodes: 0 });
            }
            Event::Scalar(Scalar { anchor, .. }) => self.node(number, anchor, is_merge(&event)),
            Event::Alias { anchor, .. } => {
                self.named.extend(anchor);
                self.node(number, None, false);
            }
            Event::MappingEnd | Event::SequenceEnd => {
                if let Some(open) = self.open.pop()
                    && let Compact::Start { end, .. } = &mut self.events[open.start]
                {
                    *end = index;
                }
            }
        }
        let compact = self.compact(event, index);
        self.events.push(compact);
    }

    /// Takes note of a node.
    fn node(&mut self, number: usize, anchor: Option<AnchorId>, is_merge: bool) {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, number);
        }
        if let Some(parent) = self.open.last_mut() {
            let is_key = parent.is_map && parent.nodes.is_multiple_of(2);
            parent.nodes += 1;
            if is_key
                && is_merge
                && let Compact::Start { merges, .. } = &mut self.events[parent.start]
            {
                *merges = true;
            }
        }
    }

    fn compact(&mut self, event: Event<'a>, number: u32) -> Compact {
        let anchored = |anchor: Option<AnchorId>| anchor.and_then(NonZero::new);
        match event {
            Event::MappingStart { anchor, flow } => {
                let anchor = anchored(anchor);
                Compact::Start { is_map: true, flow, merges: false, anchor, end: number }
            }
            Event::SequenceStart { anchor, flow } => {
                let anchor = anchored(anchor);
                Compact::Start { is_map: false, flow, merges: false, anchor, end: number }
            }
            Event::MappingEnd => Compact::MappingEnd,
            Event::SequenceEnd => Compact::SequenceEnd,
            Event::Scalar(scalar) => match as_word(self.text, &scalar) {
                Some(word) => word,
                None => self.other(Event::Scalar(scalar)),
            },
            Event::Alias { anchor, span } => {
                match (u32::try_from(span.start), u16::try_from(span.end - span.start)) {
                    (Ok(start), Ok(length)) => Compact::Alias { anchor: anchored(anchor), start, length },
                    _ => self.other(event),
                }
            }
        }
    }

    fn other(&mut self, event: Event<'a>) -> Compact {
        let number = u32::try_from(self.others.len()).unwrap_or(u32::MAX);
        self.others.push(event);
        // There are no more of these than events.
        Compact::Other(number)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Makes sure that they can be replayed.
    ///
    /// # Errors
    /// With the start of the document, when more events came than can be numbered.
    pub(super) fn check(&self) -> Result<(), ParseError> {
        if self.is_too_long {
            let message = "a document with anchors of more than 4,294,967,295 nodes".to_owned();
            return Err(ParseError { offset: self.first_offset(), message });
        }
        Ok(())
    }

    /// The event of this number.
    pub(super) fn get(&self, number: usize) -> Event<'a> {
        match self.events[number] {
            Compact::Start { is_map: true, flow, anchor, .. } => {
                Event::MappingStart { anchor: anchor.map(NonZero::get), flow }
            }
            Compact::Start { flow, anchor, .. } => {
                Event::SequenceStart { anchor: anchor.map(NonZero::get), flow }
            }
            Compact::MappingEnd => Event::MappingEnd,
            Compact::SequenceEnd => Event::SequenceEnd,
            Compact::Word { style, start, length } => {
                Event::Scalar(Word::new(self.text, span(start, length), style).into())
            }
            Compact::Alias { anchor, start, length } => {
                Event::Alias { anchor: anchor.map(NonZero::get), span: span(start, length.into()) }
            }
            Compact::Other(number) => self.others[number as usize].clone(),
        }
    }

    /// The collection that starts there, if one does.
    pub(super) fn start(&self, number: usize) -> Option<Start> {
        match self.events[number] {
            Compact::Start { is_map, merges, anchor, end, .. } => {
                Some(Start { is_map, merges, anchor: anchor.map(NonZero::get), end: end as usize })
            }
            Compact::MappingEnd
            | Compact::SequenceEnd
            | Compact::Word { .. }
            | Compact::Alias { .. }
            | Compact::Other(_) => None,
        }
    }

    /// The alias of that number, if it is one: the anchor it names, and where it stands.
    pub(super) fn alias(&self, number: usize) -> Option<(Option<AnchorId>, Span)> {
        if matches!(self.events[number], Compact::Start { .. } | Compact::Word { .. }) {
            return None;
        }
        match self.get(number) {
            Event::Alias { anchor, span } => Some((anchor, span)),
            _ => None,
        }
    }

    /// Where the node of that number ends: the number of its last event.
    pub(super) fn end(&self, number: usize) -> usize {
        self.start(number).map_or(number, |start| start.end)
    }

    /// Where the node of `anchor` starts.
    pub(super) fn anchored(&self, anchor: AnchorId) -> Option<usize> {
        self.anchors.get(&anchor).copied()
    }

    /// Whether an alias names `anchor`.
    pub(super) fn is_named(&self, anchor: AnchorId) -> bool {
        self.named.contains(&anchor)
    }

    /// Where the first scalar stands in the text.
    pub(super) fn first_offset(&self) -> usize {
        let offset = |number: usize| match self.get(number) {
            Event::Scalar(scalar) => Some(scalar.start),
            _ => None,
        };
        (0..self.len()).find_map(offset).unwrap_or_default()
    }
}

fn span(start: u32, length: u32) -> Span {
    Span::new(start as usize, start as usize + length as usize)
}

/// `scalar` in few bytes, if it is no more than a [`Word`] of `text`.
fn as_word(text: &str, scalar: &Scalar<'_>) -> Option<Compact> {
    let Scalar { ref value, span: written, start, style, tag, anchor } = *scalar;
    let is_bare = tag == Tag::None && anchor.is_none() && start == written.start;
    let is_short = match style {
        ScalarStyle::Plain => true,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => written.end - written.start >= 2,
        ScalarStyle::Literal | ScalarStyle::Folded => false,
    };
    if !is_bare || !is_short || Word::new(text, written, style).value() != value {
        return None;
    }
    let (start, length) = (u32::try_from(start).ok()?, u32::try_from(written.end - written.start).ok()?);
    Some(Compact::Word { style, start, length })
}

/// Whether a key is a merge key: plain `<<`, bare or tagged `!!merge`.
pub(super) fn is_merge(event: &Event<'_>) -> bool {
    matches!(event, Event::Scalar(s) if s.value == "<<"
        && s.style == ScalarStyle::Plain
        && matches!(s.tag, Tag::None | Tag::Merge))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::yaml;

    #[test]
    fn gives_back_what_it_was_given() {
        let text = "a: &x [1, 'two', \"th\\x72ee\", *x, !!str 4, ~]\n? {b: &y}\n: <<: *y\n  c: |\n    text\n  d:\n'': \"\"\n\
                    e: two\n  lines\n";
        let mut plainly: Vec<Event<'_>> = Vec::new();
        yaml::read(text, Span::new(0, text.len()), &mut plainly).unwrap();
        let mut events = DocumentEvents::new(text);
        plainly.iter().for_each(|event| events.push(event.clone()));
        assert_eq!((0..events.len()).map(|number| events.get(number)).collect::<Vec<_>>(), plainly);
        assert_eq!(size_of::<Compact>(), 12);
        // The whole, `[1, …]` and the mapping with `<<`.
        assert_eq!(events.end(0), events.len() - 1);
        assert_eq!((events.anchored(1), events.end(2)), (Some(2), 9));
        let merging: Vec<_> =
            (0..events.len()).filter(|n| events.start(*n).is_some_and(|s| s.merges)).collect();
        assert_eq!(merging, [14]);
        assert!(events.is_named(1) && events.is_named(2) && !events.is_named(3));
    }
}
