//! Writing blobs: mounted from another repository, or sent in one piece, or in parts that are taken up again where they
//! broke.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RANGE};
use http::{Method, StatusCode};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use url::Url;

use super::answer::words;
use super::client::{Answer, Body, Call, Client, Kind, permit};
use super::feed::{FeedError, Feeder};
use super::host::Host;
use super::open_upload::{Point, Upload};
use super::retry::{backoff, is_transient, retry_after};
use super::token::Login;
use super::transport::{Request, RequestFailure, Sent, host_of, read_body, refusal};
use super::{BlobRead, Reason, RegistryError, Step};
use crate::image::{Digest, Repository};

/// The most that is sent in one request. What breaks off must be sent again from where the request started.
const PART: u64 = 64 * 1024 * 1024;

/// So much more must have come over than ever before for failures to be forgotten.
const PROGRESS: u64 = 1024 * 1024;

/// How often an upload is taken up again at most, whatever its progress.
const TRIES_MAX: u32 = 50;

/// How fast a registry must at least put a blob in its place when all of it was sent, in bytes a second.
const COMMIT_BYTES_PER_SECOND: u64 = 10 * 1024 * 1024;

/// How long a registry is waited for that is told of an upload that nobody goes on with.
pub const ABANDON_TIMEOUT: Duration = Duration::from_secs(5);

const CHUNK_MIN: HeaderName = HeaderName::from_static("oci-chunk-min-length");

/// A blob, and where it is to be.
#[derive(Clone, Copy, Debug)]
pub struct NewBlob<'a> {
    /// What messages call the image it belongs to.
    pub image: &'a str,
    /// Where it is to be.
    pub repository: &'a Repository,
    /// Its digest.
    pub digest: &'a Digest,
    /// How many bytes it has.
    pub size: u64,
}

/// What a registry says to a blob that is to come.
#[derive(Debug)]
pub enum Start {
    /// It was mounted, and is there.
    Done,
    /// It is to be sent.
    Upload(Upload),
}

/// A failure in an upload, and whether trying again may help.
struct Broken {
    error: RegistryError,
    passes: bool,
}

impl Client {
    /// Starts an upload; with `from`, a repository of the same registry that has the blob, it is mounted if the registry
    /// will.
    ///
    /// # Errors
    /// [`RegistryError`]; a refusal to mount is none.
    pub async fn start_upload(
        &self,
        blob: NewBlob<'_>,
        from: Option<&Repository>,
    ) -> Result<Start, RegistryError> {
        // Who calls this off while the registry starts an upload leaves one to give up, and not one that nobody knows of.
        let (client, from) = (self.clone(), from.cloned());
        let (image, repository) = (blob.image.to_owned(), blob.repository.clone());
        let (digest, size) = (blob.digest.clone(), blob.size);
        let started = tokio::spawn(async move {
            let blob = NewBlob { image: &image, repository: &repository, digest: &digest, size };
            client.start(blob, from.as_ref()).await
        });
        started.await.unwrap_or_else(|error| {
            Err(self.failed(blob, Reason::Broken { message: format!("the request has ended: {error}") }))
        })
    }

    async fn start(&self, blob: NewBlob<'_>, from: Option<&Repository>) -> Result<Start, RegistryError> {
        let uploads = format!("{}/blobs/uploads/", blob.repository.path());
        if let Some(from) = from {
            let path = format!("{uploads}?mount={}&from={}", blob.digest, from.path());
            let mut call = request(blob.image, blob.repository, Method::POST, &path);
            call.scopes.push(format!("repository:{}:pull", from.path()));
            // Whatever keeps it from being mounted, it can be sent.
            if let Ok(answer) = self.call(call).await {
                match answer.status {
                    StatusCode::CREATED => return Ok(Start::Done),
                    StatusCode::ACCEPTED => return self.start_of(blob, &answer),
                    _ => {}
                }
            }
        }
        let answer = self.call(request(blob.image, blob.repository, Method::POST, &uploads)).await?;
        if answer.status != StatusCode::ACCEPTED {
            return Err(self.failed(blob, refusal(answer.status, String::new())));
        }
        self.start_of(blob, &answer)
    }

