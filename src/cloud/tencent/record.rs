//! What was said, for a support ticket: every call and its answer as one line of JSON, with the secrets taken out.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use super::scrub::Scrub;
use crate::cloud::CloudError;

/// Where calls are recorded.
pub struct Recorder {
    sink: Mutex<Box<dyn Write + Send>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

/// A call as it was sent. Nothing in it is scrubbed yet.
pub(super) struct Sent<'a> {
    pub(super) at: Timestamp,
    pub(super) url: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// What came of it.
pub(super) struct Came<'a> {
    /// None when nothing came back.
    pub(super) answer: Option<(u16, &'a [u8])>,
    /// What is wrong with it, as far as the connection goes.
    pub(super) broken: Option<&'a str>,
    pub(super) took: Duration,
}

#[derive(Serialize)]
struct LineV1<'a> {
    format_version: u32,
    at: Timestamp,
    method: &'static str,
    url: &'a str,
    request_headers: Vec<(String, String)>,
    request_body: String,
    /// Null when nothing came back.
    status: Option<u16>,
    response_body: Option<String>,
    broken: Option<String>,
    took_ms: u64,
}

impl Recorder {
    pub fn new(sink: impl Write + Send + 'static) -> Self {
        Self {
            sink: Mutex::new(Box::new(sink)),
        }
    }

    /// Writes one line, whole.
    pub(super) fn write(&self, sent: &Sent<'_>, came: &Came<'_>, scrub: &Scrub) {
        let clean = |bytes: &[u8]| scrub.secrets_out(&unkeyed(&String::from_utf8_lossy(bytes)));
        let line = LineV1 {
            format_version: 1,
            at: sent.at,
            method: "POST",
            url: sent.url,
            request_headers: sent
                .headers
                .iter()
                .map(|(name, value)| {
                    (
                        name.to_string(),
                        scrub.secrets_out(&String::from_utf8_lossy(value.as_bytes())),
                    )
                })
                .collect(),
            request_body: clean(sent.body),
            status: came.answer.map(|(status, _)| status),
            response_body: came.answer.map(|(_, body)| clean(body)),
            broken: came.broken.map(|why| scrub.secrets_out(why)),
            took_ms: u64::try_from(came.took.as_millis()).unwrap_or(u64::MAX),
        };
        if let Err(error) = self.append(&line) {
            // The call itself is not to fail for it.
            tracing::warn!(%error, "a call was not recorded");
        }
    }

    fn append(&self, line: &LineV1<'_>) -> io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        sink.write_all(text.as_bytes())?;
        sink.flush()
    }
}

/// Members whose values are as good as a key: nobody may know of them yet.
const KEYS: [&str; 4] = ["TmpSecretId", "TmpSecretKey", "Token", "WebIdentityToken"];

/// A body without the keys that it hands out or in.
pub(super) fn unkeyed(body: &str) -> Cow<'_, str> {
    let names = |text: &str| {
        KEYS.iter()
            .any(|name| text.contains(&format!("\"{name}\"")))
    };
    if !names(body) {
        return Cow::Borrowed(body);
    }
    Cow::Owned(match serde_json::from_str::<Value>(body) {
        Ok(mut document) => {
            mask(&mut document);
            document.to_string()
        }
        // Half of it may hold half a key.
        Err(_) => "[left out: it may hold a key]".to_owned(),
    })
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if KEYS.contains(&name.as_str()) {
                    *value = Value::from("[secret]");
                } else {
                    mask(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mask),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// One call, for `--log debug`.
pub(super) fn log<T>(
    action: &str,
    region: Option<&str>,
    params: &str,
    took: Duration,
    request_id: Option<&str>,
    result: &Result<T, CloudError>,
) {
    match result {
        Ok(_) => tracing::debug!(
            action,
            region,
            params,
            ?took,
            request_id,
            grade = "answered",
            "call"
        ),
        Err(error) => tracing::debug!(
            action,
            region,
            params,
            ?took,
            request_id = error.request_id.as_deref().or(request_id),
            grade = ?error.grade,
            code = error.code.as_deref(),
            message = %error.message,
            "call"
        ),
    }
}
