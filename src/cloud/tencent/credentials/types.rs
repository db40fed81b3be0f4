//! Credentials, what they are read from, and why there are none.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secrecy::SecretString;

use super::super::wire::Session;
use crate::files::{self, Links};
use crate::i18n::{Text, text};

/// A key pair, with a token when it is temporary.
#[derive(Clone)]
pub struct Credentials {
    pub secret_id: String,
    pub secret_key: SecretString,
    pub token: Option<SecretString>,
}

impl Credentials {
    /// Returns the secret id, shortened so that it can be shown.
    pub fn short_id(&self) -> String {
        match (self.secret_id.get(..4), self.secret_id.get(self.secret_id.len().saturating_sub(4)..)) {
            (Some(start), Some(end)) if self.secret_id.len() >= 16 => format!("{start}…{end}"),
            _ => "…".to_owned(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("secret_id", &self.short_id()).finish_non_exhaustive()
    }
}

/// Credentials as a source issued them.
#[derive(Debug, Clone)]
pub struct Issued {
    pub credentials: Credentials,
    /// None for credentials that do not end.
    pub ends: Option<Timestamp>,
}

impl From<Session> for Issued {
    fn from(session: Session) -> Self {
        let Session { secret_id, secret_key, token, ends } = session;
        Self {
            credentials: Credentials { secret_id, secret_key: secret_key.into(), token: Some(token.into()) },
            // An end that is no time has passed.
            ends: Some(Timestamp::from_second(ends).unwrap_or(Timestamp::UNIX_EPOCH)),
        }
    }
}

/// What credentials are looked for in, besides the flags.
pub struct CredentialContext<'a> {
    /// Returns a variable as it is set. An empty one counts as unset: CI systems pass on so a secret that they do not have.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    pub home: Option<PathBuf>,
    pub now: Timestamp,
}

impl CredentialContext<'_> {
    /// Returns a variable that is set and not empty.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// Returns a variable that may be part of credentials or of a request.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>, CredentialsError> {
        checked((self.variable)(name), name)
    }

    /// Returns the value of several variables that mean the same, and the first that is set.
    ///
    /// # Errors
    /// When they differ: none of them is surely meant.
    pub(super) fn read_any<'n>(
        &self,
        names: &[&'n str],
    ) -> Result<Option<(&'n str, String)>, CredentialsError> {
        let mut found: Option<(&'n str, String)> = None;
        for &name in names {
            match (self.read(name)?, &found) {
                (None, _) => {}
                (Some(value), None) => found = Some((name, value)),
                (Some(value), Some((_, first))) if value == *first => {}
                (Some(_), Some((first, _))) => return Err(CredentialsError::conflict(first, name)),
            }
        }
        Ok(found)
    }
}

/// Why there are no usable credentials. It holds names, and no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// There are none anywhere; where they were looked for, one line per place.
    Absent { looked: Vec<Text> },
    /// A profile that was asked for by name and is in none of its files, and the profiles that are.
    NoProfile { name: String, files: Vec<PathBuf>, known: Vec<String> },
    /// Something is there, and is not complete or not valid.
    Invalid(Text),
}

impl CredentialsError {
    pub fn text(&self) -> Text {
        match self {
            Self::Absent { looked: _ } => text!("no credentials found"),
            Self::NoProfile { name, files, known: _ } => {
                let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
                let (en, zh) = (files.join(" or "), files.join("、"));
                text!("no profile `{name}` in {en}", name, en; zh)
            }
            Self::Invalid(text) => text.clone(),
        }
    }

    /// Two variables or flags of which only one is set.
    pub(super) fn incomplete(found: &str, missing: &str) -> Self {
        Self::Invalid(text!("{found} is set but {missing} is not: both are required", found, missing))
    }

    /// A file that has part of the credentials.
    pub(super) fn missing(place: &str, name: &str) -> Self {
        Self::Invalid(text!("{place} has no {name}", place, name))
    }

    pub(super) fn conflict(one: &str, other: &str) -> Self {
        Self::Invalid(text!("{one} and {other} are both set and differ: remove one of them", one, other))
    }

    /// A file that is not in its format, from a line and column on, counted from 1.
    pub(super) fn malformed(file: &Path, line: usize, column: usize) -> Self {
        let file = file.display();
        Self::Invalid(text!("{file}:{line}:{column}: syntax error", file, line, column))
    }

    /// A file, flag or variable, and what is wrong with it.
    pub(super) fn invalid(what: impl fmt::Display, why: &Text) -> Self {
        Self::Invalid(text!("{what}: {why}", what, why))
    }
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// Reads a file that holds credentials, or a token.
pub(super) fn read_file(file: &Path) -> io::Result<Vec<u8>> {
    /// Far more than any of them has.
    const MOST: u64 = 1 << 20;
    files::read(file, Links::Followed, MOST)
}

/// Returns a value that may be part of a signature; None when it is unset or empty. `name` is what an error calls it.
pub(super) fn checked(value: Option<String>, name: &str) -> Result<Option<String>, CredentialsError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    if value.chars().any(char::is_whitespace) {
        return Err(CredentialsError::Invalid(text!(
            "{name} contains whitespace: too much was copied, or two values were joined",
            name
        )));
    }
    if !value.chars().all(|c| c.is_ascii_graphic()) {
        return Err(CredentialsError::Invalid(text!(
            "{name} contains invalid characters: only printable ASCII is allowed",
            name
        )));
    }
    Ok(Some(value))
}
