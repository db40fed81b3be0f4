//! The search for credentials: what was asked for, or the places that Tencent Cloud's own tools read, in their order. The first place
//! that has credentials counts; half of some there is an error, because whoever set it meant it.
//!
//! A role may be assumed on top of any. Nothing is sent here: a machine's role is only found by asking for it.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::assume_role::{AssumeRoleConfig, AssumeRoleProvider, FLAGS};
use super::cache::CredentialCache;
use super::metadata::Metadata;
use super::tccli::TccliLogin;
use super::types::{CredentialContext, Credentials, CredentialsError};
use super::web_identity::{WebIdentity, WebIdentityProvider};
use super::{environment, profile, tccli};
use crate::cloud::tencent::endpoint::EndpointUrl;
use crate::cloud::tencent::error::ClientError;
use crate::cloud::tencent::sts::{Sts, StsOptions};
use crate::i18n::{Text, text};
use crate::sanitize;

/// What was asked for by flags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialOptions {
    pub profile: Option<String>,
    /// The role of the machine; Some(None) for whichever it has.
    pub machine: Option<Option<String>>,
    pub role: Option<AssumeRoleConfig>,
    /// The OIDC provider, and the file with its token. The role is `role`.
    pub web_identity: Option<(String, PathBuf)>,
}

/// Where credentials come from.
#[derive(Debug, Clone)]
pub enum Source {
    Environment {
        /// The variable of the secret id.
        name: &'static str,
        credentials: Credentials,
    },
    Profile {
        name: String,
        file: PathBuf,
        credentials: Credentials,
    },
    Tccli {
        name: String,
        file: PathBuf,
        credentials: Credentials,
        /// Whether they are temporary, and tccli renews them in the file.
        is_login: bool,
    },
    WebIdentity(WebIdentity),
    Machine {
        role: Option<String>,
        /// False when nothing else was found: the machine may have no role.
        is_asked_for: bool,
    },
}

impl Source {
    /// Returns its name for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Environment { .. } => "environment",
            Self::Profile { .. } => "profile",
            Self::Tccli { .. } => "tccli",
            Self::WebIdentity(_) => "web-identity",
            Self::Machine { .. } => "cvm-role",
        }
    }

    /// Describes it to people.
    pub fn text(&self) -> Text {
        match self {
            Self::Environment { name, .. } => text!("environment ({name})", name),
            Self::Profile { name, file, .. } => {
                let file = file.display();
                text!("profile `{name}` in {file}", name, file)
            }
            Self::Tccli { name, file, is_login: true, .. } => {
                let file = file.display();
                text!("tccli login `{name}` in {file}", name, file)
            }
            Self::Tccli { name, file, is_login: false, .. } => {
                let file = file.display();
                text!("tccli profile `{name}` in {file}", name, file)
            }
            Self::WebIdentity(WebIdentity { provider_id, token_file, role }) => {
                let (arn, file) = (&role.arn, token_file.display());
                text!("role {arn}, with the token of {provider_id} in {file}", arn, provider_id, file)
            }
            Self::Machine { role: Some(role), .. } => {
                text!("this machine's role {role}", role)
            }
            Self::Machine { role: None, is_asked_for: true } => text!("this machine's role"),
            Self::Machine { role: None, is_asked_for: false } => {
                text!("this machine's role, if it has one (not queried)")
            }
        }
    }
}

/// Where credentials come from, and the role that is assumed with them.
#[derive(Debug, Clone)]
pub struct Chain {
    pub source: Source,
    pub role: Option<AssumeRoleConfig>,
    /// A credentials file that other users of this computer can read.
    pub open_to_others: Option<PathBuf>,
    /// Where nothing was found, one line per place.
    pub looked: Vec<Text>,
}

