//! Rebuilds a state from what is left of it: receipts, the backup, or a copy with later receipts on top.
//!
//! Nothing is thrown away: what stood in the state's place is kept under a name of its own, the backup and the open
//! journal stay as they are, and a restore that would forget an order that is on record is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::format::{decode_state, encode_state};
use super::layout::Layout;
use super::lock::Lock;
use super::{FileStore, chain, durable, look, receipts, writer};
use crate::files::{self, Links};
use crate::lang::Text;
use crate::state::Doing;
use crate::state::compare::{Difference, differences};
use crate::state::journal::{Journal, RunId};
use crate::state::succession::{Breach, gap, unheld};
use crate::state::{Holder, ReceiptRef, Serial, State, StateError, rebuild, rebuild_over};

/// What a state is rebuilt from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Every receipt, from the first on.
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
    /// What it is made from, for people.
    pub from: String,
    /// The runs that were folded in, or on top of the copy.
    pub folded: usize,
    pub present: Present,
    /// A run that is open, or was cut off. Its journal stays, for the next writer to fold.
    pub open: Option<RunId>,
}

/// What is in the state's place now.
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
    /// True when the state is already what would be written.
    pub fn changes_nothing(&self) -> bool {
        match &self.present {
            Present::State { differences, .. } => differences.is_empty(),
            Present::Nothing | Present::Unreadable(_) => false,
        }
    }
}

/// A restore that nobody can interfere with: it holds the lock.
#[derive(Debug)]
pub struct Restoring {
    layout: Layout,
    holder: Holder,
    proposal: Proposal,
    _lock: Lock,
}

/// A restore that was made.
#[derive(Debug)]
pub struct Restored {
    /// What was written.
    pub proposal: Proposal,
    /// Where what stood in the state's place is kept; None when nothing did.
    pub kept: Option<PathBuf>,
}

impl FileStore {
    /// What a restore would write. Takes no lock.
    ///
    /// # Errors
    /// When nothing can be restored from there, or it would forget what is on record.
    pub fn restorable(&self, from: &Origin) -> Result<Proposal, StateError> {
        propose(&self.layout()?, from)
    }

    /// Becomes the one writer and prepares a restore.
    ///
    /// # Errors
    /// As [`Self::restorable`], and when another process holds the lock.
    pub fn restoring(&self, from: &Origin, holder: &Holder, wait: Duration) -> Result<Restoring, StateError> {
        let layout = self.layout()?;
        let lock = writer::lock(&layout, holder, wait)?;
        Ok(Restoring { proposal: propose(&layout, from)?, layout, holder: holder.clone(), _lock: lock })
    }
}

impl Restoring {
    /// What would be written.
    pub fn proposal(&self) -> &Proposal {
        &self.proposal
    }

    /// Puts the state in place.
    ///
    /// # Errors
    /// When what is there can't be kept, or the state can't be written: what is there stays as it is.
    pub fn write(self) -> Result<Restored, StateError> {
        let Self { layout, holder, proposal, _lock } = self;
        let bytes = encode_state(&proposal.state)?;
        let before = durable::read(&layout.state)?;
        let prefix = layout.temporary_prefix();
        let mut kept = None;
        if let Some(before) = before.filter(|before| *before != bytes) {
            let path = free_name(&layout, &holder);
            durable::replace(&path, &prefix, &before)?;
            kept = Some(path);
        }
        durable::replace(&layout.state, &prefix, &bytes)?;
        Ok(Restored { proposal, kept })
    }
}

/// `postpay.state.json.replaced-20260714T120000Z`, or with a number where that is taken.
fn free_name(layout: &Layout, holder: &Holder) -> PathBuf {
    let name = layout.state.file_name().unwrap_or_default();
    let at = holder.since.strftime("%Y%m%dT%H%M%SZ");
    let base = format!("{}.replaced-{at}", name.to_string_lossy());
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    std::iter::once(base.clone())
        .chain(numbered)
        .map(|name| layout.folder.join(name))
        .find(|path| fs::symlink_metadata(path).is_err())
        .unwrap_or_else(|| layout.folder.join(base))
}

fn propose(layout: &Layout, from: &Origin) -> Result<Proposal, StateError> {
    let listed = receipts::list(layout)?;
    let (state, folded, source) = match from {
        Origin::Receipts => {
            let (state, folded) = from_receipts(layout, &listed)?;
            (state, folded, layout.receipts.clone())
        }
        Origin::Backup => {
            let (state, folded) = from_copy(layout, &layout.backup, &listed)?;
            (state, folded, layout.backup.clone())
        }
        Origin::Copy(path) => {
            let (state, folded) = from_copy(layout, path, &listed)?;
            (state, folded, path.clone())
        }
    };
    let from = source.display().to_string();
    let present = present(layout, &state, &from)?;
    Ok(Proposal { open: open_run(layout, &state, &source)?, state, from, folded, present })
}

