//! `postpay validate`: every problem of every manifest, offline.

use std::path::PathBuf;

use super::error::{Exit, Failure};
use super::options::{Api, Format, Global};
use super::project::{Project, check_project};
use super::ui::Ui;
use crate::diagnostic::Diagnostic;
use crate::report::document::View as _;
use crate::report::validate::ValidateView;
use crate::state::{Snapshot, read};

/// Check the manifests and postpay.yaml, offline
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay validate                        all manifests, and postpay.yaml
  postpay validate -f shop.yaml -f team/  these files and folders
  postpay validate --format json          for programs")]
pub(super) struct Args {}

pub(super) fn run(_: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let loaded = check_project(global).and_then(|()| Project::load_as_far(global, &Api::default()));
    let (project, wrong) = match loaded {
        Ok(loaded) => loaded,
        Err(failure) => return show(&[], 0, &failure.diagnostics, ui),
    };
    project.guard_reports(global, ui)?;
    let mut diagnostics = wrong.map_or_else(Vec::new, |failure| failure.diagnostics);
    // What is wrong with the settings hides nothing that is wrong with the manifests.
    let (files, environments) = if diagnostics.is_empty() || project.has_manifests() {
        // A state that can't be read is for other commands to complain of.
        let snapshot = project.store().ok().and_then(|store| read(&*store).ok());
        let state = snapshot.and_then(Snapshot::current);
        let (files, checked) = project.check_creates(state.as_ref());
        diagnostics.extend(checked.diagnostics);
        (files, checked.desired.environments.len())
    } else {
        (Vec::new(), 0)
    };
    show(&files, environments, &diagnostics, ui)
}

fn show(
    files: &[PathBuf],
    environments: usize,
    diagnostics: &[Diagnostic],
    ui: &mut Ui,
) -> Result<Exit, Failure> {
    let roots: Vec<PathBuf> = files.to_vec();
    let view = ValidateView::new(files, environments, diagnostics, ui.provenance(None, &roots));
    ui.diagnose(diagnostics);
    if view.valid || ui.format != Format::Human {
        ui.print_view(&view)?;
    } else {
        ui.print_stderr(&view.text(ui.err));
    }
    ui.write_reports(&view)?;
    Ok(if view.valid { Exit::Fine } else { Exit::Error })
}
