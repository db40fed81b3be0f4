//! `show`, `state list` and `state show`: the environments in the state.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{View, to_json};
use super::fields::{self, Row, Value};
use super::labels::{record_label, status_label};
use super::lines::{Lines, table};
use super::options::RenderOptions;
use super::place::Place;
use super::text::{account, clean, clean_text, count, name};
use super::verify::and_deposed;
use super::view::{Entry, Finding, Kind, Label, Level, Provenance, Report, Tone};
use crate::diagnostic::Diagnostic;
use crate::i18n::{Lang, Text, text};
use crate::model::{Address, InstanceKey};
use crate::state::{FormatVersion, Origin, Record, State, Status, encode_state};

/// The whole state; None when there is none. JSON is the state file.
#[derive(Debug)]
pub struct StateView<'a> {
    pub state: Option<&'a State>,
    pub diagnostics: Vec<Diagnostic>,
    pub provenance: Provenance,
}

/// The addresses in the state.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay state list --format json, version 1")]
pub struct StateList<'a> {
    format_version: FormatVersion,
    environments: Vec<Listed<'a>>,
    #[serde(skip)]
    keys: Vec<&'a InstanceKey>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Listed<'a> {
    address: &'a Address,
    status: Status,
    env_id: Option<&'a str>,
    tran_id: Option<&'a str>,
    /// It was replaced at its address.
    deposed: bool,
}

/// Everything that the state has of one address.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay state show --format json, version 1")]
pub struct StateShow<'a> {
    format_version: FormatVersion,
    address: &'a Address,
    /// As in a state file; null when the state has only replaced environments of the address.
    record: Option<&'a Record>,
    deposed: Vec<&'a Record>,
    #[serde(skip)]
    keys: Vec<&'a InstanceKey>,
}

