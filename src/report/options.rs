//! What a terminal or a file can show: colours, a language, a width.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

use super::text::{Word, changed_words, clean};
use crate::diagnostic::wrap::wrapped;
use crate::i18n::Lang;

/// How text is rendered for where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderOptions {
    pub color: bool,
    pub lang: Lang,
    /// How many columns a terminal has. None for everything else, where lines are as long as they are.
    pub columns: Option<usize>,
    /// A terminal that takes links (OSC 8).
    pub links: bool,
}

impl RenderOptions {
    pub const PLAIN: Self = Self { color: false, lang: Lang::En, columns: None, links: false };

    /// Returns a text in the reader's language, or another value that formats itself in Chinese as `{value:#}`.
    pub fn in_lang(self, text: impl Display) -> String {
        match self.lang {
            Lang::En => text.to_string(),
            Lang::Zh => format!("{text:#}"),
        }
    }

    /// Wraps lines at the width of the terminal, if it is one; continued lines are indented by `indent`.
    pub fn wrap(self, text: String, indent: usize) -> String {
        let Some(columns) = self.columns else {
            return text;
        };
        let lines = text.lines().map(|line| wrapped(line, columns, indent));
        lines.map(|line| line + "\n").collect()
    }

    fn paint(self, style: Style, text: impl Display) -> String {
        let text = self.in_lang(text);
        if self.color { format!("{style}{text}{style:#}") } else { text }
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

    /// Returns `"old" -> "new"`, on a terminal with the changed words marked: by colour, or as `[-old-]` and `{+new+}`.
    pub(super) fn changed_words(self, old: &str, new: &str) -> String {
        let words = changed_words(old, new);
        let marks = words.alike && self.columns.is_some();
        let side = |side: &[Word<'_>], style: Style, open: &str, close: &str| -> String {
            side.iter()
                .map(|word| match (word.changed, self.color) {
                    (false, _) => clean(word.text).into_owned(),
                    (true, true) => self.paint(style, clean(word.text)),
                    (true, false) if !marks => clean(word.text).into_owned(),
                    (true, false) => format!("{open}{}{close}", clean(word.text)),
                })
                .collect()
        };
        let red = AnsiColor::Red.on_default().underline();
        let green = AnsiColor::Green.on_default().underline();
        format!("\"{}\" -> \"{}\"", side(&words.old, red, "[-", "-]"), side(&words.new, green, "{+", "+}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_words_are_marked_on_terminals_alone() {
        let terminal = RenderOptions { columns: Some(80), ..RenderOptions::PLAIN };
        let shown = terminal.changed_words("shop for prod", "shop for test");
        assert_eq!(shown, r#""shop for [-prod-]" -> "shop for {+test+}""#);
        let all = terminal.changed_words("basic", "none");
        assert_eq!(all, r#""basic" -> "none""#);
        let file = RenderOptions::PLAIN.changed_words("shop for prod", "shop for test");
        assert_eq!(file, r#""shop for prod" -> "shop for test""#);
        let chinese = terminal.changed_words("我的商店", "我的书店");
        assert_eq!(chinese, r#""我的[-商-]店" -> "我的{+书+}店""#);
    }

    #[test]
    fn colors_need_a_request() {
        assert!(
            RenderOptions { color: true, ..RenderOptions::PLAIN }
                .changed_words("a b", "a c")
                .contains('\u{1b}')
        );
        assert!(!RenderOptions::PLAIN.bad("x").contains('\u{1b}'));
    }
}
