//! What is to be done with an image, from what is known of its source and its target. Pure.

use std::fmt;

use crate::image::{Digest, ImageReference, Repository};
use crate::registry::Manifest;

/// An image that is wanted at a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it comes from, as messages name it.
    pub source: String,
    /// The repository it comes from.
    pub from: Repository,
    /// The tag or digest it is looked up by there.
    pub reference: String,
    /// Where it goes, as messages name it.
    pub target: String,
    /// The repository it goes to.
    pub to: Repository,
    /// The tag that it gets there; none when it goes by its digest alone.
    pub tag: Option<String>,
    /// The digest it must have: that of a reference, or of a lock.
    pub digest: Option<Digest>,
    /// Whether a tag that stands for something else may be moved.
    pub overwrite: bool,
    /// Whether such a tag stays, and is no conflict: as where the digest is that of one platform, and the tag stands for
    /// the index of all.
    pub keep_tag: bool,
}

/// Why an image cannot go to a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{source_image} has the digest {of_source}, and its target {target} has {of_target}: they must be the same"
)]
pub struct DigestsDiffer {
    source_image: String,
    of_source: Digest,
    target: String,
    of_target: Digest,
}

impl Wanted {
    /// What `source` is at `target`. `locked` is the digest that a lock file has for it.
    ///
    /// # Errors
    /// [`DigestsDiffer`] when both have a digest, and not the same one.
    pub fn new(
        source: ImageReference<'_>,
        target: ImageReference<'_>,
        locked: Option<Digest>,
    ) -> Result<Self, DigestsDiffer> {
        let of_source = source.digest().map(crate::image::DigestRef::to_digest);
        let of_target = target.digest().map(crate::image::DigestRef::to_digest);
        if let (Some(one), Some(other)) = (&of_source, &of_target)
            && one != other
        {
            return Err(DigestsDiffer {
                source_image: source.as_str().to_owned(),
                of_source: one.clone(),
                target: target.as_str().to_owned(),
                of_target: other.clone(),
            });
        }
        let digest = of_source.or(of_target).or(locked);
        let reference = digest.as_ref().map(Digest::as_str).or(source.tag()).unwrap_or("latest").to_owned();
        let tag = match (target.tag(), target.digest()) {
            (Some(tag), _) => Some(tag.to_owned()),
            (None, Some(_)) => None,
            (None, None) => Some("latest".to_owned()),
        };
        Ok(Self {
            source: source.canonical(),
            from: source.repository(),
            reference,
            target: target.canonical(),
            to: target.repository(),
            tag,
            digest,
            overwrite: false,
            keep_tag: false,
        })
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// The image is copied.
    Copy,
    /// All of it is there under its digest; the tag alone is written.
    Tag,
    /// Nothing.
    Skip,
    /// Nothing: the tag stands for something else and may not be moved.
    Conflict,
    /// Nothing: the source has no such image.
    Missing,
}

impl Action {
    /// `copy`, `tag`, `skip`, `conflict` or `missing`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Tag => "tag",
            Self::Skip => "skip",
            Self::Conflict => "conflict",
            Self::Missing => "missing",
        }
    }

    /// Whether something is to be written.
    #[must_use]
    pub fn is_work(self) -> bool {
        matches!(self, Self::Copy | Self::Tag)
    }

    /// Whether it keeps a run from succeeding.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Conflict | Self::Missing)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is known of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The digest it has at its source, or is to have at its target; none when there is no such image.
    pub digest: Option<Digest>,
    /// What the target's tag stands for.
    pub tag: Option<Digest>,
    /// Whether the target's repository has the digest.
    pub there: bool,
}

/// What is to be done with an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The image.
    pub wanted: Wanted,
    /// What is to be done with it.
    pub action: Action,
    /// The digest that it has or is to have at its target.
    pub digest: Option<Digest>,
    /// What the target's tag stands for.
    pub tag: Option<Digest>,
    /// What is written instead of what the source has: an index of some of its platforms.
    pub instead: Option<Manifest>,
}

