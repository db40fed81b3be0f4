//! The metadata service of the machine that this runs on, which hands out keys for the machine's role.
//!
//! It is the one place that is spoken to without TLS off this very computer: the vendor has it no other way, and it is a
//! link-local address that only the machine itself reaches. It gets nothing to know, and no proxy stands between.

use std::sync::OnceLock;
use std::time::Duration;

use super::client::ClientError;
use super::http::{Http, Received};
use super::issuer::no_key;
use super::keys::Issued;
use super::redact::visible;
use super::sts::issued;
use super::wire;
use crate::cloud::{CloudError, Grade, NotSent};
use crate::lang::{Text, text};

/// Where the vendor has it.
pub const METADATA: &str = "http://metadata.tencentyun.com";
const CONNECT: Duration = Duration::from_secs(1);
const WHOLE: Duration = Duration::from_secs(2);
const PATH: &str = "/latest/meta-data/cam/security-credentials/";
/// A key has some hundred bytes.
const MOST: usize = 1 << 16;

/// Asks for keys of the machine's role.
pub struct Metadata {
    http: Http,
    /// As it was named, or as the service named it first: a run stays with one role.
    role: OnceLock<String>,
}

impl Metadata {
    /// Sets it up, for a role or for whichever the machine has. Nothing is sent.
    ///
    /// # Errors
    /// When `address` can't be one: besides the vendor's it may only be this very computer's. When `role` can be no name.
    pub fn new(address: &str, role: Option<String>) -> Result<Self, ClientError> {
        if let Some(role) = role.as_ref().filter(|role| !is_name(role)) {
            return Err(ClientError::Role { role: visible(role) });
        }
        Ok(Self {
            http: Http::beside(address, METADATA, CONNECT, WHOLE)?,
            role: role.map(OnceLock::from).unwrap_or_default(),
        })
    }

    /// The name of the machine's role; None when it has none.
    ///
    /// # Errors
    /// When the service does not say: it may, later, or there is none.
    pub async fn role(&self) -> Result<Option<String>, CloudError> {
        if let Some(role) = self.role.get() {
            return Ok(Some(role.clone()));
        }
        let body = match self.http.get(PATH, MOST).await {
            Ok(Received { status: 200, body, broken: None, .. }) => body,
            Ok(Received { status: 404, .. }) => return Ok(None),
            Ok(Received { broken: Some(why), .. }) => {
                return Err(later(text!(
                    "its metadata service broke off: {why}",
                    "元数据服务的应答中断：{why:#}"
                )));
            }
            Ok(Received { status, .. }) => {
                return Err(later(text!(
                    "its metadata service answered with HTTP status {status}",
                    "元数据服务返回了 HTTP 状态 {status}"
                )));
            }
            Err(lost) => {
                let why = &lost.why;
                return Err(later(text!(
                    "its metadata service did not answer: {why}",
                    "元数据服务没有应答：{why:#}"
                )));
            }
        };
        let text = String::from_utf8_lossy(&body);
        let Some(name) = text.lines().map(str::trim).find(|name| !name.is_empty()) else {
            return Ok(None);
        };
        if !is_name(name) {
            let start: String = name.chars().take(40).collect();
            let shown = visible(&start);
            return Err(later(text!(
                "its metadata service answered with what is no role's name: {shown}",
                "元数据服务返回的内容不是角色名：{shown}"
            )));
        }
        Ok(Some(self.role.get_or_init(|| name.to_owned()).clone()))
    }

    pub(super) async fn key(&self) -> Result<Issued, CloudError> {
        let role = self.role().await.map_err(|error| {
            let why = &error.message;
            later(text!("this machine's role: {why}", "本机角色：{why:#}"))
        });
        let Some(role) = role? else {
            return Err(no_key(text!(
                "this machine has no role: its metadata service names none",
                "本机没有绑定角色：元数据服务没有返回角色名"
            )));
        };
        let shown = visible(&role);
        let answer = self.http.get(&format!("{PATH}{role}"), MOST).await;
        match answer {
            Ok(Received { status: 200, body, broken: None, .. }) => match wire::decode_metadata(&body) {
                Some(session) => Ok(issued(session)),
                None => Err(later(text!(
                    "the metadata service gave no key for the role {shown}",
                    "元数据服务没有给出角色 {shown} 的密钥"
                ))),
            },
            Ok(Received { broken: Some(why), .. }) => Err(later(text!(
                "the metadata service broke off when asked for a key of the role {shown}: {why}",
                "向元数据服务请求角色 {shown} 的密钥时，应答中断：{why:#}"
            ))),
            Ok(Received { status, .. }) => Err(later(text!(
                "the metadata service answered with HTTP status {status} when asked for a key of the role {shown}",
                "向元数据服务请求角色 {shown} 的密钥时，返回了 HTTP 状态 {status}"
            ))),
            Err(lost) => {
                let why = &lost.why;
                Err(later(text!(
                    "the metadata service was asked for a key of the role {shown}: {why}",
                    "向元数据服务请求角色 {shown} 的密钥：{why:#}"
                )))
            }
        }
    }
}

/// There is no key yet; there may be one when it is asked again.
fn later(why: Text) -> CloudError {
    CloudError::new(Grade::NotSent(NotSent::NoKey), why)
}

/// A role's name becomes part of a path.
fn is_name(name: &str) -> bool {
    let is_in_name =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '@' | '+' | ',');
    !name.is_empty() && !matches!(name, "." | "..") && name.chars().all(is_in_name)
}
