//! The shared store: a state in a PostgreSQL database, which many machines use at once.
//!
//! One row per project holds the state, the lease and its epoch; its row lock orders all writes. The lease has the server's
//! clock. An intent is added by one statement that also checks the epoch: a writer that was paused or cut off, and whose lease
//! another one took, cannot add it, and so sends nothing. An outcome is taken from any writer while its run is open.
//!
//! Statements are unnamed and settings are local to a transaction, so a pooler such as PgBouncer may stand in between.

mod lease;
mod location;
mod server;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio_postgres::Row;
use uuid::Uuid;

pub use location::{Location, find_password};

use super::store::{Lease, LockStatus, Part, Places, ReceiptRef, StateStore, Stored};
use crate::i18n::Text;
use crate::state::error::{Holder, StateError};
use crate::state::record::{RunId, Serial};
use lease::PostgresLease;
use server::{Failure, Server, Statement};

/// How often a lease that another writer holds is asked for.
const POLL: Duration = Duration::from_millis(200);

/// A state in a PostgreSQL database.
pub struct PostgresStore {
    server: Arc<Server>,
    /// What the names of rescue files on this machine start with.
    rescue: PathBuf,
}

impl PostgresStore {
    /// The store of a project. Connects with the first call. `rescue` is a local path for what cannot be written to the
    /// database.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new(location: Location, rescue: impl Into<PathBuf>) -> Result<Self, StateError> {
        let place = PathBuf::from(location.shown.clone());
        let server = Server::new(location).map_err(|why| StateError::Database { place, why })?;
        Ok(Self { server: Arc::new(server), rescue: rescue.into() })
    }

    fn project(&self) -> &str {
        self.server.location().project()
    }

    fn failed(&self, failure: Failure) -> StateError {
        self.server.error(failure)
    }

    /// Runs a statement whose first value is the project. No row where the tables do not exist yet.
    fn read(&self, sql: &'static str) -> Result<Vec<Row>, StateError> {
        let read = || self.server.query(Statement::new(sql).text(self.project()));
        // The server may have restarted since the last call.
        match read().or_else(|failure| if failure.is_uncertain { read() } else { Err(failure) }) {
            Ok(rows) => Ok(rows),
            // Nothing was ever stored.
            Err(failure) if failure.is_missing_table() => Ok(Vec::new()),
            Err(failure) => Err(self.failed(failure)),
        }
    }

    fn receipt_ref(&self, base: i64, run: &str) -> Result<ReceiptRef, StateError> {
        let place = PathBuf::from(format!("{}, receipt {base} of run {run}", self.server.location()));
        match (u64::try_from(base), run.parse::<Uuid>()) {
            (Ok(base), Ok(run)) => Ok(ReceiptRef { base: Serial(base), run: RunId(run), path: place }),
            (Err(_), _) | (_, Err(_)) => {
                Err(StateError::Database { place, why: Text::fixed("not a receipt of postpay") })
            }
        }
    }
}

impl StateStore for PostgresStore {
    fn places(&self) -> Result<Places, StateError> {
        let shown = self.server.location();
        let part = |name: &str| PathBuf::from(format!("{shown}, {name}"));
        Ok(Places {
            state: shown.to_string().into(),
            backup: part("backup"),
            journal: part("journal"),
            lock: part("lease"),
            receipts: part("receipts"),
            rescue: self.rescue.clone(),
        })
    }

    fn inspect(&self) -> Result<Stored, StateError> {
        // One statement sees one moment.
        let rows = self.read(
            "SELECT p.snapshot, p.backup IS NOT NULL, p.open_run, \
               (SELECT string_agg(line, ''::bytea ORDER BY seq) FROM postpay.log WHERE project = p.name), \
               (SELECT array_agg(base ORDER BY base, run) FROM postpay.receipts WHERE project = p.name), \
               (SELECT array_agg(run ORDER BY base, run) FROM postpay.receipts WHERE project = p.name) \
             FROM postpay.projects p WHERE p.name = $1",
        )?;
        let Some(row) = rows.first() else {
            return Ok(Stored {
                journal: None,
                state: None,
                receipts: Vec::new(),
                has_backup: false,
                open_run: None,
            });
        };
        let bases: Vec<i64> = row.get::<_, Option<Vec<i64>>>(4).unwrap_or_default();
        let runs: Vec<String> = row.get::<_, Option<Vec<String>>>(5).unwrap_or_default();
        let receipts: Result<_, _> =
            bases.iter().zip(&runs).map(|(base, run)| self.receipt_ref(*base, run)).collect();
        let open_run: Option<String> = row.get(2);
        Ok(Stored {
            journal: row.get(3),
            state: row.get(0),
            receipts: receipts?,
            has_backup: row.get(1),
            open_run: open_run.and_then(|run| run.parse().ok()).map(RunId),
        })
    }

