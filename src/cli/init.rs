//! `postpay init`: a project that plans and applies against the embedded endpoint as it stands.

use std::path::{Path, PathBuf};

use super::Exit;
use super::failure::Failure;
use super::world::{World, cant_write};
use crate::{config, manifest};

/// Make a project that works at once, against the embedded sandbox
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay init                 in this folder
  postpay init shop            in a new folder
  cd shop && postpay plan && postpay apply")]
pub(super) struct Args {
    /// The folder; made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

const CONFIG: &str = include_str!("init/postpay.yaml");
const MANIFEST: &str = include_str!("init/environments.yaml");
const GITIGNORE: &str = include_str!("init/gitignore");

pub(super) fn run(args: &Args, world: &mut World) -> Result<Exit, Failure> {
    let files = [
        ("postpay.yaml", CONFIG.to_owned()),
        ("environments/shop.yaml", MANIFEST.to_owned()),
        (
            "schemas/manifest.v1.schema.json",
            format!("{:#}\n", manifest::manifest_schema()),
        ),
        (
            "schemas/config.v1.schema.json",
            format!("{:#}\n", config::config_schema()),
        ),
        (".gitignore", GITIGNORE.to_owned()),
    ];
    let taken: Vec<String> = files
        .iter()
        .map(|(name, _)| args.dir.join(name))
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| path.display().to_string())
        .collect();
    if !taken.is_empty() {
        return Err(Failure::new(
            "init-exists",
            format!("already there: {}", taken.join(", ")),
        )
        .help("nothing was written; choose an empty folder: `postpay init DIR`"));
    }
    for (name, text) in &files {
        write(&args.dir.join(name), text)?;
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    world.print(&format!("Made {}.\n", names.join(", ")))?;
    let go = if args.dir == Path::new(".") {
        String::new()
    } else {
        format!("cd {} && ", args.dir.display())
    };
    world.say(&format!("\nNext:\n  {go}postpay plan\n  postpay apply\n"));
    Ok(Exit::Fine)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| cant_write(folder, &error))?;
    }
    std::fs::write(path, text).map_err(|error| cant_write(path, &error))
}
