//! State, journal and receipts against each other, all the way: what every other command takes on trust for speed. Pure.
//!
//! The store reads; what it read, or could not read, is judged here. A [`Problem`] is something that can't be true
//! of files that only postpay wrote. A [`Notice`] is something to know.

mod line;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::codec::{decode_journal, decode_state};
use super::compare::Difference;
use super::journal::{Journal, RunId, RunStarted};
use super::rescue::{self, RescueFile, Rescued, Standing};
use super::store::{Places, StateStore, Stored};
use super::{Lineage, ReceiptRef, Replay, Serial, State, StateError};
use crate::lang::Text;
use crate::model::{Address, InstanceKey};
use line::Line;

/// Everything that is kept of one state, as it was read.
#[derive(Debug)]
pub struct Kept {
    places: Places,
    pub state: Result<Option<State>, StateError>,
    /// None also for a journal without a whole first line: no run was opened.
    pub journal: Result<Option<Journal>, StateError>,
    /// Oldest first, by the serials in their names.
    pub receipts: Vec<(ReceiptRef, Result<Journal, StateError>)>,
    pub rescues: Vec<RescueFile>,
}

/// What a verification found.
#[derive(Debug)]
pub struct Verification {
    pub lineage: Option<Lineage>,
    pub serial: Option<Serial>,
    pub environments: usize,
    /// How many environments are on record that others took the address of.
    pub deposed: usize,
    /// How many receipts there are, and how many of them are whole and unchanged.
    pub receipts: usize,
    pub sound_receipts: usize,
    pub compared: Compared,
    pub problems: Vec<Problem>,
    pub notices: Vec<Notice>,
}

/// How much of the state was held against the receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// All of it.
    Whole,
    /// The environments that the receipts from this serial on speak of.
    Since(Serial),
    /// None of it.
    Nothing,
}

/// Something that can't be true of files that only postpay wrote.
#[derive(Debug)]
pub enum Problem {
    /// Commands would refuse it too.
    Refused(StateError),
    /// No receipt of the runs that led from one serial to the other.
    ReceiptsMissing { from: Serial, to: Serial, evidence: PathBuf },
    /// A run ordered from another account or endpoint than the state says.
    Account { path: PathBuf, found: String, expected: String },
    /// The state says something else than what the receipts rebuild.
    Differs(Difference),
    /// Several places have one id. Each environment, and each order, has its own.
    Shared {
        /// `EnvId` or `TranId`.
        name: &'static str,
        id: String,
        places: Vec<InstanceKey>,
    },
    /// Ids that the vendor returned, that could not be written to the journal, and that no record has.
    Unrecorded { path: PathBuf, rescued: Box<Rescued> },
}

/// Something to know, that is no contradiction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The receipts start from a later serial than the first, so that these environments can't be verified.
    BeginningMissing {
        /// None when there are no receipts at all.
        since: Option<Serial>,
        serial: Serial,
        unverified: Vec<InstanceKey>,
    },
    /// Two runs started from one serial: a copy of the state lived a life of its own.
    Fork {
        serial: Serial,
        runs: [RunId; 2],
    },
    /// A run is open, or was cut off. The next writer folds it.
    OpenRun {
        run: RunId,
        who: String,
        pid: u32,
        unknown: Vec<Address>,
    },
    /// What is known of a record that is unknown.
    RescueOpen {
        path: PathBuf,
        rescued: Box<Rescued>,
    },
    /// A rescue file whose every outcome is on record.
    RescueSettled {
        path: PathBuf,
    },
    RescueUnreadable {
        path: PathBuf,
        why: Text,
    },
}

impl Problem {
    /// Stable and searchable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(error) => error.code(),
            Self::ReceiptsMissing { .. } => "receipts-missing",
            Self::Account { .. } => "account",
            Self::Differs(_) => "state-differs",
            Self::Shared { .. } => "shared-id",
            Self::Unrecorded { .. } => "rescue-unrecorded",
        }
    }
}

impl Notice {
    /// Stable and searchable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BeginningMissing { .. } => "unverifiable",
            Self::Fork { .. } => "fork",
            Self::OpenRun { .. } => "open-run",
            Self::RescueOpen { .. } | Self::RescueSettled { .. } => "rescue",
            Self::RescueUnreadable { .. } => "rescue-unreadable",
        }
    }
}

/// Reads everything that is kept, as far as it can be read: a damaged file takes no other with it. Takes no lock.
///
/// # Errors
/// When it can't be listed or read at all.
pub fn read_all(store: &dyn StateStore) -> Result<Kept, StateError> {
    kept(store, &store.look()?)
}

fn kept(store: &dyn StateStore, stored: &Stored) -> Result<Kept, StateError> {
    let places = store.places()?;
    let state = stored.state.as_ref().map(|bytes| decode_state(&places.state, bytes)).transpose();
    let journal = stored.journal.as_ref().map(|bytes| decode_journal(&places.journal, bytes)).transpose();
    let receipts = stored.receipts.iter().map(|receipt| (receipt.clone(), store.receipt(receipt))).collect();
    Ok(Kept { state, journal, receipts, rescues: rescue::list(store)?, places })
}

/// Checks state, journal, receipts and rescue files against each other. Takes no lock.
///
/// # Errors
/// When they can't be listed or read at all. What is wrong with them is in the [`Verification`].
pub fn verify(store: &dyn StateStore) -> Result<Verification, StateError> {
    // A writer may commit while we read: as for every reader, a problem counts when it is still there with the very same
    // files.
    let mut stored = store.look()?;
    loop {
        let verification = judge(kept(store, &stored)?);
        let again = store.look()?;
        if verification.problems.is_empty() || again == stored {
            return Ok(verification);
        }
        stored = again;
    }
}

