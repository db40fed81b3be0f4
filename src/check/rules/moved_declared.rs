//! What is declared at the old address would be ordered anew, once the environment that stood there is moved.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    if manifests.moves.is_empty() {
        return;
    }
    let declared = manifests.declared();
    for (_, from, to) in manifests.whole_moves() {
        let Some(environment) = declared.get(from.text) else {
            continue;
        };
        let (old, new) = (from.text, to.text);
        problems.push(
            Diagnostic::error(
                "moved-declared",
                text!("`{old}` is moved, and still declared", "`{old}` 已被移动，却仍在声明中"),
            )
            .at(&from.node.span(), text!("moved from here", "从这里移走"))
            .at(&environment.key.span(), text!("declared here", "在这里声明"))
            .help(text!(
                "if it was renamed, declare it as `{new}` alone; if it was not, take the move out",
                "如果是改名，请只声明为 `{new}`；如果不是，请删去这次移动"
            ))
            .help(text!(
                "to declare a new environment as `{old}`, carry the move out first, and then take it out",
                "要以 `{old}` 声明新环境，请先执行这次移动，再把它删去"
            )),
        );
    }
}
