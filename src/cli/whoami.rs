//! `postpay whoami`: which key a run would sign with, where it comes from, and whose it is. Never the key.

use std::sync::Arc;

use clap::builder::BoolishValueParser;

use super::account;
use super::connect::{Connection, Embedded, sandbox_credentials};
use super::env;
use super::error::{Exit, Failure};
use super::keys::Ask;
use super::options::{Api, Global};
use super::project::Project;
use super::ui::Ui;
use crate::cloud::Caller;
use crate::cloud::tencent::RETRY_READS_FOR;
use crate::i18n::text;
use crate::plan::guard::{self, CallerIdentity};
use crate::report::whoami::Identity;
use crate::state::FormatVersion;

/// Show the active credentials, their source and account
///
/// Loads the credentials as every other command does, assumes the role if one is set, and asks Tencent Cloud
/// for the account (GetCallerIdentity). Also checks it against guard.allowed_accounts and the state. Changes
/// nothing, and never prints the secret key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay whoami                       the credentials, their account and expiry
  postpay whoami --profile prod        the credentials of another profile
  postpay whoami --offline             only their source; sends nothing
  postpay whoami --format json         for scripts

Variables of the Tencent Cloud tools, in the order they are read:
  TENCENTCLOUD_SECRET_ID, _SECRET_KEY  credentials, with TENCENTCLOUD_TOKEN (or _SECURITY_TOKEN, _SESSION_TOKEN)
  TENCENTCLOUD_SECRETID, SECRETKEY     the same in a function's runtime, with SESSIONTOKEN
  TENCENTCLOUD_ROLE_ARN                a role to assume; also TENCENTCLOUD_ASSUME_ROLE_ARN, with any credentials
  TENCENTCLOUD_CREDENTIALS_FILE        instead of ~/.tencentcloud/credentials
  TENCENTCLOUD_PROFILE, TCCLI_PROFILE  the profile there, or in ~/.tccli
  TKE_ROLE_ARN, TKE_PROVIDER_ID        a pod's role, with TKE_WEB_IDENTITY_TOKEN_FILE
  TENCENTCLOUD_CAM_ROLE_NAME           the machine's role")]
pub(super) struct Args {
    /// Send nothing; only show the source
    #[arg(long, env = "POSTPAY_OFFLINE", value_parser = BoolishValueParser::new())]
    offline: bool,
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    embedded: Embedded,
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load_anywhere(global, &args.api)?;
    project.guard_reports(global, ui)?;
    let connection = Connection::choose(&project, &args.embedded, RETRY_READS_FOR, ui)?;
    let ask = if args.offline { Ask::Nobody } else { Ask::Machine };
    connection.load_credentials(&project, ask, ui)?;
    let state = match project.read_state(ui) {
        Ok(state) => state,
        // The credentials are still shown.
        Err(failure) => {
            ui.diagnose(&failure.diagnostics);
            None
        }
    };
    let mut caller = None;
    let endpoint = guard::wrong_endpoint(state.as_ref(), &project.account());
    let mut wrong = endpoint.map_or(Ok(()), |blocker| Err(Failure::from(vec![blocker])));
    if !args.offline {
        match super::runtime::start()?.block_on(connection.caller()) {
            Ok(asked) => {
                let allowed = &project.config.guard.allowed_accounts;
                let identity = CallerIdentity::Account(&asked.account);
                let blockers = guard::wrong_account(state.as_ref(), identity, allowed);
                if wrong.is_ok() && !blockers.is_empty() {
                    wrong = Err(Failure::from(blockers));
                }
                caller = Some(asked);
            }
            // The rejected credentials are still shown.
            Err(error) if wrong.is_ok() => wrong = Err(account::caller_error(&error)),
            Err(error) => ui.diagnose(&account::caller_error(&error).diagnostics),
        }
    }
    let regions = connection.listed_regions(state.as_ref());
    let identity = identity(&project, &connection, caller, regions);
    ui.show(&identity)?;
    wrong.map(|()| Exit::Fine)
}

fn identity(
    project: &Project,
    connection: &Connection,
    caller: Option<Caller>,
    regions: Vec<Option<String>>,
) -> Identity {
    let session = connection.session();
    let ends = session.and_then(|session| session.credentials.ends());
    let key = match session {
        Some(session) => session.credentials.held(),
        None => Some(Arc::new(sandbox_credentials())),
    };
    Identity {
        format_version: FormatVersion,
        source: session.map_or("sandbox", |session| session.chain.source.name()),
        source_text: session.map_or_else(
            || text!("the sandbox's own credentials, which are public"),
            |session| session.chain.source.text(),
        ),
        role: session.and_then(|session| Some(session.chain.role.as_ref()?.arn.clone())),
        key_id: key.map(|key| key.short_id()),
        expires_at: ends,
        expires_in: ends.map(|ends| ends.duration_since(env::now())),
        caller,
        endpoint: connection.url().map_or_else(|| project.account().endpoint, ToString::to_string),
        sts_endpoint: session.map(|session| session.sts_url.to_string()),
        region: project.region.clone(),
        list_regions: regions.into_iter().flatten().collect(),
    }
}
