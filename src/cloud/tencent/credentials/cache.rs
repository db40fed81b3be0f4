//! The credentials to sign with: given once, or fetched from a source and renewed before they end.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::types::{Credentials, Issued};
use crate::clock::{Clock, SystemClock};
use crate::cloud::{CloudError, Grade, NotSent};
use crate::i18n::Text;

/// How long before their end credentials are renewed: as long as a signature may be in transit before it is too old. Those that
/// last less than twice that are renewed at half their time.
const BEFORE_END: SignedDuration = SignedDuration::from_mins(5);

/// How long the credentials at hand are used after they could not be renewed, before that is tried again.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// A source of credentials.
pub trait CredentialProvider: Send + Sync {
    /// Fetches credentials. `account` is the one that earlier credentials were proven to belong to, if they were.
    ///
    /// # Errors
    /// When there are none. The grade is that of the call that was to be signed with them: it was not sent.
    fn fetch<'a>(&'a self, account: Option<&'a str>) -> Fetch<'a>;
}

/// The future of [`CredentialProvider::fetch`].
pub type Fetch<'a> = Pin<Box<dyn Future<Output = Result<Issued, CloudError>> + Send + 'a>>;

impl CredentialProvider for Credentials {
    fn fetch<'a>(&'a self, _account: Option<&'a str>) -> Fetch<'a> {
        Box::pin(std::future::ready(Ok(Issued { credentials: self.clone(), ends: None })))
    }
}

/// A source without credentials, and why it has none.
#[derive(Debug)]
pub struct NoCredentials(pub Text);

impl CredentialProvider for NoCredentials {
    fn fetch<'a>(&'a self, _account: Option<&'a str>) -> Fetch<'a> {
        Box::pin(std::future::ready(Err(unavailable(self.0.clone()))))
    }
}

/// Returns the error of a source that has no credentials: asking again is no use.
pub(super) fn unavailable(why: Text) -> CloudError {
    CloudError::new(Grade::NotSent(NotSent::NoRequest), why)
}

/// The credentials to sign with.
pub struct CredentialCache {
    provider: Box<dyn CredentialProvider>,
    /// Whether the provider may return others than before.
    is_renewed: bool,
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
    /// The account that the credentials were proven to belong to.
    account: OnceLock<String>,
    /// Held by the task that fetches credentials; the others wait for it.
    renewal: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    credentials: Option<Arc<Credentials>>,
    ends: Option<Timestamp>,
    renew_from: Option<Timestamp>,
    /// When credentials were last rejected before their end. Renewing the next ones for that right away is no use.
    rejected_at: Option<Timestamp>,
}

impl fmt::Debug for CredentialCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialCache").field("held", &self.held()).finish_non_exhaustive()
    }
}

impl CredentialCache {
    /// Sets the cache up for a source. Nothing is fetched yet.
    pub fn new(provider: impl CredentialProvider + 'static, clock: Arc<dyn Clock>) -> Self {
        Self {
            provider: Box::new(provider),
            is_renewed: true,
            clock,
            held: Mutex::default(),
            account: OnceLock::new(),
            renewal: tokio::sync::Mutex::default(),
        }
    }

    /// Sets the cache up for credentials that stay.
    pub fn fixed(credentials: Credentials) -> Self {
        let held = Held { credentials: Some(Arc::new(credentials.clone())), ..Held::default() };
        Self { held: Mutex::new(held), is_renewed: false, ..Self::new(credentials, Arc::new(SystemClock)) }
    }

    /// Returns the credentials at hand, however old they are.
    pub fn held(&self) -> Option<Arc<Credentials>> {
        self.lock().credentials.clone()
    }

    /// Returns when the credentials at hand end; None when there are none, or they do not end.
    pub fn ends(&self) -> Option<Timestamp> {
        self.lock().ends
    }

    /// Records the account that the credentials were proven to belong to; the source returns none of another one from now on.
    pub fn pin_account(&self, account: &str) {
        self.account.get_or_init(|| account.to_owned());
    }

    /// Returns the credentials to sign with now. Those that are about to end are renewed first; when that fails, they are used as
    /// long as they last.
    ///
    /// # Errors
    /// When there are none.
    pub async fn current(&self) -> Result<Arc<Credentials>, CloudError> {
        if let Some(credentials) = self.fresh() {
            return Ok(credentials);
        }
        let _renewal = self.renewal.lock().await;
        // Another task may have fetched some in the meantime.
        if let Some(credentials) = self.fresh() {
            return Ok(credentials);
        }
        let fetched = self.provider.fetch(self.account.get().map(String::as_str)).await;
        let now = self.clock.now();
        let mut held = self.lock();
        match fetched {
            Ok(Issued { credentials, ends }) => {
                let credentials = Arc::new(credentials);
                held.credentials = Some(Arc::clone(&credentials));
                held.ends = ends;
                held.renew_from = ends.map(|ends| ends - BEFORE_END.min(ends.duration_since(now) / 2));
                Ok(credentials)
            }
            Err(error) => {
                let lasts = held.ends.is_none_or(|ends| now < ends);
                // The next call has credentials, and need not wait for the same failure.
                held.renew_from = held.renew_from.max(held.ends.map(|ends| ends.min(now + RETRY_AFTER)));
                let credentials = held.credentials.clone().filter(|_| lasts).ok_or_else(|| error.clone())?;
                tracing::warn!(message = %error.message, "the key was not renewed; the one at hand still lasts");
                Ok(credentials)
            }
        }
    }

    /// Drops credentials that were rejected before their end. True when another attempt is signed with others.
    pub(crate) fn reject(&self, credentials: &Arc<Credentials>) -> bool {
        if !self.is_renewed {
            return false;
        }
        let mut held = self.lock();
        // Others are at hand by now, or will be.
        if held.credentials.as_ref().is_none_or(|held| !Arc::ptr_eq(held, credentials)) {
            return true;
        }
        let now = self.clock.now();
        let is_first = held.rejected_at.is_none_or(|before| now.duration_since(before) > RETRY_AFTER);
        if is_first {
            *held = Held { rejected_at: Some(now), ..Held::default() };
        }
        is_first
    }

    fn fresh(&self) -> Option<Arc<Credentials>> {
        let held = self.lock();
        let is_fresh = held.renew_from.is_none_or(|from| self.clock.now() < from);
        held.credentials.clone().filter(|_| is_fresh)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
