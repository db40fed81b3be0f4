//! `rehearse`: a line per run as it ends, and the totals.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{View, to_json};
use super::lines::Lines;
use super::options::RenderOptions;
use super::text::{clean, clean_text, count, duration, right};
use crate::i18n::text;
use crate::rehearsal::judge::Judgement;
use crate::rehearsal::{Rehearsal, Run, Settled, Totals};
use crate::state::FormatVersion;

/// All runs of a rehearsal.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay rehearse --format json, version 1")]
pub struct RehearsalView<'a> {
    format_version: FormatVersion,
    /// Nothing was created twice, nothing was lost, and every run completed.
    passed: bool,
    totals: Totals,
    #[serde(flatten)]
    rehearsal: &'a Rehearsal,
}

impl<'a> RehearsalView<'a> {
    pub fn new(rehearsal: &'a Rehearsal) -> Self {
        let (passed, totals) = (rehearsal.is_kept(), rehearsal.totals());
        Self { format_version: FormatVersion, passed, totals, rehearsal }
    }
}

impl View for RehearsalView<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        if self.rehearsal.wanted == 0 {
            return render_totals(self.rehearsal, options);
        }
        let runs = self.rehearsal.runs.iter().map(|run| render_run(run, options));
        let runs: String = runs.collect();
        render_head(self.rehearsal, options) + &runs + &render_totals(self.rehearsal, options)
    }
}

/// Returns what is about to happen, and the head of the table.
pub fn render_head(rehearsal: &Rehearsal, options: RenderOptions) -> String {
    let Rehearsal { wanted, asked, seed, assumed, .. } = rehearsal;
    let (creates, runs) = (count(*wanted, "create", "creates"), count(*asked, "run", "runs"));
    let mut lines = Lines::new(options);
    lines.add(text!("Rehearsing {creates} in {runs}, on a copy of the state, against the embedded endpoint.\nNothing is sent to Tencent Cloud.", creates, runs; wanted, asked));
    if let Some(seed) = seed {
        lines.add(text!(
            "Seed {seed}; to repeat the same faults: --random {asked} --seed {seed}",
            seed,
            asked
        ));
    }
    for assumed in assumed {
        let (head, assumed) = (options.change(text!("Assumed:")), clean_text(assumed));
        lines.add(text!("{head} {assumed}", head, assumed));
    }
    let titles =
        [text!("RUN"), text!("CREATES"), text!("DUPLICATES"), text!("LOST"), text!("APPLIES"), text!("TIME")];
    let faults = options.in_lang(text!("FAULTS"));
    format!("{}\n{}\n", lines.wrap(0), columns(&titles.map(|title| options.in_lang(title)), &faults))
}

/// The widths of the columns, and where the last one begins.
const WIDTHS: [usize; 6] = [5, 7, 10, 4, 7, 9];
const FAULTS: usize = 5 + 7 + 10 + 4 + 7 + 9 + 6 * 2;

fn columns(numbers: &[String; 6], last: &str) -> String {
    let cells = numbers.iter().zip(WIDTHS).map(|(text, columns)| right(text, columns) + "  ");
    cells.collect::<String>() + last
}

/// Returns the line of a run, and what is wrong with it.
pub fn render_run(run: &Run, options: RenderOptions) -> String {
    let Run { number, faults, applies, judgement, unfinished, took, struck: _, settled: _ } = run;
    let Judgement { orders, duplicates, lost } = judgement;
    let faults = match faults.as_slice() {
        [] => options.in_lang(text!("none")),
        some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    };
    let numbers = [
        number.to_string(),
        orders.to_string(),
        duplicates.len().to_string(),
        lost.len().to_string(),
        applies.to_string(),
        options.in_lang(duration(*took)),
    ];
    let line = options.wrap(columns(&numbers, &clean(&faults)) + "\n", FAULTS);
    let unfinished = unfinished.as_ref().map_or(String::new(), |why| options.in_lang(why));
    let mut lines = Lines::new(options);
    for (what, which) in [
        (text!("created without need"), duplicates.join(", ")),
        (text!("lost"), lost.join(", ")),
        (text!("not finished"), unfinished),
    ] {
        if !which.is_empty() {
            let (what, which) = (options.bad(what), clean(&which));
            lines.add(text!("       {what}: {which}", what, which));
        }
    }
    line + &lines.finish()
}

/// Returns the sums over all runs, and the verdict.
pub fn render_totals(rehearsal: &Rehearsal, options: RenderOptions) -> String {
    if rehearsal.wanted == 0 {
        return options.in_lang(text!("Nothing to rehearse: the plan creates nothing.\n"));
    }
    let Totals { runs: n, struck, orders, duplicates, lost, unfinished, settled } = rehearsal.totals();
    let Settled { read_back, adopted, not_created } = settled;
    let took = duration(rehearsal.took);
    let (runs, calls) = (count(n, "run", "runs"), count(struck, "call", "calls"));
    let made = count(orders, "create", "creates");
    let twice = count(duplicates, "duplicate", "duplicates");
    let gone = count(lost, "id lost", "ids lost");
    let mut lines = Lines::new(options);
    lines.blank();
    lines.add(text!(
        "{runs}, {calls} with a fault, {made}: {twice}, {gone}, in {took}.", runs, calls, made, twice, gone, took; n, struck, orders, duplicates, lost));
    lines.add(text!(
        "Of the lost responses, apply found {read_back} in the account, resolve imported {adopted}, and {not_created} had created nothing.",
        read_back,
        adopted,
        not_created
    ));
    let missing = rehearsal.asked - n;
    lines.add(if rehearsal.is_kept() {
        options.good(text!("Nothing created twice, nothing lost, and every run completed."))
    } else if duplicates + lost > 0 {
        options.bad(text!("Some environments were created twice or lost."))
    } else if unfinished > 0 {
        let runs = count(unfinished, "run", "runs");
        options.change(text!(
            "Nothing created twice and nothing lost, but {runs} did not complete.", runs; unfinished))
    } else {
        let runs = count(missing, "run was", "runs were");
        options.change(text!("Interrupted: {runs} skipped.", runs; missing))
    });
    lines.wrap(0)
}
