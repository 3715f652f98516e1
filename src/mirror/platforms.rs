//! An index of some of its platforms. Pure.

use serde_json::Value;

use crate::registry::{Descriptor, Hasher, Manifest, Platform};

use super::{Contents, CopyError};

/// Whether `child` of an index is for one of `platforms`. What says nothing of platforms belongs to all; attestations,
/// which stand beside the images that they are about as `unknown/unknown`, to theirs.
pub(super) fn is_wanted(platforms: &[Platform], child: &Descriptor, siblings: &[Descriptor]) -> bool {
    if platforms.is_empty() {
        return true;
    }
    let Some(platform) = child.platform.as_ref() else { return true };
    let part = |name: &str| platform.get(name).and_then(Value::as_str).unwrap_or_default();
    if part("os") == "unknown" {
        let about = child.annotations.as_ref().and_then(|all| all.get("vnd.docker.reference.digest"));
        return about.is_some_and(|about| {
            siblings.iter().any(|other| {
                other.digest.as_str() == about
                    && other.platform != child.platform
                    && is_wanted(platforms, other, siblings)
            })
        });
    }
    platforms.iter().any(|wanted| wanted.covers(part("os"), part("architecture"), part("variant")))
}

/// The platforms of an index, for messages.
pub(super) fn available(index: &Contents) -> String {
    let platforms = index.manifests.iter().filter_map(|child| child.platform.as_ref());
    let mut names: Vec<String> = platforms
        .filter_map(|platform| {
            let part = |name: &str| platform.get(name).and_then(Value::as_str);
            let (os, architecture) = (part("os")?, part("architecture")?);
            let variant = part("variant").map(|variant| format!("/{variant}")).unwrap_or_default();
            (os != "unknown").then(|| format!("{os}/{architecture}{variant}").escape_default().to_string())
        })
        .collect();
    names.sort();
    names.dedup();
    if names.is_empty() { "no platforms".to_owned() } else { names.join(", ") }
}

/// `index` with the manifests of `platforms` alone; everything else in it stays as it is. `None` when that is all.
pub(super) fn reduced(index: &Manifest, platforms: &[Platform]) -> Result<Option<Manifest>, CopyError> {
    let contents = Contents::of(index)?;
    let siblings = &contents.manifests;
    for platform in platforms {
        let one = std::slice::from_ref(platform);
        if !siblings.iter().any(|child| child.platform.is_some() && is_wanted(one, child, siblings)) {
            let (asked, available) = (platform.to_string(), available(&contents));
            return Err(CopyError::NoPlatform { asked, available });
        }
    }
    let unwanted: Vec<&str> = siblings
        .iter()
        .filter(|child| !is_wanted(platforms, child, siblings))
        .map(|child| child.digest.as_str())
        .collect();
    if unwanted.is_empty() {
        return Ok(None);
    }
    let form = |error: serde_json::Error| {
        let (digest, message) = (index.digest.clone(), error.to_string());
        CopyError::Contents(super::ContentsError::Form { digest, message })
    };
    let mut value: Value = serde_json::from_slice(&index.bytes).map_err(form)?;
    if let Some(children) = value.get_mut("manifests").and_then(Value::as_array_mut) {
        children.retain(|child| {
            let digest = child.get("digest").and_then(Value::as_str).unwrap_or_default();
            !unwanted.contains(&digest)
        });
    }
    let bytes = serde_json::to_vec(&value).map_err(form)?;
    let mut hasher = Hasher::sha256();
    hasher.update(&bytes);
    let media_type = index.media_type.clone();
    Ok(Some(Manifest { digest: hasher.finish(), media_type, bytes: bytes.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::OCI_INDEX;

    fn index() -> Manifest {
        let child = |fill: char, platform: &str, more: &str| {
            let digest = fill.to_string().repeat(64);
            format!(
                r#"{{"mediaType":"m","digest":"sha256:{digest}","size":1,"platform":{{{platform}}}{more}}}"#
            )
        };
        let about = |fill: char| {
            let digest = fill.to_string().repeat(64);
            format!(r#","annotations":{{"vnd.docker.reference.digest":"sha256:{digest}"}}"#)
        };
        let unknown = r#""architecture":"unknown","os":"unknown""#;
        let children = [
            child('a', r#""architecture":"amd64","os":"linux""#, ""),
            child('b', r#""architecture":"arm64","os":"linux","variant":"v8""#, ""),
            child('c', unknown, &about('a')),
            child('d', unknown, &about('b')),
        ];
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{}],"x":1}}"#,
            children.join(",")
        );
        let mut hasher = Hasher::sha256();
        hasher.update(text.as_bytes());
        Manifest { digest: hasher.finish(), media_type: OCI_INDEX.to_owned(), bytes: text.into() }
    }

    fn left(platforms: &[&str]) -> Result<Option<String>, CopyError> {
        let platforms: Vec<Platform> = platforms.iter().map(|text| text.parse().unwrap()).collect();
        let reduced = reduced(&index(), &platforms)?;
        Ok(reduced.map(|index| {
            let contents = Contents::of(&index).unwrap();
            contents.manifests.iter().map(|child| &child.digest.hex()[..1]).collect()
        }))
    }

    #[test]
    fn platforms_with_their_attestations() {
        assert_eq!(left(&["linux/amd64"]).unwrap().as_deref(), Some("ac"));
        assert_eq!(left(&["linux/arm64"]).unwrap().as_deref(), Some("bd"));
        assert_eq!(left(&["linux/amd64", "linux/arm64"]).unwrap(), None);
        let error = left(&["linux/amd64", "linux/s390x"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no linux/s390x in the index, which has linux/amd64, linux/arm64/v8"
        );
    }

    #[test]
    fn the_rest_of_the_index_stays() {
        let platform = ["linux/amd64".parse().unwrap()];
        let reduced = reduced(&index(), &platform).unwrap().unwrap();
        let value: Value = serde_json::from_slice(&reduced.bytes).unwrap();
        assert_eq!((&value["x"], &value["mediaType"]), (&Value::from(1), &Value::from(OCI_INDEX)));
        assert_ne!(reduced.digest, index().digest);
    }
}
