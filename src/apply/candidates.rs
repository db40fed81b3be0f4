//! Which environments a create with a lost answer may have made, and the evidence for each. Pure.
//!
//! The API has no idempotency token, and an environment does not show which request made it. So environments are compared
//! with the create: one that was not there before the run, that belongs to no other create, and that fits in every field
//! that the account shows, its bill included, is adopted. If none or several fit, or one fits in part, a user decides.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::cloud::api_time::{self, Fit, fit};
use crate::cloud::matching::Matcher;
use crate::cloud::{Bill, PayMode, SeenEnvironment};
use crate::i18n::{Text, text};
use crate::model::{Address, Attributes, Kind, Role};
use crate::state::{Record, Status};

/// How far Tencent Cloud's clock may be from ours, after the correction that its answers allow.
const SKEW: SignedDuration = SignedDuration::from_mins(10);

/// A create whose environment is not known: its outcome is unknown, or its answer had no EnvId.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingOrder {
    /// Its step's index in this run; None when an earlier run sent it.
    pub at: Option<usize>,
    pub address: Address,
    /// With the ids that its answer had. The TranId alone identifies an order.
    pub record: Record,
}

impl PendingOrder {
    /// Whether it is of something that lives inside another environment.
    pub(super) fn is_inside(&self) -> bool {
        self.record.attributes.kind().shares_env_id
    }

    /// The state's record of it, once its outcome is known.
    pub fn settled(&self, status: Status, env_id: Option<String>, tran_id: Option<String>) -> Record {
        let record = self.record.clone();
        let request_id = record.request_id.filter(|_| status != Status::Created);
        Record { status, env_id, tran_id, request_id, deposed_at: None, ..record }
    }
}

/// What a create is compared with.
#[derive(Debug, Clone, Copy)]
pub struct MatchContext<'a> {
    /// The EnvIds that the account had before the run's first create; None when they are not known.
    pub before: Option<&'a BTreeSet<String>>,
    /// The EnvIds that other creates have in the state.
    pub managed: &'a BTreeSet<String>,
    pub seen: &'a [SeenEnvironment],
    /// Knows every create in the state, so that another create's environment is not taken for this one's.
    pub matcher: &'a Matcher<'a>,
    pub now: Timestamp,
    /// How far Tencent Cloud's clock is ahead of ours.
    pub ahead: SignedDuration,
}

/// An environment that the create may have made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub environment: SeenEnvironment,
    pub bill: Option<Bill>,
    pub checks: Vec<Check>,
    /// Its bill has the order number of the create's own answer: nothing else is needed then.
    pub has_the_number: bool,
}

/// One thing that was compared.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Check {
    pub what: Text,
    pub expected: Text,
    pub found: Text,
    pub fits: bool,
}

/// What follows from the candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proposal<'a> {
    /// One fits in everything.
    Adopt(&'a Candidate),
    /// Several fit in everything, or some fit in part.
    Ask,
    /// There is no candidate.
    Nothing,
}

const NUMBER: Text = Text::fixed("order number");
const ALIAS: Text = Text::fixed("alias");
const NO_ALIAS: Text = Text::fixed("not set when it was created, so it cannot be compared");
const NEW: Text = Text::fixed("new since the run began");
const NOT_LISTED: Text = Text::fixed("not listed before");
const NOT_TOLD: Text = Text::fixed("not reported");

impl Candidate {
    /// An environment that has what was to be opened inside it.
    pub(super) fn inside(environment: &SeenEnvironment, kind: &Kind) -> Self {
        let name = same(kind.name);
        let check =
            Check { what: Text::fixed("open in it"), expected: name.clone(), found: name, fits: true };
        Self { environment: environment.clone(), bill: None, checks: vec![check], has_the_number: false }
    }

    /// Whether it is the one: its bill has the order number of the answer, or everything fits.
    pub fn fits(&self) -> bool {
        self.checks.iter().all(|check| check.fits) || self.has_the_number
    }

    /// Whether it matches the create by alias or EnvId, whatever its bill and times show.
    pub fn looks_alike(&self) -> bool {
        let mut checks = self.checks.iter();
        checks.any(|check| check.what == ALIAS && check.fits)
    }

    /// Whether an alias was declared and this is another. The order number is stronger than that.
    pub fn contradicts_the_alias(&self) -> bool {
        let unfit = |check: &Check| check.what == ALIAS && !check.fits && check.expected != NO_ALIAS;
        !self.has_the_number && self.checks.iter().any(unfit)
    }

    /// The order number on its bill.
    pub fn tran_id(&self) -> Option<&str> {
        Some(self.bill.as_ref()?.order.as_ref()?.tran_id.as_str())
    }
}

