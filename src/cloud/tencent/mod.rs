//! The vendor's API 3.0 protocol: signed requests out, graded answers in.
//!
//! [`sign`], [`wire`], [`codes`] and [`credentials`] are pure; [`client`] is the only place that opens a connection.
//! [`sign`] and [`wire`] are shared with the sandbox, which speaks the other end of the same protocol.

pub mod client;
pub mod codes;
pub mod credentials;
mod evidence;
mod scrub;
pub mod sign;
mod tls;
pub mod wire;

pub use client::{ClientError, ClientOptions, TencentClient};
pub use credentials::{Credentials, CredentialsError};

/// Where the vendor answers, when nothing else is configured.
pub const ENDPOINT: &str = "https://tcb.tencentcloudapi.com";
/// The service's name in a signature.
pub const SERVICE: &str = "tcb";
/// The API version that the actions belong to.
pub const VERSION: &str = "2018-06-08";
/// The action that orders an environment.
pub const CREATE: &str = "CreatePostpayPackage";
