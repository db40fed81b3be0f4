//! The gateway: everything that the vendor checks before its back end sees a request. Values in, values out.

use std::collections::VecDeque;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::world::Refusal;
use super::{SECRET_ID, SECRET_KEY};
use crate::cloud::tencent::sign::{self, Authorization, Payload, UNSIGNED_PAYLOAD};
use crate::cloud::tencent::wire::{BILLS, CREATE, LIST, SERVICE, VERSION};

/// How far a signature's time may be off.
const SKEW_SECONDS: u64 = 300;
/// The largest body that the vendor takes.
pub(super) const MAX_REQUEST: usize = 10 << 20;

/// A request, read to its end.
pub(super) struct Incoming {
    pub(super) method: Method,
    /// As it stands in the request line.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) arrival: Timestamp,
}

/// What a request that passed asks for.
pub(super) enum Asked {
    Create,
    List,
    Bills,
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

    /// Signature, version and action, in that order: a stranger learns nothing.
    pub(super) fn admit(&self) -> Result<Asked, Refusal> {
        if self.method != Method::POST && self.method != Method::GET {
            return Err(Refusal::new(
                "UnsupportedProtocol",
                "Only GET and POST are supported.",
            ));
        }
        self.authenticate()?;
        if self.required("x-tc-version")? != VERSION {
            return Err(Refusal::new(
                "NoSuchVersion",
                "The API has no such version.",
            ));
        }
        match self.required("x-tc-action")? {
            CREATE => Ok(Asked::Create),
            LIST => Ok(Asked::List),
            BILLS => Ok(Asked::Bills),
            other => {
                let message = format!("The action `{other}` does not exist here.");
                Err(Refusal::new("InvalidAction", message))
            }
        }
    }

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.header(name).ok_or_else(|| {
            Refusal::new(
                "MissingParameter",
                format!("The header `{name}` is missing."),
            )
        })
    }

    fn authenticate(&self) -> Result<(), Refusal> {
        let malformed = |why: &str| Refusal::new("AuthFailure.InvalidAuthorization", why);
        let header = self
            .header("authorization")
            .ok_or_else(|| malformed("The header `Authorization` is missing."))?;
        let authorization = Authorization::parse(header)
            .ok_or_else(|| malformed("The header `Authorization` is malformed."))?;
        let timestamp: i64 = self
            .required("x-tc-timestamp")?
            .parse()
            .map_err(|_| Refusal::new("InvalidParameter", "`X-TC-Timestamp` is no Unix time."))?;
        let content_type = self.required("content-type")?;
        if !self.content_type_fits(content_type) {
            return Err(Refusal::new(
                "InvalidParameter",
                "This `Content-Type` is not supported.",
            ));
        }
        if !(authorization.signs("content-type") && authorization.signs("host")) {
            return Err(malformed("`content-type` and `host` must be signed."));
        }
        if timestamp.abs_diff(self.arrival.as_second()) > SKEW_SECONDS {
            return Err(Refusal::new(
                "AuthFailure.SignatureExpire",
                "The signature has expired.",
            ));
        }
        if authorization.secret_id != SECRET_ID {
            return Err(Refusal::new(
                "AuthFailure.SecretIdNotFound",
                "The SecretId is not found.",
            ));
        }
        let unsigned = self.header("x-tc-content-sha256") == Some(UNSIGNED_PAYLOAD);
        let request = sign::Request {
            method: self.method.as_str(),
            host: self.required("host")?,
            query: &self.query,
            content_type,
            action: self.header("x-tc-action"),
            payload: if unsigned {
                Payload::Unsigned
            } else {
                Payload::Bytes(&self.body)
            },
            timestamp,
            service: SERVICE,
        };
        let header = |name: &str| self.header(name).map(str::to_owned);
        if sign::verify(&authorization, &request, SECRET_KEY, header) {
            Ok(())
        } else {
            Err(Refusal::new(
                "AuthFailure.SignatureFailure",
                "The signature does not match.",
            ))
        }
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
    pub(super) fn params(&self) -> Result<Map<String, Value>, Refusal> {
        if self.method == Method::GET {
            return Ok(query_params(&self.query));
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(params)) => Ok(params),
            Ok(_) => Err(Refusal::new(
                "InvalidParameter",
                "The body is not a JSON object.",
            )),
            Err(error) => Err(Refusal::new(
                "InvalidParameter",
                format!("The body is not JSON: {error}."),
            )),
        }
    }
}

