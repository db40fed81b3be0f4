//! The languages that people are spoken to in. Codes, JSON, logs and what is on disk are English whatever is chosen.
//!
//! A sentence stands once in each language, side by side where it is made, so that neither can be forgotten and the
//! compiler checks both: `text!`. A value that is itself a sentence or a part of one (an error, a count)
//! speaks English as `{value}` and Chinese as `{value:#}`.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    #[default]
    En,
    /// Chinese, in the simplified script.
    Zh,
}

impl Lang {
    /// What a locale as `zh_CN.UTF-8` asks for; English unless it is Chinese.
    pub fn of_locale(locale: &str) -> Self {
        let language = locale.split(['_', '-', '.', '@']).next();
        if language.is_some_and(|language| language.eq_ignore_ascii_case("zh")) { Self::Zh } else { Self::En }
    }
}

/// A text for people, in every language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Text {
    en: Cow<'static, str>,
    /// None where it is the same: an id, a path, Tencent Cloud's own words.
    zh: Option<Cow<'static, str>>,
}

impl Text {
    /// What `text!` makes.
    pub fn new(en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self { en: en.into(), zh: Some(zh.into()) }
    }

    /// What is the same in every language: an id, a path, Tencent Cloud's own words.
    pub fn same(text: impl Into<Cow<'static, str>>) -> Self {
        Self { en: text.into(), zh: None }
    }

    /// A value that speaks Chinese as `{value:#}`.
    pub fn of(value: &impl fmt::Display) -> Self {
        Self::new(value.to_string(), format!("{value:#}"))
    }

    pub fn en(&self) -> &str {
        &self.en
    }

    pub fn in_lang(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => self.zh.as_ref().unwrap_or(&self.en),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.en.is_empty()
    }

    /// A sentence without values, both languages side by side, for a table or a constant.
    pub const fn fixed(en: &'static str, zh: &'static str) -> Self {
        Self { en: Cow::Borrowed(en), zh: Some(Cow::Borrowed(zh)) }
    }

    /// The same done to it in every language.
    #[must_use]
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        Self { en: change(&self.en).into(), zh: self.zh.as_deref().map(|zh| change(zh).into()) }
    }

    /// For tests: whether it has a Chinese text, with Chinese in it.
    #[cfg(test)]
    pub(crate) fn is_in_both(&self) -> bool {
        let han = |text: &str| text.contains(|c: char| ('\u{4e00}'..='\u{9fff}').contains(&c));
        self.zh.as_deref().is_some_and(han) && self.zh.as_ref() != Some(&self.en)
    }
}

/// English, and Chinese as `{:#}`.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lang = if f.alternate() { Lang::Zh } else { Lang::En };
        f.write_str(self.in_lang(lang))
    }
}

/// A text may be all that an error is.
impl std::error::Error for Text {}

/// In English: what is on disk does not depend on the language.
impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.en.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::same)
    }
}

/// For tests, where it does not matter.
#[cfg(test)]
impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self::same(text)
    }
}

/// A [`Text`] of two format strings, English and Chinese, that name what they show:
/// `text!("`{address}` is gone", "`{address}` 已不存在")`.
macro_rules! text {
    ($en:literal, $zh:literal $(,)?) => {
        $crate::lang::Text::new(format!($en), format!($zh))
    };
}
pub(crate) use text;

/// A path or an id as it is typed into a command that a message suggests: quoted where a shell would read it otherwise.
pub fn shell_word(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:=@%,".contains(c);
    // What begins with a hyphen would be a flag.
    let word = match word {
        flag if flag.starts_with('-') => Cow::Owned(format!("./{flag}")),
        word => Cow::Borrowed(word),
    };
    if !word.is_empty() && word.chars().all(is_plain) {
        return word;
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_holds_both_and_hands_its_parts_on_in_the_right_one() {
        let what = text!("an order", "一个订单");
        let address = "shop";
        let text = text!("{what} of `{address}`", "`{address}` 的{what:#}");
        assert_eq!(text.en(), "an order of `shop`");
        assert_eq!(text.in_lang(Lang::Zh), "`shop` 的一个订单");
        assert_eq!(format!("{text} {text:#}"), "an order of `shop` `shop` 的一个订单");
        assert_eq!(Text::same("env-1").in_lang(Lang::Zh), "env-1");
    }

    #[test]
    fn a_locale_is_chinese_or_it_is_english() {
        for (locale, lang) in [
            ("zh_CN.UTF-8", Lang::Zh),
            ("zh", Lang::Zh),
            ("zh-Hans", Lang::Zh),
            ("en_US.UTF-8", Lang::En),
            ("C", Lang::En),
            ("zhuang", Lang::En),
            ("", Lang::En),
        ] {
            assert_eq!(Lang::of_locale(locale), lang, "{locale}");
        }
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it_otherwise() {
        for plain in ["plan.json", "../a_b/c-d.json", "环境/计划.json", "http://127.0.0.1:80"] {
            assert_eq!(shell_word(plain), plain);
        }
        for (word, quoted) in [
            ("my shop", "'my shop'"),
            ("it's", r"'it'\''s'"),
            ("$(x)`y`", "'$(x)`y`'"),
            ("~/a", "'~/a'"),
            ("a;b", "'a;b'"),
            ("-x", "./-x"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }
}
