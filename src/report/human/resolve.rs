//! An order that is to be settled: what was sent, what the account shows, and what speaks for what.

use std::fmt::{Display, Write as _};

use super::Look;
use super::verify::cleaned;
use crate::apply::PendingOrder;
use crate::apply::candidates::{Candidate, Check};
use crate::lang::{Lang, Text, text};
use crate::model::Address;
use crate::report::text::clean;
use crate::state::Record;

/// One open order with its candidates, best first; `sent_by` is who ran it, `asked` the regions that were looked at.
pub fn open(
    open: &PendingOrder,
    sent_by: Option<&str>,
    asked: &[Option<String>],
    candidates: &[Candidate],
    look: Look,
) -> String {
    let mut out = String::new();
    let PendingOrder { address, record, at: _ } = open;
    let Record { attributes, ordered_at, tran_id, env_id, request_id, run, source, region, .. } = record;
    let _ = writeln!(out, "{} {}  {}", look.bad("?"), look.strong(address), look.faint(source));
    let by = sent_by.map_or(Text::same(""), |who| {
        let who = clean(who);
        text!(" by {who}", "，操作者 {who}")
    });
    let sent = text!("  sent {ordered_at:.0}{by}, run {run}", "  发送于 {ordered_at:.0}{by:#}，运行 {run}");
    let _ = writeln!(out, "{}", look.say(sent));
    for (field, value) in attributes.iter() {
        let _ = writeln!(out, "    {field:<12}  \"{}\"", clean(&value.to_string()));
    }
    for (name, id) in [("TranId", tran_id), ("EnvId", env_id), ("RequestId", request_id)] {
        if let Some(id) = id {
            let id = clean(id);
            let text = text!("  its response had {name} {id}", "  其应答中有 {name} {id}");
            let _ = writeln!(out, "{}", look.say(text));
        }
    }
    let at = match region {
        Some(region) => Text::same(clean(region).into_owned()),
        None => NO_REGION,
    };
    let (en, zh) = (named(asked, Lang::En), named(asked, Lang::Zh));
    let looked = text!("  region: {at}; searched: {en}", "  订购地域：{at:#}；已查询：{zh}");
    let _ = writeln!(out, "{}", look.say(looked));
    if candidates.is_empty() {
        let text = text!("  no matching environment in the account", "  账号中没有可能是它的环境");
        let _ = writeln!(out, "{}", look.say(text));
    }
    for candidate in candidates {
        one(&mut out, candidate, look);
    }
    out
}

const NO_REGION: Text = Text::fixed("default", "默认");

fn named(asked: &[Option<String>], lang: Lang) -> String {
    let one = |region: &Option<String>| match region {
        Some(region) => clean(region).into_owned(),
        None => NO_REGION.in_lang(lang).to_owned(),
    };
    let between = match lang {
        Lang::En => ", ",
        Lang::Zh => "、",
    };
    asked.iter().map(one).collect::<Vec<_>>().join(between)
}

fn one(out: &mut String, candidate: &Candidate, look: Look) {
    let verdict = if candidate.fits() {
        look.good(text!("match", "符合"))
    } else {
        look.change(text!("partial match", "不完全符合"))
    };
    let env_id = look.strong(clean(&candidate.environment.env_id));
    let text = text!("  candidate {env_id}: {verdict}", "  候选 {env_id}：{verdict}");
    let _ = writeln!(out, "{}", look.say(text));
    for Check { what, expected, found, fits } in &candidate.checks {
        let mark = if *fits { look.good(text!("ok", "是")) } else { look.bad(text!("no", "否")) };
        let (expected, found) = (shown(expected), shown(found));
        let text = text!(
            "    {mark}  {what}: expected {expected}, found {found}",
            "    {mark}  {what:#}：应为 {expected:#}，实际 {found:#}"
        );
        let _ = writeln!(out, "{}", look.say(text));
    }
}

fn shown(text: &impl Display) -> Text {
    let text = cleaned(text);
    if text.is_empty() {
        return text!("nothing", "无");
    }
    text
}

/// What to type for an order that only a person can settle; `fits` is the candidate that fits in everything, if one does.
pub fn next(address: &Address, fits: Option<&str>) -> Text {
    let env_id = fits.map_or("ENV_ID".into(), clean);
    let proposal = match fits {
        Some(_) => text!(
            "  {address}: {env_id} is a full match; `postpay resolve -y` imports full matches\n",
            "  {address}：{env_id} 完全符合；`postpay resolve -y` 会采用完全符合的\n"
        ),
        None => Text::same(""),
    };
    text!(
        "{proposal}  to resolve `{address}`: `postpay resolve {address} --adopt {env_id}` if that is the right one,\n\x20   or `postpay resolve {address} --not-created` if you are sure that nothing was created: the next plan\n\x20   creates it again, but Tencent Cloud may list a new environment late\n",
        "{proposal:#}  要处理 `{address}`：如果就是这一个，执行 `postpay resolve {address} --adopt {env_id}`；\n\x20   如果确定没有创建任何环境，执行 `postpay resolve {address} --not-created`：下一次 plan\n\x20   会再次创建它，而腾讯云可能很晚才列出已创建的环境\n"
    )
}
