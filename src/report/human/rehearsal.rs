//! A rehearsal: a line a run as it ends, and what it all came to.

use std::fmt::Write as _;

use super::Look;
use super::verify::cleaned;
use crate::i18n::text;
use crate::rehearsal::judge::Judgement;
use crate::rehearsal::{Rehearsal, Run, Settled, Totals};
use crate::report::text::{clean, count, duration, right};

/// What is about to happen, and the head of the table.
pub fn head(rehearsal: &Rehearsal, look: Look) -> String {
    let (wanted, asked) = (rehearsal.wanted, rehearsal.asked);
    let creates = count(wanted, "create", "creates");
    let runs = count(asked, "run", "runs");
    let mut out = look.say(text!("Rehearsing {creates} in {runs}, on a copy of the state, against the embedded endpoint.\nNothing is sent to Tencent Cloud.\n", creates, runs; wanted, asked));
    if let Some(seed) = rehearsal.seed {
        let text =
            text!("Seed {seed}; to repeat the same faults: --random {asked} --seed {seed}", seed, asked);
        let _ = writeln!(out, "{}", look.say(text));
    }
    for assumed in &rehearsal.assumed {
        let (head, assumed) = (look.change(text!("Assumed:")), cleaned(assumed));
        let text = text!("{head} {assumed}", head, assumed);
        let _ = writeln!(out, "{}", look.say(text));
    }
    let titles =
        [text!("RUN"), text!("CREATES"), text!("DUPLICATES"), text!("LOST"), text!("APPLIES"), text!("TIME")];
    let faults = look.say(text!("FAULTS"));
    let mut out = look.within(out, 0);
    let _ = writeln!(out, "\n{}", columns(&titles.map(|title| look.say(title)), &faults));
    out
}

/// Where the last column begins.
const FAULTS: usize = 5 + 7 + 10 + 4 + 7 + 9 + 6 * 2;

/// The numbers to the right of their columns, and the last as long as it is.
fn columns(numbers: &[String; 6], last: &str) -> String {
    let mut line = String::new();
    for (text, columns) in numbers.iter().zip([5, 7, 10, 4, 7, 9]) {
        line = line + &right(text, columns) + "  ";
    }
    line + last
}

/// One run's line, and what is wrong with it.
pub fn run(run: &Run, look: Look) -> String {
    let Run {
        number,
        faults,
        struck: _,
        applies,
        judgement: Judgement { orders, duplicates, lost },
        settled: _,
        unfinished,
        took,
    } = run;
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let faults = match faults.as_slice() {
        [] => look.say(text!("none")),
        some => some.join(" "),
    };
    let numbers = [
        number.to_string(),
        orders.to_string(),
        duplicates.len().to_string(),
        lost.len().to_string(),
        applies.to_string(),
        look.say(duration(*took)),
    ];
    let mut out = look.within(columns(&numbers, &clean(&faults)) + "\n", FAULTS);
    let unfinished = unfinished.as_ref().map_or(String::new(), |why| look.say(why));
    let trouble = [
        (text!("created without need"), duplicates.join(", ")),
        (text!("lost"), lost.join(", ")),
        (text!("not finished"), unfinished),
    ];
    for (what, which) in trouble.iter().filter(|(_, which)| !which.is_empty()) {
        let (what, which) = (look.bad(what), clean(which));
        let text = text!("       {what}: {which}", what, which);
        let _ = writeln!(out, "{}", look.say(text));
    }
    out
}

/// The sums.
pub fn totals(rehearsal: &Rehearsal, look: Look) -> String {
    let Totals {
        struck,
        orders,
        duplicates,
        lost,
        unfinished,
        settled: Settled { read_back, adopted, not_created },
    } = rehearsal.totals();
    let (n, took) = (rehearsal.runs.len(), duration(rehearsal.took));
    let mut out = {
        let (runs, calls) = (count(n, "run", "runs"), count(struck, "call", "calls"));
        let made = count(orders, "create", "creates");
        let twice = count(duplicates, "duplicate", "duplicates");
        let gone = count(lost, "id lost", "ids lost");
        look.say(text!(
            "\n{runs}, {calls} with a fault, {made}: {twice}, {gone}, in {took}.\n", runs, calls, made, twice, gone, took; n, struck, orders, duplicates, lost))
    };
    let answers = text!(
        "Of the lost responses, apply found {read_back} in the account, resolve imported {adopted}, and {not_created} had created nothing.",
        read_back,
        adopted,
        not_created
    );
    let _ = writeln!(out, "{}", look.say(answers));
    let missing = rehearsal.asked - n;
    let verdict = if rehearsal.wanted == 0 && missing == 0 {
        look.change(text!("Nothing to rehearse: the plan creates nothing."))
    } else if rehearsal.is_kept() {
        look.good(text!("Nothing created twice, nothing lost, and every run completed."))
    } else if duplicates + lost > 0 {
        look.bad(text!("Some environments were created twice or lost."))
    } else if unfinished > 0 {
        let runs = count(unfinished, "run", "runs");
        look.change(text!(
            "Nothing created twice and nothing lost, but {runs} did not complete.", runs; unfinished))
    } else {
        let runs = count(missing, "run was", "runs were");
        look.change(text!("Interrupted: {runs} skipped.", runs; missing))
    };
    let _ = writeln!(out, "{verdict}");
    look.within(out, 0)
}

/// All of it.
pub fn report(rehearsal: &Rehearsal, look: Look) -> String {
    let runs = rehearsal.runs.iter().map(|it| run(it, look));
    let runs: String = runs.collect();
    head(rehearsal, look) + &runs + &totals(rehearsal, look)
}
