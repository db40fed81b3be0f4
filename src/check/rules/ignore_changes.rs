//! `ignore_changes` names fields of an order. A name that is none would ignore nothing, and nobody would know.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::check::near::{list, nearest};
use crate::desired::Field;
use crate::diagnostic::Diagnostic;

const CODE: &str = "invalid-ignore-changes";

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let fields: Vec<&str> = Field::ALL
        .into_iter()
        .filter(|field| *field != Field::EnvId)
        .map(Field::name)
        .collect();
    for ignored in manifests
        .lifecycles
        .iter()
        .flat_map(|lifecycle| lifecycle.ignored())
    {
        let (text, place) = (ignored.text, ignored.node.span());
        match Field::by_name(text) {
            Some(Field::EnvId) => problems.push(
                Diagnostic::error(CODE, "a change of `env_id` can't be ignored")
                    .at(&place, "not this one")
                    .help("with another `env_id` it is another environment"),
            ),
            Some(
                Field::WxAppId
                | Field::Source
                | Field::FreeQuota
                | Field::EnvSource
                | Field::Channel
                | Field::Alias
                | Field::ExtensionId
                | Field::Flag
                | Field::EnvAlias
                | Field::Extra,
            ) => {}
            None => {
                let label = nearest(text, &fields).map_or_else(
                    || "unknown".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                problems.push(
                    Diagnostic::error(CODE, format!("there is no field `{text}` to ignore"))
                        .at(&place, label)
                        .help(format!("known here: {}", list(&fields))),
                );
            }
        }
    }
}
