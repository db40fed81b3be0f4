//! `postpay lock`: who writes to the state now, and what a dead process left in the lock's file.

use super::Exit;
use super::failure::{Failure, NOTHING_SENT, advice};
use super::load::Project;
use super::options::{Api, Global};
use super::shown::Shown;
use super::world::World;
use crate::lang::{Text, text};
use crate::report::{clean, human, json};
use crate::state::{Holder, StateError};

/// See who writes to the state, and clear what a dead process left
///
/// The lock is one of the operating system's, held by a process while it writes: it is gone with its process, whatever
/// ended that. So there is never a stale lock to break, and nothing here breaks one that is held.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Status(StatusArgs),
    Release(ReleaseArgs),
}

/// Show whether the state is being written to: by whom, since when, doing what; and the open run
///
/// Exits with 0 whether it is held or free. Reads only.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay lock status
  postpay lock status --format json | jq .held")]
pub(super) struct StatusArgs {}

/// Clear what a dead process left in the lock's file
///
/// A lock that a living process holds is not broken: it is refused, with the holder's name and how to stop it. The name of an
/// open run stays in the file until the next writer has folded the run, because it may be all that tells of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay lock release                 exits with 1 when the lock is held
  postpay apply --lock-timeout 10m     wait for the holder instead")]
pub(super) struct ReleaseArgs {}

pub(super) fn run(command: &Command, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, world)?;
    let store = world.store(&project.state);
    let (document, text): (String, Box<dyn Fn(human::Look) -> String>) = match command {
        Command::Status(StatusArgs {}) => {
            let found = store.lock_file()?;
            if let Err(error) = &found.open {
                world.diagnose(&[crate::diagnostic::Diagnostic::warning(
                    error.code(),
                    error.text().map(|error| clean(error).into_owned()),
                )]);
            }
            let document = json::lock::status(&found);
            (
                document,
                Box::new(move |look| human::lock::status(&found, look)),
            )
        }
        Command::Release(ReleaseArgs {}) => {
            let released = store
                .release_lock()
                .map_err(|error| refusal(&error, world))?;
            let document = json::lock::released(&released);
            (
                document,
                Box::new(move |look| human::lock::released(&released, look)),
            )
        }
    };
    world.show(Shown::plain(&|| document.clone(), &*text))?;
    Ok(Exit::Fine)
}

fn refusal(error: &StateError, world: &World) -> Failure {
    let failure = Failure::new(
        error.code(),
        error.text().map(|error| clean(error).into_owned()),
    );
    let failure = match error {
        StateError::Locked {
            holder: Some(holder),
            ..
        } => how_to_stop(failure, holder, world),
        StateError::Locked { holder: None, .. } => failure.help(text!(
            "its holder has not said who it is",
            "持有者没有写明身份"
        )),
        StateError::Lost { .. }
        | StateError::NotAState { .. }
        | StateError::Empty { .. }
        | StateError::Damaged { .. }
        | StateError::Newer { .. }
        | StateError::Foreign { .. }
        | StateError::Older { .. }
        | StateError::Forked { .. }
        | StateError::Behind { .. }
        | StateError::JournalDamaged { .. }
        | StateError::JournalLost { .. }
        | StateError::FencedOut { .. }
        | StateError::NoLocks { .. }
        | StateError::Io { .. }
        | StateError::Misused(_) => {
            return advice(error)
                .into_iter()
                .fold(failure, Failure::help)
                .help(text!("nothing was cleared", "未清除任何内容"))
                .help(NOTHING_SENT);
        }
    };
    failure
        .help(text!(
            "a lock that is held is not broken: two writers would order the same twice",
            "被持有的锁不会被强行解除：两个进程同时写入会重复订购"
        ))
        .help(text!(
            "or wait for it: `--lock-timeout 10m` with the command that you mean to run",
            "或等待它释放：在要运行的命令上加 `--lock-timeout 10m`"
        ))
        .help(NOTHING_SENT)
}

fn how_to_stop(failure: Failure, holder: &Holder, world: &World) -> Failure {
    let Holder {
        who,
        pid,
        since,
        doing,
    } = holder;
    let host = |who: &str| who.rsplit_once('@').map(|(_, host)| host.to_owned());
    let there = if host(who) == host(&world.operator().who) {
        Text::same("")
    } else {
        let host = host(who).unwrap_or_default();
        let host = clean(&host);
        text!("on {host}, ", "在 {host} 上执行 ")
    };
    let (who, doing) = (clean(who), clean(doing));
    failure
        .help(text!(
            "held by {who}, process {pid}, since {since:.0}, doing `{doing}`",
            "持有者：{who}，进程 {pid}，自 {since:.0} 起，正在执行 `{doing}`"
        ))
        .help(text!(
            "to stop it: {there}`kill -INT {pid}`; it waits for what is under way and records it, and a second one ends it at once",
            "如要停止它：{there:#}`kill -INT {pid}`；它会等待进行中的请求并记录结果，再执行一次则立即结束"
        ))
}
