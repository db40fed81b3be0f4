//! `apply --wait`: after a run, waits until the environments that it created are in use.

use std::time::Duration;

use super::connect::Connection;
use super::error::Failure;
use super::signals::Signals;
use super::watch::Watch;
use crate::apply::{ApplySummary, NotReady, ready};
use crate::diagnostic::Diagnostic;
use crate::i18n::text;
use crate::plan::Plan;
use crate::report::clean;

/// Waits for what the run created, and notes in its report what is not in use. A signal ends it, and a run that was
/// interrupted does not begin it.
///
/// # Errors
/// When the account cannot be read at all.
pub(super) fn wait(
    report: &mut ApplySummary,
    within: Duration,
    plan: &Plan,
    connection: &Connection,
    (watch, signals): (&Watch, &Signals),
) -> Result<(), Failure> {
    let created = report.created();
    if created.is_empty() || *signals.stop.borrow() {
        return Ok(());
    }
    // Until the account shows otherwise.
    let unseen = |(address, env_id)| NotReady { address, env_id, undelivered: false };
    report.not_ready = created.iter().cloned().map(unseen).collect();
    let runtime = super::runtime::start()?;
    let not_ready = runtime.block_on(async {
        let connection = connection.also_listing(plan);
        let (client, _sandbox) = connection.open(report.state.as_ref()).await?;
        let mut stop = signals.stop.clone();
        let mut observe = |progress: crate::apply::Progress<'_>| watch.observe(progress);
        Ok::<_, Failure>(ready::wait(&client, created, within, &mut stop, &mut observe).await)
    });
    runtime.shutdown_background();
    report.not_ready = not_ready?;
    Ok(())
}

/// Describes what was waited for and is not in use.
pub(super) fn describe(not_ready: &[NotReady]) -> Vec<Diagnostic> {
    let describe = |NotReady { address, env_id, undelivered }: &NotReady| {
        let env_id = clean(env_id);
        let kept = text!("it is in the state and will not be created again");
        if *undelivered {
            return Diagnostic::error(
                "delivery-failed",
                text!(
                    "Tencent Cloud could not deliver `{address}`, {env_id}: its order failed",
                    address,
                    env_id
                ),
            )
            .help(text!("check its order in the Tencent Cloud console; then run `postpay drift`"))
            .help(kept);
        }
        Diagnostic::error(
            "not-ready",
            text!(
                "`{address}`, {env_id}, was created, but the wait ended before its status was NORMAL",
                address,
                env_id
            ),
        )
        .help(text!("check its status in the Tencent Cloud console; then run `postpay drift`"))
        .help(kept)
    };
    not_ready.iter().map(describe).collect()
}
