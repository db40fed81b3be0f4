use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::kinds::postpay;
use crate::state::arbitrary::{ORDER, deposed, distinct, ids, journal, outcome, record, state, wild_journal};
use crate::state::journal::{Edited, Entry};
use crate::state::record::RunId;
use crate::state::record::{Account, Lineage, Serial};

/// Returns a state that `journal` can start from: no environment in it twice, and none that the engine would
/// not replace.
fn under(state: State, journal: &Journal) -> State {
    let mut state = distinct(state);
    state.lineage = journal.started.lineage;
    state.serial = journal.started.base;
    state.last_run = None;
    state.environments.retain(|_, record| record.status != Status::Unknown);
    state
}

/// Returns a record without the fields that a replacement adds.
fn without_replacement(record: &Record) -> Record {
    Record { deposed_at: None, ..record.clone() }
}

fn cut(journal: &Journal, after: usize) -> Journal {
    let mut journal = journal.clone();
    journal.entries.truncate(after);
    journal
}

proptest! {
    #[test]
    fn replay_is_idempotent(
        before in prop::option::of(state()),
        journal in prop_oneof![journal(), wild_journal()],
    ) {
        let once = replay(before, &journal);
        prop_assert_eq!(replay(Some(once.clone()), &journal), once);
    }

    #[test]
    fn no_prefix_of_a_run_loses_an_id_or_an_open_intent(before in state(), journal in journal()) {
        let before = under(before, &journal);
        for after in 0..=journal.entries.len() {
            let prefix = cut(&journal, after);
            let state = replay(Some(before.clone()), &prefix);
            let known = ids(&state);
            for (key, record) in &before.environments {
                let kept = state.records().any(|(at, kept)| *at == key.address && without_replacement(kept) == without_replacement(record));
                prop_assert!(kept, "{key} is lost after {after}");
            }
            let mut open = BTreeSet::new();
            for Entry { event, .. } in &prefix.entries {
                match event {
                    Event::Intent(intent) => drop(open.insert(&intent.address)),
                    Event::Outcome(outcome) => {
                        open.remove(&outcome.address);
                        for id in outcome.tran_id.iter().chain(&outcome.env_id) {
                            prop_assert!(known.contains(&id), "{id} is lost after {after}");
                        }
                    }
                    _ => {}
                }
            }
            for address in &open {
                prop_assert_eq!(state.get(address).unwrap().status, Status::Unknown);
            }
            let mut replay = Replay::new(Some(before.clone()), prefix.started.clone());
            for entry in &prefix.entries {
                replay.apply(entry.at, &entry.event);
            }
            prop_assert!(replay.open().iter().eq(open));
        }
    }

    #[test]
    fn engine_that_heeds_objections_never_creates_twice(
        before in state(),
        journal in wild_journal(),
    ) {
        let mut replay = Replay::new(Some(before.clone()), journal.started.clone());
        let mut orders = BTreeSet::new();
        for Entry { at, event } in &journal.entries {
            match event {
                Event::Intent(intent) => {
                    if replay.objection(intent).is_some() {
                        continue;
                    }
                    if intent.may_create() {
                        orders.insert((intent.address.clone(), intent.step, intent.attempt));
                    }
                }
                // Only outcomes of creates; nothing is settled by hand here.
                Event::Outcome(outcome) if orders.contains(
                    &(outcome.address.clone(), outcome.step, outcome.attempt)) => {}
                _ => continue,
            }
            replay.apply(*at, event);
        }
        prop_assert!(replay.claims.values().all(|claims| claims.len() == 1));
        // Unknown records stay unknown.
        let after = replay.finish();
        for (address, record) in before.current() {
            if record.status == Status::Unknown {
                prop_assert_eq!(after.get(address), Some(record));
            }
        }
    }

    #[test]
    fn rebuilding_from_receipts_gives_the_state_after_the_runs(
        mut journals in prop::collection::vec(prop_oneof![journal(), wild_journal()], 1..5),
    ) {
        let lineage = Lineage::fresh();
        let mut state = None;
        for (journal, base) in journals.iter_mut().zip(0..) {
            journal.started.lineage = lineage;
            journal.started.base = Serial(base);
            state = Some(replay(state, journal));
        }
        prop_assert_eq!(rebuild(None, &journals), state);
    }

    #[test]
    fn older_copy_and_later_runs_give_the_same_state(
        mut journals in prop::collection::vec(prop_oneof![journal(), wild_journal()], 1..5),
        age in any::<prop::sample::Index>(),
    ) {
        let lineage = Lineage::fresh();
        for (journal, base) in journals.iter_mut().zip(0..) {
            journal.started.lineage = lineage;
            journal.started.base = Serial(base);
        }
        let (held, rest) = journals.split_at(age.index(journals.len() + 1));
        prop_assert_eq!(rebuild(rebuild(None, held), rest), rebuild(None, &journals));
    }
}

