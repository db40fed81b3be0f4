//! `postpay show`: the state, or a plan file.

use std::path::PathBuf;

use super::Exit;
use super::failure::Failure;
use super::load::Project;
use super::options::{Api, Global};
use super::shown::Shown;
use super::world::World;
use super::{apply, plan};
use crate::lang::text;
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

impl Args {
    /// It shows a plan, and not the state.
    pub(super) fn is_of_a_plan(&self) -> bool {
        self.file.is_some()
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
    if let Some(state) = project.recorded(world)? {
        state_as_asked(&state, world)?;
    } else {
        let none = |look: human::Look| {
            look.say(text!(
                "No state: nothing was ordered yet.\n",
                "没有状态文件：尚未订购任何环境。\n"
            ))
        };
        world.print_as_asked(Shown::plain(&|| "null\n".to_owned(), &none))?;
    }
    Ok(Exit::Fine)
}

fn state_as_asked(state: &State, world: &mut World) -> Result<(), Failure> {
    let json = String::from_utf8_lossy(&encode_state(state)?).into_owned();
    let human = |look| human::state::state(state, look);
    world.show(Shown::plain(&|| json.clone(), &human))
}
