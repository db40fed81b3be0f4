//! Counts recent creates, for the daily limit. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::journal::{Event, Journal};
use crate::state::record::RunId;
use crate::state::record::{Origin, State};

/// Returns how many environments were or may have been created since `since`.
///
/// `journals` are the finished runs with a receipt, in order. A create without one is counted by its record,
/// so that deleting receipts does not evade the limit.
///
/// Nor do wrong clocks: nothing is earlier than the entries before it, and a time in the future counts as
/// `now`.
pub fn creates_since(state: Option<&State>, journals: &[Journal], since: Timestamp, now: Timestamp) -> usize {
    let on_file: BTreeSet<RunId> = journals.iter().map(|journal| journal.started.run).collect();
    let on_record = state
        .into_iter()
        .flat_map(State::records)
        .filter(|(_, record)| match record.origin {
            Origin::Ordered => record.ordered_at >= since && !on_file.contains(&record.run),
            Origin::Imported => false,
        })
        .count();
    let mut latest = Timestamp::MIN;
    let in_journals: usize =
        journals.iter().map(|journal| creates_in(journal, since, now, &mut latest)).sum();
    on_record + in_journals
}

/// Counts the attempts that may have created something. `latest` is the latest time so far.
fn creates_in(journal: &Journal, since: Timestamp, now: Timestamp, latest: &mut Timestamp) -> usize {
    let mut attempts = BTreeMap::new();
    for entry in &journal.entries {
        *latest = entry.at.min(now).max(*latest);
        match &entry.event {
            Event::Intent(intent) if *latest >= since && intent.may_create() => {
                attempts.insert((intent.step, intent.attempt), &intent.attributes);
            }
            Event::Outcome(outcome) => {
                let attempt = (outcome.step, outcome.attempt);
                if attempts.get(&attempt).is_some_and(|asked| outcome.is_harmless(asked)) {
                    attempts.remove(&attempt);
                }
            }
            Event::Intent(_)
            | Event::Listed(_)
            | Event::Edited(_)
            | Event::RunEnded(_)
            | Event::Recovered(_) => {}
        }
    }
    attempts.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Address, Attributes, SourceRef};
    use crate::state::arbitrary::{ORDER, outcome};
    use crate::state::journal::{Entry, Evidence, Intent, RunStarted};
    use crate::state::record::{Account, Lineage, Serial};
    use crate::state::replay::replay;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn address(step: u32) -> Address {
        Address::new(&format!("env-{step}")).unwrap()
    }

    /// A run whose steps are sent at these seconds and have these outcomes.
    fn run(steps: &[(i64, &str, Option<Evidence>)]) -> Journal {
        let mut entries = Vec::new();
        for ((second, action, end), step) in steps.iter().zip(1..) {
            let at = at(*second);
            let intent = Event::Intent(Intent {
                step,
                attempt: 1,
                address: address(step),
                action: (*action).to_owned(),
                attributes: Attributes::default(),
                members: BTreeMap::new(),
                source: SourceRef { file: "environments/all.yaml".to_owned(), line: step },
                replaces: None,
                prevent_destroy: false,
                resends: None,
            });
            entries.push(Entry { at, event: intent });
            entries.extend(end.map(|evidence| Entry {
                at,
                event: Event::Outcome(outcome(step, 1, &address(step), evidence, None, None)),
            }));
        }
        Journal {
            started_at: at(0),
            started: RunStarted {
                format_version: crate::state::FormatVersion,
                run: RunId::fresh(),
                lineage: Lineage::fresh(),
                base: Serial::default(),
                tool_version: "0.1.0".to_owned(),
                account: Account { endpoint: "sandbox".to_owned(), uin: None },
                plan: String::new(),
                who: "ada@loom".to_owned(),
                pid: 7,
                region: None,
                commit: None,
            },
            entries,
        }
    }

    #[test]
    fn possible_creates_are_counted() {
        let journal = run(&[
            (10, ORDER, Some(Evidence::Ordered)),
            (100, ORDER, Some(Evidence::Ordered)),
            (101, ORDER, Some(Evidence::Unknown)),
            (102, ORDER, None),
            (103, ORDER, Some(Evidence::Refused)),
            (104, ORDER, Some(Evidence::NotSent)),
            (105, "ModifyEnv", Some(Evidence::Ordered)),
        ]);
        assert_eq!(creates_since(None, &[journal], at(100), at(200)), 3);
    }

    #[test]
    fn create_without_a_receipt_is_counted_by_its_record() {
        let journal = run(&[
            (10, ORDER, Some(Evidence::Ordered)),
            (100, ORDER, Some(Evidence::Ordered)),
            (101, ORDER, Some(Evidence::Unknown)),
        ]);
        let mut state = replay(None, &journal);
        assert_eq!(creates_since(Some(&state), &[], at(100), at(200)), 2);
        let both = creates_since(Some(&state), &[journal], at(100), at(200));
        assert_eq!(both, 2, "none counts twice");
        for record in state.environments.values_mut() {
            record.origin = Origin::Imported;
        }
        assert_eq!(creates_since(Some(&state), &[], at(100), at(200)), 0);
    }

    #[test]
    fn wrong_clock_does_not_evade_the_limit() {
        const DAY: i64 = 24 * 3600;
        const YEAR: i64 = 365 * DAY;
        let now = 100 * YEAR;
        let order = |second| (second, ORDER, Some(Evidence::Ordered));
        let count = |runs: &[&[i64]]| {
            let runs = runs.iter().map(|steps| {
                let steps: Vec<_> = steps.iter().copied().map(order).collect();
                run(&steps)
            });
            creates_since(None, &runs.collect::<Vec<_>>(), at(now - DAY), at(now))
        };
        let (yesterday, today) = (now - 2 * DAY, now - DAY / 2);
        assert_eq!(count(&[&[yesterday], &[today, today]]), 2);
        for back in [30 * DAY, 50 * YEAR] {
            assert_eq!(count(&[&[today], &[now - back]]), 2, "a whole run");
            assert_eq!(count(&[&[today, now - back]]), 2, "within a run");
            assert_eq!(count(&[&[yesterday], &[now - back], &[today]]), 1);
            // An empty run in between does not reset the latest time.
            assert_eq!(count(&[&[today], &[], &[now - back, now - back]]), 3);
        }
        for ahead in [1, YEAR] {
            assert_eq!(count(&[&[now + ahead]]), 1, "the future counts as now");
            assert_eq!(count(&[&[now + ahead], &[now - 30 * DAY]]), 2);
        }
    }
}
