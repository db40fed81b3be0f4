//! What every report that is looked at, commented or annotated with has in common: a verdict, what there is to mind, and
//! an entry for everything that it is about.
//!
//! A kind of report (a plan, a run, a check) is turned into a [`Page`] once, and every format shows any page. So another
//! kind is one more function that makes a page, and another format one more function that shows one. Text and JSON are
//! not made of it: they say more, each of its own kind.
//!
//! Texts in a page are as they came, from manifests and from Tencent Cloud: each format escapes them for where they go.

mod drift;
pub(in crate::report) mod labels;
mod place;
mod plan;
mod run;
mod state;
mod validation;

use std::time::Duration;

pub use drift::drift;
pub use place::{Columns, Place, from_root};
pub use plan::plan;
pub use run::run;
pub use state::state;
pub use validation::{failure, validation};

use crate::apply::Call;
use crate::diagnostic::{Diagnostic, Severity};
use crate::i18n::Lang;
use crate::report::fields;
use crate::state::Account;

/// One report, whatever it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub kind: Kind,
    /// The language that it is written in.
    pub lang: Lang,
    pub tone: Tone,
    /// The closing lines of the text, the first of which says it all.
    pub summary: Vec<String>,
    /// Warnings and what the entries ask for, the worst first.
    pub findings: Vec<Finding>,
    pub entries: Vec<Entry>,
    /// The requests that are to be made, in sending order.
    pub requests: Vec<Request>,
    /// How long the run took; None for what is no run.
    pub took: Option<Duration>,
    /// What it was made of and by, as name and value.
    pub facts: Vec<(&'static str, String)>,
}

/// What surrounds a page: nothing that it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setting {
    /// Tells several reports of one kind apart, where a comment is replaced by its marker.
    pub key: Option<String>,
    /// A file that holds all of it, for a format that leaves something out.
    pub rest: Option<String>,
    /// The folder that paths are meant from, below the root of the repository; empty when it is the root.
    pub folder: String,
}

/// What a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Plan,
    Apply,
    Drift,
    Validate,
    State,
}

impl Kind {
    /// The command that makes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Drift => "drift",
            Self::Validate => "validate",
            Self::State => "show",
        }
    }
}

/// How good or bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tone {
    Bad,
    Change,
    Good,
    Plain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Error,
    Warning,
    Note,
}

impl Level {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Something that a person has to know.
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

/// One environment of a plan or a run, or one file of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    /// The plan's word, by which entries are filtered.
    pub action: &'static str,
    /// `+`, `~`, `-` and the like.
    pub mark: &'static str,
    pub tone: Tone,
    /// Why it is what it is, or what became of it.
    pub reason: &'static str,
    pub place: Option<Place>,
    pub(in crate::report) fields: Vec<fields::Row>,
    /// Sentences, a line each.
    pub remarks: Vec<String>,
    /// There is nothing to see: it is as declared.
    pub quiet: bool,
    /// Why nothing can be said of it yet.
    pub skipped: Option<String>,
    /// The commit that last touched the line that declares it.
    pub commit: Option<String>,
    /// The requests that were made for it.
    pub calls: Vec<Call>,
}

/// A request that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What it is made for.
    pub name: String,
    /// Headers and body, secrets left out.
    pub text: String,
}

impl Finding {
    fn of(diagnostic: &Diagnostic, lang: Lang) -> Self {
        let Diagnostic { code, severity, message, labels, help } = diagnostic;
        Self {
            level: match severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warning,
            },
            code,
            message: message.in_lang(lang).to_owned(),
            help: help.iter().map(|line| line.in_lang(lang).to_owned()).collect(),
            place: labels.first().map(|label| Place::from(&label.span)),
            entry: None,
        }
    }
}

impl Page {
    /// With what is worst first, and otherwise as it came.
    fn sorted(mut self) -> Self {
        self.findings.sort_by_key(|finding| finding.level);
        self
    }

    /// The findings that no entry says in full.
    pub(in crate::report) fn apart(&self) -> impl Iterator<Item = &Finding> {
        let said_by_entries = match self.kind {
            Kind::Drift => true,
            Kind::Plan | Kind::Apply | Kind::Validate | Kind::State => false,
        };
        self.findings.iter().filter(move |finding| !(said_by_entries && finding.entry.is_some()))
    }

    /// How many entries each action has, in the order in which they first come.
    pub(in crate::report) fn actions(&self) -> Vec<(&'static str, usize)> {
        let mut counts: Vec<(&'static str, usize)> = Vec::new();
        for entry in &self.entries {
            match counts.iter_mut().find(|(name, _)| *name == entry.action) {
                Some((_, n)) => *n += 1,
                None => counts.push((entry.action, 1)),
            }
        }
        counts
    }
}

/// Where it is, and whose it is, as far as that is known.
fn of_account(account: &Account) -> Vec<(&'static str, String)> {
    let Account { endpoint, uin } = account.clone();
    let mut facts = vec![("endpoint", endpoint)];
    facts.extend(uin.map(|uin| ("account", uin)));
    facts
}

/// Which version of postpay made it.
fn version() -> (&'static str, String) {
    ("postpay", env!("CARGO_PKG_VERSION").to_owned())
}

#[cfg(test)]
pub(in crate::report) mod tests;
