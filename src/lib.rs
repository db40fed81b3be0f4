//! stub
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::wildcard_enum_match_arm
    )
)]

pub mod apply;
pub mod check;
pub mod cli;
pub mod clock;
pub mod cloud;
pub mod config;
pub mod desired;
pub mod diagnostic;
pub mod manifest;
pub mod plan;
pub mod report;
pub mod sandbox;
pub mod state;
