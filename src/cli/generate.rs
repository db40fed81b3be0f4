//! `postpay generate`: manifests for what the account has and nobody declares, as a new file.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::account;
use super::connect::{Connection, Embedded};
use super::error::{Exit, Failure, NOTHING_SENT, cannot_write};
use super::options::{Api, Format, Global};
use super::project::Project;
use super::ui::Ui;
use crate::cloud::tencent::RETRY_READS_FOR;
use crate::cloud::{Bills, CloudRead as _};
use crate::diagnostic::{Diagnostic, SourceFile, any_error};
use crate::files::{self, TempFile};
use crate::generate::{Drafts, draft, known, manifest};
use crate::i18n::text;
use crate::model::Desired;
use crate::report::generate::GenerateView;
use crate::report::{clean, count};

/// Write manifests for environments that no manifest declares
///
/// Each gets an `import` block, so that the next plan imports it and creates nothing. Environments that
/// postpay does not manage, such as prepaid ones, are skipped and listed in a comment. Reads the account and
/// the state; changes neither.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay generate                                  print them
  postpay generate -o environments/imported.yaml    write a new file")]
pub(super) struct Args {
    /// The file to create [default: standard output]
    #[arg(short, long, value_name = "FILE", env = "POSTPAY_OUT")]
    out: Option<PathBuf>,
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    embedded: Embedded,
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load(global, &args.api)?;
    project.guard_reports(global, ui)?;
    let mut out = None;
    if let Some(path) = &args.out {
        project.check_not_state_file(path)?;
        out = Some(project.check_stays_in_project(path)?);
        if path.symlink_metadata().is_ok() {
            return Err(there_already(path));
        }
    }
    let desired = declared(&project, ui)?;
    let state = project.read_state(ui)?;
    let connection = Connection::with_credentials(&project, &args.embedded, RETRY_READS_FOR, ui)?;
    let (seen, bills) = super::runtime::start()?.block_on(async {
        account::expected(&connection, &project, state.as_ref(), ui).await?;
        let (client, _sandbox) = connection.open(state.as_ref()).await?;
        let seen = client.environments().await.map_err(|error| Failure::listing(&error))?;
        let known = known(&desired, state.as_ref());
        let unknown: Vec<String> = seen
            .iter()
            .map(|environment| environment.env_id.clone())
            .filter(|env_id| !known.contains(env_id.as_str()))
            .collect();
        let bills = if unknown.is_empty() {
            Bills::default()
        } else {
            client.bills(&unknown).await.map_err(|error| Failure::listing(&error))?
        };
        Ok::<_, Failure>((seen, bills))
    })?;
    let drafts = draft(&seen, &bills, &desired, state.as_ref());
    let text = manifest(&drafts, &project.account().endpoint);
    if !drafts.drafts.is_empty() {
        fits(&text, args.out.as_deref(), &project)?;
    }
    let written = match (&args.out, &out) {
        (Some(path), Some(out)) if !drafts.drafts.is_empty() => {
            write(out, &text)?;
            Some(path.as_path())
        }
        (_, _) => None,
    };
    show(&drafts, &text, written, args.out.is_some(), ui)?;
    Ok(Exit::Fine)
}

/// What the manifests declare. A project may begin with what the account has: then there is none yet.
fn declared(project: &Project, ui: &Ui) -> Result<Desired, Failure> {
    let (_, checked) = project.check();
    let mut errors = checked.diagnostics.iter().filter(|one| one.is_error());
    if any_error(&checked.diagnostics) && errors.all(is_no_manifest) {
        return Ok(Desired::default());
    }
    project.desired(ui)
}

fn is_no_manifest(diagnostic: &Diagnostic) -> bool {
    diagnostic.code == "empty-folder"
}

/// What is written has to stand beside what is there, or it would only make trouble.
fn fits(text: &str, out: Option<&Path>, project: &Project) -> Result<(), Failure> {
    let path = out.unwrap_or(Path::new("generated.yaml"));
    let mut diagnostics = project.check_with(Arc::new(SourceFile::new(path, text.to_owned())));
    diagnostics.retain(|diagnostic| !is_no_manifest(diagnostic));
    if any_error(&diagnostics) {
        return Err(Failure::from(diagnostics).help(text!("nothing was written")));
    }
    Ok(())
}

/// Whole or not at all, and never over a file.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || {
        // As any other file of a checkout: whoever may read the manifests may read this one.
        let mut temp = TempFile::create(path, ".postpay-generate-", files::SHARED)?;
        let file = temp.file()?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        temp.persist_new()
    };
    write().map(drop).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            there_already(path)
        } else {
            cannot_write(path, &error)
        }
    })
}

fn there_already(path: &Path) -> Failure {
    let shown = path.display().to_string();
    let shown = clean(&shown);
    Failure::new("generate-out", text!("{shown} already exists and will not be overwritten", shown))
        .help(text!("name a new file: `postpay generate -o FILE`; nothing was written"))
        .help(NOTHING_SENT)
}

fn show(
    drafts: &Drafts,
    text: &str,
    written: Option<&Path>,
    wanted: bool,
    ui: &mut Ui,
) -> Result<(), Failure> {
    let file = written.map(|path| path.display().to_string());
    let view = GenerateView::new(drafts, text, file.as_deref());
    if ui.format != Format::Human || (!wanted && !drafts.drafts.is_empty()) {
        ui.print_view(&view)?;
    }
    ui.write_reports(&view)?;
    let (made, known, left_out) = (drafts.drafts.len(), drafts.known, drafts.left_out.len());
    let generated = count(made, "environment", "environments");
    ui.status(&text!("{generated} declared, {known} already known, {left_out} skipped. Nothing was created or added to the state.\n", generated, known, left_out; made));
    for one in &drafts.left_out {
        let (env_id, why) = (clean(&one.env_id), &one.why);
        ui.status(&text!("  skipped {env_id}: {why}\n", env_id, why));
    }
    match written {
        Some(path) => {
            let shown = path.display().to_string();
            let shown = clean(&shown);
            ui.status(&text!("Written to {shown}. To preview the import: postpay plan\n", shown));
        }
        None if wanted => ui.status(&text!("No file was written.\n")),
        None => {}
    }
    Ok(())
}
