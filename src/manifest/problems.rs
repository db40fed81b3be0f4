//! What there is to say about YAML that cannot be taken as it stands.

use saphyr_parser::ScanError;

use super::build::{Builder, Fatal, MAX_DEPTH};
use super::scalar::Resolved;
use super::tree::{Kind, NodeId, wide};
use crate::diagnostic::Diagnostic;

impl Builder<'_> {
    /// YAML has no control characters, and the scanner takes U+0000 for the end of the text: what
    /// follows it would be lost without a word.
    pub(super) fn refuse_unprintable(&self, text: &str) -> Result<(), Fatal> {
        let bad =
            |byte: u8| (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0x7f;
        match text.bytes().position(bad) {
            None => Ok(()),
            Some(at) => Err(Box::new(
                Diagnostic::error(
                    "yaml-syntax",
                    format!(
                        "the character U+{:04X} has no place in YAML",
                        text.as_bytes()[at]
                    ),
                )
                .at(&self.span(at, at + 1), "")
                .help("in a string in double quotes it can be written as an escape"),
            )),
        }
    }

    pub(super) fn check_key(&mut self, key: NodeId) {
        let help = match &self.nodes[wide(key.0)].kind {
            Kind::Scalar(Resolved::Text, _) => return,
            Kind::Scalar(Resolved::Null | Resolved::Bool(_) | Resolved::Number, text) => {
                format!("write it in quotes: \"{}\"", text.get(self.file))
            }
            Kind::Sequence(_) | Kind::Mapping(_) => {
                "a key is a single word; did you forget quotes around `{` or `[`?".to_owned()
            }
        };
        self.diagnostics.push(
            Diagnostic::error("key-not-a-string", "a key is a string")
                .at(&self.node_span(key), "not a string")
                .help(help),
        );
    }

    pub(super) fn duplicate_key(&mut self, first: NodeId, second: NodeId) {
        let name = self.name(second).to_owned();
        let mut diagnostic =
            Diagnostic::error("duplicate-key", format!("the key `{name}` is here twice"))
                .at(&self.node_span(second), "again")
                .at(&self.node_span(first), "first here");
        if name == "<<" {
            diagnostic = diagnostic.help("several mappings merge as a list: `<<: [*one, *two]`");
        }
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn too_deep(&self, start: usize, end: usize) -> Diagnostic {
        Diagnostic::error(
            "too-deep",
            format!("lists and mappings lie more than {MAX_DEPTH} deep in one another"),
        )
        .at(&self.span(start, end), "here")
    }

    pub(super) fn syntax(&self, error: &ScanError) -> Diagnostic {
        let at = self.offset(*error.marker());
        let next = self
            .file
            .text
            .get(at..)
            .and_then(|rest| rest.chars().next());
        let end = match next {
            Some('\r' | '\n') | None => at,
            Some(character) => at + character.len_utf8(),
        };
        let span = self.span(at, end);
        let info = error.info();
        if info.contains("recursion limit") {
            // The scanner looks along the line before it tells of any of it.
            self.too_deep(at, end)
        } else if info.contains("unknown anchor") {
            Diagnostic::error("unknown-anchor", "no anchor of this name in this document")
                .at(&span, "")
                .help("an anchor is written `&name` before the first use of `*name`")
        } else {
            let mut diagnostic =
                Diagnostic::error("yaml-syntax", format!("this is not YAML: {info}")).at(&span, "");
            if info.contains("tab") {
                diagnostic = diagnostic.help("indent with spaces: YAML has no tabs there");
            }
            diagnostic.help("the rest of this file was not read")
        }
    }
}
