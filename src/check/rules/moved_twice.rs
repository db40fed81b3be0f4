//! An environment stands at one address, and an address has one environment: so no two moves share an end.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let mut left = HashMap::new();
    let mut reached = HashMap::new();
    for (_, from, to) in manifests.whole_moves() {
        let (message, again, first) = match (left.get(from.text), reached.get(to.text)) {
            (Some(first), _) => {
                let address = from.text;
                let message = text!("`{address}` is moved twice", "`{address}` 被移动了两次");
                (message, from, *first)
            }
            (None, Some(first)) => {
                let address = to.text;
                let message =
                    text!("two environments are moved to `{address}`", "有两个环境要移动到 `{address}`");
                (message, to, *first)
            }
            (None, None) => {
                left.insert(from.text, from);
                reached.insert(to.text, to);
                continue;
            }
        };
        problems.push(
            Diagnostic::error("moved-twice", message)
                .at(&again.node.span(), text!("again", "再次出现"))
                .at(&first.node.span(), text!("first here", "首次出现在这里"))
                .help(text!(
                    "an environment has one address, and an address one environment: take one of the two out",
                    "一个环境对应一个地址，一个地址对应一个环境：请删去其中一个"
                )),
        );
    }
}
