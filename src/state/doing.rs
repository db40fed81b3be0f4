//! What was being done to a file when the system refused it, in words that fit between "can't" and the path, or after "无法".

use crate::lang::Text;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    AddTo,
    Clear,
    Create,
    CreateFolder,
    CutBack,
    CutTornLine,
    FileJournal,
    FollowLink,
    List,
    Lock,
    LookAtLock,
    LookFor,
    MoveInto,
    Open,
    Read,
    Remove,
    Replace,
    SyncFolder,
    UseAsState,
    Write,
    WriteAsJson,
    WriteBeside,
    WriteFirstLine,
}

impl Doing {
    pub const fn text(self) -> Text {
        match self {
            Self::AddTo => Text::fixed("add to", "追加写入"),
            Self::Clear => Text::fixed("clear", "清空"),
            Self::Create => Text::fixed("create", "创建"),
            Self::CreateFolder => Text::fixed("create the folder", "创建目录"),
            Self::CutBack => Text::fixed("cut back", "截回"),
            Self::CutTornLine => Text::fixed("cut the torn line off", "截去残缺的末行"),
            Self::FileJournal => Text::fixed("file the journal as", "将日志归档于此"),
            Self::FollowLink => Text::fixed("follow the link", "跟随链接"),
            Self::List => Text::fixed("list", "列出"),
            Self::Lock => Text::fixed("lock", "锁定"),
            Self::LookAtLock => Text::fixed("look at the lock", "查看锁"),
            Self::LookFor => Text::fixed("look for", "查找"),
            Self::MoveInto => Text::fixed("move a file of the state into", "将状态文件移入"),
            Self::Open => Text::fixed("open", "打开"),
            Self::Read => Text::fixed("read", "读取"),
            Self::Remove => Text::fixed("remove", "删除"),
            Self::Replace => Text::fixed("replace", "替换"),
            Self::SyncFolder => Text::fixed("sync the folder", "将目录同步到磁盘"),
            Self::UseAsState => Text::fixed("use as a state", "用作状态文件"),
            Self::Write => Text::fixed("write", "写入"),
            Self::WriteAsJson => Text::fixed("write as JSON", "写成 JSON"),
            Self::WriteBeside => Text::fixed("write beside", "写入它的临时文件"),
            Self::WriteFirstLine => Text::fixed("write the first line of", "写入首行"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_it_is_said_in_both_languages() {
        use Doing as D;
        for doing in [
            D::AddTo,
            D::Clear,
            D::Create,
            D::CreateFolder,
            D::CutBack,
            D::CutTornLine,
            D::FileJournal,
            D::FollowLink,
            D::List,
            D::Lock,
            D::LookAtLock,
            D::LookFor,
            D::MoveInto,
            D::Open,
            D::Read,
            D::Remove,
            D::Replace,
            D::SyncFolder,
            D::UseAsState,
            D::Write,
            D::WriteAsJson,
            D::WriteBeside,
            D::WriteFirstLine,
        ] {
            assert!(doing.text().is_in_both(), "{doing:?}");
        }
    }
}
