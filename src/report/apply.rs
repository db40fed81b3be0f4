//! `apply`, `destroy` and `import`: how a run ended.

mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{View, to_json};
use super::fields::{Row, Value};
use super::lines::{Lines, table};
use super::options::RenderOptions;
use super::place::Place;
use super::result::{ResultView, describe_error};
use super::text::{clean, count, duration, list, name};
use super::verify::describe_outcome;
use super::view::{Entry, Finding, Kind, Label, Level, Provenance, Report, Tone, console_url, in_lang};
use crate::apply::{ApplySummary, Counts, Outcome, StepResult, Verdict};
use crate::diagnostic::Diagnostic;
use crate::i18n::{Lang, Text, text};
use crate::model::Address;
use crate::state::journal::{EndReason, RunId};
use crate::state::{Account, FormatVersion, Serial};
use words::SURPLUS_HELP;

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay apply --format json, version 1")]
pub struct ApplyView<'a> {
    format_version: FormatVersion,
    /// Null when there was nothing to do, so that no run was opened.
    run: Option<RunId>,
    verdict: Verdict,
    ended: EndReason,
    took_seconds: f64,
    state_path: &'a str,
    serial: Option<Serial>,
    summary: Counts,
    results: Vec<ResultView<'a>>,
    /// EnvIds that were found for orders of earlier runs.
    found: BTreeMap<&'a str, &'a str>,
    /// Addresses that were unknown before the run, and were left alone by it.
    unresolved: &'a [Address],
    /// Why the run stopped, if not for a step.
    trouble: Option<Text>,
    #[serde(flatten)]
    provenance: Provenance,
    #[serde(skip)]
    outcome: &'a ApplySummary,
    #[serde(skip)]
    diagnostics: Vec<Diagnostic>,
}

impl<'a> ApplyView<'a> {
    pub fn new(
        outcome: &'a ApplySummary,
        state_path: &'a str,
        diagnostics: Vec<Diagnostic>,
        provenance: Provenance,
    ) -> Self {
        let state = outcome.state.as_ref();
        let account = state.and_then(|state| state.account.clone());
        Self {
            format_version: FormatVersion,
            run: outcome.run,
            verdict: outcome.verdict(),
            ended: outcome.ended,
            took_seconds: outcome.took.as_secs_f64(),
            state_path,
            serial: state.map(|state| state.serial),
            summary: outcome.counts(),
            results: outcome.results.iter().map(|result| ResultView::new(result, state)).collect(),
            found: outcome.found.iter().map(|(address, id)| (address.as_str(), id.as_str())).collect(),
            unresolved: &outcome.unresolved,
            trouble: outcome.trouble.as_ref().map(crate::apply::Trouble::text),
            provenance: Provenance { account: account.or(provenance.account), ..provenance },
            outcome,
            diagnostics,
        }
    }

    /// Returns the closing lines: how many steps ended in which way, and what to do next.
    fn summary(&self, options: RenderOptions) -> Vec<String> {
        let outcome = self.outcome;
        if self.run.is_none() {
            let nothing = text!("Nothing to do: nothing was sent to Tencent Cloud.");
            let lines = std::iter::once(nothing).chain(words::unresolved(outcome));
            return lines.map(|line| options.in_lang(line)).collect();
        }
        let Counts { ordered, changed, destroyed, recorded, awaiting_env_id, failed, unknown, not_attempted } =
            self.summary;
        let is_nothing = ordered + changed + destroyed + recorded == 0;
        let creates = outcome.results.iter().any(StepResult::is_order);
        let unresolved = self.unresolved.len();
        let parts = [
            (ordered > 0 || is_nothing && creates, text!("{ordered} created", ordered)),
            (changed > 0, text!("{changed} updated", changed)),
            (destroyed > 0, text!("{destroyed} destroyed", destroyed)),
            (recorded > 0, text!("{recorded} changed in the state only", recorded)),
            (failed > 0, text!("{failed} failed", failed)),
            (unknown > 0, text!("{unknown} unknown", unknown)),
            (unresolved > 0, text!("{unresolved} unknown from earlier runs", unresolved)),
            (not_attempted > 0, text!("{not_attempted} not attempted", not_attempted)),
        ];
        let parts = list(parts.into_iter().filter(|(is_shown, _)| *is_shown).map(|(_, what)| what));
        let head = match self.verdict {
            Verdict::Complete => options.good(text!("Apply complete:")),
            Verdict::PartWay if words::is_only_not_ready(outcome) => {
                options.change(text!("Applied, but not ready for use:"))
            }
            Verdict::PartWay => options.change(text!("Apply stopped:")),
            Verdict::Failed => options.bad(text!("Apply failed:")),
            Verdict::Unknown if !words::is_create_unknown(outcome) => {
                options.bad(text!("Apply ended with unknown outcomes:"))
            }
            Verdict::Unknown => options.bad(text!("Action required:")),
        };
        let took = duration(outcome.took);
        let state = self.serial.map_or(Text::same(""), |serial| {
            let path = clean(self.state_path);
            text!(" State: {path} (serial {serial}).", path, serial)
        });
        let mut lines = vec![text!("{head} {parts} in {took}.{state}", head, parts, took, state)];
        if awaiting_env_id > 0 {
            let n = awaiting_env_id;
            let orders = count(n, "order has", "orders have");
            lines.push(text!(
                "{orders} a TranId but no EnvId yet: Tencent Cloud accepted the order, and it is in the state.", orders; n));
        }
        lines.extend(words::next_steps(outcome));
        lines.iter().map(|line| options.in_lang(line)).collect()
    }
}

