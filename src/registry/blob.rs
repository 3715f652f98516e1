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
const WINDOW_BYTES_MIN: u64 = 64 * 1024;

/// How many bytes lie at least between places that a reader can go back to.
const MARK_DISTANCE: u64 = 8 * 1024 * 1024;

/// Whether a registry has a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobPresence {
    /// It does not.
    Missing,
    /// It does.
    There {
        /// Its size in bytes, if the registry says it.
        size: Option<u64>,
    },
}

impl BlobPresence {
    /// Whether it is there, and not known to be of another size.
    #[must_use]
    pub fn fits(self, wanted: u64) -> bool {
        match self {
            Self::Missing => false,
            Self::There { size } => size.is_none_or(|size| size == wanted),
        }
    }
}

impl Client {
    /// Whether a blob is there, and its size.
    ///
    /// # Errors
    /// [`RegistryError`]; a blob that is not there is none.
    pub async fn head_blob(
        &self,
        image: &str,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<BlobPresence, RegistryError> {
        let path = path_of(repository, digest);
        let asked = read(image, repository, &path, Method::HEAD);
        let call = Call { accept: &[404], kind: Kind::Lookup, ..asked };
        let answer = self.call(call).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(BlobPresence::Missing);
        }
        Ok(BlobPresence::There { size: number(&answer.headers) })
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
        let start = Mark { at: 0, hasher: hasher.clone() };
        let mut reader = BlobReader {
            client: self.clone(),
            image: image.to_owned(),
            repository: repository.clone(),
            digest: digest.clone(),
            size,
            at: 0,
            hasher,
            answer: None,
            skip: 0,
            held: None,
            again: 0,
            marks: vec![start],
            tries: 1,
            opened: 0,
            window: (Instant::now(), 0),
        };
        reader.open().await?;
        Ok(reader)
    }
}

/// A place in a blob, and the hash of what stands before it.
struct Mark {
    at: u64,
    hasher: Hasher,
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
    hasher: Hasher,
    answer: Option<Answer>,
    /// How many bytes of the answer have come before, from a server that does not take ranges.
    skip: u64,
    held: Option<Bytes>,
    /// How many bytes have come that nobody wants again, after going back.
    again: u64,
    /// Where it can go back to.
    marks: Vec<Mark>,
    tries: u32,
    /// Where the answer that is read started.
    opened: u64,
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
                match self.held.take().map(|held| self.wanted(held)) {
                    Some(held) if held.is_empty() => continue,
                    held => return Ok(held),
                }
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
                    self.hasher.update(&chunk);
                    if self.marks.last().is_none_or(|mark| self.at >= mark.at + MARK_DISTANCE) {
                        self.marks.push(Mark { at: self.at, hasher: self.hasher.clone() });
                    }
                    self.slow()?;
                    if let Some(before) = self.held.replace(chunk).map(|before| self.wanted(before))
                        && !before.is_empty()
                    {
                        return Ok(Some(before));
                    }
                }
                Ok(None) => {
                    self.answer = None;
                    self.verify()?;
                }
                Err(error) => {
                    let reason = self.client.transport().reason(&error);
                    self.answer = None;
                    // A large blob may break off more than once.
                    if self.at >= self.opened + MARK_DISTANCE {
                        self.tries = 1;
                    }
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

    /// Goes back, so that the next bytes are those from `from` on (no further than what has come). What stands
    /// before them is not read again, but for a few megabytes.
    ///
    /// # Errors
    /// [`RegistryError`] when there is no answer.
    pub async fn restart(&mut self, from: u64) -> Result<(), RegistryError> {
        let from = from.min(self.at);
        self.marks.retain(|mark| mark.at <= from);
        let mark = self.marks.last().expect("the start is always kept, and nothing lies before it");
        (self.at, self.hasher) = (mark.at, mark.hasher.clone());
        self.again = from - self.at;
        (self.answer, self.held) = (None, None);
        if self.size.is_some_and(|size| self.at >= size) && self.at > 0 {
            return Ok(());
        }
        self.open().await
    }

    /// What of `chunk` is wanted after going back.
    fn wanted(&mut self, chunk: Bytes) -> Bytes {
        drop_first(&mut self.again, chunk)
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
        self.opened = self.at;
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

    fn unskipped(&mut self, chunk: Bytes) -> Bytes {
        drop_first(&mut self.skip, chunk)
    }

    /// Gives up on a server that sends a byte now and then.
    fn slow(&mut self) -> Result<(), RegistryError> {
        let (since, before) = self.window;
        let limit = self.client.options().answer_timeout;
        if since.elapsed() < limit {
            return Ok(());
        }
        if self.at - before < WINDOW_BYTES_MIN {
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
        let found = self.hasher.clone().finish();
        if found == self.digest {
            return Ok(());
        }
        let (expected, found) = (self.digest.to_string(), found.to_string());
        Err(self.fail(Reason::Mismatch { expected, found }))
    }

    fn fail(&mut self, reason: Reason) -> RegistryError {
        self.answer = None;
        self.held = None;
        RegistryError::new(&self.image, self.repository.registry(), Step::Blob, reason)
    }
}

/// `chunk` without its first bytes, as many as `count` says, which is counted down.
fn drop_first(count: &mut u64, mut chunk: Bytes) -> Bytes {
    let dropped = usize::try_from(*count).unwrap_or(usize::MAX).min(chunk.len());
    *count -= dropped as u64;
    chunk.split_off(dropped)
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
