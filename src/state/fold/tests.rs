use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::state::arbitrary::{ORDER, ids, journal, outcome, record, state, wild_journal};
use crate::state::journal::{Edited, Entry, RunId};
use crate::state::{Lineage, Serial};

/// The state that `journal` starts from, as nothing was folded in yet.
fn under(mut state: State, journal: &Journal) -> State {
    state.lineage = journal.started.lineage;
    state.serial = journal.started.base;
    state.last_run = None;
    // Nothing in it that an engine would not order over.
    state
        .environments
        .retain(|_, record| record.status != Status::Unknown);
    state
}

fn cut(journal: &Journal, after: usize) -> Journal {
    let mut journal = journal.clone();
    journal.entries.truncate(after);
    journal
}

proptest! {
    #[test]
    fn folding_twice_changes_nothing(
        before in prop::option::of(state()),
        journal in prop_oneof![journal(), wild_journal()],
    ) {
        let once = fold(before, &journal);
        prop_assert_eq!(fold(Some(once.clone()), &journal), once);
    }

    #[test]
    fn no_prefix_of_a_run_loses_an_id_or_an_open_intent(before in state(), journal in journal()) {
        let before = under(before, &journal);
        for after in 0..=journal.entries.len() {
            let prefix = cut(&journal, after);
            let state = fold(Some(before.clone()), &prefix);
            let known = ids(&state.environments);
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
                prop_assert_eq!(state.environments[*address].status, Status::Unknown);
            }
            let mut folding = Folding::new(Some(before.clone()), prefix.started.clone());
            for entry in &prefix.entries {
                folding.add(entry.at, &entry.event);
            }
            prop_assert!(folding.open().iter().eq(open));
        }
    }

    #[test]
    fn an_engine_that_heeds_every_objection_never_orders_twice(
        before in state(),
        journal in wild_journal(),
    ) {
        let mut folding = Folding::new(Some(before.clone()), journal.started.clone());
        let mut orders = BTreeSet::new();
        for Entry { at, event } in &journal.entries {
            match event {
                Event::Intent(intent) => {
                    if folding.objection(intent).is_some() {
                        continue;
                    }
                    if intent.may_order() {
                        orders.insert((intent.address.clone(), intent.step, intent.attempt));
                    }
                }
                // Only what answers an order; and nothing here settles by hand.
                Event::Outcome(outcome) if orders.contains(
                    &(outcome.address.clone(), outcome.step, outcome.attempt)) => {}
                _ => continue,
            }
            folding.add(*at, event);
        }
        prop_assert!(folding.slots.values().all(|slot| slot.claims.len() <= 1));
        // And what was unknown before stays so.
        let after = folding.finish();
        for (address, record) in &before.environments {
            if record.status == Status::Unknown {
                prop_assert_eq!(&after.environments[address], record);
            }
        }
    }

    #[test]
    fn rebuilding_from_the_receipts_gives_the_state_that_the_runs_left(
        mut journals in prop::collection::vec(prop_oneof![journal(), wild_journal()], 1..5),
    ) {
        let lineage = Lineage::fresh();
        let mut state = None;
        for (journal, base) in journals.iter_mut().zip(0..) {
            journal.started.lineage = lineage;
            journal.started.base = Serial(base);
            state = Some(fold(state, journal));
        }
        prop_assert_eq!(rebuild(&journals), state);
    }

    #[test]
    fn a_copy_of_any_age_and_the_runs_after_it_give_the_same_state(
        mut journals in prop::collection::vec(prop_oneof![journal(), wild_journal()], 1..5),
        age in any::<prop::sample::Index>(),
    ) {
        let lineage = Lineage::fresh();
        for (journal, base) in journals.iter_mut().zip(0..) {
            journal.started.lineage = lineage;
            journal.started.base = Serial(base);
        }
        let (held, rest) = journals.split_at(age.index(journals.len() + 1));
        prop_assert_eq!(rebuild_over(rebuild(held), rest), rebuild(&journals));
    }
}

