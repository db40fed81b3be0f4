//! The calls that change nothing, and plain types for their answers.
//!
//! Every text is as the API sent it, with control characters written out; one that is empty, null or absent is None.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use jiff::SignedDuration;

use super::error::{CloudError, Grade};
use crate::i18n::{Text, text};
use crate::model::Kind;
use crate::model::Money;

/// The calls that change nothing. They are safe to repeat, and an implementation repeats them before it fails.
pub trait CloudRead: Send + Sync + 'static {
    /// Lists the environments of the account, of all pages and all listed regions, each id once. A part that stays incomplete
    /// is a [`Gap`], not an error.
    ///
    /// Neither an order of the list nor how soon a new environment is in it is documented.
    ///
    /// # Errors
    /// When any part of the list could not be read.
    fn listing(&self) -> impl Future<Output = Result<Listing, CloudError>> + Send;

    /// Returns every environment of the account, for a caller that concludes something from what is missing.
    ///
    /// # Errors
    /// When any part of the list could not be read, or is incomplete.
    fn environments(&self) -> impl Future<Output = Result<Vec<SeenEnvironment>, CloudError>> + Send {
        async move { self.listing().await?.complete() }
    }

    /// Looks up each of these environments by its id, in every listed region, in the order of `env_ids`. A listing can lack an
    /// environment that this finds.
    ///
    /// # Errors
    /// When any part could not be read.
    fn lookup(&self, env_ids: &[String]) -> impl Future<Output = Result<Vec<Lookup>, CloudError>> + Send {
        async move {
            let seen = self.environments().await?;
            let one = |env_id: &String| {
                let shown = seen.iter().find(|one| one.env_id == *env_id);
                shown.map_or(Lookup::Absent, |one| Lookup::Found(Box::new(one.clone())))
            };
            Ok(env_ids.iter().map(one).collect())
        }
    }

    /// Returns the bills of these environments, each at most once, in the order of `env_ids`. An environment without a bill is
    /// left out: whether every environment has one is not documented.
    ///
    /// # Errors
    /// When any part could not be read.
    fn bills(&self, env_ids: &[String]) -> impl Future<Output = Result<Bills, CloudError>> + Send;

    /// Returns what the account may buy. What can't be read is left out.
    fn offers(&self) -> impl Future<Output = Offers> + Send {
        std::future::ready(Offers::default())
    }

    /// Returns whether an environment has what this kind opens inside it.
    ///
    /// # Errors
    /// When it could not be read, or the kind can't be looked for.
    fn inside(
        &self,
        kind: &'static Kind,
        env_id: &str,
        region: Option<&str>,
    ) -> impl Future<Output = Result<Inside, CloudError>> + Send {
        let _ = (kind, env_id, region);
        std::future::ready(Err(CloudError::new(Grade::Unknown, Text::fixed("this cannot be looked for"))))
    }

    /// Returns the prices per month of the packages that are sold. A package without a readable price is left out.
    ///
    /// # Errors
    /// When they could not be read.
    fn prices(&self) -> impl Future<Output = Result<BTreeMap<String, Money>, CloudError>> + Send {
        std::future::ready(Ok(BTreeMap::new()))
    }

    /// Returns how far Tencent Cloud's clock is ahead of this computer's, once an answer has said so. The times in answers are
    /// by its clock.
    fn ahead(&self) -> SignedDuration {
        SignedDuration::ZERO
    }
}

/// The owner of the key that calls are signed with.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Caller {
    /// The number of the main account (uin), which pays.
    pub account: String,
    /// The number of the user or role session within it.
    pub user: Option<String>,
    pub arn: Option<String>,
    /// The API's word for what it is: a user, a role.
    pub kind: Option<String>,
    pub request_id: Option<String>,
}

/// The environments of the account, as far as they were listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    pub environments: Vec<SeenEnvironment>,
    /// The parts that stayed incomplete in every walk.
    pub gaps: Vec<Gap>,
}

/// The list of one region that is shorter than Tencent Cloud says it is, or that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// None for a call that names no region.
    pub region: Option<String>,
    /// Environments that were listed, each once.
    pub rows: u64,
    /// The Total of the list, or the number of its rows where it has none.
    pub total: u64,
    /// The list changed between walks, or has more rows than its Total, so that the shortfall says nothing.
    pub contradictory: bool,
}