    /// The upload that the answer to a POST tells of.
    fn start_of(&self, blob: NewBlob<'_>, answer: &Answer) -> Result<Start, RegistryError> {
        let point = self.point_of(answer, 0, 0).map_err(|reason| self.failed(blob, reason))?;
        let upload = Upload::new(blob.image, blob.repository, point, &self.shared.dropped_uploads);
        Ok(Start::Upload(upload))
    }

    /// Sends a blob, however often that takes; when it fails for good, the upload is given up.
    ///
    /// # Errors
    /// [`RegistryError`], or what goes wrong with `bytes`.
    pub async fn upload<B: BlobRead>(
        &self,
        blob: NewBlob<'_>,
        upload: Upload,
        bytes: &mut B,
    ) -> Result<(), B::Error> {
        let host = self.host(blob.repository.registry());
        let _permit = permit(&host.uploads).await;
        let mut upload = upload;
        let mut feeder = Feeder::new(bytes);
        let (mut tries, mut all_tries, mut anew, mut furthest) = (1, 0, false, 0);
        let mut refused = false;
        loop {
            all_tries += 1;
            let again = upload.point.offset > 0 || refused;
            let broken = match self.send_all(blob, &mut upload.point, &mut feeder).await {
                Ok(Ok(())) => {
                    upload.end();
                    return Ok(());
                }
                Ok(Err(broken)) => broken,
                Err(error) => {
                    self.give_up(blob, &mut upload).await;
                    return Err(error);
                }
            };
            // A registry may have lost the thread of an upload that was taken up again; of a new one it has none.
            let lost = !broken.passes && again && !anew;
            let enough = tries >= self.options().tries || all_tries >= TRIES_MAX;
            if enough || !lost && !broken.passes {
                self.give_up(blob, &mut upload).await;
                return Err(broken.error.into());
            }
            tokio::time::sleep(backoff(tries)).await;
            tries += 1;
            // Who has no time takes no bytes: it stands where it stood.
            refused = matches!(*broken.error.reason, Reason::RateLimited { .. });
            if refused {
                feeder.restart(upload.point.offset).await?;
                continue;
            }
            let status = if lost { None } else { self.upload_status(blob, &upload.point).await? };
            // It cannot have what was never sent.
            let status = status.filter(|known| known.offset <= feeder.furthest());
            match status {
                Some(known) => {
                    if known.offset >= furthest + PROGRESS {
                        (tries, furthest) = (1, known.offset);
                    }
                    upload.point = known;
                }
                None => {
                    // The answer to the last part may have been lost, and not the part.
                    let found = self.head_blob(blob.image, blob.repository, blob.digest).await?;
                    if found.fits(blob.size) {
                        upload.end();
                        return Ok(());
                    }
                    self.give_up(blob, &mut upload).await;
                    anew = true;
                    match self.start_upload(blob, None).await? {
                        Start::Done => return Ok(()),
                        Start::Upload(new) => upload = new,
                    }
                }
            }
            feeder.restart(upload.point.offset).await?;
        }
    }

    /// Sends what is missing, and ends the upload.
    async fn send_all<B: BlobRead>(
        &self,
        blob: NewBlob<'_>,
        point: &mut Point,
        feeder: &mut Feeder<'_, B>,
    ) -> Result<Result<(), Broken>, B::Error> {
        if point.offset > 0 || blob.size > PART {
            while point.offset < blob.size {
                let length = (blob.size - point.offset).min(PART.max(point.part_min));
                let sent = self.send_part(blob, Method::PATCH, &point.url, point.offset, length, feeder);
                let answer = match sent.await? {
                    Ok(answer) => answer,
                    Err(broken) => return Ok(Err(broken)),
                };
                let (start, expected) = (point.offset, point.offset + length);
                *point = match self.point_of(&answer, expected, point.part_min) {
                    Ok(point) => point,
                    Err(reason) => {
                        return Ok(Err(Broken { error: self.failed(blob, reason), passes: false }));
                    }
                };
                let has = point.offset;
                if has <= start || has > expected {
                    let error = self.failed(blob, Reason::LostTrack { has, sent: expected });
                    // Fewer bytes than sent: resend. More than sent: the registry is wrong.
                    return Ok(Err(Broken { error, passes: has <= start }));
                }
                if has < expected {
                    feeder.restart(has).await?;
                }
            }
        }
        let mut url = point.url.clone();
        url.query_pairs_mut().append_pair("digest", blob.digest.as_str());
        let rest = blob.size - point.offset;
        Ok(self.send_part(blob, Method::PUT, &url, point.offset, rest, feeder).await?.map(drop))
    }

