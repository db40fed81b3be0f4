//! Words that the manifest format has, and that this version would have to ignore. To ignore them
//! could order what the author meant to adopt, so they are refused by name.

use crate::check::Options;
use crate::check::model::{Manifests, Place, TOP_RESERVED};
use crate::diagnostic::Diagnostic;
use crate::manifest::RESERVED;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for strange in &manifests.strange {
        let name = strange.entry.name();
        let reserved = match strange.place {
            Place::Top => TOP_RESERVED.contains(&name),
            Place::Defaults | Place::Environment => RESERVED.contains(&name),
        };
        if !reserved {
            continue;
        }
        let instead = match name {
            "import" => {
                "leave it out; with `env_id` an existing environment is switched to pay-as-you-go, which is an order"
            }
            "lifecycle" => {
                "leave it out: this version never destroys an environment, and ignores no change"
            }
            "moved" => "keep the address that the environment was ordered under",
            _ => "leave it out: what is no longer declared stays in the state, and is not touched",
        };
        problems.push(
            Diagnostic::error(
                "unsupported-field",
                format!("`{name}` is not carried out by this version of postpay"),
            )
            .at(&strange.entry.key.span(), "refused rather than ignored")
            .help(instead),
        );
    }
}
