//! Reasons why a plan may not be applied, each with its help.

use std::path::PathBuf;

use super::step::{ALLOW_DESTROY, StepBlocker};
use crate::i18n::{Text, shell_word, text};
use crate::model::{Address, Money, SourceRef};
use crate::state::journal::RunId;
use crate::state::{Account, Lineage, Serial};

/// Why a plan may not be applied. Nothing was created, changed or destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocker {
    Used {
        run: RunId,
    },
    Foreign {
        planned: Option<Lineage>,
        found: Option<Lineage>,
    },
    Stale {
        planned: Serial,
        found: Serial,
    },
    ManifestChanged {
        path: PathBuf,
    },
    ManifestGone {
        path: PathBuf,
    },
    OtherEndpoint {
        planned: String,
        now: String,
    },
    OtherState {
        planned: String,
        now: String,
    },
    OtherRegion {
        planned: Option<String>,
        now: Option<String>,
    },
    /// The state belongs to another endpoint.
    StateEndpoint {
        state: String,
        now: String,
    },
    /// The state belongs to another main account.
    StateAccount {
        state: String,
        now: String,
    },
    /// The plan was made for another main account.
    PlanAccount {
        planned: String,
        now: String,
    },
    AccountNotAllowed {
        now: String,
        allowed: Vec<String>,
    },
    /// Tencent Cloud did not return the account, and one of these is expected.
    AccountUnproven {
        expected: Vec<String>,
    },
    AccountNotAsked,
    NotRemade,
    NoAlias {
        address: Address,
    },
    Step {
        address: Address,
        blocker: StepBlocker,
        /// Where it is, or was, declared.
        place: SourceRef,
    },
    AlreadyOrdered {
        address: Address,
    },
    DestroyNotAllowed {
        address: Address,
    },
    DestroysManaged {
        address: Address,
        env_id: String,
        other: Address,
    },
    NothingDeclared {
        count: usize,
    },
    TooMany {
        orders: usize,
        limit: usize,
    },
    TooManyToday {
        orders: usize,
        before: usize,
        limit: usize,
    },
    TooDear {
        cost: Money,
        limit: Money,
    },
    /// The price of these packages is not known.
    CostUnknown {
        packages: Vec<String>,
        limit: Money,
    },
    /// A package costs more than when the plan was made; None when its price is not known now.
    PriceChanged {
        package: String,
        planned: Money,
        now: Option<Money>,
    },
}

