//! The sandbox: a small real HTTP server that speaks the vendor's protocol, so that everything can be tried without an
//! account and without cost.
//!
//! Signatures, the vendor's rules, envelope, codes, rate limits and paging are real; what it orders, renames and gives up is
//! a line in its ledger.
//! Faults break it at a chosen call, in every way that a real endpoint can break. It knows the protocol and no other room.

mod bill;
mod change;
mod elsewhere;
mod existing;
mod fault;
mod gateway;
mod ledger;
mod line;
mod look;
mod order;
mod rate;
mod server;
mod show;
mod shown;
mod sts;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use existing::{Postpaid, PostpaidError};
pub use fault::{Calls, Fault, FaultError, FaultKind, Target};
pub use ledger::{LedgerEntry, LedgerError, SAMPLE_ENV_ID, note, read_ledger, reset};
pub use look::ListAlias;

use crate::cloud::tencent::wire::CREATE;
use crate::lang::{Text, text};
use ledger::Ledger;
use line::{Door, Line};
use rate::Rates;
use server::{Inner, Shared};
use shown::Shown;
use sts::Issuing;
use world::World;

/// The id of the one key that the sandbox knows. It is public and opens nothing else.
pub const SECRET_ID: &str = "AKIDpostpaySandboxPublicKeyNotSecret";
/// The secret to [`SECRET_ID`], which is none.
pub const SECRET_KEY: &str = "postpaySandboxKeyOpensNothingElse";

/// The main account that the sandbox's environments belong to. Nobody has it.
pub const ACCOUNT: &str = "100000000001";

/// Orders a second that the vendor takes.
pub const RATE: u32 = 2;

/// How long a stop waits for answers that are under way.
const STOP: Duration = Duration::from_secs(1);

/// How a sandbox behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Port 0 for any free one.
    pub listen: SocketAddr,
    /// Where everything is kept. Made when it is not there, with its folder.
    pub ledger: PathBuf,
    /// How long the back end takes to answer, counted from when it has acted.
    pub latency: Duration,
    /// Every request arrives up to this much later than it was sent, uniformly distributed.
    pub jitter: Duration,
    /// How long after an order or a change what it did is shown by DescribeEnvs and DescribeBillingInfo. The vendor's own
    /// delay is not documented.
    pub list_delay: Duration,
    /// What DescribeEnvs shows as an alias.
    pub list_alias: ListAlias,
    /// The first that strikes at a call counts.
    pub faults: Vec<Fault>,
    /// Orders a second, or None for no limit. The vendor's is [`RATE`]. The limits of ModifyEnv and DestroyEnv are always the
    /// vendor's.
    pub rate: Option<u32>,
    /// Environments that are there beside the sample one, by id: prepaid, so that they can be switched.
    pub existing: Vec<String>,
    /// Environments that are there, postpaid: as if they had been ordered by somebody else.
    pub existing_postpaid: Vec<Postpaid>,
    /// The main account that everything belongs to.
    pub account: String,
    /// The longest that a temporary key lasts, where that is less than what is asked for.
    pub max_session: Option<Duration>,
    /// The role of the machine, whose metadata service is on the same port then.
    pub machine_role: Option<String>,
}

impl Options {
    /// The vendor's limit, no faults and no delay, on a free port of the loopback.
    pub fn new(ledger: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            ledger: ledger.into(),
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            list_delay: Duration::ZERO,
            list_alias: ListAlias::default(),
            faults: Vec::new(),
            rate: Some(RATE),
            existing: Vec::new(),
            existing_postpaid: Vec::new(),
            account: ACCOUNT.to_owned(),
            max_session: None,
            machine_role: None,
        }
    }
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    Listen { address: SocketAddr, source: io::Error },
    Ledger(#[from] LedgerError),
}

impl SandboxError {
    pub fn text(&self) -> Text {
        match self {
            Self::Listen { address, source } => {
                text!("the sandbox can't listen on {address}: {source}", "沙箱无法监听 {address}：{source}")
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

/// Starts servers.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Sandbox {
    /// Starts a server in the background of the tokio runtime that this is called in. It answers as soon as this returns.
    ///
    /// # Errors
    /// When the address is taken, or the ledger is in use, damaged or can't be written.
    pub async fn start(options: Options) -> Result<Running, SandboxError> {
        let Options {
            listen,
            ledger: path,
            latency,
            jitter,
            list_delay,
            list_alias,
            faults,
            rate,
            existing,
            existing_postpaid,
            account,
            max_session,
            machine_role,
        } = options;
        let failed = |source| SandboxError::Listen { address: listen, source };
        let now = Timestamp::now();
        let (ledger, lines) = Ledger::open(&path, &existing, &existing_postpaid, now)?;
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let mut world = World::default();
        let mut shown = Shown::new(list_delay);
        let mut arrivals = Vec::new();
        for line in lines {
            world.apply(&line);
            if let ledger::Line::Request(entry) = &line
                && entry.reached
                && entry.action == CREATE
            {
                arrivals.push(entry.at);
            }
            shown.apply(line);
        }
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            inner: Mutex::new(Inner {
                ledger: Some(ledger),
                world,
                shown,
                rates: Rates::new(rate, arrivals.into_iter()),
                congestions: Vec::new(),
                calls: server::Calls::default(),
            }),
            latency,
            jitter,
            faults,
            issuing: Issuing { account, most: max_session },
            machine_role,
            list_alias,
            stop: stopped.clone(),
            started: (Instant::now(), now),
        });
        let service = Router::new()
            .fallback(server::handle)
            .with_state(Arc::clone(&shared))
            .into_make_service_with_connect_info::<Line>();
        let server = tokio::spawn(async move {
            let mut stopped = stopped;
            let served = axum::serve(Door(listener), service).with_graceful_shutdown(async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            });
            // axum's server has no errors of its own: a connection's end is its own affair.
            let _ = served.await;
        });
        Ok(Running { address, path, stop, shared, server: Some(server) })
    }
}

/// A server that runs until it is stopped or dropped.
pub struct Running {
    address: SocketAddr,
    path: PathBuf,
    stop: watch::Sender<bool>,
    shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("address", &self.address)
            .field("ledger", &self.path)
            .finish_non_exhaustive()
    }
}

impl Running {
    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The ledger's file.
    pub fn ledger(&self) -> &Path {
        &self.path
    }

    /// Ends what hangs, waits a moment for what is under way, and lets go of the ledger.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(STOP, &mut server).await.is_err()
        {
            server.abort();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        // The lock on the ledger ends here, however long a connection may live on.
        self.shared.lock().ledger = None;
    }
}
