//! Compares the state with the account.
//!
//! What the account shows is trusted; what it does not show proves little: a list may lag, and each region
//! has its own. A user who believes that an environment is gone creates another one. So `gone` requires that
//! a lookup by id also found nothing, in a searched region, long after the create, and that no bill
//! continues.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::cloud::api_time::{Fit, fit};
use crate::cloud::matching::Matcher;
use crate::cloud::shown::shown_attributes;
use crate::cloud::{Bill, Bills, PayMode, SeenEnvironment};
use crate::i18n::{Text, text};
use crate::model::{Address, Desired, Environment, Field, Role, SourceRef, Value};
use crate::plan::{Code, Finding, Plan, Standing};
use crate::state::{Record, State, Status};

/// What the account shows: all pages of all listed regions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Live {
    pub environments: Vec<SeenEnvironment>,
    /// Bills of the environments in the state.
    pub bills: Bills,
    /// The regions that were listed, None for calls without one.
    pub regions: Vec<Option<String>>,
    /// Ids that were looked up individually and not found in any region.
    pub absent: HashSet<String>,
    /// Ids in receipts, whether or not the state still has them.
    pub known_ids: BTreeSet<String>,
}

/// How long after its create an environment may be missing from every list. Tencent Cloud does not document
/// it; its tools mention three minutes to create one.
const MAY_LAG: SignedDuration = SignedDuration::from_hours(1);

/// How long before its package expires an environment is reported.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long before that it counts as drift. A package of one month is reported all the time.
const URGENT: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(super) fn findings(live: &Live, desired: &Desired, state: Option<&State>, plan: &Plan) -> Vec<Finding> {
    let is_selected = plan.options.filter();
    let seen: HashMap<&str, &SeenEnvironment> =
        live.environments.iter().map(|environment| (environment.env_id.as_str(), environment)).collect();
    let bills: HashMap<&str, &Bill> =
        live.bills.shown.iter().map(|bill| (bill.env_id.as_str(), bill)).collect();
    let declared: HashMap<&Address, &Environment> =
        desired.environments.iter().map(|environment| (&environment.address, environment)).collect();
    let mut findings = Vec::new();
    for (key, record) in state.into_iter().flat_map(|state| &state.environments) {
        let (address, deposed) = (&key.address, key.is_deposed());
        let Some(env_id) = record.env_id.as_deref().filter(|_| is_selected(address)) else {
            continue;
        };
        let context = RecordContext {
            address,
            record,
            deposed,
            env_id,
            declared: declared.get(address).copied().filter(|_| !deposed),
        };
        let bill = bills.get(env_id).copied();
        if let Some(environment) = seen.get(env_id) {
            let may_have_a_bill = bill.is_none() && live.bills.incomplete;
            context.compare(environment, bill, may_have_a_bill, plan.created_at, &mut findings);
        } else {
            findings.extend(context.missing(live, bill, plan.created_at));
        }
    }
    let unmanaged = unmanaged(live, desired, state);
    findings.extend(unmanaged.into_iter().filter(|finding| match &finding.address {
        Some(address) => is_selected(address),
        // A selection is of addresses, and this has none.
        None => plan.options.targets.is_empty(),
    }));
    findings
}

/// A record with its declaration.
struct RecordContext<'a> {
    address: &'a Address,
    record: &'a Record,
    deposed: bool,
    env_id: &'a str,
    declared: Option<&'a Environment>,
}

