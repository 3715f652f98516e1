//! What stands before the names of many images at once: registries and repositories that a chart sets in one place.

use rustc_hash::FxHashMap;

use super::defaults::{Defaults, GLOBAL_REGISTRY};
use super::values::GroupPart;
use crate::manifest::template::is_registry;
use crate::manifest::tree::Node;

/// What stands before the names of many images. It is looked up once, however many images there are.
#[derive(Debug)]
pub(super) struct BeforeNames<'v> {
    /// A registry that goes before that of each image, if one is set.
    pub(super) global_registry: Option<GroupPart<'v>>,
    own: ChartDefaults<'v>,
    /// By the keys of the charts that this one depends on.
    of_dependencies: FxHashMap<&'v str, ChartDefaults<'v>>,
}

/// What the images of one chart have that do not say it themselves.
#[derive(Debug)]
pub(super) struct ChartDefaults<'v> {
    pub(super) registry: Option<GroupPart<'v>>,
    pub(super) repository: Option<GroupPart<'v>>,
}

impl<'v> BeforeNames<'v> {
    /// What the values `root` say that come on top of `defaults`.
    pub(super) fn new(root: &'v Node<'v>, defaults: &'v Defaults) -> Self {
        let values = Values::new(root, defaults);
        let global = match &defaults.global_registry {
            Some((value, becomes)) => {
                Some(GroupPart::Elsewhere { value: value.clone(), becomes: becomes.clone() })
            }
            None => values.first_of(None, &GLOBAL_REGISTRY),
        };
        let of_chart = |chart: Option<&str>| ChartDefaults {
            registry: values
                .first_of(chart, &[&["defaultImageRegistry"], &["defaultRegistry"], &["imageRegistry"]])
                .filter(|part| is_registry(part.value())),
            repository: values.first_of(chart, &[&["defaultImageRepository"], &["defaultRepository"]]),
        };
        Self {
            global_registry: global.filter(|part| is_registry(part.value())),
            own: of_chart(None),
            of_dependencies: (defaults.dependencies.iter())
                .map(|chart| (chart.as_str(), of_chart(Some(chart))))
                .collect(),
        }
    }

    /// What holds for the images of the chart whose values are at `path`, which is empty for the chart itself.
    pub(super) fn of_chart(&self, path: &[String]) -> Option<&ChartDefaults<'v>> {
        match path.first() {
            Some(chart) => self.of_dependencies.get(chart.as_str()),
            None => Some(&self.own),
        }
    }
}

/// All values, those of the file first.
struct Values<'v> {
    top: FxHashMap<&'v str, &'v Node<'v>>,
    defaults: &'v Defaults,
}

impl<'v> Values<'v> {
    fn new(root: &'v Node<'v>, defaults: &'v Defaults) -> Self {
        let mut top = FxHashMap::default();
        if let Node::Mapping(pairs) = root {
            for (key, node) in pairs {
                top.entry(&*key.value).or_insert(node);
            }
        }
        Self { top, defaults }
    }

    /// What the first of these paths, in the values of `chart`, says that says something.
    fn first_of(&self, chart: Option<&str>, paths: &[&[&str]]) -> Option<GroupPart<'v>> {
        paths.iter().find_map(|keys| {
            let path: Vec<String> = chart.iter().chain(keys.iter()).map(|key| (*key).to_owned()).collect();
            let (first, rest) = path.split_first()?;
            let mut node = self.top.get(first.as_str()).copied();
            for key in rest {
                node = node.and_then(|node| node.get(key));
            }
            match node {
                Some(node @ Node::Scalar(scalar)) if !node.is_null() && !scalar.value.is_empty() => {
                    Some(GroupPart::Own(scalar))
                }
                Some(_) => None,
                None => {
                    self.defaults.get(&path).filter(|(value, _)| !value.is_empty()).map(|(value, becomes)| {
                        GroupPart::Elsewhere { value: value.clone(), becomes: becomes.clone() }
                    })
                }
            }
        })
    }
}
