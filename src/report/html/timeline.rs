//! A run as a picture: a row for every step, from the moment each request was sent to its answer, with the waits between.
//!
//! Labels are HTML and only the bars are SVG, in percent of the width, so that one picture fits a phone and paper. What a
//! bar says is also in words: on the bar, for a screen reader, and with the entry of the step.

use std::fmt::Write as _;
use std::time::Duration;

use super::escape::escaped;
use super::scale::{Percent, Scale};
use super::{class, heading, labels, said};
use crate::apply::{Call, CallKind};
use crate::i18n::text;
use crate::report::duration;
use crate::report::page::{Entry, Page};

/// So many steps are drawn at most: more is neither looked at nor quickly opened.
const DRAWN: usize = 200;

/// So many of them are to be seen at once; the others are folded away.
const UNFOLDED: usize = 40;

/// How many moments can be distinguished where all requests are drawn in one row.
const SLOTS: usize = 240;

/// The kinds of a call, from good to bad.
const KINDS: [CallKind; 5] =
    [CallKind::Taken, CallKind::Throttled, CallKind::NotSent, CallKind::Refused, CallKind::Unknown];

pub(super) fn section(out: &mut String, page: &Page) {
    let calls: Vec<Call> = page.entries.iter().flat_map(|entry| entry.calls.iter().copied()).collect();
    let Some(last) = calls.iter().map(|call| call.answered).max() else {
        return;
    };
    let scale = Scale::of(page.took.unwrap_or_default().max(last));
    heading(out, page, "timeline", &labels::timeline(), calls.len());
    out.push_str("<figure class=\"timeline\">\n");
    legend(out, page, &calls);
    all(out, page, &calls, scale);
    out.push_str("<div class=\"rows\">");
    grid(out, scale);
    let steps = page.entries.iter().filter(|entry| !entry.calls.is_empty()).count();
    let rows = drawn(page);
    let (seen, folded) = rows.split_at(rows.len().min(UNFOLDED));
    list(out, page, seen, scale);
    if !folded.is_empty() {
        let n = folded.len();
        let more = text!("{n} more", n);
        let _ = write!(out, "<details><summary>{}</summary>", said(page, &more));
        list(out, page, folded, scale);
        out.push_str("</details>");
    }
    out.push_str("</div>\n");
    if rows.len() < steps {
        let n = rows.len();
        let note = text!(
            "{n} of {steps} steps are shown: first those with rejected or repeated requests, then the earliest. The times of every request are with its entry below.",
            n,
            steps
        );
        let _ = writeln!(out, "<p class=\"note\">{}</p>", said(page, &note));
    }
    out.push_str("</figure>\n</section>\n");
}

/// The requests of one entry in words: how each ended, and when.
pub(super) fn calls(out: &mut String, calls: &[Call], page: &Page) {
    if calls.is_empty() {
        return;
    }
    out.push_str("<ol class=\"calls\">");
    for call in calls {
        let kind = said(page, &labels::call(call.kind));
        let (key, times) = (class_of(call.kind), times(*call));
        let _ = write!(out, "<li><span class=\"{key}\">{kind}</span> {times}</li>");
    }
    out.push_str("</ol>");
}

/// Which steps are drawn, by when their first request was sent.
fn drawn(page: &Page) -> Vec<usize> {
    let first =
        |at: &usize| page.entries.get(*at).and_then(|entry| entry.calls.first()).map(|call| call.sent);
    let smooth = |at: &usize| {
        let entry = page.entries.get(*at);
        entry.is_none_or(|entry| entry.calls.iter().all(|call| call.kind == CallKind::Taken))
    };
    let mut rows: Vec<usize> = (0..page.entries.len()).filter(|at| first(at).is_some()).collect();
    rows.sort_by_key(|at| (smooth(at), first(at)));
    rows.truncate(DRAWN);
    rows.sort_by_key(first);
    rows
}

