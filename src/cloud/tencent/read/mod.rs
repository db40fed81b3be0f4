//! Looking at the account: every page of every region, repeated where the network or the vendor falters.
//!
//! Asking twice costs nothing, so unlike an order a question that may have been answered is simply asked again. `judge`
//! tells an answer from a failure, `again` when to repeat, `walk` when a list has ended.

mod again;
mod judge;
mod walk;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::client::{Answer, Call, TencentClient};
use super::evidence::{Reply, clean};
use super::wire::{
    self, BillInfo, DescribeBillingInfo, DescribeEnvs, EnvInfo, NO_TIME, Page, Unreadable,
};
use crate::cloud::{Bill, BillOrder, CloudError, CloudRead, PayMode, SeenEnvironment};
use walk::{Next, Walk};

/// Between two calls. The vendor allows 50 a second of the slower of the two actions.
const PAUSE: Duration = Duration::from_millis(25);
/// Environments whose bills are asked for at once.
const CHUNK: usize = 100;

/// A question: what is asked, and how its answer is read.
struct Question<'a, T> {
    action: &'static str,
    region: Option<&'a str>,
    decode: fn(&[u8]) -> Result<Page<T>, Unreadable>,
    id: fn(&T) -> &str,
}

impl CloudRead for TencentClient {
    async fn environments(&self) -> Result<Vec<SeenEnvironment>, CloudError> {
        let mut found = Vec::new();
        let mut known = HashSet::new();
        for region in self.regions() {
            let question = Question {
                action: wire::LIST,
                region,
                decode: wire::decode_envs,
                id: |env: &EnvInfo| &env.env_id,
            };
            let rows = self
                .whole(&question, |offset| DescribeEnvs {
                    limit: Some(walk::LIMIT),
                    offset: Some(offset),
                    ..DescribeEnvs::default()
                })
                .await?;
            found.extend(
                rows.into_iter()
                    .filter(|env| known.insert(env.env_id.clone())),
            );
        }
        Ok(found.into_iter().map(environment).collect())
    }

    async fn bills(&self, env_ids: &[String]) -> Result<Vec<Bill>, CloudError> {
        let mut found: HashMap<String, BillInfo> = HashMap::new();
        // Whether a bill is shown in every region is not documented, so what one region has not is asked of the next.
        for region in self.regions() {
            let mut asked = HashSet::new();
            let missing: Vec<String> = env_ids
                .iter()
                .filter(|id| !found.contains_key(*id) && asked.insert(*id))
                .cloned()
                .collect();
            for chunk in missing.chunks(CHUNK) {
                let question = Question {
                    action: wire::BILLS,
                    region,
                    decode: wire::decode_bills,
                    id: |bill: &BillInfo| &bill.env_id,
                };
                let rows = self
                    .whole(&question, |offset| DescribeBillingInfo {
                        env_id: None,
                        env_ids: Some(chunk.to_vec()),
                        limit: Some(walk::LIMIT),
                        offset: Some(offset),
                    })
                    .await?;
                found.extend(rows.into_iter().map(|bill| (bill.env_id.clone(), bill)));
            }
        }
        let bills = env_ids.iter().filter_map(|id| found.remove(id));
        Ok(bills.map(bill).collect())
    }
}

impl TencentClient {
    /// The regions to ask, None for the one that every call names, if it names any.
    fn regions(&self) -> Vec<Option<&str>> {
        if self.list_regions.is_empty() {
            vec![None]
        } else {
            self.list_regions
                .iter()
                .map(|region| Some(region.as_str()))
                .collect()
        }
    }

    /// Every row of a list.
    async fn whole<T, B: Serialize>(
        &self,
        question: &Question<'_, T>,
        body: impl Fn(u32) -> B,
    ) -> Result<Vec<T>, CloudError> {
        let mut walk = Walk::default();
        let mut offset = 0;
        loop {
            let page = self.page(question, &body(offset)).await?;
            match walk.take(page, question.id) {
                Next::At(next) => offset = next,
                Next::Done => break,
                Next::TooLong => {
                    let why = format!("{}: the list does not end", name(question));
                    return Err(judge::no_end(&why, &self.scrub));
                }
            }
            sleep(PAUSE).await;
        }
        if let Some(total) = walk.short_of() {
            let rows = walk.rows.len();
            tracing::warn!(
                action = question.action,
                total,
                rows,
                "the vendor shows fewer than it says there are"
            );
        }
        Ok(walk.rows)
    }

    /// One page, asked for until it comes, is refused, or has been waited for long enough.
    async fn page<T>(
        &self,
        question: &Question<'_, T>,
        body: &impl Serialize,
    ) -> Result<Page<T>, CloudError> {
        let body = wire::read_body(body);
        let first = Instant::now();
        let mut attempt = 1;
        loop {
            let mut error = match self.ask(question, body.clone()).await {
                Ok(page) => return Ok(page),
                Err(error) => error,
            };
            let Some(wait) =
                again::wait(error.grade, attempt, first.elapsed(), self.retry_reads_for)
            else {
                error.message = match attempt {
                    1 => format!("{}: {}", name(question), error.message),
                    n => format!("{}, {n} attempts: {}", name(question), error.message),
                };
                return Err(error);
            };
            tracing::debug!(action = question.action, attempt, ?wait, message = %error.message, "asking again");
            sleep(wait).await;
            attempt += 1;
        }
    }

