//! The tables against the command line that there is.

use std::collections::{BTreeMap, BTreeSet};

use clap::Command;

use super::{HELP, PAGES, Page, below, help_of, lang, page, shared};
use crate::lang::Lang;

/// Every command of ours with its path. clap's own copies of them below `help` are not looked at.
fn commands() -> Vec<(String, Command)> {
    fn walk(path: String, command: &Command, found: &mut Vec<(String, Command)>) {
        for sub in command.get_subcommands() {
            if sub.get_name() == "help" {
                found.push((below(&path, "help"), Command::new("help")));
            } else {
                walk(below(&path, sub.get_name()), sub, found);
            }
        }
        found.push((path, command.clone()));
    }
    let mut whole = crate::cli::command();
    whole.build();
    let mut found = Vec::new();
    walk(String::new(), &whole, &mut found);
    found
}

/// clap adds `help` to every command that has others.
fn is_clap_s(path: &str) -> bool {
    path.ends_with(" help")
}

fn pages() -> impl Iterator<Item = &'static Page> {
    PAGES.into_iter().flatten()
}

#[test]
fn every_command_and_every_argument_has_chinese() {
    for (path, command) in commands().iter().filter(|(path, _)| !is_clap_s(path)) {
        let page = page(path).unwrap_or_else(|| panic!("`{path}` has no page"));
        for arg in command.get_arguments() {
            let id = arg.get_id().as_str();
            assert!(help_of(id, page).is_some(), "`{path}`: `{id}`");
            if id == HELP {
                continue;
            }
            assert!(
                arg.get_long_help()
                    .is_none_or(|long| arg.get_help().map(ToString::to_string) == Some(long.to_string())),
                "`{path}`: `{id}` has a longer help than its Chinese"
            );
            for value in arg.get_possible_values() {
                let help = value.get_help().map(ToString::to_string);
                assert!(
                    help.is_none_or(|help| help.starts_with('`'))
                        || shared::value(id, value.get_name()).is_some(),
                    "`{path}`: `{id}`: {}",
                    value.get_name()
                );
            }
        }
        if path != "help" {
            let more = command.get_long_about().is_some_and(|long| long.to_string().contains("\n\n"));
            assert_eq!(!page.more.is_empty(), more, "`{path}`");
            assert_eq!(!page.after.is_empty(), command.get_after_help().is_some(), "`{path}`");
        }
    }
}

#[test]
fn no_entry_is_of_something_that_is_not_there() {
    let commands: BTreeMap<String, Command> = commands().into_iter().collect();
    let ids = |command: &Command| -> BTreeSet<String> {
        let arguments = command.get_arguments();
        arguments.map(|arg| arg.get_id().to_string()).collect()
    };
    let mut paths = BTreeSet::new();
    for page in pages() {
        assert!(paths.insert(page.path), "`{}` is there twice", page.path);
        let command = commands.get(page.path);
        let command = command.unwrap_or_else(|| panic!("`{}` is no command", page.path));
        for (id, _) in page.args {
            assert!(ids(command).contains(*id), "`{}`: `{id}`", page.path);
        }
    }
    for (id, _) in shared::ARGS {
        let own = |path: &str| page(path).is_some_and(|page| page.args.iter().any(|(of, _)| of == id));
        let uses = commands.iter().filter(|(path, command)| ids(command).contains(*id) && !own(path));
        let english: BTreeSet<String> = uses
            .filter_map(|(_, command)| command.get_arguments().find(|arg| arg.get_id() == id)?.get_help())
            .map(|help| help.to_string().split(" (see ").next().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(english.len(), 1, "`{id}` means {english:?}");
    }
}

#[test]
fn no_value_is_explained_that_no_flag_takes() {
    let commands = commands();
    for (id, name, _) in shared::VALUES {
        let mut arguments = commands.iter().flat_map(|(_, command)| command.get_arguments());
        let takes = arguments.any(|arg| {
            let values = arg.get_possible_values();
            arg.get_id() == id
                && values.iter().any(|value| value.get_name() == *name && value.get_help().is_some())
        });
        assert!(takes, "`{id}`: `{name}`");
    }
}

/// What is typed: the left column of a list, and all of a line that has no right one.
fn typed(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("  "))
        .map(|line| line.split("  ").next().unwrap_or_default())
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn what_is_typed_in_the_examples_is_the_same() {
    for (path, command) in commands() {
        let Some(english) = command.get_after_help() else {
            continue;
        };
        let page = page(&path).unwrap();
        assert_eq!(typed(&english.to_string()), typed(page.after), "`{path}`");
    }
}

#[test]
fn the_language_is_known_before_the_command_line_is_parsed() {
    for (line, expected) in [
        ("postpay --lang zh plan --help", Lang::Zh),
        ("postpay plan --help --lang=zh", Lang::Zh),
        ("postpay plan --help --lang en", Lang::En),
        ("postpay plan --lang=zh --lang=en", Lang::En),
    ] {
        let arguments = line.split(' ').map(Into::into);
        assert_eq!(lang(arguments), expected, "{line}");
    }
}
