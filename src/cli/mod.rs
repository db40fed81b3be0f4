//! The command line: one file per command, with its clap `Args` and its `run()`.
//!
//! `ui` is the terminal, `env` the process around it, `project` the settings and files; `error` has the failures and exit
//! codes. Imports run from the commands to `project`, `ui`, `error` and `options`.

mod account;
mod apply;
mod completions;
mod connect;
mod consent;
mod destroy;
mod drift;
mod edit;
mod env;
mod error;
mod execute;
mod fmt;
mod folder;
mod generate;
mod git;
mod history;
mod import;
mod init;
mod keys;
mod live;
mod lock;
mod options;
mod output;
mod pending_destroy;
mod plan;
mod printer;
mod project;
mod refusal;
mod rehearse;
mod reports;
mod rescue;
mod resend;
mod resolve;
mod runtime;
mod sandbox;
mod schema;
mod show;
mod signals;
mod state;
mod terminal;
mod transport;
mod ui;
mod usage;
mod validate;
mod wait;
mod watch;
mod whoami;

use std::path::{Path, PathBuf};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::i18n::{Lang, text, use_english_only};
use crate::report::clean;
use crate::report::view::Kind;
pub use error::Exit;
use options::Global;
use ui::Ui;

const EXAMPLES: &str = "\
Examples:
  postpay init shop && cd shop     create a project with the embedded sandbox
  postpay plan                     show what would be created; sends nothing
  postpay apply                    plan, ask for approval, apply
  postpay plan -o plan.json        save a plan for review, then: postpay apply plan.json

Exit codes:
  0  success, or nothing to do
  1  error, including usage errors
  2  changes (plan and show with --detailed-exitcode), drift, or unformatted files (fmt --check)
  3  apply stopped early; what was created is in the state, run it again
  4  at least one unknown outcome";

/// Plan and create Tencent CloudBase environments from reviewed YAML
///
/// Manifests declare the environments. `plan` compares them with the state; `apply` creates what is missing
/// (CreatePostpayPackage, 2 requests per second) and records the TranId and EnvId of every order. Nothing is
/// created twice, no created environment is lost, and nothing is created that the plan did not show.
#[derive(Debug, Parser)]
#[command(name = "postpay", version = env!("POSTPAY_VERSION"), after_long_help = EXAMPLES, max_term_width = 110, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Validate(validate::Args),
    Fmt(fmt::Args),
    Plan(plan::Args),
    Apply(Box<apply::Args>),
    Destroy(destroy::Args),
    Drift(drift::Args),
    Import(import::Args),
    Generate(generate::Args),
    Show(show::Args),
    Whoami(whoami::Args),
    Resolve(resolve::Args),
    Rehearse(rehearse::Args),
    #[command(subcommand)]
    State(Box<state::Command>),
    History(history::Args),
    #[command(subcommand)]
    Lock(lock::Command),
    #[command(subcommand)]
    Sandbox(sandbox::Command),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(completions::ManArgs),
    /// Print the addresses of the project
    #[command(hide = true)]
    Addresses,
}

impl Command {
    /// Whether it shows rows that a spreadsheet can take.
    fn is_list(&self) -> bool {
        matches!(self, Self::History(args) if args.is_list())
    }

    /// Whether it works in a project.
    fn needs_project(&self) -> bool {
        let has_paths = matches!(self, Self::Fmt(args) if args.has_paths());
        !has_paths && !matches!(self, Self::Init(_) | Self::Schema(_) | Self::Completions(_) | Self::Man(_))
    }

