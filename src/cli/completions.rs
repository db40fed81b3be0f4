//! `postpay completions` and `postpay man`.

use clap::builder::PossibleValuesParser;
use clap::{Command, ValueHint};
use clap_complete::Shell;

use super::error::{Exit, Failure};
use super::options::{Api, Global};
use super::project::Project;
use super::ui::Ui;
use crate::i18n::text;
use crate::state;

/// Print the completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay completions bash > /etc/bash_completion.d/postpay
  postpay completions zsh > \"${fpath[1]}/_postpay\"
  postpay completions fish > ~/.config/fish/completions/postpay.fish")]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

/// Stands for the addresses of the project in a generated script.
const ADDRESSES: &str = "POSTPAY_ADDRESSES";
/// Prints them.
const LIST_ADDRESSES: &str = "postpay addresses 2>/dev/null";

pub(super) fn run(args: &Args, command: Command, ui: &mut Ui) -> Result<Exit, Failure> {
    let list = if args.shell == Shell::Fish {
        format!("({LIST_ADDRESSES})")
    } else if [Shell::Bash, Shell::Zsh].contains(&args.shell) {
        format!("$({LIST_ADDRESSES})")
    } else {
        String::new()
    };
    let mut command = if list.is_empty() { command } else { with_addresses(command) };
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "postpay", &mut script);
    let script = String::from_utf8_lossy(&script);
    // Fish has a description behind each value.
    let script = script.replace(&format!("{ADDRESSES}\\t''"), &list).replace(ADDRESSES, &list);
    ui.print(&script)?;
    Ok(Exit::Fine)
}

/// Gives arguments that take an address the addresses of the project as values.
fn with_addresses(command: Command) -> Command {
    command
        .mut_args(|arg| {
            let is_address = arg.get_value_names().is_some_and(|names| {
                names.iter().any(|name| ["ADDR", "FROM", "PATTERN"].contains(&name.as_str()))
            });
            // An address to listen on is no environment's.
            if !is_address || arg.get_id() == "listen" {
                return arg;
            }
            arg.value_hint(ValueHint::Unknown).value_parser(PossibleValuesParser::new([ADDRESSES]))
        })
        .mut_subcommands(with_addresses)
}

/// Prints the addresses in the manifests and in the state, one per line, for completions. Problems are not reported.
pub(super) fn list_addresses(global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load(global, &Api::default())?;
    let desired = project.check().1.desired;
    let mut addresses: Vec<String> =
        desired.environments.iter().map(|environment| environment.address.to_string()).collect();
    let state =
        project.store().ok().and_then(|store| state::read(&*store).ok()).and_then(state::Snapshot::current);
    addresses.extend(state.iter().flat_map(state::State::records).map(|(address, _)| address.to_string()));
    addresses.sort_unstable();
    addresses.dedup();
    for address in addresses {
        ui.print(&format!("{address}\n"))?;
    }
    Ok(Exit::Fine)
}

/// Print the manual page of a command
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay man > postpay.1                     the program, with a list of its commands
  postpay man state mv > postpay-state-mv.1   a command
  postpay man apply | man -l -                read it")]
pub(super) struct ManArgs {
    /// The command [default: the program itself]
    command: Vec<String>,
}

pub(super) fn man(args: &ManArgs, command: Command, ui: &mut Ui) -> Result<Exit, Failure> {
    let mut command = command;
    for part in &args.command {
        let found = command.get_subcommands().find(|it| it.get_name() == part && !it.is_hide_set()).cloned();
        command = found.ok_or_else(|| {
            let typed = args.command.join(" ");
            Failure::new("man", text!("there is no command `{typed}`", typed))
                .help(text!("run `postpay --help` to list the commands"))
        })?;
    }
    // The page shows the long help alone.
    let command = command.mut_args(|arg| match (arg.get_long_help(), arg.get_help().cloned()) {
        (None, Some(help)) => arg.long_help(help),
        (_, _) => arg,
    });
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Failure::new("man", text!("cannot render the manual page: {error}", error)))?;
    ui.print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Fine)
}
