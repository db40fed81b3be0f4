//! A key for programs, without its secret.

use schemars::JsonSchema;
use serde::Serialize;

use super::state::pretty;
use crate::cloud::Caller;
use crate::report::identity::Identity;

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay whoami --format json, version 1")]
struct WhoamiV1<'a> {
    format_version: u32,
    /// environment, profile, tccli, web-identity, cvm-role or sandbox.
    source: &'a str,
    /// The same in a sentence.
    source_text: &'a str,
    /// The role that is taken on top of it.
    role: Option<&'a str>,
    /// Shortened. Null while none was issued.
    key_id: Option<&'a str>,
    /// When a temporary key ends (RFC 3339). Null for one that has no end.
    expires_at: Option<String>,
    /// Whose it is, as Tencent Cloud says. Null when it was not asked.
    caller: Option<CallerV1<'a>>,
    endpoint: &'a str,
    /// Null for the embedded endpoint.
    sts_endpoint: Option<&'a str>,
    region: Option<&'a str>,
    /// The regions that a listing asks; none where its calls name none.
    list_regions: &'a [String],
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Caller")]
struct CallerV1<'a> {
    /// The number of the main account (uin).
    account: &'a str,
    /// The number of the user or role session within it.
    user: Option<&'a str>,
    arn: Option<&'a str>,
    /// Tencent Cloud's word for what it is.
    kind: Option<&'a str>,
    request_id: Option<&'a str>,
}

/// The JSON Schema of `whoami --format json`.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(WhoamiV1<'_>).to_value()
}

/// The document.
pub fn document(identity: &Identity) -> String {
    let Identity {
        source,
        source_text,
        role,
        key_id,
        ends,
        caller,
        endpoint,
        sts_endpoint,
        region,
        list_regions,
    } = identity;
    pretty(&WhoamiV1 {
        format_version: 1,
        source,
        source_text: source_text.en(),
        role: role.as_deref(),
        key_id: key_id.as_deref(),
        expires_at: ends.map(|(ends, _)| ends.to_string()),
        caller: caller.as_ref().map(|caller| {
            let Caller { account, user, arn, kind, request_id } = caller;
            CallerV1 {
                account,
                user: user.as_deref(),
                arn: arn.as_deref(),
                kind: kind.as_deref(),
                request_id: request_id.as_deref(),
            }
        }),
        endpoint,
        sts_endpoint: sts_endpoint.as_deref(),
        region: region.as_deref(),
        list_regions,
    })
}
