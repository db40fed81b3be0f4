//! Writes files atomically: a crash leaves either the old or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use uuid::Uuid;

use crate::crash;
use crate::files::{self, Access, Links, Refusal, TempFile};
use crate::i18n::Text;
use crate::state::error::{IoOp, StateError};

/// Far more than 100,000 environments need, in bytes.
pub const MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// Like [`IoOp::failed`], for a file that the store must own. A link from a repository would redirect our
/// writes to another file. The state itself may be a link and is resolved before.
pub(super) fn failed(op: IoOp, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let fail = op.failed(path);
    move |error| match Refusal::from_error(&error) {
        Some(Refusal::Link) => {
            let why = Text::fixed(
                "it is a symbolic link, which is only allowed for the state file: replace the link with the file it points to",
            );
            fail(files::error(io::ErrorKind::InvalidInput, why))
        }
        Some(_) | None => fail(error),
    }
}

/// Reads the whole file; None when there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match files::read(path, Links::Refused, MAX_BYTES) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(IoOp::Read, path)(error)),
    }
}

/// Replaces the file at `path` by one that only its owner may read. Its temporary name starts with `prefix`.
pub(super) fn replace(path: &Path, prefix: &str, bytes: &[u8]) -> Result<(), StateError> {
    let mut temp = TempFile::create(path, prefix, files::PRIVATE).map_err(failed(IoOp::Write, path))?;
    let written = temp.file().and_then(|file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(failed(IoOp::Write, path))?;
    crash::point(crash::FILE_WRITTEN);
    temp.replace().map_err(failed(IoOp::Write, path))?;
    crash::point(crash::FILE_RENAMED);
    sync_folder(folder_of(path))
}

/// Creates the folder and its parents, private to the owner, each durable before the next.
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

/// Returns whether a folder is there; an error when something else is, such as a link to a folder.
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

/// Fails when files of `folder` can't be moved into `into`, which may be on another file system.
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

/// Makes the entries of a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StateError> {
    // Other systems can't open a folder, and their file systems order names themselves.
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(IoOp::Write, folder))?;
    }
    Ok(())
}

/// Returns the folder of `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// Removes temporary files of killed writers. Only for the holder of the lock.
pub(super) fn sweep(folder: &Path, prefix: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            // Harmless when it can't be removed.
            let _ = files::remove(&entry.path());
        }
    }
}
