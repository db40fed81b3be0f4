//! The gateway: what is checked before an action runs. Signature, version, action, and the rate of writes.

use std::collections::{HashMap, VecDeque};

use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::actions::{ACTIONS, Action, KnownSecret, known_secret};
use super::model::{Members, Rejection};
use crate::cloud::tencent::sign::{self, Authorization, Payload, UNSIGNED_PAYLOAD};

/// How far a signature's time may be off.
const SKEW_SECONDS: u64 = 300;
/// The largest body that is accepted.
pub(super) const MAX_REQUEST: usize = 10 << 20;

/// A request, read to its end.
pub(super) struct Incoming {
    pub(super) method: Method,
    /// As it is in the request line.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    /// None: it was larger than [`MAX_REQUEST`].
    pub(super) body: Option<Bytes>,
    pub(super) arrival: Timestamp,
}

impl Incoming {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn action(&self) -> &str {
        self.header("x-tc-action").unwrap_or_default()
    }

    pub(super) fn region(&self) -> Option<&str> {
        self.header("x-tc-region")
    }

    /// Checks signature, version and action, in that order: who can't sign learns nothing. Returns the action, and the secret
    /// id that signed.
    pub(super) fn admit(&self) -> Result<(&'static Action, String), Rejection> {
        let Some(body) = &self.body else {
            return Err(Rejection::new("RequestSizeLimitExceeded", "The request is larger than 10 MB."));
        };
        if self.method != Method::POST && self.method != Method::GET {
            return Err(Rejection::new("UnsupportedProtocol", "Only GET and POST are supported."));
        }
        let version = self.header("x-tc-version").unwrap_or_default();
        let of_version = || ACTIONS.iter().filter(|action| action.version == version);
        let action = of_version().find(|action| action.name == self.action());
        let caller = if action.is_some_and(|action| !action.is_signed) {
            String::new()
        } else {
            let service = of_version().next().map_or("tcb", |action| action.service);
            self.authenticate(service, body)?
        };
        self.required("x-tc-version")?;
        if of_version().next().is_none() {
            return Err(Rejection::new("NoSuchVersion", "The API has no such version."));
        }
        let name = self.required("x-tc-action")?;
        let unknown = || Rejection::new("InvalidAction", format!("The action `{name}` does not exist here."));
        Ok((action.ok_or_else(unknown)?, caller))
    }

    fn required(&self, name: &str) -> Result<&str, Rejection> {
        let missing = || Rejection::new("MissingParameter", format!("The header `{name}` is missing."));
        self.header(name).ok_or_else(missing)
    }

    /// Returns the secret id of the signature.
    fn authenticate(&self, service: &str, body: &Bytes) -> Result<String, Rejection> {
        let malformed = |why: &str| Rejection::new("AuthFailure.InvalidAuthorization", why);
        let header = self
            .header("authorization")
            .ok_or_else(|| malformed("The header `Authorization` is missing."))?;
        let authorization = Authorization::parse(header)
            .ok_or_else(|| malformed("The header `Authorization` is malformed."))?;
        let timestamp = self.required("x-tc-timestamp")?.parse::<i64>();
        let timestamp =
            timestamp.map_err(|_| Rejection::new("InvalidParameter", "`X-TC-Timestamp` is no Unix time."))?;
        let content_type = self.required("content-type")?;
        if !self.content_type_fits(content_type) {
            return Err(Rejection::new("InvalidParameter", "This `Content-Type` is not supported."));
        }
        if !(authorization.signs("content-type") && authorization.signs("host")) {
            return Err(malformed("`content-type` and `host` must be signed."));
        }
        if timestamp.abs_diff(self.arrival.as_second()) > SKEW_SECONDS {
            return Err(Rejection::new("AuthFailure.SignatureExpire", "The signature has expired."));
        }
        let secret = self.secret_of(authorization.secret_id)?;
        let unsigned = self.header("x-tc-content-sha256") == Some(UNSIGNED_PAYLOAD);
        let request = sign::Request {
            method: self.method.as_str(),
            host: self.required("host")?,
            query: &self.query,
            content_type,
            action: self.header("x-tc-action"),
            payload: if unsigned { Payload::Unsigned } else { Payload::Bytes(body) },
            timestamp,
            service,
        };
        let header = |name: &str| self.header(name).map(str::to_owned);
        if sign::verify(&authorization, &request, &secret, header) {
            Ok(authorization.secret_id.to_owned())
        } else {
            Err(Rejection::new("AuthFailure.SignatureFailure", "The signature does not match."))
        }
    }

