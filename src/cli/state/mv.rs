//! `postpay state mv`: another address for what is in the state.

use crate::cli::edit::{Editing, Manifests, NOTHING_CHANGED, Wanted, Writing, unknown_address};
use crate::cli::error::{Exit, Failure};
use crate::cli::options::{Api, Global};
use crate::cli::project::Project;
use crate::cli::ui::Ui;
use crate::diagnostic::Diagnostic;
use crate::i18n::{Text, text};
use crate::model::Address;
use crate::report::clean;
use crate::state::edits::moved;
use crate::state::journal::Edit;
use crate::state::{Record, State};

/// Change an address in the state
///
/// Deposed environments of the address move too, and so does an order with an unknown outcome. Change the
/// address in the manifests as well; or write a `moved` block there instead, and let the next apply do both.
/// Nothing is sent to Tencent Cloud.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay state mv shop store --dry-run    preview
  postpay state mv shop store              asks for approval

The same in a manifest, reviewed with the plan:
  moved:
    - from: shop
      to: store")]
pub(in crate::cli) struct Args {
    /// The current address
    #[arg(value_name = "FROM")]
    from: Address,
    /// The new address
    #[arg(value_name = "TO")]
    to: Address,
    #[command(flatten)]
    writing: Writing,
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let Args { from, to, writing } = args;
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, ui)?;
    let manifests = Manifests::load(&project);
    let editing =
        Editing { doing: "state mv", line: format!("state mv {from} {to}"), project: &project, writing };
    editing.run(ui, |state| {
        if state.get(from).is_none() {
            return Err(unknown_address(from, state));
        }
        free(from, to, state)?;
        Ok(Wanted {
            edits: vec![Edit::Move { from: from.clone(), to: to.clone() }],
            changes: moved(state, from, to),
            warnings: warnings(from, to, &manifests),
        })
    })
}

/// An address has one environment. One that only holds what was replaced is not free either: whose that was would be
/// told by nothing.
fn free(from: &Address, to: &Address, state: &State) -> Result<(), Failure> {
    let used = |what: Text| {
        let message = text!("`{to}` is in use{what}", to, what);
        Failure::new("move-used", message)
            .help(text!("choose another address, or first remove the one in use from the state: `postpay state rm {to}`", to))
            .help(NOTHING_CHANGED)
    };
    let id = |record: &Record| match &record.env_id {
        Some(env_id) => {
            let env_id = clean(env_id);
            text!(": it has {env_id}", env_id)
        }
        None => Text::same(""),
    };
    if from == to {
        let why = text!("`{from}` already is its address", from);
        return Err(Failure::new("move-same", why).help(NOTHING_CHANGED));
    }
    if let Some(record) = state.get(to) {
        return Err(used(id(record)));
    }
    match state.deposed_at(to).next() {
        Some((_, record)) => {
            let id = id(record);
            let env_id = &record.env_id;
            let env_id = env_id.as_deref().map_or("ENV_ID".into(), clean);
            Err(Failure::new(
                "move-used",
                text!("`{to}` is in use{id}, deposed", to, id),
            )
            .help(text!("choose another address, or remove the deposed environment from the state: `postpay state rm {to} --deposed {env_id}`", to, env_id))
            .help(NOTHING_CHANGED))
        }
        None => Ok(()),
    }
}

/// What the next plan would make of it.
fn warnings(from: &Address, to: &Address, manifests: &Manifests) -> Vec<Diagnostic> {
    if !manifests.are_readable() {
        return vec![
            Diagnostic::warning(
                "manifests",
                text!("cannot read the manifests, so it is unknown whether they still have the old address"),
            )
            .help(text!("run `postpay validate` for details; check `postpay plan` before the next apply")),
        ];
    }
    let mut warnings = Vec::new();
    if let Some(source) = manifests.place(from) {
        warnings.push(
            Diagnostic::warning(
                "still-declared",
                text!("`{from}` is still declared in {source}: the next apply would create a new environment", from, source),
            )
            .help(text!("rename it to `{to}` there before the next apply; or undo this and write a `moved` block instead", to)),
        );
    }
    if manifests.place(to).is_none() {
        warnings.push(
            Diagnostic::warning(
                "not-declared",
                text!("`{to}` is not declared: the next plan will report it as not in the configuration", to),
            )
            .help(text!("declare it under that address before the next apply")),
        );
    }
    warnings
}
