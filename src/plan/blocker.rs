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
                text!("this plan was carried out already, by run {run}", "此计划已由运行 {run} 执行过"),
                Text::fixed(
                    "see what it did: `postpay show`; for what is still to do: `postpay plan -o FILE`",
                    "查看它做了什么：`postpay show`；查看还有什么要做：`postpay plan -o FILE`",
                ),
            ),
            Self::Foreign { planned, found } => {
                let (planned, found) = (state_name(*planned), state_name(*found));
                (
                    "plan-foreign",
                    text!(
                        "the plan was made from {planned}, and there is {found} now",
                        "生成计划时：{planned:#}；现在：{found:#}"
                    ),
                    Text::fixed(
                        "name the state that the plan was made from with --state",
                        "用 --state 指定生成计划时的状态文件",
                    ),
                )
            }
            Self::Stale { planned, found } => (
                "plan-stale",
                text!(
                    "the state moved on since the plan was made: serial {planned} then, {found} now",
                    "计划生成后状态文件已变化：当时 serial 为 {planned}，现在为 {found}"
                ),
                NEW_PLAN,
            ),
            Self::ManifestChanged { path } => {
                let path = path.display();
                (
                    "plan-manifest-changed",
                    text!("{path} changed since the plan was made", "计划生成后 {path} 已更改"),
                    NEW_PLAN,
                )
            }
            Self::ManifestGone { path } => {
                let path = path.display();
                (
                    "plan-manifest-changed",
                    text!("{path} is gone since the plan was made", "计划生成后 {path} 已不存在"),
                    NEW_PLAN,
                )
            }
            Self::OtherEndpoint { planned, now } => (
                "plan-endpoint",
                text!(
                    "the plan orders from `{planned}`, this run from `{now}`",
                    "计划向 `{planned}` 订购，而本次运行向 `{now}` 订购"
                ),
                text!(
                    "make a new plan for this endpoint, or order from `{planned}` with --endpoint",
                    "为当前端点重新生成计划，或用 --endpoint 向 `{planned}` 订购"
                ),
            ),
            Self::OtherState { planned, now } => {
                let word = shell_word(planned);
                (
                    "plan-state",
                    text!(
                        "the plan is for the state {planned}, this run keeps {now}",
                        "计划对应的状态文件是 {planned}，而本次运行使用 {now}"
                    ),
                    text!(
                        "name it with `--state {word}`, or make a new plan for this state",
                        "用 `--state {word}` 指定它，或为当前状态文件重新生成计划"
                    ),
                )
            }
            Self::OtherRegion { planned, now } => {
                let (planned, now) = (region_text(planned.as_deref()), region_text(now.as_deref()));
                (
                    "plan-region",
                    text!(
                        "the plan orders in {planned}, this run in {now}",
                        "计划订购的地域：{planned:#}；本次运行的地域：{now:#}"
                    ),
                    Text::fixed(
                        "name the plan's region with --region, or make a new plan",
                        "用 --region 指定计划的地域，或重新生成计划",
                    ),
                )
            }
            Self::StateEndpoint { state, now } => (
                "state-endpoint",
                text!(
                    "the state belongs to `{state}`, this run orders from `{now}`",
                    "状态文件属于 `{state}`，而本次运行向 `{now}` 订购"
                ),
                if state == Account::SANDBOX {
                    text!(
                        "add `--endpoint sandbox`, or keep what is ordered from `{now}` in a state of its own with --state",
                        "加上 `--endpoint sandbox`，或用 --state 将向 `{now}` 订购的环境记录在单独的状态文件中"
                    )
                } else {
                    text!(
                        "name an endpoint of `{state}` with --endpoint, or keep what is ordered from `{now}` in a state of its own \
                         with --state",
                        "用 --endpoint 指定 `{state}` 的端点，或用 --state 将向 `{now}` 订购的环境记录在单独的状态文件中"
                    )
                },
            ),
            Self::StateAccount { state, now } => (
                "state-account",
                text!(
                    "the state belongs to account {state}, and the key to account {now}",
                    "状态文件属于账号 {state}，而密钥属于账号 {now}"
                ),
                text!(
                    "use a key of {state} (`postpay whoami` tells which one is found, and where), or keep what is {now}'s in a state \
                     of its own with --state",
                    "使用 {state} 的密钥（`postpay whoami` 会说明找到的是哪一个、在何处），或用 --state 将 {now} 的环境记录在单独的状态文件中"
                ),
            ),
            Self::PlanAccount { planned, now } => (
                "plan-account",
                text!(
                    "the plan was made for account {planned}, and the key belongs to account {now}",
                    "计划是为账号 {planned} 生成的，而密钥属于账号 {now}"
                ),
                text!(
                    "use a key of {planned} (`postpay whoami` tells which one is found, and where), or make and review a new plan",
                    "使用 {planned} 的密钥（`postpay whoami` 会说明找到了哪一个），或重新生成并审阅计划"
                ),
            ),
            Self::AccountNotAllowed { now, allowed } => {
                let (en, zh) = (allowed.join(", "), allowed.join("、"));
                (
                    "account-not-allowed",
                    text!(
                        "the key belongs to account {now}, which guard.allowed_accounts does not list",
                        "密钥属于账号 {now}，它不在 guard.allowed_accounts 中"
                    ),
                    text!(
                        "use a key of {en} (`postpay whoami` tells which one is found, and where), or list {now} too",
                        "使用 {zh} 的密钥（`postpay whoami` 会说明找到了哪一个），或将 {now} 也加入列表"
                    ),
                )
            }
            Self::AccountUnproven { expected } => {
                let (en, zh) = (expected.join(" or "), expected.join(" 或 "));
                (
                    "account-unknown",
                    text!(
                        "account {en} is expected, and the vendor did not say which account the key belongs to",
                        "应使用账号 {zh}，但腾讯云没有说明密钥属于哪个账号"
                    ),
                    Text::fixed(
                        "let the key call GetCallerIdentity (`--sts-endpoint` names another place for STS); \
                         `--allow-unknown-account` is for where no account is expected",
                        "请让密钥能够调用 GetCallerIdentity：可用 `--sts-endpoint` 指定 STS 的位置；`--allow-unknown-account` 仅用于没有指定账号的情况",
                    ),
                )
            }
            Self::AccountNotAsked => (
                "account-unknown",
                Text::fixed(
                    "the vendor was not asked which account the key belongs to",
                    "没有向腾讯云查询密钥属于哪个账号",
                ),
                Text::fixed("run it again", "请重新执行"),
            ),
            Self::NotRemade => (
                "plan-not-remade",
                Text::fixed(
                    "the plan is not the one that the manifests and the state make now",
                    "计划与当前清单和状态文件生成的计划不同",
                ),
                NEW_PLAN,
            ),
            Self::NoAlias { address } => (
                "missing-alias",
                text!(
                    "`{address}` has no alias: a create whose answer was lost could not be recognised in the account",
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
                    "`{address}` is on record as ordered; the plan would order it a second time",
                    "记录中 `{address}` 已订购；此计划会再次订购它"
                ),
                NEW_PLAN,
            ),
            Self::DestroyNotAllowed { address } => (
                "destroy-not-allowed",
                text!(
                    "the plan gives `{address}` up, and this run may not",
                    "计划要销毁 `{address}`，但本次运行不允许销毁"
                ),
                ALLOW_DESTROY,
            ),
            Self::DestroysManaged { address, env_id, other } => (
                "destroys-managed",
                text!(
                    "the plan gives up {env_id} as `{address}`, and `{other}` has it too",
                    "计划要将 {env_id} 作为 `{address}` 销毁，但 `{other}` 也指向它"
                ),
                text!(
                    "take one of the two off the record: `postpay state rm {address}`",
                    "从状态文件中移除二者之一的记录：`postpay state rm {address}`"
                ),
            ),
            Self::NothingDeclared { count } => (
                "nothing-declared",
                text!(
                    "the manifests declare nothing at all, and the plan gives up {count} environments",
                    "清单未声明任何环境，而计划要销毁 {count} 个环境"
                ),
                Text::fixed(
                    "look whether the right manifests were read; to give everything up, name it: `postpay destroy ADDR…`",
                    "检查读取的清单是否正确；若确实要全部销毁，请逐个指定：`postpay destroy ADDR…`",
                ),
            ),
            Self::TooMany { orders, limit } => {
                let count = orders_text(*orders);
                (
                    "too-many-orders",
                    text!(
                        "the plan has {count}, and a run may make {limit} (max_creates)",
                        "计划有 {count:#}，而一次运行最多 {limit} 笔 (max_creates)"
                    ),
                    text!(
                        "pick some with --target, or allow it: `--max-creates {orders}`; a plan file keeps the limits that it was \
                         made with",
                        "用 --target 选择其中一部分，或放宽限制：`--max-creates {orders}`；计划文件沿用生成时的限制"
                    ),
                )
            }
            Self::TooManyToday { orders, before, limit } => {
                let count = orders_text(*orders);
                (
                    "too-many-orders",
                    text!(
                        "the plan has {count}; with the {before} of the last 24 hours that is more than {limit} a day \
                         (max_creates_per_day)",
                        "计划有 {count:#}；加上最近 24 小时的 {before} 笔，超过每天 {limit} 笔 (max_creates_per_day)"
                    ),
                    Text::fixed(
                        "wait, pick fewer with --target, or raise guard.max_creates_per_day; a plan file keeps the limits that it \
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

fn orders_text(n: usize) -> Text {
    let s = if n == 1 { "" } else { "s" };
    text!("{n} order{s}", "{n} 笔订单")
}
