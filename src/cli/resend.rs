//! `postpay resolve --resend`: sends a create with an unknown outcome once more, with the same request key.

use super::connect::Connection;
use super::edit;
use super::error::{Exit, Failure, NOTHING_ORDERED, NOTHING_SENT};
use super::project::Project;
use super::ui::Ui;
use super::{account, env, rescue};
use crate::apply::ApplySummary;
use crate::apply::resend::{Resent, check_absent, resend};
use crate::clock::SystemClock;
use crate::cloud::{CloudError, Grade};
use crate::i18n::{Text, text};
use crate::model::Address;
use crate::plan::guard;
use crate::report::clean;
use crate::state::journal::{Event, Intent, Journal, RunStarted};
use crate::state::{Record, State, StateStore, Status, Writer};

/// Returns the create as it was sent, for a kind that can be sent again.
///
/// # Errors
/// When a repeat could create something twice, or the request is not known.
pub(super) fn intent(
    address: &Address,
    record: &Record,
    journal: Option<Journal>,
) -> Result<Intent, Failure> {
    let kind = record.attributes.kind();
    let failure = |why| Failure::new("resend-impossible", why).help(NOTHING_SENT);
    let Some(key) = kind.request_key else {
        let kind = kind.name;
        let why = text!(
            "`{address}` cannot be sent again: `kind: {kind}` has no request key, so Tencent Cloud would not recognize the repeat and could create a second one",
            address,
            kind
        );
        return Err(
            failure(why).help(text!("use --adopt or --not-created: `postpay resolve {address}`", address))
        );
    };
    if record.status != Status::Unknown {
        let why = text!("`{address}` was created: Tencent Cloud returned an order number", address);
        return Err(failure(why).help(text!("import it with --adopt")));
    }
    let entries = journal.into_iter().flat_map(|journal| journal.entries);
    let mut intents = entries.filter_map(|entry| match entry.event {
        Event::Intent(intent) => Some(intent),
        Event::Listed(_)
        | Event::Outcome(_)
        | Event::Edited(_)
        | Event::RunEnded(_)
        | Event::Recovered(_) => None,
    });
    let sent = |intent: &Intent| intent.address == *address && intent.members.contains_key(key);
    let intent = intents.rfind(sent);
    let run = record.run;
    intent.map(|intent| Intent { resends: Some(run), ..intent }).ok_or_else(|| {
        failure(text!(
            "the receipt of run {run} has no request for `{address}`, so its request key is unknown",
            run,
            address
        ))
    })
}

/// Asks, reads the account, and sends the request if it still has no effect there.
pub(super) fn run(
    intent: Intent,
    state: &State,
    project: &Project,
    connection: &Connection,
    auto_approve: bool,
    (store, mut writer): (&dyn StateStore, Writer),
    ui: &mut Ui,
) -> Result<Exit, Failure> {
    let address = intent.address.clone();
    approve(&intent, auto_approve, ui)?;
    let region = state.get(&address).and_then(|record| record.region.clone());
    let started = edit::started(state, &format!("resolve {address} --resend"))?;
    let run = started.run;
    let sent = super::runtime::start()?.block_on(async {
        let proven = account::ask(connection, project, ui).await?;
        let allowed = &project.config.guard.allowed_accounts;
        let blockers = guard::wrong_account(Some(state), proven.identity(), allowed);
        if !blockers.is_empty() {
            return Err(Failure::from(blockers));
        }
        let (client, _sandbox) = connection.open(Some(state)).await?;
        let region = check_absent(&client, &intent, region).await.map_err(|error| {
            let why = &error.message;
            Failure::new("resend-not-absent", text!("`{address}` was not sent again: {why}", address, why))
                .help(text!("to resolve it: `postpay resolve {address}`", address))
                .help(NOTHING_ORDERED)
        })?;
        let commit = env::commit(&project.sources());
        let started = RunStarted { region, commit, ..started };
        Ok(resend(&client, &mut writer, &SystemClock, started, intent).await?)
    });
    let Resent { answer, unwritten } = sent?;
    let summary = ApplySummary {
        run: Some(run),
        unwritten: unwritten.into_iter().collect(),
        ..ApplySummary::idle(None)
    };
    let rescued = rescue::keep(&summary, store);
    ui.diagnose(&rescued);
    match answer {
        Ok(ordered) => {
            let env_id = ordered.env_id.unwrap_or_default();
            let env_id = clean(&env_id);
            ui.status(&text!("`{address}` was sent again and is created on {env_id}.\n", address, env_id));
            Ok(if rescued.is_empty() { Exit::Fine } else { Exit::Unknown })
        }
        Err(error) => Err(Failure { exit: Exit::Unknown, ..unsuccessful(&address, &error) }),
    }
}

fn approve(intent: &Intent, auto_approve: bool, ui: &Ui) -> Result<(), Failure> {
    let (address, action) = (&intent.address, &intent.action);
    let env_id = intent.env_id().unwrap_or_default();
    let env_id = clean(env_id);
    if auto_approve {
        return Ok(());
    }
    if !ui.can_ask() {
        return Err(Failure::new(
            "no-terminal",
            text!("approval is required, but there is no terminal to ask on"),
        )
        .help(text!("send it without asking: `postpay resolve {address} --resend --auto-approve`", address))
        .help(NOTHING_SENT));
    }
    let question = text!(
        "\nSend {action} for `{address}` on {env_id} once more, with the same request key? It may cost money.\nIt is sent only if the environment does not have it. Only 'yes' will be accepted to approve.\nEnter a value: ",
        action,
        address,
        env_id
    );
    if ui.ask(&ui.err.in_lang(&question)) {
        return Ok(());
    }
    Err(Failure::new("declined", text!("not approved")).help(NOTHING_SENT))
}

fn unsuccessful(address: &Address, error: &CloudError) -> Failure {
    let message = match &error.code {
        Some(code) => {
            let message = &error.message;
            text!("{code}: {message}", code, message)
        }
        None => error.message.clone(),
    };
    let (code, why): (_, Text) = match error.grade {
        Grade::Unknown => (
            "resend-unknown",
            text!("`{address}` was sent again, and its outcome is unknown: {message}", address, message),
        ),
        Grade::NotSent(_) | Grade::Refused(_) => {
            ("resend-failed", text!("the repeat of `{address}` created nothing: {message}", address, message))
        }
    };
    Failure::new(code, why)
        .help(text!("it stays unknown in the state; look at it again: `postpay resolve {address}`", address))
}
