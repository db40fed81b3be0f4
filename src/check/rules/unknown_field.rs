//! A key that means nothing: a slip of the pen that would otherwise be a field silently left out.

use crate::check::Options;
use crate::check::model::{Manifests, Place, TOP, TOP_RESERVED};
use crate::check::near::{list, nearest};
use crate::desired::Field;
use crate::diagnostic::Diagnostic;
use crate::manifest::RESERVED;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let fields = Field::ALL.map(Field::name);
    for strange in &manifests.strange {
        let name = strange.entry.name();
        let (known, reserved, kind) = match strange.place {
            Place::Top => (&TOP[..], &TOP_RESERVED[..], "key"),
            Place::Defaults | Place::Environment => (&fields[..], &RESERVED[..], "field"),
        };
        if reserved.contains(&name) {
            continue;
        }
        let mut problem =
            Diagnostic::error("unknown-field", format!("there is no {kind} `{name}`"));
        let wrong_level = strange.place == Place::Top && Field::by_name(name).is_some();
        problem = match nearest(name, known) {
            Some(near) => problem.at(&strange.entry.key.span(), format!("did you mean `{near}`?")),
            None => problem.at(&strange.entry.key.span(), "unknown"),
        };
        problem = if wrong_level {
            problem.help("it belongs into an environment, or under `defaults`")
        } else {
            problem.help(format!("known here: {}", list(known)))
        };
        problems.push(problem);
    }
}
