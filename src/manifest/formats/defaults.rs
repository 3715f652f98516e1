//! What stands behind a chart's values file: the chart's own values, and those of the charts that it depends on.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::manifest::tree::{self, Node};

/// The files of a chart, as far as its values are about them.
#[derive(Debug, Clone, Default)]
pub struct Chart {
    /// `Chart.yaml`
    pub metadata: String,
    /// `values.yaml`
    pub values: Option<String>,
    /// Further values, which come on top of these: `values-prod.yaml`.
    pub more_values: Vec<String>,
    /// The texts under `templates/`.
    pub templates: Vec<String>,
    /// The charts that lie unpacked in `charts/`.
    pub charts: Vec<Chart>,
    /// The chart in whose `charts/` it lies, with no more of the charts there than their metadata.
    pub parent: Option<Box<Chart>>,
}

/// A chart that another depends on.
pub(super) struct Dependency {
    pub(super) name: String,
    /// The key of its values in those of the chart that depends on it.
    pub(super) key: String,
}

impl Chart {
    /// The value of a key of `Chart.yaml`.
    fn says(&self, key: &str) -> Option<String> {
        let trees = tree::read(&self.metadata).ok()?;
        trees.first()?.root.as_ref()?.get(key)?.text().map(str::to_owned)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.says("name").unwrap_or_default()
    }

    /// The charts it depends on: those that `Chart.yaml` names, and those that lie in `charts/` without being named.
    pub(super) fn dependencies(&self) -> Vec<Dependency> {
        let mut found = Vec::new();
        let trees = tree::read(&self.metadata).unwrap_or_default();
        let root = trees.first().and_then(|tree| tree.root.as_ref());
        if let Some(Node::Sequence(items)) = root.and_then(|root| root.get("dependencies")) {
            for item in items {
                let Some(name) = item.get("name").and_then(Node::text) else { continue };
                let key = item.get("alias").and_then(Node::text).unwrap_or(name).to_owned();
                found.push(Dependency { name: name.to_owned(), key });
            }
        }
        for name in self.charts.iter().map(Self::name) {
            if !found.iter().any(|known| known.name == name) {
                found.push(Dependency { key: name.clone(), name });
            }
        }
        found
    }
}

/// Values that a values file comes on top of, before and after they are rewritten.
#[derive(Debug, Default)]
pub struct Defaults {
    known: FxHashMap<Vec<String>, (String, String)>,
    /// The keys of charts whose values are not here.
    unknown: FxHashSet<String>,
    /// The keys of all charts that this one depends on.
    pub(super) dependencies: FxHashSet<String>,
    /// The texts of the chart's templates.
    pub(super) templates: Vec<String>,
    /// The registry, before and after, that charts around this one put before all images, whatever its own values say. Empty
    /// where they say that there is none.
    pub(super) global_registry: Option<(String, String)>,
    /// Registries that stand there in further values, which are used or not.
    pub(super) other_registries: Vec<(String, String)>,
}

/// Where charts have a registry for all images, for themselves and the charts that they depend on.
pub(super) const GLOBAL_REGISTRY: [&[&str]; 3] =
    [&["global", "imageRegistry"], &["global", "image", "registry"], &["global", "registry"]];

/// The text of [`GLOBAL_REGISTRY`] in values; `None` where they do not say.
fn global_registry(values: &str) -> Option<String> {
    let root = tree::read(values).ok()?.into_iter().next()?.root?;
    GLOBAL_REGISTRY.iter().find_map(|keys| {
        let node = keys.iter().try_fold(&root, |node, key| node.get(key))?;
        match node {
            Node::Scalar(_) => Some(node.text().unwrap_or_default().to_owned()),
            Node::Sequence(_) | Node::Mapping(_) => None,
        }
    })
}

