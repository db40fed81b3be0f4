//! `lock status`: who writes to a state now, and which run is open.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::{View, to_json};
use super::lines::Lines;
use super::options::RenderOptions;
use super::text::{clean, clean_text, count};
use crate::i18n::{Lang, Text, text};
use crate::state::journal::{Event, Journal, RunId};
use crate::state::{FormatVersion, Holder, LockReport, LockStatus, Serial};

/// The lock of a state.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay lock status --format json, version 1")]
pub struct LockView {
    format_version: FormatVersion,
    path: String,
    held: bool,
    /// Null when the lock is free, and when its holder is unidentified.
    holder: Option<Holder>,
    open_run: Option<OpenRun>,
    /// Why it is unknown whether a run is open.
    trouble: Option<Text>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OpenRun {
    run: RunId,
    who: String,
    pid: u32,
    #[schemars(with = "String", extend("format" = "date-time"))]
    started_at: Timestamp,
    /// The serial that it started from.
    base: Serial,
    /// How many orders it sent.
    orders: usize,
}

impl LockView {
    pub fn new(found: &LockReport) -> Self {
        let LockReport { path, status, open } = found;
        let (held, holder) = match status {
            LockStatus::Free => (false, None),
            LockStatus::Held(holder) => (true, holder.clone()),
        };
        Self {
            format_version: FormatVersion,
            path: path.display().to_string(),
            held,
            holder,
            open_run: open.as_ref().ok().and_then(Option::as_ref).map(OpenRun::new),
            trouble: open.as_ref().err().map(clean_text),
        }
    }
}

impl OpenRun {
    fn new(journal: &Journal) -> Self {
        let orders = journal.entries.iter().filter(|entry| match &entry.event {
            Event::Intent(intent) => intent.may_create(),
            Event::Listed(_)
            | Event::Outcome(_)
            | Event::Edited(_)
            | Event::RunEnded(_)
            | Event::Recovered(_) => false,
        });
        Self {
            run: journal.started.run,
            who: journal.started.who.clone(),
            pid: journal.started.pid,
            started_at: journal.started_at,
            base: journal.started.base,
            orders: orders.count(),
        }
    }

    fn describe(&self) -> Text {
        let Self { run, who, pid, started_at, base, orders: n } = self;
        let (who, since) = (clean(who), format!("{started_at:.0}"));
        let orders = count(*n, "order sent", "orders sent");
        text!(
            "{run} of {who} (pid {pid}), since {since}, from serial {base}, {orders}", run, who, pid, since, base, orders; n)
    }
}

impl View for LockView {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        let lock = match &self.holder {
            _ if !self.held => options.good(text!("free")),
            None => options.change(text!("held by an unidentified process")),
            Some(Holder { who, pid, since, doing }) => {
                let (who, doing, since) = (clean(who), clean(doing), format!("{since:.0}"));
                options.change(text!(
                    "held by {who}, process {pid}, since {since}, doing `{doing}`",
                    who,
                    pid,
                    since,
                    doing
                ))
            }
        };
        let run = match (&self.trouble, &self.open_run) {
            (Some(trouble), _) => options.bad(trouble),
            (None, Some(run)) => options.in_lang(run.describe()),
            (None, None) => options.in_lang(text!("none")),
        };
        let mut lines = Lines::new(options);
        // The longest of the names, and two.
        let columns = if options.lang == Lang::En { 11 } else { 14 };
        let path = clean(&self.path);
        for (name, value) in [(text!("lock"), &*lock), (text!("file"), &*path), (text!("open run"), &*run)] {
            lines.row(0, name, columns, value);
        }
        lines.finish()
    }
}
