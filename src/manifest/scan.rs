//! A whole text: documents, readers and finder put together.

mod asked;
mod entries;
mod files;
mod loose_quotes;
mod shares;
mod within;

use super::chart_parts::{self, ChartPart};
use super::document_error::DocumentError;
use super::document_events::DocumentEvents;
use super::documents::{self, Prefilter};
use super::drained::drained;
use super::event::{Event, Sink, Word};
use super::fast::FastReader;
use super::finder::{EntryKey, Finder, Finding, Found, FoundNote, ImageParts};
use super::notes::{Notes, NotesBefore};
use super::occurrence::{KustomizeImage, Note, NoteKind, Occurrence, Resource};
use super::old_line_ends::OldLineEnds;
use super::path::FieldPath;
use super::places::Places;
use super::{Lines, ParseError, ScalarStyle, Span, aliases, json, yaml};

pub use shares::{Job, Workers};

/// The label that, set to `disabled`, keeps a resource or pod template as it is.
pub const DISABLE_LABEL: &str = "k8s.twr.io/imageswap";

/// Finds the images of texts.
#[derive(Debug, Clone)]
pub struct Scanner {
    places: Places,
    disable_label: String,
    prefilter: Option<Prefilter>,
    fast: bool,
    /// How many steps the paths of one document's findings may have together.
    step_limit: usize,
    workers: Workers,
}

/// What a text holds.
#[derive(Debug, Default)]
pub struct Scan {
    /// How many documents there are, as a YAML reader counts them.
    pub documents: usize,
    /// How many of them the YAML reader read, since the fast one gave up on them or is not used.
    pub read_slowly: usize,
    /// The images, in the order of the text.
    pub occurrences: Vec<Occurrence>,
    /// Entries of `images` lists: of every Kustomization, and of documents that say no kind and may be one by
    /// the name of their file.
    pub kustomize_images: Vec<KustomizeImage>,
    /// The resources that occurrences belong to.
    pub resources: Vec<Resource>,
    /// Whether there may be [parts of charts](super::ChartPart) in it.
    pub may_have_chart: bool,
    /// What authors should know.
    pub notes: Notes,
    /// Documents that do not parse.
    pub errors: Vec<DocumentError>,
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new(Places::known(), DISABLE_LABEL.to_owned())
    }
}

impl Scanner {
    /// A scanner for containers, image volumes and `places`, which leaves alone what carries `disable_label`.
    #[must_use]
    pub fn new(places: Places, disable_label: String) -> Self {
        let prefilter = Some(Prefilter::new(&places));
        Self {
            places,
            disable_label,
            prefilter,
            fast: true,
            step_limit: usize::MAX,
            workers: Workers::default(),
        }
    }

    /// Has every document parsed, also those that cannot hold an image by their text: for inventories of all
    /// that is mentioned.
    pub fn be_thorough(&mut self) {
        self.prefilter = None;
    }

    /// Has the YAML reader read all YAML, and the fast reader none.
    #[must_use]
    pub fn without_fast_reader(self) -> Self {
        Self { fast: false, ..self }
    }

    /// Bounds what is kept of a text that may be hostile: paths of more than `steps` steps together make an error of
    /// it, and cost no memory. An image of a Pod has a path of four steps. What looks like JSON and is none is not read
    /// as YAML then, either.
    #[must_use]
    pub fn with_step_limit(mut self, steps: usize) -> Self {
        self.step_limit = steps;
        self
    }

    fn is_bounded(&self) -> bool {
        self.step_limit != usize::MAX
    }

    /// Whether `bytes` may hold an image. Texts that may not are not parsed, and so not validated.
    #[must_use]
    pub fn may_hold_image(&self, bytes: &[u8]) -> bool {
        self.prefilter.as_ref().is_none_or(|filter| filter.may_hold_image(bytes))
    }

    /// The parts of charts that stand in manifests of `text`.
    #[must_use]
    pub fn chart_parts<'a>(&self, text: &'a str) -> Vec<ChartPart<'a>> {
        chart_parts::find(text, &self.places, &self.disable_label)
    }

    /// Finds the images of `text`: YAML documents, or JSON values one behind the other.
    #[must_use]
    pub fn scan(&self, text: &str) -> Scan {
        self.scan_with(text, &mut FastReader::default())
    }

    /// As [`Scanner::scan`], with a reader that may have read other texts before.
    #[must_use]
    pub fn scan_with(&self, text: &str, reader: &mut FastReader) -> Scan {
        self.scan_within(text, reader, 0)
    }

    /// Reads `text`, which is `original` but for line ends within `quotes`.
    fn read<'a>(
        &self,
        text: &'a str,
        original: &'a str,
        quotes: &'a [Span],
        reader: &mut FastReader,
        depth: usize,
    ) -> Run<'a, '_> {
        let new_run = || Run { quotes, ..Run::new(self, text, original, depth) };
        let mut run = new_run();
        let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        if text[start..].trim_start().starts_with(['{', '[']) {
            let whole = Span::new(start, text.len());
            let read = json::read(text, whole, &mut run);
            if read.is_ok() {
                return run;
            }
            run = new_run();
            if let (Err(error), true) = (read, self.is_bounded() && depth == 0) {
                run.error(&error);
                return run;
            }
        }
        // The lines are those of the original, which is the text unless quotes are put on one line.
        let may_have_cr = !quotes.is_empty() || run.lines.has_cr();
        let done = documents::split(text, start, may_have_cr)
            .is_some_and(|spans| run.read_in_shares(&spans, self, reader).is_some());
        if !done {
            run = new_run();
            run.in_full(Span::new(start, text.len()));
        }
        run
    }
}

