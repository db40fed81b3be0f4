//! The calls that change something, and what they return.

use std::future::Future;

use super::error::CloudError;
use crate::model::Attributes;

/// The calls that change something. The apply engine is the only caller.
pub trait CloudWrite: Send + Sync + 'static {
    /// Gets the credentials that the next call needs, before its slot is taken. Sends no call that creates or changes anything.
    ///
    /// # Errors
    /// When there are none, for now or at all.
    fn ready(&self) -> impl Future<Output = Result<(), CloudError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Makes one attempt to create an environment with exactly these attributes.
    ///
    /// # Errors
    /// For any answer but one that holds a TranId, graded by what it proves.
    fn create(&self, order: &Attributes) -> impl Future<Output = Result<Ordered, CloudError>> + Send;

    /// Makes one attempt at `ModifyEnv` with a new alias. Repeating it does no harm.
    ///
    /// # Errors
    /// For any answer but one without an error, graded by what it proves.
    fn rename(&self, rename: &Rename) -> impl Future<Output = Result<Done, CloudError>> + Send;

    /// Makes one attempt at `DestroyEnv`. It names its environment, so repeating it destroys no other.
    ///
    /// # Errors
    /// For any answer but one without an error, graded by what it proves.
    fn destroy(&self, destroy: &Destroy) -> impl Future<Output = Result<Done, CloudError>> + Send;
}

/// A new alias for an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    pub env_id: String,
    pub alias: String,
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
    /// The order number, never empty.
    pub tran_id: String,
    /// None when the answer had null, "" or nothing, as its documents allow.
    pub env_id: Option<String>,
    pub request_id: Option<String>,
}
