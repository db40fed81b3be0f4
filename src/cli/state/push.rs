//! `postpay state push`: what is in the state, replaced by what a file says.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::cli::edit::{Editing, NOTHING_CHANGED, Wanted, Writing, started};
use crate::cli::env;
use crate::cli::error::{Exit, Failure};
use crate::cli::options::{Api, Global};
use crate::cli::project::Project;
use crate::cli::ui::Ui;
use crate::diagnostic::Diagnostic;
use crate::files::{self, Links, Refusal};
use crate::i18n::{Text, shell_word, text};
use crate::report::clean;
use crate::report::verify::describe_key;
use crate::state::edits::{Loss, after, changes, edits_between, lost, same_environments};
use crate::state::file::MAX_BYTES;
use crate::state::journal::Edited;
use crate::state::{Account, State, StateError, decode_state};

/// Replace the state with a state file
///
/// The file must be of this state: pull it, fix it, and increase its `serial`. It is rejected if its lineage,
/// account or endpoint differs, if it is older than the state, or if it lacks a TranId or an EnvId that the
/// state has. The change is recorded as a run of its own, with a backup and a receipt. To restore a lost
/// state: `postpay state restore`. Nothing is sent to Tencent Cloud.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay state pull > fixed.json              fix it; increase its `serial`
  postpay state push fixed.json --dry-run      preview
  postpay state push fixed.json                asks for approval
  jq … copy.json | postpay state push - -y     from standard input")]
pub(in crate::cli) struct Args {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Push it even if ids of the state are lost
    ///
    /// They are listed, and the receipts keep them.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    writing: Writing,
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, ui)?;
    let from_stdin = args.file == Path::new("-");
    if from_stdin && args.writing.asks() {
        return Err(Failure::new(
            "no-terminal",
            text!("approval is required, but standard input is the state file"),
        )
        .help(text!("preview with --dry-run, then add --auto-approve"))
        .help(NOTHING_CHANGED));
    }
    let into = read(&args.file, from_stdin)?;
    let shown = if from_stdin {
        standard_input()
    } else {
        Text::same(clean(&args.file.display().to_string()).into_owned())
    };
    let file = args.file.display().to_string();
    let forced = if args.force { " --force" } else { "" };
    let editing = Editing {
        doing: "state push",
        line: format!("state push {}{forced}", if from_stdin { "-".into() } else { shell_word(&file) }),
        project: &project,
        writing: &args.writing,
    };
    // The run that shows what comes of it; the one that writes it is another.
    editing.run(ui, |state| {
        fits(state, &into, &shown)?;
        let edits = edits_between(state, &into);
        let warnings = forgets(state, &into, args.force)?;
        let made = |edit: &_| Edited { doing: "state push".to_owned(), edit: Clone::clone(edit) };
        let entries: Vec<Edited> = edits.iter().map(made).collect();
        let run = started(state, "state push")?;
        let made = after(state, run, env::now(), &entries);
        consistent(&made, &into, &shown)?;
        Ok(Wanted { edits, changes: changes(state, &into), warnings })
    })
}

fn standard_input() -> Text {
    text!("standard input")
}

fn read_stdin() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > MAX_BYTES) {
        return Err(Refusal::TooLarge { most: MAX_BYTES }.into());
    }
    Ok(bytes)
}

fn read(path: &Path, from_stdin: bool) -> Result<State, Failure> {
    let mut bytes = Vec::new();
    let read = if from_stdin {
        read_stdin().map(|read| bytes = read)
    } else {
        files::read(path, Links::Followed, MAX_BYTES).map(|read| bytes = read)
    };
    read.map_err(|error| {
        let path = path.display();
        Failure::new("push-file", text!("cannot read {path}: {error}", path, error)).help(NOTHING_CHANGED)
    })?;
    let named = if from_stdin { Path::new("standard input") } else { path };
    decode_state(named, &bytes).map_err(|error| {
        let failure = Failure::new(error.code(), error.text());
        let failure = if let StateError::Newer { .. } = error {
            error.help().into_iter().fold(failure, Failure::help)
        } else {
            failure
                .help(text!("push a file in the format of `postpay state pull`; see `postpay schema state`"))
        };
        failure.help(NOTHING_CHANGED)
    })
}

