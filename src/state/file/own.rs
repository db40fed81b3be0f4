//! Which paths lead to a file of a state's own, by whatever name.

use std::fs;
use std::path::Path;

use super::durable::failed;
use super::layout::Layout;
use crate::files::Place;
use crate::state::Doing;
use crate::state::StateError;

/// Whether nobody but a store may write to what is at this path.
///
/// A link leads to what it leads to, and a hard link is the file itself: where either is what a report is written to, the
/// report takes the place of what was ordered.
pub(super) fn owns(layout: &Layout, path: &Path) -> Result<bool, StateError> {
    let wanted = Place::of(path).map_err(failed(Doing::FollowLink, path))?;
    let folder = Place::of(&layout.folder).map_err(failed(Doing::FollowLink, &layout.folder))?;
    let folder = folder.end();
    let receipts = folder.join("receipts");
    if wanted.end().starts_with(&receipts) {
        return Ok(true);
    }
    let is_own = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| layout.is_own(name));
    let name = wanted.end().file_name();
    if wanted.end().parent() == Some(folder) && name.is_some_and(is_own) {
        return Ok(true);
    }
    // By another name. What can't be listed can't be compared: whoever goes on to use the state says so.
    let names = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let mut beside = names(folder).filter(|entry| is_own(&entry.file_name()));
    Ok(beside.any(|entry| wanted.is(&Place::at(entry.path())))
        || names(&receipts).any(|entry| wanted.is(&Place::at(entry.path()))))
}
