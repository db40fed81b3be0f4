use proptest::prelude::*;

use super::*;
use crate::state::arbitrary::{ORDER, journal, outcome, started, state, wild_journal};
use crate::state::journal::{Edit, Edited, Entry, Event, Intent, RunStarted};
use crate::state::record::{Lineage, Serial};
use crate::state::replay::replay;

fn on(text: &str) -> Address {
    Address::new(text).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn run(events: &[(i64, Event)]) -> Journal {
    Journal {
        started_at: at(events[0].0),
        started: RunStarted {
            format_version: crate::state::FormatVersion,
            run: RunId::fresh(),
            lineage: Lineage::fresh(),
            base: Serial::default(),
            tool_version: "0.1.0".to_owned(),
            account: crate::state::Account { endpoint: "sandbox".to_owned(), uin: None },
            plan: String::new(),
            who: "ada@loom".to_owned(),
            pid: 7,
            region: None,
            commit: Some("abc".to_owned()),
        },
        entries: events
            .iter()
            .map(|(second, event)| Entry { at: at(*second), event: event.clone() })
            .collect(),
    }
}

fn intent(step: u32, attempt: u32, address: &str, action: &str) -> Event {
    Event::Intent(Intent {
        step,
        attempt,
        address: on(address),
        action: action.to_owned(),
        attributes: Attributes::default(),
        members: BTreeMap::new(),
        source: SourceRef { file: "environments/shop.yaml".to_owned(), line: step },
        replaces: None,
        prevent_destroy: false,
        resends: None,
    })
}

fn outcome_event(
    step: u32,
    attempt: u32,
    address: &str,
    evidence: Evidence,
    ids: [Option<&str>; 2],
) -> Event {
    let [tran_id, env_id] = ids.map(|id| id.map(str::to_owned));
    Event::Outcome(outcome(step, attempt, &on(address), evidence, tran_id, env_id))
}

fn edited(doing: &str, edit: Edit) -> Event {
    let doing = doing.to_owned();
    Event::Edited(Edited { doing, edit })
}

/// Returns the record that these runs left at an address, with other ids.
fn with_ids(journals: &[Journal], address: &str, tran_id: &str, env_id: &str) -> Record {
    let state = journals.iter().fold(None, |state, journal| Some(replay(state, journal)));
    let mut record = state.unwrap().get(&on(address)).unwrap().clone();
    record.status = Status::Created;
    record.tran_id = Some(tran_id.to_owned());
    record.env_id = Some(env_id.to_owned());
    record
}

/// Renders events, one line each: time, address, action, result, ids and settlement.
fn lines(events: &[HistoryEvent], filter: &Filter) -> Vec<String> {
    events
        .iter()
        .filter(|event| event.matches(filter))
        .map(|event| {
            let (tran_id, env_id) = event.ids();
            let (tran_id, env_id) = (tran_id.unwrap_or("-"), env_id.unwrap_or("-"));
            let second = event.at.as_second();
            let what = match &event.kind {
                EventKind::Request(request) => {
                    let settled = request
                        .settled
                        .as_ref()
                        .map_or_else(String::new, |it| format!(" by {} {}", it.doing, it.created));
                    format!("{} {}{settled}", request.action, request.result.name())
                }
                EventKind::Edit { doing, change } => format!("{doing} {}", change.name()),
            };
            format!("{second} {} {what} {tran_id} {env_id}", event.key.address)
        })
        .collect()
}

fn everything() -> Filter {
    Filter { all: true, ..Filter::default() }
}

#[test]
fn requests_are_listed_with_their_responses() {
    use Evidence::{NotSent, Ordered, Refused, Unknown};
    let journal = run(&[
        (1, intent(1, 1, "a", ORDER)),
        (2, outcome_event(1, 1, "a", NotSent, [None, None])),
        (3, intent(1, 2, "a", ORDER)),
        (4, intent(2, 1, "b", ORDER)),
        (5, outcome_event(2, 1, "b", Refused, [None, None])),
        (6, outcome_event(1, 2, "a", Ordered, [Some("T1"), Some("E1")])),
        (7, intent(3, 1, "c", ORDER)),
        (8, outcome_event(3, 1, "c", Unknown, [Some("T3"), None])),
        (9, intent(4, 1, "d", "DestroyEnv")),
        (10, intent(5, 1, "e", ORDER)),
    ]);
    let closed = history(std::slice::from_ref(&journal), None, None);
    assert_eq!(
        lines(&closed, &Filter::default()),
        [
            "3 a CreatePostpayPackage ordered T1 E1",
            "4 b CreatePostpayPackage refused - -",
            "7 c CreatePostpayPackage unknown T3 -",
            "9 d DestroyEnv lost - -",
            "10 e CreatePostpayPackage lost - -",
        ]
    );
    let all = lines(&closed, &everything());
    assert_eq!(all[0], "1 a CreatePostpayPackage not_sent - -");
    let open = history(std::slice::from_ref(&journal), Some(journal.started.run), None);
    let last = lines(&open, &Filter::default()).pop().unwrap();
    assert_eq!(last, "10 e CreatePostpayPackage in_progress - -");
    let since = Filter { since: Some(at(9)), ..Filter::default() };
    assert_eq!(lines(&closed, &since).len(), 2);
    assert_eq!(closed[1].run.who.as_deref(), Some("ada@loom"));
    assert_eq!(closed[1].run.commit.as_deref(), Some("abc"));
}

#[test]
fn later_findings_are_listed_with_their_request() {
    use Evidence::{Ordered, Unknown};
    let first = run(&[
        (1, intent(1, 1, "awaiting", ORDER)),
        (2, outcome_event(1, 1, "awaiting", Ordered, [Some("T1"), None])),
        (3, intent(2, 1, "lost", ORDER)),
        (4, intent(3, 1, "none", ORDER)),
        (5, outcome_event(3, 1, "none", Unknown, [None, None])),
        (6, intent(4, 1, "shelved", ORDER)),
    ]);
    let set = |address: &str, record| Edit::current(on(address), Some(record));
    let forget = |address: &str| Edit::current(on(address), None);
    let firsts = std::slice::from_ref(&first);
    let found = with_ids(firsts, "awaiting", "T1", "E1");
    let adopted = with_ids(firsts, "lost", "T2", "E2");
    let second = run(&[
        (10, edited("wait", set("awaiting", found.clone()))),
        (11, edited("resolve --adopt", set("lost", adopted))),
        (12, edited("resolve --not-created", forget("none"))),
        // Nothing is known about the outcome.
        (13, edited("state push", forget("shelved"))),
        // A later update settles nothing.
        (14, edited("update", set("awaiting", found))),
    ]);
    let events = history(&[first, second], None, None);
    assert_eq!(
        lines(&events, &Filter::default()),
        [
            "1 awaiting CreatePostpayPackage ordered by wait true T1 E1",
            "3 lost CreatePostpayPackage lost by resolve --adopt true T2 E2",
            "4 none CreatePostpayPackage unknown by resolve --not-created false - -",
            "6 shelved CreatePostpayPackage lost - -",
        ]
    );
    let edits: Vec<_> = lines(&events, &everything()).split_off(4);
    assert_eq!(
        edits,
        [
            "10 awaiting wait recorded T1 E1",
            "11 lost resolve --adopt recorded T2 E2",
            "12 none resolve --not-created forgotten - -",
            "13 shelved state push forgotten - -",
            "14 awaiting update recorded T1 E1",
        ]
    );
    let nameless: Vec<_> =
        without_number(&events).iter().map(|event| event.key.address.to_string()).collect();
    assert_eq!(nameless, ["shelved"]);
    let numbers = order_numbers(&events, None);
    assert_eq!(numbers.keys().collect::<Vec<_>>(), ["T1", "T2"]);
    assert_eq!(numbers["T2"], (at(3), on("lost")));
}

#[test]
fn moved_environment_is_found_under_every_address() {
    use Evidence::Ordered;
    let order = |step, address: &str, id: &str| {
        [
            (i64::from(step), intent(step, 1, address, ORDER)),
            (i64::from(step), outcome_event(step, 1, address, Ordered, [Some(id), Some(id)])),
        ]
    };
    let moved = |second, from: &str, to: &str| {
        let edit = Edit::Move { from: on(from), to: on(to) };
        (second, edited("state mv", edit))
    };
    let events = [
        &order(1, "a", "1")[..],
        &[moved(2, "a", "b")],
        &order(3, "a", "2"),
        &[moved(4, "b", "c")],
        &order(5, "b", "3"),
        &order(6, "other", "4"),
    ]
    .concat();
    let journal = run(&events);
    let before = run(&[(0, intent(1, 1, "gone", ORDER))]);
    let mut state = replay(None, &journal);
    // A create of a run without a receipt, moved by a run with one.
    let gone = replay(None, &before).get(&on("gone")).unwrap().clone();
    state.environments.insert(InstanceKey::current(on("kept")), gone);
    let renamed = run(&[moved(7, "gone", "kept")]);
    let events = history(&[journal, renamed], None, Some(&state));
    let seconds = |address: &str| {
        let filter = Filter { addresses: vec![on(address)], ..everything() };
        let seconds = lines(&events, &filter);
        let second = |line: &String| line.split(' ').next().unwrap().to_owned();
        seconds.iter().map(second).collect::<Vec<_>>()
    };
    assert_eq!(seconds("a"), ["1", "2", "3", "4"]);
    assert_eq!(seconds("b"), ["1", "2", "4", "5"]);
    assert_eq!(seconds("c"), ["1", "2", "4"]);
    assert_eq!(seconds("other"), ["6"]);
    assert_eq!(seconds("gone"), ["0", "7"]);
    assert_eq!(seconds("kept"), ["0", "7"]);
    let first = &events[0];
    assert_eq!(first.run.who, None, "its receipt is not there");
    match &first.kind {
        EventKind::Request(request) => assert_eq!(request.result, RequestResult::InState(Status::Unknown)),
        other @ EventKind::Edit { .. } => panic!("{other:?}"),
    }
}

proptest! {
    /// No request or number is missing, for any journals.
    #[test]
    fn every_request_is_listed_once_and_every_number_is_known(
        journals in prop::collection::vec(prop_oneof![journal(), wild_journal()], 0..4),
        state in prop::option::of(state()),
        later in started(),
    ) {
        let events = history(&journals, Some(later.run), state.as_ref());
        let entries = || journals.iter().flat_map(|journal| &journal.entries);
        let sent = entries().filter(|entry| matches!(entry.event, Event::Intent(_))).count();
        let edits = entries().filter(|entry| matches!(entry.event, Event::Edited(_))).count();
        let requests = |event: &&HistoryEvent| {
            matches!(&event.kind, EventKind::Request(_)) && event.run.who.is_some()
        };
        prop_assert!(events.iter().filter(requests).count() >= sent);
        let is_edit = |event: &&HistoryEvent| matches!(&event.kind, EventKind::Edit { .. });
        prop_assert_eq!(events.iter().filter(is_edit).count(), edits);
        prop_assert!(events.is_sorted_by_key(|event| event.at));
        for event in &events {
            prop_assert!(event.addresses.contains(&event.key.address));
        }
        for (_, record) in state.iter().flat_map(State::records) {
            let numbers = order_numbers(&events, state.as_ref());
            prop_assert!(record.tran_id.iter().all(|id| numbers.contains_key(id)));
        }
    }

    #[test]
    fn every_number_returned_in_a_run_is_known(journal in journal()) {
        let numbers = order_numbers(&history(std::slice::from_ref(&journal), None, None), None);
        for entry in &journal.entries {
            if let Event::Outcome(outcome) = &entry.event {
                prop_assert!(outcome.tran_id.iter().all(|id| numbers.contains_key(id)));
            }
        }
    }
}
