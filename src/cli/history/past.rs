//! What happened so far, from the receipts and the open run.

use crate::check::near::nearest;
use crate::cli::error::{Exit, Failure};
use crate::diagnostic::Diagnostic;
use crate::i18n::text;
use crate::model::Address;
use crate::report::verify::{describe_notice, describe_problem};
use crate::state::State;
use crate::state::StateStore;
use crate::state::history::{Filter, HistoryEvent, history};
use crate::state::journal::Journal;
use crate::state::verify::{Kept, Notice, Problem, read_all, verify};

/// The events of all runs, and the problems that keep them from being complete.
pub(super) struct Past {
    pub events: Vec<HistoryEvent>,
    pub state: Option<State>,
    /// Why events may be missing.
    pub problems: Vec<Diagnostic>,
    pub notices: Vec<Diagnostic>,
}

impl Past {
    pub(super) fn load(store: &dyn StateStore) -> Result<Self, Failure> {
        let Kept { state, journal, receipts, .. } = read_all(store)?;
        let (state, journal) = (state.ok().flatten(), journal.ok().flatten());
        let mut journals: Vec<Journal> =
            receipts.into_iter().filter_map(|(_, journal)| journal.ok()).collect();
        // One that was folded, and that a crash kept from being filed, is over.
        let open = journal
            .as_ref()
            .map(|journal| journal.started.run)
            .filter(|run| state.as_ref().and_then(|state| state.last_run) != Some(*run));
        journals.extend(journal.filter(|journal| {
            let run = journal.started.run;
            journals.iter().all(|filed| filed.started.run != run)
        }));
        let (problems, notices) = check_receipts(store)?;
        Ok(Self { events: history(&journals, open, state.as_ref()), state, problems, notices })
    }

    pub(super) fn exit(&self) -> Exit {
        if self.problems.is_empty() { Exit::Fine } else { Exit::Error }
    }

    /// Returns a warning for the first address that no receipt has.
    pub(super) fn check_addresses(&self, addresses: &[Address]) -> Option<Diagnostic> {
        let named = |address: &&Address| {
            let filter = Filter { all: true, since: None, addresses: vec![(*address).clone()] };
            !self.events.iter().any(|it| it.matches(&filter))
        };
        let address = addresses.iter().find(named)?;
        let known: Vec<&str> = self.events.iter().map(|event| event.key.address.as_str()).collect();
        let near = nearest(address.as_str(), &known);
        let diagnostic = Diagnostic::warning(
            "unknown-address",
            text!("the history has nothing about `{address}`", address),
        );
        Some(match near {
            Some(near) => diagnostic.help(text!("did you mean `{near}`?", near)),
            None => diagnostic,
        })
    }
}

/// Returns the problems of the receipts, and notices about them.
fn check_receipts(store: &dyn StateStore) -> Result<(Vec<Diagnostic>, Vec<Diagnostic>), Failure> {
    let found = verify(store)?;
    let problems = found.problems.iter().filter_map(|problem| match problem {
        Problem::Error(error) => {
            let diagnostic = Diagnostic::error(problem.code(), describe_problem(problem));
            Some(error.help().into_iter().fold(diagnostic, Diagnostic::help))
        }
        // `postpay state verify` shows these: no event is missing because of them.
        Problem::Differs(_) | Problem::Shared { .. } | Problem::Unrecorded { .. } => None,
    });
    let notices = found.notices.iter().filter_map(|notice| match notice {
        Notice::BeginningMissing { unverified, .. } => {
            let shown = text!("for earlier runs, only orders that are still in the state are shown");
            let diagnostic = Diagnostic::warning(notice.code(), describe_notice(notice));
            (!unverified.is_empty()).then(|| diagnostic.help(shown))
        }
        Notice::OpenRun { .. }
        | Notice::RescueOpen { .. }
        | Notice::RescueSettled { .. }
        | Notice::RescueUnreadable { .. } => None,
    });
    Ok((problems.collect(), notices.collect()))
}
