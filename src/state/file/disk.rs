//! Writing files so that a crash leaves the old or the new one, and nothing between.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use uuid::Uuid;

use crate::crash;
use crate::files::{self, Access, Links, Refusal, Unnamed};
use crate::i18n::Text;
use crate::state::error::{IoOp, StateError};

/// Far more than a hundred thousand environments need, and far less than a device has, in bytes.
pub const MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// As [`IoOp::failed`], for a file that is not as a store makes its files. A link that came with a repository would have us
/// write to somebody else's file; the state itself may be one, and is followed before it gets here.
pub(super) fn failed(op: IoOp, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let fail = op.failed(path);
    move |error| match Refusal::of(&error) {
        Some(Refusal::Link) => {
            let why = Text::fixed(
                "it is a symbolic link, which is only allowed for the state file: replace the link with the file it points to",
            );
            fail(files::error(io::ErrorKind::InvalidInput, why))
        }
        Some(_) | None => fail(error),
    }
}

/// The whole file; None when there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match files::read(path, Links::Refused, MAX_BYTES) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(IoOp::Read, path)(error)),
    }
}

/// Replaces the file at `path` with one that only its owner may read. Its name starts with `prefix` until it is whole.
pub(super) fn replace(path: &Path, prefix: &str, bytes: &[u8]) -> Result<(), StateError> {
    let mut unnamed = Unnamed::make(path, prefix, files::PRIVATE).map_err(failed(IoOp::Write, path))?;
    let written = unnamed.file().and_then(|file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(failed(IoOp::Write, path))?;
    crash::point(crash::FILE_WRITTEN);
    unnamed.replace().map_err(failed(IoOp::Write, path))?;
    crash::point(crash::FILE_RENAMED);
    sync_folder(folder_of(path))
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
    files::make_folder(folder, files::PRIVATE_FOLDER).map_err(failed(IoOp::CreateFolder, folder))?;
    sync_folder(above)
}

/// Returns whether a folder is there; an error where something else is, a link to a folder included.
pub(super) fn is_own_folder(folder: &Path) -> Result<bool, StateError> {
    let error = match fs::symlink_metadata(folder) {
        Ok(there) if there.is_dir() => return Ok(true),
        Ok(there) if there.is_symlink() => Refusal::Link.into(),
        Ok(_) => io::ErrorKind::NotADirectory.into(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => error,
    };
    Err(failed(IoOp::List, folder)(error))
}

/// Fails when a file of `folder` can't be moved into the folder `into`, which may be another file system.
pub(super) fn check_movable(folder: &Path, into: &Path, prefix: &str) -> Result<(), StateError> {
    let name = format!("{prefix}{}", Uuid::now_v7().simple());
    let (probe, moved) = (folder.join(&name), into.join(&name));
    files::make(&probe, files::PRIVATE, Access::Append).map_err(failed(IoOp::Create, folder))?;
    if let Err(error) = files::rename(&probe, &moved) {
        let _ = files::remove(&probe);
        return Err(failed(IoOp::MoveInto, into)(error));
    }
    files::remove(&moved).map_err(failed(IoOp::Remove, &moved))
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StateError> {
    // Elsewhere a folder can't be opened, and the file system orders its own names.
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(IoOp::Write, folder))?;
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
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            // In nobody's way where it can't be removed.
            let _ = files::remove(&entry.path());
        }
    }
}
