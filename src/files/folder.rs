//! An open folder, and operations on the names in it.
//!
//! A checked path may lead elsewhere a moment later. So each part is opened relative to the one before,
//! rejecting links, and the last part is used relative to the open folder.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;

use uuid::Uuid;

use super::access::Access;
#[cfg(not(unix))]
pub(super) use plain::{Folder, follow};
#[cfg(unix)]
pub(super) use unix::{Folder, follow};

/// How a file is created.
#[derive(Debug, Clone, Copy)]
pub(super) struct Make {
    pub(super) mode: u32,
    pub(super) access: Access,
}

/// Opens the folder of a path, and returns the name in it.
pub(super) fn split(path: &Path) -> io::Result<(Folder, &OsStr)> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((Folder::open(folder)?, name))
}

/// A temporary file that gets its name once it is complete. It is removed if that never happens.
#[derive(Debug)]
pub struct TempFile {
    folder: Folder,
    temporary: OsString,
    name: OsString,
    /// None once it has its name.
    file: Option<File>,
}

impl TempFile {
    /// Creates the file in the folder of `path`, with a name that starts with `prefix`.
    ///
    /// # Errors
    /// The system's, and when a folder of the path is a link.
    pub fn create(path: &Path, prefix: &str, mode: u32) -> io::Result<Self> {
        let (folder, name) = split(path)?;
        let temporary = OsString::from(format!("{prefix}{}", Uuid::now_v7().simple()));
        let access = Access::Append;
        let file = folder.make_file(&temporary, Make { mode, access })?;
        Ok(Self { folder, temporary, name: name.to_owned(), file: Some(file) })
    }

    /// Returns the file, for writing at its end.
    ///
    /// # Errors
    /// None, until it has its name.
    pub fn file(&mut self) -> io::Result<&mut File> {
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Renames the file, replacing an existing file of that name. A link is replaced, not followed.
    ///
    /// # Errors
    /// The system's; the file is then removed.
    pub fn replace(mut self) -> io::Result<()> {
        let (folder, name) = (&self.folder, self.name.as_os_str());
        folder.rename(&self.temporary, folder, name)?;
        self.file = None;
        Ok(())
    }

    /// Renames the file. Fails if the name exists.
    ///
    /// # Errors
    /// The system's; the file is then removed.
    pub fn persist_new(mut self) -> io::Result<File> {
        self.folder.rename_new(&self.temporary, &self.name)?;
        self.file.take().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if self.file.is_some() {
            // Harmless when it can't be removed.
            let _ = self.folder.remove(&self.temporary);
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::path::{Component, Path};

    use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
    use rustix::io::Errno;

    use crate::files::access::{Access, Refusal};
    use crate::files::folder::Make;

    /// Allows opening files in a folder, even when it can't be listed.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const SEARCH: OFlags = OFlags::PATH;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const SEARCH: OFlags = OFlags::RDONLY;

    #[derive(Debug)]
    pub(in crate::files) struct Folder(OwnedFd);

    impl Folder {
        pub(in crate::files) fn open(path: &Path) -> io::Result<Self> {
            let flags = SEARCH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mut at = None;
            for part in path.components() {
                if part == Component::CurDir && at.is_some() {
                    continue;
                }
                let name = part.as_os_str();
                let from = at.as_ref().map_or(CWD, |Self(at)| std::os::fd::AsFd::as_fd(at));
                let next = rustix::fs::openat(from, name, flags, Mode::empty());
                let is_link = || {
                    let seen = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW);
                    seen.is_ok_and(|it| FileType::from_raw_mode(it.st_mode) == FileType::Symlink)
                };
                let next = match next {
                    // The error for a link depends on the system.
                    Err(Errno::LOOP | Errno::NOTDIR | Errno::MLINK) if is_link() => {
                        return Err(Refusal::FolderLink.into());
                    }
                    next => next?,
                };
                at = Some(Self(next));
            }
            at.ok_or_else(|| io::ErrorKind::InvalidInput.into())
        }

        pub(in crate::files) fn open_file(&self, name: &OsStr, access: Access) -> io::Result<File> {
            let flags = flags(access) | OFlags::NOFOLLOW;
            opened(rustix::fs::openat(&self.0, name, flags, Mode::empty()))
        }

        pub(in crate::files) fn make_file(&self, name: &OsStr, make: Make) -> io::Result<File> {
            let flags = flags(make.access) | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
            opened(rustix::fs::openat(&self.0, name, flags, mode(make.mode)))
        }

        pub(in crate::files) fn make_folder(&self, name: &OsStr, bits: u32) -> io::Result<()> {
            Ok(rustix::fs::mkdirat(&self.0, name, mode(bits))?)
        }

        pub(in crate::files) fn rename(&self, name: &OsStr, into: &Self, new: &OsStr) -> io::Result<()> {
            Ok(rustix::fs::renameat(&self.0, name, &into.0, new)?)
        }

        /// Fails if the new name exists.
        pub(in crate::files) fn rename_new(&self, name: &OsStr, new: &OsStr) -> io::Result<()> {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            {
                let flags = rustix::fs::RenameFlags::NOREPLACE;
                match rustix::fs::renameat_with(&self.0, name, &self.0, new, flags) {
                    Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP | Errno::PERM) => {}
                    renamed => return Ok(renamed?),
                }
            }
            rustix::fs::linkat(&self.0, name, &self.0, new, AtFlags::empty())?;
            self.remove(name)
        }

        pub(in crate::files) fn remove(&self, name: &OsStr) -> io::Result<()> {
            Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
        }
    }

    /// Opens a path, following links.
    pub(in crate::files) fn follow(path: &Path, access: Access) -> io::Result<File> {
        match rustix::fs::open(path, flags(access), Mode::empty()) {
            Err(Errno::LOOP) => Err(Errno::LOOP.into()),
            file => opened(file),
        }
    }

    fn flags(access: Access) -> OFlags {
        let access = match access {
            Access::Read => OFlags::RDONLY,
            Access::ReadWrite => OFlags::RDWR,
            Access::Append => OFlags::WRONLY | OFlags::APPEND,
        };
        access | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK
    }

    fn mode(bits: u32) -> Mode {
        Mode::from_bits_truncate(rustix::fs::RawMode::try_from(bits).unwrap_or_default())
    }

    fn opened(file: Result<OwnedFd, Errno>) -> io::Result<File> {
        match file {
            Ok(file) => Ok(file.into()),
            Err(Errno::LOOP | Errno::MLINK) => Err(Refusal::Link.into()),
            // A pipe without a reader, a socket, or a missing device.
            Err(Errno::NXIO) => Err(Refusal::NoRegularFile.into()),
            Err(error) => Err(error.into()),
        }
    }
}

/// For systems that can't open a file relative to an open folder: checks for links first.
#[cfg(not(unix))]
mod plain {
    use std::ffi::OsStr;
    use std::fs::{self, File, OpenOptions};
    use std::io;
    use std::path::{Path, PathBuf};

