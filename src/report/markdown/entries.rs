//! The entries of a report by action, and the requests: collapsed, each whole or not at all.

use std::fmt::Write as _;

use super::budget::Budget;
use super::escape::{code, fenced, sentence};
use crate::i18n::{Lang, text};
use crate::report::fields::{KNOWN_AFTER, NONE, Row, Value};
use crate::report::text::{Word, changed_words};
use crate::report::view::{Context, Entry, Kind, Label, Report, Tone};

/// Adds a block for every action, the worst first. Unchanged entries are only counted, further up.
pub(super) fn groups(report: &Report, context: &Context, budget: &mut Budget) {
    let mut groups: Vec<(&Label, Tone, Vec<&Entry>)> = Vec::new();
    for entry in report.entries.iter().filter(|entry| !is_dull(entry, report)) {
        match groups.iter_mut().find(|(label, ..)| label.name == entry.action.name) {
            Some((_, worst, entries)) => {
                *worst = entry.tone.min(*worst);
                entries.push(entry);
            }
            None => groups.push((&entry.action, entry.tone, vec![entry])),
        }
    }
    groups.sort_by_key(|(_, worst, _)| *worst);
    for (label, _, entries) in groups {
        let title = format!("{}: {}", label.text, entries.len());
        budget.group(&open(&title), CLOSE, |budget| {
            for entry in entries {
                budget.item(&label.text, || render_entry(entry, report, context));
            }
        });
    }
}

/// Adds the requests that will be sent, in one block.
pub(super) fn requests(report: &Report, budget: &mut Budget) {
    if report.requests.is_empty() {
        return;
    }
    let n = report.requests.len();
    let title = text!("Requests, in sending order: {n}", n);
    let what = text!("request");
    budget.group(&open(title.in_lang(report.lang)), CLOSE, |budget| {
        for request in &report.requests {
            budget.item(what.in_lang(report.lang), || {
                let lines: Vec<String> = request.text.lines().map(str::to_owned).collect();
                let block = fenced("http", &lines, "  ");
                format!("- {}\n\n{block}", code(&request.name))
            });
        }
    });
}

/// Opens a collapsed block. `title` is not escaped.
fn open(title: &str) -> String {
    format!("<details><summary>{title}</summary>\n\n")
}

const CLOSE: &str = "\n</details>\n\n";

/// Whether an entry is only counted.
fn is_dull(entry: &Entry, report: &Report) -> bool {
    entry.quiet || (report.kind == Kind::Validate && entry.tone == Tone::Good)
}

fn render_entry(entry: &Entry, report: &Report, context: &Context) -> String {
    let Entry { name, outcome, reason, mark, place, fields, remarks, skipped, commit, .. } = entry;
    let lang = report.lang;
    let mark = mark.trim();
    let mark = if mark.is_empty() { "·" } else { mark };
    let mut out = format!("- {} {}", code(mark), code(name));
    for word in outcome.iter().map(|outcome| &outcome.text).chain(reason) {
        let _ = write!(out, " · {word}");
    }
    if let Some(place) = place {
        let place = format!("{}:{}", context.in_repository(place), place.line);
        let _ = write!(out, " · {}", code(&place));
    }
    if let Some(commit) = commit {
        let _ = write!(out, " · {}", code(commit));
    }
    let console = fields.iter().find_map(|row| report.console_url(row));
    if let Some(url) = console {
        let _ = write!(out, " · [{}]({url})", text!("console").in_lang(lang));
    }
    out.push('\n');
    let skipped = skipped.as_deref().filter(|_| remarks.is_empty());
    for remark in remarks.iter().map(String::as_str).chain(skipped) {
        let _ = writeln!(out, "  - {}", sentence(remark));
    }
    if !fields.is_empty() {
        let side = match mark {
            // What will be gone.
            "-" => '-',
            "+" | "=" => '+',
            _ => ' ',
        };
        let lines: Vec<String> = fields.iter().flat_map(|row| lines(row, side, lang)).collect();
        let _ = write!(out, "\n{}", fenced("diff", &lines, "  "));
    }
    out
}

/// Returns a line for each side of a field.
fn lines(row: &Row, side: char, lang: Lang) -> Vec<String> {
    let Row { name, value } = row;
    let quoted = |text: &str| format!("\"{text}\"");
    match value {
        Value::Text(text) => vec![format!("{side} {name} = {}", quoted(text))],
        Value::Word(word) => vec![format!("{side} {name} = {word}")],
        Value::KnownAfter => vec![format!("{side} {name} = {}", KNOWN_AFTER.in_lang(lang))],
        Value::Becomes(old, new) => vec![
            format!("- {name} = {old}"),
            format!("+ {name} = {}", new.as_deref().unwrap_or(KNOWN_AFTER.in_lang(lang))),
        ],
        Value::Changed(old, new) => {
            let (old, new) = match (old, new) {
                (Some(old), Some(new)) => {
                    let words = changed_words(old, new);
                    (
                        quoted(&marked(&words.old, words.alike, "[-", "-]")),
                        quoted(&marked(&words.new, words.alike, "{+", "+}")),
                    )
                }
                (old, new) => {
                    let side = |text: &Option<String>| {
                        text.as_deref().map_or_else(|| NONE.in_lang(lang).to_owned(), quoted)
                    };
                    (side(old), side(new))
                }
            };
            vec![format!("- {name} = {old}"), format!("+ {name} = {new}")]
        }
    }
}

/// Returns the words of one side, with marks around those that only this side has.
fn marked(words: &[Word<'_>], alike: bool, open: &str, close: &str) -> String {
    let words =
        words.iter().map(
            |Word { text, changed }| {
                if *changed && alike { format!("{open}{text}{close}") } else { (*text).to_owned() }
            },
        );
    words.collect()
}
