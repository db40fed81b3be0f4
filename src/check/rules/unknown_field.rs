//! A key that means nothing: a slip of the pen that would otherwise be a field silently left out.

use crate::check::Options;
use crate::check::model::{IMPORT, LIFECYCLE, MOVE, Manifests, Place, TOP};
use crate::check::near::{known_here, meant, nearest, unknown};
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::{Text, text};

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let in_defaults: Vec<&str> =
        postpay::KIND.fields().map(|field| field.name).chain(["lifecycle"]).collect();
    let in_environment = [&in_defaults[..], &["import"]].concat();
    for strange in &manifests.strange {
        let name = strange.entry.name();
        let known = match strange.place {
            Place::Top => &TOP[..],
            Place::Defaults => &in_defaults[..],
            Place::Environment => &in_environment[..],
            Place::Lifecycle => &LIFECYCLE[..],
            Place::Import => &IMPORT[..],
            Place::Move => &MOVE[..],
        };
        let label = nearest(name, known).map_or_else(unknown, meant);
        let help = elsewhere(name, strange.place).unwrap_or_else(|| known_here(known));
        problems.push(
            Diagnostic::error("unknown-field", there_is_none(name, strange.place))
                .at(&strange.entry.key.span(), label)
                .help(help),
        );
    }
}

/// It says what the key stands in, where that is not plain to see.
fn there_is_none(name: &str, place: Place) -> Text {
    match place {
        Place::Top => text!("there is no key `{name}`", "没有键 `{name}`"),
        Place::Defaults | Place::Environment => {
            text!("there is no field `{name}`", "没有字段 `{name}`")
        }
        Place::Lifecycle => {
            text!("there is no member `{name}` of a lifecycle", "`lifecycle` 没有成员 `{name}`")
        }
        Place::Import => text!("there is no member `{name}` of an import", "`import` 没有成员 `{name}`"),
        Place::Move => text!("there is no member `{name}` of a move", "`moved` 的项没有成员 `{name}`"),
    }
}

/// Where a key belongs that is one in another place.
fn elsewhere(name: &str, place: Place) -> Option<Text> {
    let is_field = postpay::KIND.field(name).is_some();
    match place {
        Place::Top if is_field || name == "lifecycle" => Some(text!(
            "it belongs into an environment, or under `defaults`",
            "它应写在环境中，或 `defaults` 下"
        )),
        Place::Top if name == "import" => Some(text!("it belongs into an environment", "它应写在环境中")),
        Place::Defaults | Place::Environment if LIFECYCLE.contains(&name) => {
            Some(text!("it belongs under `lifecycle`", "它应写在 `lifecycle` 下"))
        }
        Place::Environment if name == "tran_id" => {
            Some(text!("it belongs under `import`", "它应写在 `import` 下"))
        }
        Place::Defaults | Place::Environment if TOP.contains(&name) => {
            Some(text!("it belongs at the top of the document", "它应写在文档的顶层"))
        }
        Place::Lifecycle | Place::Import if is_field => {
            Some(text!("it belongs into the environment itself", "它应直接写在环境中"))
        }
        Place::Top
        | Place::Defaults
        | Place::Environment
        | Place::Lifecycle
        | Place::Import
        | Place::Move => None,
    }
}
