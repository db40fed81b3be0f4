//! From YAML documents to [`Desired`]: what the keys mean, and every problem with them at once.
//!
//! `read` walks the documents and reports what is wrong with single keys and values, the other modules what is wrong between
//! values, environments and files. What nobody objects to becomes [`Desired`]. The table of a kind decides what a field may be.
//!
//! How defaults work: `defaults` holds for the document it is in, and for the fields that the kind of an environment has. A field
//! that means something else in the kind of `defaults` (the usual kind, if it names none) is not inherited by another kind. A field
//! that an environment gives itself, or has from a merge key, wins as a whole; an `extra` mapping is not merged member by member.
//! The value `null` is the same as leaving a field out, and so takes a default away.

mod declared;
pub(crate) mod fields;
mod identity;
mod moves;
pub(crate) mod near;
mod read;
pub(crate) mod version;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, any_error};
use crate::i18n::text;
use crate::manifest::{Loaded, Node};
use crate::model::{
    Address, Attributes, Desired, Environment, Import, Lifecycle, Moved, Removed, SourceRef, Value,
};
use declared::{Declared, Manifests, Member};

/// What a project asks for beyond the rules that always hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Every environment that is to be created has an alias.
    pub require_alias: bool,
}

/// What the manifests ask for, and everything there is to say about them.
#[derive(Debug, Default)]
pub struct Checked {
    /// Asks for nothing when a diagnostic is an error.
    pub desired: Desired,
    /// Those of [`Loaded`] included; by file in the order found, then by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks everything that was loaded against every rule.
pub fn check(loaded: &Loaded, options: Options) -> Checked {
    check_beside(loaded, options, &BTreeSet::new())
}

/// As [`check`], where these addresses have their environments in the state, and are not to be created.
pub fn check_beside(loaded: &Loaded, options: Options, recorded: &BTreeSet<&Address>) -> Checked {
    let mut problems = loaded.diagnostics.clone();
    let mut found = Vec::new();
    let manifests = read::read(loaded, &mut found);
    if let Some(key) = manifests.too_many {
        problems.push(too_many(key));
    } else {
        problems.append(&mut found);
        leave_out(&mut problems);
        identity::duplicate_addresses(&manifests, &mut problems);
        for environment in &manifests.environments {
            fields::check_together(environment, &mut problems);
        }
        leave_out(&mut problems);
        if options.require_alias {
            identity::missing_aliases(&manifests, recorded, &mut problems);
        }
        identity::duplicate_aliases(&manifests, &mut problems);
        identity::distinct(&manifests, &mut problems);
        identity::env_ids(&manifests, &mut problems);
        identity::references(&manifests, &mut problems);
        moves::check(&manifests, &mut problems);
        leave_out(&mut problems);
    }
    let hashes = loaded.files.iter().map(|file| file.hash.clone()).collect();
    let mut desired = Desired { manifests: hashes, ..Desired::default() };
    if !any_error(&problems) {
        match environments(&manifests) {
            Ok(environments) => {
                desired.environments = environments;
                desired.moved = moved(&manifests);
                desired.removed = removed(&manifests);
            }
            Err(problem) => problems.push(*problem),
        }
    }
    Checked { desired, diagnostics: in_order(loaded, problems) }
}

/// The most problems that are kept: each takes a kilobyte, and nobody reads so many.
const MAX_PROBLEMS: usize = 50_000;

/// Takes problems out where there are too many, and says so.
fn leave_out(diagnostics: &mut Vec<Diagnostic>) {
    if diagnostics.len() <= MAX_PROBLEMS {
        return;
    }
    let rest = diagnostics.split_off(MAX_PROBLEMS - 1);
    let message = text!("more than {MAX_PROBLEMS} problems; only these are shown", MAX_PROBLEMS);
    diagnostics.push(if any_error(&rest) {
        Diagnostic::error("more-problems", message)
    } else {
        Diagnostic::warning("more-problems", message)
    });
}

fn too_many(key: Node<'_>) -> Diagnostic {
    const MAX_ENVIRONMENTS: usize = read::MAX_ENVIRONMENTS;
    Diagnostic::error(
        "project-too-large",
        text!("the manifests declare more than {MAX_ENVIRONMENTS} environments", MAX_ENVIRONMENTS),
    )
    .at(&key.span(), text!("up to this one"))
    .help(text!("nothing else was checked; split the project"))
}

/// The bytes of all values of all environments. A default counts for each of them.
const MAX_VALUES: usize = 256 * 1024 * 1024;

fn environments(manifests: &Manifests<'_>) -> Result<Vec<Environment>, Box<Diagnostic>> {
    let mut all = Vec::new();
    let mut bytes = 0;
    for environment in &manifests.environments {
        // A name that is not an address has been reported.
        let Ok(address) = Address::new(environment.name) else {
            continue;
        };
        let attributes = attributes(environment);
        bytes += attributes.iter().map(|(_, value)| value.bytes()).sum::<usize>();
        if bytes > MAX_VALUES {
            let most = MAX_VALUES / (1024 * 1024);
            return Err(Box::new(
                Diagnostic::error(
                    "project-too-large",
                    text!("the environments are larger than {most} MiB, defaults included", most),
                )
                .at(&environment.key.span(), text!("up to this one")),
            ));
        }
        let ignored = environment.lifecycle.ignored();
        all.push(Environment {
            address,
            attributes,
            lifecycle: Lifecycle {
                prevent_destroy: environment.lifecycle.prevent_destroy,
                ignore_changes: ignored.filter_map(|name| environment.kind.field(name.text)).collect(),
            },
            import: environment.import.and_then(import),
            source: source(environment.key),
        });
    }
    Ok(all)
}

fn attributes(environment: &Declared<'_>) -> Attributes {
    let mut attributes = Attributes::new(environment.kind);
    for field in environment.kind.fields() {
        if let Some(value) = environment.get(field).and_then(|found| found.value) {
            attributes.set(field, value);
        } else if let Some(default) = field.default {
            attributes.set(field, Value::Bool(default));
        }
    }
    attributes
}

fn import(written: declared::Import<'_>) -> Option<Import> {
    let text = |member: Option<Member<'_>>| Some(member?.text?.to_owned());
    Some(Import {
        // An import without one has been reported.
        env_id: text(written.env_id)?,
        tran_id: text(written.tran_id),
        source: source(written.key),
    })
}

fn moved(manifests: &Manifests<'_>) -> Vec<Moved> {
    let address = |name: declared::Name<'_>| Address::new(name.text).ok();
    manifests
        .whole_moves()
        .filter_map(|(moved, from, to)| {
            Some(Moved { from: address(from)?, to: address(to)?, source: source(moved.node) })
        })
        .collect()
}

/// Each once, however often it is listed.
fn removed(manifests: &Manifests<'_>) -> Vec<Removed> {
    let mut seen = HashSet::new();
    let once = manifests.removed.iter().filter(|name| seen.insert(name.text));
    once.filter_map(|name| {
        Some(Removed { address: Address::new(name.text).ok()?, source: source(name.node) })
    })
    .collect()
}

fn source(node: Node<'_>) -> SourceRef {
    let span = node.span();
    SourceRef { file: span.file.path.display().to_string(), line: span.start().line }
}

/// By file, then by place; what is not about a place comes first. A value that many environments
/// share by an anchor or a default is spoken of once.
fn in_order(loaded: &Loaded, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let files: HashMap<&PathBuf, usize> =
        loaded.files.iter().enumerate().map(|(at, file)| (&file.source.path, at + 1)).collect();
    let place = |diagnostic: &Diagnostic| {
        diagnostic.labels.first().map_or((0, 0, 0), |label| {
            let bytes = &label.span.bytes;
            let file = files.get(&label.span.file.path).copied();
            (file.unwrap_or(usize::MAX), bytes.start, bytes.end)
        })
    };
    let mut seen = HashSet::new();
    let mut placed: Vec<_> = diagnostics
        .into_iter()
        .map(|diagnostic| (place(&diagnostic), diagnostic))
        .filter(|(place, diagnostic)| seen.insert((*place, diagnostic.code, diagnostic.message.clone())))
        .collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, diagnostic)| diagnostic).collect()
}

#[cfg(test)]
mod tests;
