//! What Markdown, HTML, SARIF, JUnit and GitHub show: a verdict, findings, an entry for everything that the report is about,
//! requests and facts. The words are in it, in the reader's language; a renderer adds markup.
//!
//! Texts are as they came from manifests and from Tencent Cloud: each renderer escapes them.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::fields::{Row, Value};
use super::place::{Place, from_root};
use super::text::clean;
use crate::apply::{Call, CallKind};
use crate::diagnostic::{Diagnostic, Severity};
use crate::i18n::{Lang, Text, text};
use crate::plan::GitFacts;
use crate::state::Account;

/// A report of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub kind: Kind,
    /// The language of its words.
    pub lang: Lang,
    pub tone: Tone,
    /// The closing lines of the text, the most important one first.
    pub summary: Vec<String>,
    /// The worst first.
    pub findings: Vec<Finding>,
    pub entries: Vec<Entry>,
    /// The requests that will be sent, in sending order.
    pub requests: Vec<Request>,
    /// How long the run took; None for other reports.
    pub took: Option<Duration>,
    /// What it was made from, by whom and when, as names and values.
    pub facts: Vec<(String, String)>,
    /// The environments are in an account that the console shows.
    pub in_console: bool,
}

/// What surrounds a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Tells several reports of one kind apart, where a comment is replaced by its marker.
    pub key: Option<String>,
    /// A file that has everything, for a format that omits something.
    pub complete: Option<String>,
    /// The folder that paths are relative to, below the root of the repository; empty for the root itself.
    pub folder: String,
}

/// Where, when and from what a report was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Provenance {
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub created_at: Option<Timestamp>,
    /// Null while it is not known.
    pub account: Option<Account>,
    /// The commit of the manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<GitFacts>,
}

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Plan,
    Apply,
    Drift,
    Validate,
    State,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tone {
    Bad,
    Change,
    Good,
    #[default]
    Plain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Error,
    Warning,
    Note,
}

/// Something that a person needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub level: Level,
    /// Stable and searchable.
    pub code: &'static str,
    /// One line without a full stop.
    pub message: String,
    /// What to do next, a line each.
    pub help: Vec<String>,
    pub place: Option<Place>,
    /// The entry that it is about.
    pub entry: Option<usize>,
}

/// One environment of a plan, a run, a state or a drift, or one file of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    /// What entries are filtered by.
    pub action: Label,
    /// How it ended, where entries are filtered by that too.
    pub outcome: Option<Label>,
    /// Why, where the action alone does not tell.
    pub reason: Option<String>,
    /// `+`, `~`, `-` and the like.
    pub mark: &'static str,
    pub tone: Tone,
    pub place: Option<Place>,
    pub fields: Vec<Row>,
    /// Sentences, a line each.
    pub remarks: Vec<String>,
    /// It is unchanged.
    pub quiet: bool,
    /// Why it has no result.
    pub skipped: Option<String>,
    /// The commit that last touched the line that declares it.
    pub commit: Option<String>,
    /// The requests that were made for it.
    pub calls: Vec<Call>,
}

/// A word of a report: its name for programs, and its text for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Label {
    pub name: &'static str,
    pub text: String,
}

/// A request that will be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub name: String,
    /// Headers and body, without secrets.
    pub text: String,
}

impl Kind {
    /// Returns the command that makes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Drift => "drift",
            Self::Validate => "validate",
            Self::State => "show",
        }
    }

    /// Returns what its entries are.
    pub(super) const fn entries(self) -> Text {
        match self {
            Self::Plan | Self::Apply | Self::State => text!("Environments"),
            Self::Drift => text!("Drift"),
            Self::Validate => text!("Files"),
        }
    }

    /// Returns the names of the two groups by which entries are filtered.
    pub(super) const fn groups(self) -> (Text, Text) {
        match self {
            Self::Plan | Self::Apply => (text!("Action"), text!("Outcome")),
            Self::Drift => (text!("What"), text!("Counted")),
            Self::Validate => (text!("Result"), text!("Outcome")),
            Self::State => (text!("Status"), text!("Outcome")),
        }
    }

    /// Returns the command that shows everything.
    pub(super) const fn complete_command(self) -> &'static str {
        match self {
            Self::Plan => "`postpay plan`",
            Self::Apply => "`postpay history`",
            Self::Drift => "`postpay drift`",
            Self::Validate => "`postpay validate`",
            Self::State => "`postpay show`",
        }
    }
}

impl Tone {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Change => "change",
            Self::Good => "good",
            Self::Plain => "plain",
        }
    }

    pub(super) const fn label(self) -> Text {
        match self {
            Self::Bad => text!("needs attention"),
            Self::Change => text!("review"),
            Self::Good | Self::Plain => text!("OK"),
        }
    }
}

impl Level {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }

    pub(super) const fn label(self) -> Text {
        match self {
            Self::Error => text!("error"),
            Self::Warning => text!("warning"),
            Self::Note => text!("note"),
        }
    }
}

/// Returns what became of a request.
pub(super) const fn call_label(kind: CallKind) -> Text {
    match kind {
        CallKind::Taken => text!("accepted"),
        CallKind::Throttled => text!("throttled"),
        CallKind::NotSent => text!("not sent"),
        CallKind::Refused => text!("rejected"),
        CallKind::Unknown => text!("unknown"),
    }
}

impl Label {
    pub(super) fn new(name: &'static str, text: &Text, lang: Lang) -> Self {
        Self { name, text: text.in_lang(lang).to_owned() }
    }
}

