//! The members of an order, one row each: the one table that names, requests, diffs and schemas share.

use std::fmt;

/// A member of `CreatePostpayPackage` (vendor's page 876/45287), by its name in a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
            Self::EnvId
            | Self::WxAppId
            | Self::Source
            | Self::FreeQuota
            | Self::EnvSource
            | Self::Channel
            | Self::Alias
            | Self::ExtensionId
            | Self::EnvAlias
            | Self::Extra => a == b,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