impl View for ApplyView<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        let summary = self.summary(options).join("\n") + "\n";
        if self.run.is_none() {
            return summary;
        }
        let mut details = Lines::new(options);
        for (result, view) in self.outcome.results.iter().zip(&self.results) {
            let remarks = words::remarks(result);
            if remarks.is_empty() {
                continue;
            }
            let label = match (&result.outcome, &result.left_behind) {
                (Outcome::Failed(_) | Outcome::Unknown(_), _) => options.bad(&view.label),
                (Outcome::Ordered { .. }, Some(_)) => options.bad(text!("may exist twice")),
                (Outcome::Ordered { .. }, None) => options.in_lang(text!("was replaced")),
                (Outcome::Done(_) | Outcome::Recorded | Outcome::NotAttempted, _) => {
                    options.in_lang(&view.label)
                }
            };
            let (address, source) = (options.strong(&result.address), options.faint(&result.source));
            details.blank();
            details.add(format!("{address} {label}  {source}"));
            for line in remarks {
                details.row(2, "", 0, line);
            }
        }
        let in_console = self.provenance.account.as_ref().is_some_and(|it| it.endpoint != Account::SANDBOX);
        let table = self.table(options);
        let table = if in_console && options.links { self.link(&table) } else { table };
        format!("\n{table}{}\n{}", details.wrap(4), options.wrap(summary, 2))
    }

    fn report(&self, lang: Lang) -> Option<Report> {
        let mut report = Report::new(Kind::Apply, &self.diagnostics, lang);
        report.findings.extend(self.run_findings(lang));
        for (result, view) in self.outcome.results.iter().zip(&self.results) {
            let entry = entry(result, view, lang);
            report.findings.extend(step_findings(result, &entry, report.entries.len(), lang));
            report.entries.push(entry);
        }
        report.tone = match self.verdict {
            Verdict::Complete => Tone::Good,
            Verdict::PartWay => Tone::Change,
            Verdict::Failed | Verdict::Unknown => Tone::Bad,
        };
        report.summary = self.summary(RenderOptions { lang, ..RenderOptions::PLAIN });
        report.took = self.run.map(|_| self.outcome.took);
        if let Some(run) = self.run {
            report.add_fact(&text!("run"), &run);
        }
        report.add_fact(&text!("state"), &self.state_path);
        if let Some(serial) = self.serial {
            report.add_fact(&text!("serial"), &serial);
        }
        Some(report.finish(&self.provenance))
    }
}

impl ApplyView<'_> {
    fn table(&self, options: RenderOptions) -> String {
        let headers = [
            options.in_lang(text!("ADDRESS")),
            options.in_lang(text!("RESULT")),
            "TRAN_ID".to_owned(),
            "ENV_ID".to_owned(),
            "REQUEST_ID".to_owned(),
        ];
        let cell = |id: Option<&str>| id.map_or_else(|| "-".to_owned(), |id| clean(id).into_owned());
        let rows = self.results.iter().map(|result| {
            [
                options.in_lang(name(result.address, result.deposed)),
                options.in_lang(&result.label),
                cell(result.tran_id),
                cell(result.env_id),
                cell(result.request_id),
            ]
        });
        table(&headers, &rows.collect::<Vec<_>>(), options)
    }

    /// Makes every EnvId in the table a link to its page in the console (OSC 8).
    fn link(&self, table: &str) -> String {
        let mut ids = self.results.iter().filter_map(|result| result.env_id).peekable();
        let mut out = String::with_capacity(table.len() * 2);
        for line in table.lines() {
            let id = ids.next_if(|id| line.contains(id));
            let link = id.and_then(|id| Some((line.rfind(id)?, id, console_url(id)?)));
            let _ = match link {
                Some((at, id, url)) => {
                    let (before, after) = (&line[..at], &line[at + id.len()..]);
                    writeln!(out, "{before}\u{1b}]8;;{url}\u{1b}\\{id}\u{1b}]8;;\u{1b}\\{after}")
                }
                None => writeln!(out, "{line}"),
            };
        }
        out
    }

    /// Returns what is wrong with the run as a whole.
    fn run_findings(&self, lang: Lang) -> Vec<Finding> {
        let finding = |code, message: Text, help: Option<Text>| Finding {
            level: Level::Error,
            code,
            message: message.in_lang(lang).to_owned(),
            help: in_lang(&help, lang),
            place: None,
            entry: None,
        };
        let trouble = self.outcome.trouble.iter().map(|trouble| {
            let (code, message, help) = trouble.explain();
            finding(code, message, Some(help))
        });
        let unwritten = self.outcome.unwritten.iter().map(|rescued| {
            let outcome = describe_outcome(&rescued.outcome);
            finding("not_in_the_journal", text!("not in the journal, so save this: {outcome}", outcome), None)
        });
        let unresolved = self.unresolved.iter().map(|address| {
            let message =
                text!("`{address}` is still unknown from an earlier run and was not touched", address);
            let help = text!("to resolve it: `postpay resolve {address}`", address);
            finding("outcome_unknown", message, Some(help))
        });
        trouble.chain(unwritten).chain(unresolved).collect()
    }
}

