//! The judge: the endpoint's ledger against what was wanted and what is on record. It believes nothing that the engine says.

use std::collections::{HashMap, HashSet};

use crate::cloud::tencent::wire::create_body;
use crate::model::Attributes;
use crate::sandbox::LedgerEntry;
use crate::state::{State, Status};

/// Everything that the judge looks at.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What may be ordered, each once.
    pub wanted: &'a [Attributes],
    /// The copy of the state that the run began with.
    pub before: Option<&'a State>,
    /// What the endpoint did during the run.
    pub ledger: &'a [LedgerEntry],
    pub after: Option<&'a State>,
    /// The EnvIds that were reported as left behind by a refused order: on no record, and not lost either.
    pub left_behind: &'a [String],
}

/// What the judge found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Orders that the endpoint really made.
    pub orders: usize,
    /// The EnvIds of those of them that nobody wanted, or wanted once and got already.
    pub duplicates: Vec<String>,
    /// Ids that the endpoint gave out, or that were on record before, and that are on no record now.
    pub lost: Vec<String>,
}

/// Counts.
pub fn judge(evidence: Evidence<'_>) -> Judgement {
    let made: Vec<&LedgerEntry> = evidence.ledger.iter().filter(|it| it.acted).collect();
    let mut wanted: HashMap<String, usize> = HashMap::new();
    for order in evidence.wanted {
        *wanted.entry(asked(order)).or_default() += 1;
    }
    let duplicates = made
        .iter()
        .filter(|entry| !take(&mut wanted, &said(entry)))
        .map(|entry| entry.env_id.clone().unwrap_or_default())
        .collect();
    let is_reported = |entry: &LedgerEntry| {
        let env_id = entry.env_id.as_ref();
        env_id.is_some_and(|id| evidence.left_behind.contains(id))
    };
    let mut kept = Kept::of(evidence.after);
    let lost = made
        .iter()
        .filter(|entry| !kept.holds(entry) && !is_reported(entry))
        .map(|entry| entry.tran_id.clone().unwrap_or_default());
    let lost: Vec<String> = lost.collect();
    Judgement { orders: made.len(), duplicates, lost: kept.missing(evidence.before).chain(lost).collect() }
}

/// The request that an order makes, with its members in the order in which the ledger has them.
fn asked(order: &Attributes) -> String {
    shown(&serde_json::from_slice(&create_body(order)).unwrap_or_default())
}

fn said(entry: &LedgerEntry) -> String {
    shown(&entry.params)
}

fn shown(params: &serde_json::Map<String, serde_json::Value>) -> String {
    serde_json::to_string(params).unwrap_or_default()
}

fn take(left: &mut HashMap<String, usize>, what: &str) -> bool {
    match left.get_mut(what) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        Some(_) | None => false,
    }
}

/// What is on record in the end.
struct Kept<'a> {
    env_ids: HashSet<&'a str>,
    tran_ids: HashSet<&'a str>,
    /// Both ids, of one record.
    pairs: HashSet<(&'a str, &'a str)>,
    /// The numbers of orders without an environment id so far.
    awaiting: HashSet<&'a str>,
    /// The requests whose outcome is shown as unknown: an order that stands there is not lost.
    unknown: HashMap<String, usize>,
}

impl<'a> Kept<'a> {
    fn of(state: Option<&'a State>) -> Self {
        let mut kept = Self {
            env_ids: HashSet::new(),
            tran_ids: HashSet::new(),
            pairs: HashSet::new(),
            awaiting: HashSet::new(),
            unknown: HashMap::new(),
        };
        for (_, record) in state.into_iter().flat_map(State::records) {
            let (env_id, tran_id) = (record.env_id.as_deref(), record.tran_id.as_deref());
            kept.env_ids.extend(env_id);
            kept.tran_ids.extend(tran_id);
            kept.pairs.extend(env_id.zip(tran_id));
            match record.status {
                Status::Created | Status::Isolated | Status::Destroying => {}
                Status::AwaitingEnvId => kept.awaiting.extend(tran_id),
                Status::Unknown => {
                    *kept.unknown.entry(asked(&record.attributes)).or_default() += 1;
                }
            }
        }
        kept
    }

    fn holds(&mut self, entry: &LedgerEntry) -> bool {
        let ids = entry.env_id.as_deref().zip(entry.tran_id.as_deref());
        ids.is_some_and(|ids| self.pairs.contains(&ids) || self.awaiting.contains(ids.1))
            || take(&mut self.unknown, &said(entry))
    }

