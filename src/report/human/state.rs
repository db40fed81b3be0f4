//! A state, as a table, as a list of addresses, and record by record.

use std::fmt::Write as _;

use comfy_table::{Table, presets};

use super::{Look, verify};
use crate::desired::Address;
use crate::report::text::{clean, count};
use crate::state::compare::Place;
use crate::state::{Deposed, Origin, Record, State, Status};

/// Every environment on record, by address.
pub fn state(state: &State, look: Look) -> String {
    let mut out = String::new();
    let endpoint = state
        .account
        .as_ref()
        .map_or("-".into(), |account| clean(&account.endpoint));
    let _ = writeln!(
        out,
        "{}{}, serial {}, lineage {}, ordered from {endpoint}",
        look.strong(count(
            state.environments.len(),
            "environment",
            "environments"
        )),
        verify::and_deposed(state.deposed.len()),
        state.serial,
        state.lineage
    );
    if state.records().next().is_none() {
        return out;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "ADDRESS",
        "STATUS",
        "TRAN_ID",
        "ENV_ID",
        "ORDERED_AT",
        "SOURCE",
    ]);
    for (place, (_, record)) in Place::all(state).zip(state.records()) {
        let Record {
            env_id,
            tran_id,
            ordered_at,
            source,
            ..
        } = record;
        let named = match place {
            Place::At(address) => address.to_string(),
            // Its id has a column of its own.
            Place::Deposed { address, env_id: _ } => format!("{address} (deposed)"),
        };
        table.add_row([
            named,
            status(record).to_owned(),
            id(tran_id.as_ref()),
            id(env_id.as_ref()),
            format!("{ordered_at:.0}"),
            clean(&source.to_string()).into_owned(),
        ]);
    }
    out.push('\n');
    for line in table.to_string().lines() {
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

const fn status(record: &Record) -> &'static str {
    match (record.status, record.origin) {
        (Status::Created, Origin::Imported) => "imported",
        (status, _) => status.name(),
    }
}

fn id(id: Option<&String>) -> String {
    id.map_or_else(|| "-".to_owned(), |id| clean(id).into_owned())
}

/// One address a line, for other programs to read.
pub fn list(records: &[(Place, &Record)]) -> String {
    let mut out = String::new();
    for (place, _) in records {
        let _ = writeln!(out, "{}", verify::named(place));
    }
    out
}

/// Everything on record of one address: what stands there, and what it replaced.
pub fn record(
    address: &Address,
    record: Option<&Record>,
    deposed: &[&Deposed],
    look: Look,
) -> String {
    let standing = record.map(|record| {
        let title = look.strong(format!("{address} ({})", status(record)));
        format!("{title}\n{}", fields(record))
    });
    let replaced = deposed.iter().map(|deposed| {
        let Deposed { record, at, by, .. } = deposed;
        let place = verify::named(&Place::of(deposed));
        let title = look.strong(place);
        let status = status(record);
        format!(
            "{title}\n  {status}, replaced {at:.0} by run {by}\n{}",
            fields(record)
        )
    });
    standing
        .into_iter()
        .chain(replaced)
        .collect::<Vec<_>>()
        .join("\n")
}

fn fields(record: &Record) -> String {
    let Record {
        status: _,
        env_id,
        tran_id,
        request_id,
        origin,
        attributes,
        ordered_at,
        run,
        source,
        region,
        prevent_destroy,
    } = record;
    let mut out = String::new();
    let since = match origin {
        Origin::Ordered => "ordered_at",
        Origin::Imported => "imported_at",
    };
    for (name, value) in [
        ("env_id", id(env_id.as_ref())),
        ("tran_id", id(tran_id.as_ref())),
        ("request_id", id(request_id.as_ref())),
        ("origin", origin.name().to_owned()),
        (since, ordered_at.to_string()),
        ("run", run.to_string()),
        ("source", clean(&source.to_string()).into_owned()),
        ("region", id(region.as_ref())),
        ("prevent_destroy", prevent_destroy.to_string()),
    ] {
        let _ = writeln!(out, "  {name:<16} {value}");
    }
    for (field, value) in attributes.iter() {
        let _ = writeln!(out, "    {:<14} \"{}\"", field.name(), clean(value));
    }
    out
}
