//! What was said, for a support ticket and for the log: every call before it is sent and what came of it, with the secrets taken
//! out.
//!
//! In the record each is a line of JSON. The two lines of a call are tied by the trace id that it is sent with; one that has
//! no second line was under way when the program ended, and that is the one to ask the vendor about.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, SERVER, VIA};
use serde::Serialize;
use serde_json::Value;

use super::http::Received;
use super::redact::Redactor;
use super::wire;
use crate::cloud::{CloudError, Grade};
use crate::files::{self, Access};

/// Where calls are recorded. That one could not be is no reason for it to fail: it is counted, and told at the end.
pub struct Recorder(Mutex<Record>);

struct Record {
    to: To,
    /// The last line may have been cut off: the next one begins on a line of its own.
    torn: bool,
    missed: Option<Missed>,
}

enum To {
    /// A file that is made for the first line, so that a command that calls nobody leaves none.
    File(PathBuf),
    Sink(Box<dyn Write + Send>),
}

/// Calls that are not in the record, or not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    pub calls: u64,
    /// Why the first of them is not.
    pub why: String,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

/// A line of the record. A body is as it went over the line, but for what was taken out.
#[derive(Serialize)]
struct LineV1<'a> {
    format_version: u32,
    at: Timestamp,
    trace_id: &'a str,
    action: &'a str,
    #[serde(flatten)]
    event: EventV1<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum EventV1<'a> {
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
        /// What is wrong with it, as far as the connection goes.
        broken: Option<String>,
        /// What it proves.
        grade: &'static str,
        cause: Option<&'static str>,
        took_ms: u64,
    },
}

impl Recorder {
    pub fn new(sink: impl Write + Send + 'static) -> Self {
        Self::to(To::Sink(Box::new(sink)))
    }

    /// In a new file that its owner alone can read, made when the first call is.
    pub fn at(file: PathBuf) -> Self {
        Self::to(To::File(file))
    }

    fn to(to: To) -> Self {
        Self(Mutex::new(Record { to, torn: false, missed: None }))
    }

    /// What is not in it; None when it is whole.
    pub fn missed(&self) -> Option<Missed> {
        self.record().missed.clone()
    }

    /// Writes one line, whole. False when it could not be.
    fn write(&self, line: &LineV1<'_>) -> Result<(), io::Error> {
        let mut record = self.record();
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        if record.torn {
            text.insert(0, '\n');
        }
        let sink = record.sink()?;
        let written = sink.write_all(text.as_bytes()).and_then(|()| sink.flush());
        record.torn = written.is_err();
        written
    }

