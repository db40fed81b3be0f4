//! A plan as a page.

use super::{Entry, Finding, Kind, Level, Page, Place, Request, Tone, drift, of_account, version};
use crate::diagnostic::Diagnostic;
use crate::i18n::{Lang, Text, text};
use crate::plan::{Action, Plan, Reason, Step, StepBlocker};
use crate::report::fields;
use crate::report::human::{self, Look};

/// The plan, with the diagnostics of making it, and the requests that it would make.
pub fn plan(plan: &Plan, rate: f64, told: &[Diagnostic], requests: Vec<Request>, lang: Lang) -> Page {
    let look = Look { lang, ..Look::PLAIN };
    let mut findings: Vec<Finding> = told.iter().map(|one| Finding::of(one, lang)).collect();
    // What the account showed: of no entry, since the plan is the same without it.
    let seen = plan.drift.iter().flatten();
    let seen_tone = seen.clone().map(drift::tone_of).min();
    findings.extend(seen.map(|one| drift::finding(one, None, lang)));
    let mut entries = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        findings.extend(finding(step, plan, entries.len(), look));
        entries.push(entry(step, plan, look));
    }
    let summary = plan.summary;
    let tone = if summary.blocked + summary.resolve > 0 {
        Tone::Bad
    } else if plan.has_changes() {
        Tone::Change
    } else {
        Tone::Good
    };
    let tone = seen_tone.map_or(tone, |seen| seen.min(tone));
    let account = match plan.drift {
        Some(_) => text!("yes"),
        None => text!("no"),
    };
    let git = plan.git.as_ref().map(|git| {
        let dirty = if git.dirty { "+dirty" } else { "" };
        ("commit", format!("{}{dirty}", git.commit))
    });
    let mut facts = Vec::from_iter(git);
    facts.extend(of_account(&plan.account));
    facts.extend([
        ("state", plan.state_path.clone()),
        ("serial", plan.serial.to_string()),
        ("looked", look.say(account)),
        ("made", format!("{:.0}", plan.created_at)),
        version(),
    ]);
    Page {
        kind: Kind::Plan,
        lang,
        tone,
        summary: human::plan::summary(plan, rate, look).lines().map(str::to_owned).collect(),
        findings,
        entries,
        requests,
        took: None,
        facts,
    }
    .sorted()
}

fn entry(step: &Step, plan: &Plan, look: Look) -> Entry {
    let (mark, tone) = mark(step);
    let mut remarks = human::plan::remarks(step, plan, look);
    if let Some(previous) = &step.previous_address {
        let was = text!("Moved from `{previous}`.", previous);
        remarks.insert(0, look.say(was));
    }
    Entry {
        name: name(step),
        action: word(step),
        mark,
        tone,
        reason: step.reason.name(),
        place: Some(Place::from(&step.source)),
        fields: fields::rows(step),
        remarks,
        quiet: step.action == Action::NoOp && step.reason == Reason::Unchanged,
        skipped: match step.action {
            Action::Wait => Some(look.say(text!("created; Tencent Cloud has not returned its EnvId yet"))),
            Action::Create
            | Action::Update
            | Action::Replace
            | Action::Destroy
            | Action::Forget
            | Action::Import
            | Action::Move
            | Action::Resolve
            | Action::NoOp => None,
        },
        commit: plan
            .git
            .as_ref()
            // What was replaced is not what stands in those lines now.
            .filter(|_| !step.deposed)
            .and_then(|git| git.touched.get(&step.address).cloned()),
        calls: Vec::new(),
    }
}

fn name(step: &Step) -> String {
    if step.deposed { format!("{} (deposed)", step.address) } else { step.address.to_string() }
}

/// The action; what is kept has a word of its own, so that nobody counts it as destroyed.
fn word(step: &Step) -> &'static str {
    match (&step.blocker, step.action) {
        (Some(blocker), Action::Destroy) if !blocker.blocks_plan() => "left-over",
        (_, action) => action.name(),
    }
}

fn mark(step: &Step) -> (&'static str, Tone) {
    let is_blocked = step.blocker.as_ref().is_some_and(StepBlocker::blocks_plan);
    let unless_blocked = |tone| if is_blocked { Tone::Bad } else { tone };
    match step.action {
        Action::Create => ("+", unless_blocked(Tone::Good)),
        Action::Update => ("~", unless_blocked(Tone::Change)),
        Action::Move => (">", unless_blocked(Tone::Change)),
        Action::Replace => ("±", Tone::Bad),
        Action::Destroy if step.blocker.is_some() => ("!", unless_blocked(Tone::Change)),
        Action::Destroy => ("-", Tone::Bad),
        Action::Forget => (".", unless_blocked(Tone::Change)),
        Action::Import => ("=", unless_blocked(Tone::Good)),
        Action::Resolve => ("?", Tone::Bad),
        Action::Wait => ("…", Tone::Change),
        Action::NoOp if step.deposed => ("!", Tone::Change),
        Action::NoOp => (" ", Tone::Plain),
    }
}

/// What a person needs to know of a step that is not simply carried out.
fn finding(step: &Step, plan: &Plan, entry: usize, look: Look) -> Option<Finding> {
    let address = name(step);
    let finding = |level, code, message: Text, help: Option<Text>| {
        Some(Finding {
            level,
            code,
            message: look.say(message),
            help: help.map(|help| look.say(help)).into_iter().collect(),
            place: Some(Place::from(&step.source)),
            entry: Some(entry),
        })
    };
    if let Some(blocker) = &step.blocker {
        let (code, why, help) = blocker.explain(&step.address);
        let help = Some(help);
        return if plan.is_blocked_by(step) {
            let message = text!("blocked: {why}", why);
            finding(Level::Error, code, message, help)
        } else {
            let message = text!(
                "`{address}` is not in the configuration; it keeps running, and keeps billing",
                address
            );
            finding(Level::Warning, code, message, help)
        };
    }
    let code = step.reason.name();
    let at = &step.address;
    match step.action {
        Action::Resolve => finding(
            Level::Error,
            code,
            if step.reason == Reason::BeingDestroyed {
                text!("the destroy of `{address}` has an unknown outcome", address)
            } else {
                text!(
                    "the create of `{address}` has an unknown outcome: it may exist, and may be billed",
                    address
                )
            },
            Some(text!("resolve it: `postpay resolve {at}`", at)),
        ),
        Action::Wait => {
            let message = text!("`{address}` was created; its EnvId is not known yet", address);
            finding(Level::Note, code, message, None)
        }
        Action::NoOp if step.deposed && step.reason == Reason::Deposed => finding(
            Level::Note,
            code,
            text!("`{address}` was replaced; it keeps running, and keeps billing", address),
            Some(text!("destroy it: `postpay destroy {at} --deposed --allow-destroy`", at)),
        ),
        Action::Create
        | Action::Update
        | Action::Replace
        | Action::Destroy
        | Action::Forget
        | Action::Import
        | Action::Move
        | Action::NoOp => None,
    }
}
