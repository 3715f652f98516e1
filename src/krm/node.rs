//! A part of a document as a tree: what a function's configuration is read from. Keys keep their order and
//! their place, and scalars their text: `5` and `true` are what they look like as strings, too.

use rustc_hash::FxHashMap;

use crate::manifest::ScalarStyle;
use crate::manifest::event::{AnchorId, Event, Scalar, Tag};

/// How many nodes a configuration may have once its aliases are followed.
const MAX_NODES: usize = 200_000;

/// A node of the tree.
#[derive(Debug, Clone)]
pub(super) enum Node<'a> {
    Scalar(Scalar<'a>),
    Sequence(Vec<Node<'a>>),
    Mapping(Vec<(Scalar<'a>, Node<'a>)>),
}

impl Node<'_> {
    /// Whether nothing is said: an empty node, `null` or `~`.
    pub(super) fn is_null(&self) -> bool {
        let Self::Scalar(scalar) = self else { return false };
        scalar.style == ScalarStyle::Plain
            && scalar.tag != Tag::Str
            && matches!(&*scalar.value, "" | "~" | "null" | "Null" | "NULL")
    }

    /// Whether it is a mapping or list of nothing.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Scalar(_) => false,
            Self::Sequence(items) => items.is_empty(),
            Self::Mapping(pairs) => pairs.is_empty(),
        }
    }

    /// What it is, in words.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Scalar(_) if self.is_null() => "nothing",
            Self::Scalar(_) => "a text",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
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
    Mapping(Vec<(Scalar<'a>, Node<'a>)>, Option<Scalar<'a>>),
}

/// Builds a tree from the events of one node.
#[derive(Debug, Default)]
pub(super) struct Builder<'a> {
    open: Vec<Open<'a>>,
    anchors: FxHashMap<AnchorId, Node<'a>>,
    nodes: usize,
    root: Option<Node<'a>>,
    fault: Option<&'static str>,
}

impl<'a> Builder<'a> {
    /// Takes the next event.
    pub(super) fn event(&mut self, event: &Event<'a>) {
        if self.fault.is_some() {
            return;
        }
        match event {
            Event::Scalar(scalar) => self.node(Node::Scalar(scalar.clone()), scalar.anchor),
            Event::SequenceStart { anchor, .. } => {
                self.open(*anchor, Collection::Sequence(Vec::new()));
            }
            Event::MappingStart { anchor, .. } => {
                self.open(*anchor, Collection::Mapping(Vec::new(), None));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { anchor, collection }) = self.open.pop() else { return };
                let node = match collection {
                    Collection::Sequence(items) => Node::Sequence(items),
                    Collection::Mapping(pairs, _) => Node::Mapping(merged(pairs)),
                };
                self.node(node, anchor);
            }
            Event::Alias { anchor, .. } => match anchor.and_then(|anchor| self.anchors.get(&anchor)) {
                Some(node) => {
                    self.nodes += size(node);
                    if self.nodes > MAX_NODES {
                        self.fault = Some("its aliases lead to too many places");
                        return;
                    }
                    let node = node.clone();
                    self.node(node, None);
                }
                None => self.fault = Some("it has an alias of an anchor that does not stand in it"),
            },
        }
    }

    fn open(&mut self, anchor: Option<AnchorId>, collection: Collection<'a>) {
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
            Some(Collection::Mapping(pairs, key)) => match (key.take(), node) {
                (Some(key), node) => pairs.push((key, node)),
                (None, Node::Scalar(scalar)) => *key = Some(scalar),
                (None, Node::Sequence(_) | Node::Mapping(_)) => {
                    self.fault = Some("it has a key that is a list or a mapping");
                }
            },
        }
    }

    /// The tree; `None` when there were no events.
    ///
    /// # Errors
    /// What no configuration has.
    pub(super) fn finish(self) -> Result<Option<Node<'a>>, &'static str> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(self.root),
        }
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
    for (_, source) in merges {
        let sources = match source {
            Node::Sequence(sources) => sources,
            Node::Scalar(_) | Node::Mapping(_) => vec![source],
        };
        for source in sources {
            let Node::Mapping(pairs) = source else { continue };
            for (key, node) in pairs {
                if !own.iter().any(|(known, _)| known.value == key.value) {
                    own.push((key, node));
                }
            }
        }
    }
    own
}

/// The text of a scalar that says something.
pub(super) fn text<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    match node {
        Node::Scalar(scalar) if !node.is_null() => Some(&scalar.value),
        Node::Scalar(_) | Node::Sequence(_) | Node::Mapping(_) => None,
    }
}
