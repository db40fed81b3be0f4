//! `postpay show`: the state, or a plan file.

use std::path::PathBuf;

use super::Exit;
use super::failure::Failure;
use super::load::Project;
use super::options::{Api, Format, Global};
use super::world::World;
use super::{apply, plan};
use crate::report::human;
use crate::state::State;
use crate::state::file::encode_state;

/// Show the state, or a plan file
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay show                    what was ordered, with TranId and EnvId
  postpay show --format json      the state as it is on disk, an open run folded in
  postpay show plan.json          a plan that was kept with `postpay plan -o`")]
pub(super) struct Args {
    /// A plan file; the state if it is left out
    #[arg(value_name = "PLANFILE")]
    file: Option<PathBuf>,
    /// Exit with 2 when the plan has changes
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    api: Api,
}

pub(super) fn run(args: &Args, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let project = Project::load(global, &args.api)?;
    if let Some(path) = &args.file {
        let kept = apply::read_plan(path)?;
        plan::show(&kept, project.rate, "", world)?;
        return Ok(plan::exit(&kept, args.detailed_exitcode));
    }
    match project.recorded(world)? {
        Some(state) => state_as_asked(&state, world)?,
        None => match world.format {
            Format::Human => world.print("No state: nothing was ordered yet.\n")?,
            Format::Json => world.print("null\n")?,
        },
    }
    Ok(Exit::Fine)
}

fn state_as_asked(state: &State, world: &mut World) -> Result<(), Failure> {
    let json = String::from_utf8_lossy(&encode_state(state)?).into_owned();
    match world.format {
        Format::Human => world.print(&human::state::state(state, world.out))?,
        Format::Json => world.print(&json)?,
    }
    world.report(|| json.clone(), |look| human::state::state(state, look))
}
