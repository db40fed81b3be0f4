//! Tags: what a scalar is when it says so itself, and that all other tags mean nothing here.

use saphyr_parser::{ScalarStyle, Span as Markers, Tag};

use super::build::Builder;
use super::scalar::{Resolved, resolve};
use crate::diagnostic::Diagnostic;
use crate::lang::text;

impl Builder<'_> {
    pub(super) fn resolved(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        start: usize,
        end: usize,
    ) -> Resolved {
        let Some(tag) = tag else {
            return match style {
                ScalarStyle::Plain => resolve(text),
                ScalarStyle::SingleQuoted
                | ScalarStyle::DoubleQuoted
                | ScalarStyle::Literal
                | ScalarStyle::Folded => Resolved::Text,
            };
        };
        if is_non_specific(tag) {
            return Resolved::Text;
        }
        let plain = resolve(text);
        let fits = tag.is_yaml_core_schema()
            && match (tag.suffix.as_str(), plain) {
                ("str", _) => return Resolved::Text,
                ("null", Resolved::Null)
                | ("bool", Resolved::Bool(_))
                | ("int" | "float", Resolved::Number) => true,
                ("merge", Resolved::Text) => text == "<<",
                (_, Resolved::Null | Resolved::Bool(_) | Resolved::Number | Resolved::Text) => false,
            };
        if !fits {
            self.custom_tag(tag, start, end);
        }
        plain
    }

    pub(super) fn collection_tag(&mut self, tag: Option<&Tag>, core: &str, markers: Markers) {
        let Some(tag) = tag else { return };
        if !(is_non_specific(tag) || tag.is_yaml_core_schema() && tag.suffix == core) {
            let (start, end) = self.bytes(markers);
            self.custom_tag(tag, start, end);
        }
    }

    fn custom_tag(&mut self, tag: &Tag, start: usize, end: usize) {
        let shown = if tag.is_yaml_core_schema() {
            format!("!!{}", tag.suffix)
        } else if tag.handle == "!" {
            format!("!{}", tag.suffix)
        } else {
            format!("{}{}", tag.handle, tag.suffix)
        };
        self.diagnostics.push(
            Diagnostic::error(
                "custom-tag",
                text!("the tag `{shown}` means nothing here", "标签 `{shown}` 在这里没有含义"),
            )
            .at(&self.span(start, end), text!("tagged", "带有标签"))
            .help(text!(
                "leave the tag out; a value that must be a string is written in quotes",
                "请去掉标签；必须为字符串的值请加引号"
            )),
        );
    }
}

/// `!` alone: "take it as it is written".
fn is_non_specific(tag: &Tag) -> bool {
    tag.handle.is_empty() && tag.suffix == "!" || tag.handle == "!" && tag.suffix.is_empty()
}
