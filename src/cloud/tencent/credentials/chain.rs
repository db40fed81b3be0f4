//! Where the key comes from: the places that the vendor's own tools look at, in order. The first that has one wins; one that
//! has half of one is an error, because whoever set it meant it.
//!
//! A role may stand on top of any of them. Nothing is sent here: a machine's role is only found by asking for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::environment::{self, incomplete, read, read_token};
use super::{Credentials, CredentialsError, profile, tccli};
use crate::cloud::tencent::ClientError;
use crate::cloud::tencent::issuer::{Issuer, Role, WebIdentity};
use crate::cloud::tencent::keys::Keys;
use crate::cloud::tencent::metadata::Metadata;
use crate::cloud::tencent::sts::{Sts, StsOptions};
use crate::lang::{Text, text};

/// The session's name where none is given.
const SESSION: &str = "postpay";
/// The longest that the vendor gives a key of a role for.
const LONGEST: Duration = Duration::from_secs(43_200);
const DEFAULT: &str = "default";

/// What was asked for by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    pub profile: Option<String>,
    /// The role of the machine; Some(None) for whichever it has.
    pub machine: Option<Option<String>>,
    pub role: Option<RoleWish>,
    /// The identity provider, and the file with its token. The role is the one that is taken.
    pub web_identity: Option<(String, PathBuf)>,
}

/// A role to be taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleWish {
    pub arn: String,
    pub session_name: Option<String>,
    pub duration: Option<Duration>,
    pub external_id: Option<String>,
}

/// What is around the program.
pub struct Surroundings<'a> {
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

/// Where a key comes from.
#[derive(Debug, Clone)]
pub enum Source {
    Environment {
        /// The variable of its id.
        name: &'static str,
        key: Credentials,
    },
    Profile {
        name: String,
        file: PathBuf,
        key: Credentials,
    },
    Tccli {
        name: String,
        file: PathBuf,
        key: Credentials,
        /// tccli keeps it for the time of a log-in, and renews it there.
        is_login: bool,
    },
    WebIdentity(WebIdentity),
    Machine {
        role: Option<String>,
        /// False when nothing else was found: there may be no such machine.
        is_asked_for: bool,
    },
}

impl Source {
    /// In one word, for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Environment { .. } => "environment",
            Self::Profile { .. } => "profile",
            Self::Tccli { .. } => "tccli",
            Self::WebIdentity(_) => "web-identity",
            Self::Machine { .. } => "cvm-role",
        }
    }

    /// For people.
    pub fn text(&self) -> Text {
        match self {
            Self::Environment { name, .. } => {
                text!("environment ({name})", "环境变量（{name}）")
            }
            Self::Profile { name, file, .. } => {
                let file = file.display();
                text!("profile `{name}` in {file}", "{file} 中的配置 `{name}`")
            }
            Self::Tccli {
                name,
                file,
                is_login,
                ..
            } => {
                let file = file.display();
                if *is_login {
                    text!(
                        "tccli's log-in `{name}` in {file}",
                        "{file} 中的 tccli 登录 `{name}`"
                    )
                } else {
                    text!(
                        "tccli's profile `{name}` in {file}",
                        "{file} 中的 tccli 配置 `{name}`"
                    )
                }
            }
            Self::WebIdentity(identity) => {
                let WebIdentity {
                    provider_id,
                    token_file,
                    role: Role { arn, .. },
                } = identity;
                let file = token_file.display();
                text!(
                    "role {arn}, vouched for by {provider_id} with the token in {file}",
                    "角色 {arn}，由 {provider_id} 以 {file} 中的令牌担保"
                )
            }
            Self::Machine { role, .. } => match role {
                Some(role) => text!("this machine's role {role}", "本机角色 {role}"),
                None => text!("this machine's role", "本机角色"),
            },
        }
    }
}

