//! Markdown, for the comment below a pull request and for the summary of a pipeline's step.
//!
//! What matters most comes first: the verdict, what is wrong, then every environment by action, then the requests. What
//! does not fit is left out whole, an entry at a time, and a line says what that is and where the rest can be read.
//! Texts that somebody else chose are shown as code (`escape`), and no table or heading holds one.

mod entries;
mod escape;
mod room;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use super::page::{Finding, Kind, Level, Page, Setting, Tone, labels};
use crate::i18n::{Lang, Text, text};
use escape::{clip, code, comment, sentence, short_code};
use room::Room;

/// What a comment holds, in bytes: GitHub takes 65,536 characters.
pub const COMMENT: usize = 65_000;

/// What a step's summary holds, in bytes: GitHub takes 1 MiB.
pub const SUMMARY: usize = 1_000_000;

/// The page for a comment, as one document that ends in a newline.
pub fn page(page: &Page, setting: &Setting) -> String {
    capped(page, setting, COMMENT)
}

/// The page in at most `cap` bytes; nothing where not even the verdict fits.
pub fn capped(page: &Page, setting: &Setting, cap: usize) -> String {
    let head = head(page, setting);
    let facts = facts(page);
    // What the line about what is left out may take.
    let note = 2_000;
    let taken = head.len() + facts.len() + note;
    let mut room = Room::new(cap.saturating_sub(taken));
    let minded = [Level::Error, Level::Warning];
    match page.kind {
        Kind::Plan | Kind::Apply | Kind::Validate | Kind::State => {
            // However much is wrong, some of what it is about is seen too.
            room.hold_back(room.left() / 3, |room| {
                findings(page, setting, room, &minded);
            });
            entries::groups(page, setting, &mut room);
        }
        // Its entries are its findings once more.
        Kind::Drift => findings(page, setting, &mut room, &minded),
    }
    findings(page, setting, &mut room, &[Level::Note]);
    entries::requests(page, &mut room);
    let left_out = left_out(page, setting, &room);
    let whole = [head, left_out, room.into_text(), facts].concat();
    if whole.len() <= cap { whole } else { String::new() }
}

fn say(page: &Page, text: &Text) -> String {
    text.in_lang(page.lang).to_owned()
}

fn head(page: &Page, setting: &Setting) -> String {
    let kind = page.kind.name();
    let mut out = match &setting.key {
        Some(key) => format!("<!-- postpay:{kind}:{} -->\n", comment(&clip(key, 200))),
        None => format!("<!-- postpay:{kind} -->\n"),
    };
    let icon = match page.tone {
        Tone::Bad => "❌",
        Tone::Change => "🟡",
        Tone::Good | Tone::Plain => "✅",
    };
    let _ = writeln!(out, "## {icon} postpay {kind}: {}\n", say(page, &verdict(page)));
    if let Some(key) = &setting.key {
        let _ = writeln!(out, "{}\n", short_code(key, 200));
    }
    let mut lines = page.summary.iter().map(|line| sentence(&clip(line, 600)));
    if let Some(first) = lines.next() {
        let _ = writeln!(out, "{first}\n");
    }
    for line in lines.take(8) {
        let _ = writeln!(out, "{line}\n");
    }
    out + &counts(page)
}

fn verdict(page: &Page) -> Text {
    match (page.kind, page.tone) {
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

/// How many entries each action has. Its words are all ours.
fn counts(page: &Page) -> String {
    if page.entries.is_empty() {
        return String::new();
    }
    let (what, many) = match page.kind {
        Kind::Plan | Kind::Apply => (text!("action"), text!("environments")),
        Kind::State => (text!("status"), text!("environments")),
        Kind::Drift => (text!("finding"), text!("count")),
        Kind::Validate => (text!("manifests"), text!("count")),
    };
    let mut out = format!("| {} | {} |\n|:--|--:|\n", say(page, &what), say(page, &many));
    for (action, n) in page.actions() {
        let action = say(page, &labels::action(action));
        let _ = writeln!(out, "| {action} | {n} |");
    }
    out.push('\n');
    out
}

fn findings(page: &Page, setting: &Setting, room: &mut Room, levels: &[Level]) {
    let mut some = page.findings.iter().filter(|it| levels.contains(&it.level));
    let Some(first) = some.next() else { return };
    let title = match first.level {
        Level::Error | Level::Warning => text!("Problems"),
        Level::Note => text!("Notes"),
    };
    let open = format!("### {}\n\n", say(page, &title));
    room.group(&open, "\n", |room| {
        for finding in std::iter::once(first).chain(some) {
            room.item(finding.level.name(), || one(finding, page.lang, setting));
        }
    });
}

fn one(finding: &Finding, lang: Lang, setting: &Setting) -> String {
    let Finding { level, code: name, message, help, place, entry: _ } = finding;
    let level = match level {
        Level::Error => text!("❌ error"),
        Level::Warning => text!("⚠️ warning"),
        Level::Note => text!("ℹ️ note"),
    };
    let level = level.in_lang(lang);
    let mut out = format!("- {level} {}: {}", code(name), sentence(message));
    if let Some(place) = place {
        let place = format!("{}:{}", place.in_repository(setting), place.line);
        let _ = write!(out, " · {}", code(&place));
    }
    out.push('\n');
    for line in help {
        let _ = writeln!(out, "  - {}", sentence(line));
    }
    out
}

/// What is not in the page, and where it is.
fn left_out(page: &Page, setting: &Setting, room: &Room) -> String {
    if room.left_out().is_empty() {
        return String::new();
    }
    let kinds = room.left_out().iter();
    let kinds: Vec<Text> = kinds
        .map(|(what, n)| {
            let what = labels::left_out(what);
            text!("{n} {what}", n, what)
        })
        .collect();
    let joined = |comma: &str, lang| {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.in_lang(lang)).collect();
        kinds.join(comma)
    };
    let kinds = Text::new(joined(", ", Lang::En), joined("、", Lang::Zh));
    let whole = if let Some(rest) = &setting.rest {
        let rest = short_code(rest, 200);
        text!("See {rest} for all of it.", rest)
    } else {
        let command = match page.kind {
            Kind::Plan => "`postpay plan`",
            Kind::Apply => "`postpay history`",
            Kind::Drift => "`postpay drift`",
            Kind::Validate => "`postpay validate`",
            Kind::State => "`postpay show`",
        };
        text!("For all of it: {command}, or a report with `--report FILE.html`.", command)
    };
    let line = text!("✂️ **Omitted, because it does not fit here:** {kinds}. {whole}", kinds, whole);
    say(page, &line) + "\n\n"
}

/// What it was made of and by, in small print.
fn facts(page: &Page) -> String {
    let facts = page.facts.iter().take(20);
    let facts: Vec<String> = facts
        .map(|(name, value)| {
            let name = say(page, &labels::fact(name));
            format!("{name} {}", short_code(value, 100))
        })
        .collect();
    // The tag stands within a line, so that what follows is Markdown still.
    format!("---\n\n<sub>{}</sub>\n", facts.join(" · "))
}
