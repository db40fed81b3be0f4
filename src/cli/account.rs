//! Whose account a run works in: asked of Tencent Cloud and compared with what is expected.

use std::time::Duration;

use super::connect::Connection;
use super::error::{Failure, NOTHING_ORDERED};
use super::project::Project;
use super::ui::Ui;
use crate::cloud::tencent::is_no_sts;
use crate::cloud::{Caller, CloudError, Grade, NotSent};
use crate::config::endpoint::SANDBOX;
use crate::diagnostic::Diagnostic;
use crate::i18n::text;
use crate::plan::guard::{self, CallerIdentity};
use crate::report::clean;
use crate::state::State;

/// How long to wait for the account where it is not required.
const PASSING: Duration = Duration::from_secs(5);

/// The account of a run, as far as it is known.
pub(super) enum Proven {
    /// Unknown, which was accepted.
    Waived,
    Account(Caller),
}

impl Proven {
    pub(super) fn identity(&self) -> CallerIdentity<'_> {
        match self {
            Self::Waived => CallerIdentity::Waived,
            Self::Account(caller) => CallerIdentity::Account(&caller.account),
        }
    }
}

/// Asks STS for the account of the credentials.
pub(super) async fn ask(connection: &Connection, project: &Project, ui: &Ui) -> Result<Proven, Failure> {
    match connection.caller().await {
        Ok(caller) => Ok(Proven::Account(caller)),
        Err(error) if project.api.allow_unknown_account => {
            let why = &error.message;
            ui.diagnose(&[Diagnostic::warning(
                "account-unknown",
                text!(
                    "cannot determine the account of the credentials (--allow-unknown-account is set): {why}",
                    why
                ),
            )]);
            Ok(Proven::Waived)
        }
        // An endpoint on this machine is a test, and costs nothing.
        Err(error) if project.account().endpoint == SANDBOX && is_no_sts(&error) => {
            ui.diagnose(&[Diagnostic::warning(
                "account-unknown",
                text!("the endpoint on this machine has no STS, so the account is unknown"),
            )]);
            Ok(Proven::Waived)
        }
        Err(error) => Err(caller_error(&error).help(NOTHING_ORDERED)),
    }
}

/// Checks the account for commands that only read, so that nothing is compared with another account. Where none is
/// expected, it may stay unknown, and is not waited for long.
pub(super) async fn expected(
    connection: &Connection,
    project: &Project,
    state: Option<&State>,
    ui: &Ui,
) -> Result<Option<Proven>, Failure> {
    let allowed = &project.config.guard.allowed_accounts;
    let recorded = state.and_then(|state| state.account.as_ref());
    if allowed.is_empty() && recorded.is_none_or(|account| account.uin.is_none()) {
        let asked = tokio::time::timeout(PASSING, connection.caller()).await;
        return Ok(match asked {
            Ok(Ok(caller)) => Some(Proven::Account(caller)),
            Ok(Err(error)) => {
                tracing::info!(message = %error.message, "it is not known which account this is");
                None
            }
            Err(_) => None,
        });
    }
    let proven = ask(connection, project, ui).await?;
    let blockers = guard::wrong_account(state, proven.identity(), allowed);
    if blockers.is_empty() { Ok(Some(proven)) } else { Err(Failure::from(blockers)) }
}

/// Explains why the account is unknown, the cause first.
pub(super) fn caller_error(error: &CloudError) -> Failure {
    let why = &error.message;
    let whoami = text!("run `postpay whoami` to show the active credentials and their source");
    match error.grade {
        Grade::NotSent(NotSent::NoKey | NotSent::NoRequest | NotSent::Withdrawn) => {
            Failure::new("no-key", why.clone()).with_api_details(error)
        }
        Grade::NotSent(
            NotSent::Connect | NotSent::Tls | NotSent::Throttled | NotSent::Repaired,
        ) => Failure::new(
            "account-unreachable",
            text!("cannot look up the account of the credentials: {why}", why),
        )
        .with_api_details(error)
        .help(text!("check the network and its proxy; set another STS with `--sts-endpoint`")),
        Grade::Refused(_) if is_of_the_key(error) => Failure::new(
            "key-refused",
            text!("Tencent Cloud rejected the credentials: {why}", why),
        )
        .with_api_details(error)
        .help(whoami),
        Grade::Refused(_) | Grade::Unknown => Failure::new(
            "account-unknown",
            text!("Tencent Cloud did not return the account of the credentials: {why}", why),
        )
        .with_api_details(error)
        .help(whoami)
        .help(text!("to continue anyway: `--allow-unknown-account` (not possible if the state or guard.allowed_accounts has an account)")),
    }
}

/// Whether every other call would be rejected with these credentials too.
fn is_of_the_key(error: &CloudError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    code.starts_with("AuthFailure") && code != "AuthFailure.UnauthorizedOperation"
}

/// Returns the account for a prompt; None for the embedded endpoint, or when it is unknown.
pub(super) fn display(proven: &Proven, connection: &Connection) -> Option<String> {
    connection.session()?;
    match proven {
        Proven::Waived => None,
        Proven::Account(caller) => Some(clean(&caller.account).into_owned()),
    }
}
