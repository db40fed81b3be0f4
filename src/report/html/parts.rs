//! Parts of the page that its sections share. A text gets into it sanitized by [`Clean`], and escaped by maud.

use maud::{Markup, Render, html};

use crate::i18n::Text;
use crate::report::place::{Columns, Place};
use crate::report::text::clean;
use crate::report::view::Report;

/// A text as content or as an attribute, with everything escaped that is invisible or reverses the direction of a line.
pub(super) struct Clean<'a>(pub &'a str);

impl Render for Clean<'_> {
    fn render_to(&self, buffer: &mut String) {
        clean(self.0).as_ref().render_to(buffer);
    }
}

/// A sentence, with code between backticks. A backtick without a second one is a letter.
pub(super) fn prose(sentence: &str) -> Markup {
    let parts: Vec<&str> = sentence.split('`').collect();
    html! {
        @for (at, part) in parts.iter().enumerate() {
            @if at % 2 == 1 && at + 1 < parts.len() {
                code { bdi { (Clean(part)) } }
            } @else {
                @if at % 2 == 1 { "`" }
                (Clean(part))
            }
        }
    }
}

/// A part of the page under a heading that has a number.
pub(super) fn section(report: &Report, id: &str, label: &Text, n: usize, content: &Markup) -> Markup {
    html! {
        section id=(id) aria-labelledby={ (id) "-h" } {
            h2 id={ (id) "-h" } { (label.in_lang(report.lang)) " " span class="n" { (n) } }
            (content)
        }
    }
}

/// `file:line`, without a link. The name of the file is isolated, so that one in Hebrew does not move the line number.
pub(super) fn place(place: &Place) -> Markup {
    let Place { file, line, span } = place;
    html! {
        span class="at" {
            bdi { (Clean(file)) } ":" (line)
            @if let Some(Columns { column, .. }) = span { ":" (column) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_text_or_an_attribute() {
        assert_eq!(html! { (Clean("<a b=\"'\">&amp;")) }.0, "&lt;a b=&quot;'&quot;&gt;&amp;amp;");
        assert_eq!(html! { (Clean("\u{202e}\u{0}x")) }.0, "\\u{202e}\\u{0}x");
    }

    #[test]
    fn text_between_backticks_is_code() {
        let code = "settle <code><bdi>a&lt;b</bdi></code> or <code><bdi>c</bdi></code> now";
        for (text, expected) in [
            ("settle `a<b` or `c` now", code),
            ("a ` b", "a ` b"),
            ("`a` ` b", "<code><bdi>a</bdi></code> ` b"),
        ] {
            assert_eq!(prose(text).0, expected);
        }
    }
}
