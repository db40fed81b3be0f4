//! `postpay state restore`: the state, rebuilt from what is left of it.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::env;
use crate::cli::error::{Exit, Failure, NOTHING_SENT};
use crate::cli::options::{Api, Global, time};
use crate::cli::project::Project;
use crate::cli::ui::Ui;
use crate::i18n::{Text, text};
use crate::report::clean;
use crate::report::document::View as _;
use crate::report::restore::RestoreView;
use crate::state::StateStore;
use crate::state::restore::{Origin, Proposal, Restoring, propose};

/// Rebuild the state from the receipts, its backup, or a copy
///
/// Receipts that are newer than the backup or the copy are merged into it. The current state file is kept
/// beside it under another name, and the journal of an open run stays. A restore that would lose ids of the
/// state is rejected. Nothing is sent to Tencent Cloud.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay state restore --dry-run           preview
  postpay state restore                     from the receipts; asks for approval
  postpay state restore --from-backup       and the receipts after it
  postpay state restore --from copy.json    and the receipts after it")]
pub(in crate::cli) struct Args {
    /// Restore from the backup before the last run
    #[arg(long, conflicts_with = "from")]
    from_backup: bool,
    /// Restore from a copy of the state
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Show the changes without writing them
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for approval
    #[arg(short = 'y', long, visible_alias = "yes")]
    auto_approve: bool,
    /// How long to wait for the state lock
    #[arg(long, hide_short_help = true, value_name = "TIME", default_value = "0s", env = "POSTPAY_LOCK_TIMEOUT", value_parser = time)]
    lock_timeout: Duration,
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, ui)?;
    let store = project.store()?;
    let origin = match &args.from {
        Some(path) => Origin::Copy(path.clone()),
        None if args.from_backup => Origin::Backup,
        None => Origin::Receipts,
    };
    if args.dry_run {
        let proposal = propose(&*store, &origin)?;
        other_account(&proposal, &*store)?;
        show(&proposal, false, None, ui)?;
        ui.status(&nothing_written());
        return Ok(Exit::Fine);
    }
    let restoring = ui.locked(&*store, args.lock_timeout, || {
        Restoring::begin(&*store, &origin, &env::holder("state restore"), args.lock_timeout)
    })?;
    other_account(restoring.proposal(), &*store)?;
    if restoring.proposal().changes_nothing() {
        show(restoring.proposal(), false, None, ui)?;
        ui.status(&nothing_written());
        return Ok(Exit::Fine);
    }
    if !args.auto_approve {
        ui.print_stderr(&RestoreView::new(restoring.proposal(), false, None).text(ui.err));
        consent(ui)?;
    }
    let restored = restoring.write()?;
    show(&restored.proposal, true, restored.kept.as_deref(), ui)?;
    let path = project.state_place();
    ui.status(&text!("Written to {path}.\n", path));
    if let Some(kept) = &restored.kept {
        let kept = kept.display();
        ui.status(&text!("The previous file was kept as {kept}.\n", kept));
    }
    ui.status(&text!("To see what is left to do, run `postpay plan`.\n"));
    Ok(Exit::Fine)
}

/// Refuses what is another account's or endpoint's by the receipts beside it: a copy is a file that anybody may edit.
fn other_account(proposal: &Proposal, store: &dyn StateStore) -> Result<(), Failure> {
    let receipts = store.receipts()?;
    let (Some(latest), Some(restored)) = (receipts.last(), &proposal.state.account) else {
        return Ok(());
    };
    let known = store.receipt(latest)?.started.account;
    let uins = restored.uin.as_ref().zip(known.uin.as_ref());
    if restored.endpoint == known.endpoint && uins.is_none_or(|(one, other)| one == other) {
        return Ok(());
    }
    let (restored, known) = (restored.to_string(), known.to_string());
    let (restored, known) = (clean(&restored), clean(&known));
    Err(Failure::new(
        "restore-account",
        text!(
            "the restored state belongs to {restored}, but the receipts here belong to {known}",
            restored,
            known
        ),
    )
    .help(text!("restore it beside its own receipts, or use another path with --state; nothing was written")))
}

fn nothing_written() -> Text {
    text!("Nothing was written.\n")
}

fn show(
    proposal: &Proposal,
    written: bool,
    kept: Option<&std::path::Path>,
    ui: &mut Ui,
) -> Result<(), Failure> {
    ui.show(&RestoreView::new(proposal, written, kept))
}

fn consent(ui: &Ui) -> Result<(), Failure> {
    if !ui.can_ask() {
        let why = text!("approval is required, but there is no terminal to ask on");
        return Err(Failure::new("no-terminal", why)
            .help(text!("to preview: `postpay state restore --dry-run`"))
            .help(text!("or write without asking: `postpay state restore --auto-approve`"))
            .help(NOTHING_SENT));
    }
    ui.status(&text!("\nWrite this state?\nOnly 'yes' will be accepted to approve.\nEnter a value: "));
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    if read.is_ok() && answer.trim() == "yes" {
        ui.print_stderr("\n");
        Ok(())
    } else {
        Err(Failure::new("declined", text!("not approved")).help(text!("nothing was written")))
    }
}
