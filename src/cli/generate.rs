//! `postpay generate`: manifests for what the account has and nobody declares, as a new file.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::PossibleValuesParser;

use super::account;
use super::connect::{Connection, Embedded};
use super::error::{Exit, Failure, NOTHING_SENT, cannot_write};
use super::options::{Api, Format, Global};
use super::project::{Project, unknown_address};
use super::ui::Ui;
use crate::cloud::tencent::RETRY_READS_FOR;
use crate::cloud::{Bills, CloudRead as _};
use crate::diagnostic::{Diagnostic, SourceFile, any_error};
use crate::files::{self, TempFile};
use crate::generate::{
    Drafts, Redeclared, cannot_redeclare, draft, known, manifest, manifest_of_kind, redeclare,
};
use crate::i18n::text;
use crate::kinds;
use crate::manifest::comments_of;
use crate::model::{Address, Desired, Kind};
use crate::report::generate::GenerateView;
use crate::report::{clean, count};

/// Write manifests for environments that no manifest declares
///
/// Each gets an `import` block, so that the next plan imports it and creates nothing. Prepaid environments
/// are declared with `kind: package`. Environments that cannot be imported are skipped and listed in a
/// comment. Reads the account and the state; changes neither.
///
/// With --kind, declares environments of the manifests again with another kind: all that are not in the
/// state, or those at ADDR. Reads nothing but the project. Fields that have to be chosen are left empty.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay generate                                  print them
  postpay generate -o environments/imported.yaml    write a new file
  postpay generate --kind package                   declare what was not created with another kind")]
pub(super) struct Args {
    /// With --kind: only these addresses
    #[arg(value_name = "ADDR", requires = "kind")]
    addresses: Vec<Address>,
    /// Declare what was not created with another kind: package
    #[arg(long, value_name = "KIND", hide_possible_values = true, value_parser = PossibleValuesParser::new(other_kinds().map(|kind| kind.name)))]
    kind: Option<String>,
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
    if let Some(kind) = args.kind.as_deref().and_then(kinds::find) {
        return redeclare_as(kind, args, out.as_deref(), &project, ui);
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

/// Kinds that an environment can be declared with instead of the default.
fn other_kinds() -> impl Iterator<Item = &'static Kind> {
    kinds::ALL.iter().copied().skip(1).filter(|kind| !kind.shares_env_id)
}

/// Declares environments of the manifests again with another kind.
fn redeclare_as(
    kind: &'static Kind,
    args: &Args,
    out: Option<&Path>,
    project: &Project,
    ui: &mut Ui,
) -> Result<Exit, Failure> {
    let desired = project.desired(ui)?;
    let state = project.read_state(ui)?;
    for address in &args.addresses {
        let Some(environment) = desired.environments.iter().find(|it| it.address == *address) else {
            return Err(unknown_address(address, &desired, None));
        };
        if let Some(why) = cannot_redeclare(environment, state.as_ref(), kind) {
            return Err(Failure::new("generate-kind", why).help(NOTHING_SENT));
        }
    }
    let files = project.load_manifests().files;
    let redeclared: Vec<Redeclared> = desired
        .environments
        .iter()
        .filter(|it| args.addresses.is_empty() || args.addresses.contains(&it.address))
        .filter(|it| cannot_redeclare(it, state.as_ref(), kind).is_none())
        .map(|environment| {
            let place = &environment.source;
            let file = files.iter().find(|file| file.source.path.display().to_string() == place.file);
            let comments = file.map(|file| comments_of(&file.source, place.line));
            redeclare(environment, kind, comments.unwrap_or_default())
        })
        .collect();
    let text = manifest_of_kind(&redeclared, kind);
    let written = args.out.as_deref().zip(out).filter(|_| !redeclared.is_empty());
    if let Some((_, out)) = written {
        write(out, &text)?;
    }
    let file = written.map(|(path, _)| path.display().to_string());
    let view = GenerateView::redeclared(&redeclared, &text, file.as_deref());
    if ui.format != Format::Human || (args.out.is_none() && !redeclared.is_empty()) {
        ui.print_view(&view)?;
    }
    ui.write_reports(&view)?;
    if redeclared.is_empty() {
        let kind = kind.name;
        ui.status(&text!("Nothing to declare with `kind: {kind}`: everything is in the state, exists already, or has that kind.\n", kind));
        return Ok(Exit::Fine);
    }
    if let Some(file) = &file {
        let shown = clean(file);
        ui.status(&text!("Written to {shown}.\n", shown));
    }
    let places: Vec<String> =
        redeclared.iter().map(|it| clean(&it.replaces.to_string()).into_owned()).collect();
    let places = places.join(", ");
    ui.status(&text!(
        "It replaces the entries at {places}: remove those. `postpay validate` then names what has to be chosen.\n",
        places
    ));
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
