//! Credentials in the file of Tencent Cloud's SDKs: `~/.tencentcloud/credentials`, INI, one section per profile.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use configparser::ini::{Ini, IniDefault};

use super::types::{Credentials, CredentialsError, checked, read_file};
use crate::i18n::{Text, text};

/// A profile.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) credentials: Credentials,
    pub(super) role_arn: Option<String>,
    pub(super) role_session_name: Option<String>,
}

/// Reads a profile; None when the file has none of this name.
///
/// # Errors
/// When the file can't be read, or the profile is not complete.
pub(super) fn read(file: &Path, profile: &str) -> Result<Option<Section>, CredentialsError> {
    let text = read_text(file)?;
    let sections = sections(file, &text)?;
    let Some(section) = sections.get(profile) else {
        return Ok(None);
    };
    let place = format!("[{profile}] in {}", file.display());
    if let Some(line) = repeated_line(&text, profile) {
        return Err(CredentialsError::invalid(
            format!("{}:{line}", file.display()),
            &text!("[{profile}] or one of its keys is repeated here", profile),
        ));
    }
    // As in Python's tools, the case of a name does not matter; others put values in quotes.
    let member = |name: &str| {
        let mut members = section.iter();
        let (_, value) = members.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        let value = value.as_deref().map(unquoted)?;
        (!value.is_empty()).then(|| value.to_owned())
    };
    let value = |name: &str| checked(member(name), &format!("{name} of {place}"));
    let required = |name: &str| value(name)?.ok_or_else(|| CredentialsError::missing(&place, name));
    let (secret_id, secret_key) = (required("secret_id")?, required("secret_key")?);
    let token = match value("token")? {
        Some(token) => Some(token),
        None => value("security_token")?,
    };
    Ok(Some(Section {
        credentials: Credentials { secret_id, secret_key: secret_key.into(), token: token.map(Into::into) },
        role_arn: member("role_arn"),
        role_session_name: member("role_session_name"),
    }))
}

/// Returns the profiles of the file, as far as it can be read, sorted.
pub(super) fn names(file: Option<&Path>) -> Vec<String> {
    let sections = file.and_then(|file| sections(file, &read_text(file).ok()?).ok());
    let mut names: Vec<String> = sections.into_iter().flatten().map(|(name, _)| name).collect();
    names.retain(|name| !name.is_empty());
    names.sort();
    names
}

type Sections = HashMap<String, HashMap<String, Option<String>>>;

fn read_text(file: &Path) -> Result<String, CredentialsError> {
    let unread = |why: &Text| CredentialsError::invalid(file.display(), why);
    let bytes = read_file(file).map_err(|error| unread(&Text::of(&error)))?;
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()),
        Ok(_) | Err(_) => Err(unread(&Text::fixed("not UTF-8 text"))),
    }
}

fn sections(file: &Path, text: &str) -> Result<Sections, CredentialsError> {
    let mut like = IniDefault::default();
    // The name of what is outside of a section.
    like.default_section = String::new();
    like.case_sensitive = true;
    // As in Python's tools, whatever follows a value belongs to it.
    like.enable_inline_comments = false;
    let mut ini = Ini::new_from_defaults(like);
    let sections = ini
        .read(text.to_owned())
        // The error may quote the line.
        .map_err(|why| CredentialsError::malformed(file, line_of(&why), 1))?;
    // A key without its section, or a file in another format: JSON is read as such lines.
    if sections.get("").is_some_and(|outside| !outside.is_empty()) {
        return Err(CredentialsError::invalid(
            file.display(),
            &Text::fixed(
                "not in INI format: a line with the profile's name, such as [default], must come before its secret_id and secret_key",
            ),
        ));
    }
    Ok(sections)
}

/// Returns the line, from 1, that repeats the section or a member of it. The parser would join them, half of one key pair and
/// half of another.
fn repeated_line(text: &str, profile: &str) -> Option<usize> {
    let (mut inside, mut sections, mut members) = (false, 0, HashSet::new());
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            inside = name.trim() == profile;
            sections += usize::from(inside);
            if inside && sections > 1 {
                return Some(number);
            }
        } else if inside
            && !line.starts_with(['#', ';'])
            && let Some((name, _)) = line.split_once(['=', ':'])
            && !members.insert(name.trim().to_ascii_lowercase())
        {
            return Some(number);
        }
    }
    None
}

/// Returns the line of a parser error, `line 3: …`.
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
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value)
}