fn intent(attempt: u32, action: &str) -> Event {
    Event::Intent(Intent {
        step: 1,
        attempt,
        address: address(),
        action: action.to_owned(),
        attributes: [(postpay::ALIAS, "shop".to_owned())].into_iter().collect(),
        members: BTreeMap::new(),
        source: SourceRef { file: "environments/shop.yaml".to_owned(), line: 3 },
        replaces: None,
        prevent_destroy: false,
        resends: None,
    })
}

fn outcome_event(attempt: u32, evidence: Evidence, tran: Option<&str>, env: Option<&str>) -> Event {
    Event::Outcome(outcome(1, attempt, &address(), evidence, tran.map(str::to_owned), env.map(str::to_owned)))
}

fn address() -> Address {
    Address::new("shop").unwrap()
}

fn started() -> RunStarted {
    RunStarted {
        format_version: FormatVersion,
        run: RunId::fresh(),
        lineage: Lineage::fresh(),
        base: Serial(4),
        tool_version: "9.9.9".to_owned(),
        account: Account { endpoint: "sandbox".to_owned(), uin: None },
        plan: String::new(),
        who: "ada@loom".to_owned(),
        pid: 7,
        region: None,
        commit: None,
    }
}

/// Returns the record after these events, starting from `present`.
fn record_after(present: Option<&Record>, events: &[Event]) -> Option<Record> {
    let before = present.map(|record| {
        let mut state = replay(
            None,
            &Journal { started_at: Timestamp::UNIX_EPOCH, started: started(), entries: Vec::new() },
        );
        state.environments.insert(InstanceKey::current(address()), record.clone());
        state
    });
    let mut replay = Replay::new(before, started());
    for event in events {
        replay.apply(Timestamp::UNIX_EPOCH, event);
    }
    replay.finish().environments.remove(&InstanceKey::current(address()))
}

