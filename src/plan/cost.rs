//! What a plan costs, as far as the prices of packages are known.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::step::Step;
use crate::i18n::{Text, text};
use crate::model::{Address, Attributes, Money, Role, Value};

/// Prices a month by package, as `DescribeEnvPlans` returned them.
pub type Prices = BTreeMap<String, Money>;

/// What creating something costs at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepCost {
    #[schemars(with = "String")]
    pub address: Address,
    pub package: String,
    /// How long it is bought for. It expires then, unless it is renewed.
    pub months: u64,
    /// Whether it is renewed automatically when it expires.
    pub auto_renew: bool,
    /// Whether use beyond the package is billed, without a limit.
    pub overrun: bool,
    /// The price of a month; missing when it is not known.
    pub price: Option<Money>,
    /// The price of all months; missing when it is not known.
    pub total: Option<Money>,
}

/// What a plan costs at once. What is billed by use comes on top.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Of the packages whose price is known.
    pub total: Money,
    /// The packages whose price is not known, each once.
    pub unknown: Vec<String>,
    /// What is bought, in the order of the steps.
    pub packages: Vec<StepCost>,
}

impl Step {
    /// Returns what the step costs at once; None when it buys no package.
    pub fn cost(&self, prices: &Prices) -> Option<StepCost> {
        let after = self.after.as_ref().filter(|_| self.is_order())?;
        let package = text_of(after, Role::Package)?;
        let (months, price) = (months(after), prices.get(package).copied());
        Some(StepCost {
            address: self.address.clone(),
            package: package.to_owned(),
            months,
            auto_renew: is_on(after, Role::AutoRenew),
            overrun: is_on(after, Role::Overrun),
            price,
            total: price.map(|price| price.times(months)),
        })
    }
}

impl Cost {
    /// Adds up what these steps cost.
    pub fn of<'a>(steps: impl IntoIterator<Item = &'a Step>, prices: &Prices) -> Self {
        let packages: Vec<StepCost> = steps.into_iter().filter_map(|step| step.cost(prices)).collect();
        let mut unknown: Vec<String> = Vec::new();
        for cost in packages.iter().filter(|cost| cost.total.is_none()) {
            if !unknown.contains(&cost.package) {
                unknown.push(cost.package.clone());
            }
        }
        let total = packages.iter().filter_map(|cost| cost.total).fold(Money::default(), Money::plus);
        Self { total, unknown, packages }
    }

    /// Returns what is known of the cost; None when no package is bought.
    pub fn text(&self) -> Option<Text> {
        let Self { total, unknown, packages } = self;
        let names = unknown.join(", ");
        Some(match (packages.len(), unknown.len()) {
            (0, _) => return None,
            (_, 0) => text!("{total} for the packages", total),
            (_, _) if *total == Money::default() => {
                text!("not known for {names} (`postpay plan --refresh` reads the prices)", names)
            }
            (_, _) => text!("at least {total}; the price of {names} is not known", total, names),
        })
    }

    /// Returns what may be billed without a limit; None when nothing is.
    pub fn overrun(&self) -> Option<Text> {
        let n = self.packages.iter().filter(|cost| cost.overrun).count();
        let s = if n == 1 { "" } else { "s" };
        (n > 0).then(|| {
            text!(
                "Overrun is on for {n} package{s}: use beyond it is billed without a limit, which max_cost does not cover.",
                n,
                s
            )
        })
    }
}

fn text_of(attributes: &Attributes, role: Role) -> Option<&str> {
    attributes.get(attributes.kind().role(role)?)?.as_text()
}

/// One month when nothing is declared (page 876/128592).
fn months(attributes: &Attributes) -> u64 {
    let period = attributes.kind().role(Role::Period).and_then(|field| attributes.get(field));
    match period {
        Some(Value::Integer(months)) => u64::try_from(*months).unwrap_or(1),
        Some(Value::Text(_) | Value::Bool(_) | Value::List(_) | Value::Map(_)) | None => 1,
    }
}

fn is_on(attributes: &Attributes, role: Role) -> bool {
    let field = attributes.kind().role(role);
    field.is_some_and(|field| match attributes.get(field) {
        Some(value) => *value == Value::Bool(true),
        None => field.default == Some(true),
    })
}
