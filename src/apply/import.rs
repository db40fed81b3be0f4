//! Environments that are to be imported: what the account shows of them, compared with what is declared.
//!
//! The state gets what the account shows, and what is declared where the account shows nothing: so the next plan shows every
//! difference that there is, and no other. Nothing is created.

use std::collections::HashMap;
use std::fmt;

use crate::cloud::shown::shown_attributes;
use crate::cloud::{Bill, Bills, CloudError, CloudRead, PayMode, SeenEnvironment};
use crate::i18n::{Text, text};
use crate::kinds;
use crate::model::{Address, Attributes, Field, Kind, Role, SourceRef};
use crate::plan::{Action, Plan, Step};
use crate::state::State;

/// An environment that can be imported, and what the account shows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Importable {
    pub address: Address,
    pub environment: SeenEnvironment,
    pub bill: Option<Bill>,
    /// As declared, or as its bill has it.
    pub tran_id: Option<String>,
    /// What the state gets.
    pub attributes: Attributes,
    pub compared: Vec<Compared>,
}

/// A field as it is declared, and as the account shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    pub field: Field,
    pub declared: Option<String>,
    /// None where the account does not show it.
    pub live: Option<String>,
    pub fits: bool,
}

/// An environment that can't be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotImportable {
    pub address: Address,
    pub env_id: String,
    pub source: SourceRef,
    pub why: ImportBlocker,
}

/// ImportBlocker an environment can't be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportBlocker {
    NotThere,
    Prepaid,
    /// It is pay-as-you-go, and its kind is not.
    Postpaid,
    /// Neither the list nor a bill shows how it is paid.
    PayModeNotShown,
    BillNotShown,
    Isolated,
    OtherNumber,
    OrderedElsewhere,
}

impl ImportBlocker {
    /// Its code, which is stable; what is wrong; and what to do about it.
    pub fn explain(self) -> (&'static str, Text, Text) {
        match self {
            Self::NotThere => (
                "import-not-there",
                Text::fixed("no environment with this id in the account, in any listed region"),
                Text::fixed(
                    "run `postpay generate` to list the account's environments; if it is in another region, add the region to api.list_regions",
                ),
            ),
            Self::Prepaid => {
                ("import-prepaid", Text::fixed("it is prepaid, and its kind is pay-as-you-go"), {
                    let kind = kinds::paid_as("prepayment").map_or("", |kind| kind.name);
                    text!(
                        "declare it with `kind: {kind}`, or, to switch it to pay-as-you-go, which places an order, with `env_id` instead of `import`",
                        kind
                    )
                })
            }
            Self::Postpaid => {
                ("import-postpaid", Text::fixed("it is pay-as-you-go, and its kind is prepaid"), {
                    let kind = kinds::paid_as("postpaid").map_or("", |kind| kind.name);
                    text!("declare it with `kind: {kind}`", kind)
                })
            }
            Self::PayModeNotShown => (
                "import-pay-mode",
                Text::fixed("neither the list of environments nor a bill shows how it is paid for"),
                Text::fixed(
                    "check it in the Tencent Cloud console; nothing shows that it is an environment postpay can manage",
                ),
            ),
            Self::BillNotShown => (
                "import-bill-not-shown",
                Text::fixed(
                    "the list of bills is incomplete and its bill is missing; the bill may show another pay mode",
                ),
                Text::fixed("run it again in a few minutes"),
            ),
            Self::Isolated => (
                "import-isolated",
                Text::fixed("it is isolated: it was destroyed, or a bill is overdue"),
                Text::fixed(
                    "remove the import, or first restore the environment in the Tencent Cloud console",
                ),
            ),
            Self::OtherNumber => (
                "import-other-number",
                Text::fixed("its bill has another order number than the given one"),
                Text::fixed("omit the order number: it is only for environments without a bill"),
            ),
            Self::OrderedElsewhere => (
                "import-ordered-elsewhere",
                Text::fixed(
                    "its bill has an order number that the state has at another address, still waiting for its environment",
                ),
                Text::fixed("`postpay resolve` finds the environment of that order"),
            ),
        }
    }
}

/// English, and Chinese as `{:#}`.
impl fmt::Display for ImportBlocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.explain().1.fmt(f)
    }
}

/// Reads from the account the environments that a plan is to import, in the order of its steps.
///
/// # Errors
/// When the account can't be read.
pub async fn look<C: CloudRead>(
    cloud: &C,
    plan: &Plan,
    state: Option<&State>,
) -> Result<Result<Vec<Importable>, Vec<NotImportable>>, CloudError> {
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
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for (step, env_id) in imports {
        let bill = shown.get(env_id).copied();
        let number = bill.and_then(|bill| bill.order.as_ref());
        let number = number.map(|order| order.tran_id.as_str());
        let given = step.ids.tran_id.as_deref();
        let elsewhere = number.and_then(|number| ordered.get(number));
        let kind = step.after.as_ref().map_or_else(|| Attributes::default().kind(), Attributes::kind);
        let checked = check_importable(kind, seen.get(env_id).copied(), bill).and_then(|environment| {
            if bill.is_none() && bills.incomplete {
                Err(ImportBlocker::BillNotShown)
            } else if given.is_some() && number.is_some() && given != number {
                Err(ImportBlocker::OtherNumber)
            } else if elsewhere.is_some_and(|address| **address != step.address) {
                Err(ImportBlocker::OrderedElsewhere)
            } else {
                Ok(environment)
            }
        });
        match checked {
            Ok(environment) => found.push(importable(step, environment, bill)),
            Err(why) => problems.push(NotImportable {
                address: step.address.clone(),
                env_id: env_id.to_owned(),
                source: step.source.clone(),
                why,
            }),
        }
    }
    Ok(if problems.is_empty() { Ok(found) } else { Err(problems) })
}

