//! Outcomes that could not be written to their run's journal, and were written to a rescue file instead.
//!
//! The journal then has an intent without an outcome, so the record stays unknown: a rescue file is not part
//! of the hash chain. It shows the response to the user who settles the record.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::codec::encode_error;
use super::error::{IoOp, StateError};
use super::journal::Outcome;
use super::store::StateStore;
use crate::files::{self, Access, Links};
use crate::i18n::Text;
use crate::model::{Address, InstanceKey};
use crate::state::record::RunId;
use crate::state::record::{FormatVersion, Record, State, Status};

/// Far more than the outcomes of a run need, in bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// An outcome that is missing from its journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rescued {
    pub run: RunId,
    pub at: Timestamp,
    pub outcome: Outcome,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format_version: FormatVersion,
    outcomes: Vec<Rescued>,
}

/// A rescue file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RescueFile {
    pub path: PathBuf,
    /// Its outcomes, or why they can't be read.
    pub rescued: Result<Vec<Rescued>, Text>,
}

/// How a rescued outcome relates to the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The record is settled and has these ids; the file can be deleted.
    Settled,
    /// The record is unknown, and this was the response.
    Open,
    /// It has ids that no record has.
    Unrecorded,
}

impl Rescued {
    /// Compares it with this state.
    pub fn standing(&self, state: Option<&State>) -> Standing {
        let mut open = false;
        for (InstanceKey { address, .. }, record) in state.into_iter().flat_map(|state| &state.environments) {
            let settled = record.status != Status::Unknown;
            if settled && self.is_settled_by(address, record) {
                return Standing::Settled;
            }
            open |= !settled && *address == self.outcome.address;
        }
        if open {
            Standing::Open
        } else if self.outcome.tran_id.is_none() && self.outcome.env_id.is_none() {
            // Nothing was created, or it was settled otherwise.
            Standing::Settled
        } else {
            Standing::Unrecorded
        }
    }

    /// Compares ids rather than the address, since the record may have been moved.
    fn is_settled_by(&self, address: &Address, record: &Record) -> bool {
        let Outcome { tran_id, env_id, .. } = &self.outcome;
        match (tran_id, env_id) {
            (None, None) => *address == self.outcome.address,
            // An environment imported since may have no TranId.
            (_, _) => {
                (tran_id.is_some() && record.tran_id == *tran_id)
                    || (env_id.is_some() && record.env_id == *env_id)
            }
        }
    }
}

impl RescueFile {
    /// Returns its outcome for an address.
    pub fn about(&self, address: &Address) -> Option<&Rescued> {
        let rescued = self.rescued.as_ref().ok()?;
        rescued.iter().rfind(|rescued| rescued.outcome.address == *address)
    }
}

/// Writes the outcomes of one run into a new file beside the state, or else in the first writable folder of
/// `elsewhere`. Returns its path.
///
/// # Errors
/// When none of them is writable.
pub fn write(
    store: &dyn StateStore,
    elsewhere: &[PathBuf],
    run: RunId,
    rescued: &[Rescued],
) -> Result<PathBuf, StateError> {
    let document = Document { format_version: FormatVersion, outcomes: rescued.to_vec() };
    let mut bytes = serde_json::to_vec_pretty(&document).map_err(encode_error)?;
    bytes.push(b'\n');
    let path = PathBuf::from(format!("{}.{run}.json", store.places()?.rescue.display()));
    let mut result = write_new(&path, &bytes);
    let name = path.file_name().unwrap_or_default();
    for folder in elsewhere.iter().filter_map(|folder| files::resolve(folder).ok()) {
        if result.is_ok() {
            break;
        }
        result = write_new(&folder.join(name), &bytes);
    }
    result
}

/// Writes directly, without a temporary file: a partial write is better than none.
fn write_new(path: &Path, bytes: &[u8]) -> Result<PathBuf, StateError> {
    let fail = |error| IoOp::Create.failed(path)(error);
    // Never replaces an existing file.
    let mut file = files::make(path, files::PRIVATE, Access::Append).map_err(fail)?;
    if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_all()) {
        // A partial rescue here would hide the complete one in the next folder.
        let _ = files::remove(path);
        return Err(fail(error));
    }
    if let Some(folder) = path.parent()
        && cfg!(unix)
    {
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(fail)?;
    }
    Ok(path.to_owned())
}