    /// The page that it shows, in all formats; None for a command that shows only text and JSON.
    fn page(&self) -> Option<Kind> {
        match self {
            Self::Validate(_) => Some(Kind::Validate),
            Self::Plan(_) => Some(Kind::Plan),
            Self::Apply(_) | Self::Destroy(_) | Self::Import(_) => Some(Kind::Apply),
            Self::Drift(_) => Some(Kind::Drift),
            Self::Show(args) => Some(args.kind()),
            Self::Init(_)
            | Self::Fmt(_)
            | Self::Generate(_)
            | Self::Whoami(_)
            | Self::Resolve(_)
            | Self::Rehearse(_)
            | Self::State(_)
            | Self::History(_)
            | Self::Lock(_)
            | Self::Sandbox(_)
            | Self::Schema(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Addresses => None,
        }
    }
}

/// Runs the program, and returns its exit code.
pub fn main() -> Exit {
    // A file that may not grow any more then fails to be written, rather than ending the process in the middle of a run.
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
    let command = command();
    let parse = |folder: &Path| {
        usage::parse(&command, std::env::args_os(), folder).and_then(|it| Cli::from_arg_matches(&it))
    };
    let mut cli = match parse(Path::new("")) {
        Ok(cli) => cli,
        Err(error) => return end_with(&error),
    };
    if ui::message_language(&cli.global) == Lang::En {
        use_english_only();
    }
    let project = match enter_folder(&cli) {
        Ok(None) => None,
        Ok(Some((project, back))) => {
            // The paths that were typed are relative to the folder that they were typed in.
            cli = match parse(&back) {
                Ok(cli) => cli,
                Err(error) => return end_with(&error),
            };
            Some(project)
        }
        Err(failure) => return Ui::plain(ui::message_language(&cli.global)).fail(&failure),
    };
    let mut ui = match Ui::new(&cli.global) {
        Ok(ui) => ui,
        Err(failure) => return Ui::plain(ui::message_language(&cli.global)).fail(&failure),
    };
    if let Some(project) = project {
        let project = project.display().to_string();
        let project = clean(&project);
        ui.status(&text!("Project: {project}\n", project));
    }
    let kind = cli.command.page();
    if let Err(failure) = output::check_formats(kind, cli.command.is_list(), &ui) {
        return ui.fail(&failure);
    }
    let ended = match cli.command {
        Command::Init(args) => init::run(&args, &mut ui),
        Command::Validate(args) => validate::run(&args, &cli.global, &mut ui),
        Command::Fmt(args) => fmt::run(&args, &cli.global, &mut ui),
        Command::Plan(args) => plan::run(&args, &cli.global, &mut ui),
        Command::Apply(args) => apply::run(&args, &cli.global, &mut ui),
        Command::Drift(args) => drift::run(&args, &cli.global, &mut ui),
        Command::Destroy(args) => destroy::run(&args, &cli.global, &mut ui),
        Command::Import(args) => import::run(&args, &cli.global, &mut ui),
        Command::Generate(args) => generate::run(&args, &cli.global, &mut ui),
        Command::Resolve(args) => resolve::run(&args, &cli.global, &mut ui),
        Command::Rehearse(args) => rehearse::run(&args, &cli.global, &mut ui),
        Command::Show(args) => show::run(&args, &cli.global, &mut ui),
        Command::Whoami(args) => whoami::run(&args, &cli.global, &mut ui),
        Command::State(command) => state::run(&command, &cli.global, &mut ui),
        Command::History(args) => history::run(&args, &cli.global, &mut ui),
        Command::Lock(command) => lock::run(&command, &cli.global, &mut ui),
        Command::Sandbox(command) => sandbox::run(&command, &cli.global, &mut ui),
        Command::Schema(args) => schema::run(&args, &mut ui),
        Command::Completions(args) => completions::run(&args, command, &mut ui),
        Command::Man(args) => completions::man(&args, command, &mut ui),
        Command::Addresses => completions::list_addresses(&cli.global, &mut ui),
    };
    ui.warn_incomplete_recording();
    match ended {
        Ok(Exit::Fine) if ui.stdout == ui::Stdout::Lost => Exit::Error,
        Ok(exit) => exit,
        Err(failure) => {
            let told = ui.all_diagnostics();
            let exit = ui.fail(&failure);
            if let Some(kind) = kind {
                ui.report_failure(kind, &told, &failure);
            }
            exit
        }
    }
}

/// Prints help, or a usage error.
fn end_with(error: &clap::Error) -> Exit {
    match usage::print(error) {
        Ok(()) if !error.use_stderr() => Exit::Fine,
        Ok(()) => Exit::Error,
        Err(error) => Ui::plain(ui::locale_language()).fail(&error::cannot_print(&error)),
    }
}

/// Changes to the folder of `--chdir`, and then to the project. Returns the project that was found above, and the way back.
fn enter_folder(cli: &Cli) -> Result<Option<(PathBuf, PathBuf)>, error::Failure> {
    if let Some(folder) = &cli.global.chdir {
        folder::change(folder)?;
    }
    if cli.global.config.is_some() || !cli.command.needs_project() {
        return Ok(None);
    }
    folder::change_to_project()
}

/// The whole command line, for completions and the manual page.
fn command() -> clap::Command {
    usage::complete(Cli::command())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        super::command().debug_assert();
    }
}
