//! What the vendor shows: the questions that change nothing, and plain types for their answers.
//!
//! Every text is as the vendor sent it, with control characters written out; one that is empty, null or absent is None.
//! What the texts prove about an order is decided by who asks.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use jiff::SignedDuration;

use super::{CloudError, Grade};
use crate::lang::{Text, text};

/// The calls that only look. They are safe to repeat, and an implementation repeats them before it gives up.
pub trait CloudRead: Send + Sync + 'static {
    /// Lists the environments of the account, of all pages and all regions that are listed, each id once.
    ///
    /// Tencent Cloud documents neither an order of the list nor how soon a new environment is in it. A part that does not
    /// come complete is a [`Gap`], never an error.
    ///
    /// # Errors
    /// When any part of the list could not be read.
    fn listing(&self) -> impl Future<Output = Result<Listing, CloudError>> + Send;

    /// Every environment of the account: [`CloudRead::listing`], for whoever concludes something from what is not in it.
    ///
    /// # Errors
    /// When any part of the list could not be read, or did not come complete.
    fn environments(&self) -> impl Future<Output = Result<Vec<SeenEnvironment>, CloudError>> + Send {
        async move { self.listing().await?.complete() }
    }

    /// What the vendor says of each of these environments when it is asked for by its id, in every region that is listed, in
    /// the order asked. A list of everything can slip where this does not.
    ///
    /// # Errors
    /// When any part could not be read.
    fn named(&self, env_ids: &[String]) -> impl Future<Output = Result<Vec<Named>, CloudError>> + Send {
        async move {
            let seen = self.environments().await?;
            let one = |env_id: &String| {
                let shown = seen.iter().find(|one| one.env_id == *env_id);
                shown.map_or(Named::Absent, |one| Named::Shown(Box::new(one.clone())))
            };
            Ok(env_ids.iter().map(one).collect())
        }
    }

    /// What is on the bills of these environments, each at most once, in the order asked. One without a bill, or that the
    /// vendor knows no bill of, is left out: it does not say whether every environment has one.
    ///
    /// # Errors
    /// When any part could not be read.
    fn bills(&self, env_ids: &[String]) -> impl Future<Output = Result<Bills, CloudError>> + Send;

    /// How far the vendor's clock is ahead of ours, once an answer has said that ours is off. The times in what it shows are
    /// by its own.
    fn ahead(&self) -> SignedDuration {
        SignedDuration::ZERO
    }
}

/// The environments of the account, as far as they were listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    pub environments: Vec<SeenEnvironment>,
    /// The parts that did not come complete, however often they were read.
    pub gaps: Vec<Gap>,
}

/// The list of one region that is shorter than Tencent Cloud says it is, or that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// None for a call that names no region.
    pub region: Option<String>,
    /// Environments that were listed, each once.
    pub rows: u64,
    /// The Total of the list, or as many rows as there were where it has none.
    pub total: u64,
    /// The list did not stay the same, or has more rows than its Total, so that the shortfall says nothing.
    pub contradictory: bool,
}

impl Listing {
    /// The environments of a complete listing.
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
                "nothing was done; what is not listed may exist all the same, so run the command again in a few minutes",
                "未执行任何操作；未列出的环境可能仍然存在，请过几分钟再次执行该命令",
            )),
            ..error
        })
    }

    /// How many rows are missing. None when the list contradicts itself: then nobody can tell.
    pub fn missing(&self) -> Option<u64> {
        missing(&self.gaps)
    }
}

/// How many rows are missing in all. None when one of the lists contradicts itself.
pub fn missing(gaps: &[Gap]) -> Option<u64> {
    let missing = |gap: &Gap| (!gap.contradictory).then(|| gap.total.saturating_sub(gap.rows));
    gaps.iter().map(missing).sum()
}

