//! A page of a list, which is the form of every answer to a question.

use serde_json::Value;

use super::{ApiError, Unreadable, error, response, salvage, text};

/// One page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page<T> {
    /// Entries without an id are not among them: there is nothing to tell them by.
    pub rows: Vec<T>,
    /// How many entries there were, those without an id included: the next page begins so much further on.
    pub sent: u32,
    /// Of all pages; None when the answer doesn't say.
    pub total: Option<u64>,
    /// How long the answer was.
    pub bytes: u64,
    pub request_id: Option<String>,
    pub error: Option<ApiError>,
}

/// Reads a page whose entries are the member `list`. Null is an empty list; no such member at all, and no error either, is
/// no answer to the question.
pub(super) fn page<T>(body: &[u8], list: &str, row: fn(&Value) -> Option<T>) -> Result<Page<T>, Unreadable> {
    let response = response(body)?;
    let error = error(&response);
    let entries = match response.get(list) {
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(Value::Null) => &[],
        None if error.is_some() => &[],
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) | None => {
            return Err(Unreadable {
                why: text!(
                    "the answer holds neither a list `{list}` nor an error",
                    "应答中既没有列表 `{list}`，也没有错误"
                ),
                ids: salvage(body),
                error,
            });
        }
    };
    let total = match response.get("Total") {
        None => None,
        Some(value) if value.is_null() || value.as_str().is_some_and(str::is_empty) => None,
        Some(value) => {
            let total = number(value).and_then(|total| u64::try_from(total).ok());
            // A Total that can't be read is not the same as none: the list may be short of it.
            if total.is_none() && error.is_none() {
                return Err(Unreadable {
                    why: text!("the answer's `Total` is not a number", "应答中的 `Total` 不是数字"),
                    ids: salvage(body),
                    error,
                });
            }
            total
        }
    };
    Ok(Page {
        rows: entries.iter().filter_map(row).collect(),
        sent: u32::try_from(entries.len()).unwrap_or(u32::MAX),
        total,
        bytes: body.len() as u64,
        request_id: response.get("RequestId").and_then(text),
        error,
    })
}

/// A whole number, also one that is written as a text.
pub(super) fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| text(value)?.parse().ok())
}

/// A yes or no, also one that is written as a text or a number, as in the vendor's own samples.
pub(super) fn yes(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        Value::String(word) => ["true", "yes", "1"].iter().any(|yes| word.trim().eq_ignore_ascii_case(yes)),
        Value::Number(number) => number.as_i64() == Some(1),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}
