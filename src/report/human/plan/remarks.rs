//! What a person needs to know, or to do, about a step.

use std::fmt::Display;

use crate::lang::{Text, text};
use crate::model::Attributes;
use crate::plan::{Action, Plan, Reason, Step, StepBlocker};
use crate::report::human::Look;

/// What a person needs to know or to do about a step that is not simply carried out.
pub(in crate::report) fn remarks(step: &Step, plan: &Plan, look: Look) -> Vec<String> {
    texts(step, plan).iter().map(|text| look.say(text)).collect()
}

fn texts(step: &Step, plan: &Plan) -> Vec<Text> {
    if let Some(blocker) = &step.blocker {
        return if plan.is_blocked_by(step) { blocked(step, blocker) } else { orphaned(step, blocker) };
    }
    let address = &step.address;
    match step.action {
        Action::Create => created(step),
        Action::Update if step.renames().is_none() => {
            vec![text!("Changes the state only; nothing is sent.", "只更改状态文件，不发送任何请求。")]
        }
        Action::Update => Vec::new(),
        Action::Replace => vec![
            text!(
                "Creates a second environment. The current one stays in the state as deposed, keeps running, and keeps billing.",
                "将创建第二个环境。现有环境作为已被替换的旧环境留在状态文件中，继续运行，继续计费。"
            ),
            text!(
                "To destroy it afterwards: `postpay destroy {address} --deposed --allow-destroy`",
                "之后要销毁它：`postpay destroy {address} --deposed --allow-destroy`"
            ),
        ],
        Action::Destroy => destroyed(plan),
        Action::Forget => vec![text!(
            "Removed from the state only: it keeps running, and keeps billing.",
            "只移出状态文件：环境继续运行，继续计费。"
        )],
        Action::Import => vec![text!(
            "Already exists; will be added to the state, not created.",
            "已经存在；将加入状态文件，不会创建。"
        )],
        Action::Move => vec![text!(
            "Changes the state only; the environment is not touched.",
            "只更改状态文件，环境本身不变。"
        )],
        Action::Resolve => unresolved(step),
        Action::Wait => {
            vec![text!(
                "Already created; postpay will not create it again.",
                "已经创建；postpay 不会再次创建。"
            )]
        }
        Action::NoOp => kept(step),
    }
}

fn created(step: &Step) -> Vec<Text> {
    let is_nameless = |after: &Attributes| after.creates_environment() && after.alias().is_none();
    let destroyed = text!(
        "The environment that was created for it before is destroyed; this is another one.",
        "之前为它创建的环境已销毁；这次创建的是另一个环境。"
    );
    let nameless = text!(
        "Without an alias, an environment whose response is lost cannot be recognized in the account.",
        "没有别名：如果应答丢失，将无法在账号中识别该环境。"
    );
    let notes = [
        (step.reason == Reason::GivenUp, destroyed),
        (step.after.as_ref().is_some_and(is_nameless), nameless),
    ];
    notes.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text).collect()
}

fn unresolved(step: &Step) -> Vec<Text> {
    let address = &step.address;
    let what = if step.reason == Reason::BeingDestroyed {
        text!(
            "DestroyEnv was sent for it; its outcome could not be confirmed.",
            "已为它发送 DestroyEnv，但结果无法确认。"
        )
    } else {
        text!(
            "A create was sent for it and the response was lost: it may exist, and may be billed.",
            "已为它发送创建请求，但应答丢失：它可能已经存在，并产生费用。"
        )
    };
    let next = text!(
        "postpay will not create it again until this is resolved: `postpay resolve {address}`",
        "在确认结果之前，postpay 不会再次创建它：`postpay resolve {address}`"
    );
    vec![what, next]
}

/// For what is destroyed or was replaced, and stays as it is.
fn kept(step: &Step) -> Vec<Text> {
    let address = &step.address;
    let deposed = if step.deposed { " --deposed" } else { "" };
    if step.reason == Reason::Isolated {
        vec![
            text!("Tencent Cloud isolates it before deleting it.", "腾讯云先将其隔离，之后再删除。"),
            text!(
                "To delete it now, or to remove it from the state once it is gone: `postpay destroy {address}{deposed} --purge --allow-destroy`",
                "要立即删除，或在它消失后移出状态文件：`postpay destroy {address}{deposed} --purge --allow-destroy`"
            ),
        ]
    } else if step.reason == Reason::BeingDestroyed {
        vec![
            text!(
                "It was replaced and DestroyEnv was sent for it; its outcome could not be confirmed.",
                "它已被替换，并已为它发送 DestroyEnv，但结果无法确认。"
            ),
            text!(
                "To check the account: `postpay resolve {address}`",
                "要核对账号：`postpay resolve {address}`"
            ),
        ]
    } else if step.deposed {
        vec![
            text!(
                "It was replaced, and not destroyed: it keeps running, and keeps billing.",
                "它已被替换，但没有销毁：继续运行，继续计费。"
            ),
            text!(
                "To destroy it: `postpay destroy {address} --deposed --allow-destroy`",
                "要销毁它：`postpay destroy {address} --deposed --allow-destroy`"
            ),
        ]
    } else {
        Vec::new()
    }
}

/// What is lost with an environment that is to be destroyed.
fn destroyed(plan: &Plan) -> Vec<Text> {
    let lost = if plan.options.purge {
        text!("This cannot be undone: its data is lost.", "销毁不可撤销：其中的数据会丢失。")
    } else {
        text!(
            "This cannot be undone: its data is lost. Tencent Cloud may isolate it first, and delete it later.",
            "销毁不可撤销：其中的数据会丢失。腾讯云可能先隔离，之后再删除。"
        )
    };
    let purge =
        text!("It is deleted at once, without isolation (IsForce).", "立即删除，不经隔离（IsForce）。");
    let bypass = text!(
        "Tencent Cloud does not check for data or add-on packages in it (BypassCheck).",
        "不检查其中是否还有数据或资源包（BypassCheck）。"
    );
    let extra = [(plan.options.purge, purge), (plan.options.bypass_check, bypass)];
    let extra = extra.into_iter().filter(|(requested, _)| *requested);
    std::iter::once(lost).chain(extra.map(|(_, text)| text)).collect()
}

/// What can be done about an environment that is not in the configuration.
fn orphaned(step: &Step, blocker: &StepBlocker) -> Vec<Text> {
    let address = &step.address;
    let keeps = text!(
        "It keeps running and billing; postpay never destroys it automatically.",
        "它继续运行，继续计费；postpay 不会自动销毁它。"
    );
    let choices = if *blocker == StepBlocker::PreventDestroy {
        text!(
            "Declare it again, forget it (`removed: [{address}]`), or declare it without prevent_destroy, apply, and destroy it.",
            "重新声明它、移出状态文件（`removed: [{address}]`），或重新声明但去掉 prevent_destroy，执行 apply，再销毁它。"
        )
    } else {
        text!(
            "Declare it again, forget it (`removed: [{address}]`), or destroy it: `postpay destroy {address} --allow-destroy`",
            "重新声明它、移出状态文件（`removed: [{address}]`），或销毁它：`postpay destroy {address} --allow-destroy`"
        )
    };
    vec![keeps, choices]
}

fn blocked(step: &Step, blocker: &StepBlocker) -> Vec<Text> {
    let (_, message, help) = blocker.explain(&step.address);
    vec![sentence(message), sentence(help)]
}

/// The text of an error as a sentence.
fn sentence(text: impl Display) -> Text {
    let en = text.to_string();
    let mut letters = en.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    Text::new(format!("{first}{}.", letters.as_str()), format!("{text:#}。"))
}
