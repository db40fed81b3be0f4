//! The store on PostgreSQL: the contract, and what is its own.

use postpay::state::StateStore;
use postpay::state::postgres::LEASE;
use tempfile::TempDir;

use super::*;
use crate::support::postgres::{Server, server, store};

/// A project on the tests' server.
struct Database {
    server: &'static Server,
    url: String,
    folder: TempDir,
    lease: Duration,
}

impl Database {
    /// None where PostgreSQL is not installed.
    fn new() -> Option<Self> {
        let server = server()?;
        Some(Self { server, url: server.url(), folder: crate::support::folder(), lease: LEASE })
    }

    fn project(&self) -> &str {
        self.url.split_once("project=").unwrap().1
    }

    /// Runs SQL on this project, whose name stands for `$`.
    fn sql(&self, sql: &str) -> String {
        self.server.sql(&sql.replace('$', &format!("'{}'", self.project())))
    }
}

impl Place for Database {
    fn store(&self) -> Box<dyn StateStore> {
        Box::new(store(&self.url, self.folder.path(), self.lease))
    }

    fn copy(&self) -> Option<Vec<u8>> {
        let hex = self.sql("SELECT encode(snapshot, 'hex') FROM postpay.projects WHERE name = $");
        (!hex.is_empty()).then(|| hex::decode(hex).unwrap())
    }

    fn tamper(&self, state: Option<&[u8]>) -> bool {
        let value = state
            .map_or_else(|| "NULL".to_owned(), |state| format!("decode('{}', 'hex')", hex::encode(state)));
        self.sql(&format!("UPDATE postpay.projects SET snapshot = {value} WHERE name = $"));
        true
    }

    fn end_lease(&self) -> bool {
        self.sql("UPDATE postpay.projects SET epoch = epoch + 1, writer = 'other', lease_until = NULL WHERE name = $");
        true
    }
}

super::store_contract!(optional: Database::new());
