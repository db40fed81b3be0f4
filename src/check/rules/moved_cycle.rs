//! Moves that lead back to where they began have no end at which the environment could stand.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::{Manifests, Move};
use crate::diagnostic::Diagnostic;
use crate::lang::text;

/// So many moves of a cycle are shown, and no more: nobody reads on, and drawing them all takes its time.
const SHOWN: usize = 50;

/// Where a move leads, and its place among all moves.
#[derive(Clone, Copy)]
struct Leads<'m, 'a> {
    place: usize,
    moved: &'m Move<'a>,
    from: &'a str,
    to: &'a str,
}

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let mut leads = HashMap::new();
    for (place, (moved, from, to)) in manifests.whole_moves().enumerate() {
        leads.entry(from.text).or_insert(Leads { place, moved, from: from.text, to: to.text });
    }
    // Each address is walked from once. A walk that comes upon itself has found a cycle.
    let mut walked = HashMap::new();
    for (walk, (_, from, _)) in manifests.whole_moves().enumerate() {
        let mut at = from.text;
        while let Some(next) = leads.get(at) {
            if let Some(earlier) = walked.insert(at, walk) {
                if earlier == walk {
                    problems.push(cycle(*next, &leads));
                }
                break;
            }
            at = next.to;
        }
    }
}

/// All the way round from the first move of the cycle, wherever the walk came upon it.
fn cycle<'m, 'a>(met: Leads<'m, 'a>, leads: &HashMap<&'a str, Leads<'m, 'a>>) -> Diagnostic {
    let mut round = vec![met];
    while let Some(next) = round.last().and_then(|last| leads.get(last.to))
        && next.from != met.from
    {
        round.push(*next);
    }
    let first = (0..round.len()).min_by_key(|at| round[*at].place);
    round.rotate_left(first.unwrap_or_default());
    let start = round[0].from;
    let mut problem = Diagnostic::error(
        "moved-cycle",
        text!("the moves from `{start}` lead back to it", "从 `{start}` 出发的移动又回到了它自身"),
    );
    let left_out = round.len().saturating_sub(SHOWN);
    // The last one closes it.
    let last = round.len() - 1;
    for (at, Leads { moved, to, .. }) in round.iter().enumerate() {
        let text = if at == last {
            text!("and back to `{start}`", "又回到 `{start}`")
        } else if at < SHOWN - 1 {
            text!("to `{to}`", "移动到 `{to}`")
        } else {
            continue;
        };
        problem = problem.at(&moved.node.span(), text);
    }
    if left_out > 0 {
        problem = problem.help(text!(
            "{left_out} more moves stand between the first and the last of these",
            "在这里的第一次和最后一次移动之间，还有 {left_out} 次移动"
        ));
    }
    problem.help(text!(
        "take the move out that is not true any more; two environments can't swap addresses in one run",
        "请删去已不符合实际的移动；两个环境不能在一次运行中互换地址"
    ))
}
