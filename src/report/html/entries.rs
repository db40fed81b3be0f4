//! The environments or files, a search box and filters. Without a script every entry is shown, with their numbers in a line.

use maud::{Markup, html};

use super::parts::{self, Clean, place, prose};
use super::timeline;
use crate::i18n::text;
use crate::report::fields::{KNOWN_AFTER, NONE, Row, Value};
use crate::report::text::{Word, changed_words};
use crate::report::view::{Entry, Kind, Label, Report};

/// Something that entries are filtered by: its attribute, its name, and the labels with their first entries and numbers.
struct Group<'a> {
    attribute: &'static str,
    name: String,
    choices: Vec<(&'a Label, &'a Entry, usize)>,
}

pub(super) fn section(report: &Report) -> Markup {
    if report.entries.is_empty() {
        return html! {};
    }
    let lang = report.lang;
    let (first, second) = report.kind.groups();
    let group = |attribute, name: &crate::i18n::Text, choices| Group {
        attribute,
        name: name.in_lang(lang).to_owned(),
        choices,
    };
    let groups: Vec<Group<'_>> = [
        group("a", &first, report.count_labels(|entry| Some(&entry.action))),
        group("o", &second, report.count_labels(|entry| entry.outcome.as_ref())),
    ]
    .into_iter()
    .filter(|group| !group.choices.is_empty())
    .collect();
    let quiet = report.entries.iter().filter(|entry| entry.quiet).count();
    let list = |is_quiet: bool| {
        html! {
            div class="list" {
                @for (at, entry) in report.entries.iter().enumerate().filter(|(_, it)| it.quiet == is_quiet) {
                    (article(report, at, entry))
                }
            }
        }
    };
    let content = html! {
        div class="tally" {
            @for Group { choices, .. } in &groups {
                p {
                    @for (at, (label, _, n)) in choices.iter().enumerate() {
                        @if at > 0 { " · " }
                        (n) " " (label.text)
                    }
                }
            }
        }
        (filter(report, &groups))
        (list(false))
        @if quiet > 0 {
            details id="quiet" { summary { (text!("{quiet} unchanged", quiet).in_lang(lang)) } (list(true)) }
        }
        p id="none" hidden { (text!("Nothing matches.").in_lang(lang)) }
    };
    parts::section(report, "entries", &report.kind.entries(), report.entries.len(), &content)
}

