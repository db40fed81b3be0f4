//! What a restore would write, and what it would change.

use std::fmt::Write as _;

use super::{Look, verify};
use crate::i18n::text;
use crate::report::text::{clean, count};
use crate::state::restore::{Present, Proposal};

/// The state that would be written, beside what is there.
pub fn proposal(proposal: &Proposal, look: Look) -> String {
    let Proposal { state, from, folded, present, open } = proposal;
    let mut out = String::new();
    let (head, from) = (look.strong(text!("Restored state:")), clean(from));
    let (serial, lineage, n) = (state.serial, state.lineage, state.current().count());
    let environments = count(n, "environment", "environments");
    let deposed = verify::and_deposed(state.deposed().count());
    let receipts = count(*folded, "receipt", "receipts");
    for text in [
        text!(
            "{head} serial {serial}, {environments}{deposed}, lineage {lineage}", head, serial, environments, deposed, lineage; n),
        text!("From {from}, with {receipts} merged in.", from, receipts; folded),
    ] {
        let _ = writeln!(out, "{}", look.say(text));
    }
    let before = match present {
        Present::Nothing => text!("There is no state file yet."),
        Present::Unreadable(error) => {
            let error = verify::cleaned(error);
            text!("Cannot read the current state: {error}", error)
        }
        Present::State { differences, .. } if differences.is_empty() => {
            text!("The current state is the same.")
        }
        Present::State { serial, .. } => text!("\nChanges to the current state (serial {serial}):", serial),
    };
    let _ = writeln!(out, "{}", look.say(before));
    match present {
        Present::Nothing | Present::Unreadable(_) => {}
        Present::State { differences, .. } => {
            for difference in differences {
                let text = verify::difference(difference, &text!("current"), &text!("restored"));
                let _ = writeln!(out, "  {}", look.say(text));
            }
        }
    }
    if let Some(run) = open {
        let text = text!(
            "Run {run} is open or was interrupted: its journal stays, and the next command that writes the state merges it.",
            run
        );
        let _ = writeln!(out, "\n{}", look.say(text));
    }
    out
}
