//! The calls that change something. One attempt each: whether to try again is the engine's decision.

use reqwest::header::HeaderValue;

use super::client::TencentClient;
use super::codes::Action;
use super::evidence::{advise, classify_change, classify_create, no_reply};
use super::service::Call;
use super::wire::{self, DestroyEnv};
use crate::cloud::{CloudError, CloudWrite, Destroy, Done, Grade, Order, Ordered, Scope, Update};
use crate::i18n::text;

impl CloudWrite for TencentClient {
    async fn ready(&self) -> Result<(), CloudError> {
        self.service.ready().await
    }

    async fn create(&self, order: &Order) -> Result<Ordered, CloudError> {
        let Order { attributes, members, region } = order;
        let kind = attributes.kind();
        let call = call(kind.action, region.as_deref(), wire::create_body(attributes, members));
        let call =
            self.service_of(kind).call(call, |reply, redactor| classify_create(reply, order, redactor));
        call.await.map_err(|error| advise(Action::Create, error))
    }

    async fn update(&self, update: &Update) -> Result<Done, CloudError> {
        let Update { env_id, action, field, value, region } = update;
        let body = wire::update_body(env_id, *field, value);
        self.change(Action::Update, env_id, call(action, region.as_deref(), body)).await
    }

    async fn destroy(&self, destroy: &Destroy) -> Result<Done, CloudError> {
        let Destroy { env_id, force, bypass_check, region } = destroy;
        let body = wire::request_body(&DestroyEnv::new(env_id, *force, *bypass_check));
        self.change(Action::Destroy, env_id, call(wire::DESTROY, region.as_deref(), body)).await
    }
}

impl TencentClient {
    async fn change(&self, action: Action, env_id: &str, call: Call<'_>) -> Result<Done, CloudError> {
        if let Some(region) = call.region
            && HeaderValue::from_str(region).is_err()
        {
            // It is the region of this environment alone: the others can be changed.
            let why = text!(
                "the region of {env_id}, {region}, cannot be sent in a header",
                env_id,
                region = format!("{region:?}")
            );
            let error = no_reply(false, &why, &self.service.redactor);
            return Err(CloudError { grade: Grade::Refused(Scope::Step), ..error });
        }
        let call =
            self.service.call(call, |reply, redactor| classify_change(reply, action, env_id, redactor));
        call.await.map_err(|error| advise(action, error))
    }
}

fn call<'a>(action: &'static str, region: Option<&'a str>, body: Vec<u8>) -> Call<'a> {
    Call { action, region: region.filter(|region| !region.is_empty()), body, most: wire::MAX_BODY }
}
