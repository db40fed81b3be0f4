//! A rehearsal for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::i18n::Text;
use crate::rehearsal::{Rehearsal, Run, Settled, Totals};

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay rehearse --format json, version 1")]
struct RehearsalV1<'a> {
    format_version: u32,
    /// Nothing twice, nothing lost, and every run made and finished.
    kept: bool,
    /// Null when every fault was chosen.
    seed: Option<u64>,
    runs_asked: usize,
    orders_wanted: usize,
    assumed: Vec<&'a str>,
    totals: TotalsV1,
    took_seconds: f64,
    runs: Vec<RunV1<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Totals")]
struct TotalsV1 {
    runs: usize,
    calls_spoiled: usize,
    orders: usize,
    duplicates: usize,
    ids_lost: usize,
    unfinished: usize,
    settled: SettledV1,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Settled")]
struct SettledV1 {
    read_back: usize,
    adopted: usize,
    not_created: usize,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Run")]
struct RunV1<'a> {
    run: usize,
    faults: Vec<String>,
    calls_spoiled: usize,
    applies: usize,
    orders: usize,
    /// EnvIds.
    duplicates: &'a [String],
    /// EnvIds and TranIds.
    ids_lost: &'a [String],
    settled: SettledV1,
    /// Why the job was not done; null when it was.
    unfinished: Option<&'a str>,
    took_seconds: f64,
}

impl From<Settled> for SettledV1 {
    fn from(settled: Settled) -> Self {
        let Settled { read_back, adopted, not_created } = settled;
        Self { read_back, adopted, not_created }
    }
}

impl<'a> From<&'a Run> for RunV1<'a> {
    fn from(run: &'a Run) -> Self {
        Self {
            run: run.number,
            faults: run.faults.iter().map(ToString::to_string).collect(),
            calls_spoiled: run.struck,
            applies: run.applies,
            orders: run.judgement.orders,
            duplicates: &run.judgement.duplicates,
            ids_lost: &run.judgement.lost,
            settled: run.settled.into(),
            unfinished: run.unfinished.as_ref().map(Text::en),
            took_seconds: run.took.as_secs_f64(),
        }
    }
}

/// The JSON Schema of `rehearse --format json`.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(RehearsalV1<'_>).to_value()
}

/// The rehearsal as one JSON document that ends in a newline.
pub fn report(rehearsal: &Rehearsal) -> String {
    let Totals { struck, orders, duplicates, lost, unfinished, settled } = rehearsal.totals();
    let document = RehearsalV1 {
        format_version: 1,
        kept: rehearsal.is_kept(),
        seed: rehearsal.seed,
        runs_asked: rehearsal.asked,
        orders_wanted: rehearsal.wanted,
        assumed: rehearsal.assumed.iter().map(Text::en).collect(),
        totals: TotalsV1 {
            runs: rehearsal.runs.len(),
            calls_spoiled: struck,
            orders,
            duplicates,
            ids_lost: lost,
            unfinished,
            settled: settled.into(),
        },
        took_seconds: rehearsal.took.as_secs_f64(),
        runs: rehearsal.runs.iter().map(RunV1::from).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}
