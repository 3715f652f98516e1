//! Blobs: whether they are there, and their bytes as a stream that is counted, hashed, and taken up again where
//! it broke.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use http::{Method, StatusCode};
use tokio::time::Instant;

use super::client::{Answer, Body, Call, Client, Kind};
use super::retry::backoff;
use super::transport::printable;
use super::{Hasher, Reason, RegistryError, Step};
use crate::image::{Digest, Repository};

/// The fewest bytes that must come within one `answer_timeout` while a blob is read.
const LEAST: u64 = 64 * 1024;

impl Client {
    /// The size of a blob, when it is there (`Some(None)` when the registry does not say its size).
    ///
    /// # Errors
    /// [`RegistryError`]; a blob that is not there is none.
    pub async fn head_blob(
        &self,
        image: &str,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Option<u64>>, RegistryError> {
        let path = path_of(repository, digest);
        let call = Call { accept: &[404], ..read(image, repository, &path, Method::HEAD) };
        let answer = self.call(call).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(Some(number(&answer.headers)))
    }

    /// A blob's bytes. `size` is what its descriptor says.
    ///
    /// # Errors
    /// [`RegistryError`] when there is no answer; what goes wrong later comes from [`BlobReader::next`].
    pub async fn blob(
        &self,
        image: &str,
        repository: &Repository,
        digest: &Digest,
        size: Option<u64>,
    ) -> Result<BlobReader, RegistryError> {
        let failed = |reason| RegistryError::new(image, repository.registry(), Step::Blob, reason);
        let hasher = Hasher::of(digest).ok_or_else(|| {
            let message = "its algorithm cannot be verified".to_owned();
            failed(Reason::BadDigest { text: digest.to_string(), message })
        })?;
        let mut reader = BlobReader {
            client: self.clone(),
            image: image.to_owned(),
            repository: repository.clone(),
            digest: digest.clone(),
            size,
            at: 0,
            hasher: Some(hasher),
            answer: None,
            skip: 0,
            held: None,
            tries: 1,
            window: (Instant::now(), 0),
        };
        reader.open().await?;
        Ok(reader)
    }
}

/// The bytes of a blob. The last ones come only when all of them have the blob's digest and size.
pub struct BlobReader {
    client: Client,
    image: String,
    repository: Repository,
    digest: Digest,
    size: Option<u64>,
    /// How many bytes have come.
    at: u64,
    hasher: Option<Hasher>,
    answer: Option<Answer>,
    /// How many bytes of the answer have come before, from a server that does not take ranges.
    skip: u64,
    held: Option<Bytes>,
    tries: u32,
    /// When this part of the time started, and how many bytes had come then.
    window: (Instant, u64),
}

impl BlobReader {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// [`RegistryError`], after which there is nothing more; [`Reason::Mismatch`] when the bytes are not those
    /// of the digest.
    pub async fn next(&mut self) -> Result<Option<Bytes>, RegistryError> {
        loop {
            let Some(response) = self.answer.as_mut().and_then(|answer| answer.stream.as_mut()) else {
                return Ok(self.held.take());
            };
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    let chunk = self.unskipped(chunk);
                    if chunk.is_empty() {
                        continue;
                    }
                    self.at += chunk.len() as u64;
                    if let Some(size) = self.size.filter(|size| self.at > *size) {
                        return Err(self.fail(Reason::Mismatch {
                            expected: format!("{} of {size} bytes", self.digest),
                            found: "longer".to_owned(),
                        }));
                    }
                    if let Some(hasher) = &mut self.hasher {
                        hasher.update(&chunk);
                    }
                    self.slow()?;
                    if let Some(before) = self.held.replace(chunk) {
                        return Ok(Some(before));
                    }
                }
                Ok(None) => {
                    self.answer = None;
                    return self.verify().map(|()| self.held.take());
                }
                Err(error) => {
                    let reason = self.client.transport().reason(&error);
                    self.answer = None;
                    if self.tries >= self.client.options().tries {
                        return Err(self.fail(reason));
                    }
                    tokio::time::sleep(backoff(self.tries)).await;
                    self.tries += 1;
                    self.open().await?;
                }
            }
        }
    }

    /// How many bytes have come.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Asks for the bytes from where it stands.
    async fn open(&mut self) -> Result<(), RegistryError> {
        let path = path_of(&self.repository, &self.digest);
        let mut call = read(&self.image, &self.repository, &path, Method::GET);
        if self.at > 0 {
            let range = format!("bytes={}-", self.at);
            call.headers.insert(RANGE, HeaderValue::from_str(&range).expect("digits are fine in headers"));
        }
        let answer = self.client.call(call).await?;
        self.window = (Instant::now(), self.at);
        self.skip = 0;
        if self.at > 0 {
            if answer.status == StatusCode::PARTIAL_CONTENT {
                let range = answer.headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
                let range = range.unwrap_or_default().to_owned();
                if !range.starts_with(&format!("bytes {}-", self.at)) {
                    let message = format!("asked for bytes from {}, got {:?}", self.at, printable(&range));
                    return Err(self.fail(Reason::Broken { message }));
                }
            } else {
                self.skip = self.at;
            }
        }
        self.answer = Some(answer);
        Ok(())
    }

    fn unskipped(&mut self, mut chunk: Bytes) -> Bytes {
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(chunk.len());
        self.skip -= skipped as u64;
        chunk.split_off(skipped)
    }

    /// Gives up on a server that sends a byte now and then.
    fn slow(&mut self) -> Result<(), RegistryError> {
        let (since, before) = self.window;
        let limit = self.client.options().answer_timeout;
        if since.elapsed() < limit {
            return Ok(());
        }
        if self.at - before < LEAST {
            return Err(self.fail(Reason::TimedOut { after: limit }));
        }
        self.window = (Instant::now(), self.at);
        Ok(())
    }

    fn verify(&mut self) -> Result<(), RegistryError> {
        if let Some(size) = self.size.filter(|size| *size != self.at) {
            return Err(self.fail(Reason::Mismatch {
                expected: format!("{} of {size} bytes", self.digest),
                found: format!("{} bytes", self.at),
            }));
        }
        let found = self.hasher.take().map(Hasher::finish);
        match found {
            Some(found) if found != self.digest => {
                let (expected, found) = (self.digest.to_string(), found.to_string());
                Err(self.fail(Reason::Mismatch { expected, found }))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn fail(&mut self, reason: Reason) -> RegistryError {
        self.answer = None;
        self.held = None;
        RegistryError::new(&self.image, self.repository.registry(), Step::Blob, reason)
    }
}

fn path_of(repository: &Repository, digest: &Digest) -> String {
    format!("{}/blobs/{digest}", repository.path())
}

fn read<'a>(image: &'a str, repository: &'a Repository, path: &'a str, method: Method) -> Call<'a> {
    Call {
        image,
        repository,
        step: Step::Blob,
        method,
        path,
        headers: HeaderMap::new(),
        send: Bytes::new(),
        scopes: vec![format!("repository:{}:pull", repository.path())],
        kind: Kind::Blob,
        body: Body::Stream,
        accept: &[],
    }
}

fn number(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
