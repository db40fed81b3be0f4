//! `postpay history verify`: whether the past is whole and unchanged.

use crate::cli::Exit;
use crate::cli::failure::{Failure, advice};
use crate::cli::options::Format;
use crate::cli::world::World;
use crate::lang::Text;
use crate::report::{human, json};
use crate::state::file::FileStore;
use crate::state::verify::Problem;

/// Check every receipt's hash chain, and that the receipts follow one another without a gap
///
/// Exits with 1 when a receipt was changed, is damaged or missing, or when the state is not what they come to. Reads only;
/// takes no lock.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay history verify
  postpay state verify       the same with the state in the middle, compared field by field")]
pub(super) struct Args {}

pub(super) fn run(Args {}: &Args, store: &FileStore, world: &mut World) -> Result<Exit, Failure> {
    let receipts = store.kept()?.receipts;
    let found = store.verify()?;
    let json = || json::history::verification(&receipts, &found);
    let human = |look| human::history::verification(&receipts, &found, look);
    match world.format {
        Format::Human => world.print(&human(world.out))?,
        Format::Json => world.print(&json())?,
    }
    let mut told = Vec::new();
    for problem in &found.problems {
        let lines = match problem {
            Problem::Refused(error) => advice(error),
            Problem::ReceiptsMissing { .. } => {
                vec![Text::fixed(
                    "put them back from version control or another copy of the folder",
                    "从版本控制或该目录的其他副本中恢复它们",
                )]
            }
            Problem::Account { .. } | Problem::Differs(_) | Problem::Unrecorded { .. } => {
                vec![Text::fixed(
                    "`postpay state verify` says what to do",
                    "`postpay state verify` 会说明该怎么做",
                )]
            }
        };
        for line in lines {
            if !told.contains(&line) {
                world.say(&format!("help: {line}\n"));
                told.push(line);
            }
        }
    }
    world.report(json, human)?;
    Ok(if found.problems.is_empty() {
        Exit::Fine
    } else {
        Exit::Error
    })
}
