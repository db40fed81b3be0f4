//! `postpay sandbox`: runs the embedded endpoint alone, and prints its ledger.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use comfy_table::{Table, presets};
use serde_json::Value;

use super::connect::{ListAliasArg, ledger_beside};
use super::env;
use super::error::{Exit, Failure, cannot_write};
use super::options::{Api, Global, time};
use super::project::Project;
use super::ui::Ui;
use crate::cloud::tencent::wire::{DESTROY, MODIFY};
use crate::files;
use crate::i18n::{Text, text};
use crate::report::RenderOptions;
use crate::report::clean;
use crate::report::document::View;
use crate::sandbox::{self, Fault, LedgerEntry, Postpaid, Sandbox};

/// Run the embedded endpoint, and show what it received
///
/// A small server on this machine that implements the API. It needs no account and costs nothing.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Serve(Serve),
    Ledger(Ledger),
    Reset(Reset),
}

/// Run the embedded endpoint for other clients, until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  postpay sandbox serve                                   on 127.0.0.1:8650
  postpay sandbox serve --fault throttle@1-3 --fault error:LimitExceeded@5
  postpay sandbox serve --latency 1s --existing my-env-1a2b
  postpay sandbox serve --existing-postpaid shop-1a2b --fault destroy:reset-after@1

Faults (the call number counts CreatePostpayPackage requests from 1):
  throttle                 rejected by the gateway
  throttle-for:TIME        the same for every call within TIME, such as 3s
  reset-before, reset-after, eof-before, eof-after, hang-before, hang-after, 500-before, 500-after
                           the connection breaks, hangs or fails before or after the create
  cut-body, html           created, but the response is cut or not JSON
  null-env-id, missing-tran-id
                           created, but the response lacks an id
  error:CODE, error-after:CODE
                           an error of Tencent Cloud, without or with the create
  list:KIND, bill:KIND     the same at DescribeEnvs or DescribeBillingInfo, counted separately:
                           throttle, throttle-for:TIME, reset-before, eof-before, hang-before,
                           500-before, cut-body, html, error:CODE; and short (a page lacks its
                           last row) and repeat (rows come twice)
  modify:KIND, destroy:KIND
                           the same at ModifyEnv or DestroyEnv, counted separately: every kind
                           but null-env-id and missing-tran-id
  sts:KIND                 as list:KIND, for requests to STS")]
pub(super) struct Serve {
    /// Address to listen on
    ///
    /// Loopback only.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8650", env = "POSTPAY_LISTEN")]
    listen: SocketAddr,
    /// Inject a fault at a call: KIND@N, KIND@N-M or KIND@*
    ///
    /// Repeatable.
    #[arg(long = "fault", value_name = "KIND@CALL", env = "POSTPAY_FAULT", value_delimiter = ',')]
    faults: Vec<Fault>,
    /// Response latency, for example 300ms
    #[arg(long, value_name = "TIME", default_value = "0s", env = "POSTPAY_LATENCY", value_parser = time)]
    latency: Duration,
    /// Random delay, up to this time
    #[arg(long, value_name = "TIME", default_value = "0s", env = "POSTPAY_JITTER", value_parser = time)]
    jitter: Duration,
    /// Time until a created environment is listed, for example 3s
    #[arg(long, hide_short_help = true, value_name = "TIME", default_value = "0s", env = "POSTPAY_LIST_DELAY", value_parser = time)]
    list_delay: Duration,
    /// Field that is listed as the alias
    #[arg(
        long,
        hide_short_help = true,
        value_name = "WHAT",
        default_value = "alias",
        env = "POSTPAY_LIST_ALIAS"
    )]
    list_alias: ListAliasArg,
    /// Creates per second, up to 1000
    #[arg(long, value_name = "N", default_value_t = sandbox::RATE, env = "POSTPAY_SANDBOX_RATE", value_parser = clap::value_parser!(u32).range(1..=1000))]
    sandbox_rate: u32,
    /// A prepaid environment that exists; repeatable
    #[arg(long, hide_short_help = true, value_name = "ENV_ID")]
    existing: Vec<String>,
    /// A postpaid environment that exists; repeatable
    #[arg(long, hide_short_help = true, value_name = "ENV_ID[:ALIAS]")]
    existing_postpaid: Vec<Postpaid>,
    /// The main account (UIN) that owns everything
    #[arg(long, hide_short_help = true, value_name = "UIN", default_value = sandbox::ACCOUNT, env = "POSTPAY_SANDBOX_ACCOUNT")]
    account: String,
    /// Maximum lifetime of a role's credentials, for example 10s
    #[arg(long, hide_short_help = true, value_name = "TIME", env = "POSTPAY_MAX_SESSION", value_parser = time)]
    max_session: Option<Duration>,
    /// Also serve the metadata service of a machine with this role
    #[arg(long, hide_short_help = true, value_name = "ROLE", env = "POSTPAY_MACHINE_ROLE")]
    machine_role: Option<String>,
    #[command(flatten)]
    file: LedgerFile,
}

/// Show every request that the embedded endpoint received, and its effect
#[derive(Debug, clap::Args)]
pub(super) struct Ledger {
    #[command(flatten)]
    file: LedgerFile,
}

