//! What every [`StateStore`] guarantees. A later store adds a [`Place`] and one line with `store_contract!`, and changes
//! nothing here.

mod file;
mod file_crash;
mod file_process;
mod file_restore;
mod file_verify;
#[cfg(unix)]
mod postgres;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use postpay::kinds::postpay as fields;
use postpay::model::{Address, InstanceKey, SourceRef};
use postpay::state::journal::{
    Edit, Edited, EndReason, Event, Evidence, Intent, Journal, Outcome, RunEnded, RunId, RunStarted,
};
use postpay::state::restore::{Origin, Restoring};
use postpay::state::store::{Fence, Keep};
use postpay::state::{
    Account, Holder, Lineage, LockStatus, Serial, Snapshot, State, StateError, StateStore, Status, Writer,
};

/// Somewhere to keep one state, empty at first. Every store made from it sees the same one.
pub(crate) trait Place: Sync {
    fn store(&self) -> Box<dyn StateStore>;

    /// A copy of the state as it is kept; None when there is none, or the place has no back door.
    fn copy(&self) -> Option<Vec<u8>>;

    /// Puts such a copy in the state's place, or takes the state away, behind the store's back. False when the place
    /// has no back door.
    fn tamper(&self, state: Option<&[u8]>) -> bool;

    /// Ends the lease of the present writer behind its back. False when the place has no back door.
    fn end_lease(&self) -> bool;
}

/// Makes a test of every part of the contract, for the places that `$new` makes.
macro_rules! store_contract {
    (optional: $new:expr) => {
        $crate::store_contract::store_contract!(@tests $new;
            an_empty_store_has_no_state
            a_run_goes_from_its_first_line_to_a_receipt
            a_reader_sees_an_open_run
            a_second_writer_learns_who_holds_the_lock
            a_waiting_writer_gets_its_turn
            a_line_is_appended_once
            a_writer_without_its_lease_adds_outcomes_and_no_intents
            a_dead_run_is_folded_by_the_next_writer
            a_dead_run_is_recovered_once
            a_run_that_did_nothing_is_recovered_too
            no_environment_is_lost_over_many_runs
            what_may_have_been_created_is_not_created_again
            a_replaced_environment_stays_in_the_state
            a_writer_is_used_in_order
            edits_change_the_state
            a_reader_beside_a_writer_never_sees_a_contradiction
            a_lost_state_is_rejected
            an_older_state_is_rejected
            a_foreign_state_is_rejected
            a_forked_state_is_rejected
            a_state_is_restored_from_its_receipts
        );
    };
    (@tests $new:expr; $($name:ident)+) => {
        $(
            #[test]
            fn $name() {
                if let Some(place) = $new {
                    $crate::store_contract::$name(&place);
                }
            }
        )+
    };
    ($new:expr) => {
        $crate::store_contract::store_contract!(optional: Some($new));
    };
}
pub(crate) use store_contract;

pub(crate) const NO_WAIT: Duration = Duration::ZERO;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_777_600_000 + second).unwrap()
}

pub(crate) fn holder(who: &str) -> Holder {
    Holder { who: who.to_owned(), pid: std::process::id(), since: at(0), doing: "apply".to_owned() }
}

pub(crate) fn address(text: &str) -> Address {
    Address::new(text).unwrap()
}

/// A run over what this writer found.
pub(crate) fn run_over(writer: &Writer) -> RunStarted {
    let (lineage, base) = match writer.state() {
        Some(state) => (state.lineage, state.serial),
        None => (Lineage::fresh(), Serial::default()),
    };
    RunStarted {
        format_version: postpay::state::FormatVersion,
        run: RunId::fresh(),
        lineage,
        base,
        tool_version: "0.1.0".to_owned(),
        account: Account { endpoint: "sandbox".to_owned(), uin: Some("100000000001".to_owned()) },
        plan: "sha256:plan".to_owned(),
        who: "ada@loom".to_owned(),
        pid: 7,
        region: None,
        commit: None,
    }
}

pub(crate) fn intent(step: u32, on: &str) -> Event {
    Event::Intent(Intent {
        step,
        attempt: 1,
        address: address(on),
        action: "CreatePostpayPackage".to_owned(),
        attributes: [(fields::ALIAS, on.to_owned())].into_iter().collect(),
        members: std::collections::BTreeMap::new(),
        source: SourceRef { file: "environments/all.yaml".to_owned(), line: step },
        replaces: None,
        prevent_destroy: false,
        resends: None,
    })
}

