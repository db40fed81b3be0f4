//! The environments of a page by action, and the requests: collapsed, each whole or not at all.

use std::fmt::Write as _;

use super::escape::{code, fenced, sentence};
use super::room::Room;
use super::say;
use crate::i18n::{Lang, text};
use crate::report::fields::{KNOWN_AFTER, NONE, Row, Value};
use crate::report::page::{Entry, Kind, Page, Setting, Tone, labels};
use crate::report::words::{Word, changed_words};

/// A block for every action; what is worst comes first. What is as declared is only counted, further up.
pub(super) fn groups(page: &Page, setting: &Setting, room: &mut Room) {
    let mut groups: Vec<(&'static str, Tone, Vec<&Entry>)> = Vec::new();
    for entry in page.entries.iter().filter(|entry| !is_dull(entry, page)) {
        match groups.iter_mut().find(|(action, ..)| *action == entry.action) {
            Some((_, worst, entries)) => {
                *worst = entry.tone.min(*worst);
                entries.push(entry);
            }
            None => groups.push((entry.action, entry.tone, vec![entry])),
        }
    }
    groups.sort_by_key(|(_, worst, _)| *worst);
    for (action, _, entries) in groups {
        let title = format!("{}: {}", say(page, &labels::action(action)), entries.len());
        room.group(&open(&title), CLOSE, |room| {
            for entry in entries {
                room.item(action, || one(entry, setting, page.lang));
            }
        });
    }
}

/// The requests that are to be made, in one block.
pub(super) fn requests(page: &Page, room: &mut Room) {
    if page.requests.is_empty() {
        return;
    }
    let n = page.requests.len();
    let title = text!("Requests, in sending order: {n}", n);
    room.group(&open(&say(page, &title)), CLOSE, |room| {
        for request in &page.requests {
            room.item("request", || {
                let lines: Vec<String> = request.text.lines().map(str::to_owned).collect();
                let block = fenced("http", &lines, "  ");
                format!("- {}\n\n{block}", code(&request.name))
            });
        }
    });
}

/// `title` is ours: a block of HTML holds what it is given as it is.
fn open(title: &str) -> String {
    format!("<details><summary>{title}</summary>\n\n")
}

const CLOSE: &str = "\n</details>\n\n";

/// There is nothing to say of it but that it is there.
fn is_dull(entry: &Entry, page: &Page) -> bool {
    entry.quiet || (page.kind == Kind::Validate && entry.tone == Tone::Good)
}

fn one(entry: &Entry, setting: &Setting, lang: Lang) -> String {
    let Entry {
        name,
        action: _,
        mark,
        tone: _,
        reason,
        place,
        fields,
        remarks,
        quiet: _,
        skipped,
        commit,
        calls: _,
    } = entry;
    let mark = mark.trim();
    let mark = if mark.is_empty() { "·" } else { mark };
    let mut out = format!("- {} {}", code(mark), code(name));
    let reason = labels::reason(reason).in_lang(lang).replace(['_', '-'], " ");
    let _ = write!(out, " · {reason}");
    if let Some(place) = place {
        let place = format!("{}:{}", place.in_repository(setting), place.line);
        let _ = write!(out, " · {}", code(&place));
    }
    if let Some(commit) = commit {
        // As much of it as tells commits apart.
        let short: String = commit.chars().take(12).collect();
        let _ = write!(out, " · {}", code(&short));
    }
    out.push('\n');
    let waits = skipped.as_deref().filter(|_| remarks.is_empty());
    for remark in remarks.iter().map(String::as_str).chain(waits) {
        // A remark may be a list's line itself.
        let remark = remark.trim_start().trim_start_matches("- ");
        let _ = writeln!(out, "  - {}", sentence(remark));
    }
    if !fields.is_empty() {
        let side = match mark {
            // What there was, and will not be.
            "-" => '-',
            "+" | "=" => '+',
            _ => ' ',
        };
        let lines: Vec<String> = fields.iter().flat_map(|row| lines(row, side, lang)).collect();
        let _ = write!(out, "\n{}", fenced("diff", &lines, "  "));
    }
    out
}

/// A field, a line for each side that it has.
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
                    let one = |text: &Option<String>| {
                        text.as_deref().map_or_else(|| NONE.in_lang(lang).to_owned(), quoted)
                    };
                    (one(old), one(new))
                }
            };
            vec![format!("- {name} = {old}"), format!("+ {name} = {new}")]
        }
    }
}

/// The words of one side, those marked that are on no other.
fn marked(words: &[Word<'_>], alike: bool, open: &str, close: &str) -> String {
    let words =
        words.iter().map(
            |Word { text, changed }| {
                if *changed && alike { format!("{open}{text}{close}") } else { (*text).to_owned() }
            },
        );
    words.collect()
}
