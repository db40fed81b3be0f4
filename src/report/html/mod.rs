//! One page of HTML that needs no network, no other file, and no script to be read.
//!
//! Every text from elsewhere goes through `parts::Clean`, and the page's policy lets a browser run and load nothing but the
//! style and the script in it.

mod entries;
mod parts;
mod scale;
mod timeline;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::text::duration;
use super::view::{Context, Finding, Level, Report, Request};
use crate::i18n::{Lang, text};
use parts::{Clean, place, prose, section};

/// Returns the report as one document that ends in a newline.
pub fn render(report: &Report, context: &Context) -> String {
    let lang = match report.lang {
        Lang::En => "en",
        Lang::Zh => "zh-CN",
    };
    let (style, script) = (as_parsed(include_str!("style.css")), as_parsed(include_str!("script.js")));
    let document = html! {
        (DOCTYPE)
        html lang=(lang) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy(&style, &script));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { (title(report, context)) }
                style { (PreEscaped(&style)) }
            }
            body {
                div class="page" {
                    (top(report, context))
                    main {
                        (findings(report))
                        (timeline::section(report))
                        (entries::section(report))
                        (requests(report))
                    }
                    (foot(report, context))
                }
                script { (PreEscaped(&script)) }
            }
        }
    };
    document.into_string() + "\n"
}

/// An HTML parser reads every line end as `\n`, and hashes what it read; a checkout may have written others.
fn as_parsed(text: &'static str) -> Cow<'static, str> {
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) }
}

/// Returns the content security policy: nothing but this style and this script is loaded, run, sent or embedded.
fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| format!("sha256-{}", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    )
}

/// Returns `postpay plan`, with what tells it apart from others of its kind.
fn title(report: &Report, context: &Context) -> Markup {
    html! {
        "postpay " (report.kind.name())
        @if let Some(key) = &context.key { " · " (Clean(key)) }
    }
}

/// The verdict, and the parts of the page.
fn top(report: &Report, context: &Context) -> Markup {
    let lang = report.lang;
    let calls: usize = report.entries.iter().map(|entry| entry.calls.len()).sum();
    let parts = [
        ("findings", text!("Findings"), report.own_findings().count()),
        ("timeline", timeline::TITLE, calls),
        ("entries", report.kind.entries(), report.entries.len()),
        ("requests", text!("Requests to be sent"), report.requests.len()),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|(_, _, n)| *n > 0).collect();
    html! {
        header class={ "top " (report.tone.name()) } {
            p class="kind" {
                span class="verdict" { (report.tone.label().in_lang(lang)) } " "
                bdi { (title(report, context)) }
            }
            h1 { @if let Some(line) = report.summary.first() { (prose(line)) } }
            @for line in report.summary.iter().skip(1).filter(|line| !line.trim().is_empty()) {
                p { (prose(line)) }
            }
            @if parts.len() > 1 {
                nav aria-label=(text!("On this page").in_lang(lang)) {
                    ul {
                        @for (id, label, n) in parts {
                            li { a href={ "#" (id) } { (label.in_lang(lang)) " " span class="n" { (n) } } }
                        }
                    }
                }
            }
        }
    }
}

/// What the report was made from, by whom and when.
fn foot(report: &Report, context: &Context) -> Markup {
    let lang = report.lang;
    let took = report.took.map(|took| (text!("duration"), duration(took).in_lang(lang).to_owned()));
    let folder = (text!("folder"), context.folder.clone());
    let more = took.into_iter().chain([folder].into_iter().filter(|(_, folder)| !folder.is_empty()));
    let more = more.map(|(name, value)| (name.in_lang(lang).to_owned(), value));
    html! {
        footer {
            h2 { (text!("About this report").in_lang(lang)) }
            dl class="facts" {
                @for (name, value) in report.facts.iter().cloned().chain(more) {
                    div { dt { (name) } dd { bdi { (Clean(&value)) } } }
                }
            }
        }
    }
}

fn findings(report: &Report) -> Markup {
    let n = report.own_findings().count();
    let list = html! {
        ul class="findings" { @for finding in report.own_findings() { (finding_item(finding, report)) } }
    };
    html! { @if n > 0 { (section(report, "findings", &text!("Findings"), n, &list)) } }
}

fn finding_item(finding: &Finding, report: &Report) -> Markup {
    let Finding { level, code, message, help, place: at, entry } = finding;
    let (class, mark) = match level {
        Level::Error => ("bad", "✗"),
        Level::Warning => ("change", "!"),
        Level::Note => ("plain", "i"),
    };
    html! {
        li class={ "finding " (class) } {
            span class="m" aria-hidden="true" { (mark) }
            div {
                p class="what" { b { (level.label().in_lang(report.lang)) } " " (prose(message)) }
                @for line in help { p class="help" { (prose(line)) } }
                p class="meta" {
                    code { (Clean(code)) }
                    @if let Some(at) = at { " " (place(at)) }
                    @if let Some((at, entry)) = entry.and_then(|at| Some((at, report.entries.get(at)?))) {
                        " " a href={ "#e" (at) } {
                            (text!("see").in_lang(report.lang)) " " bdi { (Clean(&entry.name)) }
                        }
                    }
                }
            }
        }
    }
}

/// The requests that will be sent, each folded.
fn requests(report: &Report) -> Markup {
    let list = html! {
        ol class="requests" {
            @for Request { name, text } in &report.requests {
                li {
                    details {
                        summary { bdi class="name" { (Clean(name)) } }
                        pre dir="auto" { @for line in text.lines() { (Clean(line)) "\n" } }
                    }
                }
            }
        }
    };
    let n = report.requests.len();
    html! { @if n > 0 { (section(report, "requests", &text!("Requests to be sent"), n, &list)) } }
}

#[cfg(test)]
mod tests;
