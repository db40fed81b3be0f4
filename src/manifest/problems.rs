//! What there is to say about YAML that cannot be taken as it stands.

use saphyr_parser::ScanError;

use super::build::{Builder, Fatal, MAX_DEPTH};
use super::scalar::Resolved;
use super::tree::{Kind, NodeId, wide};
use crate::diagnostic::{Diagnostic, Span};
use crate::lang::text;

impl Builder<'_> {
    /// YAML has no control characters, and the scanner takes U+0000 for the end of the text: what
    /// follows it would be lost without a word.
    pub(super) fn refuse_unprintable(&self, text: &str) -> Result<(), Fatal> {
        let bad = |byte: u8| (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0x7f;
        match text.bytes().position(bad) {
            None => Ok(()),
            Some(at) => {
                let code = text.as_bytes()[at];
                Err(Box::new(
                    Diagnostic::error(
                        "yaml-syntax",
                        text!(
                            "the character U+{code:04X} has no place in YAML",
                            "YAML 中不能有字符 U+{code:04X}"
                        ),
                    )
                    .on(&self.span(at, at + 1))
                    .help(text!(
                        "in a string in double quotes it can be written as an escape",
                        "在双引号字符串中可以写成转义序列"
                    )),
                ))
            }
        }
    }

    /// What git leaves in a file where it could not merge: both sides are there, and neither is meant.
    pub(super) fn refuse_conflicts(&self, text: &str) -> Result<(), Fatal> {
        let is_marker = |line: &str| {
            line == "======="
                || ["<<<<<<<", "|||||||", ">>>>>>>"].iter().any(|mark| {
                    line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
                })
        };
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let shown = line.trim_end_matches(['\r', '\n']);
            if is_marker(shown) {
                return Err(Box::new(
                    Diagnostic::error("merge-conflict", text!("merge conflict marker", "合并冲突标记"))
                        .on(&self.span(at, at + shown.len()))
                        .help(text!(
                            "resolve the conflict, and remove the markers",
                            "请解决冲突，并删除这些标记"
                        )),
                ));
            }
            at += line.len();
        }
        Ok(())
    }

    pub(super) fn check_key(&mut self, key: NodeId) {
        let help = match &self.nodes[wide(key.0)].kind {
            Kind::Scalar(Resolved::Text, _) => return,
            Kind::Scalar(Resolved::Null | Resolved::Bool(_) | Resolved::Number, text) => {
                let text = text.get(self.file);
                text!("write it in quotes: \"{text}\"", "请加上引号：\"{text}\"")
            }
            Kind::Sequence(_) | Kind::Mapping(_) => {
                text!(
                    "a key is a single word; did you forget quotes around `{{` or `[`?",
                    "键应为单个词；`{{` 或 `[` 外是否漏了引号？"
                )
            }
        };
        self.diagnostics.push(
            Diagnostic::error("key-not-a-string", text!("a key is a string", "键应为字符串"))
                .at(&self.node_span(key), text!("not a string", "不是字符串"))
                .help(help),
        );
    }

    pub(super) fn duplicate_key(&mut self, first: NodeId, second: NodeId) {
        let name = self.name(second).to_owned();
        let mut diagnostic = Diagnostic::error(
            "duplicate-key",
            text!("the key `{name}` is here twice", "键 `{name}` 出现了两次"),
        )
        .at(&self.node_span(second), text!("again", "再次出现"))
        .at(&self.node_span(first), text!("first here", "首次出现在这里"));
        if name == "<<" {
            diagnostic = diagnostic.help(text!(
                "several mappings merge as a list: `<<: [*one, *two]`",
                "合并多个映射要写成列表：`<<: [*one, *two]`"
            ));
        }
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn too_deep(&self, start: usize, end: usize) -> Diagnostic {
        Diagnostic::error(
            "too-deep",
            text!(
                "lists and mappings lie more than {MAX_DEPTH} deep in one another",
                "列表和映射的嵌套超过了 {MAX_DEPTH} 层"
            ),
        )
        .at(&self.span(start, end), text!("here", "在这里"))
    }

    pub(super) fn syntax(&self, error: &ScanError) -> Diagnostic {
        let at = self.offset(*error.marker());
        let next = self.file.text.get(at..).and_then(|rest| rest.chars().next());
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
            unknown_anchor(&span).help(text!(
                "an anchor is written `&name` before the first use of `*name`",
                "要先写锚点 `&name`，再用 `*name` 引用"
            ))
        } else {
            let before = self.file.text.get(..at).unwrap_or_default();
            let is_tab = next == Some('\t') || before.ends_with('\t');
            let message = if is_tab && info.contains("whitespace") {
                text!("`:` is followed by a tab", "`:` 后面是制表符")
            } else {
                text!("this is not YAML: {info}", "不是有效的 YAML：{info}")
            };
            let mut diagnostic = Diagnostic::error("yaml-syntax", message).on(&span);
            if is_tab && info.contains("whitespace") {
                diagnostic = diagnostic.help(text!("write a space there", "请在那里写空格"));
            } else if info.contains("tab") {
                diagnostic = diagnostic.help(text!(
                    "indent with spaces: YAML has no tabs there",
                    "请用空格缩进：YAML 在这里不允许制表符"
                ));
            }
            diagnostic.help(text!("the rest of this file was not read", "该文件的其余部分没有读取"))
        }
    }
}

pub(super) fn unknown_anchor(span: &Span) -> Diagnostic {
    Diagnostic::error(
        "unknown-anchor",
        text!("no anchor of this name in this document", "该文档中没有这个名称的锚点"),
    )
    .on(span)
}
