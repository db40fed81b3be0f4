//! Manifest files: which ones there are, what bytes they hold, and their YAML as a [`Document`] in
//! which every key and value knows its place; and the layout that such a text should have.
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
pub use layout::layout;
pub use read::{Budget, MAX_BYTES, bytes, bytes_of, read, read_found, source};
pub use schema::manifest_schema;
pub use tree::{Document, Entry, Mapping, Node, Sequence, Value};

/// What the manifests hold, as far as YAML goes.
#[derive(Debug, Default)]
pub struct Loaded {
    /// In the order in which they were found, which is the order of the environments.
    pub files: Vec<File>,
    /// What is wrong with the files and their YAML.
    pub diagnostics: Vec<Diagnostic>,
}

/// One manifest file.
#[derive(Debug)]
pub struct File {
    pub source: Arc<SourceFile>,
    pub hash: ManifestHash,
    pub documents: Vec<Document>,
    /// False when its YAML broke off: then it may declare more than `documents` has.
    pub complete: bool,
}

/// Finds and reads every manifest that `paths` name, files or folders, in the order given.
///
/// Relative paths are taken from `root` and shown as they were given; none of them leads out of `bounds`. `config` is the
/// project's `postpay.yaml`, which a folder leaves out whatever it is called.
pub fn load(root: &Path, paths: &[PathBuf], bounds: Bounds<'_>, config: Option<&Path>) -> Loaded {
    let mut loaded = Loaded::default();
    let settings = discover::Settings::LeftOut(config);
    let seen = discover::discover(root, paths, bounds, settings, &mut loaded.diagnostics);
    loaded.diagnostics.extend(discover::not_read(&seen.unrecognised));
    let mut budget = Budget::default();
    for one in seen.found {
        // Of what is too much, the rest is not looked at either.
        if let Err(problem) = budget.add_file() {
            loaded.diagnostics.push(*problem);
            break;
        }
        match read_found(&one) {
            Ok((source, hash)) => {
                if let Err(problem) = budget.add_bytes(&one.shown, source.text.len()) {
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

/// The files that `paths` name, as [`load`] finds them, and with them the project's settings where they lie in a folder.
/// What is wrong with the paths comes with it.
pub fn find(root: &Path, paths: &[PathBuf], bounds: Bounds<'_>) -> (Vec<Found>, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let settings = discover::Settings::Taken;
    let seen = discover::discover(root, paths, bounds, settings, &mut problems);
    (seen.found, problems)
}

/// An error that names what may be a manifest by its name and is not read: an environment in it would look as if it were no
/// longer declared. None when there is nothing of the kind.
pub fn find_unrecognised(root: &Path, paths: &[PathBuf], bounds: Bounds<'_>) -> Option<Diagnostic> {
    let settings = discover::Settings::LeftOut(None);
    let seen = discover::discover(root, paths, bounds, settings, &mut Vec::new());
    let mut problem = discover::not_read(&seen.unrecognised)?;
    problem.severity = Severity::Error;
    problem
        .help
        .insert(0, text!("nothing is destroyed while they exist, because they may declare environments"));
    Some(problem)
}

#[cfg(test)]
mod tests;
