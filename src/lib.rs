//! postpay creates and manages Tencent CloudBase environments from reviewed YAML.
//!
//! Creating an environment (`CreatePostpayPackage`) costs money, has no idempotency token, and may succeed
//! without a response. Three promises follow, and win over every other goal:
//!
//! 1. **Nothing twice.** No crash, kill, lost response, throttling, replayed plan or lost state creates an
//!    environment twice.
//! 2. **Nothing lost.** Every TranId and EnvId that was returned is on disk before anything else happens. An unknown outcome is
//!    recorded, shown and resolved.
//! 3. **Nothing unreviewed.** Only what the plan showed is created.
//!
//! # The pipeline
//!
//! ```text
//! YAML files ──> Document ──> Desired ─┐
//!                                      ├─> Plan ──> Approved ──> Outcome (one per step) ──> State
//! state file + open journal ─> State ──┘                                    ↑
//! the account (DescribeEnvs, DescribeBillingInfo) ── read back, import, generate ─┘
//!                                                 └─> Drift, with Desired and State
//! ```
//!
//! Each arrow is one module, each noun one plain type:
//!
//! | module | makes | from |
//! |---|---|---|
//! | [`manifest`] | [`manifest::Document`], every value with its place | files |
//! | [`check`] | [`model::Desired`], or every problem at once | documents |
//! | [`state`] | [`state::State`], journal and receipts in a [`state::StateStore`] | runs |
//! | [`plan`] | [`plan::Plan`], and [`plan::guard::Approved`], which nothing else can make | desired, state |
//! | [`apply`] | [`apply::ApplySummary`]; the only caller of [`cloud::CloudWrite`] | an approved plan |
//! | [`cloud`] | classified responses, over Tencent Cloud's protocol | requests |
//! | [`drift`] | [`drift::Drift`] | desired, state, the account |
//! | [`generate`] | manifests with `import` blocks | environments that no manifest declares |
//! | [`rehearsal`] | a copy of the state, faults, and a verdict from the sandbox's ledger | desired, state |
//! | [`report`] | text, JSON, events, and [`report::view::Report`] for all other formats | plans, runs, drift, states |
//!
//! Shared by all: [`model`] (addresses, attributes, ids), [`kinds`] (what can be created, as tables of fields), [`diagnostic`]
//! (problems that a user can fix), [`i18n`] (English and Chinese), [`sanitize`] (escaping invisible characters, and what
//! a CI system would obey), [`files`] (opening files without following links) and [`clock`] (time as an argument).
//!
//! [`config`] reads `postpay.yaml`, [`sandbox`] is a small HTTP server with the API's rules, [`crash`] lets a test stop a process
//! at a chosen moment, and [`cli`] connects the parts. Below [`cli`] nothing prints, reads the environment or exits.
//! `tests/suite/layering.rs` fails when a module imports one that it may not.
//!
//! # How one environment is created
//!
//! 1. [`plan::diff`] finds an address that is declared and not in the state.
//! 2. [`plan::guard`] approves the plan: it fits the state, the endpoint, the account that the credentials belong to and the
//!    limits, and the user approved it.
//! 3. [`apply`] gets credentials, waits for the request's slot, and writes an intent to the journal, on disk.
//! 4. [`cloud::tencent`] signs the request, sends it over a new connection, and classifies the response: ordered, refused, not sent,
//!    or unknown. Only what was provably not sent is sent again.
//! 5. The outcome, with every id in it, is on disk before anything else happens.
//! 6. An unknown outcome stops the run until the account was read. If exactly one new environment matches, it is added to the
//!    state and the run goes on. Otherwise `postpay resolve` decides.
//! 7. At the end of the run the journal is applied to the state and kept as a receipt. If the process dies before that, the
//!    next writer does it; an intent without an outcome becomes `unknown`, and is never sent again automatically.
//!
//! [`apply::protocol`] describes what each crash leaves, why nothing is created twice, and what else a run does and in which
//! order.
//!
//! # Files on disk
//!
//! | file | holds |
//! |---|---|
//! | `environments/*.yaml` | the manifests |
//! | `postpay.yaml` | settings and limits |
//! | `state/postpay.state.json` | the state; replaced as a whole; `.backup` is the previous one |
//! | `state/postpay.journal.jsonl` | the open run, each line with the hash of the line before |
//! | `state/receipts/` | the journals of finished runs, kept forever |
//! | `state/postpay.rescue.<run>.json` | outcomes that could not be written to the journal |
//! | `state/postpay.state.json.replaced-<time>` | the state that a restore replaced |
//! | `state/postpay.state.lock` | the lock: who holds it, and which run is open |
//! | `state/postpay.sandbox.jsonl` | what the sandbox did |

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm)
)]

pub mod apply;
pub mod check;
pub mod cli;
pub mod clock;
pub mod cloud;
pub mod config;
pub mod crash;
pub mod diagnostic;
pub mod drift;
pub mod files;
pub mod generate;
pub mod i18n;
pub mod kinds;
pub mod manifest;
pub mod model;
pub mod plan;
pub mod rehearsal;
pub mod report;
pub mod sandbox;
pub mod sanitize;
pub mod state;
