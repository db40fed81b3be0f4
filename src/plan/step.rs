//! One step of a plan: what is to be done with one environment, and why.

use super::diff;
use crate::model::{Address, Attributes, Field, InstanceKey, Role, SourceRef};

/// What is to be done with one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub address: Address,
    /// Where it stands in the state so far, when that is to change.
    pub previous_address: Option<Address>,
    /// Set when the step is not about what stands at the address, but about what was replaced there.
    pub deposed: bool,
    pub action: Action,
    pub reason: Reason,
    /// Set when the step is not carried out as it stands.
    pub refusal: Option<Refusal>,
    /// As ordered; None for what was never ordered.
    pub before: Option<Attributes>,
    /// As it is to be; None for what is not declared. What is not to change is as before, whatever is declared.
    pub after: Option<Attributes>,
    /// Whether it was not to be given up so far.
    pub was_protected: bool,
    /// Whether it is not to be given up from here on.
    pub prevent_destroy: bool,
    /// What the vendor has returned so far, or what is to be adopted.
    pub ids: Ids,
    /// Where it is declared, or was when it was ordered.
    pub source: SourceRef,
}

/// The vendor's ids of an environment, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids {
    pub env_id: Option<String>,
    pub tran_id: Option<String>,
    pub request_id: Option<String>,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Order it: this costs money.
    Create,
    /// Change it in place.
    Update,
    /// Order a new one in its place: this costs money. The old one is kept on record, and not given up.
    Replace,
    /// Give it up.
    Destroy,
    /// Take it off the record, and leave it alone.
    Forget,
    /// Put one that exists on record.
    Import,
    /// Only its address changes.
    Move,
    /// A person has to settle what became of an order.
    Resolve,
    /// The order stands; the vendor has not told the environment id yet.
    Wait,
    NoOp,
}

impl Action {
    pub const ALL: [Self; 10] = [
        Self::Create,
        Self::Update,
        Self::Replace,
        Self::Destroy,
        Self::Forget,
        Self::Import,
        Self::Move,
        Self::Resolve,
        Self::Wait,
        Self::NoOp,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Destroy => "destroy",
            Self::Forget => "forget",
            Self::Import => "import",
            Self::Move => "move",
            Self::Resolve => "resolve",
            Self::Wait => "wait",
            Self::NoOp => "no-op",
        }
    }
}

/// Why a step is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Declared, and never ordered.
    NotOrdered,
    /// Declared, and what was ordered for it was given up.
    GivenUp,
    /// Declared as it was ordered.
    Unchanged,
    /// Ordered, without an environment id so far.
    AwaitingEnvId,
    /// An order's answer was lost.
    OutcomeUnknown,
    /// A field changed that the vendor fixes when the order is made.
    FixedAtOrder,
    /// A new one was asked for by name.
    ReplaceRequested,
    /// Only the alias changed.
    AliasChanged,
    /// Nothing changed but whether it may be given up.
    ProtectionChanged,
    /// A `moved` block says so.
    Moved,
    /// An `import` block says so.
    ImportDeclared,
    /// A `removed` block says so.
    Removed,
    /// In the state, and no longer declared.
    NotDeclared,
    /// It was asked for by name.
    DestroyRequested,
    /// Given up; the vendor keeps it in isolation before it deletes it.
    Isolated,
    /// Replaced, and not given up.
    Deposed,
    /// It was asked to be given up, and nobody has seen what became of it.
    BeingDestroyed,
}

impl Reason {
    pub const ALL: [Self; 17] = [
        Self::NotOrdered,
        Self::GivenUp,
        Self::Unchanged,
        Self::AwaitingEnvId,
        Self::OutcomeUnknown,
        Self::FixedAtOrder,
        Self::ReplaceRequested,
        Self::AliasChanged,
        Self::ProtectionChanged,
        Self::Moved,
        Self::ImportDeclared,
        Self::Removed,
        Self::NotDeclared,
        Self::DestroyRequested,
        Self::Isolated,
        Self::Deposed,
        Self::BeingDestroyed,
    ];

    /// Terraform's word where it has one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotOrdered => "not_ordered",
            Self::GivenUp => "given_up",
            Self::Unchanged => "unchanged",
            Self::AwaitingEnvId => "awaiting_env_id",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::FixedAtOrder => "replace_because_cannot_update",
            Self::ReplaceRequested => "replace_by_request",
            Self::AliasChanged => "alias_changed",
            Self::ProtectionChanged => "protection_changed",
            Self::Moved => "moved",
            Self::ImportDeclared => "import_declared",
            Self::Removed => "removed",
            Self::NotDeclared => "delete_because_no_resource_config",
            Self::DestroyRequested => "delete_by_request",
            Self::Isolated => "isolated",
            Self::Deposed => "deposed",
            Self::BeingDestroyed => "being_destroyed",
        }
    }
}

