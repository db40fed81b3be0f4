//! A connection to PostgreSQL, used from blocking code. It is made again where it was lost between two calls.

use std::fs;
use std::future::Future;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::location::Location;
use crate::i18n::{Text, text};
use crate::state::error::StateError;

/// The version of `schema.sql`.
const VERSION: i32 = 1;
const SCHEMA: &str = include_str!("schema.sql");

/// How long a call may take, connecting included.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long a server that cannot be reached is tried again: long enough for one that restarts.
const PATIENCE: Duration = Duration::from_secs(8);
const BETWEEN_TRIES: Duration = Duration::from_millis(250);

/// A server. Its calls block the thread, whichever that is.
pub(super) struct Server {
    location: Location,
    client: Arc<Mutex<Option<Client>>>,
    runtime: Option<Runtime>,
}

/// One statement with its values.
pub(super) struct Statement {
    sql: &'static str,
    values: Vec<(Box<dyn ToSql + Send + Sync>, Type)>,
}

impl Statement {
    pub(super) fn new(sql: &'static str) -> Self {
        Self { sql, values: Vec::new() }
    }

    pub(super) fn text(self, value: &str) -> Self {
        self.value(value.to_owned(), Type::TEXT)
    }

    pub(super) fn number(self, value: i64) -> Self {
        self.value(value, Type::INT8)
    }

    pub(super) fn bytes(self, value: Option<&[u8]>) -> Self {
        self.value(value.map(<[u8]>::to_vec), Type::BYTEA)
    }

    pub(super) fn seconds(self, value: Duration) -> Self {
        self.value(value.as_secs_f64(), Type::FLOAT8)
    }

    fn value(mut self, value: impl ToSql + Send + Sync + 'static, kind: Type) -> Self {
        self.values.push((Box::new(value), kind));
        self
    }
}

/// Why a call failed.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) why: Text,
    /// Whether it may have been carried out even so, or may be yet.
    pub(super) is_uncertain: bool,
    pub(super) code: Option<SqlState>,
}

impl Failure {
    fn certain(why: Text) -> Self {
        Self { why, is_uncertain: false, code: None }
    }
}

impl Failure {
    /// Whether the tables do not exist.
    pub(super) fn is_missing_table(&self) -> bool {
        [Some(SqlState::UNDEFINED_TABLE), Some(SqlState::INVALID_SCHEMA_NAME)].contains(&self.code)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(database) = error.as_db_error() else {
            let cause =
                std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
            return Self {
                why: text!("{what}{why}", what = error, why = cause),
                is_uncertain: true,
                code: None,
            };
        };
        let code = database.code().clone();
        // A server that shuts down or loses the connection may have committed.
        let is_uncertain = ["57", "08", "XX"].iter().any(|class| code.code().starts_with(class));
        let (message, state) = (database.message().to_owned(), code.code().to_owned());
        Self { why: text!("{message} (SQLSTATE {state})", message, state), is_uncertain, code: Some(code) }
    }
}

