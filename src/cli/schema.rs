//! `postpay schema`: JSON Schemas for editors and programs.

use clap::ValueEnum;

use super::Exit;
use super::failure::Failure;
use super::world::World;
use crate::report::{events, json};
use crate::{config, manifest, plan, state};

/// Print the JSON Schema of a file format
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The format
    kind: Kind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// A manifest of environments
    Manifest,
    /// postpay.yaml
    Config,
    /// The state file
    State,
    /// A plan file, which is also what `plan --format json` prints
    Plan,
    /// A line of `apply --json`
    Events,
    /// `apply --format json`
    Apply,
    /// `validate --format json`
    Validate,
    /// `resolve --format json`
    Resolve,
    /// `generate --format json`
    Generate,
}

pub(super) fn run(args: &Args, world: &mut World) -> Result<Exit, Failure> {
    let schema = match args.kind {
        Kind::Manifest => manifest::manifest_schema(),
        Kind::Config => config::config_schema(),
        Kind::State => state::file::state_schema(),
        Kind::Plan => plan::file::schema(),
        Kind::Events => events::schema(),
        Kind::Apply => json::schema(),
        Kind::Validate => json::validate::schema(),
        Kind::Resolve => json::resolve::schema(),
        Kind::Generate => json::generate::schema(),
    };
    world.print(&format!("{schema:#}\n"))?;
    Ok(Exit::Fine)
}