/// The reading of one text.
struct Run<'a, 's> {
    scanner: &'s Scanner,
    text: &'a str,
    /// How many texts it stands within.
    depth: usize,
    /// The text as it stands; another one only where quotes are loose.
    original: &'a str,
    /// The quoted scalars that are put on one line in `text`, in order.
    quotes: &'a [Span],
    /// How many of them were read as scalars.
    quotes_seen: usize,
    /// Where the reader stopped at a quoted scalar that goes on with too little indentation.
    loose_quotes: Vec<Span>,
    old_line_ends: OldLineEnds,
    finder: Finder<'a, 's>,
    lines: Lines<'a>,
    scan: Scan,
    /// The documents' events, kept when aliases must be resolved.
    events: Option<DocumentEvents<'a>>,
    /// A document with anchors was heard while events were not kept.
    missed_anchors: bool,
}

/// How much of each thing a scan held at some time.
#[derive(Debug, Clone, Copy)]
struct SoFar {
    documents: usize,
    occurrences: usize,
    kustomize_images: usize,
    resources: usize,
    notes: NotesBefore,
    errors: usize,
}

impl<'a, 's> Run<'a, 's> {
    fn new(scanner: &'s Scanner, text: &'a str, original: &'a str, depth: usize) -> Self {
        Self {
            scanner,
            text,
            depth,
            original,
            quotes: &[],
            quotes_seen: 0,
            loose_quotes: Vec::new(),
            old_line_ends: OldLineEnds::default(),
            finder: Finder::new(&scanner.places, &scanner.disable_label).with_step_limit(scanner.step_limit),
            lines: Lines::new(original),
            scan: Scan::default(),
            events: None,
            missed_anchors: false,
        }
    }

    /// Reads a stream that is split into `spans`. `None`, with a part read, when it has directives and so must be read
    /// as a whole.
    fn split(&mut self, spans: &[Span], scanner: &Scanner, reader: &mut FastReader) -> Option<()> {
        // The fast reader gives up on directives, so they are looked for only behind its back.
        let mut may_have_directives = true;
        for &span in spans {
            let bytes = span.of(self.text).unwrap_or_default().as_bytes();
            if !scanner.may_hold_image(bytes)
                && let Some(documents) = documents::count(bytes)
            {
                if documents::has_directive(bytes) {
                    return None;
                }
                self.scan.documents += documents;
            } else if scanner.fast
                // It does not say which quotes it has seen.
                && self.quotes.is_empty()
                && reader.read(self.text, span, &mut self.finder)
                && !self.finder.must_be_replayed()
            {
                self.document_end();
            } else {
                if std::mem::take(&mut may_have_directives)
                    && documents::has_directive(&self.text.as_bytes()[spans[0].start..])
                {
                    return None;
                }
                self.in_full(span);
            }
        }
        Some(())
    }

    /// Reads `span` with the YAML reader, and once more with its events kept when it turns out to have aliases and that
    /// was not foreseen.
    fn in_full(&mut self, span: Span) {
        self.finder.reset();
        let before = self.so_far();
        // Most of what gets here has anchors, and is then read only once.
        let bytes = span.of(self.text).unwrap_or_default().as_bytes();
        let must_be_replayed =
            memchr::memchr(b'&', bytes).is_some() || memchr::memmem::find(bytes, b"<<").is_some();
        self.events = must_be_replayed.then(|| DocumentEvents::new(self.text));
        self.old_line_ends = OldLineEnds::find(self.text, span);
        let mut loose_quote = None;
        let mut result = yaml::read_noting(self.text, span, self, &mut loose_quote);
        self.events = None;
        if self.missed_anchors {
            self.back_to(before);
            self.old_line_ends.start_over();
            self.events = Some(DocumentEvents::new(self.text));
            result = yaml::read_noting(self.text, span, self, &mut loose_quote);
            self.events = None;
            self.missed_anchors = false;
        }
        for offset in std::mem::take(&mut self.old_line_ends).that_hide() {
            let (document, kind) = (self.scan.documents.saturating_sub(1), NoteKind::OldLineEnd);
            let position = self.lines.position(offset);
            self.scan.notes.add(kind, || Some(Note { document, kind, path: FieldPath::default(), position }));
        }
        self.loose_quotes.extend(loose_quote);
        if let Err(error) = result {
            self.finder.reset();
            self.error(&error);
        }
        self.scan.read_slowly += self.scan.documents - before.documents;
    }

    /// Whether the finder may take events as they come: nothing is kept of them, and no quotes are put right.
    #[inline]
    fn hears_directly(&self) -> bool {
        self.events.is_none() && self.quotes.is_empty() && self.old_line_ends.ends.is_empty()
    }

