//! Who writes to a state now, and which run is open.

use std::fmt::Write as _;

use super::{Look, verify};
use crate::lang::{Lang, Text, text};
use crate::report::text::{self, clean, count};
use crate::state::journal::{Event, Journal, RunStarted};
use crate::state::{Holder, LockReport, LockStatus};

/// The lock, and the run that is open.
pub fn status(found: &LockReport, look: Look) -> String {
    let LockReport { path, status, open } = found;
    let mut out = String::new();
    let who = match status {
        LockStatus::Free => look.good(text!("free", "空闲")),
        LockStatus::Held(None) => {
            look.change(text!("held by an unidentified process", "被占用，占用的进程没有说明自己是谁"))
        }
        LockStatus::Held(Some(holder)) => {
            let holder = self::holder(holder);
            look.change(text!("held by {holder}", "被占用：{holder:#}"))
        }
    };
    let run = match open {
        Ok(None) => look.say(text!("none", "无")),
        Ok(Some(journal)) => look.say(open_run(journal)),
        Err(error) => look.bad(verify::cleaned(error)),
    };
    let file = clean(&path.display().to_string()).into_owned();
    for (name, value) in
        [(text!("lock", "锁"), who), (text!("file", "文件"), file), (text!("open run", "未结束的运行"), run)]
    {
        // The longest of the names, and two.
        let columns = if look.lang == Lang::En { 11 } else { 14 };
        let name = text::left(&look.say(name), columns);
        let _ = writeln!(out, "{name}{value}");
    }
    out
}

fn holder(holder: &Holder) -> Text {
    let Holder { who, pid, since, doing } = holder;
    let (who, doing) = (clean(who), clean(doing));
    text!(
        "{who}, process {pid}, since {since:.0}, doing `{doing}`",
        "{who}，进程 {pid}，自 {since:.0} 起，正在执行 `{doing}`"
    )
}

fn open_run(journal: &Journal) -> Text {
    let RunStarted { run, base, who, pid, .. } = &journal.started;
    let orders = journal.entries.iter().filter(|entry| match &entry.event {
        Event::Intent(intent) => intent.may_order(),
        Event::Listed(_)
        | Event::Outcome(_)
        | Event::Edited(_)
        | Event::RunEnded(_)
        | Event::Recovered(_) => false,
    });
    let (who, since, n) = (clean(who), journal.started_at, orders.count());
    let orders = count(n, "order sent", "orders sent");
    text!(
        "{run} of {who} (pid {pid}), since {since:.0}, from serial {base}, {orders}",
        "{run}，{who}（pid {pid}），自 {since:.0} 起，基于 serial {base}，已发送 {n} 个订单"
    )
}