impl Chain {
    /// Looks for the key. Reads files, and sends nothing.
    ///
    /// # Errors
    /// When something that was asked for is not there, or something that is there is not whole.
    pub fn find(wishes: &Wishes, around: &Surroundings<'_>) -> Result<Self, CredentialsError> {
        let Wishes {
            profile,
            machine,
            role,
            web_identity,
        } = wishes;
        let mut found = if let Some((provider, file)) = web_identity {
            vouched_for(provider, file, role.as_ref())?
        } else if let Some(role) = machine {
            Self::of(Source::Machine {
                role: role.clone(),
                is_asked_for: true,
            })
        } else {
            around.look(profile.as_deref())?
        };
        // What vouches takes its role by itself.
        if web_identity.is_none() {
            if let Some(wish) = role {
                found.role = Some(taken(wish)?);
            } else if let Some(role) = around.role()? {
                found.role = Some(role);
            }
        }
        Ok(found)
    }

    fn of(source: Source) -> Self {
        Self {
            source,
            role: None,
            open_to_others: None,
            looked: Vec::new(),
        }
    }

    fn from_file(source: Source, file: &Path, role: Option<Role>) -> Self {
        Self {
            open_to_others: is_open(file).then(|| file.to_owned()),
            role,
            ..Self::of(source)
        }
    }

    /// What gives the keys. Nothing is sent yet.
    ///
    /// # Errors
    /// When an address is none.
    pub fn keys(&self, sts: &StsOptions, metadata: &str) -> Result<Keys, ClientError> {
        let clock = Arc::clone(&sts.clock);
        let issued = |issuer| Keys::issued_by(issuer, Arc::clone(&clock));
        let base = match self.source.clone() {
            Source::Tccli {
                file,
                is_login: true,
                ..
            } => issued(Issuer::Login {
                file,
                clock: Arc::clone(&clock),
            }),
            Source::Environment { key, .. }
            | Source::Profile { key, .. }
            | Source::Tccli { key, .. } => Keys::given(key),
            Source::WebIdentity(identity) => issued(Issuer::WebIdentity {
                identity,
                sts: Sts::new(StsOptions {
                    keys: None,
                    ..sts.clone()
                })?,
            }),
            Source::Machine { role, .. } => issued(Issuer::Machine(Metadata::new(metadata, role)?)),
        };
        Ok(match self.role.clone() {
            None => base,
            Some(role) => issued(Issuer::Role {
                role,
                sts: Sts::new(StsOptions {
                    keys: Some(Arc::new(base)),
                    ..sts.clone()
                })?,
            }),
        })
    }
}

