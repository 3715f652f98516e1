//! Rules that are read as something else than they look like: mistyped keywords, ports that no registry has, values that
//! name no registry, single names of Docker Hub.

use super::finding::{Finding, FindingCode, Severity, finding};
use super::rule::{Rule, RuleKind};
use super::rule_value::{Piece, RuleValue};
use crate::image::DOCKER_HUB;

/// The keys that are words and no registries.
const KEYWORDS: [&str; 2] = ["default", "noswap_wildcards"];

/// The keyword that `key` was most likely meant to be.
pub(super) fn keyword(key: &str) -> Option<&'static str> {
    let key = key.to_ascii_lowercase();
    KEYWORDS.into_iter().find(|word| strsim::osa_distance(&key, word) <= word.len() / 4)
}

/// What is suspicious about a rule.
pub(super) fn suspicions(rule: &Rule) -> impl Iterator<Item = Finding> {
    [mistyped(rule), port(rule), no_registry(rule), bare_registry(rule), single_name(rule)]
        .into_iter()
        .flatten()
}

/// `Default::m.io`: a word with an upper-case letter is a registry.
fn mistyped(rule: &Rule) -> Option<Finding> {
    let name = rule.name().filter(|name| name.path.is_empty() && name.port.is_none())?;
    let word = keyword(name.host)?;
    let message = format!("{} is read as a registry; did you mean {word}?", rule.key());
    Some(finding(rule, Severity::Warning, FindingCode::Keyword, message))
}

fn port(rule: &Rule) -> Option<Finding> {
    let names = [rule.name(), rule.target()];
    let port = names.into_iter().flatten().find_map(|name| {
        let port = name.port?;
        (!port.parse::<u16>().is_ok_and(|port| port > 0)).then_some(port)
    })?;
    let message = format!("no registry has the port {port}: ports go from 1 to 65535");
    Some(finding(rule, Severity::Warning, FindingCode::Port, message))
}

/// `quay.io::mirror` and `default::{path}`: what names no registry is on Docker Hub.
fn no_registry(rule: &Rule) -> Option<Finding> {
    if matches!(rule.kind(), RuleKind::Exact | RuleKind::NoSwap | RuleKind::Legacy) {
        return None;
    }
    let target_has_registry = rule.target().is_none_or(|target| target.has_registry);
    let message = match &rule.parsed {
        RuleValue::Name { .. } if !target_has_registry => {
            let value = rule.value();
            format!(
                "{value} is no registry, and the images become Docker Hub's; if that is meant, write docker.io/{value}"
            )
        }
        RuleValue::Template { pieces, .. } => {
            let named = match pieces.first() {
                Some(Piece::Registry) => true,
                Some(Piece::Literal(_)) => target_has_registry,
                Some(Piece::Path | Piece::Name) | None => false,
            };
            if named {
                return None;
            }
            "the value names no registry, and the images become Docker Hub's; if that is meant, write docker.io/ before it"
                .to_owned()
        }
        RuleValue::Name { .. }
        | RuleValue::Dash
        | RuleValue::Empty
        | RuleValue::Reference
        | RuleValue::Substrings(_) => {
            return None;
        }
    };
    Some(finding(rule, Severity::Warning, FindingCode::NoRegistry, message))
}

/// `[EXACT]nginx::m.io` is the image `m.io` of Docker Hub: such a value is a whole image.
fn bare_registry(rule: &Rule) -> Option<Finding> {
    let value = rule.value();
    let name = value.split([':', '@']).next().filter(|name| name.contains('.') && !value.contains('/'))?;
    if rule.kind() != RuleKind::Exact {
        return None;
    }
    let message = format!(
        "{value} is the image docker.io/library/{value}; if {name} is a registry, write the whole image: {name}/team/app:1"
    );
    Some(finding(rule, Severity::Warning, FindingCode::NoRegistry, message))
}

/// `docker.io/nginx::…` is the image and the organisation.
fn single_name(rule: &Rule) -> Option<Finding> {
    let name = rule.name().filter(|name| name.host == DOCKER_HUB && !name.path.contains('/'))?;
    let path = name.path;
    if path.is_empty() || path == "library" {
        return None;
    }
    let message = format!(
        "names the image {path} and what lies under {path}/ on Docker Hub; a rule for docker.io/library/{path} wins over it for the image"
    );
    Some(finding(rule, Severity::Hint, FindingCode::SingleName, message))
}

#[cfg(test)]
mod tests {
    use super::super::lint::lint;
    use super::super::text::MapsText;

    #[test]
    fn findings() {
        for (text, want) in [
            ("Default::m.io", &["keyword"][..]),
            ("Noswap_wildcards::m.io", &[]),
            ("quay.io:99999::m.io", &["port"]),
            ("quay.io::m.io:0", &["port"]),
            ("quay.io:65535::m.io:1", &[]),
            ("default::{path}", &["no-registry"]),
            ("default::{registry}/{path}", &[]),
            ("default::m.io/{path}", &[]),
            ("quay.io::reg", &["no-registry"]),
            ("[EXACT]nginx::m.io", &["no-registry"]),
            ("[EXACT]nginx::m.io:5000", &["no-registry"]),
            ("[EXACT]nginx::nginx:1.27", &[]),
            ("[EXACT]nginx::m.io/nginx", &[]),
            ("quay.io::docker.io/reg", &[]),
            ("docker.io/nginx::m.io/nginx", &["single-name"]),
            ("docker.io/library::m.io/library", &[]),
            ("docker.io/library/nginx::m.io/nginx", &[]),
            ("default::m.io/{name}", &["same-name"]),
        ] {
            let report = lint(&[MapsText::new("maps", text)]);
            let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
            let others = ["at-target", "invalid-result", "library"];
            let codes: Vec<&str> = codes.into_iter().filter(|code| !others.contains(code)).collect();
            assert_eq!(codes, want, "{text}: {report:?}");
        }
    }

    #[test]
    fn mistyped_keywords_are_named() {
        for (key, want) in [
            ("noswap_wildcard", Some("noswap_wildcards")),
            ("no_swap_wildcards", Some("noswap_wildcards")),
            ("defualt", Some("default")),
            ("DEFAULT", Some("default")),
            ("mirror", None),
            ("localhost", None),
        ] {
            assert_eq!(super::keyword(key), want, "{key}");
        }
    }
}
