//! Colours, and what stands in for them where there are none.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

use crate::diagnostic::wrap::wrapped;
use crate::i18n::Lang;
use crate::report::text::clean;
use crate::report::words::{Word, changed_words};

/// What the place that the text goes to can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub color: bool,
    pub lang: Lang,
    /// How many columns a terminal has. None for everything else, where lines are as long as they are.
    pub columns: Option<usize>,
}

impl Look {
    pub const PLAIN: Self = Self { color: false, lang: Lang::En, columns: None };

    /// A text in the reader's language, or another value that speaks Chinese as `{value:#}`.
    pub fn say(self, text: impl Display) -> String {
        match self.lang {
            Lang::En => text.to_string(),
            Lang::Zh => format!("{text:#}"),
        }
    }

    /// The lines of a text, no wider than the terminal if it is one; what goes on is indented so far.
    pub fn within(self, text: String, indent: usize) -> String {
        let Some(columns) = self.columns else {
            return text;
        };
        let lines = text.lines().map(|line| wrapped(line, columns, indent));
        lines.map(|line| line + "\n").collect()
    }

    /// Several statements in a row.
    pub(super) fn clauses(self, statements: &[String]) -> String {
        statements.join(match self.lang {
            Lang::En => ", ",
            Lang::Zh => "，",
        })
    }

    /// Several things in a row.
    pub(super) fn list(self, things: &[String]) -> String {
        things.join(match self.lang {
            Lang::En => ", ",
            Lang::Zh => "、",
        })
    }

    fn paint(self, style: Style, text: impl Display) -> String {
        let text = self.say(text);
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

    /// `"old" -> "new"`, on a terminal with the changed words marked: by colour, or as `[-old-]` and `{+new+}`.
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
    use crate::i18n::Text;

    #[test]
    fn changed_words_are_marked_on_terminals_alone() {
        let terminal = Look { columns: Some(80), ..Look::PLAIN };
        let shown = terminal.changed_words("shop for prod", "shop for test");
        assert_eq!(shown, r#""shop for [-prod-]" -> "shop for {+test+}""#);
        let all = terminal.changed_words("basic", "none");
        assert_eq!(all, r#""basic" -> "none""#);
        let file = Look::PLAIN.changed_words("shop for prod", "shop for test");
        assert_eq!(file, r#""shop for prod" -> "shop for test""#);
        let chinese = terminal.changed_words("我的商店", "我的书店");
        assert_eq!(chinese, r#""我的[-商-]店" -> "我的{+书+}店""#);
    }

    #[test]
    fn colors_need_a_request() {
        assert!(Look { color: true, ..Look::PLAIN }.changed_words("a b", "a c").contains('\u{1b}'));
        assert!(!Look::PLAIN.bad("x").contains('\u{1b}'));
    }

    #[test]
    fn texts_are_in_the_language_of_the_reader() {
        let things = ["a".to_owned(), "b".to_owned()];
        for (lang, said, listed) in [(Lang::En, "`x` is gone", "a, b"), (Lang::Zh, "`x` 已不存在", "a、b")]
        {
            let look = Look { lang, ..Look::PLAIN };
            let text = Text::new("`x` is gone", "`x` 已不存在");
            assert_eq!((look.say(&text), look.bad(&text)), (said.into(), said.into()));
            assert_eq!(look.list(&things), listed);
        }
    }
}
