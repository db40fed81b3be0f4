//! A run as a picture: a row for every step, from the moment each request was sent to its answer, with the waits between.
//!
//! Labels are HTML and only the bars are SVG, in percent of the width, so that one picture fits a phone and paper. What a
//! bar shows is also in words: on the bar, for a screen reader, and with the entry of the step.

use std::time::Duration;

use maud::{Markup, html};

use super::parts::{self, Clean};
use super::scale::{Percent, Scale};
use crate::apply::{Call, CallKind};
use crate::i18n::{Lang, Text, text};
use crate::report::text::duration;
use crate::report::view::{Entry, Report, call_label};

pub(super) const TITLE: Text = text!("Timeline of requests");

/// The most steps that are drawn: nobody looks at more, and a browser opens them slowly.
const DRAWN: usize = 200;

/// How many of them are shown; the others are folded.
const UNFOLDED: usize = 40;

/// How many moments can be told apart where all requests are in one row.
const SLOTS: usize = 240;

/// The kinds of a call, from good to bad.
const KINDS: [CallKind; 5] =
    [CallKind::Taken, CallKind::Throttled, CallKind::NotSent, CallKind::Refused, CallKind::Unknown];

pub(super) fn section(report: &Report) -> Markup {
    let calls: Vec<Call> = report.entries.iter().flat_map(|entry| entry.calls.iter().copied()).collect();
    let Some(last) = calls.iter().map(|call| call.answered).max() else {
        return html! {};
    };
    let lang = report.lang;
    let scale = Scale::new(report.took.unwrap_or_default().max(last));
    let steps = report.entries.iter().filter(|entry| !entry.calls.is_empty()).count();
    let rows = drawn(report);
    let (shown, folded) = rows.split_at(rows.len().min(UNFOLDED));
    let draw = |rows: &[usize]| {
        html! {
            ol {
                @for (at, entry) in rows.iter().filter_map(|at| Some((at, report.entries.get(*at)?))) {
                    (row(lang, *at, entry, scale))
                }
            }
        }
    };
    let n = folded.len();
    let content = html! {
        figure class="timeline" {
            (legend(report, &calls))
            (all(lang, &calls, scale))
            div class="rows" {
                svg class="grid" aria-hidden="true" {
                    @for at in scale.names().iter().map(|(moment, _)| scale.place(*moment)) {
                        line x1=(at) x2=(at) y1="0" y2="100%" {}
                    }
                }
                (draw(shown))
                @if n > 0 { details { summary { (text!("{n} more", n).in_lang(lang)) } (draw(folded)) } }
            }
            @if rows.len() < steps { p class="note" { (note(rows.len(), steps).in_lang(lang)) } }
        }
    };
    parts::section(report, "timeline", &TITLE, calls.len(), &content)
}

fn note(n: usize, steps: usize) -> Text {
    text!(
        "{n} of {steps} steps are shown: first those with rejected or repeated requests, then the earliest. The times of every request are with its entry below.",
        n,
        steps
    )
}

/// The requests of one entry in words: how each ended, and when.
pub(super) fn calls(calls: &[Call], lang: Lang) -> Markup {
    html! {
        @if !calls.is_empty() {
            ol class="calls" {
                @for call in calls {
                    li {
                        span class=(class(call.kind)) { (call_label(call.kind).in_lang(lang)) } " " (times(*call))
                    }
                }
            }
        }
    }
}

/// Returns the steps that are drawn, by when their first request was sent.
fn drawn(report: &Report) -> Vec<usize> {
    let first = |at: &usize| report.entries.get(*at)?.calls.first().map(|call| call.sent);
    let is_smooth = |at: &usize| {
        let entry = report.entries.get(*at);
        entry.is_none_or(|entry| entry.calls.iter().all(|call| call.kind == CallKind::Taken))
    };
    let mut rows: Vec<usize> = (0..report.entries.len()).filter(|at| first(at).is_some()).collect();
    rows.sort_by_key(|at| (is_smooth(at), first(at)));
    rows.truncate(DRAWN);
    rows.sort_by_key(first);
    rows
}

fn legend(report: &Report, calls: &[Call]) -> Markup {
    let lang = report.lang;
    let n = |kind: CallKind| calls.iter().filter(|call| call.kind == kind).count();
    html! {
        figcaption {
            ul class="legend" {
                @for kind in KINDS.into_iter().filter(|kind| n(*kind) > 0) {
                    li {
                        svg width="22" height="14" aria-hidden="true" {
                            rect class=(class(kind)) x="1" y="2" width="20" height="10" rx="2" {}
                        }
                        (call_label(kind).in_lang(lang)) " " span class="n" { (n(kind)) }
                    }
                }
                @if report.entries.iter().any(|entry| entry.calls.len() > 1) {
                    li {
                        svg width="22" height="14" aria-hidden="true" {
                            line class="wait" x1="0" x2="22" y1="7" y2="7" {}
                        }
                        (text!("waited for the next attempt").in_lang(lang))
                    }
                }
            }
        }
    }
}

