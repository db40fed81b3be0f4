//! The receipts as one line of runs, and the state that has to stand at its end.

use std::collections::HashSet;
use std::path::Path;

use super::{Compared, Notice, Problem};
use crate::model::InstanceKey;
use crate::state::compare::{Difference, differences};
use crate::state::journal::Journal;
use crate::state::succession::reached;
use crate::state::{Account, ReceiptRef, Serial, State, StateError, rebuild};

pub(super) struct Line<'a> {
    pub(super) state_path: &'a Path,
    pub(super) state: Option<&'a State>,
    /// Whether the state could be read, or there provably is none.
    pub(super) state_is_readable: bool,
    /// Every run that is over, by what its name says, oldest first.
    pub(super) runs: &'a [ReceiptRef],
    /// Those of them that could be read, in the same order.
    pub(super) journals: &'a [Journal],
}

impl Line<'_> {
    /// Places where runs left no receipt, but for a beginning that was thrown away under a state that is there.
    pub(super) fn gaps(&self) -> Vec<Problem> {
        let mut gaps = Vec::new();
        let Some(first) = self.runs.first() else {
            return gaps;
        };
        let mut missing = |from, to, evidence: &Path| {
            gaps.push(Problem::ReceiptsMissing { from, to, evidence: evidence.to_owned() });
        };
        if self.state.is_none() && first.base > Serial::default() {
            missing(Serial::default(), first.base, &first.path);
        }
        let mut at = first.base;
        for receipt in self.runs {
            if receipt.base > at {
                missing(at, receipt.base, &receipt.path);
                at = receipt.base;
            }
            at = reached(Some(at), receipt.base);
        }
        if let Some(state) = self.state
            && state.serial > at
        {
            missing(at, state.serial, self.state_path);
        }
        gaps
    }

    /// The serial that the newest run led to.
    fn reached(&self) -> Option<Serial> {
        self.runs.iter().fold(None, |at, receipt| Some(reached(at, receipt.base)))
    }

    /// Why the state can't be the one that the newest run left.
    pub(super) fn end(&self) -> Option<Problem> {
        let (newest, expected) = (self.runs.last()?, self.reached()?);
        let path = self.state_path.to_owned();
        let evidence = newest.path.display().to_string();
        let error = match self.state {
            None if self.state_is_readable => StateError::Lost { path, evidence },
            Some(state) if state.serial < expected => {
                StateError::Older { path, found: state.serial, expected, evidence }
            }
            Some(state)
                if state.serial == expected
                    && self.runs.iter().all(|run| Some(run.run) != state.last_run) =>
            {
                StateError::Forked { path, serial: state.serial, base: newest.base, evidence }
            }
            // Why it can't be read is a problem of its own; a state that is further on is missing receipts.
            None | Some(_) => return None,
        };
        Some(Problem::Refused(error))
    }

    /// Receipts of another state.
    pub(super) fn lineages(&self) -> Vec<Problem> {
        let first = || Some((self.journals.first()?.started.lineage, self.path(0)));
        let state = self.state.map(|state| (state.lineage, self.state_path));
        let Some((expected, evidence)) = state.or_else(first) else {
            return Vec::new();
        };
        let others = self.journals.iter().enumerate();
        others
            .filter(|(_, journal)| journal.started.lineage != expected)
            .map(|(place, journal)| {
                Problem::Refused(StateError::Foreign {
                    path: self.path(place).to_owned(),
                    found: journal.started.lineage,
                    expected,
                    evidence: evidence.display().to_string(),
                })
            })
            .collect()
    }

    /// Runs that ordered from somebody else.
    pub(super) fn accounts(&self) -> Vec<Problem> {
        let first = || self.journals.first().map(|journal| &journal.started.account);
        let state = self.state.and_then(|state| state.account.as_ref());
        let Some(expected) = state.or_else(first) else {
            return Vec::new();
        };
        let text = |account: &Account| match &account.uin {
            Some(uin) => format!("{} {uin}", account.endpoint),
            None => account.endpoint.clone(),
        };
        let others = self.journals.iter().enumerate();
        others
            .filter(|(_, journal)| {
                let account = &journal.started.account;
                let uins = account.uin.as_ref().zip(expected.uin.as_ref());
                account.endpoint != expected.endpoint || uins.is_some_and(|(a, b)| a != b)
            })
            .map(|(place, journal)| Problem::Account {
                path: self.path(place).to_owned(),
                found: text(&journal.started.account),
                expected: text(expected),
            })
            .collect()
    }

    pub(super) fn forks(&self) -> Vec<Notice> {
        self.runs
            .windows(2)
            .filter(|pair| pair[0].base == pair[1].base)
            .map(|pair| Notice::Fork { serial: pair[0].base, runs: [pair[0].run, pair[1].run] })
            .collect()
    }

    /// Holds the state against what the receipts rebuild. `moved_on` when it is known already that it is not the one
    /// that the newest run left: then its serial is no news.
    pub(super) fn compare(&self, rebuildable: bool, moved_on: bool) -> (Compared, Vec<Difference>) {
        let rebuilt = rebuildable.then(|| rebuild(None, self.journals)).flatten();
        let (Some(state), Some(rebuilt), Some(first)) = (self.state, rebuilt, self.runs.first()) else {
            return (Compared::Nothing, Vec::new());
        };
        if first.base == Serial::default() {
            let mut found = differences(state, &rebuilt);
            found.retain(|difference| match difference {
                Difference::Member { name, .. } => !(moved_on && ["serial", "last_run"].contains(name)),
                Difference::Missing { .. } | Difference::Surplus { .. } | Difference::Field { .. } => true,
            });
            return (Compared::Whole, found);
        }
        // What the receipts don't speak of was ordered before them.
        let mut found = differences(state, &rebuilt);
        found.retain(|difference| match difference {
            Difference::Missing { .. } | Difference::Field { .. } => true,
            Difference::Member { .. } | Difference::Surplus { .. } => false,
        });
        (Compared::Since(first.base), found)
    }

    /// What can't be verified, because its receipts were thrown away.
    pub(super) fn beginning(&self) -> Option<Notice> {
        let state = self.state?;
        let since = self.runs.first().map(|first| first.base);
        if since.unwrap_or(state.serial) == Serial::default() {
            return None;
        }
        let rebuilt = rebuild(None, self.journals);
        let known: HashSet<&InstanceKey> =
            rebuilt.iter().flat_map(|state| state.environments.keys()).collect();
        let unverified = state.environments.keys().filter(|key| !known.contains(key)).cloned();
        Some(Notice::BeginningMissing { since, serial: state.serial, unverified: unverified.collect() })
    }

    /// The file of the journal at this place. Where some can't be read, the name of the run finds it.
    fn path(&self, place: usize) -> &Path {
        let run = self.journals.get(place).map(|journal| journal.started.run);
        self.runs
            .iter()
            .find(|receipt| Some(receipt.run) == run)
            .map_or(self.state_path, |receipt| &receipt.path)
    }
}
