//! What the account may buy, checked against a plan before anything is sent. Pure.
//!
//! It only rejects what is certain: what Tencent Cloud did not show does not reject a create.

use crate::cloud::Offers;
use crate::i18n::{Text, text};
use crate::model::{Address, Attributes, Role, SourceRef};
use crate::plan::{Plan, Step};

/// A create that Tencent Cloud would reject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOffered {
    pub address: Address,
    pub source: SourceRef,
    pub why: OfferBlocker,
}

/// Why something can't be bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferBlocker {
    /// CloudBase was never opened in the account.
    ServiceNotOpen,
    /// The package is not among those that are sold.
    PackageNotSold { package: String, sold: Vec<String> },
    /// The account would have more environments than it may.
    QuotaReached { current: u64, max: u64 },
}

impl OfferBlocker {
    /// Returns its stable code, what is wrong, and what to do about it.
    pub fn explain(&self, address: &Address) -> (&'static str, Text, Text) {
        match self {
            Self::ServiceNotOpen => (
                "service-not-open",
                text!("CloudBase is not open in this account, so `{address}` cannot be created", address),
                text!("open https://tcb.cloud.tencent.com/dev once with this account"),
            ),
            Self::PackageNotSold { package, sold } => {
                let (package, sold) = (package.escape_debug(), sold.join(", "));
                (
                    "package-not-sold",
                    text!(
                        "the package `{package}` of `{address}` is not sold to this account",
                        package,
                        address
                    ),
                    text!("sold: {sold}", sold),
                )
            }
            Self::QuotaReached { current, max } => (
                "quota-reached",
                text!(
                    "`{address}` exceeds the account's quota: it has {current} of {max} environments",
                    address,
                    current,
                    max
                ),
                text!(
                    "destroy environments, request a higher quota from Tencent Cloud, or plan fewer with `--target`"
                ),
            ),
        }
    }
}

/// Whether a plan creates anything whose offer can be read before.
pub fn is_needed(plan: &Plan) -> bool {
    plan.orders().any(is_offered)
}

fn is_offered(step: &Step) -> bool {
    step.after.as_ref().is_some_and(|order| order.kind().reads_offers)
}

/// Returns the creates of a plan that Tencent Cloud would reject.
pub fn blocked(plan: &Plan, offers: &Offers) -> Vec<NotOffered> {
    let mut blocked = Vec::new();
    let mut block = |step: &Step, why| {
        blocked.push(NotOffered { address: step.address.clone(), source: step.source.clone(), why });
    };
    for step in plan.orders().filter(|step| is_offered(step)) {
        let package = step.after.as_ref().and_then(|order| order.role(Role::Package));
        let sold = offers.packages.as_deref().filter(|sold| !sold.is_empty());
        if offers.is_open == Some(false) {
            block(step, OfferBlocker::ServiceNotOpen);
        } else if let (Some(package), Some(sold)) = (package, sold)
            && sold.iter().all(|offer| offer.package != package)
        {
            let sold = sold.iter().map(|offer| offer.package.escape_debug().to_string()).collect();
            block(step, OfferBlocker::PackageNotSold { package: package.to_owned(), sold });
        }
    }
    if let Some((current, max)) = offers.environments {
        let makes_one = |step: &&Step| step.after.as_ref().is_some_and(Attributes::creates_environment);
        let left = usize::try_from(max.saturating_sub(current)).unwrap_or(usize::MAX);
        for step in plan.orders().filter(makes_one).skip(left) {
            block(step, OfferBlocker::QuotaReached { current, max });
        }
    }
    blocked
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::cloud::Offer;
    use crate::kinds::package;
    use crate::model::{Desired, Environment, Lifecycle};
    use crate::plan::{Options, Target};
    use crate::state::Account;

    /// A plan that creates a pay-as-you-go environment and then a package for each of these.
    fn plan(packages: &[&str]) -> Plan {
        let environment = |(at, attributes): (u32, Attributes)| Environment {
            address: Address::new(&format!("e{at}")).unwrap(),
            attributes,
            lifecycle: Lifecycle::default(),
            import: None,
            source: SourceRef { file: "a.yaml".to_owned(), line: at },
        };
        let packages = packages.iter().map(|name| {
            let mut order = Attributes::new(&package::KIND);
            order.set_role(Role::Package, *name);
            order
        });
        let all = std::iter::once(Attributes::default()).chain(packages);
        let environments = (0..).zip(all).map(environment).collect();
        let desired = Desired { environments, ..Desired::default() };
        let target = Target {
            account: Account { endpoint: "sandbox".to_owned(), uin: None },
            endpoint: "sandbox".to_owned(),
            region: None,
            state_path: "s.json".to_owned(),
        };
        Plan::make(&desired, None, Options::default(), target, Timestamp::UNIX_EPOCH).unwrap()
    }

    fn codes(packages: &[&str], offers: &Offers) -> Vec<String> {
        let blocked = blocked(&plan(packages), offers).into_iter();
        let code = |it: NotOffered| format!("{} {}", it.address, it.why.explain(&it.address).0);
        blocked.map(code).collect()
    }

    #[test]
    fn only_what_is_certain_is_rejected() {
        let offer = |package: &str| Offer { package: package.to_owned(), price: None };
        let sold = Offers { packages: Some(vec![offer("p"), offer("q")]), ..Offers::default() };
        assert_eq!(codes(&["p", "q"], &sold), [""; 0]);
        assert_eq!(codes(&["p", "x"], &sold), ["e2 package-not-sold"]);
        assert_eq!(codes(&["x"], &Offers { packages: Some(Vec::new()), ..Offers::default() }), [""; 0]);
        assert_eq!(codes(&["x"], &Offers::default()), [""; 0], "nothing was shown");
        let closed = Offers { is_open: Some(false), ..sold.clone() };
        assert_eq!(codes(&["p"], &closed), ["e1 service-not-open"]);
        let used = |current| Offers { environments: Some((current, 10)), ..sold.clone() };
        assert_eq!(codes(&["p"], &used(8)), [""; 0]);
        assert_eq!(codes(&["p"], &used(9)), ["e1 quota-reached"]);
        assert_eq!(codes(&["p"], &used(11)), ["e0 quota-reached", "e1 quota-reached"]);
        assert!(is_needed(&plan(&["p"])));
        assert!(!is_needed(&plan(&[])), "only for kinds that show it");
    }
}
