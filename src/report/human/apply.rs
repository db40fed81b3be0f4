//! A run: a line for everything that happens, and the table that closes it.

mod detail;

use std::fmt::Write as _;
use std::time::Duration;

pub(in crate::report) use detail::{SURPLUS_HELP, remarks, what};

use super::Look;
use super::table;
use crate::apply::{ApplySummary, Counts, Outcome, Progress, StepResult, Verdict, What};
use crate::lang::{Text, text};
use crate::model::Address;
use crate::plan::Action;
use crate::report::text::{clean, count, duration};
use crate::state::journal::EndReason;

/// One line for a log; None for what a log need not hold.
pub fn line(progress: Progress<'_>, total: usize, look: Look) -> Option<String> {
    match progress {
        Progress::Started { .. } => None,
        Progress::Sending { number, step, attempt } => {
            let again = if attempt > 1 {
                text!(", attempt {attempt}", "，第 {attempt} 次尝试")
            } else {
                Text::same("")
            };
            let doing = match (step.action, step.renames()) {
                (Action::Destroy, _) => text!("destroying", "正在销毁"),
                (Action::Update, Some(alias)) => {
                    let alias = clean(alias);
                    text!("changing alias to {alias}", "正在把别名改为 {alias}")
                }
                (
                    Action::Create
                    | Action::Replace
                    | Action::Update
                    | Action::Forget
                    | Action::Import
                    | Action::Move
                    | Action::Resolve
                    | Action::Wait
                    | Action::NoOp,
                    _,
                ) => text!("creating", "正在创建"),
            };
            let name = name(&step.address, step.deposed);
            Some(look.say(text!(
                "[{number}/{total}] {name}: {doing}{again}",
                "[{number}/{total}] {name:#}：{doing:#}{again:#}"
            )))
        }
        Progress::Retrying { number, step, error, after, attempt: _ } => {
            let (address, after) = (&step.address, duration(after));
            let what = look.change(what(error));
            let nothing = if step.is_order() {
                text!("nothing was created", "没有创建")
            } else {
                text!("nothing was done", "没有做任何操作")
            };
            Some(look.say(text!(
                "[{number}/{total}] {address}: {what}; {nothing}, retrying in {after}",
                "[{number}/{total}] {address}：{what}；{nothing:#}，{after:#} 后重试"
            )))
        }
        Progress::Ended(result) => Some(ended(result, total, look)),
        Progress::Looking { open, after, left: _ } => {
            let orders = count(open, "environment", "environments");
            let pause = match after {
                Duration::ZERO => Text::same(""),
                after => {
                    let seconds = after.as_secs_f64().ceil();
                    text!(" in {seconds} s", "{seconds} 秒后")
                }
            };
            Some(look.say(text!(
                "Searching the account for {orders}{pause}",
                "{pause:#}在账号中查找 {open} 个环境"
            )))
        }
        Progress::Found { address, env_id, tran_id } => {
            let found = look.good(text!("found in the account", "已在账号中找到"));
            let (tran_id, env_id) = (clean(tran_id), clean(env_id));
            Some(look.say(text!(
                "{address}: {found}, TranId {tran_id}, EnvId {env_id}",
                "{address}：{found}，TranId {tran_id}，EnvId {env_id}"
            )))
        }
        Progress::Stopping { reason, under_way, trouble } => {
            let why = match (trouble, reason) {
                (Some(trouble), _) => trouble.text().map(|text| clean(text).into_owned()),
                (None, EndReason::Interrupted) => text!("Interrupted", "已中断"),
                (None, EndReason::Deadline) => text!("Deadline reached", "已到截止时间"),
                (None, EndReason::Failed) => text!("A step failed", "有步骤失败"),
                (None, EndReason::Unknown) => text!("Unknown outcome", "有结果未知"),
                (None, EndReason::Finished) => text!("Finished", "已结束"),
            };
            let wait = match under_way {
                0 => Text::same(""),
                n => {
                    let calls = count(n, "call under way", "calls under way");
                    text!(" Waiting for {calls} in progress.", "正在等待 {n} 个进行中的请求。")
                }
            };
            Some(
                look.change(text!(
                    "{why}: starting nothing more.{wait}",
                    "{why:#}：不再开始新的操作。{wait:#}"
                )),
            )
        }
    }
}

fn name(address: &Address, deposed: bool) -> Text {
    if deposed {
        text!("{address} (deposed)", "{address}（已被替换）")
    } else {
        Text::same(address.to_string())
    }
}

