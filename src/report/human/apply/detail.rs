//! What there is to say of a step that did not simply succeed: what happened, what was and was not done, what to do next.

use std::fmt::Write as _;

use super::{FAILED, word};
use crate::apply::{Done, Outcome, StepResult, What};
use crate::cloud::{CloudError, Grade, NotSent};
use crate::lang::{Lang, Text, text};
use crate::plan::Action;
use crate::report::human::Look;
use crate::report::text::{clean, count};

pub(super) fn show(out: &mut String, result: &StepResult, look: Look) {
    let lines = remarks(result, look);
    if lines.is_empty() {
        return;
    }
    let head = match &result.outcome {
        Outcome::Failed(_) => look.bad(FAILED),
        Outcome::Unknown(_) => look.bad(text!("outcome unknown", "结果未知")),
        Outcome::Done(done) => look.say(word(done.what)),
        Outcome::Ordered { .. } | Outcome::Recorded | Outcome::NotAttempted => match result.left_behind {
            Some(_) => look.bad(text!("may exist twice", "可能重复创建")),
            None => look.say(text!("was replaced", "已被替换")),
        },
    };
    let (address, source) = (look.strong(&result.address), look.faint(&result.source));
    let _ = writeln!(out, "\n{address} {head}  {source}");
    for line in lines {
        let _ = writeln!(out, "  {line}");
    }
}

/// The lines below its head; none when there is nothing to say.
pub(in crate::report) fn remarks(result: &StepResult, look: Look) -> Vec<String> {
    let lines = match &result.outcome {
        Outcome::Ordered { .. } => [surplus(result, look), replaced(result, look)].concat(),
        Outcome::Done(done) => given_up(result, done),
        Outcome::Recorded | Outcome::NotAttempted => Vec::new(),
        Outcome::Failed(error) => failed(result, error, not_done(error), look),
        Outcome::Unknown(error) => failed(result, error, maybe_done(result.action), look),
    };
    lines.iter().map(|line| look.say(line)).collect()
}

const fn maybe_done(action: Action) -> Text {
    match action {
        Action::Update => Text::fixed(
            "at the vendor: its alias may have been changed; nothing else was, and apply asks for it again",
            "腾讯云侧：别名可能已修改；此外没有任何改动，apply 会再次请求",
        ),
        Action::Destroy => Text::fixed(
            "at the vendor: it may have been given up; it stays on record, and to ask for it again gives up no other",
            "腾讯云侧：它可能已被销毁；它留在记录中，再次请求不会销毁别的环境",
        ),
        Action::Create
        | Action::Replace
        | Action::Forget
        | Action::Import
        | Action::Move
        | Action::Resolve
        | Action::Wait
        | Action::NoOp => Text::fixed(
            "at the vendor: it may have been ordered; it is recorded as unknown and never sent again",
            "腾讯云侧：它可能已被订购；已记录为结果未知，绝不会再次发送",
        ),
    }
}

fn failed(result: &StepResult, error: &CloudError, done: Text, look: Look) -> Vec<Text> {
    let address = &result.address;
    let mut lines = vec![what(error)];
    if let Some(status) = error.http_status
        && status != 200
    {
        lines.push(text!("HTTP status {status}", "HTTP 状态码 {status}"));
    }
    if let Some(body) = &error.body {
        let start: String = body.chars().take(200).collect();
        let start = clean(&start);
        lines.push(text!("the answer began: {start}", "应答的开头：{start}"));
    }
    lines.push(done);
    match (error.grade, &error.hint) {
        // What is said of an attempt that will be made again is not so of the last one.
        (Grade::NotSent(NotSent::NoRequest | NotSent::Tls) | Grade::Refused(_) | Grade::Unknown, hint) => {
            lines.extend(hint.clone());
        }
        (Grade::NotSent(_), _) => {
            let n = result.attempts;
            let tries = count(n as usize, "attempt", "attempts");
            lines.push(text!(
                "given up after {tries}; run it again later, or try for longer: --retry-for",
                "尝试 {n} 次后放弃；请稍后再次运行，或延长重试时间：--retry-for"
            ));
        }
    }
    if let Some(env_id) = &result.left_behind {
        let env_id = look.bad(clean(env_id));
        lines.push(text!(
            "and yet {env_id} came to be in the account with this alias: it is not ordered again before `postpay resolve {address}`",
            "但账号中出现了使用该别名的 {env_id}：执行 `postpay resolve {address}` 之前不会再次订购"
        ));
    }
    lines
}

