//! Writing manifests.

use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::client::{Body, Call, Client, Kind};
use super::{Manifest, Reason, RegistryError, Step};
use crate::image::{Digest, Repository};

/// What a registry with the referrers API says when it has taken note of a manifest's subject.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// What a registry says to a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Whether it has taken note of what the manifest refers to, so that its referrers API will tell.
    pub knows_subject: bool,
}

impl Client {
    /// Writes a manifest under a tag or its digest.
    ///
    /// # Errors
    /// [`RegistryError`]; [`Reason::Mismatch`] when the registry says that it has something else now.
    pub async fn put_manifest(
        &self,
        image: &str,
        repository: &Repository,
        reference: &str,
        manifest: &Manifest,
    ) -> Result<Pushed, RegistryError> {
        let failed = |reason| RegistryError::new(image, repository.registry(), Step::Push, reason);
        let mut headers = HeaderMap::new();
        let media_type = HeaderValue::from_str(&manifest.media_type)
            .map_err(|_| failed(Reason::BadManifest { message: "its media type is none".to_owned() }))?;
        headers.insert(CONTENT_TYPE, media_type);
        let path = format!("{}/manifests/{reference}", repository.path());
        let call = Call {
            image,
            repository,
            step: Step::Push,
            method: Method::PUT,
            path: &path,
            headers,
            send: manifest.bytes.clone(),
            scopes: vec![format!("repository:{}:pull,push", repository.path())],
            kind: Kind::Lookup,
            body: Body::Read(super::answer::WORDS_MAX),
            accept: &[],
        };
        let answer = self.call(call).await?;
        let named = answer.headers.get(CONTENT_DIGEST).and_then(|value| value.to_str().ok());
        match named.and_then(|text| Digest::parse(text).ok()) {
            // A registry may name it by another algorithm.
            Some(named) if named.algorithm() == manifest.digest.algorithm() && named != manifest.digest => {
                let (expected, found) = (manifest.digest.to_string(), named.to_string());
                Err(failed(Reason::Mismatch { expected, found }))
            }
            Some(_) | None => Ok(Pushed { knows_subject: answer.headers.contains_key(SUBJECT) }),
        }
    }
}
