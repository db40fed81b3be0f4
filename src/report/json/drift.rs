//! What does not agree, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::drift::{Drift, Finding, Standing};
use crate::i18n::Text;
use crate::model::Address;

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay drift --format json, version 1")]
struct DriftV1<'a> {
    format_version: u32,
    /// Something counts: the exit code is 2.
    drift: bool,
    summary: SummaryV1,
    findings: Vec<FindingV1<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Summary")]
struct SummaryV1 {
    /// Findings that count.
    counted: usize,
    /// Findings that somebody knows of.
    ignored: usize,
    /// Findings that are reported and do not count.
    info: usize,
    declared: usize,
    recorded: usize,
    /// Environments of the account; null when it was left out.
    seen: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub(super) struct FindingV1<'a> {
    /// not-ordered, changed, not-declared, not-applied, outcome-unknown, awaiting-env-id, gone, not-listed, isolated, in-use-again, error-status,
    /// alias-changed, pay-mode-changed, package-changed, overrun-changed, renewal-changed, tags-changed,
    /// expires-soon, source-changed, channel-changed, possible-duplicate or unmanaged.
    code: &'static str,
    /// What the code means.
    about: String,
    /// Null for an environment that nobody declares.
    address: Option<&'a str>,
    /// It is about what was replaced at the address.
    deposed: bool,
    env_id: Option<&'a str>,
    /// As declared, or as in the state.
    expected: Option<&'a str>,
    /// As in the state, or as the account shows it.
    found: Option<&'a str>,
    source: Option<SourceV1<'a>>,
    /// counts, info or ignored.
    standing: &'static str,
    /// Why it is ignored.
    reason: Option<&'a str>,
    /// What to type, or to do.
    next: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Source")]
struct SourceV1<'a> {
    file: &'a str,
    /// From 1.
    line: u32,
}

/// The JSON Schema of the document.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(DriftV1<'_>).to_value()
}

/// The drift as one JSON document that ends in a newline.
pub fn document(drift: &Drift) -> String {
    let Drift { findings, declared, recorded, seen } = drift;
    let mut summary =
        SummaryV1 { counted: 0, ignored: 0, info: 0, declared: *declared, recorded: *recorded, seen: *seen };
    for finding in findings {
        let count = match finding.standing {
            Standing::Counts => &mut summary.counted,
            Standing::Info => &mut summary.info,
            Standing::Ignored { .. } => &mut summary.ignored,
        };
        *count += 1;
    }
    super::text(&DriftV1 {
        format_version: 1,
        drift: drift.is_drift(),
        summary,
        findings: findings.iter().map(FindingV1::from).collect(),
    })
}

impl<'a> From<&'a Finding> for FindingV1<'a> {
    fn from(finding: &'a Finding) -> Self {
        let Finding { code, address, deposed, env_id, expected, found, source, standing, next } = finding;
        let (standing, reason) = standing.name();
        Self {
            code: code.name(),
            about: code.about().en().to_owned(),
            address: address.as_ref().map(Address::as_str),
            deposed: *deposed,
            env_id: env_id.as_deref(),
            expected: expected.as_ref().map(Text::en),
            found: found.as_ref().map(Text::en),
            source: source.as_ref().map(|source| SourceV1 { file: &source.file, line: source.line }),
            standing,
            reason,
            next: next.en(),
        }
    }
}
