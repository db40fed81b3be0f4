//! Environments that are to be adopted: what the account shows of them, beside what is declared.
//!
//! An adopted environment is put on record as it is, as far as the account tells, and as it is declared where it does not:
//! so that the next plan shows every difference there is, and none that there isn't. Nothing is ordered.

use std::collections::HashMap;
use std::fmt;

use crate::cloud::{Bill, Bills, CloudError, CloudRead, PayMode, SeenEnvironment};
use crate::lang::Text;
use crate::model::{Address, Attributes, Field, Kind, Role, SourceRef};
use crate::plan::{Action, Plan, Step};
use crate::state::State;

/// An environment that may be adopted, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    pub address: Address,
    pub environment: SeenEnvironment,
    pub bill: Option<Bill>,
    /// As it was said, or as its bill has it.
    pub tran_id: Option<String>,
    /// What goes on record.
    pub attributes: Attributes,
    pub compared: Vec<Compared>,
}

/// A field as it is declared, and as the account shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    pub field: Field,
    pub declared: Option<String>,
    /// None where the account does not tell.
    pub live: Option<String>,
    pub fits: bool,
}

/// Why an environment can't be adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unadoptable {
    pub address: Address,
    pub env_id: String,
    pub source: SourceRef,
    pub why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    NotThere,
    Prepaid,
    PayModeNotTold,
    BillNotShown,
    Isolated,
    OtherNumber,
    OrderedElsewhere,
}

