//! How a registry wants to be logged in to: its `WWW-Authenticate` headers (RFC 9110, 11.6.1).

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// What a registry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Nothing: it is open to anyone.
    Open,
    /// User and password in each request.
    Basic,
    /// A token of a token server.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

/// The best of the challenges in all headers, a token before a password; `None` when there is none that is
/// known.
pub(super) fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let mut best = None;
    for (scheme, parameters) in values.flat_map(parse) {
        let parameter = |name: &str| {
            let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        if scheme.eq_ignore_ascii_case("bearer") {
            if let Some(realm) = parameter("realm") {
                return Some(Challenge::Bearer {
                    realm,
                    service: parameter("service"),
                    scope: parameter("scope"),
                });
            }
        } else if scheme.eq_ignore_ascii_case("basic") {
            best = Some(Challenge::Basic);
        }
    }
    best
}

type Parameters = Vec<(String, String)>;

/// Reads one header, which may hold several challenges. What cannot be read ends it.
fn parse(header: &str) -> Vec<(String, Parameters)> {
    let mut found: Vec<(String, Parameters)> = Vec::new();
    let mut rest = header.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (word, after) = token(rest);
        if word.is_empty() {
            break;
        }
        let after = after.trim_start();
        match (after.strip_prefix('='), found.last_mut()) {
            // `name = value` of the challenge before it; a `=` after a scheme is the padding of a token68.
            (Some(value), Some((_, parameters))) => {
                let Some((text, after)) = value_of(value.trim_start()) else { break };
                parameters.push((word.to_owned(), text));
                rest = after;
            }
            (Some(_), None) => break,
            (None, _) => {
                found.push((word.to_owned(), Vec::new()));
                rest = after;
            }
        }
        rest = rest.trim_start_matches([' ', '\t', ',']);
    }
    found
}

fn token(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)));
    text.split_at(end.unwrap_or(text.len()))
}

/// A token or a quoted string.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        // Some servers leave out the quotes round URLs.
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Some(Challenge::Bearer { realm: realm.to_owned(), service: owned(service), scope: owned(scope) })
    }

    #[test]
    fn challenges() {
        for (name, headers, want) in [
            ("none", &[] as &[&str], None),
            ("basic", &["Basic realm=\"r\""], Some(Challenge::Basic)),
            ("basic without realm", &["basic"], Some(Challenge::Basic)),
            (
                "bearer",
                &["Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x:pull,push\""],
                bearer("https://a/t", Some("s"), Some("repository:x:pull,push")),
            ),
            (
                "case and spaces",
                &["BEARER  Realm = \"https://a/t\" , SERVICE=s"],
                bearer("https://a/t", Some("s"), None),
            ),
            ("no quotes", &["Bearer realm=https://a/t,service=s"], bearer("https://a/t", Some("s"), None)),
            ("escapes", &[r#"Bearer realm="https://a/\"t""#], bearer("https://a/\"t", None, None)),
            (
                "in a second header",
                &["Negotiate", "Bearer realm=\"https://a/t\""],
                bearer("https://a/t", None, None),
            ),
            (
                "second in one header",
                &["Basic realm=\"r\", Bearer realm=\"https://a/t\""],
                bearer("https://a/t", None, None),
            ),
            (
                "bearer before basic",
                &["Bearer realm=\"https://a/t\"", "Basic realm=\"r\""],
                bearer("https://a/t", None, None),
            ),
            ("token68", &["Negotiate YII=", "Basic realm=r"], Some(Challenge::Basic)),
            ("unknown", &["Digest realm=\"r\""], None),
            ("bearer without realm", &["Bearer service=\"s\""], None),
            ("open quote", &["Bearer realm=\"https://a"], None),
            ("rubbish", &["=,=,\"", ",,,"], None),
        ] {
            let mut map = HeaderMap::new();
            for header in headers {
                map.append(WWW_AUTHENTICATE, header.parse().unwrap());
            }
            assert_eq!(challenge(&map), want, "{name}");
        }
    }
}
