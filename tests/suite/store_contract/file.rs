//! The local store: the contract, and what is its own.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use postpay::state::file::FileStore;
use postpay::state::{Serial, StateError, StateStore};
use tempfile::TempDir;

use super::*;

/// A folder with one state in it.
pub(crate) struct Folder {
    pub(crate) temporary: TempDir,
    pub(crate) state: PathBuf,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let temporary = crate::support::folder();
        // Not there yet: the first writer makes it.
        let state = temporary.path().join("deep/state/postpay.state.json");
        Self { temporary, state }
    }

    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.state.with_file_name(name)
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.beside("postpay.journal.jsonl")
    }
}

impl Place for Folder {
    fn store(&self) -> Box<dyn StateStore> {
        Box::new(FileStore::new(&self.state))
    }

    fn copy(&self) -> Option<Vec<u8>> {
        fs::read(&self.state).ok()
    }

    fn tamper(&self, state: Option<&[u8]>) -> bool {
        match state {
            Some(bytes) => fs::write(&self.state, bytes).unwrap(),
            // Gone already is gone.
            None => drop(fs::remove_file(&self.state)),
        }
        true
    }

    fn end_lease(&self) -> bool {
        fs::remove_file(self.beside("postpay.state.lock")).unwrap();
        true
    }
}

super::store_contract!(Folder::new());

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn reading_touches_nothing() {
    let folder = Folder::new();
    let store = folder.store();
    read(&folder).unwrap();
    store.receipts().unwrap();
    store.lock_status().unwrap();
    assert_eq!(names(folder.temporary.path()), [""; 0]);
}

#[test]
fn the_files_have_their_names_and_are_private() {
    let folder = Folder::new();
    order(&folder, &["one"]);
    let first = fs::read(&folder.state).unwrap();
    let state = order(&folder, &["two"]);
    let run = state.last_run.unwrap();
    assert_eq!(
        names(folder.state.parent().unwrap()),
        ["postpay.state.json", "postpay.state.json.backup", "postpay.state.lock", "receipts",]
    );
    let receipts = names(&folder.beside("receipts"));
    assert_eq!(receipts[1], format!("postpay.000001.{run}.jsonl"));
    assert_eq!(fs::read(folder.beside("postpay.state.json.backup")).unwrap(), first);
    let lock = fs::read(folder.beside("postpay.state.lock")).unwrap();
    assert_eq!(lock, b"", "a free lock says nothing");

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let receipt = folder.beside("receipts").join(&receipts[0]);
        for file in [
            folder.state.clone(),
            folder.beside("postpay.state.json.backup"),
            folder.beside("postpay.state.lock"),
            receipt,
        ] {
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        }
    }
}

