//! A rehearsal: what is declared is created in the sandbox, on a copy of the state, while faults strike; and what came of it,
//! judged by the sandbox's ledger.
//!
//! [`setup`] prepares the state and the account, [`random`] draws faults, [`judge`] counts. All of it is pure: the command line
//! runs the engine.

pub mod judge;
pub mod random;
pub mod setup;

use std::time::Duration;

use crate::i18n::Text;
use crate::sandbox::Fault;
use judge::Judgement;

/// All runs of one rehearsal.
#[derive(Debug, Clone, PartialEq)]
pub struct Rehearsal {
    /// What the random faults were drawn with; None when all were chosen.
    pub seed: Option<u64>,
    /// How many runs were asked for.
    pub asked: usize,
    /// How many creates each run is to make.
    pub wanted: usize,
    /// What had to be assumed about the account, for people.
    pub assumed: Vec<Text>,
    pub runs: Vec<Run>,
    pub took: Duration,
}

/// One run, from the copy to the last recovery.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// From 1.
    pub number: usize,
    pub faults: Vec<Fault>,
    /// How many calls they struck.
    pub struck: usize,
    /// How often `apply` ran until nothing was left to do.
    pub applies: usize,
    pub judgement: Judgement,
    pub settled: Settled,
    /// Why the job was not done in the end; None when it was.
    pub unfinished: Option<Text>,
    pub took: Duration,
}

/// How creates without a full answer were settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// By `apply` itself, from what the account shows.
    pub read_back: usize,
    /// By `resolve`: the environment was adopted.
    pub adopted: usize,
    /// By `resolve --not-created`, where the ledger proves it.
    pub not_created: usize,
}

/// Sums over all runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub struck: usize,
    pub orders: usize,
    pub duplicates: usize,
    pub lost: usize,
    pub unfinished: usize,
    pub settled: Settled,
}

impl Run {
    /// Whether nothing was created twice, nothing was lost, and the job is done.
    pub fn is_kept(&self) -> bool {
        let Judgement { orders: _, duplicates, lost } = &self.judgement;
        duplicates.is_empty() && lost.is_empty() && self.unfinished.is_none()
    }
}

impl Rehearsal {
    /// Whether every run was made, and kept the promises.
    pub fn is_kept(&self) -> bool {
        self.runs.len() == self.asked && self.runs.iter().all(Run::is_kept)
    }

    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
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