impl Why {
    pub const fn text(self) -> Text {
        match self {
            Self::NotThere => Text::fixed(
                "the account shows no environment with this id, in any region that is listed",
                "在所列的各地域中，账号下都没有此 ID 的环境",
            ),
            Self::Prepaid => Text::fixed(
                "it is prepaid, and postpay manages pay-as-you-go environments",
                "它是预付费的，而 postpay 管理按量付费环境",
            ),
            Self::PayModeNotTold => Text::fixed(
                "neither the list of environments nor a bill says that it is pay-as-you-go",
                "环境列表和账单都没有说明它是按量付费的",
            ),
            Self::BillNotShown => Text::fixed(
                "the list of bills is incomplete and lacks its bill, which may say otherwise",
                "账单列表不完整，缺少它的账单，而账单所示可能不同",
            ),
            Self::Isolated => Text::fixed("it is isolated: somebody gave it up", "它已被隔离：有人销毁了它"),
            Self::OtherNumber => Text::fixed(
                "its bill names another order number than the one that was given",
                "其账单中的订单号与给出的不同",
            ),
            Self::OrderedElsewhere => Text::fixed(
                "its bill names an order that is on record at another address, and waits for its environment",
                "其账单中的订单记录在另一个地址下，正在等待环境",
            ),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// What the account shows of the environments that a plan is to adopt, in the order of its steps.
///
/// # Errors
/// When the account can't be read.
pub async fn look<C: CloudRead>(
    cloud: &C,
    plan: &Plan,
    state: Option<&State>,
) -> Result<Result<Vec<Adoption>, Vec<Unadoptable>>, CloudError> {
    let recorded = state.into_iter().flat_map(State::records);
    let ordered: HashMap<&str, &Address> =
        recorded.filter_map(|(address, record)| Some((record.tran_id.as_deref()?, address))).collect();
    let imports: Vec<(&Step, &str)> = plan
        .changes()
        .filter(|step| step.action == Action::Import)
        .filter_map(|step| Some((step, step.ids.env_id.as_deref()?)))
        .collect();
    if imports.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let seen = cloud.environments().await?;
    let seen: HashMap<&str, &SeenEnvironment> =
        seen.iter().map(|environment| (environment.env_id.as_str(), environment)).collect();
    let there: Vec<String> = imports
        .iter()
        .filter(|(_, env_id)| seen.contains_key(env_id))
        .map(|(_, env_id)| (*env_id).to_owned())
        .collect();
    let bills = if there.is_empty() { Bills::default() } else { cloud.bills(&there).await? };
    let shown: HashMap<&str, &Bill> = bills.shown.iter().map(|bill| (bill.env_id.as_str(), bill)).collect();
    let (mut adoptions, mut problems) = (Vec::new(), Vec::new());
    for (step, env_id) in imports {
        let bill = shown.get(env_id).copied();
        let number = bill.and_then(|bill| bill.order.as_ref());
        let number = number.map(|order| order.tran_id.as_str());
        let given = step.ids.tran_id.as_deref();
        let elsewhere = number.and_then(|number| ordered.get(number));
        let found = adoptable(seen.get(env_id).copied(), bill).and_then(|environment| {
            if bill.is_none() && bills.incomplete {
                Err(Why::BillNotShown)
            } else if given.is_some() && number.is_some() && given != number {
                Err(Why::OtherNumber)
            } else if elsewhere.is_some_and(|address| **address != step.address) {
                Err(Why::OrderedElsewhere)
            } else {
                Ok(environment)
            }
        });
        match found {
            Ok(environment) => adoptions.push(adoption(step, environment, bill)),
            Err(why) => problems.push(Unadoptable {
                address: step.address.clone(),
                env_id: env_id.to_owned(),
                source: step.source.clone(),
                why,
            }),
        }
    }
    Ok(if problems.is_empty() { Ok(adoptions) } else { Err(problems) })
}

/// Whether an environment is one that postpay could have ordered, and that lives.
///
/// # Errors
/// With what speaks against it.
pub fn adoptable<'a>(
    environment: Option<&'a SeenEnvironment>,
    bill: Option<&Bill>,
) -> Result<&'a SeenEnvironment, Why> {
    let environment = environment.ok_or(Why::NotThere)?;
    let listed = environment.pay_mode.as_deref().map(PayMode::from_word);
    let billed = bill.and_then(|bill| bill.pay_mode.clone());
    let modes = [listed, billed];
    if modes.contains(&Some(PayMode::Prepaid)) {
        Err(Why::Prepaid)
    } else if !modes.contains(&Some(PayMode::Postpaid)) {
        Err(Why::PayModeNotTold)
    } else if environment.is_isolated() || bill.is_some_and(Bill::is_isolated) {
        Err(Why::Isolated)
    } else {
        Ok(environment)
    }
}

/// Returns the fields of a kind that the account shows of an environment.
pub fn live(kind: &'static Kind, environment: &SeenEnvironment, bill: Option<&Bill>) -> Attributes {
    let order = bill.and_then(|bill| bill.order.as_ref());
    let mut live = Attributes::new(kind);
    for (role, value) in [
        (Role::Source, environment.source.as_deref()),
        (Role::Channel, environment.channel.as_deref()),
        (Role::Alias, environment.alias.as_deref()),
        (Role::PaymentChannel, bill.and_then(|bill| bill.payment_channel.as_deref())),
        (Role::FreeQuota, bill.and_then(|bill| bill.free_quota.as_deref())),
        (Role::Flag, order.and_then(|order| order.flag.as_deref())),
        (Role::ExtensionId, order.and_then(|order| order.extension_id.as_deref())),
    ] {
        if let Some(value) = value {
            live.set_role(role, value);
        }
    }
    live
}

fn adoption(step: &Step, environment: &SeenEnvironment, bill: Option<&Bill>) -> Adoption {
    let declared = step.after.clone().unwrap_or_default();
    let live = live(declared.kind(), environment, bill);
    let mut attributes = declared.clone();
    let mut compared = Vec::new();
    for field in declared.kind().fields() {
        let (wanted, shown) = (declared.get(field), live.get(field));
        if wanted.is_none() && shown.is_none() {
            continue;
        }
        // The vendor does not say which of Alias and EnvAlias an environment shows.
        let is_env_alias =
            field.role == Some(Role::Alias) && live.alias().is_some() && live.alias() == declared.env_alias();
        let fits = match (wanted, shown) {
            (Some(wanted), Some(shown)) => field.same(wanted, shown) || is_env_alias,
            // What is not declared is left as it is; what is not told can't be compared.
            (None, _) | (_, None) => true,
        };
        // What is not declared now may be later, and is no change then if it is what the account has.
        if let Some(shown) = shown.filter(|_| !fits || wanted.is_none()) {
            attributes.set(field, shown);
        }
        compared.push(Compared {
            field,
            declared: wanted.map(ToString::to_string),
            live: shown.map(ToString::to_string),
            fits,
        });
    }
    let billed = bill.and_then(|bill| bill.order.as_ref()).map(|order| order.tran_id.clone());
    Adoption {
        address: step.address.clone(),
        environment: environment.clone(),
        bill: bill.cloned(),
        tran_id: step.ids.tran_id.clone().or(billed),
        attributes,
        compared,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::postpay;

    fn environment() -> SeenEnvironment {
        SeenEnvironment {
            env_id: "shop-1".to_owned(),
            alias: Some("shop".to_owned()),
            source: Some("qcloud".to_owned()),
            pay_mode: Some("postpaid".to_owned()),
            ..SeenEnvironment::default()
        }
    }

    fn step(declared: &[(Field, &str)]) -> Step {
        let attributes = declared.iter().map(|(field, value)| (*field, (*value).to_owned())).collect();
        Step {
            address: Address::new("shop").unwrap(),
            previous_address: None,
            deposed: false,
            action: Action::Import,
            reason: crate::plan::Reason::ImportDeclared,
            refusal: None,
            before: None,
            after: Some(attributes),
            was_protected: false,
            prevent_destroy: false,
            ids: crate::plan::Ids::default(),
            source: SourceRef { file: "a.yaml".to_owned(), line: 1 },
        }
    }

    #[test]
    fn what_the_account_shows_goes_on_record_and_what_it_does_not_tell_as_declared() {
        let declared = [
            (postpay::ALIAS, "store"),
            (postpay::ENV_SOURCE, "qcloud"),
            (postpay::CHANNEL, "qq"),
            (postpay::EXTRA, "{}"),
        ];
        let adoption = adoption(&step(&declared), &environment(), None);
        let get = |field| adoption.attributes.text(field);
        assert_eq!(get(postpay::ALIAS), Some("shop"), "the next plan changes it");
        assert_eq!(get(postpay::CHANNEL), Some("qq"));
        assert_eq!(get(postpay::EXTRA), Some("{}"));
        let unfit: Vec<Field> = adoption
            .compared
            .iter()
            .filter(|compared| !compared.fits)
            .map(|compared| compared.field)
            .collect();
        assert_eq!(unfit, [postpay::ALIAS]);
    }

    #[test]
    fn what_is_not_declared_is_no_difference() {
        let adoption = adoption(&step(&[]), &environment(), None);
        assert_eq!(adoption.attributes.text(postpay::ALIAS), Some("shop"));
        assert!(adoption.compared.iter().all(|compared| compared.fits));
        let env_alias = [(postpay::ALIAS, "store"), (postpay::ENV_ALIAS, "shop")];
        let adoption = super::adoption(&step(&env_alias), &environment(), None);
        assert_eq!(adoption.attributes.text(postpay::ALIAS), Some("store"));
    }

    #[test]
    fn only_what_lives_and_is_paid_as_it_goes_is_adopted() {
        let with = |change: fn(&mut SeenEnvironment)| {
            let mut environment = environment();
            change(&mut environment);
            adoptable(Some(&environment), None).map(drop)
        };
        assert_eq!(with(|_| {}), Ok(()));
        assert_eq!(adoptable(None, None), Err(Why::NotThere));
        assert_eq!(
            with(|environment| environment.pay_mode = Some("PREPAYMENT".to_owned())),
            Err(Why::Prepaid)
        );
        assert_eq!(with(|environment| environment.pay_mode = None), Err(Why::PayModeNotTold));
        assert_eq!(with(|environment| environment.status = Some("isolate".to_owned())), Err(Why::Isolated));
        let bill = Bill { pay_mode: Some(PayMode::Prepaid), ..Bill::default() };
        assert_eq!(adoptable(Some(&environment()), Some(&bill)), Err(Why::Prepaid));
    }

    #[test]
    fn every_reason_is_told_in_both_languages() {
        for why in [
            Why::NotThere,
            Why::Prepaid,
            Why::PayModeNotTold,
            Why::BillNotShown,
            Why::Isolated,
            Why::OtherNumber,
            Why::OrderedElsewhere,
        ] {
            assert!(why.text().is_in_both(), "{why}");
        }
    }
}
