//! One step of a plan: what to do with one environment, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::named::named;
use crate::i18n::{Text, text};
use crate::model::{Address, Attributes, Field, InstanceKey, SourceRef, Value};

/// What to do with one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    #[schemars(with = "String")]
    pub address: Address,
    /// Its address in the state, if it is to change.
    #[schemars(with = "Option<String>")]
    pub previous_address: Option<Address>,
    /// Whether the step is about an environment that was replaced at the address.
    pub deposed: bool,
    /// Always one action.
    #[serde(rename = "actions", with = "single")]
    #[schemars(with = "[Action; 1]")]
    pub action: Action,
    #[serde(rename = "action_reason")]
    pub reason: Reason,
    /// Why the step is blocked.
    pub blocker: Option<StepBlocker>,
    /// As in the state; missing for an environment that was never created.
    pub before: Option<Attributes>,
    /// As planned; missing for an undeclared environment. Fields that are not to change are as before.
    pub after: Option<Attributes>,
    /// The names of the fields that differ between `before` and `after`, when both exist.
    pub changed: Vec<String>,
    /// `prevent_destroy` in the state.
    pub was_protected: bool,
    /// `prevent_destroy` after the step.
    pub prevent_destroy: bool,
    /// The ids that Tencent Cloud has returned so far, or those to import.
    pub ids: Ids,
    /// Where it is, or was, declared.
    pub source: SourceRef,
}

/// The known ids of an environment and its order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ids {
    pub env_id: Option<String>,
    pub tran_id: Option<String>,
    pub request_id: Option<String>,
}

/// An action in a list of one, as in Terraform's JSON.
mod single {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::plan::step::Action;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(super) fn serialize<S: Serializer>(action: &Action, serializer: S) -> Result<S::Ok, S::Error> {
        [action].serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Action, D::Error> {
        <[Action; 1]>::deserialize(deserializer).map(|[action]| action)
    }
}

named! {
    /// What a step does.
    pub enum Action {
        /// Create it (billed).
        Create = "create",
        /// Update it in place.
        Update = "update",
        /// Create a new one in its place (billed). The old one stays in the state as deposed, and is not
        /// destroyed.
        Replace = "replace",
        /// Destroy it.
        Destroy = "destroy",
        /// Remove it from the state; it keeps running.
        Forget = "forget",
        /// Import an existing one.
        Import = "import",
        /// Change only its address.
        Move = "move",
        /// The outcome of a create or destroy is unknown: run `postpay resolve`.
        Resolve = "resolve",
        /// It was created; its EnvId is not known yet.
        Wait = "wait",
        NoOp = "no-op",
    }
}

named! {
    /// Why a step has its action.
    pub enum Reason {
        /// Declared, but not created.
        NotOrdered = "not_ordered",
        /// Declared, and its environment was destroyed.
        Destroyed = "destroyed",
        /// The declaration agrees with the state.
        Unchanged = "unchanged",
        /// Created, without an EnvId yet.
        AwaitingEnvId = "awaiting_env_id",
        /// The outcome of its create is unknown.
        OutcomeUnknown = "outcome_unknown",
        /// A changed field forces replacement.
        CannotUpdate = "replace_because_cannot_update",
        /// `--replace` was given.
        ReplaceRequested = "replace_by_request",
        /// Only fields changed that are updated in place.
        UpdatedInPlace = "update_in_place",
        /// Only `prevent_destroy` changed.
        ProtectionChanged = "protection_changed",
        /// By a `moved` block.
        Moved = "moved",
        /// By an `import` block.
        ImportDeclared = "import_declared",
        /// By a `removed` block.
        Removed = "removed",
        /// In the state, but no longer declared.
        NotDeclared = "delete_because_no_resource_config",
        /// Requested with `postpay destroy`.
        DestroyRequested = "delete_by_request",
        /// Destroyed, and isolated by Tencent Cloud before it is deleted.
        Isolated = "isolated",
        /// Replaced, and not destroyed.
        Deposed = "deposed",
        /// Its destroy was requested, and its result is unknown.
        BeingDestroyed = "being_destroyed",
    }
}

impl Action {
    /// Returns whether it sends a billed create.
    pub const fn creates(self) -> bool {
        match self {
            Self::Create | Self::Replace => true,
            Self::Update
            | Self::Destroy
            | Self::Forget
            | Self::Import
            | Self::Move
            | Self::Resolve
            | Self::Wait
            | Self::NoOp => false,
        }
    }