    /// Sends `length` bytes of a blob in one request.
    async fn send_part<B: BlobRead>(
        &self,
        blob: NewBlob<'_>,
        method: Method,
        url: &Url,
        offset: u64,
        length: u64,
        feeder: &mut Feeder<'_, B>,
    ) -> Result<Result<Answer, Broken>, B::Error> {
        let call = request(blob.image, blob.repository, method.clone(), url.as_str());
        let host = self.host(blob.repository.registry());
        let session = self.session(&host, blob.image).await?;
        let own = url.origin() == session.base.origin();
        let login = if own { self.login(&host, &session, &call, None).await? } else { Login::anonymous() };
        host.unpaused().await;
        let (sender, receiver) = mpsc::channel::<Result<Bytes, io::Error>>(1);
        let stream = futures_util::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|bytes| (bytes, receiver))
        });
        let body = if length == 0 {
            Sent::Whole(Bytes::new())
        } else {
            Sent::Streamed(reqwest::Body::wrap_stream(stream))
        };
        let request = Request {
            headers: part_headers(&method, offset, length),
            method,
            url: url.clone(),
            authorization: login.header.clone(),
            body: Some(body),
        };
        let options = self.options();
        let patience = options.answer_timeout + Duration::from_secs(blob.size / COMMIT_BYTES_PER_SECOND);
        let timed_out =
            |after| Err(RequestFailure { host: host.name.clone(), reason: Reason::TimedOut { after } });
        let sent = {
            let sending = self.transport().send(request);
            tokio::pin!(sending);
            let feeding = feeder.feed(length, sender, options.read_timeout);
            tokio::pin!(feeding);
            tokio::select! {
                // A refusal may come before everything was sent.
                response = &mut sending => response,
                fed = &mut feeding => match fed {
                    Err(FeedError::Source(error)) => return Err(error),
                    Err(FeedError::Stalled(after)) => timed_out(after),
                    Ok(()) | Err(FeedError::Gone) => {
                        let answered = tokio::time::timeout(patience, &mut sending).await;
                        answered.unwrap_or_else(|_| timed_out(patience))
                    }
                },
            }
        };
        let response = match sent {
            Ok(response) => response,
            Err(failure) => {
                let passes = super::client::may_pass(&failure.reason);
                return Ok(Err(Broken { error: call.error(&failure.host, failure.reason), passes }));
            }
        };
        let (status, headers, at) = (response.status(), response.headers().clone(), response.url().clone());
        let said = read_body(self.transport(), response, super::answer::WORDS_MAX).await.unwrap_or_default();
        if status.is_success() {
            let answer = Answer { status, url: at, headers, bytes: said, stream: None, permits: None };
            return Ok(Ok(answer));
        }
        let answer = Answer { status, url: at, headers, bytes: said, stream: None, permits: None };
        let (reason, passes) = self.refused_part(&host, login, own, &answer).await;
        Ok(Err(Broken { error: call.error(&host_of(&answer.url), reason), passes }))
    }

    /// Why a part of a blob was refused, and whether another try may succeed. `own`: it was sent to the registry itself.
    async fn refused_part(&self, host: &Host, login: Login, own: bool, answer: &Answer) -> (Reason, bool) {
        let said = words(&answer.bytes, &login.secrets);
        match answer.status {
            StatusCode::UNAUTHORIZED => {
                if let Some((key, token)) = &login.token {
                    self.shared.tokens.forget(key, |kept| kept == token).await;
                }
                (Reason::Unauthorized { origin: login.origin, answer: said }, own)
            }
            StatusCode::TOO_MANY_REQUESTS => {
                let asked = retry_after(&answer.headers, OffsetDateTime::now_utc());
                let patient = asked.is_none_or(|wait| wait <= self.options().longest_wait);
                if patient {
                    host.pause(asked.unwrap_or_default());
                }
                (Reason::RateLimited { retry_after: asked }, patient)
            }
            // The upload is not known any more, or stands elsewhere.
            StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE => (refusal(answer.status, said), true),
            status => (refusal(status, said), is_transient(status)),
        }
    }

    /// Where an upload stands; `None` when the registry does not know it any more.
    async fn upload_status(&self, blob: NewBlob<'_>, point: &Point) -> Result<Option<Point>, RegistryError> {
        let ask = request(blob.image, blob.repository, Method::GET, point.url.as_str());
        let answer = self.call(Call { accept: &[400, 404, 405, 416], ..ask }).await?;
        if !answer.status.is_success() {
            return Ok(None);
        }
        let mut found = match self.point_of(&answer, 0, point.part_min) {
            Ok(found) => found,
            Err(Reason::NoLocation) => point.clone(),
            Err(reason) => return Err(self.failed(blob, reason)),
        };
        found.offset = end_of_range(&answer.headers).unwrap_or(0);
        Ok((found.offset <= blob.size).then_some(found))
    }

    /// Gives up an upload, if the registry will hear of it.
    async fn give_up(&self, blob: NewBlob<'_>, upload: &mut Upload) {
        self.delete_upload(blob.image, blob.repository, &upload.point.url).await;
        upload.end();
    }

    /// Gives up the uploads that were dropped: those of copies that were called off, or of which another part failed. Takes
    /// no longer than `limit`.
    pub async fn give_up_dropped(&self, limit: Duration) {
        let dropped = self.shared.dropped_uploads.take();
        let all = dropped.iter().map(|one| self.delete_upload(&one.image, &one.repository, &one.url));
        let _ = tokio::time::timeout(limit, join_all(all)).await;
    }

    /// Distribution refuses it for an upload of which a request broke off, whose new address it has told nobody, and clears
    /// that away itself in time.
    async fn delete_upload(&self, image: &str, repository: &Repository, url: &Url) {
        let ask = request(image, repository, Method::DELETE, url.as_str());
        // What it says to that changes nothing.
        let _ =
            tokio::time::timeout(ABANDON_TIMEOUT, self.call(Call { accept: &[400, 404, 405], ..ask })).await;
    }

    /// Where an upload stands by an answer. `expected` is how many bytes the registry has when it does not say.
    fn point_of(&self, answer: &Answer, expected: u64, part_min: u64) -> Result<Point, Reason> {
        let url = self.transport().location(&answer.url, &answer.headers)?;
        let number = |value: &HeaderValue| value.to_str().ok()?.trim().parse::<u64>().ok();
        let part_min = answer.headers.get(CHUNK_MIN).and_then(number).unwrap_or(part_min);
        let offset = if expected == 0 { 0 } else { end_of_range(&answer.headers).unwrap_or(expected) };
        Ok(Point { url, offset, part_min })
    }

    fn failed(&self, blob: NewBlob<'_>, reason: Reason) -> RegistryError {
        self.of(blob.image, blob.repository, Step::Upload, reason)
    }
}

