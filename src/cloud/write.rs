//! The calls that change something, and what they return.

use std::collections::BTreeMap;
use std::future::Future;

use super::error::CloudError;
use crate::model::{Attributes, Field, Role, Value};

/// The calls that change something. The apply engine is the only caller.
pub trait CloudWrite: Send + Sync + 'static {
    /// Gets the credentials that the next call needs, before its slot is taken. Sends no call that creates or changes anything.
    ///
    /// # Errors
    /// When there are none, for now or at all.
    fn ready(&self) -> impl Future<Output = Result<(), CloudError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Makes one attempt to create exactly this environment.
    ///
    /// # Errors
    /// For any answer but one that holds a TranId, or for kinds without one an EnvId, graded by what it proves.
    fn create(&self, order: &Order) -> impl Future<Output = Result<Ordered, CloudError>> + Send;

    /// Makes one attempt to update a field of an environment. Repeating it does no harm.
    ///
    /// # Errors
    /// For any answer but one without an error, graded by what it proves.
    fn update(&self, update: &Update) -> impl Future<Output = Result<Done, CloudError>> + Send;

    /// Makes one attempt at `DestroyEnv`. It names its environment, so repeating it destroys no other.
    ///
    /// # Errors
    /// For any answer but one without an error, graded by what it proves.
    fn destroy(&self, destroy: &Destroy) -> impl Future<Output = Result<Done, CloudError>> + Send;
}

/// An environment to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// As declared.
    pub attributes: Attributes,
    /// Members of the request that are known only when it is sent: the EnvId of an address that a field refers to.
    pub members: BTreeMap<String, String>,
    /// The region that it is sent to, instead of the client's.
    pub region: Option<String>,
}

impl Order {
    /// The environment that the request names.
    pub fn env_id(&self) -> Option<&str> {
        let named = self.attributes.env_id().or(self.attributes.role(Role::Inside));
        self.members.get(ENV_ID).map(String::as_str).or(named)
    }
}

impl From<Attributes> for Order {
    fn from(attributes: Attributes) -> Self {
        let region = attributes.region().map(str::to_owned);
        Self { attributes, members: BTreeMap::new(), region }
    }
}

/// The request member that names an environment.
pub const ENV_ID: &str = "EnvId";

/// A new value for a field that the API updates in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    pub env_id: String,
    pub action: &'static str,
    pub field: Field,
    pub value: Value,
    /// The region it was created or found in, where known.
    pub region: Option<String>,
}

/// An environment to destroy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destroy {
    pub env_id: String,
    /// Delete it at once rather than isolate it, or delete it out of isolation (`IsForce`).
    pub force: bool,
    /// Do not check for data in it (`BypassCheck`).
    pub bypass_check: bool,
    pub region: Option<String>,
}

/// The answer to a change that was made, or is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    pub request_id: Option<String>,
}

/// The answer to a create that was ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// The order number, never empty. None for a kind whose answer has none.
    pub tran_id: Option<String>,
    /// None when the answer had null, "" or nothing, as its documents allow.
    pub env_id: Option<String>,
    pub request_id: Option<String>,
}
