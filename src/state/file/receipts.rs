//! The journals of runs that are over: listed by name, read one at a time.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::chain;
use super::durable::{failed, folder_of, is_own_folder, make_own_folder, not_ours, read, sync_folder};
use super::layout::Layout;
use crate::crash;
use crate::files::{self, Access, Links, error as refused};
use crate::lang::{Text, text};
use crate::state::Doing;
use crate::state::journal::{Journal, RunStarted};
use crate::state::{ReceiptRef, StateError};

/// Every receipt of this state, oldest first.
pub(super) fn list(layout: &Layout) -> Result<Vec<ReceiptRef>, StateError> {
    let folder = &layout.receipts;
    if !is_own_folder(folder)? {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(failed(Doing::List, folder))?;
    let mut receipts = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed(Doing::List, folder))?.file_name();
        receipts.extend(name.to_str().and_then(|name| layout.receipt_named(name)));
    }
    receipts.sort_by_key(|receipt| (receipt.base, receipt.run));
    Ok(receipts)
}

/// The whole of a receipt, its chain verified.
pub(super) fn whole(receipt: &ReceiptRef) -> Result<Journal, StateError> {
    let path = &receipt.path;
    let gone = || failed(Doing::Read, path)(io::ErrorKind::NotFound.into());
    let bytes = read(path)?.ok_or_else(gone)?;
    let journal = chain::read_closed(path, &bytes)?;
    check_name(receipt, &journal.started)?;
    Ok(journal)
}

/// How a receipt starts, without reading the rest.
pub(super) fn start(receipt: &ReceiptRef) -> Result<RunStarted, StateError> {
    /// Far more than a first line needs.
    const LONGEST: u64 = 1 << 20;
    let path = &receipt.path;
    let file = files::open(path, Links::Refused, Access::Read)
        .map_err(|error| failed(Doing::Read, path)(not_ours(error)))?;
    let mut line = Vec::new();
    BufReader::new(file.take(LONGEST)).read_until(b'\n', &mut line).map_err(failed(Doing::Read, path))?;
    let started = chain::read_start(path, &line)?;
    check_name(receipt, &started)?;
    Ok(started)
}

/// Files a journal that was folded. A crash may have filed it already.
pub(super) fn file(layout: &Layout, started: &RunStarted) -> Result<(), StateError> {
    make_own_folder(&layout.receipts)?;
    let (from, to) = (&layout.journal, layout.receipt(started.base, started.run));
    match read(&to)? {
        None => files::rename(from, &to).map_err(failed(Doing::FileJournal, &to))?,
        Some(filed) if read(from)?.as_ref() == Some(&filed) => {
            files::remove(from).map_err(failed(Doing::Remove, from))?;
        }
        Some(_) => {
            let taken = refused(
                io::ErrorKind::AlreadyExists,
                Text::fixed("it is there, and differs", "它已存在，且内容不同"),
            );
            return Err(failed(Doing::FileJournal, &to)(taken));
        }
    }
    crash::point(crash::RECEIPT_RENAMED);
    sync_folder(&layout.receipts)?;
    sync_folder(folder_of(from))
}

/// A name that says something else than the file is a receipt put in another's place.
fn check_name(receipt: &ReceiptRef, started: &RunStarted) -> Result<(), StateError> {
    if (receipt.base, receipt.run) == (started.base, started.run) {
        return Ok(());
    }
    let RunStarted { run, base, .. } = started;
    Err(StateError::JournalDamaged {
        path: receipt.path.clone(),
        line: 1,
        why: text!(
            "it is run {run} from serial {base}, and its name says otherwise",
            "内容是从 serial {base} 开始的运行 {run}，与文件名不符"
        ),
    })
}

/// How messages name a receipt or journal.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}