/// Why a step is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A replacement is a second order, and is never made unasked.
    Replacement,
    /// It was asked for by name, and would be an order for the same environment.
    ReplacesItself,
    /// It was asked for by name, and the environment id of what it would replace is not known yet.
    ReplacesAwaiting,
    /// The same environment stands in the state under another address: it would be ordered, and paid for, again.
    Renamed { from: Address },
    /// It was asked for by name, and its `import` block says that it exists.
    ReplacesImported,
    /// It was asked for by name, is as declared, and was replaced before: the same line run again would order a second one.
    ReplacedAlready,
    /// Whether what replaced it exists is not known.
    ReplacementUnknown,
    /// Another address of the state has this environment already.
    ManagedAs { other: Address },
    /// The address has another environment than the one that it is to adopt.
    ImportsAnother { env_id: String },
    /// Nothing is given up unless that is allowed.
    DestroyNotAllowed,
    /// It was declared as not to be given up.
    PreventDestroy,
    /// It is still declared, and would be ordered again.
    StillDeclared,
}

impl Refusal {
    /// In a plan file.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Replacement => "replacement",
            Self::ReplacesItself => "replaces_itself",
            Self::ReplacesAwaiting => "replaces_awaiting",
            Self::ReplacesImported => "replaces_imported",
            Self::ReplacedAlready => "replaced_already",
            Self::ReplacementUnknown => "replacement_unknown",
            Self::Renamed { .. } => "renamed",
            Self::ManagedAs { .. } => "managed_elsewhere",
            Self::ImportsAnother { .. } => "imports_another",
            Self::DestroyNotAllowed => "destroy_not_allowed",
            Self::PreventDestroy => "prevent_destroy",
            Self::StillDeclared => "still_declared",
        }
    }

    /// The address or environment id that the refusal is about, besides its own.
    pub fn other(&self) -> Option<&str> {
        match self {
            Self::Replacement
            | Self::ReplacesItself
            | Self::ReplacesAwaiting
            | Self::ReplacesImported
            | Self::ReplacedAlready
            | Self::ReplacementUnknown
            | Self::DestroyNotAllowed
            | Self::PreventDestroy
            | Self::StillDeclared => None,
            Self::Renamed { from: other } | Self::ManagedAs { other } => Some(other.as_str()),
            Self::ImportsAnother { env_id } => Some(env_id),
        }
    }

    /// True when nothing of the plan is carried out. What is merely kept holds nothing up, unless its end was asked for.
    pub const fn holds_up(&self) -> bool {
        match self {
            Self::Replacement
            | Self::ReplacesItself
            | Self::ReplacesAwaiting
            | Self::ReplacesImported
            | Self::ReplacedAlready
            | Self::ReplacementUnknown
            | Self::Renamed { .. }
            | Self::ManagedAs { .. }
            | Self::ImportsAnother { .. }
            | Self::StillDeclared => true,
            Self::DestroyNotAllowed | Self::PreventDestroy => false,
        }
    }
}

impl Step {
    /// Returns the key of its environment in the state. None for a former one without an EnvId, which can't be addressed.
    pub fn key(&self) -> Option<InstanceKey> {
        let address = self.address.clone();
        let deposed = if self.deposed { Some(self.ids.env_id.clone()?) } else { None };
        Some(InstanceKey { address, deposed })
    }

    /// True when carrying out the step sends a paid order.
    pub fn is_order(&self) -> bool {
        self.refusal.is_none()
            && match self.action {
                Action::Create | Action::Replace => true,
                Action::Update
                | Action::Destroy
                | Action::Forget
                | Action::Import
                | Action::Move
                | Action::Resolve
                | Action::Wait
                | Action::NoOp => false,
            }
    }

    /// True when carrying out the step changes something, at the vendor or on record.
    pub fn is_change(&self) -> bool {
        self.refusal.is_none()
            && (self.previous_address.is_some()
                || match self.action {
                    Action::Create
                    | Action::Update
                    | Action::Replace
                    | Action::Destroy
                    | Action::Forget
                    | Action::Import
                    | Action::Move => true,
                    Action::Resolve | Action::Wait | Action::NoOp => false,
                })
    }

    /// The alias that the environment is to get in place; None when it stays as it is.
    pub fn renames(&self) -> Option<&str> {
        let is_update = self.action == Action::Update && self.refusal.is_none();
        let changed = is_update && self.changed_fields().iter().any(|field| field.role == Some(Role::Alias));
        self.after.as_ref().filter(|_| changed)?.alias()
    }

    /// Whether it may be given up is to change.
    pub fn changes_protection(&self) -> bool {
        self.was_protected != self.prevent_destroy
    }

    /// The fields in which `before` and `after` differ, when both are there.
    pub fn changed_fields(&self) -> Vec<Field> {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => diff::changed_fields(before, self.ids.env_id.as_deref(), after),
            (None, _) | (_, None) => Vec::new(),
        }
    }
}