/// [`global_registry`] before and after.
fn global_registries(
    values: &str,
    chart: &Chart,
    rewrite: &mut dyn FnMut(&str, &Chart) -> String,
) -> Option<(String, String)> {
    let before = global_registry(values)?;
    let after = if before.is_empty() { String::new() } else { global_registry(&rewrite(values, chart))? };
    Some((before, after))
}

impl Defaults {
    /// Those of the values of `chart`: of its `values.yaml` (unless that is the file itself: `is_own`), and of the charts
    /// that it depends on. `rewrite` says what a values file of a chart becomes.
    pub fn of(chart: &Chart, is_own: bool, rewrite: &mut dyn FnMut(&str, &Chart) -> String) -> Self {
        let mut defaults = Self { templates: chart.templates.clone(), ..Self::default() };
        let around = std::iter::successors(chart.parent.as_deref(), |chart| chart.parent.as_deref());
        for parent in around {
            if let Some(values) = &parent.values
                && let Some(registries) = global_registries(values, parent, rewrite)
            {
                // The outermost decides.
                defaults.global_registry = Some(registries);
            }
            for values in &parent.more_values {
                defaults.other_registries.extend(global_registries(values, parent, rewrite));
            }
        }
        if is_own {
            for values in &chart.more_values {
                defaults.other_registries.extend(global_registries(values, chart, rewrite));
            }
        }
        defaults.other_registries.retain(|(before, _)| !before.is_empty());
        defaults.other_registries.sort();
        defaults.other_registries.dedup();
        if let Some(values) = chart.values.as_ref().filter(|_| !is_own) {
            defaults.add(&[], values, &rewrite(values, chart));
        }
        let charts: FxHashMap<String, &Chart> =
            chart.charts.iter().rev().map(|chart| (chart.name(), chart)).collect();
        for dependency in chart.dependencies() {
            match charts.get(&dependency.name) {
                Some(other) => {
                    if let Some(values) = &other.values {
                        defaults.add(std::slice::from_ref(&dependency.key), values, &rewrite(values, other));
                    }
                }
                None => {
                    defaults.unknown.insert(dependency.key.clone());
                }
            }
            defaults.dependencies.insert(dependency.key);
        }
        defaults
    }

    fn add(&mut self, prefix: &[String], before: &str, after: &str) {
        let root = |text| {
            tree::read(text).ok().and_then(|trees| trees.into_iter().next()).and_then(|tree| tree.root)
        };
        let (Some(before), Some(after)) = (root(before), root(after)) else { return };
        self.add_node(&mut prefix.to_vec(), &before, &after);
    }

    fn add_node(&mut self, path: &mut Vec<String>, before: &Node<'_>, after: &Node<'_>) {
        match (before, after) {
            (Node::Mapping(before), Node::Mapping(after)) => {
                // A rewrite keeps the keys and their order.
                for ((key, before), (_, after)) in before.iter().zip(after) {
                    path.push(key.value.clone().into_owned());
                    self.add_node(path, before, after);
                    path.pop();
                }
            }
            (Node::Scalar(_), Node::Scalar(_)) => {
                let text = |node: &Node<'_>| node.text().unwrap_or_default().to_owned();
                // What stands nearer was added before.
                self.known.entry(path.clone()).or_insert_with(|| (text(before), text(after)));
            }
            _ => {}
        }
    }

    /// The value at `path` before and after; empty where it says nothing.
    pub(super) fn get(&self, path: &[String]) -> Option<&(String, String)> {
        self.known.get(path)
    }

    /// The chart whose values are at `path`, and not here.
    pub(super) fn unknown_chart(&self, path: &[String]) -> Option<&str> {
        let first = path.first()?;
        self.unknown.get(first).map(String::as_str)
    }

    /// How much of `path` leads to the values of the chart it belongs to.
    pub(super) fn chart_of<'p>(&self, path: &'p [String]) -> &'p [String] {
        let is_dependency = path.first().is_some_and(|first| self.dependencies.contains(first));
        &path[..usize::from(is_dependency)]
    }
}