/// Returns the environments that the create may have made, before their bills are known.
///
/// For a create with an EnvId: that environment, and the one that its answer named instead. For any other: every new one.
/// Never one that another create has.
pub fn possible<'a>(pending: &PendingOrder, context: MatchContext<'a>) -> Vec<&'a SeenEnvironment> {
    let asked = pending.record.attributes.env_id();
    let seen = pending.record.env_id.as_deref().filter(|id| !context.managed.contains(*id));
    let is_possible = |environment: &&SeenEnvironment| {
        let id = &environment.env_id;
        let is_new = || context.before.is_none_or(|before| !before.contains(id));
        match (asked, seen) {
            (Some(asked), _) if asked == id => true,
            (_, Some(seen)) => seen == id,
            (Some(_), None) => false,
            (None, None) => is_new() && !context.managed.contains(id),
        }
    };
    context.seen.iter().filter(is_possible).collect()
}

/// Compares the possible environments with the create. `bills` may have those of other environments too.
pub fn candidates(pending: &PendingOrder, context: MatchContext<'_>, bills: &[Bill]) -> Vec<Candidate> {
    possible(pending, context)
        .into_iter()
        .map(|environment| {
            let bill = bills.iter().find(|bill| bill.env_id == environment.env_id).cloned();
            let mut checks = match pending.record.attributes.env_id() {
                Some(_) => switched(pending, context, bill.as_ref()),
                None => created(pending, context, environment, bill.as_ref()),
            };
            let other = pending.record.attributes.env_id();
            let other = other.filter(|asked| *asked != environment.env_id);
            // Only a person may say that another environment was made instead.
            checks.extend(other.map(|asked| Check {
                what: Text::fixed("requested environment"),
                expected: same(asked),
                found: same(&environment.env_id),
                fits: false,
            }));
            let number =
                bill.as_ref().and_then(|bill| bill.order.as_ref()).map(|order| order.tran_id.as_str());
            let has_the_number =
                other.is_none() && number.is_some() && pending.record.tran_id.as_deref() == number;
            Candidate { environment: environment.clone(), bill, checks, has_the_number }
        })
        .collect()
}

/// Proposes the only candidate that fits.
pub fn propose(candidates: &[Candidate]) -> Proposal<'_> {
    let mut fitting = candidates.iter().filter(|candidate| candidate.fits());
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Proposal::Adopt(one),
        (None, _) if candidates.is_empty() => Proposal::Nothing,
        (Some(_) | None, _) => Proposal::Ask,
    }
}

fn created(
    pending: &PendingOrder,
    context: MatchContext<'_>,
    environment: &SeenEnvironment,
    bill: Option<&Bill>,
) -> Vec<Check> {
    let new = Check {
        what: NEW,
        expected: NOT_LISTED,
        found: match context.before {
            Some(_) => NOT_LISTED,
            None => Text::fixed("no listing from before the run"),
        },
        fits: context.before.is_some(),
    };
    let attributes = &pending.record.attributes;
    let field = |what, role, found: Option<&str>| {
        let field = attributes.kind().role(role)?;
        let expected = attributes.text(field).unwrap_or_default();
        let found = found.unwrap_or_default();
        let fits = expected.eq_ignore_ascii_case(found);
        Some(Check { what, expected: same(expected), found: same(found), fits })
    };
    let package = environment.package.as_deref().or(bill.and_then(|bill| bill.package.as_deref()));
    let compared = [
        field(Text::fixed("source"), Role::Source, environment.source.as_deref()),
        field(Text::fixed("channel"), Role::Channel, environment.channel.as_deref()),
        field(Text::fixed("package"), Role::Package, package),
    ];
    let mut checks = vec![new, alias(attributes, environment, context.matcher)];
    checks.extend(compared.into_iter().flatten());
    checks.push(time(Text::fixed("created at"), pending, context, environment.created_at.as_deref()));
    checks.extend(billed(pending, Some(environment), bill));
    checks
}

/// The checks of a create with an EnvId: the environment existed before, so only its bill can tell.
fn switched(pending: &PendingOrder, context: MatchContext<'_>, bill: Option<&Bill>) -> Vec<Check> {
    let order = bill.and_then(|bill| bill.order.as_ref());
    let mut checks = vec![time(
        Text::fixed("ordered"),
        pending,
        context,
        order.and_then(|order| order.created_at.as_deref()),
    )];
    checks.extend(billed(pending, None, bill));
    checks
}

fn alias(order: &Attributes, environment: &SeenEnvironment, matcher: &Matcher<'_>) -> Check {
    let expected = order.alias().or(order.env_alias());
    Check {
        what: ALIAS,
        expected: expected.map_or(NO_ALIAS, same),
        found: same(environment.alias.as_deref().unwrap_or_default()),
        fits: matcher.fits(order, environment),
    }
}

fn time(what: Text, pending: &PendingOrder, context: MatchContext<'_>, found: Option<&str>) -> Check {
    let by_theirs = |ours: Timestamp| ours.saturating_add(context.ahead).unwrap_or(ours);
    let (sent_at, now) = (by_theirs(pending.record.ordered_at), by_theirs(context.now));
    let from = sent_at.saturating_sub(SKEW).unwrap_or(sent_at);
    let upto = now.saturating_add(SKEW).unwrap_or(now);
    Check {
        what,
        expected: text!("{sent_at} or soon after", sent_at = format!("{sent_at:.0}")),
        found: found.map_or(NOT_TOLD, api_time::describe),
        fits: found.is_some_and(|found| fit(found, &(from..=upto)) == Fit::Possible),
    }
}