fn intent(attempt: u32, action: &str) -> Event {
    Event::Intent(Intent {
        step: 1,
        attempt,
        address: address(),
        action: action.to_owned(),
        attributes: [(Field::Alias, "shop".to_owned())].into_iter().collect(),
        source: SourceRef {
            file: "environments/shop.yaml".to_owned(),
            line: 3,
        },
        replaces: None,
        prevent_destroy: false,
    })
}

fn said(attempt: u32, evidence: Evidence, tran: Option<&str>, env: Option<&str>) -> Event {
    Event::Outcome(outcome(
        1,
        attempt,
        &address(),
        evidence,
        tran.map(str::to_owned),
        env.map(str::to_owned),
    ))
}

fn address() -> Address {
    Address::new("shop").unwrap()
}

fn started() -> RunStarted {
    RunStarted {
        run: RunId::fresh(),
        lineage: Lineage::fresh(),
        base: Serial(4),
        tool_version: "9.9.9".to_owned(),
        account: Account {
            endpoint: "sandbox".to_owned(),
            uin: None,
        },
        plan: String::new(),
        who: "ada@loom".to_owned(),
        pid: 7,
        region: None,
        commit: None,
    }
}

/// The record that these events leave over `stood`.
fn left(stood: Option<&Record>, events: &[Event]) -> Option<Record> {
    let before = stood.map(|record| {
        let mut state = fold(
            None,
            &Journal {
                started_at: Timestamp::UNIX_EPOCH,
                started: started(),
                entries: Vec::new(),
            },
        );
        state.environments.insert(address(), record.clone());
        state
    });
    let mut folding = Folding::new(before, started());
    for event in events {
        folding.add(Timestamp::UNIX_EPOCH, event);
    }
    folding.finish().environments.remove(&address())
}

#[test]
fn the_last_attempt_decides() {
    use Evidence::{NotSent, Ordered, Refused, Unknown};
    let first = |outcome: Event| vec![intent(1, ORDER), outcome];
    let resent = |outcome: Option<Event>| {
        let mut events = first(said(1, NotSent, None, None));
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
            first(said(1, Ordered, Some("T1"), Some("E1"))),
            known(Status::Created, Some("T1"), Some("E1")),
        ),
        (
            "ordered, no environment id",
            first(said(1, Ordered, Some("T1"), None)),
            known(Status::AwaitingEnvId, Some("T1"), None),
        ),
        (
            "unknown, an id seen",
            first(said(1, Unknown, Some("T1"), None)),
            known(unknown, Some("T1"), None),
        ),
        ("refused", first(said(1, Refused, None, None)), None),
        (
            "refused, yet an id seen",
            first(said(1, Refused, Some("T1"), None)),
            known(unknown, Some("T1"), None),
        ),
        ("not sent", first(said(1, NotSent, None, None)), None),
        (
            "not sent, then open",
            resent(None),
            known(unknown, None, None),
        ),
        (
            "not sent, then ordered",
            resent(Some(said(2, Ordered, Some("T2"), Some("E2")))),
            known(Status::Created, Some("T2"), Some("E2")),
        ),
        (
            "not sent, then refused",
            resent(Some(said(2, Refused, None, None))),
            None,
        ),
        (
            "open, then an attempt that there should not be",
            vec![
                intent(1, ORDER),
                intent(2, ORDER),
                said(2, Refused, None, None),
            ],
            known(unknown, None, None),
        ),
        ("a destroy", vec![intent(1, "DestroyEnv")], None),
        (
            "no intent at all",
            vec![said(1, Ordered, Some("T1"), Some("E1"))],
            known(Status::Created, Some("T1"), Some("E1")),
        ),
    ];
    for (what, events, expected) in table {
        let found = left(None, &events).map(|r| (r.status, r.tran_id, r.env_id));
        assert_eq!(found, expected, "{what}");
    }
}

