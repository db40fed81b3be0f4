//! What a person has to know about a step, or to do.

use std::fmt::Display;

use crate::lang::{Text, text};
use crate::model::{Address, Attributes};
use crate::plan::{Action, Plan, Reason, Step, StepBlocker};
use crate::report::human::Look;

/// What a person needs to know or to do about a step that is not simply carried out.
pub(in crate::report) fn remarks(step: &Step, plan: &Plan, look: Look) -> Vec<String> {
    texts(step, plan).iter().map(|text| look.say(text)).collect()
}

fn texts(step: &Step, plan: &Plan) -> Vec<Text> {
    let address = &step.address;
    let mut lines = match step.action {
        Action::Create => created(step),
        Action::Update if step.renames().is_none() => vec![text!(
            "On record alone: the vendor is not asked for anything.",
            "只改记录：不向腾讯云发送任何请求。"
        )],
        Action::Replace => replaced(step),
        Action::Destroy => destroyed(step, plan),
        Action::Forget => vec![text!(
            "It is taken off the record, and left alone: it lives on at the vendor and goes on costing.",
            "只从记录中移除，环境本身不动：它仍在腾讯云运行，并继续计费。"
        )],
        Action::Import => vec![text!(
            "It exists already. It is looked up, put on record, and not ordered.",
            "它已经存在：只查询并写入记录，不会订购。"
        )],
        Action::Move => {
            vec![text!("On record alone: the environment stays as it is.", "只改记录：环境本身不变。")]
        }
        Action::Resolve => unresolved(step),
        Action::Wait => vec![text!("The order stands and is not made again.", "订单有效，不会重复订购。")],
        Action::NoOp => kept(step),
        Action::Update => Vec::new(),
    };
    if step.action != Action::Destroy
        && let Some(blocker) = &step.blocker
    {
        lines.extend(blocked(address, blocker));
    }
    lines
}

fn created(step: &Step) -> Vec<Text> {
    let nameless = |order: &&Attributes| order.creates_environment() && order.alias().is_none();
    let note = text!(
        "Without an alias a lost answer to its order can't be read back.",
        "没有别名：如果订购的应答丢失，将无法回读确认。"
    );
    let given_up = text!(
        "What was ordered for it before was given up; this is another environment.",
        "之前为它订购的环境已请求销毁；这次订购的是另一个环境。"
    );
    let is_nameless = step.after.as_ref().as_ref().is_some_and(nameless);
    let notes = [(step.reason == Reason::GivenUp, given_up), (is_nameless, note)];
    let notes = notes.into_iter().filter(|(holds, _)| *holds);
    notes.map(|(_, text)| text).collect()
}

fn replaced(step: &Step) -> Vec<Text> {
    let address = &step.address;
    match &step.blocker {
        None => vec![
            text!(
                "This is a second order. The environment that is there now is kept on record as deposed, lives on and goes on",
                "这是又一次订购。现有环境会作为已被替换的旧环境留在记录中，仍在腾讯云运行，并继续计费；"
            ),
            text!(
                "costing; to give it up afterwards: `postpay destroy {address} --deposed --allow-destroy`",
                "之后要销毁它：`postpay destroy {address} --deposed --allow-destroy`"
            ),
        ],
        Some(_) => Vec::new(),
    }
}

fn unresolved(step: &Step) -> Vec<Text> {
    let address = &step.address;
    if step.reason == Reason::BeingDestroyed {
        return vec![
            text!(
                "DestroyEnv was sent for it, and nobody has seen what became of it.",
                "已为它发送 DestroyEnv，结果尚未确认。"
            ),
            text!(
                "Have the account looked at before it is ordered again: `postpay resolve {address}`",
                "再次订购之前，请先核对账号：`postpay resolve {address}`"
            ),
        ];
    }
    vec![
        text!(
            "A request was sent for it and its answer was lost: it may exist, and cost money.",
            "已为它发送请求，但应答丢失：它可能已经存在，并产生费用。"
        ),
        text!(
            "It is blocked, and not ordered again, until it is settled: `postpay resolve {address}`",
            "在处理之前它一直被阻塞，不会再次订购：`postpay resolve {address}`"
        ),
    ]
}