    /// Returns whether it changes the account or the state.
    pub const fn changes(self) -> bool {
        match self {
            Self::Create
            | Self::Update
            | Self::Replace
            | Self::Destroy
            | Self::Forget
            | Self::Import
            | Self::Move => true,
            Self::Resolve | Self::Wait | Self::NoOp => false,
        }
    }

    /// Returns whether it sends any request, including reads.
    pub const fn calls_api(self) -> bool {
        match self {
            Self::Create | Self::Update | Self::Replace | Self::Destroy | Self::Import | Self::Wait => true,
            Self::Forget | Self::Move | Self::Resolve | Self::NoOp => false,
        }
    }
}

/// Why a step is blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StepBlocker {
    /// A replacement creates a second environment and has to be requested by address.
    Replacement,
    /// The replacement would create the same environment.
    ReplacesItself,
    /// The EnvId of the environment to replace is not known yet.
    ReplacesAwaiting,
    /// The environment to replace is declared with an `import` block.
    ReplacesImported,
    /// It was already replaced and is as declared: repeating the command would create another one.
    ReplacedAlready,
    /// It is unknown whether the replacement exists.
    ReplacementUnknown,
    /// The state has the same environment at another address: it would be created again.
    Renamed {
        #[schemars(with = "String")]
        from: Address,
    },
    /// The state has this environment at another address.
    ManagedElsewhere {
        #[schemars(with = "String")]
        other: Address,
    },
    /// The state has another environment at the address than the one to import.
    ImportsAnother { env_id: String },
    /// Destroying was not allowed.
    DestroyNotAllowed,
    /// Declared with `prevent_destroy`.
    PreventDestroy,
    /// Still declared, so it would be created again.
    StillDeclared,
    /// It would be created inside an environment that is being destroyed.
    EnvironmentDestroyed { env: String },
}

impl StepBlocker {
    /// Returns whether it blocks the whole plan. An environment that is merely kept does not, unless its
    /// destruction was requested.
    pub const fn blocks_plan(&self) -> bool {
        match self {
            Self::Replacement
            | Self::ReplacesItself
            | Self::ReplacesAwaiting
            | Self::ReplacesImported
            | Self::ReplacedAlready
            | Self::ReplacementUnknown
            | Self::Renamed { .. }
            | Self::ManagedElsewhere { .. }
            | Self::ImportsAnother { .. }
            | Self::StillDeclared
            | Self::EnvironmentDestroyed { .. } => true,
            Self::DestroyNotAllowed | Self::PreventDestroy => false,
        }
    }

    /// Returns the stable code, why the step of `address` is blocked, and the help. The texts have no full
    /// stop.
    pub fn explain(&self, address: &Address) -> (&'static str, Text, Text) {
        match self {
            Self::Replacement => (
                "replacement",
                text!("replacing `{address}` creates a second environment", address),
                text!(
                    "request it with `--replace {address}`, skip it with `--exclude {address}`, or revert the change",
                    address
                ),
            ),
            Self::ReplacesItself => (
                "replaces_itself",
                text!(
                    "the replacement of `{address}` would be a second order for the same environment",
                    address
                ),
                Text::fixed("remove its env_id from the manifest to create a new environment"),
            ),
            Self::ReplacesAwaiting => (
                "replaces_awaiting",
                text!("the EnvId of `{address}` is not known yet, so it cannot be replaced", address),
                text!("find it first: `postpay resolve {address}`", address),
            ),
            Self::ReplacesImported => (
                "replaces_imported",
                text!("`{address}` is declared as existing, by its `import` block", address),
                Text::fixed("remove its `import` block to create a new environment"),
            ),
            Self::ReplacedAlready => (
                "replaced_already",
                text!(
                    "`{address}` was already replaced and has not changed since; running this again would create another environment",
                    address
                ),
                text!(
                    "omit `--replace {address}`; to create another one anyway, first destroy or forget the deposed one: \
                     `postpay destroy {address} --deposed --allow-destroy` or `postpay state rm --deposed ENV_ID`",
                    address
                ),
            ),
            Self::ReplacementUnknown => (
                "replacement_unknown",
                text!(
                    "the replacement of `{address}` has an unknown outcome: this may be the only environment",
                    address
                ),
                text!("resolve it first: `postpay resolve {address}`", address),
            ),
            Self::Renamed { from } => (
                "renamed",
                text!(
                    "`{address}` looks like a new name of `{from}`, which was already created",
                    address,
                    from
                ),
                text!(
                    "rename it back to `{from}`, or declare the move: `moved: [{{from: {from}, to: {address}}}]`; for another \
                     environment, give it an alias of its own",
                    from,
                    address
                ),
            ),
            Self::ManagedElsewhere { other } => (
                "managed_elsewhere",
                text!("the environment of `{address}` is already in the state, as `{other}`", address, other),
                text!(
                    "declare only `{other}`, or declare the move: `moved: [{{from: {other}, to: {address}}}]`",
                    other,
                    address
                ),
            ),
            Self::ImportsAnother { env_id } => {
                let env_id = env_id.escape_debug();
                (
                    "imports_another",
                    text!(
                        "the state has {env_id} at `{address}`, which is not the environment to import",
                        env_id,
                        address
                    ),
                    text!(
                        "set its `import` to {env_id} or remove that block; to manage another environment here, forget this one \
                         first: `postpay state rm {address}`",
                        env_id,
                        address
                    ),
                )
            }
            Self::DestroyNotAllowed => (
                "destroy_not_allowed",
                text!("destroying `{address}` is not allowed", address),
                ALLOW_DESTROY,
            ),
            Self::PreventDestroy => (
                "prevent_destroy",
                text!("`{address}` was declared with prevent_destroy", address),
                text!(
                    "declare `{address}` again with `lifecycle: {{prevent_destroy: false}}`, apply, and then remove it",
                    address
                ),
            ),
            Self::EnvironmentDestroyed { env } => {
                let env = env.escape_debug();
                (
                    "environment_destroyed",
                    text!(
                        "`{address}` would be created inside `{env}`, which is being destroyed",
                        address,
                        env
                    ),
                    text!("choose another environment for `{address}`, or remove it", address),
                )
            }
            Self::StillDeclared => (
                "still_declared",
                text!("`{address}` is still declared: the next apply would create it again", address),
                Text::fixed("remove it from the manifests first"),
            ),
        }
    }
}

