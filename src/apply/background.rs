//! Looks at the account while creates are in progress: for environments that somebody else creates from the same manifests,
//! and for proof that a new environment is listed and recognised. Best effort: a listing that fails or is incomplete is
//! ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::engine::{Engine, Unrecognised};
use super::outcome::Trouble;
use crate::cloud::matching::{self, Matcher};
use crate::cloud::{CloudRead, SeenEnvironment};
use crate::model::{Address, Attributes};
use crate::state::{Origin, State};

/// The pause after a listing is the larger of this and [`SHARE`] times its duration.
const PAUSE: Duration = Duration::from_millis(500);
const SHARE: u32 = 4;
/// The least time in which a listing has to show a new environment: enough for a listing or two.
const LEAST_WAIT: Duration = Duration::from_secs(3);

/// Complete listings, as they come.
pub(super) struct Listings {
    found: mpsc::UnboundedReceiver<Vec<SeenEnvironment>>,
    task: JoinHandle<()>,
}

impl Listings {
    pub(super) fn start<C: CloudRead>(cloud: Arc<C>) -> Self {
        let (sender, found) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            let mut pause = PAUSE;
            while !sender.is_closed() {
                sleep(pause).await;
                let began = Instant::now();
                if let Ok(listing) = cloud.listing().await
                    && listing.gaps.is_empty()
                {
                    let _ = sender.send(listing.environments);
                }
                pause = PAUSE.max(began.elapsed() * SHARE);
            }
        });
        Self { found, task }
    }

    /// Ends a listing that is in progress.
    pub(super) async fn stop(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    /// The next complete listing. Never returns when there will be none.
    pub(super) async fn next(&mut self) -> Vec<SeenEnvironment> {
        match self.found.recv().await {
            Some(seen) => seen,
            None => std::future::pending().await,
        }
    }
}

/// Whether the account shows one of the environments that were created before, and the matcher recognises it.
pub(super) fn is_proven(state: Option<&State>, seen: &[SeenEnvironment]) -> bool {
    let records = || {
        let records = state.into_iter().flat_map(State::current);
        records.filter(|(_, record)| record.origin == Origin::Ordered)
    };
    let matcher = Matcher::new(records().map(|(address, record)| (address, &record.attributes)), []);
    records().any(|(address, record)| {
        let env_id = record.env_id.as_deref();
        env_id.is_some_and(|env_id| matching::recognises(&matcher, address, env_id, seen))
    })
}

impl<C> Engine<'_, '_, C> {
    /// Remembers the first environment that was created, for the next listings to show.
    pub(super) fn expect_in_listing(&mut self, at: usize) {
        let Some(created) = self.results[at].outcome.created() else {
            return;
        };
        let step = self.steps[at];
        let has_alias = |order: &Attributes| order.creates_environment() && order.alias().is_some();
        if self.background.is_proven
            || self.settings.settle.is_zero()
            || !step.after.as_ref().is_some_and(has_alias)
        {
            return;
        }
        let Some(env_id) = created.env_id.clone() else {
            return;
        };
        self.background.unrecognised.get_or_insert(Unrecognised {
            address: step.address.clone(),
            env_id,
            until: Instant::now() + self.settings.settle.max(LEAST_WAIT),
        });
    }

    /// Judges a complete listing that came while creates were in progress.
    pub(super) fn listed(&mut self, seen: &[SeenEnvironment]) {
        let announced = self.announced();
        let stranger = matching::find_duplicate(self.background.matcher, &announced, seen);
        if let Some(stranger) = stranger {
            let trouble = Trouble::OtherCreator {
                address: stranger.address.clone(),
                env_id: stranger.env_id.to_owned(),
                ours: stranger.ours.map(str::to_owned),
            };
            return self.stop_in_trouble(trouble);
        }
        let recognised = self.background.unrecognised.as_ref().is_some_and(|one| {
            matching::recognises(self.background.matcher, &one.address, &one.env_id, seen)
        });
        if recognised {
            self.background.is_proven = true;
            self.background.unrecognised = None;
        }
    }

    /// No listing showed the first environment in time.
    pub(super) fn not_recognised(&mut self) {
        if let Some(Unrecognised { address, env_id, .. }) = self.background.unrecognised.take() {
            self.background.is_proven = true;
            self.stop_in_trouble(Trouble::NotRecognised { address, env_id });
        }
    }

    /// Each address whose create was announced, in this run or with an unknown outcome before it, with the EnvId that it
    /// returned. A create that was proven not sent, and waits to be sent again, is not announced.
    fn announced(&self) -> BTreeMap<Address, Option<String>> {
        let waiting: BTreeSet<usize> = self.queue.iter().map(|attempt| attempt.at).collect();
        let results = self.results.iter().enumerate();
        let sent =
            results.filter(|(at, result)| result.is_order() && result.attempts > 0 && !waiting.contains(at));
        let sent = sent.map(|(_, result)| {
            let env_id = result.outcome.ids().and_then(|(_, env_id)| env_id);
            (result.address.clone(), env_id.map(str::to_owned))
        });
        let open = self.waiting.iter().map(|open| open.address.clone());
        let open = open.chain(self.unresolved.iter().cloned()).map(|address| (address, None));
        open.chain(sent).collect()
    }
}
