//! `postpay state push`: what is on record, replaced by what a file says.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::cli::Exit;
use crate::cli::edit::{Editing, NOTHING_CHANGED, Wanted, Writing, started};
use crate::cli::failure::{Failure, advice};
use crate::cli::load::Project;
use crate::cli::options::{Api, Global};
use crate::cli::world::World;
use crate::diagnostic::Diagnostic;
use crate::report::{clean, human};
use crate::state::compare::Place;
use crate::state::edits::{Loss, after, changes, lost, same_record, turn};
use crate::state::file::decode_state;
use crate::state::journal::Edited;
use crate::state::{Account, State, StateError};

/// Replace what is on record by what a state file says
///
/// The file has to be of this very state: pulled from it, mended, and its `serial` raised. It is refused when it is of another
/// lineage, account or endpoint, older than the state, or would forget a TranId or an EnvId that is on record. The change is a
/// run of its own, with a backup and a receipt. To put back a state that was lost: `postpay state restore`. Nothing is sent to
/// the vendor.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay state pull > mended.json              then mend it, and raise its `serial` by one
  postpay state push mended.json --dry-run      what it would change
  postpay state push mended.json                asks for `yes`
  jq … copy.json | postpay state push - -y      from standard input")]
pub(in crate::cli) struct Args {
    /// The file; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Push it although it forgets ids that are on record; they are listed, and the receipts keep them
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    writing: Writing,
}

pub(super) fn run(args: &Args, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, world)?;
    let from_stdin = args.file == Path::new("-");
    if from_stdin && args.writing.asks() {
        return Err(Failure::new(
            "no-terminal",
            "standard input is the state, so nobody can be asked for a `yes`",
        )
        .help("see what would be written with --dry-run, then add --auto-approve")
        .help(NOTHING_CHANGED));
    }
    let into = read(&args.file, from_stdin)?;
    let shown = if from_stdin {
        "standard input".to_owned()
    } else {
        args.file.display().to_string()
    };
    let forced = if args.force { " --force" } else { "" };
    let editing = Editing {
        doing: "state push",
        line: format!("state push {}{forced}", args.file.display()),
        project: &project,
        writing: &args.writing,
    };
    // The run that shows what comes of it; the one that writes it is another.
    editing.run(world, |state, world| {
        fits(state, &into, &shown)?;
        let edits = turn(state, &into);
        let warnings = forgets(state, &into, args.force)?;
        let made = |edit: &_| Edited {
            doing: "state push".to_owned(),
            edit: Clone::clone(edit),
        };
        let entries: Vec<Edited> = edits.iter().map(made).collect();
        let run = started(state, "state push", world)?;
        let made = after(state, run, world.now(), &entries);
        consistent(&made, &into, &shown)?;
        Ok(Wanted {
            edits,
            changes: changes(state, &into),
            warnings,
        })
    })
}

fn read(path: &Path, from_stdin: bool) -> Result<State, Failure> {
    let mut bytes = Vec::new();
    let read = if from_stdin {
        std::io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(path).map(|read| bytes = read)
    };
    read.map_err(|error| {
        Failure::new(
            "push-file",
            format!("can't read {}: {error}", path.display()),
        )
        .help(NOTHING_CHANGED)
    })?;
    let named = if from_stdin {
        Path::new("standard input")
    } else {
        path
    };
    decode_state(named, &bytes).map_err(|error| {
        let failure = Failure::new(error.code(), error.text());
        let failure = if let StateError::Newer { .. } = error {
            advice(&error).into_iter().fold(failure, Failure::help)
        } else {
            failure.help("a state to push is what `postpay state pull` prints; `postpay schema state` describes it")
        };
        failure.help(NOTHING_CHANGED)
    })
}