/// How many bytes a registry has by its `Range: 0-41`. `0-0` is what most say when they have none, and one byte is soon
/// sent again.
fn end_of_range(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(RANGE)?.to_str().ok()?.trim();
    let text = text.strip_prefix("bytes=").unwrap_or(text);
    let last: u64 = text.strip_prefix("0-")?.parse().ok()?;
    if last == 0 { Some(0) } else { last.checked_add(1) }
}

fn request<'a>(image: &'a str, repository: &'a Repository, method: Method, path: &'a str) -> Call<'a> {
    Call {
        image,
        repository,
        step: Step::Upload,
        method,
        path,
        headers: HeaderMap::new(),
        send: Bytes::new(),
        scopes: vec![format!("repository:{}:pull,push", repository.path())],
        kind: Kind::Lookup,
        body: Body::Read(super::answer::WORDS_MAX),
        accept: &[],
    }
}

/// The headers of `length` bytes of a blob from `offset` on.
fn part_headers(method: &Method, offset: u64, length: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if method == Method::PATCH {
        let range = format!("{offset}-{}", offset + length - 1);
        headers.insert(CONTENT_RANGE, HeaderValue::from_str(&range).expect("digits are fine in headers"));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (text, want) in [
            ("0-0", Some(0)),
            ("0-41", Some(42)),
            ("bytes=0-41", Some(42)),
            ("1-41", None),
            ("0-18446744073709551615", None),
            ("0-", None),
            ("0--1", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, text.parse().unwrap());
            assert_eq!(end_of_range(&headers), want, "{text}");
        }
        assert_eq!(end_of_range(&HeaderMap::new()), None);
    }
}
