//! One page of HTML that needs nothing besides itself: no network, no other file, and no script to be read.
//!
//! A part of the page is a file. Whatever came from a manifest or from Tencent Cloud goes through `escape`, and the page's
//! policy lets a browser run and load nothing but the style and the script that stand in it: see `policy`.

mod diff;
mod entries;
mod escape;
mod findings;
mod policy;
mod requests;
mod scale;
mod timeline;

use std::fmt::Write as _;

use super::duration;
use super::page::{Columns, Page, Place, Setting, Tone, labels};
use crate::i18n::{Lang, Text, text};
use escape::{escaped, prose};

/// The page as one document that ends in a newline.
pub fn page(page: &Page, setting: &Setting) -> String {
    let mut out = String::with_capacity(32 * 1024 + page.entries.len() * 1024);
    head(&mut out, page, setting);
    out.push_str("<body>\n<div class=\"page\">\n");
    top(&mut out, page, setting);
    out.push_str("<main>\n");
    findings::section(&mut out, page);
    timeline::section(&mut out, page);
    entries::section(&mut out, page);
    requests::section(&mut out, page);
    out.push_str("</main>\n");
    foot(&mut out, page, setting);
    let _ = write!(out, "</div>\n<script>{}</script>\n</body>\n</html>\n", policy::script());
    out
}

fn head(out: &mut String, page: &Page, setting: &Setting) {
    let lang = match page.lang {
        Lang::En => "en",
        Lang::Zh => "zh-CN",
    };
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{}</title>\n<style>{}</style>\n</head>\n",
        policy::policy(),
        title(page, setting),
        policy::style()
    );
}

/// `postpay plan`, with what tells it apart from others of its kind.
fn title(page: &Page, setting: &Setting) -> String {
    let kind = page.kind.name();
    match &setting.key {
        Some(key) => format!("postpay {kind} · {}", escaped(key)),
        None => format!("postpay {kind}"),
    }
}

/// The verdict, and where to find what on the page.
fn top(out: &mut String, page: &Page, setting: &Setting) {
    let mut lines = page.summary.iter();
    let tone = labels::tone(page.tone);
    let _ = write!(
        out,
        "<header class=\"top {}\">\n<p class=\"kind\"><span class=\"verdict\">{}</span> <bdi>{}</bdi></p>\n<h1>{}</h1>\n",
        class(page.tone),
        said(page, &tone),
        title(page, setting),
        lines.next().map(|line| prose(line)).unwrap_or_default()
    );
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let _ = writeln!(out, "<p>{}</p>", prose(line));
    }
    let parts = [
        ("findings", labels::findings(), page.apart().count()),
        ("timeline", labels::timeline(), page.entries.iter().map(|entry| entry.calls.len()).sum()),
        ("entries", labels::entries(page.kind), page.entries.len()),
        ("requests", labels::requests(), page.requests.len()),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|(_, _, n)| *n > 0).collect();
    if parts.len() > 1 {
        let contents = text!("On this page");
        let _ = write!(out, "<nav aria-label=\"{}\"><ul>", said(page, &contents));
        for (id, label, n) in parts {
            let label = said(page, &label);
            let _ = write!(out, "<li><a href=\"#{id}\">{label} <span class=\"n\">{n}</span></a></li>");
        }
        out.push_str("</ul></nav>\n");
    }
    out.push_str("</header>\n");
}

/// What the page was made of and by.
fn foot(out: &mut String, page: &Page, setting: &Setting) {
    let about = text!("About this report");
    let _ = write!(out, "<footer>\n<h2>{}</h2>\n<dl class=\"facts\">", said(page, &about));
    let mut fact = |name: &str, value: &str| {
        let _ = write!(
            out,
            "<div><dt>{}</dt><dd><bdi>{}</bdi></dd></div>",
            said(page, &labels::fact(name)),
            escaped(value)
        );
    };
    for (name, value) in &page.facts {
        fact(name, value);
    }
    if let Some(took) = page.took {
        fact("took", duration(took).in_lang(page.lang));
    }
    if !setting.folder.is_empty() {
        fact("folder", &setting.folder);
    }
    out.push_str("</dl>\n</footer>\n");
}

/// The heading that opens a part of the page, with how much there is in it.
fn heading(out: &mut String, page: &Page, id: &str, label: &Text, n: usize) {
    let label = said(page, label);
    let _ = writeln!(
        out,
        "<section id=\"{id}\" aria-labelledby=\"{id}-h\">\n<h2 id=\"{id}-h\">{label} <span class=\"n\">{n}</span></h2>"
    );
}

/// A text of ours in the page's language.
fn said(page: &Page, text: &Text) -> String {
    escaped(text.in_lang(page.lang)).into_owned()
}

/// `file:line`. No link: nothing that somebody else chose becomes an address. The name of the file is isolated, so that
/// one in Hebrew does not take the line to its other side.
fn place(place: &Place) -> String {
    let Place { file, line, span } = place;
    let column = match span {
        Some(Columns { column, .. }) => format!(":{column}"),
        None => String::new(),
    };
    format!("<span class=\"at\"><bdi>{}</bdi>:{line}{column}</span>", escaped(file))
}

const fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Bad => "bad",
        Tone::Change => "change",
        Tone::Good => "good",
        Tone::Plain => "plain",
    }
}

#[cfg(test)]
mod tests;
