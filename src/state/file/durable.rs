//! Writing so that a crash leaves the old or the new, never something between. Knows nothing of what is written.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::crash;
use crate::lang::Text;
use crate::state::Doing;
use crate::state::StateError;

/// Says what could not be done to which file.
pub(super) fn failed(doing: Doing, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::Io {
        doing,
        path,
        source,
    }
}

/// Our own reason, where the system has none to give.
pub(super) fn refused(kind: io::ErrorKind, why: Text) -> io::Error {
    #[derive(Debug, thiserror::Error)]
    struct Why(Text);

    impl fmt::Display for Why {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }

    io::Error::new(kind, Why(why))
}

/// Refuses a link in the place of a file that is written to as it stands. The state itself may be one; what lies beside it is
/// made by postpay, and a link there, which came with a repository, would have it write to a file of somebody else's.
pub(super) fn no_link(path: &Path) -> Result<(), StateError> {
    if path.is_symlink() {
        let why = Text::fixed(
            "it is a symbolic link, which only the state itself may be: remove it",
            "它是符号链接，只有状态文件本身可以是：请删除它",
        );
        return Err(failed(Doing::Open, path)(refused(
            io::ErrorKind::InvalidInput,
            why,
        )));
    }
    Ok(())
}

/// The whole file; None when there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(Doing::Read, path)(error)),
    }
}

/// Replaces the file at `path` with one that only its owner may read.
///
/// `prefix` starts the name of the new file until it is whole.
pub(super) fn replace(path: &Path, prefix: &str, bytes: &[u8]) -> Result<(), StateError> {
    let folder = folder_of(path);
    let mut file = tempfile::Builder::new()
        .prefix(prefix)
        .tempfile_in(folder)
        .map_err(failed(Doing::WriteBeside, path))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(failed(Doing::Write, path))?;
    crash::point(crash::FILE_WRITTEN);
    file.persist(path)
        .map_err(|error| failed(Doing::Replace, path)(error.error))?;
    crash::point(crash::FILE_RENAMED);
    sync_folder(folder)
}

/// Makes the folder and those above it, each on disk before the next.
pub(super) fn make_folder(folder: &Path) -> Result<(), StateError> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder_of(folder);
    if above != folder {
        make_folder(above)?;
    }
    match fs::create_dir(folder) {
        Ok(()) => sync_folder(above),
        Err(_) if folder.is_dir() => Ok(()),
        Err(error) => Err(failed(Doing::CreateFolder, folder)(error)),
    }
}

/// Opens for reading and writing a file that only its owner may read, making it when it is missing.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// Puts on disk which names a folder holds.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StateError> {
    // Elsewhere a folder can't be opened, and the file system orders its own names.
    if cfg!(unix) {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed(Doing::SyncFolder, folder))?;
    }
    Ok(())
}

/// The folder that holds `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// Removes what writers left that were killed while they wrote. Only for the holder of the lock.
pub(super) fn sweep(folder: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            // In nobody's way where it can't be removed.
            let _ = fs::remove_file(entry.path());
        }
    }
}
