//! Parses an answer body, once: the envelope, the error in it, and every id anywhere in it.
//!
//! A body of any kind can be parsed. One that is cut off or not in the API's envelope may hold the only trace of a create,
//! so its ids are kept all the same. What an answer proves is decided elsewhere.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::i18n::{Text, text};

/// The object under `Response`.
pub type Response = Map<String, Value>;

/// A parsed answer body. It has no Debug: it may hold a key.
pub struct Answer {
    /// The envelope's content, or why the body is not in the API's envelope.
    pub response: Result<Response, Text>,
    /// The error in the envelope, or in the API's older form of answer, `{"code":…,"message":…}`.
    pub error: Option<ApiError>,
    /// The ids in the envelope; without one, the first of each kind in the body.
    pub ids: Ids,
    pub found: FoundIds,
}

/// The ids of an answer. Empty ones count as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids {
    pub tran_id: Option<String>,
    pub env_id: Option<String>,
    pub request_id: Option<String>,
}

/// The error in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// None for an error without a code.
    pub code: Option<String>,
    /// In any language; may be empty.
    pub message: String,
}

/// The ids found anywhere in a body: in the envelope, beside it, nested, and under a repeated key. Member names are compared
/// without regard to case: an id too many only makes an answer prove less.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundIds {
    /// Each once, in the body's order.
    pub tran_ids: Vec<String>,
    /// Each once, in the body's order.
    pub env_ids: Vec<String>,
    /// A member named like an id holds something that is neither an id nor empty.
    pub odd: bool,
    /// A key that one object holds twice, so that either value may be meant.
    pub repeated: Option<&'static str>,
}

/// The most ids of a kind that are kept: a broken endpoint may send a hundred thousand.
const MOST_IDS: usize = 20;

/// The keys that may not be repeated. `Code` is among them because one of two codes may be that of a throttled call, which is
/// sent again.
const ONCE: [&str; 6] = ["Response", "Error", "Code", "TranId", "EnvId", "RequestId"];

/// Parses an answer body.
pub fn parse(body: &[u8]) -> Answer {
    let mut found = FoundIds::default();
    // A number at the end may be the start of a longer one.
    let end = body.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1);
    let mut json = serde_json::Deserializer::from_slice(&body[..end]);
    let walk = Walk { id: None, nested: false, wrapped: false, found: &mut found };
    let document = walk.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    // A number too long for a machine word counts as odd; only the body has its digits.
    if document.is_err() || found.odd {
        for (id, name) in [(Id::Tran, "TranId"), (Id::Env, "EnvId")] {
            if let Some(text) = salvage(body, name) {
                found.add(id, &text);
            }
        }
    }
    let (response, error) = match document.map_err(|error| unreadable(body, &error)) {
        Err(why) => (Err(why), None),
        Ok(mut document) => match document.get_mut("Response").map(Value::take) {
            Some(Value::Object(response)) => {
                let error = response_error(&response);
                (Ok(response), error)
            }
            _ => {
                (Err(Text::fixed("the response is JSON, but not an API `Response`")), older_error(&document))
            }
        },
    };
    let id = |name: &str| match &response {
        Err(_) => salvage(body, name),
        Ok(response) => match response.get(name)? {
            // With a point or an exponent it is no id, and written out it would be another one.
            value if value.is_f64() => salvage(body, name),
            value => text_of(value),
        },
    };
    let ids = Ids { tran_id: id("TranId"), env_id: id("EnvId"), request_id: id("RequestId") };
    Answer { response, error, ids, found }
}

fn unreadable(body: &[u8], error: &serde_json::Error) -> Text {
    let body = body.trim_ascii_start();
    if body.is_empty() {
        Text::fixed("the response is empty")
    } else if body.starts_with(b"<") {
        Text::fixed("the response is a web page, not JSON")
    } else {
        text!("the response is not JSON: {error}", error)
    }
}

fn response_error(response: &Response) -> Option<ApiError> {
    let error = response.get("Error").filter(|error| !error.is_null())?;
    let member = |name| error.get(name).and_then(text_of);
    let message = member("Message").or_else(|| text_of(error)).unwrap_or_default();
    Some(ApiError { code: member("Code"), message })
}