fn judge(kept: Kept) -> Verification {
    let Kept { places, state, journal, receipts, rescues } = kept;
    let Places { state: state_path, journal: journal_path, .. } = places;
    let mut problems = Vec::new();
    let mut notices = Vec::new();
    let state_is_readable = state.is_ok();
    let state = taken(&mut problems, state).flatten();
    let journal = taken(&mut problems, journal).flatten();
    let count = receipts.len();
    let mut runs = Vec::new();
    let mut journals = Vec::new();
    for (receipt, journal) in receipts {
        journals.extend(taken(&mut problems, journal));
        runs.push(receipt);
    }
    let sound = journals.len();
    if let Some(journal) = journal {
        let RunStarted { run, base, .. } = journal.started;
        let folded = state.as_ref().is_some_and(|state| state.last_run == Some(run));
        if !folded {
            problems.extend(unfit(&state_path, state.as_ref(), &journal_path, &journal));
            notices.push(open_run(state.clone(), &journal));
        } else if runs.iter().all(|receipt| receipt.run != run) {
            // It was folded, and a crash kept it from being filed: it counts as a receipt.
            let path = journal_path;
            runs.push(ReceiptRef { base, run, path });
            journals.push(journal);
        }
    }
    let line = Line {
        state_path: &state_path,
        state: state.as_ref(),
        state_is_readable,
        runs: &runs,
        journals: &journals,
    };
    let gaps = line.gaps();
    let foreign = line.lineages();
    let rebuildable = sound == count && gaps.is_empty() && foreign.is_empty();
    let behind = line.end();
    let moved_on = behind.is_some();
    problems.extend(gaps.into_iter().chain(foreign).chain(behind));
    problems.extend(line.accounts());
    notices.extend(line.forks());
    let (compared, differing) = line.compare(rebuildable, moved_on);
    problems.extend(differing.into_iter().map(Problem::Differs));
    problems.extend(state.iter().flat_map(shared));
    notices.extend(line.beginning());
    let (unrecorded, open) = self::rescues(rescues, state.as_ref());
    problems.extend(unrecorded);
    notices.extend(open);
    Verification {
        lineage: state.as_ref().map(|state| state.lineage),
        serial: state.as_ref().map(|state| state.serial),
        environments: state.as_ref().map_or(0, |state| state.current().count()),
        deposed: state.map_or(0, |state| state.deposed().count()),
        receipts: count,
        sound_receipts: sound,
        compared,
        problems,
        notices,
    }
}

/// The ids that more than one place of a state has.
fn shared(state: &State) -> Vec<Problem> {
    let mut places: BTreeMap<(&'static str, &str), Vec<InstanceKey>> = BTreeMap::new();
    for (key, record) in &state.environments {
        for (name, id) in [("EnvId", &record.env_id), ("TranId", &record.tran_id)] {
            if let Some(id) = id {
                places.entry((name, id)).or_default().push(key.clone());
            }
        }
    }
    places.retain(|_, places| places.len() > 1);
    let shared = places.into_iter();
    shared.map(|((name, id), places)| Problem::Shared { name, id: id.to_owned(), places }).collect()
}

fn taken<T>(problems: &mut Vec<Problem>, read: Result<T, StateError>) -> Option<T> {
    read.map_err(|error| problems.push(Problem::Refused(error))).ok()
}

/// Why an open run can't have started from this state.
fn unfit(
    state_path: &Path,
    state: Option<&State>,
    journal_path: &Path,
    journal: &Journal,
) -> Option<Problem> {
    let RunStarted { base, lineage, .. } = journal.started;
    let evidence = journal_path.display().to_string();
    let path = state_path.to_owned();
    let error = match state {
        None if base == Serial::default() => return None,
        None => StateError::Lost { path, evidence },
        Some(state) if state.lineage != lineage => {
            StateError::Foreign { path, found: state.lineage, expected: lineage, evidence }
        }
        Some(state) if state.serial < base => {
            StateError::Older { path, found: state.serial, expected: base, evidence }
        }
        Some(state) if state.serial > base => {
            StateError::Forked { path, serial: state.serial, base, evidence }
        }
        Some(_) => return None,
    };
    Some(Problem::Refused(error))
}

fn open_run(state: Option<State>, journal: &Journal) -> Notice {
    let mut replay = Replay::new(state, journal.started.clone());
    for entry in &journal.entries {
        replay.apply(entry.at, &entry.event);
    }
    Notice::OpenRun {
        run: journal.started.run,
        who: journal.started.who.clone(),
        pid: journal.started.pid,
        unknown: replay.open(),
    }
}

/// What rescue files say that a state does not.
pub fn rescues(files: Vec<RescueFile>, state: Option<&State>) -> (Vec<Problem>, Vec<Notice>) {
    let (mut problems, mut notices) = (Vec::new(), Vec::new());
    for RescueFile { path, rescued } in files {
        let rescued = match rescued {
            Ok(rescued) => rescued,
            Err(why) => {
                notices.push(Notice::RescueUnreadable { path, why });
                continue;
            }
        };
        let mut settled = true;
        for rescued in rescued {
            let standing = rescued.standing(state);
            settled &= standing == Standing::Settled;
            let (path, rescued) = (path.clone(), Box::new(rescued));
            match standing {
                Standing::Settled => {}
                Standing::Open => notices.push(Notice::RescueOpen { path, rescued }),
                Standing::Unrecorded => problems.push(Problem::Unrecorded { path, rescued }),
            }
        }
        if settled {
            notices.push(Notice::RescueSettled { path });
        }
    }
    (problems, notices)
}
