//! A YAML document as a tree in which every key and value has a position.
//!
//! The nodes are in one list and refer to each other by index. An alias is the index of its target, and a
//! text that is in the file verbatim is a range of it, so most texts are never copied.

use std::ops::Range;
use std::sync::Arc;

use super::scalar::Resolved;
use crate::diagnostic::{SourceFile, Span};
use crate::i18n::{Text as Words, text};

/// One document of a file.
#[derive(Debug)]
pub struct Document {
    pub(super) file: Arc<SourceFile>,
    pub(super) nodes: Vec<NodeData>,
    pub(super) root: NodeId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeId(pub(super) u32);

#[derive(Debug)]
pub(super) struct NodeData {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar(Resolved, Text),
    Sequence(Box<[NodeId]>),
    Mapping(Box<Members>),
}

#[derive(Debug)]
pub(super) enum Text {
    /// Verbatim in the file, in these bytes.
    InFile(Range<u32>),
    /// Differs from the source because of escapes or folded lines.
    Owned(Box<str>),
}

#[derive(Debug)]
pub(super) struct Members {
    /// Own members as written, then those from merge keys.
    pub(super) entries: Vec<(NodeId, NodeId)>,
    /// The number of own members.
    pub(super) own: usize,
}

pub(super) fn to_usize(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

impl Document {
    pub fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    pub fn root(&self) -> Node<'_> {
        self.node(self.root)
    }

    fn node(&self, id: NodeId) -> Node<'_> {
        Node { document: self, id }
    }

    fn data(&self, id: NodeId) -> &NodeData {
        &self.nodes[to_usize(id.0)]
    }

    /// Returns whether both have the same keys and values, with the same types, order and aliases. Positions
    /// are ignored.
    pub(super) fn has_same_content_as(&self, other: &Self) -> bool {
        // Nodes are numbered in source order.
        self.root == other.root
            && self.nodes.len() == other.nodes.len()
            && self.nodes.iter().zip(&other.nodes).all(|(one, two)| match (&one.kind, &two.kind) {
                (Kind::Scalar(resolved, text), Kind::Scalar(as_well, other_text)) => {
                    resolved == as_well && text.get(&self.file) == other_text.get(&other.file)
                }
                (Kind::Sequence(items), Kind::Sequence(others)) => items == others,
                (Kind::Mapping(members), Kind::Mapping(others)) => {
                    members.own == others.own && members.entries == others.entries
                }
                (Kind::Scalar(..) | Kind::Sequence(_) | Kind::Mapping(_), _) => false,
            })
    }
}

impl Text {
    pub(super) fn get<'a>(&'a self, file: &'a SourceFile) -> &'a str {
        match self {
            Self::InFile(bytes) => {
                file.text.get(to_usize(bytes.start)..to_usize(bytes.end)).unwrap_or_default()
            }
            Self::Owned(text) => text,
        }
    }
}

/// A key or a value with its position.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    document: &'a Document,
    id: NodeId,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    /// As written; `serde_yaml::Number` parses it.
    Number(&'a str),
    Text(&'a str),
    Sequence(Sequence<'a>),
    Mapping(Mapping<'a>),
}

impl<'a> Node<'a> {
    pub fn value(self) -> Value<'a> {
        match &self.document.data(self.id).kind {
            Kind::Scalar(resolved, text) => match resolved {
                Resolved::Null => Value::Null,
                Resolved::Bool(truth) => Value::Bool(*truth),
                Resolved::Number => Value::Number(text.get(&self.document.file)),
                Resolved::Text => Value::Text(text.get(&self.document.file)),
            },
            Kind::Sequence(items) => Value::Sequence(Sequence { document: self.document, items }),
            Kind::Mapping(members) => Value::Mapping(Mapping { document: self.document, members }),
        }
    }

    fn start(self) -> u32 {
        self.document.data(self.id).start
    }

    /// Returns its position; of several lines, the first.
    pub fn span(self) -> Span {
        let NodeData { start, end, .. } = self.document.data(self.id);
        let (start, end) = (to_usize(*start), to_usize(*end));
        let text = self.document.file.text.get(start..end).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default().trim_end();
        Span { file: Arc::clone(&self.document.file), bytes: start..start + line.len() }
    }

    /// Returns a scalar as written or, for a text, its value.
    pub(super) fn scalar(self) -> Option<&'a str> {
        match &self.document.data(self.id).kind {
            Kind::Scalar(_, text) => Some(text.get(&self.document.file)),
            Kind::Sequence(_) | Kind::Mapping(_) => None,
        }
    }

    /// Describes it for a message: `a number`.
    pub fn describe(self) -> Words {
        match self.value() {
            Value::Null => text!("nothing"),
            Value::Bool(_) => text!("a boolean"),
            Value::Number(_) => text!("a number"),
            Value::Text(_) => text!("a string"),
            Value::Sequence(_) => text!("a list"),
            Value::Mapping(_) => text!("a mapping"),
        }
    }
}

/// A list.
#[derive(Debug, Clone, Copy)]
pub struct Sequence<'a> {
    document: &'a Document,
    items: &'a [NodeId],
}

impl<'a> Sequence<'a> {
    pub fn iter(self) -> impl Iterator<Item = Node<'a>> {
        self.items.iter().map(move |id| self.document.node(*id))
    }
}

/// A mapping with its merge keys applied. Keys are texts; others were reported.
#[derive(Debug, Clone, Copy)]
pub struct Mapping<'a> {
    document: &'a Document,
    members: &'a Members,
}

/// A member of a mapping.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    pub key: Node<'a>,
    pub value: Node<'a>,
    /// Comes from another mapping, by a merge key.
    pub merged: bool,
}

impl<'a> Mapping<'a> {
    /// Returns its own members in source order, then those from merge keys. A duplicate key, which was
    /// reported, appears twice.
    pub fn iter(self) -> impl Iterator<Item = Entry<'a>> {
        let Self { document, members } = self;
        members.entries.iter().enumerate().map(move |(at, (key, value))| Entry {
            key: document.node(*key),
            value: document.node(*value),
            merged: at >= members.own,
        })
    }

    pub fn get(self, name: &str) -> Option<Entry<'a>> {
        self.iter().find(|entry| entry.name() == name)
    }

    pub fn is_empty(self) -> bool {
        self.members.entries.is_empty()
    }

    /// Returns whether both are the same node, not just equal.
    pub fn is(self, other: Mapping<'_>) -> bool {
        std::ptr::eq(self.members, other.members)
    }
}

impl<'a> Entry<'a> {
    /// Returns whether its value is an alias. An alias follows its target in the source.
    pub fn is_alias(&self) -> bool {
        self.value.start() < self.key.start()
    }

    pub fn name(&self) -> &'a str {
        self.key.scalar().unwrap_or_default()
    }
}
