//! What cannot be seen cannot be reviewed: control characters, and those that turn the direction of
//! a line so that it reads as something else.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;
use crate::lang::text;
use crate::manifest::{Node, Value};

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for written in &manifests.fields {
        let Value::Text(text) = written.node.value() else {
            continue;
        };
        let Some(mut problem) = unseen(written.field.name(), text, written.node) else {
            continue;
        };
        if written.field == Field::Extra {
            problem = problem.help(text!(
                "write `extra` as a mapping: it is sent as JSON, on one line",
                "把 `extra` 写成映射：发送时会转成一行 JSON"
            ));
        }
        problems.push(problem);
    }
    let ids = manifests.imported_ids.iter();
    problems.extend(ids.filter_map(|id| unseen(id.name, id.text?, id.node)));
}

fn unseen(name: &str, text: &str, node: Node<'_>) -> Option<Diagnostic> {
    let character = text.chars().find(|character| is_unseen(*character))?;
    let code = u32::from(character);
    let problem = Diagnostic::error(
        "control-character",
        text!(
            "`{name}` holds the character U+{code:04X}, which cannot be seen",
            "`{name}` 含有不可见字符 U+{code:04X}"
        ),
    )
    .at(&node.span(), text!("in this value", "在这个值中"));
    Some(if character == '\n' {
        problem.help(text!(
            "a block that starts with `|` ends in a line break; `>-` does not",
            "以 `|` 开头的文本块末尾带换行；`>-` 则不带"
        ))
    } else {
        problem
    })
}

fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}
