//! The key that signs orders, and where it comes from.
//!
//! Names differ between the vendor's own tools; the ones that each of them reads are known here. The environment itself is
//! read by the command line, through the closure that it passes.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::lang::{Text, text};

/// A key pair, with a token when the key is a temporary one.
#[derive(Clone)]
pub struct Credentials {
    pub secret_id: String,
    pub secret_key: SecretString,
    pub token: Option<SecretString>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            secret_id: _,
            secret_key: _,
            token,
        } = self;
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
    Absent,
    Incomplete {
        found: &'static str,
        missing: &'static str,
    },
    Empty {
        name: &'static str,
    },
    WhiteSpace {
        name: &'static str,
    },
    Characters {
        name: &'static str,
    },
    Conflict {
        one: &'static str,
        other: &'static str,
    },
}

impl CredentialsError {
    pub fn text(&self) -> Text {
        match self {
            Self::Absent => Text::fixed(
                "no key is set: TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY are needed",
                "未设置密钥：需要 TENCENTCLOUD_SECRET_ID 和 TENCENTCLOUD_SECRET_KEY",
            ),
            Self::Incomplete { found, missing } => text!(
                "{found} is set but {missing} is not: both are needed",
                "设置了 {found}，但没有设置 {missing}：两者都需要"
            ),
            Self::Empty { name } => text!(
                "{name} is set but empty: set it or unset it",
                "{name} 已设置但为空：请设置值或取消设置"
            ),
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
        }
    }
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// One spelling of the names. A spelling is taken whole or not at all.
struct Spelling {
    id: &'static str,
    key: &'static str,
    tokens: &'static [&'static str],
}

/// The first spelling that has any of its names set is the one that counts. The second is what the vendor's function
/// runtime and CloudBase's tools set by themselves, so a key that a person chose goes before it.
const SPELLINGS: [Spelling; 2] = [
    Spelling {
        id: "TENCENTCLOUD_SECRET_ID",
        key: "TENCENTCLOUD_SECRET_KEY",
        tokens: &[
            "TENCENTCLOUD_TOKEN",
            "TENCENTCLOUD_SECURITY_TOKEN",
            "TENCENTCLOUD_SESSION_TOKEN",
        ],
    },
    Spelling {
        id: "TENCENTCLOUD_SECRETID",
        key: "TENCENTCLOUD_SECRETKEY",
        tokens: &["TENCENTCLOUD_SESSIONTOKEN"],
    },
];

