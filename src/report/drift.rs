//! `drift`: where manifests, state and account differ.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{View, to_json};
use super::fields::{Row, Value};
use super::lines::Lines;
use super::options::RenderOptions;
use super::place::Place;
use super::text::{clean, clean_text, count, name};
use super::view::{Entry, Finding, Kind, Label, Level, Provenance, Report, Tone, in_lang};
use crate::diagnostic::Diagnostic;
use crate::drift::{self, Code, Drift, Standing};
use crate::i18n::{Lang, Text, text};
use crate::state::FormatVersion;

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay drift --format json, version 1")]
pub struct DriftView<'a> {
    format_version: FormatVersion,
    /// Something counts: the exit code is 2.
    drift: bool,
    summary: Summary,
    findings: Vec<FindingView<'a>>,
    #[serde(flatten)]
    provenance: Provenance,
    #[serde(skip)]
    diagnostics: Vec<Diagnostic>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Summary {
    counted: usize,
    not_counted: usize,
    ignored: usize,
    /// Environments in the manifests.
    declared: usize,
    /// Environments in the state.
    in_state: usize,
    /// Environments in the account; null when it was not read.
    in_account: Option<usize>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DriftFinding")]
struct FindingView<'a> {
    #[serde(flatten)]
    finding: &'a drift::Finding,
    /// What the code means.
    about: Text,
}

impl<'a> DriftView<'a> {
    pub fn new(drift: &'a Drift, diagnostics: Vec<Diagnostic>, provenance: Provenance) -> Self {
        let Drift { findings, declared, recorded, seen } = drift;
        let n = |standing| findings.iter().filter(|finding| finding.standing == standing).count();
        let findings = findings.iter().map(|finding| FindingView { finding, about: finding.code.about() });
        Self {
            format_version: FormatVersion,
            drift: drift.is_drift(),
            summary: Summary {
                counted: n(Standing::Counted),
                not_counted: n(Standing::NotCounted),
                ignored: n(Standing::Ignored),
                declared: *declared,
                in_state: *recorded,
                in_account: *seen,
            },
            findings: findings.collect(),
            provenance,
            diagnostics,
        }
    }

    fn summary(&self, options: RenderOptions) -> String {
        let Summary { counted, not_counted, ignored, declared, in_state, in_account } = self.summary;
        let account = match in_account {
            Some(n) => text!("{n} in the account", n),
            None => text!("account not read"),
        };
        let compared =
            text!("{declared} declared, {in_state} in the state, {account}", declared, in_state, account);
        let others = match not_counted + ignored {
            0 => Text::same(""),
            n => {
                let findings = count(n, "finding is", "findings are");
                text!(" {findings} not counted.", findings; n)
            }
        };
        if counted == 0 {
            let head = options.good(text!("No drift."));
            options.in_lang(text!("{head} {compared}.{others}", head, compared, others))
        } else {
            let found = count(counted, "finding", "findings");
            let head = options.bad(text!("Drift:"));
            options
                .in_lang(text!("{head} {found}. {compared}.{others}", head, found, compared, others; counted))
        }
    }
}

impl View for DriftView<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        let findings = self.findings.iter().map(|it| render_finding(it.finding, options));
        findings.collect::<String>() + &self.summary(options) + "\n"
    }

    fn report(&self, lang: Lang) -> Option<Report> {
        let mut report = Report::new(Kind::Drift, &self.diagnostics, lang);
        for FindingView { finding, .. } in &self.findings {
            report.findings.push(report_finding(finding, Some(report.entries.len()), lang));
            report.entries.push(entry(finding, lang));
        }
        let Summary { declared, in_state, in_account, .. } = self.summary;
        let in_account = in_account.map(|n| Text::same(n.to_string())).unwrap_or(text!("not read"));
        report.tone = report
            .entries
            .iter()
            .map(|entry| entry.tone)
            .min()
            .map_or(Tone::Good, |tone| tone.min(Tone::Good));
        report.summary = vec![self.summary(RenderOptions { lang, ..RenderOptions::PLAIN })];
        report.add_fact(&text!("declared"), &declared);
        report.add_fact(&text!("in the state"), &in_state);
        report.add_fact(&text!("in the account"), &in_account.in_lang(lang));
        Some(report.finish(&self.provenance))
    }
}

/// Returns a finding as text, with a blank line behind it.
pub(super) fn render_finding(finding: &drift::Finding, options: RenderOptions) -> String {
    let code = match finding.standing {
        Standing::Counted => options.bad(finding.code.name()),
        Standing::NotCounted | Standing::Ignored => options.change(finding.code.name()),
    };
    let what = match (&finding.address, &finding.env_id) {
        (Some(address), _) => options.strong(address),
        (None, env_id) => options.strong(clean(env_id.as_deref().unwrap_or_default())),
    };
    let deposed = if finding.deposed { text!(" (deposed)") } else { Text::same("") };
    let source = finding.source.as_ref().map(|source| clean(&source.to_string()).into_owned());
    let source = source.map_or(String::new(), |source| format!("  {}", options.faint(source)));
    let about = finding.code.about();
    let mut lines = Lines::new(options);
    lines.add(text!("{code}  {what}{deposed}: {about}{source}", code, what, deposed, about, source));
    let next = (text!("next"), Some(finding.next.clone()));
    let reason = (text!("ignored"), finding.reason.clone());
    for (name, value) in values(finding).into_iter().chain([reason, next]) {
        if let Some(value) = value {
            lines.row(6, name, 10, clean_text(&value));
        }
    }
    lines.blank();
    lines.finish()
}