impl View for StateView<'_> {
    fn json(&self) -> String {
        let bytes = self.state.map(|state| encode_state(state).unwrap_or_default());
        bytes.map_or_else(|| "null\n".to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn text(&self, options: RenderOptions) -> String {
        let Some(state) = self.state else {
            return options.in_lang(NO_STATE) + "\n";
        };
        let account = state.account.as_ref().map_or_else(|| Text::same("-"), account);
        let n = state.current().count();
        let all = count(n, "environment", "environments");
        let all = options.strong(text!("{all}", all; n));
        let deposed = and_deposed(state.deposed().count());
        let (serial, lineage) = (state.serial, state.lineage);
        let mut lines = Lines::new(options);
        lines.add(text!(
            "{all}{deposed}, serial {serial}, lineage {lineage}, created at {account}",
            all,
            deposed,
            serial,
            lineage,
            account
        ));
        let head = lines.wrap(4);
        if state.environments.is_empty() {
            return head;
        }
        let headers = [
            options.in_lang(text!("ADDRESS")),
            options.in_lang(text!("STATUS")),
            "TRAN_ID".to_owned(),
            "ENV_ID".to_owned(),
            options.in_lang(text!("ORDERED_AT")),
            options.in_lang(text!("SOURCE")),
        ];
        let rows = state.environments.iter().map(|(key, record)| {
            [
                // The EnvId has a column of its own.
                options.in_lang(name(&key.address, key.is_deposed())),
                options.in_lang(record_label(record)),
                id(record.tran_id.as_ref()),
                id(record.env_id.as_ref()),
                format!("{:.0}", record.ordered_at),
                clean(&record.source.to_string()).into_owned(),
            ]
        });
        format!("{head}\n{}", table(&headers, &rows.collect::<Vec<_>>(), options))
    }

    fn report(&self, lang: Lang) -> Option<Report> {
        let mut report = Report::new(Kind::State, &self.diagnostics, lang);
        let mut provenance = self.provenance.clone();
        let summary = match self.state {
            None => NO_STATE,
            Some(state) => {
                for (key, record) in &state.environments {
                    report.findings.extend(finding(&key.address, record, report.entries.len(), lang));
                    report.entries.push(entry(key, record, lang));
                }
                if report.findings.iter().any(|finding| finding.entry.is_some()) {
                    report.tone = report.tone.min(Tone::Change);
                }
                provenance.account.clone_from(&state.account);
                report.add_fact(&text!("serial"), &state.serial);
                report.add_fact(&text!("lineage"), &state.lineage);
                let n = report.entries.len();
                let all = count(n, "environment", "environments");
                text!("{all} in the state.", all; n)
            }
        };
        report.summary = vec![summary.in_lang(lang).to_owned()];
        Some(report.finish(&provenance))
    }
}

const NO_STATE: Text = text!("No state: nothing has been created yet.");

fn id(id: Option<&String>) -> String {
    id.map_or_else(|| "-".to_owned(), |id| clean(id).into_owned())
}

/// Returns what a person has to settle.
fn finding(address: &Address, record: &Record, entry: usize, lang: Lang) -> Option<Finding> {
    let message = match record.status {
        Status::Unknown => text!("it is unknown whether `{address}` was created", address),
        Status::Destroying => text!("it is unknown whether `{address}` was destroyed", address),
        Status::Created | Status::AwaitingEnvId | Status::Isolated => return None,
    };
    Some(Finding {
        level: Level::Warning,
        code: "outcome-unknown",
        message: message.in_lang(lang).to_owned(),
        help: vec![format!("`postpay resolve {address}`")],
        place: Some(Place::from(&record.source)),
        entry: Some(entry),
    })
}

fn entry(key: &InstanceKey, record: &Record, lang: Lang) -> Entry {
    let mut rows = fields::values(&record.attributes);
    let values = values(record).into_iter().filter(|(name, _)| *name != DECLARED_AT);
    let values = values.filter_map(|(name, value)| Some((name, value?)));
    rows.extend(values.map(|(name, value)| Row { name: name.to_owned(), value: Value::Word(value) }));
    let (mark, tone) = match record.status {
        Status::Created => ("✓", Tone::Good),
        Status::AwaitingEnvId | Status::Isolated => ("~", Tone::Change),
        Status::Unknown | Status::Destroying => ("?", Tone::Bad),
    };
    Entry {
        name: name(&key.address, key.is_deposed()).in_lang(lang).to_owned(),
        action: Label::new(record.status.name(), &status_label(record.status), lang),
        mark,
        tone,
        place: Some(Place::from(&record.source)),
        fields: rows,
        remarks: match record.origin {
            Origin::Ordered => Vec::new(),
            Origin::Imported => {
                vec![text!("It was imported, not created by postpay.").in_lang(lang).to_owned()]
            }
        },
        ..Entry::default()
    }
}

const DECLARED_AT: &str = "declared_at";

/// Returns what the state has of an environment besides its attributes.
fn values(record: &Record) -> [(&'static str, Option<String>); 9] {
    let created_at = match record.origin {
        Origin::Ordered => "ordered_at",
        Origin::Imported => "imported_at",
    };
    [
        ("env_id", record.env_id.clone()),
        ("tran_id", record.tran_id.clone()),
        ("request_id", record.request_id.clone()),
        ("origin", Some(record.origin.name().to_owned())),
        (created_at, Some(format!("{:.0}", record.ordered_at))),
        ("run", Some(record.run.to_string())),
        // Of the run that wrote the record; the attribute of this name is another thing.
        (DECLARED_AT, Some(record.source.to_string())),
        ("region", record.region.clone()),
        ("prevent_destroy", Some(record.prevent_destroy.to_string())),
    ]
}

impl<'a> StateList<'a> {
    pub fn new(records: &[(&'a InstanceKey, &'a Record)]) -> Self {
        let environments = records.iter().map(|(key, record)| Listed {
            address: &key.address,
            status: record.status,
            env_id: record.env_id.as_deref(),
            tran_id: record.tran_id.as_deref(),
            deposed: key.is_deposed(),
        });
        let keys = records.iter().map(|(key, _)| *key).collect();
        Self { format_version: FormatVersion, environments: environments.collect(), keys }
    }
}

impl View for StateList<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    /// One address per line, for other programs.
    fn text(&self, _: RenderOptions) -> String {
        self.keys.iter().fold(String::new(), |text, key| text + &clean(&key.to_string()) + "\n")
    }
}

impl<'a> StateShow<'a> {
    pub fn new(
        address: &'a Address,
        record: Option<&'a Record>,
        deposed: &[(&'a InstanceKey, &'a Record)],
    ) -> Self {
        let (keys, deposed) = deposed.iter().copied().unzip();
        Self { format_version: FormatVersion, address, record, deposed, keys }
    }
}

impl View for StateShow<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        let current = self.record.map(|record| {
            let (address, status) = (self.address, record_label(record));
            let title = options.strong(text!("{address} ({status})", address, status));
            format!("{title}\n{}", render_fields(record))
        });
        let deposed = self.keys.iter().zip(&self.deposed).map(|(key, record)| {
            let title = options.strong(clean_text(*key));
            let (status, at) = (record_label(record), record.deposed_at.unwrap_or(record.ordered_at));
            let status = options.in_lang(text!("{status}, replaced {at}", status, at = format!("{at:.0}")));
            format!("{title}\n  {status}\n{}", render_fields(record))
        });
        current.into_iter().chain(deposed).collect::<Vec<_>>().join("\n")
    }
}

fn render_fields(record: &Record) -> String {
    let mut text = String::new();
    for (name, value) in values(record) {
        let indent = if name == DECLARED_AT { 4 } else { 2 };
        if name != "request_id" || value.is_some() {
            let _ = writeln!(text, "{:indent$}{name:<1$} {2}", "", 18 - indent, id(value.as_ref()));
        }
    }
    for (field, value) in record.attributes.iter() {
        let _ = writeln!(text, "    {:<14} \"{}\"", field.name, clean(&value.to_string()));
    }
    text
}
