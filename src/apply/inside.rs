//! Creates inside environments of this run or an earlier one: each waits until its environment is there and in use, and until
//! the account says that it does not have what is to be created. One at a time, after the other creates.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::attempt::{Attempt, Request};
use super::engine::{Engine, unless_stopped};
use super::outcome::Outcome;
use super::settle::Looks;
use crate::cloud::{CloudError, CloudRead, CloudWrite, Grade, Inside, Lookup, NotSent, Order};
use crate::i18n::text;
use crate::model::Address;
use crate::plan::Step;
use crate::state::journal::Edit;
use crate::state::{Lineage, Origin, Record, Serial, Status};

/// How long an environment may take until it is in use, and what is being set up inside it until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(600);

impl<C: CloudRead + CloudWrite> Engine<'_, '_, C> {
    /// Creates what lives inside other environments.
    pub(super) async fn send_inside(&mut self) {
        for at in 0..self.steps.len() {
            let step = self.steps[at];
            if !step.is_order() || !step.is_inside() || self.held_up().is_some() {
                continue;
            }
            // Without its environment it is not attempted.
            let Some((mut order, env_id)) = self.order_inside(step) else {
                continue;
            };
            match self.is_absent(&mut order, &env_id).await {
                None => return,
                Some(Ok(true)) => {
                    self.queue.insert(Attempt::first(at, Request::Create(order)));
                    self.send_all().await;
                }
                Some(Ok(false)) => self.found_inside(at, order, env_id),
                Some(Err(error)) => {
                    let reason = self.reason_to_stop(&error);
                    self.finish(at, Outcome::Failed(error));
                    if let Some(reason) = reason {
                        self.stop(reason);
                    }
                }
            }
        }
    }

    /// The request of a step, and the environment that it names.
    fn order_inside(&self, step: &Step) -> Option<(Order, String)> {
        let Request::Create(mut order) = self.request(step)? else {
            return None;
        };
        if let Some(member) = order.attributes.kind().request_key {
            let (lineage, serial) = self.base;
            order.members.insert(member.to_owned(), request_key(lineage, serial, &step.address));
        }
        let env_id = order.env_id()?.to_owned();
        Some((order, env_id))
    }

    /// Waits until the environment is in use, and looks whether it lacks what is to be created. Sets the region of the order.
    /// None when the run was asked to stop.
    async fn is_absent(&mut self, order: &mut Order, env_id: &str) -> Option<Result<bool, CloudError>> {
        let kind = order.attributes.kind();
        let ids = [env_id.to_owned()];
        let mut looks = Looks::without_report(READY_WITHIN);
        let mut last = None;
        while self.next_look(&mut looks, 1).await {
            let cloud = Arc::clone(&self.parts.cloud);
            let region = order.region.clone();
            let look = async {
                let found = cloud.lookup(&ids).await?;
                let Some(Lookup::Found(seen)) = found.into_iter().next() else {
                    return Ok(None);
                };
                if !seen.is_in_use() {
                    return Ok(None);
                }
                let region = seen.region.or(region);
                let inside = cloud.inside(kind, env_id, region.as_deref()).await?;
                let overrun = cloud.bills(&ids).await?.shown.first().and_then(|bill| bill.overrun);
                Ok(Some((inside, region, overrun)))
            };
            let looked: Result<_, CloudError> =
                match unless_stopped(&mut self.parts.stop, self.deadline, look).await {
                    Ok(looked) => looked,
                    Err(reason) => {
                        self.stop(reason);
                        return None;
                    }
                };
            match looked {
                Ok(None | Some((Inside::Creating, ..))) => {}
                Ok(Some((inside, region, overrun))) => {
                    if overrun == Some(false) {
                        tracing::warn!(
                            env_id,
                            "use beyond its package is not billed: {} would stop",
                            kind.name
                        );
                    }
                    order.region = region;
                    return Some(Ok(inside == Inside::Absent));
                }
                // A read is repeated before it fails; a refusal stays one.
                Err(error) if error.grade != Grade::Unknown => return Some(Err(not_sent(error))),
                Err(error) => last = Some(error),
            }
        }
        if self.held_up().is_some() {
            return None;
        }
        Some(Err(last.map_or_else(|| not_ready(env_id), not_sent)))
    }

    /// Records what the environment has already, as if it had been imported.
    fn found_inside(&mut self, at: usize, order: Order, env_id: String) {
        let step = self.steps[at];
        let record = Record {
            status: Status::Created,
            env_id: Some(env_id),
            tran_id: None,
            request_id: None,
            origin: Origin::Imported,
            attributes: order.attributes,
            ordered_at: self.parts.clock.now(),
            run: self.run,
            source: step.source.clone(),
            region: order.region,
            prevent_destroy: step.prevent_destroy,
            deposed_at: None,
        };
        if self.edit("import", Edit::current(step.address.clone(), Some(record))) {
            self.finish(at, Outcome::Recorded);
        }
    }
}

/// The key of a request: the same whenever the request is sent, and another one for another run, address or state.
fn request_key(lineage: Lineage, base: Serial, address: &Address) -> String {
    let digest = Sha256::digest(format!("{lineage}\n{base}\n{address}"));
    hex::encode(&digest[..16])
}

fn not_ready(env_id: &str) -> CloudError {
    let why = text!("{env_id} is not in use yet, so nothing can be opened on it", env_id);
    let hint = text!("Check it in the console, then apply again.");
    CloudError { hint: Some(hint), ..CloudError::new(Grade::NotSent(NotSent::NoRequest), why) }
}

/// A create that was not sent because the account could not be read.
fn not_sent(error: CloudError) -> CloudError {
    CloudError { grade: Grade::NotSent(NotSent::NoRequest), ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_of_a_request_is_its_own() {
        let address = |name: &str| Address::new(name).unwrap();
        let (lineage, other) = (Lineage::fresh(), Lineage::fresh());
        let key = request_key(lineage, Serial(1), &address("a"));
        assert_eq!(key, request_key(lineage, Serial(1), &address("a")));
        assert_eq!(key.len(), 32);
        for another in [
            request_key(other, Serial(1), &address("a")),
            request_key(lineage, Serial(2), &address("a")),
            request_key(lineage, Serial(1), &address("b")),
        ] {
            assert_ne!(key, another);
        }
    }
}
