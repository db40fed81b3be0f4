//! Parameters that stand in a query or in a form: all of a GET's, and all that the vendor's older signature is over.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method};
use serde_json::{Map, Value};

use crate::cloud::tencent::sign::v1;

/// The parameters of a call that is signed as version 1 has it: what stands in headers elsewhere is among them.
#[derive(Debug, Default)]
pub(super) struct Form(pub(super) BTreeMap<String, String>);

/// Those that are about the call and not of the action.
pub(super) const COMMON: [&str; 11] = [
    "Action",
    "Language",
    "Nonce",
    "Region",
    "RequestClient",
    "SecretId",
    "Signature",
    "SignatureMethod",
    "Timestamp",
    "Token",
    "Version",
];

impl Form {
    /// None for a call that is signed in its headers.
    pub(super) fn of(method: &Method, query: &str, headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        if headers.contains_key("authorization") || headers.contains_key("x-tc-action") {
            return None;
        }
        let text = if *method == Method::GET { query } else { std::str::from_utf8(body).ok()? };
        let params: BTreeMap<String, String> = pairs(text).into_iter().collect();
        params.contains_key(v1::SIGNATURE).then_some(Self(params))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// The names and values of a query or a form.
fn pairs(query: &str) -> Vec<(String, String)> {
    // The address is only there because parsing a query needs one.
    let Ok(url) = reqwest::Url::parse(&format!("http://localhost/?{query}")) else {
        return Vec::new();
    };
    let pairs = url.query_pairs();
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// A query's members. `Name.0` is an item of a list; numbers and booleans are known by the names that have them.
pub(super) fn query_params(query: &str) -> Map<String, Value> {
    let mut params = Map::new();
    for (name, text) in pairs(query) {
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
