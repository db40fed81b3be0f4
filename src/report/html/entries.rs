//! The environments (or files), and what picks some of them out: a search box, and a button for every action.
//!
//! What picks is drawn by the script's leave only. Without a script every entry is there, and how many there are of
//! each action is said in a line.

use std::fmt::Write as _;

use super::escape::{escaped, prose};
use super::{class, diff, heading, labels, place, said, timeline};
use crate::i18n::{Text, text};
use crate::report::page::{Entry, Kind, Page, Tone};

pub(super) fn section(out: &mut String, page: &Page) {
    if page.entries.is_empty() {
        return;
    }
    let label = labels::entries(page.kind);
    heading(out, page, "entries", &label, page.entries.len());
    let groups = groups(page);
    tally(out, page, &groups);
    controls(out, page, &groups);
    let by_reason = groups.len() > 1;
    out.push_str("<div class=\"list\">\n");
    for (at, entry) in page.entries.iter().enumerate() {
        if !entry.quiet {
            show(out, page, at, entry, by_reason);
        }
    }
    out.push_str("</div>\n");
    let quiet = page.entries.iter().filter(|entry| entry.quiet).count();
    if quiet > 0 {
        let unchanged = text!("{quiet} unchanged", quiet);
        let _ = writeln!(
            out,
            "<details id=\"quiet\"><summary>{}</summary><div class=\"list\">",
            said(page, &unchanged)
        );
        for (at, entry) in page.entries.iter().enumerate() {
            if entry.quiet {
                show(out, page, at, entry, by_reason);
            }
        }
        out.push_str("</div></details>\n");
    }
    let none = text!("Nothing matches.");
    let _ = writeln!(out, "<p id=\"none\" hidden>{}</p>\n</section>", said(page, &none));
}

/// Something that entries are picked by.
struct Group {
    /// The attribute of an entry that it is about.
    attribute: &'static str,
    label: Text,
    choices: Vec<Choice>,
}

struct Choice {
    word: &'static str,
    label: Text,
    mark: &'static str,
    tone: Tone,
    n: usize,
}

fn groups(page: &Page) -> Vec<Group> {
    let (first, second) = labels::groups(page.kind);
    let action =
        Group { attribute: "a", label: first, choices: choices(page, |entry| entry.action, labels::action) };
    let reason = second.map(|label| Group {
        attribute: "o",
        label,
        choices: choices(page, |entry| entry.reason, labels::reason),
    });
    [Some(action), reason].into_iter().flatten().collect()
}

/// The words that occur, in the order in which they first do.
fn choices(
    page: &Page,
    word: impl Fn(&Entry) -> &'static str,
    label: impl Fn(&'static str) -> Text,
) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    for entry in &page.entries {
        let word = word(entry);
        match choices.iter_mut().find(|choice| choice.word == word) {
            Some(choice) => choice.n += 1,
            None => {
                choices.push(Choice { word, label: label(word), mark: entry.mark, tone: entry.tone, n: 1 });
            }
        }
    }
    choices
}

/// How many there are of each, for paper and for whoever runs no script.
fn tally(out: &mut String, page: &Page, groups: &[Group]) {
    out.push_str("<div class=\"tally\">");
    for Group { choices, .. } in groups {
        out.push_str("<p>");
        for (at, choice) in choices.iter().enumerate() {
            let gap = if at == 0 { "" } else { " · " };
            let _ = write!(out, "{gap}{} {}", choice.n, said(page, &choice.label));
        }
        out.push_str("</p>");
    }
    out.push_str("</div>\n");
}