#[test]
fn last_attempt_decides() {
    use Evidence::{NotSent, Ordered, Refused, Unknown};
    let first = |outcome: Event| vec![intent(1, ORDER), outcome];
    let resent = |outcome: Option<Event>| {
        let mut events = first(outcome_event(1, NotSent, None, None));
        events.push(intent(2, ORDER));
        events.extend(outcome);
        events
    };
    let known = |status, tran: Option<&str>, env: Option<&str>| {
        Some((status, tran.map(str::to_owned), env.map(str::to_owned)))
    };
    let unknown = Status::Unknown;
    let table = [
        ("open", vec![intent(1, ORDER)], known(unknown, None, None)),
        (
            "ordered",
            first(outcome_event(1, Ordered, Some("T1"), Some("E1"))),
            known(Status::Created, Some("T1"), Some("E1")),
        ),
        (
            "ordered, no environment id",
            first(outcome_event(1, Ordered, Some("T1"), None)),
            known(Status::AwaitingEnvId, Some("T1"), None),
        ),
        (
            "unknown, an id seen",
            first(outcome_event(1, Unknown, Some("T1"), None)),
            known(unknown, Some("T1"), None),
        ),
        ("refused", first(outcome_event(1, Refused, None, None)), None),
        (
            "refused, yet an id seen",
            first(outcome_event(1, Refused, Some("T1"), None)),
            known(unknown, Some("T1"), None),
        ),
        ("not sent", first(outcome_event(1, NotSent, None, None)), None),
        ("not sent, then open", resent(None), known(unknown, None, None)),
        (
            "not sent, then ordered",
            resent(Some(outcome_event(2, Ordered, Some("T2"), Some("E2")))),
            known(Status::Created, Some("T2"), Some("E2")),
        ),
        ("not sent, then refused", resent(Some(outcome_event(2, Refused, None, None))), None),
        (
            "open, then an attempt that there should not be",
            vec![intent(1, ORDER), intent(2, ORDER), outcome_event(2, Refused, None, None)],
            known(unknown, None, None),
        ),
        ("a destroy", vec![intent(1, "DestroyEnv")], None),
        (
            "no intent at all",
            vec![outcome_event(1, Ordered, Some("T1"), Some("E1"))],
            known(Status::Created, Some("T1"), Some("E1")),
        ),
    ];
    for (what, events, expected) in table {
        let found = record_after(None, &events).map(|r| (r.status, r.tran_id, r.env_id));
        assert_eq!(found, expected, "{what}");
    }
}

proptest! {
    #[test]
    fn previous_record_returns_when_nothing_was_created(present in record()) {
        for evidence in [Evidence::Refused, Evidence::NotSent] {
            let events = [intent(1, ORDER), outcome_event(1, evidence, None, None)];
            prop_assert_eq!(record_after(Some(&present), &events), Some(present.clone()));
        }
        for action in ["DestroyEnv", "ModifyEnv"] {
            let events = [intent(1, action), outcome_event(1, Evidence::Unknown, None, Some("E9"))];
            prop_assert_eq!(record_after(Some(&present), &events), Some(present.clone()));
        }
    }

    #[test]
    fn unknown_record_keeps_its_ids_under_an_open_intent(mut present in record()) {
        present.status = Status::Unknown;
        let shown = record_after(Some(&present), &[intent(1, ORDER)]).unwrap();
        prop_assert_eq!(shown.status, Status::Unknown);
        prop_assert_eq!((shown.env_id, shown.tran_id), (present.env_id, present.tran_id));
    }
}

#[test]
fn switched_environment_needs_no_env_id_from_the_response() {
    let event = switching(1, "cdnheader-v2a");
    let record = record_after(None, &[event, outcome_event(1, Evidence::Ordered, Some("T1"), None)]).unwrap();
    assert_eq!(record.status, Status::Created);
    assert_eq!(record.env_id.as_deref(), Some("cdnheader-v2a"));
}

fn switching(attempt: u32, env_id: &str) -> Event {
    match intent(attempt, ORDER) {
        Event::Intent(mut intent) => {
            intent.attributes.set(postpay::ENV_ID, env_id);
            Event::Intent(intent)
        }
        other => other,
    }
}

#[test]
fn rejection_that_repeats_the_sent_env_id_is_a_rejection() {
    use Evidence::{NotSent, Refused, Unknown};
    let shown = |evidence, tran, env| {
        record_after(None, &[switching(1, "E1"), outcome_event(1, evidence, tran, env)]).map(|r| r.status)
    };
    for evidence in [Refused, NotSent] {
        assert_eq!(shown(evidence, None, Some("E1")), None);
        let unknown = Some(Status::Unknown);
        assert_eq!(shown(evidence, None, Some("E2")), unknown, "another id");
        assert_eq!(shown(evidence, Some("T1"), Some("E1")), unknown, "an order");
        assert_eq!(shown(evidence, Some("T1"), None), unknown, "an order");
    }
    assert_eq!(shown(Unknown, None, Some("E1")), Some(Status::Unknown));
}

