//! Drafts as a manifest, in the layout that `fmt` keeps.

use std::fmt::Write as _;

use crate::sanitize::{Syntax, escape_commands};

use super::{Draft, Drafts, LeftOut};

/// The text of a manifest with all of them; `schema` is the path of the schema from where it will stand.
pub fn manifest(drafts: &Drafts, endpoint: &str) -> String {
    let mut text = String::from("# yaml-language-server: $schema=../schemas/manifest.v1.schema.json\n");
    let _ = writeln!(
        text,
        "# What {} has and no manifest declared. The next plan adopts it, and orders nothing.",
        comment(endpoint)
    );
    for LeftOut { env_id, why } in &drafts.left_out {
        let _ = writeln!(text, "# left out: {}: {}", comment(env_id), comment(&why.to_string()));
    }
    text.push_str("version: 1\n\nenvironments:\n");
    for (at, draft) in drafts.drafts.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        one(&mut text, draft);
    }
    text
}

fn one(text: &mut String, draft: &Draft) {
    let Draft { address, env_id, tran_id, attributes, remarks } = draft;
    let _ = writeln!(text, "  {}:", scalar(address.as_str()));
    for remark in remarks {
        let _ = writeln!(text, "    # {}", comment(remark));
    }
    for (field, value) in attributes.iter() {
        let _ = writeln!(text, "    {field}: {}", scalar(&value.to_string()));
    }
    let _ = writeln!(text, "    import:\n      env_id: {}", scalar(env_id));
    if let Some(tran_id) = tran_id {
        let _ = writeln!(text, "      tran_id: {}", scalar(tran_id));
    }
}

/// One line, whatever is in it.
fn comment(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    escape_commands(&line, Syntax::Plain).into_owned()
}

/// A text that YAML reads as this text: plain where nobody could take it for something else, else in JSON's quotes, which
/// are YAML's too.
fn scalar(text: &str) -> String {
    let is_word = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    // A key or value such as `no`, `null` or `1e3` is not a text in every reader of YAML.
    let is_text =
        serde_yaml::from_str::<serde_yaml::Value>(text).is_ok_and(|value| value.as_str() == Some(text));
    let is_old_boolean = ["y", "n", "yes", "no", "on", "off"].contains(&text);
    if is_word && is_text && !is_old_boolean {
        text.to_owned()
    } else {
        // A bracket is escaped in YAML as in JSON.
        let quoted = serde_json::Value::from(text).to_string();
        escape_commands(&quoted, Syntax::Json).into_owned()
    }
}
