//! Named moments at which a test may make the process die, as a power cut or a kill would.
//!
//! A point does nothing unless it was armed, and what it costs is one load. Builds without debug assertions hold none of
//! it. `tests/suite/crash` hits every one of [`POINTS`] with a real abort of a real process.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Every point, in the order in which a run comes by them.
pub const POINTS: [&str; 37] = [
    // Before the run.
    LOCKED,
    MANIFESTS_READ,
    PLANNED,
    APPROVED,
    LISTED,
    // Its journal.
    JOURNAL_CREATED,
    JOURNAL_BEGUN,
    LINE_WRITTEN,
    LINE_SYNCED,
    RUN_STARTED,
    LISTING_KEPT,
    // One create, update or destroy.
    STEP_NEXT,
    INTENT_KEPT,
    SLOT_REACHED,
    REQUEST_ARRIVED,
    VENDOR_ACTED,
    ANSWER_CAME,
    OUTCOME_KEPT,
    // A lost answer.
    LOOK_NEXT,
    ADOPTION_NEXT,
    ADOPTION_KEPT,
    EDIT_NEXT,
    EDIT_KEPT,
    CHANGE_INTENT_KEPT,
    CHANGE_ANSWERED,
    CHANGE_OUTCOME_KEPT,
    // The end.
    RUN_ENDED,
    FILE_WRITTEN,
    FILE_RENAMED,
    BACKUP_KEPT,
    STATE_REPLACED,
    RECEIPT_NEXT,
    RECEIPT_RENAMED,
    RECEIPT_FILED,
    // The next writer, over what a dead one left.
    RECOVERY_NEXT,
    RECOVERY_REOPENED,
    RECOVERY_KEPT,
];

/// The lock is held, and what a dead writer left is finished.
pub const LOCKED: &str = "locked";
pub const MANIFESTS_READ: &str = "manifests-read";
pub const PLANNED: &str = "planned";
/// Somebody or something agreed to the plan.
pub const APPROVED: &str = "approved";
/// The account's environments were read, before the first order.
pub const LISTED: &str = "listed";
/// The journal's file is there, and empty.
pub const JOURNAL_CREATED: &str = "journal-created";
/// Its first line and its name are on disk.
pub const JOURNAL_BEGUN: &str = "journal-begun";
/// A line of the journal is with the operating system, and not yet surely on disk.
pub const LINE_WRITTEN: &str = "line-written";
/// It is on disk.
pub const LINE_SYNCED: &str = "line-synced";
pub const RUN_STARTED: &str = "run-started";
/// What was there before the first order is in the journal.
pub const LISTING_KEPT: &str = "listing-kept";
/// The next step is due; nothing of it was done.
pub const STEP_NEXT: &str = "step-next";
/// Its intent is on disk.
pub const INTENT_KEPT: &str = "intent-kept";
/// It is about to be sent.
pub const SLOT_REACHED: &str = "slot-reached";
/// The embedded endpoint has the whole request, and did nothing yet.
pub const REQUEST_ARRIVED: &str = "request-arrived";
/// It has made the order or the change, and has not answered.
pub const VENDOR_ACTED: &str = "vendor-acted";
/// The answer is here, and nothing of it is on disk.
pub const ANSWER_CAME: &str = "answer-came";
/// The outcome is on disk, and nothing was concluded from it.
pub const OUTCOME_KEPT: &str = "outcome-kept";
/// The account is about to be looked at for a lost answer.
pub const LOOK_NEXT: &str = "look-next";
/// The one environment that fits was found, and nothing of that is on disk.
pub const ADOPTION_NEXT: &str = "adoption-next";
pub const ADOPTION_KEPT: &str = "adoption-kept";
/// A change of the record alone is about to be written.
pub const EDIT_NEXT: &str = "edit-next";
pub const EDIT_KEPT: &str = "edit-kept";
/// A change in place, or giving up, is announced and not sent.
pub const CHANGE_INTENT_KEPT: &str = "change-intent-kept";
/// Its answer is here, and nothing of it is written.
pub const CHANGE_ANSWERED: &str = "change-answered";
pub const CHANGE_OUTCOME_KEPT: &str = "change-outcome-kept";
/// The journal says that the run is over, and is not folded.
pub const RUN_ENDED: &str = "run-ended";
/// A file that is replaced whole is written beside its place.
pub const FILE_WRITTEN: &str = "file-written";
/// It has its name, which is not yet surely on disk.
pub const FILE_RENAMED: &str = "file-renamed";
pub const BACKUP_KEPT: &str = "backup-kept";
/// The state holds the run, and the journal is still there.
pub const STATE_REPLACED: &str = "state-replaced";
pub const RECEIPT_NEXT: &str = "receipt-next";
/// The journal has its receipt's name, which is not yet surely on disk.
pub const RECEIPT_RENAMED: &str = "receipt-renamed";
pub const RECEIPT_FILED: &str = "receipt-filed";
/// A dead run's journal was found and read.
pub const RECOVERY_NEXT: &str = "recovery-next";
/// It is open for adding to, without the torn line that it may have ended with.
pub const RECOVERY_REOPENED: &str = "recovery-reopened";
/// It says that it was taken up, and by whom.
pub const RECOVERY_KEPT: &str = "recovery-kept";

/// One point, and how many of its visits are still to be survived.
#[derive(Debug)]
struct Armed {
    name: String,
    before: AtomicU32,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Makes the process die at a point: `NAME`, or `NAME@N` for the Nth time that it gets there. Only the first call counts,
/// and none does in builds without debug assertions.
///
/// # Errors
/// When there is no such point, so that a test can't pass for having named nothing.
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

/// Dies here, if this is the point and the time that was armed.
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
    fn points_have_names_of_their_own() {
        let mut names = POINTS.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), POINTS.len());
    }

    #[test]
    fn what_is_no_point_is_an_error() {
        for text in ["nowhere", "locked@0", "locked@x", "locked@", ""] {
            assert!(arm(text).is_err(), "{text}");
        }
    }
}
