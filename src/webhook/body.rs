//! Bodies, read within bounds: of size, of time, and of bytes that all requests hold together.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The largest body: the API server takes objects of 3 MiB, and an update brings two of them.
pub(super) const BODY_MAX: usize = 7 * 1024 * 1024;

/// How much of each body counts as small. The larger rest has a room of its own, so that large bodies keep no small
/// one out.
const SMALL: usize = 64 * 1024;

/// How many bytes of bodies may be held: of their first [`SMALL`] bytes, and of the rest.
const SMALL_ROOM: usize = 8 * 1024 * 1024;
const LARGE_ROOM: usize = 16 * 1024 * 1024;

/// How long a body may take.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Why a body is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    TooLarge,
    TooSlow,
    /// All room is taken.
    NoRoom,
    /// The client went away.
    Broken,
}

/// The room for bodies.
#[derive(Debug)]
pub(super) struct Room {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Self {
        Self { small: Arc::new(Semaphore::new(SMALL_ROOM)), large: Arc::new(Semaphore::new(LARGE_ROOM)) }
    }
}

/// A body, which holds its room while it lives.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Bytes,
    _room: [Option<OwnedSemaphorePermit>; 2],
}

/// What is read so far.
struct Reading<'r> {
    room: &'r Room,
    small: Option<OwnedSemaphorePermit>,
    large: Option<OwnedSemaphorePermit>,
    length: usize,
}

impl Reading<'_> {
    /// Makes room for `more` bytes.
    fn grow(&mut self, more: usize) -> Result<(), BodyError> {
        let before = self.length;
        self.length += more;
        if self.length > BODY_MAX {
            return Err(BodyError::TooLarge);
        }
        let small = self.length.min(SMALL) - before.min(SMALL);
        take(&self.room.small, &mut self.small, small)?;
        take(&self.room.large, &mut self.large, more - small)
    }
}

fn take(
    room: &Arc<Semaphore>,
    held: &mut Option<OwnedSemaphorePermit>,
    bytes: usize,
) -> Result<(), BodyError> {
    if bytes == 0 {
        return Ok(());
    }
    let count = u32::try_from(bytes).map_err(|_| BodyError::TooLarge)?;
    let permit = Arc::clone(room).try_acquire_many_owned(count).map_err(|_| BodyError::NoRoom)?;
    match held {
        Some(held) => held.merge(permit),
        None => *held = Some(permit),
    }
    Ok(())
}

impl Room {
    /// Reads `body` to its end.
    pub(super) async fn read<B>(&self, body: B) -> Result<Held, BodyError>
    where
        B: Body<Data = Bytes>,
    {
        if body.size_hint().lower() > BODY_MAX as u64 {
            return Err(BodyError::TooLarge);
        }
        let reading = Reading { room: self, small: None, large: None, length: 0 };
        tokio::time::timeout(TIME_MAX, read(body, reading)).await.unwrap_or(Err(BodyError::TooSlow))
    }
}

async fn read<B>(body: B, mut reading: Reading<'_>) -> Result<Held, BodyError>
where
    B: Body<Data = Bytes>,
{
    let mut body = std::pin::pin!(body);
    let mut first = Bytes::new();
    let mut all: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Broken)?;
        let Ok(data) = frame.into_data() else { continue };
        reading.grow(data.len())?;
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            if all.is_empty() {
                // Untouched memory costs nothing, and growing in steps holds a body twice.
                let rest = usize::try_from(body.size_hint().lower()).unwrap_or(0).min(BODY_MAX);
                all.reserve_exact(first.len() + data.len() + rest);
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
    }
    let bytes = if all.is_empty() { first } else { Bytes::from(all) };
    Ok(Held { bytes, _room: [reading.small, reading.large] })
}
