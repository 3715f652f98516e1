//! A proxy before a real registry that does harm where it is told to, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::http;

/// A request, without its body.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// The whole head.
    pub(crate) head: String,
    /// How many such requests (of the same method for the same thing) came before.
    pub(crate) before: usize,
}

impl Seen {
    pub(crate) fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// What is done to a request or its answer.
#[derive(Default)]
pub(crate) struct Harm {
    /// Answers itself with a status and headers, and reads nothing more.
    pub(crate) reply: Option<(u16, Vec<(&'static str, String)>)>,
    /// Breaks the connection after so many bytes of the request's body.
    pub(crate) cut_request: Option<usize>,
    /// Breaks the connection after so many bytes of the answer's body.
    pub(crate) cut_answer: Option<usize>,
    /// Changes this byte of the answer's body.
    pub(crate) corrupt: Option<usize>,
    /// Leaves out the last byte of the answer's body, and says so.
    pub(crate) truncate: bool,
    /// Never answers, and asks nobody.
    pub(crate) stall: bool,
    /// Sends the answer's body a byte at a time.
    pub(crate) drip: bool,
    /// Sets a header of the answer, or takes it away.
    pub(crate) set: Option<(&'static str, Option<String>)>,
    /// Names what an upload is sent to without scheme and host.
    pub(crate) relative_location: bool,
    /// The answer never comes, although the registry has done what it was asked.
    pub(crate) lose_answer: bool,
}

impl Harm {
    pub(crate) fn none() -> Self {
        Self::default()
    }

    pub(crate) fn reply(status: u16) -> Self {
        Self { reply: Some((status, Vec::new())), ..Self::default() }
    }
}

type Judge = dyn Fn(&Seen) -> Harm + Send + Sync;

pub(crate) struct Proxy {
    pub(crate) host: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.host);
    }
}

impl Proxy {
    pub(crate) fn start(upstream: &str, judge: impl Fn(&Seen) -> Harm + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (judge, upstream): (Arc<Judge>, String) = (Arc::new(judge), upstream.to_owned());
        let (all, stopped) = (Arc::clone(&seen), Arc::clone(&stop));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (all, judge, upstream) = (Arc::clone(&all), Arc::clone(&judge), upstream.clone());
                let stopped = Arc::clone(&stopped);
                thread::spawn(move || {
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    while exchange(&mut reader, &stream, &upstream, &all, &*judge, &stopped).is_some() {}
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        Self { host, seen, stop }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        self.seen().iter().filter(|seen| seen.is(method, part)).count()
    }

    /// The uploads that somebody wanted to give up through it, and that the registry behind it still knows.
    pub(crate) fn open_uploads(&self, upstream: &str) -> Vec<String> {
        let given_up = self.seen().into_iter().filter(|seen| seen.is("DELETE", "/uploads/"));
        given_up
            .map(|seen| seen.path)
            .filter(|path| http::request(upstream, "GET", path, &[], b"").status < 300)
            .collect()
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

fn read_head(reader: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            return Some(head);
        }
        head.push_str(&line);
    }
}

/// One request and its answer; `None` ends the connection.
fn exchange(
    reader: &mut BufReader<TcpStream>,
    mut client: &TcpStream,
    upstream: &str,
    all: &Mutex<Vec<Seen>>,
    judge: &Judge,
    stopped: &AtomicBool,
) -> Option<()> {
    let head = read_head(reader)?;
    let mut words = head.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    // Uploads have names of their own.
    let bare = |path: &str| match path.split_once("/uploads/") {
        Some((repository, _)) => repository.to_owned(),
        None => path.split('?').next().unwrap_or_default().to_owned(),
    };
    let seen = {
        let mut all = all.lock().unwrap();
        let same = all.iter().filter(|seen: &&Seen| seen.method == method && bare(&seen.path) == bare(&path));
        let before = same.count();
        all.push(Seen { method: method.clone(), path, head: head.clone(), before });
        all.last().unwrap().clone()
    };
    let harm = judge(&seen);
    if let Some((status, headers)) = harm.reply {
        let mut answer = format!("HTTP/1.1 {status} Words\r\nContent-Length: 0\r\nConnection: close\r\n");
        headers.iter().for_each(|(name, value)| answer.push_str(&format!("{name}: {value}\r\n")));
        answer.push_str("\r\n");
        client.write_all(answer.as_bytes()).ok()?;
        // What was still being sent is read, or the answer would be lost with the connection.
        client.shutdown(Shutdown::Write).ok()?;
        let _ = std::io::copy(reader, &mut std::io::sink());
        return None;
    }
    if harm.stall {
        while !stopped.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        return None;
    }
    let length: usize = header(&head, "content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut to = TcpStream::connect(upstream).ok()?;
    let lines = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let mut forwarded: String = lines.map(|line| format!("{line}\r\n")).collect();
    forwarded.push_str("Connection: close\r\n\r\n");
    to.write_all(forwarded.as_bytes()).ok()?;
    let sent = length.min(harm.cut_request.unwrap_or(length));
    let sent = std::io::copy(&mut reader.by_ref().take(sent as u64), &mut to).ok()?;
    if sent < length as u64 {
        return None;
    }
    let mut from = BufReader::new(to);
    let answer = read_head(&mut from)?;
    let mut body = Vec::new();
    if method != "HEAD" {
        from.read_to_end(&mut body).ok()?;
        if header(&answer, "transfer-encoding").is_some() {
            body = unchunked(&body)?;
        }
    }
    if harm.lose_answer {
        return None;
    }
    if let Some(byte) = harm.corrupt.and_then(|at| body.get_mut(at)) {
        *byte ^= 1;
    }
    if harm.truncate {
        body.pop();
    }
    let dropped = ["connection:", "transfer-encoding:"];
    let mut lines: Vec<String> = answer
        .lines()
        .filter(|line| !dropped.iter().any(|name| line.to_ascii_lowercase().starts_with(name)))
        .filter(|line| method == "HEAD" || !line.to_ascii_lowercase().starts_with("content-length:"))
        .map(str::to_owned)
        .collect();
    if method != "HEAD" {
        lines.push(format!("Content-Length: {}", body.len()));
    }
    if harm.relative_location {
        for line in lines.iter_mut().filter(|line| line.starts_with("Location: http")) {
            let path = line.splitn(4, '/').nth(3).unwrap_or_default();
            *line = format!("Location: /{path}");
        }
    }
    if let Some((name, value)) = harm.set {
        lines.retain(|line| {
            !line.to_ascii_lowercase().starts_with(&format!("{}:", name.to_ascii_lowercase()))
        });
        lines.extend(value.map(|value| format!("{name}: {value}")));
    }
    client.write_all(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes()).ok()?;
    if harm.drip {
        for byte in body {
            if stopped.load(Ordering::SeqCst) {
                return None;
            }
            client.write_all(&[byte]).ok()?;
            thread::sleep(Duration::from_millis(20));
        }
        return Some(());
    }
    if let Some(cut) = harm.cut_answer {
        client.write_all(&body[..cut.min(body.len())]).ok()?;
        return None;
    }
    client.write_all(&body).ok()?;
    Some(())
}

/// The bytes of a body that came in chunks.
fn unchunked(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let end = body.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&body[..end]).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(all);
        }
        all.extend_from_slice(body.get(end + 2..end + 2 + size)?);
        body = body.get(end + 4 + size..)?;
    }
}
