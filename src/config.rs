//! `postpay.yaml`: a project's own settings, as far as it makes any.
//!
//! This room says what the file said and what holds without it. Flags and variables, which come
//! before the file, are `cli`'s to merge.

pub mod duration;
pub mod endpoint;
mod ignores;
mod read;
mod region;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::diagnostic::{Diagnostic, SourceFile};
use crate::drift::Ignore;
use crate::manifest;

pub use endpoint::Endpoint;
pub use manifest::CONFIG_NAME;
pub use region::{Region, RegionError};
pub use schema::config_schema;

/// Where manifests are looked for.
pub const DEFAULT_MANIFESTS: &str = "environments/";
/// Where the state is kept.
pub const DEFAULT_STATE: &str = "state/postpay.state.json";
/// The vendor's own endpoint.
pub const DEFAULT_ENDPOINT: &str = "https://tcb.tencentcloudapi.com";
/// The language of the vendor's messages.
pub const DEFAULT_LANGUAGE: Language = Language::ZhCn;
/// Orders a second: the vendor's limit.
pub const DEFAULT_RATE: f64 = 2.0;
/// Calls that may be under way at a time.
pub const DEFAULT_IN_FLIGHT: u32 = 4;
/// How long an answer is waited for.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// What is allowed for `rate`: at least this, which is one order in a thousand seconds, so that a pause stays a length of
/// time that a clock can count.
pub const MIN_RATE: f64 = 0.001;
/// What is allowed for `rate`: at most this.
pub const MAX_RATE: f64 = 100.0;
/// What is allowed for `in_flight`: from 1 up to this.
pub const MAX_IN_FLIGHT: u32 = 32;

/// What `postpay.yaml` said. `None` is what it did not say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    pub manifests: Option<Vec<PathBuf>>,
    pub state: Option<PathBuf>,
    pub api: Api,
    pub guard: Guard,
    /// Drift that somebody knows of, each with its last day.
    pub ignores: Vec<Ignore>,
    /// What is as it may be, and may not be meant.
    pub warnings: Vec<Diagnostic>,
}

/// How the vendor is spoken to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Api {
    pub endpoint: Option<Endpoint>,
    pub region: Option<Region>,
    /// The regions in which environments are looked for.
    pub list_regions: Option<Vec<Region>>,
    pub language: Option<Language>,
    /// Orders a second, from [`MIN_RATE`] to [`MAX_RATE`].
    pub rate: Option<f64>,
    /// From 1 to [`MAX_IN_FLIGHT`].
    pub in_flight: Option<u32>,
    pub timeout: Option<Duration>,
}

/// What a plan must not go beyond.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    pub max_creates: Option<u32>,
    pub max_creates_per_day: Option<u32>,
    /// What is no longer declared is given up.
    pub allow_destroy: Option<bool>,
    /// Every environment that is created needs an alias; so it is when this is left out.
    pub require_alias: Option<bool>,
    /// The numbers (uin) of the main accounts that may be worked in; empty for any.
    pub allowed_accounts: Vec<String>,
}

/// A language that the vendor's messages come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    ZhCn,
    EnUs,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::ZhCn, Self::EnUs];

    /// As the vendor writes it: `zh-CN`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::EnUs => "en-US",
        }
    }

    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Reads and checks the file at `path`, taken from `root`. Every problem is reported at once; what is only a warning is
/// in [`Config::warnings`].
pub fn load(root: &Path, path: &Path) -> Result<Config, Vec<Diagnostic>> {
    let (source, _) = manifest::read(root, path).map_err(|problem| vec![*problem])?;
    parse(&source)
}

/// Checks a text as `postpay.yaml`.
pub fn parse(source: &Arc<SourceFile>) -> Result<Config, Vec<Diagnostic>> {
    read::read(source)
}

#[cfg(test)]
mod tests;
