//! What authors should know of a text. A text may give millions of reasons to note something, and nobody reads as many
//! notes: the first of each kind are kept, the others counted.

use super::occurrence::{Note, NoteKind};

/// How many notes of a kind are kept of one text.
const KEPT: usize = 1_000;

/// Notes, of a text or (with other places) of a document.
#[derive(Debug, Clone)]
pub struct Notes<N = Note> {
    kept: Vec<N>,
    counts: Counts,
}

/// How many notes there are, by kind.
type Counts = [usize; NoteKind::ALL.len()];

/// How many notes there were at some time.
#[derive(Debug, Clone, Copy)]
pub(super) struct NotesBefore {
    kept: usize,
    counts: Counts,
}

impl<N> Default for Notes<N> {
    fn default() -> Self {
        Self { kept: Vec::new(), counts: Counts::default() }
    }
}

impl<N> Notes<N> {
    /// Counts a note of this kind, and keeps the one that `make` gives if there are few of that kind.
    pub(super) fn add(&mut self, kind: NoteKind, make: impl FnOnce() -> Option<N>) {
        let count = &mut self.counts[kind as usize];
        *count += 1;
        if *count <= KEPT {
            self.kept.extend(make());
        }
    }

    /// Adds those of a document of the text, each as `convert` makes it.
    pub(super) fn append<M>(&mut self, other: Notes<M>, mut convert: impl FnMut(M) -> (NoteKind, N)) {
        let mut others = other.counts;
        for note in other.kept {
            let (kind, note) = convert(note);
            others[kind as usize] -= 1;
            self.add(kind, || Some(note));
        }
        for (count, more) in self.counts.iter_mut().zip(others) {
            *count += more;
        }
    }

    /// How many there are now.
    pub(super) fn now(&self) -> NotesBefore {
        NotesBefore { kept: self.kept.len(), counts: self.counts }
    }

    /// Forgets what came after `before`.
    pub(super) fn back_to(&mut self, before: NotesBefore) {
        self.kept.truncate(before.kept);
        self.counts = before.counts;
    }

    /// The notes that are kept.
    pub fn iter(&self) -> std::slice::Iter<'_, N> {
        self.kept.iter()
    }

    /// Forgets the kept notes for which `keep` says no.
    pub fn retain(&mut self, keep: impl FnMut(&N) -> bool) {
        self.kept.retain(keep);
    }

    /// The kinds of which there are more notes than are kept, and how many more.
    pub fn not_kept(&self) -> impl Iterator<Item = (NoteKind, usize)> {
        let more = |kind: NoteKind| (kind, self.counts[kind as usize].saturating_sub(KEPT));
        NoteKind::ALL.into_iter().map(more).filter(|(_, more)| *more > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Scanner;

    #[test]
    fn keeps_the_first_and_counts_the_others() {
        let document = format!("kind: Pod\n{}", "kind: Pod # or an image\n".repeat(700));
        let scan = Scanner::default().scan(&format!("{document}---\n{document}"));
        assert_eq!(scan.notes.iter().count(), KEPT);
        assert_eq!(scan.notes.not_kept().collect::<Vec<_>>(), [(NoteKind::TwoManifests, 400)]);
        let last = scan.notes.iter().last().map(|note| (note.document, note.position.line));
        assert_eq!(last, Some((1, 702 + 1 + 300)));
    }

    #[test]
    fn goes_back() {
        let mut notes: Notes<usize> = Notes::default();
        notes.add(NoteKind::Alias, || Some(1));
        let before = notes.now();
        (2..2_000).for_each(|number| notes.add(NoteKind::Alias, || Some(number)));
        assert_eq!(notes.not_kept().collect::<Vec<_>>(), [(NoteKind::Alias, 999)]);
        notes.back_to(before);
        assert_eq!(notes.not_kept().count(), 0);
        assert_eq!(notes.iter().collect::<Vec<_>>(), [&1]);
    }
}
