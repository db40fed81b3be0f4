//! What cannot be seen cannot be reviewed: control characters, those that turn the direction of a line so that it reads as
//! something else, and those that are drawn as nothing, so that two names that differ look the same.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::invisible;
use crate::kinds::postpay;
use crate::lang::text;
use crate::manifest::{Mapping, Node, Value};

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for written in &manifests.fields {
        match written.node.value() {
            Value::Text(text) => {
                let problem = unseen(written.field.name, text, written.node);
                problems.extend(problem.map(|problem| {
                    if written.field == postpay::EXTRA {
                        problem.help(text!(
                            "write `extra` as a mapping: it is sent as JSON, on one line",
                            "把 `extra` 写成映射：发送时会转成一行 JSON"
                        ))
                    } else {
                        problem
                    }
                }));
            }
            // Of the fields only `extra` is one; elsewhere it is of the wrong type, which is told.
            Value::Mapping(members) => extra(members, problems),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Sequence(_) => {}
        }
    }
    let ids = manifests.imported_ids.iter();
    problems.extend(ids.filter_map(|id| unseen(id.name, id.text?, id.node)));
}

/// The keys and values of a mapping. How deep it goes is bounded where the YAML is read.
fn extra(members: Mapping<'_>, problems: &mut Vec<Diagnostic>) {
    for entry in members.iter() {
        problems.extend(unseen_member(entry.name(), entry.key));
        member(entry.value, problems);
    }
}

fn member(node: Node<'_>, problems: &mut Vec<Diagnostic>) {
    match node.value() {
        Value::Text(text) => problems.extend(unseen_member(text, node)),
        Value::Mapping(members) => extra(members, problems),
        Value::Sequence(items) => items.iter().for_each(|item| member(item, problems)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A text may have several lines: as JSON, which is what is sent and shown, they are written out as `\n`.
fn unseen_member(text: &str, node: Node<'_>) -> Option<Diagnostic> {
    let is_layout = |character: char| matches!(character, '\n' | '\r' | '\t');
    let mut all = invisible::unseen(text).map(|(_, character)| character);
    let character = all.find(|character| !is_layout(*character))?;
    Some(problem(postpay::EXTRA.name, character, node))
}

fn unseen(name: &str, text: &str, node: Node<'_>) -> Option<Diagnostic> {
    let (_, character) = invisible::unseen(text).next()?;
    Some(problem(name, character, node))
}

fn problem(name: &str, character: char, node: Node<'_>) -> Diagnostic {
    let code = u32::from(character);
    let problem = Diagnostic::error(
        "control-character",
        text!(
            "`{name}` holds the character U+{code:04X}, which cannot be seen",
            "`{name}` 含有不可见字符 U+{code:04X}"
        ),
    )
    .at(&node.span(), text!("in this value", "在这个值中"));
    if character == '\n' {
        problem.help(text!(
            "a block that starts with `|` ends in a line break; `>-` does not",
            "以 `|` 开头的文本块末尾带换行；`>-` 则不带"
        ))
    } else {
        problem
    }
}
