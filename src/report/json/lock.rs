//! The lock for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::state::pretty;
use crate::state::journal::{Journal, RunStarted};
use crate::state::{Holder, LockReport, LockStatus};

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay lock status --format json, version 1")]
struct LockV1<'a> {
    format_version: u32,
    path: String,
    held: bool,
    /// Null when the lock is free, and when its holder has not said who it is.
    holder: Option<HolderV1<'a>>,
    open_run: Option<RunV1<'a>>,
    /// Why it is unknown whether a run is open.
    trouble: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Holder")]
struct HolderV1<'a> {
    who: &'a str,
    pid: u32,
    since: String,
    doing: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Run")]
struct RunV1<'a> {
    run: String,
    who: &'a str,
    pid: u32,
    started_at: String,
    base: u64,
}

/// The JSON Schema of `lock status --format json`.
pub fn status_schema() -> serde_json::Value {
    schemars::schema_for!(LockV1<'_>).to_value()
}

/// The lock as one JSON document that ends in a newline.
pub fn status(found: &LockReport) -> String {
    let LockReport { path, status, open } = found;
    let (held, by) = match status {
        LockStatus::Free => (false, None),
        LockStatus::Held(by) => (true, by.as_ref()),
    };
    pretty(&LockV1 {
        format_version: 1,
        path: path.display().to_string(),
        held,
        holder: by.map(holder),
        open_run: open.as_ref().ok().and_then(Option::as_ref).map(open_run),
        trouble: open.as_ref().err().map(ToString::to_string),
    })
}

fn holder(holder: &Holder) -> HolderV1<'_> {
    let Holder { who, pid, since, doing } = holder;
    HolderV1 { who, pid: *pid, since: since.to_string(), doing }
}

fn open_run(journal: &Journal) -> RunV1<'_> {
    let RunStarted { run, base, who, pid, .. } = &journal.started;
    RunV1 { run: run.to_string(), who, pid: *pid, started_at: journal.started_at.to_string(), base: base.0 }
}
