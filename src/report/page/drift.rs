//! What does not agree as a page, an entry a finding.

use super::{Entry, Finding, Kind, Level, Page, Place, Tone, version};
use crate::diagnostic::Diagnostic;
use crate::drift::{self, Code, Drift, Standing};
use crate::i18n::{Lang, Text, text};
use crate::report::fields::{Row, Value};
use crate::report::human::{self, Look};

/// Everything that does not agree, and the warnings before it.
pub fn drift(drift: &Drift, told: &[Diagnostic], lang: Lang) -> Page {
    let mut findings: Vec<Finding> = told.iter().map(|one| Finding::of(one, lang)).collect();
    let mut entries = Vec::with_capacity(drift.findings.len());
    for one in &drift.findings {
        findings.push(finding(one, Some(entries.len()), lang));
        entries.push(entry(one, lang));
    }
    let look = Look { lang, ..Look::PLAIN };
    let account = match drift.seen {
        Some(seen) => seen.to_string(),
        None => text!("not read").in_lang(lang).to_owned(),
    };
    Page {
        kind: Kind::Drift,
        lang,
        tone: drift.findings.iter().map(tone_of).min().map_or(Tone::Good, |tone| tone.min(Tone::Good)),
        summary: vec![human::drift::summary(drift, look)],
        findings,
        entries,
        requests: Vec::new(),
        took: None,
        facts: vec![
            ("declared", drift.declared.to_string()),
            ("recorded", drift.recorded.to_string()),
            ("listed", account),
            version(),
        ],
    }
    .sorted()
}

/// What may cost money, data or an environment that somebody relies on is bad; the rest is a difference.
const fn tone(code: Code) -> Tone {
    match code {
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

/// Only what counts as drift is anything but plain.
pub(super) fn tone_of(one: &drift::Finding) -> Tone {
    match one.standing {
        Standing::Counts => tone(one.code),
        Standing::Info | Standing::Ignored { .. } => Tone::Plain,
    }
}

fn name(one: &drift::Finding) -> String {
    let name = match (&one.address, &one.env_id) {
        (Some(address), _) => address.to_string(),
        (None, Some(env_id)) => env_id.clone(),
        (None, None) => one.code.name().to_owned(),
    };
    if one.deposed { format!("{name} (deposed)") } else { name }
}

fn entry(one: &drift::Finding, lang: Lang) -> Entry {
    let drift::Finding { code, address, deposed: _, env_id, expected, found, source, standing, next: _ } =
        one;
    let id = env_id.clone().filter(|_| address.is_some());
    let id = id.map(Text::same);
    let rows = [(text!("expected"), expected), (text!("found"), found), (Text::same("env_id"), &id)];
    let mark = match standing {
        Standing::Counts => "!",
        Standing::Info | Standing::Ignored { .. } => " ",
    };
    Entry {
        name: name(one),
        action: code.name(),
        mark,
        tone: tone_of(one),
        reason: match standing {
            Standing::Counts => "counts",
            Standing::Info => "info",
            Standing::Ignored { .. } => "ignored",
        },
        place: source.as_ref().map(Place::from),
        fields: rows
            .into_iter()
            .filter_map(|(name, value)| {
                Some(Row {
                    name: name.in_lang(lang).to_owned(),
                    value: Value::Word(value.as_ref()?.in_lang(lang).to_owned()),
                })
            })
            .collect(),
        remarks: std::iter::once(code.about())
            .chain(remarks(one))
            .map(|line| line.in_lang(lang).to_owned())
            .collect(),
        quiet: false,
        skipped: None,
        commit: None,
        calls: Vec::new(),
    }
}

/// What is nothing but a command, marked as one.
fn typed(next: &str) -> String {
    if next.starts_with("postpay ") && !next.contains('`') { format!("`{next}`") } else { next.to_owned() }
}

/// Why it does not count, and what to do.
fn remarks(one: &drift::Finding) -> Vec<Text> {
    let why = match &one.standing {
        Standing::Counts => None,
        Standing::Info if one.code == Code::Unmanaged => Some(text!("not counted without --strict")),
        Standing::Info => Some(text!("not counted")),
        Standing::Ignored { reason } => Some(text!("ignored: {reason}", reason)),
    };
    let next = one.next.map(typed);
    let next = text!("next: {next}", next);
    why.into_iter().chain([next]).collect()
}

pub(super) fn finding(one: &drift::Finding, entry: Option<usize>, lang: Lang) -> Finding {
    let drift::Finding { code, address, deposed: _, env_id, expected, found, source, standing: _, next: _ } =
        one;
    let env_id = env_id.as_ref().filter(|_| address.is_some());
    let env_id = env_id.map(|id| text!("EnvId: `{id}`", id));
    let expected = expected.as_ref().map(|value| text!("expected: {value}", value));
    let found = found.as_ref().map(|value| text!("found: {value}", value));
    let (name, about) = (name(one), code.about());
    let message = text!("`{name}`: {about}", name, about);
    Finding {
        level: match tone_of(one) {
            Tone::Bad => Level::Error,
            Tone::Change | Tone::Good => Level::Warning,
            Tone::Plain => Level::Note,
        },
        code: code.name(),
        message: message.in_lang(lang).to_owned(),
        help: expected
            .into_iter()
            .chain(found)
            .chain(env_id)
            .chain(remarks(one))
            .map(|line| line.in_lang(lang).to_owned())
            .collect(),
        place: source.as_ref().map(Place::from),
        entry,
    }
}
