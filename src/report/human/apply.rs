//! A run: a line for everything that happens, and the table that closes it.

mod detail;

use std::fmt::Write as _;
use std::time::Duration;

pub(in crate::report) use detail::{SURPLUS_HELP, remarks, what};

use super::Look;
use super::table;
use crate::apply::{ApplySummary, Counts, Outcome, Progress, StepResult, Verdict, What};
use crate::i18n::{Text, text};
use crate::model::Address;
use crate::plan::Action;
use crate::report::text::{clean, count, duration};
use crate::state::journal::EndReason;

/// One line for a log; None for what a log need not hold.
pub fn line(progress: Progress<'_>, total: usize, look: Look) -> Option<String> {
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
            Some(look.say(text!(
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
            let what = look.change(what(error));
            let nothing =
                if step.is_order() { text!("nothing was created") } else { text!("nothing was done") };
            Some(look.say(text!(
                "[{number}/{total}] {address}: {what}; {nothing}, retrying in {after}",
                number,
                total,
                address,
                what,
                nothing,
                after
            )))
        }
        Progress::Ended(result) => Some(ended(result, total, look)),
        Progress::Looking { open, after, left: _ } => {
            let orders = count(open, "environment", "environments");
            let pause = match after {
                Duration::ZERO => Text::same(""),
                after => {
                    let seconds = after.as_secs_f64().ceil();
                    text!(" in {seconds} s", seconds)
                }
            };
            Some(look.say(text!("Searching the account for {orders}{pause}", orders, pause; open)))
        }
        Progress::Found { address, env_id, tran_id } => {
            let found = look.good(text!("found in the account"));
            let ids = ids(tran_id, Some(env_id));
            Some(look.say(text!("{address}: {found}, {ids}", address, found, ids)))
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
            Some(look.change(text!("{why}: starting nothing more.{wait}", why, wait)))
        }
    }
}

fn name(address: &Address, deposed: bool) -> Text {
    if deposed { text!("{address} (deposed)", address) } else { Text::same(address.to_string()) }
}

fn ended(result: &StepResult, total: usize, look: Look) -> String {
    let (number, name) = (result.number, name(&result.address, result.deposed));
    let head = text!("[{number}/{total}] {name}:", number, total, name);
    let took = |took, read_back| {
        let took = duration(took);
        if read_back { text!("{took}, found in the account", took) } else { took }
    };
    look.say(match &result.outcome {
        Outcome::Ordered { ordered, took: after, read_back } => {
            let (word, took) = (look.good(ORDERED), took(*after, *read_back));
            let ids = ids(ordered.tran_id.as_deref(), ordered.env_id.as_deref());
            text!("{head} {word}, {ids} ({took})", head, word, ids, took)
        }
        Outcome::Done(done) => {
            let env_id = result.env_id.as_deref().map_or("-".into(), clean);
            let (word, took) = (look.good(word(done.what)), took(done.took, done.read_back));
            text!("{head} {word}, EnvId {env_id} ({took})", head, word, env_id, took)
        }
        Outcome::Recorded => {
            let word = look.good(recorded(result.action));
            text!("{head} {word}", head, word)
        }
        Outcome::Failed(error) => {
            let (word, what) = (look.bad(FAILED), what(error));
            text!("{head} {word}: {what}", head, word, what)
        }
        Outcome::Unknown(error) => {
            let word = look.bad(text!("outcome unknown"));
            let what = what(error);
            text!("{head} {word}: {what}", head, word, what)
        }
        Outcome::NotAttempted => text!("{head} {NOT_ATTEMPTED}", head, NOT_ATTEMPTED),
    })
}

/// The ids of an order, as far as they are known. Not every kind has a TranId.
fn ids(tran_id: Option<&str>, env_id: Option<&str>) -> Text {
    let env_id = match env_id {
        Some(env_id) => Text::same(clean(env_id).into_owned()),
        None => text!("not known yet"),
    };
    match tran_id.map(clean) {
        Some(tran_id) => text!("TranId {tran_id}, EnvId {env_id}", tran_id, env_id),
        None => text!("EnvId {env_id}", env_id),
    }
}

const ORDERED: Text = Text::fixed("created");
const FAILED: Text = Text::fixed("failed");
const NOT_ATTEMPTED: Text = Text::fixed("not attempted");

/// What became of an environment that was there before.
const fn word(what: What) -> Text {
    match what {
        What::Updated => Text::fixed("updated"),
        What::Destroyed => Text::fixed("destroyed"),
        What::WasGone => Text::fixed("already destroyed"),
        What::Isolated => Text::fixed("isolated"),
        What::BeingDestroyed => Text::fixed("being destroyed"),
    }
}

/// What a step did that changed the record alone.
const fn recorded(action: Action) -> Text {
    match action {
        Action::Forget => Text::fixed("removed from the state"),
        Action::Import => Text::fixed("imported"),
        Action::Move => Text::fixed("moved"),
        Action::Create
        | Action::Update
        | Action::Replace
        | Action::Destroy
        | Action::Resolve
        | Action::Wait
        | Action::NoOp => Text::fixed("recorded"),
    }
}

/// The closing table and what to do next.
pub fn report(report: &ApplySummary, look: Look) -> String {
    if report.run.is_none() {
        return idle(report, look);
    }
    let table = table(report, look);
    let mut details = String::new();
    for result in &report.results {
        detail::show(&mut details, result, look);
    }
    let (details, summary) = (look.within(details, 4), summary(report, look));
    format!("\n{table}{details}\n{}", look.within(summary, 2))
}

/// The closing lines: how much of what, and what to do next.
pub fn summary(report: &ApplySummary, look: Look) -> String {
    if report.run.is_none() {
        return idle(report, look);
    }
    let mut out = String::new();
    let counts = report.counts();
    let Counts { ordered, changed, destroyed, recorded, awaiting_env_id: _, failed, unknown, not_attempted } =
        counts;
    let orders = report.results.iter().any(StepResult::is_order);
    let nothing = ordered + changed + destroyed + recorded == 0;
    let unresolved = report.unresolved.len();
    let parts: Vec<String> = [
        (ordered > 0 || nothing && orders, text!("{ordered} created", ordered)),
        (changed > 0, text!("{changed} updated", changed)),
        (destroyed > 0, text!("{destroyed} destroyed", destroyed)),
        (recorded > 0, text!("{recorded} changed in the state only", recorded)),
        (failed > 0, text!("{failed} failed", failed)),
        (unknown > 0, text!("{unknown} unknown", unknown)),
        (unresolved > 0, text!("{unresolved} unknown from earlier runs", unresolved)),
        (not_attempted > 0, text!("{not_attempted} not attempted", not_attempted)),
    ]
    .into_iter()
    .filter(|(shown, _)| *shown)
    .map(|(_, what)| look.say(what))
    .collect();
    let head = match report.verdict() {
        Verdict::Complete => look.good(text!("Apply complete:")),
        Verdict::PartWay => look.change(text!("Apply stopped:")),
        Verdict::Failed => look.bad(text!("Apply failed:")),
        Verdict::Unknown if !is_order_unknown(report) => {
            look.bad(text!("Apply ended with unknown outcomes:"))
        }
        Verdict::Unknown => look.bad(text!("Action required:")),
    };
    let (parts, took) = (look.list(&parts), duration(report.took));
    let text = text!("{head} {parts} in {took}.", head, parts, took);
    let _ = writeln!(out, "{}", look.say(text));
    if counts.awaiting_env_id > 0 {
        let n = counts.awaiting_env_id;
        let orders = count(n, "order has", "orders have");
        let text = text!(
            "{orders} a TranId but no EnvId yet: Tencent Cloud accepted the order, and it is in the state.", orders; n);
        let _ = writeln!(out, "{}", look.say(text));
    }
    for line in next(report, look) {
        let _ = writeln!(out, "{}", look.say(line));
    }
    out
}

/// What there is to say of a plan without orders.
fn idle(report: &ApplySummary, look: Look) -> String {
    let nothing = text!("Nothing to do: nothing was sent to Tencent Cloud.");
    let mut out = look.say(nothing) + "\n";
    out.extend(unresolved(report, look).map(|line| look.say(line) + "\n"));
    out
}

fn unresolved(report: &ApplySummary, look: Look) -> Option<Text> {
    let addresses: Vec<String> = report.unresolved.iter().map(|address| format!("`{address}`")).collect();
    let named = look.list(&addresses);
    (!addresses.is_empty()).then(|| text!("Still unknown from an earlier run, not touched: {named}.", named))
}

fn table(report: &ApplySummary, look: Look) -> String {
    let headers = [
        look.say(text!("ADDRESS")),
        look.say(text!("RESULT")),
        "TRAN_ID".to_owned(),
        "ENV_ID".to_owned(),
        "REQUEST_ID".to_owned(),
    ];
    let mut rows = Vec::with_capacity(report.results.len());
    for result in &report.results {
        let (word, tran_id, env_id, request_id) = match &result.outcome {
            Outcome::Ordered { ordered, .. } => {
                (ORDERED, ordered.tran_id.as_ref(), ordered.env_id.as_ref(), ordered.request_id.as_ref())
            }
            Outcome::Done(done) => (word(done.what), None, result.env_id.as_ref(), done.request_id.as_ref()),
            Outcome::Recorded => (recorded(result.action), None, result.env_id.as_ref(), None),
            Outcome::Failed(error) => (
                FAILED,
                None,
                result.env_id.as_ref().filter(|_| !result.is_order()),
                error.request_id.as_ref(),
            ),
            Outcome::Unknown(error) => (
                text!("unknown"),
                error.seen.tran_id.as_ref(),
                if result.is_order() { error.seen.env_id.as_ref() } else { result.env_id.as_ref() },
                error.request_id.as_ref(),
            ),
            Outcome::NotAttempted => (NOT_ATTEMPTED, None, None, None),
        };
        let cell = |id: Option<&String>| id.map_or_else(|| "-".to_owned(), |id| clean(id).into_owned());
        rows.push([
            look.say(name(&result.address, result.deposed)),
            look.say(word),
            cell(tran_id),
            cell(env_id),
            cell(request_id),
        ]);
    }
    table::table(&headers, &rows, look)
}

/// Whether a person has to say what became of an order.
fn is_order_unknown(report: &ApplySummary) -> bool {
    let unknown = |result: &StepResult| match result.outcome {
        Outcome::Unknown(_) => result.is_order(),
        Outcome::Ordered { .. }
        | Outcome::Done(_)
        | Outcome::Recorded
        | Outcome::Failed(_)
        | Outcome::NotAttempted => false,
    };
    !report.unresolved.is_empty() || !report.unwritten.is_empty() || report.results.iter().any(unknown)
}

fn next(report: &ApplySummary, look: Look) -> Vec<Text> {
    let mut lines = Vec::new();
    if let Some(trouble) = &report.trouble {
        let (_, why, help) = trouble.explain();
        let line = text!("Stopped: {why}. Nothing more was sent. To fix it: {help}.", why, help);
        lines.push(line.map(|line| clean(line).into_owned()));
    }
    lines.extend(unresolved(report, look));
    for (address, env_id) in &report.found {
        let env_id = clean(env_id);
        lines.push(text!("Found in the account: `{address}` is {env_id}.", address, env_id));
    }
    // What a run that was fenced out has in its journal too is said once, with the rescue file.
    for rescued in report.unwritten.iter().filter(|_| !report.is_fenced_out()) {
        let said = super::verify::said(&rescued.outcome);
        lines.push(text!("Not in the journal, so save this: {said}.", said));
    }
    let resume = text!("Run `postpay plan` to see what is left, and `postpay apply` to continue.");
    match report.verdict() {
        Verdict::Complete => {}
        // Another program may have written the state, so this run did not.
        Verdict::PartWay if report.is_fenced_out() && !report.unwritten.is_empty() => lines.push(text!("The ids of this run are in its rescue file, not in the state. {resume}", resume)),
        Verdict::PartWay if report.is_fenced_out() => lines.push(resume),
        Verdict::PartWay => lines.push(text!("Completed steps are in the state. {resume}", resume)),
        Verdict::Failed if report.results.iter().any(StepResult::is_order) => {
            lines.push(text!("Nothing was created."));
        }
        Verdict::Failed => lines.push(text!("Nothing was done.")),
        // A request that names its environment may be made again.
        Verdict::Unknown if !is_order_unknown(report) => lines.push(text!("Nothing was created. Unknown outcomes stay unchanged in the state, and repeating them is safe. {resume}", resume)),
        Verdict::Unknown => {
            lines.push(text!("Resolve the unknown outcomes first: `postpay resolve` shows what the account has."));
            lines.push(text!("`postpay plan` shows them as unknown; postpay will not retry them automatically."));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    #[test]
    fn every_outcome_has_a_word_of_its_own_in_both_languages() {
        let what = [What::Updated, What::Destroyed, What::WasGone, What::Isolated, What::BeingDestroyed];
        let actions = [Action::Forget, Action::Import, Action::Move, Action::Update];
        let words: Vec<Text> = what
            .map(word)
            .into_iter()
            .chain(actions.map(recorded))
            .chain([ORDERED, FAILED, NOT_ATTEMPTED])
            .collect();
        for lang in [Lang::En, Lang::Zh] {
            let mut said: Vec<&str> = words.iter().map(|word| word.in_lang(lang)).collect();
            said.sort_unstable();
            said.dedup();
            assert_eq!(said.len(), words.len(), "{said:?}");
            let chinese = |word: &&str| word.chars().all(|c| c >= '\u{4e00}');
            let expected = if lang == Lang::Zh { said.len() } else { 0 };
            assert_eq!(said.iter().filter(|word| chinese(word)).count(), expected);
        }
    }
}