    fn receipts(&self) -> Result<Vec<ReceiptRef>, StateError> {
        let rows =
            self.read("SELECT base, run FROM postpay.receipts WHERE project = $1 ORDER BY base, run")?;
        rows.iter().map(|row| self.receipt_ref(row.get(0), row.get(1))).collect()
    }

    fn receipt_bytes(&self, receipt: &ReceiptRef, part: Part) -> Result<Vec<u8>, StateError> {
        let sql = match part {
            Part::Whole => {
                "SELECT journal FROM postpay.receipts WHERE project = $1 AND base = $2 AND run = $3"
            }
            Part::FirstLine => {
                "SELECT substring(journal FROM 1 FOR position('\\x0a'::bytea IN journal)) FROM postpay.receipts \
                 WHERE project = $1 AND base = $2 AND run = $3"
            }
        };
        let base = i64::try_from(receipt.base.0).unwrap_or(i64::MAX);
        let statement = Statement::new(sql).text(self.project()).number(base).text(&receipt.run.to_string());
        let rows = self.server.query(statement).map_err(|failure| self.failed(failure))?;
        rows.first().map(|row| row.get(0)).ok_or_else(|| StateError::Database {
            place: receipt.path.clone(),
            why: Text::fixed("it no longer exists"),
        })
    }

    fn backup(&self) -> Result<Option<Vec<u8>>, StateError> {
        let rows = self.read("SELECT backup FROM postpay.projects WHERE name = $1")?;
        Ok(rows.first().and_then(|row| row.get(0)))
    }

    fn lock_status(&self) -> Result<LockStatus, StateError> {
        let rows = self.read(
            "SELECT holder, COALESCE(lease_until > clock_timestamp(), false) FROM postpay.projects WHERE name = $1",
        )?;
        Ok(match rows.first() {
            Some(row) if row.get(1) => LockStatus::Held(holder(row.get(0))),
            Some(_) | None => LockStatus::Free,
        })
    }

    fn acquire(&self, wanted: &Holder, wait: Duration) -> Result<Box<dyn Lease>, StateError> {
        self.server.prepare().map_err(|failure| self.failed(failure))?;
        let writer = Uuid::now_v7().to_string();
        let json = serde_json::to_string(wanted).unwrap_or_default();
        let began = Instant::now();
        let insert = || {
            Statement::new(
                "INSERT INTO postpay.projects (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING name",
            )
            .text(self.project())
        };
        self.server.query(insert()).map_err(|failure| self.failed(failure))?;
        loop {
            // By the same writer again, where the answer to the first try was lost.
            let take = Statement::new(
                "UPDATE postpay.projects SET epoch = epoch + 1, holder = $2, writer = $3, \
                   lease_until = clock_timestamp() + make_interval(secs => $4) \
                 WHERE name = $1 AND (lease_until IS NULL OR lease_until < clock_timestamp() OR writer = $3) \
                 RETURNING epoch",
            );
            let take =
                take.text(self.project()).text(&json).text(&writer).seconds(self.server.location().lease);
            match self.server.query(take) {
                Ok(rows) => {
                    if let Some(row) = rows.first() {
                        let server = Arc::clone(&self.server);
                        return Ok(Box::new(PostgresLease::new(server, writer, row.get(0))));
                    }
                }
                Err(failure) if failure.is_uncertain && began.elapsed() < wait.max(POLL) => {}
                Err(failure) => return Err(self.failed(failure)),
            }
            if began.elapsed() >= wait {
                let held = match self.lock_status()? {
                    LockStatus::Held(holder) => holder,
                    LockStatus::Free => None,
                };
                return Err(StateError::Locked {
                    path: Path::new(&self.server.location().to_string()).into(),
                    holder: held,
                });
            }
            thread::sleep(POLL);
        }
    }
}

fn holder(json: Option<String>) -> Option<Holder> {
    serde_json::from_str(&json?).ok()
}