    fn miss(&self, error: &io::Error) {
        tracing::warn!(%error, "a call was not recorded");
        let mut record = self.record();
        let missed = record.missed.get_or_insert_with(|| Missed { calls: 0, why: error.to_string() });
        missed.calls += 1;
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn sink(&mut self) -> io::Result<&mut (dyn Write + Send)> {
        if let To::File(path) = &self.to {
            // A new one: what is there is somebody's, and a link leads to what is there.
            let file = files::make(path, files::PRIVATE, Access::Append)?;
            self.to = To::Sink(Box::new(file));
        }
        match &mut self.to {
            To::Sink(sink) => Ok(sink.as_mut()),
            To::File(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// Members whose values are as good as a key: nobody may know of them yet.
const KEYS: [&str; 4] = ["TmpSecretId", "TmpSecretKey", "Token", "WebIdentityToken"];

/// A body without the keys that it hands out or in.
pub(super) fn unkeyed(body: &str) -> Cow<'_, str> {
    let names = |text: &str| KEYS.iter().any(|name| text.contains(&format!("\"{name}\"")));
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

/// One call, as it is told in the log and in the record.
pub(super) struct Telling<'a> {
    pub(super) action: &'static str,
    pub(super) trace_id: &'a str,
    pub(super) host: &'a str,
    pub(super) redactor: &'a Redactor,
    recorder: Option<&'a Recorder>,
    began: Instant,
    /// The region that was sent; None when none was.
    region: Option<String>,
    /// The record lacks it already, and counts it once.
    is_missed: bool,
}

/// The headers of an answer that say who answered, when and how. All others may hold anything.
const SHOWN: [HeaderName; 7] =
    [DATE, VIA, SERVER, CONTENT_TYPE, CONTENT_ENCODING, LOCATION, HeaderName::from_static("x-tc-traceid")];

impl<'a> Telling<'a> {
    pub(super) fn new(
        action: &'static str,
        trace_id: &'a str,
        host: &'a str,
        redactor: &'a Redactor,
        recorder: Option<&'a Recorder>,
    ) -> Self {
        Self {
            action,
            trace_id,
            host,
            redactor,
            recorder,
            began: Instant::now(),
            region: None,
            is_missed: false,
        }
    }

    /// Tells what is about to be sent, while nothing has left yet.
    pub(super) fn sends(&mut self, url: &str, headers: &HeaderMap, body: &[u8]) {
        let region = headers.get("x-tc-region");
        self.region = region.map(|region| self.shown(region.as_bytes()));
        self.began = Instant::now();
        if tracing::enabled!(tracing::Level::DEBUG) {
            let (action, trace_id, host) = (self.action, self.trace_id, self.host);
            let region = self.region.as_deref();
            let params = self.redactor.text(&unkeyed(&String::from_utf8_lossy(body)));
            tracing::debug!(action, trace_id, host, region, params, "call sent");
        }
        if self.recorder.is_some() {
            self.record(EventV1::Sent {
                method: "POST",
                url,
                request_headers: self.headers(headers, |_| true),
                request_body: self.body(body),
            });
        }
    }

    /// Tells what came of it. `answer` is None when nothing came back, or nothing was sent.
    pub(super) fn ended<T>(
        mut self,
        answer: Option<&Received>,
        request_id: Option<&str>,
        lost: Option<&str>,
        result: &Result<T, CloudError>,
    ) {
        let took = self.began.elapsed();
        let (grade, cause) = proven(self.action, result);
        if tracing::enabled!(tracing::Level::DEBUG) {
            let (action, trace_id, host) = (self.action, self.trace_id, self.host);
            let region = self.region.as_deref();
            let status = answer.map(|answer| answer.status);
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
        // What was not sent has no first line that this would be the second of.
        if self.recorder.is_some() && (answer.is_some() || lost.is_some()) {
            let broken = answer.and_then(|answer| answer.broken.as_ref());
            let broken = broken.map(crate::lang::Text::en).or(lost);
            self.record(EventV1::Answer {
                status: answer.map(|answer| answer.status),
                response_headers: answer.map_or_else(Vec::new, |answer| {
                    self.headers(&answer.headers, |name| SHOWN.contains(name))
                }),
                response_body: answer.map(|answer| self.body(&answer.body)),
                broken: broken.map(|why| self.redactor.secrets_out(why)),
                grade,
                cause,
                took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            });
        }
    }

    fn record(&mut self, event: EventV1<'_>) {
        let Some(recorder) = self.recorder else {
            return;
        };
        let line = LineV1 {
            format_version: 1,
            at: Timestamp::now(),
            trace_id: self.trace_id,
            action: self.action,
            event,
        };
        if let Err(error) = recorder.write(&line)
            && !std::mem::replace(&mut self.is_missed, true)
        {
            recorder.miss(&error);
        }
    }

    fn headers(&self, headers: &HeaderMap, is_shown: impl Fn(&HeaderName) -> bool) -> Vec<(String, String)> {
        let shown = headers.iter().filter(|(name, _)| is_shown(name));
        shown.map(|(name, value)| (name.to_string(), self.shown(value.as_bytes()))).collect()
    }

    fn shown(&self, value: &[u8]) -> String {
        self.redactor.secrets_out(&String::from_utf8_lossy(value))
    }

    fn body(&self, body: &[u8]) -> String {
        self.redactor.secrets_out(&unkeyed(&String::from_utf8_lossy(body)))
    }
}

/// What a call proved, in the words of a receipt, and why it was not sent, if it was not.
fn proven<T>(action: &str, result: &Result<T, CloudError>) -> (&'static str, Option<&'static str>) {
    match result {
        Ok(_) if action == wire::CREATE => ("ordered", None),
        Ok(_) if is_change(action) => ("done", None),
        Ok(_) => ("answered", None),
        Err(error) => match error.grade {
            Grade::NotSent(cause) => ("not_sent", Some(cause.name())),
            Grade::Refused(_) => ("refused", None),
            Grade::Unknown => ("unknown", None),
        },
    }
}

fn is_change(action: &str) -> bool {
    [wire::MODIFY, wire::DESTROY].contains(&action)
}

/// Whether it may do something at the vendor that asking again does not undo.
pub(super) fn acts(action: &str) -> bool {
    action == wire::CREATE || is_change(action)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cloud::tencent::Credentials;

    /// A disk that is full from some byte on, until there is room again.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (written, room) = &mut *self.0.lock().unwrap();
            let fits = bytes.len().min(*room - written.len());
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
            secret_key: "keykeykeykey".into(),
            token: None,
        });
        let mut told = Telling::new(wire::CREATE, trace_id, "h", &redactor, Some(recorder));
        let mut headers = HeaderMap::new();
        headers.insert("x-tc-region", "ap-shanghai".parse().unwrap());
        told.sends("https://h/", &headers, b"{}");
        let mut headers = HeaderMap::new();
        for (name, value) in [("via", "1.1 keykeykeykey"), ("set-cookie", "a=b")] {
            headers.insert(name, value.parse().unwrap());
        }
        let answer = Received { status: 502, headers, body: b"no".to_vec(), broken: None };
        told.ended(Some(&answer), None, None, &Ok::<(), _>(()));
    }

    fn lines(disk: &Disk) -> Vec<Result<Value, String>> {
        let (written, _) = &*disk.0.lock().unwrap();
        let text = String::from_utf8(written.clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).map_err(|_| line.to_owned())).collect()
    }

    #[test]
    fn a_call_is_two_lines_tied_by_its_trace_id() {
        let disk = Disk::default();
        disk.0.lock().unwrap().1 = 10_000;
        let recorder = Recorder::new(disk.clone());
        call(&recorder, "t-1");
        let lines: Vec<Value> = lines(&disk).into_iter().map(Result::unwrap).collect();
        let [sent, answer] = <[_; 2]>::try_from(lines).unwrap();
        assert_eq!((&sent["type"], &answer["type"]), (&"sent".into(), &"answer".into()));
        for line in [&sent, &answer] {
            assert_eq!(line["trace_id"], "t-1");
            assert_eq!(line["action"], wire::CREATE);
        }
        assert_eq!(answer["grade"], "ordered");
        let via = serde_json::json!([["via", "1.1 [secret key]"]]);
        assert_eq!(answer["response_headers"], via, "and no cookie");
        assert_eq!(recorder.missed(), None);
    }

    #[test]
    fn what_a_full_disk_cuts_off_is_counted_and_glued_to_nothing() {
        let disk = Disk::default();
        disk.0.lock().unwrap().1 = 40;
        let recorder = Recorder::new(disk.clone());
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