fn legend(out: &mut String, page: &Page, calls: &[Call]) {
    out.push_str("<figcaption><ul class=\"legend\">");
    let sample = |out: &mut String, shape: &str, label: &str| {
        let _ =
            write!(out, "<li><svg width=\"22\" height=\"14\" aria-hidden=\"true\">{shape}</svg>{label}</li>");
    };
    for kind in KINDS {
        let n = calls.iter().filter(|call| call.kind == kind).count();
        if n > 0 {
            let shape = bar(kind, "1", "20", 2, "");
            let label = said(page, &labels::call(kind));
            sample(out, &shape, &format!("{label} <span class=\"n\">{n}</span>"));
        }
    }
    if page.entries.iter().any(|entry| entry.calls.len() > 1) {
        let wait = text!("waited for the next attempt");
        let shape = "<line class=\"wait\" x1=\"0\" x2=\"22\" y1=\"7\" y2=\"7\"/>";
        sample(out, shape, &said(page, &wait));
    }
    out.push_str("</ul></figcaption>\n");
}

/// The row above all others: when requests were sent, and the names of the moments.
fn all(out: &mut String, page: &Page, calls: &[Call], scale: Scale) {
    let mut slots = vec![[0_usize; KINDS.len()]; SLOTS];
    for call in calls {
        let kind = KINDS.iter().position(|kind| *kind == call.kind);
        if let Some(n) = kind.and_then(|kind| slots.get_mut(slot(call.sent, scale))?.get_mut(kind)) {
            *n += 1;
        }
    }
    let most = slots.iter().map(|slot| slot.iter().sum()).max();
    let most: usize = most.unwrap_or(1).max(1);
    let title = text!("All requests, by when they were sent");
    let desc = description(page, calls);
    let sent = text!("sent");
    let _ = write!(
        out,
        "<div class=\"lane all\"><span>{}</span><svg role=\"img\" aria-labelledby=\"all-t all-d\" height=\"46\">\
         <title id=\"all-t\">{}</title><desc id=\"all-d\">{desc}</desc>\
         <defs><pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <rect width=\"5\" height=\"5\" class=\"hatch-ground\"/><rect width=\"2.5\" height=\"5\" class=\"hatch-line\"/></pattern></defs>",
        said(page, &sent),
        said(page, &title),
    );
    for (at, slot) in slots.iter().enumerate() {
        let mut below = 0;
        for (kind, n) in KINDS.iter().zip(slot).filter(|(_, n)| **n > 0) {
            let (height, bottom) = (part(*n, most) * 22.0, part(below, most) * 22.0);
            let _ = write!(
                out,
                "<rect class=\"{}\" x=\"{}\" y=\"{:.1}\" width=\"0.3%\" height=\"{height:.1}\"/>",
                class_of(*kind),
                Percent(part(at, SLOTS) * 99.7),
                24.0 - bottom - height,
            );
            below += n;
        }
    }
    for (moment, name) in scale.names() {
        let at = scale.place(moment);
        let anchor = if at.0 < 4.0 {
            ""
        } else if at.0 > 95.0 {
            " text-anchor=\"end\""
        } else {
            " text-anchor=\"middle\""
        };
        let _ = write!(out, "<text x=\"{at}\" y=\"42\"{anchor}>{name}</text>");
    }
    out.push_str("</svg><span></span></div>\n");
}

/// All of it in a sentence.
fn description(page: &Page, calls: &[Call]) -> String {
    let kinds: Vec<String> = KINDS
        .iter()
        .filter_map(|kind| {
            let n = calls.iter().filter(|call| call.kind == *kind).count();
            let label = said(page, &labels::call(*kind));
            (n > 0).then(|| format!("{label} {n}"))
        })
        .collect();
    kinds.join(", ")
}

fn grid(out: &mut String, scale: Scale) {
    out.push_str("<svg class=\"grid\" aria-hidden=\"true\">");
    for (moment, _) in scale.names() {
        let at = scale.place(moment);
        let _ = write!(out, "<line x1=\"{at}\" x2=\"{at}\" y1=\"0\" y2=\"100%\"/>");
    }
    out.push_str("</svg>");
}

fn list(out: &mut String, page: &Page, rows: &[usize], scale: Scale) {
    out.push_str("<ol>\n");
    for at in rows {
        if let Some(entry) = page.entries.get(*at) {
            row(out, page, *at, entry, scale);
        }
    }
    out.push_str("</ol>");
}

