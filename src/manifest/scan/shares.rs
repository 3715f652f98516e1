//! Large texts, whose documents several workers read at the same time.

use super::{Note, Run, Scan, Scanner};
use crate::manifest::Span;
use crate::manifest::fast::FastReader;

/// How many bytes a worker has to read at least: for fewer, starting a thread takes longer than reading them.
const SHARE: usize = 1 << 19;

/// A piece of work that may be done beside others.
pub type Job<'j> = Box<dyn FnOnce() + Send + 'j>;

/// What reads the documents of a large text at the same time. This module starts no threads: its caller says how pieces of
/// work are run.
#[derive(Debug, Clone, Copy)]
pub struct Workers {
    /// How many pieces of work are done at once.
    pub count: usize,
    /// Does all of them, and returns when they are done.
    pub work: fn(Vec<Job<'_>>),
}

impl Default for Workers {
    /// The caller alone.
    fn default() -> Self {
        Self { count: 1, work: |jobs| jobs.into_iter().for_each(|job| job()) }
    }
}

impl Scanner {
    /// Has the documents of large texts read by `workers`.
    pub fn set_workers(&mut self, workers: Workers) {
        self.workers = workers;
    }

    /// The stretches of documents that one worker each reads: `spans` in their order, about as many bytes in each.
    fn shares<'p>(&self, spans: &'p [Span]) -> Vec<&'p [Span]> {
        let (start, end) =
            spans.first().zip(spans.last()).map_or((0, 0), |(first, last)| (first.start, last.end));
        let count = self.workers.count.min((end - start) / SHARE).max(1);
        let mut rest = spans;
        let mut shares = Vec::with_capacity(count);
        for number in 1..count {
            let until = start + (end - start) / count * number;
            let (share, others) = rest.split_at(rest.partition_point(|span| span.end <= until));
            shares.push(share);
            rest = others;
        }
        shares.push(rest);
        shares
    }
}

/// What a worker found in its share of the documents, and where it stopped at a quote; `None` when the text must be read as a
/// whole.
type Share = Option<(Scan, Vec<Span>)>;

impl Run<'_, '_> {
    /// Reads a stream that is split into `spans`, as [`Run::split`] does, with the scanner's workers.
    pub(super) fn read_in_shares(
        &mut self,
        spans: &[Span],
        scanner: &Scanner,
        reader: &mut FastReader,
    ) -> Option<()> {
        let shares = scanner.shares(spans);
        // Quotes are only put on one line in texts that are small.
        let [own, others @ ..] = &shares[..] else { return None };
        if others.is_empty() || !self.quotes.is_empty() {
            return self.split(spans, scanner, reader);
        }
        let (text, original, depth) = (self.text, self.original, self.depth);
        let read = |share: &[Span]| {
            let mut run = Run::new(scanner, text, original, depth);
            run.split(share, scanner, &mut FastReader::default())?;
            Some((run.scan, run.loose_quotes))
        };
        let mut results: Vec<Share> = others.iter().map(|_| None).collect();
        let mut own_result = None;
        let mut jobs: Vec<Job<'_>> = vec![Box::new(|| own_result = self.split(own, scanner, reader))];
        for (share, result) in others.iter().zip(&mut results) {
            jobs.push(Box::new(move || *result = read(share)));
        }
        (scanner.workers.work)(jobs);
        own_result?;
        for result in results {
            let (scan, loose_quotes) = result?;
            self.scan.append(scan);
            self.loose_quotes.extend(loose_quotes);
        }
        Some(())
    }
}

impl Scan {
    /// Adds what was found in the documents that follow.
    fn append(&mut self, next: Self) {
        let (documents, resources) = (self.documents, self.resources.len());
        let Self { mut occurrences, mut kustomize_images, mut errors, notes, .. } = next;
        for occurrence in &mut occurrences {
            occurrence.document += documents;
            occurrence.resource = occurrence.resource.map(|index| index + resources);
        }
        for entry in &mut kustomize_images {
            entry.document += documents;
            entry.resource = entry.resource.map(|index| index + resources);
        }
        errors.iter_mut().for_each(|error| error.document += documents);
        self.documents += next.documents;
        self.read_slowly += next.read_slowly;
        self.occurrences.append(&mut occurrences);
        self.kustomize_images.append(&mut kustomize_images);
        self.resources.extend(next.resources);
        self.may_have_chart |= next.may_have_chart;
        self.notes
            .append(notes, |note: Note| (note.kind, Note { document: note.document + documents, ..note }));
        self.errors.append(&mut errors);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Documents of every sort: read fast and slowly, with notes and errors, Kustomizations, and none at all.
    const DOCUMENTS: &str = "\
kind: Pod
apiVersion: v1
spec: {containers: [{name: a, image: nginx:1}]}
---
kind: Pod
apiVersion: v1
spec:
  containers:
  - &c {name: b, image: 'redis'}
  - *c
  - {name: d, image: x, image: y}
---
# nothing but a comment
---
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
images: [{name: nginx, newTag: '2'}]
---
image: [
---
a: 1
...
kind: List
---
";

    fn scanner(count: usize) -> Scanner {
        Scanner { workers: Workers { count, ..Workers::default() }, ..Scanner::default() }
    }

    #[test]
    fn several_find_what_one_finds() {
        let text = DOCUMENTS.repeat(4 * SHARE / DOCUMENTS.len());
        let one = Scanner::default().scan(&text);
        assert!(one.occurrences.len() > 10_000 && one.errors.len() > 1_000 && one.read_slowly > 1_000);
        for count in [2, 3, 400] {
            let several = scanner(count).scan(&text);
            assert!(format!("{several:?}") == format!("{one:?}"), "{count} workers");
        }
        // Directives are heeded, wherever they stand.
        let text = format!("{text}%TAG ! tag:example.com,2000:\n---\n- !a b\n");
        let one = Scanner::default().scan(&text);
        let several = scanner(2).scan(&text);
        assert!(format!("{several:?}") == format!("{one:?}"));
    }

    #[test]
    fn shares_are_of_a_size() {
        let spans: Vec<Span> = (0..8).map(|at| Span::new(at * SHARE, (at + 1) * SHARE)).collect();
        let sizes = |count: usize, spans: &[Span]| -> Vec<usize> {
            scanner(count).shares(spans).iter().map(|share| share.len()).collect()
        };
        assert_eq!(sizes(3, &spans), [2, 3, 3]);
        assert_eq!(sizes(100, &spans), [1; 8]);
        assert_eq!(sizes(1, &spans), [8]);
        assert_eq!(sizes(4, &spans[..1]), [1]);
        assert_eq!(sizes(4, &[Span::new(0, 4 * SHARE)]), [0, 0, 0, 1]);
    }
}
