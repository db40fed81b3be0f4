//! Sends a create with an unknown outcome once more, with the request key of its first request: only when a user asks for it, and
//! only while its environment does not have it.

use std::sync::Arc;
use std::time::Instant;

use super::attempt::{Attempt, Reply, Request};
use super::conflicts::{Claim, contradiction};
use crate::clock::Clock;
use crate::cloud::{CloudError, CloudRead, CloudWrite, Grade, Inside, Lookup, NotSent, Order, Ordered};
use crate::crash;
use crate::i18n::text;
use crate::state::journal::{EndReason, Event, Intent, RunEnded, RunStarted};
use crate::state::rescue::Rescued;
use crate::state::{StateError, Writer};

/// The answer to a create that was sent once more.
#[derive(Debug)]
pub struct Resent {
    pub answer: Result<Ordered, CloudError>,
    /// The outcome, if the journal did not take it.
    pub unwritten: Option<Rescued>,
}

/// Returns the region of the environment that the create names, once it is in use and certainly lacks what is to be created.
///
/// # Errors
/// When it could not be read, has what is to be created, or is not in use.
pub async fn check_absent<C: CloudRead>(
    cloud: &C,
    intent: &Intent,
    region: Option<String>,
) -> Result<Option<String>, CloudError> {
    let kind = intent.attributes.kind();
    let env_id = intent.env_id().unwrap_or_default().to_owned();
    let why = match cloud.lookup(std::slice::from_ref(&env_id)).await?.into_iter().next() {
        Some(Lookup::Found(seen)) if seen.is_in_use() => {
            let region = seen.region.or(region);
            match cloud.inside(kind, &env_id, region.as_deref()).await? {
                Inside::Absent => return Ok(region),
                Inside::Creating | Inside::Ready => text!("{env_id} has it already", env_id),
            }
        }
        Some(Lookup::Found(_)) => text!("{env_id} is not in use", env_id),
        Some(Lookup::Absent | Lookup::Unanswered) | None => {
            text!("the account does not show {env_id}", env_id)
        }
    };
    Err(CloudError::new(Grade::NotSent(NotSent::NoRequest), why))
}

/// Makes one attempt at the create of `intent`, in a run of its own. Its outcome is graded like that of any create; while it is
/// unknown, or nothing was done, the address stays unknown.
///
/// # Errors
/// When the state could not be written. If the answer had come by then, it is in the journal.
pub async fn resend<C: CloudWrite>(
    cloud: &C,
    writer: &mut Writer,
    clock: &dyn Clock,
    started: RunStarted,
    intent: Intent,
) -> Result<Resent, StateError> {
    let order = Order {
        attributes: intent.attributes.clone(),
        members: intent.members.clone(),
        region: started.region.clone(),
    };
    let mut attempt = Attempt::first(0, Request::Create(order));
    let (run, address) = (started.run, intent.address.clone());
    // An announced request does not wait for credentials.
    if let Err(error) = cloud.ready().await {
        let error = CloudError { grade: Grade::NotSent(NotSent::NoRequest), ..error };
        return Ok(Resent { answer: Err(error), unwritten: None });
    }
    attempt.sent_at = clock.now();
    writer.begin(attempt.sent_at, started)?;
    let intent = Intent { step: attempt.step(), attempt: attempt.number, ..intent };
    writer.append(attempt.sent_at, Event::Intent(intent))?;
    crash::point(crash::INTENT_KEPT);
    writer.check_exclusive()?;
    let sent = Instant::now();
    let request = Arc::clone(&attempt.request);
    let answer = request.send(cloud).await;
    crash::point(crash::ANSWER_CAME);
    let wrong = match &answer {
        Ok(Reply::Created(ordered)) => {
            let others = writer.state().into_iter().flat_map(crate::state::State::records);
            let others = others.filter(|(other, _)| **other != address).map(|(address, record)| Claim {
                address,
                tran_id: record.tran_id.as_deref(),
                env_id: record.env_id.as_deref(),
            });
            contradiction(ordered, request.env_id(), others)
        }
        Ok(Reply::Done(_)) | Err(_) => None,
    };
    let answer = wrong.map_or(answer, Err);
    let outcome = attempt.outcome(address, &answer, sent.elapsed());
    let now = clock.now();
    let is_written = writer.append(now, Event::Outcome(outcome.clone())).is_ok();
    let answer = match answer {
        Ok(Reply::Created(ordered)) => Ok(ordered),
        Ok(Reply::Done(done)) => Ok(Ordered { tran_id: None, env_id: None, request_id: done.request_id }),
        Err(error) => Err(error),
    };
    if !is_written {
        // The journal stays open, and the next writer takes the outcome for unknown.
        return Ok(Resent { answer, unwritten: Some(Rescued { run, at: now, outcome }) });
    }
    crash::point(crash::OUTCOME_KEPT);
    let reason = match &answer {
        Ok(_) => EndReason::Finished,
        Err(error) if error.grade == Grade::Unknown => EndReason::Unknown,
        Err(_) => EndReason::Failed,
    };
    writer.append(clock.now(), Event::RunEnded(RunEnded { reason }))?;
    writer.commit()?;
    Ok(Resent { answer, unwritten: None })
}