/// Delete the embedded endpoint's ledger
#[derive(Debug, clap::Args)]
pub(super) struct Reset {
    /// A prepaid environment that exists; repeatable
    #[arg(long, hide_short_help = true, value_name = "ENV_ID")]
    existing: Vec<String>,
    /// A postpaid environment that exists; repeatable
    #[arg(long, hide_short_help = true, value_name = "ENV_ID[:ALIAS]")]
    existing_postpaid: Vec<Postpaid>,
    #[command(flatten)]
    file: LedgerFile,
}

#[derive(Debug, clap::Args)]
struct LedgerFile {
    /// The ledger file [default: beside the state]
    #[arg(long, value_name = "FILE", env = "POSTPAY_LEDGER")]
    ledger: Option<PathBuf>,
}

impl LedgerFile {
    fn path(&self, global: &Global) -> Result<PathBuf, Failure> {
        match &self.ledger {
            Some(path) => files::resolve_folder(path).map_err(|error| cannot_write(path, &error)),
            None => ledger_beside(&Project::load_anywhere(global, &Api::default())?.state),
        }
    }
}

pub(super) fn run(command: &Command, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    match command {
        Command::Serve(args) => serve(args, &args.file.path(global)?, ui),
        Command::Ledger(args) => ledger(&args.file.path(global)?, ui),
        Command::Reset(args) => {
            let path = args.file.path(global)?;
            sandbox::reset(&path, &args.existing, &args.existing_postpaid, env::now())?;
            let path = path.display();
            ui.status(&text!("Reset {path}. States that were made with it no longer match.\n", path));
            Ok(Exit::Fine)
        }
    }
}

fn serve(args: &Serve, ledger: &std::path::Path, ui: &mut Ui) -> Result<Exit, Failure> {
    if !args.listen.ip().is_loopback() {
        let listen = args.listen;
        return Err(Failure::new("listen", text!("{listen} is not a loopback address", listen))
            .help(text!("the embedded endpoint only serves this machine: 127.0.0.1:PORT or [::1]:PORT")));
    }
    let runtime = super::runtime::start()?;
    runtime.block_on(async {
        let running = Sandbox::start(sandbox::Options {
            listen: args.listen,
            latency: args.latency,
            jitter: args.jitter,
            list_delay: args.list_delay,
            list_alias: args.list_alias.into(),
            rate: Some(args.sandbox_rate),
            faults: args.faults.clone(),
            existing: args.existing.clone(),
            existing_postpaid: args.existing_postpaid.clone(),
            account: args.account.clone(),
            max_session: args.max_session,
            machine_role: args.machine_role.clone(),
            ..sandbox::Options::new(ledger)
        })
        .await?;
        let url = running.url();
        ui.print(&format!("{url}\n"))?;
        let ledger = ledger.display();
        let (id, key) = (sandbox::SECRET_ID, sandbox::SECRET_KEY);
        ui.status(&text!("Serving; the ledger is {ledger}. In another terminal:\n\n  export TENCENTCLOUD_SECRET_ID={id}\n  export TENCENTCLOUD_SECRET_KEY={key}\n  postpay apply --endpoint {url}\n\nThese credentials belong to the sandbox and are not secret. Press Ctrl-C to stop.\n", ledger, id, key, url));
        super::signals::signal().await;
        running.shutdown().await;
        Ok(Exit::Fine)
    })
}

fn ledger(path: &std::path::Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let entries = sandbox::read_ledger(path)?;
    ui.show(&LedgerView(&entries))?;
    Ok(Exit::Fine)
}

/// What the sandbox was asked, and what it did.
struct LedgerView<'a>(&'a [LedgerEntry]);

impl View for LedgerView<'_> {
    fn json(&self) -> String {
        serde_json::to_string_pretty(self.0).unwrap_or_default() + "\n"
    }

    fn text(&self, options: RenderOptions) -> String {
        listing(self.0, options)
    }
}

fn listing(entries: &[LedgerEntry], options: RenderOptions) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(
        [
            text!("CALL"),
            text!("ARRIVED"),
            text!("ACTION"),
            text!("TARGET"),
            text!("EFFECT"),
            text!("ANSWER"),
            text!("FAULT"),
            Text::same("TRAN_ID"),
            Text::same("ENV_ID"),
        ]
        .map(|head| options.in_lang(&head)),
    );
    for entry in entries {
        let or_dash =
            |text: Option<&str>| text.map_or_else(|| "-".to_owned(), |text| clean(text).into_owned());
        table.add_row([
            entry.call.to_string(),
            format!("{:.3}", entry.at),
            clean(&entry.action).into_owned(),
            or_dash(asked_for(entry).as_deref()),
            options.in_lang(&if entry.acted || entry.changed { text!("yes") } else { text!("no") }),
            clean(&entry.answer).into_owned(),
            or_dash(entry.fault.as_deref()),
            or_dash(entry.tran_id.as_deref()),
            or_dash(entry.env_id.as_deref()),
        ]);
    }
    let mut text = String::new();
    for line in table.to_string().lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// What a request asked for: an alias or an environment, both where one is for the other, and whether to delete it at once.
fn asked_for(entry: &LedgerEntry) -> Option<String> {
    let param = |name: &str| entry.params.get(name)?.as_str();
    match (entry.action.as_str(), param("EnvId"), param("Alias")) {
        (MODIFY, Some(env_id), Some(alias)) => Some(format!("{env_id}: {alias}")),
        (DESTROY, Some(env_id), _) if entry.params.get("IsForce") == Some(&Value::Bool(true)) => {
            Some(format!("{env_id}, IsForce"))
        }
        (_, env_id, alias) => alias.or(env_id).map(str::to_owned),
    }
}
