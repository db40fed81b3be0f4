//! Looking at the account: every page of every region, repeated where the network or the vendor falters.
//!
//! Asking twice costs nothing, so unlike an order a question that may have been answered is simply asked again. `judge`
//! tells an answer from a failure, `again` when to repeat, `walk` when a list has ended, `seen` what it says.

mod again;
mod judge;
mod seen;
mod walk;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::client::{Answer, Call, TencentClient};
use super::evidence::Reply;
use super::wire::{self, BillInfo, DescribeBillingInfo, DescribeEnvs, EnvInfo, Page, Unreadable};
use crate::cloud::{Bill, CloudError, CloudRead, SeenEnvironment};
use crate::lang::{Text, text};
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
        Ok(found.into_iter().map(seen::environment).collect())
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
        Ok(bills.map(seen::bill).collect())
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
                    let what = name(question);
                    let why = text!("{what}: the list does not end", "{what:#}：列表没有尽头");
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
        let body = wire::request_body(body);
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
                let (what, said) = (name(question), &error.message);
                error.message = match attempt {
                    1 => text!("{what}: {said}", "{what:#}：{said:#}"),
                    n => text!(
                        "{what}, {n} attempts: {said}",
                        "{what:#}，已尝试 {n} 次：{said:#}"
                    ),
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

fn name<T>(question: &Question<'_, T>) -> Text {
    let action = question.action;
    match question.region {
        Some(region) => text!("{action} in {region}", "{action}（地域 {region}）"),
        None => Text::same(action),
    }
}
