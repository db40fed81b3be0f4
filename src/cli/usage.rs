//! The command line before a command runs: what `-h` shows, arguments as Terraform users write them, and usage errors.
//! Help and usage errors are in English.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use anstream::adapter::strip_str;
use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use clap::builder::{PathBufValueParser, Resettable, StyledStr, TypedValueParser as _};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command, value_parser};

use super::options::{API_OPTIONS, CREDENTIAL_OPTIONS, SANDBOX_OPTIONS};
use crate::config::endpoint;
use crate::sanitize::{Syntax, escape_commands};

/// Options of Terraform that postpay does not have, and what to use instead.
const OF_TERRAFORM: [(&str, &str); 10] = [
    ("var", "postpay has no variables; write the values in the manifests"),
    ("var-file", "postpay has no variables; write the values in the manifests"),
    ("input", "without a terminal postpay never asks; to skip the question, use '--auto-approve'"),
    ("lock", "the state is always locked; to wait for the lock, use '--lock-timeout'"),
    ("parallelism", "use '--in-flight', or '--rate' for the requests per second"),
    ("no-color", "use '--color never'"),
    ("json", "use '--format json'"),
    ("refresh-only", "use 'postpay drift'"),
    ("state-out", "use '--state'"),
    ("generate-config-out", "use 'postpay generate'"),
];

/// Commands that call the API.
const ONLINE: [&str; 8] = ["plan", "apply", "destroy", "drift", "import", "generate", "resolve", "whoami"];
/// Commands that need no project.
const WITHOUT_PROJECT: [&str; 4] = ["init", "schema", "completions", "man"];
/// Commands with a page, which has all formats but csv.
const WITH_PAGE: [&str; 7] = ["plan", "apply", "destroy", "drift", "import", "validate", "show"];

/// Parses the arguments. Paths are taken from `folder`.
///
/// # Errors
/// Usage errors, and the help that was asked for.
pub(super) fn parse(
    command: &Command,
    args: impl IntoIterator<Item = OsString>,
    folder: &Path,
) -> Result<ArgMatches, clap::Error> {
    let args = with_two_dashes(command, args);
    let is_short = args.iter().any(|arg| arg == "-h");
    let mut command = command.clone();
    if is_short {
        command = with_short_help(command);
    }
    if folder != Path::new("") {
        command = with_paths_from(command, folder);
    }
    command.try_get_matches_from_mut(args).map_err(|error| with_replacement(without_user_info(error)))
}

/// Completes the command line: every command offers the global options that it uses, and an empty variable counts as
/// unset, because that is how CI systems pass on what they don't have.
pub(super) fn complete(command: Command) -> Command {
    let mut command = without_empty_variables(command);
    // Only then the commands have their global options.
    command.build();
    let root = |arg: Arg| {
        let is_global = arg.is_global_set();
        arg.hide_short_help(is_global)
    };
    command.mut_args(root).mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        fit_global_options(command, &name)
    })
}

/// Hides global options that a command does not use, and lists the formats that it has.
fn fit_global_options(command: Command, name: &str) -> Command {
    let is_used = |id: &str| match id {
        "endpoint" => ONLINE.contains(&name),
        "files" | "reports" | "format" => name != "sandbox" && !WITHOUT_PROJECT.contains(&name),
        "state" | "config" => !WITHOUT_PROJECT.contains(&name),
        _ => true,
    };
    let formats = if WITH_PAGE.contains(&name) {
        "human, json, markdown, html, sarif, junit or github"
    } else if name == "history" {
        "human, json or csv"
    } else {
        "human or json"
    };
    command
        .mut_args(|arg| {
            let is_hidden = arg.is_hide_set() || (arg.is_global_set() && !is_used(arg.get_id().as_str()));
            let arg = arg.hide(is_hidden);
            if arg.get_id() != "format" {
                return arg;
            }
            let arg = arg.help(formats).hide_possible_values(true);
            if WITH_PAGE.contains(&name) {
                let uses = "markdown is for pull requests; github writes annotations and the step summary.";
                arg.long_help(format!("{formats}\n\n{uses}"))
            } else {
                arg.long_help(formats)
            }
        })
        .mut_subcommands(|command| fit_global_options(command, name))
}

/// Takes relative paths from a folder.
fn with_paths_from(command: Command, folder: &Path) -> Command {
    let path = value_parser!(PathBuf).type_id();
    command
        .mut_args(|arg| {
            if arg.get_value_parser().type_id() != path {
                return arg;
            }
            let folder = folder.to_owned();
            // `-` is standard input.
            let join = move |path: PathBuf| if path == Path::new("-") { path } else { folder.join(path) };
            arg.value_parser(PathBufValueParser::new().map(join))
        })
        .mut_subcommands(|command| with_paths_from(command, folder))
}

