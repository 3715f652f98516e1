//! Rules by names and by texts, found by hashing: ten or ten thousand of them cost the same.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::name::{NamePrefix, prefixes};

fn hash(key: impl Hash) -> u64 {
    FxBuildHasher.hash_one(key)
}

/// A rule's number for each prefix.
#[derive(Clone, Debug, Default)]
pub(super) struct NameTable {
    /// A number for each host, which stands for its names without a port.
    hosts: FxHashMap<Box<str>, u32>,
    /// By the number of a host, one for each of its ports.
    ports: FxHashMap<u32, FxHashMap<Box<str>, u32>>,
    /// How many numbers were given to hosts and ports.
    registries: u32,
    paths: HashTable<PathEntry>,
    /// The paths, one behind the other: a text of its own for each would take twice the memory.
    text: String,
}

/// One prefix.
#[derive(Clone, Copy, Debug)]
struct PathEntry {
    /// The number of its host, or of its host and port.
    registry: u32,
    /// Where its path stands in the text.
    start: u32,
    length: u32,
    /// That of the rule.
    number: u32,
}

impl NameTable {
    /// Makes room for so many prefixes.
    pub(super) fn reserve(&mut self, additional: usize) {
        let Self { paths, text, .. } = self;
        paths.reserve(additional, |entry| hash((entry.registry, path_of(text, entry))));
    }

    /// Gives back the room that is not needed.
    pub(super) fn shrink_to_fit(&mut self) {
        let Self { hosts, ports, paths, text, .. } = self;
        hosts.shrink_to_fit();
        ports.shrink_to_fit();
        text.shrink_to_fit();
        paths.shrink_to_fit(|entry| hash((entry.registry, path_of(text, entry))));
    }

    /// Adds a prefix. The first number given to one stays.
    pub(super) fn insert(&mut self, prefix: NamePrefix<'_>, number: u32) {
        let registry = self.number_registry(prefix.host, prefix.port);
        if self.number(registry, prefix.path).is_some() {
            return;
        }
        let start = u32::try_from(self.text.len()).expect("all paths together have less than 4 GiB");
        let length = u32::try_from(prefix.path.len()).expect("a path has less than 4 GiB");
        self.text.push_str(prefix.path);
        let Self { paths, text, .. } = self;
        let entry = PathEntry { registry, start, length, number };
        paths.insert_unique(hash((registry, prefix.path)), entry, |entry| {
            hash((entry.registry, path_of(text, entry)))
        });
    }

    /// The number of a host, or of a host and port; a new one when they are new.
    fn number_registry(&mut self, host: &str, port: Option<&str>) -> u32 {
        let Self { hosts, ports, registries, .. } = self;
        let mut number = |numbers: &mut FxHashMap<Box<str>, u32>, text: &str| match numbers.get(text) {
            Some(number) => *number,
            None => {
                *registries += 1;
                numbers.insert(text.into(), *registries);
                *registries
            }
        };
        let host = number(hosts, host);
        match port {
            None => host,
            Some(port) => number(ports.entry(host).or_default(), port),
        }
    }

    /// The number of a host with this very port (or none).
    fn registry(&self, host: &str, port: Option<&str>) -> Option<u32> {
        let host = *self.hosts.get(host)?;
        match port {
            None => Some(host),
            Some(port) => self.of_port(host, port),
        }
    }

    fn of_port(&self, host: u32, port: &str) -> Option<u32> {
        self.ports.get(&host)?.get(port).copied()
    }

    fn number(&self, registry: u32, path: &str) -> Option<usize> {
        let is_it = |entry: &PathEntry| entry.registry == registry && path_of(&self.text, entry) == path;
        self.paths.find(hash((registry, path)), is_it).map(|entry| entry.number as usize)
    }

