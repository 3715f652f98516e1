//! Google's metadata server: on their machines it gives access tokens to whoever asks, by plain HTTP on an address
//! that only the machine itself reaches.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::Duration;

use serde::Deserialize;

use super::super::Secret;

/// How long finding, reaching and asking the server may take each. It is on the machine or not there at all.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How much of an answer is read.
const ANSWER_MAX: u64 = 1 << 16;

const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

/// An access token of the machine's service account; `host` may hold a port.
pub(super) fn access_token(host: &str) -> Result<Secret, String> {
    #[derive(Deserialize)]
    struct Token {
        access_token: String,
    }
    let address = address(host).ok_or("is not known here")?;
    let answer = ask(host, address).map_err(|error| format!("does not answer: {}", error.kind()))?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("gave no HTTP answer")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    // Another server that happens to have the name does not say this.
    let is_google = head.lines().any(|line| {
        line.split_once(':').is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("metadata-flavor") && value.trim() == "Google"
        })
    });
    if status != "200" || !is_google {
        return Err(format!("gave no token (status {})", status.chars().take(3).collect::<String>()));
    }
    match serde_json::from_str(body) {
        Ok(Token { access_token }) if !access_token.is_empty() => Ok(Secret::from(access_token)),
        _ => Err("gave no token".to_owned()),
    }
}

/// The address of the server; names are looked up in a thread that may be left behind, since the system's resolver has
/// no time-out of ours.
fn address(host: &str) -> Option<SocketAddr> {
    let with_port = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let (told, heard) = mpsc::channel();
    std::thread::spawn(move || {
        let found = with_port.to_socket_addrs().ok().and_then(|mut all| all.next());
        // Nobody listens any more when it took too long.
        let _ = told.send(found);
    });
    heard.recv_timeout(TIMEOUT).ok().flatten()
}

fn ask(host: &str, address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // Version 1.0, so that the body comes as it is and the connection ends with it.
    write!(stream, "GET {PATH} HTTP/1.0\r\nHost: {host}\r\nMetadata-Flavor: Google\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(ANSWER_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}