impl Listing {
    /// Returns the environments of a complete listing.
    ///
    /// # Errors
    /// When a part of it is missing.
    pub fn complete(self) -> Result<Vec<SeenEnvironment>, CloudError> {
        if self.gaps.is_empty() {
            return Ok(self.environments);
        }
        let error = CloudError::new(Grade::Unknown, gaps_text(&self.gaps));
        Err(CloudError {
            hint: Some(Text::fixed(
                "nothing was done; unlisted environments may still exist, so run the command again in a few minutes",
            )),
            ..error
        })
    }

    /// Returns how many rows are missing; None when the list contradicts itself.
    pub fn missing(&self) -> Option<u64> {
        missing(&self.gaps)
    }
}

/// Returns how many rows are missing in all; None when one of the lists contradicts itself.
pub fn missing(gaps: &[Gap]) -> Option<u64> {
    let missing = |gap: &Gap| (!gap.contradictory).then(|| gap.total.saturating_sub(gap.rows));
    gaps.iter().map(missing).sum()
}

/// Describes the gaps of a listing: how many of how many rows came, and where.
pub fn gaps_text(gaps: &[Gap]) -> Text {
    let one = |gap: &Gap| {
        let Gap { region, rows, total, contradictory } = gap;
        let count = if *contradictory {
            text!("its pages are inconsistent: {rows} environments for a Total of {total}", rows, total)
        } else {
            text!("{rows} of {total} environments", rows, total)
        };
        match region {
            Some(region) => text!("in {region}: {count}", region, count),
            None => count,
        }
    };
    let all: Vec<Text> = gaps.iter().map(one).collect();
    let en: Vec<&str> = all.iter().map(Text::en).collect();
    let zh: Vec<String> = all.iter().map(|text| format!("{text:#}")).collect();
    let (en, zh) = (en.join("; "), zh.join("；"));
    text!("the list is incomplete after three attempts ({en})", en; zh)
}

/// The bills of some environments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bills {
    pub shown: Vec<Bill>,
    /// A list of bills was incomplete: an environment without one here may have one.
    pub incomplete: bool,
}

/// The result of looking up one environment by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    Found(Box<SeenEnvironment>),
    /// Every listed region was asked for it alone, and returned nothing.
    Absent,
    /// A region refused the id, or returned other environments. What either means is not documented.
    Unanswered,
}

/// What the account may buy, as far as Tencent Cloud showed it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offers {
    /// Whether CloudBase was opened in the account.
    pub is_open: Option<bool>,
    /// How many environments it has, and how many it may have.
    pub environments: Option<(u64, u64)>,
    pub packages: Option<Vec<Offer>>,
}

/// A package that is sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub package: String,
    /// Its price for a month, if it can be read.
    pub price: Option<Money>,
}

/// Whether an environment has what a kind opens inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    Absent,
    /// It was ordered, and is being set up.
    Creating,
    Ready,
}

/// Receives how far a read has come, and None when it has ended, with or without success. Called between two calls.
pub type Watcher = Arc<dyn Fn(Option<&Reading>) + Send + Sync>;

/// How far a read of the account has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub what: Looks,
    /// The region that is being read, from 1.
    pub region: usize,
    pub regions: usize,
    /// Answers so far.
    pub pages: usize,
    /// Environments so far.
    pub done: usize,
    /// How many there will be, where known.
    pub of: Option<usize>,
}

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// Every environment of the account.
    Environments,
    /// Some environments, one by one.
    Lookup,
    Bills,
    /// The owner of the key.
    Caller,
}

/// An environment as `DescribeEnvs` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenEnvironment {
    /// Never empty.
    pub env_id: String,
    /// Free text. Which of `Alias` and `EnvAlias` of a create becomes it is not documented.
    pub alias: Option<String>,
    /// `miniapp` or `qcloud`.
    pub source: Option<String>,
    /// EnvChannel: what a create calls `Channel`.
    pub channel: Option<String>,
    /// `NORMAL` or `UNAVAILABLE` by the documents; Tencent Cloud's tools know more.
    pub status: Option<String>,
    /// `prepayment` or `postpaid`; compare without case. [`Bill::pay_mode`] is the same in capitals.
    pub pay_mode: Option<String>,
    /// Such as `2018-08-13 10:52:09`. The zone is not documented: see [`super::api_time`].
    pub created_at: Option<String>,
    /// The region it is said to be in, which need not be the one that was asked.
    pub region: Option<String>,
    /// The package that it was bought as.
    pub package: Option<String>,
    /// None when the list shows none at all.
    pub tags: Option<BTreeMap<String, String>>,
}