impl Surroundings<'_> {
    /// The places that are looked at without anything being asked for, or those that a profile may be in.
    fn look(&self, profile: Option<&str>) -> Result<Chain, CredentialsError> {
        let mut looked = Vec::new();
        if profile.is_none() {
            if let Some((name, key)) = environment::key(self.variable)? {
                let role = self.role_of_environment()?;
                return Ok(Chain {
                    role,
                    ..Chain::of(Source::Environment { name, key })
                });
            }
            looked.push(text!(
                "the environment: neither TENCENTCLOUD_SECRET_ID nor TENCENTCLOUD_SECRETID is set",
                "环境变量：TENCENTCLOUD_SECRET_ID 和 TENCENTCLOUD_SECRETID 均未设置"
            ));
        }
        let (sdks, tccli) = match profile {
            Some(name) => (Some(name.to_owned()), Some(name.to_owned())),
            None => (
                (self.variable)("TENCENTCLOUD_PROFILE"),
                (self.variable)("TCCLI_PROFILE"),
            ),
        };
        let name = sdks.clone().unwrap_or_else(|| DEFAULT.to_owned());
        let mut files = Vec::new();
        if let Some(file) = self.sdks_file()? {
            if let Some(found) = section(&file, &name)? {
                return Ok(found);
            }
            looked.push(in_vain(&file, &name));
            files.push(file);
        }
        let name = tccli.clone().unwrap_or_else(|| DEFAULT.to_owned());
        if let Some(home) = &self.home {
            let file = tccli::path(home, &name);
            if file.exists() {
                return self.tccli(file, name);
            }
            looked.push(in_vain(&file, &name));
            files.push(file);
        }
        if let Some(name) = profile.map(str::to_owned).or(sdks).or(tccli) {
            return Err(CredentialsError::NoProfile {
                name,
                looked: files,
            });
        }
        if let Some(identity) = self.pods_identity()? {
            return Ok(Chain::of(Source::WebIdentity(identity)));
        }
        looked.push(text!(
            "OIDC: TKE_ROLE_ARN is not set, and no --oidc-provider was given",
            "OIDC：未设置 TKE_ROLE_ARN，也没有给出 --oidc-provider"
        ));
        let role = read(self.variable, "TENCENTCLOUD_CAM_ROLE_NAME")?;
        Ok(Chain {
            looked,
            ..Chain::of(Source::Machine {
                is_asked_for: role.is_some(),
                role,
            })
        })
    }

    fn sdks_file(&self) -> Result<Option<PathBuf>, CredentialsError> {
        const NAME: &str = "TENCENTCLOUD_CREDENTIALS_FILE";
        match (self.variable)(NAME) {
            Some(file) if file.is_empty() => Err(CredentialsError::Empty {
                name: NAME.to_owned(),
            }),
            Some(file) => {
                let file = PathBuf::from(file);
                // It was named: that it is not there is a mistake.
                if file.exists() {
                    Ok(Some(file))
                } else {
                    Err(CredentialsError::File {
                        file,
                        why: text!(
                            "there is no such file, and {NAME} names it",
                            "没有这个文件，而 {NAME} 指定了它"
                        ),
                    })
                }
            }
            None => {
                let home = self.home.as_deref();
                Ok(home.map(|home| home.join(".tencentcloud").join("credentials")))
            }
        }
    }

    fn tccli(&self, file: PathBuf, name: String) -> Result<Chain, CredentialsError> {
        let tccli::Entry {
            key,
            ends,
            role_arn,
            role_session_name,
            kind,
        } = tccli::read(&file)?;
        if ends.is_some_and(|ends| ends <= self.now) {
            return Err(CredentialsError::Ended {
                file,
                profile: name,
            });
        }
        let role = role_arn.map(|arn| RoleWish {
            arn,
            session_name: role_session_name,
            ..RoleWish::default()
        });
        let role = role.as_ref().map(taken).transpose()?;
        let Some(key) = key else {
            return Ok(Chain {
                role,
                ..Chain::of(Source::Machine {
                    role: None,
                    is_asked_for: true,
                })
            });
        };
        let source = Source::Tccli {
            name,
            file: file.clone(),
            key,
            is_login: kind == tccli::Kind::Login,
        };
        Ok(Chain::from_file(source, &file, role))
    }

    /// What the vendor's container service sets in a pod.
    fn pods_identity(&self) -> Result<Option<WebIdentity>, CredentialsError> {
        const ROLE: &str = "TKE_ROLE_ARN";
        const PROVIDER: &str = "TKE_PROVIDER_ID";
        const TOKEN: &str = "TKE_WEB_IDENTITY_TOKEN_FILE";
        let names = [ROLE, PROVIDER, TOKEN];
        let values = names.map(|name| (self.variable)(name).filter(|value| !value.is_empty()));
        let set = names.iter().zip(&values).find(|(_, value)| value.is_some());
        let Some((found, _)) = set else {
            return Ok(None);
        };
        if let [Some(arn), Some(provider_id), Some(token_file)] = values.clone() {
            let role = taken(&RoleWish {
                arn,
                ..RoleWish::default()
            })?;
            return Ok(Some(WebIdentity {
                provider_id,
                token_file: token_file.into(),
                role,
            }));
        }
        let lacks = names.iter().zip(&values).find(|(_, value)| value.is_none());
        Err(incomplete(found, lacks.map_or(ROLE, |(name, _)| name)))
    }

    /// A role that the environment names, whatever the key is: as the vendor's Terraform provider reads it.
    fn role(&self) -> Result<Option<Role>, CredentialsError> {
        self.role_named(
            "TENCENTCLOUD_ASSUME_ROLE_ARN",
            "TENCENTCLOUD_ASSUME_ROLE_SESSION_NAME",
        )
    }

    /// A role for the key in the environment: as tccli reads it.
    fn role_of_environment(&self) -> Result<Option<Role>, CredentialsError> {
        let names: &[&'static str] = &["TENCENTCLOUD_ROLE_ARN", "TENCENTCLOUD_ASSUME_ROLE_ARN"];
        // Where both are set they have to agree.
        read_token(self.variable, names)?;
        self.role_named("TENCENTCLOUD_ROLE_ARN", "TENCENTCLOUD_ROLE_SESSION_NAME")
    }

    fn role_named(
        &self,
        arn: &'static str,
        session: &'static str,
    ) -> Result<Option<Role>, CredentialsError> {
        const DURATION: &str = "TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION";
        let Some(arn) = read(self.variable, arn)? else {
            return Ok(None);
        };
        let seconds = read(self.variable, DURATION)?;
        let seconds = seconds.map(|seconds| seconds.parse().map(Duration::from_secs));
        let duration = seconds.transpose().map_err(|_| CredentialsError::Unfit {
            name: DURATION.to_owned(),
            why: text!("it is no number of seconds", "不是秒数"),
        })?;
        taken(&RoleWish {
            arn,
            session_name: read(self.variable, session)?,
            duration,
            external_id: None,
        })
        .map(Some)
    }
}