impl Blocker {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        self.explain().0
    }

    /// Returns the code, the message and the help.
    pub fn explain(&self) -> (&'static str, Text, Text) {
        match self {
            Self::Used { run } => (
                "plan-used",
                text!("this plan was already applied, by run {run}", run),
                Text::fixed("show the result with `postpay show`; plan the rest with `postpay plan -o FILE`"),
            ),
            Self::Foreign { planned, found } => {
                let (planned, found) = (state_name(*planned), state_name(*found));
                (
                    "plan-foreign",
                    text!("the plan was made from {planned}, but there is {found} now", planned, found),
                    Text::fixed("select the state that the plan was made from with `--state`"),
                )
            }
            Self::Stale { planned, found } => (
                "plan-stale",
                text!(
                    "the state changed after the plan was made: serial {planned} then, {found} now",
                    planned,
                    found
                ),
                NEW_PLAN,
            ),
            Self::ManifestChanged { path } => {
                let path = path.display();
                ("plan-manifest-changed", text!("{path} changed after the plan was made", path), NEW_PLAN)
            }
            Self::ManifestGone { path } => {
                let path = path.display();
                ("plan-manifest-changed", text!("{path} was removed after the plan was made", path), NEW_PLAN)
            }
            Self::OtherEndpoint { planned, now } => (
                "plan-endpoint",
                text!("the plan is for the endpoint `{planned}`, but this run uses `{now}`", planned, now),
                text!("make a new plan for this endpoint, or use `{planned}` with `--endpoint`", planned),
            ),
            Self::OtherState { planned, now } => {
                let word = shell_word(planned);
                (
                    "plan-state",
                    text!("the plan is for the state {planned}, but this run uses {now}", planned, now),
                    text!("select it with `--state {word}`, or make a new plan for this state", word),
                )
            }
            Self::OtherRegion { planned, now } => {
                let (planned, now) = (region_text(planned.as_deref()), region_text(now.as_deref()));
                (
                    "plan-region",
                    text!("the plan is for {planned}, but this run uses {now}", planned, now),
                    Text::fixed("select the plan's region with `--region`, or make a new plan"),
                )
            }
            Self::StateEndpoint { state, now } => (
                "state-endpoint",
                text!("the state belongs to `{state}`, but this run uses `{now}`", state, now),
                if state == Account::SANDBOX {
                    text!("add `--endpoint sandbox`, or use another state for `{now}` with `--state`", now)
                } else {
                    text!(
                        "select an endpoint of `{state}` with `--endpoint`, or use another state for `{now}` with `--state`",
                        state,
                        now
                    )
                },
            ),
            Self::StateAccount { state, now } => (
                "state-account",
                text!(
                    "the state belongs to account {state}, but the credentials belong to account {now}",
                    state,
                    now
                ),
                text!(
                    "use credentials of {state} (`postpay whoami` shows the active ones and their source), or use another state for \
                     {now} with `--state`",
                    state,
                    now
                ),
            ),
            Self::PlanAccount { planned, now } => (
                "plan-account",
                text!(
                    "the plan was made for account {planned}, but the credentials belong to account {now}",
                    planned,
                    now
                ),
                text!(
                    "use credentials of {planned} (`postpay whoami` shows the active ones and their source), or make and review a new plan",
                    planned
                ),
            ),
            Self::AccountNotAllowed { now, allowed } => {
                let (en, zh) = (allowed.join(", "), allowed.join("、"));
                (
                    "account-not-allowed",
                    text!(
                        "the credentials belong to account {now}, which guard.allowed_accounts does not list",
                        now
                    ),
                    text!(
                        "use credentials of {en} (`postpay whoami` shows the active ones and their source), or list {now} too", en, now; zh),
                )
            }
            Self::AccountUnproven { expected } => {
                let (en, zh) = (expected.join(" or "), expected.join(" 或 "));
                (
                    "account-unknown",
                    text!(
                        "account {en} is expected, but Tencent Cloud did not return the account of the credentials", en; zh),
                    Text::fixed(
                        "allow the credentials to call GetCallerIdentity (`--sts-endpoint` selects another STS endpoint); \
                         `--allow-unknown-account` only helps where no account is expected",
                    ),
                )
            }
            Self::AccountNotAsked => (
                "account-unknown",
                Text::fixed("the account of the credentials was not checked"),
                Text::fixed("run it again"),
            ),
            Self::NotRemade => (
                "plan-not-remade",
                Text::fixed("the plan no longer matches the manifests and the state"),
                NEW_PLAN,
            ),
            Self::NoAlias { address } => (
                "missing-alias",
                text!(
                    "`{address}` has no alias: if the response to its create is lost, it cannot be recognized in the account",
                    address
                ),
                Text::fixed("give it an alias, or set `guard: {require_alias: false}` in postpay.yaml"),
            ),
            Self::Step { address, blocker, place: _ } => {
                let (_, message, help) = blocker.explain(address);
                ("step-refused", message, help)
            }
            Self::AlreadyOrdered { address } => (
                "already-ordered",
                text!(
                    "the state already has `{address}` as created; the plan would create it a second time",
                    address
                ),
                NEW_PLAN,
            ),
            Self::DestroyNotAllowed { address } => (
                "destroy-not-allowed",
                text!("destroying `{address}` is not allowed", address),
                ALLOW_DESTROY,
            ),
            Self::DestroysManaged { address, env_id, other } => (
                "destroys-managed",
                text!(
                    "the plan destroys {env_id} as `{address}`, but `{other}` has it too",
                    env_id,
                    address,
                    other
                ),
                text!("remove one of the two from the state: `postpay state rm {address}`", address),
            ),
            Self::NothingDeclared { count } => (
                "nothing-declared",
                text!("the manifests declare no environment, and the plan destroys {count}", count),
                Text::fixed(
                    "check that the right manifests were read; to destroy everything, give the addresses: `postpay destroy ADDR…`",
                ),
            ),
            Self::TooMany { orders, limit } => {
                let count = creates_text(*orders);
                (
                    "too-many-orders",
                    text!("the plan has {count}; the limit per run is {limit} (max_creates)", count, limit),
                    text!(
                        "select fewer with `--target`, or raise the limit: `--max-creates {orders}`; a plan file keeps the limits it was \
                         made with",
                        orders
                    ),
                )
            }
            Self::TooManyToday { orders, before, limit } => {
                let count = creates_text(*orders);
                (
                    "too-many-orders",
                    text!(
                        "the plan has {count}; with the {before} of the last 24 hours, that exceeds the limit of {limit} per day \
                         (max_creates_per_day)",
                        count,
                        before,
                        limit
                    ),
                    Text::fixed(
                        "wait, select fewer with `--target`, or raise guard.max_creates_per_day; a plan file keeps the limits it \
                         was made with",
                    ),
                )
            }
            Self::TooDear { cost, limit } => (
                "cost-limit",
                text!(
                    "the packages of the plan cost at least {cost}; the limit per run is {limit} (max_cost)",
                    cost,
                    limit
                ),
                Text::fixed(
                    "select fewer with `--target`, or raise guard.max_cost; a plan file keeps the limits it was made with",
                ),
            ),
            Self::CostUnknown { packages, limit } => {
                let packages = packages.join(", ");
                (
                    "cost-unknown",
                    text!(
                        "the price of {packages} is not known, and the limit per run is {limit} (max_cost)",
                        packages,
                        limit
                    ),
                    Text::fixed(
                        "`postpay plan --refresh` reads the prices; a package that is not sold has none",
                    ),
                )
            }
            Self::PriceChanged { package, planned, now } => (
                "price-changed",
                match now {
                    Some(now) => text!(
                        "{package} costs {now} a month now; the plan was made at {planned}",
                        package,
                        now,
                        planned
                    ),
                    None => text!(
                        "the price of {package} is not known now; the plan was made at {planned}",
                        package,
                        planned
                    ),
                },
                NEW_PLAN,
            ),
        }
    }
}

const NEW_PLAN: Text = Text::fixed("make and review a new plan: `postpay plan -o FILE`");

fn state_name(lineage: Option<Lineage>) -> Text {
    match lineage {
        None => Text::fixed("no state"),
        Some(lineage) => text!("the state of lineage {lineage}", lineage),
    }
}

fn region_text(region: Option<&str>) -> Text {
    match region {
        None => Text::fixed("no region"),
        Some(region) => Text::same(format!("`{region}`")),
    }
}

fn creates_text(n: usize) -> Text {
    let s = if n == 1 { "" } else { "s" };
    text!("{n} create{s}", n, s)
}
