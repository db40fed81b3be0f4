//! The shape of a manifest, from which the JSON Schema for editors is made.
//!
//! The schema says what can be said of one value on its own. What needs two values, two
//! environments or two files is left to [`crate::check`].

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::Deserialize;

use crate::model::ID_PATTERN;

/// The JSON Schema (draft 2020-12) of one document of a manifest.
pub fn manifest_schema() -> serde_json::Value {
    let schema = SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<ManifestV1>();
    schema.to_value()
}

/// A postpay manifest: CloudBase environments to be ordered as pay-as-you-go.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "postpay manifest, version 1")]
pub struct ManifestV1 {
    /// The version of the manifest format. Always 1.
    #[schemars(extend("const" = 1))]
    pub version: u32,
    /// Values that every environment of this document has, unless it says otherwise. A value of
    /// `null` in an environment takes a default away.
    #[serde(default)]
    pub defaults: Option<Defaults>,
    /// The environments by address: a name of your own choice that stays the same for good and is
    /// unique over all manifests.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "pattern": "^[a-z0-9][a-z0-9_-]*$", "maxLength": 64 }))]
    pub environments: Option<BTreeMap<String, Option<EnvironmentV1>>>,
    /// Environments whose address changed: what was ordered as `from` is `to` from now on, and nothing
    /// is ordered for it. A move may stay here after it is carried out.
    #[serde(default)]
    pub moved: Option<Vec<MovedV1>>,
    /// Addresses to forget: their environments are left alone and are not managed any more. Take them out
    /// of `environments` too.
    #[serde(default)]
    #[schemars(inner(regex(pattern = r"^[a-z0-9][a-z0-9_-]*$"), length(max = 64)))]
    pub removed: Option<Vec<String>>,
}

/// Values for every environment of a document: the fields of an environment, and `lifecycle`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "EnvironmentV1")]
#[schemars(transform = without_import)]
pub struct Defaults(pub EnvironmentV1);

impl TryFrom<EnvironmentV1> for Defaults {
    type Error = &'static str;

    fn try_from(fields: EnvironmentV1) -> Result<Self, Self::Error> {
        match fields.import {
            Some(_) => Err("`import` stands in an environment, not under `defaults`"),
            None => Ok(Self(fields)),
        }
    }
}

/// An import is of one environment alone.
fn without_import(schema: &mut Schema) {
    if let Some(properties) = schema.get_mut("properties").and_then(serde_json::Value::as_object_mut) {
        properties.remove("import");
    }
}

/// One environment: the members of `CreatePostpayPackage`, and what is to become of it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EnvironmentV1 {
    /// EnvId: the environment to switch to pay-as-you-go. Leave it out to have one created.
    #[schemars(with = "String", regex(pattern = ID_PATTERN), example = &"cdnheader-v2a")]
    pub env_id: Option<String>,
    /// WxAppId: the WeChat AppId. Required when `source` or `env_source` is `miniapp`.
    #[schemars(regex(pattern = ID_PATTERN), example = &"wxxjklfjdkld")]
    pub wx_app_id: Option<String>,
    /// Source: where the payment comes from: `miniapp` or `qcloud`.
    #[schemars(regex(pattern = ID_PATTERN), example = &"qcloud", example = &"miniapp")]
    pub source: Option<String>,
    /// FreeQuota: the level of free quota. Only `basic` exists; without it there is none.
    #[schemars(extend("enum" = ["basic", "", null]))]
    pub free_quota: Option<String>,
    /// EnvSource: who creates the environment. Goes with `channel`; required without `env_id` and `import`.
    #[schemars(extend("enum" = ["miniapp", "qcloud", null]))]
    pub env_source: Option<String>,
    /// Channel: with `env_source: miniapp` ide or api; with `env_source: qcloud` qc_console, cocos,
    /// qq, cloudgame, dcloud or serverless_framework. Goes with `env_source`.
    #[schemars(extend("enum" = [
        "ide", "api", "qc_console", "cocos", "qq", "cloudgame", "dcloud", "serverless_framework", null
    ]))]
    pub channel: Option<String>,
    /// Alias: starts with a-z, holds a-z, 0-9 and `-`; best at most 20 characters. Unique among
    /// the environments that are created.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]*$"), example = &"env-alias")]
    pub alias: Option<String>,
    /// ExtensionId: the id of an extension.
    #[schemars(regex(pattern = ID_PATTERN))]
    pub extension_id: Option<String>,
    /// Flag: a mark on the order; compared without regard to case.
    #[schemars(length(min = 1), example = &"Activity")]
    pub flag: Option<String>,
    /// EnvAlias: a name for people, of any characters.
    #[schemars(length(min = 1), example = &"my-env")]
    pub env_alias: Option<String>,
    /// Extra: custom data that is passed through: a string, or a mapping that is sent as compact
    /// JSON with its keys sorted. A mapping replaces a default as a whole.
    pub extra: Option<Extra>,
    /// How the environment may change once it is on record. It replaces that of the defaults as a whole.
    pub lifecycle: Option<LifecycleV1>,
    /// The environment that exists already: it is adopted under this address, and never ordered.
    #[schemars(with = "ImportV1")]
    pub import: Option<ImportV1>,
}