fn from_receipts(layout: &Layout, listed: &[ReceiptRef]) -> Result<(State, usize), StateError> {
    if let Some(breach) = gap(Serial::default(), listed) {
        return Err(breach_error(layout, &layout.receipts, Serial::default(), breach));
    }
    let journals = read_all(listed)?;
    let state = rebuild(&journals).ok_or(StateError::Misused(Text::fixed(
        "there are no receipts to rebuild a state from",
        "没有可用来重建状态文件的回执",
    )))?;
    for (receipt, journal) in listed.iter().zip(&journals) {
        same_lineage(receipt, journal, &state, &listed[0].path)?;
    }
    Ok((state, journals.len()))
}

fn from_copy(layout: &Layout, path: &Path, listed: &[ReceiptRef]) -> Result<(State, usize), StateError> {
    // A copy that was typed may be a link; the backup is ours.
    let links = if path == layout.backup { Links::Refused } else { Links::Followed };
    let bytes = files::read(path, links, durable::MOST)
        .map_err(|error| durable::failed(Doing::Read, path)(durable::not_ours(error)))?;
    let copy = decode_state(path, &bytes)?;
    let rest = unheld(&copy, listed).map_err(|breach| breach_error(layout, path, copy.serial, breach))?;
    // As for every reader, the newest receipt speaks for those that the copy holds: an old one that is damaged does not
    // make a good copy useless.
    let newest = &listed[listed.len().saturating_sub(rest.len().max(1))..];
    for receipt in newest {
        let started = receipts::start(receipt)?;
        if started.lineage != copy.lineage {
            return Err(StateError::Foreign {
                path: path.to_owned(),
                found: copy.lineage,
                expected: started.lineage,
                evidence: receipts::shown(&receipt.path),
            });
        }
    }
    let journals = read_all(rest)?;
    let folded = journals.len();
    let state = rebuild_over(Some(copy), &journals)
        .ok_or(StateError::Misused(Text::fixed("a copy was folded into nothing", "副本折叠后一无所有")))?;
    Ok((state, folded))
}

fn read_all(listed: &[ReceiptRef]) -> Result<Vec<Journal>, StateError> {
    listed.iter().map(receipts::whole).collect()
}

fn same_lineage(
    receipt: &ReceiptRef,
    journal: &Journal,
    state: &State,
    evidence: &Path,
) -> Result<(), StateError> {
    if journal.started.lineage == state.lineage {
        return Ok(());
    }
    Err(StateError::Foreign {
        path: receipt.path.clone(),
        found: journal.started.lineage,
        expected: state.lineage,
        evidence: receipts::shown(evidence),
    })
}

/// A state rebuilt without one of its runs would forget what that run ordered.
fn breach_error(layout: &Layout, path: &Path, serial: Serial, breach: Breach<'_>) -> StateError {
    match breach {
        Breach::Gap { at, before } => {
            let name = format!("{}.{:06}.*.jsonl", layout.stem, at.0);
            StateError::Lost { path: layout.receipts.join(name), evidence: receipts::shown(&before.path) }
        }
        Breach::Fork(with) => StateError::Forked {
            path: path.to_owned(),
            serial,
            base: with.base,
            evidence: receipts::shown(&with.path),
        },
    }
}

/// What is there, unless it knows more than what would take its place.
fn present(layout: &Layout, proposed: &State, from: &str) -> Result<Present, StateError> {
    let Some(bytes) = durable::read(&layout.state)? else {
        return Ok(Present::Nothing);
    };
    let there = match decode_state(&layout.state, &bytes) {
        Ok(there) => there,
        // It may well be right: a state of a later version is not for this one to replace.
        Err(error @ StateError::Newer { .. }) => return Err(error),
        Err(error) => return Ok(Present::Unreadable(error)),
    };
    if there.lineage == proposed.lineage && there.serial > proposed.serial {
        return Err(StateError::Behind {
            from: from.to_owned(),
            found: proposed.serial,
            expected: there.serial,
            evidence: receipts::shown(&layout.state),
        });
    }
    Ok(Present::State { serial: there.serial, differences: differences(&there, proposed) })
}

/// The run that stays open, if it can be folded into what would be written.
fn open_run(layout: &Layout, proposed: &State, source: &Path) -> Result<Option<RunId>, StateError> {
    let Some(bytes) = durable::read(&layout.journal)? else {
        return Ok(None);
    };
    let whole = chain::read(&layout.journal, &bytes)?;
    let started = whole.journal.started;
    if started.lineage == proposed.lineage && proposed.serial < started.base {
        return Err(StateError::Behind {
            from: receipts::shown(source),
            found: proposed.serial,
            expected: started.base,
            evidence: receipts::shown(&layout.journal),
        });
    }
    look::agrees_with_journal(layout, source, proposed, &started)?;
    Ok(Some(started.run))
}
