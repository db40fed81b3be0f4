//! A state, as a table, as a list of addresses, and record by record.

use std::fmt::Write as _;

use super::table::table;
use super::words::standing;
use super::{Look, verify};
use crate::i18n::{Text, text};
use crate::model::{Address, InstanceKey};
use crate::report::text::{account, clean, count};
use crate::state::{Origin, Record, State};

/// Every environment in the state, by address.
pub fn state(state: &State, look: Look) -> String {
    let mut out = String::new();
    let account = state.account.as_ref().map_or_else(|| Text::same("-"), account);
    let n = state.current().count();
    let all = count(n, "environment", "environments");
    let all = look.strong(text!("{all}", all; n));
    let deposed = verify::and_deposed(state.deposed().count());
    let (serial, lineage) = (state.serial, state.lineage);
    let head = text!(
        "{all}{deposed}, serial {serial}, lineage {lineage}, created at {account}",
        all,
        deposed,
        serial,
        lineage,
        account
    );
    out += &look.within(look.say(head) + "\n", 4);
    if state.environments.is_empty() {
        return out;
    }
    let headers = [
        look.say(text!("ADDRESS")),
        look.say(text!("STATUS")),
        "TRAN_ID".to_owned(),
        "ENV_ID".to_owned(),
        look.say(text!("ORDERED_AT")),
        look.say(text!("SOURCE")),
    ];
    let mut rows = Vec::with_capacity(n);
    for (key, record) in &state.environments {
        let Record { env_id, tran_id, ordered_at, source, .. } = record;
        let address = &key.address;
        // The EnvId has a column of its own.
        let named = if key.is_deposed() {
            text!("{address} (deposed)", address)
        } else {
            Text::same(address.to_string())
        };
        rows.push([
            look.say(named),
            look.say(standing(record)),
            id(tran_id.as_ref()),
            id(env_id.as_ref()),
            format!("{ordered_at:.0}"),
            clean(&source.to_string()).into_owned(),
        ]);
    }
    out.push('\n');
    out + &table(&headers, &rows, look)
}

fn id(id: Option<&String>) -> String {
    id.map_or_else(|| "-".to_owned(), |id| clean(id).into_owned())
}

/// One address a line, for other programs to read.
pub fn list(records: &[(&InstanceKey, &Record)]) -> String {
    let mut out = String::new();
    for (key, _) in records {
        let _ = writeln!(out, "{}", clean(&key.to_string()));
    }
    out
}

/// The state of one address: what stands there, and what it replaced.
pub fn record(
    address: &Address,
    record: Option<&Record>,
    deposed: &[(&InstanceKey, &Record)],
    look: Look,
) -> String {
    let standing = record.map(|record| {
        let status = standing(record);
        let title = look.strong(text!("{address} ({status})", address, status));
        format!("{title}\n{}", fields(record))
    });
    let replaced = deposed.iter().map(|(key, record)| {
        let title = look.strong(verify::named(key));
        let status = self::standing(record);
        let at = record.deposed_at.unwrap_or(record.ordered_at);
        let status = look.say(text!("{status}, replaced {at}", status, at = format!("{at:.0}")));
        format!("{title}\n  {status}\n{}", fields(record))
    });
    standing.into_iter().chain(replaced).collect::<Vec<_>>().join("\n")
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
        deposed_at: _,
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
        if name != "request_id" || request_id.is_some() {
            let _ = writeln!(out, "  {name:<16} {value}");
        }
    }
    for (field, value) in attributes.iter() {
        let _ = writeln!(out, "    {:<14} \"{}\"", field.name, clean(&value.to_string()));
    }
    out
}
