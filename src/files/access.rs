//! What a file is opened for, and why it is not.

use std::{fmt, io};

use crate::lang::{Text, text};

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    ReadWrite,
    /// To write at its end.
    Append,
}

/// What a file is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Link,
    /// A folder of the path is a link.
    FolderLink,
    /// A pipe, a socket or a device, or what a kernel makes up while it is read.
    NoRegularFile,
    /// Another name leads to it, and whoever has that name would find it changed.
    SeveralNames,
    TooLarge {
        most: u64,
    },
}

impl Refusal {
    pub fn text(self) -> Text {
        match self {
            Self::Link => text!("it is a symbolic link; remove it", "它是符号链接：请删除它"),
            Self::FolderLink => {
                text!("its path contains a symbolic link", "其路径中的某个目录是符号链接")
            }
            Self::NoRegularFile => text!("it is not a regular file", "它不是普通文件"),
            Self::SeveralNames => text!(
                "it has another name (a hard link): replace it by a copy",
                "它还有另一个名称（硬链接），写入会改动那一处：请换成一份副本"
            ),
            Self::TooLarge { most } => {
                let most = most / MIB;
                text!("it is larger than {most} MiB", "它超过了 {most} MiB")
            }
        }
    }

    /// The refusal that an error is; None for one of the system's.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref::<Self>().copied()
    }
}

pub(super) const MIB: u64 = 1024 * 1024;

/// English, and Chinese as `{:#}`.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(io::ErrorKind::InvalidInput, refusal)
    }
}