impl RecordContext<'_> {
    /// Returns the finding for a record that the account does not show.
    fn missing(&self, live: &Live, bill: Option<&Bill>, now: Timestamp) -> Option<Finding> {
        let address = self.address;
        match self.record.status {
            // A pending create has its own finding. A destroyed environment may be gone.
            Status::Unknown | Status::AwaitingEnvId | Status::Isolated | Status::Destroying => {
                return None;
            }
            Status::Created => {}
        }
        let not_listed = |found: Text, next: Text| {
            let expected = text!("listed in the account");
            Some(self.finding(Code::NotListed, expected, found, next))
        };
        let age = now.duration_since(self.record.ordered_at);
        if age < MAY_LAG {
            let found = text!(
                "not listed yet: it was created less than an hour ago, and Tencent Cloud does not document when a new environment is listed"
            );
            let later = text!("`postpay drift`, later");
            let finding = not_listed(found, later);
            // The user can only wait. As drift, it would follow every run.
            return finding.map(|finding| Finding { standing: Standing::NotCounted, ..finding });
        }
        let region = self.record.region.as_ref();
        let was_asked = live.regions.iter().any(|asked| asked.as_ref() == region);
        if let Some(region) = region
            && !was_asked
        {
            return not_listed(
                text!("{region}, where it was created, was not searched", region),
                text!("add {region} to `api.list_regions` in postpay.yaml", region),
            );
        }
        let console =
            || text!("check it in the Tencent Cloud console, and keep it in the state until it is found");
        if !was_asked {
            return not_listed(
                text!("it was created by a call without a region, but only named regions were searched"),
                console(),
            );
        }
        if !live.absent.contains(self.env_id) {
            return not_listed(
                text!("not in the list; a lookup by id did not show whether it exists"),
                console(),
            );
        }
        if bill.is_some_and(|bill| !bill.is_isolated()) {
            return not_listed(text!("not in any listed region, but it still has a bill"), console());
        }
        if bill.is_none() && live.bills.incomplete {
            return not_listed(
                text!("not in any listed region; the list of bills is incomplete, so it may have one"),
                text!("`postpay drift`, in a few minutes"),
            );
        }
        let env_id = self.env_id;
        Some(self.finding(
            Code::Gone,
            text!("in the account"),
            text!("not in any listed region, and not found by its id"),
            match self.declared {
                _ if self.deposed => text!("check it in the Tencent Cloud console; if it no longer exists: `postpay state rm --deposed {env_id}`", env_id),
                Some(_) => text!("check it in the Tencent Cloud console; if it no longer exists and must be created again: `postpay state rm {address} --force`, then plan", address),
                None => text!("check it in the Tencent Cloud console; if it no longer exists: `postpay state rm {address}`", address),
            },
        ))
    }

    fn compare(
        &self,
        environment: &SeenEnvironment,
        bill: Option<&Bill>,
        may_have_a_bill: bool,
        now: Timestamp,
        findings: &mut Vec<Finding>,
    ) {
        // A bill that is not shown may be isolated.
        if self.record.status == Status::Isolated && !may_have_a_bill {
            findings.extend(self.in_use_again(environment, bill));
        }
        if self.record.status != Status::Created {
            return;
        }
        let address = self.address;
        if environment.is_isolated() || bill.is_some_and(Bill::is_isolated) {
            findings.push(self.finding(
                Code::Isolated,
                text!("in use"),
                text!("isolated: it was destroyed, or a bill is overdue"),
                Text::fixed("check it in the Tencent Cloud console, where it may be possible to restore it"),
            ));
        } else if let Some(status) = environment.status.as_deref().filter(|word| is_error(word)) {
            findings.push(self.finding(
                Code::ErrorStatus,
                Text::same("NORMAL"),
                Text::same(status.to_owned()),
                Text::fixed("check it in the Tencent Cloud console"),
            ));
        }
        let fixed = [
            (Code::SourceChanged, Role::Source, &environment.source),
            (Code::ChannelChanged, Role::Channel, &environment.channel),
        ];
        for (code, role, shown) in fixed {
            if let Some((recorded, shown)) = self.differs(role, shown.as_deref()) {
                findings.push(self.finding(code, same(recorded), same(shown), {
                    let code = code.name();
                    text!("if this is intended, ignore it: `--ignore {code}:{address}`", code, address)
                }));
            }
        }
        // Tencent Cloud does not document whether an environment shows its Alias or EnvAlias.
        let env_alias = self.record.attributes.env_alias();
        if let Some((recorded, shown)) = self.differs(Role::Alias, environment.alias.as_deref())
            && env_alias != Some(shown)
        {
            findings.push(self.finding(
                Code::AliasChanged,
                same(recorded),
                same(shown),
                text!("declare `alias: {shown}` and apply, which changes only the state; or rename it in the console", shown),
            ));
        }
        let expected = self.record.attributes.kind().pay_mode;
        let modes = [
            environment.pay_mode.as_deref().map(PayMode::from_word),
            bill.and_then(|bill| bill.pay_mode.clone()),
        ];
        let mut shown = modes.into_iter().flatten();
        if let Some(expected) = expected
            && let Some(mode) = shown.find(|mode| *mode != PayMode::from_word(expected))
        {
            findings.push(self.finding(
                Code::PayModeChanged,
                Text::same(expected),
                Text::of(&mode),
                text!("to stop managing it: `removed: [{address}]`", address),
            ));
        }
        self.compare_package(environment, bill, now, findings);
    }

    /// Compares what only the bill and the tags show, and looks at when it expires.
    fn compare_package(
        &self,
        environment: &SeenEnvironment,
        bill: Option<&Bill>,
        now: Timestamp,
        findings: &mut Vec<Finding>,
    ) {
        let recorded = &self.record.attributes;
        let shown = shown_attributes(recorded.kind(), environment, bill);
        let is_off = Value::Bool(false);
        for (code, role) in [
            (Code::PackageChanged, Role::Package),
            (Code::OverrunChanged, Role::Overrun),
            (Code::RenewalChanged, Role::AutoRenew),
            (Code::TagsChanged, Role::Tags),
        ] {
            let Some(field) = recorded.kind().role(role).filter(|field| !self.ignores(*field)) else {
                continue;
            };
            // Renewal that is not declared is off.
            let undeclared = Some(&is_off).filter(|_| role == Role::AutoRenew);
            let expected = recorded.get(field).or(undeclared);
            // A list that shows no tags at all has none of the declared ones.
            let none = Value::Map(BTreeMap::new());
            let untagged = Some(&none).filter(|_| role == Role::Tags && environment.tags.is_some());
            let found = shown.get(field).or(untagged);
            let (Some(expected), Some(found)) = (expected, found) else { continue };
            if !is_as_recorded(field, expected, found) {
                let address = self.address;
                let next = if field.update.action().is_some() {
                    text!("declare the shown value and apply, or change it back in the console")
                } else {
                    let code = code.name();
                    text!("if this is intended, ignore it: `--ignore {code}:{address}`", code, address)
                };
                findings.push(self.finding(code, Text::of(expected), Text::of(found), next));
            }
        }
        let is_renewed = bill.and_then(|bill| bill.auto_renew) == Some(true);
        let within = |time| now..=now.saturating_add(time).unwrap_or(Timestamp::MAX);
        if recorded.kind().role(Role::Package).is_some()
            && !is_renewed
            && let Some(expires) = bill.and_then(|bill| bill.expires_at.as_deref())
            && fit(expires, &within(SOON)) == Fit::Possible
        {
            let (expected, found) = (text!("more than 30 days left"), text!("expires at {expires}", expires));
            let next = text!("renew it in the Tencent Cloud console: postpay never renews a package");
            let is_urgent = fit(expires, &within(URGENT)) == Fit::Possible;
            let standing = if is_urgent { Standing::Counted } else { Standing::NotCounted };
            findings.push(Finding { standing, ..self.finding(Code::ExpiresSoon, expected, found, next) });
        }
    }

    /// Whether changes of a field are ignored.
    fn ignores(&self, field: Field) -> bool {
        self.declared.is_some_and(|declared| declared.lifecycle.ignore_changes.contains(&field))
    }

    /// Returns a finding for a destroyed environment that the account still shows.
    fn in_use_again(&self, environment: &SeenEnvironment, bill: Option<&Bill>) -> Option<Finding> {
        // The list and the bill may lag: in use only when neither shows otherwise.
        let status = environment.status.as_deref()?;
        if environment.is_isolated() || bill.is_some_and(Bill::is_isolated) {
            return None;
        }
        let (address, env_id) = (self.address, self.env_id);
        let flag = if self.deposed { " --deposed" } else { "" };
        let give_up = format!("`postpay destroy {address}{flag} --purge --allow-destroy`");
        Some(self.finding(
            Code::InUseAgain,
            text!("isolated"),
            text!("{status}: it was restored and is billed", status),
            if self.deposed {
                text!("to delete it, including its data: {give_up}", give_up)
            } else {
                text!("to keep it: declare it with `import: {{env_id: {env_id}}}` and apply; without `import`, another one is created. To delete it, including its data: {give_up}", env_id, give_up)
            },
        ))
    }

    /// Returns the recorded and the shown value when both exist, differ and are not ignored.
    fn differs<'b>(&'b self, role: Role, shown: Option<&'b str>) -> Option<(&'b str, &'b str)> {
        let field = self.record.attributes.kind().role(role)?;
        let ignored = self.ignores(field);
        let recorded = self.record.attributes.get(field)?;
        let shown = shown.filter(|shown| !ignored && !field.same(recorded, &Value::from(*shown)))?;
        Some((recorded.as_text()?, shown))
    }

    fn finding(&self, code: Code, expected: Text, found: Text, next: Text) -> Finding {
        let source = self.declared.map_or(&self.record.source, |declared| &declared.source);
        Finding {
            code,
            address: Some(self.address.clone()),
            deposed: self.deposed,
            env_id: Some(self.env_id.to_owned()),
            expected: Some(expected),
            found: Some(found),
            source: Some(source.clone()),
            standing: Standing::Counted,
            reason: None,
            next,
        }
    }
}