/// What is wrong with a listing: how many of how many rows came, and where.
pub fn gaps_text(gaps: &[Gap]) -> Text {
    let one = |gap: &Gap| {
        let Gap { region, rows, total, contradictory } = gap;
        let count = if *contradictory {
            text!(
                "its pages contradict each other, {rows} environments for a Total of {total}",
                "各页相互矛盾，列出 {rows} 个环境，而 Total 为 {total}"
            )
        } else {
            text!("{rows} of {total} environments", "{total} 个环境中只列出 {rows} 个")
        };
        match region {
            Some(region) => text!("in {region}: {count}", "地域 {region}：{count:#}"),
            None => count,
        }
    };
    let all: Vec<Text> = gaps.iter().map(one).collect();
    let en: Vec<&str> = all.iter().map(Text::en).collect();
    let zh: Vec<String> = all.iter().map(|text| format!("{text:#}")).collect();
    let (en, zh) = (en.join("; "), zh.join("；"));
    text!("the list is incomplete, in each of three attempts ({en})", "列表不完整，三次读取皆如此（{zh}）")
}

/// The bills of some environments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bills {
    pub shown: Vec<Bill>,
    /// A list of bills did not come complete: an environment without one here may have one.
    pub incomplete: bool,
}

impl Bills {
    /// The bill of this environment.
    pub fn of(&self, env_id: &str) -> Option<&Bill> {
        self.shown.iter().find(|bill| bill.env_id == env_id)
    }
}

/// What the vendor says of an environment that is asked for by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    Shown(Box<SeenEnvironment>),
    /// Every region that is listed was asked for it alone, and had nothing to show.
    Absent,
    /// A region did not answer the question: it refused the id, or showed others. No document says what either means.
    Unanswered,
}

/// Hears how far a look has come, and None when it has ended, however it did. It is called between two calls to the vendor, and
/// can't change anything.
pub type Watcher = Arc<dyn Fn(Option<&Reading>) + Send + Sync>;

/// How far a look at the account has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub what: Looks,
    /// The region that is being asked, from 1.
    pub region: usize,
    pub regions: usize,
    /// Answers so far.
    pub pages: usize,
    /// Environments so far: seen, or asked for.
    pub done: usize,
    /// How many there will be, as far as the vendor has said or the question says.
    pub of: Option<usize>,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// Every environment of the account.
    Environments,
    /// Some environments, one by one.
    Named,
    Bills,
    /// Whose the key is.
    Caller,
}

/// An environment as `DescribeEnvs` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenEnvironment {
    /// Never empty.
    pub env_id: String,
    /// Free text. Which of `Alias` and `EnvAlias` of an order becomes it is not documented.
    pub alias: Option<String>,
    /// `miniapp` or `qcloud`.
    pub source: Option<String>,
    /// EnvChannel: what an order calls `Channel`.
    pub channel: Option<String>,
    /// `NORMAL` or `UNAVAILABLE` by the vendor's page; its tools know more.
    pub status: Option<String>,
    /// `prepayment` or `postpaid`; compare without case. [`Bill::pay_mode`] is the same in capitals.
    pub pay_mode: Option<String>,
    /// Such as `2018-08-13 10:52:09`. The zone is not documented: see [`super::vendor_time`].
    pub created_at: Option<String>,
    /// Where the vendor says it is, which need not be where it was asked.
    pub region: Option<String>,
}

impl SeenEnvironment {
    /// True when it was given up and is kept out of reach. The word is in the vendor's tools, and in no document.
    pub fn is_isolated(&self) -> bool {
        is_isolated(self.status.as_deref())
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
    /// `basic`; None when there is none.
    pub free_quota: Option<String>,
    /// `miniapp` or `qcloud`: what an order calls `Source`.
    pub payment_channel: Option<String>,
    /// `NORMAL` or `ISOLATE`; None while it is being set up.
    pub status: Option<String>,
    /// The latest order of this environment. It need not be ours.
    pub order: Option<BillOrder>,
}

impl Bill {
    /// True when the environment was given up and is kept out of reach.
    pub fn is_isolated(&self) -> bool {
        is_isolated(self.status.as_deref())
    }
}

/// How an environment is paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayMode {
    Prepaid,
    Postpaid,
    /// A word that is in no document, as it was sent.
    Other(String),
}

impl PayMode {
    /// From the vendor's words, in whatever case: `PREPAYMENT` on a bill is `prepayment` in a list.
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
    /// The order number, as the answer to the order had it. Never empty: an order without one proves nothing and is
    /// left out.
    pub tran_id: String,
    /// Such as `2018-08-13 10:52:09`, without a zone; None for the vendor's `0000-00-00 00:00:00`.
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
    fn pay_modes_are_read_in_whatever_case() {
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
