//! A run as a page.

use super::{Entry, Finding, Kind, Level, Page, Place, Tone, of_account, version};
use crate::apply::{ApplySummary, Outcome, StepResult, Verdict, What};
use crate::cloud::CloudError;
use crate::diagnostic::Diagnostic;
use crate::i18n::{Lang, Text, text};
use crate::report::fields::{Row, Value};
use crate::report::human::{self, Look};
use crate::report::json;

/// The run, with the warnings before it.
pub fn run(report: &ApplySummary, told: &[Diagnostic], lang: Lang) -> Page {
    let look = Look { lang, ..Look::PLAIN };
    let mut findings: Vec<Finding> = told.iter().map(|one| Finding::of(one, lang)).collect();
    findings.extend(of_the_whole(report, look));
    let mut entries = Vec::with_capacity(report.results.len());
    for result in &report.results {
        let entry = entry(result, look);
        findings.extend(of_a_step(result, &entry, entries.len(), look));
        entries.push(entry);
    }
    let mut facts = Vec::new();
    facts.extend(report.run.map(|run| ("run", run.to_string())));
    let serial = report.state.as_ref().map(|state| state.serial.to_string());
    facts.extend(serial.map(|serial| ("serial", serial)));
    let account = report.state.as_ref().and_then(|state| state.account.clone());
    facts.extend(account.as_ref().map(of_account).into_iter().flatten());
    facts.push(version());
    Page {
        kind: Kind::Apply,
        lang,
        tone: match report.verdict() {
            Verdict::Complete => Tone::Good,
            Verdict::PartWay => Tone::Change,
            Verdict::Failed | Verdict::Unknown => Tone::Bad,
        },
        summary: human::apply::summary(report, look).lines().map(str::to_owned).collect(),
        findings,
        entries,
        requests: Vec::new(),
        took: report.run.map(|_| report.took),
        facts,
    }
    .sorted()
}

/// What is wrong with the record, whatever became of the steps.
fn of_the_whole(report: &ApplySummary, look: Look) -> Vec<Finding> {
    let finding = |code, message: Text, help: Option<Text>| Finding {
        level: Level::Error,
        code,
        message: look.say(message),
        help: help.map(|help| look.say(help)).into_iter().collect(),
        place: None,
        entry: None,
    };
    let trouble = report.trouble.iter().map(|trouble| {
        let (code, message, help) = trouble.explain();
        finding(code, message, Some(help))
    });
    let unwritten = report.unwritten.iter().map(|rescued| {
        let said = human::verify::said(&rescued.outcome);
        let message = text!("not in the journal, so save this: {said}", said);
        finding("not_in_the_journal", message, None)
    });
    let unresolved = report.unresolved.iter().map(|address| {
        let message = text!("`{address}` is still unknown from an earlier run and was not touched", address);
        let help = text!("to resolve it: `postpay resolve {address}`", address);
        finding("outcome_unknown", message, Some(help))
    });
    trouble.chain(unwritten).chain(unresolved).collect()
}

fn entry(result: &StepResult, look: Look) -> Entry {
    let StepResult {
        number: _,
        address,
        action,
        deposed,
        env_id: _,
        source,
        attempts: _,
        outcome,
        left_behind: _,
        calls,
    } = result;
    let (reason, mark, tone) = standing(outcome);
    Entry {
        name: if *deposed { format!("{address} (deposed)") } else { address.to_string() },
        action: action.name(),
        mark,
        tone,
        reason,
        place: Some(Place::from(source)),
        fields: ids(result),
        remarks: human::apply::remarks(result, look),
        quiet: false,
        skipped: match outcome {
            Outcome::NotAttempted => Some(look.say(text!("the run ended before this step"))),
            Outcome::Ordered { .. }
            | Outcome::Done(_)
            | Outcome::Recorded
            | Outcome::Failed(_)
            | Outcome::Unknown(_) => None,
        },
        commit: None,
        calls: calls.clone(),
    }
}

