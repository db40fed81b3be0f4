//! From YAML documents to [`Desired`]: what the keys mean, and every problem with them at once.
//!
//! `model` reads the documents into fields with their places, the rules in [`RULES`] each look at
//! all of it for one kind of problem, and what no rule objects to becomes [`Desired`].
//!
//! How defaults work: `defaults` holds for the document it stands in. A field that an environment
//! names itself, or has from a merge key, wins as a whole; an `extra` mapping is not merged member by
//! member. The value `null` is the same as leaving a field out, and so takes a default away.

mod model;
pub(crate) mod near;
mod rules;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

pub use rules::{RULES, Rule};

use crate::diagnostic::{Diagnostic, any_error};
use crate::kinds::postpay;
use crate::lang::text;
use crate::manifest::{Loaded, Node};
use crate::model::{Address, Attributes, Desired, Environment, Import, Lifecycle, Moved, Removed, SourceRef};
use model::{Content, MAX_ENVIRONMENTS, Manifests};

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
    let mut manifests = Manifests::read(loaded);
    manifests.recorded = recorded.iter().map(|address| address.as_str()).collect();
    let mut diagnostics = loaded.diagnostics.clone();
    if let Some(key) = manifests.too_many {
        diagnostics.push(too_many(key));
    } else {
        for rule in RULES {
            (rule.check)(&manifests, options, &mut diagnostics);
            leave_out(&mut diagnostics);
        }
    }
    let mut environments = Vec::new();
    if !any_error(&diagnostics) {
        match environments_of(&manifests) {
            Ok(all) => environments = all,
            Err(problem) => diagnostics.push(*problem),
        }
    }
    let diagnostics = in_order(loaded, diagnostics);
    let mut desired = Desired {
        environments: Vec::new(),
        moved: Vec::new(),
        removed: Vec::new(),
        manifests: loaded.files.iter().map(|file| file.hash.clone()).collect(),
    };
    if !any_error(&diagnostics) {
        desired.environments = environments;
        desired.moved = moved(&manifests);
        desired.removed = removed(&manifests);
    }
    Checked { desired, diagnostics }
}

/// The most problems that are kept: each takes a kilobyte, and nobody reads so many.
const MAX_PROBLEMS: usize = 50_000;

/// Takes problems out where there are too many, and says so.
fn leave_out(diagnostics: &mut Vec<Diagnostic>) {
    if diagnostics.len() <= MAX_PROBLEMS {
        return;
    }
    let rest = diagnostics.split_off(MAX_PROBLEMS - 1);
    let message = text!(
        "there are more than {MAX_PROBLEMS} problems; only these are listed",
        "问题超过 {MAX_PROBLEMS} 个；只列出这些"
    );
    diagnostics.push(if any_error(&rest) {
        Diagnostic::error("more-problems", message)
    } else {
        Diagnostic::warning("more-problems", message)
    });
}

fn too_many(key: Node<'_>) -> Diagnostic {
    Diagnostic::error(
        "project-too-large",
        text!(
            "the manifests declare more than {MAX_ENVIRONMENTS} environments",
            "清单声明了超过 {MAX_ENVIRONMENTS} 个环境"
        ),
    )
    .at(&key.span(), text!("up to this one", "到这一个为止"))
    .help(text!("nothing else was checked; split the project", "其余内容没有检查；请拆分项目"))
}

/// The bytes of all values of all environments. A default counts for each of them.
const MAX_VALUES: usize = 256 * 1024 * 1024;

fn environments_of(manifests: &Manifests<'_>) -> Result<Vec<Environment>, Box<Diagnostic>> {
    let mut all = Vec::new();
    let mut bytes = 0;
    for (_, environment) in manifests.environments() {
        // A rule has seen to it that this holds.
        let Ok(address) = Address::new(environment.name) else {
            continue;
        };
        let attributes = attributes(manifests, environment);
        bytes += attributes.iter().map(|(_, value)| value.to_string().len()).sum::<usize>();
        if bytes > MAX_VALUES {
            let most = MAX_VALUES / (1024 * 1024);
            return Err(Box::new(
                Diagnostic::error(
                    "project-too-large",
                    text!(
                        "with their defaults, the environments hold more than {most} MiB",
                        "加上默认值，所有环境合计超过 {most} MiB"
                    ),
                )
                .at(&environment.key.span(), text!("up to this one", "到这一个为止")),
            ));
        }
        all.push(Environment {
            address,
            attributes,
            lifecycle: lifecycle(environment.lifecycle),
            import: environment.import.and_then(import),
            source: source(environment.key),
        });
    }
    Ok(all)
}

fn lifecycle(written: model::Lifecycle<'_>) -> Lifecycle {
    Lifecycle {
        prevent_destroy: written.prevent_destroy,
        ignore_changes: written.ignored().filter_map(|name| postpay::KIND.field(name.text)).collect(),
    }
}

fn import(written: model::Import<'_>) -> Option<Import> {
    let text = |said: Option<model::Said<'_>>| Some(said?.text?.to_owned());
    Some(Import {
        // A rule has seen to it that it is there.
        env_id: text(written.env_id)?,
        tran_id: text(written.tran_id),
        source: source(written.key),
    })
}

fn moved(manifests: &Manifests<'_>) -> Vec<Moved> {
    let address = |name: model::Name<'_>| Address::new(name.text).ok();
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
    manifests
        .removed
        .iter()
        .filter(|name| seen.insert(name.text))
        .filter_map(|name| {
            Some(Removed { address: Address::new(name.text).ok()?, source: source(name.node) })
        })
        .collect()
}

fn source(node: Node<'_>) -> SourceRef {
    let span = node.span();
    SourceRef { file: span.file.path.display().to_string(), line: span.start().line }
}

fn attributes(manifests: &Manifests<'_>, environment: &model::Environment<'_>) -> Attributes {
    postpay::KIND
        .fields()
        .filter_map(|field| {
            let text = match manifests.get(environment, field)?.content {
                Content::Text(text) => text.to_owned(),
                Content::Members(members) => rules::extra::compact_json(members).ok()?,
                Content::Wrong => return None,
            };
            Some((field, text))
        })
        .collect()
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
