//! The YAML reader: granit-parser's events, as ours. Every document that the fast reader gives up on comes
//! here, and what this reader refuses is refused.

use std::borrow::Cow;

use granit_parser::{
    ErrorKind, Event as Granit, Parser, ScalarStyle as GranitStyle, StructureStyle, Tag as GranitTag,
};

use super::event::{AnchorId, Event, Scalar, ScalarStyle, Sink, Tag};
use super::{ParseError, Span};

/// Reads `range` of `text` as a stream of YAML documents. Spans and the error's offset count from the start
/// of `text`.
///
/// # Errors
/// What is no YAML 1.2, or is nested deeper than 255 levels.
pub fn read<'a>(text: &'a str, range: Span, sink: &mut impl Sink<'a>) -> Result<(), ParseError> {
    read_noting(text, range, sink, &mut None)
}

/// As [`read`]; `loose_quote` gets the place between the last token and the line of a quoted scalar that is indented
/// too little for YAML 1.2, where that is the error.
pub(super) fn read_noting<'a>(
    text: &'a str,
    range: Span,
    sink: &mut impl Sink<'a>,
    loose_quote: &mut Option<Span>,
) -> Result<(), ParseError> {
    let source = &text[range.start..range.end];
    let mut options = granit_parser::Options::default();
    options.emit_unresolved_aliases = true;
    options.set_emit_comments(false);
    let mut previous_end = range.start;
    for next in Parser::new_from_str_with_options(source, options) {
        let (event, span) = next.map_err(|error| {
            let offset = range.start + error.marker().byte_offset().unwrap_or(0).min(source.len());
            if *error.kind() == ErrorKind::InvalidQuotedScalarIndent {
                *loose_quote = Some(Span::new(previous_end, offset));
            }
            ParseError { offset, message: error.info() }
        })?;
        let bytes = span.byte_range().unwrap_or_default();
        let span = Span::new(range.start + bytes.start, range.start + bytes.end);
        let event = match event {
            Granit::DocumentStart(..) => {
                sink.document_start();
                continue;
            }
            Granit::DocumentEnd => {
                sink.document_end();
                continue;
            }
            Granit::MappingStart(style, anchor, _) => {
                Event::MappingStart { anchor: anchor_id(anchor), flow: style == StructureStyle::Flow }
            }
            Granit::MappingEnd => Event::MappingEnd,
            Granit::SequenceStart(style, anchor, _) => {
                Event::SequenceStart { anchor: anchor_id(anchor), flow: style == StructureStyle::Flow }
            }
            Granit::SequenceEnd => Event::SequenceEnd,
            Granit::Scalar(value, style, anchor, tag) => {
                let mut scalar = scalar(value, style, anchor, tag.as_deref(), span);
                if matches!(scalar.style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    scalar.start = block_header(text, Span::new(previous_end, span.start));
                }
                Event::Scalar(scalar)
            }
            Granit::Alias(anchor) => Event::Alias { anchor: anchor_id(anchor), span },
            Granit::UnresolvedAlias(_) => Event::Alias { anchor: None, span },
            _ => continue,
        };
        previous_end = span.end;
        sink.event(event);
    }
    Ok(())
}

fn anchor_id(id: usize) -> Option<AnchorId> {
    (id != 0).then(|| AnchorId::try_from(id).unwrap_or(AnchorId::MAX))
}

fn scalar<'a>(
    value: Cow<'a, str>,
    style: GranitStyle,
    anchor: usize,
    tag: Option<&GranitTag>,
    span: Span,
) -> Scalar<'a> {
    let style = match style {
        GranitStyle::Plain => ScalarStyle::Plain,
        GranitStyle::SingleQuoted => ScalarStyle::SingleQuoted,
        GranitStyle::DoubleQuoted => ScalarStyle::DoubleQuoted,
        GranitStyle::Literal => ScalarStyle::Literal,
        GranitStyle::Folded => ScalarStyle::Folded,
    };
    // An empty node comes as "~" with an empty range; a real "~" has one byte.
    let value = if style == ScalarStyle::Plain && span.start == span.end { Cow::Borrowed("") } else { value };
    Scalar {
        value,
        span,
        start: span.start,
        style,
        tag: tag.map_or(Tag::None, tag_of),
        anchor: anchor_id(anchor),
    }
}

fn tag_of(tag: &GranitTag) -> Tag {
    match tag.suffix_in_namespace("tag:yaml.org,2002:").as_deref() {
        Some("str") => Tag::Str,
        Some("merge") => Tag::Merge,
        Some(_) => Tag::Core,
        None if tag.parts() == ("", "!") => Tag::Str,
        None => Tag::Custom,
    }
}

/// The offset of the `|` or `>` in `between`, which reaches from the end of the last event to the content.
fn block_header(text: &str, between: Span) -> usize {
    let bytes = between.of(text).unwrap_or_default().as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let starts_word = at == 0 || bytes[at - 1].is_ascii_whitespace();
        match bytes[at] {
            b'#' if starts_word => at += memchr::memchr(b'\n', &bytes[at..]).unwrap_or(bytes.len() - at),
            b'|' | b'>' if starts_word => return between.start + at,
            _ => at += 1,
        }
    }
    between.end
}