/// As [`intent`], in the place of an environment that is in the state.
pub(crate) fn replacement(step: u32, on: &str, replaces: &str) -> Event {
    match intent(step, on) {
        Event::Intent(intent) => Event::Intent(Intent { replaces: Some(replaces.to_owned()), ..intent }),
        other => other,
    }
}

/// The order of `on` went through: `tran-on`, `env-on`.
pub(crate) fn ordered(step: u32, on: &str) -> Event {
    outcome(step, on, Evidence::Ordered)
}

pub(crate) fn outcome(step: u32, on: &str, evidence: Evidence) -> Event {
    let ids = evidence == Evidence::Ordered;
    Event::Outcome(Outcome {
        step,
        attempt: 1,
        address: address(on),
        evidence,
        tran_id: ids.then(|| format!("tran-{on}")),
        env_id: ids.then(|| format!("env-{on}")),
        request_id: Some(format!("request-{on}")),
        code: None,
        message: None,
        http_status: Some(200),
        body: None,
        took_ms: 40,
    })
}

pub(crate) fn finished() -> Event {
    Event::RunEnded(RunEnded { reason: EndReason::Finished })
}

pub(crate) fn writer(place: &dyn Place) -> Writer {
    lock(place, "ada@loom").unwrap()
}

pub(crate) fn lock(place: &dyn Place, who: &str) -> Result<Writer, StateError> {
    Writer::open(&*place.store(), &holder(who), NO_WAIT)
}

pub(crate) fn read(place: &dyn Place) -> Result<Snapshot, StateError> {
    postpay::state::read(&*place.store())
}

/// Rebuilds the state from its receipts.
pub(crate) fn restore(place: &dyn Place) -> Result<State, StateError> {
    let restoring = Restoring::begin(&*place.store(), &Origin::Receipts, &holder("ada@loom"), NO_WAIT)?;
    Ok(restoring.write()?.proposal.state)
}

/// A whole run that orders these.
pub(crate) fn order(place: &dyn Place, environments: &[&str]) -> State {
    let mut writer = writer(place);
    let run = run_over(&writer);
    writer.begin(at(1), run).unwrap();
    for (on, step) in environments.iter().zip(1..) {
        writer.append(at(2), intent(step, on)).unwrap();
        writer.append(at(3), ordered(step, on)).unwrap();
    }
    writer.append(at(4), finished()).unwrap();
    writer.commit().unwrap()
}

/// Every receipt, verified.
pub(crate) fn verified(place: &dyn Place) -> Vec<Journal> {
    let store = place.store();
    let receipts = store.receipts().unwrap();
    receipts
        .iter()
        .map(|receipt| {
            let journal = store.receipt(receipt).unwrap();
            assert_eq!(journal.started.run, receipt.run);
            assert_eq!(journal.started.base, receipt.base);
            journal
        })
        .collect()
}

pub(crate) fn an_empty_store_has_no_state(place: &dyn Place) {
    let store = place.store();
    let snapshot = read(place).unwrap();
    assert_eq!((&snapshot.state, &snapshot.journal), (&None, &None));
    assert_eq!(snapshot.current(), None);
    assert_eq!(store.receipts().unwrap(), []);
    assert_eq!(store.lock_status().unwrap(), LockStatus::Free);
    let writer = writer(place);
    assert_eq!(writer.state(), None);
    assert_eq!(writer.recovered(), None);
    drop(writer);
    assert_eq!(read(place).unwrap().state, None, "a lock alone records nothing");
}

