//! Where a key comes from, in a word for programs and in a sentence for people.

use std::path::PathBuf;

use super::Credentials;
use crate::cloud::tencent::issuer::{Role, WebIdentity};
use crate::lang::{Text, text};

/// Where a key comes from.
#[derive(Debug, Clone)]
pub enum Source {
    Environment {
        /// The variable of its id.
        name: &'static str,
        key: Credentials,
    },
    Profile {
        name: String,
        file: PathBuf,
        key: Credentials,
    },
    Tccli {
        name: String,
        file: PathBuf,
        key: Credentials,
        /// tccli keeps it for the time of a log-in, and renews it there.
        is_login: bool,
    },
    WebIdentity(WebIdentity),
    Machine {
        role: Option<String>,
        /// False when nothing else was found: there may be no such machine.
        is_asked_for: bool,
    },
}

impl Source {
    /// In one word, for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Environment { .. } => "environment",
            Self::Profile { .. } => "profile",
            Self::Tccli { .. } => "tccli",
            Self::WebIdentity(_) => "web-identity",
            Self::Machine { .. } => "cvm-role",
        }
    }

    /// For people.
    pub fn text(&self) -> Text {
        match self {
            Self::Environment { name, .. } => {
                text!("environment ({name})", "环境变量（{name}）")
            }
            Self::Profile { name, file, .. } => {
                let file = file.display();
                text!("profile `{name}` in {file}", "{file} 中的配置 `{name}`")
            }
            Self::Tccli { name, file, is_login, .. } => {
                let file = file.display();
                if *is_login {
                    text!("tccli's log-in `{name}` in {file}", "{file} 中的 tccli 登录 `{name}`")
                } else {
                    text!("tccli's profile `{name}` in {file}", "{file} 中的 tccli 配置 `{name}`")
                }
            }
            Self::WebIdentity(identity) => {
                let WebIdentity { provider_id, token_file, role: Role { arn, .. } } = identity;
                let file = token_file.display();
                text!(
                    "role {arn}, vouched for by {provider_id} with the token in {file}",
                    "角色 {arn}，由 {provider_id} 以 {file} 中的令牌担保"
                )
            }
            Self::Machine { role, is_asked_for } => match (role, is_asked_for) {
                (Some(role), _) => text!("this machine's role {role}", "本机角色 {role}"),
                (None, true) => text!("this machine's role", "本机角色"),
                (None, false) => text!(
                    "this machine's role, if it has one (it was not asked)",
                    "本机角色（如果有；未查询）"
                ),
            },
        }
    }
}
