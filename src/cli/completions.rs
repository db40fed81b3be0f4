//! `postpay completions` and `postpay man`: for shells and readers of manuals.

use clap_complete::Shell;

use super::Exit;
use super::failure::Failure;
use super::world::World;
use crate::i18n::text;

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

pub(super) fn run(args: &Args, world: &mut World) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "postpay", &mut script);
    world.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Fine)
}

pub(super) fn man(world: &mut World) -> Result<Exit, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(super::command())
        .render(&mut page)
        .map_err(|error| Failure::new("man", text!("cannot render the manual page: {error}", error)))?;
    world.print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Fine)
}
