//! What is logged and recorded of a call: the request before it is sent, and what came of it. Secrets are taken out.
//!
//! In the record each is a line. Both lines of a call have the trace id that it is sent with; a call without its second line was
//! in progress when the program ended, and is the one to ask Tencent Cloud about.

use std::borrow::Cow;
use std::time::Instant;

use jiff::Timestamp;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, SERVER, VIA};
use serde::Serialize;

use super::http::Response;
use super::record::Recorder;
use super::redact::Redactor;
use super::wire;
use crate::cloud::{CloudError, Grade};
use crate::i18n::Text;

/// A line of the record. A body is as it was transferred, without secrets.
#[derive(Serialize)]
struct Line<'a> {
    format_version: u32,
    at: Timestamp,
    trace_id: &'a str,
    action: &'a str,
    #[serde(flatten)]
    event: Event<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event<'a> {
    Sent {
        method: &'static str,
        url: &'a str,
        request_headers: Vec<(String, String)>,
        request_body: String,
    },
    Answer {
        /// Null when nothing came back.
        status: Option<u16>,
        response_headers: Vec<(String, String)>,
        response_body: Option<String>,
        /// Why the response is missing or incomplete, as far as the connection goes.
        broken: Option<String>,
        /// What it proves.
        grade: &'static str,
        cause: Option<&'static str>,
        took_ms: u64,
    },
}

/// The log of one call.
pub(super) struct CallLog<'a> {
    pub(super) action: &'static str,
    pub(super) trace_id: &'a str,
    pub(super) host: &'a str,
    pub(super) redactor: &'a Redactor,
    pub(super) recorder: Option<&'a Recorder>,
    began: Instant,
    /// The region that was sent, if any.
    region: Option<String>,
    /// Whether the record lacks it already; a call is counted once.
    is_missed: bool,
}

/// The headers of a response that are recorded: who answered, when and how. Others may hold anything.
const RECORDED: [HeaderName; 7] =
    [DATE, VIA, SERVER, CONTENT_TYPE, CONTENT_ENCODING, LOCATION, HeaderName::from_static("x-tc-traceid")];

impl<'a> CallLog<'a> {
    pub(super) fn new(
        action: &'static str,
        trace_id: &'a str,
        host: &'a str,
        redactor: &'a Redactor,
        recorder: Option<&'a Recorder>,
    ) -> Self {
        let began = Instant::now();
        Self { action, trace_id, host, redactor, recorder, began, region: None, is_missed: false }
    }

    /// Logs and records what is about to be sent.
    pub(super) fn sends(&mut self, url: &str, headers: &HeaderMap, body: &[u8]) {
        self.region = headers.get("x-tc-region").map(|region| self.redact(region.as_bytes()));
        self.began = Instant::now();
        let Self { action, trace_id, host, redactor, .. } = *self;
        if tracing::enabled!(tracing::Level::DEBUG) {
            let region = self.region.as_deref();
            let params = redactor.text(&without_credentials(body));
            tracing::debug!(action, trace_id, host, region, params, "call sent");
        }
        if self.recorder.is_some() {
            self.record(Event::Sent {
                method: "POST",
                url,
                request_headers: self.headers(headers.iter()),
                request_body: redactor.redact(&without_credentials(body)),
            });
        }
    }

    /// Logs and records what came of it. Without a response, `lost` is why; None too when nothing was sent.
    pub(super) fn ended<T>(
        mut self,
        response: Option<&Response>,
        request_id: Option<&str>,
        lost: Option<&Text>,
        result: &Result<T, CloudError>,
    ) {
        let took = self.began.elapsed();
        let (grade, cause) = proof(self.action, result);
        let status = response.map(|response| response.status);
        let Self { action, trace_id, host, redactor, .. } = self;
        if tracing::enabled!(tracing::Level::DEBUG) {
            let region = self.region.as_deref();
            let error = result.as_ref().err();
            let code = error.and_then(|error| error.code.as_deref());
            let said = error.map(|error| error.message.en());
            tracing::debug!(
                action,
                trace_id,
                host,
                region,
                ?took,
                status,
                request_id,
                grade,
                cause,
                code,
                said,
                "call"
            );
        }
        // A request that was not sent has no first line.
        if self.recorder.is_some() && (response.is_some() || lost.is_some()) {
            let headers = response.map(|response| &response.headers).into_iter().flatten();
            let broken = response.and_then(|response| response.broken.as_ref()).or(lost);
            self.record(Event::Answer {
                status,
                response_headers: self.headers(headers.filter(|(name, _)| RECORDED.contains(name))),
                response_body: response.map(|response| redactor.redact(&without_credentials(&response.body))),
                broken: broken.map(|why| redactor.redact(why.en())),
                grade,
                cause,
                took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            });
        }
    }

    fn record(&mut self, event: Event<'_>) {
        let Some(recorder) = self.recorder else {
            return;
        };
        let Self { trace_id, action, .. } = *self;
        let line = Line { format_version: 1, at: Timestamp::now(), trace_id, action, event };
        if let Err(error) = recorder.write(&line)
            && !std::mem::replace(&mut self.is_missed, true)
        {
            recorder.miss(&error);
        }
    }

    fn headers<'h>(
        &self,
        headers: impl Iterator<Item = (&'h HeaderName, &'h reqwest::header::HeaderValue)>,
    ) -> Vec<(String, String)> {
        headers.map(|(name, value)| (name.to_string(), self.redact(value.as_bytes()))).collect()
    }

    fn redact(&self, value: &[u8]) -> String {
        self.redactor.redact(&String::from_utf8_lossy(value))
    }
}

