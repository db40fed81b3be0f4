//! Languages. The English texts are in the code, where the compiler checks their placeholders; the Simplified
//! Chinese ones are in `locales/zh-CN.yaml`, by English text. Codes, JSON, logs and files are always in
//! English.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::{self, Display, Write as _};
use std::sync::{LazyLock, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// Returns the language of a locale such as `zh_CN.UTF-8`; English unless it is Chinese.
    pub fn of_locale(locale: &str) -> Self {
        let language = locale.split(['_', '-', '.', '@']).next();
        if language.is_some_and(|language| language.eq_ignore_ascii_case("zh")) { Self::Zh } else { Self::En }
    }
}

/// English texts and their translations.
static CATALOGUE: LazyLock<HashMap<String, String>> =
    LazyLock::new(|| serde_yaml::from_str(include_str!("../locales/zh-CN.yaml")).unwrap_or_default());

static ENGLISH_ONLY: OnceLock<()> = OnceLock::new();

/// Skips all translation from now on: no output of this process is Chinese.
pub fn use_english_only() {
    let _ = ENGLISH_ONLY.set(());
}

/// Returns the translation of an English text, or the text itself without one.
fn translate(english: &'static str) -> &'static str {
    CATALOGUE.get(english).map_or(english, String::as_str)
}

/// A text for users, in every language.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text {
    en: Cow<'static, str>,
    zh: Chinese,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Chinese {
    /// The same as the English: an id, a path, Tencent Cloud's own words.
    Same,
    /// The translation of this text.
    Of(&'static str),
    Made(String),
}

impl Default for Text {
    fn default() -> Self {
        Self { en: Cow::Borrowed(""), zh: Chinese::Same }
    }
}

impl Text {
    /// Returns a text that code makes in both languages.
    pub fn new(en: impl Into<Cow<'static, str>>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: Chinese::Made(zh.into()) }
    }

    /// Returns a text that is the same in every language: an id, a path, Tencent Cloud's own words.
    pub fn same(text: impl Into<Cow<'static, str>>) -> Self {
        Self { en: text.into(), zh: Chinese::Same }
    }

    /// Returns the text of a value that formats itself in Chinese with `{value:#}`.
    pub fn of(value: &impl Display) -> Self {
        let en = value.to_string();
        if ENGLISH_ONLY.get().is_some() { Self::same(en) } else { Self::new(en, format!("{value:#}")) }
    }

    /// Returns a text without values, for a table or a constant. The catalogue has its translation.
    pub const fn fixed(en: &'static str) -> Self {
        Self { en: Cow::Borrowed(en), zh: Chinese::Of(en) }
    }

    /// Returns a text with values: `en` is the filled `template`, whose translation is filled likewise.
    /// Called by `text!`.
    pub fn filled(en: String, template: &'static str, values: &[(&str, &dyn Display)]) -> Self {
        if ENGLISH_ONLY.get().is_some() {
            return Self::same(en);
        }
        let mut zh = String::new();
        let mut rest = translate(template);
        while let Some(at) = rest.find(['{', '}']) {
            zh.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                zh.push_str(brace);
                rest = after;
            } else if let Some((name, after)) = rest.split_once('}') {
                for (_, value) in values.iter().filter(|(known, _)| *known == name) {
                    let _ = write!(zh, "{value:#}");
                }
                rest = after;
            }
        }
        zh.push_str(rest);
        Self { en: en.into(), zh: Chinese::Made(zh) }
    }

    pub fn en(&self) -> &str {
        &self.en
    }

    pub fn in_lang(&self, lang: Lang) -> &str {
        match (lang, &self.zh) {
            (Lang::En, _) | (Lang::Zh, Chinese::Same) => &self.en,
            (Lang::Zh, Chinese::Of(english)) => translate(english),
            (Lang::Zh, Chinese::Made(text)) => text,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.en.is_empty()
    }

    /// Returns the text with `change` applied in every language.
    #[must_use]
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        match self.zh {
            Chinese::Same => Self::same(change(&self.en)),
            Chinese::Of(_) | Chinese::Made(_) => Self::new(change(&self.en), change(self.in_lang(Lang::Zh))),
        }
    }

    /// Returns whether it has a Chinese text with Chinese characters in it.
    #[cfg(test)]
    pub(crate) fn is_in_both(&self) -> bool {
        self.in_lang(Lang::Zh).contains(|c: char| ('\u{4e00}'..='\u{9fff}').contains(&c))
            && self.zh != Chinese::Same
    }
}

/// English, and Chinese as `{:#}`.
impl Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lang = if f.alternate() { Lang::Zh } else { Lang::En };
        f.write_str(self.in_lang(lang))
    }
}

/// A text alone can be an error.
impl std::error::Error for Text {}

/// In English: files do not depend on the language.
impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.en.serialize(serializer)
    }
}

impl schemars::JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::same)
    }
}

/// For tests, which need no translation.
#[cfg(test)]
impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self::same(text)
    }
}

/// Makes a [`Text`] from an English format string and its values, in any language if they are a [`Text`]:
/// `text!("`{address}` is not in the state", address)`. Values after a semicolon are for translations only:
/// `text!("{orders} sent", orders; n)`.
macro_rules! text {
    ($en:literal $(,)?) => {
        $crate::i18n::Text::fixed($en)
    };
    ($en:literal, $($name:ident $(= $value:expr)?),* $(; $($more:ident),+)? $(,)?) => {
        $crate::i18n::Text::filled(
            format!($en, $($name = text!(@value $name $(= $value)?)),*),
            $en,
            &[
                $((stringify!($name), &text!(@value $name $(= $value)?) as &dyn ::std::fmt::Display),)*
                $($((stringify!($more), &$more as &dyn ::std::fmt::Display),)+)?
            ],
        )
    };
    (@value $name:ident) => { $name };
    (@value $name:ident = $value:expr) => { $value };
}
pub(crate) use text;

/// Quotes a path or an id for a command that a message suggests, if a shell requires it.
pub fn shell_word(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:=@%,".contains(c);
    // A leading hyphen would make it a flag.
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
    fn texts_are_translated_with_their_values() {
        let what = text!("created");
        assert_eq!(format!("{what} {what:#}"), "created 已创建");
        let text = text!("unknown field `{name}`", name = "a{}b");
        assert_eq!(format!("{text} {text:#}"), "unknown field `a{}b` 没有字段 `a{}b`");
        let text = text!("{what}: {why}", what = "run-1", why = what);
        assert_eq!(text.in_lang(Lang::Zh), "run-1：已创建");
        assert_eq!(Text::same("env-1").in_lang(Lang::Zh), "env-1");
    }

    #[test]
    fn locales_are_chinese_or_english() {
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
    fn words_are_quoted_for_a_shell() {
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
