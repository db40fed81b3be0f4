//! The key that calls are signed with: one that was given, or a temporary one that is renewed before it ends.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::credentials::Credentials;
use super::issuer::Issuer;
use crate::clock::Clock;
use crate::cloud::CloudError;

/// How long before its end a temporary key is renewed: as long as a signature may be under way before the vendor calls it
/// old. One that lasts less than twice that is renewed at half its time.
const BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// How long the key at hand is used after it was not renewed, before that is tried again.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// A key as it was issued.
#[derive(Clone)]
pub struct Issued {
    pub credentials: Credentials,
    /// None for a key that has no end.
    pub ends: Option<Timestamp>,
}

/// Gives the key to sign with.
pub struct Keys(Source);

enum Source {
    /// There is none, and why.
    None(Box<CloudError>),
    /// It stays as it is.
    Given(Arc<Credentials>),
    Issued(Box<Issuing>),
}

struct Issuing {
    issuer: Issuer,
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
    /// The account that its keys were proven to be of.
    account: OnceLock<String>,
    /// Whoever holds it asks for a new key; the others wait for that one.
    renewal: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    key: Option<Arc<Credentials>>,
    ends: Option<Timestamp>,
    /// From when on it is renewed.
    renewed_from: Option<Timestamp>,
    /// When the vendor turned one away before its end. To renew the next one for that too, right away, is no use.
    turned_away_at: Option<Timestamp>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = match &self.0 {
            Source::None(_) | Source::Given(_) => None,
            Source::Issued(issuing) => Some(issuing.issuer.name()),
        };
        f.debug_struct("Keys").field("issuer", &issuer).field("key", &self.at_hand()).finish()
    }
}

impl Keys {
    /// A key that was given.
    pub fn given(credentials: Credentials) -> Self {
        Self(Source::Given(Arc::new(credentials)))
    }

    /// No key: whoever asks for one is told why.
    pub fn none(why: CloudError) -> Self {
        Self(Source::None(Box::new(why)))
    }

    /// Keys that somebody issues. None is asked for yet.
    pub fn issued_by(issuer: Issuer, clock: Arc<dyn Clock>) -> Self {
        Self(Source::Issued(Box::new(Issuing {
            issuer,
            clock,
            held: Mutex::default(),
            account: OnceLock::new(),
            renewal: tokio::sync::Mutex::default(),
        })))
    }

    /// The key that is held, if one is, however old it is.
    pub fn at_hand(&self) -> Option<Arc<Credentials>> {
        match &self.0 {
            Source::None(_) => None,
            Source::Given(key) => Some(Arc::clone(key)),
            Source::Issued(issuing) => issuing.held().key.clone(),
        }
    }

    /// The account was proven: no key of another one is given out from now on.
    pub fn hold_to(&self, account: &str) {
        if let Source::Issued(issuing) = &self.0 {
            issuing.account.get_or_init(|| account.to_owned());
        }
    }

    /// When the key that is held ends; None when there is none, or it has no end.
    pub fn ends(&self) -> Option<Timestamp> {
        match &self.0 {
            Source::None(_) | Source::Given(_) => None,
            Source::Issued(issuing) => issuing.held().ends,
        }
    }

    /// The key to sign with now. One that is about to end is renewed first; when that fails it is used as long as it lasts.
    ///
    /// # Errors
    /// When there is none, and none is issued.
    pub async fn current(&self) -> Result<Arc<Credentials>, CloudError> {
        match &self.0 {
            Source::None(why) => Err((**why).clone()),
            Source::Given(key) => Ok(Arc::clone(key)),
            Source::Issued(issuing) => issuing.current().await,
        }
    }

    /// The vendor turned this key away although it should still last. True when another attempt gets another one.
    pub(super) fn turned_away(&self, key: &Arc<Credentials>) -> bool {
        match &self.0 {
            Source::None(_) | Source::Given(_) => false,
            Source::Issued(issuing) => issuing.turned_away(key),
        }
    }
}

impl Issuing {
    async fn current(&self) -> Result<Arc<Credentials>, CloudError> {
        if let Some(key) = self.fresh() {
            return Ok(key);
        }
        let _renewal = self.renewal.lock().await;
        // Whoever was before us may have brought one.
        if let Some(key) = self.fresh() {
            return Ok(key);
        }
        // An issuer may need a key itself, which is a `Keys` again.
        match Box::pin(self.issuer.issue(self.account.get().map(String::as_str))).await {
            Ok(Issued { credentials, ends }) => {
                let key = Arc::new(credentials);
                let mut held = self.held();
                held.key = Some(Arc::clone(&key));
                held.ends = ends;
                let now = self.clock.now();
                held.renewed_from = ends.map(|ends| ends - BEFORE.min(ends.duration_since(now) / 2));
                Ok(key)
            }
            Err(error) => {
                let mut held = self.held();
                let now = self.clock.now();
                let lasts = held.ends.is_none_or(|ends| now < ends);
                // Whoever needs a key next has one, and is not to wait for the same failure.
                held.renewed_from = held.renewed_from.max(held.ends.map(|ends| ends.min(now + AGAIN)));
                match held.key.clone().filter(|_| lasts) {
                    Some(key) => {
                        tracing::warn!(message = %error.message, "the key was not renewed; the one at hand still lasts");
                        Ok(key)
                    }
                    None => Err(error),
                }
            }
        }
    }

    fn turned_away(&self, key: &Arc<Credentials>) -> bool {
        let mut held = self.held();
        match &held.key {
            Some(now) if Arc::ptr_eq(now, key) => {
                let now = self.clock.now();
                let is_first = held.turned_away_at.is_none_or(|before| now.duration_since(before) > AGAIN);
                if is_first {
                    *held = Held { turned_away_at: Some(now), ..Held::default() };
                }
                is_first
            }
            // There is another one by now, or will be.
            Some(_) | None => true,
        }
    }

    fn fresh(&self) -> Option<Arc<Credentials>> {
        let held = self.held();
        let is_fresh = held.renewed_from.is_none_or(|from| self.clock.now() < from);
        held.key.clone().filter(|_| is_fresh)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