impl Server {
    /// Prepares for a server. Connects with the first call.
    ///
    /// # Errors
    /// When the certificates cannot be read, or no thread can be started.
    pub(super) fn new(location: Location) -> Result<Self, Text> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).enable_all().thread_name("postgres").build();
        let runtime = runtime.map_err(|error| text!("cannot start a thread: {error}", error))?;
        Ok(Self { location, client: Arc::default(), runtime: Some(runtime) })
    }

    pub(super) fn error(&self, failure: Failure) -> StateError {
        StateError::Database { place: self.location.to_string().into(), why: failure.why }
    }

    pub(super) fn location(&self) -> &Location {
        &self.location
    }

    /// Runs statements in one transaction, and returns the rows of each. It is rolled back, and nothing returned for the
    /// others, when the first returns no row.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(super) fn run(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>, Failure> {
        let (client, location) = (Arc::clone(&self.client), self.location.clone());
        self.wait(async move { with_client(&client, &location, &statements).await })
    }

    /// Runs one statement and returns its rows.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(super) fn query(&self, statement: Statement) -> Result<Vec<Row>, Failure> {
        Ok(self.run(vec![statement])?.pop().unwrap_or_default())
    }

    /// Runs a statement again and again in the background, without regard to how it ends, until the handle is dropped.
    pub(super) fn repeat(
        &self,
        every: Duration,
        statement: impl Fn() -> Statement + Send + 'static,
    ) -> Option<AbortHandle> {
        let (client, location) = (Arc::clone(&self.client), self.location.clone());
        let task = self.runtime.as_ref()?.spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                let _ = with_client(&client, &location, &[statement()]).await;
            }
        });
        Some(task.abort_handle())
    }

    /// Creates the tables where there are none.
    ///
    /// # Errors
    /// When there are none and they may not be created, or they are of a newer version.
    pub(super) fn prepare(&self) -> Result<(), Failure> {
        let (client, location) = (Arc::clone(&self.client), self.location.clone());
        self.wait(async move {
            let mut slot = client.lock().await;
            bounded(&mut slot, async |slot| {
                let client = connected(slot, &location).await?;
                if has_tables(client).await? {
                    return Ok(());
                }
                // Of two that create them at once, the second waits and finds them.
                client.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(hashtext('postpay'))").await?;
                client.batch_execute(SCHEMA).await?;
                client.batch_execute("COMMIT").await?;
                Ok(())
            })
            .await
            .map_err(|failure| match failure.code {
                Some(SqlState::INSUFFICIENT_PRIVILEGE) => {
                    let why = failure.why;
                    let why = text!("the tables do not exist, and this user may not create them: {why}. Run this as a user who may:\n{sql}", why, sql = SCHEMA);
                    Failure::certain(why)
                }
                _ => failure,
            })
        })
    }

    fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let stopped =
            || Failure { why: text!("the connection's thread has ended"), is_uncertain: true, code: None };
        let (sender, receiver) = mpsc::sync_channel(1);
        let runtime = self.runtime.as_ref().ok_or_else(stopped)?;
        runtime.spawn(async move {
            let answer = tokio::time::timeout(TIMEOUT, work).await;
            let _ = sender.send(answer.unwrap_or_else(|_| {
                let limit = TIMEOUT.as_secs();
                Err(Failure {
                    why: text!("no answer within {limit} s", limit),
                    is_uncertain: true,
                    code: None,
                })
            }));
        });
        receiver.recv().unwrap_or_else(|_| Err(stopped()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn with_client(
    slot: &Mutex<Option<Client>>,
    location: &Location,
    statements: &[Statement],
) -> Result<Vec<Vec<Row>>, Failure> {
    let mut slot = slot.lock().await;
    bounded(&mut slot, async |slot| transaction(connected(slot, location).await?, statements).await).await
}

/// Works with the connection for a limited time. After a failure it is dropped, and with it a transaction that is half done.
async fn bounded<T>(
    slot: &mut Option<Client>,
    work: impl AsyncFnOnce(&mut Option<Client>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let answer = tokio::time::timeout(TIMEOUT, work(slot)).await.unwrap_or_else(|_| {
        let limit = TIMEOUT.as_secs();
        Err(Failure { why: text!("no answer within {limit} s", limit), is_uncertain: true, code: None })
    });
    if answer.is_err() {
        *slot = None;
    }
    answer
}

async fn transaction(client: &Client, statements: &[Statement]) -> Result<Vec<Vec<Row>>, Failure> {
    let [first, more @ ..] = statements else {
        return Ok(Vec::new());
    };
    if more.is_empty() {
        return Ok(vec![query(client, first).await?]);
    }
    client.batch_execute("BEGIN; SET LOCAL synchronous_commit = on").await?;
    let mut answers = vec![query(client, first).await?];
    if answers[0].is_empty() {
        client.batch_execute("ROLLBACK").await?;
        return Ok(answers);
    }
    for statement in more {
        answers.push(query(client, statement).await?);
    }
    client.batch_execute("COMMIT").await?;
    Ok(answers)
}

async fn query(client: &Client, statement: &Statement) -> Result<Vec<Row>, Failure> {
    let values: Vec<(&(dyn ToSql + Sync), Type)> = statement
        .values
        .iter()
        .map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone()))
        .collect();
    Ok(client.query_typed(statement.sql, &values).await?)
}

/// Returns the live connection, made anew where there is none. Nothing was sent when that fails.
async fn connected<'a>(slot: &'a mut Option<Client>, location: &Location) -> Result<&'a Client, Failure> {
    if slot.as_ref().is_none_or(Client::is_closed) {
        let began = tokio::time::Instant::now();
        *slot = loop {
            match connect(location).await {
                Ok(client) => break Some(client),
                Err(failure) if failure.is_uncertain && began.elapsed() < PATIENCE => {
                    tokio::time::sleep(BETWEEN_TRIES).await;
                }
                Err(failure) => return Err(Failure { is_uncertain: false, ..failure }),
            }
        };
    }
    slot.as_ref().ok_or_else(|| Failure::certain(text!("not connected")))
}

