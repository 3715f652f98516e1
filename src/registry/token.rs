//! Tokens of token servers (the distribution specification's token and OAuth2 flows): which realm may be asked,
//! what is sent there, what comes back.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use serde::Deserialize;
use time::OffsetDateTime;
use url::Url;

use super::answer::{Secrets, words};
use super::options::{RegistryOptions, is_loopback};
use super::retry::retry_after;
use super::transport::{
    Request, RequestFailure, Sent, Transport, host_of, printable, read_body, refusal, shown,
};
use super::{Credential, Reason, Secret};

/// What a request is sent with.
pub(super) struct Login {
    pub(super) header: Option<HeaderValue>,
    pub(super) secrets: Secrets,
    /// Where the credential came from.
    pub(super) origin: Option<String>,
    pub(super) token: Option<(TokenKey, Token)>,
}

impl Login {
    /// For what is asked of nobody in particular.
    pub(super) fn anonymous() -> Self {
        Self { header: None, secrets: Secrets::default(), origin: None, token: None }
    }
}

/// The largest answer of a token server.
const TOKEN_MAX: usize = 1024 * 1024;

/// How long a token is good that does not say it (the specification's default).
const LIFETIME: f64 = 60.0;

/// A token, and how long it may be used.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) text: Secret,
    pub(super) lifetime: Duration,
}

/// What a token is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct TokenKey {
    /// The registry's host: a credential is for it.
    pub(super) registry: String,
    pub(super) realm: String,
    pub(super) service: Option<String>,
    /// Without duplicates; what is pushed to comes first, since some token servers heed the first alone.
    pub(super) scopes: Vec<String>,
}

impl TokenKey {
    /// The realm, when a registry spoken to over `registry_scheme` may name it: over https from an https
    /// registry; plain http only where that is allowed for its host.
    pub(super) fn url(
        &self,
        registry_scheme: &str,
        options: &RegistryOptions,
    ) -> Result<Url, RequestFailure> {
        let refused = |host: String, realm: String, why| {
            Err(RequestFailure { host, reason: Reason::Realm { realm, why } })
        };
        let Ok(mut url) = Url::parse(&self.realm) else {
            return refused(self.registry.clone(), printable(&self.realm), "it is no URL");
        };
        let (host, text) = (host_of(&url), shown(&url));
        if !url.username().is_empty() || url.password().is_some() {
            return refused(host, text, "it names a user");
        }
        match (url.scheme(), registry_scheme) {
            ("https", _) => {}
            ("http", "https") => return refused(host, text, "the registry speaks https and it does not"),
            ("http", _) if is_loopback(&host) || options.named_plain(&host) => {}
            ("http", _) => return refused(host, text, "it speaks plain http, for which it is not named"),
            _ => return refused(host, text, "it is no web address"),
        }
        url.set_fragment(None);
        Ok(url)
    }

    /// Asks for the token.
    pub(super) async fn fetch(
        &self,
        transport: &Transport,
        url: &Url,
        credential: Option<&Credential>,
    ) -> Result<Token, RequestFailure> {
        let mut secrets = Secrets::default();
        let request = match credential {
            Some(Credential::IdentityToken(token)) => {
                secrets.add(token.expose());
                self.post(url, token)
            }
            Some(Credential::Basic { user, password }) => {
                secrets.add(password.expose());
                let header =
                    basic(user, password, &mut secrets).map_err(|reason| self.failed(url, reason))?;
                self.get(url, Some(header))
            }
            Some(Credential::Bearer(_)) | None => self.get(url, None),
        };
        let failed = |reason| self.failed(url, reason);
        let response = transport.send(request).await?;
        let status = response.status();
        let headers = response.headers().clone();
        if let Some(encoding) = headers.get(CONTENT_ENCODING).filter(|value| *value != "identity") {
            let encoding = printable(&String::from_utf8_lossy(encoding.as_bytes()));
            return Err(failed(Reason::Encoded { encoding: secrets.hide(&encoding) }));
        }
        let body = read_body(transport, response, TOKEN_MAX).await.map_err(failed)?;
        if status == StatusCode::UNAUTHORIZED {
            return Err(failed(Reason::Unauthorized { origin: None, answer: words(&body, &secrets) }));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            let retry_after = retry_after(&headers, OffsetDateTime::now_utc());
            return Err(failed(Reason::RateLimited { retry_after }));
        }
        if status != StatusCode::OK {
            return Err(failed(refusal(status, words(&body, &secrets))));
        }
        let token =
            parse(&body).map_err(|message| failed(Reason::BadToken { message: message.to_owned() }))?;
        Ok(token)
    }

    fn failed(&self, url: &Url, reason: Reason) -> RequestFailure {
        RequestFailure { host: host_of(url), reason }
    }

    fn get(&self, url: &Url, authorization: Option<HeaderValue>) -> Request {
        let mut url = url.clone();
        {
            let mut query = url.query_pairs_mut();
            if let Some(service) = &self.service {
                query.append_pair("service", service);
            }
            for scope in &self.scopes {
                query.append_pair("scope", scope);
            }
        }
        if url.query() == Some("") {
            url.set_query(None);
        }
        Request { method: Method::GET, url, headers: headers(), authorization, body: None }
    }

