//! The file that the vendor's SDKs read: `~/.tencentcloud/credentials`, INI, one section a profile.

use std::path::Path;

use configparser::ini::{Ini, IniDefault};

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
    let mut like = IniDefault::default();
    // Outside of a section there is nothing.
    like.default_section = String::new();
    like.case_sensitive = true;
    // As Python's tools do: what stands behind a value belongs to it.
    like.enable_inline_comments = false;
    let mut ini = Ini::new_from_defaults(like);
    let sections = ini
        .read(text.trim_start_matches('\u{feff}').to_owned())
        // What it says may quote the line.
        .map_err(|why| CredentialsError::Malformed {
            file: file.to_owned(),
            line: line_of(&why),
            column: 1,
        })?;
    let Some(section) = sections.get(profile) else {
        return Ok(None);
    };
    // Nor do they mind the case of a name; others put values in quotes.
    let member = |name: &str| {
        let mut members = section.iter();
        let (_, value) = members.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        let value = value.as_deref().map(unquoted)?;
        (!value.is_empty()).then(|| value.to_owned())
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

/// `line 3: …`, as the parser says it.
fn line_of(why: &str) -> usize {
    let number = why
        .split_once("line ")
        .map_or("", |(_, rest)| rest)
        .chars()
        .take_while(char::is_ascii_digit)
        .collect::<String>();
    number.parse().unwrap_or(1)
}

fn unquoted(value: &str) -> &str {
    let value = value.trim();
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}
