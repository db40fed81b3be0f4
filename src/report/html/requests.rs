//! The requests that will be made, each folded away until somebody wants to read it.

use std::fmt::Write as _;

use super::escape::{escaped, lines};
use super::{heading, labels};
use crate::report::page::{Page, Request};

pub(super) fn section(out: &mut String, page: &Page) {
    if page.requests.is_empty() {
        return;
    }
    heading(out, page, "requests", &labels::requests(), page.requests.len());
    out.push_str("<ol class=\"requests\">\n");
    for Request { name, text } in &page.requests {
        let _ = writeln!(
            out,
            "<li><details><summary><bdi class=\"name\">{}</bdi></summary><pre dir=\"auto\">{}</pre></details></li>",
            escaped(name),
            lines(text)
        );
    }
    out.push_str("</ol>\n</section>\n");
}
