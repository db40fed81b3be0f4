//! Checks of a plan against the files around it: manifests that were not read, receipts that contradict the state, and
//! rescue files.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::error::{Failure, NOTHING_SENT};
use super::project::Project;
use crate::check;
use crate::diagnostic::{Diagnostic, any_error};
use crate::i18n::text;
use crate::manifest;
use crate::plan::{Plan, Step};
use crate::report::clean;
use crate::report::verify::{describe_notice, describe_problem};
use crate::state::StateStore;
use crate::state::verify::{self, Notice, Problem};
use crate::state::{State, rescue};

/// Rejects destroying an environment that a manifest that was not read still declares: the next plan of the whole project
/// would create it again.
pub(super) fn check_unread_manifests(plan: &Plan, project: &Project) -> Result<(), Failure> {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let read: HashSet<PathBuf> = plan.manifests.iter().map(|it| whole(&it.path)).collect();
    let mut unread: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
    for step in plan.destroys().filter(|step| !step.deposed) {
        let file = Path::new(&step.source.file);
        if file.is_file() && !read.contains(&whole(file)) {
            unread.entry(&step.source.file).or_default().push(step);
        }
    }
    let mut refusals = Vec::new();
    for (file, steps) in unread {
        let loaded = manifest::load(Path::new(""), &[PathBuf::from(file)], project.typed(), None);
        let checked = check::check(&loaded, check::Options::default());
        let file = clean(file).into_owned();
        for Step { address, .. } in steps {
            let declared = checked.desired.environments.iter();
            let declared = declared.into_iter().find(|environment| environment.address == *address);
            let message = match declared {
                Some(environment) => {
                    let source = clean(&environment.source.to_string()).into_owned();
                    text!("`{address}` is still declared in {source}, which was not read", address, source)
                }
                None if any_error(&checked.diagnostics) => text!(
                    "`{address}` was declared in {file}, which was not read and is not valid: it may still be declared there",
                    address,
                    file
                ),
                None => continue,
            };
            refusals.push(Diagnostic::error("declared-elsewhere", message).help(text!(
                "add that file: `-f {file}`; or remove `{address}` from it and plan the whole project",
                file,
                address
            )));
        }
    }
    if refusals.is_empty() {
        return Ok(());
    }
    Err(Failure::from(refusals).help(NOTHING_SENT))
}

/// Rejects creating and destroying while the state contradicts its receipts. They carry hashes, and the state is a file that
/// anybody may edit: what was removed from it would be created again, and an id added to it destroyed.
pub(super) fn check_receipts(plan: &Plan, store: &dyn StateStore) -> Result<(), Failure> {
    if !plan.calls_api() || plan.changes().next().is_none() {
        return Ok(());
    }
    let verified = verify::verify(store)?;
    let contradictions: Vec<Diagnostic> = verified
        .problems
        .iter()
        .filter(|problem| match problem {
            Problem::Differs(difference) => difference.is_dangerous(),
            // Without all receipts the state cannot be checked.
            Problem::Error(_) => true,
            // These contradict no receipt; `check_rescue_files` handles the second.
            Problem::Shared { .. } | Problem::Unrecorded { .. } => false,
        })
        .map(|problem| Diagnostic::error(problem.code(), describe_problem(problem)))
        .collect();
    if contradictions.is_empty() {
        return Ok(());
    }
    Err(Failure::from(contradictions)
        .help(text!("nothing is created or destroyed while the state contradicts its receipts; run `postpay state verify` for details"))
        .help(text!("to follow the receipts: `postpay state restore` (preview with `--dry-run`); to keep an edit: copy the file, restore, increase the copy's `serial`, and `postpay state push` it"))
        .help(NOTHING_SENT))
}

/// Rejects creating while a rescue file has ids that neither the state nor a receipt has, or cannot be read: its
/// environments would be created a second time.
pub(super) fn check_rescue_files(
    plan: &Plan,
    state: Option<&State>,
    project: &Project,
    store: &dyn StateStore,
) -> Result<(), Failure> {
    if plan.orders().next().is_none() {
        return Ok(());
    }
    let (problems, notices) = verify::check_rescues(rescue::list(store)?, state);
    let unreadable = notices.iter().filter(|notice| matches!(notice, Notice::RescueUnreadable { .. }));
    let mut found: Vec<Diagnostic> =
        unreadable.map(|notice| Diagnostic::error(notice.code(), describe_notice(notice))).collect();
    if !problems.is_empty() {
        let known = project.ids_in_receipts()?;
        let is_known = |problem: &&Problem| match problem {
            Problem::Unrecorded { rescued, .. } => {
                rescued.outcome.env_id.as_ref().is_some_and(|env_id| known.contains(env_id))
            }
            Problem::Differs(_) | Problem::Shared { .. } | Problem::Error(_) => false,
        };
        let unknown = problems.iter().filter(|problem| !is_known(problem));
        found.extend(unknown.map(|problem| Diagnostic::error(problem.code(), describe_problem(problem))));
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(Failure::from(found)
        .help(text!(
            "restore the journal of that run, or import each environment: `postpay import ADDR ENV_ID`"
        ))
        .help(text!("if none of its environments exists any more, move the rescue file out of the folder"))
        .help(NOTHING_SENT))
}
