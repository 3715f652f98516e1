//! Lines that are written several at a time. A line for each review would be a system call for each, and would wake
//! whoever reads the log as often.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long a line waits for others at most.
const WAIT: Duration = Duration::from_millis(20);

/// How many bytes wait at most.
const WAITING_MAX: usize = 16 * 1024;

/// The lines of a log. Warnings and errors are written at once, with what waits before them; so is everything while
/// no task [keeps writing](Batches::keep_writing).
#[derive(Debug)]
pub struct Batches<W = io::Stderr> {
    shared: Arc<Shared<W>>,
}

#[derive(Debug)]
struct Shared<W> {
    buffer: Mutex<Buffer<W>>,
    arrived: Notify,
}

#[derive(Debug)]
struct Buffer<W> {
    to: W,
    lines: Vec<u8>,
    /// Whether a task writes what waits; else each line is written at once.
    has_writer: bool,
}

impl<W> Clone for Batches<W> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<W: Write> Batches<W> {
    /// The log that is written to `to`.
    pub fn new(to: W) -> Self {
        let buffer = Mutex::new(Buffer { to, lines: Vec::new(), has_writer: false });
        Self { shared: Arc::new(Shared { buffer, arrived: Notify::new() }) }
    }

    /// Writes what arrives from now on, until it is dropped or [`Batches::end`] is called.
    pub async fn keep_writing(self) {
        self.buffer().has_writer = true;
        loop {
            self.shared.arrived.notified().await;
            tokio::time::sleep(WAIT).await;
            self.buffer().write();
        }
    }

    /// Writes what waits, and from now on every line at once.
    pub fn end(&self) {
        let mut buffer = self.buffer();
        buffer.has_writer = false;
        buffer.write();
    }

    fn buffer(&self) -> MutexGuard<'_, Buffer<W>> {
        self.shared.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> Buffer<W> {
    /// Writes all that waits. Where a log cannot be written there is nobody to tell.
    fn write(&mut self) {
        let _ = self.to.write_all(&self.lines);
        self.lines.clear();
    }
}

impl<'b, W: Write + 'b> MakeWriter<'b> for Batches<W> {
    type Writer = Line<'b, W>;

    fn make_writer(&'b self) -> Self::Writer {
        Line { batches: self, is_urgent: true }
    }

    fn make_writer_for(&'b self, metadata: &Metadata<'_>) -> Self::Writer {
        Line { batches: self, is_urgent: *metadata.level() <= Level::WARN }
    }
}

/// Takes one line.
pub struct Line<'b, W> {
    batches: &'b Batches<W>,
    is_urgent: bool,
}

impl<W: Write> Write for Line<'_, W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut buffer = self.batches.buffer();
        let is_first = buffer.lines.is_empty();
        buffer.lines.extend_from_slice(line);
        if self.is_urgent || !buffer.has_writer || buffer.lines.len() > WAITING_MAX {
            buffer.write();
        } else if is_first {
            self.batches.shared.arrived.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Tells what is written, a message for each write.
    struct Told(Sender<String>);

    impl Write for Told {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(String::from_utf8_lossy(bytes).into_owned()).expect("somebody listens");
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn batches() -> (Batches<Told>, Receiver<String>) {
        let (told, writes) = channel();
        (Batches::new(Told(told)), writes)
    }

    fn log(batches: &Batches<Told>, line: &str, is_urgent: bool) {
        Line { batches, is_urgent }.write_all(line.as_bytes()).expect("lines are taken");
    }

    #[tokio::test]
    async fn lines_are_written_together_and_in_order() {
        let (batches, writes) = batches();
        let written = || writes.try_iter().collect::<Vec<_>>();
        log(&batches, "before anybody writes\n", false);
        assert_eq!(written(), ["before anybody writes\n"]);

        tokio::spawn(batches.clone().keep_writing());
        tokio::task::yield_now().await;
        log(&batches, "a\n", false);
        log(&batches, "b\n", false);
        assert!(written().is_empty());
        let together = loop {
            tokio::time::sleep(WAIT).await;
            let written = written();
            if !written.is_empty() {
                break written;
            }
        };
        assert_eq!(together, ["a\nb\n"]);

        log(&batches, "c\n", false);
        log(&batches, "a warning\n", true);
        assert_eq!(written(), ["c\na warning\n"]);

        let long = "x".repeat(WAITING_MAX);
        log(&batches, "d\n", false);
        log(&batches, &long, false);
        assert_eq!(written(), [format!("d\n{long}")]);

        log(&batches, "e\n", false);
        batches.end();
        log(&batches, "f\n", false);
        assert_eq!(written(), ["e\n", "f\n"]);
    }
}