/// A second environment that came to be beside the one that was created.
fn surplus(result: &StepResult, look: Look) -> Vec<Text> {
    let Some(env_id) = &result.left_behind else {
        return Vec::new();
    };
    let env_id = look.bad(clean(env_id));
    vec![
        text!(
            "a throttled request may have created {env_id} as well: it is new, has the same alias, and is not in the state",
            "被限流的请求可能还创建了 {env_id}：它是新出现的，别名相同，且不在状态文件中"
        ),
        SURPLUS_HELP,
    ]
}

/// What to do about it.
pub(in crate::report) const SURPLUS_HELP: Text = Text::fixed(
    "it keeps running and billing: check both in the console, and destroy the one that is not needed",
    "它会持续运行并计费：请在控制台核对两个环境，并销毁不需要的那个",
);

/// Where the environment that was replaced is now.
fn replaced(result: &StepResult, look: Look) -> Vec<Text> {
    if result.action != Action::Replace {
        return Vec::new();
    }
    let (address, env_id) = (&result.address, result.env_id.as_deref().unwrap_or("-"));
    let env_id = look.change(clean(env_id));
    vec![
        text!(
            "{env_id} is on record as deposed, lives on at the vendor and goes on costing",
            "{env_id} 已作为被替换的旧环境留在记录中，仍在腾讯云运行，并继续计费"
        ),
        text!(
            "to give it up: `postpay destroy {address} --deposed --allow-destroy`",
            "要销毁它：`postpay destroy {address} --deposed --allow-destroy`"
        ),
    ]
}

/// What the vendor made of giving an environment up.
fn given_up(result: &StepResult, done: &Done) -> Vec<Text> {
    let address = &result.address;
    let which = if result.deposed { " --deposed" } else { "" };
    match done.what {
        What::Renamed | What::Destroyed => Vec::new(),
        What::WasGone => vec![
            text!(
                "the vendor has no environment with this id: it was given up before",
                "腾讯云没有这个 id 的环境：它之前已被销毁"
            ),
            text!("it is forgotten; nothing was done at the vendor", "已移出记录；在腾讯云没有做任何操作"),
        ],
        What::Isolated => vec![
            text!(
                "the vendor keeps it in isolation: out of reach, and deleted later",
                "腾讯云已将其隔离：无法访问，之后会删除"
            ),
            text!(
                "to have it deleted at once, or to forget it when it is gone: `postpay destroy {address}{which} --purge --allow-destroy`",
                "要立即删除，或在它消失后移出记录：`postpay destroy {address}{which} --purge --allow-destroy`"
            ),
        ],
        What::BeingDestroyed => vec![
            text!(
                "the vendor took the request, and shows it as before so far; it stays on record",
                "腾讯云已接受请求，但目前仍显示原状；它留在记录中"
            ),
            text!(
                "to see it through: `postpay destroy {address}{which} --allow-destroy`",
                "要确认销毁完成：`postpay destroy {address}{which} --allow-destroy`"
            ),
        ],
    }
}

/// `Code: message (RequestId …)`
pub(in crate::report) fn what(error: &CloudError) -> Text {
    let message = Text::of(&error.message);
    let (en, zh) = (clean(message.en()), clean(message.in_lang(Lang::Zh)));
    let text = match &error.code {
        Some(code) => Text::new(format!("{}: {en}", clean(code)), format!("{}：{zh}", clean(code))),
        None => Text::new(en.into_owned(), zh.into_owned()),
    };
    match &error.request_id {
        Some(id) => {
            let id = clean(id);
            text!("{text} (RequestId {id})", "{text:#}（RequestId {id}）")
        }
        None => text,
    }
}

const fn not_done(error: &CloudError) -> Text {
    match error.grade {
        Grade::NotSent(NotSent::Connect | NotSent::Tls) => Text::fixed(
            "at the vendor: nothing; no connection stood, so no request left",
            "腾讯云侧：没有任何操作；连接没有建立，请求没有发出",
        ),
        Grade::NotSent(NotSent::NoKey) => Text::fixed(
            "at the vendor: nothing was ordered or changed; there was no key to sign a request with",
            "腾讯云侧：没有订购或更改任何内容；没有可用于签名请求的密钥",
        ),
        Grade::NotSent(NotSent::NoRequest | NotSent::Withdrawn) => Text::fixed(
            "at the vendor: nothing was ordered or changed; no request was made",
            "腾讯云侧：没有订购或更改任何内容；没有发出请求",
        ),
        Grade::NotSent(NotSent::Throttled | NotSent::Repaired) => Text::fixed(
            "at the vendor: nothing; the request was turned away before it was looked at",
            "腾讯云侧：没有任何操作；请求在处理之前就被拒之门外",
        ),
        Grade::Refused(_) => Text::fixed(
            "at the vendor: nothing was done; the request was refused",
            "腾讯云侧：没有做任何操作；请求被拒绝",
        ),
        Grade::Unknown => Text::fixed("at the vendor: not known", "腾讯云侧：未知"),
    }
}