/// Help for one screen: without the API, credential and sandbox options, variables, and all but the examples below.
fn with_short_help(command: Command) -> Command {
    let examples = command.get_after_help().map(ToString::to_string);
    let examples = examples.and_then(|text| Some(text.split_once("\n\n")?.0.to_owned()));
    let command = match examples {
        Some(examples) => command.after_help(examples),
        None => command,
    };
    command
        .mut_args(|arg| {
            let heading = arg.get_help_heading();
            let is_long = arg.is_hide_short_help_set()
                || [API_OPTIONS, CREDENTIAL_OPTIONS, SANDBOX_OPTIONS].iter().any(|it| heading == Some(it));
            let is_option = !arg.is_positional();
            let is_long_default = arg.get_id() == "format";
            arg.hide_short_help(is_long)
                .hide_env(true)
                .hide_possible_values(is_option)
                .hide_default_value(is_long_default)
        })
        .mut_subcommands(with_short_help)
}

/// Terraform's long options have one dash, which clap would read as short ones: `-out=x` as `-o ut=x`.
fn with_two_dashes(command: &Command, args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut long = vec!["help".to_owned(), "version".to_owned()];
    let mut short = vec!['h', 'V'];
    collect_names(command, &mut long, &mut short);
    let mut is_over = false;
    args.into_iter()
        .map(|arg| {
            is_over |= arg == "--";
            let text = arg.to_str().and_then(|arg| arg.strip_prefix('-')).unwrap_or_default();
            let (name, value) =
                text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
            let first = name.chars().next().filter(char::is_ascii_alphabetic);
            let Some(first) = first.filter(|_| !is_over && name.len() > 1) else {
                return arg;
            };
            let is_long = long.iter().any(|it| it == name)
                || OF_TERRAFORM.iter().any(|(it, _)| *it == name)
                || !short.contains(&first)
                || value.is_some();
            if is_long { OsString::from(format!("--{text}")) } else { arg }
        })
        .collect()
}

fn collect_names(command: &Command, long: &mut Vec<String>, short: &mut Vec<char>) {
    for arg in command.get_arguments() {
        let aliases = arg.get_visible_aliases().unwrap_or_default();
        long.extend(arg.get_long().into_iter().chain(aliases).map(str::to_owned));
        short.extend(arg.get_short());
    }
    for command in command.get_subcommands() {
        collect_names(command, long, short);
    }
}

/// Says what stands in the place of an option of Terraform.
fn with_replacement(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(ContextValue::String(arg)) = error.get(ContextKind::InvalidArg)
        && let Some((_, tip)) = OF_TERRAFORM.iter().find(|(name, _)| arg.strip_prefix("--") == Some(name))
    {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(*tip)]));
    }
    error
}

fn without_empty_variables(command: Command) -> Command {
    command
        .mut_args(|arg| {
            let value = arg.get_env().and_then(std::env::var_os);
            if value.is_some_and(|value| value.is_empty()) { arg.env(Resettable::Reset) } else { arg }
        })
        .mut_subcommands(without_empty_variables)
}

/// Hides the user information of URLs that a usage error quotes: it may be a password.
fn without_user_info(mut error: clap::Error) -> clap::Error {
    let arg = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    let is_url = arg.is_some_and(|flag| flag.contains("endpoint"));
    let hide = |text: &str| {
        let may_hide = is_url || text.contains("://");
        let hidden = endpoint::user_info(text).filter(|_| may_hide)?;
        Some([&text[..hidden.start], "…", &text[hidden.end..]].concat())
    };
    let hidden: Vec<_> = error
        .context()
        .filter_map(|(kind, value)| {
            let clean = if let ContextValue::String(text) = value {
                ContextValue::String(hide(text)?)
            } else if let ContextValue::Strings(texts) = value {
                let clean = texts.iter().map(|text| hide(text).unwrap_or_else(|| text.clone()));
                ContextValue::Strings(clean.collect())
            } else {
                return None;
            };
            Some((kind, clean))
        })
        .collect();
    for (kind, value) in hidden {
        error.insert(kind, value);
    }
    error
}

/// Prints help to standard output, or a usage error to standard error.
///
/// # Errors
/// When it cannot be written. A broken pipe is no error.
pub(super) fn print(ended: &clap::Error) -> io::Result<()> {
    let text = ended.render().ansi().to_string();
    let written = if ended.use_stderr() { write(&text, io::stderr()) } else { write(&text, io::stdout()) };
    written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

/// Writes in colour where the stream has it. A usage error repeats what was typed, so it is escaped.
fn write(text: &str, mut stream: impl RawStream) -> io::Result<()> {
    let shown = match AutoStream::choice(&stream) {
        ColorChoice::Never => strip_str(text).to_string(),
        ColorChoice::Auto | ColorChoice::AlwaysAnsi | ColorChoice::Always => text.to_owned(),
    };
    stream.write_all(escape_commands(&shown, Syntax::Plain).as_bytes())?;
    stream.flush()
}