#[test]
fn throttled_attempt_that_repeats_its_env_id_can_be_retried() {
    let mut replay = Replay::new(None, started());
    replay.apply(Timestamp::UNIX_EPOCH, &switching(1, "E1"));
    let echo = outcome_event(1, Evidence::NotSent, None, Some("E1"));
    replay.apply(Timestamp::UNIX_EPOCH, &echo);
    assert_eq!(replay.open(), []);
    match switching(2, "E1") {
        Event::Intent(again) => assert_eq!(replay.objection(&again), None),
        other => panic!("{other:?}"),
    }
}

#[test]
fn edit_overrides_outcomes() {
    let ordered = [intent(1, ORDER), outcome_event(1, Evidence::Ordered, Some("T1"), None)];
    let mut found = record_after(None, &ordered).unwrap();
    found.env_id = Some("E1".to_owned());
    found.status = Status::Created;
    let edited = |edit| {
        let doing = "wait".to_owned();
        [&ordered[..], &[Event::Edited(Edited { doing, edit })]].concat()
    };
    let put = edited(Edit::current(address(), Some(found.clone())));
    assert_eq!(record_after(None, &put), Some(found));
    let forget = edited(Edit::current(address(), None));
    assert_eq!(record_after(None, &forget), None);
    let elsewhere = Address::new("elsewhere").unwrap();
    let moved = edited(Edit::Move { from: address(), to: elsewhere.clone() });
    assert_eq!(record_after(None, &moved), None);
    let mut replay = Replay::new(None, started());
    for event in &moved {
        replay.apply(Timestamp::UNIX_EPOCH, event);
    }
    assert!(replay.finish().get(&elsewhere).is_some());
}

fn environment(env_id: &str) -> Record {
    let ordered = [intent(1, ORDER), outcome_event(1, Evidence::Ordered, Some("T0"), Some(env_id))];
    record_after(None, &ordered).unwrap()
}

/// A state with `present` at the address and `deposed` as former environments.
fn with(present: &Record, deposed: &[&Record]) -> State {
    let nothing = Journal { started_at: Timestamp::UNIX_EPOCH, started: started(), entries: Vec::new() };
    let mut state = replay(None, &nothing);
    state.environments.insert(InstanceKey::current(address()), present.clone());
    state.environments.extend(deposed.iter().map(|record| replaced(record)));
    state
}

fn replaced(record: &Record) -> (InstanceKey, Record) {
    let key = InstanceKey::deposed(address(), record.env_id.clone().unwrap());
    (key, Record { deposed_at: Some(Timestamp::UNIX_EPOCH), ..record.clone() })
}

fn replacing(attempt: u32, env_id: &str) -> Event {
    match intent(attempt, ORDER) {
        Event::Intent(intent) => Event::Intent(Intent { replaces: Some(env_id.to_owned()), ..intent }),
        other => other,
    }
}

fn edited(edit: Edit) -> Event {
    let doing = "test".to_owned();
    Event::Edited(Edited { doing, edit })
}

/// Returns the ids of the current and the former environments after these events, applied as one run and as
/// one run per event: the results must be equal.
fn ids_after(state: &State, events: &[Event]) -> (Vec<String>, Vec<String>) {
    let texts = |state: State| {
        let id = |record: &Record| record.env_id.clone().unwrap_or_else(|| "-".to_owned());
        let current = state.current();
        let current = current.map(|(address, record)| format!("{address} {}", id(record)));
        let deposed = state.deposed();
        let deposed = deposed.map(|(key, record)| format!("{} {}", key.address, id(record)));
        (current.collect(), deposed.collect())
    };
    let mut replay = Replay::new(Some(state.clone()), started());
    for event in events {
        replay.apply(Timestamp::UNIX_EPOCH, event);
    }
    let at_once: (Vec<String>, Vec<String>) = texts(replay.finish());
    // An outcome belongs to the run of its intent, an edit to any.
    let mut state = state.clone();
    let mut rest = events;
    while !rest.is_empty() {
        let edits_from = |event: &Event| matches!(event, Event::Edited(_));
        let orders = rest.iter().take_while(|event| !edits_from(event)).count();
        let (run, later) = rest.split_at(orders.max(1));
        let mut replay = Replay::new(Some(state), started());
        for event in run {
            replay.apply(Timestamp::UNIX_EPOCH, event);
        }
        state = replay.finish();
        rest = later;
    }
    assert_eq!(texts(state), at_once, "one by one");
    at_once
}

