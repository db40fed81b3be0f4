//! A rehearsal: creates the declared environments in the sandbox, on a copy of the state and with injected
//! faults, and checks the result against the sandbox's ledger.
//!
//! [`setup`] prepares the state and the account, [`random`] chooses faults, [`judge`] counts. All pure: `cli`
//! runs the engine.

pub mod judge;
pub mod random;
pub mod setup;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::i18n::Text;
use crate::sandbox::Fault;
use judge::Judgement;

/// All runs of a rehearsal.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Rehearsal {
    /// The seed of the random faults; None when the user chose all of them.
    pub seed: Option<u64>,
    /// The number of requested runs.
    #[serde(rename = "runs_requested")]
    pub asked: usize,
    /// The number of creates in each run.
    #[serde(rename = "creates_per_run")]
    pub wanted: usize,
    /// Assumptions about the account, for the report.
    pub assumed: Vec<Text>,
    pub runs: Vec<Run>,
    #[serde(rename = "took_seconds", serialize_with = "seconds")]
    #[schemars(with = "f64")]
    pub took: Duration,
}

/// One run, including its recoveries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Run {
    /// Starts at 1.
    #[serde(rename = "run")]
    pub number: usize,
    #[serde(serialize_with = "names")]
    #[schemars(with = "Vec<String>")]
    pub faults: Vec<Fault>,
    /// The number of calls that had a fault.
    #[serde(rename = "calls_with_fault")]
    pub struck: usize,
    /// How often `apply` ran until nothing was left to do.
    pub applies: usize,
    #[serde(flatten)]
    pub judgement: Judgement,
    pub settled: Settled,
    /// Why creates are missing at the end; None when all are done.
    pub unfinished: Option<Text>,
    #[serde(rename = "took_seconds", serialize_with = "seconds")]
    #[schemars(with = "f64")]
    pub took: Duration,
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

fn names<S: Serializer>(faults: &[Fault], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(faults.iter().map(ToString::to_string))
}

/// How creates with an incomplete response were settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Settled {
    /// By `apply`, from what the account shows.
    pub read_back: usize,
    /// By `resolve --adopt`.
    pub adopted: usize,
    /// By `resolve --not-created`, where the ledger proves it.
    pub not_created: usize,
}

/// Sums over all runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Totals {
    pub runs: usize,
    #[serde(rename = "calls_with_fault")]
    pub struck: usize,
    pub orders: usize,
    pub duplicates: usize,
    #[serde(rename = "ids_lost")]
    pub lost: usize,
    pub unfinished: usize,
    pub settled: Settled,
}

impl Run {
    /// Returns whether nothing was created twice or lost, and everything is done.
    pub fn is_kept(&self) -> bool {
        let Judgement { orders: _, duplicates, lost } = &self.judgement;
        duplicates.is_empty() && lost.is_empty() && self.unfinished.is_none()
    }
}

impl Rehearsal {
    /// Returns whether every run was made and kept the promises.
    pub fn is_kept(&self) -> bool {
        self.runs.len() == self.asked && self.runs.iter().all(Run::is_kept)
    }

    pub fn totals(&self) -> Totals {
        let mut totals = Totals { runs: self.runs.len(), ..Totals::default() };
        for run in &self.runs {
            totals.struck += run.struck;
            totals.orders += run.judgement.orders;
            totals.duplicates += run.judgement.duplicates.len();
            totals.lost += run.judgement.lost.len();
            totals.unfinished += usize::from(run.unfinished.is_some());
            let Settled { read_back, adopted, not_created } = run.settled;
            totals.settled.read_back += read_back;
            totals.settled.adopted += adopted;
            totals.settled.not_created += not_created;
        }
        totals
    }
}
