//! What a restore would write, and what it would change.

use std::fmt::Write as _;

use super::{Look, verify};
use crate::lang::text;
use crate::report::text::{clean, count};
use crate::state::restore::{Present, Proposal};

/// The state that would be written, beside what is there.
pub fn proposal(proposal: &Proposal, look: Look) -> String {
    let Proposal { state, from, folded, present, open } = proposal;
    let mut out = String::new();
    let (head, from) = (look.strong(text!("Restored state:", "恢复的状态文件：")), clean(from));
    let (serial, lineage, n) = (state.serial, state.lineage, state.current().count());
    let environments = count(n, "environment", "environments");
    let deposed = verify::and_deposed(state.deposed().count());
    let receipts = count(*folded, "receipt", "receipts");
    for text in [
        text!(
            "{head} serial {serial}, {environments}{deposed}, lineage {lineage}",
            "{head}serial {serial}，{n} 个环境{deposed:#}，lineage {lineage}"
        ),
        text!("From {from}, with {receipts} merged in.", "来自 {from}，并入了 {folded} 份回执。"),
    ] {
        let _ = writeln!(out, "{}", look.say(text));
    }
    let before = match present {
        Present::Nothing => text!("There is no state file yet.", "在此之前没有状态文件。"),
        Present::Unreadable(error) => {
            let error = verify::cleaned(error);
            text!("Cannot read the current state: {error}", "现有的状态文件无法读取：{error:#}")
        }
        Present::State { differences, .. } if differences.is_empty() => {
            text!("The current state is the same.", "现有的状态文件与之相同。")
        }
        Present::State { serial, .. } => text!(
            "\nChanges to the current state (serial {serial}):",
            "\n它对现有状态文件（serial {serial}）的改动："
        ),
    };
    let _ = writeln!(out, "{}", look.say(before));
    match present {
        Present::Nothing | Present::Unreadable(_) => {}
        Present::State { differences, .. } => {
            for difference in differences {
                let text =
                    verify::difference(difference, &text!("current", "现有"), &text!("restored", "恢复后"));
                let _ = writeln!(out, "  {}", look.say(text));
            }
        }
    }
    if let Some(run) = open {
        let text = text!(
            "Run {run} is open or was interrupted: its journal stays, and the next command that writes the state merges it.",
            "运行 {run} 尚未结束或已中断：它的运行日志会保留，由下一个写入者并入状态文件。"
        );
        let _ = writeln!(out, "\n{}", look.say(text));
    }
    out
}
