//! How files are opened, and why opening them is refused.

use std::{fmt, io};

use crate::i18n::{Text, text};

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    ReadWrite,
    /// For writing at its end.
    Append,
}

/// Why a file is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Link,
    /// A folder of the path is a link.
    FolderLink,
    /// A pipe, a socket, a device, or a file that the kernel generates.
    NoRegularFile,
    /// It has a hard link, so a change would affect another file name.
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

    /// Returns the refusal in an error; None for one of the system's.
    pub fn from_error(error: &io::Error) -> Option<Self> {
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
