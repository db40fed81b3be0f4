//! History for spreadsheets.
//!
//! A cell that begins like a formula is one to a spreadsheet, wherever the text came from; names and messages come from
//! manifests and Tencent Cloud. An apostrophe before it makes it text again.
//!
//! What can't be seen stands there as an escape, as everywhere else. So a cell is on one line, since the list goes to
//! terminals and logs too, where a line that begins with `::` may be a command.

use super::text::clean;
use crate::state::history::{Change, EventKind, HistoryEvent, Request, Settled};

const COLUMNS: [&str; 17] = [
    "time",
    "address",
    "action",
    "result",
    "tran_id",
    "env_id",
    "request_id",
    "code",
    "message",
    "source",
    "commit",
    "who",
    "run",
    "took_ms",
    "settled_by",
    "settled_at",
    "moved_to",
];

/// One line a event, after a line with the columns' names.
pub fn history(events: &[&HistoryEvent]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail, and every row has as many cells as the first.
    let _ = writer.write_record(COLUMNS);
    for event in events {
        let _ = writer.write_record(row(event).map(|cell| harmless(&cell)));
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn row(event: &HistoryEvent) -> [String; COLUMNS.len()] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (tran_id, env_id) = event.ids();
    let base = [
        event.at.to_string(),
        event.key.address.to_string(),
        String::new(),
        String::new(),
        tran_id.unwrap_or_default().to_owned(),
        env_id.unwrap_or_default().to_owned(),
    ];
    let [at, address, _, _, tran_id, env_id] = base;
    let run = &event.run;
    let (commit, who, id) = (text(&run.commit), text(&run.who), run.id.to_string());
    match &event.kind {
        EventKind::Request(Request {
            action,
            expects_tran_id: _,
            result,
            tran_id: _,
            env_id: _,
            request_id,
            code,
            message,
            source,
            took_ms,
            settled,
        }) => {
            let (settled_by, settled_at) = match settled {
                Some(Settled { at, doing, .. }) => (doing.clone(), at.to_string()),
                None => (String::new(), String::new()),
            };
            [
                at,
                address,
                action.clone(),
                result.name().to_owned(),
                tran_id,
                env_id,
                text(request_id),
                text(code),
                text(message),
                source.to_string(),
                commit,
                who,
                id,
                took_ms.map_or_else(String::new, |took| took.to_string()),
                settled_by,
                settled_at,
                String::new(),
            ]
        }
        EventKind::Edit { doing, change } => {
            let to = match change {
                Change::Moved { to } => to.to_string(),
                Change::Recorded(_) | Change::Forgotten => String::new(),
            };
            let nothing = String::new;
            [
                at,
                address,
                doing.clone(),
                change.name().to_owned(),
                tran_id,
                env_id,
                nothing(),
                nothing(),
                nothing(),
                nothing(),
                commit,
                who,
                id,
                nothing(),
                nothing(),
                nothing(),
                to,
            ]
        }
    }
}

fn harmless(cell: &str) -> String {
    let cell = clean(cell);
    // Blanks before it don't keep a spreadsheet from taking it for a formula, nor does a full width, as a Chinese keyboard types it.
    let begins = cell.trim_start();
    if begins.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, expected) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@sum", "'@sum"),
            ("＝1", "'＝1"),
            ("＋1", "'＋1"),
            ("－1", "'－1"),
            ("＠sum", "'＠sum"),
            (" =1", "' =1"),
            ("　＝1", "'　＝1"),
            // As escapes they are the beginning, and no formula begins like that.
            ("\t=1", r"\t=1"),
            ("\n::error::x", r"\n::error::x"),
            ("\u{200b}=1", r"\u{200b}=1"),
            ("\u{feff}＝1", r"\u{feff}＝1"),
            ("a\u{1b}]0;b\u{7}\u{202e}", r"a\u{1b}]0;b\u{7}\u{202e}"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(harmless(cell), expected);
        }
    }
}