#[test]
fn claim_deposes_a_settled_record_until_proven_harmless() {
    use Evidence::{NotSent, Ordered, Refused, Unknown};
    let state = with(&environment("E1"), &[&environment("E0")]);
    let order = |said: Option<Event>| [vec![replacing(1, "E1")], said.into_iter().collect()].concat();
    for (events, current, deposed) in [
        (order(None), "shop -", ["shop E0", "shop E1"].as_slice()),
        (order(Some(outcome_event(1, Ordered, Some("T2"), Some("E2")))), "shop E2", &["shop E0", "shop E1"]),
        (order(Some(outcome_event(1, Ordered, Some("T2"), None))), "shop -", &["shop E0", "shop E1"]),
        (order(Some(outcome_event(1, Unknown, None, None))), "shop -", &["shop E0", "shop E1"]),
        (order(Some(outcome_event(1, Refused, None, None))), "shop E1", &["shop E0"]),
        (order(Some(outcome_event(1, NotSent, None, None))), "shop E1", &["shop E0"]),
        (
            // Retried after it was not sent.
            vec![
                replacing(1, "E1"),
                outcome_event(1, NotSent, None, None),
                replacing(2, "E1"),
                outcome_event(2, Ordered, Some("T2"), Some("E2")),
            ],
            "shop E2",
            &["shop E0", "shop E1"],
        ),
    ] {
        let (found, left) = ids_after(&state, &events);
        assert_eq!(
            (found.as_slice(), left.as_slice()),
            (&[current.to_owned()][..], texts(deposed).as_slice()),
            "{events:?}"
        );
    }
    let journal = Journal {
        started_at: Timestamp::UNIX_EPOCH,
        started: started(),
        entries: vec![Entry { at: Timestamp::from_second(9).unwrap(), event: replacing(1, "E1") }],
    };
    let after = replay(Some(state), &journal);
    let deposed = &after.environments[&InstanceKey::deposed(address(), "E1".to_owned())];
    assert_eq!(deposed.deposed_at, Some(Timestamp::from_second(9).unwrap()));
}

