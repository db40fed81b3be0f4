//! The local store after a crash, simulated at every place where one leaves something else on disk.

use std::fs;

use super::file::{Folder, names};
use super::*;

/// A folder with a finished run, and the bytes of a journal that a second run left.
fn crashed() -> (Folder, Vec<u8>) {
    let folder = Folder::new();
    order(&folder, &["old"]);
    let mut dying = writer(&folder);
    let run = run_over(&dying);
    dying.begin(at(1), run).unwrap();
    for (event, second) in
        [intent(1, "one"), ordered(1, "one"), intent(2, "two"), ordered(2, "two"), intent(3, "three")]
            .into_iter()
            .zip(2..)
    {
        dying.append(at(second), event).unwrap();
    }
    drop(dying);
    let journal = fs::read(folder.journal()).unwrap();
    (folder, journal)
}

#[test]
fn a_journal_cut_after_its_first_line_is_recovered_with_all_that_its_whole_lines_say() {
    let (folder, journal) = crashed();
    let state = folder.copy().unwrap();
    let ends: Vec<_> = (1..=journal.len()).filter(|length| journal[length - 1] == b'\n').collect();
    let known = |state: &State, on: &str| {
        let record = state.get(&address(on))?;
        Some((record.status, record.tran_id.clone()))
    };
    let created = |on: &str| Some((Status::Created, Some(format!("tran-{on}"))));
    for length in ends[0]..=journal.len() {
        fs::remove_dir_all(folder.beside("receipts")).unwrap_or_default();
        folder.tamper(Some(&state));
        fs::write(folder.journal(), &journal[..length]).unwrap();
        let lines = ends.iter().filter(|end| **end <= length).count();
        let seen = read(&folder).unwrap().current().unwrap();

        let next = writer(&folder);
        let state = next.state().unwrap();
        assert_eq!(state, &seen, "at {length}");
        assert!(next.recovered().is_some());
        assert_eq!(state.serial, Serial(2));
        assert!(!folder.journal().exists());
        assert_eq!(known(state, "old"), created("old"));
        let unknown = Some((Status::Unknown, None));
        assert_eq!(
            [known(state, "one"), known(state, "two"), known(state, "three")],
            match lines {
                1 => [None, None, None],
                2 => [unknown, None, None],
                3 => [created("one"), None, None],
                4 => [created("one"), unknown, None],
                5 => [created("one"), created("two"), None],
                _ => [created("one"), created("two"), unknown],
            },
            "at {length}"
        );
        assert_eq!(verified(&folder).len(), 1);
    }
}

/// A journal has its name only when its first line is on disk. So this is no crash, and what was cut may be orders.
#[test]
fn a_journal_cut_inside_its_first_line_is_damaged_and_stays() {
    let (folder, journal) = crashed();
    let state = folder.copy().unwrap();
    let first = journal.iter().position(|byte| *byte == b'\n').unwrap();
    for length in 0..=first {
        fs::write(folder.journal(), &journal[..length]).unwrap();
        let error = refusal(&folder);
        let told = matches!(error, StateError::JournalDamaged { line: 1, .. });
        let said = error.to_string();
        assert!(told && said.contains("is cut") && said.contains("only trace"), "at {length}: {said}");
        assert_eq!(fs::read(folder.journal()).unwrap(), &journal[..length]);
        assert_eq!(folder.copy().as_ref(), Some(&state));
    }
}

#[test]
fn the_lock_of_a_dead_writer_proves_a_lost_journal() {
    let (folder, journal) = crashed();
    fs::remove_file(folder.journal()).unwrap();
    // Asking does not wear the hint out.
    for _ in 0..2 {
        let error = refusal(&folder);
        let told = matches!(&error, StateError::JournalLost { path, .. } if *path == folder.journal());
        assert!(told, "{error}");
    }
    fs::write(folder.journal(), journal).unwrap();
    assert!(writer(&folder).recovered().is_some());
    assert_eq!(fs::read(folder.beside("postpay.state.lock")).unwrap(), b"");
    assert!(read(&folder).is_ok());
}

#[test]
fn a_lost_journal_of_a_first_run_is_found() {
    let folder = Folder::new();
    let mut dying = writer(&folder);
    let run = run_over(&dying);
    dying.begin(at(1), run).unwrap();
    fs::remove_file(folder.journal()).unwrap();
    // Its writer lives: what looks wrong may be right in a moment.
    assert!(read(&folder).is_ok());
    drop(dying);
    let error = refusal(&folder);
    assert!(matches!(error, StateError::JournalLost { .. }), "{error}");
}

