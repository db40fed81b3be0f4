//! The shape of `postpay.yaml`, from which the JSON Schema for editors is made.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use super::read::NEVER_NULL;
use super::region::PATTERN;
use crate::drift::Code;

/// The JSON Schema (draft 2020-12) of `postpay.yaml`.
pub fn config_schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<ConfigV1>()
        .to_value();
    refuse_null(&mut schema);
    schema
}

/// Takes `null` away from the properties in [`NEVER_NULL`].
fn refuse_null(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, property) in properties {
        if NEVER_NULL.contains(&name.as_str()) {
            if let Some(types) = property.get_mut("type")
                && let Some(only) = types.get(0).cloned()
            {
                *types = only;
            }
            if let Some(any) = property.get_mut("anyOf").and_then(Value::as_array_mut) {
                any.retain(|one| one.get("type").is_none_or(|it| it != "null"));
            }
        }
        refuse_null(property);
    }
}

/// Settings of a postpay project. Every one has a default, a flag or a variable.
#[derive(JsonSchema)]
#[schemars(title = "postpay.yaml, version 1", deny_unknown_fields)]
#[expect(dead_code, reason = "it is only ever described, never filled")]
struct ConfigV1 {
    /// The version of this format. Always 1.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// Manifests: a file or folder of the project, or a list of them. `environments/` when left out.
    manifests: Option<Paths>,
    /// Where the state is kept: a path in the project, or a `.json` file in its repository. `state/postpay.state.json` when left
    /// out.
    #[schemars(length(min = 1))]
    state: Option<String>,
    /// How the vendor is spoken to.
    api: Option<ApiV1>,
    /// What a plan must not go beyond.
    guard: Option<GuardV1>,
    /// Drift that somebody knows of and accepts, for a while.
    ignore: Option<Vec<IgnoreV1>>,
}

/// A kind of drift that does not count until a day.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is only ever described, never filled")]
struct IgnoreV1 {
    /// The code of the finding, as `postpay drift` tells it.
    #[schemars(extend("enum" = Code::ALL.map(Code::name)))]
    code: String,
    /// The address of the finding; any, when left out or null.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9_-]{0,63}$"))]
    address: Option<String>,
    /// Why, for whoever reads it later.
    #[schemars(length(min = 1))]
    reason: String,
    /// The last day on which it holds.
    #[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    until: String,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "it is only ever described, never filled")]
enum Paths {
    One(#[schemars(length(min = 1))] String),
    Many(#[schemars(length(min = 1))] Vec<String>),
}

/// How the vendor is spoken to.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is only ever described, never filled")]
struct ApiV1 {
    /// `sandbox`, or an https address without path; http for a loopback address alone.
    /// `internal` and a region, as `ap-shanghai`, stand for the vendor's hosts of that name.
    /// `https://tcb.tencentcloudapi.com` when left out.
    #[schemars(regex(
        pattern = r"^(sandbox|internal|[a-z]{2}-[a-z0-9-]*[a-z0-9]|[hH][tT][tT][pP][sS]?://[^/?#@\\]+/?)$"
    ))]
    endpoint: Option<String>,
    /// The region that calls name.
    #[schemars(regex(pattern = PATTERN))]
    region: Option<String>,
    /// The regions in which environments are looked for.
    #[schemars(inner(regex(pattern = PATTERN)))]
    list_regions: Option<Vec<String>>,
    /// The language of the vendor's messages. `zh-CN` when left out.
    #[schemars(extend("enum" = ["zh-CN", "en-US", null]))]
    language: Option<String>,
    /// Orders a second. 2 when left out, which is the vendor's limit.
    #[schemars(extend("minimum" = 0.001, "maximum" = 100))]
    rate: Option<f64>,
    /// Calls that may be under way at a time. 4 when left out.
    #[schemars(extend("minimum" = 1, "maximum" = 32))]
    in_flight: Option<u32>,
    /// How long an answer is waited for: seconds, or a number with `ms`, `s`, `m` or `h`. 60 when
    /// left out.
    timeout: Option<TimeoutV1>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "it is only ever described, never filled")]
enum TimeoutV1 {
    Seconds(#[schemars(range(min = 1))] u64),
    Text(#[schemars(regex(pattern = r"^[0-9]+(ms|s|m|h)?$"))] String),
}

/// What a plan must not go beyond.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is only ever described, never filled")]
struct GuardV1 {
    /// The most environments that one run may create.
    max_creates: Option<u32>,
    /// The most environments that may be created in a day.
    max_creates_per_day: Option<u32>,
    /// What is no longer declared is given up at the vendor, with its data. Without it, it is kept.
    allow_destroy: Option<bool>,
    /// The numbers (uin) of the main accounts that may be worked in, each in quotes. Empty for any.
    #[schemars(inner(regex(pattern = r"^[0-9]+$")))]
    allowed_accounts: Option<Vec<String>>,
    /// Every environment that is to be created has an alias: without one, a create whose answer was lost can't be
    /// recognised in the account. True when left out.
    require_alias: Option<bool>,
}
