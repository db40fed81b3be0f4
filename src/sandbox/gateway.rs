//! The gateway: everything that the vendor checks before its back end sees a request. Values in, values out.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::sts::{Known, Question, known};
use super::world::Refusal;
use crate::cloud::tencent::sign::{self, Authorization, Payload, UNSIGNED_PAYLOAD};
use crate::cloud::tencent::wire::{
    BILLS, CREATE, DESTROY, LIST, MODIFY, SERVICE, STS_SERVICE, STS_VERSION, VERSION,
};

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
    Act(Act),
    List,
    Bills,
    /// Of whoever signed with the key of this id.
    Sts(Question, String),
}

/// What may change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Create,
    Modify,
    Destroy,
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
            return Err(Refusal::new("UnsupportedProtocol", "Only GET and POST are supported."));
        }
        let version = self.header("x-tc-version").unwrap_or_default();
        let question = Question::of(self.action()).filter(|_| version == STS_VERSION);
        if let Some(question) = question {
            let caller = if question.is_unsigned() { String::new() } else { self.authenticate(STS_SERVICE)? };
            return Ok(Asked::Sts(question, caller));
        }
        self.authenticate(if version == STS_VERSION { STS_SERVICE } else { SERVICE })?;
        if self.required("x-tc-version")? != VERSION {
            return Err(Refusal::new("NoSuchVersion", "The API has no such version."));
        }
        match self.required("x-tc-action")? {
            CREATE => Ok(Asked::Act(Act::Create)),
            MODIFY => Ok(Asked::Act(Act::Modify)),
            DESTROY => Ok(Asked::Act(Act::Destroy)),
            LIST => Ok(Asked::List),
            BILLS => Ok(Asked::Bills),
            other => {
                let message = format!("The action `{other}` does not exist here.");
                Err(Refusal::new("InvalidAction", message))
            }
        }
    }

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.header(name)
            .ok_or_else(|| Refusal::new("MissingParameter", format!("The header `{name}` is missing.")))
    }

    /// The id of the key that it is signed with.
    fn authenticate(&self, service: &str) -> Result<String, Refusal> {
        let malformed = |why: &str| Refusal::new("AuthFailure.InvalidAuthorization", why);
        let header = self
            .header("authorization")
            .ok_or_else(|| malformed("The header `Authorization` is missing."))?;
        let authorization = Authorization::parse(header)
            .ok_or_else(|| malformed("The header `Authorization` is malformed."))?;
        let timestamp = self.timestamp()?;
        let content_type = self.required("content-type")?;
        if !self.content_type_fits(content_type) {
            return Err(Refusal::new("InvalidParameter", "This `Content-Type` is not supported."));
        }
        if !(authorization.signs("content-type") && authorization.signs("host")) {
            return Err(malformed("`content-type` and `host` must be signed."));
        }
        self.is_timely(timestamp)?;
        let secret = self.secret_of(authorization.secret_id)?;
        let unsigned = self.header("x-tc-content-sha256") == Some(UNSIGNED_PAYLOAD);
        let request = sign::Request {
            method: self.method.as_str(),
            host: self.required("host")?,
            query: &self.query,
            content_type,
            action: self.header("x-tc-action"),
            payload: if unsigned { Payload::Unsigned } else { Payload::Bytes(&self.body) },
            timestamp,
            service,
        };
        let header = |name: &str| self.header(name).map(str::to_owned);
        if sign::verify(&authorization, &request, &secret, header) {
            Ok(authorization.secret_id.to_owned())
        } else {
            Err(Refusal::new("AuthFailure.SignatureFailure", "The signature does not match."))
        }
    }

    fn timestamp(&self) -> Result<i64, Refusal> {
        let timestamp = self.required("x-tc-timestamp")?;
        timestamp.parse().map_err(|_| Refusal::new("InvalidParameter", "`X-TC-Timestamp` is no Unix time."))
    }

    fn is_timely(&self, timestamp: i64) -> Result<(), Refusal> {
        if timestamp.abs_diff(self.arrival.as_second()) > SKEW_SECONDS {
            return Err(Refusal::new("AuthFailure.SignatureExpire", "The signature has expired."));
        }
        Ok(())
    }

    /// The secret of the key with this id, when the call may be made with it.
    fn secret_of(&self, id: &str) -> Result<String, Refusal> {
        let Some(Known { secret, temporary }) = known(id) else {
            return Err(Refusal::new("AuthFailure.SecretIdNotFound", "The SecretId is not found."));
        };
        if let Some((token, ends)) = temporary
            && (self.header("x-tc-token") != Some(&token) || ends <= self.arrival)
        {
            return Err(Refusal::new("AuthFailure.TokenFailure", "The token is not valid, or not any more."));
        }
        Ok(secret)
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
            Ok(_) => Err(Refusal::new("InvalidParameter", "The body is not a JSON object.")),
            Err(error) => Err(Refusal::new("InvalidParameter", format!("The body is not JSON: {error}."))),
        }
    }
}

/// A query's members. `Name.0` is an item of a list; numbers and booleans are known by the names that have them.
fn query_params(query: &str) -> Map<String, Value> {
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
}
