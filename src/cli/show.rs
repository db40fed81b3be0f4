//! `postpay show`: the state, or a plan file.

use std::path::PathBuf;

use super::error::{Exit, Failure};
use super::options::{Api, Global};
use super::project::Project;
use super::ui::Ui;
use super::{apply, plan};
use crate::report::state::StateView;
use crate::report::view::Kind;

/// Show the state or a plan file
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay show                    the environments, with TranId and EnvId
  postpay show --format json      the state file as JSON
  postpay show plan.json          a plan saved with `postpay plan -o`")]
pub(super) struct Args {
    /// A plan file [default: show the state]
    #[arg(value_name = "PLANFILE")]
    file: Option<PathBuf>,
    /// Exit with 2 if the plan has changes
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    api: Api,
}

impl Args {
    /// What it shows.
    pub(super) fn kind(&self) -> Kind {
        match self.file {
            Some(_) => Kind::Plan,
            None => Kind::State,
        }
    }
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load(global, &args.api)?;
    project.guard_reports(global, ui)?;
    if let Some(path) = &args.file {
        ui.reports.check_unused(path)?;
        let kept = apply::read_plan(path)?;
        plan::show(&kept, project.rate, &[], ui)?;
        return Ok(plan::exit(&kept, args.detailed_exitcode));
    }
    let state = project.read_state(ui)?;
    let provenance = ui.provenance(None, &project.sources());
    ui.show(&StateView { state: state.as_ref(), diagnostics: ui.diagnostics(), provenance })?;
    Ok(Exit::Fine)
}
