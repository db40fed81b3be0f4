//! The plan file: a [`Plan`] as JSON, with a checksum over itself.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};

use super::{Plan, Summary, known_cost};
use crate::i18n::{Text, text};
use crate::state::FormatVersion;

/// Far more than a plan of 100,000 environments needs.
pub const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// Why a text is not a valid plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    Empty,
    Json(#[from] serde_json::Error),
    /// JSON of another kind, such as a state or a report.
    NotAPlan,
    Version {
        found: u64,
    },
    Altered,
}

/// English, and Chinese as `{:#}`.
impl fmt::Display for PlanFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let supported = FormatVersion::NUMBER;
        let text = match self {
            Self::Empty => Text::fixed("the file is empty"),
            Self::Json(error) if error.is_syntax() || error.is_eof() => {
                text!("it is not JSON: {error}", error)
            }
            Self::Json(error) => Text::same(error.to_string()),
            Self::NotAPlan => {
                Text::fixed("it is JSON but not a plan; to show a state, use `postpay show --state FILE`")
            }
            Self::Version { found } => {
                text!("it has format version {found}; this postpay reads {supported}", found, supported)
            }
            Self::Altered => {
                Text::fixed("its checksum does not match: it was changed or damaged after it was written")
            }
        };
        text.fmt(f)
    }
}

/// Returns the JSON Schema of a plan file.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Plan).to_value()
}

/// Returns the plan as JSON with a final newline.
pub fn encode(plan: &Plan) -> String {
    let summary = Summary::count(&plan.steps, &plan.options.mode);
    let cost = known_cost(&plan.steps, plan.prices.as_ref());
    let mut complete = Plan { cost, summary, ..plan.clone() };
    complete.checksum = checksum(&complete);
    // Only a map with keys that are not text, or a failing writer, can make this fail.
    let mut text = serde_json::to_string_pretty(&complete).unwrap_or_default();
    text.push('\n');
    text
}

/// Returns the SHA-256, in hex, of the plan as compact JSON without its checksum. It identifies the plan in
/// receipts.
pub fn checksum(plan: &Plan) -> String {
    let bytes = serde_json::to_vec(plan).unwrap_or_default();
    Sha256::digest(&bytes).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Parses the output of [`encode`].
pub fn decode(text: &str) -> Result<Plan, PlanFileError> {
    let mut plan: Plan = serde_json::from_str(text).map_err(|error| explain(text, error))?;
    let found = std::mem::take(&mut plan.checksum);
    let is_intact = found == checksum(&plan)
        && plan.summary == Summary::count(&plan.steps, &plan.options.mode)
        && plan.cost == known_cost(&plan.steps, plan.prices.as_ref());
    if is_intact { Ok(plan) } else { Err(PlanFileError::Altered) }
}

/// Returns why a text is not a plan, using the members that every version has.
fn explain(text: &str, error: serde_json::Error) -> PlanFileError {
    #[derive(Deserialize)]
    struct Header {
        format_version: u64,
        resource_changes: Option<IgnoredAny>,
    }
    if text.trim().is_empty() {
        return PlanFileError::Empty;
    }
    match serde_json::from_str::<Header>(text) {
        Err(header) if header.is_syntax() || header.is_eof() => PlanFileError::Json(header),
        Ok(Header { format_version, .. }) if format_version != FormatVersion::NUMBER => {
            PlanFileError::Version { found: format_version }
        }
        Ok(Header { resource_changes: Some(_), .. }) => PlanFileError::Json(error),
        Ok(_) | Err(_) => PlanFileError::NotAPlan,
    }
}