/// A query's members. `Name.0` is an item of a list; numbers and booleans are known by the names that have them.
fn query_params(query: &str) -> Map<String, Value> {
    let mut params = Map::new();
    // The address is only there because parsing a query needs one.
    let Ok(url) = reqwest::Url::parse(&format!("http://localhost/?{query}")) else {
        return params;
    };
    for (name, text) in url.query_pairs() {
        let value = match &*name {
            "Limit" | "Offset" | "IsVisible" => serde_json::from_str(&text).ok(),
            _ => None,
        };
        let value = value.unwrap_or_else(|| Value::String(text.into_owned()));
        if let Some((list, _)) = name.split_once('.') {
            let list = params
                .entry(list)
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(items) = list {
                items.push(value);
            }
        } else {
            params.insert(name.into_owned(), value);
        }
    }
    params
}

/// The rate limit of one action: so many in any second, by arrival. What it turns away never reaches the back end.
#[derive(Debug, Clone, Default)]
pub(super) struct Rate {
    /// None: no limit.
    per_second: Option<u32>,
    accepted: VecDeque<Timestamp>,
}

impl Rate {
    /// Two calls sent half a second apart arrive a little more or less apart, as the computer has time: this much less
    /// is let pass.
    const ALLOWANCE: SignedDuration = SignedDuration::from_millis(10);
    const SECOND: SignedDuration = SignedDuration::from_secs(1);

    /// With the arrivals that an earlier process let through, in order.
    pub(super) fn new(per_second: Option<u32>, earlier: impl Iterator<Item = Timestamp>) -> Self {
        Self {
            per_second,
            accepted: earlier.collect(),
        }
    }

    /// Whether a call that arrives now passes. One that does counts.
    pub(super) fn admit(&mut self, arrival: Timestamp) -> Result<(), Refusal> {
        let Some(per_second) = self.per_second else {
            return Ok(());
        };
        let window = Self::SECOND - Self::ALLOWANCE;
        while let Some(oldest) = self.accepted.front() {
            if arrival.duration_since(*oldest) < window {
                break;
            }
            self.accepted.pop_front();
        }
        if self.accepted.len() >= usize::try_from(per_second).unwrap_or(usize::MAX) {
            return Err(throttled(per_second));
        }
        self.accepted.push_back(arrival);
        Ok(())
    }
}

/// The answer to a call above the limit.
pub(super) fn throttled(per_second: u32) -> Refusal {
    let message =
        format!("The request exceeds the limit of {per_second} a second. Try again later.");
    Refusal::new("RequestLimitExceeded", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    fn admitted(rate: &mut Rate, arrivals: &[i64]) -> Vec<bool> {
        arrivals
            .iter()
            .map(|arrival| rate.admit(at(*arrival)).is_ok())
            .collect()
    }

    #[test]
    fn the_limit_holds_in_every_second_by_arrival() {
        let mut rate = Rate::new(Some(2), std::iter::empty());
        let arrivals = [0, 500, 900, 991, 1400, 1495, 2000];
        assert_eq!(
            admitted(&mut rate, &arrivals),
            [true, true, false, true, false, true, true]
        );
    }

    #[test]
    fn what_an_earlier_process_let_through_counts() {
        let mut rate = Rate::new(Some(2), [0, 500].map(at).into_iter());
        assert_eq!(admitted(&mut rate, &[700, 995, 1400]), [false, true, false]);
        let mut rate = Rate::new(None, [0, 500].map(at).into_iter());
        assert_eq!(admitted(&mut rate, &[501, 501, 501]), [true; 3]);
    }

    #[test]
    fn a_query_has_the_members_of_a_body() {
        let params =
            query_params("EnvId=a%20b&Limit=10&IsVisible=true&Channels.0=ide&Channels.1=api");
        let expected = serde_json::json!({
            "EnvId": "a b", "Limit": 10, "IsVisible": true, "Channels": ["ide", "api"]
        });
        assert_eq!(Value::Object(params), expected);
    }
}
