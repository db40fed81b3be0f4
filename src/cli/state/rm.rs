//! `postpay state rm`: what is in the state, forgotten. At Tencent Cloud nothing changes.

use std::collections::BTreeSet;

use crate::cli::edit::{Editing, Manifests, NOTHING_CHANGED, Wanted, Writing, unknown_address};
use crate::cli::error::{Exit, Failure};
use crate::cli::options::{Api, Global};
use crate::cli::project::Project;
use crate::cli::ui::Ui;
use crate::diagnostic::Diagnostic;
use crate::i18n::{shell_word, text};
use crate::model::{Address, InstanceKey};
use crate::report::clean;
use crate::state::edits::{Change, Kind};
use crate::state::journal::Edit;
use crate::state::{State, Status};

/// Remove environments from the state; they keep running
///
/// They also keep billing. To destroy an environment instead, remove it from the manifests and apply with --allow-destroy. Removing a
/// declared address needs --force, because the next apply would create it again. An order with an unknown
/// outcome cannot be removed: `postpay resolve` settles it. The receipts keep every id. Nothing is sent to
/// Tencent Cloud.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay state rm shop --dry-run                 preview
  postpay state rm shop blog                      asks for approval
  postpay state rm --deposed shop-prod-1a2b3c     a deposed environment

The same in a manifest, reviewed with the plan:
  removed:
    - shop")]
pub(in crate::cli) struct Args {
    /// Addresses; with --deposed, the address that it had
    #[arg(value_name = "ADDR", required_unless_present = "deposed")]
    addresses: Vec<Address>,
    /// Remove this deposed environment; repeatable
    #[arg(long, value_name = "ENV_ID")]
    deposed: Vec<String>,
    /// Remove it even if it is declared
    ///
    /// The next apply creates it again.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    writing: Writing,
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, ui)?;
    let manifests = Manifests::load(&project);
    let editing = Editing { doing: "state rm", line: line(args), project: &project, writing: &args.writing };
    editing.run(ui, |state| {
        if args.deposed.is_empty() { standing(args, state, &manifests) } else { replaced(args, state) }
    })
}

fn line(args: &Args) -> String {
    let mut line = "state rm".to_owned();
    for address in &args.addresses {
        line = format!("{line} {address}");
    }
    for env_id in &args.deposed {
        line = format!("{line} --deposed {}", shell_word(env_id));
    }
    line + if args.force { " --force" } else { "" }
}

fn standing(args: &Args, state: &State, manifests: &Manifests) -> Result<Wanted, Failure> {
    let addresses: BTreeSet<&Address> = args.addresses.iter().collect();
    let (mut edits, mut changes, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for address in addresses {
        let Some(record) = state.get(address) else {
            return Err(unknown_address(address, state));
        };
        if record.status == Status::Unknown {
            return Err(Failure::new(
                "rm-unknown",
                text!("the outcome of creating `{address}` is unknown", address),
            )
            .help(text!("resolve it first: `postpay resolve {address}`; if it were removed, it would be created again", address))
            .help(NOTHING_CHANGED));
        }
        warnings.extend(declared(address, args.force, manifests)?);
        let left = state.deposed_at(address).count();
        if left > 0 {
            warnings.push(
                Diagnostic::warning(
                    "deposed-left",
                    text!(
                        "{left} that had the address `{address}` before stay in the state, deposed",
                        left,
                        address
                    ),
                )
                .help(text!("to remove one: `postpay state rm --deposed ENV_ID`")),
            );
        }
        edits.push(Edit::current(address.clone(), None));
        changes.push(Change {
            key: InstanceKey::current(address.clone()),
            record: record.clone(),
            kind: Kind::Forgotten,
        });
    }
    Ok(Wanted { edits, changes, warnings })
}

/// What a forgotten address that is still declared comes to: the very order that it is the record of.
fn declared(address: &Address, force: bool, manifests: &Manifests) -> Result<Option<Diagnostic>, Failure> {
    let (code, message, mend) = match manifests.place(address) {
        Some(source) => (
            "still-declared",
            text!(
                "`{address}` is still declared in {source}: the next apply would create it again",
                address,
                source
            ),
            text!("remove the declaration first, or write a `removed` block"),
        ),
        None if manifests.are_readable() => return Ok(None),
        None => (
            "manifests",
            text!(
                "cannot read the manifests, so it is unknown whether `{address}` is still declared and would be created again",
                address
            ),
            text!("fix them first: `postpay validate` shows where"),
        ),
    };
    if force {
        return Ok(Some(Diagnostic::warning(code, message).help(mend)));
    }
    Err(Failure::new(code, message)
        .help(mend)
        .help(text!("to remove it anyway: --force"))
        .help(NOTHING_CHANGED))
}

fn replaced(args: &Args, state: &State) -> Result<Wanted, Failure> {
    let (mut edits, mut changes) = (Vec::new(), Vec::new());
    let wanted: BTreeSet<&String> = args.deposed.iter().collect();
    for env_id in wanted {
        let found = state.deposed().find(|(key, record)| {
            record.env_id.as_ref() == Some(env_id)
                && (args.addresses.is_empty() || args.addresses.contains(&key.address))
        });
        let Some((key, record)) = found else {
            return Err(not_deposed(env_id, state));
        };
        edits.push(Edit::set(key.clone(), None));
        changes.push(Change { key: key.clone(), record: record.clone(), kind: Kind::Forgotten });
    }
    Ok(Wanted { edits, changes, warnings: Vec::new() })
}

fn not_deposed(env_id: &str, state: &State) -> Failure {
    let shown = clean(env_id);
    let stands = state.current().find(|(_, record)| record.env_id.as_deref() == Some(env_id));
    let failure =
        Failure::new("unknown-env-id", text!("the state has no deposed environment {shown} here", shown));
    match stands {
        Some((address, _)) => failure.help(text!(
            "it is the current environment of `{address}`; to remove it: `postpay state rm {address}`",
            address
        )),
        None => {
            failure.help(text!("`postpay state list` lists deposed environments as `ADDR (deposed ENV_ID)`"))
        }
    }
    .help(NOTHING_CHANGED)
}