fn filter(report: &Report, groups: &[Group<'_>]) -> Markup {
    let lang = report.lang;
    let total = report.entries.len();
    let find = match report.kind {
        Kind::Plan | Kind::Apply | Kind::Drift | Kind::State => text!("Search by address"),
        Kind::Validate => text!("Search by name"),
    };
    // The script replaces `#` with a number.
    let shown = text!("# of {total} shown", total);
    html! {
        div id="filter" role="search" hidden {
            div class="find" {
                input id="find" type="search" placeholder=(find.in_lang(lang)) aria-label=(find.in_lang(lang))
                    autocomplete="off" spellcheck="false";
                p id="shown" role="status" aria-live="polite" data-say=(shown.in_lang(lang)) {}
                button id="clear" type="button" disabled { (text!("Clear filter").in_lang(lang)) }
            }
            @for Group { attribute, name, choices } in groups {
                div class="choices" role="group" aria-label=(name) {
                    span aria-hidden="true" { (name) }
                    @for (label, entry, n) in choices {
                        (choice(attribute, label, entry, *n, groups.len() > 1 && *attribute == "a"))
                    }
                }
            }
        }
    }
}

/// A button of the filter. Steps of one action may have ended in many ways, so that their marks differ.
fn choice(attribute: &str, label: &Label, entry: &Entry, n: usize, without_mark: bool) -> Markup {
    let has_mark = !without_mark && !entry.mark.trim().is_empty();
    let content = html! {
        @if has_mark {
            span class={ "m " (entry.tone.name()) } aria-hidden="true" { (entry.mark) }
        }
        (label.text) " " span class="n" { (n) }
    };
    html! {
        @if attribute == "a" {
            button type="button" aria-pressed="false" data-a=(label.name) { (content) }
        } @else {
            button type="button" aria-pressed="false" data-o=(label.name) { (content) }
        }
    }
}

fn article(report: &Report, at: usize, entry: &Entry) -> Markup {
    let Entry { name, action, outcome, reason, mark, tone, place: declared, commit, fields, .. } = entry;
    // Why an entry has no result is shown where nothing else is.
    let skipped = entry.skipped.iter().filter(|_| entry.remarks.is_empty());
    html! {
        article class=(tone.name()) id={ "e" (at) } data-a=(action.name)
            data-o=[outcome.as_ref().map(|outcome| outcome.name)] {
            h3 {
                span class="m" aria-hidden="true" { (mark) }
                bdi class="name" { (Clean(name)) } " "
                span class="do" { (action.text) }
            }
            p class="meta" {
                @for word in outcome.iter().map(|outcome| &outcome.text).chain(reason) {
                    span class="why" { (word) } " "
                }
                @if let Some(declared) = declared { (place(declared)) }
                @if let Some(commit) = commit {
                    " " span { (text!("last changed by").in_lang(report.lang)) " " code { bdi { (Clean(commit)) } } }
                }
            }
            @if !fields.is_empty() {
                dl { @for row in fields { dt { bdi { (Clean(&row.name)) } } dd { (field(row, report)) } } }
            }
            (timeline::calls(&entry.calls, report.lang))
            @if !entry.remarks.is_empty() || entry.skipped.is_some() {
                ul { @for line in entry.remarks.iter().chain(skipped) { li { (prose(line)) } } }
            }
        }
    }
}

fn field(row: &Row, report: &Report) -> Markup {
    let lang = report.lang;
    let known_after = html! { i { (KNOWN_AFTER.in_lang(lang)) } };
    match &row.value {
        Value::Text(text) => html! { "\"" bdi { (Clean(text)) } "\"" },
        Value::Word(word) => html! {
            @if let Some(url) = report.console_url(row) {
                a href=(url) rel="noopener noreferrer" { bdi { (Clean(word)) } }
            } @else {
                bdi { (Clean(word)) }
            }
        },
        Value::KnownAfter => known_after,
        Value::Becomes(old, new) => html! {
            bdi { (Clean(old)) } " → "
            @if let Some(new) = new { bdi { (Clean(new)) } } @else { (known_after) }
        },
        Value::Changed(old, new) => {
            let (before, after) = match (old, new) {
                (Some(old), Some(new)) => {
                    let words = changed_words(old, new);
                    if words.alike {
                        (marked(&words.old, true), marked(&words.new, false))
                    } else {
                        (whole(old, true), whole(new, false))
                    }
                }
                (old, new) => {
                    let side = |value: &Option<String>, is_old| {
                        let none = || html! { i { (NONE.in_lang(lang)) } };
                        value.as_ref().map_or_else(none, |value| whole(value, is_old))
                    };
                    (side(old, true), side(new, false))
                }
            };
            html! {
                div class="old" { span class="sr" { (text!("before:").in_lang(lang)) " " } (before) }
                div class="new" { span class="sr" { (text!("after:").in_lang(lang)) " " } (after) }
            }
        }
    }
}

/// A value in quotes, with marks around the words that only this side has.
fn marked(words: &[Word<'_>], is_old: bool) -> Markup {
    // Words that follow one another have one mark.
    let mut runs: Vec<(bool, String)> = Vec::new();
    for Word { text, changed } in words {
        match runs.last_mut() {
            Some((known, run)) if known == changed => run.push_str(text),
            Some(_) | None => runs.push((*changed, (*text).to_owned())),
        }
    }
    html! {
        "\"" bdi {
            @for (changed, run) in &runs {
                @if *changed { (mark(run, is_old)) } @else { (Clean(run)) }
            }
        } "\""
    }
}

fn whole(value: &str, is_old: bool) -> Markup {
    html! { "\"" bdi { (mark(value, is_old)) } "\"" }
}

fn mark(text: &str, is_old: bool) -> Markup {
    html! { @if is_old { del { (Clean(text)) } } @else { ins { (Clean(text)) } } }
}
