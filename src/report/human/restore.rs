//! What a restore would write, and what it would change.

use std::fmt::Write as _;

use super::{Look, verify};
use crate::report::text::{clean, count};
use crate::state::file::{Present, Proposal};

/// The state that would be written, beside what is there.
pub fn proposal(proposal: &Proposal, look: Look) -> String {
    let Proposal {
        state,
        from,
        folded,
        present,
        open,
    } = proposal;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} serial {}, {}{}, lineage {}",
        look.strong("Restored state:"),
        state.serial,
        count(state.environments.len(), "environment", "environments"),
        verify::and_deposed(state.deposed.len()),
        state.lineage
    );
    let _ = writeln!(
        out,
        "From {}, {} folded in.",
        clean(from),
        count(*folded, "receipt", "receipts")
    );
    match present {
        Present::Nothing => out.push_str("Before it there was no state.\n"),
        Present::Unreadable(error) => {
            let _ = writeln!(
                out,
                "What is there now can't be read: {}",
                clean(&error.to_string())
            );
        }
        Present::State { differences, .. } if differences.is_empty() => {
            out.push_str("The state that is there now is the same.\n");
        }
        Present::State {
            serial,
            differences,
        } => {
            let _ = writeln!(
                out,
                "\nWhat it changes in the state of serial {serial} that is there:"
            );
            for difference in differences {
                let text = verify::difference(difference, "now", "restored");
                let _ = writeln!(out, "  {text}");
            }
        }
    }
    if let Some(run) = open {
        let _ = writeln!(
            out,
            "\nRun {run} is open or was cut off: its journal stays, and the next writer folds it."
        );
    }
    out
}
