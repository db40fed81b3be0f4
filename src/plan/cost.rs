//! What a plan costs, as far as the prices of packages are known.

use std::collections::BTreeMap;

use super::step::Step;
use crate::i18n::{Text, text};
use crate::model::{Attributes, Money, Role, Value};

/// Prices a month by package, as `DescribeEnvPlans` returned them.
pub type Prices = BTreeMap<String, Money>;

/// What creating something costs at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepCost<'a> {
    pub package: &'a str,
    pub months: u64,
    /// The price of a month; None when it is not known.
    pub price: Option<Money>,
}

impl StepCost<'_> {
    /// The price of all months.
    pub fn total(&self) -> Option<Money> {
        Some(self.price?.times(self.months))
    }
}

/// What a plan costs at once. What is billed by use comes on top.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cost {
    /// Of the packages whose price is known.
    pub total: Money,
    /// The packages whose price is not known, each once.
    pub unknown: Vec<String>,
    /// Packages that are bought.
    pub packages: usize,
    /// Environments among them whose use beyond the package is billed without a limit.
    pub overruns: usize,
}

impl Step {
    /// Returns what the step costs at once; None when it buys no package.
    pub fn cost<'a>(&'a self, prices: &Prices) -> Option<StepCost<'a>> {
        let after = self.after.as_ref().filter(|_| self.is_order())?;
        let package = text_of(after, Role::Package)?;
        Some(StepCost { package, months: months(after), price: prices.get(package).copied() })
    }
}

impl Cost {
    /// Adds up what these steps cost.
    pub fn of<'a>(steps: impl IntoIterator<Item = &'a Step>, prices: &Prices) -> Self {
        let mut sum = Self::default();
        for step in steps {
            let Some(cost) = step.cost(prices) else { continue };
            sum.packages += 1;
            sum.overruns += usize::from(step.after.as_ref().is_some_and(has_overrun));
            match cost.total() {
                Some(total) => sum.total = sum.total.plus(total),
                None if sum.unknown.iter().any(|package| package == cost.package) => {}
                None => sum.unknown.push(cost.package.to_owned()),
            }
        }
        sum
    }

    /// Returns what is known of the cost; None when no package is bought.
    pub fn text(&self) -> Option<Text> {
        let Self { total, unknown, packages, overruns } = self;
        let names = unknown.join(", ");
        let cost = match (packages, unknown.len()) {
            (0, _) => return None,
            (_, 0) => text!("{total} for the packages", total),
            (_, _) if *total == Money::default() => {
                text!("not known for {names} (`postpay plan --refresh` reads the prices)", names)
            }
            (_, _) => text!("at least {total}; the price of {names} is not known", total, names),
        };
        Some(if *overruns > 0 {
            text!("{cost}; use beyond them is billed without a limit", cost)
        } else {
            cost
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

fn has_overrun(attributes: &Attributes) -> bool {
    let field = attributes.kind().role(Role::Overrun);
    field.is_some_and(|field| match attributes.get(field) {
        Some(value) => *value == Value::Bool(true),
        None => field.default == Some(true),
    })
}
