//! Names that stand in parts, some of which several images share: which new parts make all of them what they are to be.

use rustc_hash::FxHashMap;

/// A part of a name, by the number of its scalar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'n> {
    /// It may be changed.
    Own {
        /// Which scalar it is.
        scalar: usize,
        /// What it is.
        value: &'n str,
    },
    /// It stands in another file, where it becomes this.
    Fixed(&'n str),
}

/// A name in parts, and what it is to be.
#[derive(Debug, Clone)]
pub(super) struct Name<'n> {
    pub(super) parts: Vec<Part<'n>>,
    /// What the name is to be; `None` when its own parts must stay as they are.
    pub(super) becomes: Option<String>,
}

/// The new values of scalars, by their numbers; those that stay as they are stand among them.
pub(super) type Values = FxHashMap<usize, String>;

/// New values for the parts of all `names`, which share some of them. `None` when there are none that make each what it is to
/// be.
///
/// As few scalars as possible change: the registry alone where the rest of the name stays, else the repository alone, else
/// both, with what is before the first `/` as the registry.
pub(super) fn solve(names: &[&Name<'_>]) -> Option<Values> {
    let most = names.iter().map(|name| name.parts.len()).max().unwrap_or(0);
    (0..most).map(Manner::Alone).chain([Manner::Split, Manner::SplitAll]).find_map(|manner| {
        let mut values = Values::default();
        names.iter().try_for_each(|name| {
            for (scalar, value) in assign(name, manner)? {
                if *values.entry(scalar).or_insert_with(|| value.clone()) != value {
                    return None;
                }
            }
            Some(())
        })?;
        Some(values)
    })
}

/// Which parts change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// The one of this number.
    Alone(usize),
    /// All but the last, the first being a registry.
    Split,
    /// All, the first being a registry, and the last a single part of the path.
    SplitAll,
}

fn assign(name: &Name<'_>, manner: Manner) -> Option<Vec<(usize, String)>> {
    let kept = || {
        let own = name.parts.iter().filter_map(|part| match part {
            Part::Own { scalar, value } => Some((*scalar, (*value).to_owned())),
            Part::Fixed(_) => None,
        });
        own.collect::<Vec<_>>()
    };
    let Some(becomes) = &name.becomes else { return Some(kept()) };
    if joined(&name.parts) == *becomes {
        return Some(kept());
    }
    let split = |texts: Vec<&str>| {
        let pairs = name.parts.iter().zip(texts);
        pairs
            .map(|(part, text)| match part {
                Part::Own { scalar, .. } => (!text.is_empty()).then(|| (*scalar, text.to_owned())),
                Part::Fixed(_) => None,
            })
            .collect::<Option<Vec<_>>>()
    };
    match (manner, &name.parts[..]) {
        (Manner::Alone(number), parts) => {
            // In a shorter name it is the last one.
            let number = number.min(parts.len() - 1);
            let Part::Own { scalar, .. } = parts[number] else { return None };
            let before = slashed(&parts[..number], "", "/");
            let behind = slashed(&parts[number + 1..], "/", "");
            let own = becomes.strip_prefix(&before)?.strip_suffix(&behind)?;
            if own.is_empty() {
                return None;
            }
            let mut values = kept();
            values
                .iter_mut()
                .filter(|(known, _)| *known == scalar)
                .for_each(|(_, value)| *value = own.to_owned());
            Some(values)
        }
        (Manner::Split, [_, _]) => {
            let (registry, path) = becomes.split_once('/')?;
            split(vec![registry, path])
        }
        (Manner::Split, [_, _, Part::Own { value, .. }]) => {
            let front = becomes.strip_suffix(value)?.strip_suffix('/')?;
            let (registry, path) = front.split_once('/')?;
            split(vec![registry, path, value])
        }
        (Manner::SplitAll, [_, _, _]) => {
            let (front, last) = becomes.rsplit_once('/')?;
            let (registry, path) = front.split_once('/')?;
            split(vec![registry, path, last])
        }
        (Manner::Split | Manner::SplitAll, _) => None,
    }
}

