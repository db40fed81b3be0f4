//! What was declared of an account, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::generate::Drafts;

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay generate --format json, version 1")]
struct GenerateV1<'a> {
    format_version: u32,
    generated: Vec<GeneratedV1<'a>>,
    left_out: Vec<LeftOutV1<'a>>,
    /// How many of the account's environments are declared or in the state.
    known: usize,
    /// The file that was written, if one was.
    file: Option<&'a str>,
    /// The text of the manifest.
    manifest: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Generated")]
struct GeneratedV1<'a> {
    address: &'a str,
    env_id: &'a str,
    tran_id: Option<&'a str>,
}

/// An environment that can't be declared as it is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LeftOut")]
struct LeftOutV1<'a> {
    env_id: &'a str,
    why: String,
}

/// The JSON Schema of the document.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(GenerateV1<'_>).to_value()
}

/// What was generated, as one JSON document.
pub fn document(drafts: &Drafts, manifest: &str, file: Option<&str>) -> String {
    let generated = drafts.drafts.iter().map(|draft| GeneratedV1 {
        address: draft.address.as_str(),
        env_id: &draft.env_id,
        tran_id: draft.tran_id.as_deref(),
    });
    let left_out =
        drafts.left_out.iter().map(|one| LeftOutV1 { env_id: &one.env_id, why: one.why.to_string() });
    super::text(&GenerateV1 {
        format_version: 1,
        generated: generated.collect(),
        left_out: left_out.collect(),
        known: drafts.known,
        file,
        manifest,
    })
}
