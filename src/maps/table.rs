//! Prefixes of names, found by hashing: ten or ten thousand of them cost the same.

use rustc_hash::FxHashMap;

use super::name::{NamePrefix, prefixes};

/// A number (of a rule) for each prefix.
#[derive(Clone, Debug, Default)]
pub(super) struct NameTable {
    hosts: FxHashMap<Box<str>, Host>,
}

#[derive(Clone, Debug, Default)]
struct Host {
    without_port: FxHashMap<Box<str>, usize>,
    ports: FxHashMap<Box<str>, FxHashMap<Box<str>, usize>>,
}

impl Host {
    fn of_port(&self, port: Option<&str>) -> Option<&FxHashMap<Box<str>, usize>> {
        match port {
            None => Some(&self.without_port),
            Some(port) => self.ports.get(port),
        }
    }
}

impl NameTable {
    /// Adds a prefix. The first number given to one stays.
    pub(super) fn insert(&mut self, prefix: &NamePrefix, number: usize) {
        let host = self.hosts.entry(prefix.host.clone()).or_default();
        let paths = match &prefix.port {
            None => &mut host.without_port,
            Some(port) => host.ports.entry(port.clone()).or_default(),
        };
        paths.entry(prefix.path.clone()).or_insert(number);
    }

    /// The most specific prefix of a name: the longest path, and of two that are as long the one with
    /// the name's port before the one without a port.
    pub(super) fn most_specific(&self, host: &str, port: Option<&str>, path: &str) -> Option<usize> {
        let host = self.hosts.get(host)?;
        let of_port = port.and_then(|port| host.ports.get(port));
        prefixes(path).find_map(|prefix| {
            of_port.and_then(|paths| paths.get(prefix)).or_else(|| host.without_port.get(prefix)).copied()
        })
    }

    /// The longest prefix of a name on `/` boundaries with the very same port (or none, as the name): the
    /// length of its path, and its number.
    pub(super) fn longest(&self, host: &str, port: Option<&str>, path: &str) -> Option<(usize, usize)> {
        let paths = self.hosts.get(host)?.of_port(port)?;
        prefixes(path).find_map(|prefix| Some((prefix.len(), *paths.get(prefix)?)))
    }

    /// The number of a prefix that lies strictly under `prefix`, of those that names with and without its port have.
    pub(super) fn under(&self, prefix: &NamePrefix) -> Option<usize> {
        self.any(prefix, |path| {
            path.strip_prefix(&*prefix.path)
                .is_some_and(|behind| behind.starts_with('/') || prefix.path.is_empty() && !behind.is_empty())
        })
    }

    /// The number of a prefix that starts as `prefix` does, on a `/` boundary or not.
    pub(super) fn starting_as(&self, prefix: &NamePrefix) -> Option<usize> {
        self.any(prefix, |path| path.starts_with(&*prefix.path))
    }

    /// The number of a path that is wanted, of those that names at the host and port of `prefix` may have.
    fn any(&self, prefix: &NamePrefix, is_wanted: impl Fn(&str) -> bool) -> Option<usize> {
        let host = self.hosts.get(&prefix.host)?;
        let of_port = prefix.port.as_deref().and_then(|port| host.ports.get(port));
        let mut paths = host.without_port.iter().chain(of_port.into_iter().flatten());
        paths.find(|(path, _)| is_wanted(path)).map(|(_, number)| *number)
    }

    /// The same for prefixes that end in `-`, which have no boundary behind them.
    pub(super) fn longest_dash(&self, host: &str, port: Option<&str>, path: &str) -> Option<(usize, usize)> {
        let paths = self.hosts.get(host)?.of_port(port)?;
        dash_prefixes(path).find_map(|prefix| Some((prefix.len(), *paths.get(prefix)?)))
    }
}

/// The prefixes of a text that end in `-`, the longest first.
pub(super) fn dash_prefixes(text: &str) -> impl Iterator<Item = &str> {
    text.rmatch_indices('-').map(|(index, dash)| &text[..index + dash.len()])
}
