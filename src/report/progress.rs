//! Progress: the lines of a run, and a line on a terminal for whatever takes its time.

use std::time::Duration;

use super::options::RenderOptions;
use super::result::{ResultView, describe_error};
use super::text::{clauses, clean, count, duration, name};
use super::view::Tone;
use crate::apply::{Done, Outcome, Progress, StepResult};
use crate::cloud::{Looks, Reading};
use crate::i18n::{Text, text};
use crate::plan::Action;
use crate::state::Holder;
use crate::state::journal::EndReason;

/// Returns the line of a log for something that happened; None for what needs none.
pub fn render_progress(progress: Progress<'_>, total: usize, options: RenderOptions) -> Option<String> {
    match progress {
        Progress::Started { .. } => None,
        Progress::Sending { number, step, attempt } => {
            let again = if attempt > 1 { text!(", attempt {attempt}", attempt) } else { Text::same("") };
            let doing = match (step.action, step.updates().next()) {
                (Action::Destroy, _) => text!("destroying"),
                (Action::Update, Some((field, value))) => {
                    let value = value.to_string();
                    let value = clean(&value);
                    text!("changing {field} to {value}", field, value)
                }
                (
                    Action::Create
                    | Action::Replace
                    | Action::Update
                    | Action::Forget
                    | Action::Import
                    | Action::Move
                    | Action::Resolve
                    | Action::Wait
                    | Action::NoOp,
                    _,
                ) => text!("creating"),
            };
            let name = name(&step.address, step.deposed);
            Some(options.in_lang(text!(
                "[{number}/{total}] {name}: {doing}{again}",
                number,
                total,
                name,
                doing,
                again
            )))
        }
        Progress::Retrying { number, step, error, after, attempt: _ } => {
            let (address, after) = (&step.address, duration(after));
            let what = options.change(describe_error(error));
            let nothing =
                if step.is_order() { text!("nothing was created") } else { text!("nothing was done") };
            Some(options.in_lang(text!(
                "[{number}/{total}] {address}: {what}; {nothing}, retrying in {after}",
                number,
                total,
                address,
                what,
                nothing,
                after
            )))
        }
        Progress::Ended(result) => Some(options.in_lang(ended(result, total, options))),
        Progress::Looking { open, after, left: _ } => {
            let orders = count(open, "environment", "environments");
            let pause = match after {
                Duration::ZERO => Text::same(""),
                after => {
                    let seconds = after.as_secs_f64().ceil();
                    text!(" in {seconds} s", seconds)
                }
            };
            Some(options.in_lang(text!("Searching the account for {orders}{pause}", orders, pause; open)))
        }
        Progress::Waiting { open, left, after: _ } => {
            let environments = count(open, "environment", "environments");
            let left = whole(left);
            Some(options.in_lang(text!(
                "Waiting until {environments} can be used, at most {left} more",
                environments,
                left; open
            )))
        }
        Progress::Ready { address, env_id } => {
            let (ready, env_id) = (options.good(text!("in use")), clean(env_id));
            Some(options.in_lang(text!("{address}: {ready}, EnvId {env_id}", address, ready, env_id)))
        }
        Progress::Found { address, env_id, tran_id } => {
            let found = options.good(text!("found in the account"));
            let ids = describe_ids(tran_id, Some(env_id));
            Some(options.in_lang(text!("{address}: {found}, {ids}", address, found, ids)))
        }
        Progress::Stopping { reason, under_way, trouble } => {
            let why = match (trouble, reason) {
                (Some(trouble), _) => trouble.text().map(|text| clean(text).into_owned()),
                (None, EndReason::Interrupted) => text!("Interrupted"),
                (None, EndReason::Deadline) => text!("Deadline reached"),
                (None, EndReason::Failed) => text!("A step failed"),
                (None, EndReason::Unknown) => text!("Unknown outcome"),
                (None, EndReason::Finished) => text!("Finished"),
            };
            let wait = match under_way {
                0 => Text::same(""),
                n => {
                    let calls = count(n, "call under way", "calls under way");
                    text!(" Waiting for {calls} in progress.", calls; n)
                }
            };
            Some(options.change(text!("{why}: starting nothing more.{wait}", why, wait)))
        }
    }
}

