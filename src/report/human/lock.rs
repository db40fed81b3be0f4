//! Who writes to a state now, and which run is open.

use std::fmt::Write as _;

use super::{Look, verify};
use crate::i18n::{Lang, Text, text};
use crate::report::text::{self, clean, count};
use crate::state::journal::{Event, Journal, RunStarted};
use crate::state::{Holder, LockReport, LockStatus};

/// The lock, and the run that is open.
pub fn status(found: &LockReport, look: Look) -> String {
    let LockReport { path, status, open } = found;
    let mut out = String::new();
    let who = match status {
        LockStatus::Free => look.good(text!("free")),
        LockStatus::Held(None) => look.change(text!("held by an unidentified process")),
        LockStatus::Held(Some(holder)) => {
            let holder = self::holder(holder);
            look.change(text!("held by {holder}", holder))
        }
    };
    let run = match open {
        Ok(None) => look.say(text!("none")),
        Ok(Some(journal)) => look.say(open_run(journal)),
        Err(error) => look.bad(verify::cleaned(error)),
    };
    let file = clean(&path.display().to_string()).into_owned();
    for (name, value) in [(text!("lock"), who), (text!("file"), file), (text!("open run"), run)] {
        // The longest of the names, and two.
        let columns = if look.lang == Lang::En { 11 } else { 14 };
        let name = text::left(&look.say(name), columns);
        let _ = writeln!(out, "{name}{value}");
    }
    out
}

fn holder(holder: &Holder) -> Text {
    let Holder { who, pid, since, doing } = holder;
    let (who, doing) = (clean(who), clean(doing));
    text!(
        "{who}, process {pid}, since {since}, doing `{doing}`",
        who,
        pid,
        since = format!("{since:.0}"),
        doing
    )
}

fn open_run(journal: &Journal) -> Text {
    let RunStarted { run, base, who, pid, .. } = &journal.started;
    let orders = journal.entries.iter().filter(|entry| match &entry.event {
        Event::Intent(intent) => intent.may_create(),
        Event::Listed(_)
        | Event::Outcome(_)
        | Event::Edited(_)
        | Event::RunEnded(_)
        | Event::Recovered(_) => false,
    });
    let (who, since, n) = (clean(who), journal.started_at, orders.count());
    let orders = count(n, "order sent", "orders sent");
    text!(
        "{run} of {who} (pid {pid}), since {since}, from serial {base}, {orders}",
        run,
        who,
        pid,
        since = format!("{since:.0}"),
        base,
        orders;
        n
    )
}
