//! `resolve`: orders with an unknown outcome, and the environments that they may have made.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::{View, to_json};
use super::lines::Lines;
use super::options::RenderOptions;
use super::text::{clean, clean_text, list};
use crate::apply::PendingOrder;
use crate::apply::candidates::{Candidate, Check};
use crate::i18n::{Text, text};
use crate::model::{Address, Attributes, SourceRef};
use crate::state::FormatVersion;
use crate::state::journal::RunId;

/// Orders that only a person can settle.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay resolve --format json, version 1")]
pub struct ResolveView<'a> {
    format_version: FormatVersion,
    open: Vec<OpenOrder<'a>>,
}

/// An order with an unknown outcome, or without an EnvId.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OpenOrder<'a> {
    address: &'a Address,
    source: &'a SourceRef,
    attributes: &'a Attributes,
    #[schemars(with = "String", extend("format" = "date-time"))]
    sent_at: Timestamp,
    /// `user@host`; null when its receipt is missing.
    sent_by: Option<&'a str>,
    run: RunId,
    tran_id: Option<&'a str>,
    env_id: Option<&'a str>,
    request_id: Option<&'a str>,
    /// The region that was sent with it; null when none was.
    region: Option<&'a str>,
    /// The regions that were searched; null among them is a request that named none.
    regions_searched: &'a [Option<String>],
    /// The environments that it may have made, best first.
    candidates: Vec<CandidateView<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Candidate")]
struct CandidateView<'a> {
    env_id: &'a str,
    /// The order number on its bill.
    tran_id: Option<&'a str>,
    /// Everything fits, or its bill has the number of the order.
    fits: bool,
    checks: &'a [Check],
}

impl<'a> ResolveView<'a> {
    pub fn new(open: impl Iterator<Item = OpenOrder<'a>>) -> Self {
        Self { format_version: FormatVersion, open: open.collect() }
    }
}

impl<'a> OpenOrder<'a> {
    /// `sent_by` is who ran it, `searched` the regions that were listed.
    pub fn new(
        PendingOrder { address, record, at: _ }: &'a PendingOrder,
        sent_by: Option<&'a str>,
        searched: &'a [Option<String>],
        candidates: &'a [Candidate],
    ) -> Self {
        let candidates = candidates.iter().map(|candidate| CandidateView {
            env_id: &candidate.environment.env_id,
            tran_id: candidate.tran_id(),
            fits: candidate.fits(),
            checks: &candidate.checks,
        });
        Self {
            address,
            source: &record.source,
            attributes: &record.attributes,
            sent_at: record.ordered_at,
            sent_by,
            run: record.run,
            tran_id: record.tran_id.as_deref(),
            env_id: record.env_id.as_deref(),
            request_id: record.request_id.as_deref(),
            region: record.region.as_deref(),
            regions_searched: searched,
            candidates: candidates.collect(),
        }
    }

    fn text(&self, options: RenderOptions) -> String {
        let mut lines = Lines::new(options);
        let (address, source) = (options.strong(self.address), options.faint(self.source));
        lines.add(format!("{} {address}  {source}", options.bad("?")));
        let by = self.sent_by.map_or(Text::same(""), |who| {
            let who = clean(who);
            text!(" by {who}", who)
        });
        let (sent_at, run) = (format!("{:.0}", self.sent_at), self.run);
        lines.add(text!("  sent {sent_at}{by}, run {run}", sent_at, by, run));
        for (field, value) in self.attributes.iter() {
            lines.add(format!("    {field:<12}  \"{}\"", clean(&value.to_string())));
        }
        let ids = [("TranId", self.tran_id), ("EnvId", self.env_id), ("RequestId", self.request_id)];
        for (name, id) in ids {
            if let Some(id) = id {
                let id = clean(id);
                lines.add(text!("  its response had {name} {id}", name, id));
            }
        }
        let region = region(self.region);
        let searched = list(self.regions_searched.iter().map(|it| self::region(it.as_deref())));
        lines.add(text!("  region: {region}; searched: {searched}", region, searched));
        if self.candidates.is_empty() {
            lines.add(text!("  no matching environment in the account"));
        }
        for CandidateView { env_id, fits, checks, .. } in &self.candidates {
            let verdict =
                if *fits { options.good(text!("match")) } else { options.change(text!("partial match")) };
            let env_id = options.strong(clean(env_id));
            lines.add(text!("  candidate {env_id}: {verdict}", env_id, verdict));
            for Check { what, expected, found, fits } in *checks {
                let mark = if *fits { options.good(text!("ok")) } else { options.bad(text!("no")) };
                let (expected, found) = (or_nothing(expected), or_nothing(found));
                lines.add(text!(
                    "    {mark}  {what}: expected {expected}, found {found}",
                    mark,
                    what,
                    expected,
                    found
                ));
            }
        }
        lines.finish()
    }
}

impl View for ResolveView<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        self.open.iter().map(|order| order.text(options)).collect::<Vec<_>>().join("\n")
    }
}

fn region(region: Option<&str>) -> Text {
    region.map_or(text!("default"), |region| Text::same(clean(region).into_owned()))
}

fn or_nothing(text: &Text) -> Text {
    if text.is_empty() { text!("nothing") } else { clean_text(text) }
}

/// Returns what to type for an order that only a person can settle; `fits` is the candidate that fits in everything.
pub fn describe_next_step(address: &Address, fits: Option<&str>) -> Text {
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