#[test]
fn a_lock_that_names_a_finished_run_is_fine() {
    let folder = Folder::new();
    let lock = folder.beside("postpay.state.lock");
    let mut writer = writer(&folder);
    let run = run_over(&writer);
    writer.begin(at(1), run).unwrap();
    let words = fs::read(&lock).unwrap();
    writer.append(at(2), finished()).unwrap();
    writer.commit().unwrap();
    drop(writer);
    // As a crash right after the receipt leaves it; with the receipt thrown away, the state knows.
    for _ in 0..2 {
        fs::write(&lock, &words).unwrap();
        assert!(read(&folder).is_ok());
        drop(super::writer(&folder));
        assert_eq!(fs::read(&lock).unwrap(), b"");
        fs::remove_dir_all(folder.beside("receipts")).unwrap_or_default();
    }
}

#[test]
fn a_journal_changed_at_any_byte_before_its_last_line_is_rejected() {
    let (folder, journal) = crashed();
    let last = journal[..journal.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    for place in 0..=last {
        let mut changed = journal.clone();
        changed[place] = changed[place].wrapping_add(1);
        fs::write(folder.journal(), &changed).unwrap();
        let error = read(&folder).unwrap_err();
        let told = matches!(error, StateError::JournalDamaged { .. } | StateError::Newer { .. });
        assert!(told, "{place}: {error}");
    }
    let error = refusal(&folder);
    assert!(matches!(error, StateError::JournalDamaged { .. }), "{error}");
}

#[test]
fn a_crash_between_any_two_steps_of_a_commit_is_finished_by_the_next_writer() {
    let (folder, _) = crashed();
    let before = folder.copy().unwrap();
    let recovered = writer(&folder).state().unwrap().clone();
    let after = folder.copy().unwrap();
    let receipt = folder.store().receipts().unwrap().pop().unwrap().path;
    let journal = fs::read(&receipt).unwrap();
    let backup = folder.beside("postpay.state.json.backup");

    // Which state is on disk, whether the journal was filed, and whether it was copied rather than moved.
    for (state, filed, what) in [
        (&before, false, "before the backup, or before the state"),
        (&after, false, "before the receipt"),
        (&after, true, "by a file system that did half a move"),
    ] {
        folder.tamper(Some(state));
        fs::write(&backup, &before).unwrap();
        fs::write(folder.journal(), &journal).unwrap();
        if !filed {
            fs::remove_file(&receipt).unwrap();
        }
        let seen = read(&folder).unwrap().current();
        assert_eq!(seen.as_ref(), Some(&recovered), "{what}");
        assert_eq!(writer(&folder).state(), Some(&recovered), "{what}");
        assert_eq!(folder.copy().unwrap(), after, "{what}");
        assert_eq!(fs::read(&receipt).unwrap(), journal, "{what}: no line was added");
        assert_eq!(fs::read(&backup).unwrap(), before, "{what}");
        assert!(!folder.journal().exists(), "{what}");
        assert_eq!(writer(&folder).recovered(), None, "{what}");
    }
}

#[test]
fn a_commit_that_could_not_file_the_receipt_can_be_tried_again() {
    let folder = Folder::new();
    let mut writer = writer(&folder);
    let run = run_over(&writer);
    writer.begin(at(1), run).unwrap();
    writer.append(at(2), finished()).unwrap();
    // It was made before the run, so that a run that could not be filed is not begun.
    fs::remove_dir(folder.beside("receipts")).unwrap();
    fs::write(folder.beside("receipts"), "in the way").unwrap();
    let error = writer.commit().unwrap_err();
    assert!(matches!(error, StateError::Io { .. }), "{error}");
    assert!(folder.journal().exists());
    fs::remove_file(folder.beside("receipts")).unwrap();
    assert_eq!(writer.commit().unwrap().serial, Serial(1));
    assert_eq!(verified(&folder).len(), 1);
    assert!(!folder.beside("postpay.state.json.backup").exists());
}

#[test]
fn what_a_killed_writer_left_unfinished_is_swept() {
    let folder = Folder::new();
    order(&folder, &["one"]);
    fs::write(folder.beside(".postpay.unfinished.abc"), "half").unwrap();
    fs::write(folder.beside(".other.unfinished.abc"), "half").unwrap();
    drop(writer(&folder));
    let left = names(folder.state.parent().unwrap());
    assert_eq!(left[0], ".other.unfinished.abc");
    assert!(!left[1].contains("unfinished"));
}