fn ended(result: &StepResult, total: usize, look: Look) -> String {
    let (number, name) = (result.number, name(&result.address, result.deposed));
    let head = text!("[{number}/{total}] {name}:", "[{number}/{total}] {name:#}：");
    let took = |took, read_back| {
        let took = duration(took);
        if read_back {
            text!("{took}, found in the account", "{took:#}，已在账号中找到")
        } else {
            took
        }
    };
    look.say(match &result.outcome {
        Outcome::Ordered { ordered, took: after, read_back } => {
            let (word, took) = (look.good(ORDERED), took(*after, *read_back));
            let tran_id = clean(&ordered.tran_id);
            let env_id = match &ordered.env_id {
                Some(env_id) => Text::same(clean(env_id).into_owned()),
                None => text!("not known yet", "尚未返回"),
            };
            text!(
                "{head} {word}, TranId {tran_id}, EnvId {env_id} ({took})",
                "{head:#}{word}，TranId {tran_id}，EnvId {env_id:#}（{took:#}）"
            )
        }
        Outcome::Done(done) => {
            let env_id = result.env_id.as_deref().map_or("-".into(), clean);
            let (word, took) = (look.good(word(done.what)), took(done.took, done.read_back));
            text!("{head} {word}, EnvId {env_id} ({took})", "{head:#}{word}，EnvId {env_id}（{took:#}）")
        }
        Outcome::Recorded => {
            let word = look.good(recorded(result.action));
            text!("{head} {word}", "{head:#}{word}")
        }
        Outcome::Failed(error) => {
            let (word, what) = (look.bad(FAILED), what(error));
            text!("{head} {word}: {what}", "{head:#}{word}：{what:#}")
        }
        Outcome::Unknown(error) => {
            let word = look.bad(text!("outcome unknown", "结果未知"));
            let what = what(error);
            text!("{head} {word}: {what}", "{head:#}{word}：{what:#}")
        }
        Outcome::NotAttempted => text!("{head} {NOT_ATTEMPTED}", "{head:#}{NOT_ATTEMPTED:#}"),
    })
}

const ORDERED: Text = Text::fixed("created", "已创建");
const FAILED: Text = Text::fixed("failed", "失败");
const NOT_ATTEMPTED: Text = Text::fixed("not attempted", "未执行");

/// What became of an environment that was there before.
const fn word(what: What) -> Text {
    match what {
        What::Renamed => Text::fixed("updated", "已修改"),
        What::Destroyed => Text::fixed("destroyed", "已销毁"),
        What::WasGone => Text::fixed("already destroyed", "早已销毁"),
        What::Isolated => Text::fixed("isolated", "已隔离"),
        What::BeingDestroyed => Text::fixed("being destroyed", "销毁中"),
    }
}

/// What a step did that changed the record alone.
const fn recorded(action: Action) -> Text {
    match action {
        Action::Forget => Text::fixed("removed from the state", "已从状态文件移除"),
        Action::Import => Text::fixed("imported", "已导入"),
        Action::Move => Text::fixed("moved", "已改地址"),
        Action::Create
        | Action::Update
        | Action::Replace
        | Action::Destroy
        | Action::Resolve
        | Action::Wait
        | Action::NoOp => Text::fixed("recorded", "已记录"),
    }
}

/// The closing table and what to do next.
pub fn report(report: &ApplySummary, look: Look) -> String {
    if report.run.is_none() {
        return idle(report, look);
    }
    let table = table(report, look);
    let mut details = String::new();
    for result in &report.results {
        detail::show(&mut details, result, look);
    }
    let (details, summary) = (look.within(details, 4), summary(report, look));
    format!("\n{table}{details}\n{}", look.within(summary, 2))
}

