//! `postpay state verify`: state, journal and receipts against each other.

use crate::cli::Exit;
use crate::cli::failure::Failure;
use crate::cli::load::Project;
use crate::cli::options::{Api, Global};
use crate::cli::shown::Shown;
use crate::cli::world::World;
use crate::lang::{Text, text};
use crate::report::{human, json};
use crate::state::read;
use crate::state::verify::{self, Problem};

/// Hold state, journal and receipts against each other, and list everything that does not fit
///
/// Checks the hash chain of every receipt, that no run is missing, that all of them are of this state and this account,
/// and that the state is exactly what the receipts rebuild. Reads only; takes no lock.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay state verify                   exit 0 when all fits, 1 with every problem listed
  postpay state verify --format json     the same for programs")]
pub(in crate::cli) struct Args {}

pub(super) fn run(Args {}: &Args, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, world)?;
    let found = verify::verify(&world.store(&project.state))?;
    let json = || json::state::verification(&found);
    let human = |look| human::verify::verification(&found, look);
    let shown = Shown::plain(&json, &human);
    world.print_as_asked(shown)?;
    let mut told = Vec::new();
    for line in found.problems.iter().flat_map(next) {
        if !told.contains(&line) {
            world.tell(&text!("help: {line}\n", "帮助：{line:#}\n"));
            told.push(line);
        }
    }
    world.report(shown)?;
    if !found.problems.is_empty() {
        return Ok(Exit::Error);
    }
    // What no command would start from is not fine, whatever the files say one by one.
    read(&world.store(&project.state))?;
    Ok(Exit::Fine)
}

/// What to do about a problem.
fn next(problem: &Problem) -> Vec<Text> {
    match problem {
        Problem::Refused(error) => error.help(),
        Problem::ReceiptsMissing { .. } => vec![text!(
            "put the receipts back from version control or another copy of the folder; without them the state can't be rebuilt",
            "请从版本控制或该目录的另一份副本中恢复回执；没有它们就无法重建状态文件"
        )],
        Problem::Account { .. } => vec![text!(
            "an order was made from another account or endpoint with these files: keep them, and find out who did",
            "有人用这些文件向另一个账号或端点下过订单：请保留它们，并查明是谁所为"
        )],
        Problem::Differs(_) => vec![text!(
            "receipts carry hashes and the state does not: `postpay state restore --dry-run` shows what they would put back",
            "回执带有哈希，状态文件没有：`postpay state restore --dry-run` 显示按回执会恢复什么"
        )],
        Problem::Shared { .. } => vec![text!(
            "one of them is not what its order made: look at both in the vendor's console; `postpay resolve` settles what is unknown, \
             and `postpay state rm` takes a record off",
            "其中之一不是其订单所创建的：请在腾讯云控制台查看；`postpay resolve` 处理结果未知的，`postpay state rm` 移除记录"
        )],
        Problem::Unrecorded { .. } => vec![text!(
            "look for the environment at https://console.cloud.tencent.com/tcb; keep the rescue file until it is on record",
            "请在 https://console.cloud.tencent.com/tcb 查找该环境；在它有记录之前请保留救援文件"
        )],
    }
}
