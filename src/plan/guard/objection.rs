//! What speaks against carrying out a plan, in sentences, and what to do about each.

use std::fmt;
use std::path::PathBuf;

use super::super::Refusal;
use crate::lang::{Text, shell_word, text};
use crate::model::{Address, SourceRef};
use crate::state::journal::RunId;
use crate::state::{Account, Lineage, Serial};

/// Why a plan may not be carried out. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
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
    OtherAccount {
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
    /// The vendor did not say which account it is, and one of these is expected.
    AccountUnproven {
        expected: Vec<String>,
    },
    AccountNotAsked,
    OtherState {
        planned: String,
        now: String,
    },
    OtherRegion {
        planned: Option<String>,
        now: Option<String>,
    },
    NotRemade,
    NoAlias {
        address: Address,
    },
    Refused {
        address: Address,
        refusal: Refusal,
        /// Where it is declared, or was when it was ordered.
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

impl Objection {
    /// Stable and searchable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Used { .. } => "plan-used",
            Self::Foreign { .. } => "plan-foreign",
            Self::Stale { .. } => "plan-stale",
            Self::ManifestChanged { .. } | Self::ManifestGone { .. } => "plan-manifest-changed",
            Self::OtherEndpoint { .. } => "plan-endpoint",
            Self::OtherAccount { .. } => "state-endpoint",
            Self::StateAccount { .. } => "state-account",
            Self::PlanAccount { .. } => "plan-account",
            Self::AccountNotAllowed { .. } => "account-not-allowed",
            Self::AccountUnproven { .. } | Self::AccountNotAsked => "account-unknown",
            Self::OtherState { .. } => "plan-state",
            Self::OtherRegion { .. } => "plan-region",
            Self::NotRemade => "plan-not-remade",
            Self::NoAlias { .. } => "missing-alias",
            Self::Refused { .. } => "step-refused",
            Self::AlreadyOrdered { .. } => "already-ordered",
            Self::DestroyNotAllowed { .. } => "destroy-not-allowed",
            Self::DestroysManaged { .. } => "destroys-managed",
            Self::NothingDeclared { .. } => "nothing-declared",
            Self::TooMany { .. } | Self::TooManyToday { .. } => "too-many-orders",
        }
    }

    /// Where it is declared, if it is about something that is.
    pub fn place(&self) -> Option<&SourceRef> {
        match self {
            Self::Refused { place, .. } => Some(place),
            Self::Used { .. }
            | Self::Foreign { .. }
            | Self::Stale { .. }
            | Self::ManifestChanged { .. }
            | Self::ManifestGone { .. }
            | Self::OtherEndpoint { .. }
            | Self::OtherAccount { .. }
            | Self::StateAccount { .. }
            | Self::PlanAccount { .. }
            | Self::AccountNotAllowed { .. }
            | Self::AccountUnproven { .. }
            | Self::AccountNotAsked
            | Self::OtherState { .. }
            | Self::OtherRegion { .. }
            | Self::NotRemade
            | Self::NoAlias { .. }
            | Self::AlreadyOrdered { .. }
            | Self::DestroyNotAllowed { .. }
            | Self::DestroysManaged { .. }
            | Self::NothingDeclared { .. }
            | Self::TooMany { .. }
            | Self::TooManyToday { .. } => None,
        }
    }

    /// What speaks against it.
    pub fn text(&self) -> Text {
        match self {
            Self::Used { run } => {
                text!("this plan was carried out already, by run {run}", "此计划已由运行 {run} 执行过")
            }
            Self::Foreign { planned, found } => {
                let (planned, found) = (state_name(planned.as_ref()), state_name(found.as_ref()));
                text!(
                    "the plan was made from {planned}, and there is {found} now",
                    "生成计划时：{planned:#}；现在：{found:#}"
                )
            }
            Self::Stale { planned, found } => text!(
                "the state moved on since the plan was made: serial {planned} then, {found} now",
                "计划生成后状态文件已变化：当时 serial 为 {planned}，现在为 {found}"
            ),
            Self::ManifestChanged { path } => {
                let path = path.display();
                text!("{path} changed since the plan was made", "计划生成后 {path} 已更改")
            }
            Self::ManifestGone { path } => {
                let path = path.display();
                text!("{path} is gone since the plan was made", "计划生成后 {path} 已不存在")
            }
            Self::OtherEndpoint { planned, now } => text!(
                "the plan orders from `{planned}`, this run from `{now}`",
                "计划向 `{planned}` 订购，而本次运行向 `{now}` 订购"
            ),
            Self::OtherAccount { state, now } => text!(
                "the state belongs to `{state}`, this run orders from `{now}`",
                "状态文件属于 `{state}`，而本次运行向 `{now}` 订购"
            ),
            Self::StateAccount { state, now } => {
                text!(
                    "the state belongs to account {state}, and the key to account {now}",
                    "状态文件属于账号 {state}，而密钥属于账号 {now}"
                )
            }
            Self::PlanAccount { planned, now } => {
                text!(
                    "the plan was made for account {planned}, and the key belongs to account {now}",
                    "计划是为账号 {planned} 生成的，而密钥属于账号 {now}"
                )
            }
            Self::AccountNotAllowed { now, .. } => {
                text!(
                    "the key belongs to account {now}, which guard.allowed_accounts does not list",
                    "密钥属于账号 {now}，它不在 guard.allowed_accounts 中"
                )
            }
            Self::AccountUnproven { expected } => {
                let (en, zh) = (expected.join(" or "), expected.join(" 或 "));
                text!(
                    "account {en} is expected, and the vendor did not say which account the key belongs to",
                    "应使用账号 {zh}，但腾讯云没有说明密钥属于哪个账号"
                )
            }
            Self::AccountNotAsked => Text::fixed(
                "the vendor was not asked which account the key belongs to",
                "没有向腾讯云查询密钥属于哪个账号",
            ),
            Self::OtherState { planned, now } => text!(
                "the plan is for the state {planned}, this run keeps {now}",
                "计划对应的状态文件是 {planned}，而本次运行使用 {now}"
            ),
            Self::OtherRegion { planned, now } => {
                let (planned, now) = (region_text(planned.as_deref()), region_text(now.as_deref()));
                text!(
                    "the plan orders in {planned}, this run in {now}",
                    "计划订购的地域：{planned:#}；本次运行的地域：{now:#}"
                )
            }
            Self::NotRemade => Text::fixed(
                "the plan is not the one that the manifests and the state make now",
                "计划与当前清单和状态文件生成的计划不同",
            ),
            Self::NoAlias { address } => text!(
                "`{address}` has no alias: a create whose answer was lost could not be recognised in the account",
                "`{address}` 没有别名：丢失应答的创建将无法在账号中辨认"
            ),
            Self::Refused { address, refusal, .. } => refusal_text(refusal, address),
            Self::AlreadyOrdered { address } => text!(
                "`{address}` is on record as ordered; the plan would order it a second time",
                "记录中 `{address}` 已订购；此计划会再次订购它"
            ),
            Self::DestroyNotAllowed { address } => text!(
                "the plan gives `{address}` up, and this run may not",
                "计划要销毁 `{address}`，但本次运行不允许销毁"
            ),
            Self::DestroysManaged { address, env_id, other } => text!(
                "the plan gives up {env_id} as `{address}`, and `{other}` has it too",
                "计划要将 {env_id} 作为 `{address}` 销毁，但 `{other}` 也指向它"
            ),
            Self::NothingDeclared { count } => text!(
                "the manifests declare nothing at all, and the plan gives up {count} environments",
                "清单未声明任何环境，而计划要销毁 {count} 个环境"
            ),
            Self::TooMany { orders, limit } => {
                let orders = orders_text(*orders);
                text!(
                    "the plan has {orders}, and a run may make {limit} (max_creates)",
                    "计划有 {orders:#}，而一次运行最多 {limit} 笔 (max_creates)"
                )
            }
            Self::TooManyToday { orders, before, limit } => {
                let orders = orders_text(*orders);
                text!(
                    "the plan has {orders}; with the {before} of the last 24 hours that is more than {limit} a day (max_creates_per_day)",
                    "计划有 {orders:#}；加上最近 24 小时的 {before} 笔，超过每天 {limit} 笔 (max_creates_per_day)"
                )
            }
        }
    }

    /// What to do next.
    pub fn help(&self) -> Text {
        match self {
            Self::Used { .. } => Text::fixed(
                "see what it did: `postpay show`; for what is still to do: `postpay plan -o FILE`",
                "查看它做了什么：`postpay show`；查看还有什么要做：`postpay plan -o FILE`",
            ),
            Self::Foreign { .. } => Text::fixed(
                "name the state that the plan was made from with --state",
                "用 --state 指定生成计划时的状态文件",
            ),
            Self::OtherState { planned, .. } => {
                let planned = shell_word(planned);
                text!(
                    "name it with `--state {planned}`, or make a new plan for this state",
                    "用 `--state {planned}` 指定它，或为当前状态文件重新生成计划"
                )
            }
            Self::OtherRegion { .. } => Text::fixed(
                "name the plan's region with --region, or make a new plan",
                "用 --region 指定计划的地域，或重新生成计划",
            ),
            Self::NoAlias { .. } => Text::fixed(
                "give it an alias, or set `guard: {{require_alias: false}}` in postpay.yaml",
                "为它设置别名，或在 postpay.yaml 中设置 `guard: {{require_alias: false}}`",
            ),
            Self::NotRemade
            | Self::Stale { .. }
            | Self::AlreadyOrdered { .. }
            | Self::ManifestChanged { .. }
            | Self::ManifestGone { .. } => Text::fixed(
                "make and review a new plan: `postpay plan -o FILE`",
                "重新生成并审阅计划：`postpay plan -o FILE`",
            ),
            Self::OtherEndpoint { planned, .. } => text!(
                "make a new plan for this endpoint, or order from `{planned}` with --endpoint",
                "为当前端点重新生成计划，或用 --endpoint 向 `{planned}` 订购"
            ),
            Self::OtherAccount { state, now } if state == Account::SANDBOX => text!(
                "add `--endpoint sandbox`, or keep what is ordered from `{now}` in a state of its own with --state",
                "加上 `--endpoint sandbox`，或用 --state 将向 `{now}` 订购的环境记录在单独的状态文件中"
            ),
            Self::OtherAccount { state, now } => text!(
                "name an endpoint of `{state}` with --endpoint, or keep what is ordered from `{now}` in a state of its own with --state",
                "用 --endpoint 指定 `{state}` 的端点，或用 --state 将向 `{now}` 订购的环境记录在单独的状态文件中"
            ),
            Self::StateAccount { state, now } => {
                text!(
                    "use a key of {state} (`postpay whoami` tells which one is found, and where), or keep what is {now}'s in a state \
                     of its own with --state",
                    "使用 {state} 的密钥（`postpay whoami` 会说明找到的是哪一个、在何处），或用 --state 将 {now} 的环境记录在单独的状态文件中"
                )
            }
            Self::PlanAccount { planned, .. } => {
                text!(
                    "use a key of {planned} (`postpay whoami` tells which one is found, and where), or make and review a new plan",
                    "使用 {planned} 的密钥（`postpay whoami` 会说明找到了哪一个），或重新生成并审阅计划"
                )
            }
            Self::AccountNotAllowed { now, allowed } => {
                let (en, zh) = (allowed.join(", "), allowed.join("、"));
                text!(
                    "use a key of {en} (`postpay whoami` tells which one is found, and where), or list {now} too",
                    "使用 {zh} 的密钥（`postpay whoami` 会说明找到了哪一个），或将 {now} 也加入列表"
                )
            }
            Self::AccountUnproven { .. } => Text::fixed(
                "let the key call GetCallerIdentity (`--sts-endpoint` names another place for STS); `--allow-unknown-account` is for \
                 where no account is expected",
                "请让密钥能够调用 GetCallerIdentity：可用 `--sts-endpoint` 指定 STS 的位置；`--allow-unknown-account` 仅用于没有指定账号的情况",
            ),
            Self::AccountNotAsked => Text::fixed("run it again", "请重新执行"),
            Self::DestroyNotAllowed { .. } => ALLOW_DESTROY,
            Self::DestroysManaged { address, .. } => text!(
                "take one of the two off the record: `postpay state rm {address}`",
                "从状态文件中移除二者之一的记录：`postpay state rm {address}`"
            ),
            Self::NothingDeclared { .. } => Text::fixed(
                "look whether the right manifests were read; to give everything up, name it: `postpay destroy ADDR…`",
                "检查读取的清单是否正确；若确实要全部销毁，请逐个指定：`postpay destroy ADDR…`",
            ),
            Self::Refused { address, refusal, .. } => refusal_help(address, refusal),
            Self::TooMany { orders, .. } => text!(
                "pick some with --target, or allow it: `--max-creates {orders}`; a plan file keeps the limits that it was made with",
                "用 --target 选择其中一部分，或放宽限制：`--max-creates {orders}`；计划文件沿用生成时的限制"
            ),
            Self::TooManyToday { .. } => Text::fixed(
                "wait, pick fewer with --target, or raise guard.max_creates_per_day; a plan file keeps the limits that it was made with",
                "等待、用 --target 减少数量，或调高 guard.max_creates_per_day；计划文件沿用生成时的限制",
            ),
        }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

fn state_name(lineage: Option<&Lineage>) -> Text {
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

/// Why a step is refused, in a sentence without its end.
pub fn refusal_text(refusal: &Refusal, address: &Address) -> Text {
    match refusal {
        Refusal::Replacement => text!(
            "a changed field of `{address}` is fixed when the order is made; the change would be a second order",
            "`{address}` 更改的字段在订购时即已固定；此更改会成为第二笔订单"
        ),
        Refusal::ReplacesItself => text!(
            "the replacement of `{address}` would be a second order for the same environment",
            "替换 `{address}` 会成为同一环境的第二笔订单"
        ),
        Refusal::ReplacesAwaiting => text!(
            "the environment id of `{address}` is not known yet, so it can't be replaced",
            "`{address}` 的环境 ID 尚未得知，因此不能替换"
        ),
        Refusal::ReplacesImported => text!(
            "`{address}` is declared as one that exists, by its `import` block",
            "`{address}` 由其 `import` 块声明为已有环境"
        ),
        Refusal::ReplacedAlready => text!(
            "`{address}` was replaced before and is as declared since: the same line run again would order a second one",
            "`{address}` 此前已被替换，且与声明一致：再次执行同一命令会订购第二个"
        ),
        Refusal::ReplacementUnknown => text!(
            "whether what replaced it at `{address}` exists is not known: it may be the only one there is",
            "在 `{address}` 替换它的环境是否存在，结果未知：它可能是仅有的一个"
        ),
        Refusal::Renamed { from } => text!(
            "`{address}` looks like `{from}` under another name, which was ordered before",
            "`{address}` 像是改了名的 `{from}`，而后者之前已订购"
        ),
        Refusal::ManagedAs { other } => text!(
            "`{other}` stands for the same environment in the state as `{address}`",
            "状态文件中 `{other}` 与 `{address}` 是同一个环境"
        ),
        Refusal::ImportsAnother { env_id } => {
            let env_id = env_id.escape_debug();
            text!(
                "the state has {env_id} at `{address}`, which is not what it is to adopt",
                "状态文件中 `{address}` 是 {env_id}，不是要接管的那个环境"
            )
        }
        Refusal::DestroyNotAllowed => {
            text!("giving `{address}` up is not allowed here", "此处不允许销毁 `{address}`")
        }
        Refusal::PreventDestroy => {
            text!("`{address}` was declared with prevent_destroy", "`{address}` 声明了 prevent_destroy")
        }
        Refusal::StillDeclared => text!(
            "`{address}` is still declared: the next apply would order it again",
            "`{address}` 仍在清单中声明：下次 apply 会再次订购它"
        ),
    }
}

const ALLOW_DESTROY: Text = Text::fixed(
    "allow it with --allow-destroy, or `allow_destroy: true` under `guard` in postpay.yaml",
    "用 --allow-destroy 允许，或在 postpay.yaml 的 `guard` 下设置 `allow_destroy: true`",
);

/// What to do about a refused step.
pub fn refusal_help(address: &Address, refusal: &Refusal) -> Text {
    match refusal {
        Refusal::Replacement => text!(
            "undo the change, leave it out for now with `--exclude {address}`, or order a new one in its place and keep the \
             old one on record: `--replace {address}`",
            "撤销此更改，用 `--exclude {address}` 暂时排除它，或订购新环境来替换并保留旧环境的记录：`--replace {address}`"
        ),
        Refusal::ReplacesItself => Text::fixed(
            "take its env_id out of the manifest to have a new environment ordered",
            "若要订购新环境，从清单中去掉它的 env_id",
        ),
        Refusal::ReplacesAwaiting => {
            text!("find it first: `postpay resolve {address}`", "先找到它：`postpay resolve {address}`")
        }
        Refusal::ReplacesImported => Text::fixed(
            "take its `import` block out to have a new environment ordered",
            "若要订购新环境，去掉它的 `import` 块",
        ),
        Refusal::ReplacedAlready => text!(
            "leave `--replace {address}` out; to have another one ordered all the same, first give up or forget the one that was \
             replaced: `postpay destroy {address} --deposed --allow-destroy`, or `postpay state rm --deposed ENV_ID`",
            "去掉 `--replace {address}`；若确要再订购一个，请先销毁或移出已被替换的旧环境：\
             `postpay destroy {address} --deposed --allow-destroy`，或 `postpay state rm --deposed ENV_ID`"
        ),
        Refusal::ReplacementUnknown => {
            text!("settle that first: `postpay resolve {address}`", "先查明结果：`postpay resolve {address}`")
        }
        Refusal::Renamed { from } => text!(
            "name it `{from}` again, or say so with `moved: [{{from: {from}, to: {address}}}]`; if it is to be another \
             environment, give it an alias of its own",
            "改回 `{from}`，或用 `moved: [{{from: {from}, to: {address}}}]` 说明改名；若它应是另一个环境，给它设置自己的别名"
        ),
        Refusal::ManagedAs { other } => text!(
            "declare it as `{other}`, and only there; if it is to be called `{address}` from here on: \
             `moved: [{{from: {other}, to: {address}}}]`",
            "只声明为 `{other}`；若今后要叫 `{address}`：`moved: [{{from: {other}, to: {address}}}]`"
        ),
        Refusal::ImportsAnother { env_id } => text!(
            "name {env_id} in its `import`, or take that block out; to manage another one here, forget this one first: \
             `postpay state rm {address}`",
            "在其 `import` 中写 {env_id}，或去掉该块；若要在此管理另一个环境，先移除这个的记录：`postpay state rm {address}`"
        ),
        Refusal::DestroyNotAllowed => ALLOW_DESTROY,
        Refusal::PreventDestroy => text!(
            "declare `{address}` again with `lifecycle: {{prevent_destroy: false}}`, apply that, and then take it out",
            "重新声明 `{address}` 并设置 `lifecycle: {{prevent_destroy: false}}`，执行 apply 之后再去掉它"
        ),
        Refusal::StillDeclared => Text::fixed("take it out of the manifests first", "先从清单中去掉它"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusals() -> [Refusal; 12] {
        let other = Address::new("other").unwrap();
        [
            Refusal::Replacement,
            Refusal::ReplacesItself,
            Refusal::ReplacesAwaiting,
            Refusal::ReplacesImported,
            Refusal::ReplacedAlready,
            Refusal::ReplacementUnknown,
            Refusal::Renamed { from: other.clone() },
            Refusal::ManagedAs { other },
            Refusal::ImportsAnother { env_id: "a-1".to_owned() },
            Refusal::DestroyNotAllowed,
            Refusal::PreventDestroy,
            Refusal::StillDeclared,
        ]
    }

    #[test]
    fn every_objection_is_told_in_both_languages_with_what_to_do() {
        let address = || Address::new("shop").unwrap();
        let (one, two) = (|| "a".to_owned(), || "b".to_owned());
        let place = SourceRef { file: "a.yaml".to_owned(), line: 1 };
        let mut all = vec![
            Objection::Used { run: RunId::fresh() },
            Objection::Foreign { planned: Some(Lineage::fresh()), found: None },
            Objection::Stale { planned: Serial(1), found: Serial(2) },
            Objection::ManifestChanged { path: one().into() },
            Objection::ManifestGone { path: one().into() },
            Objection::OtherEndpoint { planned: one(), now: two() },
            Objection::OtherAccount { state: one(), now: two() },
            Objection::StateAccount { state: one(), now: two() },
            Objection::PlanAccount { planned: one(), now: two() },
            Objection::AccountNotAllowed { now: one(), allowed: vec![two()] },
            Objection::AccountUnproven { expected: vec![one()] },
            Objection::AccountNotAsked,
            Objection::OtherState { planned: one(), now: two() },
            Objection::OtherRegion { planned: Some(one()), now: None },
            Objection::NotRemade,
            Objection::NoAlias { address: address() },
            Objection::AlreadyOrdered { address: address() },
            Objection::DestroyNotAllowed { address: address() },
            Objection::DestroysManaged { address: address(), env_id: "a-1".to_owned(), other: address() },
            Objection::NothingDeclared { count: 2 },
            Objection::TooMany { orders: 2, limit: 1 },
            Objection::TooManyToday { orders: 2, before: 3, limit: 4 },
        ];
        all.extend(refusals().map(|refusal| Objection::Refused {
            address: address(),
            refusal,
            place: place.clone(),
        }));
        for objection in all {
            assert!(objection.text().is_in_both(), "{objection}");
            assert!(objection.help().is_in_both(), "{objection}");
        }
    }
}