/// Refuses what is no later word on this very state.
fn fits(state: &State, into: &State, shown: &str) -> Result<(), Failure> {
    let shown = clean(shown);
    if into.lineage != state.lineage {
        return Err(Failure::new(
            "push-foreign",
            format!(
                "{shown} has lineage {}, and the state here {}: it is another state",
                into.lineage, state.lineage
            ),
        )
        .help("a state of its own goes to a place of its own: --state FILE; --force does not help here")
        .help(NOTHING_CHANGED));
    }
    if let Some(why) = other_account(state.account.as_ref(), into.account.as_ref()) {
        return Err(Failure::new("push-account", format!("{shown} {why}"))
            .help("what was ordered from one account or endpoint is not managed by another; --force does not help here")
            .help(NOTHING_CHANGED));
    }
    if into.serial < state.serial {
        return Err(Failure::new(
            "push-older",
            format!(
                "{shown} has serial {}, and the state here {}: what was written since is not in it",
                into.serial, state.serial
            ),
        )
        .help("pull the state anew, and mend that: `postpay state pull`")
        .help("a copy with the runs since folded on top of it: `postpay state restore --from FILE`")
        .help(NOTHING_CHANGED));
    }
    if into.serial == state.serial && !same_record(state, into) {
        return Err(Failure::new(
            "push-same-serial",
            format!(
                "{shown} has serial {}, as the state here, and says something else",
                into.serial
            ),
        )
        .help(format!(
            "if it was made from what is here now, say that it is later: raise its `serial` to {}",
            state.serial.next()
        ))
        .help(NOTHING_CHANGED));
    }
    Ok(())
}

fn other_account(here: Option<&Account>, there: Option<&Account>) -> Option<String> {
    let here = here?;
    let Some(there) = there else {
        return Some("names no account".to_owned());
    };
    if here.endpoint != there.endpoint {
        return Some(format!(
            "is of `{}`, and the state here of `{}`",
            clean(&there.endpoint),
            clean(&here.endpoint)
        ));
    }
    match (&here.uin, &there.uin) {
        (Some(mine), Some(other)) if mine != other => Some(format!(
            "is of account {}, and the state here of {}",
            clean(other),
            clean(mine)
        )),
        (Some(_) | None, _) => None,
    }
}

/// Refuses to forget; with `force`, says what is forgotten.
fn forgets(state: &State, into: &State, force: bool) -> Result<Vec<Diagnostic>, Failure> {
    let losses = lost(state, into);
    if losses.is_empty() {
        return Ok(Vec::new());
    }
    let message = "what is on record would be forgotten";
    let lines = losses.iter().map(|loss| match loss {
        Loss::EnvId { place, id } => format!("{}: EnvId {}", human::edits::place(place), clean(id)),
        Loss::TranId { place, id } => {
            format!("{}: TranId {}", human::edits::place(place), clean(id))
        }
        Loss::Unknown { address } => {
            format!(
                "{address}: an order that may have been made; the next apply may order it again"
            )
        }
    });
    if force {
        let warning = Diagnostic::warning("push-forgets", message);
        return Ok(vec![lines.fold(warning, Diagnostic::help)]);
    }
    Err(lines
        .fold(Failure::new("push-forgets", message), Failure::help)
        .help("put them back into the file; to forget them all the same: --force")
        .help(NOTHING_CHANGED))
}

/// Refuses a file that says what no run can leave: `made` is what this one would.
fn consistent(made: &State, into: &State, shown: &str) -> Result<(), Failure> {
    let mut seen = BTreeMap::new();
    let mut lines = Vec::new();
    for (place, (_, record)) in Place::all(into).zip(into.records()) {
        let named = human::edits::place(&place);
        match (&record.env_id, &place) {
            (Some(env_id), _) => {
                if let Some(first) = seen.insert(env_id, named.clone()) {
                    let env_id = clean(env_id);
                    lines.push(format!("{env_id} is on record twice: {first} and {named}"));
                }
            }
            (None, Place::Deposed { .. }) => {
                lines.push(format!("{named}: what was replaced has an EnvId"));
            }
            (None, Place::At(_)) => {}
        }
    }
    if lines.is_empty() {
        let changes = changes(into, made);
        let others = changes.iter().map(|it| human::edits::place(&it.place));
        lines.extend(others.map(|place| format!("{place}: it can't be recorded as it stands")));
    }
    if lines.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(
        "push-contradiction",
        format!("{} contradicts itself", clean(shown)),
    );
    Err(lines
        .into_iter()
        .fold(failure, Failure::help)
        .help(NOTHING_CHANGED))
}
