//! A rehearsal: a line a run as it ends, and what it all came to.

use std::fmt::Write as _;

use super::Look;
use crate::rehearsal::judge::Judgement;
use crate::rehearsal::{Rehearsal, Run, Settled, Totals};
use crate::report::text::{clean, count, duration};

/// What is about to happen, and the head of the table.
pub fn head(rehearsal: &Rehearsal, look: Look) -> String {
    let mut out = format!(
        "Rehearsing {} in {}, on a copy of the state, against the embedded endpoint.\nNothing is sent to the vendor.\n",
        count(rehearsal.wanted, "order", "orders"),
        count(rehearsal.asked, "run", "runs"),
    );
    if let Some(seed) = rehearsal.seed {
        let _ = writeln!(
            out,
            "Seed {seed}; the same faults again: --random {} --seed {seed}",
            rehearsal.asked
        );
    }
    for assumed in &rehearsal.assumed {
        let _ = writeln!(out, "{} {}", look.change("Assumed:"), clean(assumed.en()));
    }
    let _ = writeln!(
        out,
        "\n{:>5}  {:>6}  {:>10}  {:>4}  {:>7}  {:>9}  FAULTS",
        "RUN", "ORDERS", "DUPLICATES", "LOST", "APPLIES", "TIME"
    );
    out
}

/// One run's line, and what is wrong with it.
pub fn run(run: &Run, look: Look) -> String {
    let Run {
        number,
        faults,
        struck: _,
        applies,
        judgement:
            Judgement {
                orders,
                duplicates,
                lost,
            },
        settled: _,
        unfinished,
        took,
    } = run;
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let faults = match faults.as_slice() {
        [] => "none".to_owned(),
        some => some.join(" "),
    };
    let time = duration(*took);
    let mut out = format!(
        "{number:>5}  {orders:>6}  {:>10}  {:>4}  {applies:>7}  {time:>9}  {}\n",
        duplicates.len(),
        lost.len(),
        clean(&faults)
    );
    let trouble = [
        ("ordered without need", duplicates.join(", ")),
        ("lost", lost.join(", ")),
        ("not finished", unfinished.clone().unwrap_or_default()),
    ];
    for (what, which) in trouble.iter().filter(|(_, which)| !which.is_empty()) {
        let _ = writeln!(out, "       {}: {}", look.bad(what), clean(which));
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
        settled:
            Settled {
                read_back,
                adopted,
                not_created,
            },
    } = rehearsal.totals();
    let mut out = format!(
        "\n{}, {} spoiled, {}: {}, {}, in {}.\n",
        count(rehearsal.runs.len(), "run", "runs"),
        count(struck, "call", "calls"),
        count(orders, "order made", "orders made"),
        count(duplicates, "duplicate", "duplicates"),
        count(lost, "id lost", "ids lost"),
        duration(rehearsal.took),
    );
    let _ = writeln!(
        out,
        "Of the answers that were lost, apply read {read_back} back, resolve adopted {adopted}, and {not_created} had made nothing."
    );
    let missing = rehearsal.asked - rehearsal.runs.len();
    let verdict = if rehearsal.is_kept() {
        look.good("Nothing twice, nothing lost, and every run finished the job.")
    } else if duplicates + lost > 0 {
        look.bad("The promises were not kept.")
    } else if unfinished > 0 {
        look.change(format!(
            "Nothing twice and nothing lost, but {} did not finish the job.",
            count(unfinished, "run", "runs")
        ))
    } else {
        look.change(format!(
            "Interrupted: {} not made.",
            count(missing, "run was", "runs were")
        ))
    };
    let _ = writeln!(out, "{verdict}");
    out
}

/// All of it.
pub fn report(rehearsal: &Rehearsal, look: Look) -> String {
    let runs = rehearsal.runs.iter().map(|it| run(it, look));
    let runs: String = runs.collect();
    head(rehearsal, look) + &runs + &totals(rehearsal, look)
}
