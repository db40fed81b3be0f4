//! `postpay drift`: manifests, state and account against one another. It has nothing that could write.

use clap::builder::BoolishValueParser;

use super::account::Proven;
use super::connect::Embedded;
use super::env;
use super::error::{Exit, Failure};
use super::live;
use super::options::{Api, Changes, Global, Select};
use super::project::Project;
use super::ui::Ui;
use crate::diagnostic::Diagnostic;
use crate::drift::{self, Ignore, Options};
use crate::i18n::{Text, text};
use crate::report::drift::DriftView;

/// Detect drift between manifests, state and account (read-only)
///
/// Exits with 2 if there is drift. Every finding has a code, the address, both values, the place in the
/// manifest, and the next command. Reads every page of every listed region (api.list_regions).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay drift                                  in a nightly CI job
  postpay drift --offline                        only manifests and state
  postpay drift --ignore alias-changed:shop-prod
  postpay drift --report drift.html              also as a page")]
pub(super) struct Args {
    /// Do not read the account
    #[arg(long, env = "POSTPAY_OFFLINE", value_parser = BoolishValueParser::new())]
    offline: bool,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    embedded: Embedded,
}

/// What counts as drift.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct How {
    /// Count unmanaged environments as drift
    #[arg(long, env = "POSTPAY_STRICT", value_parser = BoolishValueParser::new())]
    strict: bool,
    /// Ignore findings with this code; repeatable
    #[arg(long = "ignore", value_name = "CODE[:ADDR]", value_delimiter = ',')]
    ignores: Vec<Ignore>,
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load(global, &args.api)?;
    project.guard_reports(global, ui)?;
    let desired = project.desired(ui)?;
    let state = project.read_state(ui)?;
    // Whether destroying is allowed does not change what differs.
    let options = project.options(&args.select, &Changes::default());
    let plan = project.plan(&desired, state.as_ref(), options)?;
    let mut account = state.as_ref().and_then(|state| state.account.clone()).unwrap_or(project.account());
    let mut live = None;
    if !args.offline {
        let seen = live::read(&project, &args.embedded, state.as_ref(), false, ui)?;
        if let Some(Proven::Account(caller)) = seen.account {
            account.uin = Some(caller.account);
        }
        live = Some(seen.live);
    }
    let options = drift_options(&args.how, &project, ui);
    let drift = drift::compare(&plan, &desired, state.as_ref(), live.as_ref(), &options);
    let provenance = ui.provenance(Some(account), &project.sources());
    ui.show(&DriftView::new(&drift, ui.diagnostics(), provenance))?;
    Ok(if drift.is_drift() { Exit::Changes } else { Exit::Fine })
}

/// What is ignored, on the command line or in postpay.yaml.
pub(super) fn drift_options(how: &How, project: &Project, ui: &Ui) -> Options {
    let How { strict, ignores } = how.clone();
    let mut options = known(project, ui);
    options.ignores.splice(0..0, ignores);
    Options { strict, ..options }
}

/// What is ignored in postpay.yaml; an expired entry is reported, and no longer ignores anything.
pub(super) fn known(project: &Project, ui: &Ui) -> Options {
    let today = jiff::tz::Offset::UTC.to_datetime(env::now()).date();
    let mut ignores = Vec::new();
    for ignore in &project.config.ignores {
        if ignore.has_expired(today) {
            ui.diagnose(&[expired(ignore)]);
        } else {
            ignores.push(ignore.clone());
        }
    }
    Options { strict: false, ignores }
}

fn expired(ignore: &Ignore) -> Diagnostic {
    let code = ignore.code.name();
    let place = ignore.address.as_ref().map_or(Text::same(""), |address| text!(" at `{address}`", address));
    let until = ignore.until.map_or(String::new(), |until| until.to_string());
    Diagnostic::warning(
        "ignore-expired",
        text!(
            "the entry for `{code}`{place} in `ignore` expired on {until}; the finding counts again",
            code,
            place,
            until
        ),
    )
    .help(text!("remove it from `ignore` in postpay.yaml, or set a later date"))
}
