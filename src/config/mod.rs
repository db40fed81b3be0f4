//! `postpay.yaml`: the settings of a project.
//!
//! Only the file and the defaults; `cli` merges flags and variables, which take precedence.

pub mod duration;
pub mod endpoint;
mod read;
mod region;
mod settings;
mod table;

use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, SourceFile};
use crate::i18n::{Text, text};
use crate::manifest;

pub use endpoint::{DEFAULT_ENDPOINT, Endpoint};
pub use manifest::{CONFIG_NAME, OTHER_CONFIG_NAME};
pub use region::{Region, RegionError};
pub use settings::{
    Api, Config, DEFAULT_IN_FLIGHT, DEFAULT_LANGUAGE, DEFAULT_MANIFESTS, DEFAULT_RATE, DEFAULT_STATE,
    DEFAULT_TIMEOUT, Guard, Language, MAX_IN_FLIGHT, MAX_RATE, MIN_RATE, check_state, is_database,
};
pub use table::config_schema;

/// Returns the name of the settings file in a folder, if there is one.
///
/// # Errors
/// When there is more than one, or a file with a similar name may be meant: ignoring the settings would
/// ignore their guards.
pub fn find(folder: &Path) -> Result<Option<String>, Box<Diagnostic>> {
    let unreadable = |error: &std::io::Error| {
        let folder = folder.display();
        let why = text!("cannot read the folder `{folder}`: {error}", folder, error);
        Box::new(Diagnostic::error("path-unreadable", why))
    };
    let (mut named, mut near) = (Vec::new(), Vec::new());
    // A dangling link counts as there.
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
        Box::new(Diagnostic::error(code, message(&listed.join(", "))).help(text!("use one file, `postpay.yaml` or `postpay.yml`; rename or remove the others, or choose one with --config")))
    };
    if named.len() > 1 {
        return Err(problem(
            "several-settings",
            |names| text!("more than one configuration file: {names}", names),
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
        |names| text!("no `postpay.yaml` found, but {names} has a similar name", names),
        near,
    ))
}

/// Names like `postpay.yaml.bak`, `.postpay.yml` and `postpay.json`, in lower case.
fn is_nearly_config(name: &str) -> bool {
    let name = name.trim_start_matches(['.', '#', '~', '$', '_', ' ']);
    // A backup may have any suffix; `postpay.yamllint` is another tool's.
    let behind = ["postpay.yaml", "postpay.yml"].iter().find_map(|start| name.strip_prefix(start));
    behind.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        || ["postpay.json", "postpay.toml", "postpay.yam", "postpay.ymal", "postpay.yalm"].contains(&name)
}

/// Reads and checks the file at `path`, relative to `root`. Reports every error at once; warnings are in
/// [`Config::warnings`].
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
