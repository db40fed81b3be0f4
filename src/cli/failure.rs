//! Everything that can end a command early, as diagnostics: what happened, what was done at the vendor, what to type next.

use crate::apply::adopt::{Unadoptable, Why};
use crate::apply::{ApplyError, Twin};
use crate::cloud::CloudError;
use crate::cloud::tencent::CredentialsError;
use crate::diagnostic::Diagnostic;
use crate::lang::Text;
use crate::plan::file::PlanFileError;
use crate::plan::guard::Objection;
use crate::report::clean;
use crate::sandbox::{LedgerError, SandboxError};
use crate::state::{Holder, StateError};

use super::Exit;
use super::load::line_of;

/// Why a command ended early.
#[derive(Debug)]
pub(super) struct Failure {
    pub diagnostics: Vec<Diagnostic>,
    pub exit: Exit,
}

/// What every failure before the first request says.
pub(super) const NOTHING_SENT: Text =
    Text::fixed("nothing was sent to the vendor", "未向腾讯云发送任何请求");

impl Failure {
    pub(super) fn new(code: &'static str, message: impl Into<Text>) -> Self {
        Self::from(Diagnostic::error(code, message))
    }

    #[must_use]
    pub(super) fn help(mut self, text: impl Into<Text>) -> Self {
        if let Some(last) = self.diagnostics.pop() {
            self.diagnostics.push(last.help(text));
        }
        self
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            diagnostics: vec![diagnostic],
            exit: Exit::Error,
        }
    }
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            diagnostics,
            exit: Exit::Error,
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new("io", format!("{error:#}"))
    }
}

impl From<Vec<Objection>> for Failure {
    fn from(objections: Vec<Objection>) -> Self {
        let diagnostics = objections.iter().map(|objection| {
            let diagnostic = Diagnostic::error(objection.code(), objection.to_string());
            let place = objection.place();
            let diagnostic = match place.and_then(line_of) {
                Some(span) => diagnostic.at(&span, ""),
                None => match place {
                    Some(source) => {
                        diagnostic.help(format!("declared in {}", clean(&source.to_string())))
                    }
                    None => diagnostic,
                },
            };
            diagnostic.help(objection.help())
        });
        Self::from(diagnostics.collect::<Vec<_>>()).help(NOTHING_SENT)
    }
}

impl From<CredentialsError> for Failure {
    fn from(error: CredentialsError) -> Self {
        Self::new("credentials", error.to_string())
            .help("set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY (keys: https://console.cloud.tencent.com/cam/capi)")
            .help("to try postpay without an account: `--endpoint sandbox`")
            .help(NOTHING_SENT)
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        let message = error.to_string();
        let error = match error {
            ApplyError::State(error) => return Self::from(error),
            ApplyError::Listing(error) => error,
            ApplyError::AlreadyThere(twins) => {
                let line =
                    |twin: &Twin| format!("`{}` looks like {}", twin.address, clean(&twin.env_id));
                return twins
                    .iter()
                    .map(line)
                    .fold(Self::new("already-there", message), Self::help)
                    .help("if they were ordered with a state that is lost: put it back, `postpay state restore`")
                    .help("if they are the ones that are meant: `postpay import ADDR ENV_ID` puts them on record, and orders nothing")
                    .help("if they are others: give yours another alias, or order all the same: `--allow-same-alias`")
                    .help("nothing was ordered");
            }
        };
        Self::listing(error)
            .help(
                "the list from before the first order is what a lost answer is later held against",
            )
            .help("nothing was ordered")
    }
}

impl Failure {
    /// The account could not be read, for a command that only looks.
    pub(super) fn listing(error: CloudError) -> Self {
        let message = ApplyError::Listing(error.clone()).to_string();
        let said = [("code", error.code), ("RequestId", error.request_id)];
        let said = said
            .into_iter()
            .filter_map(|(what, text)| Some(format!("{what}: {}", clean(&text?))));
        said.map(Text::same)
            .chain(error.hint)
            .fold(Self::new("listing", message), Self::help)
    }
}

