//! A small proxy as companies have them: CONNECT for https, whole URLs for plain http, and perhaps a password.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The proxy; it stops when it is dropped. It knows one host, by whatever name it is asked for.
pub(crate) struct Proxy {
    pub(crate) host: String,
    heads: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.host);
    }
}

impl Proxy {
    /// Leads to `target`; where a user and a password are given, only those who know them.
    pub(crate) fn start(target: &str, user: Option<(&str, &str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (heads, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let wanted =
            user.map(|(user, password)| format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
        let (all, stopped, target) = (Arc::clone(&heads), Arc::clone(&stop), target.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), all, target) = (stream, Arc::clone(&all), target.clone()) else { continue };
                let wanted = wanted.clone();
                thread::spawn(move || {
                    let _ = lead(stream, &target, wanted.as_deref(), &all);
                });
            }
        });
        Self { host, heads, stop }
    }

    /// The first lines of the requests that it was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        let heads = self.heads.lock().unwrap();
        heads.iter().map(|head| head.lines().next().unwrap_or_default().to_owned()).collect()
    }
}

fn lead(
    mut client: TcpStream,
    target: &str,
    wanted: Option<&str>,
    all: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    all.lock().unwrap().push(head.clone());
    let shown = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("proxy-authorization").then_some(value.trim())
    });
    if wanted.is_some() && shown != wanted {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"p\"\r\n\
                       Content-Length: 0\r\n\r\n";
        return client.write_all(refusal.as_bytes());
    }
    let mut server = TcpStream::connect(target)?;
    if head.starts_with("CONNECT ") {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    } else {
        server.write_all(head.as_bytes())?;
    }
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let upstream = thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut server, &mut client);
    let _ = client.shutdown(Shutdown::Both);
    let _ = upstream.join();
    Ok(())
}
