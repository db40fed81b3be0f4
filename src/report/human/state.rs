//! A state, as a table, as a list of addresses, and record by record.

use std::fmt::Write as _;

use super::table::table;
use super::words::standing;
use super::{Look, verify};
use crate::lang::{Text, text};
use crate::model::Address;
use crate::report::text::{account, clean, count};
use crate::state::compare::Place;
use crate::state::{Deposed, Origin, Record, State};

/// Every environment on record, by address.
pub fn state(state: &State, look: Look) -> String {
    let mut out = String::new();
    let account = state.account.as_ref().map_or_else(|| Text::same("-"), account);
    let n = state.environments.len();
    let all = count(n, "environment", "environments");
    let all = look.strong(text!("{all}", "{n} 个环境"));
    let deposed = verify::and_deposed(state.deposed.len());
    let (serial, lineage) = (state.serial, state.lineage);
    let head = text!(
        "{all}{deposed}, serial {serial}, lineage {lineage}, ordered from {account}",
        "{all}{deposed:#}，serial {serial}，lineage {lineage}，订购自 {account:#}"
    );
    out += &look.within(look.say(head) + "\n", 4);
    if state.records().next().is_none() {
        return out;
    }
    let headers = [
        look.say(text!("ADDRESS", "地址")),
        look.say(text!("STATUS", "状态")),
        "TRAN_ID".to_owned(),
        "ENV_ID".to_owned(),
        look.say(text!("ORDERED_AT", "订购时间")),
        look.say(text!("SOURCE", "来源")),
    ];
    let mut rows = Vec::with_capacity(n);
    for (place, (_, record)) in Place::all(state).zip(state.records()) {
        let Record { env_id, tran_id, ordered_at, source, .. } = record;
        let named = match place {
            Place::At(address) => Text::same(address.to_string()),
            // Its id has a column of its own.
            Place::Deposed { address, env_id: _ } => {
                text!("{address} (deposed)", "{address}（已被替换）")
            }
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
pub fn list(records: &[(Place, &Record)]) -> String {
    let mut out = String::new();
    for (place, _) in records {
        let _ = writeln!(out, "{}", clean(&place.to_string()));
    }
    out
}

/// Everything on record of one address: what stands there, and what it replaced.
pub fn record(address: &Address, record: Option<&Record>, deposed: &[&Deposed], look: Look) -> String {
    let standing = record.map(|record| {
        let status = standing(record);
        let title = look.strong(text!("{address} ({status})", "{address}：{status:#}"));
        format!("{title}\n{}", fields(record))
    });
    let replaced = deposed.iter().map(|deposed| {
        let Deposed { record, at, by, .. } = deposed;
        let title = look.strong(verify::named(&Place::of(deposed)));
        let status = self::standing(record);
        let status =
            look.say(text!("{status}, replaced {at:.0} by run {by}", "{status:#}，{at:.0} 被运行 {by} 替换"));
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
        let _ = writeln!(out, "    {:<14} \"{}\"", field.name, clean(&value.to_string()));
    }
    out
}
