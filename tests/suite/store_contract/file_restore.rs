//! Restoring: from whatever is left, without forgetting an order and without throwing anything away.

use std::fs;
use std::path::PathBuf;

use postpay::state::restore::{Origin, Present, Restored, Restoring, propose};
use postpay::state::verify::verify;

use super::file::{Folder, names};
use super::file_verify::{files, three_runs};
use super::*;

fn restore_from(folder: &Folder, from: &Origin) -> Result<Restored, StateError> {
    Restoring::begin(&files(folder), from, &holder("ada@loom"), NO_WAIT)?.write()
}

fn copied(folder: &Folder, name: &str, bytes: &[u8]) -> Origin {
    let path = folder.temporary.path().join(name);
    fs::write(&path, bytes).unwrap();
    Origin::Copy(path)
}

#[test]
fn every_copy_of_the_past_and_the_receipts_after_it_give_the_present() {
    let folder = Folder::new();
    let mut copies = Vec::new();
    for on in ["one", "two", "three", "four"] {
        order(&folder, &[on]);
        copies.push(folder.copy().unwrap());
    }
    let present = folder.copy().unwrap();
    let receipts = files(&folder).receipts().unwrap();
    let mut sources: Vec<Origin> = copies
        .iter()
        .enumerate()
        .map(|(number, copy)| copied(&folder, &format!("{number}.json"), copy))
        .collect();
    sources.extend([Origin::Backup, Origin::Receipts]);
    for from in &sources {
        for there in [None, Some(&b""[..]), Some(&copies[0])] {
            folder.tamper(there);
            let restored = restore_from(&folder, from).unwrap();
            assert_eq!(folder.copy().unwrap(), present, "{from:?}");
            assert_eq!(restored.kept.is_some(), there.is_some());
            if let Some(kept) = restored.kept {
                assert_eq!(fs::read(kept).unwrap(), there.unwrap(), "{from:?}");
            }
        }
    }
    // Without its beginning, only a copy can be built on.
    fs::remove_file(&receipts[0].path).unwrap();
    let error = restore_from(&folder, &Origin::Receipts).unwrap_err();
    assert!(matches!(error, StateError::ReceiptsMissing { .. }), "{error}");
    folder.tamper(None);
    restore_from(&folder, &sources[0]).unwrap();
    assert_eq!(folder.copy().unwrap(), present);
    assert_eq!(verify(&files(&folder)).unwrap().problems.len(), 0, "and it verifies");
}

#[test]
fn a_copy_that_the_receipts_do_not_follow_is_rejected() {
    let folder = Folder::new();
    order(&folder, &["one"]);
    let first = folder.copy().unwrap();
    order(&folder, &["two"]);
    let second = folder.copy().unwrap();
    order(&folder, &["three"]);
    let receipts = files(&folder).receipts().unwrap();
    folder.tamper(None);

    let forked = changed(&second, |state| state.last_run = Some(RunId::fresh()));
    let error = restore_from(&folder, &copied(&folder, "forked.json", &forked)).unwrap_err();
    assert!(matches!(error, StateError::Forked { .. }), "{error}");
    let foreign = changed(&second, |state| state.lineage = Lineage::fresh());
    let error = restore_from(&folder, &copied(&folder, "foreign.json", &foreign)).unwrap_err();
    assert!(matches!(error, StateError::Foreign { .. }), "{error}");
    fs::remove_file(&receipts[1].path).unwrap();
    let error = restore_from(&folder, &copied(&folder, "first.json", &first)).unwrap_err();
    assert!(matches!(error, StateError::ReceiptsMissing { .. }), "{error}");
    let nowhere = Origin::Copy(PathBuf::from("/nowhere.json"));
    let error = restore_from(&folder, &nowhere).unwrap_err();
    assert!(matches!(error, StateError::Io { .. }), "{error}");
    assert_eq!(folder.copy(), None, "a refusal writes nothing");
}

#[test]
fn a_restore_that_would_forget_environments_is_rejected() {
    let folder = three_runs();
    let good = folder.copy().unwrap();
    let newest = files(&folder).receipts().unwrap().pop().unwrap();
    let bytes = fs::read(&newest.path).unwrap();
    fs::remove_file(&newest.path).unwrap();
    // The state that is there knows more than the receipts.
    let error = restore_from(&folder, &Origin::Receipts).unwrap_err();
    assert!(matches!(error, StateError::Behind { .. }), "{error}");
    assert_eq!(folder.copy().unwrap(), good);

    // So does the journal of a run that started from it.
    fs::write(&newest.path, bytes).unwrap();
    let mut open = writer(&folder);
    let run = run_over(&open);
    open.begin(at(1), run).unwrap();
    drop(open);
    fs::remove_file(&newest.path).unwrap();
    folder.tamper(None);
    let error = restore_from(&folder, &Origin::Receipts).unwrap_err();
    assert!(matches!(error, StateError::Behind { .. }), "{error}");
    assert!(folder.journal().exists());

    let later = br#"{"format_version": 2}"#;
    folder.tamper(Some(later));
    let error = restore_from(&folder, &Origin::Receipts).unwrap_err();
    assert!(matches!(error, StateError::Behind { .. } | StateError::Newer { .. }), "{error}");
    assert_eq!(folder.copy().unwrap(), later);
}

#[test]
fn an_open_run_outlives_every_restore() {
    let folder = three_runs();
    let mut open = writer(&folder);
    let run = run_over(&open);
    open.begin(at(1), run.clone()).unwrap();
    open.append(at(2), intent(1, "four")).unwrap();
    drop(open);
    let journal = fs::read(folder.journal()).unwrap();
    for from in [Origin::Receipts, Origin::Backup] {
        folder.tamper(None);
        let proposal = propose(&files(&folder), &from).unwrap();
        assert_eq!(proposal.open, Some(run.run));
        restore_from(&folder, &from).unwrap();
        assert_eq!(fs::read(folder.journal()).unwrap(), journal);
    }
    let next = writer(&folder);
    assert_eq!(next.recovered(), Some(run.run));
    let record = &next.state().unwrap().get(&address("four")).unwrap();
    assert_eq!(record.status, Status::Unknown);
}

#[test]
fn looking_at_what_could_be_restored_touches_nothing() {
    let folder = three_runs();
    let good = folder.copy().unwrap();
    let before = names(folder.state.parent().unwrap());
    let proposal = propose(&files(&folder), &Origin::Receipts).unwrap();
    assert!(proposal.changes_nothing());
    assert_eq!(proposal.folded, 3);
    let changed = changed(&good, |state| {
        state.environments.remove(&InstanceKey::current(address("one")));
    });
    folder.tamper(Some(&changed));
    let proposal = propose(&files(&folder), &Origin::Backup).unwrap();
    assert_eq!(proposal.folded, 1);
    match proposal.present {
        Present::State { differences, .. } => assert_eq!(differences.len(), 1),
        other => panic!("{other:?}"),
    }
    assert_eq!(names(folder.state.parent().unwrap()), before);
    assert_eq!(folder.copy().unwrap(), changed);
}