    fn post(&self, url: &Url, token: &Secret) -> Request {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token");
        form.append_pair("client_id", "imageswap");
        if let Some(service) = &self.service {
            form.append_pair("service", service);
        }
        if !self.scopes.is_empty() {
            form.append_pair("scope", &self.scopes.join(" "));
        }
        form.append_pair("refresh_token", token.expose());
        let mut headers = headers();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let body = Some(Sent::Whole(form.finish().into()));
        Request { method: Method::POST, url: url.clone(), headers, authorization: None, body }
    }
}

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
}

/// The `Authorization` of a user and a password; what it holds is added to `secrets`.
pub(super) fn basic(user: &str, password: &Secret, secrets: &mut Secrets) -> Result<HeaderValue, Reason> {
    let encoded = STANDARD.encode(format!("{user}:{}", password.expose()));
    secrets.add(password.expose());
    secrets.add(&encoded);
    sensitive(&format!("Basic {encoded}"))
}

/// The `Authorization` of a token; it is added to `secrets`.
pub(super) fn bearer(token: &Secret, secrets: &mut Secrets) -> Result<HeaderValue, Reason> {
    secrets.add(token.expose());
    sensitive(&format!("Bearer {}", token.expose()))
}

fn sensitive(text: &str) -> Result<HeaderValue, Reason> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Reason::BadToken { message: "it has characters that no header may hold".to_owned() })?;
    value.set_sensitive(true);
    Ok(value)
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<serde_json::Value>,
}

fn parse(body: &[u8]) -> Result<Token, &'static str> {
    // serde_json's own words would repeat what is in the answer.
    let answer: Answer = serde_json::from_slice(body).map_err(|_| "it is no JSON of the expected form")?;
    let token = answer.token.filter(|token| !token.is_empty()).or(answer.access_token);
    let token = token.filter(|token| !token.is_empty()).ok_or("neither token nor access_token is set")?;
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it has characters that no header may hold");
    }
    let seconds = match &answer.expires_in {
        Some(serde_json::Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_f64(),
        None => None,
    };
    let seconds =
        seconds.filter(|seconds: &f64| seconds.is_finite()).unwrap_or(LIFETIME).clamp(0.0, 86_400.0);
    // A tenth less, so that it does not expire on its way.
    Ok(Token { text: Secret::from(token), lifetime: Duration::from_secs_f64(seconds * 0.9) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(realm: &str) -> TokenKey {
        TokenKey { registry: "r.io".into(), realm: realm.into(), service: None, scopes: Vec::new() }
    }

    #[test]
    fn realms() {
        let options = RegistryOptions::default();
        for (realm, scheme, fine) in [
            ("https://auth.docker.io/token", "https", true),
            ("https://auth.docker.io/token", "http", true),
            ("http://auth.docker.io/token", "https", false),
            ("http://auth.docker.io/token", "http", false),
            ("http://127.0.0.1:5001/token", "http", true),
            ("http://127.0.0.1:5001/token", "https", false),
            ("https://user:password@auth.docker.io/token", "https", false),
            ("ftp://auth.docker.io/token", "https", false),
            ("/token", "https", false),
            ("", "https", false),
        ] {
            assert_eq!(key(realm).url(scheme, &options).is_ok(), fine, "{realm} from {scheme}");
        }
    }

    #[test]
    fn answers() {
        let lifetime = |body: &str| parse(body.as_bytes()).map(|token| token.lifetime.as_secs_f64());
        assert_eq!(lifetime(r#"{"token":"t"}"#), Ok(54.0));
        assert_eq!(lifetime(r#"{"access_token":"t","expires_in":300}"#), Ok(270.0));
        assert_eq!(lifetime(r#"{"token":"","access_token":"t","expires_in":"100"}"#), Ok(90.0));
        assert_eq!(lifetime(r#"{"token":"t","expires_in":-5}"#), Ok(0.0));
        assert_eq!(lifetime(r#"{"token":"t","expires_in":1e300}"#), Ok(77_760.0));
        assert_eq!(lifetime(r#"{"token":"t","expires_in":null}"#), Ok(54.0));
        for wrong in ["", "{}", "[]", r#"{"token":""}"#, r#"{"token":"a\nb"}"#, r#"{"token":5}"#, "<html>"] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_query_of_a_realm_is_kept() {
        let mut key = key("https://a/t?x=1");
        key.service = Some("r io".into());
        key.scopes = vec!["repository:a/b:pull".into(), "repository:c:pull".into()];
        let request = key.get(&Url::parse(&key.realm).unwrap(), None);
        assert_eq!(
            request.url.as_str(),
            "https://a/t?x=1&service=r+io&scope=repository%3Aa%2Fb%3Apull&scope=repository%3Ac%3Apull"
        );
    }
}