impl SeenEnvironment {
    /// Whether it was destroyed and is kept out of reach. The word is in Tencent Cloud's tools, and not documented.
    pub fn is_isolated(&self) -> bool {
        is_isolated(self.status.as_deref())
    }

    /// Whether it can be used. Until then it is being set up, or it was taken out of use.
    pub fn is_in_use(&self) -> bool {
        self.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("NORMAL"))
    }
}

fn is_isolated(status: Option<&str>) -> bool {
    status.is_some_and(|status| status.eq_ignore_ascii_case("ISOLATE"))
}

/// The bill of one environment as `DescribeBillingInfo` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bill {
    /// Never empty.
    pub env_id: String,
    pub pay_mode: Option<PayMode>,
    /// The package that it was bought as.
    pub package: Option<String>,
    /// Such as `2018-08-13 10:52:09`, without a zone; None where it has no end.
    pub expires_at: Option<String>,
    /// Whether use beyond the package is billed by use.
    pub overrun: Option<bool>,
    pub auto_renew: Option<bool>,
    /// `basic`; None when there is none.
    pub free_quota: Option<String>,
    /// `miniapp` or `qcloud`: what a create calls `Source`.
    pub payment_channel: Option<String>,
    /// `NORMAL` or `ISOLATE`; None while it is being set up.
    pub status: Option<String>,
    /// The latest order of this environment. It need not be one of postpay's.
    pub order: Option<BillOrder>,
}

impl Bill {
    /// Whether the environment was destroyed and is kept out of reach.
    pub fn is_isolated(&self) -> bool {
        is_isolated(self.status.as_deref())
    }
}

impl BillOrder {
    /// Whether Tencent Cloud took the order and could not deliver it.
    pub fn is_undelivered(&self) -> bool {
        self.tran_status == Some(5)
    }
}

/// How an environment is paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayMode {
    Prepaid,
    Postpaid,
    /// An undocumented word, as it was sent.
    Other(String),
}

impl PayMode {
    /// Parses the API's word, in any case: `PREPAYMENT` on a bill is `prepayment` in a list.
    pub fn from_word(word: &str) -> Self {
        if word.eq_ignore_ascii_case("prepayment") {
            Self::Prepaid
        } else if word.eq_ignore_ascii_case("postpaid") {
            Self::Postpaid
        } else {
            Self::Other(word.to_owned())
        }
    }
}

impl fmt::Display for PayMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepaid => f.write_str("prepayment"),
            Self::Postpaid => f.write_str("postpaid"),
            Self::Other(word) => f.write_str(word),
        }
    }
}

/// The order that a bill names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BillOrder {
    /// The order number, as in the answer to the create. Never empty: an order without one proves nothing and is left out.
    pub tran_id: String,
    /// Such as `2018-08-13 10:52:09`, without a zone; None for `0000-00-00 00:00:00`.
    pub created_at: Option<String>,
    /// Compare without case.
    pub flag: Option<String>,
    pub extension_id: Option<String>,
    /// 1 unpaid, 2 paying, 3 delivering, 4 delivered, 5 delivery failed, 6 refunded, 7 cancelled, 100 deleted.
    pub tran_status: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pay_mode_is_read_in_any_case() {
        let table = [
            ("PREPAYMENT", PayMode::Prepaid),
            ("prepayment", PayMode::Prepaid),
            ("POSTPAID", PayMode::Postpaid),
            ("postPaid", PayMode::Postpaid),
            ("prepaid", PayMode::Other("prepaid".to_owned())),
        ];
        for (word, expected) in table {
            assert_eq!(PayMode::from_word(word), expected);
        }
        assert_eq!(PayMode::Postpaid.to_string(), "postpaid");
    }
}
