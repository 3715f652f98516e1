//! A token server as Docker's token authentication has it: signs RS256 JWTs with `x5c`, takes GET with a
//! password and POST with a refresh token.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

use super::hostile::{Act, Asked, Server, reply};
use super::program;

pub(crate) struct TokenServer {
    pub(crate) server: Server,
    folder: TempDir,
}

impl TokenServer {
    /// Gives tokens to `user` with `password`, and for the refresh token `refresh`. `None` without openssl.
    pub(crate) fn start(user: &str, password: &str, refresh: &str) -> Option<Self> {
        let openssl = program::find("openssl")?;
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let made = Command::new(openssl)
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens"])
            .arg("-keyout")
            .arg(path("key.pem"))
            .arg("-out")
            .arg(path("cert.pem"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let key = PrivateKeyDer::from_pem_slice(&fs::read(path("key.pem")).unwrap()).unwrap();
        let key = RsaKeyPair::from_pkcs8(key.secret_der()).unwrap();
        let certificate = CertificateDer::from_pem_slice(&fs::read(path("cert.pem")).unwrap()).unwrap();
        let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        let (user, refresh) = (user.to_owned(), refresh.to_owned());
        let server = Server::start(move |asked, _| {
            let known = match asked.method.as_str() {
                "GET" => asked.header("authorization") == Some(&basic),
                "POST" => asked.text.contains(&format!("refresh_token={refresh}")),
                _ => return reply(405),
            };
            if !known {
                return reply(401).body(r#"{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}"#);
            }
            token(asked, &user, &key, &certificate)
        });
        Some(Self { server, folder })
    }

    pub(crate) fn realm(&self) -> String {
        format!("http://{}/token", self.server.host)
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }
}

fn token(asked: &Asked, user: &str, key: &RsaKeyPair, certificate: &CertificateDer) -> Act {
    let query = match asked.method.as_str() {
        "GET" => asked.path.split_once('?').map_or("", |(_, query)| query),
        _ => asked.text.split("\r\n\r\n").nth(1).unwrap_or_default(),
    };
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let scopes = pairs.iter().filter(|(name, _)| name == "scope").flat_map(|(_, value)| value.split(' '));
    let access: Vec<_> = scopes
        .filter_map(|scope| {
            let mut parts = scope.split(':');
            let (kind, name, actions) = (parts.next()?, parts.next()?, parts.next()?);
            let actions: Vec<&str> = actions.split(',').collect();
            Some(serde_json::json!({ "type": kind, "name": name, "actions": actions }))
        })
        .collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let header = serde_json::json!({ "typ": "JWT", "alg": "RS256", "x5c": [STANDARD.encode(certificate)] });
    let claims = serde_json::json!({
        "iss": "test-issuer", "sub": user, "aud": "test-registry", "exp": now + 300, "nbf": now - 10,
        "iat": now, "jti": "1", "access": access,
    });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &ring::rand::SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    let body = serde_json::json!({ "token": token, "expires_in": 300 });
    reply(200).with("Content-Type", "application/json").body(body.to_string())
}
