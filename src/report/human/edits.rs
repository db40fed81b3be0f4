//! What an edit of the state changes, line by line.

use std::fmt::Write as _;

use super::{Look, verify};
use crate::report::text::clean;
use crate::state::compare::{Difference, Place};
use crate::state::edits::{Change, Kind};
use crate::state::{Record, Status};

/// What the command `line` changes.
pub fn changes(line: &str, changes: &[Change], look: Look) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", look.strong(clean(line)));
    if changes.is_empty() {
        out.push_str("  changes nothing\n");
    }
    for Change {
        place,
        record,
        kind,
    } in changes
    {
        let named = verify::named(place);
        let ids = format!("{}{}", record.status.name(), verify::ids(record));
        let _ = match kind {
            Kind::Added => writeln!(out, "  {} {named}: {ids}", look.good("+")),
            Kind::Changed(_) => writeln!(out, "  {} {named}", look.change("~")),
            Kind::Moved { to } => {
                let to = verify::named(to);
                writeln!(out, "  {} {named} becomes {to}: {ids}", look.change("~"))
            }
            Kind::Forgotten => writeln!(
                out,
                "  {} {named} is forgotten: {ids}\n      {}",
                look.bad("-"),
                afterwards(record)
            ),
        };
        if let Kind::Changed(fields) = kind {
            for field in fields {
                let _ = writeln!(out, "      {}", changed(field));
            }
        }
    }
    out
}

/// Where an environment is on record, for a sentence.
pub fn place(place: &Place) -> String {
    verify::named(place)
}

/// What becomes at the vendor of what is forgotten here.
fn afterwards(record: &Record) -> &'static str {
    match record.status {
        Status::Created => "it lives on at the vendor, and goes on costing",
        Status::AwaitingEnvId => {
            "the vendor took the order: what comes of it lives on there, and goes on costing"
        }
        Status::Unknown => {
            "nobody knows whether it was made; if it was, it lives on at the vendor, and goes on costing"
        }
        Status::Destroying => {
            "it was asked to be given up, and nobody has seen whether it is gone; if not, it goes on costing"
        }
        Status::Isolated => "the vendor keeps it in isolation, and deletes it in its own time",
    }
}

fn changed(difference: &Difference) -> String {
    let value = |value: &Option<String>| {
        value.as_deref().map_or_else(
            || "nothing".to_owned(),
            |value| format!("\"{}\"", clean(value)),
        )
    };
    match difference {
        Difference::Field {
            place: _,
            name,
            found,
            expected,
        } => format!("{name}: {} -> {}", value(found), value(expected)),
        Difference::Member { .. } | Difference::Missing { .. } | Difference::Surplus { .. } => {
            verify::difference(difference, "now", "then")
        }
    }
}
