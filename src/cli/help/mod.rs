//! `--help` in Chinese. The command line itself is English: it is parsed as such, and only where its help is asked for is
//! that shown in another language, from the tables of this room. What clap says of a wrong command line stays English.

mod layout;
mod orders;
mod others;
mod record;
mod shared;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io;

use anstream::adapter::strip_str;
use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, ValueEnum as _};

use super::world::lang_of_locale;
use crate::lang::Lang;
use crate::sanitize::{Syntax, escape_commands};

/// What a command says of itself.
struct Page {
    /// The command as it is typed: `state list`. Empty for postpay itself.
    path: &'static str,
    about: &'static str,
    /// What the long help says besides.
    more: &'static str,
    /// Its flags and arguments, by their ids; those that several commands share are in [`shared`].
    args: &'static [(&'static str, &'static str)],
    /// Examples, and what else stands at the end.
    after: &'static str,
}

/// Every page, by what the commands are about.
const PAGES: [&[Page]; 3] = [orders::PAGES, record::PAGES, others::PAGES];

/// The command that clap adds to every one that has others, and the flag that it adds to every one.
const HELP: &str = "help";

/// The language that a command line asks for, before it is known whether it can be parsed.
pub(super) fn lang(arguments: impl IntoIterator<Item = OsString>) -> Lang {
    let mut arguments = arguments.into_iter().skip(1).take_while(|argument| argument != "--");
    let mut named = None;
    while let Some(argument) = arguments.next() {
        let argument = argument.to_string_lossy();
        if argument == "--lang" {
            named = arguments.next().and_then(|name| by_name(&name));
        } else if let Some(name) = argument.strip_prefix("--lang=") {
            named = by_name(&name.into());
        }
    }
    named.or_else(|| by_name(&std::env::var_os("POSTPAY_LANG")?)).unwrap_or_else(lang_of_locale)
}

fn by_name(name: &OsString) -> Option<Lang> {
    Lang::from_str(name.to_str()?, false).ok()
}

/// Prints what parsing ended with: a help, in the reader's language, or why there is nothing to run.
///
/// # Errors
/// When it could not be written. A reader that has left is no error.
pub(super) fn print(ended: &clap::Error, command: Command, lang: Lang) -> io::Result<()> {
    let translated = match (lang, ended.kind()) {
        (Lang::Zh, ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) => {
            let arguments = std::env::args_os();
            in_chinese(command).try_get_matches_from(arguments).err()
        }
        (Lang::En | Lang::Zh, _) => None,
    };
    let text = match translated {
        Some(help) if help.kind() == ended.kind() => {
            layout::lay_out(&help.render().ansi().to_string(), layout::width())
        }
        Some(_) | None => ended.render().ansi().to_string(),
    };
    let written = if ended.use_stderr() { write(&text, io::stderr()) } else { write(&text, io::stdout()) };
    written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

/// In colour where the stream has it. What was typed is repeated in an error, and may hold anything: it is made harmless once
/// it stands as it is shown.
fn write(text: &str, mut stream: impl RawStream) -> io::Result<()> {
    let shown = match AutoStream::choice(&stream) {
        ColorChoice::Never => strip_str(text).to_string(),
        ColorChoice::Auto | ColorChoice::AlwaysAnsi | ColorChoice::Always => text.to_owned(),
    };
    stream.write_all(escape_commands(&shown, Syntax::Plain).as_bytes())?;
    stream.flush()
}

/// The whole command line, with every text of its help in Chinese. Only its help is used: what it parses is dropped.
fn in_chinese(mut command: Command) -> Command {
    // From here on `--help` and the `help` command are there too.
    command.build();
    translated(command, "").term_width(0)
}

fn translated(command: Command, path: &str) -> Command {
    let Some(page) = page(path) else {
        return command;
    };
    let mut command =
        command.about(page.about).mut_args(|arg| translated_arg(arg, page)).mut_subcommands(|sub| {
            let path = match sub.get_name() {
                HELP => HELP.to_owned(),
                name => below(path, name),
            };
            translated(sub, &path).term_width(0)
        });
    if !page.more.is_empty() {
        command = command.long_about(format!("{}\n\n{}", page.about, page.more));
    }
    if !page.after.is_empty() {
        command = command.after_help(page.after);
    }
    command
}

fn translated_arg(arg: Arg, page: &Page) -> Arg {
    let Some(help) = help_of(arg.get_id().as_str(), page) else {
        return arg;
    };
    if arg.get_long_help().is_some() && arg.get_id() == HELP {
        return arg.help(shared::HELP_IN_SHORT).long_help(shared::HELP_IN_FULL);
    }
    let values = arg.get_possible_values();
    let id = arg.get_id().to_string();
    let arg = arg.help(help);
    if values.iter().all(|value| value.get_help().is_none()) {
        return arg;
    }
    let values = values.into_iter().map(|value| match shared::value(&id, value.get_name()) {
        Some(help) => value.help(help),
        None => value,
    });
    arg.value_parser(PossibleValuesParser::new(values))
}

fn page(path: &str) -> Option<&'static Page> {
    PAGES.into_iter().flatten().find(|page| page.path == path)
}

/// A flag's own text on this page comes before the one that several commands share.
fn help_of(id: &str, page: &Page) -> Option<&'static str> {
    let own = page.args.iter().chain(shared::ARGS);
    own.into_iter().find_map(|(of, help)| (*of == id).then_some(*help))
}

/// The path of a command below another.
fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path} {name}") }
}
