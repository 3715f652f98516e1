//! One platform of an index: `linux/amd64`, `linux/arm/v7`.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::Reason;
use crate::image::Digest;

/// An operating system, an architecture and, for some, a variant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// Why a text is no platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no platform, expected os/architecture or os/architecture/variant, such as linux/arm64")]
pub struct PlatformError(String);

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let parts: Vec<&str> = text.split('/').collect();
        let fine = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        if !(2..=3).contains(&parts.len()) || !parts.iter().all(fine) {
            return Err(PlatformError(text.to_owned()));
        }
        let mut parts = parts.into_iter().map(str::to_ascii_lowercase);
        let (os, architecture) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        // The names that people know from uname.
        let architecture = match architecture.as_str() {
            "x86_64" | "x86-64" => "amd64".to_owned(),
            "aarch64" => "arm64".to_owned(),
            _ => architecture,
        };
        Ok(Self { os, architecture, variant: parts.next() })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

/// The children of an index or a Docker schema 2 list, as far as a platform is chosen by them.
#[derive(Deserialize)]
struct Index {
    manifests: Vec<Child>,
}

#[derive(Deserialize)]
struct Child {
    digest: String,
    platform: Option<ChildPlatform>,
}

#[derive(Deserialize)]
struct ChildPlatform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Platform {
    /// Whether it names the platform `os/architecture[/variant]`: without a variant, each one of the architecture.
    #[must_use]
    pub fn covers(&self, os: &str, architecture: &str, variant: &str) -> bool {
        self.os == os
            && self.architecture == architecture
            && self.variant.as_deref().is_none_or(|wanted| {
                // What every processor of the architecture is, need not be written.
                variant == wanted || variant.is_empty() && (architecture, wanted) == ("arm64", "v8")
            })
    }

    /// The digest of this platform's manifest in an index. Without a variant, the one that is usual for the
    /// architecture is meant (`v7` for arm, `v8` for arm64), as containerd has it.
    pub(super) fn choose(&self, index: &[u8]) -> Result<Digest, Reason> {
        let bad = |message: String| Reason::BadManifest { message };
        let index: Index = serde_json::from_slice(index).map_err(|error| bad(error.to_string()))?;
        let rank = |child: &Child| {
            let platform = child.platform.as_ref()?;
            if platform.os != self.os || platform.architecture != self.architecture {
                return None;
            }
            let usual = match self.architecture.as_str() {
                "arm" => "v7",
                "arm64" => "v8",
                _ => "",
            };
            let has = platform.variant.as_deref().unwrap_or_default();
            let wanted = self.variant.as_deref().unwrap_or(usual);
            let rank = if has == wanted {
                0
            } else if has.is_empty() && wanted == usual {
                1
            } else if self.variant.is_none() && has < usual {
                // A lower variant runs on a higher one; a higher one may not run.
                2
            } else {
                return None;
            };
            Some((rank, Reverse(has.to_owned())))
        };
        let ranked = index.manifests.iter().filter_map(|child| Some((rank(child)?, child)));
        let Some((_, child)) = ranked.min_by(|(a, _), (b, _)| a.cmp(b)) else {
            return Err(Reason::NoPlatform { asked: self.to_string(), available: available(&index) });
        };
        Digest::parse(&child.digest).map_err(|error| {
            let text = super::transport::printable(&format!("{:?}", child.digest));
            Reason::BadDigest { text, message: error.to_string() }
        })
    }
}

/// The digests of the images that an index lists, as far as they are digests.
pub(super) fn images(index: &[u8]) -> Vec<Digest> {
    let index = serde_json::from_slice(index).unwrap_or(Index { manifests: Vec::new() });
    index.manifests.iter().filter_map(|child| Digest::parse(&child.digest).ok()).collect()
}

fn available(index: &Index) -> String {
    let platforms = index.manifests.iter().filter_map(|child| child.platform.as_ref());
    // Attestations stand beside images as unknown/unknown.
    let mut names: Vec<String> = platforms
        .filter(|platform| platform.os != "unknown")
        .map(|platform| {
            let variant = platform.variant.as_ref().map(|variant| format!("/{variant}")).unwrap_or_default();
            format!("{}/{}{variant}", platform.os, platform.architecture)
        })
        .collect();
    names.sort();
    names.dedup();
    if names.is_empty() { "no platforms".to_owned() } else { super::transport::printable(&names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(platforms: &[&str]) -> Vec<u8> {
        let children: Vec<_> = platforms
            .iter()
            .enumerate()
            .map(|(at, platform)| {
                let parts: Vec<&str> = platform.split('/').collect();
                let mut value = serde_json::json!({ "os": parts[0], "architecture": parts[1] });
                if let Some(variant) = parts.get(2) {
                    value["variant"] = (*variant).into();
                }
                serde_json::json!({ "digest": format!("sha256:{at:064x}"), "platform": value })
            })
            .collect();
        serde_json::to_vec(&serde_json::json!({ "manifests": children })).unwrap()
    }

    #[test]
    fn choosing() {
        for (asked, has, want) in [
            ("linux/amd64", &["linux/arm64", "linux/amd64"] as &[&str], Some(1)),
            ("linux/x86_64", &["linux/amd64"], Some(0)),
            ("linux/arm64", &["linux/arm64/v8"], Some(0)),
            ("linux/arm64/v8", &["linux/arm64"], Some(0)),
            ("linux/arm", &["linux/arm/v5", "linux/arm/v7"], Some(1)),
            ("linux/arm", &["linux/arm/v5", "linux/arm/v6"], Some(1)),
            ("linux/arm/v6", &["linux/arm/v7", "linux/arm/v6"], Some(1)),
            ("linux/arm/v6", &["linux/arm/v7"], None),
            ("linux/amd64", &["linux/amd64/v3"], None),
            ("linux/amd64/v3", &["linux/amd64", "linux/amd64/v3"], Some(1)),
            ("windows/amd64", &["linux/amd64"], None),
            ("linux/amd64", &["unknown/unknown"], None),
        ] {
            let platform: Platform = asked.parse().unwrap();
            let found = platform.choose(&index(has));
            let want = want.map(|at: usize| format!("sha256:{at:064x}"));
            assert_eq!(found.ok().map(|digest| digest.to_string()), want, "{asked} of {has:?}");
        }
    }

    #[test]
    fn what_there_is_is_said() {
        let platform: Platform = "linux/s390x".parse().unwrap();
        let error = platform.choose(&index(&["unknown/unknown", "linux/arm/v7", "linux/amd64"])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no linux/s390x in the index, which has linux/amd64, linux/arm/v7"
        );
    }

    #[test]
    fn malformed() {
        for text in ["", "linux", "linux/", "linux/a/b/c", "linux/a b"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
        let platform: Platform = "linux/amd64".parse().unwrap();
        assert!(platform.choose(b"{}").is_err());
        let evil =
            br#"{"manifests":[{"digest":"sha256:x","platform":{"os":"linux","architecture":"amd64"}}]}"#;
        assert!(matches!(platform.choose(evil), Err(Reason::BadDigest { .. })));
    }
}
