//! Looking at the account: every page of every region, repeated where the network or the vendor falters.
//!
//! Asking twice costs nothing, so unlike an order a question that may have been answered is simply asked again. `judge`
//! tells an answer from a failure, `again` when to repeat, `walk` when a list has ended, `seen` what it says, `space` when the
//! next call may start, and `tell` tells whoever waits.

mod again;
mod judge;
mod seen;
mod space;
mod tell;
mod walk;

use serde::Serialize;
use std::collections::{HashMap, HashSet, VecDeque};
use tokio::time::{Instant, sleep};

use super::client::TencentClient;
use super::service::Call;
use super::wire::{self, BillInfo, DescribeBillingInfo, DescribeEnvs, EnvInfo, Page, Unreadable};
use crate::cloud::{Bill, CloudError, CloudRead, Looks, Named, SeenEnvironment};
use crate::lang::{Text, text};
pub(in crate::cloud::tencent) use space::Spacing;
use tell::Telling;
use walk::{Next, Walk};

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
        let regions = self.regions();
        let mut telling = self.telling(Looks::Environments, None);
        for (at, region) in regions.iter().copied().enumerate() {
            telling.region(at + 1);
            let (before, is_last) = (found.len(), at + 1 == regions.len());
            let question = Question {
                action: wire::LIST,
                region,
                decode: wire::decode_envs,
                id: |env: &EnvInfo| &env.env_id,
            };
            let rows = self
                .whole(
                    &question,
                    |offset| DescribeEnvs {
                        limit: Some(walk::LIMIT),
                        offset: Some(offset),
                        ..DescribeEnvs::default()
                    },
                    // What the regions after this one have is not known.
                    |walk| {
                        let of = walk.total().filter(|_| is_last);
                        telling.page(before + walk.rows.len(), of.map(|of| before + of));
                    },
                )
                .await?;
            found.extend(
                rows.into_iter()
                    .filter(|env| known.insert(env.env_id.clone())),
            );
        }
        Ok(found.into_iter().map(seen::environment).collect())
    }

    async fn named(&self, env_ids: &[String]) -> Result<Vec<Named>, CloudError> {
        let mut telling = self.telling(Looks::Named, Some(env_ids.len()));
        let mut found = Vec::new();
        for (at, env_id) in env_ids.iter().enumerate() {
            let mut answer = Named::Absent;
            for region in self.regions() {
                let question = Question {
                    action: wire::LIST,
                    region,
                    decode: wire::decode_envs,
                    id: |env: &EnvInfo| &env.env_id,
                };
                let body = DescribeEnvs {
                    env_id: Some(env_id.clone()),
                    limit: Some(walk::LIMIT),
                    offset: Some(0),
                    ..DescribeEnvs::default()
                };
                let page = match self.page(&question, &body).await {
                    Ok(page) => page,
                    Err(error) if refuses_the_id(&error) => {
                        answer = Named::Unanswered;
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                // Should the vendor pass over the id, it is a page of whatever there is, and the one may be on another.
                let is_empty = page.sent == 0 && page.total.is_none_or(|total| total == 0);
                if let Some(env) = page.rows.into_iter().find(|env| env.env_id == *env_id) {
                    answer = Named::Shown(Box::new(seen::environment(env)));
                    break;
                }
                if !is_empty {
                    answer = Named::Unanswered;
                }
            }
            found.push(answer);
            telling.page(at + 1, Some(env_ids.len()));
        }
        Ok(found)
    }

    async fn bills(&self, env_ids: &[String]) -> Result<Vec<Bill>, CloudError> {
        let mut found: HashMap<String, BillInfo> = HashMap::new();
        // Whether a bill is shown in every region is not documented, so what one region has not is asked of the next.
        let mut telling = self.telling(Looks::Bills, Some(env_ids.len()));
        for (at, region) in self.regions().into_iter().enumerate() {
            telling.region(at + 1);
            let mut asked = HashSet::new();
            let missing: Vec<String> = env_ids
                .iter()
                .filter(|id| !found.contains_key(*id) && asked.insert(*id))
                .cloned()
                .collect();
            let mut chunks: VecDeque<&[String]> = missing.chunks(CHUNK).collect();
            while let Some(chunk) = chunks.pop_front() {
                let question = Question {
                    action: wire::BILLS,
                    region,
                    decode: wire::decode_bills,
                    id: |bill: &BillInfo| &bill.env_id,
                };
                let before = found.len();
                let rows = self
                    .whole(
                        &question,
                        |offset| DescribeBillingInfo {
                            env_id: None,
                            env_ids: Some(chunk.to_vec()),
                            limit: Some(walk::LIMIT),
                            offset: Some(offset),
                        },
                        |walk| telling.page(before + walk.rows.len(), Some(env_ids.len())),
                    )
                    .await;
                match rows {
                    Ok(rows) => {
                        found.extend(rows.into_iter().map(|bill| (bill.env_id.clone(), bill)));
                    }
                    // Which of them it is about is not said, and the others have their bills.
                    Err(error) if refuses_the_id(&error) => {
                        if chunk.len() > 1 {
                            let (first, second) = chunk.split_at(chunk.len() / 2);
                            chunks.extend([first, second]);
                        }
                    }
                    Err(error) => return Err(error),
                }
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

    fn telling(&self, what: Looks, of: Option<usize>) -> Telling<'_> {
        Telling::begin(self.watcher.as_ref(), what, self.regions().len(), of)
    }

    /// Every row of a list; `told` hears of each page.
    async fn whole<T, B: Serialize>(
        &self,
        question: &Question<'_, T>,
        body: impl Fn(u32) -> B,
        mut told: impl FnMut(&Walk<T>),
    ) -> Result<Vec<T>, CloudError> {
        let mut walk = Walk::default();
        let mut offset = 0;
        loop {
            let page = self.page(question, &body(offset)).await?;
            let next = walk.take(page, question.id);
            told(&walk);
            match next {
                Next::At(next) => offset = next,
                Next::Done => break,
                Next::TooLong => {
                    let what = name(question);
                    let why = text!("{what}: the list does not end", "{what:#}：列表没有尽头");
                    return Err(judge::no_end(&why, &self.service.scrub));
                }
            }
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
            self.spacing.slot(question.action).await;
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
        let call = self.service.call(call, |reply, scrub, repair| {
            judge::judge(reply, question.decode, scrub, repair)
        });
        call.await
    }
}

/// The vendor refused what it was asked for, and not who asked. `InvalidParameter.EnvId` is on the page of `DescribeEnvs`; of
/// `ResourceNotFound` it has only `.UserNotExists`, which is about the account. What either means for the environment is
/// not documented.
fn refuses_the_id(error: &CloudError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    let is_not_found = code == "ResourceNotFound" || code.starts_with("ResourceNotFound.");
    code == "InvalidParameter.EnvId" || is_not_found && !code.contains("User")
}

fn name<T>(question: &Question<'_, T>) -> Text {
    let action = question.action;
    match question.region {
        Some(region) => text!("{action} in {region}", "{action}（地域 {region}）"),
        None => Text::same(action),
    }
}
