//! `[REPLACE]` rules and `noswap_wildcards` by the thousand: what may match an image is found by one search for all the
//! literal pieces of their keys, and only that is asked.

use std::cmp::Reverse;

use aho_corasick::AhoCorasick;
use rustc_hash::FxHashMap;

use super::glob::Glob;

/// So many are asked one by one: a search costs more than they do.
const FEW: usize = 8;

/// The globs of the `[REPLACE]` rules, in the order in which they are asked, each with its rule's number.
#[derive(Clone, Debug, Default)]
pub(super) struct Globs {
    list: Box<[(Glob, usize)]>,
    /// One piece of text that a match must hold, of each glob that has one.
    pieces: Option<AhoCorasick>,
    /// For each piece the globs it is taken from, as indices into `list`.
    of_piece: Vec<Vec<usize>>,
    /// The globs without such a piece, rising.
    without_piece: Vec<usize>,
    /// For each `front` of a glob `front*` the first such glob.
    fronts: FxHashMap<String, usize>,
    /// The lengths of the fronts, rising, each once.
    front_lengths: Vec<usize>,
}

impl Globs {
    pub(super) fn new(list: Vec<(Glob, usize)>) -> Self {
        let mut globs = Self { list: list.into(), ..Self::default() };
        // The piece that the fewest have says most: of `r.example/*/app-1` and its like, the name.
        let mut shared: FxHashMap<String, usize> = FxHashMap::default();
        for piece in globs.list.iter().flat_map(|(glob, _)| glob.literals()) {
            *shared.entry(piece).or_default() += 1;
        }
        let mut numbers: FxHashMap<String, usize> = FxHashMap::default();
        for (index, (glob, _)) in globs.list.iter().enumerate() {
            let (front, then_anything) = glob.literal_front();
            if then_anything {
                globs.front_lengths.push(front.len());
                globs.fronts.entry(front).or_insert(index);
            }
            match glob.literals().min_by_key(|piece| (shared[piece], Reverse(piece.len()))) {
                None => globs.without_piece.push(index),
                Some(piece) => {
                    let number = *numbers.entry(piece).or_insert(globs.of_piece.len());
                    if number == globs.of_piece.len() {
                        globs.of_piece.push(Vec::new());
                    }
                    globs.of_piece[number].push(index);
                }
            }
        }
        globs.front_lengths.sort_unstable();
        globs.front_lengths.dedup();
        if globs.list.len() > FEW {
            let mut pieces = vec![String::new(); numbers.len()];
            numbers.into_iter().for_each(|(piece, number)| pieces[number] = piece);
            globs.pieces = AhoCorasick::new(&pieces).ok();
        }
        globs
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(Glob, usize)> {
        self.list.iter()
    }

    /// The number of the first rule whose glob matches `text`.
    pub(super) fn first(&self, text: &str) -> Option<usize> {
        let Some(pieces) = &self.pieces else {
            return self.list.iter().find(|(glob, _)| glob.matches(text)).map(|(_, number)| *number);
        };
        let matches = |index: &usize| self.list[*index].0.matches(text);
        let mut first = self.without_piece.iter().copied().find(matches);
        for found in pieces.find_overlapping_iter(text) {
            let of_piece = &self.of_piece[found.pattern().as_usize()];
            let before = of_piece.iter().take_while(move |index| first.is_none_or(|first| **index < first));
            first = before.copied().find(matches).or(first);
        }
        first.map(|index| self.list[index].1)
    }

    /// The number of the first rule whose glob is `front*` with a front that `text` starts with.
    pub(super) fn first_front_of(&self, text: &str) -> Option<usize> {
        let lengths = self.front_lengths.iter().take_while(|length| **length <= text.len());
        let fronts = lengths.filter_map(|length| self.fronts.get(text.get(..*length)?));
        fronts.min().map(|index| self.list[*index].1)
    }
}

/// The entries of `noswap_wildcards`.
#[derive(Clone, Debug)]
pub(super) struct Substrings(AhoCorasick);

impl Substrings {
    /// `None` for so few that they are asked one by one.
    pub(super) fn new(entries: &[String]) -> Option<Self> {
        (entries.len() > FEW).then(|| AhoCorasick::new(entries).ok().map(Self))?
    }

    /// Whether one of them is in `text`.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Rules are asked in their order, however they are found.
        #[test]
        fn finds_what_asking_one_by_one_finds(
            keys in prop::collection::vec("[ab/*?]{1,5}|[ab]{0,3}\\[[!ab][ab]\\][ab*]{0,2}", 0..40),
            texts in prop::collection::vec("[ab/]{0,6}", 1..20),
        ) {
            let list: Vec<_> = keys.iter().filter_map(|key| Glob::new(key).ok()).zip(100..).collect();
            let globs = Globs::new(list.clone());
            let entries: Vec<String> = keys.iter().map(|key| key.replace(['*', '?'], "")).collect();
            let substrings = Substrings::new(&entries);
            for text in &texts {
                let plainly = list.iter().find(|(glob, _)| glob.matches(text)).map(|(_, number)| *number);
                prop_assert_eq!(globs.first(text), plainly, "{}", text);
                let is_front = |glob: &Glob| matches!(glob.literal_front(), (front, true) if text.starts_with(&front));
                let plainly = list.iter().find(|(glob, _)| is_front(glob)).map(|(_, number)| *number);
                prop_assert_eq!(globs.first_front_of(text), plainly, "{}", text);
                if let Some(substrings) = &substrings {
                    let plainly = entries.iter().any(|entry| text.contains(entry.as_str()));
                    prop_assert_eq!(substrings.is_in(text), plainly, "{}", text);
                }
            }
        }
    }

    #[test]
    fn asks_few_of_many() {
        let list = (0..10_000).map(|n| (Glob::new(&format!("r.example/team-{n}/*")).unwrap(), n)).collect();
        let globs = Globs::new(list);
        let before = Glob::times_asked();
        assert_eq!(globs.first("r.example/team-9999/app:1"), Some(9_999));
        assert_eq!(globs.first("r.example/other/app:1"), None);
        // team-9/, team-99/ and team-999/ are no pieces of it.
        assert!(Glob::times_asked() - before <= 2);
    }
}
