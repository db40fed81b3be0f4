//! What cannot be seen cannot be reviewed: control characters, and those that turn the direction of
//! a line so that it reads as something else.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;
use crate::manifest::Value;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for written in &manifests.fields {
        let Value::Text(text) = written.node.value() else {
            continue;
        };
        let Some(character) = text.chars().find(|character| is_unseen(*character)) else {
            continue;
        };
        let mut problem = Diagnostic::error(
            "control-character",
            format!(
                "`{}` holds the character U+{:04X}, which cannot be seen",
                written.field,
                u32::from(character)
            ),
        )
        .at(&written.node.span(), "in this value");
        if character == '\n' {
            problem =
                problem.help("a block that starts with `|` ends in a line break; `>-` does not");
        }
        if written.field == Field::Extra {
            problem = problem.help("write `extra` as a mapping: it is sent as JSON, on one line");
        }
        problems.push(problem);
    }
}

fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}
