//! `postpay state`: the record itself, looked at and looked after.

mod list;
mod mv;
mod pull;
mod push;
mod restore;
mod rm;
mod show;
mod verify;

use super::Exit;
use super::failure::Failure;
use super::options::Global;
use super::world::World;

/// Inspect and change the state; sends nothing to Tencent Cloud
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    List(list::Args),
    Show(show::Args),
    Mv(mv::Args),
    Rm(rm::Args),
    Pull(pull::Args),
    Push(push::Args),
    Restore(restore::Args),
    Verify(verify::Args),
}

pub(super) fn run(command: &Command, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list::run(args, global, world),
        Command::Show(args) => show::run(args, global, world),
        Command::Mv(args) => mv::run(args, global, world),
        Command::Rm(args) => rm::run(args, global, world),
        Command::Pull(args) => pull::run(args, global, world),
        Command::Push(args) => push::run(args, global, world),
        Command::Restore(args) => restore::run(args, global, world),
        Command::Verify(args) => verify::run(args, global, world),
    }
}
