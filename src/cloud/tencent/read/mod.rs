//! Looking at the account: every page of every region, repeated where the network or the vendor falters.
//!
//! Asking twice costs nothing, so unlike an order a question that may have been answered is simply asked again. `ask` asks,
//! `judge` tells an answer from a failure, `again` when to repeat, `walk` when a list has ended, `seen` what it says, `space` when the
//! next call may start, and `tell` tells whoever waits.

mod again;
mod ask;
mod judge;
mod seen;
mod space;
mod tell;
mod walk;

use std::collections::{HashMap, HashSet, VecDeque};

use jiff::SignedDuration;
use serde::Serialize;

use super::client::TencentClient;
use super::wire::{self, BillInfo, DescribeBillingInfo, DescribeEnvs, EnvInfo};
use crate::cloud::{Bills, CloudError, CloudRead, Gap, Listing, Looks, Named};
use crate::lang::{Text, text};
pub(in crate::cloud::tencent) use ask::{Asker, Question};
pub(in crate::cloud::tencent) use space::Spacing;
use tell::Telling;
use walk::{Bounds, Next, Short, Walk};

/// Environments whose bills are asked for at once.
const CHUNK: usize = 100;

impl CloudRead for TencentClient {
    async fn listing(&self) -> Result<Listing, CloudError> {
        let (mut found, mut gaps) = (Vec::new(), Vec::new());
        let mut known = HashSet::new();
        let regions = self.regions();
        let mut telling = self.telling(Looks::Environments, None);
        let mut bounds = Bounds::default();
        for (at, region) in regions.iter().enumerate() {
            telling.region(at + 1);
            let (before, is_last) = (found.len(), at + 1 == regions.len());
            let question =
                Question { action: wire::LIST, region: region.as_deref(), decode: wire::decode_envs };
            let (rows, short) = self
                .walk(
                    &question,
                    |env: &EnvInfo| &env.env_id,
                    |offset| DescribeEnvs {
                        limit: Some(walk::LIMIT),
                        offset: Some(offset),
                        ..DescribeEnvs::default()
                    },
                    &mut bounds,
                    // What the regions after this one have is not known.
                    |walk| {
                        let of = walk.total().filter(|_| is_last);
                        telling.page(before + walk.rows.len(), of.map(|of| before + of));
                    },
                )
                .await?;
            gaps.extend(short.map(|short| Gap {
                region: region.clone(),
                rows: short.rows,
                total: short.total,
                contradictory: short.contradictory,
            }));
            found.extend(rows.into_iter().filter(|env| known.insert(env.env_id.clone())));
        }
        let redactor = &self.service.redactor;
        let found = found.into_iter();
        Ok(Listing { environments: found.map(|env| seen::environment(env, redactor)).collect(), gaps })
    }

    async fn named(&self, env_ids: &[String]) -> Result<Vec<Named>, CloudError> {
        let mut telling = self.telling(Looks::Named, Some(env_ids.len()));
        let mut found = Vec::new();
        for (at, env_id) in env_ids.iter().enumerate() {
            let mut answer = Named::Absent;
            for region in self.regions() {
                let question =
                    Question { action: wire::LIST, region: region.as_deref(), decode: wire::decode_envs };
                let body = DescribeEnvs {
                    env_id: Some(env_id.clone()),
                    limit: Some(walk::LIMIT),
                    offset: Some(0),
                    ..DescribeEnvs::default()
                };
                let page = match self.asker().page(&question, &body).await {
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
                    answer = Named::Shown(Box::new(seen::environment(env, &self.service.redactor)));
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

    async fn bills(&self, env_ids: &[String]) -> Result<Bills, CloudError> {
        let mut found: HashMap<String, BillInfo> = HashMap::new();
        let mut incomplete = false;
        // Whether a bill is shown in every region is not documented, so what one region has not is asked of the next.
        let mut telling = self.telling(Looks::Bills, Some(env_ids.len()));
        let mut bounds = Bounds::default();
        for (at, region) in self.regions().iter().enumerate() {
            telling.region(at + 1);
            let mut asked = HashSet::new();
            let missing: Vec<String> =
                env_ids.iter().filter(|id| !found.contains_key(*id) && asked.insert(*id)).cloned().collect();
            let mut chunks: VecDeque<&[String]> = missing.chunks(CHUNK).collect();
            while let Some(chunk) = chunks.pop_front() {
                let question =
                    Question { action: wire::BILLS, region: region.as_deref(), decode: wire::decode_bills };
                let before = found.len();
                let rows = self
                    .walk(
                        &question,
                        |bill: &BillInfo| &bill.env_id,
                        |offset| DescribeBillingInfo {
                            env_id: None,
                            env_ids: Some(chunk.to_vec()),
                            limit: Some(walk::LIMIT),
                            offset: Some(offset),
                        },
                        &mut bounds,
                        |walk| telling.page(before + walk.rows.len(), Some(env_ids.len())),
                    )
                    .await;
                match rows {
                    Ok((rows, short)) => {
                        incomplete |= short.is_some();
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
        let redactor = &self.service.redactor;
        Ok(Bills { shown: bills.map(|bill| seen::bill(bill, redactor)).collect(), incomplete })
    }

    fn ahead(&self) -> SignedDuration {
        self.service.ahead()
    }
}

impl TencentClient {
    fn asker(&self) -> Asker<'_> {
        Asker { service: &self.service, spacing: &self.spacing, retry_for: self.retry_reads_for }
    }

    fn telling(&self, what: Looks, of: Option<usize>) -> Telling<'_> {
        Telling::begin(self.watcher.as_ref(), what, self.regions().len(), of)
    }

    /// Every row of a list, and how it fell short of being complete; `told` hears of each page. A row whose id is none is
    /// missing.
    async fn walk<T, B: Serialize>(
        &self,
        question: &Question<'_, T>,
        id: fn(&T) -> &str,
        body: impl Fn(u32) -> B,
        bounds: &mut Bounds,
        mut told: impl FnMut(&Walk<T>),
    ) -> Result<(Vec<T>, Option<Short>), CloudError> {
        let mut walk = Walk::default();
        let mut offset = 0;
        loop {
            let too_much = |why: Text| {
                let what = ask::name(question);
                let why = text!("{what}: {why}", "{what:#}：{why:#}");
                judge::too_much(&why, &self.service.redactor)
            };
            let mut page = self.asker().page(question, &body(offset)).await?;
            bounds.count(&page).map_err(too_much)?;
            page.rows.retain(|row| self.service.redactor.is_id(id(row)));
            let next = walk.take(page, id);
            told(&walk);
            match next {
                Next::At(next) => offset = next,
                Next::Done => break,
                Next::TooLong => return Err(too_much(walk::too_long())),
            }
        }
        let short = walk.short();
        if let Some(short) = short {
            tracing::warn!(action = question.action, ?short, "the list is incomplete");
        }
        Ok((walk.rows, short))
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