/// The closing lines: how much of what, and what to do next.
pub fn summary(report: &ApplySummary, look: Look) -> String {
    if report.run.is_none() {
        return idle(report, look);
    }
    let mut out = String::new();
    let counts = report.counts();
    let Counts { ordered, changed, destroyed, recorded, awaiting_env_id: _, failed, unknown, not_attempted } =
        counts;
    let orders = report.results.iter().any(StepResult::is_order);
    let nothing = ordered + changed + destroyed + recorded == 0;
    let unresolved = report.unresolved.len();
    let parts: Vec<String> = [
        (ordered > 0 || nothing && orders, text!("{ordered} created", "{ordered} 个已创建")),
        (changed > 0, text!("{changed} updated", "{changed} 个已修改")),
        (destroyed > 0, text!("{destroyed} destroyed", "{destroyed} 个已请求销毁")),
        (recorded > 0, text!("{recorded} changed in the state only", "{recorded} 个只改状态文件")),
        (failed > 0, text!("{failed} failed", "{failed} 个失败")),
        (unknown > 0, text!("{unknown} unknown", "{unknown} 个结果未知")),
        (unresolved > 0, text!("{unresolved} unknown from earlier runs", "{unresolved} 个先前的结果仍未知")),
        (not_attempted > 0, text!("{not_attempted} not attempted", "{not_attempted} 个未执行")),
    ]
    .into_iter()
    .filter(|(shown, _)| *shown)
    .map(|(_, what)| look.say(what))
    .collect();
    let head = match report.verdict() {
        Verdict::Complete => look.good(text!("Apply complete:", "执行完成：")),
        Verdict::PartWay => look.change(text!("Apply stopped:", "执行中止：")),
        Verdict::Failed => look.bad(text!("Apply failed:", "执行失败：")),
        Verdict::Unknown if !is_order_unknown(report) => {
            look.bad(text!("Apply ended with unknown outcomes:", "执行结束，有未知结果："))
        }
        Verdict::Unknown => look.bad(text!("Action required:", "需要人工处理：")),
    };
    let (parts, took) = (look.list(&parts), duration(report.took));
    let text = text!("{head} {parts} in {took}.", "{head}{parts}，用时 {took:#}。");
    let _ = writeln!(out, "{}", look.say(text));
    if counts.awaiting_env_id > 0 {
        let n = counts.awaiting_env_id;
        let orders = count(n, "order has", "orders have");
        let text = text!(
            "{orders} a TranId but no EnvId yet: Tencent Cloud accepted the order, and it is in the state.",
            "{n} 个订单已有 TranId，尚无 EnvId：腾讯云已接受订单，并已写入状态文件。"
        );
        let _ = writeln!(out, "{}", look.say(text));
    }
    for line in next(report, look) {
        let _ = writeln!(out, "{}", look.say(line));
    }
    out
}

/// What there is to say of a plan without orders.
fn idle(report: &ApplySummary, look: Look) -> String {
    let nothing = text!(
        "Nothing to do: nothing was sent to Tencent Cloud.",
        "没有需要执行的操作：没有向腾讯云发送任何请求。"
    );
    let mut out = look.say(nothing) + "\n";
    out.extend(unresolved(report, look).map(|line| look.say(line) + "\n"));
    out
}

fn unresolved(report: &ApplySummary, look: Look) -> Option<Text> {
    let addresses: Vec<String> = report.unresolved.iter().map(|address| format!("`{address}`")).collect();
    let named = look.list(&addresses);
    (!addresses.is_empty()).then(|| {
        text!(
            "Still unknown from an earlier run, not touched: {named}.",
            "在先前的运行中结果未知，本次未处理：{named}。"
        )
    })
}

fn table(report: &ApplySummary, look: Look) -> String {
    let headers = [
        look.say(text!("ADDRESS", "地址")),
        look.say(text!("RESULT", "结果")),
        "TRAN_ID".to_owned(),
        "ENV_ID".to_owned(),
        "REQUEST_ID".to_owned(),
    ];
    let mut rows = Vec::with_capacity(report.results.len());
    for result in &report.results {
        let (word, tran_id, env_id, request_id) = match &result.outcome {
            Outcome::Ordered { ordered, .. } => {
                (ORDERED, Some(&ordered.tran_id), ordered.env_id.as_ref(), ordered.request_id.as_ref())
            }
            Outcome::Done(done) => (word(done.what), None, result.env_id.as_ref(), done.request_id.as_ref()),
            Outcome::Recorded => (recorded(result.action), None, result.env_id.as_ref(), None),
            Outcome::Failed(error) => (
                FAILED,
                None,
                result.env_id.as_ref().filter(|_| !result.is_order()),
                error.request_id.as_ref(),
            ),
            Outcome::Unknown(error) => (
                text!("unknown", "结果未知"),
                error.seen.tran_id.as_ref(),
                if result.is_order() { error.seen.env_id.as_ref() } else { result.env_id.as_ref() },
                error.request_id.as_ref(),
            ),
            Outcome::NotAttempted => (NOT_ATTEMPTED, None, None, None),
        };
        let cell = |id: Option<&String>| id.map_or_else(|| "-".to_owned(), |id| clean(id).into_owned());
        rows.push([
            look.say(name(&result.address, result.deposed)),
            look.say(word),
            cell(tran_id),
            cell(env_id),
            cell(request_id),
        ]);
    }
    table::table(&headers, &rows, look)
}

