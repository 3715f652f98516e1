//! A document, or a part of one, as a tree: what configurations are read from. Aliases are followed, and `<<` is
//! merged. Keys keep their order and their place, and scalars their text: `5` and `true` are what they look
//! like as strings, too.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::event::{AnchorId, Event, Scalar, Sink, Tag};
use super::path::{FieldPath, Segment};
use super::{ParseError, ScalarStyle, Span, json, yaml};

/// How many nodes a tree may have once its aliases are followed.
const NODES_MAX: usize = 200_000;

/// How deep a tree may be, as that of YAML: what walks it does so on the stack, and JSON may be nested deeper.
const DEPTH_MAX: usize = 255;

/// A node of the tree.
#[derive(Debug, Clone)]
pub enum Node<'a> {
    /// One text.
    Scalar(Scalar<'a>),
    /// A list.
    Sequence(Vec<Node<'a>>),
    /// Keys and values. Keys that are lists or mappings are left out.
    Mapping(Vec<(Scalar<'a>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// Whether nothing is said: an empty node, `null` or `~`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        let Self::Scalar(scalar) = self else { return false };
        scalar.style == ScalarStyle::Plain
            && scalar.tag != Tag::Str
            && matches!(&*scalar.value, "" | "~" | "null" | "Null" | "NULL")
    }

    /// Whether it is a mapping or list of nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Scalar(_) => false,
            Self::Sequence(items) => items.is_empty(),
            Self::Mapping(pairs) => pairs.is_empty(),
        }
    }

    /// What it is, in words.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match self {
            Self::Scalar(_) if self.is_null() => "nothing",
            Self::Scalar(_) => "a text",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }

    /// The text of a scalar that says something.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar(scalar) if !self.is_null() => Some(&scalar.value),
            Self::Scalar(_) | Self::Sequence(_) | Self::Mapping(_) => None,
        }
    }

    /// The value of a mapping's first key of that name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        match self {
            Self::Mapping(pairs) => pairs.iter().find(|(k, _)| k.value == key).map(|(_, node)| node),
            Self::Scalar(_) | Self::Sequence(_) => None,
        }
    }

    /// Hands every scalar but keys to `visit`, with the way to it, in the order of the document.
    pub fn each_scalar(&self, visit: &mut impl FnMut(&Scalar<'a>, &FieldPath)) {
        self.scalars_below(&mut FieldPath::default(), visit);
    }

    fn scalars_below(&self, path: &mut FieldPath, visit: &mut impl FnMut(&Scalar<'a>, &FieldPath)) {
        match self {
            Node::Scalar(scalar) => visit(scalar, path),
            Node::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(Segment::Index(index));
                    item.scalars_below(path, visit);
                    path.pop();
                }
            }
            Node::Mapping(pairs) => {
                for (key, value) in pairs {
                    path.push(Segment::Key(&key.value));
                    value.scalars_below(path, visit);
                    path.pop();
                }
            }
        }
    }
}

/// A tree and what is wrong with it.
#[derive(Debug, Default)]
pub struct Tree<'a> {
    /// The root; `None` when there is nothing, or too much.
    pub root: Option<Node<'a>>,
    /// What no configuration has: an alias of nothing, a key that is no text. The tree is without it.
    pub fault: Option<&'static str>,
}

/// Reads `text`, YAML or JSON: a tree for each document that is not empty.
///
/// # Errors
/// What is neither YAML nor JSON.
pub fn read(text: &str) -> Result<Vec<Tree<'_>>, ParseError> {
    let mut trees = Vec::new();
    read_each(text, |tree| trees.push(tree))?;
    Ok(trees)
}

/// As [`read`], with the trees handed to `visit` one by one: of a stream of many documents only one is held. What was
/// visited of a text that turns out to be neither YAML nor JSON means nothing.
///
/// # Errors
/// What is neither YAML nor JSON.
pub(super) fn read_each<'a>(text: &'a str, visit: impl FnMut(Tree<'a>)) -> Result<(), ParseError> {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let whole = Span::new(start, text.len());
    if text[start..].trim_start().starts_with(['{', '[']) {
        // It may still turn out to be YAML.
        let mut trees = Vec::new();
        let mut documents = Documents::new(|tree| trees.push(tree));
        if json::read(text, whole, &mut documents).is_ok() {
            documents.document_start();
            trees.into_iter().for_each(visit);
            return Ok(());
        }
    }
    let mut documents = Documents::new(visit);
    yaml::read(text, whole, &mut documents)?;
    documents.document_start();
    Ok(())
}

