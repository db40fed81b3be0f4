//! Checks all files of a state against each other: replays the receipts and compares the result with the
//! state. Other commands check only the newest receipt.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::codec::{decode_journal, decode_state};
use super::compare::{Difference, differences};
use super::journal::Journal;
use super::read::{Reader, check};
use super::rescue::{self, RescueFile, Rescued, Standing};
use super::runs::missing_receipts;
use super::store::{Places, ReceiptRef, StateStore, Stored};
use crate::i18n::{Text, text};
use crate::model::{Address, InstanceKey};
use crate::state::error::StateError;
use crate::state::record::RunId;
use crate::state::record::{Lineage, Serial, State};
use crate::state::replay::{Replay, rebuild};

/// All files of a state, as far as they can be read.
#[derive(Debug)]
pub struct Kept {
    pub state: Result<Option<State>, StateError>,
    /// The open run.
    pub journal: Result<Option<Journal>, StateError>,
    /// Oldest first.
    pub receipts: Vec<(ReceiptRef, Result<Journal, StateError>)>,
}

/// The result of a verification.
#[derive(Debug)]
pub struct Verification {
    pub lineage: Option<Lineage>,
    pub serial: Option<Serial>,
    pub environments: usize,
    /// The number of former environments in the state.
    pub deposed: usize,
    /// The number of receipts, and how many of them are intact.
    pub receipts: usize,
    pub sound_receipts: usize,
    /// The serial from which on the replayed receipts were compared with the state; None when they were not.
    pub compared_since: Option<Serial>,
    pub problems: Vec<Problem>,
    pub notices: Vec<Notice>,
}

/// A contradiction that postpay alone can't cause.
#[derive(Debug)]
pub enum Problem {
    /// Something can't be read, or contradicts something else.
    Error(StateError),
    /// The state is not what the receipts rebuild.
    Differs(Difference),
    /// Several environments have one id.
    Shared {
        /// `EnvId` or `TranId`.
        name: &'static str,
        id: String,
        keys: Vec<InstanceKey>,
    },
    /// Returned ids that could not be written to the journal, and that no record has.
    Unrecorded { path: PathBuf, rescued: Box<Rescued> },
}

/// A remark that is not a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The first receipts are missing, so these environments can't be verified.
    BeginningMissing {
        /// None without receipts.
        since: Option<Serial>,
        serial: Serial,
        unverified: Vec<InstanceKey>,
    },
    /// A run is open or was cut off. The next writer applies it.
    OpenRun {
        run: RunId,
        who: String,
        pid: u32,
        unknown: Vec<Address>,
    },
    /// A rescue file has the response for an unknown record.
    RescueOpen {
        path: PathBuf,
        rescued: Box<Rescued>,
    },
    /// A rescue file that is no longer needed.
    RescueSettled {
        path: PathBuf,
    },
    RescueUnreadable {
        path: PathBuf,
        why: Text,
    },
}

impl Problem {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Error(error) => error.code(),
            Self::Differs(_) => "state-differs",
            Self::Shared { .. } => "shared-id",
            Self::Unrecorded { .. } => "rescue-unrecorded",
        }
    }

    /// Returns the help, one text per line.
    pub fn help(&self) -> Vec<Text> {
        match self {
            Self::Error(error) => error.help(),
            Self::Differs(_) => vec![text!(
                "receipts have hashes and the state does not: `postpay state restore --dry-run` shows what they would restore"
            )],
            Self::Shared { .. } => vec![text!(
                "one of them has the wrong id: check both in the Tencent Cloud console; `postpay resolve` resolves unknown outcomes, and `postpay state rm` removes an environment from the state"
            )],
            Self::Unrecorded { .. } => vec![text!(
                "look for the environment at https://console.cloud.tencent.com/tcb; keep the rescue file until the state has it"
            )],
        }
    }
}

impl Notice {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BeginningMissing { .. } => "unverifiable",
            Self::OpenRun { .. } => "open-run",
            Self::RescueOpen { .. } | Self::RescueSettled { .. } => "rescue",
            Self::RescueUnreadable { .. } => "rescue-unreadable",
        }
    }
}

