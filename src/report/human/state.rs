//! A state, as a list.

use std::fmt::Write as _;

use comfy_table::{Table, presets};

use super::Look;
use crate::report::text::{clean, count};
use crate::state::{Origin, Record, State, Status};

/// Every environment on record, by address.
pub fn state(state: &State, look: Look) -> String {
    let mut out = String::new();
    let endpoint = state
        .account
        .as_ref()
        .map_or("-".into(), |account| clean(&account.endpoint));
    let _ = writeln!(
        out,
        "{}, serial {}, lineage {}, ordered from {endpoint}",
        look.strong(count(
            state.environments.len(),
            "environment",
            "environments"
        )),
        state.serial,
        state.lineage
    );
    if state.environments.is_empty() {
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
    for (address, record) in &state.environments {
        let Record {
            status,
            env_id,
            tran_id,
            origin,
            ordered_at,
            source,
            ..
        } = record;
        let status = match (status, origin) {
            (Status::Created, Origin::Ordered) => "created",
            (Status::Created, Origin::Imported) => "imported",
            (Status::AwaitingEnvId, _) => "awaiting_env_id",
            (Status::Unknown, _) => "unknown",
            (Status::Isolated, _) => "isolated",
        };
        let cell = |id: &Option<String>| {
            id.as_deref()
                .map_or("-".to_owned(), |id| clean(id).into_owned())
        };
        table.add_row([
            address.to_string(),
            status.to_owned(),
            cell(tran_id),
            cell(env_id),
            format!("{ordered_at:.0}"),
            source.to_string(),
        ]);
    }
    out.push('\n');
    for line in table.to_string().lines() {
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}