/// Builds a tree from each document's events, and hands it over when the next begins.
struct Documents<'a, F> {
    visit: F,
    builder: Builder<'a>,
}

impl<'a, F: FnMut(Tree<'a>)> Documents<'a, F> {
    fn new(visit: F) -> Self {
        Self { visit, builder: Builder::default() }
    }
}

impl<'a, F: FnMut(Tree<'a>)> Sink<'a> for Documents<'a, F> {
    fn document_start(&mut self) {
        let tree = std::mem::take(&mut self.builder).finish();
        // An empty node is how an empty document shows.
        let is_empty = matches!(&tree.root, Some(Node::Scalar(s)) if s.span.start == s.span.end);
        if (tree.root.is_some() || tree.fault.is_some()) && !is_empty {
            (self.visit)(tree);
        }
    }

    fn event(&mut self, event: Event<'a>) {
        self.builder.event(&event);
    }
}

/// An open collection.
#[derive(Debug)]
struct Open<'a> {
    anchor: Option<AnchorId>,
    collection: Collection<'a>,
}

#[derive(Debug)]
enum Collection<'a> {
    Sequence(Vec<Node<'a>>),
    Mapping(Vec<(Scalar<'a>, Node<'a>)>, Key<'a>),
}

/// What the next node of a mapping is.
#[derive(Debug)]
enum Key<'a> {
    /// A key.
    Next,
    /// The value of this key.
    Scalar(Scalar<'a>),
    /// The value of a key that is no text.
    Other,
}

/// Builds a tree from the events of one node.
#[derive(Debug, Default)]
pub struct Builder<'a> {
    open: Vec<Open<'a>>,
    anchors: FxHashMap<AnchorId, Node<'a>>,
    nodes: usize,
    root: Option<Node<'a>>,
    fault: Option<&'static str>,
    /// It is so large that no more is taken.
    is_full: bool,
}

impl<'a> Builder<'a> {
    /// Takes the next event.
    pub fn event(&mut self, event: &Event<'a>) {
        if self.is_full {
            return;
        }
        match event {
            Event::Scalar(scalar) => self.node(Node::Scalar(scalar.clone()), scalar.anchor),
            Event::SequenceStart { anchor, .. } => {
                self.open(*anchor, Collection::Sequence(Vec::new()));
            }
            Event::MappingStart { anchor, .. } => {
                self.open(*anchor, Collection::Mapping(Vec::new(), Key::Next));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { anchor, collection }) = self.open.pop() else { return };
                let node = match collection {
                    Collection::Sequence(items) => Node::Sequence(items),
                    Collection::Mapping(pairs, _) => Node::Mapping(merged(pairs)),
                };
                self.node(node, anchor);
            }
            Event::Alias { anchor, span } => {
                let node = anchor.and_then(|anchor| self.anchors.get(&anchor));
                let Some(node) = node else {
                    self.fault = Some("it uses an alias whose anchor is not defined");
                    let nothing = Scalar::bare("".into(), *span, span.start, ScalarStyle::Plain);
                    return self.node(Node::Scalar(nothing), None);
                };
                self.nodes += size(node);
                if self.nodes > NODES_MAX {
                    self.fault = Some("its aliases lead to too many places");
                    self.is_full = true;
                    return;
                }
                let node = node.clone();
                self.node(node, None);
            }
        }
    }

    fn open(&mut self, anchor: Option<AnchorId>, collection: Collection<'a>) {
        if self.open.len() == DEPTH_MAX {
            self.fault = Some("it is nested too deep");
            self.is_full = true;
            return;
        }
        self.open.push(Open { anchor, collection });
    }

    fn node(&mut self, node: Node<'a>, anchor: Option<AnchorId>) {
        self.nodes += 1;
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.collection) {
            None => self.root = Some(node),
            Some(Collection::Sequence(items)) => items.push(node),
            Some(Collection::Mapping(pairs, key)) => match (std::mem::replace(key, Key::Next), node) {
                (Key::Scalar(key), node) => pairs.push((key, node)),
                (Key::Other, _) => {}
                (Key::Next, Node::Scalar(scalar)) => *key = Key::Scalar(scalar),
                (Key::Next, Node::Sequence(_) | Node::Mapping(_)) => {
                    *key = Key::Other;
                    self.fault = Some("it has a key that is a list or a mapping");
                }
            },
        }
    }

    /// The tree of the events so far.
    #[must_use]
    pub fn finish(self) -> Tree<'a> {
        Tree { root: self.root.filter(|_| !self.is_full), fault: self.fault }
    }
}