#[test]
fn two_states_in_one_folder_keep_to_themselves() {
    let one = Folder::new();
    let other = Folder { state: one.beside("other.json"), temporary: crate::support::folder() };
    order(&one, &["a"]);
    let _held = writer(&one);
    assert_eq!(read(&other).unwrap().state, None);
    assert_eq!(order(&other, &["b"]).serial, Serial(1));
    assert_eq!(one.store().receipts().unwrap().len(), 1);
    assert_eq!(other.store().receipts().unwrap().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_link_leads_to_the_one_real_state() {
    let real = Folder::new();
    order(&real, &["one"]);
    let link =
        Folder { state: real.temporary.path().join("link.state.json"), temporary: crate::support::folder() };
    // Relative, to another link.
    std::os::unix::fs::symlink("second", &link.state).unwrap();
    let second = real.temporary.path().join("second");
    std::os::unix::fs::symlink("deep/state/postpay.state.json", second).unwrap();

    assert_eq!(order(&link, &["two"]).serial, Serial(2));
    assert!(fs::symlink_metadata(&link.state).unwrap().is_symlink());
    assert_eq!(read(&real).unwrap().state.unwrap().serial, Serial(2));
    assert_eq!(names(real.temporary.path()), ["deep", "link.state.json", "second"]);
    let _held = writer(&real);
    let locked = lock(&link, "bob@mill").err();
    assert!(matches!(locked, Some(StateError::Locked { .. })), "{locked:?}");

    let round = real.temporary.path().join("round");
    std::os::unix::fs::symlink("round", &round).unwrap();
    let error = postpay::state::read(&FileStore::new(&round)).unwrap_err();
    assert!(error.to_string().contains("follow the link"), "{error}");
}

fn assert_io(error: &StateError, verb: &str, expected: Option<ErrorKind>) {
    match error {
        StateError::Io { source, .. } => {
            assert!(error.to_string().starts_with(&format!("cannot {verb} ")), "{error}");
            assert!(expected.is_none_or(|kind| source.kind() == kind), "{source}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn what_stands_in_the_way_is_named() {
    let folder = Folder::new();
    fs::create_dir_all(&folder.state).unwrap();
    assert_io(&refusal(&folder), "read", Some(ErrorKind::IsADirectory));

    let folder = Folder::new();
    fs::write(folder.temporary.path().join("deep"), "a file, not a folder").unwrap();
    assert_io(&lock(&folder, "ada@loom").unwrap_err(), "create the folder", None);

    let error = postpay::state::read(&FileStore::new("/")).unwrap_err();
    assert!(matches!(error, StateError::NotAState { .. }), "{error}");

    let folder = Folder::new();
    order(&folder, &["one"]);
    fs::remove_dir_all(folder.beside("receipts")).unwrap();
    fs::write(folder.beside("receipts"), "").unwrap();
    assert_io(&folder.store().receipts().unwrap_err(), "list", None);
}

#[cfg(unix)]
#[test]
fn a_folder_without_permission_is_an_error_and_not_an_empty_state() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    order(&folder, &["one"]);
    let parent = folder.state.parent().unwrap();
    let set = |mode| fs::set_permissions(parent, fs::Permissions::from_mode(mode)).unwrap();
    set(0o500);
    if fs::write(parent.join("probe"), "").is_ok() {
        eprintln!("skipped: permissions do not bind this user");
        return;
    }
    let mut writer = writer(&folder);
    let run = run_over(&writer);
    assert_io(&writer.begin(at(1), run).unwrap_err(), "create", Some(ErrorKind::PermissionDenied));
    drop(writer);
    set(0o000);
    assert_io(&read(&folder).unwrap_err(), "read", Some(ErrorKind::PermissionDenied));
    set(0o700);
}

#[test]
fn an_empty_a_damaged_and_a_newer_state_are_errors_of_their_own() {
    let folder = Folder::new();
    order(&folder, &["one"]);
    let whole = folder.copy().unwrap();
    folder.tamper(Some(b""));
    assert!(matches!(refusal(&folder), StateError::Empty { .. }));
    folder.tamper(Some(&whole[..whole.len() / 2]));
    assert!(matches!(refusal(&folder), StateError::Damaged { .. }));
    folder.tamper(Some(b"\xff\xfe"));
    assert!(matches!(refusal(&folder), StateError::Damaged { line: 1, column: 1, .. }));
    folder.tamper(Some(br#"{"format_version": 2}"#));
    assert!(matches!(refusal(&folder), StateError::Newer { .. }));
}

#[test]
fn a_journal_proves_a_lost_older_or_foreign_state() {
    let folder = Folder::new();
    order(&folder, &["one"]);
    let first = folder.copy().unwrap();
    order(&folder, &["two"]);
    let mut open = writer(&folder);
    let run = run_over(&open);
    open.begin(at(1), run).unwrap();
    drop(open);
    fs::remove_dir_all(folder.beside("receipts")).unwrap();
    let second = folder.copy().unwrap();

    folder.tamper(None);
    assert!(matches!(refusal(&folder), StateError::Lost { .. }));
    folder.tamper(Some(&first));
    assert!(matches!(refusal(&folder), StateError::Older { .. }));
    let foreign = changed(&second, |state| state.lineage = Lineage::fresh());
    folder.tamper(Some(&foreign));
    assert!(matches!(refusal(&folder), StateError::Foreign { .. }));
    let ahead = changed(&second, |state| state.serial = Serial(3));
    folder.tamper(Some(&ahead));
    assert!(matches!(refusal(&folder), StateError::Forked { .. }));

    // With the right state all is well, receipts or not.
    folder.tamper(Some(&second));
    assert_eq!(writer(&folder).state().unwrap().serial, Serial(3));
}

#[test]
fn a_backup_proves_a_lost_state() {
    let folder = Folder::new();
    order(&folder, &["one"]);
    order(&folder, &["two"]);
    fs::remove_dir_all(folder.beside("receipts")).unwrap();
    folder.tamper(None);
    match refusal(&folder) {
        StateError::Lost { evidence, .. } => {
            assert!(evidence.ends_with("postpay.state.json.backup"), "{evidence}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_backup_is_not_read_as_a_state() {
    let folder = Folder::new();
    order(&folder, &["one"]);
    order(&folder, &["two"]);
    let backup = FileStore::new(folder.beside("postpay.state.json.backup"));
    let before = names(folder.state.parent().unwrap());
    for error in [
        postpay::state::read(&backup).unwrap_err(),
        Writer::open(&backup, &holder("ada@loom"), NO_WAIT).unwrap_err(),
    ] {
        assert!(matches!(error, StateError::NotAState { .. }), "{error}");
    }
    assert_eq!(names(folder.state.parent().unwrap()), before);
}

#[test]
fn a_receipt_that_is_missing_or_changed_is_found() {
    let folder = Folder::new();
    for on in ["one", "two", "three"] {
        order(&folder, &[on]);
    }
    let store = folder.store();
    let receipts = store.receipts().unwrap();
    let good = fs::read_to_string(&receipts[1].path).unwrap();

    fs::write(&receipts[1].path, good.replace("env-two", "env-owt")).unwrap();
    let error = store.receipt(&receipts[1]).unwrap_err();
    assert!(matches!(error, StateError::JournalDamaged { line: 4, .. }), "{error}");
    fs::write(&receipts[1].path, fs::read(&receipts[0].path).unwrap()).unwrap();
    let error = store.receipt(&receipts[1]).unwrap_err();
    assert!(error.to_string().contains("does not match its name"), "{error}");

    fs::remove_file(&receipts[1].path).unwrap();
    let error = restore(&folder).unwrap_err();
    assert!(matches!(error, StateError::ReceiptsMissing { .. }), "{error}");
    assert!(read(&folder).is_ok(), "reading needs the newest receipt only");
}

#[test]
fn restoring_over_a_damaged_state_keeps_the_good_backup() {
    let folder = Folder::new();
    order(&folder, &["one"]);
    let first = folder.copy().unwrap();
    let state = order(&folder, &["two"]);
    folder.tamper(Some(b"{"));
    assert_eq!(restore(&folder).unwrap(), state);
    let backup = fs::read(folder.beside("postpay.state.json.backup")).unwrap();
    assert_eq!(backup, first);
}
