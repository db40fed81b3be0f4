//! Tencent Cloud's API 3.0 protocol: signed requests out, graded answers in.
//!
//! | part | does |
//! |---|---|
//! | [`sign`], [`wire`], [`codes`] | signatures, bodies and what error codes prove: pure; the sandbox shares the first two |
//! | `endpoint`, `proxy`, [`tls`], `http` | addresses, and one request over one fresh connection; `http` alone opens connections |
//! | `redact`, `call_log`, `record` | take secrets out of answers, and log and record calls |
//! | `credentials` | finds credentials, one file per source, and renews temporary ones |
//! | `service`, `sts` | sign calls, correct the clock once, and ask for identities and temporary credentials |
//! | `evidence` | grades answers |
//! | `client`, `read`, `write` | the calls of the seam; `ask` repeats a read, `walk` decides when a list is complete |
//!
//! The command line reads flags and variables into [`CredentialOptions`] and [`CredentialContext`]; [`Chain::find`] says where the
//! credentials are; [`Chain::credentials`] makes the [`CredentialCache`] that calls are signed from.

mod ask;
mod call_log;
mod client;
pub mod codes;
mod credentials;
mod endpoint;
mod error;
mod evidence;
mod http;
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

pub use client::{ClientOptions, RETRY_READS_FOR, TencentClient, regions_to_list};
pub use credentials::assume_role::{AssumeRoleConfig, AssumeRoleProvider};
pub use credentials::cache::{CredentialCache, CredentialProvider, Fetch, NoCredentials};
pub use credentials::chain::{Chain, CredentialOptions, Source};
pub use credentials::metadata::Metadata;
pub use credentials::tccli::TccliLogin;
pub use credentials::types::{CredentialContext, Credentials, CredentialsError, Issued};
pub use credentials::web_identity::{WebIdentity, WebIdentityProvider};
pub use endpoint::{EndpointError, EndpointUrl, user_info};
pub use error::ClientError;
pub use http::{CONNECT_TIMEOUT, Transport};
pub use proxy::Proxies;
pub use record::{Missed, Recorder};
pub use service::REQUEST_CLIENT;
pub use sts::{Sts, StsOptions, is_no_sts};
pub use wire::ENDPOINT;
