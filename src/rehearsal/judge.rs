//! Compares the sandbox's ledger with the wanted creates and the state, independently of the engine's own
//! report.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cloud::tencent::wire::create_body;
use crate::model::Attributes;
use crate::sandbox::LedgerEntry;
use crate::state::{Record, State, Status};

/// The input of [`judge`].
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// Expected creates, once each.
    pub wanted: &'a [Attributes],
    /// The copy of the state at the start of the run.
    pub before: Option<&'a State>,
    /// The sandbox's actions during the run.
    pub ledger: &'a [LedgerEntry],
    pub after: Option<&'a State>,
    /// EnvIds reported as left behind by a rejected create: not in the state, but not lost.
    pub left_behind: &'a [String],
}

/// The result of [`judge`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Judgement {
    /// The number of creates that the sandbox carried out.
    pub orders: usize,
    /// EnvIds of creates that were not wanted, or done before.
    pub duplicates: Vec<String>,
    /// Ids that the sandbox returned, or that the state had before, and that are missing from the state.
    #[serde(rename = "ids_lost")]
    pub lost: Vec<String>,
}

/// Counts duplicates and lost ids.
pub fn judge(evidence: Evidence<'_>) -> Judgement {
    let Evidence { wanted, before, ledger, after, left_behind } = evidence;
    let records: Vec<&Record> =
        after.iter().flat_map(|state| state.records()).map(|(_, record)| record).collect();
    // What is opened inside an environment has a key in its request, and is created once per environment by the API.
    let orders = wanted.iter().chain(records.iter().map(|record| &record.attributes));
    let inside: BTreeSet<&str> =
        orders.map(Attributes::kind).filter(|kind| kind.shares_env_id).map(|kind| kind.action).collect();
    let is_counted = |entry: &&LedgerEntry| entry.acted && !inside.contains(entry.action.as_str());
    let created: Vec<&LedgerEntry> = ledger.iter().filter(is_counted).collect();
    let mut wanted: Vec<_> = wanted.iter().map(request).collect();
    let unwanted = created.iter().filter(|entry| remove_match(&mut wanted, &entry.params).is_none());
    let duplicates = unwanted.map(|entry| entry.env_id.clone().unwrap_or_default()).collect();

    let unknown = records.iter().filter(|record| record.status == Status::Unknown);
    // A create that is reported as unknown is not lost.
    let mut unknown: Vec<_> = unknown.map(|record| request(&record.attributes)).collect();
    let has = |entry: &LedgerEntry, record: &Record| {
        let is_awaiting = record.status == Status::AwaitingEnvId;
        record.tran_id == entry.tran_id && (is_awaiting || record.env_id == entry.env_id)
    };
    let mut is_kept = |entry: &LedgerEntry| {
        records.iter().any(|record| has(entry, record))
            || remove_match(&mut unknown, &entry.params).is_some()
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

/// Returns the parameters that a create sends.
pub fn request(order: &Attributes) -> Map<String, Value> {
    serde_json::from_slice(&create_body(order, &BTreeMap::new())).unwrap_or_default()
}

/// Removes an equal element from a list; None when there is none.
fn remove_match(
    from: &mut Vec<Map<String, Value>>,
    params: &Map<String, Value>,
) -> Option<Map<String, Value>> {
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
        // Several fields, which the ledger has in another order than a request.
        let fields = [(postpay::ALIAS, alias), (postpay::ENV_SOURCE, "qcloud")];
        fields.map(|(field, value)| (field, value.to_owned())).into_iter().collect()
    }

    fn created(alias: &str, tran_id: &str, env_id: &str) -> LedgerEntry {
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

    fn judge_run(ledger: &[LedgerEntry], before: Option<&State>, after: &State) -> Judgement {
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
    fn run_that_kept_its_promises_is_clean() {
        let ledger = [created("a", "1", "a-1"), created("b", "2", "b-1")];
        let after = state(&[
            ("a", Status::Created, Some("1"), Some("a-1")),
            ("b", Status::AwaitingEnvId, Some("2"), None),
        ]);
        let expected = Judgement { orders: 2, ..Judgement::default() };
        assert_eq!(judge_run(&ledger, None, &after), expected);
    }

    #[test]
    fn duplicates_and_unwanted_creates_are_counted() {
        let ledger = [created("a", "1", "a-1"), created("a", "2", "a-2"), created("c", "3", "c-1")];
        let after = state(&[("a", Status::Created, Some("1"), Some("a-1"))]);
        let found = judge_run(&ledger, None, &after);
        assert_eq!(found.duplicates, ["a-2", "c-1"]);
        assert_eq!(found.lost, ["2", "3"], "and what it got is nowhere");
    }

    #[test]
    fn lost_ids_are_counted_unless_the_outcome_is_unknown() {
        let ledger = [created("a", "1", "a-1")];
        assert_eq!(judge_run(&ledger, None, &state(&[])).lost, ["1"]);
        let other = state(&[("a", Status::Created, Some("1"), Some("a-2"))]);
        assert_eq!(judge_run(&ledger, None, &other).lost, ["1"], "half an answer");
        let left = [created("a", "1", "left-1")];
        assert!(judge_run(&left, None, &state(&[])).lost.is_empty(), "reported");
        let unknown = state(&[("a", Status::Unknown, None, None)]);
        assert!(judge_run(&ledger, None, &unknown).lost.is_empty());
    }

    #[test]
    fn ids_of_the_earlier_state_must_stay() {
        let before = state(&[("old", Status::Created, Some("9"), Some("old-1"))]);
        assert_eq!(judge_run(&[], Some(&before), &state(&[])).lost, ["old-1", "9"]);
        assert!(judge_run(&[], Some(&before), &before).lost.is_empty());
    }

    #[test]
    fn rejected_call_does_not_count() {
        let refused = LedgerEntry { acted: false, ..created("a", "1", "a-1") };
        assert_eq!(judge_run(&[refused], None, &state(&[])), Judgement::default());
    }
}
