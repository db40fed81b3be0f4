//! Orders that are to be settled, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::apply::PendingOrder;
use crate::apply::candidates::{Candidate, Check};

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay resolve --format json, version 1")]
struct ResolveV1<'a> {
    format_version: u32,
    open: Vec<OpenV1<'a>>,
}

/// An order with an unknown outcome, or without an environment id.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Open")]
struct OpenV1<'a> {
    address: &'a str,
    /// RFC 3339, UTC.
    sent_at: String,
    /// `user@host`; null when its receipt is gone.
    sent_by: Option<&'a str>,
    tran_id: Option<&'a str>,
    request_id: Option<&'a str>,
    /// The region that was sent with it; null when none was.
    region: Option<&'a str>,
    /// The regions that were asked for it; null among them is a call that named none.
    regions_asked: &'a [Option<String>],
    /// The environments that could have come of it.
    candidates: Vec<CandidateV1<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Candidate")]
struct CandidateV1<'a> {
    env_id: &'a str,
    /// The order number on its bill.
    tran_id: Option<&'a str>,
    /// Everything fits, or its bill has the number of the order.
    fits: bool,
    checks: Vec<CheckV1<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Check")]
struct CheckV1<'a> {
    what: &'a str,
    expected: &'a str,
    found: &'a str,
    fits: bool,
}

/// The JSON Schema of the document.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(ResolveV1<'_>).to_value()
}

/// An order, who sent it, where it was looked for, and what it may have made.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    pub open: &'a PendingOrder,
    pub sent_by: Option<&'a str>,
    pub asked: &'a [Option<String>],
    pub candidates: &'a [Candidate],
}

/// Orders that are to be settled.
pub fn document<'a>(open: impl Iterator<Item = Shown<'a>>) -> String {
    let one = |shown: Shown<'a>| {
        let Shown { open, sent_by, asked, candidates } = shown;
        OpenV1 {
            address: open.address.as_str(),
            sent_at: open.record.ordered_at.to_string(),
            sent_by,
            tran_id: open.record.tran_id.as_deref(),
            request_id: open.record.request_id.as_deref(),
            region: open.record.region.as_deref(),
            regions_asked: asked,
            candidates: candidates.iter().map(CandidateV1::from).collect(),
        }
    };
    super::text(&ResolveV1 { format_version: 1, open: open.map(one).collect() })
}

impl<'a> From<&'a Candidate> for CandidateV1<'a> {
    fn from(candidate: &'a Candidate) -> Self {
        let check = |check: &'a Check| {
            let Check { what, expected, found, fits } = check;
            CheckV1 { what: what.en(), expected: expected.en(), found: found.en(), fits: *fits }
        };
        Self {
            env_id: &candidate.environment.env_id,
            tran_id: candidate.tran_id(),
            fits: candidate.fits(),
            checks: candidate.checks.iter().map(check).collect(),
        }
    }
}
