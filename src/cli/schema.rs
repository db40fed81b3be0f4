//! `postpay schema`: JSON Schemas for editors and programs.

use clap::ValueEnum;

use super::Exit;
use super::failure::Failure;
use super::world::World;
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
}

pub(super) fn run(args: &Args, world: &mut World) -> Result<Exit, Failure> {
    let schema = match args.kind {
        Kind::Manifest => manifest::manifest_schema(),
        Kind::Config => config::config_schema(),
        Kind::State => state::file::state_schema(),
        Kind::Plan => plan::file::schema(),
    };
    world.print(&format!("{schema:#}\n"))?;
    Ok(Exit::Fine)
}
