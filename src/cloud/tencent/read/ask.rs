//! One question to one service, asked again where that helps.

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::space::Spacing;
use super::{again, judge};
use crate::cloud::tencent::service::{Call, Service};
use crate::cloud::tencent::wire::{self, Page, Unreadable};
use crate::cloud::{CloudError, Grade, NotSent};
use crate::lang::{Text, text};

/// A question: what is asked, and how its answer is read.
pub(in crate::cloud::tencent) struct Question<'a, T> {
    pub(in crate::cloud::tencent) action: &'static str,
    pub(in crate::cloud::tencent) region: Option<&'a str>,
    pub(in crate::cloud::tencent) decode: fn(&[u8]) -> Result<Page<T>, Unreadable>,
}

/// Asks a service.
pub(in crate::cloud::tencent) struct Asker<'a> {
    pub(in crate::cloud::tencent) service: &'a Service,
    pub(in crate::cloud::tencent) spacing: &'a Spacing,
    /// How long a question is repeated.
    pub(in crate::cloud::tencent) retry_for: Duration,
}

impl Asker<'_> {
    /// One page, asked for until it comes, is refused, or has been waited for long enough.
    pub(in crate::cloud::tencent) async fn page<T>(
        &self,
        question: &Question<'_, T>,
        body: &impl Serialize,
    ) -> Result<Page<T>, CloudError> {
        let body = wire::request_body(body);
        let first = Instant::now();
        let mut attempt = 1;
        let mut repaired = 0;
        loop {
            self.spacing.slot(question.action).await;
            let mut error = match self.once(question, body.clone()).await {
                Ok(page) => return Ok(page),
                Err(error) => error,
            };
            let elapsed = first.elapsed();
            let wait = again::wait(error.grade, attempt, repaired, elapsed, self.retry_for);
            let Some(wait) = wait else {
                let (what, said) = (name(question), &error.message);
                error.message = match attempt {
                    1 => text!("{what}: {said}", "{what:#}：{said:#}"),
                    n => text!("{what}, {n} attempts: {said}", "{what:#}，已尝试 {n} 次：{said:#}"),
                };
                return Err(error);
            };
            tracing::debug!(action = question.action, attempt, ?wait, message = %error.message, "asking again");
            sleep(wait).await;
            attempt += 1;
            repaired += u32::from(error.grade == Grade::NotSent(NotSent::Repaired));
        }
    }

    async fn once<T>(&self, question: &Question<'_, T>, body: Vec<u8>) -> Result<Page<T>, CloudError> {
        let call = Call { action: question.action, region: question.region, body, most: wire::MAX_PAGE_BODY };
        let call = self
            .service
            .call(call, |reply, redactor, repair| judge::judge(reply, question.decode, redactor, repair));
        call.await
    }
}

pub(super) fn name<T>(question: &Question<'_, T>) -> Text {
    let action = question.action;
    match question.region {
        Some(region) => text!("{action} in {region}", "{action}（地域 {region}）"),
        None => Text::same(action),
    }
}
