//! `postpay schema`: JSON Schemas for editors and programs.

use clap::builder::{PossibleValue, PossibleValuesParser};
use serde_json::Value;

use super::error::{Exit, Failure};
use super::ui::Ui;
use crate::report::events;
use crate::report::schemas::{PUBLISHED, Published};
use crate::{config, manifest, plan, state};

/// Print the JSON Schema of a file or of JSON output
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The format
    #[arg(value_parser = names())]
    kind: String,
}

/// Files that people keep, and the lines of a run.
const FILES: &[Published] = &[
    ("manifest", "A manifest of environments", manifest::manifest_schema),
    ("config", "postpay.yaml", config::config_schema),
    ("state", "The state file", state::state_schema),
    ("plan", "A plan file, which is also what `plan --format json` prints", plan::file::schema),
    ("events", "A line of `apply --json`", events::schema),
];

fn all() -> impl Iterator<Item = &'static Published> {
    FILES.iter().chain(PUBLISHED)
}

fn names() -> PossibleValuesParser {
    all().map(|(name, about, _)| PossibleValue::new(*name).help(*about)).collect::<Vec<_>>().into()
}

pub(super) fn run(args: &Args, ui: &mut Ui) -> Result<Exit, Failure> {
    let schema = all().find(|(name, ..)| *name == args.kind);
    let schema = schema.map_or(Value::Null, |(.., schema)| schema());
    ui.print(&format!("{schema:#}\n"))?;
    Ok(Exit::Fine)
}
