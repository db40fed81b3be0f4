//! The shape of a manifest, from which the JSON Schema for editors is made.
//!
//! The schema says what can be said of one value on its own. What needs two values, two
//! environments or two files is left to [`crate::check`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde::Deserialize;

/// Words that have a meaning in a manifest, but that this version does not carry out.
pub const RESERVED: [&str; 2] = ["import", "lifecycle"];

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
    /// Not carried out by this version.
    #[serde(default)]
    pub moved: Reserved,
    /// Not carried out by this version.
    #[serde(default)]
    pub removed: Reserved,
}

/// Values for every environment of a document: the fields of an environment.
pub type Defaults = EnvironmentV1;

/// One environment: the members of `CreatePostpayPackage`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EnvironmentV1 {
    /// EnvId: the environment to switch to pay-as-you-go. Leave it out to have one created.
    #[schemars(length(min = 1), example = &"cdnheader-v2a")]
    pub env_id: Option<String>,
    /// WxAppId: the WeChat AppId. Required when `source` or `env_source` is `miniapp`.
    #[schemars(length(min = 1), example = &"wxxjklfjdkld")]
    pub wx_app_id: Option<String>,
    /// Source: where the payment comes from: `miniapp` or `qcloud`.
    #[schemars(length(min = 1), example = &"qcloud", example = &"miniapp")]
    pub source: Option<String>,
    /// FreeQuota: the level of free quota. Only `basic` exists; without it there is none.
    #[schemars(extend("enum" = ["basic", "", null]))]
    pub free_quota: Option<String>,
    /// EnvSource: who creates the environment. Goes with `channel`; required without `env_id`.
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
    #[schemars(length(min = 1))]
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
    /// Not carried out by this version.
    pub lifecycle: Reserved,
    /// Not carried out by this version.
    pub import: Reserved,
}

/// Custom data: a string, or a mapping that becomes JSON.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Extra {
    Text(#[schemars(length(min = 1))] String),
    Members(BTreeMap<String, serde_json::Value>),
}

/// A word that this version knows and refuses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reserved;

impl<'de> Deserialize<'de> for Reserved {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("not carried out by this version"))
    }
}

impl JsonSchema for Reserved {
    fn schema_name() -> Cow<'static, str> {
        "Reserved".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "not": {} })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::Field;

    fn names(value: &serde_json::Value) -> Vec<String> {
        let mut names: Vec<_> = value["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_properties_are_the_fields_and_the_reserved_words() {
        let schema = manifest_schema();
        let mut expected: Vec<String> = Field::ALL
            .iter()
            .map(|field| field.name())
            .chain(RESERVED)
            .map(str::to_owned)
            .collect();
        expected.sort();
        let environment = &schema["properties"]["environments"]["additionalProperties"];
        let environment = environment["anyOf"]
            .as_array()
            .map_or(environment, |any| &any[0]);
        assert_eq!(names(environment), expected, "{schema:#}");
        let defaults = &schema["properties"]["defaults"];
        let defaults = defaults["anyOf"].as_array().map_or(defaults, |any| &any[0]);
        assert_eq!(names(defaults), expected);
        assert_eq!(
            names(&schema),
            ["defaults", "environments", "moved", "removed", "version"]
        );
    }
}
