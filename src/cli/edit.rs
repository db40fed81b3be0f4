//! Changes to what is in the state that a person makes: shown, agreed to, and written in a run of their own.
//!
//! What `state mv`, `state rm`, `state push` and `resolve` change goes through the journal, so that there is a backup and
//! a receipt, and the receipts can still rebuild the state. Nothing of it is sent to Tencent Cloud.

use std::time::Duration;

use super::env;
use super::error::{Exit, Failure, NOTHING_SENT};
use super::options::{Format, time};
use super::project::Project;
use super::ui::Ui;
use crate::check::near::nearest;
use crate::diagnostic::{Diagnostic, any_error};
use crate::i18n::{Text, text};
use crate::model::{Address, Desired, SourceRef};
use crate::report::document::View as _;
use crate::report::edits::EditView;
use crate::state::edits::Change;
use crate::state::journal::{Edit, Edited, EndReason, Event, RunEnded, RunId, RunStarted};
use crate::state::{State, Writer};

/// The last help of every rejected edit.
pub(super) const NOTHING_CHANGED: Text =
    Text::fixed("nothing was changed, and nothing was sent to Tencent Cloud");

/// Flags of the commands that change what is in the state.
#[derive(Debug, clap::Args)]
pub(super) struct Writing {
    /// Show the changes without writing them
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for approval
    #[arg(short = 'y', long, visible_alias = "yes")]
    pub auto_approve: bool,
    /// How long to wait for the state lock
    #[arg(long, hide_short_help = true, value_name = "TIME", default_value = "0s", env = "POSTPAY_LOCK_TIMEOUT", value_parser = time)]
    lock_timeout: Duration,
}

impl Writing {
    /// Whether the user will be asked.
    pub(super) fn asks(&self) -> bool {
        !self.dry_run && !self.auto_approve
    }
}

/// What a command wants to change.
pub(super) struct Wanted {
    pub edits: Vec<Edit>,
    /// The same for people, and what else comes of it.
    pub changes: Vec<Change>,
    pub warnings: Vec<Diagnostic>,
}

/// A command that edits: `state mv`, and all of its line, as the receipt will name it.
pub(super) struct Editing<'a> {
    pub doing: &'static str,
    pub line: String,
    pub project: &'a Project,
    pub writing: &'a Writing,
}

impl Editing<'_> {
    /// Shows what is wanted, asks, and writes it. `want` looks at the state, and refuses what can't be done.
    ///
    /// It is asked twice where something is written: before the lock, so that a refusal leaves even the journal of a dead
    /// run alone, and under it, where nobody else can change what it looks at.
    pub(super) fn run(
        &self,
        ui: &mut Ui,
        want: impl Fn(&State) -> Result<Wanted, Failure>,
    ) -> Result<Exit, Failure> {
        let store = self.project.store()?;
        let state = self.project.read_state(ui)?.ok_or_else(no_state)?;
        let mut wanted = want(&state)?;
        ui.diagnose(&wanted.warnings);
        if self.writing.dry_run || wanted.edits.is_empty() {
            self.show(&state, &wanted, None, ui)?;
            ui.status(&text!("Nothing was written, and nothing was sent to Tencent Cloud.\n"));
            return Ok(Exit::Fine);
        }
        if self.writing.asks() && !ui.can_ask() {
            return Err(self.no_terminal());
        }
        let mut writer = ui.locked(&*store, self.writing.lock_timeout, || {
            Writer::open(&*store, &env::holder(self.doing), self.writing.lock_timeout)
        })?;
        let now = writer.state().cloned().ok_or_else(no_state)?;
        if now != state {
            wanted = want(&now)?;
            ui.status(&text!("The state changed in the meantime; the changes are now:\n"));
        }
        if let Some(run) = writer.recovered() {
            ui.status(&text!("Run {run} was interrupted; its journal was merged into the state.\n", run));
        }
        if self.writing.asks() {
            ui.print_stderr(&self.view(&now, &wanted, None).text(ui.err));
            let question = text!(
                "\nWrite this to the state? Nothing is sent to Tencent Cloud.\nOnly 'yes' will be accepted to approve.\nEnter a value: "
            );
            if !ui.ask(&ui.err.in_lang(&question)) {
                let why = text!("not approved");
                return Err(Failure::new("declined", why).help(NOTHING_CHANGED));
            }
        }
        let edit = |edit: &Edit| Edited { doing: self.doing.to_owned(), edit: edit.clone() };
        let edits = wanted.edits.iter().map(edit).collect();
        let run = RunStarted {
            format_version: crate::state::FormatVersion,
            commit: env::commit(&self.project.sources()),
            ..started(&now, &self.line)?
        };
        let written = write(&mut writer, run, edits)?;
        self.show(&now, &wanted, Some(&written), ui)?;
        let serial = written.serial;
        ui.status(&text!("Written. The state now has serial {serial}; the previous one is its backup. Nothing was sent to Tencent Cloud.\n", serial));
        Ok(Exit::Fine)
    }

    fn view<'v>(&'v self, before: &State, wanted: &'v Wanted, written: Option<&State>) -> EditView<'v> {
        EditView::new(&self.line, before, &wanted.changes, &wanted.warnings, written)
    }

    fn show(
        &self,
        before: &State,
        wanted: &Wanted,
        written: Option<&State>,
        ui: &mut Ui,
    ) -> Result<(), Failure> {
        let view = self.view(before, wanted, written);
        // Whoever was asked has seen it.
        let seen = written.is_some() && self.writing.asks() && ui.is_visible();
        if !(seen && ui.format == Format::Human) {
            ui.print_view(&view)?;
        }
        ui.write_reports(&view)
    }

    fn no_terminal(&self) -> Failure {
        let line = &self.line;
        let why = text!("approval is required, but there is no terminal to ask on");
        Failure::new("no-terminal", why)
            .help(text!("to preview: `postpay {line} --dry-run`", line))
            .help(text!("or write without asking: `postpay {line} --auto-approve`", line))
            .help(NOTHING_CHANGED)
    }
}

