//! The store on PostgreSQL: the contract, and what is its own.

use postpay::state::StateStore;
use tempfile::TempDir;

use super::*;
use crate::support::postgres::{Cut, Proxy, Server, server, store};

/// A project on the tests' server.
struct Database {
    server: &'static Server,
    url: String,
    folder: TempDir,
}

impl Database {
    /// None where PostgreSQL is not installed.
    fn new() -> Option<Self> {
        let server = server()?;
        Some(Self { server, url: server.url(), folder: crate::support::folder() })
    }

    fn project(&self) -> &str {
        self.url.split_once("project=").unwrap().1.split('&').next().unwrap()
    }

    /// Runs SQL on this project, whose name stands for `$`.
    fn sql(&self, sql: &str) -> String {
        self.server.sql(&sql.replace('$', &format!("'{}'", self.project())))
    }
}

impl Place for Database {
    fn store(&self) -> Box<dyn StateStore> {
        Box::new(store(&self.url, self.folder.path()))
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

/// A run with an intent and an outcome, where one statement or its answer is lost.
fn run_through(
    proxy: &Proxy,
    database: &Database,
    part: &'static str,
    cut: Cut,
) -> Result<State, StateError> {
    let url = proxy.url(database.server, &database.url);
    let store = store(&url, database.folder.path());
    proxy.cut(part, cut);
    let mut writer = Writer::open(&store, &holder("ada@loom"), NO_WAIT)?;
    writer.begin(at(1), run_over(&writer))?;
    writer.append(at(2), intent(1, "shop"))?;
    writer.check_exclusive()?;
    writer.append(at(3), ordered(1, "shop"))?;
    writer.append(at(4), finished())?;
    writer.commit()
}

#[test]
fn lost_statements_and_answers_lose_and_repeat_nothing() {
    let Some(server) = server() else { return };
    let proxy = Proxy::new(server);
    for part in [
        "SET epoch = epoch + 1, holder",
        "SET lease_until = clock_timestamp() +",
        "SET open_run = $4",
        "SELECT name, $4, $2, $5",
        "FROM postpay.projects WHERE name = $1 AND $3::text IS NOT NULL",
        "UPDATE postpay.projects SET backup",
        "SET snapshot = $2",
        "INSERT INTO postpay.receipts",
        "SET open_run = NULL",
    ] {
        for cut in [Cut::Request, Cut::Answer] {
            let database = Database::new().unwrap();
            // There is a state to be kept as the backup.
            order(&database, &["first"]);
            let ended = run_through(&proxy, &database, part, cut);
            assert!(proxy.is_done(), "{part}: never sent");
            // Whatever the writer was told: what it appended is there once, and the next writer goes on from it.
            database.end_lease();
            let mut next = writer(&database);
            let state = next.state().unwrap().clone();
            let record = state.get(&address("shop"));
            match &ended {
                Ok(_) => assert_eq!(record.unwrap().env_id.as_deref(), Some("env-shop"), "{part}, {cut:?}"),
                Err(error) => assert!(
                    record.is_none_or(|record| [Status::Unknown, Status::Created].contains(&record.status)),
                    "{part}, {cut:?}: {error:?}"
                ),
            }
            assert!(state.get(&address("first")).is_some());
            next.begin(at(9), run_over(&next)).unwrap();
            next.append(at(9), finished()).unwrap();
            next.commit().unwrap();
            drop(next);
            assert!(
                postpay::state::verify::verify(&*database.store()).unwrap().problems.is_empty(),
                "{part}, {cut:?}"
            );
        }
    }
}

#[test]
fn leases_are_renewed_and_run_out() {
    let Some(mut database) = Database::new() else { return };
    database.url += "&lease=4";
    let first = writer(&database);
    let until = || database.sql("SELECT lease_until FROM postpay.projects WHERE name = $");
    let taken = until();
    crate::support::until("a renewal", || until() != taken);
    assert!(matches!(lock(&database, "bob@mill").err(), Some(StateError::Locked { .. })));
    // As after kill -9: nobody renews it, and nobody releases it.
    std::mem::forget(first);
    database.sql("UPDATE postpay.projects SET writer = 'dead' WHERE name = $");
    let store = database.store();
    drop(Writer::open(&*store, &holder("bob@mill"), Duration::from_secs(60)).unwrap());
}

#[test]
fn lost_connections_are_made_again() {
    let Some(mut database) = Database::new() else { return };
    // Only the connections of this test are ended.
    database.server.sql("CREATE ROLE restarted LOGIN SUPERUSER");
    database.url = database.url.replace("postgres@", "restarted@");
    let mut writer = writer(&database);
    writer.begin(at(1), run_over(&writer)).unwrap();
    for (event, second) in [intent(1, "shop"), ordered(1, "shop"), finished()].into_iter().zip(2..) {
        database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'restarted'");
        writer.append(at(second), event).unwrap();
    }
    assert!(writer.commit().unwrap().get(&address("shop")).is_some());
}

#[test]
fn servers_that_may_lose_a_commit_and_newer_tables_are_rejected() {
    let Some(server) = server() else { return };
    let Some(database) = Database::new() else { return };
    order(&database, &["shop"]);
    server.sql("CREATE ROLE careless LOGIN SUPERUSER");
    server.sql("ALTER ROLE careless SET synchronous_commit = off");
    let careless = database.url.replace("postgres@", "careless@");
    let error = store(&careless, database.folder.path()).inspect().unwrap_err();
    assert!(error.text().en().contains("synchronous_commit is off"), "{error}");

    server.sql("CREATE ROLE guest LOGIN");
    server.sql("CREATE DATABASE other");
    let guest = database.url.replace("postgres@", "guest@").replace("/postgres?", "/other?");
    let guest = store(&guest, database.folder.path());
    assert_eq!(guest.inspect().unwrap().state, None, "no tables, no state");
    let error = guest.acquire(&holder("ada@loom"), NO_WAIT).err().unwrap();
    assert!(error.text().en().contains("CREATE TABLE IF NOT EXISTS postpay.projects"), "{error}");

    let other = store(&database.url.replace("/postgres?", "/other?"), database.folder.path());
    drop(other.acquire(&holder("ada@loom"), NO_WAIT).unwrap());
    server.sql_in("other", "UPDATE postpay.version SET version = 2");
    let newer = store(&database.url.replace("/postgres?", "/other?"), database.folder.path());
    let error = newer.inspect().unwrap_err();
    assert!(error.text().en().contains("have version 2"), "{error}");
}