/// Reads `{"code":4100,"codeDesc":"AuthFailure","message":"…"}`, as the API before version 3 answered.
fn older_error(document: &Value) -> Option<ApiError> {
    let member = |name| document.get(name).and_then(text_of);
    document.get("code")?;
    Some(ApiError {
        code: member("codeDesc").or_else(|| member("code")),
        message: member("message").unwrap_or_default(),
    })
}

/// Returns the text of a member that should be a text and may be a number. None when it is empty.
pub fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Returns a whole number, also one that is written as a text.
pub fn number_of(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| text_of(value)?.parse().ok())
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Entries without an id are left out.
    pub rows: Vec<T>,
    /// Entries on the page, those without an id included: the next page begins so much further on.
    pub sent: u32,
    /// Entries of all pages; None when the answer doesn't say.
    pub total: Option<u64>,
}

/// Reads a page whose entries are the member `list`. Null is an empty list.
///
/// # Errors
/// Without such a list, or with a `Total` that is not a number: the list may be short of it.
pub fn page<T>(
    response: &Response,
    list: &str,
    row: impl FnMut(&Value) -> Option<T>,
) -> Result<Page<T>, Text> {
    let entries = match response.get(list) {
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(Value::Null) => &[],
        _ => {
            return Err(text!("the response contains neither a list `{list}` nor an error", list));
        }
    };
    let total = response.get("Total").filter(|total| !total.is_null() && total.as_str() != Some(""));
    let total = total.map(|total| {
        let total = number_of(total).and_then(|total| u64::try_from(total).ok());
        total.ok_or_else(|| Text::fixed("`Total` in the response is not a number"))
    });
    Ok(Page {
        rows: entries.iter().filter_map(row).collect(),
        sent: u32::try_from(entries.len()).unwrap_or(u32::MAX),
        total: total.transpose()?,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Id {
    Tran,
    Env,
}

impl Id {
    fn from_key(key: &str) -> Option<Self> {
        if key.eq_ignore_ascii_case("TranId") {
            Some(Self::Tran)
        } else if key.eq_ignore_ascii_case("EnvId") {
            Some(Self::Env)
        } else {
            None
        }
    }
}

impl FoundIds {
    fn add(&mut self, id: Id, text: &str) {
        let ids = match id {
            Id::Tran => &mut self.tran_ids,
            Id::Env => &mut self.env_ids,
        };
        if ids.len() < MOST_IDS && !ids.iter().any(|known| known == text) {
            ids.push(text.to_owned());
        }
    }
}

/// Deserializes one value and collects the ids in it.
struct Walk<'a> {
    /// The id whose member holds the value.
    id: Option<Id>,
    /// Whether the value is in a list or an object in that member.
    nested: bool,
    /// Whether the value is in JSON inside a text. One such level is looked into.
    wrapped: bool,
    found: &'a mut FoundIds,
}

impl Walk<'_> {
    fn child(&mut self, key: Option<&str>) -> Walk<'_> {
        let id = key.and_then(Id::from_key).or(self.id);
        Walk { id, nested: self.id.is_some(), wrapped: self.wrapped, found: self.found }
    }

    fn see_text(&mut self, text: &str) {
        let text = text.trim();
        match self.id {
            Some(_) if text.is_empty() => self.see_nothing(),
            Some(id) => self.found.add(id, text),
            None if !self.wrapped && text.starts_with(['{', '[']) => {
                let walk = Walk { id: None, nested: false, wrapped: true, found: self.found };
                let _ = walk.deserialize(&mut serde_json::Deserializer::from_str(text));
            }
            None => {}
        }
    }

    /// An id member may be empty; a list of nothing in it is unexpected.
    fn see_nothing(&mut self) {
        self.found.odd |= self.nested;
    }

    fn see_other(&mut self) {
        self.found.odd |= self.id.is_some();
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(mut self) -> Result<Value, E> {
        self.see_nothing();
        Ok(Value::Null)
    }

    fn visit_bool<E>(mut self, yes: bool) -> Result<Value, E> {
        self.see_other();
        Ok(yes.into())
    }

    fn visit_u64<E>(mut self, number: u64) -> Result<Value, E> {
        if self.id.is_some() {
            self.see_text(&number.to_string());
        }
        Ok(number.into())
    }

    fn visit_i64<E>(mut self, number: i64) -> Result<Value, E> {
        if self.id.is_some() {
            self.see_text(&number.to_string());
        }
        Ok(number.into())
    }

    fn visit_f64<E>(mut self, number: f64) -> Result<Value, E> {
        self.see_other();
        Ok(number.into())
    }

    fn visit_str<E>(mut self, text: &str) -> Result<Value, E> {
        self.see_text(text);
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.child(None))? {
            list.push(item);
        }
        if list.is_empty() {
            self.see_nothing();
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if object.contains_key(&key) {
                self.found.repeated = ONCE.into_iter().find(|once| key == *once).or(self.found.repeated);
            }
            let value = members.next_value_seed(self.child(Some(&key)))?;
            object.insert(key, value);
        }
        if object.is_empty() {
            self.see_nothing();
        }
        Ok(object.into())
    }
}