/// What is to be done with an image by what is known of it.
#[must_use]
pub fn decide(wanted: &Wanted, facts: &Facts) -> Action {
    let Some(digest) = &facts.digest else { return Action::Missing };
    let is_named = wanted.tag.is_some() && facts.tag.as_ref() == Some(digest);
    let tag_fits = is_named || wanted.tag.is_none() || wanted.keep_tag && facts.tag.is_some();
    if !tag_fits && facts.tag.is_some() && !wanted.overwrite {
        return Action::Conflict;
    }
    match (facts.there || is_named, tag_fits) {
        (true, true) => Action::Skip,
        (true, false) => Action::Tag,
        (false, _) => Action::Copy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(fill: char) -> Digest {
        Digest::parse(&format!("sha256:{}", fill.to_string().repeat(64))).unwrap()
    }

    fn wanted(source: &str, target: &str) -> Wanted {
        Wanted::new(ImageReference::parse(source).unwrap(), ImageReference::parse(target).unwrap(), None)
            .unwrap()
    }

    #[test]
    fn what_is_to_be_done() {
        let (a, b) = (Some(digest('a')), Some(digest('b')));
        for (source, tag, there, overwrite, want) in [
            (&None, &None, false, false, Action::Missing),
            (&None, &a, false, true, Action::Missing),
            (&a, &None, false, false, Action::Copy),
            (&a, &None, true, false, Action::Tag),
            (&a, &a, true, false, Action::Skip),
            (&a, &a, false, false, Action::Skip),
            (&a, &b, false, false, Action::Conflict),
            (&a, &b, true, false, Action::Conflict),
            (&a, &b, false, true, Action::Copy),
            (&a, &b, true, true, Action::Tag),
        ] {
            let mut wanted = wanted("nginx:1", "m.io/nginx:1");
            wanted.overwrite = overwrite;
            let facts = Facts { digest: source.clone(), tag: tag.clone(), there };
            assert_eq!(decide(&wanted, &facts), want, "{facts:?} {overwrite}");
        }
        for (tag, there, want) in [
            (&None, false, Action::Copy),
            (&None, true, Action::Tag),
            (&a, true, Action::Skip),
            (&b, true, Action::Skip),
            (&b, false, Action::Copy),
        ] {
            let wanted = Wanted { keep_tag: true, ..wanted("nginx:1", "m.io/nginx:1") };
            let facts = Facts { digest: a.clone(), tag: tag.clone(), there };
            assert_eq!(decide(&wanted, &facts), want, "{facts:?}");
        }
        let pinned = wanted(&format!("nginx@{}", digest('a')), &format!("m.io/nginx@{}", digest('a')));
        for (there, want) in [(true, Action::Skip), (false, Action::Copy)] {
            let facts = Facts { digest: a.clone(), tag: None, there };
            assert_eq!(decide(&pinned, &facts), want);
        }
    }

    #[test]
    fn what_is_wanted() {
        let plain = wanted("nginx", "m.io/nginx");
        assert_eq!(
            (plain.source.as_str(), plain.reference.as_str()),
            ("docker.io/library/nginx:latest", "latest")
        );
        assert_eq!(plain.tag.as_deref(), Some("latest"));
        let text = format!("nginx:1@{}", digest('a'));
        let pinned = wanted(&text, &format!("m.io/{text}"));
        assert_eq!((pinned.tag.as_deref(), pinned.digest), (Some("1"), Some(digest('a'))));
        assert_eq!(pinned.reference, digest('a').as_str());
        let by_digest = wanted("nginx:1", &format!("m.io/nginx@{}", digest('b')));
        assert_eq!((by_digest.tag, by_digest.reference.as_str()), (None, digest('b').as_str()));
        let both = (text, format!("m.io/nginx@{}", digest('b')));
        let differ = Wanted::new(
            ImageReference::parse(&both.0).unwrap(),
            ImageReference::parse(&both.1).unwrap(),
            None,
        );
        assert!(differ.is_err());
    }
}