async fn connect(location: &Location) -> Result<Client, Failure> {
    let client = if location.tls {
        let tls = MakeRustlsConnect::new(tls_config(location).map_err(Failure::certain)?);
        let (client, connection) = location.config.connect(tls).await?;
        tokio::spawn(connection);
        client
    } else {
        let (client, connection) = location.config.connect(NoTls).await?;
        tokio::spawn(connection);
        client
    };
    check_server(&client).await?;
    Ok(client)
}

/// Checks that what is committed on the server stays committed.
async fn check_server(client: &Client) -> Result<(), Failure> {
    let sql = "SELECT pg_is_in_recovery(), current_setting('synchronous_commit'), current_setting('fsync'), \
               current_setting('server_version_num')::int";
    let row = client.query_typed_one(sql, &[]).await?;
    let (is_replica, commit, fsync, version): (bool, String, String, i32) =
        (row.get(0), row.get(1), row.get(2), row.get(3));
    let problem = if is_replica {
        text!("the server is a read replica; connect to the primary")
    } else if commit == "off" {
        text!(
            "synchronous_commit is off, so a commit may be lost; turn it on for this user: ALTER ROLE … SET synchronous_commit = on"
        )
    } else if fsync == "off" {
        text!("fsync is off, so the state may be lost with the server")
    } else if version < 120_000 {
        text!("the server is older than PostgreSQL 12")
    } else {
        return has_tables(client).await.map(drop);
    };
    Err(Failure::certain(problem))
}

/// Returns whether the tables exist, of a version that this postpay knows.
async fn has_tables(client: &Client) -> Result<bool, Failure> {
    let row = client.query_typed_one("SELECT to_regclass('postpay.version') IS NOT NULL", &[]).await?;
    if !row.get::<_, bool>(0) {
        return Ok(false);
    }
    let found: i32 = client.query_typed_one("SELECT max(version) FROM postpay.version", &[]).await?.get(0);
    if found > VERSION {
        let why = text!(
            "the tables have version {found}; this postpay supports up to {supported}. Use a newer postpay",
            found,
            supported = VERSION
        );
        return Err(Failure::certain(why));
    }
    Ok(true)
}

/// The server's certificate is checked against the system's authorities, or those of `sslrootcert`, and against its name.
fn tls_config(location: &Location) -> Result<ClientConfig, Text> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| text!("TLS: {error}", error))?;
    let config = match &location.root_certificates {
        None => builder
            .with_platform_verifier()
            .map_err(|error| text!("TLS: {error}", error))?
            .with_no_client_auth(),
        Some(file) => {
            let path = file.display();
            let unreadable =
                |error: &dyn std::fmt::Display| text!("sslrootcert {path}: {error}", path, error);
            let pem = fs::read(file).map_err(|error| unreadable(&error))?;
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                roots.add(certificate).map_err(|error| unreadable(&error))?;
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    };
    Ok(config)
}
