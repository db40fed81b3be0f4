//! Why a plan may not be carried out, and what to do about each reason.

use std::path::PathBuf;

use super::step::{ALLOW_DESTROY, StepBlocker};
use crate::lang::{Text, shell_word, text};
use crate::model::{Address, SourceRef};
use crate::state::journal::RunId;
use crate::state::{Account, Lineage, Serial};

/// Why a plan may not be carried out. Nothing was created, changed or destroyed.
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
    /// Tencent Cloud did not say which account it is, and one of these is expected.
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
        /// Where it is declared, or was when it was created.
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
}

impl Blocker {
    /// Stable and searchable.
    pub fn code(&self) -> &'static str {
        self.explain().0
    }

    /// Its code, what is wrong, and what to do about it.
    pub fn explain(&self) -> (&'static str, Text, Text) {
        match self {
            Self::Used { run } => (
                "plan-used",
                text!("this plan was already applied, by run {run}", "此计划已由运行 {run} 执行过"),
                Text::fixed(
                    "show the result with `postpay show`; plan the rest with `postpay plan -o FILE`",
                    "查看它做了什么：`postpay show`；查看还有什么要做：`postpay plan -o FILE`",
                ),
            ),
            Self::Foreign { planned, found } => {
                let (planned, found) = (state_name(*planned), state_name(*found));
                (
                    "plan-foreign",
                    text!(
                        "the plan was made from {planned}, but there is {found} now",
                        "生成计划时：{planned:#}；现在：{found:#}"
                    ),
                    Text::fixed(
                        "select the state that the plan was made from with `--state`",
                        "用 --state 指定生成计划时的状态文件",
                    ),
                )
            }
            Self::Stale { planned, found } => (
                "plan-stale",
                text!(
                    "the state changed after the plan was made: serial {planned} then, {found} now",
                    "计划生成后状态文件已变化：当时 serial 为 {planned}，现在为 {found}"
                ),
                NEW_PLAN,
            ),
            Self::ManifestChanged { path } => {
                let path = path.display();
                (
                    "plan-manifest-changed",
                    text!("{path} changed after the plan was made", "计划生成后 {path} 已更改"),
                    NEW_PLAN,
                )
            }
            Self::ManifestGone { path } => {
                let path = path.display();
                (
                    "plan-manifest-changed",
                    text!("{path} was removed after the plan was made", "计划生成后 {path} 已不存在"),
                    NEW_PLAN,
                )
            }
            Self::OtherEndpoint { planned, now } => (
                "plan-endpoint",
                text!(
                    "the plan is for the endpoint `{planned}`, but this run uses `{now}`",
                    "计划的端点是 `{planned}`，而本次运行使用 `{now}`"
                ),
                text!(
                    "make a new plan for this endpoint, or use `{planned}` with `--endpoint`",
                    "为当前端点重新生成计划，或用 `--endpoint` 指定 `{planned}`"
                ),
            ),
            Self::OtherState { planned, now } => {
                let word = shell_word(planned);
                (
                    "plan-state",
                    text!(
                        "the plan is for the state {planned}, but this run uses {now}",
                        "计划对应的状态文件是 {planned}，而本次运行使用 {now}"
                    ),
                    text!(
                        "select it with `--state {word}`, or make a new plan for this state",
                        "用 `--state {word}` 指定它，或为当前状态文件重新生成计划"
                    ),
                )
            }
            Self::OtherRegion { planned, now } => {
                let (planned, now) = (region_text(planned.as_deref()), region_text(now.as_deref()));
                (
                    "plan-region",
                    text!(
                        "the plan is for {planned}, but this run uses {now}",
                        "计划订购的地域：{planned:#}；本次运行的地域：{now:#}"
                    ),
                    Text::fixed(
                        "select the plan's region with `--region`, or make a new plan",
                        "用 --region 指定计划的地域，或重新生成计划",
                    ),
                )
            }
            Self::StateEndpoint { state, now } => (
                "state-endpoint",
                text!(
                    "the state belongs to `{state}`, but this run uses `{now}`",
                    "状态文件属于 `{state}`，而本次运行使用 `{now}`"
                ),
                if state == Account::SANDBOX {
                    text!(
                        "add `--endpoint sandbox`, or use another state for `{now}` with `--state`",
                        "加上 `--endpoint sandbox`，或用 `--state` 为 `{now}` 使用另一个状态文件"
                    )
                } else {
                    text!(
                        "select an endpoint of `{state}` with `--endpoint`, or use another state for `{now}` with `--state`",
                        "用 `--endpoint` 指定 `{state}` 的端点，或用 `--state` 为 `{now}` 使用另一个状态文件"
                    )
                },
            ),
            Self::StateAccount { state, now } => (
                "state-account",
                text!(
                    "the state belongs to account {state}, but the credentials belong to account {now}",
                    "状态文件属于账号 {state}，而密钥属于账号 {now}"
                ),
                text!(
                    "use credentials of {state} (`postpay whoami` shows the active ones and their source), or use another state for \
                     {now} with `--state`",
                    "使用 {state} 的密钥（`postpay whoami` 会说明找到的是哪一个、在何处），或用 --state 将 {now} 的环境记录在单独的状态文件中"
                ),
            ),
            Self::PlanAccount { planned, now } => (
                "plan-account",
                text!(
                    "the plan was made for account {planned}, but the credentials belong to account {now}",
                    "计划是为账号 {planned} 生成的，而密钥属于账号 {now}"
                ),
                text!(
                    "use credentials of {planned} (`postpay whoami` shows the active ones and their source), or make and review a new plan",
                    "使用 {planned} 的密钥（`postpay whoami` 会说明找到了哪一个），或重新生成并审阅计划"
                ),
            ),
            Self::AccountNotAllowed { now, allowed } => {
                let (en, zh) = (allowed.join(", "), allowed.join("、"));
                (
                    "account-not-allowed",
                    text!(
                        "the credentials belong to account {now}, which guard.allowed_accounts does not list",
                        "密钥属于账号 {now}，它不在 guard.allowed_accounts 中"
                    ),
                    text!(
                        "use credentials of {en} (`postpay whoami` shows the active ones and their source), or list {now} too",
                        "使用 {zh} 的密钥（`postpay whoami` 会说明找到了哪一个），或将 {now} 也加入列表"
                    ),
                )
            }
            Self::AccountUnproven { expected } => {
                let (en, zh) = (expected.join(" or "), expected.join(" 或 "));
                (
                    "account-unknown",
                    text!(
                        "account {en} is expected, but Tencent Cloud did not return the account of the credentials",
                        "应使用账号 {zh}，但腾讯云没有说明密钥属于哪个账号"
                    ),
                    Text::fixed(
                        "allow the credentials to call GetCallerIdentity (`--sts-endpoint` selects another STS endpoint); \
                         `--allow-unknown-account` only helps where no account is expected",
                        "请让密钥能够调用 GetCallerIdentity：可用 `--sts-endpoint` 指定 STS 的位置；`--allow-unknown-account` 仅用于没有指定账号的情况",
                    ),
                )
            }
            Self::AccountNotAsked => (
                "account-unknown",
                Text::fixed(
                    "the account of the credentials was not checked",
                    "没有向腾讯云查询密钥属于哪个账号",
                ),
                Text::fixed("run it again", "请重新执行"),
            ),
            Self::NotRemade => (
                "plan-not-remade",
                Text::fixed(
                    "the plan no longer matches the manifests and the state",
                    "计划与当前清单和状态文件生成的计划不同",
                ),
                NEW_PLAN,
            ),
            Self::NoAlias { address } => (
                "missing-alias",
                text!(
                    "`{address}` has no alias: if the response to its create is lost, it cannot be recognized in the account",
                    "`{address}` 没有别名：丢失应答的创建将无法在账号中辨认"
                ),
                Text::fixed(
                    "give it an alias, or set `guard: {require_alias: false}` in postpay.yaml",
                    "为它设置别名，或在 postpay.yaml 中设置 `guard: {require_alias: false}`",
                ),
            ),
            Self::Step { address, blocker, place: _ } => {
                let (_, message, help) = blocker.explain(address);
                ("step-refused", message, help)
            }
            Self::AlreadyOrdered { address } => (
                "already-ordered",
                text!(
                    "the state already has `{address}` as created; the plan would create it a second time",
                    "状态文件中 `{address}` 已创建；此计划会再次创建它"
                ),
                NEW_PLAN,
            ),
            Self::DestroyNotAllowed { address } => (
                "destroy-not-allowed",
                text!("destroying `{address}` is not allowed", "不允许销毁 `{address}`"),
                ALLOW_DESTROY,
            ),
            Self::DestroysManaged { address, env_id, other } => (
                "destroys-managed",
                text!(
                    "the plan destroys {env_id} as `{address}`, but `{other}` has it too",
                    "计划要将 {env_id} 作为 `{address}` 销毁，但 `{other}` 也指向它"
                ),
                text!(
                    "remove one of the two from the state: `postpay state rm {address}`",
                    "将二者之一移出状态文件：`postpay state rm {address}`"
                ),
            ),
            Self::NothingDeclared { count } => (
                "nothing-declared",
                text!(
                    "the manifests declare no environment, and the plan destroys {count}",
                    "清单未声明任何环境，而计划要销毁 {count} 个环境"
                ),
                Text::fixed(
                    "check that the right manifests were read; to destroy everything, give the addresses: `postpay destroy ADDR…`",
                    "检查读取的清单是否正确；若确实要全部销毁，请逐个指定：`postpay destroy ADDR…`",
                ),
            ),
            Self::TooMany { orders, limit } => {
                let count = creates_text(*orders);
                (
                    "too-many-orders",
                    text!(
                        "the plan has {count}; the limit per run is {limit} (max_creates)",
                        "计划{count:#}；一次运行的上限是 {limit} 个 (max_creates)"
                    ),
                    text!(
                        "select fewer with `--target`, or raise the limit: `--max-creates {orders}`; a plan file keeps the limits it was \
                         made with",
                        "用 --target 选择其中一部分，或放宽限制：`--max-creates {orders}`；计划文件沿用生成时的限制"
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
                        "计划{count:#}；加上最近 24 小时的 {before} 个，超过每天 {limit} 个的上限 (max_creates_per_day)"
                    ),
                    Text::fixed(
                        "wait, select fewer with `--target`, or raise guard.max_creates_per_day; a plan file keeps the limits it \
                         was made with",
                        "等待、用 --target 减少数量，或调高 guard.max_creates_per_day；计划文件沿用生成时的限制",
                    ),
                )
            }
        }
    }
}

const NEW_PLAN: Text = Text::fixed(
    "make and review a new plan: `postpay plan -o FILE`",
    "重新生成并审阅计划：`postpay plan -o FILE`",
);

fn state_name(lineage: Option<Lineage>) -> Text {
    match lineage {
        None => Text::fixed("no state", "没有状态文件"),
        Some(lineage) => text!("the state of lineage {lineage}", "lineage 为 {lineage} 的状态文件"),
    }
}

fn region_text(region: Option<&str>) -> Text {
    match region {
        None => Text::fixed("no region", "未指定"),
        Some(region) => Text::same(format!("`{region}`")),
    }
}

fn creates_text(n: usize) -> Text {
    let s = if n == 1 { "" } else { "s" };
    text!("{n} create{s}", "创建 {n} 个环境")
}
