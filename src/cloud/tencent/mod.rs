//! The vendor's API 3.0 protocol: signed requests out, graded answers in.
//!
//! | part | does |
//! |---|---|
//! | [`sign`], [`wire`], [`codes`] | signatures, bodies and what error codes prove: pure; the sandbox shares the first two |
//! | [`credentials`] | finds the key where the vendor's tools keep theirs; reads files, sends nothing |
//! | `keys`, `issuer`, `sts`, `metadata` | have temporary keys issued, renew them before they end, and ask whose a key is |
//! | `service` | signs a call with the key of the moment, mends the clock once, and has the answer judged |
//! | `http`, [`tls`], `proxy` | one request over one fresh connection; the only place that opens one |
//! | `evidence`, `redact`, `record` | grade an answer, take secrets out, and keep what was said for a support ticket |
//! | [`client`], `read`, `write` | the calls of the seam; `ask` repeats a read, `walk` decides when a list is complete |
//!
//! The way of a key: the command line reads flags and variables into [`Wishes`] and [`CredentialContext`]; [`Chain::find`] says where
//! the key is; [`Chain::keys`] makes a [`Keys`] of it, which gives the key of the moment to whoever signs.

mod ask;
pub mod client;
pub mod codes;
pub mod credentials;
mod endpoint;
mod evidence;
mod http;
mod issuer;
mod keys;
mod metadata;
mod proxy;
mod read;
mod record;
mod redact;
mod service;
pub mod sign;
mod sts;
pub mod tls;
mod walk;
pub mod wire;
mod write;

pub use client::{ClientError, ClientOptions, RETRY_READS_FOR, TencentClient, regions_to_list};
pub use credentials::{
    AssumeRoleConfig, Chain, CredentialContext, Credentials, CredentialsError, Source, Wishes,
};
pub use endpoint::{EndpointError, EndpointUrl, is_local_address, is_loopback, user_info};
pub use http::{CONNECT_TIMEOUT, Transport};
pub use issuer::{Issuer, Login, Role, WebIdentity};
pub use keys::{Issued, Keys};
pub use metadata::{METADATA, Metadata};
pub use proxy::Proxies;
pub use record::{Missed, Recorder};
#[cfg(test)]
pub(crate) use redact::visible as made_visible;
pub use service::REQUEST_CLIENT;
pub use sts::{STS_ENDPOINT, Sts, StsOptions, is_no_sts, sts_endpoint};
pub use wire::ENDPOINT;
