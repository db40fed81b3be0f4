//! `postpay state list`: the addresses in the state, one a line.

use crate::cli::edit::unknown_address;
use crate::cli::error::{Exit, Failure, NOTHING_SENT};
use crate::cli::options::{Api, Global};
use crate::cli::project::Project;
use crate::cli::ui::Ui;
use crate::i18n::text;
use crate::model::{Address, InstanceKey};
use crate::report::state::StateList;
use crate::state::{Record, State};

/// List the addresses in the state, one per line
///
/// Deposed environments are listed as `ADDR (deposed ENV_ID)`: they still exist and keep billing. Reads only;
/// takes no lock.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay state list                        every address in the state
  postpay state list 'shop-*'               the addresses that start with shop-
  postpay state list --id shop-prod-1a2b3c  the address of an environment
  postpay state list --format json          with status, EnvId and TranId")]
pub(in crate::cli) struct Args {
    /// Addresses; `*` and `?` are wildcards [default: all]
    #[arg(value_name = "PATTERN", value_parser = pattern)]
    patterns: Vec<String>,
    /// Only the environment with this id
    #[arg(long, value_name = "ENV_ID")]
    id: Option<String>,
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, ui)?;
    let state = project.read_state(ui)?;
    if state.is_none() {
        ui.status(&text!("No state: nothing has been created yet.\n"));
    }
    let listed = match &state {
        Some(state) => listed(args, state)?,
        None => Vec::new(),
    };
    ui.show(&StateList::new(&listed))?;
    Ok(Exit::Fine)
}

fn listed<'a>(args: &Args, state: &'a State) -> Result<Vec<(&'a InstanceKey, &'a Record)>, Failure> {
    let all: Vec<(&InstanceKey, &Record)> = state.environments.iter().collect();
    for pattern in &args.patterns {
        // A name that is misspelt is no empty list. A pattern may well fit nothing.
        let is_there = all.iter().any(|(key, _)| fits(pattern, key.address.as_str()));
        if let Ok(address) = Address::new(pattern)
            && !is_there
        {
            return Err(unknown_address(&address, state));
        }
    }
    let wanted = |(key, record): &(&InstanceKey, &Record)| {
        let address = key.address.as_str();
        let named = args.patterns.is_empty() || args.patterns.iter().any(|pattern| fits(pattern, address));
        let id = args.id.as_deref();
        named && (id.is_none() || id == record.env_id.as_deref())
    };
    let listed: Vec<_> = all.into_iter().filter(wanted).collect();
    if let Some(id) = &args.id
        && listed.is_empty()
    {
        let id = crate::report::clean(id);
        return Err(Failure::new("unknown-env-id", text!("no environment in the state has the id {id}", id))
            .help(text!("run `postpay state list --format json` to list the ids"))
            .help(NOTHING_SENT));
    }
    Ok(listed)
}

fn pattern(text: &str) -> Result<String, String> {
    let plain = text.replace(['*', '?'], "a");
    match Address::new(&plain) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!("no address looks like it: {}", Address::RULE)),
    }
}

/// Whether a pattern stands for all of a text. Both are short.
fn fits(pattern: &str, text: &str) -> bool {
    // Whether the pattern so far stands for the text up to each place.
    let text: Vec<char> = text.chars().collect();
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for sign in pattern.chars() {
        let mut next = vec![false; text.len() + 1];
        for (at, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
            match sign {
                '*' => next[at..].fill(true),
                '?' if at < text.len() => next[at + 1] = true,
                sign if text.get(at) == Some(&sign) => next[at + 1] = true,
                _ => {}
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("shop", "shop", true),
            ("shop", "shop-prod", false),
            ("shop*", "shop-prod", true),
            ("*prod", "shop-prod", true),
            ("*o*o*", "shop-prod", true),
            ("s?op", "shop", true),
            ("sh?", "shop", false),
            ("?", "", false),
            ("*", "", true),
            ("**", "a", true),
            ("a*b?c", "a-b-b1c", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