    /// Returns the secret to a secret id, when the call may be made with it.
    fn secret_of(&self, id: &str) -> Result<String, Rejection> {
        let Some(KnownSecret { secret_key, temporary }) = known_secret(id) else {
            return Err(Rejection::new("AuthFailure.SecretIdNotFound", "The SecretId is not found."));
        };
        if let Some((token, ends)) = temporary
            && (self.header("x-tc-token") != Some(&token) || ends <= self.arrival)
        {
            return Err(Rejection::new(
                "AuthFailure.TokenFailure",
                "The token is not valid, or not any more.",
            ));
        }
        Ok(secret_key)
    }

    fn content_type_fits(&self, content_type: &str) -> bool {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        if self.method == Method::GET {
            kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        } else {
            kind.eq_ignore_ascii_case("application/json")
        }
    }

    /// The parameters, from the body or the query.
    pub(super) fn params(&self) -> Result<Members, Rejection> {
        if self.method == Method::GET {
            return Ok(query_params(&self.query));
        }
        match serde_json::from_slice(self.body.as_deref().unwrap_or_default()) {
            Ok(Value::Object(params)) => Ok(params),
            Ok(_) => Err(Rejection::new("InvalidParameter", "The body is not a JSON object.")),
            Err(error) => Err(Rejection::new("InvalidParameter", format!("The body is not JSON: {error}."))),
        }
    }
}

/// A query's members. `Name.0` is an item of a list; numbers and booleans are known by the names that have them.
fn query_params(query: &str) -> Members {
    let mut params = Map::new();
    // The address is only there because parsing a query needs one.
    let url = reqwest::Url::parse(&format!("http://localhost/?{query}"));
    let pairs = url.iter().flat_map(|url| url.query_pairs().into_owned());
    for (name, text) in pairs {
        let value = match &*name {
            "Limit" | "Offset" | "DurationSeconds" => serde_json::from_str(&text).ok(),
            // Python writes them with a capital.
            "IsVisible" | "IsForce" | "BypassCheck" => text.to_lowercase().parse().ok().map(Value::Bool),
            _ => None,
        };
        let value = value.unwrap_or(Value::String(text));
        if let Some((list, _)) = name.split_once('.') {
            let list = params.entry(list).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(items) = list {
                items.push(value);
            }
        } else {
            params.insert(name, value);
        }
    }
    params
}

/// The rate limits of writes: so many per action in any second, a sliding window, by arrival.
#[derive(Debug, Default)]
pub(super) struct Rates(HashMap<&'static str, VecDeque<Timestamp>>);

impl Rates {
    /// Counts a call that arrives now, or rejects it. A call that is rejected does not count.
    pub(super) fn admit(
        &mut self,
        action: &'static str,
        per_second: u32,
        arrival: Timestamp,
    ) -> Result<(), Rejection> {
        let accepted = self.0.entry(action).or_default();
        while accepted
            .front()
            .is_some_and(|oldest| arrival.duration_since(*oldest) >= SignedDuration::from_secs(1))
        {
            accepted.pop_front();
        }
        if accepted.len() >= usize::try_from(per_second).unwrap_or(usize::MAX) {
            return Err(throttled(per_second));
        }
        accepted.push_back(arrival);
        Ok(())
    }
}

/// The answer to a call above the limit.
pub(super) fn throttled(per_second: u32) -> Rejection {
    let message = format!("The request exceeds the limit of {per_second} a second. Try again later.");
    Rejection::new("RequestLimitExceeded", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_the_members_of_a_body() {
        let params =
            query_params("EnvId=a%20b&Limit=10&IsVisible=True&IsForce=false&Channels.0=ide&Channels.1=api");
        let expected = serde_json::json!({
            "EnvId": "a b", "Limit": 10, "IsVisible": true, "IsForce": false, "Channels": ["ide", "api"]
        });
        assert_eq!(Value::Object(params), expected);
    }

    #[test]
    fn the_limit_holds_in_every_second_by_arrival_and_for_each_action() {
        let mut rates = Rates::default();
        let mut admit =
            |action, arrival| rates.admit(action, 2, Timestamp::from_millisecond(arrival).unwrap()).is_ok();
        let arrivals = [0, 500, 900, 999, 1000, 1499, 1500, 2000];
        let admitted = arrivals.map(|arrival| admit("a", arrival));
        assert_eq!(admitted, [true, true, false, false, true, false, true, true]);
        assert!(admit("b", 2000));
    }
}
