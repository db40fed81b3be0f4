//! The format of an id.

use crate::i18n::Text;

/// The format of an id, for messages.
pub const ID_RULE: Text =
    Text::fixed("an id has 1 to 128 characters, without spaces, invisible characters or quotes");

/// Like [`is_id`], for a JSON Schema.
pub const ID_PATTERN: &str = r#"^[^\s"'`´‘-‟«»‹›「-』＂＇]{1,128}$"#;

/// Returns whether a text without invisible characters can be the id of an environment, an order, an app or
/// an extension.
///
/// An API that trims its input would take an id with a space for the one without: two addresses, one
/// environment.
pub fn is_id(text: &str) -> bool {
    let is_quote = |c| matches!(c, '"' | '\'' | '`' | '´' | '‘'..='‟' | '«' | '»' | '‹' | '›' | '「'..='』' | '＂' | '＇');
    (1..=128).contains(&text.chars().count())
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || is_quote(c))
}