/// Whether a shown value is the recorded one. Tags that others added are none of ours.
fn is_as_recorded(field: Field, recorded: &Value, shown: &Value) -> bool {
    match (recorded, shown) {
        (Value::Map(recorded), Value::Map(shown)) => {
            recorded.iter().all(|(name, value)| shown.get(name) == Some(value))
        }
        (recorded, shown) => field.same(recorded, shown),
    }
}

/// Tencent Cloud documents NORMAL and UNAVAILABLE, which its tools show as "being created"; its tools also
/// know ABNORMAL and ERROR.
fn is_error(status: &str) -> bool {
    ["ABNORMAL", "ERROR"].iter().any(|word| status.eq_ignore_ascii_case(word))
}

/// Returns findings for environments that are neither declared nor in the state: possible duplicates of
/// declared ones, and others.
fn unmanaged(live: &Live, desired: &Desired, state: Option<&State>) -> Vec<Finding> {
    let declared: HashMap<&Address, &Environment> =
        desired.environments.iter().map(|environment| (&environment.address, environment)).collect();
    let recorded = state.into_iter().flat_map(State::env_ids);
    let declared_ids = desired.environments.iter().flat_map(|environment| {
        let import = environment.import.as_ref().map(|import| import.env_id.as_str());
        import.into_iter().chain(environment.attributes.env_id())
    });
    let known: HashSet<&str> = recorded.map(|(_, env_id)| env_id).chain(declared_ids).collect();
    let in_receipts = live.known_ids.iter().map(String::as_str);
    let environments = desired.environments.iter();
    let matcher = Matcher::new(
        environments.map(|environment| (&environment.address, &environment.attributes)),
        known.iter().copied().chain(in_receipts),
    );
    // An open create may have made it; importing it elsewhere would leave that create open.
    let mut records = state.into_iter().flat_map(State::records);
    let next = if records.any(|(_, record)| record.env_id.is_none()) {
        text!(
            "`postpay resolve`, if it may belong to an order with an unknown outcome; otherwise `postpay generate`"
        )
    } else {
        Text::same("postpay generate")
    };
    let unknown: BTreeMap<&str, &SeenEnvironment> = live
        .environments
        .iter()
        .filter(|environment| !known.contains(environment.env_id.as_str()))
        .map(|environment| (environment.env_id.as_str(), environment))
        .collect();
    // In a project that declares none, prepaid environments are of no concern.
    let kinds = desired.environments.iter().map(|environment| environment.attributes.kind());
    let kinds = kinds.chain(state.into_iter().flat_map(State::records).map(|(_, it)| it.attributes.kind()));
    let mut modes = kinds.filter_map(|kind| kind.pay_mode).map(PayMode::from_word);
    let has_prepaid = modes.any(|mode| mode == PayMode::Prepaid);
    let mut findings = Vec::new();
    for (env_id, environment) in unknown {
        let found = Some(Text::same(describe(environment)));
        let mode = environment.pay_mode.as_deref().map(PayMode::from_word);
        if let Some(address) = matcher.owner(environment) {
            findings.push(Finding {
                code: Code::PossibleDuplicate,
                address: Some(address.clone()),
                deposed: false,
                env_id: Some(env_id.to_owned()),
                expected: Some(text!("only the environment in the state")),
                found,
                source: declared.get(address).map(|environment| environment.source.clone()),
                standing: Standing::Counted,
                reason: None,
                next: duplicate_help(address, env_id, state),
            });
        } else if mode != Some(PayMode::Prepaid) || has_prepaid {
            findings.push(Finding {
                code: Code::Unmanaged,
                address: None,
                deposed: false,
                env_id: Some(env_id.to_owned()),
                expected: Some(text!("declared, or in the state")),
                found,
                source: None::<SourceRef>,
                standing: Standing::Counted,
                reason: None,
                next: next.clone(),
            });
        }
    }
    findings
}

fn duplicate_help(address: &Address, env_id: &str, state: Option<&State>) -> Text {
    let record = state.and_then(|state| state.get(address));
    match record.map(|record| record.status) {
        Some(Status::Unknown | Status::AwaitingEnvId) => {
            text!("`postpay resolve {address}`: it may be the result of creating `{address}`", address)
        }
        Some(Status::Created) => text!(
            "check it in the console: it keeps billing beside the environment of `{address}`. Delete it there, or declare it at another address and run `postpay import ADDR {env_id}`",
            address,
            env_id
        ),
        Some(Status::Isolated | Status::Destroying) | None => {
            text!("to manage it: `postpay import {address} {env_id}` (creates nothing)", address, env_id)
        }
    }
}

/// Returns a value that is not translated.
fn same(value: &str) -> Text {
    Text::same(value.to_owned())
}

fn describe(environment: &SeenEnvironment) -> String {
    let parts = [
        environment.alias.as_deref(),
        environment.pay_mode.as_deref(),
        environment.status.as_deref(),
        environment.region.as_deref(),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
