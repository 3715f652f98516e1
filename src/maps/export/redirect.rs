//! Which rules say "what lies under this prefix comes from that location", and nothing else.

use crate::image::DOCKER_HUB;
use crate::maps::Maps;
use crate::maps::name::NamePrefix;
use crate::maps::rule::{Rule, RuleKind};
use crate::maps::rule_value::{Piece, RuleValue};

/// What one rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redirect {
    /// The registry, or registry and path, in canonical spelling.
    pub(super) prefix: String,
    /// Where its images come from, without a `/` at the end; `None` when they stay.
    pub(super) location: Option<String>,
    /// The rule keeps `nginx` as written where the other tool asks for `library/nginx`.
    pub(super) drops_library: bool,
}

impl Redirect {
    /// The registry of the prefix, when it names a whole one.
    pub(super) fn whole_registry(&self) -> Option<&str> {
        (!self.prefix.contains('/')).then_some(self.prefix.as_str())
    }
}

/// What the note on a redirect with [`Redirect::drops_library`] says.
pub(super) const LIBRARY_NOTE: &str = "asks for library/nginx, where the rule keeps nginx as written; a value that ends in /{path} does the same in both";

/// The redirect of `rule`; or why it is none.
pub(super) fn of(rule: &Rule) -> Result<Redirect, &'static str> {
    let key = match rule.kind() {
        RuleKind::Registry | RuleKind::Path => rule.name().expect("registry and path rules have a name"),
        RuleKind::Exact => return Err("names one reference with its tag, which this format cannot express"),
        RuleKind::Replace => return Err("is a glob, which this format cannot express"),
        RuleKind::NoSwap => return Err("names parts of references, which this format cannot express"),
        RuleKind::Default => {
            return Err(
                "stands for all other registries, which this format cannot express; give each a rule of its own",
            );
        }
        RuleKind::Legacy => return Err("puts a prefix before every image, which this format cannot express"),
    };
    let is_hub = key.host == DOCKER_HUB && key.path.is_empty();
    let (location, drops_library) = match rule.parsed() {
        RuleValue::Empty => (None, false),
        RuleValue::Name { .. } => (Some(rule.value().to_owned()), is_hub),
        RuleValue::Dash => {
            let mut location = format!("{}{}", rule.value(), key.host);
            if !key.path.is_empty() {
                location.push('/');
                location.push_str(key.path);
            }
            (Some(location), is_hub)
        }
        RuleValue::Template { pieces, .. } => (Some(template(pieces, key.host, key.path)?), false),
        RuleValue::Reference | RuleValue::Substrings(_) => {
            return Err("has a value that this format cannot express");
        }
    };
    Ok(Redirect { prefix: key.canonical(), location, drops_library })
}

/// What `rule` does to the image of Docker Hub that its key names besides an organisation, unless another rule names it.
pub(super) fn of_official_image(maps: &Maps, rule: &Rule, redirect: &Redirect) -> Option<Redirect> {
    let name = rule.name().filter(|_| rule.names_official_image)?;
    let path = name.official_path();
    let image = NamePrefix { path: &path, ..name };
    let number = maps.names.most_specific(image.host, image.port, image.path)?;
    (*maps.rules[number] == *rule).then(|| Redirect { prefix: image.canonical(), ..redirect.clone() })
}

/// The location of a value with braces: all that stands before a `{path}` at its end.
fn template(pieces: &[Piece], registry: &str, path: &str) -> Result<String, &'static str> {
    const REASON: &str =
        "has braces whose meaning this format cannot express; it can express only a {path} at the end";
    let Some((Piece::Path, front)) = pieces.split_last() else { return Err(REASON) };
    let mut location = String::new();
    for piece in front {
        match piece {
            Piece::Literal(text) => location.push_str(text),
            Piece::Registry => location.push_str(registry),
            Piece::Path | Piece::Name => return Err(REASON),
        }
    }
    let Some(location) = location.strip_suffix('/') else { return Err(REASON) };
    Ok(if path.is_empty() { location.to_owned() } else { format!("{location}/{path}") })
}
