//! An order that is to be settled: what was sent, what the account shows, and what speaks for what.

use std::fmt::{Display, Write as _};

use super::Look;
use super::verify::cleaned;
use crate::apply::PendingOrder;
use crate::apply::candidates::{Candidate, Check};
use crate::i18n::{Lang, Text, text};
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
        text!(" by {who}", who)
    });
    let sent = text!("  sent {ordered_at}{by}, run {run}", ordered_at = format!("{ordered_at:.0}"), by, run);
    let _ = writeln!(out, "{}", look.say(sent));
    for (field, value) in attributes.iter() {
        let _ = writeln!(out, "    {field:<12}  \"{}\"", clean(&value.to_string()));
    }
    for (name, id) in [("TranId", tran_id), ("EnvId", env_id), ("RequestId", request_id)] {
        if let Some(id) = id {
            let id = clean(id);
            let text = text!("  its response had {name} {id}", name, id);
            let _ = writeln!(out, "{}", look.say(text));
        }
    }
    let at = match region {
        Some(region) => Text::same(clean(region).into_owned()),
        None => NO_REGION,
    };
    let (en, zh) = (named(asked, Lang::En), named(asked, Lang::Zh));
    let looked = text!("  region: {at}; searched: {en}", at, en; zh);
    let _ = writeln!(out, "{}", look.say(looked));
    if candidates.is_empty() {
        let text = text!("  no matching environment in the account");
        let _ = writeln!(out, "{}", look.say(text));
    }
    for candidate in candidates {
        one(&mut out, candidate, look);
    }
    out
}

const NO_REGION: Text = Text::fixed("default");

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
    let verdict =
        if candidate.fits() { look.good(text!("match")) } else { look.change(text!("partial match")) };
    let env_id = look.strong(clean(&candidate.environment.env_id));
    let text = text!("  candidate {env_id}: {verdict}", env_id, verdict);
    let _ = writeln!(out, "{}", look.say(text));
    for Check { what, expected, found, fits } in &candidate.checks {
        let mark = if *fits { look.good(text!("ok")) } else { look.bad(text!("no")) };
        let (expected, found) = (shown(expected), shown(found));
        let text =
            text!("    {mark}  {what}: expected {expected}, found {found}", mark, what, expected, found);
        let _ = writeln!(out, "{}", look.say(text));
    }
}

fn shown(text: &impl Display) -> Text {
    let text = cleaned(text);
    if text.is_empty() {
        return text!("nothing");
    }
    text
}

/// What to type for an order that only a person can settle; `fits` is the candidate that fits in everything, if one does.
pub fn next(address: &Address, fits: Option<&str>) -> Text {
    let env_id = fits.map_or("ENV_ID".into(), clean);
    let proposal = match fits {
        Some(_) => text!(
            "  {address}: {env_id} is a full match; `postpay resolve -y` imports full matches\n",
            address,
            env_id
        ),
        None => Text::same(""),
    };
    text!(
        "{proposal}  to resolve `{address}`: `postpay resolve {address} --adopt {env_id}` if that is the right one,\n\x20   or `postpay resolve {address} --not-created` if you are sure that nothing was created: the next plan\n\x20   creates it again, but Tencent Cloud may list a new environment late\n",
        proposal,
        address,
        env_id
    )
}