pub(crate) fn a_run_goes_from_its_first_line_to_a_receipt(place: &dyn Place) {
    let mut writer = writer(place);
    let run = run_over(&writer);
    writer.begin(at(1), run.clone()).unwrap();
    let events = [intent(1, "shop"), ordered(1, "shop"), finished()];
    for (event, second) in events.iter().zip(2..) {
        writer.append(at(second), event.clone()).unwrap();
    }
    let state = writer.commit().unwrap();
    assert_eq!(writer.state(), Some(&state));
    drop(writer);

    let snapshot = read(place).unwrap();
    assert_eq!(snapshot.journal, None);
    assert_eq!(snapshot.state.as_ref(), Some(&state));
    assert_eq!(state.serial, Serial(1));
    assert_eq!(state.lineage, run.lineage);
    assert_eq!(state.last_run, Some(run.run));
    assert_eq!(state.account.as_ref(), Some(&run.account));
    let record = &state.get(&address("shop")).unwrap();
    assert_eq!(record.status, Status::Created);
    assert_eq!(record.env_id.as_deref(), Some("env-shop"));
    assert_eq!(record.tran_id.as_deref(), Some("tran-shop"));
    assert_eq!(record.ordered_at, at(2));

    let journal = verified(place).pop().unwrap();
    assert_eq!(journal.started, run);
    assert_eq!(journal.started_at, at(1));
    assert_eq!(journal.last_sent_at(), Some(at(2)));
    assert_eq!(journal.ended(), Some(EndReason::Finished));
    assert!(journal.entries.iter().map(|entry| &entry.event).eq(&events));
}

pub(crate) fn a_reader_sees_an_open_run(place: &dyn Place) {
    let mut writer = writer(place);
    let run = run_over(&writer);
    let seen = || {
        let current = read(place).unwrap().current()?;
        let record = current.get(&address("shop"))?;
        Some((record.status, record.env_id.clone()))
    };
    writer.begin(at(1), run).unwrap();
    assert_eq!(seen(), None);
    writer.append(at(2), intent(1, "shop")).unwrap();
    assert_eq!(seen(), Some((Status::Unknown, None)));
    writer.append(at(3), ordered(1, "shop")).unwrap();
    assert_eq!(seen(), Some((Status::Created, Some("env-shop".to_owned()))));
    assert_eq!(read(place).unwrap().state, None);
}

pub(crate) fn a_second_writer_learns_who_holds_the_lock(place: &dyn Place) {
    let first = writer(place);
    let store = place.store();
    match Writer::open(&*store, &holder("bob@mill"), Duration::from_millis(5)).err() {
        Some(StateError::Locked { holder: Some(said), .. }) => {
            assert_eq!(said, holder("ada@loom"));
        }
        other => panic!("{other:?}"),
    }
    let held = LockStatus::Held(Some(holder("ada@loom")));
    assert_eq!(store.lock_status().unwrap(), held);
    drop(first);
    assert_eq!(store.lock_status().unwrap(), LockStatus::Free);
    drop(lock(place, "bob@mill").unwrap());
}

pub(crate) fn a_waiting_writer_gets_its_turn(place: &dyn Place) {
    let first = writer(place);
    thread::scope(|scope| {
        let second = scope.spawn(|| {
            let store = place.store();
            Writer::open(&*store, &holder("bob@mill"), Duration::from_secs(60)).map(drop)
        });
        drop(first);
        second.join().unwrap().unwrap();
    });
}

pub(crate) fn a_line_is_appended_once(place: &dyn Place) {
    let mut lease = place.store().acquire(&holder("ada@loom"), NO_WAIT).unwrap();
    lease.prepare(None).unwrap();
    assert_eq!(lease.read(1).unwrap(), b"");
    lease.begin(RunId::fresh(), b"one\n").unwrap();
    lease.append(2, b"two\n", Fence::Open).unwrap();
    lease.append(2, b"other\n", Fence::Open).unwrap_err();
    lease.append(4, b"four\n", Fence::Intent).unwrap_err();
    for (from, lines) in [(1, &b"one\ntwo\n"[..]), (2, b"two\n"), (3, b"")] {
        assert_eq!(lease.read(from).unwrap(), lines);
    }
    lease.replace(Some(b"another"), b"new", Keep::AsBackup).unwrap_err();
    assert_eq!(place.copy(), None, "a state is replaced only if it is the one that was read");
}

pub(crate) fn a_writer_without_its_lease_adds_outcomes_and_no_intents(place: &dyn Place) {
    let mut fenced = writer(place);
    let run = run_over(&fenced);
    fenced.begin(at(1), run.clone()).unwrap();
    fenced.append(at(2), intent(1, "one")).unwrap();
    if !place.end_lease() {
        return;
    }
    for result in [fenced.check_exclusive(), fenced.append(at(3), intent(2, "two"))] {
        assert!(matches!(result, Err(StateError::FencedOut { .. })), "{result:?}");
    }
    fenced.append(at(4), ordered(1, "one")).unwrap();
    drop(fenced);
    let next = writer(place);
    assert_eq!(next.recovered(), Some(run.run));
    let state = next.state().unwrap();
    assert_eq!(state.get(&address("one")).unwrap().status, Status::Created);
    assert_eq!(state.get(&address("two")), None);
}