fn values(finding: &drift::Finding) -> [(Text, Option<Text>); 3] {
    let env_id = finding.env_id.clone().filter(|_| finding.address.is_some());
    [
        (text!("expected"), finding.expected.clone()),
        (text!("found"), finding.found.clone()),
        (Text::same("env_id"), env_id.map(Text::same)),
    ]
}

/// Returns how bad a finding is. What may cost money, data or an environment in use is bad; only what counts is not plain.
pub(super) fn tone(finding: &drift::Finding) -> Tone {
    match finding.code {
        _ if finding.standing != Standing::Counted => Tone::Plain,
        Code::OutcomeUnknown
        | Code::Gone
        | Code::Isolated
        | Code::InUseAgain
        | Code::ErrorStatus
        | Code::PayModeChanged
        | Code::ExpiresSoon
        | Code::PossibleDuplicate => Tone::Bad,
        Code::NotOrdered
        | Code::Changed
        | Code::NotDeclared
        | Code::NotApplied
        | Code::AwaitingEnvId
        | Code::NotListed
        | Code::AliasChanged
        | Code::SourceChanged
        | Code::PackageChanged
        | Code::OverrunChanged
        | Code::RenewalChanged
        | Code::TagsChanged
        | Code::ChannelChanged
        | Code::Unmanaged => Tone::Change,
    }
}

fn title(finding: &drift::Finding) -> Text {
    match (&finding.address, &finding.env_id) {
        (Some(address), _) => name(address, finding.deposed),
        (None, Some(env_id)) => Text::same(env_id.clone()),
        (None, None) => Text::same(finding.code.name()),
    }
}

fn entry(finding: &drift::Finding, lang: Lang) -> Entry {
    let rows = values(finding).into_iter().filter_map(|(name, value)| {
        Some(Row { name: name.in_lang(lang).to_owned(), value: Value::Word(value?.in_lang(lang).to_owned()) })
    });
    let outcome = match finding.standing {
        Standing::Counted => text!("counted"),
        Standing::NotCounted => text!("not counted"),
        Standing::Ignored => text!("ignored"),
    };
    Entry {
        name: title(finding).in_lang(lang).to_owned(),
        action: Label::new(finding.code.name(), &Text::same(finding.code.name()), lang),
        outcome: Some(Label::new(finding.standing.name(), &outcome, lang)),
        mark: if finding.standing == Standing::Counted { "!" } else { " " },
        tone: tone(finding),
        place: finding.source.as_ref().map(Place::from),
        fields: rows.collect(),
        remarks: in_lang(std::iter::once(&finding.code.about()).chain(&remarks(finding)), lang),
        ..Entry::default()
    }
}

/// Returns why a finding does not count, and what to do.
fn remarks(finding: &drift::Finding) -> Vec<Text> {
    let why = match (finding.standing, &finding.reason) {
        (Standing::Counted, _) => None,
        (Standing::NotCounted, _) if finding.code == Code::Unmanaged => {
            Some(text!("not counted without --strict"))
        }
        (Standing::NotCounted, _) => Some(text!("not counted")),
        (Standing::Ignored, reason) => {
            let reason = reason.clone().unwrap_or_default();
            Some(text!("ignored: {reason}", reason))
        }
    };
    let is_command = |text: &str| text.starts_with("postpay ") && !text.contains('`');
    let next = finding.next.map(|it| if is_command(it) { format!("`{it}`") } else { it.to_owned() });
    why.into_iter().chain([text!("next: {next}", next)]).collect()
}

pub(super) fn report_finding(finding: &drift::Finding, entry: Option<usize>, lang: Lang) -> Finding {
    let [(_, expected), (_, found), (_, env_id)] = values(finding);
    let expected = expected.map(|value| text!("expected: {value}", value));
    let found = found.map(|value| text!("found: {value}", value));
    let env_id = env_id.map(|id| text!("EnvId: `{id}`", id));
    let (name, about) = (title(finding), finding.code.about());
    let help: Vec<Text> = expected.into_iter().chain(found).chain(env_id).chain(remarks(finding)).collect();
    Finding {
        level: match tone(finding) {
            Tone::Bad => Level::Error,
            Tone::Change | Tone::Good => Level::Warning,
            Tone::Plain => Level::Note,
        },
        code: finding.code.name(),
        message: text!("`{name}`: {about}", name, about).in_lang(lang).to_owned(),
        help: in_lang(&help, lang),
        place: finding.source.as_ref().map(Place::from),
        entry,
    }
}
