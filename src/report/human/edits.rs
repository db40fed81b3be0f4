//! What an edit of the state changes, line by line.

use std::fmt::Write as _;

use super::{Look, verify, words};
use crate::i18n::{Text, text};
use crate::model::InstanceKey;
use crate::report::text::clean;
use crate::state::compare::Difference;
use crate::state::edits::{Change, Kind};
use crate::state::{Record, Status};

/// What the command `line` changes.
pub fn changes(line: &str, changes: &[Change], look: Look) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", look.strong(clean(line)));
    if changes.is_empty() {
        let nothing = text!("no changes");
        let _ = writeln!(out, "  {}", look.say(nothing));
    }
    for Change { key, record, kind } in changes {
        let named = verify::named(key);
        let (status, ids) = (words::status(record.status), verify::ids(record));
        let ids = text!("{status}{ids}", status, ids);
        let (mark, text) = match kind {
            Kind::Added => (look.good("+"), text!("{named}: {ids}", named, ids)),
            Kind::Changed(_) => (look.change("~"), named),
            Kind::Moved { to } => {
                let to = verify::named(to);
                let text = text!("{named} is renamed to {to}: {ids}", named, to, ids);
                (look.change("~"), text)
            }
            Kind::Forgotten => {
                let afterwards = afterwards(record);
                let text = text!(
                    "{named} is removed from the state: {ids}\n      {afterwards}",
                    named,
                    ids,
                    afterwards
                );
                (look.bad("-"), text)
            }
        };
        let _ = writeln!(out, "  {mark} {}", look.say(text));
        if let Kind::Changed(fields) = kind {
            for field in fields {
                let _ = writeln!(out, "      {}", look.say(changed(field)));
            }
        }
    }
    out
}

/// Where an environment is in the state, for a sentence.
pub fn place(key: &InstanceKey) -> String {
    verify::named(key).en().to_owned()
}

/// What becomes at Tencent Cloud of what is forgotten here.
const fn afterwards(record: &Record) -> Text {
    match record.status {
        Status::Created => Text::fixed("it keeps running and keeps billing"),
        Status::AwaitingEnvId => {
            Text::fixed("Tencent Cloud accepted the order: its environment keeps running and keeps billing")
        }
        Status::Unknown => {
            Text::fixed("its outcome is unknown; if it was created, it keeps running and keeps billing")
        }
        Status::Destroying => {
            Text::fixed("its destroy could not be confirmed; if it still exists, it keeps billing")
        }
        Status::Isolated => Text::fixed("Tencent Cloud isolated it, and will delete it later"),
    }
}

fn changed(difference: &Difference) -> Text {
    match difference {
        Difference::Field { key: _, name, found, expected } => {
            let (found, expected) = (verify::value(found.as_ref()), verify::value(expected.as_ref()));
            text!("{name}: {found} -> {expected}", name, found, expected)
        }
        Difference::Member { .. } | Difference::Missing { .. } | Difference::Surplus { .. } => {
            verify::difference(difference, &text!("before"), &text!("after"))
        }
    }
}