/// Checks that an environment is paid for as its kind is, and in use.
///
/// # Errors
/// With why it can't be imported.
pub fn check_importable<'a>(
    kind: &Kind,
    environment: Option<&'a SeenEnvironment>,
    bill: Option<&Bill>,
) -> Result<&'a SeenEnvironment, ImportBlocker> {
    let environment = environment.ok_or(ImportBlocker::NotThere)?;
    let listed = environment.pay_mode.as_deref().map(PayMode::from_word);
    let billed = bill.and_then(|bill| bill.pay_mode.clone());
    let mut modes = [listed, billed].into_iter().flatten();
    let expected = kind.pay_mode.map(PayMode::from_word);
    if modes.clone().any(|mode| mode == PayMode::Prepaid) && expected == Some(PayMode::Postpaid) {
        Err(ImportBlocker::Prepaid)
    } else if modes.clone().any(|mode| mode == PayMode::Postpaid) && expected == Some(PayMode::Prepaid) {
        Err(ImportBlocker::Postpaid)
    } else if expected.is_some_and(|expected| modes.all(|mode| mode != expected)) {
        Err(ImportBlocker::PayModeNotShown)
    } else if environment.is_isolated() || bill.is_some_and(Bill::is_isolated) {
        Err(ImportBlocker::Isolated)
    } else {
        Ok(environment)
    }
}

fn importable(step: &Step, environment: &SeenEnvironment, bill: Option<&Bill>) -> Importable {
    let declared = step.after.clone().unwrap_or_default();
    let live = shown_attributes(declared.kind(), environment, bill);
    let mut attributes = declared.clone();
    let mut compared = Vec::new();
    for field in declared.kind().fields() {
        let (wanted, shown) = (declared.get(field), live.get(field));
        if wanted.is_none() && shown.is_none() {
            continue;
        }
        // It is not documented which of Alias and EnvAlias an environment shows.
        let is_env_alias =
            field.role == Some(Role::Alias) && live.alias().is_some() && live.alias() == declared.env_alias();
        let fits = match (wanted, shown) {
            (Some(wanted), Some(shown)) => field.same(wanted, shown) || is_env_alias,
            // What is not declared is left as it is; what is not shown can't be compared.
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
    Importable {
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
            blocker: None,
            before: None,
            after: Some(attributes),
            changed: Vec::new(),
            was_protected: false,
            prevent_destroy: false,
            ids: crate::plan::Ids::default(),
            source: SourceRef { file: "a.yaml".to_owned(), line: 1 },
        }
    }

    #[test]
    fn the_state_gets_what_the_account_shows_and_else_what_is_declared() {
        let declared = [
            (postpay::ALIAS, "store"),
            (postpay::ENV_SOURCE, "qcloud"),
            (postpay::CHANNEL, "qq"),
            (postpay::EXTRA, "{}"),
        ];
        let importable = importable(&step(&declared), &environment(), None);
        let get = |field| importable.attributes.text(field);
        assert_eq!(get(postpay::ALIAS), Some("shop"), "the next plan changes it");
        assert_eq!(get(postpay::CHANNEL), Some("qq"));
        assert_eq!(get(postpay::EXTRA), Some("{}"));
        let unfit: Vec<Field> = importable
            .compared
            .iter()
            .filter(|compared| !compared.fits)
            .map(|compared| compared.field)
            .collect();
        assert_eq!(unfit, [postpay::ALIAS]);
    }

    #[test]
    fn undeclared_fields_are_not_differences() {
        let importable = importable(&step(&[]), &environment(), None);
        assert_eq!(importable.attributes.text(postpay::ALIAS), Some("shop"));
        assert!(importable.compared.iter().all(|compared| compared.fits));
        let env_alias = [(postpay::ALIAS, "store"), (postpay::ENV_ALIAS, "shop")];
        let importable = super::importable(&step(&env_alias), &environment(), None);
        assert_eq!(importable.attributes.text(postpay::ALIAS), Some("store"));
    }

    #[test]
    fn only_active_pay_as_you_go_environments_are_importable() {
        let with = |change: fn(&mut SeenEnvironment)| {
            let mut environment = environment();
            change(&mut environment);
            check_importable(&postpay::KIND, Some(&environment), None).map(drop)
        };
        assert_eq!(with(|_| {}), Ok(()));
        assert_eq!(check_importable(&postpay::KIND, None, None), Err(ImportBlocker::NotThere));
        assert_eq!(
            with(|environment| environment.pay_mode = Some("PREPAYMENT".to_owned())),
            Err(ImportBlocker::Prepaid)
        );
        assert_eq!(with(|environment| environment.pay_mode = None), Err(ImportBlocker::PayModeNotShown));
        assert_eq!(
            with(|environment| environment.status = Some("isolate".to_owned())),
            Err(ImportBlocker::Isolated)
        );
        let bill = Bill { pay_mode: Some(PayMode::Prepaid), ..Bill::default() };
        assert_eq!(
            check_importable(&postpay::KIND, Some(&environment()), Some(&bill)),
            Err(ImportBlocker::Prepaid)
        );
    }
}
