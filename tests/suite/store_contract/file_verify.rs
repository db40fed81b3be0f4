//! Verifying: whatever was changed behind the store's back is named.

use std::fs;

use postpay::state::compare::Difference;
use postpay::state::file::FileStore;
use postpay::state::verify::{self, Notice, Problem, Verification};

use super::file::Folder;
use super::*;

pub(super) fn files(folder: &Folder) -> FileStore {
    FileStore::new(&folder.state)
}

fn verify(folder: &Folder) -> Verification {
    verify::verify(&files(folder)).unwrap()
}

fn codes(found: &Verification) -> Vec<&'static str> {
    found.problems.iter().map(Problem::code).collect()
}

/// Three runs with an environment each, one of them cut off.
pub(super) fn three_runs() -> Folder {
    let folder = Folder::new();
    order(&folder, &["one"]);
    let mut dying = writer(&folder);
    let run = run_over(&dying);
    dying.begin(at(1), run).unwrap();
    dying.append(at(2), intent(1, "two")).unwrap();
    drop(dying);
    order(&folder, &["three"]);
    folder
}

fn tampered(folder: &Folder, change: impl FnOnce(&mut State)) {
    let bytes = changed(&folder.copy().unwrap(), change);
    folder.tamper(Some(&bytes));
}

#[test]
fn files_that_only_postpay_wrote_verify() {
    let folder = Folder::new();
    let found = verify(&folder);
    assert_eq!(codes(&found), [""; 0]);
    assert_eq!((found.serial, found.receipts), (None, 0));

    let folder = three_runs();
    let found = verify(&folder);
    assert_eq!(codes(&found), [""; 0]);
    assert_eq!(found.notices, []);
    assert_eq!(found.compared_since, Some(Serial(0)));
    assert_eq!((found.serial, found.environments), (Some(Serial(3)), 3));
    assert_eq!((found.receipts, found.sound_receipts), (3, 3));
}

#[test]
fn an_open_run_is_a_notice() {
    let folder = three_runs();
    let mut open = writer(&folder);
    let run = run_over(&open);
    open.begin(at(1), run.clone()).unwrap();
    open.append(at(2), intent(1, "four")).unwrap();
    let found = verify(&folder);
    assert_eq!(codes(&found), [""; 0]);
    assert_eq!(
        found.notices,
        [Notice::OpenRun { run: run.run, who: run.who, pid: run.pid, unknown: vec![address("four")] }]
    );
}

#[test]
fn a_run_that_was_folded_and_not_filed_counts_as_a_receipt() {
    let folder = three_runs();
    let newest = files(&folder).receipts().unwrap().pop().unwrap();
    fs::rename(newest.path, folder.journal()).unwrap();
    let found = verify(&folder);
    assert_eq!(codes(&found), [""; 0]);
    assert_eq!((found.receipts, found.compared_since), (2, Some(Serial(0))));
}

fn current(on: &str) -> InstanceKey {
    InstanceKey::current(address(on))
}

#[test]
fn a_changed_state_is_reported_by_address_and_field() {
    let folder = three_runs();
    tampered(&folder, |state| {
        let record = state.environments.get_mut(&current("one")).unwrap();
        record.tran_id = Some("tran-else".to_owned());
        state.environments.remove(&current("three"));
    });
    let found = verify(&folder);
    let [Problem::Differs(field), Problem::Differs(missing)] = found.problems.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        *field,
        Difference::Field {
            key: current("one"),
            name: "tran_id".into(),
            found: Some("tran-else".to_owned()),
            expected: Some("tran-one".to_owned()),
        }
    );
    assert!(matches!(missing, Difference::Missing { key, .. } if *key == current("three")), "{missing:?}");
}

/// `one`, and then another in its place.
fn replaced_once() -> Folder {
    let folder = Folder::new();
    order(&folder, &["one"]);
    let mut writer = writer(&folder);
    let run = run_over(&writer);
    writer.begin(at(1), run).unwrap();
    writer.append(at(2), replacement(1, "one", "env-one")).unwrap();
    let Event::Outcome(mut second) = ordered(1, "one") else {
        panic!("no outcome");
    };
    second.env_id = Some("env-second".to_owned());
    second.tran_id = Some("tran-second".to_owned());
    writer.append(at(3), Event::Outcome(second)).unwrap();
    writer.append(at(4), finished()).unwrap();
    writer.commit().unwrap();
    folder
}

#[test]
fn an_id_of_two_environments_is_reported_with_both() {
    let folder = replaced_once();
    order(&folder, &["two"]);
    tampered(&folder, |state| {
        let two = state.environments.get_mut(&current("two")).unwrap();
        two.env_id = Some("env-one".to_owned());
        two.tran_id = Some("tran-second".to_owned());
    });
    let found = verify(&folder);
    let shared: Vec<_> = found
        .problems
        .iter()
        .filter_map(|problem| match problem {
            Problem::Shared { name, id, keys } => {
                let places = keys.iter().map(ToString::to_string);
                Some((*name, id.as_str(), places.collect::<Vec<_>>().join(", ")))
            }
            _ => None,
        })
        .collect();
    let deposed = "one (deposed env-one), two".to_owned();
    assert_eq!(shared, [("EnvId", "env-one", deposed), ("TranId", "tran-second", "one, two".to_owned())]);
}

