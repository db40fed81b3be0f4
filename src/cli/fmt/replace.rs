//! A file replaced by another text whole: after a crash it holds the old one or the new one.

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::path::Path;

use crate::files::{self, Links, TempFile};
use crate::i18n::text;
use crate::manifest;

/// Replaces the text of the file at `target`, which was `old`: where links led to it, they stay.
pub(super) fn replace(target: &Path, old: &str, new: &str) -> io::Result<()> {
    let metadata = fs::symlink_metadata(target)?;
    // The folder might let us replace it all the same; whoever took the right to write away meant the file.
    if metadata.permissions().readonly() {
        let why = text!("it is read-only");
        return Err(files::error(io::ErrorKind::PermissionDenied, why));
    }
    let folder = target.parent().unwrap_or(Path::new("."));
    // Hidden, and without a manifest's ending: what a crash leaves of it is never read as one.
    let mut temp = TempFile::create(target, ".postpay-fmt-", files::PRIVATE)?;
    let file = temp.file()?;
    file.write_all(new.as_bytes())?;
    as_it_was(file, &metadata)?;
    file.sync_all()?;
    // An editor may have saved it while we looked at it: its text is newer than ours.
    if files::read(target, Links::Refused, manifest::MAX_BYTES)? != old.as_bytes() {
        let why = text!("it was changed in the meantime");
        return Err(files::error(io::ErrorKind::Other, why));
    }
    temp.replace()?;
    // Elsewhere a folder can't be opened, and the file system orders its own names.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Gives the new file the owner and the permissions of the old one.
fn as_it_was(file: &File, metadata: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, fchown};
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (metadata.uid(), metadata.gid()) {
            // Only root can. For anyone else the new file is theirs, with the permissions that the old one had.
            let _ = fchown(file, Some(metadata.uid()), Some(metadata.gid()));
        }
    }
    file.set_permissions(metadata.permissions())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_newer_than_the_one_that_was_read_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        fs::write(&path, "saved since\n").unwrap();
        let error = replace(&path, "as it was read\n", "laid out\n").unwrap_err();
        assert_eq!(error.to_string(), "it was changed in the meantime");
        assert_eq!(fs::read_to_string(&path).unwrap(), "saved since\n");
        replace(&path, "saved since\n", "laid out\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "laid out\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
