//! A folder that was opened without following a link, and what is done in it by name.
//!
//! A path that was checked may lead elsewhere a moment later. So every part of it is opened from the part before, and what is a
//! link is refused; the last part is then used in the folder that is open, wherever its path leads by now.

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

/// How a file is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Make {
    pub(super) mode: u32,
    pub(super) access: Access,
}

/// The folder of a path, and the name in it.
pub(super) fn split(path: &Path) -> io::Result<(Folder, &OsStr)> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((Folder::open(folder)?, name))
}

/// A new file that gets its name when it is whole. It is removed if that never happens.
#[derive(Debug)]
pub struct Unnamed {
    folder: Folder,
    temporary: OsString,
    name: OsString,
    /// None once it has its name.
    file: Option<File>,
}

impl Unnamed {
    /// Makes the file in the folder of `path`, under a name that starts with `prefix`.
    ///
    /// # Errors
    /// As the system says, and when a folder of the path is a link.
    pub fn make(path: &Path, prefix: &str, mode: u32) -> io::Result<Self> {
        let (folder, name) = split(path)?;
        let temporary = OsString::from(format!("{prefix}{}", Uuid::now_v7().simple()));
        let access = Access::Append;
        let file = folder.make_file(&temporary, Make { mode, access })?;
        Ok(Self { folder, temporary, name: name.to_owned(), file: Some(file) })
    }

    /// The file, to be written at its end.
    ///
    /// # Errors
    /// Never, before it has its name.
    pub fn file(&mut self) -> io::Result<&mut File> {
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Gives it its name, in the place of whatever had it. A link is replaced itself, and not followed.
    ///
    /// # Errors
    /// As the system says; the file is removed then.
    pub fn replace(mut self) -> io::Result<()> {
        let (folder, name) = (&self.folder, self.name.as_os_str());
        folder.rename(&self.temporary, folder, name)?;
        self.file = None;
        Ok(())
    }

    /// Gives it its name, which nothing may have.
    ///
    /// # Errors
    /// As the system says; the file is removed then.
    pub fn name(mut self) -> io::Result<File> {
        self.folder.rename_new(&self.temporary, &self.name)?;
        self.file.take().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        if self.file.is_some() {
            // In nobody's way where it can't be removed.
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

    /// Enough to open what is in a folder, also where its names can't be read.
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
                    // Which of them a link gives differs by system.
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
            let flags = of(access) | OFlags::NOFOLLOW;
            opened(rustix::fs::openat(&self.0, name, flags, Mode::empty()))
        }

        pub(in crate::files) fn make_file(&self, name: &OsStr, make: Make) -> io::Result<File> {
            let flags = of(make.access) | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
            opened(rustix::fs::openat(&self.0, name, flags, mode(make.mode)))
        }

        pub(in crate::files) fn make_folder(&self, name: &OsStr, bits: u32) -> io::Result<()> {
            Ok(rustix::fs::mkdirat(&self.0, name, mode(bits))?)
        }

        pub(in crate::files) fn rename(&self, name: &OsStr, into: &Self, new: &OsStr) -> io::Result<()> {
            Ok(rustix::fs::renameat(&self.0, name, &into.0, new)?)
        }

        /// Where nothing has that name yet.
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

    /// Opens what a path leads to.
    pub(in crate::files) fn follow(path: &Path, access: Access) -> io::Result<File> {
        match rustix::fs::open(path, of(access), Mode::empty()) {
            Err(Errno::LOOP) => Err(Errno::LOOP.into()),
            file => opened(file),
        }
    }

    fn of(access: Access) -> OFlags {
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
            // A pipe without a reader, a socket, a device that is not there.
            Err(Errno::NXIO) => Err(Refusal::NoRegularFile.into()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Where the system has no way to open a file from an open folder: links are looked for before.
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
            of(access).write(true).create_new(true).open(self.0.join(name))
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
        of(access).open(path)
    }

    fn of(access: Access) -> OpenOptions {
        let mut options = OpenOptions::new();
        match access {
            Access::Read => options.read(true),
            Access::ReadWrite => options.read(true).write(true),
            Access::Append => options.append(true),
        };
        options
    }
}