/// Records the edits as a run of their own, so that the receipts are complete.
pub(super) fn write(writer: &mut Writer, run: RunStarted, edits: Vec<Edited>) -> Result<State, Failure> {
    writer.begin(env::now(), run)?;
    for edited in edits {
        writer.append(env::now(), Event::Edited(edited))?;
    }
    writer.append(env::now(), Event::RunEnded(RunEnded { reason: EndReason::Finished }))?;
    Ok(writer.commit()?)
}

/// Returns the start of a run on this state; `line` is its name in the receipt.
pub(super) fn started(state: &State, line: &str) -> Result<RunStarted, Failure> {
    let operator = env::operator();
    let account = state.account.clone().ok_or_else(|| {
        let why = text!("the state has no account");
        Failure::new("state-account", why).help(NOTHING_CHANGED)
    })?;
    Ok(RunStarted {
        format_version: crate::state::FormatVersion,
        run: RunId::fresh(),
        lineage: state.lineage,
        base: state.serial,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        account,
        plan: line.to_owned(),
        who: operator.who,
        pid: operator.pid,
        region: None,
        commit: None,
    })
}

fn no_state() -> Failure {
    let why = text!("no state: nothing has been created yet");
    Failure::new("no-state", why)
        .help(text!("use another one with --state, or restore a copy: `postpay state restore --from FILE`"))
        .help(NOTHING_SENT)
}

/// Explains that the state does not have an address.
pub(super) fn unknown_address(address: &Address, state: &State) -> Failure {
    let failure = Failure::new("unknown-address", text!("`{address}` is not in the state", address));
    let known: Vec<&str> = state.current().map(|(address, _)| address.as_str()).collect();
    let failure = match nearest(address.as_str(), &known) {
        Some(near) => failure.help(text!("did you mean `{near}`?", near)),
        None => failure.help(text!("run `postpay state list` to list the addresses")),
    };
    let mut deposed = state.deposed_at(address);
    match deposed.next().and_then(|(_, record)| record.env_id.as_deref()) {
        Some(env_id) => {
            let env_id = crate::report::clean(env_id);
            failure.help(text!("its earlier environment {env_id} is in the state, deposed", env_id))
        }
        None => failure,
    }
    .help(NOTHING_CHANGED)
}

/// What the manifests declare, if they can be read: errors in them do not block an edit of the state.
pub(super) struct Manifests(Option<Desired>);

impl Manifests {
    pub(super) fn load(project: &Project) -> Self {
        let (_, checked) = project.check();
        Self((!any_error(&checked.diagnostics)).then_some(checked.desired))
    }

    pub(super) fn are_readable(&self) -> bool {
        self.0.is_some()
    }

    /// Where an address is declared, or moved away from, which the next plan would carry out.
    pub(super) fn place(&self, address: &Address) -> Option<&SourceRef> {
        let desired = self.0.as_ref()?;
        let environments = desired.environments.iter();
        let moved = desired.moved.iter();
        environments
            .map(|environment| (&environment.address, &environment.source))
            .chain(moved.map(|moved| (&moved.from, &moved.source)))
            .find_map(|(declared, source)| (declared == address).then_some(source))
    }
}
