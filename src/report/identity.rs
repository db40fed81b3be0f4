//! Which key a run signs with, and whose it is: what `postpay whoami` tells.

use jiff::{SignedDuration, Timestamp};

use crate::cloud::Caller;
use crate::i18n::Text;

/// Credentials, without their secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// In one word, for programs: environment, profile, tccli, web-identity, cvm-role or sandbox.
    pub source: &'static str,
    /// For people.
    pub source_text: Text,
    /// The role that is taken on top of it.
    pub role: Option<String>,
    /// Shortened. None while none was issued.
    pub key_id: Option<String>,
    /// When a temporary key ends, and how long that is yet.
    pub ends: Option<(Timestamp, SignedDuration)>,
    /// What Tencent Cloud says; None when it was not asked.
    pub caller: Option<Caller>,
    pub endpoint: String,
    /// None for the embedded endpoint.
    pub sts_endpoint: Option<String>,
    pub region: Option<String>,
    /// The regions that a listing asks.
    pub list_regions: Vec<String>,
}
