//! `postpay validate`: every problem of every manifest, offline.

use super::Exit;
use super::failure::Failure;
use super::load::Project;
use super::options::{Api, Format, Global, Strict};
use super::world::World;
use crate::diagnostic::{Diagnostic, any_error};
use crate::report::human::Look;
use crate::report::{count, json};

/// Check the manifests and postpay.yaml; offline, without credentials
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay validate                        the manifests that postpay.yaml names, or environments/
  postpay validate -f shop.yaml -f team/  these files and folders
  postpay validate --format json          for programs")]
pub(super) struct Args {
    #[command(flatten)]
    strict: Strict,
}

pub(super) fn run(args: &Args, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let project = match Project::load(global, &Api::default()) {
        Ok(project) => project,
        Err(failure) => return show(0, 0, &failure.diagnostics, world),
    };
    let (files, checked) = project.check(&args.strict);
    show(
        files,
        checked.desired.environments.len(),
        &checked.diagnostics,
        world,
    )
}

fn show(
    files: usize,
    environments: usize,
    diagnostics: &[Diagnostic],
    world: &mut World,
) -> Result<Exit, Failure> {
    let valid = !any_error(diagnostics);
    let document = || json::validate::document(files, environments, diagnostics);
    let errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .count();
    let sentence = |_: Look| {
        let files = count(files, "file", "files");
        if valid {
            let environments = count(environments, "environment", "environments");
            format!("Valid: {environments} in {files}.\n")
        } else {
            let errors = count(errors, "error", "errors");
            format!("Not valid: {errors} in {files}.\n")
        }
    };
    world.diagnose(diagnostics);
    match world.format {
        Format::Json => world.print(&document())?,
        Format::Human if valid => world.print(&sentence(world.out))?,
        Format::Human => world.say(&sentence(world.err)),
    }
    world.report(document, sentence)?;
    Ok(if valid { Exit::Fine } else { Exit::Error })
}