/// Lists the rescue files beside a state, by name. An unreadable one has the reason.
///
/// # Errors
/// When the store has no name, or the folder can't be listed.
pub fn list(store: &dyn StateStore) -> Result<Vec<RescueFile>, StateError> {
    let prefix = store.places()?.rescue;
    let folder = prefix.parent().unwrap_or(Path::new("."));
    let prefix = prefix.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let entries = match fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        entries => entries.map_err(IoOp::List.failed(folder))?,
    };
    let mut files: Vec<RescueFile> = entries
        .into_iter()
        .filter(|entry| {
            let name = entry.file_name();
            let run = name
                .to_str()
                .and_then(|name| name.strip_prefix(&prefix)?.strip_prefix('.')?.strip_suffix(".json"));
            run.is_some_and(|run| Uuid::try_parse(run).is_ok())
        })
        .map(|entry| {
            let path = entry.path();
            let rescued =
                files::read(&path, Links::Refused, MAX_BYTES).map_err(|error| Text::of(&error)).and_then(
                    |bytes| serde_json::from_slice(&bytes).map_err(|error| Text::same(error.to_string())),
                );
            RescueFile { rescued: rescued.map(|Document { outcomes, .. }| outcomes), path }
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::arbitrary::outcome;
    use crate::state::file::FileStore;
    use crate::state::journal::Evidence;
    use crate::state::record::{Lineage, Origin, Serial};

    #[test]
    fn rescue_is_settled_when_any_record_has_its_ids() {
        let on = |text: &str| Address::new(text).unwrap();
        let run = RunId::fresh();
        let tran = Some("T1".to_owned());
        let rescued = Rescued {
            run,
            at: Timestamp::UNIX_EPOCH,
            outcome: outcome(1, 1, &on("shop"), Evidence::Ordered, tran.clone(), None),
        };
        let with = |address: &str, status, tran_id| State {
            format_version: FormatVersion,
            lineage: Lineage::fresh(),
            serial: Serial(1),
            tool_version: String::new(),
            account: None,
            last_run: None,
            environments: [(
                InstanceKey::current(on(address)),
                Record {
                    status,
                    env_id: None,
                    tran_id,
                    request_id: None,
                    origin: Origin::Ordered,
                    attributes: crate::model::Attributes::default(),
                    ordered_at: Timestamp::UNIX_EPOCH,
                    run,
                    source: crate::model::SourceRef { file: String::new(), line: 0 },
                    region: None,
                    prevent_destroy: false,
                    deposed_at: None,
                },
            )]
            .into(),
        };
        for (state, expected) in [
            (None, Standing::Unrecorded),
            (Some(with("other", Status::Created, None)), Standing::Unrecorded),
            (Some(with("shop", Status::Unknown, None)), Standing::Open),
            (Some(with("shop", Status::Created, None)), Standing::Unrecorded),
            (Some(with("moved", Status::AwaitingEnvId, tran)), Standing::Settled),
        ] {
            assert_eq!(rescued.standing(state.as_ref()), expected, "{state:?}");
        }
    }

    fn rescued(run: RunId) -> Rescued {
        let on = Address::new("shop").unwrap();
        let (tran, env) = (Some("T1".to_owned()), Some("E1".to_owned()));
        let mut outcome = outcome(1, 1, &on, Evidence::Ordered, tran, env);
        (outcome.http_status, outcome.took_ms) = (None, 0);
        Rescued { run, at: Timestamp::UNIX_EPOCH, outcome }
    }

    #[test]
    fn rescue_goes_to_the_first_writable_folder_and_is_listed_beside_the_state() {
        let folder = tempfile::tempdir().unwrap();
        let (beside, other) = (folder.path().join("state"), folder.path().join("other"));
        fs::create_dir(&other).unwrap();
        let store = FileStore::new(beside.join("postpay.state.json"));
        let run = RunId::fresh();
        let put_in = |folders: &[PathBuf]| write(&store, folders, run, &[rescued(run)]);

        assert!(put_in(&[]).is_err(), "there is no such folder");
        let path = put_in(&[folder.path().join("nowhere"), other.clone()]).unwrap();
        assert_eq!(path, other.join(format!("postpay.rescue.{run}.json")));
        assert_eq!(list(&store).unwrap(), []);

        fs::create_dir(&beside).unwrap();
        let path = put_in(&[other]).unwrap();
        let found = list(&store).unwrap();
        assert_eq!(found[0].path, path);
        assert_eq!(found[0].rescued, Ok(vec![rescued(run)]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&path, "{").unwrap();
        assert!(list(&store).unwrap()[0].rescued.is_err());
        let another = FileStore::new(beside.join("other.state.json"));
        assert_eq!(list(&another).unwrap(), []);
    }
}
