//! Manifests: their digests, their bytes, and how they are asked for.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::client::{Answer, Body, Call, Client, Kind};
use super::transport::printable;
use super::{Hasher, Reason, RegistryError, Step};
use crate::image::{Digest, Repository};

/// The largest manifest that is read (the distribution specification's limit).
pub const MANIFEST_MAX: usize = 4 * 1024 * 1024;

/// An OCI index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An OCI manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// A Docker schema 2 list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// A Docker schema 2 manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// All four in each request: distribution 2.8.2 has no answer for `*/*`.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// A manifest and its digest, which is that of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The digest of the bytes.
    pub digest: Digest,
    /// What the registry says it is, else what it says itself.
    pub media_type: String,
    /// The bytes, as they came.
    pub bytes: Bytes,
}

impl Manifest {
    /// Whether it is an index (OCI) or a list (Docker) of manifests.
    #[must_use]
    pub fn is_index(&self) -> bool {
        is_index(&self.media_type)
    }
}

/// Whether a media type is that of an index.
pub(super) fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_LIST)
}

/// What a `HEAD` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// The digest, and the media type when one is said.
    Digest {
        /// The digest, unverified.
        digest: Digest,
        /// What the registry says it is.
        media_type: String,
    },
    /// It is there, and the registry does not say its digest, or answers no `HEAD`.
    Silent,
}

impl Client {
    /// Asks for the digest behind a tag or digest, without its bytes.
    ///
    /// # Errors
    /// [`RegistryError`]; `image` is what it calls the image.
    pub async fn head_manifest(
        &self,
        image: &str,
        repository: &Repository,
        reference: &str,
    ) -> Result<Head, RegistryError> {
        let call = pull(image, repository, reference, Method::HEAD, Step::Lookup, &[400, 405, 501]);
        let path = path_of(repository, reference);
        let answer = self.call(Call { path: &path, ..call }).await?;
        if !answer.status.is_success() {
            return Ok(Head::Silent);
        }
        let digest = digest_of(&answer).map_err(|reason| self.of(image, repository, Step::Lookup, reason))?;
        Ok(digest.map_or(Head::Silent, |digest| Head::Digest { digest, media_type: media_type(&answer) }))
    }

    /// Reads a manifest by tag or digest. Its bytes are hashed: they must be those of the digest that was asked
    /// for, and of the one that the registry names.
    ///
    /// # Errors
    /// [`RegistryError`]; [`Reason::Mismatch`] when the registry lies.
    pub async fn manifest(
        &self,
        image: &str,
        repository: &Repository,
        reference: &str,
    ) -> Result<Manifest, RegistryError> {
        let path = path_of(repository, reference);
        let call = pull(image, repository, reference, Method::GET, Step::Manifest, &[]);
        let answer = self.call(Call { path: &path, ..call }).await?;
        let failed = |reason| self.of(image, repository, Step::Manifest, reason);
        let named = digest_of(&answer).map_err(failed)?;
        let asked = Digest::parse(reference).ok();
        let mut digest = None;
        for expected in asked.iter().chain(&named) {
            let Some(mut hasher) = Hasher::of(expected) else {
                let text = printable(expected.as_str());
                let message = "its algorithm cannot be verified".to_owned();
                return Err(failed(Reason::BadDigest { text, message }));
            };
            hasher.update(&answer.bytes);
            let found = hasher.finish();
            if found != *expected {
                let (expected, found) = (expected.to_string(), found.to_string());
                return Err(failed(Reason::Mismatch { expected, found }));
            }
            digest.get_or_insert(found);
        }
        let digest = digest.unwrap_or_else(|| super::digest::sha256(&answer.bytes));
        let media_type = media_type_of(&answer).map_err(failed)?;
        Ok(Manifest { digest, media_type, bytes: answer.bytes })
    }

    pub(super) fn of(
        &self,
        image: &str,
        repository: &Repository,
        step: Step,
        reason: Reason,
    ) -> RegistryError {
        RegistryError::new(image, repository.registry(), step, reason)
    }
}

fn path_of(repository: &Repository, reference: &str) -> String {
    format!("{}/manifests/{reference}", repository.path())
}

fn pull<'a>(
    image: &'a str,
    repository: &'a Repository,
    _reference: &str,
    method: Method,
    step: Step,
    accept: &'a [u16],
) -> Call<'a> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
    Call {
        image,
        repository,
        step,
        method,
        path: "",
        headers,
        send: Bytes::new(),
        scopes: vec![format!("repository:{}:pull", repository.path())],
        kind: Kind::Lookup,
        body: Body::Read(MANIFEST_MAX),
        accept,
    }
}

/// The digest that an answer names. One that is none is a lie, and not the same as none.
fn digest_of(answer: &Answer) -> Result<Option<Digest>, Reason> {
    let mut digest = None;
    for value in answer.headers.get_all(CONTENT_DIGEST) {
        let text = String::from_utf8_lossy(value.as_bytes());
        let bad = |message: String| Reason::BadDigest { text: printable(&format!("{text:?}")), message };
        if text.is_empty() {
            continue;
        }
        let found = Digest::parse(&text).map_err(|error| bad(error.to_string()))?;
        if Hasher::of(&found).is_none() {
            return Err(bad("its algorithm cannot be verified".to_owned()));
        }
        if digest.as_ref().is_some_and(|other| *other != found) {
            return Err(bad("it names two".to_owned()));
        }
        digest = Some(found);
    }
    Ok(digest)
}

/// The Content-Type, without parameters.
fn media_type(answer: &Answer) -> String {
    let text = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    printable(text.split(';').next().unwrap_or_default().trim())
}

/// What a manifest is: by its Content-Type, by its own `mediaType`, by its form.
fn media_type_of(answer: &Answer) -> Result<String, Reason> {
    debug_assert_eq!(answer.status, StatusCode::OK);
    let said = media_type(answer);
    if ACCEPTED.split(", ").any(|known| known == said) {
        return Ok(said);
    }
    manifest_media_type(&answer.bytes)
}

/// What a manifest is by its own `mediaType`, else by its form.
///
/// # Errors
/// [`Reason::BadManifest`] when it is no JSON object, or Docker's old schema 1.
pub fn manifest_media_type(bytes: &[u8]) -> Result<String, Reason> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Form {
        schema_version: Option<u64>,
        media_type: Option<String>,
        manifests: Option<serde::de::IgnoredAny>,
    }
    let form: Form = serde_json::from_slice(bytes)
        .map_err(|_| Reason::BadManifest { message: "it is no JSON object".to_owned() })?;
    match form {
        Form { schema_version: Some(1), .. } => {
            let message = "it has Docker's old schema 1, which is not supported: push the image again";
            Err(Reason::BadManifest { message: message.to_owned() })
        }
        Form { media_type: Some(media_type), .. } => Ok(printable(&media_type)),
        Form { manifests: Some(_), .. } => Ok(OCI_INDEX.to_owned()),
        Form { .. } => Ok(OCI_MANIFEST.to_owned()),
    }
}
