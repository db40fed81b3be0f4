//! What there is to mind: before everything else, and the worst first.

use std::fmt::Write as _;

use super::escape::{escaped, prose};
use super::{heading, labels, place, said};
use crate::i18n::text;
use crate::report::page::{Finding, Level, Page};

pub(super) fn section(out: &mut String, page: &Page) {
    let n = page.apart().count();
    if n == 0 {
        return;
    }
    heading(out, page, "findings", &labels::findings(), n);
    out.push_str("<ul class=\"findings\">\n");
    for finding in page.apart() {
        show(out, page, finding);
    }
    out.push_str("</ul>\n</section>\n");
}

fn show(out: &mut String, page: &Page, finding: &Finding) {
    let Finding { level, code, message, help, place: at, entry } = finding;
    let (class, mark) = match level {
        Level::Error => ("bad", "✗"),
        Level::Warning => ("change", "!"),
        Level::Note => ("plain", "i"),
    };
    let _ = write!(
        out,
        "<li class=\"finding {class}\"><span class=\"m\" aria-hidden=\"true\">{mark}</span><div>\
         <p class=\"what\"><b>{}</b> {}</p>",
        said(page, &labels::level(*level)),
        prose(message)
    );
    for line in help {
        let _ = write!(out, "<p class=\"help\">{}</p>", prose(line));
    }
    let _ = write!(out, "<p class=\"meta\"><code>{}</code>", escaped(code));
    if let Some(at) = at {
        let _ = write!(out, " {}", place(at));
    }
    if let Some((at, about)) = entry.and_then(|at| Some((at, page.entries.get(at)?))) {
        let to = said(page, &text!("see"));
        let _ = write!(out, " <a href=\"#e{at}\">{to} <bdi>{}</bdi></a>", escaped(&about.name));
    }
    out.push_str("</p></div></li>\n");
}
