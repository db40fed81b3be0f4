//! Outcomes that did not get into the journal: kept elsewhere, and found again.

use super::env;
use super::ui::Ui;
use crate::apply::ApplySummary;
use crate::diagnostic::Diagnostic;
use crate::i18n::text;
use crate::report::verify::{describe_notice, describe_outcome, describe_problem};
use crate::state::StateStore;
use crate::state::rescue::{self, RescueFile};
use crate::state::{State, verify};

/// Writes outcomes that may be in no journal to a rescue file. Returns warnings to print after the lock is released.
pub(super) fn keep(report: &ApplySummary, store: &dyn StateStore) -> Vec<Diagnostic> {
    let Some(first) = report.unwritten.first() else {
        return Vec::new();
    };
    let kept = rescue::write(store, &env::spare_folders(), first.run, &report.unwritten);
    let mut diagnostic = match &report.trouble {
        Some(trouble) if report.is_fenced_out() => {
            let (code, message, _) = trouble.explain();
            Diagnostic::error(code, message)
        }
        Some(_) | None => Diagnostic::error(
            "outcome-unwritten",
            text!("the journal could not be written, so the next run will treat these outcomes as unknown"),
        ),
    };
    for rescued in &report.unwritten {
        let outcome = describe_outcome(&rescued.outcome);
        diagnostic = diagnostic.help(text!("save this: {outcome}", outcome));
    }
    vec![match kept {
        Ok(path) => {
            let path = path.display();
            diagnostic.help(text!("saved to {path}", path))
        }
        Err(error) => diagnostic
            .help(text!("it could not be saved to any file; these lines are the only copy: {error}", error)),
    }]
}

/// Returns the rescue files beside the state, and warns about them.
pub(super) fn found(store: &dyn StateStore, state: Option<&State>, ui: &Ui) -> Vec<RescueFile> {
    // A folder that cannot be read was reported with the state.
    let files = rescue::list(store).unwrap_or_default();
    let (problems, notices) = verify::check_rescues(files.clone(), state);
    let problems = problems.iter().map(|found| Diagnostic::warning(found.code(), describe_problem(found)));
    let notices = notices.iter().map(|found| Diagnostic::warning(found.code(), describe_notice(found)));
    ui.diagnose(&problems.chain(notices).collect::<Vec<_>>());
    files
}
