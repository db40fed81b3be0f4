//! `postpay state mv`: another address for what is on record.

use crate::cli::Exit;
use crate::cli::edit::{Editing, Manifests, NOTHING_CHANGED, Wanted, Writing, unknown_address};
use crate::cli::failure::Failure;
use crate::cli::load::Project;
use crate::cli::options::{Api, Global};
use crate::cli::world::World;
use crate::desired::Address;
use crate::diagnostic::Diagnostic;
use crate::report::clean;
use crate::state::edits::moved;
use crate::state::journal::Edit;
use crate::state::{Record, State};

/// Give what is on record at FROM the address TO
///
/// What it replaced moves with it, and an order with an unknown outcome can be moved too. Give it the new address in the
/// manifests as well; or write a `moved` block there instead, and let a plan do both. Nothing is sent to the vendor.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay state mv shop store --dry-run    what would be written
  postpay state mv shop store              asks for `yes`

The same in a manifest, reviewed with the plan:
  moved:
    - from: shop
      to: store")]
pub(in crate::cli) struct Args {
    /// The address that it has
    #[arg(value_name = "FROM")]
    from: Address,
    /// The address that it gets
    #[arg(value_name = "TO")]
    to: Address,
    #[command(flatten)]
    writing: Writing,
}

pub(super) fn run(args: &Args, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let Args { from, to, writing } = args;
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, world)?;
    let manifests = Manifests::of(&project);
    let editing = Editing {
        doing: "state mv",
        line: format!("state mv {from} {to}"),
        project: &project,
        writing,
    };
    editing.run(world, |state, _| {
        if !state.environments.contains_key(from) {
            return Err(unknown_address(from, state));
        }
        free(from, to, state)?;
        Ok(Wanted {
            edits: vec![Edit::Move {
                from: from.clone(),
                to: to.clone(),
            }],
            changes: moved(state, from, to),
            warnings: warnings(from, to, &manifests),
        })
    })
}

/// An address has one environment. One that only holds what was replaced is not free either: whose that was would be
/// told by nothing.
fn free(from: &Address, to: &Address, state: &State) -> Result<(), Failure> {
    let used = |what: String| {
        Failure::new("move-used", format!("`{to}` is in use{what}"))
            .help(format!(
                "give it another address, or forget what has it first: `postpay state rm {to}`"
            ))
            .help(NOTHING_CHANGED)
    };
    let id = |record: &Record| match &record.env_id {
        Some(env_id) => format!(": it has {}", clean(env_id)),
        None => String::new(),
    };
    if from == to {
        return Err(
            Failure::new("move-same", format!("`{from}` is the address that it has"))
                .help(NOTHING_CHANGED),
        );
    }
    if let Some(record) = state.environments.get(to) {
        return Err(used(id(record)));
    }
    match state.deposed_at(to).next() {
        Some(deposed) => Err(Failure::new(
            "move-used",
            format!("`{to}` is in use{}, deposed", id(&deposed.record)),
        )
        .help(format!(
            "give it another address, or forget what was replaced there: `postpay state rm {to} --deposed {}`",
            deposed.record.env_id.as_deref().map_or("ENV_ID".into(), clean)
        ))
        .help(NOTHING_CHANGED)),
        None => Ok(()),
    }
}

/// What the next plan would make of it.
fn warnings(from: &Address, to: &Address, manifests: &Manifests) -> Vec<Diagnostic> {
    if !manifests.are_readable() {
        return vec![
            Diagnostic::warning(
                "manifests",
                "the manifests can't be read, so nobody can say whether they still name the old address",
            )
            .help("`postpay validate` says why; look at `postpay plan` before the next apply"),
        ];
    }
    let mut warnings = Vec::new();
    if let Some(source) = manifests.place(from) {
        warnings.push(
            Diagnostic::warning(
                "still-declared",
                format!("`{from}` is still declared, at {source}: the next apply would order it as a new environment"),
            )
            .help(format!("rename it to `{to}` there before the next apply; or take this back and write a `moved` block instead")),
        );
    }
    if manifests.place(to).is_none() {
        warnings.push(
            Diagnostic::warning(
                "not-declared",
                format!("`{to}` is not declared: the next plan takes it for one that is not wanted any more"),
            )
            .help("declare it under that address before the next apply"),
        );
    }
    warnings
}