/// The row above all others: when requests were sent, and the names of the moments.
fn all(lang: Lang, calls: &[Call], scale: Scale) -> Markup {
    let mut slots = vec![[0_usize; KINDS.len()]; SLOTS];
    for call in calls {
        let kind = KINDS.iter().position(|kind| *kind == call.kind);
        if let Some(n) = kind.and_then(|kind| slots.get_mut(slot(call.sent, scale))?.get_mut(kind)) {
            *n += 1;
        }
    }
    let most: usize = slots.iter().map(|slot| slot.iter().sum()).max().unwrap_or(1).max(1);
    let in_words = KINDS.into_iter().filter_map(|kind| {
        let n = calls.iter().filter(|call| call.kind == kind).count();
        (n > 0).then(|| format!("{} {n}", call_label(kind).in_lang(lang)))
    });
    let in_words = in_words.collect::<Vec<_>>().join(", ");
    html! {
        div class="lane all" {
            span { (text!("sent").in_lang(lang)) }
            svg role="img" aria-labelledby="all-t all-d" height="46" {
                title id="all-t" { (text!("All requests, by when they were sent").in_lang(lang)) }
                desc id="all-d" { (in_words) }
                defs {
                    pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                        rect width="5" height="5" class="hatch-ground" {}
                        rect width="2.5" height="5" class="hatch-line" {}
                    }
                }
                @for (at, slot) in slots.iter().enumerate() { (bars(at, slot, most)) }
                @for (moment, name) in scale.names() {
                    text x=(scale.place(moment)) y="42" text-anchor=[anchor(scale.place(moment))] { (name) }
                }
            }
            span {}
        }
    }
}

fn anchor(at: Percent) -> Option<&'static str> {
    match at.0 {
        start if start < 4.0 => None,
        end if end > 95.0 => Some("end"),
        _ => Some("middle"),
    }
}

/// The requests that were sent in one moment, by kind, one above the other.
fn bars(at: usize, slot: &[usize; KINDS.len()], most: usize) -> Markup {
    let x = Percent(part(at, SLOTS) * 99.7);
    let mut below = 0;
    let bars: Vec<_> = KINDS
        .into_iter()
        .zip(slot)
        .filter(|(_, n)| **n > 0)
        .map(|(kind, n)| {
            let (height, bottom) = (part(*n, most) * 22.0, part(below, most) * 22.0);
            below += n;
            (class(kind), format!("{:.1}", 24.0 - bottom - height), format!("{height:.1}"))
        })
        .collect();
    html! {
        @for (class, y, height) in bars { rect class=(class) x=(x) y=(y) width="0.3%" height=(height) {} }
    }
}

fn row(lang: Lang, at: usize, entry: &Entry, scale: Scale) -> Markup {
    let calls = &entry.calls;
    let (Some(first), Some(last)) = (calls.first(), calls.last()) else {
        return html! {};
    };
    // `throttled 0.00–0.30 s`
    let words = calls.iter().map(|call| format!("{} {}", call_label(call.kind).in_lang(lang), times(*call)));
    let words: Vec<String> = words.collect();
    let waits = calls.iter().zip(calls.iter().skip(1));
    html! {
        li class="lane" {
            a href={ "#e" (at) } {
                span class={ "m " (entry.tone.name()) } aria-hidden="true" { (entry.mark) }
                bdi { (Clean(&entry.name)) }
            }
            svg role="img" aria-label=(words.join(", ")) height="20" {
                @for (before, after) in waits {
                    line class="wait" x1=(scale.place(before.answered)) x2=(scale.place(after.sent)) y1="10" y2="10" {}
                }
                @for (call, words) in calls.iter().zip(&words) { (bar(*call, words, scale)) }
            }
            span class="took" {
                @if calls.len() > 1 { (calls.len()) "× " }
                (duration(last.answered.saturating_sub(first.sent)).in_lang(lang))
            }
        }
    }
}

/// From sent to answered, filled by how it ended. What a reader must not miss has a sign besides its colour: behind its bar, or
/// before it at the end of the picture.
fn bar(call: Call, words: &str, scale: Scale) -> Markup {
    let width = scale.width(call.sent, call.answered);
    // The end of the run is the end of the picture, and a bar that begins there would be outside.
    let from = Percent(scale.place(call.sent).0.min(100.0 - width.0));
    let end = Percent(from.0 + width.0);
    let class = class(call.kind);
    let sign = match call.kind {
        CallKind::Refused => "✗",
        CallKind::Unknown => "?",
        CallKind::Taken | CallKind::Throttled | CallKind::NotSent => "",
    };
    html! {
        rect class=(class) x=(from) y="5" width=(width) height="10" rx="2" { title { (words) } }
        @if !sign.is_empty() && end.0 < 95.0 {
            text class=(class) x=(end) dx="5" y="14.5" { (sign) }
        } @else if !sign.is_empty() {
            text class=(class) x=(from) dx="-5" y="14.5" text-anchor="end" { (sign) }
        }
    }
}

const fn class(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Taken => "taken",
        CallKind::Throttled => "throttled",
        CallKind::NotSent => "not-sent",
        CallKind::Refused => "refused",
        CallKind::Unknown => "unknown",
    }
}

fn times(call: Call) -> String {
    format!("{:.2}–{:.2} s", call.sent.as_secs_f64(), call.answered.as_secs_f64())
}

/// Returns where a moment falls when the whole run has [`SLOTS`] of them.
fn slot(moment: Duration, scale: Scale) -> usize {
    let share = scale.place(moment).0 / 100.0;
    // Between 0 and SLOTS, so that nothing is lost.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let slot = (share * SLOTS as f64) as usize;
    slot.min(SLOTS - 1)
}

#[allow(clippy::cast_precision_loss)]
fn part(n: usize, whole: usize) -> f64 {
    n as f64 / whole.max(1) as f64
}