    fn missing<'b>(&self, before: Option<&'b State>) -> impl Iterator<Item = String> + use<'b, '_> {
        let records = before.into_iter().flat_map(|state| state.environments.values());
        records.flat_map(|record| {
            let env_id = record.env_id.as_ref().filter(|id| !self.env_ids.contains(id.as_str()));
            let tran_id = record.tran_id.as_ref().filter(|id| !self.tran_ids.contains(id.as_str()));
            env_id.into_iter().chain(tran_id).cloned()
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::postpay;
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::model::{Address, InstanceKey, SourceRef};
    use crate::state::journal::RunId;
    use crate::state::{Lineage, Origin, Record, Serial};

    fn order(alias: &str) -> Attributes {
        // Several fields: the ledger has them in another order than a request.
        let fields = [(postpay::ALIAS, alias), (postpay::ENV_SOURCE, "qcloud")];
        fields.map(|(field, value)| (field, value.to_owned())).into_iter().collect()
    }

    fn made(alias: &str, tran_id: &str, env_id: &str) -> LedgerEntry {
        LedgerEntry {
            call: 1,
            at: Timestamp::UNIX_EPOCH,
            action: "CreatePostpayPackage".to_owned(),
            region: None,
            params: serde_json::from_slice(&create_body(&order(alias))).unwrap(),
            reached: true,
            acted: true,
            changed: false,
            answer: "ok".to_owned(),
            fault: None,
            tran_id: Some(tran_id.to_owned()),
            env_id: Some(env_id.to_owned()),
            request_id: String::new(),
        }
    }

    fn state(records: &[(&str, Status, Option<&str>, Option<&str>)]) -> State {
        let run = RunId(Uuid::nil());
        let record = |(alias, status, tran_id, env_id): &(&str, _, Option<&str>, Option<&str>)| {
            let record = Record {
                status: *status,
                env_id: env_id.map(str::to_owned),
                tran_id: tran_id.map(str::to_owned),
                request_id: None,
                origin: Origin::Ordered,
                attributes: order(alias),
                ordered_at: Timestamp::UNIX_EPOCH,
                run,
                source: SourceRef { file: "a.yaml".to_owned(), line: 1 },
                region: None,
                prevent_destroy: false,
                deposed_at: None,
            };
            (InstanceKey::current(Address::new(alias).unwrap()), record)
        };
        State {
            format_version: crate::state::FormatVersion,
            lineage: Lineage(Uuid::nil()),
            serial: Serial(1),
            tool_version: String::new(),
            account: None,
            last_run: None,
            environments: records.iter().map(record).collect(),
        }
    }

    fn judged(ledger: &[LedgerEntry], before: Option<&State>, after: &State) -> Judgement {
        let wanted = [order("a"), order("b")];
        judge(Evidence {
            wanted: &wanted,
            before,
            ledger,
            after: Some(after),
            left_behind: &["left-1".to_owned()],
        })
    }

    #[test]
    fn a_run_that_kept_its_promises_is_found_to() {
        let ledger = [made("a", "1", "a-1"), made("b", "2", "b-1")];
        let after = state(&[
            ("a", Status::Created, Some("1"), Some("a-1")),
            ("b", Status::AwaitingEnvId, Some("2"), None),
        ]);
        let expected = Judgement { orders: 2, ..Judgement::default() };
        assert_eq!(judged(&ledger, None, &after), expected);
    }

    #[test]
    fn an_order_made_twice_is_counted_and_so_is_one_that_nobody_wanted() {
        let ledger = [made("a", "1", "a-1"), made("a", "2", "a-2"), made("c", "3", "c-1")];
        let after = state(&[("a", Status::Created, Some("1"), Some("a-1"))]);
        let found = judged(&ledger, None, &after);
        assert_eq!(found.duplicates, ["a-2", "c-1"]);
        assert_eq!(found.lost, ["2", "3"], "and what it got is nowhere");
    }

    #[test]
    fn a_lost_id_is_counted_unless_the_order_is_shown_as_unknown() {
        let ledger = [made("a", "1", "a-1")];
        assert_eq!(judged(&ledger, None, &state(&[])).lost, ["1"]);
        let other = state(&[("a", Status::Created, Some("1"), Some("a-2"))]);
        assert_eq!(judged(&ledger, None, &other).lost, ["1"], "half an answer");
        let left = [made("a", "1", "left-1")];
        assert!(judged(&left, None, &state(&[])).lost.is_empty(), "reported");
        let unknown = state(&[("a", Status::Unknown, None, None)]);
        assert!(judged(&ledger, None, &unknown).lost.is_empty());
    }

    #[test]
    fn what_was_on_record_before_must_be_so_after() {
        let before = state(&[("old", Status::Created, Some("9"), Some("old-1"))]);
        assert_eq!(judged(&[], Some(&before), &state(&[])).lost, ["old-1", "9"]);
        assert!(judged(&[], Some(&before), &before).lost.is_empty());
    }

    #[test]
    fn a_call_that_made_nothing_counts_for_nothing() {
        let refused = LedgerEntry { acted: false, ..made("a", "1", "a-1") };
        assert_eq!(judged(&[refused], None, &state(&[])), Judgement::default());
    }
}
