//! The ids that the API returns.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lang::Text;

/// What an id looks like, for messages.
pub const ID_RULE: Text = Text::fixed(
    "an id has 1 to 128 characters, without spaces, invisible characters and quotes",
    "ID 由 1 到 128 个字符组成，不含空白、不可见字符和引号",
);

/// As [`is_id`], for a JSON Schema.
pub const ID_PATTERN: &str = r#"^[^\s"'`´‘-‟«»‹›「-』＂＇]{1,128}$"#;

/// Returns whether a text without invisible characters may be the id of an environment, an order, an app or an extension.
///
/// An API that trims what it is sent would take an id with a space for the one without: two addresses, one environment.
pub fn is_id(text: &str) -> bool {
    let is_quote = |c| matches!(c, '"' | '\'' | '`' | '´' | '‘'..='‟' | '«' | '»' | '‹' | '›' | '「'..='』' | '＂' | '＇');
    (1..=128).contains(&text.chars().count())
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || is_quote(c))
}

/// An id that is stored and printed as the text that it is. Any text is one: what the API returned is kept, whatever it
/// looks like; what a user writes is checked with [`is_id`].
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

id! {
    /// The id of an environment, chosen by Tencent Cloud.
    EnvId
}
id! {
    /// The number of an order.
    TranId
}
id! {
    /// The id of one call, for Tencent Cloud's support.
    RequestId
}

/// The ids of one environment, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ApiIds {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<EnvId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tran_id: Option<TranId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
}