proptest! {
    #[test]
    fn what_stood_comes_back_when_nothing_was_ordered(stood in record()) {
        for evidence in [Evidence::Refused, Evidence::NotSent] {
            let events = [intent(1, ORDER), said(1, evidence, None, None)];
            prop_assert_eq!(left(Some(&stood), &events), Some(stood.clone()));
        }
        for action in ["DestroyEnv", "ModifyEnv"] {
            let events = [intent(1, action), said(1, Evidence::Unknown, None, Some("E9"))];
            prop_assert_eq!(left(Some(&stood), &events), Some(stood.clone()));
        }
    }

    #[test]
    fn an_unknown_record_keeps_its_ids_under_an_open_intent(mut stood in record()) {
        stood.status = Status::Unknown;
        let shown = left(Some(&stood), &[intent(1, ORDER)]).unwrap();
        prop_assert_eq!(shown.status, Status::Unknown);
        prop_assert_eq!((shown.env_id, shown.tran_id), (stood.env_id, stood.tran_id));
    }
}

#[test]
fn switching_an_environment_awaits_no_id_that_the_order_named() {
    let event = switching(1, "cdnheader-v2a");
    let record = left(None, &[event, said(1, Evidence::Ordered, Some("T1"), None)]).unwrap();
    assert_eq!(record.status, Status::Created);
    assert_eq!(record.env_id.as_deref(), Some("cdnheader-v2a"));
}

fn switching(attempt: u32, env_id: &str) -> Event {
    match intent(attempt, ORDER) {
        Event::Intent(mut intent) => {
            intent.attributes.set(Field::EnvId, env_id);
            Event::Intent(intent)
        }
        other => other,
    }
}

#[test]
fn a_refusal_that_repeats_the_environment_id_it_was_asked_for_is_one() {
    use Evidence::{NotSent, Refused, Unknown};
    let shown = |evidence, tran, env| {
        left(None, &[switching(1, "E1"), said(1, evidence, tran, env)]).map(|r| r.status)
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
fn a_throttled_attempt_that_repeats_its_environment_id_can_be_made_again() {
    let mut folding = Folding::new(None, started());
    folding.add(Timestamp::UNIX_EPOCH, &switching(1, "E1"));
    let echo = said(1, Evidence::NotSent, None, Some("E1"));
    folding.add(Timestamp::UNIX_EPOCH, &echo);
    assert_eq!(folding.open(), []);
    match switching(2, "E1") {
        Event::Intent(again) => assert_eq!(folding.objection(&again), None),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_edit_is_the_last_word() {
    let ordered = [
        intent(1, ORDER),
        said(1, Evidence::Ordered, Some("T1"), None),
    ];
    let mut found = left(None, &ordered).unwrap();
    found.env_id = Some("E1".to_owned());
    found.status = Status::Created;
    let edited = |edit| {
        let doing = "wait".to_owned();
        [&ordered[..], &[Event::Edited(Edited { doing, edit })]].concat()
    };
    let put = edited(Edit::Put {
        address: address(),
        record: Box::new(found.clone()),
    });
    assert_eq!(left(None, &put), Some(found));
    let forget = edited(Edit::Forget { address: address() });
    assert_eq!(left(None, &forget), None);
    let elsewhere = Address::new("elsewhere").unwrap();
    let moved = edited(Edit::Move {
        from: address(),
        to: elsewhere.clone(),
    });
    assert_eq!(left(None, &moved), None);
    let mut folding = Folding::new(None, started());
    for event in &moved {
        folding.add(Timestamp::UNIX_EPOCH, event);
    }
    assert!(folding.finish().environments.contains_key(&elsewhere));
}

#[test]
fn the_accounts_number_once_learned_is_kept() {
    let journal = |uin: Option<&str>| {
        let mut started = started();
        started.account.uin = uin.map(str::to_owned);
        Journal {
            started_at: Timestamp::UNIX_EPOCH,
            started,
            entries: Vec::new(),
        }
    };
    let state = fold(Some(fold(None, &journal(Some("100")))), &journal(None));
    assert_eq!(state.account.unwrap().uin.as_deref(), Some("100"));
}
