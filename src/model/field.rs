//! The members of an order, one row each: the one table that names, requests, diffs and schemas share.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A member of `CreatePostpayPackage` (vendor's page 876/45287), by its name in a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "&str", try_from = "String")]
pub enum Field {
    EnvId,
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

impl Field {
    /// In the order of the vendor's page, which is also the order that people see.
    pub const ALL: [Self; 11] = [
        Self::EnvId,
        Self::WxAppId,
        Self::Source,
        Self::FreeQuota,
        Self::EnvSource,
        Self::Channel,
        Self::Alias,
        Self::ExtensionId,
        Self::Flag,
        Self::EnvAlias,
        Self::Extra,
    ];

    /// The name in a manifest, in the state and in a plan.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EnvId => "env_id",
            Self::WxAppId => "wx_app_id",
            Self::Source => "source",
            Self::FreeQuota => "free_quota",
            Self::EnvSource => "env_source",
            Self::Channel => "channel",
            Self::Alias => "alias",
            Self::ExtensionId => "extension_id",
            Self::Flag => "flag",
            Self::EnvAlias => "env_alias",
            Self::Extra => "extra",
        }
    }

    /// The name of the request member.
    pub const fn member(self) -> &'static str {
        match self {
            Self::EnvId => "EnvId",
            Self::WxAppId => "WxAppId",
            Self::Source => "Source",
            Self::FreeQuota => "FreeQuota",
            Self::EnvSource => "EnvSource",
            Self::Channel => "Channel",
            Self::Alias => "Alias",
            Self::ExtensionId => "ExtensionId",
            Self::Flag => "Flag",
            Self::EnvAlias => "EnvAlias",
            Self::Extra => "Extra",
        }
    }

    /// The field with this manifest name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Whether two values of this field mean the same to the vendor.
    pub fn same(self, a: &str, b: &str) -> bool {
        match self {
            // The vendor asks callers to fold the case of an order mark before they compare it.
            Self::Flag => a.eq_ignore_ascii_case(b),
            Self::Extra => a == b || same_members(a, b),
            Self::EnvId
            | Self::WxAppId
            | Self::Source
            | Self::FreeQuota
            | Self::EnvSource
            | Self::Channel
            | Self::Alias
            | Self::ExtensionId
            | Self::EnvAlias => a == b,
        }
    }
}

/// Whether `CreatePostpayPackage` takes a text as an alias: "要以a-z开头,不能包含 a-z,0-9,- 以外的字符".
pub fn is_alias(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The channels that go with an `env_source`, by the vendor's page 876/45287; None for one that the page does not have.
pub fn channels(env_source: &str) -> Option<&'static [&'static str]> {
    match env_source {
        "miniapp" => Some(&["ide", "api"]),
        "qcloud" => Some(&["qc_console", "cocos", "qq", "cloudgame", "dcloud", "serverless_framework"]),
        _ => None,
    }
}

/// Whether both are JSON objects with the same members, in whatever order and layout.
fn same_members(a: &str, b: &str) -> bool {
    let members = |text: &str| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).ok();
    members(a).is_some_and(|of_a| members(b).is_some_and(|of_b| of_a == of_b))
}

impl From<Field> for &'static str {
    fn from(field: Field) -> Self {
        field.name()
    }
}

impl TryFrom<String> for Field {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::by_name(&name).ok_or_else(|| format!("unknown field `{}`", name.escape_debug()))
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_has_no_case_and_extra_data_no_layout() {
        assert!(Field::Flag.same("QuickStart", "quickstart"));
        assert!(!Field::EnvAlias.same("Shop", "shop"));
        let extra = |a, b| Field::Extra.same(a, b);
        assert!(extra(r#"{"a":1,"b":[1,2]}"#, r#"{ "b": [1, 2], "a": 1 }"#));
        assert!(!extra(r#"{"a":1}"#, r#"{"a":"1"}"#));
        assert!(!extra(r#"{"b":[1,2]}"#, r#"{"b":[2,1]}"#));
        assert!(!extra("a text", "a  text"), "only objects have members");
    }
}
