//! The file that the vendor's SDKs read: `~/.tencentcloud/credentials`, INI, one section a profile.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use configparser::ini::{Ini, IniDefault};

use super::{Credentials, CredentialsError, checked, read_file};
use crate::lang::{Text, text};

/// A section.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) key: Credentials,
    pub(super) role_arn: Option<String>,
    pub(super) role_session_name: Option<String>,
}

/// Reads a section; None when there is no such section.
///
/// # Errors
/// When the file can't be read, or the section holds no whole key. No text holds a value.
pub(super) fn read(file: &Path, profile: &str) -> Result<Option<Section>, CredentialsError> {
    let text = text_of(file)?;
    let sections = sections(file, &text)?;
    let Some(section) = sections.get(profile) else {
        return Ok(None);
    };
    let place = format!("[{profile}] in {}", file.display());
    if let Some(line) = second(&text, profile) {
        return Err(CredentialsError::Unfit {
            name: format!("{}:{line}", file.display()),
            why: text!(
                "[{profile}] or a member of it stands here a second time",
                "[{profile}] 或其中的某一项在此重复出现"
            ),
        });
    }
    // Nor do they mind the case of a name; others put values in quotes.
    let member = |name: &str| {
        let mut members = section.iter();
        let (_, value) = members.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        let value = value.as_deref().map(unquoted)?;
        (!value.is_empty()).then(|| value.to_owned())
    };
    let incomplete =
        |missing: &str| CredentialsError::Missing { place: place.clone(), name: missing.to_owned() };
    let value = |name: &str| checked(member(name), &format!("{name} of {place}"));
    let secret_id = value("secret_id")?.ok_or_else(|| incomplete("secret_id"))?;
    let secret_key = value("secret_key")?.ok_or_else(|| incomplete("secret_key"))?;
    let token = match value("token")? {
        Some(token) => Some(token),
        None => value("security_token")?,
    };
    Ok(Some(Section {
        key: Credentials { secret_id, secret_key: secret_key.into(), token: token.map(Into::into) },
        role_arn: member("role_arn"),
        role_session_name: member("role_session_name"),
    }))
}

/// The profiles that the file has, as far as it can be read, in order.
pub(super) fn names(file: Option<&Path>) -> Vec<String> {
    let sections = file.and_then(|file| sections(file, &text_of(file).ok()?).ok());
    let mut names: Vec<String> = sections.into_iter().flatten().map(|(name, _)| name).collect();
    names.retain(|name| !name.is_empty());
    names.sort();
    names
}

type Sections = HashMap<String, HashMap<String, Option<String>>>;

fn text_of(file: &Path) -> Result<String, CredentialsError> {
    let unread = |why| CredentialsError::File { file: file.to_owned(), why };
    let bytes = read_file(file).map_err(|error| unread(Text::of(&error)))?;
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()),
        Ok(_) | Err(_) => Err(unread(text!("it is not UTF-8 text", "它不是 UTF-8 文本"))),
    }
}

fn sections(file: &Path, text: &str) -> Result<Sections, CredentialsError> {
    let mut like = IniDefault::default();
    // Outside of a section there is nothing.
    like.default_section = String::new();
    like.case_sensitive = true;
    // As Python's tools do: what stands behind a value belongs to it.
    like.enable_inline_comments = false;
    let mut ini = Ini::new_from_defaults(like);
    let sections = ini
        .read(text.to_owned())
        // What it says may quote the line.
        .map_err(|why| CredentialsError::Malformed {
            file: file.to_owned(),
            line: line_of(&why),
            column: 1,
        })?;
    // A key without its section, or a file of another form: JSON is read as such lines.
    if sections.get("").is_some_and(|outside| !outside.is_empty()) {
        return Err(CredentialsError::File {
            file: file.to_owned(),
            why: text!(
                "it is not in INI form: a line with the profile's name, as [default], comes before its secret_id and secret_key",
                "它不是 INI 格式：secret_id 和 secret_key 之前应有一行配置名称，如 [default]"
            ),
        });
    }
    Ok(sections)
}

/// The line, from 1, on which the section, or a member of it, stands for the second time. The parser would join them, half
/// of one key and half of another.
fn second(text: &str, profile: &str) -> Option<usize> {
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
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value)
}
