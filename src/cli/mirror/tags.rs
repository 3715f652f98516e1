//! Which image gets a tag, where several would.

use std::collections::{BTreeMap, BTreeSet};

use crate::image::ImageReference;
use crate::mirror::Wanted;

/// Gives each tag to one image: to the one that is named by the tag alone, as `app:1` is beside `app:1@sha256:…`. If there is
/// no such image, or several, as when a lock file has digests of several platforms for one tag, no image gets it, because it
/// stands for none of them more than for the others. Images without a tag are copied by the digests that they are pulled by.
pub(super) fn give_each_to_one(wanted: &mut [(Wanted, BTreeSet<String>)]) {
    let mut rivals: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (at, (one, _)) in wanted.iter().enumerate() {
        if let Some(tag) = &one.tag {
            rivals.entry((one.to.to_string(), tag.clone())).or_default().push(at);
        }
    }
    for rivals in rivals.into_values().filter(|rivals| rivals.len() > 1) {
        let by_tag: Vec<usize> =
            rivals.iter().copied().filter(|at| !names_digest(&wanted[*at].0.target)).collect();
        let first = &wanted[rivals[0]].0.digest;
        let keeper = match by_tag[..] {
            [one] => Some(one),
            [] if rivals.iter().all(|at| wanted[*at].0.digest == *first) => Some(rivals[0]),
            _ => None,
        };
        for at in rivals.into_iter().filter(|at| Some(*at) != keeper) {
            let (one, _) = &mut wanted[at];
            one.tag.take_if(|_| one.digest.is_some());
        }
    }
}

fn names_digest(target: &str) -> bool {
    ImageReference::parse(target).is_ok_and(|image| image.digest().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_gets_the_tag() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let cases: [(&[&str], &[bool]); 5] = [
            (&["app:1", "app:1@sha256:A"], &[true, false]),
            (&["app:1@sha256:A", "app:1", "app:1@sha256:B"], &[false, true, false]),
            (&["app:1@sha256:A", "app:1@sha256:B"], &[false, false]),
            (&["app:1@sha256:A", "app:2@sha256:B"], &[true, true]),
            (&["app:1", "other:1@sha256:B"], &[true, true]),
        ];
        for (images, expected) in cases {
            let wanted = |image: &&str| {
                let image = image.replace(":A", &format!(":{a}")).replace(":B", &format!(":{b}"));
                let (source, target) = (format!("s.io/{image}"), format!("t.io/{image}"));
                let parse = |text| ImageReference::parse(text).unwrap();
                (Wanted::new(parse(&source), parse(&target), None).unwrap(), BTreeSet::new())
            };
            let mut all: Vec<_> = images.iter().map(wanted).collect();
            give_each_to_one(&mut all);
            let tags: Vec<bool> = all.iter().map(|(one, _)| one.tag.is_some()).collect();
            assert_eq!(tags, expected, "{images:?}");
        }
    }
}