/// Refuses what is no later word on this very state.
fn fits(state: &State, into: &State, shown: &Text) -> Result<(), Failure> {
    if into.lineage != state.lineage {
        let (theirs, ours) = (&into.lineage, &state.lineage);
        return Err(Failure::new(
            "push-foreign",
            text!(
                "{shown} has lineage {theirs}, but the state has {ours}: it is a different state",
                shown,
                theirs,
                ours
            ),
        )
        .help(text!("use a different state under its own path: --state FILE; --force does not help"))
        .help(NOTHING_CHANGED));
    }
    if let Some(why) = other_account(state.account.as_ref(), into.account.as_ref()) {
        return Err(Failure::new("push-account", text!("{shown} {why}", shown, why))
            .help(text!("a state cannot be used with another account or endpoint; --force does not help"))
            .help(NOTHING_CHANGED));
    }
    let (theirs, ours) = (into.serial, state.serial);
    if theirs < ours {
        return Err(Failure::new(
            "push-older",
            text!(
                "{shown} has serial {theirs}, but the state has {ours}: it lacks later changes",
                shown,
                theirs,
                ours
            ),
        )
        .help(text!("pull the state again and edit that: `postpay state pull`"))
        .help(text!("to merge the later runs into the copy: `postpay state restore --from FILE`"))
        .help(NOTHING_CHANGED));
    }
    if theirs == ours && !same_environments(state, into) {
        let next = ours.next();
        return Err(Failure::new(
            "push-same-serial",
            text!("{shown} has serial {theirs}, the same as the state, but different content", shown, theirs),
        )
        .help(text!("if it was edited from the current state, increase its `serial` to {next}", next))
        .help(NOTHING_CHANGED));
    }
    Ok(())
}

fn other_account(here: Option<&Account>, there: Option<&Account>) -> Option<Text> {
    let here = here?;
    let Some(there) = there else {
        return Some(text!("has no account"));
    };
    if here.endpoint != there.endpoint {
        let (theirs, ours) = (clean(&there.endpoint), clean(&here.endpoint));
        return Some(text!("is for `{theirs}`, but the state is for `{ours}`", theirs, ours));
    }
    match (&here.uin, &there.uin) {
        (Some(mine), Some(other)) if mine != other => {
            let (theirs, ours) = (clean(other), clean(mine));
            Some(text!("is for account {theirs}, but the state is for {ours}", theirs, ours))
        }
        (Some(_) | None, _) => None,
    }
}

/// Refuses to forget; with `force`, says what is forgotten.
fn forgets(state: &State, into: &State, force: bool) -> Result<Vec<Diagnostic>, Failure> {
    let losses = lost(state, into);
    if losses.is_empty() {
        return Ok(Vec::new());
    }
    let message = text!("ids of the state would be lost");
    let lines = losses.iter().map(|loss| match loss {
        Loss::EnvId { key, id } => {
            let (place, id) = (describe_key(key), clean(id));
            text!("{place}: EnvId {id}", place, id)
        }
        Loss::TranId { key, id } => {
            let (place, id) = (describe_key(key), clean(id));
            text!("{place}: TranId {id}", place, id)
        }
        Loss::Unknown { address } => {
            text!("{address}: an order that may exist; the next apply may create it again", address)
        }
    });
    if force {
        let warning = Diagnostic::warning("push-forgets", message);
        return Ok(vec![lines.fold(warning, Diagnostic::help)]);
    }
    Err(lines
        .fold(Failure::new("push-forgets", message), Failure::help)
        .help(text!("add them to the file; to drop them anyway: --force"))
        .help(NOTHING_CHANGED))
}

/// Refuses a file that says what no run can leave: `made` is what this one would.
fn consistent(made: &State, into: &State, shown: &Text) -> Result<(), Failure> {
    let mut seen = BTreeMap::new();
    let mut lines = Vec::new();
    for (key, record) in &into.environments {
        let named = describe_key(key);
        match (&record.env_id, &key.deposed) {
            (Some(env_id), deposed) if deposed.as_ref().is_none_or(|deposed| deposed == env_id) => {
                if let Some(first) = seen.insert(env_id, named.clone()) {
                    let env_id = clean(env_id);
                    lines.push(text!(
                        "{env_id} is in the file twice: {first} and {named}",
                        env_id,
                        first,
                        named
                    ));
                }
            }
            (Some(_) | None, Some(_)) => {
                lines.push(text!("{named}: a deposed environment must have an EnvId", named));
            }
            (Some(_) | None, None) => {}
        }
    }
    if lines.is_empty() {
        let changes = changes(into, made);
        let others = changes.iter().map(|it| describe_key(&it.key));
        lines.extend(others.map(|place| text!("{place}: invalid record", place)));
    }
    if lines.is_empty() {
        return Ok(());
    }
    let failure = Failure::new("push-contradiction", text!("{shown} is inconsistent", shown));
    Err(lines.into_iter().fold(failure, Failure::help).help(NOTHING_CHANGED))
}
