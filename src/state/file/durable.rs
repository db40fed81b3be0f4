//! Writing so that a crash leaves the old or the new, never something between. Knows nothing of what is written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use uuid::Uuid;

use crate::crash;
use crate::files::{self, Access, Links, Refusal, Unnamed};
use crate::lang::Text;
use crate::state::Doing;
use crate::state::StateError;

/// Says what could not be done to which file.
pub(super) fn failed(doing: Doing, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::Io { doing, path, source }
}

/// Far more than a hundred thousand environments need, and far less than a device has.
pub const MOST: u64 = 1024 * 1024 * 1024;

/// What is wrong with a file that is not as a store makes its files. A link that came with a repository would have us write to a
/// file of somebody else's, or take it for one of ours; the state itself may be one, and is followed before it gets here.
pub(super) fn not_ours(error: io::Error) -> io::Error {
    match Refusal::of(&error) {
        Some(Refusal::Link) => {
            let why = Text::fixed(
                "it is a symbolic link, which only the state itself may be: put what it leads to in its place",
                "它是符号链接，只有状态文件本身可以是：请把它指向的内容放到它的位置",
            );
            files::error(io::ErrorKind::InvalidInput, why)
        }
        Some(
            Refusal::NoRegularFile | Refusal::SeveralNames | Refusal::TooLarge { .. } | Refusal::FolderLink,
        )
        | None => error,
    }
}

/// The whole file; None when there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match files::read(path, Links::Refused, MOST) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(Doing::Read, path)(not_ours(error))),
    }
}

/// Opens a file of ours to write to it as it stands.
pub(super) fn open_own(path: &Path, access: Access) -> Result<File, StateError> {
    files::open_own(path, access).map_err(|error| failed(Doing::Open, path)(not_ours(error)))
}

/// Replaces the file at `path` with one that only its owner may read.
///
/// `prefix` starts the name of the new file until it is whole.
pub(super) fn replace(path: &Path, prefix: &str, bytes: &[u8]) -> Result<(), StateError> {
    let folder = folder_of(path);
    let mut unnamed = Unnamed::make(path, prefix, files::PRIVATE)
        .map_err(|error| failed(Doing::WriteBeside, path)(not_ours(error)))?;
    let written = unnamed.file().and_then(|file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(failed(Doing::Write, path))?;
    crash::point(crash::FILE_WRITTEN);
    unnamed.replace().map_err(failed(Doing::Replace, path))?;
    crash::point(crash::FILE_RENAMED);
    sync_folder(folder)
}

/// Makes the folder and those above it, each on disk before the next, and each for its owner alone.
pub(super) fn make_folder(folder: &Path) -> Result<(), StateError> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder_of(folder);
    if above != folder {
        make_folder(above)?;
    }
    files::make_folder(folder, files::PRIVATE_FOLDER)
        .map_err(|error| failed(Doing::CreateFolder, folder)(not_ours(error)))?;
    sync_folder(above)
}

/// Makes a folder of ours in one that is there. A link in its place would have receipts filed with somebody else.
pub(super) fn make_own_folder(folder: &Path) -> Result<(), StateError> {
    if is_own_folder(folder)? {
        return Ok(());
    }
    make_folder(folder)
}

/// Whether a folder of ours is there; an error where something else is.
pub(super) fn is_own_folder(folder: &Path) -> Result<bool, StateError> {
    let there = match fs::symlink_metadata(folder) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(Doing::List, folder)(error)),
    };
    if there.is_dir() {
        return Ok(true);
    }
    let error =
        if there.is_symlink() { not_ours(Refusal::Link.into()) } else { io::ErrorKind::NotADirectory.into() };
    Err(failed(Doing::List, folder)(error))
}

/// Fails when a file of `folder` can't be moved into the folder `into`, which may be another file system.
pub(super) fn check_movable(folder: &Path, into: &Path, prefix: &str) -> Result<(), StateError> {
    let name = format!("{prefix}{}", Uuid::now_v7().simple());
    let (probe, moved) = (folder.join(&name), into.join(&name));
    files::make(&probe, files::PRIVATE, Access::Append)
        .map_err(|error| failed(Doing::Create, folder)(not_ours(error)))?;
    if let Err(error) = files::rename(&probe, &moved) {
        let _ = files::remove(&probe);
        return Err(failed(Doing::MoveInto, into)(error));
    }
    files::remove(&moved).map_err(failed(Doing::Remove, &moved))
}

/// Puts on disk which names a folder holds.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StateError> {
    // Elsewhere a folder can't be opened, and the file system orders its own names.
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(Doing::SyncFolder, folder))?;
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
            let _ = files::remove(&entry.path());
        }
    }
}
