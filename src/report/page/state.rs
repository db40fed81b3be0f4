//! What is in the state as a page, an entry an environment.

use super::validation::bare;
use super::{Entry, Finding, Kind, Level, Page, Place, Tone};
use crate::diagnostic::Diagnostic;
use crate::i18n::{Lang, Text, text};
use crate::model::{Address, InstanceKey};
use crate::report::count;
use crate::report::fields::{self, Row, Value};
use crate::state::{Origin, Record, State, Status};

/// Every environment in the state; None where there is no state.
pub fn state(state: Option<&State>, told: &[Diagnostic], lang: Lang) -> Page {
    let mut findings: Vec<Finding> = told.iter().map(|one| Finding::of(one, lang)).collect();
    let Some(state) = state else {
        let none = text!("No state: nothing has been created yet.");
        return Page { summary: vec![none.in_lang(lang).to_owned()], ..bare(Kind::State, findings, lang) };
    };
    let mut entries = Vec::new();
    for (key, record) in &state.environments {
        findings.extend(finding(&key.address, record, entries.len(), lang));
        entries.push(entry(key, record, lang));
    }
    let n = entries.len();
    let all = count(n, "environment", "environments");
    let summary = text!("{all} in the state.", all; n);
    let mut page = bare(Kind::State, findings, lang);
    page.facts.splice(0..0, [("serial", state.serial.to_string()), ("lineage", state.lineage.to_string())]);
    if let Some(account) = &state.account {
        page.facts.splice(0..0, super::of_account(account));
    }
    Page { summary: vec![summary.in_lang(lang).to_owned()], entries, ..page }.sorted()
}

/// What a person has to settle.
fn finding(address: &Address, record: &Record, entry: usize, lang: Lang) -> Option<Finding> {
    let (code, message) = match record.status {
        Status::Unknown => {
            ("outcome-unknown", text!("it is unknown whether `{address}` was created", address))
        }
        Status::Destroying => {
            ("outcome-unknown", text!("it is unknown whether `{address}` was destroyed", address))
        }
        Status::Created | Status::AwaitingEnvId | Status::Isolated => return None,
    };
    Some(Finding {
        level: Level::Warning,
        code,
        message: message.in_lang(lang).to_owned(),
        help: vec![format!("`postpay resolve {address}`")],
        place: Some(Place::from(&record.source)),
        entry: Some(entry),
    })
}

fn entry(key: &InstanceKey, record: &Record, lang: Lang) -> Entry {
    let Record {
        status,
        env_id,
        tran_id,
        request_id,
        origin,
        attributes,
        ordered_at,
        run,
        source,
        region,
        prevent_destroy,
        deposed_at: _,
    } = record;
    let address = &key.address;
    let name = if key.is_deposed() { format!("{address} (deposed)") } else { address.to_string() };
    let word =
        |name: &str, value: Option<String>| Some(Row { name: name.to_owned(), value: Value::Word(value?) });
    let ids = [
        word("env_id", env_id.clone()),
        word("tran_id", tran_id.clone()),
        word("request_id", request_id.clone()),
        word("region", region.clone()),
        word("ordered_at", Some(format!("{ordered_at:.0}"))),
        word("run", Some(run.to_string())),
        prevent_destroy.then(|| word("prevent_destroy", Some("true".to_owned()))).flatten(),
    ];
    let mut rows = fields::values(attributes);
    rows.extend(ids.into_iter().flatten());
    let (mark, tone) = match status {
        Status::Created => ("✓", Tone::Good),
        Status::AwaitingEnvId | Status::Isolated => ("~", Tone::Change),
        Status::Unknown | Status::Destroying => ("?", Tone::Bad),
    };
    let remarks: Option<Text> = match origin {
        Origin::Ordered => None,
        Origin::Imported => Some(text!("It was imported, not created by postpay.")),
    };
    Entry {
        name,
        action: status.name(),
        mark,
        tone,
        reason: status.name(),
        place: Some(Place::from(source)),
        fields: rows,
        remarks: remarks.iter().map(|line| line.in_lang(lang).to_owned()).collect(),
        quiet: false,
        skipped: None,
        commit: None,
        calls: Vec::new(),
    }
}
