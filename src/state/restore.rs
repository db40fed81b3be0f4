//! Rebuilds a state from receipts, the backup, or a copy with later receipts.
//!
//! Nothing is deleted: the old state is kept under another name, and the backup and the open journal do not
//! change. A restore that would lose an order in the current state is rejected.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::codec::{decode_open_journal, decode_state, encode_state};
use super::compare::{Difference, differences};
use super::error::{Holder, IoOp, StateError};
use super::file::MAX_BYTES;
use super::journal::Journal;
use super::read::{check_journal, check_lineage, path_text, receipt_start};
use super::runs::{missing_receipts, receipts_after};
use super::store::{Keep, Lease, Places, ReceiptRef, StateStore, Stored};
use crate::files::{self, Links};
use crate::i18n::Text;
use crate::state::record::RunId;
use crate::state::record::{Serial, State};
use crate::state::replay::rebuild;

/// The source of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// All receipts.
    Receipts,
    /// The state before the last run, and the receipts after it.
    Backup,
    /// A copy, and the receipts after it.
    Copy(PathBuf),
}

/// What a restore would write.
#[derive(Debug)]
pub struct Proposal {
    pub state: State,
    /// Its source, for messages.
    pub from: String,
    /// The number of runs applied, from receipts or on top of the copy.
    pub folded: usize,
    pub present: Present,
    /// An open or cut-off run. Its journal stays, for the next writer to apply.
    pub open: Option<RunId>,
}

/// The current state.
#[derive(Debug)]
pub enum Present {
    Nothing,
    Unreadable(StateError),
    /// A state, and what a restore would change in it.
    State {
        serial: Serial,
        differences: Vec<Difference>,
    },
}

impl Proposal {
    /// Returns whether the state is already the proposed one.
    pub fn changes_nothing(&self) -> bool {
        match &self.present {
            Present::State { differences, .. } => differences.is_empty(),
            Present::Nothing | Present::Unreadable(_) => false,
        }
    }
}

/// A restore that holds the lease, so that nothing else can write.
pub struct Restoring {
    proposal: Proposal,
    /// The bytes of the current state.
    before: Option<Vec<u8>>,
    at: Timestamp,
    lease: Box<dyn Lease>,
}

/// A finished restore.
#[derive(Debug)]
pub struct Restored {
    /// What was written.
    pub proposal: Proposal,
    /// Where the replaced state is kept, if there was one.
    pub kept: Option<PathBuf>,
}

/// Returns what a restore would write. Takes no lock.
///
/// # Errors
/// When the source is not usable, or the result would lack something that the state or the open run has.
pub fn propose(store: &dyn StateStore, from: &Origin) -> Result<Proposal, StateError> {
    Ok(propose_over(store, from)?.0)
}

impl Restoring {
    /// Acquires the lease and prepares a restore.
    ///
    /// # Errors
    /// As [`propose`], and when another process holds the lease.
    pub fn begin(
        store: &dyn StateStore,
        from: &Origin,
        holder: &Holder,
        wait: Duration,
    ) -> Result<Self, StateError> {
        let lease = store.acquire(holder, wait)?;
        let (proposal, before) = propose_over(store, from)?;
        Ok(Self { proposal, before, at: holder.since, lease })
    }

    /// Returns what would be written.
    pub fn proposal(&self) -> &Proposal {
        &self.proposal
    }

    /// Writes the state.
    ///
    /// # Errors
    /// When the current state can't be kept, or the new one can't be written: the current one then stays.
    pub fn write(self) -> Result<Restored, StateError> {
        let Self { proposal, before, at, mut lease } = self;
        let bytes = encode_state(&proposal.state)?;
        let kept = lease.replace(before.as_deref(), &bytes, Keep::Aside(at))?;
        Ok(Restored { proposal, kept })
    }
}