fn section(file: &Path, name: &str) -> Result<Option<Chain>, CredentialsError> {
    let Some(profile::Section {
        key,
        role_arn,
        role_session_name,
    }) = profile::read(file, name)?
    else {
        return Ok(None);
    };
    let role = role_arn.map(|arn| RoleWish {
        arn,
        session_name: role_session_name,
        ..RoleWish::default()
    });
    let role = role.as_ref().map(taken).transpose()?;
    let source = Source::Profile {
        name: name.to_owned(),
        file: file.to_owned(),
        key,
    };
    Ok(Some(Chain::from_file(source, file, role)))
}

fn vouched_for(
    provider: &str,
    file: &Path,
    role: Option<&RoleWish>,
) -> Result<Chain, CredentialsError> {
    let Some(role) = role else {
        return Err(CredentialsError::Incomplete {
            found: "--oidc-provider".to_owned(),
            missing: "--assume-role".to_owned(),
        });
    };
    Ok(Chain::of(Source::WebIdentity(WebIdentity {
        provider_id: provider.to_owned(),
        token_file: file.to_owned(),
        role: taken(role)?,
    })))
}

/// A role as it can be asked for.
fn taken(wish: &RoleWish) -> Result<Role, CredentialsError> {
    let RoleWish {
        arn,
        session_name,
        duration,
        external_id,
    } = wish;
    let unfit = |name: &str, why| {
        Err(CredentialsError::Unfit {
            name: name.to_owned(),
            why,
        })
    };
    if !arn.starts_with("qcs::") || arn.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return unfit(
            "role",
            text!(
                "it is no role's name, which begins with `qcs::cam::`",
                "不是角色名称，角色名称以 `qcs::cam::` 开头"
            ),
        );
    }
    let session_name = session_name.clone().unwrap_or_else(|| SESSION.to_owned());
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "_+=,@.-".contains(c);
    if !(2..=128).contains(&session_name.len()) || !session_name.chars().all(is_fine) {
        return unfit(
            "role session name",
            text!(
                "2 to 128 letters, digits and _+=,@.- are taken",
                "只能是 2 到 128 个字母、数字和 _+=,@.-"
            ),
        );
    }
    if duration.is_some_and(|duration| duration.is_zero() || duration > LONGEST) {
        return unfit(
            "role duration",
            text!(
                "more than nothing and up to 12h are taken",
                "必须大于 0，最长 12h"
            ),
        );
    }
    Ok(Role {
        arn: arn.clone(),
        session_name,
        duration: *duration,
        external_id: external_id.clone(),
    })
}

fn in_vain(file: &Path, profile: &str) -> Text {
    let shown = file.display();
    if file.exists() {
        text!(
            "{shown}: it has no profile `{profile}`",
            "{shown}：其中没有配置 `{profile}`"
        )
    } else {
        text!("{shown}: there is no such file", "{shown}：没有这个文件")
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