/// Whether a person has to say what became of an order.
fn is_order_unknown(report: &ApplySummary) -> bool {
    let unknown = |result: &StepResult| match result.outcome {
        Outcome::Unknown(_) => result.is_order(),
        Outcome::Ordered { .. }
        | Outcome::Done(_)
        | Outcome::Recorded
        | Outcome::Failed(_)
        | Outcome::NotAttempted => false,
    };
    !report.unresolved.is_empty() || !report.unwritten.is_empty() || report.results.iter().any(unknown)
}

fn next(report: &ApplySummary, look: Look) -> Vec<Text> {
    let mut lines = Vec::new();
    if let Some(trouble) = &report.trouble {
        let (_, why, help) = trouble.explain();
        let line = text!(
            "Stopped: {why}. Nothing more was sent. To fix it: {help}.",
            "已停止：{why:#}。没有再发送任何请求。处理方法：{help:#}。"
        );
        lines.push(line.map(|line| clean(line).into_owned()));
    }
    lines.extend(unresolved(report, look));
    for (address, env_id) in &report.found {
        let env_id = clean(env_id);
        lines.push(text!(
            "Found in the account: `{address}` is {env_id}.",
            "已在账号中找到：`{address}` 就是 {env_id}。"
        ));
    }
    // What a run that was fenced out has in its journal too is said once, with the rescue file.
    for rescued in report.unwritten.iter().filter(|_| !report.is_fenced_out()) {
        let said = super::verify::said(&rescued.outcome);
        lines.push(text!(
            "Not in the journal, so save this: {said}.",
            "运行日志中没有这一条，请自行保存：{said:#}。"
        ));
    }
    let resume = text!(
        "Run `postpay plan` to see what is left, and `postpay apply` to continue.",
        "用 `postpay plan` 查看剩余部分，用 `postpay apply` 继续。"
    );
    match report.verdict() {
        Verdict::Complete => {}
        // Another program may have written the state, so this run did not.
        Verdict::PartWay if report.is_fenced_out() && !report.unwritten.is_empty() => lines.push(text!(
            "The ids of this run are in its rescue file, not in the state. {resume}",
            "本次运行的 ID 在救援文件中，不在状态文件中。{resume:#}"
        )),
        Verdict::PartWay if report.is_fenced_out() => lines.push(resume),
        Verdict::PartWay => lines.push(text!(
            "Completed steps are in the state. {resume}",
            "已完成的步骤都已写入状态文件。{resume:#}"
        )),
        Verdict::Failed if report.results.iter().any(StepResult::is_order) => {
            lines.push(text!("Nothing was created.", "没有创建任何环境。"));
        }
        Verdict::Failed => lines.push(text!("Nothing was done.", "没有做任何操作。")),
        // A request that names its environment may be made again.
        Verdict::Unknown if !is_order_unknown(report) => lines.push(text!(
            "Nothing was created. Unknown outcomes stay unchanged in the state, and repeating them is safe. {resume}",
            "没有创建任何环境。结果未知的步骤原样留在状态文件中，重复执行没有害处。{resume:#}"
        )),
        Verdict::Unknown => {
            lines.push(text!(
                "Resolve the unknown outcomes first: `postpay resolve` shows what the account has.",
                "请先处理结果未知的订单：`postpay resolve` 会显示账号中的实际情况。"
            ));
            lines.push(text!(
                "`postpay plan` shows them as unknown; postpay will not retry them automatically.",
                "`postpay plan` 会把它们显示为结果未知；postpay 不会自动重试。"
            ));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn every_outcome_has_a_word_of_its_own_in_both_languages() {
        let what = [What::Renamed, What::Destroyed, What::WasGone, What::Isolated, What::BeingDestroyed];
        let actions = [Action::Forget, Action::Import, Action::Move, Action::Update];
        let words: Vec<Text> = what
            .map(word)
            .into_iter()
            .chain(actions.map(recorded))
            .chain([ORDERED, FAILED, NOT_ATTEMPTED])
            .collect();
        for lang in [Lang::En, Lang::Zh] {
            let mut said: Vec<&str> = words.iter().map(|word| word.in_lang(lang)).collect();
            said.sort_unstable();
            said.dedup();
            assert_eq!(said.len(), words.len(), "{said:?}");
            let chinese = |word: &&str| word.chars().all(|c| c >= '\u{4e00}');
            let expected = if lang == Lang::Zh { said.len() } else { 0 };
            assert_eq!(said.iter().filter(|word| chinese(word)).count(), expected);
        }
    }
}
