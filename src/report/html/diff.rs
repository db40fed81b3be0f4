//! The fields of an entry, and what of them changes: the words that go in `<del>`, those that come in `<ins>`.

use std::fmt::Write as _;

use super::escape::escaped;
use super::said;
use crate::i18n::{Text, text};
use crate::report::fields::{KNOWN_AFTER, NONE, Row, Value};
use crate::report::page::Page;
use crate::report::words::{Word, changed_words};

/// As a list of names and values; nothing where there are none.
pub(super) fn show(out: &mut String, rows: &[Row], page: &Page) {
    if rows.is_empty() {
        return;
    }
    out.push_str("<dl>");
    for Row { name, value } in rows {
        let _ = write!(out, "<dt><bdi>{}</bdi></dt>", escaped(name));
        match value {
            Value::Text(text) => {
                let _ = write!(out, "<dd>\"<bdi>{}</bdi>\"</dd>", escaped(text));
            }
            Value::Word(word) => {
                let _ = write!(out, "<dd><bdi>{}</bdi></dd>", escaped(word));
            }
            Value::KnownAfter => {
                let _ = write!(out, "<dd>{}</dd>", known_after(page));
            }
            Value::Changed(old, new) => changed(out, old.as_deref(), new.as_deref(), page),
            Value::Becomes(old, new) => {
                let new = match new {
                    Some(new) => format!("<bdi>{}</bdi>", escaped(new)),
                    None => known_after(page),
                };
                let _ = write!(out, "<dd><bdi>{}</bdi> → {new}</dd>", escaped(old));
            }
        }
    }
    out.push_str("</dl>");
}

fn changed(out: &mut String, old: Option<&str>, new: Option<&str>, page: &Page) {
    let (before, after) = match (old, new) {
        (Some(old), Some(new)) => {
            let words = changed_words(old, new);
            if words.alike {
                (marked(&words.old, "del"), marked(&words.new, "ins"))
            } else {
                (whole(old, "del"), whole(new, "ins"))
            }
        }
        (old, new) => {
            let none = || said_faintly(page, &NONE);
            (old.map_or_else(none, |old| whole(old, "del")), new.map_or_else(none, |new| whole(new, "ins")))
        }
    };
    let (was, is) = (text!("before:"), text!("after:"));
    let _ = write!(
        out,
        "<dd><div class=\"old\"><span class=\"sr\">{} </span>{before}</div>\
         <div class=\"new\"><span class=\"sr\">{} </span>{after}</div></dd>",
        said(page, &was),
        said(page, &is)
    );
}

/// A value in quotes, with a mark around each run of words that are on this side alone.
fn marked(words: &[Word<'_>], tag: &str) -> String {
    let mut html = String::from("\"<bdi>");
    let mut open = false;
    for Word { text, changed } in words {
        if *changed != open {
            let slash = if open { "/" } else { "" };
            let _ = write!(html, "<{slash}{tag}>");
            open = *changed;
        }
        html.push_str(&escaped(text));
    }
    if open {
        let _ = write!(html, "</{tag}>");
    }
    html.push_str("</bdi>\"");
    html
}

fn whole(value: &str, tag: &str) -> String {
    format!("\"<bdi><{tag}>{}</{tag}></bdi>\"", escaped(value))
}

fn known_after(page: &Page) -> String {
    said_faintly(page, &KNOWN_AFTER)
}

fn said_faintly(page: &Page, text: &Text) -> String {
    format!("<i>{}</i>", said(page, text))
}
