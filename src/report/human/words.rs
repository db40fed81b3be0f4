//! Statuses and results by name.
//!
//! Files, JSON and the documentation have the English names, so Chinese shows both: `未知 (unknown)`.

use crate::i18n::Text;
use crate::state::history::RequestResult;
use crate::state::journal::Evidence;
use crate::state::{Origin, Record, Status};

/// The status of a record; an imported one is named so.
pub(super) fn standing(record: &Record) -> Text {
    match (record.status, record.origin) {
        (Status::Created, Origin::Imported) => both("已导入", "imported"),
        (
            status @ (Status::Created
            | Status::AwaitingEnvId
            | Status::Unknown
            | Status::Isolated
            | Status::Destroying),
            Origin::Ordered | Origin::Imported,
        ) => self::status(status),
    }
}

/// The name of a status.
pub(super) fn status(status: Status) -> Text {
    let zh = match status {
        Status::Created => "已创建",
        Status::AwaitingEnvId => "等待 EnvId",
        Status::Unknown => "结果未知",
        Status::Isolated => "已隔离",
        Status::Destroying => "销毁中",
    };
    both(zh, status.name())
}

/// How a request ended.
pub(super) fn found(found: RequestResult) -> Text {
    let zh = match found {
        RequestResult::Answered(evidence) => self::evidence(evidence),
        RequestResult::InProgress => "进行中",
        RequestResult::Lost => "应答丢失",
        RequestResult::InState(status) => return self::status(status),
    };
    both(zh, found.name())
}

/// What a response proves, in Chinese.
pub(super) const fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Ordered => "已订购",
        Evidence::Done => "已完成",
        Evidence::Refused => "被拒绝",
        Evidence::NotSent => "未发送",
        Evidence::Unknown => "结果未知",
    }
}

fn both(zh: &str, name: &'static str) -> Text {
    Text::new(name, format!("{zh} ({name})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    #[test]
    fn names_have_a_chinese_word_and_keep_the_english_one() {
        let status =
            [Status::Created, Status::AwaitingEnvId, Status::Unknown, Status::Isolated, Status::Destroying];
        let evidence =
            [Evidence::Ordered, Evidence::Done, Evidence::Refused, Evidence::NotSent, Evidence::Unknown];
        let found = evidence
            .map(RequestResult::Answered)
            .into_iter()
            .chain(status.map(RequestResult::InState))
            .chain([RequestResult::InProgress, RequestResult::Lost]);
        let words = found.map(self::found).chain(status.map(self::status));
        for word in words {
            let (en, zh) = (word.en(), word.in_lang(Lang::Zh));
            assert!(zh.ends_with(&format!(" ({en})")), "{zh}");
            assert!(zh.starts_with(|c| c >= '\u{4e00}'), "{zh}");
        }
    }
}