fn same(text: &str) -> Text {
    Text::same(text.to_owned())
}

/// The checks of how it is paid for. A kind without order numbers need not have a bill: then the list says it.
fn billed(pending: &PendingOrder, environment: Option<&SeenEnvironment>, bill: Option<&Bill>) -> Vec<Check> {
    let kind = pending.record.attributes.kind();
    let listed = environment.filter(|_| !kind.returns_tran_id);
    let listed = listed.and_then(|environment| environment.pay_mode.as_deref().map(PayMode::from_word));
    let shown = bill.and_then(|bill| bill.pay_mode.clone()).or(listed);
    let mut checks = Vec::new();
    if let Some(mode) = kind.pay_mode {
        checks.push(Check {
            what: Text::fixed("pay mode"),
            expected: Text::same(mode),
            found: shown.as_ref().map_or(Text::fixed("no bill"), |mode| same(&mode.to_string())),
            fits: shown == Some(PayMode::from_word(mode)),
        });
    }
    let tran_id = bill.and_then(|bill| bill.order.as_ref()).map(|order| order.tran_id.as_str());
    let expected = pending.record.tran_id.as_deref();
    if kind.returns_tran_id || expected.is_some() {
        checks.push(Check {
            what: NUMBER,
            expected: expected.map_or(Text::fixed("any"), same),
            found: tran_id.map_or(NOT_TOLD, same),
            fits: tran_id.is_some() && (expected.is_none() || tran_id == expected),
        });
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::BillOrder;
    use crate::kinds::postpay;
    use crate::model::SourceRef;
    use crate::state::Origin;
    use crate::state::journal::RunId;

    const SENT: Timestamp = Timestamp::UNIX_EPOCH;

    fn shown(env_id: &str) -> SeenEnvironment {
        SeenEnvironment { env_id: env_id.to_owned(), ..SeenEnvironment::default() }
    }

    fn bill(env_id: &str, tran_id: &str) -> Bill {
        Bill {
            env_id: env_id.to_owned(),
            pay_mode: Some(PayMode::Postpaid),
            order: Some(BillOrder {
                tran_id: tran_id.to_owned(),
                created_at: Some("1970-01-01 00:00:00".to_owned()),
                ..BillOrder::default()
            }),
            ..Bill::default()
        }
    }

    /// What is found for an order with the number 7 whose answer had the EnvId "other": which fit, of which were compared.
    fn found(asked: Option<&str>, managed: &[&str], numbers: [&str; 2]) -> Vec<(String, bool)> {
        let mut order = Attributes::default();
        if let Some(asked) = asked {
            order.set(postpay::ENV_ID, asked);
        }
        let record = Record {
            status: Status::Unknown,
            env_id: Some("other".to_owned()),
            tran_id: Some("7".to_owned()),
            request_id: None,
            origin: Origin::Ordered,
            attributes: order,
            ordered_at: SENT,
            run: RunId::fresh(),
            source: SourceRef { file: String::new(), line: 0 },
            region: None,
            prevent_destroy: false,
            deposed_at: None,
        };
        let pending = PendingOrder { at: None, address: Address::new("a").unwrap(), record };
        let context = MatchContext {
            before: None,
            managed: &managed.iter().map(|id| (*id).to_owned()).collect(),
            seen: &[shown("asked"), shown("other"), shown("third")],
            matcher: &Matcher::default(),
            now: SENT,
            ahead: SignedDuration::ZERO,
        };
        let bills = [bill("asked", numbers[0]), bill("other", numbers[1])];
        let found = candidates(&pending, context, &bills).into_iter();
        found.map(|one| (one.environment.env_id.clone(), one.fits())).collect()
    }

    fn pair(env_id: &str, fits: bool) -> (String, bool) {
        (env_id.to_owned(), fits)
    }

    #[test]
    fn another_environment_than_the_one_asked_for_is_for_a_person() {
        let asked = Some("asked");
        // The bill of the one that was asked for has the number.
        assert_eq!(found(asked, &[], ["7", "1"]), [pair("asked", true), pair("other", false)]);
        // However well the other one fits.
        assert_eq!(found(asked, &[], ["1", "7"]), [pair("asked", false), pair("other", false)]);
        assert_eq!(found(asked, &["other"], ["7", "7"]), [pair("asked", true)]);
    }

    #[test]
    fn an_environment_that_another_order_has_is_not_this_ones_though_its_answer_named_it() {
        assert_eq!(found(None, &[], ["1", "7"]), [pair("other", true)]);
        let others = found(None, &["other"], ["1", "7"]);
        assert_eq!(others, [pair("asked", false), pair("third", false)]);
    }
}
