//! A ResourceList as text: what it must be, where its items stand, and how results are set in it.
//!
//! ```yaml
//! apiVersion: config.kubernetes.io/v1
//! kind: ResourceList
//! items: []
//! functionConfig: {apiVersion: v1, kind: ConfigMap, data: {docker.io: mirror.example.com/hub}}
//! ```

use crate::manifest::edit::Edit;
use crate::manifest::{Lines, Position, Span};

use super::config_error::{ConfigError, ConfigErrors};
use super::function_config::FunctionConfig;
use super::outline::{Kind, Outline};
use super::place::{NoPlace, set_results};
use super::result::FunctionResult;

/// The API versions that hosts send.
const API_VERSIONS: [&str; 2] = ["config.kubernetes.io/v1", "config.kubernetes.io/v1beta1"];

/// What configuration and its faults are called.
const SOURCE: &str = "functionConfig";

/// A text that is a ResourceList.
#[derive(Debug)]
pub struct ResourceList<'a> {
    text: &'a str,
    outline: Outline<'a>,
    items: Span,
}

/// Why a text is no ResourceList.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResourceListError {
    /// It does not parse.
    #[error("the input is neither YAML nor JSON: {}:{}: {message}", position.line, position.column)]
    Syntax {
        /// Where the reader stopped.
        position: Position,
        /// What it stopped at.
        message: String,
    },
    /// It is empty, or has several documents, or is no mapping.
    #[error("the input is {found}, expected one document of kind ResourceList")]
    Document {
        /// What it is.
        found: String,
    },
    /// `kind` or `apiVersion` says something else.
    #[error("the input's {key} is '{found}', expected {expected}")]
    Type {
        /// `kind` or `apiVersion`
        key: &'static str,
        /// What it says.
        found: String,
        /// What it should say.
        expected: String,
    },
    /// `items` is not there or no list.
    #[error("the ResourceList {found}, expected a list under items (it may be empty: items: [])")]
    Items {
        /// What is wrong.
        found: &'static str,
    },
    /// A top-level key stands twice.
    #[error("duplicate key '{0}' in the ResourceList")]
    Twice(String),
}

impl<'a> ResourceList<'a> {
    /// Reads `text`, in block or flow style, YAML or JSON.
    ///
    /// # Errors
    /// A text that is no ResourceList. A host cannot use what a function answers to such a text, so the answer
    /// should be nothing but the error.
    pub fn read(text: &'a str) -> Result<Self, ResourceListError> {
        let outline = Outline::read(text, Some("functionConfig")).map_err(|error| {
            let position = Lines::new(text).position(error.offset);
            ResourceListError::Syntax { position, message: error.message }
        })?;
        check_type(&outline)?;
        let mut names: Vec<&str> = outline.keys.iter().map(|key| &*key.name).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ResourceListError::Twice(twice[0].to_owned()));
        }
        let Some(key) = outline.key("items") else {
            return Err(ResourceListError::Items { found: "has no items" });
        };
        match key.value {
            Kind::Sequence(_) | Kind::Null | Kind::Alias => {}
            Kind::Scalar => return Err(ResourceListError::Items { found: "has a text for items" }),
            Kind::Mapping => return Err(ResourceListError::Items { found: "has a mapping for items" }),
        }
        let behind = outline.keys.iter().map(|k| k.span.start).filter(|&start| start >= key.span.end).min();
        let items = Span::new(key.span.end, behind.unwrap_or(text.len()));
        Ok(Self { text, outline, items })
    }

    /// Whether `text` is meant as a ResourceList: it says so, or cannot be read and has the word in it.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        match Outline::read(text, Some("functionConfig")) {
            Ok(outline) => outline.key("kind").and_then(|key| key.text.as_deref()) == Some("ResourceList"),
            Err(_) => text.contains("ResourceList"),
        }
    }

    /// The text as it was read.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The function's configuration, if there is one.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn function_config(&self) -> Result<Option<FunctionConfig>, ConfigErrors> {
        if let Some(fault) = self.outline.fault {
            let message = format!("cannot be read: {fault}");
            let error = ConfigError { source_name: SOURCE.to_owned(), line: 0, message };
            return Err(ConfigErrors(vec![error]));
        }
        match &self.outline.tree {
            None => Ok(None),
            Some(node) if node.is_null() || node.is_empty() => Ok(None),
            Some(node) => FunctionConfig::from_node(SOURCE, self.text, node).map(Some),
        }
    }

    /// Whether `span` lies within the items: nothing else of the text is ever edited but the results.
    pub(super) fn is_in_items(&self, span: Span) -> bool {
        self.items.start <= span.start && span.end <= self.items.end
    }

    /// The edit that sets `results`; those of functions before, which hosts have heard already, go.
    pub(super) fn set_results(&self, results: &[FunctionResult]) -> Result<Option<Edit>, NoPlace> {
        set_results(self.text, &self.outline, results)
    }
}

