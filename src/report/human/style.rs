//! Colours, and what stands in for them where there are none.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use similar::ChangeTag;
use similar::utils::diff_unicode_words;

use crate::report::text::clean;

/// What the place that the text goes to can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub color: bool,
}

impl Look {
    pub const PLAIN: Self = Self { color: false };

    fn paint(self, style: Style, text: impl Display) -> String {
        if self.color {
            format!("{style}{text}{style:#}")
        } else {
            text.to_string()
        }
    }

    pub(super) fn good(self, text: impl Display) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    pub(super) fn change(self, text: impl Display) -> String {
        self.paint(AnsiColor::Yellow.on_default(), text)
    }

    pub(super) fn bad(self, text: impl Display) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    pub(super) fn gone(self, text: impl Display) -> String {
        self.paint(AnsiColor::Red.on_default(), text)
    }

    pub(super) fn strong(self, text: impl Display) -> String {
        self.paint(Style::new().bold(), text)
    }

    pub(super) fn faint(self, text: impl Display) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// `"old" -> "new"` with the changed words marked: by colour, or as `[-old-]` and `{+new+}`.
    pub(super) fn changed_words(self, old: &str, new: &str) -> String {
        let words = diff_unicode_words(similar::Algorithm::Myers, old, new);
        let alike = words
            .iter()
            .any(|(tag, text)| *tag == ChangeTag::Equal && text.chars().any(char::is_alphanumeric));
        let side = |gone: ChangeTag, style: Style, open: &str, close: &str| -> String {
            let shown = words
                .iter()
                .filter(|(tag, _)| *tag == gone || *tag == ChangeTag::Equal);
            shown
                .map(|(tag, text)| match (tag, self.color) {
                    (ChangeTag::Equal, _) => clean(text).into_owned(),
                    (ChangeTag::Insert | ChangeTag::Delete, true) => self.paint(style, clean(text)),
                    // Where every word is another one, marks would only be noise.
                    (ChangeTag::Insert | ChangeTag::Delete, false) if !alike => {
                        clean(text).into_owned()
                    }
                    (ChangeTag::Insert | ChangeTag::Delete, false) => {
                        format!("{open}{}{close}", clean(text))
                    }
                })
                .collect()
        };
        let red = AnsiColor::Red.on_default().underline();
        let green = AnsiColor::Green.on_default().underline();
        format!(
            "\"{}\" -> \"{}\"",
            side(ChangeTag::Delete, red, "[-", "-]"),
            side(ChangeTag::Insert, green, "{+", "+}")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_just_the_words_that_changed() {
        let shown = Look::PLAIN.changed_words("shop for prod", "shop for test");
        assert_eq!(shown, r#""shop for [-prod-]" -> "shop for {+test+}""#);
        let all = Look::PLAIN.changed_words("basic", "none");
        assert_eq!(all, r#""basic" -> "none""#);
        let chinese = Look::PLAIN.changed_words("我的商店", "我的书店");
        assert_eq!(chinese, r#""我的[-商-]店" -> "我的{+书+}店""#);
    }

    #[test]
    fn colours_only_when_asked() {
        assert!(
            Look { color: true }
                .changed_words("a b", "a c")
                .contains('\u{1b}')
        );
        assert!(!Look::PLAIN.bad("x").contains('\u{1b}'));
    }
}
