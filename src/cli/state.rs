//! `postpay state`: the record itself, looked after.

mod restore;
mod verify;

use super::Exit;
use super::failure::Failure;
use super::options::Global;
use super::world::World;

/// Look after the state: verify it, put it back
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Restore(restore::Args),
    Verify(verify::Args),
}

pub(super) fn run(command: &Command, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    match command {
        Command::Restore(args) => restore::run(args, global, world),
        Command::Verify(args) => verify::run(args, global, world),
    }
}
