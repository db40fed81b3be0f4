//! `postpay init`: a project that plans and applies against the embedded endpoint as it stands, and what its pipeline
//! needs to plan, order and look for drift.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::error::{Exit, Failure, cannot_write};
use super::folder;
use super::ui::Ui;
use crate::files::{self, Access, Links};
use crate::i18n::{shell_word, text};
use crate::report::clean;
use crate::{config, manifest};

/// Create a project, or add one to an existing repository
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay init                 in this folder
  postpay init shop            in a new folder
  postpay init --ci github     also with workflows
  cd shop && postpay plan && postpay apply")]
pub(super) struct Args {
    /// The folder; created if it does not exist
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Add a CI pipeline: github or gitlab
    ///
    /// A plan for every change, an approved apply, and a nightly drift check.
    #[arg(long, value_name = "WHERE")]
    ci: Option<Ci>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ci {
    /// Workflows for GitHub Actions
    Github,
    /// Jobs for GitLab CI/CD
    Gitlab,
}

impl Ci {
    /// What is written, and first the file whose top says what has to be set up before the first run.
    const fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Github => &[
                (".github/workflows/postpay-apply.yml", include_str!("init/github/postpay-apply.yml")),
                (".github/workflows/postpay-plan.yml", include_str!("init/github/postpay-plan.yml")),
                (".github/workflows/postpay-drift.yml", include_str!("init/github/postpay-drift.yml")),
                (".github/actions/setup-postpay/action.yml", include_str!("init/github/setup-postpay.yml")),
            ],
            Self::Gitlab => &[
                (".gitlab-ci.yml", include_str!("init/gitlab/gitlab-ci.yml")),
                (".gitlab/show-report.py", include_str!("init/gitlab/show-report.py")),
            ],
        }
    }
}

const CONFIG: &str = include_str!("init/postpay.yaml");
const MANIFEST: &str = include_str!("init/environments.yaml");
const GITIGNORE: &str = include_str!("init/gitignore");

/// Git leaves the line endings of the state, its journals and receipts alone.
const ATTRIBUTES: &str = "state/** -text\n";
/// Files that a repository may have already: lines are added to them.
const EXTENDED: [(&str, &str); 2] = [(".gitignore", GITIGNORE), (".gitattributes", ATTRIBUTES)];
const MAX_EXTENDED: u64 = 1024 * 1024;

/// What was done to a file.
enum Added {
    Created,
    Extended,
    Nothing,
}

/// Adds the lines that a file lacks, or creates it.
fn add_lines(dir: &Path, name: &str, wanted: &str) -> Result<Added, Failure> {
    let path = dir.join(name);
    let text = match files::read(&path, Links::Refused, MAX_EXTENDED) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return write(dir, name, wanted).map(|()| Added::Created);
        }
        Err(error) => return Err(cannot_write(&path, &error)),
    };
    let there = String::from_utf8_lossy(&text);
    let is_there = |line: &str| there.lines().any(|other| other.trim() == line);
    let missing = |line: &&str| !line.starts_with('#') && !is_there(line);
    if !wanted.lines().any(|line| missing(&line)) {
        return Ok(Added::Nothing);
    }
    let end = if text.is_empty() || text.ends_with(b"\n") { "" } else { "\n" };
    let lines = wanted.lines().filter(|line| line.starts_with('#') || missing(line));
    let added = lines.collect::<Vec<_>>().join("\n");
    files::open(&path, Links::Refused, Access::Append)
        .and_then(|mut file| file.write_all(format!("{end}{added}\n").as_bytes()))
        .map_err(|error| cannot_write(&path, &error))?;
    Ok(Added::Extended)
}

pub(super) fn run(args: &Args, ui: &mut Ui) -> Result<Exit, Failure> {
    let is_new = args.ci.is_none() || !folder::is_project(&args.dir);
    let mut files = if is_new { project() } else { Vec::new() };
    let pipeline = args.ci.map_or(&[][..], Ci::files);
    files.extend(pipeline.iter().map(|(name, text)| (*name, (*text).to_owned())));
    let taken: Vec<String> = files
        .iter()
        .filter_map(|(name, _)| in_the_way(&args.dir, name))
        .map(|path| path.display().to_string())
        .collect();
    if !taken.is_empty() {
        let (en, zh) = (taken.join(", "), taken.join("、"));
        return Err(
            Failure::new("init-exists", text!("already exist: {en}", en; zh)).help(
                if args.ci.is_some() {
                    text!("nothing was written; move these files away, or write to another folder and copy what you need: `postpay init --ci WHERE DIR`")
                } else {
                    text!("nothing was written; choose another folder: `postpay init DIR`")
                },
            ),
        );
    }
    for (name, text) in &files {
        write(&args.dir, name, text)?;
    }
    let mut created: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let mut extended = Vec::new();
    for (name, lines) in EXTENDED.into_iter().filter(|_| is_new) {
        match add_lines(&args.dir, name, lines)? {
            Added::Created => created.push(name),
            Added::Extended => extended.push(name),
            Added::Nothing => {}
        }
    }
    let (en, zh) = (created.join(", "), created.join("、"));
    let mut done = ui.out.in_lang(text!("Created {en}.\n", en; zh));
    if !extended.is_empty() {
        let (en, zh) = (extended.join(", "), extended.join("、"));
        done += &ui.out.in_lang(text!("Added lines to {en}.\n", en; zh));
    }
    ui.print(&ui.out.wrap(done, 2))?;
    let go = if args.dir == Path::new(".") {
        String::new()
    } else {
        let dir = args.dir.display().to_string();
        format!("cd {} && ", clean(&shell_word(&dir)))
    };
    ui.status(&text!("\nNext:\n  {go}postpay plan\n  postpay apply\n", go));
    if let Some((name, _)) = pipeline.first() {
        ui.status(&text!("\nBefore the pipeline's first run: set where to download postpay, and do the setup listed at the top of {name}.\n", name));
    }
    Ok(Exit::Fine)
}

/// The file, if it is there, or a link in the place of a folder to it.
fn in_the_way(dir: &Path, name: &str) -> Option<PathBuf> {
    let folders = Path::new(name).ancestors().skip(1);
    let mut folders = folders.filter(|folder| !folder.as_os_str().is_empty());
    let link = folders.find(|folder| dir.join(folder).is_symlink());
    let path = dir.join(link.unwrap_or(Path::new(name)));
    path.symlink_metadata().is_ok().then_some(path)
}

fn project() -> Vec<(&'static str, String)> {
    vec![
        ("postpay.yaml", CONFIG.to_owned()),
        ("environments/shop.yaml", MANIFEST.to_owned()),
        ("schemas/manifest.v1.schema.json", format!("{:#}\n", manifest::manifest_schema())),
        ("schemas/config.v1.schema.json", format!("{:#}\n", config::config_schema())),
    ]
}

/// Makes a file in a project, and the folders to it. Neither follows a link below the project's folder.
fn write(dir: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let make = |path: &Path| {
        if let Some(folder) = path.parent() {
            files::make_folder(folder, files::SHARED_FOLDER)?;
        }
        files::make(path, files::SHARED, Access::Append)?.write_all(text.as_bytes())
    };
    files::resolve(dir)
        .and_then(|dir| make(&dir.join(name)))
        .map_err(|error| cannot_write(&dir.join(name), &error))
}
