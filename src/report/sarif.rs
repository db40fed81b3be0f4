//! SARIF 2.1.0, for code scanning: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.
//!
//! A rule is a code, a result a finding. A result keeps its fingerprint when its line moves, as long as its rule, file and message
//! stay.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::place::{Columns, Place};
use super::text::clean;
use super::view::{Context, Finding, Kind, Level, Report};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Returns the report as one document that ends in a newline.
pub fn render(report: &Report, context: &Context) -> String {
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &report.findings {
        rules.insert(finding.code, 0);
    }
    for (at, index) in rules.values_mut().enumerate() {
        *index = at;
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| result(finding, rules[finding.code], report, context, &mut seen))
        .collect();
    let rules: Vec<Value> = rules.into_keys().map(rule).collect();
    // Findings are results; a run that went wrong, or a command without a result, is a failure.
    let errors = report.findings.iter().any(|one| one.level == Level::Error);
    let failed = errors && (report.kind == Kind::Apply || report.entries.is_empty());
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "postpay",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "automationDetails": { "id": automation(report, context) },
            "invocations": [{ "executionSuccessful": !failed }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

/// Returns the category of an upload: several commands may upload for one commit.
fn automation(report: &Report, context: &Context) -> String {
    match &context.key {
        Some(key) => format!("postpay/{}/{key}/", report.kind.name()),
        None => format!("postpay/{}/", report.kind.name()),
    }
}

fn rule(code: &str) -> Value {
    let words = code.replace(['-', '_'], " ");
    json!({
        "id": code,
        "name": words
            .split(' ')
            .flat_map(|word| {
                let (first, rest) = word.split_at(word.len().min(1));
                [first.to_uppercase(), rest.to_owned()]
            })
            .collect::<String>(),
        "shortDescription": { "text": words },
    })
}

fn result(
    finding: &Finding,
    rule: usize,
    report: &Report,
    context: &Context,
    seen: &mut HashMap<String, usize>,
) -> Value {
    let Finding { level, code, message, help, place, entry } = finding;
    let lines = std::iter::once(message).chain(help);
    let lines: Vec<String> = lines.map(|line| message_text(line)).collect();
    let mut result = json!({
        "ruleId": code,
        "ruleIndex": rule,
        "level": level.name(),
        "message": { "text": lines.join("\n") },
    });
    let file = place.as_ref().map(|place| context.in_repository(place));
    let identity = [code, file.as_deref().unwrap_or(""), message.as_str()].join("\u{0}");
    let again = seen.entry(identity.clone()).or_default();
    let digest = Sha256::digest(format!("{identity}\u{0}{again}"));
    let hash = hex::encode(digest.get(..16).unwrap_or(&digest));
    *again += 1;
    result["partialFingerprints"] = json!({ "postpayFinding/v1": hash });
    let mut location = serde_json::Map::new();
    if let (Some(place), Some(file)) = (place, file) {
        location.insert("physicalLocation".to_owned(), physical(place, &file));
    }
    if let Some(entry) = entry.and_then(|at| report.entries.get(at)) {
        let name = clean(&entry.name);
        location.insert(
            "logicalLocations".to_owned(),
            json!([{ "fullyQualifiedName": name, "kind": "resource" }]),
        );
    }
    if !location.is_empty() {
        result["locations"] = json!([location]);
    }
    result
}

/// Escapes plain text, in which `[` begins a link and `{` a placeholder.
fn message_text(text: &str) -> String {
    clean(text)
        .replace('\\', "\\\\")
        .replace('[', "\\[")
        .replace(']', "\\]")
        .replace('{', "{{")
        .replace('}', "}}")
}

fn physical(place: &Place, file: &str) -> Value {
    let mut region = json!({ "startLine": place.line.max(1) });
    if let Some(Columns { column, end_line, end_column }) = place.span {
        region["startColumn"] = json!(column.max(1));
        region["endLine"] = json!(end_line.max(1));
        region["endColumn"] = json!(end_column.max(1));
    }
    let mut artifact = json!({ "uri": uri(file) });
    if !file.starts_with('/') {
        artifact["uriBaseId"] = json!("%SRCROOT%");
    }
    json!({ "artifactLocation": artifact, "region": region })
}

/// Returns a path as a URI reference: relative where the path is.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{hostile, sample};

    #[test]
    fn a_page_is_a_run_with_a_rule_for_every_code() {
        let text = render(&sample(), &Context::default());
        let version = format!("\"semanticVersion\": \"{}\"", env!("CARGO_PKG_VERSION"));
        insta::assert_snapshot!(text.replace(&version, "\"semanticVersion\": \"VERSION\""));
    }

    #[test]
    fn a_path_is_a_uri() {
        assert_eq!(uri("环境/a b#1.yaml"), "%E7%8E%AF%E5%A2%83/a%20b%231.yaml");
        assert_eq!(uri("/tmp/x"), "file:///tmp/x");
    }

    #[test]
    fn a_result_keeps_its_fingerprint_when_its_line_moves_and_differs_from_its_twin() {
        let prints = |report: &Report| -> Vec<String> {
            let text = render(report, &Context::default());
            let document: Value = serde_json::from_str(&text).unwrap();
            let results = document["runs"][0]["results"].as_array().unwrap();
            let print = |one: &Value| one["partialFingerprints"]["postpayFinding/v1"].to_string();
            results.iter().map(print).collect()
        };
        let mut page = sample();
        let before = prints(&page);
        for finding in &mut page.findings {
            if let Some(place) = &mut finding.place {
                place.line += 7;
            }
        }
        assert_eq!(before, prints(&page));
        let twin = page.findings[0].clone();
        page.findings.push(twin);
        let now = prints(&page);
        assert_ne!(now.first(), now.last());
    }

    #[test]
    fn hostile_texts_are_no_links() {
        let text = render(&hostile(), &Context::default());
        assert!(serde_json::from_str::<Value>(&text).is_ok());
        assert_eq!(message_text("[x](y) {0}"), "\\[x\\](y) {{0}}");
    }
}