/// Returns a body, unless it hands out or in credentials, which no redactor knows yet.
fn without_credentials(body: &[u8]) -> Cow<'_, str> {
    const MEMBERS: [&str; 4] = ["TmpSecretId", "TmpSecretKey", "Token", "WebIdentityToken"];
    let body = String::from_utf8_lossy(body);
    if MEMBERS.iter().any(|name| body.contains(&format!("\"{name}\""))) {
        return Cow::Borrowed("[left out: it holds credentials]");
    }
    body
}

/// Returns what a call proved, in the words of a receipt, and why it was not sent, if it was not.
fn proof<T>(action: &str, result: &Result<T, CloudError>) -> (&'static str, Option<&'static str>) {
    match result {
        Ok(_) if !acts(action) => ("answered", None),
        Ok(_) if [wire::MODIFY, wire::MODIFY_EXTRA, wire::DESTROY].contains(&action) => ("done", None),
        Ok(_) => ("ordered", None),
        Err(error) => match error.grade {
            Grade::NotSent(cause) => ("not_sent", Some(cause.name())),
            Grade::Refused(_) => ("refused", None),
            Grade::Unknown => ("unknown", None),
        },
    }
}

/// Whether an action may change something at Tencent Cloud: every one that is not known to only read.
pub(super) fn acts(action: &str) -> bool {
    use wire::{ASSUME_ROLE, ASSUME_ROLE_WITH_WEB_IDENTITY, BILLS, CALLER, LIST};
    ![LIST, BILLS, CALLER, ASSUME_ROLE, ASSUME_ROLE_WITH_WEB_IDENTITY].contains(&action)
        && !["Describe", "Check"].iter().any(|verb| action.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use serde_json::Value;

    use super::super::credentials::types::Credentials;
    use super::*;

    /// A disk that is full from some byte on, until there is space again.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (written, most) = &mut *self.0.lock().unwrap();
            let fits = bytes.len().min(*most - written.len());
            if fits == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            written.extend_from_slice(&bytes[..fits]);
            Ok(fits)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn call(recorder: &Recorder, trace_id: &str) {
        let redactor = Redactor::new(&Credentials {
            secret_id: "AKIDEXAMPLE".to_owned(),
            secret_key: "keykeykeykeykeykey".into(),
            token: None,
        });
        let mut log = CallLog::new("CreatePostpayPackage", trace_id, "h", &redactor, Some(recorder));
        let mut headers = HeaderMap::new();
        headers.insert("x-tc-region", "ap-shanghai".parse().unwrap());
        log.sends("https://h/", &headers, b"{}");
        let mut headers = HeaderMap::new();
        for (name, value) in [("via", "1.1 keykeykeykeykeykey"), ("set-cookie", "a=b")] {
            headers.insert(name, value.parse().unwrap());
        }
        let response = Response { status: 502, headers, body: b"no".to_vec(), broken: None };
        log.ended(Some(&response), None, None, &Ok::<(), _>(()));
    }

    fn lines(disk: &Disk) -> Vec<Result<Value, String>> {
        let (written, _) = &*disk.0.lock().unwrap();
        let text = String::from_utf8(written.clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).map_err(|_| line.to_owned())).collect()
    }

    #[test]
    fn a_call_is_two_lines_with_one_trace_id() {
        let disk = Disk::default();
        disk.0.lock().unwrap().1 = 10_000;
        let recorder = Recorder::to(disk.clone());
        call(&recorder, "t-1");
        let lines: Vec<Value> = lines(&disk).into_iter().map(Result::unwrap).collect();
        let [sent, answer] = <[_; 2]>::try_from(lines).unwrap();
        assert_eq!((&sent["type"], &answer["type"]), (&"sent".into(), &"answer".into()));
        for line in [&sent, &answer] {
            assert_eq!(line["trace_id"], "t-1");
            assert_eq!(line["action"], "CreatePostpayPackage");
        }
        assert_eq!(answer["grade"], "ordered");
        let via = serde_json::json!([["via", "1.1 [secret key]"]]);
        assert_eq!(answer["response_headers"], via, "and no cookie");
        assert_eq!(recorder.missed(), None);
    }

    #[test]
    fn a_line_that_a_full_disk_cuts_off_is_counted_and_ends_there() {
        let disk = Disk::default();
        disk.0.lock().unwrap().1 = 40;
        let recorder = Recorder::to(disk.clone());
        call(&recorder, "t-1");
        call(&recorder, "t-2");
        disk.0.lock().unwrap().1 = 10_000;
        call(&recorder, "t-3");
        let missed = recorder.missed().unwrap();
        assert_eq!(missed.calls, 2);
        assert!(!missed.why.is_empty());
        let lines = lines(&disk);
        assert!(lines[0].is_err());
        let whole: Vec<&Value> = lines.iter().filter_map(|line| line.as_ref().ok()).collect();
        assert_eq!(whole.len(), 2, "{lines:?}");
        assert!(whole.iter().all(|line| line["trace_id"] == "t-3"));
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_made_for_the_first_call_and_follows_no_link() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("calls.jsonl");
        let recorder = Recorder::at(file.clone());
        assert!(!file.exists());
        call(&recorder, "t-1");
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!((mode & 0o777, recorder.missed()), (0o600, None));
        let link = folder.path().join("link.jsonl");
        let elsewhere = folder.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        let recorder = Recorder::at(link);
        call(&recorder, "t-1");
        assert_eq!(recorder.missed().unwrap().calls, 1);
        assert!(!elsewhere.exists());
    }
}
