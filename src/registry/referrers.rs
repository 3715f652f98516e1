//! What refers to a manifest: signatures, attestations, SBOMs. By the referrers API, and by the tag that stands in for it
//! (distribution specification, "Listing Referrers").

use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LINK};
use serde::{Deserialize, Serialize};
use url::Url;

use super::client::{Answer, Body, Call, Client, Kind};
use super::{Descriptor, MANIFEST_MAX, Manifest, OCI_INDEX, Reason, RegistryError, Step};
use crate::image::{Digest, Repository};

/// The most pages that are read.
const PAGES_MAX: usize = 64;

/// An index, as far as referrers are listed in it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    #[serde(default = "two")]
    schema_version: u32,
    #[serde(default = "oci_index")]
    media_type: String,
    #[serde(default, deserialize_with = "super::descriptor::list")]
    manifests: Vec<Descriptor>,
}

fn two() -> u32 {
    2
}

fn oci_index() -> String {
    OCI_INDEX.to_owned()
}

/// The tag that lists what refers to `subject` where the referrers API is not known: `sha256-…`.
#[must_use]
pub fn referrers_tag(subject: &Digest) -> String {
    let hex: String = subject.hex().chars().take(64).collect();
    format!("{}-{hex}", subject.algorithm().chars().take(32).collect::<String>())
}

impl Client {
    /// What refers to `subject`, by the referrers API; `None` when the registry has none.
    ///
    /// # Errors
    /// [`RegistryError`]: "cannot tell" is never "none".
    pub async fn referrers(
        &self,
        image: &str,
        repository: &Repository,
        subject: &Digest,
    ) -> Result<Option<Vec<Descriptor>>, RegistryError> {
        let failed = |reason| RegistryError::new(image, repository.registry(), Step::Referrers, reason);
        let host = self.host(repository.registry());
        if host.has_no_referrers(repository) {
            return Ok(None);
        }
        let mut path = format!("{}/referrers/{subject}", repository.path());
        let mut found = Vec::new();
        for page in 0..PAGES_MAX {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(OCI_INDEX));
            let answer = self
                .call(Call {
                    image,
                    repository,
                    step: Step::Referrers,
                    method: Method::GET,
                    path: &path,
                    headers,
                    send: Bytes::new(),
                    scopes: vec![format!("repository:{}:pull", repository.path())],
                    kind: Kind::Lookup,
                    body: Body::Read(MANIFEST_MAX),
                    accept: &[400, 404, 405, 406],
                })
                .await;
            let answer = match answer {
                Ok(answer) => answer,
                // A registry that sends this elsewhere does not know what it is asked.
                Err(error) if page == 0 && matches!(*error.reason, Reason::Redirect { .. }) => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            let session = self.session(&host, image).await?;
            let elsewhere = answer.url.origin() != session.base.origin();
            if page == 0 && (!answer.status.is_success() || elsewhere || !is_index(&answer)) {
                host.knows_no_referrers(repository);
                return Ok(None);
            }
            let bad = |message: String| failed(Reason::BadManifest { message });
            if !answer.status.is_success() {
                return Err(bad(format!("page {} of the referrers is missing", page + 1)));
            }
            let index: Index = serde_json::from_slice(&answer.bytes)
                .map_err(|error| bad(format!("the list of referrers: {error}")))?;
            found.extend(index.manifests);
            match next_page(&answer) {
                None => return Ok(Some(found)),
                Some(url) if url.origin() == session.base.origin() => path = url.into(),
                Some(url) => {
                    let to = super::transport::shown(&url);
                    return Err(failed(Reason::Redirect {
                        to,
                        why: "the list of referrers goes on at another host",
                    }));
                }
            }
        }
        Err(failed(Reason::BadManifest { message: "the list of referrers does not end".to_owned() }))
    }

    /// What refers to `subject`, by the tag that stands in for the referrers API; nothing where there is no such tag.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn tagged_referrers(
        &self,
        image: &str,
        repository: &Repository,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        let tag = referrers_tag(subject);
        // Most images have none, and a HEAD costs nothing where reads are counted.
        match self.head_manifest(image, repository, &tag).await {
            Ok(_) => {}
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
        match self.manifest(image, repository, &tag).await {
            Ok(manifest) => {
                let read = listed(&manifest);
                read.map_err(|reason| {
                    RegistryError::new(image, repository.registry(), Step::Referrers, reason)
                })
            }
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Adds `referrer` to what the tag lists that stands in for the referrers API. Whoever lists others there at the same
    /// time is heard: it is read again afterwards.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn tag_referrer(
        &self,
        image: &str,
        repository: &Repository,
        subject: &Digest,
        referrer: &Descriptor,
    ) -> Result<(), RegistryError> {
        let mut tries = 0;
        loop {
            let mut manifests = self.tagged_referrers(image, repository, subject).await?;
            if manifests.iter().any(|known| known.digest == referrer.digest) {
                return Ok(());
            }
            if tries >= self.options().tries {
                let message = "somebody else keeps writing the list of referrers".to_owned();
                let reason = Reason::BadManifest { message };
                return Err(RegistryError::new(image, repository.registry(), Step::Referrers, reason));
            }
            tries += 1;
            manifests.push(referrer.clone());
            let index = Index { schema_version: 2, media_type: oci_index(), manifests };
            let bytes = serde_json::to_vec(&index).expect("descriptors have string keys");
            let digest = super::digest::sha256(&bytes);
            let manifest = Manifest { digest, media_type: oci_index(), bytes: bytes.into() };
            self.put_manifest(image, repository, &referrers_tag(subject), &manifest).await?;
        }
    }
}

/// What an index lists.
fn listed(manifest: &Manifest) -> Result<Vec<Descriptor>, Reason> {
    if manifest.media_type != OCI_INDEX {
        let message = format!("the tag of the referrers is a {}, no index", manifest.media_type);
        return Err(Reason::BadManifest { message });
    }
    let index: Index = serde_json::from_slice(&manifest.bytes)
        .map_err(|error| Reason::BadManifest { message: format!("the list of referrers: {error}") })?;
    Ok(index.manifests)
}

fn is_index(answer: &Answer) -> bool {
    let kind = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim() == OCI_INDEX
}

/// Where the next page is: `Link: <…>; rel="next"`.
fn next_page(answer: &Answer) -> Option<Url> {
    let values = answer.headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next =
            parameters.split(';').any(|parameter| matches!(parameter.trim(), "rel=next" | "rel=\"next\""));
        if is_next { answer.url.join(target).ok() } else { None }
    })
}