/// Reads all files. Takes no lock.
///
/// # Errors
/// When they can't be listed or read at all.
pub fn read_all(store: &dyn StateStore) -> Result<Kept, StateError> {
    Ok(decode(store, &store.places()?, &store.inspect()?))
}

fn decode(store: &dyn StateStore, places: &Places, stored: &Stored) -> Kept {
    Kept {
        state: stored.state.as_ref().map(|bytes| decode_state(&places.state, bytes)).transpose(),
        journal: stored.journal.as_ref().map(|bytes| decode_journal(&places.journal, bytes)).transpose(),
        receipts: stored.receipts.iter().map(|receipt| (receipt.clone(), store.receipt(receipt))).collect(),
    }
}

/// Checks state, journal, receipts and rescue files against each other. Takes no lock.
///
/// # Errors
/// When they can't be listed or read at all. What is wrong with them is in the [`Verification`].
pub fn verify(store: &dyn StateStore) -> Result<Verification, StateError> {
    // A writer may commit meanwhile, so a problem only counts when a second read returns the same.
    let mut stored = store.inspect()?;
    loop {
        let verification = verify_stored(store, &stored)?;
        let again = store.inspect()?;
        if verification.problems.is_empty() || again == stored {
            return Ok(verification);
        }
        stored = again;
    }
}

fn verify_stored(store: &dyn StateStore, stored: &Stored) -> Result<Verification, StateError> {
    let places = store.places()?;
    let Kept { state, journal, receipts } = decode(store, &places, stored);
    let count = receipts.len();
    let mut errors = Vec::new();
    let state = state.map_err(|error| errors.push(error)).ok().flatten();
    let journal = journal.map_err(|error| errors.push(error)).ok().flatten();
    let mut runs = stored.receipts.clone();
    let mut journals: Vec<Journal> = Vec::new();
    for (_, journal) in receipts {
        journals.extend(journal.map_err(|error| errors.push(error)));
    }
    let sound_receipts = journals.len();
    let mut open = journal;
    if let Some(journal) = open.take_if(|journal| is_folded(state.as_ref(), journal)) {
        // A crash kept it from becoming a receipt.
        let (base, run) = (journal.started.base, journal.started.run);
        if runs.iter().all(|receipt| receipt.run != run) {
            runs.push(ReceiptRef { base, run, path: places.journal.clone() });
            journals.push(journal);
        }
    }
    if let Some(first) = runs.first() {
        let from = if state.is_some() { first.base } else { Serial::default() };
        let end = state.as_ref().map(|state| (state.serial, places.state.as_path()));
        errors.extend(missing_receipts(from, &runs, end));
    }
    errors.extend(foreign_receipts(&runs, &journals));
    let is_rebuildable = errors.is_empty();
    let disagreement = check(store, &places, stored, Reader::Unlocked).err();
    let disagreement =
        disagreement.filter(|error| errors.iter().all(|other| other.to_string() != error.to_string()));
    let is_foreign = matches!(disagreement, Some(StateError::Foreign { .. }));
    let is_behind = matches!(disagreement, Some(StateError::Older { .. } | StateError::Forked { .. }));
    errors.extend(disagreement);

    let rebuilt = rebuild(None, &journals);
    let since = runs.first().map(|first| first.base);
    let mut problems: Vec<Problem> = errors.into_iter().map(Problem::Error).collect();
    let mut notices = Vec::new();
    let mut compared_since = None;
    if let (Some(state), Some(rebuilt)) = (&state, rebuilt.as_ref().filter(|_| is_rebuildable && !is_foreign))
    {
        compared_since = since;
        let is_whole = since == Some(Serial::default());
        let differing = differences(state, rebuilt).into_iter().filter(|difference| match difference {
            // Created before the first receipt.
            Difference::Surplus { .. } => is_whole,
            // A different serial was reported above.
            Difference::Member { name, .. } => {
                *name == "account" || is_whole && !(is_behind && ["serial", "last_run"].contains(name))
            }
            Difference::Missing { .. } | Difference::Field { .. } => true,
        });
        problems.extend(differing.map(Problem::Differs));
    }
    if let Some(journal) = &open {
        notices.push(open_run(state.clone(), journal));
    }
    if let Some(state) = &state {
        problems.extend(shared_ids(state));
        if since.unwrap_or(state.serial) > Serial::default() {
            let known: BTreeSet<&InstanceKey> =
                rebuilt.iter().flat_map(|rebuilt| rebuilt.environments.keys()).collect();
            let unverified = state.environments.keys().filter(|key| !known.contains(key));
            notices.push(Notice::BeginningMissing {
                since,
                serial: state.serial,
                unverified: unverified.cloned().collect(),
            });
        }
    }
    let (unrecorded, rescues) = check_rescues(rescue::list(store)?, state.as_ref());
    problems.extend(unrecorded);
    notices.extend(rescues);
    Ok(Verification {
        lineage: state.as_ref().map(|state| state.lineage),
        serial: state.as_ref().map(|state| state.serial),
        environments: state.as_ref().map_or(0, |state| state.current().count()),
        deposed: state.as_ref().map_or(0, |state| state.deposed().count()),
        receipts: count,
        sound_receipts,
        compared_since,
        problems,
        notices,
    })
}

