//! What state and account don't agree on, as far as the account tells.
//!
//! The account is believed in what it shows. That something is not shown is told as it is: it may be in a region that is
//! not listed, and nothing follows from it by itself.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Code, Finding, Live, Standing};
use crate::cloud::{Bill, PayMode, SeenEnvironment};
use crate::desired::{Address, Desired, Environment, Field, SourceRef};
use crate::lang::{Text, text};
use crate::plan::Plan;
use crate::state::{Record, State, Status};

pub(super) fn findings(
    live: &Live,
    desired: &Desired,
    state: Option<&State>,
    plan: &Plan,
) -> Vec<Finding> {
    let is_selected = plan.options.filter();
    let seen: HashMap<&str, &SeenEnvironment> = live
        .environments
        .iter()
        .map(|environment| (environment.env_id.as_str(), environment))
        .collect();
    let bills: HashMap<&str, &Bill> = live
        .bills
        .iter()
        .map(|bill| (bill.env_id.as_str(), bill))
        .collect();
    let declared: HashMap<&Address, &Environment> = desired
        .environments
        .iter()
        .map(|environment| (&environment.address, environment))
        .collect();
    let mut findings = Vec::new();
    let current = state.into_iter().flat_map(|state| &state.environments);
    let current = current.map(|(address, record)| (address, record, false));
    let deposed = state.into_iter().flat_map(|state| &state.deposed);
    let deposed = deposed.map(|one| (&one.address, &one.record, true));
    for (address, record, deposed) in current.chain(deposed) {
        let Some(env_id) = record.env_id.as_deref().filter(|_| is_selected(address)) else {
            continue;
        };
        let scene = Scene {
            address,
            record,
            deposed,
            env_id,
            declared: declared.get(address).copied().filter(|_| !deposed),
        };
        match seen.get(env_id) {
            Some(environment) => {
                scene.compare(environment, bills.get(env_id).copied(), &mut findings);
            }
            None => findings.extend(scene.gone()),
        }
    }
    // A selection is about addresses, and these have none.
    if plan.options.targets.is_empty() {
        findings.extend(unmanaged(live, &declared, state));
    }
    findings
}

/// A record, and what is declared of it.
struct Scene<'a> {
    address: &'a Address,
    record: &'a Record,
    deposed: bool,
    env_id: &'a str,
    declared: Option<&'a Environment>,
}

