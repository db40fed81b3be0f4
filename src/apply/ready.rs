//! After a run: waits until the environments that it created are in use. Only reads, and needs no lock.

use std::time::Duration;

use tokio::sync::watch;

use super::engine::unless_stopped;
use super::outcome::NotReady;
use super::parts::Progress;
use super::settle::Looks;
use crate::cloud::{BillOrder, CloudError, CloudRead, Lookup};
use crate::model::Address;

/// Looks up environments by id until each is in use, its delivery failed, the time is over, or `stop` turns true. Returns
/// those that are not in use. A read that fails is repeated like any other look.
pub async fn wait<C: CloudRead>(
    cloud: &C,
    created: Vec<(Address, String)>,
    within: Duration,
    stop: &mut watch::Receiver<bool>,
    observe: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Vec<NotReady> {
    let waits = |(address, env_id)| NotReady { address, env_id, undelivered: false };
    let mut open: Vec<NotReady> = created.into_iter().map(waits).collect();
    let mut undelivered = Vec::new();
    let mut looks = Looks::within(within);
    while !open.is_empty()
        && let Some((after, left)) = looks.next()
    {
        observe(Progress::Waiting { open: open.len(), after, left });
        let look = async {
            tokio::time::sleep(after).await;
            look(cloud, &mut open).await
        };
        match unless_stopped(stop, None, look).await {
            Ok(Ok(ready)) => {
                for NotReady { address, env_id, .. } in &ready {
                    observe(Progress::Ready { address, env_id });
                }
                undelivered.extend(open.extract_if(.., |environment| environment.undelivered));
            }
            Ok(Err(error)) => tracing::warn!(message = %error.message, "the account can't be looked at"),
            Err(_) => break,
        }
    }
    undelivered.append(&mut open);
    undelivered
}

/// Looks once. Removes and returns what is in use, and marks what could not be delivered.
async fn look<C: CloudRead>(cloud: &C, open: &mut Vec<NotReady>) -> Result<Vec<NotReady>, CloudError> {
    let ids: Vec<String> = open.iter().map(|environment| environment.env_id.clone()).collect();
    let found = cloud.lookup(&ids).await?;
    let is_in_use = |lookup: &Lookup| matches!(lookup, Lookup::Found(seen) if seen.is_in_use());
    let mut in_use = found.iter().map(is_in_use);
    let ready: Vec<NotReady> = open.extract_if(.., |_| in_use.next() == Some(true)).collect();
    if !open.is_empty() {
        let ids: Vec<String> = open.iter().map(|environment| environment.env_id.clone()).collect();
        // Without its bill an environment is waited for all the same.
        let bills = cloud.bills(&ids).await.unwrap_or_default().shown;
        for environment in open {
            let mut bills = bills.iter().filter(|bill| bill.env_id == environment.env_id);
            environment.undelivered =
                bills.any(|bill| bill.order.as_ref().is_some_and(BillOrder::is_undelivered));
        }
    }
    Ok(ready)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::cloud::{Bill, Bills, Listing, SeenEnvironment};

    /// Shows `late` in use from the third look on, and a failed order for `bad`. `never` stays as it is.
    #[derive(Default)]
    struct Account(AtomicUsize);

    impl CloudRead for Account {
        async fn listing(&self) -> Result<Listing, CloudError> {
            let look = self.0.fetch_add(1, Ordering::Relaxed);
            let environment = |env_id: &str, is_in_use| SeenEnvironment {
                env_id: env_id.to_owned(),
                status: Some(if is_in_use { "normal" } else { "UNAVAILABLE" }.to_owned()),
                ..SeenEnvironment::default()
            };
            let environments =
                vec![environment("late", look >= 2), environment("never", false), environment("bad", false)];
            Ok(Listing { environments, gaps: Vec::new() })
        }

        async fn bills(&self, env_ids: &[String]) -> Result<Bills, CloudError> {
            let bill = |env_id: &String| Bill {
                env_id: env_id.clone(),
                order: Some(BillOrder {
                    tran_status: Some(if env_id == "bad" { 5 } else { 3 }),
                    ..BillOrder::default()
                }),
                ..Bill::default()
            };
            Ok(Bills { shown: env_ids.iter().map(bill).collect(), incomplete: false })
        }
    }

    async fn waited(env_ids: &[&str], stopped: bool) -> (Vec<(String, bool)>, Vec<String>) {
        let created = env_ids.iter().map(|id| (Address::new(id).unwrap(), (*id).to_owned())).collect();
        let (_stop, mut stop) = watch::channel(stopped);
        let mut events = Vec::new();
        let mut observe = |progress: Progress<'_>| {
            events.push(match progress {
                Progress::Waiting { open, after, .. } => format!("{open} after {}", after.as_secs()),
                Progress::Ready { env_id, .. } => env_id.to_owned(),
                _ => panic!(),
            });
        };
        let within = Duration::from_secs(10);
        let left = wait(&Account::default(), created, within, &mut stop, &mut observe).await;
        (left.into_iter().map(|it| (it.env_id, it.undelivered)).collect(), events)
    }

    #[tokio::test(start_paused = true)]
    async fn wait_ends_when_all_are_in_use_or_undelivered_or_the_time_is_over() {
        let (left, events) = waited(&["late"], false).await;
        assert_eq!((left, events.join(", ").as_str()), (vec![], "1 after 0, 1 after 1, 1 after 2, late"));
        let (left, events) = waited(&["bad", "late"], false).await;
        assert_eq!(left, [("bad".to_owned(), true)]);
        assert_eq!(events, ["2 after 0", "1 after 1", "1 after 2", "late"]);
        let (left, events) = waited(&["never"], false).await;
        assert_eq!(left, [("never".to_owned(), false)]);
        assert_eq!(events.last().unwrap(), "1 after 3", "at the end of the time");
        assert_eq!(waited(&["never"], true).await.0, [("never".to_owned(), false)]);
        assert_eq!(waited(&[], false).await, (vec![], vec![]));
    }
}
