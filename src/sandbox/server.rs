//! The HTTP server: reads requests, has them served, and sends or breaks the answers.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::actions::metadata;
use super::backend::{Backend, Reply};
use super::connection::{BreakableListener, Connection, Fate};
use super::gateway::{Incoming, MAX_REQUEST};
use super::ledger::{Ledger, LedgerError};
use super::model::Members;
use super::options::Options;
use crate::i18n::{Text, text};

/// How long a stop waits for requests in progress.
const STOP: Duration = Duration::from_secs(1);
/// Where a machine's metadata service has the credentials of its role.
const METADATA: &str = "/latest/meta-data/cam/security-credentials/";
const PAGE: &str = "<!DOCTYPE html><html><body><h1>Please log in to this network</h1></body></html>";

/// Why a sandbox could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    Listen { address: SocketAddr, source: io::Error },
    Ledger(#[from] LedgerError),
}

impl SandboxError {
    pub fn text(&self) -> Text {
        match self {
            Self::Listen { address, source } => {
                text!("the sandbox cannot listen on {address}: {source}", address, source)
            }
            Self::Ledger(error) => error.text(),
        }
    }
}

impl std::fmt::Display for SandboxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text().fmt(f)
    }
}

/// A server that runs until it is stopped or dropped.
pub struct Sandbox {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ledger = &self.shared.options.ledger;
        f.debug_struct("Sandbox")
            .field("address", &self.address)
            .field("ledger", ledger)
            .finish_non_exhaustive()
    }
}

/// What all requests share.
struct Shared {
    options: Options,
    backend: Mutex<Backend>,
    stop: watch::Receiver<bool>,
    /// Arrivals are timed by a monotonic clock, set from the wall clock once.
    started: (Instant, Timestamp),
}

impl Sandbox {
    /// Starts a server in the background of the tokio runtime that this is called in. It answers as soon as this returns.
    ///
    /// # Errors
    /// When the address is taken, or the ledger is in use, damaged or can't be written.
    pub async fn start(options: Options) -> Result<Self, SandboxError> {
        let failed = |source| SandboxError::Listen { address: options.listen, source };
        let now = Timestamp::now();
        let (mut ledger, events) = Ledger::open(&options.ledger, options.list_delay)?;
        ledger.add_existing(&options.existing, &options.existing_postpaid, now)?;
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            backend: Mutex::new(Backend::new(ledger, &events, &options)),
            options,
            stop: stopped.clone(),
            started: (Instant::now(), now),
        });
        let service = Router::new()
            .fallback(handle)
            .with_state(Arc::clone(&shared))
            .into_make_service_with_connect_info::<Connection>();
        let server = tokio::spawn(async move {
            let mut stopped = stopped;
            let served =
                axum::serve(BreakableListener(listener), service).with_graceful_shutdown(async move {
                    let _ = stopped.wait_for(|stop| *stop).await;
                });
            // axum's server returns no errors.
            let _ = served.await;
        });
        Ok(Self { address, stop, shared, server: Some(server) })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The ledger's file.
    pub fn ledger(&self) -> &Path {
        &self.shared.options.ledger
    }

    /// Ends calls that hang, waits a moment for the others, and releases the ledger.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(STOP, &mut server).await.is_err()
        {
            server.abort();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        // The lock on the ledger ends here, however long a connection may live on.
        self.shared.lock().ledger = None;
    }
}

impl Shared {
    fn now(&self) -> Timestamp {
        let (instant, timestamp) = self.started;
        timestamp.checked_add(instant.elapsed()).unwrap_or(timestamp)
    }

    fn lock(&self) -> MutexGuard<'_, Backend> {
        self.backend.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits. Returns false, early, when the server stops.
    async fn wait(&self, time: Duration) -> bool {
        if time.is_zero() {
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            () = self.stopped() => false,
        }
    }

    async fn stopped(&self) {
        // A sender that is gone means the same.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    shared.wait(shared.options.jitter.mul_f64(random())).await;
    let arrival = shared.now();
    let (parts, body) = request.into_parts();
    if shared.options.machine_role.is_some()
        && let Some(path) = parts.uri.path().strip_prefix(METADATA)
    {
        return match metadata(&shared.options, path, arrival) {
            Some(text) => reply(StatusCode::OK, "text/plain", text),
            None => reply(StatusCode::NOT_FOUND, "text/plain", String::new()),
        };
    }
    let incoming = Incoming {
        query: parts.uri.query().unwrap_or_default().to_owned(),
        method: parts.method,
        headers: parts.headers,
        body: to_bytes(body, MAX_REQUEST).await.ok(),
        arrival,
    };
    let served = shared.lock().serve(&incoming, &shared.options);
    if served.reached && !shared.wait(shared.options.latency).await {
        connection.set(Fate::Reset);
    }
    match served.reply {
        Reply::Answer(members) => reply(StatusCode::OK, "application/json", envelope(&members)),
        Reply::Cut(members) => {
            let text = envelope(&members);
            // Within the last member, which is an order's number: its start is there, its end is not.
            connection.set(Fate::Cut(text.len().saturating_sub(8)));
            reply(StatusCode::OK, "application/json", text)
        }
        Reply::Page => reply(StatusCode::OK, "text/html; charset=utf-8", PAGE.to_owned()),
        Reply::ServerError => {
            reply(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "Internal Server Error".to_owned())
        }
        Reply::Break(fate) => {
            connection.set(fate);
            Response::new(Body::empty())
        }
        Reply::Silence => {
            shared.stopped().await;
            connection.set(Fate::Reset);
            Response::new(Body::empty())
        }
    }
}

/// Uniformly distributed in 0..=1.
fn random() -> f64 {
    // The last bytes of an id of version 7 are random, its first ones are not.
    let [.., high, low] = uuid::Uuid::now_v7().into_bytes();
    f64::from(u16::from_be_bytes([high, low])) / f64::from(u16::MAX)
}

fn envelope(members: &Members) -> String {
    json!({ "Response": members }).to_string()
}

fn reply(status: StatusCode, content_type: &'static str, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    response
}
