//! The key that signs orders, and where it comes from.
//!
//! Names differ between the vendor's own tools; the ones that each of them reads are known here: `environment`, `profile` for
//! the SDKs' file, `tccli` for the command line's. `places` tries them in order, `role` is
//! what stands on top, and `chain` puts them together. The environment itself is read by the command
//! line, through the closure that it passes.

mod chain;
mod environment;
mod places;
mod profile;
mod role;
mod source;
pub(in crate::cloud::tencent) mod tccli;

use std::path::{Path, PathBuf};
use std::{fmt, io};

use secrecy::{ExposeSecret, SecretString};

use crate::files::{self, Links};
use crate::lang::{Text, text};
pub use chain::{Chain, CredentialContext, Wishes};
pub use role::AssumeRoleConfig;
pub use source::Source;

/// A key pair, with a token when the key is a temporary one.
#[derive(Clone)]
pub struct Credentials {
    pub secret_id: String,
    pub secret_key: SecretString,
    pub token: Option<SecretString>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret_id: _, secret_key: _, token } = self;
        f.debug_struct("Credentials")
            .field("secret_id", &self.short_id())
            .field("secret_key", &"…")
            .field("token", &token.as_ref().map(|_| "…"))
            .finish()
    }
}

/// Why there is no usable key. No variant holds a value, only names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// Nothing is anywhere; where it was looked, a line each.
    Absent {
        looked: Vec<Text>,
    },
    Incomplete {
        found: String,
        missing: String,
    },
    /// A file that has part of a key.
    Missing {
        place: String,
        name: String,
    },
    WhiteSpace {
        name: String,
    },
    Characters {
        name: String,
    },
    Conflict {
        one: &'static str,
        other: &'static str,
    },
    /// A file that can't be read.
    File {
        file: PathBuf,
        why: Text,
    },
    /// A file that is not in its form, from where on; counted from 1.
    Malformed {
        file: PathBuf,
        line: usize,
        column: usize,
    },
    /// A profile that was asked for by name and is in none of its files.
    NoProfile {
        name: String,
        looked: Vec<PathBuf>,
        /// The profiles that there are.
        known: Vec<String>,
    },
    /// A value that can't be what it is for. `name` is the flag, the variable or the member and its file.
    Unfit {
        name: String,
        why: Text,
    },
    /// The log-in of the vendor's command line is over.
    Ended {
        file: PathBuf,
        profile: String,
    },
}

impl CredentialsError {
    pub fn text(&self) -> Text {
        match self {
            Self::Absent { looked: _ } => text!("no key was found", "未找到密钥"),
            Self::Incomplete { found, missing } => text!(
                "{found} is set but {missing} is not: both are needed",
                "设置了 {found}，但没有设置 {missing}：两者都需要"
            ),
            Self::Missing { place, name } => {
                text!("{place} has no {name}", "{place} 中没有 {name}")
            }
            Self::WhiteSpace { name } => text!(
                "{name} holds white space: a value was copied with its surroundings, or two were joined",
                "{name} 中有空白字符：可能多复制了前后内容，或把两个值连在了一起"
            ),
            Self::Characters { name } => text!(
                "{name} holds characters that no key has: only printable ASCII can be sent",
                "{name} 中有密钥不会包含的字符：只能发送可打印 ASCII"
            ),
            Self::Conflict { one, other } => text!(
                "{one} and {other} are both set and differ: keep one of them",
                "{one} 和 {other} 都已设置但值不同：只保留其中一个"
            ),
            Self::File { file, why } => {
                let file = file.display();
                text!("{file}: {why}", "{file}：{why:#}")
            }
            Self::Malformed { file, line, column } => {
                let file = file.display();
                text!("{file}:{line}:{column}: syntax error", "{file}:{line}:{column}：语法错误")
            }
            Self::NoProfile { name, looked, known: _ } => {
                let files: Vec<String> = looked.iter().map(|file| file.display().to_string()).collect();
                let (en, zh) = (files.join(" or "), files.join("、"));
                text!("there is no profile `{name}` in {en}", "没有名为 `{name}` 的配置：已查找 {zh}")
            }
            Self::Unfit { name, why } => text!("{name}: {why}", "{name}：{why:#}"),
            Self::Ended { file, profile } => {
                let file = file.display();
                text!(
                    "the log-in in {file} has ended: log in again with tccli, for the profile `{profile}`",
                    "{file} 中的登录已过期：请用 tccli 重新登录（配置 `{profile}`）"
                )
            }
        }
    }
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl Credentials {
    /// The key id, shortened so that it can be shown.
    pub fn short_id(&self) -> String {
        match (self.secret_id.get(..4), self.secret_id.get(self.secret_id.len().saturating_sub(4)..)) {
            (Some(start), Some(end)) if self.secret_id.len() >= 16 => format!("{start}…{end}"),
            _ => "…".to_owned(),
        }
    }

    /// Everything that must not be shown, with what stands in its place.
    pub(super) fn needles(&self) -> Vec<(String, &'static str)> {
        let mut needles = vec![(self.secret_key.expose_secret().to_owned(), "[secret key]")];
        if let Some(token) = &self.token {
            needles.push((token.expose_secret().to_owned(), "[token]"));
        }
        needles.push((self.secret_id.clone(), "[secret id]"));
        needles
    }
}

/// A file that holds a key, and is small.
pub(in crate::cloud::tencent) fn read_file(file: &Path) -> io::Result<Vec<u8>> {
    /// Far more than any of them has.
    const MOST: u64 = 1 << 20;
    files::read(file, Links::Followed, MOST)
}

/// A value that may stand in a signature; None when there is none, or it is empty. `name` is what it is called in an error.
fn checked(value: Option<String>, name: &str) -> Result<Option<String>, CredentialsError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let name = name.to_owned();
    if value.chars().any(char::is_whitespace) {
        Err(CredentialsError::WhiteSpace { name })
    } else if !value.chars().all(|c| c.is_ascii_graphic()) {
        Err(CredentialsError::Characters { name })
    } else {
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests;