/// What is said of what stays as it is.
fn kept(step: &Step) -> Vec<Text> {
    let address = &step.address;
    if step.deposed && step.reason == Reason::Isolated {
        vec![
            text!(
                "It was replaced at `{address}`, and given up: the vendor keeps it out of reach before it deletes it.",
                "它在 `{address}` 已被替换，并已请求销毁：腾讯云先将其隔离，之后再删除。"
            ),
            text!(
                "To have it deleted at once, or to forget it when it is gone: `postpay destroy {address} --deposed --purge --allow-destroy`",
                "要立即删除，或在它消失后移出记录：`postpay destroy {address} --deposed --purge --allow-destroy`"
            ),
        ]
    } else if step.reason == Reason::BeingDestroyed {
        vec![
            text!(
                "It was replaced at `{address}`, and asked to be given up; nobody has seen what became of it.",
                "它在 `{address}` 已被替换，并已请求销毁；结果尚未确认。"
            ),
            text!(
                "To have the account looked at: `postpay resolve {address}`",
                "要核对账号：`postpay resolve {address}`"
            ),
        ]
    } else if step.deposed {
        vec![
            text!(
                "It was replaced at `{address}`, and not given up: it lives on at the vendor and goes on costing.",
                "它在 `{address}` 已被替换，但没有销毁：仍在腾讯云运行，并继续计费。"
            ),
            text!(
                "To give it up: `postpay destroy {address} --deposed --allow-destroy`",
                "要销毁它：`postpay destroy {address} --deposed --allow-destroy`"
            ),
        ]
    } else if step.reason == Reason::Isolated {
        vec![
            text!("The vendor keeps it out of reach before it deletes it.", "腾讯云先将其隔离，之后再删除。"),
            text!(
                "To have it deleted at once, or to forget it when it is gone: `postpay destroy {address} --purge --allow-destroy`",
                "要立即删除，或在它消失后移出记录：`postpay destroy {address} --purge --allow-destroy`"
            ),
        ]
    } else {
        Vec::new()
    }
}

fn destroyed(step: &Step, plan: &Plan) -> Vec<Text> {
    let address = &step.address;
    match &step.blocker {
        None => lost(plan),
        Some(StepBlocker::DestroyNotAllowed) => choices(
            address,
            text!(
                "  - give it up, with its data: `postpay destroy {address} --allow-destroy`.",
                "  - 销毁它，连同其中的数据：`postpay destroy {address} --allow-destroy`。"
            ),
        ),
        Some(StepBlocker::PreventDestroy) => choices(
            address,
            text!(
                "  - give it up: it was declared with prevent_destroy, so declare `{address}` without it first, and apply that.",
                "  - 销毁它：它曾以 prevent_destroy 声明，因此请先重新声明 `{address}`、去掉该字段，并执行 apply。"
            ),
        ),
        Some(
            blocker @ (StepBlocker::StillDeclared
            | StepBlocker::Replacement
            | StepBlocker::ReplacesItself
            | StepBlocker::ReplacesAwaiting
            | StepBlocker::ReplacesImported
            | StepBlocker::ReplacedAlready
            | StepBlocker::ReplacementUnknown
            | StepBlocker::Renamed { .. }
            | StepBlocker::ManagedElsewhere { .. }
            | StepBlocker::ImportsAnother { .. }),
        ) => blocked(address, blocker).into(),
    }
}

/// What is lost with an environment that is to be given up.
fn lost(plan: &Plan) -> Vec<Text> {
    let lost = if plan.options.purge {
        text!("Giving it up can't be undone: its data is lost.", "销毁不可撤销：其中的数据会丢失。")
    } else {
        text!(
            "Giving it up can't be undone: its data is lost. The vendor may isolate it first, and delete it later.",
            "销毁不可撤销：其中的数据会丢失。腾讯云可能先隔离，之后再删除。"
        )
    };
    let purge = text!(
        "It is deleted at once: isolation is passed over, or ended (IsForce).",
        "立即删除：跳过隔离，或结束隔离（IsForce）。"
    );
    let bypass = text!(
        "Whether there are data or add-on packages in it is not asked (BypassCheck).",
        "不检查其中是否还有数据或资源包（BypassCheck）。"
    );
    let extra = [(plan.options.purge, purge), (plan.options.bypass_check, bypass)];
    let extra = extra.into_iter().filter(|(asked, _)| *asked);
    std::iter::once(lost).chain(extra.map(|(_, text)| text)).collect()
}

/// What can be done about what is left over.
fn choices(address: &Address, last: Text) -> Vec<Text> {
    vec![
        text!(
            "It is ordered and no longer declared. postpay does not give it up by itself. Choose:",
            "它已订购，但不再声明。postpay 不会自行销毁它。请选择："
        ),
        text!(
            "  - declare `{address}` again, to keep it managed; or only forget it: `removed: [{address}]`;",
            "  - 重新声明 `{address}`，继续管理它；或只移出记录：`removed: [{address}]`；"
        ),
        text!(
            "  - leave it as it is: it stays in the state, lives on at the vendor and goes on costing;",
            "  - 保持现状：它留在状态文件中，仍在腾讯云运行，并继续计费；"
        ),
        last,
    ]
}

fn blocked(address: &Address, blocker: &StepBlocker) -> [Text; 2] {
    let (_, message, help) = blocker.explain(address);
    [sentence(message), sentence(help)]
}

/// What an error says in passing, as a sentence.
fn sentence(text: impl Display) -> Text {
    let en = text.to_string();
    let mut letters = en.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    Text::new(format!("{first}{}.", letters.as_str()), format!("{text:#}。"))
}
