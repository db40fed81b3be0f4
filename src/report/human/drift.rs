//! What does not agree, for people.

use std::fmt::{Display, Write as _};

use super::Look;
use crate::drift::{Drift, Finding, Standing};
use crate::i18n::{Text, text};
use crate::report::text::{clean, count, left};

/// Every finding, and how many there are. One line when all is well.
pub fn drift(drift: &Drift, look: Look) -> String {
    let mut out = String::new();
    for finding in &drift.findings {
        one(&mut out, finding, look);
    }
    let _ = writeln!(out, "{}", summary(drift, look));
    out
}

/// The last line.
pub(in crate::report) fn summary(drift: &Drift, look: Look) -> String {
    let Drift { findings: _, declared, recorded, seen } = drift;
    let seen = match seen {
        Some(seen) => text!("{seen} in the account", seen),
        None => text!("account not read"),
    };
    let compared = text!("{declared} declared, {recorded} in the state, {seen}", declared, recorded, seen);
    let counted = drift.counted().count();
    let others = drift.findings.len() - counted;
    let others = match others {
        0 => Text::same(""),
        n => {
            let findings = count(n, "finding is", "findings are");
            text!(" {findings} not counted.", findings; n)
        }
    };
    if counted == 0 {
        let head = look.good(text!("No drift."));
        look.say(text!("{head} {compared}.{others}", head, compared, others))
    } else {
        let found = count(counted, "finding", "findings");
        let head = look.bad(text!("Drift:"));
        look.say(text!("{head} {found}. {compared}.{others}", head, found, compared, others; counted))
    }
}

pub(super) fn one(out: &mut String, finding: &Finding, look: Look) {
    let Finding { code, address, deposed, env_id, expected, found, source, standing, next } = finding;
    let name = match standing {
        Standing::Counts => look.bad(code.name()),
        Standing::Info | Standing::Ignored { .. } => look.change(code.name()),
    };
    let what = match (address, env_id) {
        (Some(address), _) => look.strong(address),
        (None, Some(env_id)) => look.strong(clean(env_id)),
        (None, None) => String::new(),
    };
    let deposed = if *deposed { text!(" (deposed)") } else { Text::same("") };
    let source = source
        .as_ref()
        .map_or(String::new(), |source| format!("  {}", look.faint(clean(&source.to_string()))));
    let about = code.about();
    let text = text!("{name}  {what}{deposed}: {about}{source}", name, what, deposed, about, source);
    let _ = writeln!(out, "{}", look.say(text));
    let mut row = |name: Text, value: Option<&dyn Display>| {
        if let Some(value) = value {
            let name = left(&look.say(name), 10);
            let _ = writeln!(out, "      {name}{}", clean(&look.say(value)));
        }
    };
    row(text!("expected"), shown(expected.as_ref()));
    row(text!("found"), shown(found.as_ref()));
    let env_id = env_id.as_ref().filter(|_| address.is_some());
    row(Text::same("env_id"), shown(env_id));
    if let Standing::Ignored { reason } = standing {
        row(text!("ignored"), Some(reason));
    }
    row(text!("next"), Some(next));
    out.push('\n');
}

fn shown<T: Display>(value: Option<&T>) -> Option<&dyn Display> {
    value.map(|value| value as &dyn Display)
}
