//! Manifest files: finds them, reads them, parses them into [`Document`]s with positions, and formats them.
//!
//! This module knows YAML and files. What the keys mean is left to [`crate::check`].

mod build;
mod discover;
mod layout;
mod merge;
mod offsets;
mod problems;
mod read;
mod scalar;
mod schema;
mod tree;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Severity, SourceFile};
use crate::i18n::text;
use crate::model::ManifestHash;

pub use build::{Parsed, parse, parse_within};
pub use discover::{Bounds, CONFIG_NAME, Found, OTHER_CONFIG_NAME, is_config_name, may_be_manifest, outside};
pub use layout::{comments_of, layout};
pub use read::{Budget, MAX_BYTES, bytes, read, read_found, read_input, source};
pub use schema::manifest_schema;
pub use tree::{Document, Entry, Mapping, Node, Sequence, Value};

/// The manifests, parsed as YAML.
#[derive(Debug, Default)]
pub struct Loaded {
    /// In the order in which they were found, which is the order of the environments.
    pub files: Vec<File>,
    /// Problems with the files and their YAML.
    pub diagnostics: Vec<Diagnostic>,
}

/// One manifest file.
#[derive(Debug)]
pub struct File {
    pub source: Arc<SourceFile>,
    pub hash: ManifestHash,
    pub documents: Vec<Document>,
    /// False when parsing stopped early: it may declare more than `documents` has.
    pub complete: bool,
}

/// Finds and reads every manifest in `paths`, files or folders, in the given order.
///
/// Relative paths count from `root` and are reported as given; none may lead out of `bounds`. `config` is the
/// project's settings file, which is skipped in folders.
pub fn load(root: &Path, paths: &[PathBuf], bounds: Bounds<'_>, config: Option<&Path>) -> Loaded {
    let mut loaded = Loaded::default();
    let settings = discover::Settings::Skip(config);
    let seen = discover::discover(root, paths, bounds, settings, &mut loaded.diagnostics);
    loaded.diagnostics.extend(discover::ignored_files(&seen.unrecognised));
    let mut budget = Budget::default();
    for found in seen.found {
        // Over the budget: the rest is not read.
        if let Err(problem) = budget.add_file() {
            loaded.diagnostics.push(*problem);
            break;
        }
        match read_found(&found) {
            Ok((source, hash)) => {
                if let Err(problem) = budget.add_bytes(&found.shown, source.text.len()) {
                    loaded.diagnostics.push(*problem);
                    break;
                }
                let parsed = parse_within(&source, &mut budget);
                loaded.diagnostics.extend(parsed.diagnostics);
                loaded.files.push(File {
                    source,
                    hash,
                    documents: parsed.documents,
                    complete: parsed.complete,
                });
            }
            Err(problem) => loaded.diagnostics.push(*problem),
        }
    }
    loaded
}

/// Finds the files for `paths` as [`load`] does, but includes the project's settings. Also returns the
/// problems with the paths.
pub fn find(root: &Path, paths: &[PathBuf], bounds: Bounds<'_>) -> (Vec<Found>, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let settings = discover::Settings::Include;
    let seen = discover::discover(root, paths, bounds, settings, &mut problems);
    (seen.found, problems)
}

/// Returns an error for files that look like manifests and are not read: an environment in one would appear
/// to be removed. None when there are none.
pub fn find_unrecognised(root: &Path, paths: &[PathBuf], bounds: Bounds<'_>) -> Option<Diagnostic> {
    let settings = discover::Settings::Skip(None);
    let seen = discover::discover(root, paths, bounds, settings, &mut Vec::new());
    let mut problem = discover::ignored_files(&seen.unrecognised)?;
    problem.severity = Severity::Error;
    problem
        .help
        .insert(0, text!("nothing is destroyed while they exist, because they may declare environments"));
    Some(problem)
}

#[cfg(test)]
mod tests;