pub(crate) fn a_dead_run_is_folded_by_the_next_writer(place: &dyn Place) {
    order(place, &["old"]);
    let mut cut_off = writer(place);
    let run = run_over(&cut_off);
    cut_off.begin(at(1), run.clone()).unwrap();
    for (event, second) in [
        intent(1, "known"),
        ordered(1, "known"),
        intent(2, "refused"),
        intent(3, "open"),
        outcome(2, "refused", Evidence::Refused),
    ]
    .into_iter()
    .zip(2..)
    {
        cut_off.append(at(second), event).unwrap();
    }
    let seen = read(place).unwrap().current();
    drop(cut_off);

    let next = writer(place);
    assert_eq!(next.recovered(), Some(run.run));
    let state = next.state().unwrap();
    assert_eq!(Some(state), seen.as_ref(), "readers saw it coming");
    assert_eq!(state.serial, Serial(2));
    let status = |on| state.get(&address(on)).map(|r| r.status);
    assert_eq!(status("old"), Some(Status::Created));
    assert_eq!(status("known"), Some(Status::Created));
    assert_eq!(status("refused"), None);
    assert_eq!(status("open"), Some(Status::Unknown));
    match &verified(place).last().unwrap().entries.last().unwrap().event {
        Event::Recovered(recovered) => assert_eq!(recovered.unknown, [address("open")]),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn a_dead_run_is_recovered_once(place: &dyn Place) {
    let mut cut_off = writer(place);
    let run = run_over(&cut_off);
    cut_off.begin(at(1), run.clone()).unwrap();
    cut_off.append(at(2), intent(1, "shop")).unwrap();
    drop(cut_off);
    assert_eq!(writer(place).recovered(), Some(run.run));
    let next = writer(place);
    assert_eq!(next.recovered(), None);
    assert_eq!(next.state().unwrap().serial, Serial(1));
    assert_eq!(verified(place).len(), 1);
}

pub(crate) fn a_run_that_did_nothing_is_recovered_too(place: &dyn Place) {
    let mut cut_off = writer(place);
    let run = run_over(&cut_off);
    cut_off.begin(at(1), run.clone()).unwrap();
    drop(cut_off);
    let next = writer(place);
    assert_eq!(next.recovered(), Some(run.run));
    assert_eq!(next.state().unwrap().lineage, run.lineage);
    assert!(next.state().unwrap().environments.is_empty());
}

pub(crate) fn no_environment_is_lost_over_many_runs(place: &dyn Place) {
    let mut lineages = BTreeSet::new();
    for number in 1..=12 {
        let on = format!("env-{number}");
        let state = if number % 3 == 0 {
            let mut cut_off = writer(place);
            let run = run_over(&cut_off);
            cut_off.begin(at(1), run).unwrap();
            cut_off.append(at(2), intent(1, &on)).unwrap();
            cut_off.append(at(3), ordered(1, &on)).unwrap();
            drop(cut_off);
            writer(place).state().unwrap().clone()
        } else {
            order(place, &[&on])
        };
        assert_eq!(state.serial, Serial(number));
        lineages.insert(state.lineage.to_string());
        for before in 1..=number {
            let record = &state.get(&address(&format!("env-{before}"))).unwrap();
            assert_eq!(record.env_id, Some(format!("env-env-{before}")));
        }
    }
    assert_eq!(lineages.len(), 1);
    let bases: Vec<_> = verified(place).iter().map(|j| j.started.base.0).collect();
    assert_eq!(bases, (0..12).collect::<Vec<_>>());
}

pub(crate) fn what_may_have_been_created_is_not_created_again(place: &dyn Place) {
    let refused = |result: Result<(), StateError>| {
        assert!(matches!(result, Err(StateError::Misused(_))), "{result:?}");
    };
    let mut first = writer(place);
    let run = run_over(&first);
    first.begin(at(1), run).unwrap();
    first.append(at(2), intent(1, "open")).unwrap();
    refused(first.append(at(3), intent(2, "open")));
    first.append(at(3), intent(3, "done")).unwrap();
    first.append(at(4), ordered(3, "done")).unwrap();
    refused(first.append(at(5), intent(4, "done")));
    first.append(at(5), intent(5, "again")).unwrap();
    first.append(at(6), outcome(5, "again", Evidence::NotSent)).unwrap();
    first.append(at(7), intent(6, "again")).unwrap();
    drop(first);

    let mut next = writer(place);
    let run = run_over(&next);
    next.begin(at(8), run).unwrap();
    refused(next.append(at(9), intent(1, "open")));
    refused(next.append(at(9), intent(2, "done")));
    refused(next.append(at(9), replacement(3, "done", "env-else")));
    refused(next.append(at(9), replacement(4, "open", "env-open")));
    refused(next.append(at(9), replacement(5, "nowhere", "env-nowhere")));
    next.append(at(9), replacement(6, "done", "env-done")).unwrap();
    refused(next.append(at(10), replacement(7, "done", "env-done")));
}

/// What was replaced stays in the state, through crashes and commits, until an edit says otherwise.
pub(crate) fn a_replaced_environment_stays_in_the_state(place: &dyn Place) {
    order(place, &["shop"]);
    let mut cut_off = writer(place);
    let run = run_over(&cut_off);
    cut_off.begin(at(1), run.clone()).unwrap();
    cut_off.append(at(2), replacement(1, "shop", "env-shop")).unwrap();
    drop(cut_off);

    let mut next = writer(place);
    let state = next.state().unwrap().clone();
    assert_eq!(
        state.get(&address("shop")).unwrap().status,
        Status::Unknown,
        "the replacement may have been made"
    );
    let key = InstanceKey::deposed(address("shop"), "env-shop".to_owned());
    let deposed = state.environments[&key].clone();
    assert_eq!(deposed.deposed_at, Some(at(2)));
    assert_eq!(deposed.env_id.as_deref(), Some("env-shop"));

    let run = run_over(&next);
    next.begin(at(3), run).unwrap();
    for edit in [
        Edit::current(address("shop"), None),
        Edit::set(key.moved_to(&address("other")), Some(deposed)),
        Edit::set(key, None),
    ] {
        let doing = "state push".to_owned();
        next.append(at(4), Event::Edited(Edited { doing, edit })).unwrap();
    }
    next.append(at(5), finished()).unwrap();
    let state = next.commit().unwrap();
    let there: Vec<_> = state.env_ids().collect();
    assert_eq!(there, [(&address("other"), "env-shop")]);
    drop(next);
    assert_eq!(restore(place).unwrap(), state, "the receipts tell all of it");
}

pub(crate) fn a_writer_is_used_in_order(place: &dyn Place) {
    let misused = |result: Result<(), StateError>| {
        assert!(matches!(result, Err(StateError::Misused(_))), "{result:?}");
    };
    let mut writer = writer(place);
    misused(writer.append(at(1), finished()));
    misused(writer.commit().map(drop));
    let run = run_over(&writer);
    let later = RunStarted { base: Serial(3), ..run.clone() };
    misused(writer.begin(at(1), later));
    writer.begin(at(1), run.clone()).unwrap();
    misused(writer.begin(at(1), run.clone()));
    misused(writer.commit().map(drop));
    writer.append(at(2), finished()).unwrap();
    misused(writer.append(at(3), intent(1, "shop")));
    writer.commit().unwrap();
    misused(writer.commit().map(drop));
    let foreign = RunStarted { base: Serial(1), lineage: Lineage::fresh(), ..run.clone() };
    misused(writer.begin(at(4), foreign));
    // A writer may do several runs.
    let again = run_over(&writer);
    writer.begin(at(4), again).unwrap();
    writer.append(at(5), finished()).unwrap();
    assert_eq!(writer.commit().unwrap().serial, Serial(2));
}

pub(crate) fn edits_change_the_state(place: &dyn Place) {
    let state = order(place, &["shop", "old"]);
    let edited = |edit| {
        let doing = "state mv".to_owned();
        Event::Edited(Edited { doing, edit })
    };
    let mut writer = writer(place);
    let run = run_over(&writer);
    writer.begin(at(1), run).unwrap();
    let (from, to) = (address("shop"), address("store"));
    let shop = state.get(&from).unwrap().clone();
    writer.append(at(2), edited(Edit::Move { from, to })).unwrap();
    writer.append(at(3), edited(Edit::current(address("old"), None))).unwrap();
    writer.append(at(4), edited(Edit::current(address("copy"), Some(shop.clone())))).unwrap();
    writer.append(at(5), finished()).unwrap();
    let state = writer.commit().unwrap();
    assert!(state.current().eq([(&address("copy"), &shop), (&address("store"), &shop)]));
    assert_eq!(verified(place).len(), 2);
}

pub(crate) fn a_reader_beside_a_writer_never_sees_a_contradiction(place: &dyn Place) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut most = 0;
                    while !done.load(Ordering::Relaxed) {
                        let current = read(place).unwrap().current();
                        let count = current.map_or(0, |state| state.environments.len());
                        assert!(count >= most, "{count} after {most}");
                        most = count;
                    }
                    most
                })
            })
            .collect();
        for number in 0..40 {
            order(place, &[&format!("env-{number}")]);
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

/// What both readers and writers say.
pub(crate) fn refusal(place: &dyn Place) -> StateError {
    let read = read(place).unwrap_err();
    let locked = lock(place, "bob@mill").unwrap_err();
    assert_eq!(read.to_string(), locked.to_string());
    assert_eq!(place.store().lock_status().unwrap(), LockStatus::Free);
    read
}

pub(crate) fn a_lost_state_is_rejected(place: &dyn Place) {
    order(place, &["shop"]);
    if place.tamper(None) {
        let error = refusal(place);
        assert!(matches!(error, StateError::Lost { .. }), "{error}");
    }
}

pub(crate) fn an_older_state_is_rejected(place: &dyn Place) {
    order(place, &["one"]);
    let old = place.copy();
    order(place, &["two"]);
    order(place, &["three"]);
    if old.is_some() && place.tamper(old.as_deref()) {
        match refusal(place) {
            StateError::Older { found, expected, .. } => {
                assert_eq!((found, expected), (Serial(1), Serial(3)));
            }
            error => panic!("{error}"),
        }
    }
}

/// Changes a copy of a state as only a foreign hand would.
fn changed(copy: &[u8], change: impl FnOnce(&mut State)) -> Vec<u8> {
    use postpay::state::{decode_state, encode_state};
    let mut state = decode_state("copy".as_ref(), copy).unwrap();
    change(&mut state);
    encode_state(&state).unwrap()
}

pub(crate) fn a_foreign_state_is_rejected(place: &dyn Place) {
    let mine = order(place, &["one"]);
    let Some(copy) = place.copy() else { return };
    let other = Lineage::fresh();
    if place.tamper(Some(&changed(&copy, |state| state.lineage = other))) {
        match refusal(place) {
            StateError::Foreign { found, expected, .. } => {
                assert_eq!((found, expected), (other, mine.lineage));
            }
            error => panic!("{error}"),
        }
    }
}

pub(crate) fn a_forked_state_is_rejected(place: &dyn Place) {
    order(place, &["one"]);
    let Some(copy) = place.copy() else { return };
    // The same serial, from another run: what this run ordered is not in it.
    let forked = changed(&copy, |state| {
        state.last_run = Some(RunId::fresh());
        state.environments.clear();
    });
    if place.tamper(Some(&forked)) {
        let error = refusal(place);
        assert!(matches!(error, StateError::Forked { .. }), "{error}");
    }
}

pub(crate) fn a_state_is_restored_from_its_receipts(place: &dyn Place) {
    let nothing = restore(place);
    assert!(matches!(nothing, Err(StateError::Misused(_))), "{nothing:?}");
    order(place, &["one"]);
    let state = order(place, &["two"]);
    let mut cut_off = writer(place);
    let run = run_over(&cut_off);
    cut_off.begin(at(1), run).unwrap();
    cut_off.append(at(2), intent(1, "open")).unwrap();
    let locked = restore(place);
    assert!(matches!(locked, Err(StateError::Locked { .. })), "{locked:?}");
    drop(cut_off);
    for behind in [Some(&b"{"[..]), None] {
        if place.tamper(behind) {
            refusal(place);
            assert_eq!(restore(place).unwrap(), state);
        }
    }
    let next = writer(place);
    let record = &next.state().unwrap().get(&address("open")).unwrap();
    assert_eq!(record.status, Status::Unknown, "the open run was not forgotten");
}
