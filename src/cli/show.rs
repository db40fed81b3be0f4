//! `postpay show`: the state, or a plan file.

use std::path::PathBuf;

use super::Exit;
use super::failure::Failure;
use super::load::Project;
use super::options::{Api, Global};
use super::world::World;
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

pub(super) fn run(args: &Args, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let project = Project::load(global, &args.api)?;
    project.guard_reports(global, world)?;
    if let Some(path) = &args.file {
        world.reports.spare(path)?;
        let kept = apply::read_plan(path)?;
        plan::show(&kept, project.rate, &[], world)?;
        return Ok(plan::exit(&kept, args.detailed_exitcode));
    }
    let state = project.recorded(world)?;
    let provenance = world.provenance(None, &project.sources());
    world.show(&StateView { state: state.as_ref(), diagnostics: world.told(), provenance })?;
    Ok(Exit::Fine)
}