fn row(out: &mut String, page: &Page, at: usize, entry: &Entry, scale: Scale) {
    let calls = &entry.calls;
    let (Some(first), Some(last)) = (calls.first(), calls.last()) else {
        return;
    };
    let words: Vec<String> = calls.iter().map(|call| words(*call, page)).collect();
    let _ = write!(
        out,
        "<li class=\"lane\"><a href=\"#e{at}\"><span class=\"m {}\" aria-hidden=\"true\">{}</span><bdi>{}</bdi></a>\
         <svg role=\"img\" aria-label=\"{}\" height=\"20\">",
        class(entry.tone),
        escaped(entry.mark),
        escaped(&entry.name),
        words.join(", ")
    );
    for pair in calls.windows(2) {
        if let [before, after] = pair {
            let (from, to) = (scale.place(before.answered), scale.place(after.sent));
            let _ = write!(out, "<line class=\"wait\" x1=\"{from}\" x2=\"{to}\" y1=\"10\" y2=\"10\"/>");
        }
    }
    for (call, words) in calls.iter().zip(&words) {
        let from = scale.place(call.sent);
        let width = scale.width(call.sent, call.answered);
        // The end of the run is the end of the picture, and a bar that begins there would be outside.
        let from = Percent(from.0.min(100.0 - width.0));
        out.push_str(&bar(call.kind, &from.to_string(), &width.to_string(), 5, words));
        sign(out, call.kind, from, width);
    }
    let again = if calls.len() > 1 { format!("{}× ", calls.len()) } else { String::new() };
    let took = last.answered.saturating_sub(first.sent);
    let _ = writeln!(out, "</svg><span class=\"took\">{again}{}</span></li>", said(page, &duration(took)));
}

/// From sent to answered, filled by how it ended.
fn bar(kind: CallKind, x: &str, width: &str, y: u32, words: &str) -> String {
    let key = class_of(kind);
    let shape = format!("<rect class=\"{key}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"10\" rx=\"2\"");
    if words.is_empty() { format!("{shape}/>") } else { format!("{shape}><title>{words}</title></rect>") }
}

/// What a reader must not miss has a sign besides its colour: behind its bar, or before it at the end of the picture.
fn sign(out: &mut String, kind: CallKind, from: Percent, width: Percent) {
    let sign = match kind {
        CallKind::Refused => "✗",
        CallKind::Unknown => "?",
        CallKind::Taken | CallKind::Throttled | CallKind::NotSent => return,
    };
    let key = class_of(kind);
    let end = Percent(from.0 + width.0);
    let _ = if end.0 < 95.0 {
        write!(out, "<text class=\"{key}\" x=\"{end}\" dx=\"5\" y=\"14.5\">{sign}</text>")
    } else {
        write!(
            out,
            "<text class=\"{key}\" x=\"{from}\" dx=\"-5\" y=\"14.5\" text-anchor=\"end\">{sign}</text>"
        )
    };
}

const fn class_of(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Taken => "taken",
        CallKind::Throttled => "throttled",
        CallKind::NotSent => "not-sent",
        CallKind::Refused => "refused",
        CallKind::Unknown => "unknown",
    }
}

/// `throttled 0.00–0.30 s`
fn words(call: Call, page: &Page) -> String {
    let kind = said(page, &labels::call(call.kind));
    format!("{kind} {}", times(call))
}

fn times(call: Call) -> String {
    let seconds = |moment: Duration| format!("{:.2}", moment.as_secs_f64());
    format!("{}–{} s", seconds(call.sent), seconds(call.answered))
}

/// Where a moment falls when the whole run has [`SLOTS`] of them.
fn slot(moment: Duration, scale: Scale) -> usize {
    let share = scale.place(moment).0 / 100.0;
    // Between 0 and SLOTS, so that nothing is lost.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let slot = (share * SLOTS as f64) as usize;
    slot.min(SLOTS - 1)
}

/// Small numbers, for a picture.
#[allow(clippy::cast_precision_loss)]
fn part(n: usize, of: usize) -> f64 {
    n as f64 / of.max(1) as f64
}
