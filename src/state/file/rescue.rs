//! Rescue files: written where the journal could not be, found again beside the state.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::durable::{MOST, failed, folder_of, not_ours, sync_folder};
use super::format::unwritable;
use super::layout::Layout;
use crate::files::{self, Access, Links};
use crate::lang::Text;
use crate::state::journal::RunId;
use crate::state::rescue::{RescueFile, Rescued};
use crate::state::{Doing, FormatVersion, StateError};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format_version: FormatVersion,
    outcomes: Vec<Rescued>,
}

/// Writes the outcomes of one run into a new file of the first of these folders that takes it.
///
/// Few bytes, and no temporary file: whatever can still be written is worth having.
pub(super) fn write(
    layout: &Layout,
    elsewhere: &[PathBuf],
    run: RunId,
    rescued: &[Rescued],
) -> Result<PathBuf, StateError> {
    let bytes = encode(rescued)?;
    let name = layout.rescue_name(run);
    let mut last = None;
    // Beside the state every link was followed already.
    let elsewhere = elsewhere.iter().filter_map(|folder| files::resolve(folder).ok());
    for folder in std::iter::once(layout.folder.clone()).chain(elsewhere) {
        let path = folder.join(&name);
        match put(&path, &bytes) {
            Ok(()) => return Ok(path),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or(StateError::Misused(Text::fixed(
        "there is no folder for a rescue",
        "没有可存放救援文件的目录",
    ))))
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    // What is there already is somebody's.
    let mut file = files::make(path, files::PRIVATE, Access::Append)
        .map_err(|error| failed(Doing::Create, path)(not_ours(error)))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Half a rescue in one folder would hide the whole one in the next.
        let _ = files::remove(path);
        return Err(failed(Doing::Write, path)(error));
    }
    sync_folder(folder_of(path))
}

/// Every rescue file beside a state, by name. What can't be read says why.
pub(super) fn list(layout: &Layout) -> Vec<RescueFile> {
    let Ok(entries) = fs::read_dir(&layout.folder) else {
        return Vec::new();
    };
    let mut files: Vec<RescueFile> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            name.to_str().is_some_and(|name| layout.is_rescue(name))
        })
        .map(|entry| {
            let path = entry.path();
            let bytes = files::read(&path, Links::Refused, MOST);
            let bytes = bytes.map_err(|error| Text::of(&not_ours(error)));
            RescueFile { rescued: bytes.and_then(|bytes| decode(&bytes)), path }
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn encode(rescued: &[Rescued]) -> Result<Vec<u8>, StateError> {
    let document = Document { format_version: FormatVersion, outcomes: rescued.to_vec() };
    let mut bytes = serde_json::to_vec_pretty(&document).map_err(unwritable)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<Vec<Rescued>, Text> {
    let document: Document = serde_json::from_slice(bytes).map_err(|error| Text::same(error.to_string()))?;
    Ok(document.outcomes)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::Address;
    use crate::state::arbitrary::outcome;
    use crate::state::journal::Evidence;

    fn rescued(run: RunId) -> Rescued {
        let on = Address::new("shop").unwrap();
        let (tran, env) = (Some("T1".to_owned()), Some("E1".to_owned()));
        let mut outcome = outcome(1, 1, &on, Evidence::Ordered, tran, env);
        (outcome.http_status, outcome.took_ms) = (None, 0);
        Rescued { run, at: Timestamp::UNIX_EPOCH, outcome }
    }

    #[test]
    fn the_first_folder_that_takes_it_has_the_rescue_and_the_state_finds_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let (beside, other) = (folder.path().join("state"), folder.path().join("other"));
        fs::create_dir(&other).unwrap();
        let layout = Layout::of(&beside.join("postpay.state.json"), Links::Followed).unwrap();
        let run = RunId::fresh();
        let put_in = |folders: &[PathBuf]| write(&layout, folders, run, &[rescued(run)]);

        assert!(put_in(&[]).is_err(), "there is no such folder");
        let path = put_in(&[folder.path().join("nowhere"), other.clone()]).unwrap();
        assert_eq!(path, other.join(format!("postpay.rescue.{run}.json")));
        assert_eq!(list(&layout), []);

        fs::create_dir(&beside).unwrap();
        let path = put_in(&[other]).unwrap();
        let found = list(&layout);
        assert_eq!(found[0].path, path);
        assert_eq!(found[0].rescued, Ok(vec![rescued(run)]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&path, "{").unwrap();
        assert!(list(&layout)[0].rescued.is_err());
        let another = Layout::of(&beside.join("other.state.json"), Links::Followed).unwrap();
        assert_eq!(list(&another), []);
    }
}