    async fn ask<T>(
        &self,
        question: &Question<'_, T>,
        body: Vec<u8>,
    ) -> Result<Page<T>, CloudError> {
        let call = Call {
            action: question.action,
            region: question.region,
            body,
            most: wire::MAX_PAGE_BODY,
        };
        let Answer {
            status,
            body,
            broken,
            ahead,
            date,
        } = self.post(call).await?;
        let reply = Reply {
            status,
            body: &body,
            broken,
        };
        judge::judge(&reply, question.decode, &self.scrub, || {
            self.correct_clock(ahead, date)
        })
    }
}

fn name<T>(question: &Question<'_, T>) -> String {
    match question.region {
        Some(region) => format!("{} in {region}", question.action),
        None => question.action.to_owned(),
    }
}

fn environment(env: EnvInfo) -> SeenEnvironment {
    let EnvInfo {
        env_id,
        source,
        alias,
        create_time,
        update_time: _,
        status,
        env_channel,
        pay_mode,
        region,
    } = env;
    SeenEnvironment {
        env_id: super::scrub::visible(&env_id),
        alias: said(alias),
        source: said(source),
        channel: said(env_channel),
        status: said(status),
        pay_mode: said(pay_mode),
        created_at: time(create_time),
        region: said(region),
    }
}

fn bill(bill: BillInfo) -> Bill {
    Bill {
        env_id: super::scrub::visible(&bill.env_id),
        pay_mode: said(bill.pay_mode).map(|word| PayMode::from_word(&word)),
        free_quota: said(bill.free_quota),
        payment_channel: said(bill.payment_channel),
        status: said(bill.status),
        order: bill.order_info.and_then(|order| {
            Some(BillOrder {
                tran_id: said(order.tran_id)?,
                created_at: time(order.create_time),
                flag: said(order.flag),
                extension_id: said(order.extension_id),
                tran_status: order.tran_status,
            })
        }),
    }
}

/// A text, when there is one.
fn said(text: String) -> Option<String> {
    clean(Some(text).filter(|text| !text.is_empty()))
}

/// A time, unless it is the vendor's word for none.
fn time(text: String) -> Option<String> {
    said(text).filter(|text| text != NO_TIME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tencent::wire::{OrderInfo, decode_bills, decode_envs};

    #[test]
    fn an_environment_has_what_the_vendor_said_and_no_more() {
        let body = r#"{"Response":{"EnvList":[
            {"EnvId":"a-1","Alias":"我的\u001b环境","Source":"qcloud","EnvChannel":"qc_console","Status":"NORMAL",
             "PayMode":"postpaid","CreateTime":"2018-08-13 10:52:09","Region":"ap-shanghai","Tags":[{}]},
            {"EnvId":"b","Alias":"","Source":null,"CreateTime":"0000-00-00 00:00:00"}
        ]}}"#;
        let rows = decode_envs(body.as_bytes()).unwrap().rows;
        let [full, bare] = <[_; 2]>::try_from(rows).unwrap().map(environment);
        let some = |text: &str| Some(text.to_owned());
        let expected = SeenEnvironment {
            env_id: "a-1".to_owned(),
            alias: some(r"我的\u{1b}环境"),
            source: some("qcloud"),
            channel: some("qc_console"),
            status: some("NORMAL"),
            pay_mode: some("postpaid"),
            created_at: some("2018-08-13 10:52:09"),
            region: some("ap-shanghai"),
        };
        assert_eq!(full, expected);
        let nothing = SeenEnvironment {
            env_id: "b".to_owned(),
            ..SeenEnvironment::default()
        };
        assert_eq!(bare, nothing);
    }

    #[test]
    fn a_bill_has_an_order_only_with_its_number() {
        let table = [
            ("null", None),
            ("{}", None),
            (r#"{"TranId":""}"#, None),
            (r#"{"TranId":null,"Flag":"x"}"#, None),
            (
                r#"{"TranId":7,"TranStatus":"4","CreateTime":"0000-00-00 00:00:00","Flag":""}"#,
                Some(BillOrder {
                    tran_id: "7".to_owned(),
                    tran_status: Some(4),
                    ..BillOrder::default()
                }),
            ),
        ];
        for (order, expected) in table {
            let body = format!(
                r#"{{"Response":{{"EnvBillingInfoList":[{{"EnvId":"a","PayMode":"PREPAYMENT","Status":"","OrderInfo":{order}}}]}}}}"#
            );
            let row = decode_bills(body.as_bytes()).unwrap().rows.remove(0);
            let bill = bill(row);
            assert_eq!(bill.order, expected, "{order}");
            assert_eq!((bill.pay_mode, bill.status), (Some(PayMode::Prepaid), None));
        }
        let unknown = bill(BillInfo {
            pay_mode: "FREE".to_owned(),
            order_info: Some(OrderInfo::default()),
            ..BillInfo::default()
        });
        assert_eq!(unknown.pay_mode, Some(PayMode::Other("FREE".to_owned())));
    }
}