/// What became of it in a word, its mark, and how good that is.
fn standing(outcome: &Outcome) -> (&'static str, &'static str, Tone) {
    match outcome {
        Outcome::Ordered { .. } => ("ordered", "✓", Tone::Good),
        Outcome::Done(done) => {
            let tone = match done.what {
                What::Updated | What::Destroyed | What::WasGone => Tone::Good,
                What::Isolated | What::BeingDestroyed => Tone::Change,
            };
            (json::what(done.what), "✓", tone)
        }
        Outcome::Recorded => ("recorded", "✓", Tone::Good),
        Outcome::Failed(_) => ("failed", "✗", Tone::Bad),
        Outcome::Unknown(_) => ("unknown", "?", Tone::Bad),
        Outcome::NotAttempted => ("not_attempted", " ", Tone::Plain),
    }
}

/// Tencent Cloud's ids, and how often it was asked when once was not enough.
fn ids(result: &StepResult) -> Vec<Row> {
    let own = result.env_id.as_ref();
    let (env_id, tran_id, request_id) = match &result.outcome {
        Outcome::Ordered { ordered, .. } => {
            (ordered.env_id.as_ref(), ordered.tran_id.as_ref(), ordered.request_id.as_ref())
        }
        Outcome::Done(done) => (own, None, done.request_id.as_ref()),
        Outcome::Failed(error) | Outcome::Unknown(error) => {
            (own.or(error.seen.env_id.as_ref()), error.seen.tran_id.as_ref(), error.request_id.as_ref())
        }
        Outcome::Recorded | Outcome::NotAttempted => (own, None, None),
    };
    let attempts = (result.attempts > 1).then(|| result.attempts.to_string());
    [("env_id", env_id), ("tran_id", tran_id), ("request_id", request_id), ("attempts", attempts.as_ref())]
        .into_iter()
        .filter_map(|(name, id)| Some(Row { name: name.to_owned(), value: Value::Word(id?.clone()) }))
        .collect()
}

fn of_a_step(result: &StepResult, entry: &Entry, at: usize, look: Look) -> Vec<Finding> {
    let address = &entry.name;
    let finding = |level, code, message: Text, help| Finding {
        level,
        code,
        message: look.say(message),
        help,
        place: entry.place.clone(),
        entry: Some(at),
    };
    // The first remark is what the message says already.
    let failed = |code, what: Text, error: &CloudError| {
        let why = human::apply::what(error);
        let message = text!("`{address}` {what}: {why}", address, what, why);
        let help = entry.remarks.iter().skip(1).cloned().collect();
        finding(Level::Error, code, message, help)
    };
    let mut findings = Vec::new();
    match &result.outcome {
        Outcome::Failed(error) => {
            findings.push(failed("step_failed", text!("failed"), error));
        }
        Outcome::Unknown(error) => {
            let what = text!("has an unknown outcome");
            findings.push(failed("outcome_unknown", what, error));
        }
        Outcome::Ordered { ordered, .. } if ordered.env_id.is_none() => {
            let message = text!("`{address}` is created, but its EnvId is not known yet", address);
            findings.push(finding(Level::Note, "awaiting_env_id", message, Vec::new()));
        }
        Outcome::Ordered { .. } | Outcome::Done(_) | Outcome::Recorded | Outcome::NotAttempted => {}
    }
    if let Some(env_id) = &result.left_behind {
        let (message, help) = match &result.outcome {
            Outcome::Ordered { .. } => (
                text!(
                    "`{address}` may exist twice: a throttled request may have created {env_id} as well",
                    address,
                    env_id
                ),
                human::apply::SURPLUS_HELP,
            ),
            Outcome::Failed(_)
            | Outcome::Unknown(_)
            | Outcome::Done(_)
            | Outcome::Recorded
            | Outcome::NotAttempted => {
                let at = &result.address;
                (
                    text!(
                        "the failed create of `{address}` seems to have left {env_id} behind",
                        address,
                        env_id
                    ),
                    text!("to resolve it: `postpay resolve {at}`", at),
                )
            }
        };
        let help = vec![look.say(help)];
        findings.push(finding(Level::Error, "left_behind", message, help));
    }
    findings
}
