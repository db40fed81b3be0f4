//! What becomes of addresses: `moved` and `removed`, over all files.

use std::collections::{HashMap, HashSet};

use super::declared::{Declared, Manifests, Move};
use super::near::{list, meant, nearest};
use crate::diagnostic::Diagnostic;
use crate::i18n::text;

/// Reports everything that is wrong with the moves and removals of a project.
pub(super) fn check(manifests: &Manifests<'_>, problems: &mut Vec<Diagnostic>) {
    if manifests.moves.is_empty() && manifests.removed.is_empty() {
        return;
    }
    let declared = manifests.declared();
    incomplete(manifests, problems);
    to_itself(manifests, problems);
    moved_twice(manifests, problems);
    still_declared(manifests, &declared, problems);
    not_declared(manifests, &declared, problems);
    cycles(manifests, problems);
    removed_and_moved(manifests, problems);
    removed_twice(manifests, problems);
}

/// Half a move would leave an environment to be created once more under its new address.
fn incomplete(manifests: &Manifests<'_>, problems: &mut Vec<Diagnostic>) {
    for moved in &manifests.moves {
        let ends = [("from", moved.from), ("to", moved.to)];
        let missing: Vec<&str> =
            ends.into_iter().filter(|(_, end)| end.is_none()).map(|(name, _)| name).collect();
        if missing.is_empty() {
            continue;
        }
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let missing = list(&missing);
        problems.push(
            Diagnostic::error("incomplete-move", text!("incomplete `moved` entry"))
                .at(&moved.node.span(), text!("{missing} {verb} missing", missing, verb))
                .help(text!("give the old and the new address: `{from: shop, to: shop-prod}`")),
        );
    }
}

/// A move from an address to the same one: most often a rename that was written in one place only.
fn to_itself(manifests: &Manifests<'_>, problems: &mut Vec<Diagnostic>) {
    for moved in &manifests.moves {
        let Some((from, to)) = moved.ends() else {
            continue;
        };
        if from.text != to.text {
            continue;
        }
        let address = from.text;
        problems.push(
            Diagnostic::error("moved-to-itself", text!("`{address}` is moved to itself", address))
                .at(&to.node.span(), text!("the same address"))
                .at(&from.node.span(), text!("as this"))
                .help(text!("`from` is the old address, `to` the new one")),
        );
    }
}

/// An environment has one address, and an address one environment: so no two moves share an end.
fn moved_twice(manifests: &Manifests<'_>, problems: &mut Vec<Diagnostic>) {
    let mut left = HashMap::new();
    let mut reached = HashMap::new();
    for (_, from, to) in manifests.whole_moves() {
        let (message, again, first) = match (left.get(from.text), reached.get(to.text)) {
            (Some(first), _) => {
                let address = from.text;
                let message = text!("`{address}` is moved twice", address);
                (message, from, *first)
            }
            (None, Some(first)) => {
                let address = to.text;
                let message = text!("two environments are moved to `{address}`", address);
                (message, to, *first)
            }
            (None, None) => {
                left.insert(from.text, from);
                reached.insert(to.text, to);
                continue;
            }
        };
        problems.push(
            Diagnostic::error("moved-twice", message)
                .at(&again.node.span(), text!("again"))
                .at(&first.node.span(), text!("first here"))
                .help(text!("an address has exactly one environment; remove one of the two")),
        );
    }
}

/// Reports addresses that are moved or removed and still declared: they would be created again.
fn still_declared(
    manifests: &Manifests<'_>,
    declared: &HashMap<&str, &Declared<'_>>,
    problems: &mut Vec<Diagnostic>,
) {
    for (_, from, to) in manifests.whole_moves() {
        let Some(environment) = declared.get(from.text) else {
            continue;
        };
        let (old, new) = (from.text, to.text);
        problems.push(
            Diagnostic::error("moved-declared", text!("`{old}` is moved but still declared", old))
                .at(&from.node.span(), text!("moved from here"))
                .at(&environment.key.span(), text!("declared here"))
                .help(text!(
                    "if it was renamed, declare only `{new}`; otherwise remove the `moved` entry",
                    new
                ))
                .help(text!(
                    "to declare a new environment as `{old}`, apply the move first, then remove it",
                    old
                )),
        );
    }
    for name in manifests.removed.iter().filter(|name| name.is_address()) {
        let Some(environment) = declared.get(name.text) else {
            continue;
        };
        let address = name.text;
        problems.push(
            Diagnostic::error(
                "removed-declared",
                text!("`{address}` is listed under `removed` but still declared", address),
            )
            .at(&name.node.span(), text!("removed here"))
            .at(&environment.key.span(), text!("declared here"))
            .help(text!("delete it from `environments` to forget it, or from `removed` to keep it")),
        );
    }
}