fn check_type(outline: &Outline<'_>) -> Result<(), ResourceListError> {
    let found = match outline.documents {
        0 => "empty".to_owned(),
        1 if outline.is_mapping => String::new(),
        1 => "a list or a text".to_owned(),
        _ => "several documents".to_owned(),
    };
    if !found.is_empty() {
        return Err(ResourceListError::Document { found });
    }
    let word =
        |key: &str| outline.key(key).and_then(|key| key.text.as_deref()).unwrap_or_default().to_owned();
    let kind = word("kind");
    if kind != "ResourceList" {
        let expected = "ResourceList; for plain manifests use imageswap rewrite -".to_owned();
        return Err(ResourceListError::Type { key: "kind", found: kind, expected });
    }
    let api_version = word("apiVersion");
    if !API_VERSIONS.contains(&api_version.as_str()) {
        let expected = API_VERSIONS.join(" or ");
        return Err(ResourceListError::Type { key: "apiVersion", found: api_version, expected });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_resource_lists_in_every_style() {
        for text in [
            "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []",
            "apiVersion: config.kubernetes.io/v1beta1\nkind: ResourceList\nitems:\n- kind: Pod\n",
            "\u{feff}# c\n---\nitems:\nkind: \"ResourceList\"\n'apiVersion': config.kubernetes.io/v1\n...\n",
            r#"{"apiVersion":"config.kubernetes.io/v1","kind":"ResourceList","items":[{}]}"#,
            "{apiVersion: config.kubernetes.io/v1, kind: ResourceList, items: []}\n---\n# nothing\n",
        ] {
            assert!(ResourceList::read(text).is_ok(), "{text:?}: {:?}", ResourceList::read(text).err());
            assert!(ResourceList::is_meant(text), "{text:?}");
        }
    }

    #[test]
    fn says_what_is_no_resource_list() {
        const HEAD: &str = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n";
        let cases = [
            (String::new(), "the input is empty"),
            ("# nothing\n".to_owned(), "the input is empty"),
            ("- a\n".to_owned(), "a list or a text"),
            ("a: [\n".to_owned(), "neither YAML nor JSON: 1:4"),
            (format!("{HEAD}items: []\n---\na: b\n"), "several documents"),
            ("kind: List\napiVersion: v1\nitems: []\n".to_owned(), "kind is 'List'"),
            ("kind: ResourceList\napiVersion: v1\nitems: []\n".to_owned(), "apiVersion is 'v1'"),
            (HEAD.to_owned(), "has no items"),
            (format!("{HEAD}items: {{}}\n"), "a mapping for items"),
            (format!("{HEAD}items: a\n"), "a text for items"),
            (format!("{HEAD}items: []\nitems: []\n"), "duplicate key 'items'"),
        ];
        for (text, expected) in cases {
            let error = ResourceList::read(&text).expect_err(&text).to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
        assert!(!ResourceList::is_meant("kind: Pod\nspec: {a: ResourceList}\n"));
        assert!(ResourceList::is_meant("kind: ResourceList\nitems: [\n"));
    }
}
