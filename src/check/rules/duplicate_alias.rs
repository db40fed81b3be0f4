//! An alias tells environments apart when an answer is lost, so none that is created shares its own with another that is
//! created, or that is imported: that one is in the account too.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    for (_, environment) in manifests.environments() {
        let is_switched = manifests.get(environment, postpay::ENV_ID).is_some();
        if is_switched && environment.import.is_none() {
            continue;
        }
        let Some(alias) = manifests.get(environment, postpay::ALIAS) else {
            continue;
        };
        let Some(text) = manifests.text(environment, postpay::ALIAS) else {
            continue;
        };
        let place = if alias.inherited { environment.key } else { alias.node };
        if let Some(first) = seen.get(text) {
            let first: &crate::manifest::Node<'_> = first;
            let problem = Diagnostic::error(
                "duplicate-alias",
                text!("the alias `{text}` is used twice", "别名 `{text}` 被使用了两次"),
            );
            problems.push(
                environment
                    .mark(problem, &alias, text!("again", "再次出现"))
                    .at(&first.span(), text!("first here", "首次出现在这里"))
                    .help(text!(
                        "environments that the vendor creates, and those that are imported, need aliases of their own",
                        "由腾讯云新建的环境和导入的环境，别名不能相同"
                    )),
            );
        } else {
            seen.insert(text, place);
        }
    }
}
