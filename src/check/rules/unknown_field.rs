//! A key that means nothing: a slip of the pen that would otherwise be a field silently left out.

use crate::check::Options;
use crate::check::model::{IMPORT, LIFECYCLE, MOVE, Manifests, Place, TOP};
use crate::check::near::{list, nearest};
use crate::desired::Field;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let in_defaults: Vec<&str> = Field::ALL
        .into_iter()
        .map(Field::name)
        .chain(["lifecycle"])
        .collect();
    let in_environment = [&in_defaults[..], &["import"]].concat();
    for strange in &manifests.strange {
        let name = strange.entry.name();
        let (known, kind) = match strange.place {
            Place::Top => (&TOP[..], "key"),
            Place::Defaults => (&in_defaults[..], "field"),
            Place::Environment => (&in_environment[..], "field"),
            Place::Lifecycle => (&LIFECYCLE[..], "member"),
            Place::Import => (&IMPORT[..], "member"),
            Place::Move => (&MOVE[..], "member"),
        };
        let place = strange.entry.key.span();
        let mut problem = Diagnostic::error(
            "unknown-field",
            format!("there is no {kind} `{name}`{}", of(strange.place)),
        );
        problem = match nearest(name, known) {
            Some(near) => problem.at(&place, format!("did you mean `{near}`?")),
            None => problem.at(&place, "unknown"),
        };
        problem = match elsewhere(name, strange.place) {
            Some(elsewhere) => problem.help(elsewhere),
            None => problem.help(format!("known here: {}", list(known))),
        };
        problems.push(problem);
    }
}

/// What the key stands in, where that is not plain to see.
fn of(place: Place) -> &'static str {
    match place {
        Place::Top | Place::Defaults | Place::Environment => "",
        Place::Lifecycle => " of a lifecycle",
        Place::Import => " of an import",
        Place::Move => " of a move",
    }
}

/// Where a key belongs that is one in another place.
fn elsewhere(name: &str, place: Place) -> Option<&'static str> {
    let is_field = Field::by_name(name).is_some();
    match place {
        Place::Top if is_field || name == "lifecycle" => {
            Some("it belongs into an environment, or under `defaults`")
        }
        Place::Top if name == "import" => Some("it belongs into an environment"),
        Place::Defaults | Place::Environment if LIFECYCLE.contains(&name) => {
            Some("it belongs under `lifecycle`")
        }
        Place::Environment if name == "tran_id" => Some("it belongs under `import`"),
        Place::Defaults | Place::Environment if TOP.contains(&name) => {
            Some("it belongs at the top of the document")
        }
        Place::Lifecycle | Place::Import if is_field => {
            Some("it belongs into the environment itself")
        }
        Place::Top
        | Place::Defaults
        | Place::Environment
        | Place::Lifecycle
        | Place::Import
        | Place::Move => None,
    }
}
