//! `postpay validate`: every problem of every manifest, offline.

use std::path::PathBuf;

use super::Exit;
use super::failure::Failure;
use super::load::{Project, check_project};
use super::options::{Api, Format, Global};
use super::shown::Shown;
use super::world::World;
use crate::diagnostic::{Diagnostic, any_error};
use crate::i18n::text;
use crate::report::human::Look;
use crate::report::{count, json, page};
use crate::state::{Snapshot, read};

/// Check the manifests and postpay.yaml, offline
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay validate                        all manifests, and postpay.yaml
  postpay validate -f shop.yaml -f team/  these files and folders
  postpay validate --format json          for programs")]
pub(super) struct Args {}

pub(super) fn run(_: &Args, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let loaded = check_project(global).and_then(|()| Project::load_as_far(global, &Api::default()));
    let (project, wrong) = match loaded {
        Ok(loaded) => loaded,
        Err(failure) => return show(&[], 0, &failure.diagnostics, world),
    };
    project.guard_reports(global, world)?;
    let mut diagnostics = wrong.map_or_else(Vec::new, |failure| failure.diagnostics);
    // What is wrong with the settings hides nothing that is wrong with the manifests.
    let (files, environments) = if diagnostics.is_empty() || project.has_manifests() {
        // A state that can't be read is for other commands to complain of.
        let snapshot = read(&world.store(&project.state)).ok();
        let state = snapshot.and_then(Snapshot::current);
        let (files, checked) = project.check_creates(state.as_ref());
        diagnostics.extend(checked.diagnostics);
        (files, checked.desired.environments.len())
    } else {
        (Vec::new(), 0)
    };
    show(&files, environments, &diagnostics, world)
}

fn show(
    files: &[PathBuf],
    environments: usize,
    diagnostics: &[Diagnostic],
    world: &mut World,
) -> Result<Exit, Failure> {
    let valid = !any_error(diagnostics);
    let document = || json::validate::document(files.len(), environments, diagnostics);
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let sentence = |look: Look| {
        let n = files.len();
        let files = count(n, "file", "files");
        look.say(if valid {
            let declared = count(environments, "environment", "environments");
            text!("Valid: {declared} in {files}.\n", declared, files; n, environments)
        } else {
            let found = count(errors, "error", "errors");
            text!("Invalid: {found} in {files}.\n", found, files; n, errors)
        })
    };
    world.diagnose(diagnostics);
    let page = |lang| page::validation(files, diagnostics, &sentence(Look { lang, ..Look::PLAIN }), lang);
    let shown = Shown::new(&document, &sentence, &page);
    if valid || world.format != Format::Human {
        world.print_as_asked(shown)?;
    } else {
        world.say(&sentence(world.err));
    }
    world.report(shown)?;
    Ok(if valid { Exit::Fine } else { Exit::Error })
}
