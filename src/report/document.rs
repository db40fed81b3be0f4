//! What a command shows: one value, in every format.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::options::RenderOptions;
use super::view::Report;
use crate::i18n::Lang;

/// The result of a command. JSON is its serialisation; text and reports show the same values.
pub trait View {
    /// Returns one JSON document that ends in a newline.
    fn json(&self) -> String;
    fn text(&self, options: RenderOptions) -> String;
    /// Returns what Markdown, HTML, SARIF, JUnit and GitHub show; None for a command that has only text and JSON.
    fn report(&self, _lang: Lang) -> Option<Report> {
        None
    }
    /// Returns None for a command that is not a list.
    fn csv(&self) -> Option<String> {
        None
    }
}

/// Returns a document as text that ends in a newline.
pub(super) fn to_json(document: &impl Serialize) -> String {
    // Only a map with keys that are not text can make this fail.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// Returns the JSON Schema of a document.
pub(super) fn schema<T: JsonSchema>() -> Value {
    schemars::schema_for!(T).to_value()
}