/// Returns how a step ended, with its ids.
fn ended(result: &StepResult, total: usize, options: RenderOptions) -> Text {
    let view = ResultView::new(result, None);
    let (number, name) = (result.number, name(&result.address, result.deposed));
    let word = match view.tone {
        Tone::Good => options.good(&view.label),
        Tone::Change => options.change(&view.label),
        Tone::Bad => options.bad(&view.label),
        Tone::Plain => options.in_lang(&view.label),
    };
    let details = match &result.outcome {
        Outcome::Ordered { took, read_back, .. } | Outcome::Done(Done { took, read_back, .. }) => {
            let tran_id = view.tran_id.filter(|_| result.is_order());
            let ids = describe_ids(tran_id, view.env_id);
            let took = duration(*took);
            let took = if *read_back { text!("{took}, found in the account", took) } else { took };
            text!(", {ids} ({took})", ids, took)
        }
        Outcome::Failed(error) | Outcome::Unknown(error) => {
            let what = describe_error(error);
            text!(": {what}", what)
        }
        Outcome::Recorded | Outcome::NotAttempted => Text::same(""),
    };
    text!("[{number}/{total}] {name}: {word}{details}", number, total, name, word, details)
}

/// Returns the ids of an order. Not every kind has a TranId.
fn describe_ids(tran_id: Option<&str>, env_id: Option<&str>) -> Text {
    let id = |name: &str, id: &str| Text::same(format!("{name} {}", clean(id)));
    let env_id = env_id.map_or(text!("EnvId not known yet"), |env_id| id("EnvId", env_id));
    clauses(tran_id.map(|tran_id| id("TranId", tran_id)).into_iter().chain([env_id]))
}

/// Returns how far reading the account has come, `elapsed` after it began.
pub fn describe_reading(reading: &Reading, elapsed: Duration) -> Text {
    let Reading { what, region, regions, pages, done, of } = *reading;
    let what = match what {
        Looks::Caller => return text!("Looking up the account"),
        Looks::Environments => text!("Listing the account"),
        Looks::Lookup => text!("Looking up environments by id"),
        Looks::Bills => text!("Reading bills"),
    };
    let region = match regions {
        0 | 1 => text!(""),
        _ => text!(", region {region} of {regions}", region, regions),
    };
    let pages = match pages {
        0 => text!(""),
        1 => text!(", 1 page"),
        _ => text!(", {pages} pages", pages),
    };
    let count = match of {
        Some(of) => text!("{done} of {of} environments", done, of),
        None => text!("{done} environments", done),
    };
    let pace = pace(done, of, elapsed);
    text!("{what}: {count}{region}{pages}{pace}", what, count, region, pages, pace)
}

/// Returns how fast it goes, and how long it still takes.
fn pace(done: usize, of: Option<usize>, elapsed: Duration) -> Text {
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let seconds = elapsed.as_secs_f64();
    if done == 0 || seconds <= 0.0 {
        return text!("");
    }
    let rate = count(done) / seconds;
    let left = of.filter(|of| *of > done).map(|of| count(of - done) / rate);
    let left = left.and_then(|left| Duration::try_from_secs_f64(left).ok());
    let pace = describe_pace(rate, left);
    text!(", {pace}", pace)
}

/// Returns `2.0 per second, about 4 s left`.
pub fn describe_pace(rate: f64, left: Option<Duration>) -> Text {
    // Below that, halves matter.
    let rate = if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") };
    match left.map(whole) {
        Some(left) => text!("{rate} per second, about {left} left", rate, left),
        None => text!("{rate} per second", rate),
    }
}

/// Returns how long a lock has been waited for; `most` is the longest.
pub fn describe_lock_wait(holder: Option<&Holder>, waited: Duration, most: Duration) -> Text {
    let who = match holder {
        Some(Holder { who, pid, since: _, doing }) => {
            let (who, doing) = (clean(who), clean(doing));
            text!("{who} (pid {pid}, {doing})", who, pid, doing)
        }
        None => text!("another process"),
    };
    let (waited, left) = (whole(waited), whole(most.saturating_sub(waited)));
    text!(
        "Waiting for {who} to release the state lock: {waited} so far, at most {left} more",
        who,
        waited,
        left
    )
}

/// Returns how long the account has been searched for unknown outcomes; `most` is the longest.
pub fn describe_search(open: usize, searched: Duration, most: Duration) -> Text {
    let environments = match open {
        1 => text!("1 environment"),
        _ => text!("{open} environments", open),
    };
    let (searched, left) = (whole(searched), whole(most.saturating_sub(searched)));
    text!(
        "searching the account for {environments}: {searched} so far, at most {left} more",
        environments,
        searched,
        left
    )
}

/// Returns how long environments have been waited for until they are in use; `most` is the longest.
pub fn describe_wait(open: usize, waited: Duration, most: Duration) -> Text {
    let environments = match open {
        1 => text!("1 environment"),
        _ => text!("{open} environments", open),
    };
    let (waited, left) = (whole(waited), whole(most.saturating_sub(waited)));
    text!(
        "waiting until {environments} can be used: {waited} so far, at most {left} more",
        environments,
        waited,
        left
    )
}

/// Returns whole seconds, so that what counts up does not flicker.
fn whole(time: Duration) -> Text {
    match time.as_secs() {
        seconds @ 0..120 => text!("{seconds} s", seconds),
        _ => duration(time),
    }
}
