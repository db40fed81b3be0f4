//! The file that the vendor's SDKs read: `~/.tencentcloud/credentials`, INI, one section a profile.

use std::path::Path;

use ini::{Ini, ParseOption};

use super::{Credentials, CredentialsError, checked};
use crate::lang::text;

/// A section.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) key: Credentials,
    pub(super) role_arn: Option<String>,
    pub(super) role_session_name: Option<String>,
}

/// Reads a section; None when there is no such file or section.
///
/// # Errors
/// When the file can't be read, or the section holds no whole key. No text holds a value.
pub(super) fn read(file: &Path, profile: &str) -> Result<Option<Section>, CredentialsError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(CredentialsError::File {
                file: file.to_owned(),
                why: text!("{error}", "{error}"),
            });
        }
    };
    let option = ParseOption {
        // A backslash in a value is one.
        enabled_escape: false,
        ..ParseOption::default()
    };
    let ini =
        Ini::load_from_str_opt(text.trim_start_matches('\u{feff}'), option).map_err(|error| {
            CredentialsError::Malformed {
                file: file.to_owned(),
                line: error.line.saturating_add(1),
                column: error.col.saturating_add(1),
            }
        })?;
    let Some(section) = ini.section(Some(profile)) else {
        return Ok(None);
    };
    // Python's tools don't mind the case of a name.
    let member = |name: &str| {
        let mut members = section.iter();
        let found = members.find(|(key, _)| key.trim().eq_ignore_ascii_case(name));
        found
            .map(|(_, value)| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    };
    let place = format!("[{profile}] in {}", file.display());
    let incomplete = |missing: &str| CredentialsError::Incomplete {
        found: place.clone(),
        missing: missing.to_owned(),
    };
    let value = |name: &str| checked(member(name), &format!("{name} of {place}"));
    let secret_id = value("secret_id")?.ok_or_else(|| incomplete("secret_id"))?;
    let secret_key = value("secret_key")?.ok_or_else(|| incomplete("secret_key"))?;
    let token = match value("token")? {
        Some(token) => Some(token),
        None => value("security_token")?,
    };
    Ok(Some(Section {
        key: Credentials {
            secret_id,
            secret_key: secret_key.into(),
            token: token.map(Into::into),
        },
        role_arn: member("role_arn"),
        role_session_name: member("role_session_name"),
    }))
}