#[test]
fn former_environments_are_compared_with_the_receipts() {
    let deposed = InstanceKey::deposed(address("one"), "env-one".to_owned());
    let folder = replaced_once();
    let found = verify(&folder);
    assert_eq!(codes(&found), [""; 0]);
    assert_eq!((found.environments, found.deposed), (1, 1));

    tampered(&folder, |state| {
        state.environments.get_mut(&deposed).unwrap().tran_id = Some("tran-else".to_owned());
    });
    let found = verify(&folder);
    let [Problem::Differs(Difference::Field { key, name, .. })] = found.problems.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((key, name.as_ref()), (&deposed, "tran_id"));
    tampered(&folder, |state| drop(state.environments.remove(&deposed)));
    let found = verify(&folder);
    let [Problem::Differs(Difference::Missing { key, .. })] = found.problems.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(key, &deposed);

    // Its own receipt was thrown away: nothing contradicts it, and nothing can vouch for it.
    let folder = replaced_once();
    let first = files(&folder).receipts().unwrap().remove(0);
    fs::remove_file(first.path).unwrap();
    let found = verify(&folder);
    assert_eq!(codes(&found), [""; 0], "{found:?}");
    let [Notice::BeginningMissing { unverified, .. }] = found.notices.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(unverified, &[deposed]);
}

#[test]
fn a_lost_unreadable_older_foreign_or_forked_state_is_reported() {
    let folder = Folder::new();
    order(&folder, &["one"]);
    let first = folder.copy().unwrap();
    order(&folder, &["two"]);
    let good = folder.copy().unwrap();

    folder.tamper(None);
    assert_eq!(codes(&verify(&folder)), ["state-lost"]);
    folder.tamper(Some(&good[..40]));
    assert_eq!(codes(&verify(&folder)), ["state-damaged"]);
    folder.tamper(Some(&first));
    let found = verify(&folder);
    assert_eq!(codes(&found), ["state-older", "state-differs"]);
    folder.tamper(Some(&good));
    tampered(&folder, |state| state.lineage = Lineage::fresh());
    let found = verify(&folder);
    assert_eq!(codes(&found), ["state-foreign"]);
    folder.tamper(Some(&good));
    tampered(&folder, |state| {
        state.account.as_mut().unwrap().endpoint = "elsewhere".to_owned();
    });
    let found = verify(&folder);
    assert_eq!(codes(&found), ["state-differs"]);
    folder.tamper(Some(&good));
    tampered(&folder, |state| state.last_run = Some(RunId::fresh()));
    assert_eq!(codes(&verify(&folder)), ["state-older"]);
}

#[test]
fn changed_and_missing_receipts_are_reported_at_once() {
    let folder = three_runs();
    order(&folder, &["four"]);
    let receipts = files(&folder).receipts().unwrap();
    let good = fs::read_to_string(&receipts[1].path).unwrap();
    fs::write(&receipts[1].path, good.replace("\"two\"", "\"owt\"")).unwrap();
    fs::remove_file(&receipts[2].path).unwrap();
    let found = verify(&folder);
    assert_eq!(codes(&found), ["journal-damaged", "receipts-missing"]);
    assert_eq!(found.compared_since, None);
    assert_eq!((found.receipts, found.sound_receipts), (3, 2));

    // The newest is missing: the state is further on than what is left.
    fs::remove_file(&receipts[3].path).unwrap();
    fs::write(&receipts[1].path, good).unwrap();
    let found = verify(&folder);
    assert!(
        matches!(
            found.problems[..],
            [Problem::Error(StateError::ReceiptsMissing { from: Serial(2), to: Serial(4), .. })]
        ),
        "{found:?}"
    );
}

#[test]
fn environments_from_before_the_first_receipt_are_unverified() {
    let folder = three_runs();
    let receipts = files(&folder).receipts().unwrap();
    fs::remove_file(&receipts[0].path).unwrap();
    let found = verify(&folder);
    assert_eq!(codes(&found), [""; 0]);
    assert_eq!(found.compared_since, Some(Serial(1)));
    let notice = |since, unverified: &[&str]| Notice::BeginningMissing {
        since,
        serial: Serial(3),
        unverified: unverified.iter().map(|on| current(on)).collect(),
    };
    assert_eq!(found.notices, [notice(Some(Serial(1)), &["one"])]);

    // What is left still speaks.
    let good = folder.copy().unwrap();
    tampered(&folder, |state| {
        let record = state.environments.get_mut(&current("three")).unwrap();
        record.env_id = None;
    });
    assert_eq!(codes(&verify(&folder)), ["state-differs"]);

    folder.tamper(Some(&good));
    fs::remove_dir_all(folder.beside("receipts")).unwrap();
    let found = verify(&folder);
    assert_eq!(codes(&found), [""; 0]);
    assert_eq!(found.notices, [notice(None, &["one", "three", "two"])]);
}

#[test]
fn a_fork_is_a_problem_until_both_runs_are_in_the_state() {
    let folder = Folder::new();
    order(&folder, &["one"]);
    let copy = folder.copy().unwrap();
    order(&folder, &["mine"]);
    let receipt = files(&folder).receipts().unwrap().pop().unwrap();
    let mine = fs::read(&receipt.path).unwrap();
    fs::remove_file(&receipt.path).unwrap();
    folder.tamper(Some(&copy));
    order(&folder, &["theirs"]);
    fs::write(&receipt.path, mine).unwrap();

    let found = verify(&folder);
    assert_eq!(codes(&found)[0], "state-older");
    assert!(found.problems.iter().any(|problem| matches!(
        problem,
        Problem::Differs(Difference::Missing { key, .. }) if *key == current("mine")
    )));
    let state = restore(&folder).unwrap();
    assert_eq!(state.environments.len(), 3);
    let found = verify(&folder);
    assert_eq!(codes(&found), [""; 0]);
}
