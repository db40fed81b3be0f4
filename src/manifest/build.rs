//! Builds [`Document`]s from YAML events in one pass.
//!
//! Size and depth limits are enforced here, so that later modules may walk the tree freely.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span as Markers, Tag};

use super::merge::Names;
use super::offsets::Offsets;
use super::problems::{self, MAX_DEPTH, custom_tag, duplicate_key, too_deep, unknown_anchor};
use super::read::{Budget, MAX_BYTES, too_large};
use super::scalar::{Resolved, fits_collection, resolve_tagged};
use super::tree::{Document, Kind, Members, NodeData, NodeId, Text, to_usize};
use crate::diagnostic::{Diagnostic, SourceFile, Span};
use crate::i18n::text;

/// Limits on what aliases expand to: more than this and more than [`MAX_GROWTH`] times what is written, or
/// more than [`MAX_EXPANDED`]. Counted over all documents of a project.
const MAX_NODES: u64 = 1_000_000;
const MAX_GROWTH: u64 = 10;
const MAX_EXPANDED: u64 = 10_000_000;
/// A text counts as one value per this many bytes.
const BYTES_OF_A_VALUE: usize = 256;

/// The documents of a text and the problems in its YAML.
#[derive(Debug)]
pub struct Parsed {
    pub documents: Vec<Document>,
    pub diagnostics: Vec<Diagnostic>,
    /// False when parsing stopped before the end of the text.
    pub complete: bool,
}

/// Parses a text as YAML.
pub fn parse(file: &Arc<SourceFile>) -> Parsed {
    parse_within(file, &mut Budget::default())
}

/// Like [`parse`], with a budget shared by several files.
pub fn parse_within(file: &Arc<SourceFile>, budget: &mut Budget) -> Parsed {
    let mut builder = Builder::new(file, budget);
    let complete = match builder.run() {
        Ok(()) => true,
        Err(problem) => {
            builder.diagnostics.push(*problem);
            false
        }
    };
    Parsed { documents: builder.documents, diagnostics: builder.diagnostics, complete }
}

/// An error after which the rest of the text cannot be parsed.
type Fatal = Box<Diagnostic>;

struct Builder<'f> {
    file: &'f Arc<SourceFile>,
    offsets: Offsets<'f>,
    documents: Vec<Document>,
    diagnostics: Vec<Diagnostic>,
    nodes: Vec<NodeData>,
    root: Option<NodeId>,
    open: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    /// What was counted so far, other files included.
    budget: &'f mut Budget,
}

/// An open collection.
struct Frame {
    node: NodeId,
    anchor: usize,
    expanded_before: u64,
    height: usize,
    items: Items,
}

enum Items {
    Sequence(Vec<NodeId>),
    Mapping {
        entries: Vec<(NodeId, NodeId)>,
        key: Option<NodeId>,
        /// The `<<` key and its value.
        merge: Option<(NodeId, NodeId)>,
    },
}

#[derive(Clone, Copy)]
struct Anchored {
    node: NodeId,
    expanded: u64,
    height: usize,
}

impl<'f> Builder<'f> {
    fn new(file: &'f Arc<SourceFile>, budget: &'f mut Budget) -> Self {
        Self {
            file,
            offsets: Offsets::new(&file.text),
            documents: Vec::new(),
            diagnostics: Vec::new(),
            nodes: Vec::new(),
            root: None,
            open: Vec::new(),
            anchors: HashMap::new(),
            budget,
        }
    }

