//! The places that are looked at where no key was asked for by name, in the order of the vendor's own tools.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::chain::{Chain, CredentialContext};
use super::environment::{self, read};
use super::role::{AssumeRoleConfig, Said, taken};
use super::{CredentialsError, Source, profile, tccli};
use crate::cloud::tencent::issuer::Role;
use crate::cloud::tencent::redact::visible;
use crate::lang::{Text, text};

const DEFAULT: &str = "default";
const CREDENTIALS_FILE: &str = "TENCENTCLOUD_CREDENTIALS_FILE";
/// What names a profile: for the vendor's Terraform provider, and for its command line.
const PROFILES: [&str; 2] = ["TENCENTCLOUD_PROFILE", "TCCLI_PROFILE"];

impl CredentialContext<'_> {
    /// The places that are looked at without anything being asked for, or those that a profile may be in.
    pub(super) fn look(&self, profile: Option<&str>) -> Result<Chain, CredentialsError> {
        let mut looked = Vec::new();
        if profile.is_none() {
            if let Some((name, key)) = environment::key(&|name| self.chosen(name))? {
                let role = self.role_of_environment()?;
                return Ok(Chain { role, ..Chain::of(Source::Environment { name, key }) });
            }
            looked.push(text!(
                "the environment: neither TENCENTCLOUD_SECRET_ID nor TENCENTCLOUD_SECRETID is set",
                "环境变量：TENCENTCLOUD_SECRET_ID 和 TENCENTCLOUD_SECRETID 均未设置"
            ));
        }
        // Who chose a profile gets that one or none: another one may be another account's.
        let chosen = match profile {
            Some(name) => Some(name.to_owned()),
            None => self.profile()?,
        };
        let name = chosen.clone().unwrap_or_else(|| DEFAULT.to_owned());
        if name.contains(['/', '\\']) || name.contains("..") {
            let name = visible(&name);
            return Err(CredentialsError::Unfit {
                name: format!("--profile {name}"),
                why: text!("a profile is a name, not a path", "配置是一个名称，而不是路径"),
            });
        }
        let mut files = Vec::new();
        if let Some(file) = self.sdks_file()? {
            if is_there(&file)? {
                if let Some(found) = section(&file, &name)? {
                    return Ok(found);
                }
                // Nobody knows whose key it holds: one from elsewhere may be another account's.
                if chosen.is_none() {
                    return Err(CredentialsError::NoProfile {
                        name,
                        known: profile::names(Some(&file)),
                        looked: vec![file],
                    });
                }
            }
            looked.push(nothing_at(&file));
            files.push(file);
        }
        if let Some(home) = &self.home {
            let file = tccli::path(home, &name);
            if is_there(&file)? {
                return self.tccli(file, name);
            }
            looked.push(nothing_at(&file));
            files.push(file);
        }
        if let Some(name) = chosen {
            let mut known = profile::names(files.first().map(PathBuf::as_path));
            known.extend(self.home.iter().flat_map(|home| tccli::names(home)));
            return Err(CredentialsError::NoProfile { name, looked: files, known });
        }
        if let Some(identity) = self.pods_identity()? {
            return Ok(Chain::of(Source::WebIdentity(identity)));
        }
        looked.push(text!(
            "OIDC: TKE_ROLE_ARN is not set, and no --oidc-provider was given",
            "OIDC：未设置 TKE_ROLE_ARN，也没有给出 --oidc-provider"
        ));
        let role = read(&|name| self.chosen(name), "TENCENTCLOUD_CAM_ROLE_NAME")?;
        Ok(Chain { looked, ..Chain::of(Source::Machine { is_asked_for: role.is_some(), role }) })
    }

    /// The profile that the environment names. Where two tools' variables differ, neither is meant for sure.
    fn profile(&self) -> Result<Option<String>, CredentialsError> {
        let [one, other] = PROFILES;
        match PROFILES.map(|name| self.chosen(name)) {
            [Some(first), Some(second)] if first != second => Err(CredentialsError::Conflict { one, other }),
            [first, second] => Ok(first.or(second)),
        }
    }

    fn sdks_file(&self) -> Result<Option<PathBuf>, CredentialsError> {
        const NAME: &str = CREDENTIALS_FILE;
        let Some(file) = self.chosen(NAME).map(PathBuf::from) else {
            let home = self.home.as_deref();
            return Ok(home.map(|home| home.join(".tencentcloud").join("credentials")));
        };
        // It was named: that it is not there is a mistake.
        if is_there(&file)? {
            Ok(Some(file))
        } else {
            Err(CredentialsError::File {
                file,
                why: text!("there is no such file, and {NAME} names it", "没有这个文件，而 {NAME} 指定了它"),
            })
        }
    }

    fn tccli(&self, file: PathBuf, name: String) -> Result<Chain, CredentialsError> {
        let tccli::Entry { key, ends, logged_in: _, role_arn, role_session_name, kind } = tccli::read(&file)?;
        if ends.is_some_and(|ends| ends <= self.now) {
            return Err(CredentialsError::Ended { file, profile: name });
        }
        let names = ["role-arn", "role-session-name"];
        let role = role_of_file(role_arn, role_session_name, &file.display(), names)?;
        let Some(key) = key else {
            return Ok(Chain { role, ..Chain::of(Source::Machine { role: None, is_asked_for: true }) });
        };
        let source = Source::Tccli { name, file: file.clone(), key, is_login: kind == tccli::Kind::Login };
        Ok(Chain::from_file(source, &file, role))
    }
}

fn section(file: &Path, name: &str) -> Result<Option<Chain>, CredentialsError> {
    let Some(profile::Section { key, role_arn, role_session_name }) = profile::read(file, name)? else {
        return Ok(None);
    };
    let place = format!("[{name}] in {}", file.display());
    let names = ["role_arn", "role_session_name"];
    let role = role_of_file(role_arn, role_session_name, &place, names)?;
    let source = Source::Profile { name: name.to_owned(), file: file.to_owned(), key };
    Ok(Some(Chain::from_file(source, file, role)))
}

/// The role that a file names beside a key, in members of these names.
fn role_of_file(
    arn: Option<String>,
    session_name: Option<String>,
    place: &impl Display,
    names: [&str; 2],
) -> Result<Option<Role>, CredentialsError> {
    let [arn_name, session] = names.map(|name| format!("{name} of {place}"));
    let wish = arn.map(|arn| AssumeRoleConfig { arn, session_name, ..AssumeRoleConfig::default() });
    wish.map(|wish| taken(&wish, Said::by_file(&arn_name, &session))).transpose()
}

/// Only what the system says is not there is absent: a link to nothing is not, nor what is in a folder that can't be looked
/// into.
fn is_there(file: &Path) -> Result<bool, CredentialsError> {
    match file.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(CredentialsError::File { file: file.to_owned(), why: Text::of(&error) }),
    }
}

fn nothing_at(file: &Path) -> Text {
    let shown = file.display();
    text!("{shown}: there is no such file", "{shown}：没有这个文件")
}