impl Chain {
    /// Searches for credentials. Reads files, and sends nothing.
    ///
    /// # Errors
    /// When what was asked for is not there, or what is there is not complete.
    pub fn find(
        options: &CredentialOptions,
        context: &CredentialContext<'_>,
    ) -> Result<Self, CredentialsError> {
        let CredentialOptions { profile, machine, role, web_identity } = options;
        let role = role.clone().map(|role| role.checked(FLAGS)).transpose()?;
        if let Some((provider_id, token_file)) = web_identity.clone() {
            let [assume_role, ..] = FLAGS;
            let role = role.ok_or_else(|| CredentialsError::incomplete("--oidc-provider", assume_role))?;
            return Ok(Self::new(Source::WebIdentity(WebIdentity { provider_id, token_file, role })));
        }
        let found = match machine {
            Some(role) => Self::new(Source::Machine { role: role.clone(), is_asked_for: true }),
            None => search(profile.as_deref(), context)?,
        };
        let role = match role {
            Some(role) => Some(role),
            None => AssumeRoleConfig::from_environment(context)?.or(found.role),
        };
        Ok(Self { role, ..found })
    }

    fn new(source: Source) -> Self {
        Self { source, role: None, open_to_others: None, looked: Vec::new() }
    }

    fn from_file(source: Source, file: &Path, role: Option<AssumeRoleConfig>) -> Self {
        Self { open_to_others: is_open(file).then(|| file.to_owned()), role, ..Self::new(source) }
    }

    /// Returns the credentials. Temporary ones are not fetched yet. `sts` is what STS is asked with, and `metadata` replaces Tencent
    /// Cloud's metadata service.
    ///
    /// # Errors
    /// When an endpoint or a value can't be used.
    pub fn credentials(
        &self,
        sts: &StsOptions,
        metadata: Option<&EndpointUrl>,
    ) -> Result<CredentialCache, ClientError> {
        let clock = || Arc::clone(&sts.clock);
        let sts_with = |credentials| Sts::new(StsOptions { credentials, ..sts.clone() });
        let base = match self.source.clone() {
            Source::Tccli { file, is_login: true, .. } => {
                CredentialCache::new(TccliLogin::new(file, sts.clone()), clock())
            }
            Source::Environment { credentials, .. }
            | Source::Profile { credentials, .. }
            | Source::Tccli { credentials, .. } => CredentialCache::fixed(credentials),
            Source::WebIdentity(identity) => {
                CredentialCache::new(WebIdentityProvider::new(identity, sts_with(None)?), clock())
            }
            Source::Machine { role, .. } => CredentialCache::new(Metadata::new(metadata, role)?, clock()),
        };
        let Some(role) = self.role.clone() else {
            return Ok(base);
        };
        let sts = sts_with(Some(Arc::new(base)))?;
        Ok(CredentialCache::new(AssumeRoleProvider::new(role, sts), clock()))
    }
}

/// Whether other users of this computer can read a file, where that can be determined.
fn is_open(file: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(file).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        false
    }
}

/// Searches the places in their order, or those that the profile may be in.
fn search(profile: Option<&str>, context: &CredentialContext<'_>) -> Result<Chain, CredentialsError> {
    let mut looked = Vec::new();
    if profile.is_none() {
        if let Some((name, credentials)) = environment::read(context)? {
            let role = AssumeRoleConfig::for_environment(context)?;
            return Ok(Chain { role, ..Chain::new(Source::Environment { name, credentials }) });
        }
        looked.push(text!("environment: neither TENCENTCLOUD_SECRET_ID nor TENCENTCLOUD_SECRETID is set"));
    }
    // Whoever chose a profile gets that one or none: another may belong to another account.
    let chosen = match profile {
        Some(name) => Some(name.to_owned()),
        None => chosen_profile(context)?,
    };
    let name = chosen.clone().unwrap_or_else(|| "default".to_owned());
    if name.contains(['/', '\\']) || name.contains("..") {
        return Err(CredentialsError::invalid(
            format!("--profile {}", sanitize::escape_invisible(&name)),
            &Text::fixed("a profile must be a name, not a path"),
        ));
    }
    let mut files = Vec::new();
    if let Some(file) = sdk_file(context)? {
        if exists(&file)? {
            if let Some(found) = from_profile(&file, &name)? {
                return Ok(found);
            }
            // Nobody knows whose credentials it holds: others may belong to another account.
            if chosen.is_none() {
                let known = profile::names(Some(&file));
                return Err(CredentialsError::NoProfile { name, known, files: vec![file] });
            }
        }
        looked.push(nothing_at(&file));
        files.push(file);
    }
    if let Some(home) = &context.home {
        let file = tccli::path(home, &name);
        if exists(&file)? {
            return from_tccli(&file, name, context);
        }
        looked.push(nothing_at(&file));
        files.push(file);
    }
    if let Some(name) = chosen {
        let mut known = profile::names(files.first().map(PathBuf::as_path));
        known.extend(context.home.iter().flat_map(|home| tccli::names(home)));
        return Err(CredentialsError::NoProfile { name, files, known });
    }
    if let Some(identity) = WebIdentity::from_environment(context)? {
        return Ok(Chain::new(Source::WebIdentity(identity)));
    }
    looked.push(text!("OIDC: TKE_ROLE_ARN is not set, and --oidc-provider was not given"));
    let role = context.read("TENCENTCLOUD_CAM_ROLE_NAME")?;
    Ok(Chain { looked, ..Chain::new(Source::Machine { is_asked_for: role.is_some(), role }) })
}

