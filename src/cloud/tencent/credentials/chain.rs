//! Where the key comes from: the places that the vendor's own tools look at, in order. The first that has one wins; one that
//! has half of one is an error, because whoever set it meant it.
//!
//! A role may stand on top of any of them. Nothing is sent here: a machine's role is only found by asking for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::role::{AssumeRoleConfig, Said, taken, vouched_for};
use super::{CredentialsError, Source};
use crate::cloud::tencent::ClientError;
use crate::cloud::tencent::issuer::{Issuer, Login, Role};
use crate::cloud::tencent::keys::Keys;
use crate::cloud::tencent::metadata::Metadata;
use crate::cloud::tencent::sts::{Sts, StsOptions};
use crate::lang::Text;

/// What was asked for by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    pub profile: Option<String>,
    /// The role of the machine; Some(None) for whichever it has.
    pub machine: Option<Option<String>>,
    pub role: Option<AssumeRoleConfig>,
    /// The identity provider, and the file with its token. The role is the one that is taken.
    pub web_identity: Option<(String, PathBuf)>,
}

/// What is around the program.
pub struct CredentialContext<'a> {
    /// A variable as it is set. An empty one counts as unset, which is how CI systems pass on a secret that they do not have.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    pub home: Option<PathBuf>,
    pub now: Timestamp,
}

/// Where the key comes from, and the role on top of it.
#[derive(Debug, Clone)]
pub struct Chain {
    pub source: Source,
    pub role: Option<Role>,
    /// A file with a key that others on this computer can read.
    pub open_to_others: Option<PathBuf>,
    /// Where it was looked for in vain, a line each.
    pub looked: Vec<Text>,
}

impl Chain {
    /// Looks for the key. Reads files, and sends nothing.
    ///
    /// # Errors
    /// When something that was asked for is not there, or something that is there is not whole.
    pub fn find(wishes: &Wishes, around: &CredentialContext<'_>) -> Result<Self, CredentialsError> {
        let Wishes { profile, machine, role, web_identity } = wishes;
        let mut found = if let Some((provider, file)) = web_identity {
            vouched_for(provider, file, role.as_ref())?
        } else if let Some(role) = machine {
            Self::of(Source::Machine { role: role.clone(), is_asked_for: true })
        } else {
            around.look(profile.as_deref())?
        };
        // What vouches takes its role by itself.
        if web_identity.is_none() {
            if let Some(wish) = role {
                found.role = Some(taken(wish, Said::BY_FLAGS)?);
            } else if let Some(role) = around.role()? {
                found.role = Some(role);
            }
        }
        Ok(found)
    }

    pub(super) fn of(source: Source) -> Self {
        Self { source, role: None, open_to_others: None, looked: Vec::new() }
    }

    pub(super) fn from_file(source: Source, file: &Path, role: Option<Role>) -> Self {
        Self { open_to_others: is_open(file).then(|| file.to_owned()), role, ..Self::of(source) }
    }

    /// What gives the keys. Nothing is sent yet.
    ///
    /// # Errors
    /// When an address is none.
    pub fn keys(&self, sts: &StsOptions, metadata: &str) -> Result<Keys, ClientError> {
        let clock = Arc::clone(&sts.clock);
        let issued = |issuer| Keys::issued_by(issuer, Arc::clone(&clock));
        let base = match self.source.clone() {
            Source::Tccli { file, is_login: true, .. } => {
                issued(Issuer::Login(Login::new(file, sts.clone())))
            }
            Source::Environment { key, .. } | Source::Profile { key, .. } | Source::Tccli { key, .. } => {
                Keys::given(key)
            }
            Source::WebIdentity(identity) => issued(Issuer::WebIdentity {
                identity,
                sts: Sts::new(StsOptions { keys: None, ..sts.clone() })?,
            }),
            Source::Machine { role, .. } => issued(Issuer::Machine(Metadata::new(metadata, role)?)),
        };
        Ok(match self.role.clone() {
            None => base,
            Some(role) => issued(Issuer::Role {
                role,
                sts: Sts::new(StsOptions { keys: Some(Arc::new(base)), ..sts.clone() })?,
            }),
        })
    }
}

/// Whether others on this computer can read it, where that can be told.
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

impl CredentialContext<'_> {
    /// A variable that is set to something.
    pub(super) fn chosen(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }
}
