//! The vendor's API 3.0 protocol: signed requests out, graded answers in.
//!
//! [`sign`], [`wire`], [`codes`] and [`credentials`] are pure; [`client`] is the only place that opens a connection, and
//! `read` asks through it, and `change` renames and gives up.
//! [`sign`] and [`wire`] are shared with the sandbox, which speaks the other end of the same protocol.

mod change;
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
mod scrub;
mod service;
pub mod sign;
mod sts;
pub mod tls;
pub mod wire;

pub use client::{ClientError, ClientOptions, RETRY_READS_FOR, TencentClient, regions_to_list};
pub use credentials::{
    Chain, Credentials, CredentialsError, RoleWish, Source, Surroundings, Wishes,
};
pub use endpoint::{is_local_address, is_loopback};
pub use http::{CONNECT_TIMEOUT, Transport};
pub use issuer::{Issuer, Login, Role, WebIdentity};
pub use keys::{Issued, Keys};
pub use metadata::{METADATA, Metadata};
pub use proxy::Proxies;
pub use record::{Missed, Recorder};
#[cfg(test)]
pub(crate) use scrub::visible as made_visible;
pub use service::REQUEST_CLIENT;
pub use sts::{NO_SERVICE, STS_ENDPOINT, Sts, StsOptions, sts_endpoint};
pub use wire::ENDPOINT;
