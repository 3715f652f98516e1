//! A server in the test's own process that answers as it is told to, and remembers every byte that it was sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// The whole head, and the body.
    pub(crate) text: String,
    pub(crate) at: Instant,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().skip(1).take_while(|line| !line.is_empty()).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub(crate) fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }
}

/// What the server does.
pub(crate) enum Act {
    Reply(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Sends these bytes as they are, and closes.
    Raw(Vec<u8>),
    /// Sends the head, then such bytes for ever.
    Endless(&'static str, u8),
    /// Sends these bytes one by one with this pause, and goes on with the last one.
    Drip(Vec<u8>, Duration),
    /// Says nothing.
    Hang,
    /// Closes the connection.
    Close,
}

pub(crate) fn reply(status: u16) -> Act {
    Act::Reply(status, Vec::new(), Vec::new())
}

impl Act {
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Reply(_, headers, _) = &mut self {
            headers.push((name, value.into()));
        }
        self
    }

    pub(crate) fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        if let Self::Reply(_, _, body) = &mut self {
            *body = bytes.into();
        }
        self
    }
}

type Handler = dyn Fn(&Asked, usize) -> Act + Send + Sync;

/// The server; it stops when it is dropped.
pub(crate) struct Server {
    pub(crate) host: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.host);
    }
}

impl Server {
    /// Answers with `handler`, which is told which request of all this is.
    pub(crate) fn start(handler: impl Fn(&Asked, usize) -> Act + Send + Sync + 'static) -> Self {
        Self::start_with(None, handler)
    }

    pub(crate) fn start_tls(
        tls: Arc<rustls::ServerConfig>,
        handler: impl Fn(&Asked, usize) -> Act + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(Some(tls), handler)
    }

    fn start_with(
        tls: Option<Arc<rustls::ServerConfig>>,
        handler: impl Fn(&Asked, usize) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let handler: Arc<Handler> = Arc::new(handler);
        let (all, stopped) = (Arc::clone(&asked), Arc::clone(&stop));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (all, stopped, handler, tls) =
                    (Arc::clone(&all), Arc::clone(&stopped), Arc::clone(&handler), tls.clone());
                thread::spawn(move || match tls {
                    None => {
                        let writer = stream.try_clone().unwrap();
                        converse(
                            BufReader::new(stream.try_clone().unwrap()),
                            writer,
                            &all,
                            &*handler,
                            &stopped,
                        );
                        let _ = stream.shutdown(Shutdown::Both);
                    }
                    Some(tls) => {
                        let session = rustls::ServerConnection::new(tls).unwrap();
                        let shared = Shared(Arc::new(Mutex::new(rustls::StreamOwned::new(session, stream))));
                        converse(BufReader::new(shared.clone()), shared, &all, &*handler, &stopped);
                    }
                });
            }
        });
        Self { host, asked, stop }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        self.asked().iter().filter(|asked| asked.is(method, part)).count()
    }

    /// Everything that it was sent.
    pub(crate) fn heard(&self) -> String {
        self.asked().iter().map(|asked| asked.text.clone()).collect()
    }
}

#[derive(Clone)]
struct Shared(Arc<Mutex<rustls::StreamOwned<rustls::ServerConnection, TcpStream>>>);

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().read(buffer)
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.lock().unwrap().flush()
    }
}

fn converse(
    mut reader: impl BufRead,
    mut writer: impl Write,
    all: &Mutex<Vec<Asked>>,
    handler: &Handler,
    stopped: &AtomicBool,
) {
    while let Some(asked) = read(&mut reader) {
        let at = {
            let mut all = all.lock().unwrap();
            all.push(asked.clone());
            all.len() - 1
        };
        let goes_on = act(handler(&asked, at), &asked, &mut writer, stopped);
        if goes_on.is_err() {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        text.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut words = text.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut asked = Asked { method, path, text, at: Instant::now() };
    let length: usize = asked.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    asked.text.push_str(&String::from_utf8_lossy(&body));
    Some(asked)
}

/// Does it; an error ends the connection.
fn act(act: Act, asked: &Asked, writer: &mut impl Write, stopped: &AtomicBool) -> std::io::Result<()> {
    let closed = || Err(std::io::ErrorKind::ConnectionAborted.into());
    match act {
        Act::Reply(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} Words\r\n");
            let has_length = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            if !has_length {
                head.push_str(&format!("Content-Length: {}\r\n", body.len()));
            }
            head.push_str("\r\n");
            writer.write_all(head.as_bytes())?;
            if asked.method != "HEAD" {
                writer.write_all(&body)?;
            }
            writer.flush()
        }
        Act::Raw(bytes) => {
            writer.write_all(&bytes)?;
            writer.flush()?;
            closed()
        }
        Act::Endless(head, byte) => {
            writer.write_all(head.as_bytes())?;
            let block = vec![byte; 64 * 1024];
            while !stopped.load(Ordering::SeqCst) {
                writer.write_all(&block)?;
            }
            closed()
        }
        Act::Drip(bytes, pause) => {
            let last = bytes.last().copied().into_iter().cycle();
            for byte in bytes.iter().copied().chain(last) {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                writer.write_all(&[byte])?;
                writer.flush()?;
                thread::sleep(pause);
            }
            closed()
        }
        Act::Hang => {
            while !stopped.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            closed()
        }
        Act::Close => closed(),
    }
}