fn is_folded(state: Option<&State>, journal: &Journal) -> bool {
    state.is_some_and(|state| state.last_run == Some(journal.started.run))
}

/// Returns errors for receipts that belong to another state than the newest one.
fn foreign_receipts(runs: &[ReceiptRef], journals: &[Journal]) -> Vec<StateError> {
    let path =
        |run: RunId| runs.iter().find(|receipt| receipt.run == run).map(|receipt| receipt.path.clone());
    let Some(newest) = journals.last().map(|journal| &journal.started) else {
        return Vec::new();
    };
    let evidence = path(newest.run).unwrap_or_default().display().to_string();
    let others = journals.iter().map(|journal| &journal.started);
    others
        .filter(|started| started.lineage != newest.lineage)
        .map(|started| StateError::Foreign {
            path: path(started.run).unwrap_or_default(),
            found: started.lineage,
            expected: newest.lineage,
            evidence: evidence.clone(),
        })
        .collect()
}

/// Returns the ids that several environments have.
fn shared_ids(state: &State) -> Vec<Problem> {
    let mut keys: BTreeMap<(&'static str, &str), Vec<InstanceKey>> = BTreeMap::new();
    for (key, record) in &state.environments {
        // What lives inside an environment has its EnvId.
        let env_id = record.env_id.as_ref().filter(|_| !record.attributes.kind().shares_env_id);
        for (name, id) in [("EnvId", env_id), ("TranId", record.tran_id.as_ref())] {
            if let Some(id) = id {
                keys.entry((name, id)).or_default().push(key.clone());
            }
        }
    }
    let shared = keys.into_iter().filter(|(_, keys)| keys.len() > 1);
    shared.map(|((name, id), keys)| Problem::Shared { name, id: id.to_owned(), keys }).collect()
}

fn open_run(state: Option<State>, journal: &Journal) -> Notice {
    let mut replay = Replay::new(state, journal.started.clone());
    for entry in &journal.entries {
        replay.apply(entry.at, &entry.event);
    }
    let (run, who, pid) = (journal.started.run, journal.started.who.clone(), journal.started.pid);
    Notice::OpenRun { run, who, pid, unknown: replay.open() }
}

/// Compares rescue files with a state.
pub fn check_rescues(files: Vec<RescueFile>, state: Option<&State>) -> (Vec<Problem>, Vec<Notice>) {
    let (mut problems, mut notices) = (Vec::new(), Vec::new());
    for RescueFile { path, rescued } in files {
        let rescued = match rescued {
            Ok(rescued) => rescued,
            Err(why) => {
                notices.push(Notice::RescueUnreadable { path, why });
                continue;
            }
        };
        let standings: Vec<Standing> = rescued.iter().map(|rescued| rescued.standing(state)).collect();
        if standings.iter().all(|standing| *standing == Standing::Settled) {
            notices.push(Notice::RescueSettled { path: path.clone() });
        }
        for (rescued, standing) in rescued.into_iter().zip(standings) {
            let (path, rescued) = (path.clone(), Box::new(rescued));
            match standing {
                Standing::Settled => {}
                Standing::Open => notices.push(Notice::RescueOpen { path, rescued }),
                Standing::Unrecorded => problems.push(Problem::Unrecorded { path, rescued }),
            }
        }
    }
    (problems, notices)
}