/// Finds the first complete `"name":"…"`, or a number that ends, in a body of any kind: cut short, wrapped in a web page, or
/// not even text.
fn salvage(body: &[u8], name: &str) -> Option<String> {
    let name = format!("\"{name}\"");
    let mut rest = body;
    loop {
        let at = rest.windows(name.len()).position(|window| window == name.as_bytes())?;
        rest = &rest[at + name.len()..];
        if let Some(value) = salvage_value(rest) {
            return Some(value);
        }
    }
}

fn salvage_value(after_name: &[u8]) -> Option<String> {
    let value = after_name.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let text = if value.starts_with(b"\"") { quoted(value)? } else { digits(value)? };
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads a JSON text up to its closing quote. Bytes that are not UTF-8 are replaced.
fn quoted(value: &[u8]) -> Option<String> {
    let mut escaped = false;
    let end = value.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    let literal = String::from_utf8_lossy(&value[..end + 2]);
    Some(serde_json::from_str(&literal).unwrap_or_else(|_| literal.trim_matches('"').to_owned()))
}

/// Reads a whole number. Without a byte after it, its end may be missing.
fn digits(value: &[u8]) -> Option<String> {
    let end = value.iter().position(|byte| !byte.is_ascii_digit())?;
    let ends = matches!(value[end], b',' | b'}') || value[end].is_ascii_whitespace();
    ends.then(|| String::from_utf8_lossy(&value[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(tran: &str, env: &str, request: &str) -> Ids {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ids { tran_id: some(tran), env_id: some(env), request_id: some(request) }
    }

    #[test]
    fn ids_of_the_envelope_are_read() {
        let table = [
            (
                r#"{"Response":{"EnvId":"cdnheader-v2a","RequestId":"r","TranId":"20200603119423"}}"#,
                ids("20200603119423", "cdnheader-v2a", "r"),
            ),
            (r#"{"Response":{"EnvId":null,"RequestId":"r","TranId":"1"}}"#, ids("1", "", "r")),
            (r#"{"Response":{"EnvId":" ","RequestId":"r","TranId":"1"}}"#, ids("1", "", "r")),
            (r#"{"Response":{"RequestId":"r","TranId":"1"}}"#, ids("1", "", "r")),
            (
                r#"{"Response":{"TranId":20200603119423,"EnvId":{},"New":[1]},"X":1}"#,
                ids("20200603119423", "", ""),
            ),
            (
                r#"{"Response":{"TranId":202006031194230000000000001}}"#,
                ids("202006031194230000000000001", "", ""),
            ),
            (r#"{"Response":{"TranId":"","EnvId":"","RequestId":""}}"#, ids("", "", "")),
            (r#"{"Response":{"TranId":true,"Error":null}}"#, ids("", "", "")),
            (r#"{"Response":{}}"#, ids("", "", "")),
        ];
        for (body, expected) in table {
            let answer = parse(body.as_bytes());
            assert!(answer.response.is_ok(), "{body}");
            assert_eq!((answer.ids, answer.error), (expected, None), "{body}");
        }
    }

    #[test]
    fn errors_are_read_in_any_form() {
        let table = [
            (r#"{"Code":"LimitExceeded","Message":"m"}"#, Some("LimitExceeded"), "m"),
            (r#"{"Code":"LimitExceeded"}"#, Some("LimitExceeded"), ""),
            (r#"{"Code":42,"Message":7}"#, Some("42"), "7"),
            ("{}", None, ""),
            (r#""no""#, None, "no"),
            ("[]", None, ""),
        ];
        for (error, code, message) in table {
            let body = format!(r#"{{"Response":{{"Error":{error},"RequestId":"r"}}}}"#);
            let expected = ApiError { code: code.map(str::to_owned), message: message.to_owned() };
            assert_eq!(parse(body.as_bytes()).error, Some(expected), "{body}");
        }
        let older = parse(br#"{"code":4100,"message":"no","codeDesc":"AuthFailure","TranId":"7"}"#);
        let expected = ApiError { code: Some("AuthFailure".to_owned()), message: "no".to_owned() };
        assert_eq!((older.error, older.ids), (Some(expected), ids("7", "", "")));
    }

    #[test]
    fn body_without_an_envelope_says_why() {
        let deep = "[".repeat(100_000);
        let table: [(&[u8], &str); 11] = [
            (b"", "empty"),
            (b" \r\n", "empty"),
            (b"<!DOCTYPE html><html></html>", "web page"),
            (b"hello", "not JSON"),
            (br#"{"Response":{"TranId":"1"#, "not JSON"),
            (b"{\"Response\":{\"TranId\":\"\xff\"}}", "not JSON"),
            (deep.as_bytes(), "not JSON"),
            (b"[]", "but not"),
            (b"null", "but not"),
            (br#"{"Response":null}"#, "but not"),
            (br#"{"Response":"text"}"#, "but not"),
        ];
        for (body, expected) in table {
            let why = parse(body).response.unwrap_err();
            assert!(why.en().contains(expected), "{why}");
        }
    }

    /// The body, its order numbers, its EnvIds, whether it is odd, and the repeated key.
    type Case = (&'static str, &'static [&'static str], &'static [&'static str], bool, Option<&'static str>);

    #[test]
    fn ids_are_found_anywhere() {
        let table: [Case; 20] = [
            (r#"{"Response":{"TranId":"1","EnvId":"e"}}"#, &["1"], &["e"], false, None),
            (r#"{"TranId":"1","Response":{"TranId":"1"}}"#, &["1"], &[], false, None),
            (r#"{"Response":{"Data":{"TranId":"1"}}}"#, &["1"], &[], false, None),
            (r#"{"TranId":["1",{"x":" 2 "}]}"#, &["1", "2"], &[], false, None),
            (r#"{"TranId":{"EnvId":"e","x":7}}"#, &["7"], &["e"], false, None),
            (r#"{"tran\u0049d":"1","envID":"e"}"#, &["1"], &["e"], false, None),
            (r#"{"Data":"{\"TranId\":\"1\"}"}"#, &["1"], &[], false, None),
            (r#"{"TranId":"1","TranId":"2"}"#, &["1", "2"], &[], false, Some("TranId")),
            (r#"{"Response":{"TranId":"1"},"Response":{}}"#, &["1"], &[], false, Some("Response")),
            (r#"{"Error":1,"Error":1}"#, &[], &[], false, Some("Error")),
            (r#"{"Error":{"Code":"a","Message":"m","Code":"b"}}"#, &[], &[], false, Some("Code")),
            (r#"{"RequestId":"a","RequestId":"a"}"#, &[], &[], false, Some("RequestId")),
            // Each in an object of its own.
            (r#"[{"Code":"a"},{"Code":"a"}]"#, &[], &[], false, None),
            (r#"{"TranId":null,"EnvId":" "}"#, &[], &[], false, None),
            (r#"{"TranId":[],"EnvId":{}}"#, &[], &[], false, None),
            (r#"{"TranId":[null]}"#, &[], &[], true, None),
            (r#"{"TranId":true}"#, &[], &[], true, None),
            (r#"{"TranId":1e30}"#, &[], &[], true, None),
            (r#"{"a":[{"TranId":"1"},"#, &["1"], &[], false, None),
            (r#"x {"TranId":"1","EnvId":"e"#, &["1"], &[], false, None),
        ];
        for (body, tran_ids, env_ids, odd, repeated) in table {
            let owned = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
            let expected = FoundIds { tran_ids: owned(tran_ids), env_ids: owned(env_ids), odd, repeated };
            assert_eq!(parse(body.as_bytes()).found, expected, "{body}");
        }
    }

    #[test]
    fn only_complete_ids_are_salvaged() {
        let table: [(&[u8], Ids); 13] = [
            (br#"{"Response":{"EnvId":"e","RequestId":"r","TranId":"20200603"#, ids("", "e", "r")),
            (br#"{"Response":{"TranId":"1","EnvId":"half"#, ids("1", "", "")),
            (br#"{"Response" : {"TranId" : "1" , "#, ids("1", "", "")),
            (br#"{"TranId":123,"EnvId":null"#, ids("123", "", "")),
            (br#"{"TranId":123"#, ids("", "", "")),
            (br#"{"TranId":1.5,"x":1"#, ids("", "", "")),
            (br#"{"TranId":"","EnvId":" ""#, ids("", "", "")),
            (br#"{"TranId":"a\"b""#, ids("a\"b", "", "")),
            // In another text.
            (br#"{"Message":"\"TranId\":\"1\"""#, ids("", "", "")),
            (br#"{"TranId":null,"Order":{"TranId":"2"}"#, ids("2", "", "")),
            (b"\xff\xfe\"TranId\":\"1\"\xff", ids("1", "", "")),
            (b"\"TranId\":\"1\xff\"", ids("1\u{fffd}", "", "")),
            (b"<html>\"TranId\"", ids("", "", "")),
        ];
        for (body, expected) in table {
            assert_eq!(parse(body).ids, expected, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn page_is_read_leniently_but_not_invented() {
        let read = |members: &str| {
            let response = parse(format!(r#"{{"Response":{{{members}}}}}"#).as_bytes()).response.unwrap();
            page(&response, "List", |row| row.get("EnvId").and_then(text_of))
        };
        let rows = r#""List":[{"EnvId":"a"},{"EnvId":""},7,{"EnvId":12}]"#;
        let all = || vec!["a".to_owned(), "12".to_owned()];
        let table = [
            (format!(r#"{rows},"Total":"5""#), Some((all(), 4, Some(5)))),
            (format!(r#"{rows},"Total":"""#), Some((all(), 4, None))),
            (rows.to_owned(), Some((all(), 4, None))),
            (r#""List":null"#.to_owned(), Some((vec![], 0, None))),
            (r#""List":[],"Total":"many""#.to_owned(), None),
            (r#""List":[],"Total":-1"#.to_owned(), None),
            (r#""List":{}"#.to_owned(), None),
            (r#""Total":0"#.to_owned(), None),
        ];
        for (members, expected) in table {
            let expected = expected.map(|(rows, sent, total)| Page { rows, sent, total });
            assert_eq!(read(&members).ok(), expected, "{members}");
        }
    }

    proptest::proptest! {
        #[test]
        fn cut_answer_never_gives_half_an_id(cut in 0_usize..90, quote in "\"?") {
            let tran_id = format!("{quote}20200603119423{quote}");
            let whole = format!(
                r#"{{"Response":{{"EnvId":"shop-8grqda2hfc2f62bb","RequestId":"r-1","TranId":{tran_id}}}}}"#
            );
            let Answer { ids, found, .. } = parse(&whole.as_bytes()[..cut.min(whole.len())]);
            for id in ids.tran_id.iter().chain(&found.tran_ids) {
                proptest::prop_assert_eq!(id, "20200603119423");
            }
            for id in ids.env_id.iter().chain(&found.env_ids) {
                proptest::prop_assert_eq!(id, "shop-8grqda2hfc2f62bb");
            }
            proptest::prop_assert!(ids.request_id.is_none_or(|id| id == "r-1"));
        }

        #[test]
        fn any_bytes_are_parsed(body: Vec<u8>) {
            let _ = parse(&body);
        }
    }
}
