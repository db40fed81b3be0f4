//! The two changes to an environment that is there: `ModifyEnv` gives it another alias, `DestroyEnv` gives it up.
//!
//! One attempt each, graded as an order is. They name their environment, so that making one twice does no more than making
//! it once; whether to, the engine decides.

use reqwest::header::HeaderValue;

use super::client::TencentClient;
use super::codes::changes::{self, Change};
use super::evidence::{judge_change, no_reply};
use super::service::Call;
use super::wire::{self, DestroyEnv, ModifyEnv};
use crate::cloud::{CloudError, Destroy, Done, Grade, Rename, Scope};
use crate::lang::text;

impl TencentClient {
    pub(super) async fn modify(&self, rename: &Rename) -> Result<Done, CloudError> {
        let Rename { env_id, alias, region } = rename;
        let body = wire::request_body(&ModifyEnv::of(env_id, alias));
        self.change(Change::Rename, env_id, region.as_deref(), body).await
    }

    pub(super) async fn give_up(&self, destroy: &Destroy) -> Result<Done, CloudError> {
        let Destroy { env_id, force, bypass_check, region } = destroy;
        let body = wire::request_body(&DestroyEnv::of(env_id, *force, *bypass_check));
        self.change(Change::Destroy, env_id, region.as_deref(), body).await
    }

    async fn change(
        &self,
        change: Change,
        env_id: &str,
        region: Option<&str>,
        body: Vec<u8>,
    ) -> Result<Done, CloudError> {
        let region = region.filter(|region| !region.is_empty());
        if let Some(region) = region
            && HeaderValue::from_str(region).is_err()
        {
            // This environment's region alone: the others' are sent.
            let why = text!(
                "the region of {env_id}, {region:?}, can't be sent in a header",
                "{env_id} 的地域 {region:?} 无法放入请求头发送"
            );
            return Err(CloudError {
                grade: Grade::Refused(Scope::Step),
                ..no_reply(false, &why, &self.service.redactor)
            });
        }
        let call = Call {
            action: match change {
                Change::Rename => wire::MODIFY,
                Change::Destroy => wire::DESTROY,
            },
            region,
            body,
            most: wire::MAX_BODY,
        };
        let call = self
            .service
            .call(call, |reply, redactor, repair| judge_change(reply, change, env_id, redactor, repair));
        call.await.map_err(|error| advised(change, error))
    }
}

/// Says what to do when no answer came and it may be done all the same.
fn advised(change: Change, error: CloudError) -> CloudError {
    match error.grade {
        Grade::Unknown => CloudError { hint: Some(changes::look(change)), ..error },
        Grade::NotSent(_) | Grade::Refused(_) => error,
    }
}