/// How an environment may change once it is on record.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LifecycleV1 {
    /// The environment is not given up, even after it has left the manifests.
    pub prevent_destroy: bool,
    /// Fields in which a difference between the manifest and the order is none.
    pub ignore_changes: Vec<IgnoredV1>,
}

/// A field that may differ. With another `env_id` it would be another environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IgnoredV1 {
    WxAppId,
    Source,
    FreeQuota,
    EnvSource,
    Channel,
    Alias,
    ExtensionId,
    Flag,
    EnvAlias,
    Extra,
}

/// The environment that an address adopts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportV1 {
    /// EnvId: the id of the environment. No other address names it.
    #[schemars(regex(pattern = ID_PATTERN), example = &"shop-prod-1a2b3c")]
    pub env_id: String,
    /// TranId: the number of its order, where it is known. Write it in quotes.
    #[serde(default)]
    #[schemars(regex(pattern = ID_PATTERN), example = &"20200603119423")]
    pub tran_id: Option<String>,
}

/// A change of address.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MovedV1 {
    /// The address that the environment had. It is not declared any more.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9_-]*$"), length(max = 64))]
    pub from: String,
    /// The address that it has now.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9_-]*$"), length(max = 64))]
    pub to: String,
}

/// Custom data: a string, or a mapping that becomes JSON.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Extra {
    Text(#[schemars(length(min = 1))] String),
    Members(BTreeMap<String, serde_json::Value>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::postpay;

    fn names(value: &serde_json::Value) -> Vec<String> {
        let mut names: Vec<_> = value["properties"].as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    }

    /// The alternative that is not null.
    fn given(schema: &serde_json::Value) -> &serde_json::Value {
        schema["anyOf"].as_array().map_or(schema, |any| &any[0])
    }

    #[test]
    fn the_properties_are_the_fields_and_what_is_to_become_of_them() {
        let schema = manifest_schema();
        let sorted = |more: &[&str]| {
            let fields = postpay::KIND.fields().map(|field| field.name);
            let mut names: Vec<String> = fields.chain(more.iter().copied()).map(str::to_owned).collect();
            names.sort();
            names
        };
        let environment = given(&schema["properties"]["environments"]["additionalProperties"]);
        assert_eq!(names(environment), sorted(&["import", "lifecycle"]));
        let defaults = given(&schema["properties"]["defaults"]);
        assert_eq!(names(defaults), sorted(&["lifecycle"]));
        assert_eq!(names(&schema), ["defaults", "environments", "moved", "removed", "version"]);
    }

    #[test]
    fn every_field_but_the_id_may_be_ignored() {
        let schema = manifest_schema();
        let environment = given(&schema["properties"]["environments"]["additionalProperties"]);
        let lifecycle = given(&environment["properties"]["lifecycle"]);
        let named = &lifecycle["properties"]["ignore_changes"]["items"]["enum"];
        let fields = postpay::KIND.fields().filter(|field| *field != postpay::ENV_ID).map(|field| field.name);
        assert_eq!(*named, fields.collect::<serde_json::Value>(), "{lifecycle:#}");
    }
}