impl Context {
    /// Returns the file of a place as it is named from the root of the repository.
    pub(super) fn in_repository(&self, place: &Place) -> String {
        from_root(&place.file, &self.folder)
    }
}

impl Finding {
    pub(super) fn new(diagnostic: &Diagnostic, lang: Lang) -> Self {
        let Diagnostic { code, severity, message, labels, help } = diagnostic;
        Self {
            level: match severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warning,
            },
            code,
            message: message.in_lang(lang).to_owned(),
            help: in_lang(help, lang),
            place: labels.first().map(|label| Place::from(&label.span)),
            entry: None,
        }
    }

    /// Returns `error[code]: message`, the place and the help, a line each.
    pub(super) fn to_text(&self) -> String {
        let head = format!("{}[{}]: {}", self.level.name(), self.code, self.message);
        let place = self.place.iter().map(|place| format!("  at {place}"));
        let help = self.help.iter().map(|line| format!("  {line}"));
        std::iter::once(head).chain(place).chain(help).collect::<Vec<_>>().join("\n")
    }
}

impl Report {
    /// A report without entries, with the diagnostics as findings.
    pub(super) fn new(kind: Kind, diagnostics: &[Diagnostic], lang: Lang) -> Self {
        let findings: Vec<Finding> = diagnostics.iter().map(|it| Finding::new(it, lang)).collect();
        Self {
            kind,
            lang,
            tone: match findings.iter().map(|finding| finding.level).min() {
                Some(Level::Error) => Tone::Bad,
                Some(Level::Warning) => Tone::Change,
                Some(Level::Note) | None => Tone::Good,
            },
            summary: Vec::new(),
            findings,
            entries: Vec::new(),
            requests: Vec::new(),
            took: None,
            facts: Vec::new(),
            in_console: false,
        }
    }

    pub(super) fn add_fact(&mut self, name: &Text, value: &dyn ToString) {
        self.facts.push((name.in_lang(self.lang).to_owned(), value.to_string()));
    }

    /// Sorts the findings, and adds the facts that every report has.
    pub(super) fn finish(mut self, provenance: &Provenance) -> Self {
        self.findings.sort_by_key(|finding| finding.level);
        let Provenance { created_at, account, git } = provenance;
        let mut facts = std::mem::take(&mut self.facts);
        if let Some(at) = created_at {
            self.add_fact(&text!("created at"), &format!("{at:.0}"));
        }
        if let Some(Account { endpoint, uin }) = account {
            self.in_console = endpoint != Account::SANDBOX;
            self.add_fact(&text!("endpoint"), endpoint);
            if let Some(uin) = uin {
                self.add_fact(&text!("account"), uin);
            }
        }
        if let Some(GitFacts { commit, author, dirty, touched: _ }) = git {
            let commit = short_commit(commit);
            let dirty = if *dirty { "+dirty" } else { "" };
            let author = author.as_ref().map_or(Text::same(""), |author| text!(" by {author}", author));
            let value = format!("{commit}{dirty}{}", author.in_lang(self.lang));
            self.add_fact(&text!("commit"), &value);
        }
        self.facts.append(&mut facts);
        self.add_fact(&Text::same("postpay"), &env!("CARGO_PKG_VERSION"));
        self
    }

    /// Returns the findings that no entry shows in full.
    pub(super) fn own_findings(&self) -> impl Iterator<Item = &Finding> {
        let is_in_entries = self.kind == Kind::Drift;
        self.findings.iter().filter(move |finding| !(is_in_entries && finding.entry.is_some()))
    }

    /// Returns the labels that occur, each with its first entry and their number, in the order in which they first occur.
    pub(super) fn count_labels<'a>(
        &'a self,
        label: impl Fn(&'a Entry) -> Option<&'a Label>,
    ) -> Vec<(&'a Label, &'a Entry, usize)> {
        let mut counts: Vec<(&Label, &Entry, usize)> = Vec::new();
        for (entry, label) in self.entries.iter().filter_map(|entry| Some((entry, label(entry)?))) {
            match counts.iter_mut().find(|(known, ..)| known.name == label.name) {
                Some((.., n)) => *n += 1,
                None => counts.push((label, entry, 1)),
            }
        }
        counts
    }

    /// Returns the page of the console about an environment, for a field that is its id.
    pub(super) fn console_url(&self, row: &Row) -> Option<String> {
        match &row.value {
            Value::Word(env_id) if self.in_console && row.name == "env_id" => console_url(env_id),
            Value::Text(_) | Value::Word(_) | Value::KnownAfter | Value::Changed(..) | Value::Becomes(..) => {
                None
            }
        }
    }
}

/// Returns the page of the console about an environment; None for an id that is no part of a URL.
pub(super) fn console_url(env_id: &str) -> Option<String> {
    let is_plain = !env_id.is_empty() && env_id.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
    is_plain.then(|| format!("https://tcb.cloud.tencent.com/dev?envId={env_id}"))
}

/// Returns as much of a commit as tells commits apart.
pub(super) fn short_commit(commit: &str) -> String {
    clean(commit).chars().take(12).collect()
}

/// Returns texts in the language of a report.
pub(super) fn in_lang<'a>(texts: impl IntoIterator<Item = &'a Text>, lang: Lang) -> Vec<String> {
    texts.into_iter().map(|text| text.in_lang(lang).to_owned()).collect()
}
