//! `postpay state pull`: the state as it is now, for a copy.

use crate::cli::error::{Exit, Failure, NOTHING_SENT};
use crate::cli::options::{Api, Global};
use crate::cli::project::Project;
use crate::cli::ui::Ui;
use crate::i18n::text;
use crate::report::state::StateView;
use crate::report::view::Provenance;
use crate::sanitize;
use crate::state::encode_state;

/// Print the state file as JSON
///
/// The journal of an open run is merged in. Reads only; takes no lock.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay state pull > copy.json            for `postpay state restore`
  postpay state pull | jq .environments     inspect it

The schema: postpay schema state")]
pub(in crate::cli) struct Args {}

pub(super) fn run(Args {}: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, ui)?;
    let Some(state) = project.read_state(ui)? else {
        return Err(no_state());
    };
    let text = String::from_utf8_lossy(&encode_state(&state)?).into_owned();
    ui.print(&sanitize::json(&text))?;
    let provenance = Provenance::default();
    ui.write_reports(&StateView { state: Some(&state), diagnostics: Vec::new(), provenance })?;
    Ok(Exit::Fine)
}

pub(super) fn no_state() -> Failure {
    let why = text!("no state: nothing has been created yet");
    Failure::new("no-state", why)
        .help(text!("if there should be one, set its path with --state or in postpay.yaml"))
        .help(NOTHING_SENT)
}