/// How many names are compared with what may be a slip of one: to look at all of them for every move would not be linear.
const COMPARED: usize = 20_000;

/// A move to an address that nothing declares would leave the environment to be destroyed there.
fn not_declared(
    manifests: &Manifests<'_>,
    declared: &HashMap<&str, &Declared<'_>>,
    problems: &mut Vec<Diagnostic>,
) {
    // In what could not be read, it may be declared.
    if manifests.unread {
        return;
    }
    let names: Vec<&str> = manifests.environments.iter().map(|it| it.name).collect();
    let mut compared = 0;
    let left: HashSet<&str> = manifests.whole_moves().map(|(_, from, _)| from.text).collect();
    // Moved and forgotten is another rule's.
    let removed: HashSet<&str> = manifests.removed.iter().map(|name| name.text).collect();
    for (_, from, to) in manifests.whole_moves() {
        let address = to.text;
        if declared.contains_key(address) || left.contains(address) || removed.contains(address) {
            continue;
        }
        compared += names.len();
        let near = (compared <= COMPARED)
            .then(|| nearest(address, &names))
            .flatten()
            .filter(|near| *near != from.text);
        let label = near.map_or_else(|| text!("nothing is declared here"), meant);
        problems.push(
            Diagnostic::error(
                "moved-undeclared",
                text!("the move to `{address}` has no declared target", address),
            )
            .at(&to.node.span(), label)
            .help(text!("declare the environment under `environments` as `{address}`", address))
            .help(text!("to forget an environment, list its current address under `removed` instead")),
        );
    }
}

/// How many moves of a cycle are shown.
const SHOWN: usize = 50;

/// Where a move leads, and its place among all moves.
#[derive(Clone, Copy)]
struct Leads<'m, 'a> {
    place: usize,
    moved: &'m Move<'a>,
    from: &'a str,
    to: &'a str,
}

/// Moves that lead back to where they began have no end at which the environment could be.
fn cycles(manifests: &Manifests<'_>, problems: &mut Vec<Diagnostic>) {
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
    let mut problem = Diagnostic::error("moved-cycle", text!("the moves from `{start}` form a cycle", start));
    let left_out = round.len().saturating_sub(SHOWN);
    // The last one closes it.
    let last = round.len() - 1;
    for (at, Leads { moved, to, .. }) in round.iter().enumerate() {
        let text = if at == last {
            text!("and back to `{start}`", start)
        } else if at < SHOWN - 1 {
            text!("to `{to}`", to)
        } else {
            continue;
        };
        problem = problem.at(&moved.node.span(), text);
    }
    if left_out > 0 {
        problem = problem
            .help(text!("{left_out} more moves stand between the first and the last of these", left_out));
    }
    problem
        .help(text!("remove the move that is out of date; two environments cannot swap addresses in one run"))
}

/// An address is moved or forgotten, and not both.
fn removed_and_moved(manifests: &Manifests<'_>, problems: &mut Vec<Diagnostic>) {
    let mut ends = HashMap::new();
    for (_, from, to) in manifests.whole_moves() {
        ends.entry(from.text).or_insert((from, text!("moved from here")));
        ends.entry(to.text).or_insert((to, text!("moved to here")));
    }
    for name in &manifests.removed {
        let Some((end, how)) = ends.get(name.text) else {
            continue;
        };
        let address = name.text;
        problems.push(
            Diagnostic::error("removed-moved", text!("`{address}` is both removed and moved", address))
                .at(&name.node.span(), text!("removed here"))
                .at(&end.node.span(), how.clone())
                .help(text!("to forget the environment, list its current address and remove the move")),
        );
    }
}

/// What is forgotten twice is forgotten once; the other was perhaps meant to be another one.
fn removed_twice(manifests: &Manifests<'_>, problems: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    for name in &manifests.removed {
        let Some(first) = seen.insert(name.text, name.node) else {
            continue;
        };
        seen.insert(name.text, first);
        let address = name.text;
        problems.push(
            Diagnostic::warning(
                "removed-twice",
                text!("`{address}` is listed twice under `removed`", address),
            )
            .at(&name.node.span(), text!("again"))
            .at(&first.span(), text!("first here"))
            .help(text!("once is enough")),
        );
    }
}