    fn error(&mut self, error: &ParseError) {
        let position = self.lines.position(error.offset);
        let document = self.scan.documents;
        self.scan.errors.push(DocumentError { document, position, message: error.message.clone() });
        self.scan.documents += 1;
    }

    fn so_far(&self) -> SoFar {
        let scan = &self.scan;
        SoFar {
            documents: scan.documents,
            occurrences: scan.occurrences.len(),
            kustomize_images: scan.kustomize_images.len(),
            resources: scan.resources.len(),
            notes: scan.notes.now(),
            errors: scan.errors.len(),
        }
    }

    /// Forgets what was found after `before`.
    fn back_to(&mut self, before: SoFar) {
        let scan = &mut self.scan;
        scan.documents = before.documents;
        scan.occurrences.truncate(before.occurrences);
        scan.kustomize_images.truncate(before.kustomize_images);
        scan.resources.truncate(before.resources);
        scan.notes.back_to(before.notes);
        scan.errors.truncate(before.errors);
        self.finder.reset();
    }

    /// Adds what was found in the document that just ended.
    fn add(&mut self, mut found: Found<'a>) {
        if found.is_too_much {
            let message = "more images, or deeper ones, than are taken at once".to_owned();
            self.error(&ParseError { offset: 0, message });
            return;
        }
        self.scan.may_have_chart |= found.may_have_chart;
        let document = self.scan.documents;
        let first_resource = self.scan.resources.len();
        self.scan.resources.append(&mut found.resources);
        found.findings.sort_by_key(Finding::start);
        // A place that is known may look like an image elsewhere, too.
        found.findings.dedup_by(|next, before| {
            let same = next.start() == before.start() && before.entry_key().is_none();
            if same && next.place.is_site() && !before.place.is_site() {
                std::mem::swap(next, before);
            }
            same && !next.place.is_site()
        });
        for finding in drained(found.findings) {
            let resource = finding.resource.map(|index| first_resource + index);
            if finding.is_text() {
                self.text_within(finding, document, resource);
                continue;
            }
            if finding.is_prose() {
                self.mentions_within(&finding.path, &finding.scalar, finding.flow, document, resource);
                continue;
            }
            if let ImageParts::Several(parts) = &finding.parts {
                self.parts_within(&finding, parts, document, resource);
                continue;
            }
            let text = self.text_of(&finding);
            match finding.entry_key() {
                Some(EntryKey::Whole) => {
                    self.override_within(finding, document, resource);
                    continue;
                }
                Some(key) => {
                    self.kustomize(key, finding.path, text, document, resource);
                    continue;
                }
                None => {}
            }
            self.scan.occurrences.push(Occurrence {
                document,
                place: finding.place,
                path: finding.path,
                text,
                resource,
                container: finding.container,
                other_containers: finding.other_containers,
                blocked: finding.blocked,
            });
        }
        let Self { scan, lines, .. } = self;
        scan.notes.append(found.notes, |FoundNote { kind, path, offset }| {
            (kind, Note { document, kind, path, position: lines.position(offset) })
        });
        self.scan.documents += 1;
    }
}

impl<'a> Sink<'a> for Run<'a, '_> {
    fn document_start(&mut self) {
        self.finder.reset();
        if let Some(events) = &mut self.events {
            events.clear();
        }
    }

    fn event(&mut self, mut event: Event<'a>) {
        if !(self.quotes.is_empty() && self.old_line_ends.ends.is_empty())
            && let Event::Scalar(scalar) = &mut event
            && matches!(scalar.style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted)
        {
            self.quoted(scalar);
        }
        match &mut self.events {
            Some(events) => events.push(event),
            None => self.finder.event(event),
        }
    }

    #[inline]
    fn mapping_start(&mut self, flow: bool) {
        if self.hears_directly() {
            self.finder.mapping_start(flow);
        } else {
            self.event(Event::MappingStart { anchor: None, flow });
        }
    }

    #[inline]
    fn sequence_start(&mut self, flow: bool) {
        if self.hears_directly() {
            self.finder.sequence_start(flow);
        } else {
            self.event(Event::SequenceStart { anchor: None, flow });
        }
    }

    #[inline]
    fn word(&mut self, word: Word<'a>) {
        if self.hears_directly() {
            self.finder.word(word);
        } else {
            self.event(Event::Scalar(word.into()));
        }
    }

    #[inline]
    fn entry(&mut self, key: Word<'a>, value: Word<'a>) {
        if self.hears_directly() {
            self.finder.entry(key, value);
        } else {
            self.word(key);
            self.word(value);
        }
    }

    fn document_end(&mut self) {
        let found = match &self.events {
            None => self.finder.finish(),
            Some(events) => match aliases::find(events, &mut self.finder) {
                Ok(found) => found,
                Err(error) => {
                    self.finder.reset();
                    self.error(&error);
                    return;
                }
            },
        };
        self.missed_anchors |= self.events.is_none() && found.has_anchors;
        self.add(found);
    }
}

#[cfg(test)]
mod tests;
