//! postpay plans and orders Tencent CloudBase pay-as-you-go environments from reviewed YAML.
//!
//! The vendor's `CreatePostpayPackage` costs money, has no idempotency token, and can act and then fail to answer. So
//! three promises shape everything here, and win over any other good:
//!
//! 1. **Nothing twice.** No crash, kill, lost answer, throttle, replayed plan or lost state makes postpay order an
//!    environment a second time.
//! 2. **Nothing lost.** Every TranId and EnvId that the vendor returned is on disk before anything else happens. An
//!    outcome that we don't know is a fact that is recorded and shown.
//! 3. **Nothing unreviewed.** What is ordered is what the plan showed, or nothing is.
//!
//! # The data's way through the house
//!
//! ```text
//! YAML files ──> Document ──> Desired ─┐
//!                                      ├─> Plan ──> Approved ──> Outcome (one a step) ──> State
//! state file + open journal ─> State ──┘                                    ↑
//! the account (DescribeEnvs, DescribeBillingInfo) ── read back, adopt, generate ──┘
//!                                                 └─> Drift, with Desired and State
//! ```
//!
//! Each arrow is one module, each noun one plain type:
//!
//! | room | makes | of |
//! |---|---|---|
//! | [`manifest`] | [`manifest::Document`], every value with its place | files |
//! | [`check`] | [`model::Desired`], or every problem at once | documents |
//! | [`state`] | [`state::State`], journal and receipts on disk | runs |
//! | [`plan`] | [`plan::Plan`]; [`plan::guard::Approved`], which nothing else can make | desired, state |
//! | [`apply`] | [`apply::ApplySummary`]; the only caller of [`cloud::CloudWrite`] | an approved plan |
//! | [`cloud`] | graded answers, over the vendor's protocol | requests |
//! | [`drift`] | [`drift::Drift`] | desired, state, what the account has |
//! | [`generate`] | manifests that adopt | what the account has and nobody declares |
//! | [`rehearsal`] | a copy of the state, faults, and a judgement by the endpoint's ledger | desired, state |
//! | [`report`] | text, JSON, events; [`report::page::Page`], which Markdown, HTML, GitHub, SARIF and JUnit show | plans, reports, drift, states |
//!
//! [`model`], [`diagnostic`], [`lang`] (a sentence for people stands in English and Chinese where it is made) and [`invisible`]
//! (what is never shown as it stands) are the vocabulary that the rooms share, [`files`] opens what somebody else may have put
//! where we look, [`config`] reads `postpay.yaml`, [`clock`] is the time as an argument, [`sandbox`] is a small real server that
//! speaks the vendor's side of the protocol, [`crash`]
//! lets a test stop a real process at a named moment, and [`cli`] puts the parts together. `tests/suite/layering.rs`
//! holds who may import whom; below [`cli`] nothing prints, reads the environment or exits.
//!
//! # How one order is made
//!
//! 1. [`plan::diff`] finds an address that is declared and not on record.
//! 2. [`plan::guard`] lets the plan through: it fits the state, the endpoint, the account that the vendor says the key is of, and
//!    the limits, and somebody agreed to it.
//! 3. [`apply`] has a key that lasts, waits for the request's slot, and puts an intent in the journal, on disk.
//! 4. [`cloud::tencent`] signs and sends it over a connection of its own, and grades what comes back: ordered, refused,
//!    not sent, or unknown. Only what was provably not sent is ever sent again.
//! 5. The outcome, with every id in it, is on disk before anything else is decided.
//! 6. An unknown outcome stops the run until [`apply::settle`] has read it back: one environment that was not there before,
//!    and that fits in everything, is adopted, and the run goes on. Anything less is a question for `postpay resolve`.
//! 7. At the end of the run the journal is folded into the state and filed as a receipt. If the process dies before
//!    that, the next one does it; an intent without an outcome becomes `unknown`, and is never ordered again by itself.
//!
//! What else a run does, and in which order (the record first, then orders, changes in place, giving up last), is in
//! [`apply::protocol`] too.
//!
//! What each crash leaves, and why nothing is ordered twice: [`apply::protocol`].
//!
//! # Files on disk
//!
//! | file | holds |
//! |---|---|
//! | `environments/*.yaml` | the manifests |
//! | `postpay.yaml` | settings and limits |
//! | `state/postpay.state.json` | what was ordered; replaced whole, `.backup` is the one before |
//! | `state/postpay.journal.jsonl` | the open run, each line holding the hash of the one before |
//! | `state/receipts/` | the journals of finished runs, for good |
//! | `state/postpay.rescue.<run>.json` | outcomes that could not be written to the journal |
//! | `state/postpay.state.json.replaced-<time>` | what a restore found in the state's place |
//! | `state/postpay.state.lock` | the lock, who holds it, and which run is open |
//! | `state/postpay.sandbox.jsonl` | what the embedded endpoint did |

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm)
)]

pub mod apply;
pub mod check;
pub mod ci;
pub mod cli;
pub mod clock;
pub mod cloud;
pub mod config;
pub mod crash;
pub mod diagnostic;
pub mod drift;
pub mod files;
pub mod generate;
pub mod invisible;
pub mod kinds;
pub mod lang;
pub mod manifest;
pub mod model;
pub mod plan;
pub mod rehearsal;
pub mod report;
pub mod sandbox;
pub mod state;