impl Scene<'_> {
    fn gone(&self) -> Option<Finding> {
        let address = self.address;
        match self.record.status {
            // An order that is not settled is a finding of its own. What was given up may be gone.
            Status::Unknown | Status::AwaitingEnvId | Status::Isolated | Status::Destroying => None,
            Status::Created => Some(self.finding(
                Code::Gone,
                "in the account",
                "not shown in any region that is listed",
                match self.declared {
                    Some(_) => text!(
                        "look at it in the vendor's console; if it is gone, and to be ordered anew: `postpay state rm {address} \
                         --force`, and plan",
                        "在腾讯云控制台查看；若它已不存在且要重新订购：`postpay state rm {address} --force`，然后执行 plan"
                    ),
                    None => text!(
                        "look at it in the vendor's console; if it is gone: `postpay state rm {address}`",
                        "在腾讯云控制台查看；若它已不存在：`postpay state rm {address}`"
                    ),
                },
            )),
        }
    }

    fn compare(
        &self,
        environment: &SeenEnvironment,
        bill: Option<&Bill>,
        findings: &mut Vec<Finding>,
    ) {
        if self.record.status != Status::Created {
            return;
        }
        let address = self.address;
        if environment.is_isolated() || bill.is_some_and(Bill::is_isolated) {
            findings.push(self.finding(
                Code::Isolated,
                "in use",
                "isolated: somebody gave it up, or a bill is overdue",
                Text::fixed(
                    "look at it in the vendor's console, which may bring it back",
                    "在腾讯云控制台查看，或可在那里恢复",
                ),
            ));
        } else if let Some(status) = environment.status.as_deref().filter(|word| is_error(word)) {
            findings.push(self.finding(
                Code::ErrorStatus,
                "NORMAL",
                status,
                Text::fixed("look at it in the vendor's console", "在腾讯云控制台查看"),
            ));
        }
        let fixed = [
            (Code::SourceChanged, Field::EnvSource, &environment.source),
            (Code::ChannelChanged, Field::Channel, &environment.channel),
        ];
        for (code, field, shown) in fixed {
            if let Some((recorded, shown)) = self.differs(field, shown.as_deref()) {
                findings.push(self.finding(code, recorded, shown, {
                    let code = code.name();
                    text!(
                        "if it is meant, ignore it: `--ignore {code}:{address}`",
                        "若是有意为之，忽略它：`--ignore {code}:{address}`"
                    )
                }));
            }
        }
        // The vendor does not say which of Alias and EnvAlias an environment shows.
        let env_alias = self.record.attributes.get(Field::EnvAlias);
        if let Some((recorded, shown)) = self.differs(Field::Alias, environment.alias.as_deref())
            && env_alias != Some(shown)
        {
            findings.push(self.finding(
                Code::AliasChanged,
                recorded,
                shown,
                text!(
                    "declare `alias: {shown}` and apply, which changes nothing at the vendor; or rename it back in the console",
                    "声明 `alias: {shown}` 并执行 apply（不会更改腾讯云上的任何内容）；或在控制台改回原来的别名"
                ),
            ));
        }
        let modes = [
            environment.pay_mode.as_deref().map(PayMode::from_word),
            bill.and_then(|bill| bill.pay_mode.clone()),
        ];
        let other = modes.into_iter().flatten();
        if let Some(mode) = other.into_iter().find(|mode| *mode != PayMode::Postpaid) {
            findings.push(self.finding(
                Code::NotPostpaid,
                "postpaid",
                &mode.to_string(),
                text!(
                    "to stop managing it: `removed: [{address}]`",
                    "若不再管理它：`removed: [{address}]`"
                ),
            ));
        }
    }

    /// What is on record and what is shown, where both are there, differ, and the difference is not ignored.
    fn differs<'b>(&'b self, field: Field, shown: Option<&'b str>) -> Option<(&'b str, &'b str)> {
        let ignored = self
            .declared
            .is_some_and(|declared| declared.lifecycle.ignore_changes.contains(&field));
        let recorded = self.record.attributes.get(field)?;
        let shown = shown.filter(|shown| !ignored && !field.same(recorded, shown))?;
        Some((recorded, shown))
    }

    fn finding(&self, code: Code, expected: &str, found: &str, next: Text) -> Finding {
        let source = self
            .declared
            .map_or(&self.record.source, |declared| &declared.source);
        Finding {
            code,
            address: Some(self.address.clone()),
            deposed: self.deposed,
            env_id: Some(self.env_id.to_owned()),
            expected: Some(expected.to_owned()),
            found: Some(found.to_owned()),
            source: Some(source.clone()),
            standing: Standing::Counts,
            next,
        }
    }
}

/// The vendor's documents know NORMAL and UNAVAILABLE, which its tools show as "being created"; its tools know ABNORMAL and
/// ERROR too.
fn is_error(status: &str) -> bool {
    ["ABNORMAL", "ERROR"]
        .iter()
        .any(|word| status.eq_ignore_ascii_case(word))
}

fn unmanaged(
    live: &Live,
    declared: &HashMap<&Address, &Environment>,
    state: Option<&State>,
) -> Vec<Finding> {
    let recorded = state.into_iter().flat_map(State::env_ids);
    let named = declared.values().flat_map(|environment| {
        let import = environment
            .import
            .as_ref()
            .map(|import| import.env_id.as_str());
        import
            .into_iter()
            .chain(environment.attributes.get(Field::EnvId))
    });
    let known: HashSet<&str> = recorded.map(|(_, env_id)| env_id).chain(named).collect();
    let unknown: BTreeMap<&str, &SeenEnvironment> = live
        .environments
        .iter()
        .filter(|environment| {
            // What is prepaid is nothing that postpay could manage.
            let mode = environment.pay_mode.as_deref().map(PayMode::from_word);
            !known.contains(environment.env_id.as_str()) && mode != Some(PayMode::Prepaid)
        })
        .map(|environment| (environment.env_id.as_str(), environment))
        .collect();
    unknown
        .into_iter()
        .map(|(env_id, environment)| Finding {
            code: Code::Unmanaged,
            address: None,
            deposed: false,
            env_id: Some(env_id.to_owned()),
            expected: None,
            found: Some(told(environment)),
            source: None::<SourceRef>,
            standing: Standing::Counts,
            next: Text::same("postpay generate"),
        })
        .collect()
}

fn told(environment: &SeenEnvironment) -> String {
    let parts = [
        environment.alias.as_deref(),
        environment.pay_mode.as_deref(),
        environment.status.as_deref(),
        environment.region.as_deref(),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