fn entry(result: &StepResult, view: &ResultView<'_>, lang: Lang) -> Entry {
    let attempts = (result.attempts > 1).then(|| result.attempts.to_string());
    let ids = [
        ("env_id", view.env_id),
        ("tran_id", view.tran_id),
        ("request_id", view.request_id),
        ("attempts", attempts.as_deref()),
    ];
    let row = |(name, id): (&str, Option<&str>)| {
        Some(Row { name: name.to_owned(), value: Value::Word(id?.to_owned()) })
    };
    Entry {
        name: name(&result.address, result.deposed).in_lang(lang).to_owned(),
        action: Label::new(result.action.name(), &words::describe_action(result.action), lang),
        outcome: Some(Label::new(view.result, &view.label, lang)),
        mark: view.mark,
        tone: view.tone,
        place: Some(Place::from(&result.source)),
        fields: ids.into_iter().filter_map(row).collect(),
        remarks: in_lang(&words::remarks(result), lang),
        skipped: (result.outcome == Outcome::NotAttempted)
            .then(|| text!("the run ended before this step").in_lang(lang).to_owned()),
        calls: result.calls.clone(),
        ..Entry::default()
    }
}

fn step_findings(result: &StepResult, entry: &Entry, at: usize, lang: Lang) -> Vec<Finding> {
    let address = &entry.name;
    let finding = |level, code, message: Text, help| Finding {
        level,
        code,
        message: message.in_lang(lang).to_owned(),
        help,
        place: entry.place.clone(),
        entry: Some(at),
    };
    // The message has the first remark.
    let help = || entry.remarks.iter().skip(1).cloned().collect();
    let mut findings = Vec::new();
    match &result.outcome {
        Outcome::Failed(error) => {
            let why = describe_error(error);
            let message = text!("`{address}` failed: {why}", address, why);
            findings.push(finding(Level::Error, "step_failed", message, help()));
        }
        Outcome::Unknown(error) => {
            let why = describe_error(error);
            let message = text!("`{address}` has an unknown outcome: {why}", address, why);
            findings.push(finding(Level::Error, "outcome_unknown", message, help()));
        }
        Outcome::Ordered { ordered, .. } if ordered.env_id.is_none() => {
            let message = text!("`{address}` is created, but its EnvId is not known yet", address);
            findings.push(finding(Level::Note, "awaiting_env_id", message, Vec::new()));
        }
        Outcome::Ordered { .. } | Outcome::Done(_) | Outcome::Recorded | Outcome::NotAttempted => {}
    }
    if let Some(env_id) = &result.left_behind {
        let at = &result.address;
        let (message, help) = if let Outcome::Ordered { .. } = &result.outcome {
            let message = text!(
                "`{address}` may exist twice: a throttled request may have created {env_id} as well",
                address,
                env_id
            );
            (message, SURPLUS_HELP)
        } else {
            let message =
                text!("the failed create of `{address}` seems to have left {env_id} behind", address, env_id);
            (message, text!("to resolve it: `postpay resolve {at}`", at))
        };
        findings.push(finding(Level::Error, "left_behind", message, in_lang([&help], lang)));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SourceRef;
    use crate::plan::Action;

    #[test]
    fn env_ids_of_the_table_are_links_on_terminals_that_take_them() {
        let result = |address: &str, env_id: Option<&str>| StepResult {
            number: 1,
            address: Address::new(address).unwrap(),
            action: Action::Import,
            deposed: false,
            env_id: env_id.map(str::to_owned),
            tran_id: None,
            source: SourceRef { file: "a.yaml".to_owned(), line: 1 },
            attempts: 0,
            outcome: Outcome::Recorded,
            left_behind: None,
            calls: Vec::new(),
        };
        let results = vec![result("a", Some("a-1")), result("b", None), result("c", Some("c-1"))];
        let outcome = ApplySummary { run: Some(RunId::fresh()), results, ..ApplySummary::idle(None) };
        let account = Account { endpoint: "tencentcloud.com".to_owned(), uin: None };
        let provenance = Provenance { account: Some(account), ..Provenance::default() };
        let view = ApplyView::new(&outcome, "s.json", Vec::new(), provenance);
        let link =
            |id| format!("\u{1b}]8;;https://tcb.cloud.tencent.com/dev?envId={id}\u{1b}\\{id}\u{1b}]8;;");
        let text = view.text(RenderOptions { links: true, ..RenderOptions::PLAIN });
        assert!(text.contains(&link("a-1")) && text.contains(&link("c-1")), "{text}");
        assert!(!view.text(RenderOptions::PLAIN).contains('\u{1b}'));
    }
}
