//! `skip`: what is left alone.

use schemars::JsonSchema;

use crate::rewrite::SkipRule;

use super::config_error::unknown_key;
use crate::manifest::tree::Node;

/// What to leave alone: everything that fits all the parts that are given. A value may end in `*`.
///
/// ```yaml
/// skip:
/// - kind=Job,name=migrate-*
/// - {namespace: kube-system}
/// - {container: istio-proxy}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the published schema is made from it")]
pub enum Skip {
    /// `kind=…,name=…,namespace=…,container=…`
    Text(String),
    /// The same as a mapping.
    Parts(SkipParts),
}

/// The parts of a skip rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SkipParts {
    /// Kind of the resource.
    pub kind: Option<String>,
    /// Name of the resource.
    pub name: Option<String>,
    /// Namespace of the resource.
    pub namespace: Option<String>,
    /// Name of the container.
    pub container: Option<String>,
}

const PARTS: [&str; 4] = ["kind", "name", "namespace", "container"];

/// The skip rules that `node` holds: a text (a rule a line), a mapping, or a list of both.
pub(super) fn rules(node: &Node<'_>) -> Result<Vec<SkipRule>, String> {
    match node {
        Node::Sequence(nodes) => nodes.iter().map(rule).collect(),
        Node::Scalar(_) => match node.text() {
            None => Ok(Vec::new()),
            Some(text) => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                lines.map(|line| line.parse().map_err(|e| format!("{e}"))).collect()
            }
        },
        Node::Mapping(_) => Ok(vec![rule(node)?]),
    }
}

fn rule(node: &Node<'_>) -> Result<SkipRule, String> {
    let pairs = match node {
        Node::Mapping(pairs) => pairs,
        Node::Scalar(_) | Node::Sequence(_) => {
            let text = node.text().ok_or_else(|| format!("a skip rule is {}", node.what()))?;
            return text.parse().map_err(|error| format!("{error}"));
        }
    };
    let mut parts = Vec::new();
    for (key, value) in pairs {
        if !PARTS.contains(&&*key.value) {
            return Err(unknown_key(&key.value, &PARTS));
        }
        let value =
            value.text().ok_or_else(|| format!("{} is {}, expected a text", key.value, value.what()))?;
        if value.contains([',', '=']) {
            return Err(format!("{} is '{value}', which no such thing is called", key.value));
        }
        parts.push(format!("{}={value}", key.value));
    }
    parts.join(",").parse().map_err(|error| format!("{error}"))
}
