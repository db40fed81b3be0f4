//! The folder that a command works in: that of the nearest project upwards.

use std::path::{Path, PathBuf};

use super::error::{Failure, NOTHING_SENT};
use crate::config;
use crate::i18n::text;

/// Changes to the folder of `--chdir`.
pub(super) fn change(folder: &Path) -> Result<(), Failure> {
    std::env::set_current_dir(folder).map_err(|error| {
        let folder = folder.display();
        let why = text!("cannot change to {folder}: {error}", folder, error);
        Failure::new("chdir", why).help(NOTHING_SENT)
    })
}

/// Changes to the nearest project upwards, unless this folder is one. Returns its path, and the way from it back to here.
pub(super) fn change_to_project() -> Result<Option<(PathBuf, PathBuf)>, Failure> {
    if is_project(Path::new(".")) {
        return Ok(None);
    }
    let found = std::fs::canonicalize(".").ok().and_then(|here| {
        let home = std::env::home_dir().and_then(|home| home.canonicalize().ok());
        let project = find_upwards(&here, home.as_deref())?.to_owned();
        let back = here.strip_prefix(&project).ok()?.to_owned();
        Some((project, back))
    });
    if let Some((project, _)) = &found {
        change(project)?;
    }
    Ok(found)
}

/// Whether a folder has settings or manifests. Settings that are not recognised are there all the same.
pub(super) fn is_project(folder: &Path) -> bool {
    folder.join(config::DEFAULT_MANIFESTS).symlink_metadata().is_ok()
        || !matches!(config::find(folder), Ok(None))
}

/// The search ends at the root of a repository, at the user's own folder, and below a folder of another user: its owner
/// would choose what is created.
fn find_upwards<'a>(here: &'a Path, home: Option<&Path>) -> Option<&'a Path> {
    let mut folder = here;
    while is_own(folder) && !folder.join(".git").exists() && Some(folder) != home {
        folder = folder.parent().filter(|parent| is_own(parent))?;
        if is_project(folder) {
            return Some(folder);
        }
    }
    None
}

#[cfg(unix)]
fn is_own(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    folder.metadata().is_ok_and(|folder| folder.uid() == rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn is_own(_: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_search_ends_at_a_repository_and_at_home() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let deep = root.join("shop/a/b");
        fs::create_dir_all(&deep).unwrap();
        assert_eq!(find_upwards(&deep, Some(&root)), None);
        fs::create_dir(root.join("shop/environments")).unwrap();
        assert_eq!(find_upwards(&deep, None), Some(root.join("shop").as_path()));
        assert_eq!(find_upwards(&deep, Some(&root.join("shop/a"))), None);
        fs::create_dir(root.join("shop/a/.git")).unwrap();
        assert_eq!(find_upwards(&deep, None), None);
        // The root of the repository may be the project itself.
        fs::write(root.join("shop/a/postpay.yml"), "version: 1\n").unwrap();
        assert_eq!(find_upwards(&deep, None), Some(root.join("shop/a").as_path()));
    }
}