fn size(node: &Node<'_>) -> usize {
    match node {
        Node::Scalar(_) => 1,
        Node::Sequence(items) => 1 + items.iter().map(size).sum::<usize>(),
        Node::Mapping(pairs) => 1 + pairs.iter().map(|(_, node)| 1 + size(node)).sum::<usize>(),
    }
}

/// The pairs with those that `<<` brings, where the mapping does not have them itself.
fn merged<'a>(pairs: Vec<(Scalar<'a>, Node<'a>)>) -> Vec<(Scalar<'a>, Node<'a>)> {
    let is_merge = |key: &Scalar<'_>| key.value == "<<" && key.style == ScalarStyle::Plain;
    if !pairs.iter().any(|(key, _)| is_merge(key)) {
        return pairs;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(key, _)| is_merge(key));
    let mut known: FxHashSet<Cow<'a, str>> = own.iter().map(|(key, _)| key.value.clone()).collect();
    for (_, source) in merges {
        let sources = match source {
            Node::Sequence(sources) => sources,
            Node::Scalar(_) | Node::Mapping(_) => vec![source],
        };
        for source in sources {
            let Node::Mapping(pairs) = source else { continue };
            for (key, node) in pairs {
                if known.insert(key.value.clone()) {
                    own.push((key, node));
                }
            }
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(text: &str) -> Vec<Node<'_>> {
        read(text).unwrap().into_iter().filter_map(|tree| tree.root).collect()
    }

    #[test]
    fn follows_aliases_and_merges() {
        let text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: [&s t, *s]\n";
        let [root] = &roots(text)[..] else { panic!() };
        let b = root.get("b").unwrap();
        assert_eq!([b.get("x").unwrap().text(), b.get("y").unwrap().text()], [Some("1"), Some("3")]);
        let Some(Node::Sequence(items)) = root.get("c") else { panic!() };
        assert_eq!(items[1].text(), Some("t"));
    }

    #[test]
    fn has_a_tree_for_each_document() {
        assert_eq!(roots("---\n# nothing\n---\na: 1\n---\n- b\n").len(), 2);
        assert_eq!(roots("{\"a\": 1}").len(), 1);
        assert!(read("a: [").is_err());
    }

    #[test]
    fn takes_nothing_that_is_too_deep_to_walk() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&nested(DEPTH_MAX)).unwrap()[0].root.is_some());
        let deep = nested(DEPTH_MAX + 1);
        let tree = &read(&deep).unwrap()[0];
        assert!(tree.root.is_none() && tree.fault == Some("it is nested too deep"));
    }

    #[test]
    fn names_what_no_configuration_has() {
        for (text, fault) in
            [("a: *b", "an alias whose anchor"), ("? [a]\n: b\nc: d", "a key that is a list")]
        {
            let trees = read(text).unwrap();
            assert!(trees[0].fault.unwrap().contains(fault), "{text}");
            assert!(trees[0].root.is_some(), "{text}");
        }
        let bomb: String = (1..12).fold("a0: &a0 [x, x, x, x]\n".to_owned(), |text, n| {
            let alias = format!("*a{}", n - 1);
            format!("{text}a{n}: &a{n} [{alias}, {alias}, {alias}, {alias}]\n")
        });
        let trees = read(&bomb).unwrap();
        assert!(trees[0].fault.unwrap().contains("too many") && trees[0].root.is_none());
    }
}