/// What the parts are together.
fn joined(parts: &[Part<'_>]) -> String {
    slashed(parts, "", "")
}

/// The parts with `/` between them, and with these texts around them when there are any.
fn slashed(parts: &[Part<'_>], before: &str, behind: &str) -> String {
    if parts.is_empty() {
        return String::new();
    }
    let value = |part: &Part<'_>| match *part {
        Part::Own { value, .. } | Part::Fixed(value) => value.to_owned(),
    };
    let values: Vec<String> = parts.iter().map(value).collect();
    format!("{before}{}{behind}", values.join("/"))
}

/// The first of the group that `at` belongs to.
fn leader(leaders: &mut [usize], mut at: usize) -> usize {
    while leaders[at] != at {
        leaders[at] = leaders[leaders[at]];
        at = leaders[at];
    }
    at
}

/// The numbers of names in groups, such that no two groups share a scalar.
pub(super) fn groups(names: &[Name<'_>]) -> Vec<Vec<usize>> {
    let mut first_of: FxHashMap<usize, usize> = FxHashMap::default();
    let mut leaders: Vec<usize> = (0..names.len()).collect();
    for (number, name) in names.iter().enumerate() {
        for part in &name.parts {
            let Part::Own { scalar, .. } = part else { continue };
            let other = *first_of.entry(*scalar).or_insert(number);
            let (one, other) = (leader(&mut leaders, number), leader(&mut leaders, other));
            leaders[one.max(other)] = one.min(other);
        }
    }
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
    for number in 0..names.len() {
        groups[leader(&mut leaders, number)].push(number);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name<'n>(parts: &[(usize, &'n str)], becomes: Option<&str>) -> Name<'n> {
        let part = |(scalar, value): &(usize, &'n str)| match scalar {
            9 => Part::Fixed(value),
            scalar => Part::Own { scalar: *scalar, value },
        };
        Name { parts: parts.iter().map(part).collect(), becomes: becomes.map(str::to_owned) }
    }

    fn solved(names: &[Name<'_>]) -> Option<Vec<(usize, String)>> {
        let mut values: Vec<_> = solve(&names.iter().collect::<Vec<_>>())?.into_iter().collect();
        values.sort();
        Some(values)
    }

    fn values(pairs: &[(usize, &str)]) -> Option<Vec<(usize, String)>> {
        Some(pairs.iter().map(|(scalar, value)| (*scalar, (*value).to_owned())).collect())
    }

    #[test]
    fn changes_as_little_as_possible() {
        let parts = &[(0, "docker.io"), (1, "a/b")];
        for (becomes, expected) in [
            ("m.io/hub/a/b", [(0, "m.io/hub"), (1, "a/b")]),
            ("docker.io/c", [(0, "docker.io"), (1, "c")]),
            ("m.io:5000/c/d", [(0, "m.io:5000"), (1, "c/d")]),
            ("docker.io/a/b", [(0, "docker.io"), (1, "a/b")]),
        ] {
            assert_eq!(solved(&[name(parts, Some(becomes))]), values(&expected), "{becomes}");
        }
        assert_eq!(solved(&[name(parts, Some("mirror"))]), None);
        let three = &[(0, "quay.io"), (1, "s"), (2, "operator")];
        assert_eq!(
            solved(&[name(three, Some("m.io/x/operator"))]),
            values(&[(0, "m.io"), (1, "x"), (2, "operator")])
        );
    }

    #[test]
    fn agrees_on_what_is_shared() {
        let two = |first, second| {
            [name(&[(0, "docker.io"), (1, "a")], first), name(&[(0, "docker.io"), (2, "b/c")], second)]
        };
        assert_eq!(
            solved(&two(Some("m.io/library/a"), Some("m.io/b/c"))),
            values(&[(0, "m.io"), (1, "library/a"), (2, "b/c")])
        );
        assert_eq!(solved(&two(Some("m.io/a"), Some("n.io/b/c"))), None);
        assert_eq!(solved(&two(Some("m.io/a"), None)), None);
        let fixed = name(&[(0, "docker.io"), (9, "a/b")], Some("m.io/a/b"));
        assert_eq!(solved(&[fixed]), values(&[(0, "m.io")]));
        let fixed = name(&[(9, "m.io"), (0, "a/b")], Some("m.io/hub/a/b"));
        assert_eq!(solved(&[fixed]), values(&[(0, "hub/a/b")]));
        let fixed = name(&[(9, "n.io"), (0, "a/b")], Some("m.io/hub/a/b"));
        assert_eq!(solved(&[fixed]), None);
    }

    #[test]
    fn groups_what_shares_a_scalar() {
        let names = [
            name(&[(0, "a"), (1, "b")], None),
            name(&[(2, "a"), (3, "b")], None),
            name(&[(0, "a"), (4, "b")], None),
            name(&[(3, "b")], None),
        ];
        assert_eq!(groups(&names), [vec![0, 2], vec![1, 3]]);
    }
}