impl From<Vec<Unadoptable>> for Failure {
    fn from(problems: Vec<Unadoptable>) -> Self {
        let diagnostics = problems.iter().map(|problem| {
            let Unadoptable {
                address,
                env_id,
                source,
                why,
            } = problem;
            let code = match why {
                Why::NotThere => "import-not-there",
                Why::Prepaid => "import-prepaid",
                Why::PayModeNotTold => "import-pay-mode",
                Why::Isolated => "import-isolated",
                Why::OtherNumber => "import-other-number",
                Why::OrderedElsewhere => "import-ordered-elsewhere",
            };
            let help = match why {
                Why::NotThere => "`postpay generate` lists what the account has; if it is in another region, name that under api.list_regions",
                Why::Prepaid => "to switch it to pay-as-you-go, which is an order, declare it with `env_id` rather than `import`",
                Why::PayModeNotTold => "look at it in the vendor's console; nothing speaks for its being what postpay manages",
                Why::OtherNumber => "leave the number out: it is for environments without a bill",
                Why::OrderedElsewhere => "`postpay resolve` finds the environment of that order",
                Why::Isolated => "take the import out, or have the environment brought back at the vendor first",
            };
            Diagnostic::error(code, format!("`{address}` can't adopt {}: {why}", clean(env_id)))
                .help(format!("declared in {}", clean(&source.to_string())))
                .help(help)
                .help("nothing was changed, here or at the vendor")
        });
        Self::from(diagnostics.collect::<Vec<_>>())
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Self::new("sandbox", error.to_string()).help(NOTHING_SENT)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::new("sandbox", error.to_string())
    }
}

impl From<(&std::path::Path, PlanFileError)> for Failure {
    fn from((path, error): (&std::path::Path, PlanFileError)) -> Self {
        Self::new("plan-file", format!("{}: {error}", path.display()))
            .help("make and review a new plan: `postpay plan -o FILE`")
            .help(NOTHING_SENT)
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        advice(&error)
            .into_iter()
            .fold(Self::new(error.code(), error.to_string()), Self::help)
            .help(NOTHING_SENT)
    }
}

/// What to do about it.
pub(super) fn advice(error: &StateError) -> Vec<String> {
    let restore = || {
        vec![
            "`postpay state verify` shows what is there; `postpay state restore --dry-run` shows what can be put back".to_owned(),
            "rebuild it from the receipts with `postpay state restore`; where receipts are missing, `--from-backup` or `--from FILE`".to_owned(),
            "postpay will not start from an empty state".to_owned(),
        ]
    };
    match error {
        StateError::Lost { .. } | StateError::Empty { .. } | StateError::Damaged { .. } => restore(),
        StateError::NotAState { .. } => vec![
            "name the state itself with --state, or in postpay.yaml".to_owned(),
            "a backup knows less than was ordered: `postpay state restore --from-backup` folds the receipts on top of it".to_owned(),
        ],
        StateError::Newer { .. } => vec!["use the postpay that wrote it, or a newer one".to_owned()],
        StateError::Foreign { .. } => vec![
            "the files beside it belong to another state: put the right one back, or name it with --state".to_owned(),
            "`postpay state verify` lists them; `postpay state restore` rebuilds the state that the receipts belong to".to_owned(),
        ],
        StateError::Older { .. } | StateError::Forked { .. } => vec![
            "environments that were ordered since are missing from it: `postpay state verify` names them".to_owned(),
            "put them back with `postpay state restore`, or fold the receipts on top of a copy: `postpay state restore --from FILE`".to_owned(),
        ],
        StateError::Behind { .. } => vec![
            "`postpay state verify` says which receipts are missing; a newer copy can be put back with `postpay state restore --from FILE`".to_owned(),
            "only when what is there is known to be wrong: move it away, then restore again".to_owned(),
        ],
        StateError::JournalDamaged { .. } => vec![
            "keep the file: it may hold the only trace of an order; put it back from version control, or mend the line that is named".to_owned(),
            "`postpay state verify` lists every problem; a copy of the state that holds its run: `postpay state restore --from FILE`".to_owned(),
        ],
        StateError::JournalLost { evidence, .. } => vec![
            "put the journal back: it names what that run ordered, and what it may have ordered".to_owned(),
            format!("if it can't be had, compare the environments in the vendor's console with `postpay show`; then empty {evidence}"),
        ],
        StateError::Locked { holder, .. } => locked(holder.as_ref()),
        StateError::Io { .. } => vec!["mend that, then run it again".to_owned()],
        StateError::Misused(_) => Vec::new(),
    }
}

fn locked(holder: Option<&Holder>) -> Vec<String> {
    let who = holder.map(
        |Holder {
             who,
             pid,
             since,
             doing,
         }| { format!("held by {who}, process {pid}, since {since:.0}, doing `{doing}`") },
    );
    let wait =
        "wait for it: `--lock-timeout 10m`; a process that died leaves nothing to clear".to_owned();
    who.into_iter().chain([wait]).collect()
}
