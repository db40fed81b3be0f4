//! Two environments at one address could not be told apart in the state.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    for (_, environment) in manifests.environments() {
        let Some(first) = seen.insert(environment.name, environment) else {
            continue;
        };
        // Twice in one mapping is a key that is there twice, which has been reported as such.
        if !first.container.is(environment.container) {
            let name = environment.name;
            problems.push(
                Diagnostic::error(
                    "duplicate-address",
                    text!("the address `{name}` is used twice", "地址 `{name}` 被使用了两次"),
                )
                .at(&environment.key.span(), text!("again", "再次出现"))
                .at(&first.key.span(), text!("first here", "首次出现在这里"))
                .help(text!(
                    "an address is unique over all files and documents",
                    "地址在所有文件和文档中必须唯一"
                )),
            );
        }
        seen.insert(environment.name, first);
    }
}