fn controls(out: &mut String, page: &Page, groups: &[Group]) {
    let total = page.entries.len();
    let find = match page.kind {
        Kind::Plan | Kind::Apply | Kind::Drift | Kind::State => {
            text!("Search by address")
        }
        Kind::Validate => text!("Search by name"),
    };
    let clear = text!("Clear filter");
    // `#` is the only thing that the script puts in: a number.
    let shown = text!("# of {total} shown", total);
    let _ = write!(
        out,
        "<div id=\"filter\" role=\"search\" hidden>\n<div class=\"find\"><input id=\"find\" type=\"search\" \
         placeholder=\"{0}\" aria-label=\"{0}\" autocomplete=\"off\" spellcheck=\"false\">\
         <p id=\"shown\" role=\"status\" aria-live=\"polite\" data-say=\"{1}\"></p>\
         <button id=\"clear\" type=\"button\" disabled>{2}</button></div>\n",
        said(page, &find),
        said(page, &shown),
        said(page, &clear)
    );
    for Group { attribute, label, choices } in groups {
        let _ = write!(
            out,
            "<div class=\"choices\" role=\"group\" aria-label=\"{0}\"><span aria-hidden=\"true\">{0}</span>",
            said(page, label)
        );
        for choice in choices {
            // Steps of one action may have ended in many ways; a mark of the first would say too much.
            let mark = if groups.len() > 1 && *attribute == "a" {
                String::new()
            } else {
                mark(choice.mark, choice.tone)
            };
            let _ = write!(
                out,
                "<button type=\"button\" aria-pressed=\"false\" data-{attribute}=\"{}\">{mark}{} <span class=\"n\">{}</span></button>",
                escaped(choice.word),
                said(page, &choice.label),
                choice.n
            );
        }
        out.push_str("</div>\n");
    }
    out.push_str("</div>\n");
}

fn mark(mark: &str, tone: Tone) -> String {
    if mark.trim().is_empty() {
        return String::new();
    }
    let tone = class(tone);
    format!("<span class=\"m {tone}\" aria-hidden=\"true\">{}</span>", escaped(mark))
}

fn show(out: &mut String, page: &Page, at: usize, entry: &Entry, by_reason: bool) {
    let Entry {
        name,
        action,
        mark,
        tone,
        reason,
        place: declared,
        commit,
        fields,
        remarks,
        quiet: _,
        skipped,
        calls,
    } = entry;
    let outcome = if by_reason { format!(" data-o=\"{}\"", escaped(reason)) } else { String::new() };
    let _ = write!(
        out,
        "<article class=\"{}\" id=\"e{at}\" data-a=\"{}\"{outcome}><h3><span class=\"m\" aria-hidden=\"true\">{}</span>\
         <bdi class=\"name\">{}</bdi> <span class=\"do\">{}</span></h3><p class=\"meta\">",
        class(*tone),
        escaped(action),
        escaped(mark),
        escaped(name),
        said(page, &labels::action(action)),
    );
    if reason != action {
        let _ = write!(out, "<code>{}</code>", escaped(reason));
    }
    if let Some(declared) = declared {
        let _ = write!(out, " {}", place(declared));
    }
    if let Some(commit) = commit {
        let touched = text!("last changed by");
        let _ =
            write!(out, " <span>{} <code><bdi>{}</bdi></code></span>", said(page, &touched), escaped(commit));
    }
    out.push_str("</p>");
    diff::show(out, fields, page);
    timeline::calls(out, calls, page);
    told(out, remarks, skipped.as_deref());
    out.push_str("</article>\n");
}

/// The remarks, of which some list what to choose from. Why nothing can be said yet is said where nothing else is.
fn told(out: &mut String, remarks: &[String], skipped: Option<&str>) {
    let lines: Vec<&str> = if remarks.is_empty() {
        skipped.into_iter().collect()
    } else {
        remarks.iter().map(String::as_str).collect()
    };
    if lines.is_empty() {
        return;
    }
    out.push_str("<ul>");
    for line in lines {
        let _ = match line.trim_start().strip_prefix("- ") {
            Some(choice) => write!(out, "<li class=\"choice\">{}</li>", prose(choice)),
            None => write!(out, "<li>{}</li>", prose(line)),
        };
    }
    out.push_str("</ul>");
}
