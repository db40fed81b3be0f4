//! What does not agree, for people.

use std::fmt::Write as _;

use super::Look;
use crate::drift::{Drift, Finding, Standing};
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
    let Drift {
        findings: _,
        declared,
        recorded,
        seen,
    } = drift;
    let seen = match seen {
        Some(seen) => format!("{seen} in the account"),
        None => "the account was left out".to_owned(),
    };
    let compared = format!("{declared} declared, {recorded} on record, {seen}");
    let counted = drift.counted().count();
    let others = drift.findings.len() - counted;
    let others = match others {
        0 => String::new(),
        n => format!(" {} not counted.", count(n, "finding is", "findings are")),
    };
    if counted == 0 {
        format!("{} {compared}.{others}", look.good("No drift."))
    } else {
        let found = count(counted, "finding", "findings");
        format!("{} {found}: {compared}.{others}", look.bad("Drift:"))
    }
}

pub(super) fn one(out: &mut String, finding: &Finding, look: Look) {
    let Finding {
        code,
        address,
        deposed,
        env_id,
        expected,
        found,
        source,
        standing,
        next,
    } = finding;
    let name = match standing {
        Standing::Counts => look.bad(code.name()),
        Standing::Told | Standing::Ignored { .. } => look.change(code.name()),
    };
    let what = match (address, env_id) {
        (Some(address), _) => look.strong(address),
        (None, Some(env_id)) => look.strong(clean(env_id)),
        (None, None) => String::new(),
    };
    let deposed = if *deposed { " (deposed)" } else { "" };
    let source = source.as_ref().map_or(String::new(), |source| {
        look.faint(clean(&source.to_string()))
    });
    let _ = writeln!(out, "{name}  {what}{deposed}: {}  {source}", code.about());
    let mut row = |name: &str, value: Option<&String>| {
        if let Some(value) = value {
            let name = left(name, 10);
            let _ = writeln!(out, "      {name}{}", clean(value));
        }
    };
    row("expected", expected.as_ref());
    row("found", found.as_ref());
    row("env_id", env_id.as_ref().filter(|_| address.is_some()));
    if let Standing::Ignored { reason } = standing {
        row("ignored", Some(reason));
    }
    row("next", Some(next));
    out.push('\n');
}
