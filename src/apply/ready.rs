//! Gets what a call needs before its time is taken.
//!
//! A temporary key may have to be renewed first, which takes as long as it takes. Were that left to the call, those whose
//! turn comes meanwhile would wait for the same key, and leave together; and each would stand in the journal as sent.

use std::pin::pin;
use std::sync::Arc;

use tokio::time::Instant;

use super::engine::{Engine, asked_to_stop, at};
use super::{LEAD, Outcome};
use crate::cloud::{CloudError, CloudRead, CloudWrite, Grade, NotSent};
use crate::state::journal::EndReason;

/// How a call's needs came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Was {
    /// At once.
    There,
    /// They were waited for.
    Waited,
}

impl<C: CloudRead + CloudWrite> Engine<'_, '_, C> {
    /// Starts the first of the queue once it can be sent, or puts its failure down to it. Nothing is begun where an answer,
    /// or whoever runs this, says otherwise meanwhile.
    pub(super) async fn start_when_ready(&mut self, deadline: Option<Instant>) {
        if let Some(first) = self.queue.front_mut() {
            first.first_tried.get_or_insert_with(Instant::now);
        }
        match self.make_ready(deadline).await {
            Some(Ok(Was::Waited)) if !self.under_way.is_empty() => {
                // Whoever was sent just before may have waited for the same key, and leave only now.
                self.pacer.sent(Instant::now());
            }
            Some(Ok(Was::There | Was::Waited)) if self.is_due() => self.start().await,
            Some(Err(error)) if self.next_slot().is_some() => self.not_ready(error),
            Some(Ok(_) | Err(_)) | None => {}
        }
    }

    /// None when nothing may be started any more.
    pub(super) async fn make_ready(
        &mut self,
        deadline: Option<Instant>,
    ) -> Option<Result<Was, CloudError>> {
        let cloud = Arc::clone(&self.parts.cloud);
        let mut ready = pin!(cloud.ready());
        tokio::select! {
            biased;
            ready = &mut ready => return Some(ready.map(|()| Was::There).map_err(not_sent)),
            () = std::future::ready(()) => {}
        }
        loop {
            let reason = tokio::select! {
                // An answer is written down before anything new is begun.
                biased;
                Some(answer) = self.calls.join_next_with_id() => {
                    self.answered(answer);
                    if self.held_up().is_some() {
                        return None;
                    }
                    continue;
                }
                () = asked_to_stop(&mut self.parts.stop) => EndReason::Interrupted,
                () = at(deadline) => EndReason::Deadline,
                ready = &mut ready => return Some(ready.map(|()| Was::Waited).map_err(not_sent)),
            };
            self.stop(reason);
            return None;
        }
    }

    /// Whether the first of the queue may be announced now: an answer that came meanwhile may have put it off.
    fn is_due(&self) -> bool {
        let lead = Instant::now() + LEAD;
        self.next_slot().is_some_and(|slot| slot <= lead)
    }

    /// The attempt failed before it was announced: the journal has nothing of it, since nothing was done.
    fn not_ready(&mut self, error: CloudError) {
        let Some(attempt) = self.queue.pop_front() else {
            return;
        };
        self.results[attempt.at].attempts += 1;
        if !self.again(&attempt, &error, Instant::now()) {
            self.conclude(&attempt, Outcome::Failed(error));
        }
    }
}

/// Whatever it was that failed, it was no order.
fn not_sent(error: CloudError) -> CloudError {
    match error.grade {
        Grade::NotSent(_) => error,
        Grade::Refused(_) | Grade::Unknown => CloudError {
            grade: Grade::NotSent(NotSent::NoRequest),
            ..error
        },
    }
}