fn texts(of: &[&str]) -> Vec<String> {
    of.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn edit_after_a_claim_keeps_the_replaced_environment_in_the_state() {
    let state = with(&environment("E1"), &[]);
    let put = |env_id| edited(Edit::current(address(), Some(environment(env_id))));
    let forget = edited(Edit::current(address(), None));
    let moved = edited(Edit::Move { from: address(), to: Address::new("store").unwrap() });
    for (edits, current, deposed) in [
        (vec![put("E2")], ["shop E2"].as_slice(), ["shop E1"].as_slice()),
        (vec![forget.clone()], &[], &["shop E1"]),
        (vec![put("E2"), forget.clone()], &[], &["shop E1"]),
        (vec![moved.clone()], &["store -"], &["store E1"]),
        (vec![put("E2"), moved.clone()], &["store E2"], &["store E1"]),
        // The environment that was to be replaced is current again.
        (vec![put("E1")], &["shop E1"], &[]),
    ] {
        let events = [vec![replacing(1, "E1")], edits].concat();
        let expected = (texts(current), texts(deposed));
        assert_eq!(ids_after(&state, &events), expected, "{events:?}");
    }
    // Nothing was replaced, so nothing is deposed.
    for (edits, current) in
        [(vec![put("E2")], ["shop E2"].as_slice()), (vec![forget], &[]), (vec![moved], &["store E1"])]
    {
        assert_eq!(ids_after(&state, &edits), (texts(current), Vec::new()));
    }
}

#[test]
fn move_to_an_address_in_use_does_nothing() {
    let mut state = with(&environment("E1"), &[&environment("E0")]);
    let store = Address::new("store").unwrap();
    state.environments.insert(InstanceKey::current(store.clone()), environment("E7"));
    for to in [store, address()] {
        let moved = edited(Edit::Move { from: address(), to });
        let (current, deposed) = ids_after(&state, &[moved]);
        assert_eq!(current, ["shop E1", "store E7"]);
        assert_eq!(deposed, ["shop E0"]);
    }
}

#[test]
fn former_environment_is_added_changed_and_forgotten_by_edits() {
    let state = with(&environment("E1"), &[&environment("E0")]);
    let set = |env_id: &str, record: Option<Record>| {
        edited(Edit::set(InstanceKey::deposed(address(), env_id.to_owned()), record))
    };
    let isolated = |env_id| Record { status: Status::Isolated, ..environment(env_id) };
    let after = |events: &[Event]| {
        let mut replay = Replay::new(Some(state.clone()), started());
        for event in events {
            replay.apply(Timestamp::UNIX_EPOCH, event);
        }
        let state = replay.finish();
        state.deposed().map(|(_, record)| (record.env_id.clone().unwrap(), record.status)).collect::<Vec<_>>()
    };
    let is = |env_id: &str, status| (env_id.to_owned(), status);
    let e0 = is("E0", Status::Created);
    assert_eq!(after(&[set("E0", Some(isolated("E0")))]), [is("E0", Status::Isolated)]);
    assert_eq!(after(&[set("E0", None)]), []);
    assert_eq!(after(&[set("E9", None)]), std::slice::from_ref(&e0));
    // The current one does not change.
    assert_eq!(after(&[set("E1", None)]), [e0]);

    let put = |env_id| set(env_id, Some(environment(env_id)));
    let ids = |events: &[Event]| ids_after(&state, events).1;
    assert_eq!(ids(&[put("E9")]), ["shop E0", "shop E9"]);
    assert_eq!(ids(&[put("E1")]), ["shop E0"], "it is current");

    // One that a create of this run replaced.
    let created =
        |edit: Event| [replacing(1, "E1"), outcome_event(1, Evidence::Ordered, Some("T2"), Some("E2")), edit];
    assert_eq!(ids(&created(set("E1", None))), ["shop E0"]);
    assert_eq!(ids(&created(put("E1"))), ["shop E0", "shop E1"]);
    let changed = after(&created(set("E1", Some(isolated("E1")))));
    assert_eq!(changed[1], is("E1", Status::Isolated));
    // If the create did nothing, it is current again, with its latest record.
    let open = [replacing(1, "E1"), set("E1", Some(isolated("E1")))];
    let refused = [&open[..], &[outcome_event(1, Evidence::Refused, None, None)]].concat();
    assert_eq!(record_after(Some(&environment("E1")), &refused).unwrap().status, Status::Isolated);
}

#[test]
fn environment_that_is_current_again_is_not_deposed() {
    let state = with(&environment("E1"), &[&environment("E0")]);
    let other = Address::new("other").unwrap();
    let adopt = edited(Edit::current(other.clone(), Some(environment("E0"))));
    assert_eq!(ids_after(&state, &[adopt]), (texts(&["other E0", "shop E1"]), Vec::new()));
    let switch = |said: Option<Event>| {
        let mut events = vec![switching(1, "E0")];
        events.extend(said);
        for event in &mut events {
            match event {
                Event::Intent(Intent { address, .. }) | Event::Outcome(Outcome { address, .. }) => {
                    address.clone_from(&other);
                }
                _ => {}
            }
        }
        ids_after(&state, &events).1
    };
    assert_eq!(switch(None), ["shop E0"], "it may not have been switched");
    let ordered = outcome_event(1, Evidence::Ordered, Some("T9"), None);
    assert_eq!(switch(Some(ordered)), [""; 0]);
}

#[test]
fn unknown_create_is_repeated_only_with_its_request_key_and_for_its_run() {
    let attributes = Attributes::new(&crate::kinds::cloudrun::KIND);
    let member = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let unknown = Record { status: Status::Unknown, attributes: attributes.clone(), ..environment("E1") };
    let Event::Intent(first) = intent(1, ORDER) else { panic!() };
    let repeat = Intent {
        attributes,
        members: [member("EnvId", "E1"), member("ReqKey", "k")].into(),
        resends: Some(unknown.run),
        ..first.clone()
    };
    let replay = || Replay::new(Some(with(&unknown, &[])), started());
    assert_eq!(replay().objection(&repeat), None);
    for other in [
        Intent { resends: None, ..repeat.clone() },
        Intent { resends: Some(RunId::fresh()), ..repeat.clone() },
        Intent { members: [member("EnvId", "E1")].into(), ..repeat.clone() },
        Intent { members: [member("EnvId", "E2"), member("ReqKey", "k")].into(), ..repeat.clone() },
        Intent { resends: Some(unknown.run), ..first },
    ] {
        assert!(replay().objection(&other).is_some(), "{other:?}");
    }
    // Its outcome is that of the create; without one, or with a refusal, the create stays unknown.
    let status = |outcomes: &[Event]| {
        let mut replay = replay();
        replay.apply(Timestamp::UNIX_EPOCH, &Event::Intent(repeat.clone()));
        for outcome in outcomes {
            replay.apply(Timestamp::UNIX_EPOCH, outcome);
        }
        let state = replay.finish();
        (state.environments.len(), state.get(&repeat.address).unwrap().status)
    };
    assert_eq!(status(&[]), (1, Status::Unknown));
    for (evidence, expected) in [
        (Evidence::Ordered, Status::Created),
        (Evidence::Unknown, Status::Unknown),
        (Evidence::Refused, Status::Unknown),
        (Evidence::NotSent, Status::Unknown),
    ] {
        let env_id = (evidence == Evidence::Ordered).then_some("E1");
        assert_eq!(status(&[outcome_event(1, evidence, None, env_id)]), (1, expected));
    }
}

#[test]
fn create_at_an_address_in_use_needs_the_replaced_env_id() {
    let objection = |present: Option<&Record>, replaces: Option<&str>| {
        let before = present.map(|record| with(record, &[]));
        let event = replaces.map_or_else(|| intent(1, ORDER), |env_id| replacing(1, env_id));
        match event {
            Event::Intent(intent) => Replay::new(before, started()).objection(&intent),
            other => panic!("{other:?}"),
        }
    };
    let of_status = |status| Record { status, ..environment("E1") };
    let awaiting = Record { env_id: None, ..of_status(Status::AwaitingEnvId) };
    assert_eq!(objection(None, None), None);
    assert!(objection(None, Some("E1")).is_some());
    for status in [Status::Created, Status::Isolated] {
        let present = of_status(status);
        assert_eq!(objection(Some(&present), Some("E1")), None);
        assert!(objection(Some(&present), None).is_some(), "{status:?}");
        assert!(objection(Some(&present), Some("E2")).is_some(), "{status:?}");
    }
    for present in [of_status(Status::Unknown), awaiting] {
        for replaces in [None, Some("E1")] {
            assert!(objection(Some(&present), replaces).is_some(), "{present:?}");
        }
    }
    // A destroy replaces nothing.
    let destroy = match intent(1, "DestroyEnv") {
        Event::Intent(intent) => intent,
        other => panic!("{other:?}"),
    };
    let replay = Replay::new(Some(with(&environment("E1"), &[])), started());
    assert_eq!(replay.objection(&destroy), None);
}

/// Returns the part of a journal that a writer allows; with `replace`, creates give the EnvId that they
/// replace.
fn accepted(before: &State, journal: &Journal, replace: bool) -> Journal {
    let mut replay = Replay::new(Some(before.clone()), journal.started.clone());
    let (mut sent, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    let mut accepted = journal.clone();
    accepted.entries.retain_mut(|Entry { at, event }| {
        match event {
            Event::Intent(intent) => {
                let present = before.get(&intent.address);
                if replace {
                    intent.replaces = present.and_then(|record| record.env_id.clone());
                }
                // No run repeats an attempt's number.
                if replay.objection(intent).is_some() || !numbers.insert((intent.step, intent.attempt)) {
                    return false;
                }
                sent.insert((intent.address.clone(), intent.step, intent.attempt));
            }
            Event::Outcome(outcome) => {
                let (step, attempt) = (outcome.step, outcome.attempt);
                if !sent.remove(&(outcome.address.clone(), step, attempt)) {
                    return false;
                }
            }
            Event::Edited(_) => return false,
            _ => {}
        }
        replay.apply(*at, event);
        true
    });
    accepted
}

proptest! {
    /// The state alone has every environment of a journal that a writer allows, and every order number except
    /// those of replaced environments.
    #[test]
    fn no_returned_id_is_lost(
        before in state(),
        wild in wild_journal(),
        tame in journal(),
        replace in any::<bool>(),
    ) {
        for journal in [wild, tame] {
            let journal = accepted(&before, &journal, replace);
            for after in 0..=journal.entries.len() {
                let prefix = cut(&journal, after);
                let state = replay(Some(before.clone()), &prefix);
                let known: BTreeSet<&String> = ids(&state).into_iter().collect();
                let env_ids: BTreeSet<&String> = state
                    .records()
                    .filter_map(|(_, record)| record.env_id.as_ref())
                    .collect();
                for (address, record) in before.records() {
                    if let Some(env_id) = &record.env_id {
                        prop_assert!(env_ids.contains(env_id), "{address}: {env_id} is lost");
                    } else if let Some(tran_id) = &record.tran_id {
                        prop_assert!(known.contains(tran_id), "{address}: {tran_id} is lost");
                    }
                }
                for Entry { event, .. } in &prefix.entries {
                    let Event::Outcome(outcome) = event else { continue };
                    let asked = prefix.entries.iter().find_map(|entry| match &entry.event {
                        Event::Intent(intent) if (intent.step, intent.attempt, &intent.address)
                            == (outcome.step, outcome.attempt, &outcome.address) => Some(intent),
                        _ => None,
                    });
                    let asked = asked.unwrap();
                    if asked.may_create() && !outcome.is_harmless(&asked.attributes) {
                        for id in outcome.tran_id.iter().chain(&outcome.env_id) {
                            prop_assert!(known.contains(id), "{}: {id} is lost", outcome.address);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn former_environment_added_to_the_state_is_in_it(
        before in state(),
        (key, record) in deposed(),
    ) {
        let mut replay = Replay::new(Some(before), started());
        let put = edited(Edit::set(key.clone(), Some(record.clone())));
        replay.apply(Timestamp::UNIX_EPOCH, &put);
        let after = replay.finish();
        let stands = after.current().any(|(_, other)| other.status.is_settled() && is_same(other, &record));
        prop_assert!(stands || after.environments.get(&key) == Some(&record));
    }
}

#[test]
fn account_number_is_kept_once_known() {
    let journal = |uin: Option<&str>| {
        let mut started = started();
        started.account.uin = uin.map(str::to_owned);
        Journal { started_at: Timestamp::UNIX_EPOCH, started, entries: Vec::new() }
    };
    let state = replay(Some(replay(None, &journal(Some("100")))), &journal(None));
    assert_eq!(state.account.unwrap().uin.as_deref(), Some("100"));
}
