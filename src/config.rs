//! `postpay.yaml`: a project's own settings, as far as it makes any.
//!
//! This room says what the file said and what holds without it. Flags and variables, which come
//! before the file, are `cli`'s to merge.

pub mod duration;
pub mod endpoint;
mod read;
mod region;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::diagnostic::{Diagnostic, SourceFile};
use crate::drift::Ignore;
use crate::lang::{Text, text};
use crate::manifest;

pub use endpoint::Endpoint;
pub use manifest::{CONFIG_NAME, OTHER_CONFIG_NAME};
pub use region::{Region, RegionError};
pub use table::config_schema;

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

/// Why a state can't be kept at this path, whatever is there.
///
/// # Errors
/// When it is a URL, or names a folder.
pub fn check_state(path: &Path) -> Result<(), Text> {
    let shown = path.to_string_lossy();
    if let Some((scheme, _)) = shown.split_once("://")
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
    {
        // The rest may hold a password.
        return Err(text!(
            "the state is kept in a file: `{scheme}://` is not supported",
            "状态保存在文件中：不支持 `{scheme}://`"
        ));
    }
    let ends_in_name = !shown.is_empty()
        && !shown.ends_with(std::path::is_separator)
        && path.file_name().is_some_and(|name| shown.ends_with(&*name.to_string_lossy()));
    if !ends_in_name {
        let shown = crate::sanitize::escape_invisible(&shown);
        return Err(text!(
            "the state is kept in a file, and `{shown}` names a folder",
            "状态保存在文件中，而 `{shown}` 是文件夹"
        ));
    }
    Ok(())
}

/// The name of the settings in a folder; None when it has none.
///
/// # Errors
/// When there is more than one, or what is there is not called `postpay.yaml` or `postpay.yml` and may be meant as one: settings
/// that are passed over take their guards with them.
pub fn find(folder: &Path) -> Result<Option<String>, Box<Diagnostic>> {
    let unreadable = |error: &std::io::Error| {
        let folder = folder.display();
        let why = text!("cannot read the folder `{folder}`: {error}", "无法读取文件夹 `{folder}`：{error}");
        Box::new(Diagnostic::error("path-unreadable", why))
    };
    let (mut named, mut near) = (Vec::new(), Vec::new());
    // A link that leads nowhere counts as there.
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(&error))? {
        let name = entry.map_err(|error| unreadable(&error))?.file_name();
        let name = name.to_string_lossy().into_owned();
        let lower = name.to_lowercase();
        if manifest::is_config_name(lower.as_ref()) {
            named.push(name);
        } else if is_nearly_config(&lower) {
            near.push(name);
        }
    }
    let problem = |code, message: fn(&str) -> Text, mut found: Vec<String>| {
        found.sort();
        let listed: Vec<String> = found.iter().map(|name| format!("`{name}`")).collect();
        Box::new(Diagnostic::error(code, message(&listed.join(", "))).help(text!(
            "the settings are one file, `postpay.yaml` or `postpay.yml`; rename or remove the others, or name one with --config",
            "配置是一个文件：`postpay.yaml` 或 `postpay.yml`；请改名或移走其他文件，或用 --config 指定"
        )))
    };
    if named.len() > 1 {
        return Err(problem(
            "several-settings",
            |names| text!("more than one file of settings: {names}", "有多个配置文件：{names}"),
            named,
        ));
    }
    if let Some(name) = named.pop() {
        if manifest::is_config_name(name.as_ref()) {
            return Ok(Some(name));
        }
        near.push(name);
    }
    if near.is_empty() {
        return Ok(None);
    }
    Err(problem(
        "settings-not-read",
        |names| {
            text!(
                "there is no `postpay.yaml`, and the name of {names} is close to it",
                "没有 `postpay.yaml`，而 {names} 的名称与它相近"
            )
        },
        near,
    ))
}

/// Names like `postpay.yaml.bak`, `.postpay.yml` and `postpay.json`, in lower case.
fn is_nearly_config(name: &str) -> bool {
    let name = name.trim_start_matches(['.', '#', '~', '$', '_', ' ']);
    // A backup may have any name behind it; `postpay.yamllint` is another word.
    let behind = ["postpay.yaml", "postpay.yml"].iter().find_map(|start| name.strip_prefix(start));
    behind.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        || ["postpay.json", "postpay.toml", "postpay.yam", "postpay.ymal", "postpay.yalm"].contains(&name)
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
