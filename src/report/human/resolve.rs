//! An order that is to be settled: what was sent, what the account shows, and what speaks for what.

use std::fmt::Write as _;

use super::Look;
use crate::apply::candidates::{Candidate, Check};
use crate::apply::settle::Open;
use crate::desired::Address;
use crate::report::text::clean;

/// One open order with its candidates, best first; `sent_by` is who ran it.
pub fn open(open: &Open, sent_by: Option<&str>, candidates: &[Candidate], look: Look) -> String {
    let mut out = String::new();
    let Open {
        address,
        order,
        sent_at,
        tran_id,
        env_id,
        request_id,
        run,
        source,
        at: _,
        region: _,
        prevent_destroy: _,
    } = open;
    let _ = writeln!(
        out,
        "{} {}  {}",
        look.bad("?"),
        look.strong(address),
        look.faint(source)
    );
    let by = sent_by.map_or(String::new(), |who| format!(" by {}", clean(who)));
    let _ = writeln!(out, "  sent {sent_at:.0}{by}, run {run}");
    for (field, value) in order.iter() {
        let _ = writeln!(out, "    {field:<12}  \"{}\"", clean(value));
    }
    for (name, id) in [
        ("TranId", tran_id),
        ("EnvId", env_id),
        ("RequestId", request_id),
    ] {
        if let Some(id) = id {
            let _ = writeln!(out, "  its answer had {name} {}", clean(id));
        }
    }
    if candidates.is_empty() {
        let _ = writeln!(out, "  the account shows no environment that could be it");
    }
    for candidate in candidates {
        let verdict = if candidate.fits() {
            look.good("fits")
        } else {
            look.change("does not fit in everything")
        };
        let _ = writeln!(
            out,
            "  candidate {}: {verdict}",
            look.strong(clean(&candidate.environment.env_id))
        );
        for Check {
            what,
            expected,
            found,
            fits,
        } in &candidate.checks
        {
            let mark = if *fits {
                look.good("ok")
            } else {
                look.bad("no")
            };
            let _ = writeln!(
                out,
                "    {mark}  {what}: expected {}, found {}",
                shown(expected.en()),
                shown(found.en())
            );
        }
    }
    out
}

fn shown(text: &str) -> String {
    match text {
        "" => "nothing".to_owned(),
        text => clean(text).into_owned(),
    }
}

/// What to type for an order that only a person can settle; `fits` is the candidate that fits in everything, if one does.
pub fn next(address: &Address, fits: Option<&str>) -> String {
    let env_id = fits.map_or("ENV_ID".into(), clean);
    let proposal = match fits {
        Some(_) => format!(
            "  {address}: {env_id} fits in everything; `postpay resolve -y` adopts what does\n"
        ),
        None => String::new(),
    };
    format!(
        "{proposal}  to settle `{address}`: `postpay resolve {address} --adopt {env_id}` when that is the one,\n\
         \x20   or `postpay resolve {address} --not-created` when you are sure that nothing was made: the next plan\n\
         \x20   orders it again, and the vendor may list late what it made\n"
    )
}
