//! What a page says itself, as opposed to what it shows. Codes and commands stay as they are in every language.

use crate::apply::CallKind;
use crate::lang::{Text, text};
use crate::report::page::{Kind, Level, Tone};

pub(in crate::report) fn findings() -> Text {
    text!("Findings", "需要留意")
}

pub(in crate::report) fn timeline() -> Text {
    text!("Timeline of requests", "请求时间线")
}

pub(in crate::report) fn entries(kind: Kind) -> Text {
    match kind {
        Kind::Plan | Kind::Apply | Kind::State => text!("Environments", "环境"),
        Kind::Drift => text!("Drift", "漂移"),
        Kind::Validate => text!("Files", "文件"),
    }
}

pub(in crate::report) fn requests() -> Text {
    text!("Requests to be sent", "将要发出的请求")
}

pub(in crate::report) fn tone(tone: Tone) -> Text {
    match tone {
        Tone::Bad => text!("needs attention", "需要处理"),
        Tone::Change => text!("review", "请查看"),
        Tone::Good | Tone::Plain => text!("OK", "正常"),
    }
}

pub(in crate::report) fn level(level: Level) -> Text {
    match level {
        Level::Error => text!("error", "错误"),
        Level::Warning => text!("warning", "警告"),
        Level::Note => text!("note", "提示"),
    }
}

/// What became of a request.
pub(in crate::report) fn call(kind: CallKind) -> Text {
    match kind {
        CallKind::Taken => text!("accepted", "已受理"),
        CallKind::Throttled => text!("throttled", "被限流"),
        CallKind::NotSent => text!("not sent", "未送达"),
        CallKind::Refused => text!("rejected", "被拒绝"),
        CallKind::Unknown => text!("unknown", "结果未知"),
    }
}

/// A word of the plan. One that is not known here is shown as it is.
pub(in crate::report) fn action(word: &'static str) -> Text {
    match word {
        "create" => text!("create", "创建"),
        "update" => text!("update", "变更"),
        "replace" => text!("replace", "替换"),
        "destroy" => text!("destroy", "销毁"),
        "forget" => text!("forget", "移出记录"),
        "import" => text!("import", "导入"),
        "move" => text!("move", "改地址"),
        "resolve" => text!("resolve", "待确认"),
        "wait" => text!("wait", "等待"),
        "no-op" => text!("no-op", "无变更"),
        "left-over" => text!("not in the configuration", "不在配置中"),
        "created" => text!("created", "已创建"),
        "awaiting_env_id" => text!("awaiting env id", "等待 EnvId"),
        "unknown" => text!("unknown", "结果未知"),
        "isolated" => text!("isolated", "已隔离"),
        "destroying" => text!("destroying", "销毁中"),
        "valid" => text!("valid", "有效"),
        "not-valid" => text!("invalid", "无效"),
        other => Text::same(other),
    }
}

/// What a page that is limited in length had no room for: findings by level, requests, entries by action.
pub(in crate::report) fn left_out(what: &'static str) -> Text {
    match what {
        "error" => text!("error", "错误"),
        "warning" => text!("warning", "警告"),
        "note" => text!("note", "说明"),
        "request" => text!("request", "请求"),
        other => action(other),
    }
}

/// The two groups by which entries of this kind are filtered.
pub(in crate::report) fn groups(kind: Kind) -> (Text, Option<Text>) {
    match kind {
        Kind::Plan => (text!("Action", "操作"), None),
        Kind::Apply => (text!("Action", "操作"), Some(text!("Outcome", "结果"))),
        Kind::Drift => (text!("What", "类型"), Some(text!("Counted", "是否计入"))),
        Kind::Validate => (text!("Result", "结果"), None),
        Kind::State => (text!("Status", "状态"), None),
    }
}

/// What became of a step, or whether a difference counts. One that is not known here is shown as it is.
pub(in crate::report) fn reason(word: &'static str) -> Text {
    match word {
        "ordered" | "created" => text!("created", "已创建"),
        "renamed" => text!("updated", "已更新"),
        "destroyed" | "given_up" => text!("destroyed", "已销毁"),
        "was_gone" => text!("already destroyed", "早已销毁"),
        "isolated" => text!("isolated", "已隔离"),
        "being_destroyed" => text!("being destroyed", "销毁中"),
        "recorded" => text!("recorded", "已记录"),
        "failed" => text!("failed", "失败"),
        "unknown" => text!("unknown", "结果未知"),
        "not_attempted" => text!("not attempted", "未执行"),
        "counts" => text!("counted", "计入"),
        "told" => text!("not counted", "仅提示"),
        "ignored" => text!("ignored", "已忽略"),
        "not_ordered" => text!("not created", "尚未创建"),
        "destroying" => text!("destroying", "销毁中"),
        "unchanged" => text!("unchanged", "无变化"),
        "awaiting_env_id" => text!("awaiting env id", "等待 EnvId"),
        "outcome_unknown" => text!("outcome unknown", "结果未知"),
        "replace_because_cannot_update" => text!("forces replacement", "需要替换"),
        "replace_by_request" => text!("replacement requested", "要求替换"),
        "alias_changed" => text!("alias changed", "别名已改"),
        "protection_changed" => text!("protection changed", "销毁保护已改"),
        "moved" => text!("moved", "已改地址"),
        "import_declared" => text!("import declared", "声明了导入"),
        "removed" => text!("removed", "移出管理"),
        "delete_because_no_resource_config" => {
            text!("not in the configuration", "不在配置中")
        }
        "delete_by_request" => text!("destroy requested", "要求销毁"),
        "deposed" => text!("deposed", "已被替换"),
        "valid" => text!("valid", "有效"),
        "not_valid" => text!("invalid", "无效"),
        "valid_with_warnings" => text!("valid, with warnings", "有效，但有警告"),
        other => Text::same(other),
    }
}

/// The name of a fact. One that is not known here is shown as it is.
pub(in crate::report) fn fact(name: &str) -> Text {
    match name {
        "endpoint" => text!("endpoint", "端点"),
        "state" => text!("state", "状态文件"),
        "serial" => text!("serial", "序号"),
        "made" => text!("created at", "生成时间"),
        "run" => text!("run", "运行"),
        "took" => text!("duration", "用时"),
        "folder" => text!("folder", "目录"),
        "commit" => text!("commit", "提交"),
        "declared" => text!("declared", "清单中声明"),
        "recorded" => text!("in the state", "状态文件中"),
        "account" => text!("account", "账号"),
        "looked" => text!("account read", "是否查看账号"),
        "listed" => text!("in the account", "账号中"),
        "lineage" => text!("lineage", "lineage"),
        other => Text::same(other.to_owned()),
    }
}
