//! PURE: as whom the Pods of a manifest pull their images: the pull secrets and the service account of each pod spec.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::manifest::ParseError;
use crate::manifest::tree::{self, Node};

/// The service account of a pod spec that names none.
const DEFAULT_ACCOUNT: &str = "default";

/// As whom Pods pull.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Puller {
    /// The namespace that the manifest says.
    pub namespace: Option<String>,
    /// The names of `imagePullSecrets`, as they are ordered there.
    pub secrets: Vec<String>,
    /// The service account.
    pub account: String,
}

/// A service account, as an argument names it: `NAMESPACE/NAME`, or `NAMESPACE` for the one called `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Why a text names no service account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a namespace, or a namespace and a service account, such as team or team/builder")]
pub struct ServiceAccountError;

impl FromStr for ServiceAccount {
    type Err = ServiceAccountError;

    fn from_str(text: &str) -> Result<Self, ServiceAccountError> {
        let (namespace, name) = text.split_once('/').unwrap_or((text, DEFAULT_ACCOUNT));
        if namespace.is_empty() || name.is_empty() || name.contains('/') {
            return Err(ServiceAccountError);
        }
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

impl Puller {
    /// Whoever pulls with a service account alone: `None` is the one called `default`, in the namespace that the cluster's
    /// configuration says.
    #[must_use]
    pub fn with_account(account: Option<&ServiceAccount>) -> Self {
        Self {
            namespace: account.map(|account| account.namespace.clone()),
            secrets: Vec::new(),
            account: account.map_or(DEFAULT_ACCOUNT, |account| &account.name).to_owned(),
        }
    }
}

/// The pullers of a text's pod specs: of every mapping with `containers`, in whatever kind.
///
/// # Errors
/// What is neither YAML nor JSON.
pub fn pullers(text: &str) -> Result<BTreeSet<Puller>, ParseError> {
    let trees = tree::read(text)?;
    let mut found = BTreeSet::new();
    let mut waiting: Vec<(&Node<'_>, Option<&str>)> =
        trees.iter().filter_map(|tree| Some((tree.root.as_ref()?, None))).collect();
    while let Some((node, outer)) = waiting.pop() {
        match node {
            Node::Scalar(_) => {}
            Node::Sequence(items) => waiting.extend(items.iter().map(|item| (item, outer))),
            Node::Mapping(pairs) => {
                // The metadata of a Pod's template has no namespace, nor would it count.
                let own = node.get("kind").and(node.get("metadata")).and_then(|node| node.get("namespace"));
                let namespace = own.and_then(Node::text).or(outer);
                if matches!(node.get("containers"), Some(Node::Sequence(_))) {
                    found.insert(puller(node, namespace));
                }
                waiting.extend(pairs.iter().map(|(_, value)| (value, namespace)));
            }
        }
    }
    Ok(found)
}

fn puller(spec: &Node<'_>, namespace: Option<&str>) -> Puller {
    let secrets = match spec.get("imagePullSecrets") {
        Some(Node::Sequence(items)) => items.as_slice(),
        _ => &[],
    };
    let secrets = secrets.iter().filter_map(|item| item.get("name")?.text());
    // The second is what the field was called once.
    let account = ["serviceAccountName", "serviceAccount"].into_iter().find_map(|key| spec.get(key)?.text());
    Puller {
        namespace: namespace.map(str::to_owned),
        secrets: secrets.map(str::to_owned).collect(),
        account: account.filter(|name| !name.is_empty()).unwrap_or(DEFAULT_ACCOUNT).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn puller(namespace: Option<&str>, secrets: &[&str], account: &str) -> Puller {
        Puller {
            namespace: namespace.map(str::to_owned),
            secrets: secrets.iter().map(|&name| name.to_owned()).collect(),
            account: account.to_owned(),
        }
    }

    fn read(text: &str) -> Vec<Puller> {
        pullers(text).unwrap().into_iter().collect()
    }

    #[test]
    fn pod_specs_are_found_wherever_they_stand() {
        let text = "\
kind: Pod
metadata: {name: p}
spec: {containers: [{image: a}]}
---
kind: List
items:
- kind: CronJob
  metadata: {namespace: team}
  spec:
    jobTemplate:
      spec:
        template:
          metadata: {labels: {a: b}}
          spec:
            imagePullSecrets: [{name: two}, {name: one}, {}]
            serviceAccountName: builder
            containers: []
---
kind: Rollout
metadata: {namespace: team}
spec: {template: {spec: {serviceAccount: old, containers: [{image: b}]}}}
---
kind: ServiceAccount
metadata: {name: none}
imagePullSecrets: [{name: not-of-a-pod}]
";
        assert_eq!(
            read(text),
            [
                puller(None, &[], "default"),
                puller(Some("team"), &[], "old"),
                puller(Some("team"), &["two", "one"], "builder"),
            ]
        );
    }

    #[test]
    fn service_accounts_of_arguments() {
        let read =
            |text: &str| text.parse::<ServiceAccount>().map(|account| Puller::with_account(Some(&account)));
        assert_eq!(read("team"), Ok(puller(Some("team"), &[], "default")));
        assert_eq!(read("team/builder"), Ok(puller(Some("team"), &[], "builder")));
        for wrong in ["", "/", "team/", "/builder", "a/b/c"] {
            assert_eq!(read(wrong), Err(ServiceAccountError), "{wrong}");
        }
        assert_eq!(Puller::with_account(None), puller(None, &[], "default"));
    }

    #[test]
    fn pods_that_pull_alike_are_one() {
        let pod = "kind: Pod\nmetadata: {namespace: n}\nspec: {containers: [{image: a}]}\n";
        assert_eq!(read(&format!("{pod}---\n{pod}")), [puller(Some("n"), &[], "default")]);
        assert_eq!(read(r#"{"kind": "Pod", "metadata": {}, "spec": {"containers": []}}"#).len(), 1);
        assert!(pullers("a: [").is_err());
    }
}
