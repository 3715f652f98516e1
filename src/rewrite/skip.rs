//! Skip rules: which resources and containers the user wants left alone.

use std::fmt;
use std::str::FromStr;

use super::site::Site;

/// What to leave alone: everything that fits all the parts that are given.
///
/// Written as `kind=Job,name=migrate,namespace=shop,container=istio-proxy`, in any order. A value may end in
/// `*` to stand for every name that starts like it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SkipRule {
    kind: Option<String>,
    name: Option<String>,
    namespace: Option<String>,
    container: Option<String>,
}

/// Why a skip rule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "skip rule '{text}': {problem}; expected kind=…, name=…, namespace=… or container=…, separated by commas"
)]
pub struct SkipRuleError {
    text: String,
    problem: String,
}

impl FromStr for SkipRule {
    type Err = SkipRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |problem: String| SkipRuleError { text: text.to_owned(), problem };
        let mut rule = Self::default();
        for part in text.split(',').map(str::trim) {
            let (key, value) = part.split_once('=').ok_or_else(|| error(format!("no '=' in '{part}'")))?;
            let field = match key.trim() {
                "kind" => &mut rule.kind,
                "name" => &mut rule.name,
                "namespace" => &mut rule.namespace,
                "container" => &mut rule.container,
                key => return Err(error(format!("unknown key '{key}'"))),
            };
            if value.trim().is_empty() {
                return Err(error(format!("'{key}' has no value")));
            }
            if field.replace(value.trim().to_owned()).is_some() {
                return Err(error(format!("duplicate '{key}'")));
            }
        }
        Ok(rule)
    }
}

impl fmt::Display for SkipRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, namespace, container } = self;
        let parts = [("kind", kind), ("name", name), ("namespace", namespace), ("container", container)];
        let given = parts.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?)));
        for (number, (key, value)) in given.enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(f, "{comma}{key}={value}")?;
        }
        Ok(())
    }
}

impl SkipRule {
    /// Whether the rule names `site`.
    #[must_use]
    pub fn matches(&self, site: &Site) -> bool {
        let fits = |wanted: &Option<String>, value: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| {
                value.is_some_and(|value| match wanted.strip_suffix('*') {
                    Some(start) => value.starts_with(start),
                    None => value == wanted,
                })
            })
        };
        let resource = site.resource.as_deref();
        fits(&self.kind, resource.map(|r| r.kind.as_str()))
            && fits(&self.name, resource.and_then(|r| r.name.as_deref()))
            && fits(&self.namespace, resource.and_then(|r| r.namespace.as_deref()))
            && (fits(&self.container, site.container.as_deref())
                || site.other_containers.iter().any(|name| fits(&self.container, Some(name))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_with_a_rule() {
        for (text, problem) in [
            ("", "no '=' in ''"),
            ("kind", "no '=' in 'kind'"),
            ("kind=", "'kind' has no value"),
            ("colour=red", "unknown key 'colour'"),
            ("kind=Job,kind=Pod", "duplicate 'kind'"),
            ("kind=Job,", "no '=' in ''"),
        ] {
            let error = text.parse::<SkipRule>().unwrap_err().to_string();
            let expected = "expected kind=…, name=…, namespace=… or container=…, separated by commas";
            assert_eq!(error, format!("skip rule '{text}': {problem}; {expected}"));
        }
        let rule: SkipRule = "kind=Job, container=istio-*".parse().unwrap();
        assert_eq!(rule.to_string(), "kind=Job,container=istio-*");
    }
}
