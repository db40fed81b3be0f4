//! `plan`, and `show` of a plan file. JSON is the plan file.

mod text;
mod words;

use std::fmt::Write as _;

use super::document::View;
use super::fields;
use super::options::RenderOptions;
use super::place::Place;
use super::text::{clean, name};
use super::view::{Entry, Finding, Kind, Label, Level, Provenance, Report, Request, Tone, in_lang};
use super::{drift, view};
use crate::diagnostic::Diagnostic;
use crate::i18n::{Lang, text};
use crate::plan::{Action, Plan, Reason, Step, file};
pub use text::{Detail, render_plan};

/// A plan for review.
#[derive(Debug)]
pub struct PlanView<'a> {
    pub plan: &'a Plan,
    /// Creates per second.
    pub rate: f64,
    /// The requests that applying it sends, where they were asked for.
    pub requests: &'a [Request],
    pub detail: Detail,
    pub diagnostics: Vec<Diagnostic>,
}

impl View for PlanView<'_> {
    fn json(&self) -> String {
        file::encode(self.plan)
    }

    fn text(&self, options: RenderOptions) -> String {
        render_plan(self.plan, self.rate, self.detail, options) + &render_requests(self.requests, options)
    }

    fn report(&self, lang: Lang) -> Option<Report> {
        let plan = self.plan;
        let options = RenderOptions { lang, ..RenderOptions::PLAIN };
        let mut report = Report::new(Kind::Plan, &self.diagnostics, lang);
        // Findings in the account belong to no entry: the plan is the same without them.
        let seen = plan.drift.iter().flatten();
        let seen_tone = seen.clone().map(drift::tone).min();
        report.findings.extend(seen.map(|finding| drift::report_finding(finding, None, lang)));
        for step in &plan.steps {
            report.findings.extend(finding(step, plan, report.entries.len(), lang));
            report.entries.push(entry(step, plan, lang));
        }
        let tone = if plan.summary.blocked + plan.summary.resolve > 0 {
            Tone::Bad
        } else if plan.has_changes() {
            Tone::Change
        } else {
            Tone::Good
        };
        report.tone = seen_tone.map_or(tone, |seen| seen.min(tone));
        report.summary = words::summary(plan, self.rate, options);
        report.requests = self.requests.to_vec();
        report.add_fact(&text!("state"), &plan.state_path);
        report.add_fact(&text!("serial"), &plan.serial);
        let was_read = if plan.drift.is_some() { text!("yes") } else { text!("no") };
        report.add_fact(&text!("account read"), &options.in_lang(was_read));
        let provenance = Provenance {
            created_at: Some(plan.created_at),
            account: Some(plan.account.clone()),
            git: plan.git.clone(),
        };
        Some(report.finish(&provenance))
    }
}

/// Returns the requests as text; empty without any.
pub fn render_requests(requests: &[Request], options: RenderOptions) -> String {
    let mut out = String::new();
    if !requests.is_empty() {
        out += &options.in_lang(text!("\nRequests, in sending order:\n"));
    }
    for Request { name, text } in requests {
        let _ = writeln!(out, "\n# {name}");
        for line in text.lines() {
            let _ = writeln!(out, "{}", clean(line));
        }
    }
    out
}

fn entry(step: &Step, plan: &Plan, lang: Lang) -> Entry {
    let (mark, label, tone) = words::mark(step, plan);
    let is_kept = step.action == Action::Destroy && step.blocker.is_some() && !plan.is_blocked_by(step);
    let action = if is_kept { "not-in-configuration" } else { step.action.name() };
    let mut remarks = words::remarks(step, plan);
    if let Some(previous) = &step.previous_address {
        remarks.insert(0, text!("Moved from `{previous}`.", previous));
    }
    let reason = words::describe_reason(step.reason);
    Entry {
        name: name(&step.address, step.deposed).in_lang(lang).to_owned(),
        action: Label::new(action, &label, lang),
        reason: (reason != label && !matches!(step.reason, Reason::NotOrdered | Reason::AwaitingEnvId))
            .then(|| reason.in_lang(lang).to_owned()),
        mark,
        tone,
        place: Some(Place::from(&step.source)),
        fields: fields::rows(step),
        remarks: in_lang(&remarks, lang),
        quiet: words::is_unchanged(step),
        skipped: (step.action == Action::Wait)
            .then(|| text!("created; Tencent Cloud has not returned its EnvId yet").in_lang(lang).to_owned()),
        commit: plan
            .git
            .as_ref()
            // The declaration is of the environment that replaced it.
            .filter(|_| !step.deposed)
            .and_then(|git| git.touched.get(&step.address))
            .map(|commit| view::short_commit(commit)),
        ..Entry::default()
    }
}

/// Returns what a person needs to know about a step that is not simply carried out.
fn finding(step: &Step, plan: &Plan, entry: usize, lang: Lang) -> Option<Finding> {
    let blocker = step.blocker.as_ref().map(|blocker| blocker.explain(&step.address));
    let level = match step.action {
        _ if plan.is_blocked_by(step) => Level::Error,
        Action::Resolve => Level::Error,
        Action::Destroy if blocker.is_some() => Level::Warning,
        Action::Wait => Level::Note,
        Action::NoOp if step.deposed && step.reason == Reason::Deposed => Level::Note,
        Action::Create
        | Action::Update
        | Action::Replace
        | Action::Destroy
        | Action::Forget
        | Action::Import
        | Action::Move
        | Action::NoOp => return None,
    };
    let code = blocker.as_ref().map_or(step.reason.name(), |(code, ..)| code);
    let (message, help) = match blocker {
        Some((_, why, help)) if plan.is_blocked_by(step) => (text!("blocked: {why}", why), vec![help]),
        Some(_) | None => {
            let (name, action) = (name(&step.address, step.deposed), words::describe_action(step, plan));
            (text!("`{name}`: {action}", name, action), words::remarks(step, plan))
        }
    };
    Some(Finding {
        level,
        code,
        message: message.in_lang(lang).to_owned(),
        help: in_lang(&help, lang),
        place: Some(Place::from(&step.source)),
        entry: Some(entry),
    })
}
