//! Who writes to a state now, and which run is open.

use std::fmt::Write as _;

use super::Look;
use crate::report::text::{clean, count};
use crate::state::file::{LockFile, Released};
use crate::state::journal::{Event, Journal, RunStarted};
use crate::state::{Holder, LockStatus};

/// The lock, and the run that is open.
pub fn status(found: &LockFile, look: Look) -> String {
    let LockFile {
        path,
        status,
        left,
        open,
    } = found;
    let mut out = String::new();
    let who = match status {
        LockStatus::Free => look.good("free"),
        LockStatus::Held(None) => look.change("held, by a process that has not said who it is"),
        LockStatus::Held(Some(holder)) => look.change(format!("held by {}", self::holder(holder))),
    };
    let _ = writeln!(out, "lock       {who}");
    let _ = writeln!(out, "file       {}", clean(&path.display().to_string()));
    if let Some(left) = left {
        let _ = writeln!(
            out,
            "named      {}: it is dead, as the lock is free",
            holder(left)
        );
    }
    let run = match open {
        Ok(None) => "none".to_owned(),
        Ok(Some(journal)) => open_run(journal),
        Err(error) => look.bad(clean(&error.to_string())),
    };
    let _ = writeln!(out, "open run   {run}");
    out
}

fn holder(holder: &Holder) -> String {
    let Holder {
        who,
        pid,
        since,
        doing,
    } = holder;
    format!(
        "{}, process {pid}, since {since:.0}, doing `{}`",
        clean(who),
        clean(doing)
    )
}

fn open_run(journal: &Journal) -> String {
    let RunStarted {
        run,
        base,
        who,
        pid,
        ..
    } = &journal.started;
    let orders = journal.entries.iter().filter(|entry| match &entry.event {
        Event::Intent(intent) => intent.may_order(),
        Event::Listed(_)
        | Event::Outcome(_)
        | Event::Edited(_)
        | Event::RunEnded(_)
        | Event::Recovered(_) => false,
    });
    format!(
        "{run} of {} (pid {pid}), since {:.0}, from serial {base}, {}",
        clean(who),
        journal.started_at,
        count(orders.count(), "order sent", "orders sent")
    )
}

/// What became of the words in the lock's file.
pub fn released(released: &Released) -> String {
    match released {
        Released::Nothing => {
            "Nothing to release: the lock is free, and a process that died leaves none behind.\n"
                .to_owned()
        }
        Released::Cleared(holder) => {
            let named = holder
                .as_ref()
                .map_or_else(|| "words that nobody can read".to_owned(), self::holder);
            format!("The lock was free already. Cleared from its file: {named}.\n")
        }
        Released::OpenRun(run) => format!(
            "The lock is free: there is nothing to release. Its file names run {run}, which was cut off: that stays\n\
             until the next command that writes has folded the run into the state.\n"
        ),
    }
}