    fn run(&mut self) -> Result<(), Fatal> {
        let text: &'f str = &self.file.text;
        if !u64::try_from(text.len()).is_ok_and(|len| len <= MAX_BYTES) {
            return Err(Box::new(too_large(&self.file.path)));
        }
        problems::reject_unprintable(self.file)?;
        problems::reject_conflicts(self.file)?;
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, markers) = event.map_err(|error| {
                Box::new(problems::syntax(self.file, &error, self.offset(*error.marker())))
            })?;
            self.event(event, markers)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, markers: Markers) -> Result<(), Fatal> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
            Event::DocumentStart(_) => {
                self.anchors.clear();
            }
            Event::DocumentEnd => {
                let nodes = std::mem::take(&mut self.nodes);
                if let Some(root) = self.root.take() {
                    self.documents.push(Document { file: Arc::clone(self.file), nodes, root });
                }
            }
            Event::Alias(anchor) => self.alias(anchor, markers)?,
            Event::Scalar(text, style, anchor, tag) => {
                let (start, end) = self.bytes(markers);
                let (resolved, fits) = resolve_tagged(&text, style, tag.as_deref());
                if let Some(tag) = tag.as_deref().filter(|_| !fits) {
                    self.diagnostics.push(custom_tag(tag, &self.span(start, end)));
                }
                let decorated = anchor > 0 || tag.is_some();
                let (start, end) = trim_span(&self.file.text, style, decorated, start, end);
                let weight = u64::try_from(text.len() / BYTES_OF_A_VALUE).unwrap_or(u64::MAX);
                let text = self.text(&text, style, start, end);
                let before = self.budget.expanded;
                let node = self.push(start, end, Kind::Scalar(resolved, text))?;
                self.budget.expanded = self.budget.expanded.saturating_add(weight);
                self.finish(node, anchor, before, 0);
            }
            Event::SequenceStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", markers);
                let kind = Kind::Sequence(Box::default());
                self.start(anchor, markers, kind, Items::Sequence(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", markers);
                let kind = Kind::Sequence(Box::default());
                let items = Items::Mapping { entries: Vec::new(), key: None, merge: None };
                self.start(anchor, markers, kind, items)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(markers),
        }
        Ok(())
    }

    fn collection_tag(&mut self, tag: Option<&Tag>, core: &str, markers: Markers) {
        if let Some(tag) = tag.filter(|tag| !fits_collection(tag, core)) {
            let (start, end) = self.bytes(markers);
            self.diagnostics.push(custom_tag(tag, &self.span(start, end)));
        }
    }

    fn start(
        &mut self,
        anchor: usize,
        markers: Markers,
        placeholder: Kind,
        items: Items,
    ) -> Result<(), Fatal> {
        let (start, end) = self.bytes(markers);
        if self.open.len() >= MAX_DEPTH {
            return Err(Box::new(too_deep(&self.span(start, end))));
        }
        let expanded_before = self.budget.expanded;
        let node = self.push(start, end, placeholder)?;
        self.open.push(Frame { node, anchor, expanded_before, height: 0, items });
        Ok(())
    }

    fn end(&mut self, markers: Markers) {
        let Some(frame) = self.open.pop() else {
            return;
        };
        let kind = match frame.items {
            Items::Sequence(items) => Kind::Sequence(items.into()),
            Items::Mapping { entries, merge, .. } => Kind::Mapping(Box::new(self.members(entries, merge))),
        };
        let (_, end) = self.bytes(markers);
        let data = &mut self.nodes[to_usize(frame.node.0)];
        data.kind = kind;
        data.end = data.end.max(to_u32(end));
        self.finish(frame.node, frame.anchor, frame.expanded_before, frame.height + 1);
    }

    /// Rejects duplicate keys of a mapping and adds the members of its merge key.
    fn members(&mut self, mut entries: Vec<(NodeId, NodeId)>, merge: Option<(NodeId, NodeId)>) -> Members {
        let own = entries.len();
        let mut names = Names::new();
        let mut twice = Vec::new();
        for (at, (key, _)) in entries.iter().enumerate() {
            if let Err(before) = names.insert(self.name(*key), at) {
                twice.push((entries[before].0, *key));
            }
        }
        let mut merged = Vec::new();
        let mut no_mapping = None;
        if let Some((_, value)) = merge {
            let single = [value];
            let sources = match &self.nodes[to_usize(value.0)].kind {
                Kind::Sequence(items) => items,
                Kind::Mapping(_) | Kind::Scalar(..) => &single[..],
            };
            for source in sources {
                match &self.nodes[to_usize(source.0)].kind {
                    Kind::Mapping(members) => {
                        for (key, value) in &members.entries {
                            // Own keys win, then earlier sources.
                            if names.insert(self.name(*key), own).is_ok() {
                                merged.push((*key, *value));
                            }
                        }
                    }
                    Kind::Scalar(..) | Kind::Sequence(_) => no_mapping = Some(*source),
                }
            }
        }
        for (first, second) in twice {
            let name = self.name(second).to_owned();
            self.diagnostics.push(duplicate_key(&name, &self.node_span(first), &self.node_span(second)));
        }
        if let Some(node) = no_mapping {
            self.diagnostics.push(
                Diagnostic::error("merge-not-a-mapping", text!("`<<` can only merge mappings"))
                    .at(&self.node_span(node), text!("not a mapping"))
                    .help(text!("write `<<: *anchor`, or `<<: [*one, *two]`")),
            );
        }
        entries.extend(merged);
        entries.shrink_to_fit();
        Members { entries, own }
    }

    fn alias(&mut self, anchor: usize, markers: Markers) -> Result<(), Fatal> {
        let (start, end) = self.bytes(markers);
        if let Some(frame) = self.open.iter().find(|frame| frame.anchor == anchor) {
            let whole = self.node_span(frame.node);
            self.diagnostics.push(
                Diagnostic::error("recursive-alias", text!("this alias refers to a value that contains it"))
                    .on(&self.span(start, end))
                    .at(&whole, text!("the anchor")),
            );
            let nothing = Kind::Scalar(Resolved::Null, Text::Owned(Box::default()));
            let node = self.push(start, end, nothing)?;
            self.attach(node, 0);
            return Ok(());
        }
        let Some(&anchored) = self.anchors.get(&anchor) else {
            return Err(Box::new(unknown_anchor(&self.span(start, end)).help(text!(
                "define the anchor as `&name` before using `*name`; anchors apply to one document"
            ))));
        };
        self.budget.expanded = self.budget.expanded.saturating_add(anchored.expanded);
        let most = self.budget.written.saturating_mul(MAX_GROWTH);
        if self.budget.expanded > most.clamp(MAX_NODES, MAX_EXPANDED) {
            return Err(Box::new(
                Diagnostic::error(
                    "alias-bomb",
                    text!(
                        "with aliases expanded, the manifests contain more than {MAX_NODES} values",
                        MAX_NODES
                    ),
                )
                .at(&self.span(start, end), text!("with this one"))
                .at(&self.node_span(anchored.node), text!("which refers to this"))
                .help(text!("write the values out, or use fewer aliases")),
            ));
        }
        if self.open.len() + anchored.height > MAX_DEPTH {
            return Err(Box::new(too_deep(&self.span(start, end))));
        }
        self.attach(anchored.node, anchored.height);
        Ok(())
    }

    /// Adds a complete node to the open collection, or makes it the root.
    fn attach(&mut self, node: NodeId, height: usize) {
        let Some(frame) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        frame.height = frame.height.max(height);
        let expecting_key = match &mut frame.items {
            Items::Sequence(items) => {
                items.push(node);
                false
            }
            Items::Mapping { key, .. } => key.is_none(),
        };
        if expecting_key {
            let problem = problems::invalid_key(&self.nodes[to_usize(node.0)].kind, &self.node_span(node));
            self.diagnostics.extend(problem);
        }
        let Some(Frame { items: Items::Mapping { entries, key, merge }, .. }) = self.open.last_mut() else {
            return;
        };
        let Some(this) = key.take() else {
            *key = Some(node);
            return;
        };
        match &self.nodes[to_usize(this.0)].kind {
            // Only a plain `<<` merges; a quoted one is an ordinary key.
            Kind::Scalar(Resolved::Text, Text::InFile(bytes))
                if to_usize(bytes.end) - to_usize(bytes.start) == 2
                    && self.nodes[to_usize(this.0)].start == bytes.start
                    && self.file.text.get(to_usize(bytes.start)..to_usize(bytes.end)) == Some("<<") =>
            {
                if let Some((first, _)) = *merge {
                    let (first, this) = (self.node_span(first), self.node_span(this));
                    self.diagnostics.push(duplicate_key("<<", &first, &this));
                } else {
                    *merge = Some((this, node));
                }
            }
            Kind::Scalar(..) => entries.push((this, node)),
            // Reported as an invalid key.
            Kind::Sequence(_) | Kind::Mapping(_) => {}
        }
    }

    fn finish(&mut self, node: NodeId, anchor: usize, expanded_before: u64, height: usize) {
        if anchor > 0 {
            let expanded = self.budget.expanded.saturating_sub(expanded_before);
            self.anchors.insert(anchor, Anchored { node, expanded, height });
        }
        self.attach(node, height);
    }

    fn push(&mut self, start: usize, end: usize, kind: Kind) -> Result<NodeId, Fatal> {
        let Ok(id) = u32::try_from(self.nodes.len()) else {
            return Err(Box::new(too_large(&self.file.path)));
        };
        self.nodes.push(NodeData { start: to_u32(start), end: to_u32(end.max(start)), kind });
        self.budget.expanded = self.budget.expanded.saturating_add(1);
        self.budget.written += 1;
        if self.budget.written > Budget::WRITTEN {
            let most = Budget::WRITTEN;
            return Err(Box::new(
                Diagnostic::error(
                    "project-too-large",
                    text!("the manifests contain more than {most} values", most),
                )
                .at(&self.span(start, start), text!("up to here")),
            ));
        }
        Ok(NodeId(id))
    }

    fn name(&self, key: NodeId) -> &str {
        match &self.nodes[to_usize(key.0)].kind {
            Kind::Scalar(_, text) => text.get(self.file),
            Kind::Sequence(_) | Kind::Mapping(_) => "",
        }
    }

    /// Returns the range of the file that holds `text` verbatim, or a copy.
    fn text(&self, text: &str, style: ScalarStyle, start: usize, end: usize) -> Text {
        let quote = match style {
            ScalarStyle::Plain => 0,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => 1,
            ScalarStyle::Literal | ScalarStyle::Folded => return Text::Owned(text.into()),
        };
        let from = start + quote;
        match self.file.text.get(from..from + text.len()) {
            Some(written) if written == text && from + text.len() <= end => {
                Text::InFile(to_u32(from)..to_u32(from + text.len()))
            }
            _ => Text::Owned(text.into()),
        }
    }

    fn node_span(&self, node: NodeId) -> Span {
        let data = &self.nodes[to_usize(node.0)];
        let (start, end) = (to_usize(data.start), to_usize(data.end));
        let text = self.file.text.get(start..end).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default().trim_end();
        self.span(start, start + line.len())
    }

    fn span(&self, start: usize, end: usize) -> Span {
        problems::span(self.file, start, end)
    }

    fn bytes(&self, markers: Markers) -> (usize, usize) {
        (self.offset(markers.start), self.offset(markers.end))
    }

    fn offset(&self, marker: Marker) -> usize {
        self.offsets.byte(marker.index())
    }
}

/// Returns where a scalar itself starts and ends: the scanner includes its anchor and tag, and what follows a
/// closing quote on the line.
fn trim_span(
    text: &str,
    style: ScalarStyle,
    decorated: bool,
    mut start: usize,
    end: usize,
) -> (usize, usize) {
    let bytes = text.as_bytes().get(..end).unwrap_or_default();
    let word = |from: usize, stop: fn(&u8) -> bool| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().position(stop).unwrap_or(rest.len())
    };
    while decorated && matches!(bytes.get(start), Some(b'&' | b'!')) {
        let after = word(start, u8::is_ascii_whitespace);
        start = word(after, |byte| !byte.is_ascii_whitespace());
    }
    let quote = match style {
        ScalarStyle::SingleQuoted => b'\'',
        ScalarStyle::DoubleQuoted => b'"',
        ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => return (start, end),
    };
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\\' && quote == b'"' {
            at += 1;
        } else if byte == quote {
            if quote == b'"' || bytes.get(at + 1) != Some(&quote) {
                return (start, at + 1);
            }
            at += 1;
        }
        at += 1;
    }
    (start, end)
}

/// Offsets fit in 32 bits: [`MAX_BYTES`] was checked before parsing.
fn to_u32(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
