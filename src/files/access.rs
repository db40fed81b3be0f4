//! What a file is opened for, and why it is not.

use std::{fmt, io};

use crate::i18n::{Text, text};

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
            Self::Link => text!("it is a symbolic link; remove it"),
            Self::FolderLink => {
                text!("its path contains a symbolic link")
            }
            Self::NoRegularFile => text!("it is not a regular file"),
            Self::SeveralNames => text!("it has another name (a hard link): replace it by a copy"),
            Self::TooLarge { most } => {
                let most = most / MIB;
                text!("it is larger than {most} MiB", most)
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
