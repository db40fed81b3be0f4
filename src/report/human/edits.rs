//! What an edit of the state changes, line by line.

use std::fmt::Write as _;

use super::{Look, verify, words};
use crate::lang::{Text, text};
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
        let nothing = text!("changes nothing", "没有任何改动");
        let _ = writeln!(out, "  {}", look.say(nothing));
    }
    for Change { key, record, kind } in changes {
        let named = verify::named(key);
        let (status, ids) = (words::status(record.status), verify::ids(record));
        let ids = text!("{status}{ids}", "{status:#}{ids:#}");
        let (mark, text) = match kind {
            Kind::Added => (look.good("+"), text!("{named}: {ids}", "{named:#}：{ids:#}")),
            Kind::Changed(_) => (look.change("~"), named),
            Kind::Moved { to } => {
                let to = verify::named(to);
                let text = text!("{named} becomes {to}: {ids}", "{named:#} 改为 {to:#}：{ids:#}");
                (look.change("~"), text)
            }
            Kind::Forgotten => {
                let afterwards = afterwards(record);
                let text = text!(
                    "{named} is forgotten: {ids}\n      {afterwards}",
                    "{named:#} 移出记录：{ids:#}\n      {afterwards:#}"
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

/// Where an environment is on record, for a sentence.
pub fn place(key: &InstanceKey) -> String {
    verify::named(key).en().to_owned()
}

/// What becomes at the vendor of what is forgotten here.
const fn afterwards(record: &Record) -> Text {
    match record.status {
        Status::Created => {
            Text::fixed("it lives on at the vendor, and goes on costing", "它仍在腾讯云运行，并继续计费")
        }
        Status::AwaitingEnvId => Text::fixed(
            "the vendor took the order: what comes of it lives on there, and goes on costing",
            "腾讯云已接受订单：由此产生的环境仍在腾讯云运行，并继续计费",
        ),
        Status::Unknown => Text::fixed(
            "nobody knows whether it was made; if it was, it lives on at the vendor, and goes on costing",
            "无法确定它是否已创建；如果已创建，它仍在腾讯云运行，并继续计费",
        ),
        Status::Destroying => Text::fixed(
            "it was asked to be given up, and nobody has seen whether it is gone; if not, it goes on costing",
            "已请求销毁，但尚未确认它是否已不存在；如果还在，它会继续计费",
        ),
        Status::Isolated => Text::fixed(
            "the vendor keeps it in isolation, and deletes it in its own time",
            "腾讯云已将其隔离，并会自行删除",
        ),
    }
}

fn changed(difference: &Difference) -> Text {
    match difference {
        Difference::Field { key: _, name, found, expected } => {
            let (found, expected) = (verify::value(found.as_ref()), verify::value(expected.as_ref()));
            text!("{name}: {found} -> {expected}", "{name}：{found:#} -> {expected:#}")
        }
        Difference::Member { .. } | Difference::Missing { .. } | Difference::Surplus { .. } => {
            verify::difference(difference, &text!("now", "现在"), &text!("then", "之后"))
        }
    }
}
