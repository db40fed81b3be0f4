//! The settings of a project, and their defaults.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::endpoint::Endpoint;
use super::region::Region;
use crate::diagnostic::Diagnostic;
use crate::drift::Ignore;
use crate::i18n::{Text, text};
use crate::model::Money;

/// The default location of manifests.
pub const DEFAULT_MANIFESTS: &str = "environments/";
/// The default location of the state.
pub const DEFAULT_STATE: &str = "state/postpay.state.json";
/// The default language of Tencent Cloud's messages.
pub const DEFAULT_LANGUAGE: Language = Language::ZhCn;
/// Creates per second: Tencent Cloud's limit.
pub const DEFAULT_RATE: f64 = 2.0;
/// Calls in progress at a time.
pub const DEFAULT_IN_FLIGHT: u32 = 4;
/// The timeout of a call.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// The least `rate`: one create in 1000 seconds, so that the interval stays a valid duration.
pub const MIN_RATE: f64 = 0.001;
/// The greatest `rate`.
pub const MAX_RATE: f64 = 100.0;
/// The greatest `in_flight`.
pub const MAX_IN_FLIGHT: u32 = 32;

/// The settings in `postpay.yaml`. None when unset.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    pub manifests: Option<Vec<PathBuf>>,
    pub state: Option<PathBuf>,
    pub api: Api,
    pub guard: Guard,
    /// Accepted drift, each with its last day.
    pub ignores: Vec<Ignore>,
    /// Warnings about valid settings that may be a mistake.
    pub warnings: Vec<Diagnostic>,
}

/// How Tencent Cloud is called.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Api {
    pub endpoint: Option<Endpoint>,
    pub region: Option<Region>,
    /// The regions to list environments in.
    pub list_regions: Option<Vec<Region>>,
    pub language: Option<Language>,
    /// Creates per second, from [`MIN_RATE`] to [`MAX_RATE`].
    pub rate: Option<f64>,
    /// From 1 to [`MAX_IN_FLIGHT`].
    pub in_flight: Option<u32>,
    pub timeout: Option<Duration>,
}

/// Limits for a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    pub max_creates: Option<u32>,
    pub max_creates_per_day: Option<u32>,
    /// What the packages that one run buys may cost.
    pub max_cost: Option<Money>,
    /// Whether environments that were removed from the manifests are destroyed.
    pub allow_destroy: Option<bool>,
    /// Whether every environment that is created needs an alias. True when left out.
    pub require_alias: Option<bool>,
    /// The uins of the main accounts that may be used; empty for any.
    pub allowed_accounts: Vec<String>,
}

/// A language of Tencent Cloud's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    ZhCn,
    EnUs,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::ZhCn, Self::EnUs];

    /// Returns the API's name for it: `zh-CN`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::EnUs => "en-US",
        }
    }

    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.name() == name)
    }
}

/// Returns whether a state's path is the URL of a PostgreSQL database.
pub fn is_database(path: &Path) -> bool {
    path.to_str()
        .is_some_and(|path| ["postgres://", "postgresql://"].iter().any(|scheme| path.starts_with(scheme)))
}

/// Checks that a state can be kept at this path, without looking at what is there.
///
/// # Errors
/// When it is a URL, or names a folder.
pub fn check_state(path: &Path) -> Result<(), Text> {
    let shown = path.to_string_lossy();
    // Its parts are checked where the connection is made.
    if is_database(path) {
        return Ok(());
    }
    if let Some((scheme, _)) = shown.split_once("://")
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
    {
        // The rest may hold a password.
        return Err(text!("the state must be a file: `{scheme}://` is not supported", scheme));
    }
    let ends_in_name = !shown.is_empty()
        && !shown.ends_with(std::path::is_separator)
        && path.file_name().is_some_and(|name| shown.ends_with(&*name.to_string_lossy()));
    if !ends_in_name {
        let shown = crate::sanitize::escape_invisible(&shown);
        return Err(text!("the state must be a file, but `{shown}` is a folder", shown));
    }
    Ok(())
}