    /// The most specific prefix of a name: the longest path, and of two that are as long the one with
    /// the name's port before the one without a port.
    pub(super) fn most_specific(&self, host: &str, port: Option<&str>, path: &str) -> Option<usize> {
        let host = *self.hosts.get(host)?;
        let of_port = port.and_then(|port| self.of_port(host, port));
        prefixes(path).find_map(|prefix| {
            of_port.and_then(|registry| self.number(registry, prefix)).or_else(|| self.number(host, prefix))
        })
    }

    /// The longest prefix of a name on `/` boundaries with the very same port (or none, as the name): the
    /// length of its path, and its number.
    pub(super) fn longest(&self, host: &str, port: Option<&str>, path: &str) -> Option<(usize, usize)> {
        let registry = self.registry(host, port)?;
        prefixes(path).find_map(|prefix| Some((prefix.len(), self.number(registry, prefix)?)))
    }

    /// The number of a prefix that lies strictly under `prefix`, of those that names with and without its port have.
    pub(super) fn under(&self, prefix: NamePrefix<'_>) -> Option<usize> {
        self.any(prefix, |path| {
            path.strip_prefix(prefix.path)
                .is_some_and(|behind| behind.starts_with('/') || prefix.path.is_empty() && !behind.is_empty())
        })
    }

    /// The number of a prefix that starts as `prefix` does, on a `/` boundary or not.
    pub(super) fn starting_as(&self, prefix: NamePrefix<'_>) -> Option<usize> {
        self.any(prefix, |path| path.starts_with(prefix.path))
    }

    /// The first number of a path that is wanted, of those that names at the host and port of `prefix` may have.
    fn any(&self, prefix: NamePrefix<'_>, is_wanted: impl Fn(&str) -> bool) -> Option<usize> {
        let host = *self.hosts.get(prefix.host)?;
        let of_port = prefix.port.and_then(|port| self.of_port(host, port));
        let is_wanted = |entry: &&PathEntry| {
            (entry.registry == host || Some(entry.registry) == of_port)
                && is_wanted(path_of(&self.text, entry))
        };
        self.paths.iter().filter(is_wanted).map(|entry| entry.number as usize).min()
    }

    /// The same for prefixes that end in `-`, which have no boundary behind them.
    pub(super) fn longest_dash(&self, host: &str, port: Option<&str>, path: &str) -> Option<(usize, usize)> {
        let registry = self.registry(host, port)?;
        dash_prefixes(path).find_map(|prefix| Some((prefix.len(), self.number(registry, prefix)?)))
    }
}

fn path_of<'t>(text: &'t str, entry: &PathEntry) -> &'t str {
    &text[entry.start as usize..][..entry.length as usize]
}

/// The prefixes of a text that end in `-`, the longest first.
pub(super) fn dash_prefixes(text: &str) -> impl Iterator<Item = &str> {
    text.rmatch_indices('-').map(|(index, dash)| &text[..index + dash.len()])
}

/// Rules by a text that each has. Their texts are not kept again: `text_of` says that of the rule with a number.
#[derive(Clone, Debug, Default)]
pub(super) struct TextTable(HashTable<u32>);

impl TextTable {
    /// Adds the rule with this number. The first rule with a text stays.
    pub(super) fn insert<T: AsRef<str>>(&mut self, number: u32, text_of: impl Fn(usize) -> T) {
        let text = text_of(number as usize);
        if self.get(text.as_ref(), &text_of).is_none() {
            let hash_of = |number: &u32| hash(text_of(*number as usize).as_ref());
            self.0.insert_unique(hash(text.as_ref()), number, hash_of);
        }
    }

    /// The number of the rule with this text.
    pub(super) fn get<T: AsRef<str>>(&self, text: &str, text_of: impl Fn(usize) -> T) -> Option<usize> {
        if self.is_empty() {
            // Most maps have no such rules, and hashing costs.
            return None;
        }
        let is_it = |number: &u32| text_of(*number as usize).as_ref() == text;
        self.0.find(hash(text), is_it).map(|number| *number as usize)
    }

    /// The numbers, in no order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|number| *number as usize)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
