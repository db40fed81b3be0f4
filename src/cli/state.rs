//! `postpay state`: the record itself, looked at and looked after.

mod list;
mod mv;
mod pull;
mod push;
mod restore;
mod rm;
mod show;
mod verify;

use super::error::{Exit, Failure};
use super::options::Global;
use super::ui::Ui;

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

pub(super) fn run(command: &Command, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list::run(args, global, ui),
        Command::Show(args) => show::run(args, global, ui),
        Command::Mv(args) => mv::run(args, global, ui),
        Command::Rm(args) => rm::run(args, global, ui),
        Command::Pull(args) => pull::run(args, global, ui),
        Command::Push(args) => push::run(args, global, ui),
        Command::Restore(args) => restore::run(args, global, ui),
        Command::Verify(args) => verify::run(args, global, ui),
    }
}
