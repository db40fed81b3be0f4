//! A lease that injects faults, for tests.

use std::path::PathBuf;

use super::store::{Fence, Keep, Lease};
use crate::state::error::StateError;
use crate::state::record::RunId;
use crate::state::record::Serial;
use crate::state::writer::Writer;

/// An operation of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Read,
    Append(u64),
    /// The line was stored; the response may still be lost.
    Appended(u64),
    Renew,
}

type Fault = Box<dyn FnMut(Op) -> Option<StateError> + Send>;

struct Faulty {
    inner: Box<dyn Lease>,
    fault: Fault,
}

/// Wraps the lease of a writer, so that its operations fail as `fault` says.
pub(crate) fn faulty(writer: Writer, fault: impl FnMut(Op) -> Option<StateError> + Send + 'static) -> Writer {
    writer.map_lease(|inner| Box::new(Faulty { inner, fault: Box::new(fault) }))
}

impl Faulty {
    fn check(&mut self, op: Op) -> Result<(), StateError> {
        (self.fault)(op).map_or(Ok(()), Err)
    }
}

impl Lease for Faulty {
    fn read(&mut self, from: u64) -> Result<Vec<u8>, StateError> {
        self.check(Op::Read)?;
        self.inner.read(from)
    }
    fn prepare(&mut self, state: Option<&[u8]>) -> Result<(), StateError> {
        self.inner.prepare(state)
    }
    fn begin(&mut self, run: RunId, line: &[u8]) -> Result<(), StateError> {
        self.inner.begin(run, line)
    }
    fn append(&mut self, seq: u64, line: &[u8], fence: Fence) -> Result<(), StateError> {
        self.check(Op::Append(seq))?;
        self.inner.append(seq, line, fence)?;
        self.check(Op::Appended(seq))
    }
    fn renew(&mut self) -> Result<(), StateError> {
        self.check(Op::Renew)?;
        self.inner.renew()
    }
    fn replace(
        &mut self,
        before: Option<&[u8]>,
        state: &[u8],
        keep: Keep,
    ) -> Result<Option<PathBuf>, StateError> {
        self.inner.replace(before, state, keep)
    }
    fn close(&mut self, base: Serial, run: RunId) -> Result<(), StateError> {
        self.inner.close(base, run)
    }
}
