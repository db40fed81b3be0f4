//! Markdown, for the comment below a pull request and for the summary of a pipeline's step.
//!
//! What matters most comes first: the verdict, what is wrong, then every environment by action, then the requests. What
//! does not fit is omitted by whole entries, and a line says what is omitted and where it can be read. Texts from elsewhere are
//! shown as code (`escape`), and no table or heading has one.

mod budget;
mod entries;
mod escape;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use super::text::list;
use super::view::{Context, Finding, Kind, Level, Report, Tone};
use crate::i18n::{Lang, Text, text};
use budget::Budget;
use escape::{clip, code, comment, sentence, short_code};

/// What a comment holds, in bytes: GitHub takes 65,536 characters.
pub const COMMENT: usize = 65_000;

/// What a step's summary holds, in bytes: GitHub takes 1 MiB.
pub const SUMMARY: usize = 1_000_000;

/// Returns the report for a comment, as one document that ends in a newline.
pub fn render(report: &Report, context: &Context) -> String {
    render_within(report, context, COMMENT)
}

/// Returns the report in at most `cap` bytes; nothing where not even the verdict fits.
pub fn render_within(report: &Report, context: &Context, cap: usize) -> String {
    let head = head(report, context);
    let facts = facts(report);
    // For the line about what is omitted.
    let note = 2_000;
    let taken = head.len() + facts.len() + note;
    let mut budget = Budget::new(cap.saturating_sub(taken));
    let minded = [Level::Error, Level::Warning];
    match report.kind {
        Kind::Plan | Kind::Apply | Kind::Validate | Kind::State => {
            // However many findings there are, some entries are shown too.
            budget.hold_back(budget.left() / 3, |budget| {
                findings(report, context, budget, &minded);
            });
            entries::groups(report, context, &mut budget);
        }
        // Its entries repeat its findings.
        Kind::Drift => findings(report, context, &mut budget, &minded),
    }
    findings(report, context, &mut budget, &[Level::Note]);
    entries::requests(report, &mut budget);
    let left_out = left_out(report, context, &budget);
    let whole = [head, left_out, budget.into_text(), facts].concat();
    if whole.len() <= cap { whole } else { String::new() }
}

fn say(report: &Report, text: &Text) -> String {
    text.in_lang(report.lang).to_owned()
}

fn head(report: &Report, context: &Context) -> String {
    let kind = report.kind.name();
    let mut out = match &context.key {
        Some(key) => format!("<!-- postpay:{kind}:{} -->\n", comment(&clip(key, 200))),
        None => format!("<!-- postpay:{kind} -->\n"),
    };
    let icon = match report.tone {
        Tone::Bad => "❌",
        Tone::Change => "🟡",
        Tone::Good | Tone::Plain => "✅",
    };
    let _ = writeln!(out, "## {icon} postpay {kind}: {}\n", say(report, &verdict(report)));
    if let Some(key) = &context.key {
        let _ = writeln!(out, "{}\n", short_code(key, 200));
    }
    let mut lines = report.summary.iter().map(|line| sentence(&clip(line, 600)));
    if let Some(first) = lines.next() {
        let _ = writeln!(out, "{first}\n");
    }
    for line in lines.take(8) {
        let _ = writeln!(out, "{line}\n");
    }
    out + &counts(report)
}

fn verdict(report: &Report) -> Text {
    match (report.kind, report.tone) {
        (Kind::Plan, Tone::Good | Tone::Plain) => text!("nothing to do"),
        (Kind::Plan, Tone::Change) => text!("there are changes"),
        (Kind::Plan | Kind::Apply, Tone::Bad) => text!("action required"),
        (Kind::Apply, Tone::Good | Tone::Plain) => text!("complete"),
        (Kind::Apply, Tone::Change) => text!("stopped early"),
        (Kind::Drift, Tone::Good | Tone::Plain) => text!("no drift"),
        (Kind::Drift, Tone::Change | Tone::Bad) => text!("drift detected"),
        (Kind::Validate, Tone::Good | Tone::Plain) => text!("valid"),
        (Kind::Validate, Tone::Change) => text!("valid, with warnings"),
        (Kind::Validate, Tone::Bad) => text!("invalid"),
        (Kind::State, Tone::Good | Tone::Plain) => text!("in the state"),
        (Kind::State, Tone::Change | Tone::Bad) => {
            text!("unresolved outcomes")
        }
    }
}

/// How many entries each action has.
fn counts(report: &Report) -> String {
    if report.entries.is_empty() {
        return String::new();
    }
    let (what, many) = match report.kind {
        Kind::Plan | Kind::Apply => (text!("action"), text!("environments")),
        Kind::State => (text!("status"), text!("environments")),
        Kind::Drift => (text!("finding"), text!("count")),
        Kind::Validate => (text!("manifests"), text!("count")),
    };
    let mut out = format!("| {} | {} |\n|:--|--:|\n", say(report, &what), say(report, &many));
    for (label, _, n) in report.count_labels(|entry| Some(&entry.action)) {
        let _ = writeln!(out, "| {} | {n} |", label.text);
    }
    out.push('\n');
    out
}

fn findings(report: &Report, context: &Context, budget: &mut Budget, levels: &[Level]) {
    let mut some = report.findings.iter().filter(|it| levels.contains(&it.level));
    let Some(first) = some.next() else { return };
    let title = match first.level {
        Level::Error | Level::Warning => text!("Problems"),
        Level::Note => text!("Notes"),
    };
    let open = format!("### {}\n\n", say(report, &title));
    budget.group(&open, "\n", |budget| {
        for finding in std::iter::once(first).chain(some) {
            let what = say(report, &finding.level.label());
            budget.item(&what, || render_finding(finding, report.lang, context));
        }
    });
}

fn render_finding(finding: &Finding, lang: Lang, context: &Context) -> String {
    let Finding { level, code: name, message, help, place, entry: _ } = finding;
    let level = match level {
        Level::Error => text!("❌ error"),
        Level::Warning => text!("⚠️ warning"),
        Level::Note => text!("ℹ️ note"),
    };
    let level = level.in_lang(lang);
    let mut out = format!("- {level} {}: {}", code(name), sentence(message));
    if let Some(place) = place {
        let place = format!("{}:{}", context.in_repository(place), place.line);
        let _ = write!(out, " · {}", code(&place));
    }
    out.push('\n');
    for line in help {
        let _ = writeln!(out, "  - {}", sentence(line));
    }
    out
}

/// What is omitted, and where it can be read.
fn left_out(report: &Report, context: &Context, budget: &Budget) -> String {
    if budget.left_out().is_empty() {
        return String::new();
    }
    let kinds = list(budget.left_out().iter().map(|(what, n)| Text::same(format!("{n} {what}"))));
    let whole = if let Some(rest) = &context.complete {
        let rest = short_code(rest, 200);
        text!("See {rest} for all of it.", rest)
    } else {
        let command = report.kind.complete_command();
        text!("For all of it: {command}, or a report with `--report FILE.html`.", command)
    };
    let line = text!("✂️ **Omitted, because it does not fit here:** {kinds}. {whole}", kinds, whole);
    say(report, &line) + "\n\n"
}

/// What it was made from, by whom and when, in small print.
fn facts(report: &Report) -> String {
    let facts = report.facts.iter().take(20);
    let facts: Vec<String> =
        facts.map(|(name, value)| format!("{name} {}", short_code(value, 100))).collect();
    // The tag is within a line, so that what follows is Markdown still.
    format!("---\n\n<sub>{}</sub>\n", facts.join(" · "))
}
