//! Compares the sandbox's ledger with what was wanted and with the state. It believes nothing that the engine says.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::cloud::tencent::wire::create_body;
use crate::model::Attributes;
use crate::sandbox::LedgerEntry;
use crate::state::{Record, State, Status};

/// Everything that the judge looks at.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What may be created, each once.
    pub wanted: &'a [Attributes],
    /// The copy of the state that the run began with.
    pub before: Option<&'a State>,
    /// What the sandbox did during the run.
    pub ledger: &'a [LedgerEntry],
    pub after: Option<&'a State>,
    /// The EnvIds that were reported as left behind by a refused create: not in the state, and not lost either.
    pub left_behind: &'a [String],
}

/// What the judge found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// How many creates the sandbox carried out.
    pub orders: usize,
    /// The EnvIds of those that nobody wanted, or wanted once and had already.
    pub duplicates: Vec<String>,
    /// Ids that the sandbox returned, or that the state had before, and that the state does not have now.
    pub lost: Vec<String>,
}

/// Counts what was created twice and what was lost.
pub fn judge(evidence: Evidence<'_>) -> Judgement {
    let Evidence { wanted, before, ledger, after, left_behind } = evidence;
    let created: Vec<&LedgerEntry> = ledger.iter().filter(|entry| entry.acted).collect();
    let mut wanted: Vec<_> = wanted.iter().map(request).collect();
    let unwanted = created.iter().filter(|entry| take(&mut wanted, &entry.params).is_none());
    let duplicates = unwanted.map(|entry| entry.env_id.clone().unwrap_or_default()).collect();

    let records: Vec<&Record> =
        after.iter().flat_map(|state| state.records()).map(|(_, record)| record).collect();
    let unknown = records.iter().filter(|record| record.status == Status::Unknown);
    // A create whose outcome is shown as unknown is not lost.
    let mut unknown: Vec<_> = unknown.map(|record| request(&record.attributes)).collect();
    let has = |entry: &LedgerEntry, record: &Record| {
        let is_awaiting = record.status == Status::AwaitingEnvId;
        record.tran_id == entry.tran_id && (is_awaiting || record.env_id == entry.env_id)
    };
    let mut is_kept = |entry: &LedgerEntry| {
        records.iter().any(|record| has(entry, record))
            || take(&mut unknown, &entry.params).is_some()
            || entry.env_id.as_ref().is_some_and(|id| left_behind.contains(id))
    };
    let lost = created.iter().filter(|entry| !is_kept(entry));
    let lost: Vec<String> = lost.map(|entry| entry.tran_id.clone().unwrap_or_default()).collect();

    let earlier = before.into_iter().flat_map(|state| state.environments.values());
    let missing = earlier.flat_map(|record| {
        let env_id =
            record.env_id.as_ref().filter(|id| records.iter().all(|it| it.env_id.as_ref() != Some(id)));
        let tran_id =
            record.tran_id.as_ref().filter(|id| records.iter().all(|it| it.tran_id.as_ref() != Some(id)));
        env_id.into_iter().chain(tran_id).cloned()
    });
    Judgement { orders: created.len(), duplicates, lost: missing.chain(lost).collect() }
}

/// The parameters that a create sends.
pub fn request(order: &Attributes) -> Map<String, Value> {
    serde_json::from_slice(&create_body(order, &BTreeMap::new())).unwrap_or_default()
}

/// Takes one of the same parameters out of a list; None when there is none.
fn take(from: &mut Vec<Map<String, Value>>, params: &Map<String, Value>) -> Option<Map<String, Value>> {
    let place = from.iter().position(|it| it == params)?;
    Some(from.swap_remove(place))
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
            action: "CreatePostpayPackage".to_owned(),
            params: serde_json::from_slice(&create_body(&order(alias), &BTreeMap::new())).unwrap(),
            acted: true,
            tran_id: Some(tran_id.to_owned()),
            env_id: Some(env_id.to_owned()),
            ..LedgerEntry::default()
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
    fn a_run_that_kept_its_promises_is_clean() {
        let ledger = [made("a", "1", "a-1"), made("b", "2", "b-1")];
        let after = state(&[
            ("a", Status::Created, Some("1"), Some("a-1")),
            ("b", Status::AwaitingEnvId, Some("2"), None),
        ]);
        let expected = Judgement { orders: 2, ..Judgement::default() };
        assert_eq!(judged(&ledger, None, &after), expected);
    }

    #[test]
    fn duplicates_and_unwanted_creates_are_counted() {
        let ledger = [made("a", "1", "a-1"), made("a", "2", "a-2"), made("c", "3", "c-1")];
        let after = state(&[("a", Status::Created, Some("1"), Some("a-1"))]);
        let found = judged(&ledger, None, &after);
        assert_eq!(found.duplicates, ["a-2", "c-1"]);
        assert_eq!(found.lost, ["2", "3"], "and what it got is nowhere");
    }

    #[test]
    fn lost_ids_are_counted_unless_the_outcome_is_unknown() {
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
    fn ids_of_the_earlier_state_must_stay() {
        let before = state(&[("old", Status::Created, Some("9"), Some("old-1"))]);
        assert_eq!(judged(&[], Some(&before), &state(&[])).lost, ["old-1", "9"]);
        assert!(judged(&[], Some(&before), &before).lost.is_empty());
    }

    #[test]
    fn a_rejected_call_does_not_count() {
        let refused = LedgerEntry { acted: false, ..made("a", "1", "a-1") };
        assert_eq!(judged(&[refused], None, &state(&[])), Judgement::default());
    }
}
