//! What cannot be seen cannot be reviewed: control characters, and those that turn the direction of
//! a line so that it reads as something else.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;
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
            problem = problem.help("write `extra` as a mapping: it is sent as JSON, on one line");
        }
        problems.push(problem);
    }
    let ids = manifests.imported_ids.iter();
    problems.extend(ids.filter_map(|id| unseen(id.name, id.text?, id.node)));
}

fn unseen(name: &str, text: &str, node: Node<'_>) -> Option<Diagnostic> {
    let character = text.chars().find(|character| is_unseen(*character))?;
    let problem = Diagnostic::error(
        "control-character",
        format!(
            "`{name}` holds the character U+{:04X}, which cannot be seen",
            u32::from(character)
        ),
    )
    .at(&node.span(), "in this value");
    Some(if character == '\n' {
        problem.help("a block that starts with `|` ends in a line break; `>-` does not")
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
