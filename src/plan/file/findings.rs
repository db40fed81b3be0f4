//! What the account showed when the plan was made, as a plan file keeps it. What a code means is not in it: a later version may
//! say it better, and the checksum of a plan that was kept must not change with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PlanFileError, address, named};
use crate::lang::{Text, text};
use crate::model::{Address, SourceRef};
use crate::plan::{Code, Finding, Standing};

/// Something that the account shows otherwise than it is on record. Nothing is done about it by the plan.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FindingV1 {
    /// One of gone, not-listed, isolated, in-use-again, error-status, alias-changed, not-postpaid, source-changed, channel-changed, possible-duplicate,
    /// unmanaged.
    code: String,
    /// Null for an environment that nobody declares.
    address: Option<String>,
    /// True when it is about what was replaced at the address.
    deposed: bool,
    env_id: Option<String>,
    /// As on record.
    expected: Option<String>,
    /// As the account shows it.
    found: Option<String>,
    /// Where it is declared, or was when it was ordered.
    source: Option<FindingSourceV1>,
    /// counts, told or ignored.
    standing: String,
    /// Why it is ignored.
    reason: Option<String>,
    /// What to type, or to do.
    next: String,
}

/// The manifest file and line, from 1.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindingSourceV1 {
    file: String,
    line: u32,
}

impl From<&Finding> for FindingV1 {
    fn from(finding: &Finding) -> Self {
        let Finding { code, address, deposed, env_id, expected, found, source, standing, next } = finding;
        let (standing, reason) = standing.name();
        Self {
            code: code.name().to_owned(),
            address: address.as_ref().map(Address::to_string),
            deposed: *deposed,
            env_id: env_id.clone(),
            expected: expected.as_ref().map(|text| text.en().to_owned()),
            found: found.as_ref().map(|text| text.en().to_owned()),
            source: source
                .as_ref()
                .map(|SourceRef { file, line }| FindingSourceV1 { file: file.clone(), line: *line }),
            standing: standing.to_owned(),
            reason: reason.map(str::to_owned),
            next: next.en().to_owned(),
        }
    }
}

impl TryFrom<FindingV1> for Finding {
    type Error = PlanFileError;

    fn try_from(finding: FindingV1) -> Result<Self, PlanFileError> {
        let FindingV1 { code, address: at, deposed, env_id, expected, found, source, standing, reason, next } =
            finding;
        let standing = Standing::by_name(&standing, reason).ok_or_else(|| {
            let wanted = standing.escape_debug();
            PlanFileError::Content(text!("`{wanted}` is not known", "不认识 `{wanted}`"))
        })?;
        Ok(Self {
            code: named(Code::ALL, Code::name, &code)?,
            address: at.as_deref().map(address).transpose()?,
            deposed,
            env_id,
            expected: expected.map(Text::same),
            found: found.map(Text::same),
            source: source.map(|FindingSourceV1 { file, line }| SourceRef { file, line }),
            standing,
            next: Text::same(next),
        })
    }
}