/// Returns the profile that the environment names, for Tencent Cloud's Terraform provider or its command line.
fn chosen_profile(context: &CredentialContext<'_>) -> Result<Option<String>, CredentialsError> {
    let [one, other] = ["TENCENTCLOUD_PROFILE", "TCCLI_PROFILE"];
    match (context.get(one), context.get(other)) {
        (Some(first), Some(second)) if first != second => Err(CredentialsError::conflict(one, other)),
        (first, second) => Ok(first.or(second)),
    }
}

fn sdk_file(context: &CredentialContext<'_>) -> Result<Option<PathBuf>, CredentialsError> {
    const NAME: &str = "TENCENTCLOUD_CREDENTIALS_FILE";
    let Some(file) = context.get(NAME).map(PathBuf::from) else {
        return Ok(context.home.as_ref().map(|home| home.join(".tencentcloud").join("credentials")));
    };
    if exists(&file)? {
        return Ok(Some(file));
    }
    Err(CredentialsError::invalid(file.display(), &text!("the file set in {NAME} does not exist", NAME)))
}

fn from_profile(file: &Path, name: &str) -> Result<Option<Chain>, CredentialsError> {
    let Some(profile::Section { credentials, role_arn, role_session_name }) = profile::read(file, name)?
    else {
        return Ok(None);
    };
    let place = format!("[{name}] in {}", file.display());
    let role = role_in_file(role_arn, role_session_name, &place, ["role_arn", "role_session_name"])?;
    let source = Source::Profile { name: name.to_owned(), file: file.to_owned(), credentials };
    Ok(Some(Chain::from_file(source, file, role)))
}

fn from_tccli(file: &Path, name: String, context: &CredentialContext<'_>) -> Result<Chain, CredentialsError> {
    let tccli::Entry { credentials, is_login, ends, logged_in: _, role_arn, role_session_name } =
        tccli::read(file)?;
    let place = file.display();
    if ends.is_some_and(|ends| ends <= context.now) {
        return Err(CredentialsError::Invalid(text!(
            "the login in {place} has expired: log in again with tccli, profile `{name}`",
            place,
            name
        )));
    }
    let role = role_in_file(role_arn, role_session_name, &place, ["role-arn", "role-session-name"])?;
    let Some(credentials) = credentials else {
        return Ok(Chain { role, ..Chain::new(Source::Machine { role: None, is_asked_for: true }) });
    };
    let source = Source::Tccli { name, file: file.to_owned(), credentials, is_login };
    Ok(Chain::from_file(source, file, role))
}

/// Returns the role that a file names beside credentials, in members of these names.
fn role_in_file(
    arn: Option<String>,
    session_name: Option<String>,
    place: &impl Display,
    names: [&str; 2],
) -> Result<Option<AssumeRoleConfig>, CredentialsError> {
    let [arn_name, session] = names.map(|name| format!("{name} of {place}"));
    let [.., duration] = FLAGS;
    let role = arn.map(|arn| AssumeRoleConfig { arn, session_name, ..AssumeRoleConfig::default() });
    role.map(|role| role.checked([&arn_name, &session, duration])).transpose()
}

/// Whether something is there. Only what the system says does not exist is absent: not a link to nothing, nor what is in a folder that
/// can't be read.
fn exists(file: &Path) -> Result<bool, CredentialsError> {
    match file.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(CredentialsError::invalid(file.display(), &Text::of(&error))),
    }
}

fn nothing_at(file: &Path) -> Text {
    let shown = file.display();
    text!("{shown}: file not found", shown)
}
