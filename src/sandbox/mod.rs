//! The sandbox: a small real HTTP server that speaks the protocol of Tencent Cloud, so that everything can be tried without
//! an account and without cost.
//!
//! Signatures, parameter rules, envelope, codes, rate limits and paging are real; what it creates, renames and destroys is a
//! line in its ledger, which is the witness of the tests. Its rules are its own, not those of the client.
//!
//! | module | holds |
//! |---|---|
//! | `event` | one line of the ledger |
//! | `model` | the account as plain data |
//! | `actions` | one row and one function for each action: checks, answers, and what it does to the account |
//! | `ledger` | the durable file, and its replay |
//! | `gateway` | signature, version, action, rate |
//! | `fault` | failures at a chosen call, in every way that a real endpoint can fail |
//! | `backend`, `connection`, `server` | serve one request after another over real connections, which faults can break |

mod actions;
mod backend;
mod connection;
mod event;
mod fault;
mod gateway;
mod ledger;
mod model;
mod options;
mod server;

pub use actions::{SECRET_ID, SECRET_KEY};
pub use event::LedgerEntry;
pub use fault::{Break, Calls, Fault, FaultError, FaultKind, Target};
pub use ledger::{LedgerError, SAMPLE_ENV_ID, add_earlier, read_ledger, reset};
pub use options::{ACCOUNT, ListAlias, Options, Postpaid, PostpaidError, RATE};
pub use server::{Sandbox, SandboxError};