impl Credentials {
    /// Takes the key from named values, which the caller looks up.
    ///
    /// # Errors
    /// When no usable key is set. The text names what is missing or wrong and never shows a value.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, CredentialsError> {
        for spelling in &SPELLINGS {
            let id = read(&lookup, spelling.id)?;
            let key = read(&lookup, spelling.key)?;
            let token = read_token(&lookup, spelling.tokens)?;
            let (secret_id, secret_key) = match (id, key, &token) {
                (Some(id), Some(key), _) => (id, key),
                (Some(_), None, _) => return Err(incomplete(spelling.id, spelling.key)),
                (None, Some(_), _) => return Err(incomplete(spelling.key, spelling.id)),
                (None, None, Some((name, _))) => return Err(incomplete(name, spelling.id)),
                (None, None, None) => continue,
            };
            return Ok(Self {
                secret_id,
                secret_key: secret_key.into(),
                token: token.map(|(_, token)| token.into()),
            });
        }
        Err(CredentialsError::Absent)
    }

    /// The key id, shortened so that it can be shown.
    pub fn short_id(&self) -> String {
        match (
            self.secret_id.get(..4),
            self.secret_id.get(self.secret_id.len().saturating_sub(4)..),
        ) {
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

fn incomplete(found: &'static str, missing: &'static str) -> CredentialsError {
    CredentialsError::Incomplete { found, missing }
}

fn read_token(
    lookup: &impl Fn(&str) -> Option<String>,
    names: &[&'static str],
) -> Result<Option<(&'static str, String)>, CredentialsError> {
    let mut token: Option<(&'static str, String)> = None;
    for name in names {
        match (read(lookup, name)?, &token) {
            (None, _) => {}
            (Some(value), None) => token = Some((name, value)),
            (Some(value), Some((_, first))) if value == *first => {}
            (Some(_), Some((one, _))) => {
                return Err(CredentialsError::Conflict { one, other: name });
            }
        }
    }
    Ok(token)
}

fn read(
    lookup: &impl Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<Option<String>, CredentialsError> {
    let Some(value) = lookup(name) else {
        return Ok(None);
    };
    if value.is_empty() {
        Err(CredentialsError::Empty { name })
    } else if value.chars().any(char::is_whitespace) {
        Err(CredentialsError::WhiteSpace { name })
    } else if !value.chars().all(|c| c.is_ascii_graphic()) {
        Err(CredentialsError::Characters { name })
    } else {
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "TENCENTCLOUD_SECRET_ID";
    const KEY: &str = "TENCENTCLOUD_SECRET_KEY";
    const RUNTIME_ID: &str = "TENCENTCLOUD_SECRETID";
    const RUNTIME_KEY: &str = "TENCENTCLOUD_SECRETKEY";
    const RUNTIME_TOKEN: &str = "TENCENTCLOUD_SESSIONTOKEN";

    fn from(pairs: &[(&str, &str)]) -> Result<Credentials, CredentialsError> {
        Credentials::from_lookup(|name| {
            pairs
                .iter()
                .find(|(set, _)| *set == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn every_spelling_is_read() {
        for token in [
            "TENCENTCLOUD_TOKEN",
            "TENCENTCLOUD_SECURITY_TOKEN",
            "TENCENTCLOUD_SESSION_TOKEN",
        ] {
            let key = from(&[(ID, "i"), (KEY, "k"), (token, "t")]).unwrap();
            assert_eq!(key.secret_id, "i");
            assert_eq!(key.secret_key.expose_secret(), "k");
            assert_eq!(key.token.unwrap().expose_secret(), "t");
        }
        let key = from(&[(RUNTIME_ID, "i"), (RUNTIME_KEY, "k"), (RUNTIME_TOKEN, "t")]).unwrap();
        assert_eq!(key.secret_id, "i");
        assert_eq!(key.token.unwrap().expose_secret(), "t");
    }

    #[test]
    fn a_chosen_key_goes_before_the_runtimes_and_takes_nothing_from_it() {
        let key = from(&[
            (ID, "chosen"),
            (KEY, "k"),
            (RUNTIME_ID, "runtime"),
            (RUNTIME_KEY, "rk"),
            (RUNTIME_TOKEN, "rt"),
        ])
        .unwrap();
        assert_eq!(key.secret_id, "chosen");
        assert!(key.token.is_none());
    }

    #[test]
    fn what_is_wrong_is_named_and_never_shown() {
        let secret = "hunter2";
        let joined = format!("{secret} {secret}");
        let newline = format!("{secret}\n");
        let table = [
            (
                from(&[]),
                "TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY are needed",
            ),
            (from(&[(ID, secret)]), "TENCENTCLOUD_SECRET_KEY is not"),
            (from(&[(KEY, secret)]), "TENCENTCLOUD_SECRET_ID is not"),
            (
                from(&[("TENCENTCLOUD_TOKEN", secret)]),
                "TENCENTCLOUD_SECRET_ID is not",
            ),
            (
                from(&[(ID, secret), (RUNTIME_KEY, secret)]),
                "TENCENTCLOUD_SECRET_KEY is not",
            ),
            (
                from(&[(ID, ""), (KEY, secret)]),
                "TENCENTCLOUD_SECRET_ID is set but empty",
            ),
            (
                from(&[(ID, secret), (KEY, "")]),
                "TENCENTCLOUD_SECRET_KEY is set but empty",
            ),
            (
                from(&[(ID, secret), (KEY, &joined)]),
                "TENCENTCLOUD_SECRET_KEY holds white space",
            ),
            (
                from(&[(ID, secret), (KEY, &newline)]),
                "TENCENTCLOUD_SECRET_KEY holds white space",
            ),
            (
                from(&[(ID, "hunter2密"), (KEY, secret)]),
                "TENCENTCLOUD_SECRET_ID holds characters",
            ),
            (
                from(&[
                    (ID, secret),
                    (KEY, secret),
                    ("TENCENTCLOUD_TOKEN", secret),
                    ("TENCENTCLOUD_SESSION_TOKEN", "other"),
                ]),
                "TENCENTCLOUD_TOKEN and TENCENTCLOUD_SESSION_TOKEN are both set",
            ),
        ];
        for (result, expected) in table {
            let error = result.unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(expected), "{text}");
            assert!(!text.contains(secret), "{text}");
        }
    }

    #[test]
    fn equal_tokens_are_one() {
        let key = from(&[
            (ID, "i"),
            (KEY, "k"),
            ("TENCENTCLOUD_TOKEN", "t"),
            ("TENCENTCLOUD_SECURITY_TOKEN", "t"),
        ]);
        assert!(key.unwrap().token.is_some());
    }

    #[test]
    fn debug_shows_a_shortened_id_and_no_secret() {
        let key = from(&[
            (ID, "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"),
            (KEY, "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"),
            ("TENCENTCLOUD_TOKEN", "tokentoken"),
        ])
        .unwrap();
        assert_eq!(
            format!("{key:?}"),
            r#"Credentials { secret_id: "AKID…MPLE", secret_key: "…", token: Some("…") }"#
        );
        assert_eq!(from(&[(ID, "short"), (KEY, "k")]).unwrap().short_id(), "…");
    }

    #[test]
    fn every_error_is_told_in_both_languages() {
        for error in [
            CredentialsError::Absent,
            incomplete(ID, KEY),
            CredentialsError::Empty { name: ID },
            CredentialsError::WhiteSpace { name: ID },
            CredentialsError::Characters { name: ID },
            CredentialsError::Conflict {
                one: ID,
                other: KEY,
            },
        ] {
            assert!(error.text().is_in_both(), "{error}");
        }
    }
}
