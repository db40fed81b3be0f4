//! The actions of the service `tcbr`, CloudRun.

use serde::{Deserialize, Serialize};

use super::answer::{Response, text_of};
use crate::cloud::Inside;
use crate::i18n::Text;

/// The service's name in a signature.
pub const TCBR_SERVICE: &str = "tcbr";
pub const TCBR_VERSION: &str = "2022-02-17";

/// The request of `DescribeEnvBaseInfo`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeEnvBaseInfo {
    /// Required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<String>,
}

/// Reads the answer to `DescribeEnvBaseInfo`. `IsExist` decides; a status other than `normal` means that it is not ready.
///
/// # Errors
/// When it does not say whether there is one.
pub fn decode_inside(response: &Response) -> Result<Inside, Text> {
    let exists = response.get("IsExist").and_then(serde_json::Value::as_bool);
    let status = response.get("EnvBaseInfo").and_then(|info| text_of(info.get("Status")?));
    match exists {
        Some(false) => Ok(Inside::Absent),
        Some(true) if status.is_some_and(|status| status.eq_ignore_ascii_case("normal")) => Ok(Inside::Ready),
        Some(true) => Ok(Inside::Creating),
        None => Err(Text::fixed("the response does not say whether CloudRun is open")),
    }
}
