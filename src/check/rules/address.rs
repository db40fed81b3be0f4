//! Addresses are typed on command lines and stand in file names, so they are kept plain.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::desired::Address;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (_, environment) in manifests.environments() {
        if Address::new(environment.name).is_ok() {
            continue;
        }
        let mut problem = Diagnostic::error(
            "invalid-address",
            format!("`{}` is not an address", environment.name),
        )
        .at(&environment.key.span(), "not an address")
        .help(Address::RULE);
        if let Some(near) = plain(environment.name) {
            problem = problem.help(format!("for example `{near}`"));
        }
        problems.push(problem.help("any name is possible as `env_alias`"));
    }
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