/// How to allow destroys.
pub(super) const ALLOW_DESTROY: Text = Text::fixed(
    "allow it with `--allow-destroy`, or set `allow_destroy: true` under `guard` in postpay.yaml",
);

impl Step {
    /// Returns the fields that differ between `before` and `after`, when both exist.
    pub fn changed_fields(&self) -> impl Iterator<Item = Field> {
        let kind = self.after.as_ref().map(Attributes::kind);
        self.changed.iter().filter_map(move |name| kind?.field(name))
    }

    /// Returns whether it sends a billed create.
    pub fn is_order(&self) -> bool {
        self.blocker.is_none() && self.action.creates()
    }

    /// Returns whether it changes the account or the state.
    pub fn is_change(&self) -> bool {
        self.blocker.is_none() && (self.previous_address.is_some() || self.action.changes())
    }

    /// Returns the key of its environment in the state. None for a former one without an EnvId, which can't
    /// be addressed.
    pub fn key(&self) -> Option<InstanceKey> {
        let address = self.address.clone();
        let deposed = if self.deposed { Some(self.ids.env_id.clone()?) } else { None };
        Some(InstanceKey { address, deposed })
    }

    /// Returns the address of its environment in the state.
    pub fn recorded_address(&self) -> &Address {
        self.previous_address.as_ref().unwrap_or(&self.address)
    }

    /// Returns whether it is about something that lives inside another environment, which has to exist first.
    pub fn is_inside(&self) -> bool {
        let attributes = self.after.as_ref().or(self.before.as_ref());
        attributes.is_some_and(|attributes| attributes.kind().shares_env_id)
    }

    /// Returns whether it is about an environment that is paid for in advance.
    pub fn is_prepaid(&self) -> bool {
        let attributes = self.after.as_ref().or(self.before.as_ref());
        attributes.and_then(|it| it.kind().pay_mode) == Some("prepayment")
    }

    /// Returns the fields to update in place, each by its own request, with their new values.
    pub fn updates(&self) -> impl Iterator<Item = (Field, &Value)> {
        let is_update = self.action == Action::Update && self.blocker.is_none();
        let after = self.after.as_ref().filter(|_| is_update);
        let updated = self.changed_fields().filter(|field| field.update.action().is_some());
        updated.filter_map(move |field| Some((field, after?.get(field)?)))
    }

    /// Returns the fields that change in the state only.
    pub fn unsent(&self) -> impl Iterator<Item = Field> {
        let is_update = self.action == Action::Update && self.blocker.is_none();
        self.changed_fields().filter(move |field| is_update && field.update.action().is_none())
    }

    /// Returns whether `prevent_destroy` changes.
    pub fn changes_protection(&self) -> bool {
        self.was_protected != self.prevent_destroy
    }
}
