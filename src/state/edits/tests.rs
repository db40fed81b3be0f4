use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::state::arbitrary::{distinct, ids, started, state};
use crate::state::journal::{Entry, Journal};
use crate::state::record::Lineage;
use crate::state::replay::replay;

/// A state that postpay can write.
fn valid_state() -> impl Strategy<Value = State> {
    state().prop_map(distinct)
}

fn run(before: &State, edits: Vec<Edit>, mut started: RunStarted) -> (State, Journal) {
    started.lineage = before.lineage;
    started.base = before.serial;
    let edited = |edit| Edited { doing: "state push".to_owned(), edit };
    let edits: Vec<Edited> = edits.into_iter().map(edited).collect();
    let at = Timestamp::UNIX_EPOCH;
    let entries = edits.iter().map(|edited| Entry { at, event: Event::Edited(edited.clone()) });
    let journal = Journal { started_at: at, started: started.clone(), entries: entries.collect() };
    (after(before, started, at, &edits), journal)
}

proptest! {
    #[test]
    fn edits_turn_any_state_into_any_other(
        before in valid_state(),
        into in valid_state(),
        started in started(),
    ) {
        let edits = edits_between(&before, &into);
        let none = edits.is_empty();
        let (made, journal) = run(&before, edits, started);
        prop_assert_eq!(changes(&made, &into), []);
        prop_assert_eq!(none, same_environments(&before, &into));
        prop_assert_eq!(edits_between(&made, &into), []);
        prop_assert_eq!(replay(Some(before), &journal), made, "a receipt says the same");
    }

    /// Wherever such a run is cut off, environments that only move or become deposed are in the state.
    #[test]
    fn cut_off_run_loses_nothing_that_moves(
        before in valid_state(),
        started in started(),
        to in Just(Address::new("elsewhere").unwrap()),
        depose in any::<bool>(),
    ) {
        let mut into = before.clone();
        let moves = |(key, record): &(&InstanceKey, &Record)| record.env_id.is_some() && !key.is_deposed();
        let key = into.environments.iter().find(moves).map(|(key, _)| key.clone());
        if let Some((key, record)) = key.and_then(|key| into.environments.remove_entry(&key)) {
            let deposed_at = depose.then_some(Timestamp::UNIX_EPOCH);
            let deposed = record.env_id.clone().filter(|_| depose);
            let address = if depose { key.address } else { to };
            into.environments.insert(InstanceKey { address, deposed }, Record { deposed_at, ..record });
        }
        let mut edits = edits_between(&before, &into);
        while edits.pop().is_some() {
            let (made, _) = run(&before, edits.clone(), started.clone());
            let known = ids(&made);
            for id in ids(&before) {
                prop_assert!(known.contains(&id), "{id}");
            }
        }
    }

    #[test]
    fn loss_is_reported_exactly_when_an_id_or_an_unknown_outcome_is_gone(
        before in valid_state(),
        into in valid_state(),
    ) {
        // An EnvId and a TranId may read the same.
        let ids = |state: &State| -> BTreeSet<(&str, String)> {
            let ids = |record: &Record| {
                let env_id = record.env_id.clone().map(|id| ("EnvId", id));
                env_id.into_iter().chain(record.tran_id.clone().map(|id| ("TranId", id)))
            };
            state.environments.values().flat_map(ids).collect()
        };
        let expected = lost(&before, &into);
        let gone = !ids(&before).is_subset(&ids(&into));
        let doubt = before.current().any(|(address, record)| {
            record.status == Status::Unknown && into.get(address).is_none()
        });
        prop_assert!(expected.is_empty() != (gone || doubt), "{expected:?}");
        prop_assert_eq!(lost(&before, &before), []);
    }
}

#[test]
fn move_includes_former_environments() {
    let text = include_str!("../../../tests/suite/fixtures/state/v1/one-of-each.state.json");
    let mut state = crate::state::decode_state("state".as_ref(), text.as_bytes()).unwrap();
    state.lineage = Lineage::fresh();
    let (from, to) = (Address::new("shop-prod").unwrap(), Address::new("store").unwrap());
    let places: Vec<String> = moved(&state, &from, &to).iter().map(|change| change.key.to_string()).collect();
    assert_eq!(places, ["shop-prod", "shop-prod (deposed shop-prod-1a2b3c4d5e6f7a8b)"]);
    assert_eq!(moved(&state, &to, &from), []);
}