    use crate::files::access::{Access, Refusal};
    use crate::files::folder::Make;

    #[derive(Debug)]
    pub(in crate::files) struct Folder(PathBuf);

    impl Folder {
        pub(in crate::files) fn open(path: &Path) -> io::Result<Self> {
            for part in path.ancestors().filter(|it| !it.as_os_str().is_empty()) {
                if fs::symlink_metadata(part)?.is_symlink() {
                    return Err(Refusal::FolderLink.into());
                }
            }
            if fs::metadata(path)?.is_dir() {
                Ok(Self(path.to_owned()))
            } else {
                Err(io::ErrorKind::NotADirectory.into())
            }
        }

        pub(in crate::files) fn open_file(&self, name: &OsStr, access: Access) -> io::Result<File> {
            let path = self.0.join(name);
            if fs::symlink_metadata(&path)?.is_symlink() {
                return Err(Refusal::Link.into());
            }
            follow(&path, access)
        }

        pub(in crate::files) fn make_file(&self, name: &OsStr, make: Make) -> io::Result<File> {
            let Make { mode: _, access } = make;
            open_options(access).write(true).create_new(true).open(self.0.join(name))
        }

        pub(in crate::files) fn make_folder(&self, name: &OsStr, _mode: u32) -> io::Result<()> {
            fs::create_dir(self.0.join(name))
        }

        pub(in crate::files) fn rename(&self, name: &OsStr, into: &Self, new: &OsStr) -> io::Result<()> {
            fs::rename(self.0.join(name), into.0.join(new))
        }

        pub(in crate::files) fn rename_new(&self, name: &OsStr, new: &OsStr) -> io::Result<()> {
            fs::hard_link(self.0.join(name), self.0.join(new))?;
            self.remove(name)
        }

        pub(in crate::files) fn remove(&self, name: &OsStr) -> io::Result<()> {
            fs::remove_file(self.0.join(name))
        }
    }

    pub(in crate::files) fn follow(path: &Path, access: Access) -> io::Result<File> {
        open_options(access).open(path)
    }

    fn open_options(access: Access) -> OpenOptions {
        let mut options = OpenOptions::new();
        match access {
            Access::Read => options.read(true),
            Access::ReadWrite => options.read(true).write(true),
            Access::Append => options.append(true),
        };
        options
    }
}
