//! `whoami`: the credentials that a run signs with, and whose they are.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::document::{View, to_json};
use super::lines::Lines;
use super::options::RenderOptions;
use super::text::{clean, duration};
use crate::cloud::Caller;
use crate::i18n::{Text, text};
use crate::state::FormatVersion;

/// Credentials, without their secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "postpay whoami --format json, version 1")]
pub struct Identity {
    pub format_version: FormatVersion,
    /// environment, profile, tccli, web-identity, cvm-role or sandbox.
    pub source: &'static str,
    /// The same in a sentence.
    pub source_text: Text,
    /// The role that is assumed with them.
    pub role: Option<String>,
    /// Shortened. Null while none was issued.
    pub key_id: Option<String>,
    /// When temporary credentials end. Null for permanent ones.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub expires_at: Option<Timestamp>,
    /// How long that is from now.
    #[serde(skip)]
    pub expires_in: Option<SignedDuration>,
    /// As Tencent Cloud reports it. Null when it was not asked.
    pub caller: Option<Caller>,
    pub endpoint: String,
    /// Null for the embedded endpoint.
    pub sts_endpoint: Option<String>,
    pub region: Option<String>,
    /// The regions that are listed; empty when requests name none.
    pub list_regions: Vec<String>,
}

impl View for Identity {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        let plain = |value: &Option<String>| value.as_deref().map(same);
        let caller = self.caller.as_ref();
        let expires = self.expires_at.zip(self.expires_in).map(|(ends, left)| {
            let time = duration(left.unsigned_abs());
            if left.is_negative() {
                text!("{ends}, {time} ago by this machine's clock", ends, time)
            } else {
                text!("{ends}, in {time}", ends, time)
            }
        });
        let regions = (!self.list_regions.is_empty()).then(|| same(&self.list_regions.join(", ")));
        let rows = [
            (text!("source"), Some(self.source_text.clone())),
            (text!("role"), plain(&self.role)),
            (text!("secret id"), Some(plain(&self.key_id).unwrap_or(text!("none issued yet")))),
            (text!("expires"), expires),
            (text!("account"), Some(caller.map_or(text!("unknown"), |caller| same(&caller.account)))),
            (text!("ARN"), caller.and_then(|caller| plain(&caller.arn))),
            (text!("type"), caller.and_then(|caller| plain(&caller.kind))),
            (text!("endpoint"), Some(same(&self.endpoint))),
            (text!("STS"), plain(&self.sts_endpoint)),
            (text!("region"), Some(plain(&self.region).unwrap_or(text!("not set")))),
            (text!("lists in"), regions),
            (text!("RequestId"), caller.and_then(|caller| plain(&caller.request_id))),
        ];
        let mut lines = Lines::new(options);
        for (name, value) in rows {
            if let Some(value) = value {
                // The longest of the names, and two.
                lines.row(0, name, 11, value);
            }
        }
        lines.finish()
    }
}

fn same(value: &str) -> Text {
    Text::same(clean(value).into_owned())
}
