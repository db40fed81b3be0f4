//! One step of a plan: what is to be done with one environment, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::named::named;
use crate::i18n::{Text, text};
use crate::model::{Address, Attributes, Field, InstanceKey, SourceRef, Value};

/// What is to be done with one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    #[schemars(with = "String")]
    pub address: Address,
    /// Its address in the state, when that is to change.
    #[schemars(with = "Option<String>")]
    pub previous_address: Option<Address>,
    /// True when the step is about an environment that was replaced at the address.
    pub deposed: bool,
    /// Always one.
    #[serde(rename = "actions", with = "single")]
    #[schemars(with = "[Action; 1]")]
    pub action: Action,
    #[serde(rename = "action_reason")]
    pub reason: Reason,
    /// Why the step is not carried out as it stands.
    pub blocker: Option<StepBlocker>,
    /// As created; missing for what was never created.
    pub before: Option<Attributes>,
    /// As it is to be; missing for what is not declared. What is not to change is as before, whatever is declared.
    pub after: Option<Attributes>,
    /// The names of the fields in which `before` and `after` differ, when both are there.
    pub changed: Vec<String>,
    /// `prevent_destroy` in the state.
    pub was_protected: bool,
    /// `prevent_destroy` from here on.
    pub prevent_destroy: bool,
    /// What Tencent Cloud has returned so far, or what is to be imported.
    pub ids: Ids,
    /// Where it is declared, or was when it was created.
    pub source: SourceRef,
}

/// The ids of an environment and its order, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ids {
    pub env_id: Option<String>,
    pub tran_id: Option<String>,
    pub request_id: Option<String>,
}

/// An action as Terraform writes it: in a list of one.
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
        /// Create it: this costs money.
        Create = "create",
        /// Update it in place.
        Update = "update",
        /// Create a new one in its place: this costs money. The old one stays in the state as deposed, and is not destroyed.
        Replace = "replace",
        /// Destroy it.
        Destroy = "destroy",
        /// Remove it from the state, and leave it alone.
        Forget = "forget",
        /// Import one that exists.
        Import = "import",
        /// Only its address changes.
        Move = "move",
        /// The outcome of a create or destroy is unknown: run `postpay resolve`.
        Resolve = "resolve",
        /// It was created; its EnvId is not known yet.
        Wait = "wait",
        NoOp = "no-op",
    }
}

named! {
    /// Why a step is what it is.
    pub enum Reason {
        /// Declared, and never created.
        NotOrdered = "not_ordered",
        /// Declared, and its environment was destroyed.
        GivenUp = "given_up",
        /// Declared as it was created.
        Unchanged = "unchanged",
        /// Created, without an EnvId so far.
        AwaitingEnvId = "awaiting_env_id",
        /// The answer to its create was lost.
        OutcomeUnknown = "outcome_unknown",
        /// A field changed that forces replacement.
        FixedAtOrder = "replace_because_cannot_update",
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
        /// In the state, and no longer declared.
        NotDeclared = "delete_because_no_resource_config",
        /// `postpay destroy` named it.
        DestroyRequested = "delete_by_request",
        /// Destroyed, and kept in isolation by Tencent Cloud before it is deleted.
        Isolated = "isolated",
        /// Replaced, and not destroyed.
        Deposed = "deposed",
        /// Its destroy was requested, and its result was not seen.
        BeingDestroyed = "being_destroyed",
    }
}

impl Action {
    /// Whether it sends a paid order.
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

    /// Whether it changes something, in the account or in the state.
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

    /// Whether it sends a request, if only to read.
    pub const fn calls_api(self) -> bool {
        match self {
            Self::Create | Self::Update | Self::Replace | Self::Destroy | Self::Import | Self::Wait => true,
            Self::Forget | Self::Move | Self::Resolve | Self::NoOp => false,
        }
    }
}

/// Why a step is not carried out as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StepBlocker {
    /// A replacement is a second order, and has to be requested by name.
    Replacement,
    /// The replacement would be an order for the same environment.
    ReplacesItself,
    /// The EnvId of what would be replaced is not known yet.
    ReplacesAwaiting,
    /// The environment that would be replaced is declared as existing, by its `import` block.
    ReplacesImported,
    /// It was replaced before and is as declared: the same command run again would create another one.
    ReplacedAlready,
    /// It is not known whether the environment that replaced it exists.
    ReplacementUnknown,
    /// The state has the same environment at another address: it would be created, and paid for, again.
    Renamed {
        #[schemars(with = "String")]
        from: Address,
    },
    /// The state has this environment at another address.
    ManagedElsewhere {
        #[schemars(with = "String")]
        other: Address,
    },
    /// The state has another environment at the address than the one that is to be imported.
    ImportsAnother { env_id: String },
    /// Nothing is destroyed unless that is allowed.
    DestroyNotAllowed,
    /// It was declared with `prevent_destroy`.
    PreventDestroy,
    /// It is still declared, and would be created again.
    StillDeclared,
}

impl StepBlocker {
    /// Whether it blocks the whole plan. What is merely kept blocks nothing, unless its destruction was requested.
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
            | Self::StillDeclared => true,
            Self::DestroyNotAllowed | Self::PreventDestroy => false,
        }
    }

    /// Returns its stable code, why the step of `address` is blocked, and what to do about it. The texts have no full stop.
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
    /// The fields in which `before` and `after` differ, when both are there.
    pub fn changed_fields(&self) -> impl Iterator<Item = Field> {
        let kind = self.after.as_ref().map(Attributes::kind);
        self.changed.iter().filter_map(move |name| kind?.field(name))
    }

    /// Whether it sends a paid order.
    pub fn is_order(&self) -> bool {
        self.blocker.is_none() && self.action.creates()
    }

    /// Whether it changes something, in the account or in the state.
    pub fn is_change(&self) -> bool {
        self.blocker.is_none() && (self.previous_address.is_some() || self.action.changes())
    }

    /// Returns the key of its environment in the state. None for a former one without an EnvId, which can't be addressed.
    pub fn key(&self) -> Option<InstanceKey> {
        let address = self.address.clone();
        let deposed = if self.deposed { Some(self.ids.env_id.clone()?) } else { None };
        Some(InstanceKey { address, deposed })
    }

    /// The address that its environment has in the state.
    pub fn recorded_address(&self) -> &Address {
        self.previous_address.as_ref().unwrap_or(&self.address)
    }

    /// The fields that the API updates in place, each by a request of its own, with their new values.
    pub fn updates(&self) -> impl Iterator<Item = (Field, &Value)> {
        let is_update = self.action == Action::Update && self.blocker.is_none();
        let after = self.after.as_ref().filter(|_| is_update);
        let updated = self.changed_fields().filter(|field| field.update.action().is_some());
        updated.filter_map(move |field| Some((field, after?.get(field)?)))
    }

    /// Whether `prevent_destroy` is to change.
    pub fn changes_protection(&self) -> bool {
        self.was_protected != self.prevent_destroy
    }
}
