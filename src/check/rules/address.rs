//! Addresses are typed on command lines and stand in file names, so they are kept plain.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::lang::text;
use crate::manifest::Node;
use crate::model::Address;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (_, environment) in manifests.environments() {
        if let Some(problem) = no_address(environment.name, environment.key) {
            problems.push(
                problem.help(text!("any name is possible as `env_alias`", "`env_alias` 可以用任意名称")),
            );
        }
    }
    for moved in &manifests.moves {
        let ends = [moved.from, moved.to].into_iter().flatten();
        problems.extend(ends.filter_map(|end| no_address(end.text?, end.node)));
    }
    let removed = manifests.removed.iter();
    problems.extend(removed.filter_map(|name| no_address(name.text, name.node)));
}

fn no_address(name: &str, node: Node<'_>) -> Option<Diagnostic> {
    if Address::new(name).is_ok() {
        return None;
    }
    let problem =
        Diagnostic::error("invalid-address", text!("`{name}` is not an address", "`{name}` 不是有效的地址"))
            .at(&node.span(), text!("not an address", "不是有效的地址"))
            .help(Address::RULE);
    Some(match plain(name) {
        Some(near) => problem.help(text!("for example `{near}`", "例如 `{near}`")),
        None => problem,
    })
}

/// The name with everything that an address may not hold turned into `-`.
fn plain(name: &str) -> Option<String> {
    let plain: String = name
        .chars()
        .take(64)
        .map(|character| match character.to_ascii_lowercase() {
            plain @ ('a'..='z' | '0'..='9' | '_' | '-') => plain,
            _ => '-',
        })
        .collect();
    let plain = plain.trim_matches(['-', '_']);
    Address::new(plain).is_ok().then(|| plain.to_owned())
}
