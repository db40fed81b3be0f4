use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::state::arbitrary::{distinct, ids, started, state};
use crate::state::journal::{Entry, Journal};
use crate::state::record::Lineage;
use crate::state::replay::replay;

/// A state that postpay can have written.
fn lawful() -> impl Strategy<Value = State> {
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
    fn any_state_is_turned_into_any_other(
        before in lawful(),
        into in lawful(),
        started in started(),
    ) {
        let edits = turn(&before, &into);
        let none = edits.is_empty();
        let (made, journal) = run(&before, edits, started);
        prop_assert_eq!(changes(&made, &into), []);
        prop_assert_eq!(none, same_record(&before, &into));
        prop_assert_eq!(turn(&made, &into), []);
        prop_assert_eq!(replay(Some(before), &journal), made, "a receipt says the same");
    }

    /// Wherever such a run is cut off, what only gets another address, or is deposed, is in the state.
    #[test]
    fn a_turn_that_is_cut_off_has_not_lost_what_moves(
        before in lawful(),
        started in started(),
        to in Just(Address::new("elsewhere").unwrap()),
        depose in any::<bool>(),
    ) {
        let mut into = before.clone();
        if let Some((key, record)) = into.environments.pop_first() {
            prop_assume!(record.env_id.is_some() && !key.is_deposed());
            let deposed_at = depose.then_some(Timestamp::UNIX_EPOCH);
            let deposed = record.env_id.clone().filter(|_| depose);
            let address = if depose { key.address } else { to };
            into.environments.insert(InstanceKey { address, deposed }, Record { deposed_at, ..record });
        }
        let mut edits = turn(&before, &into);
        while edits.pop().is_some() {
            let (made, _) = run(&before, edits.clone(), started.clone());
            let known = ids(&made);
            for id in ids(&before) {
                prop_assert!(known.contains(&id), "{id}");
            }
        }
    }

    #[test]
    fn a_loss_is_told_exactly_when_an_id_or_a_doubt_is_gone(
        before in lawful(),
        into in lawful(),
    ) {
        // An environment's id is none of an order, though it may read the same.
        let ids = |state: &State| -> BTreeSet<(&str, String)> {
            let ids = |record: &Record| {
                let env_id = record.env_id.clone().map(|id| ("EnvId", id));
                env_id.into_iter().chain(record.tran_id.clone().map(|id| ("TranId", id)))
            };
            state.environments.values().flat_map(ids).collect()
        };
        let told = lost(&before, &into);
        let gone = !ids(&before).is_subset(&ids(&into));
        let doubt = before.current().any(|(address, record)| {
            record.status == Status::Unknown && into.get(address).is_none()
        });
        prop_assert!(told.is_empty() != (gone || doubt), "{told:?}");
        prop_assert_eq!(lost(&before, &before), []);
    }
}

#[test]
fn a_move_takes_what_was_replaced_along() {
    let text = include_str!("../../../tests/suite/fixtures/state/v1/one-of-each.state.json");
    let mut state = crate::state::decode_state("state".as_ref(), text.as_bytes()).unwrap();
    state.lineage = Lineage::fresh();
    let (from, to) = (Address::new("shop-prod").unwrap(), Address::new("store").unwrap());
    let places: Vec<String> = moved(&state, &from, &to).iter().map(|change| change.key.to_string()).collect();
    assert_eq!(places, ["shop-prod", "shop-prod (deposed shop-prod-1a2b3c4d5e6f7a8b)"]);
    assert_eq!(moved(&state, &to, &from), []);
}