/// Returns what a restore would write, and the bytes of the current state.
fn propose_over(store: &dyn StateStore, from: &Origin) -> Result<(Proposal, Option<Vec<u8>>), StateError> {
    let (places, stored) = (store.places()?, store.inspect()?);
    let (bytes, source) = match from {
        Origin::Receipts => (None, &places.receipts),
        Origin::Backup => {
            let gone = || IoOp::Read.failed(&places.backup)(ErrorKind::NotFound.into());
            (Some(store.backup()?.ok_or_else(gone)?), &places.backup)
        }
        Origin::Copy(path) => {
            let bytes = files::read(path, Links::Followed, MAX_BYTES).map_err(IoOp::Read.failed(path))?;
            (Some(bytes), path)
        }
    };
    let base = bytes.map(|bytes| decode_state(source, &bytes)).transpose()?;
    let (state, folded) = replay_over(store, base, source, &stored.receipts)?;
    let from = path_text(source);
    let present = present(&places, &stored, &state, &from)?;
    let open = open_run(&places, &stored, &state, source)?;
    Ok((Proposal { state, from, folded, present, open }, stored.state))
}

/// Returns `base` with the receipts after it applied, and their number.
fn replay_over(
    store: &dyn StateStore,
    base: Option<State>,
    source: &Path,
    receipts: &[ReceiptRef],
) -> Result<(State, usize), StateError> {
    let (serial, rest) = match &base {
        Some(base) => (base.serial, receipts_after(base, source, receipts)?),
        None => (Serial::default(), receipts),
    };
    if let Some(missing) = missing_receipts(serial, rest, None).into_iter().next() {
        return Err(missing);
    }
    let journals: Vec<Journal> =
        rest.iter().map(|receipt| store.receipt(receipt)).collect::<Result<_, _>>()?;
    let mut starts: Vec<_> = journals.iter().map(|journal| journal.started.clone()).zip(rest).collect();
    // As for other readers, the newest receipt vouches for those that the copy contains: an old damaged one
    // does not make a good copy useless.
    if let (true, Some(newest)) = (starts.is_empty(), receipts.last()) {
        starts.push((receipt_start(store, newest)?, newest));
    }
    let lineage = base.as_ref().map(|base| base.lineage).or(starts.first().map(|(first, _)| first.lineage));
    for (started, receipt) in &starts {
        if let Some(lineage) = lineage {
            check_lineage(source, lineage, started, &receipt.path)?;
        }
    }
    let state = rebuild(base, &journals)
        .ok_or(StateError::Misused(Text::fixed("no receipts to rebuild the state from")))?;
    Ok((state, journals.len()))
}

/// Returns the current state; an error when it has more than the proposed one.
fn present(places: &Places, stored: &Stored, proposed: &State, from: &str) -> Result<Present, StateError> {
    let Some(bytes) = &stored.state else {
        return Ok(Present::Nothing);
    };
    let there = match decode_state(&places.state, bytes) {
        Ok(there) => there,
        // A newer version may be correct and must not be replaced by this one.
        Err(error @ StateError::Newer { .. }) => return Err(error),
        Err(error) => return Ok(Present::Unreadable(error)),
    };
    if there.lineage == proposed.lineage && there.serial > proposed.serial {
        return Err(StateError::Behind {
            from: from.to_owned(),
            found: proposed.serial,
            expected: there.serial,
            evidence: path_text(&places.state),
        });
    }
    Ok(Present::State { serial: there.serial, differences: differences(&there, proposed) })
}

/// Returns the run that stays open, if it can be applied to the proposed state.
fn open_run(
    places: &Places,
    stored: &Stored,
    proposed: &State,
    source: &Path,
) -> Result<Option<RunId>, StateError> {
    let Some(bytes) = &stored.journal else {
        return Ok(None);
    };
    let started = decode_open_journal(&places.journal, bytes)?.journal.started;
    if started.lineage == proposed.lineage && proposed.serial < started.base {
        return Err(StateError::Behind {
            from: path_text(source),
            found: proposed.serial,
            expected: started.base,
            evidence: path_text(&places.journal),
        });
    }
    check_journal(places, source, proposed, &started)?;
    Ok(Some(started.run))
}
