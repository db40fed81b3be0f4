//! Crash points: named places at which a test can abort the process, as a power cut or a kill would.
//!
//! A point costs one load unless armed, and does nothing in builds without debug assertions.
//! `tests/suite/crash` aborts a real process at each of [`POINTS`].

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

macro_rules! points {
    ($($(#[$about:meta])* $NAME:ident = $name:literal,)+) => {
        /// Every point, in the order of a run.
        pub const POINTS: [&str; [$($name),+].len()] = [$($name),+];
        $($(#[$about])* pub const $NAME: &str = $name;)+
    };
}

points! {
    // Before the run.
    /// The lock is held, and a dead writer's run is finished.
    LOCKED = "locked",
    MANIFESTS_READ = "manifests-read",
    PLANNED = "planned",
    APPROVED = "approved",
    /// The account's environments were read, before the first create.
    LISTED = "listed",

    // Its journal.
    /// The journal's file exists, and is empty.
    JOURNAL_CREATED = "journal-created",
    /// Its first line and its name are on disk.
    JOURNAL_BEGUN = "journal-begun",
    /// A line was written, and may not be on disk yet.
    LINE_WRITTEN = "line-written",
    LINE_SYNCED = "line-synced",
    RUN_STARTED = "run-started",
    /// The list of existing environments is in the journal.
    LISTING_KEPT = "listing-kept",

    // One create, update or destroy.
    /// The next create is due; nothing of it was done.
    STEP_NEXT = "step-next",
    /// Its intent is on disk.
    INTENT_KEPT = "intent-kept",
    /// It is about to be sent.
    SLOT_REACHED = "slot-reached",
    /// The embedded endpoint has the whole request, and did nothing yet.
    REQUEST_ARRIVED = "request-arrived",
    /// The embedded endpoint has acted, and has not responded.
    API_ACTED = "api-acted",
    /// The response is here, and not on disk.
    ANSWER_CAME = "answer-came",
    /// The outcome is on disk, and was not used yet.
    OUTCOME_KEPT = "outcome-kept",

    // A lost response.
    /// The account is about to be read for it.
    LOOK_NEXT = "look-next",
    /// The one matching environment was found, and is not on disk.
    ADOPTION_NEXT = "adoption-next",
    ADOPTION_KEPT = "adoption-kept",
    /// A change of the state only is about to be written.
    EDIT_NEXT = "edit-next",
    EDIT_KEPT = "edit-kept",
    /// The intent of an update or a destroy is on disk; it was not sent.
    CHANGE_INTENT_KEPT = "change-intent-kept",
    /// Its response is here, and not on disk.
    CHANGE_ANSWERED = "change-answered",
    CHANGE_OUTCOME_KEPT = "change-outcome-kept",

    // The end.
    /// The journal has its last line, and was not applied.
    RUN_ENDED = "run-ended",
    /// A replacement file was written under a temporary name.
    FILE_WRITTEN = "file-written",
    /// It was renamed, possibly not durably.
    FILE_RENAMED = "file-renamed",
    BACKUP_KEPT = "backup-kept",
    /// The state contains the run, and the journal still exists.
    STATE_REPLACED = "state-replaced",
    RECEIPT_NEXT = "receipt-next",
    /// The journal was renamed to a receipt, possibly not durably.
    RECEIPT_RENAMED = "receipt-renamed",
    RECEIPT_FILED = "receipt-filed",

    // The next writer, after a dead one.
    /// A dead run's journal was read.
    RECOVERY_NEXT = "recovery-next",
    /// It is open for appending, without a torn last line.
    RECOVERY_REOPENED = "recovery-reopened",
    /// It records the recovery.
    RECOVERY_KEPT = "recovery-kept",
}

/// An armed point, and how many passes it still survives.
#[derive(Debug)]
struct Armed {
    name: String,
    before: AtomicU32,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Arms a point: the process dies at `NAME`, or at the Nth pass of `NAME@N`. Only the first call counts, and
/// only with debug assertions.
///
/// # Errors
/// When there is no such point.
pub fn arm(text: &str) -> Result<(), String> {
    let (name, time) = text.split_once('@').unwrap_or((text, "1"));
    let time: u32 =
        time.parse().ok().filter(|time| *time > 0).ok_or_else(|| format!("`{time}` is no count"))?;
    if !POINTS.contains(&name) {
        return Err(format!("there is no crash point `{name}`"));
    }
    if cfg!(debug_assertions) {
        ARMED.get_or_init(|| Armed { name: name.to_owned(), before: AtomicU32::new(time - 1) });
    }
    Ok(())
}

/// Aborts the process if this is the armed point and pass.
pub fn point(name: &'static str) {
    if !cfg!(debug_assertions) {
        return;
    }
    let Some(armed) = ARMED.get() else {
        return;
    };
    let survived = |before: u32| before.checked_sub(1);
    if armed.name == name && armed.before.fetch_update(Ordering::SeqCst, Ordering::SeqCst, survived).is_err()
    {
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names = POINTS.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), POINTS.len());
    }

    #[test]
    fn unknown_points_are_rejected() {
        for text in ["nowhere", "locked@0", "locked@x", "locked@", ""] {
            assert!(arm(text).is_err(), "{text}");
        }
    }
}
