//! Everything that can end a command early, as diagnostics: what happened, what was done at Tencent Cloud, what to type next.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::apply::import::NotImportable;
use crate::apply::offers::NotOffered;
use crate::apply::{AliasConflict, ApplyError};
use crate::check::near::nearest;
use crate::cloud::tencent::{ClientError, CredentialsError, EndpointError};
use crate::cloud::{self, CloudError};
use crate::diagnostic::{Diagnostic, SourceFile, Span};
use crate::i18n::{Text, text};
use crate::manifest;
use crate::model::SourceRef;
use crate::plan::file::PlanFileError;
use crate::plan::{Blocker, StepBlocker};
use crate::report::clean;
use crate::sandbox::{LedgerError, SandboxError};
use crate::state::StateError;

/// How a command ended, for scripts. Documented in `--help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Fine = 0,
    /// Nothing was done, or nothing could be.
    Error = 1,
    /// There are changes.
    Changes = 2,
    /// Stopped part-way; what was ordered is recorded.
    PartWay = 3,
    /// At least one outcome is unknown.
    Unknown = 4,
}

pub(super) const NOTHING_ORDERED: Text = Text::fixed("nothing was created or changed");

/// Why a command ended early.
#[derive(Debug)]
pub(super) struct Failure {
    pub diagnostics: Vec<Diagnostic>,
    pub exit: Exit,
}

/// What every failure before the first request says.
pub(super) const NOTHING_SENT: Text = Text::fixed("nothing was sent to Tencent Cloud");

impl Failure {
    pub(super) fn new(code: &'static str, message: impl Into<Text>) -> Self {
        Self::from(Diagnostic::error(code, message))
    }

    /// Merges failures into one with the exit code of the first.
    ///
    /// # Errors
    /// When there is any.
    pub(super) fn merge(failures: impl IntoIterator<Item = Self>) -> Result<(), Self> {
        let mut failures = failures.into_iter();
        let Some(mut first) = failures.next() else {
            return Ok(());
        };
        first.diagnostics.extend(failures.flat_map(|failure| failure.diagnostics));
        Err(first)
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
        Self { diagnostics: vec![diagnostic], exit: Exit::Error }
    }
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics, exit: Exit::Error }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new("io", Text::same(format!("{error:#}")))
    }
}

impl From<Vec<Blocker>> for Failure {
    fn from(blockers: Vec<Blocker>) -> Self {
        let mut lines = Lines::default();
        let diagnostics = blockers.iter().map(|blocker| {
            let (code, message, help) = blocker.explain();
            let mut diagnostic = Diagnostic::error(code, message);
            if let Blocker::Step { place, blocker, .. } = blocker {
                // What is not declared any more has no line.
                let is_declared = *blocker != StepBlocker::PreventDestroy;
                diagnostic = if let Some(span) = lines.span(place).filter(|_| is_declared) {
                    diagnostic.on(&span)
                } else {
                    let place = place.to_string();
                    let place = clean(&place);
                    diagnostic.help(text!("was declared in {place}", place))
                };
            }
            diagnostic.help(help)
        });
        let failure = Self::from(diagnostics.collect::<Vec<_>>());
        // Whose account it is was asked by then.
        let was_asked = blockers.iter().any(|blocker| OF_ACCOUNT.contains(&blocker.code()));
        failure.help(if was_asked { NOTHING_ORDERED } else { NOTHING_SENT })
    }
}

/// The codes of blockers that come of Tencent Cloud's answer.
const OF_ACCOUNT: [&str; 4] = ["state-account", "plan-account", "account-not-allowed", "account-unknown"];

fn declared_in(source: &SourceRef) -> Text {
    let source = source.to_string();
    let source = clean(&source);
    text!("declared in {source}", source)
}

impl From<EndpointError> for Failure {
    fn from(error: EndpointError) -> Self {
        Self::new("client", Text::of(&error)).help(NOTHING_SENT)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::new("client", error.0).help(NOTHING_SENT)
    }
}

impl From<CredentialsError> for Failure {
    fn from(error: CredentialsError) -> Self {
        let failure = Self::new("credentials", error.text());
        let failure = match &error {
            CredentialsError::Absent { looked } => looked
                .iter()
                .fold(failure, |failure, place| {
                    failure.help(text!("searched {place}", place))
                })
                .help(Text::fixed("set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY (get them at https://console.cloud.tencent.com/cam/capi), or log in with tccli"))
                .help(Text::fixed("to try postpay without an account: `--endpoint sandbox`")),
            CredentialsError::NoProfile { name, known, .. } => {
                let names: Vec<&str> = known.iter().map(String::as_str).collect();
                let all = clean(&names.join(", ")).into_owned();
                match nearest(name, &names) {
                    Some(near) => {
                        let near = clean(near);
                        failure.help(text!("did you mean `{near}`?", near))
                    }
                    None if names.is_empty() => failure,
                    None => failure.help(text!("available: {all}", all)),
                }
            }
            CredentialsError::Invalid(_) => failure,
        };
        failure.help(NOTHING_SENT)
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        let message = error.text();
        let error = match error {
            ApplyError::State(error) => return Self::from(error),
            ApplyError::Listing(error) => error,
            ApplyError::Incomplete { gaps, accepted, creates } => {
                let wait = Text::fixed(
                    "an unlisted environment could be created again: run the command again in a few minutes",
                );
                let failure = Self::new("listing-incomplete", message).help(wait);
                let failure = match (cloud::missing(&gaps), accepted) {
                    (Some(missing), Some(accepted)) if creates => failure.help(text!(
                        "{missing} rows are missing, but --accept-missing-rows is {accepted}",
                        missing,
                        accepted
                    )),
                    (_, _) => failure,
                };
                let failure = match cloud::missing(&gaps) {
                    Some(missing) if creates => failure.help(text!("if the list stays incomplete, and the console shows that none of the declared environments exists: `postpay apply --accept-missing-rows {missing}`", missing)),
                    Some(_) | None => failure,
                };
                return failure.help(NOTHING_ORDERED);
            }
            ApplyError::Elsewhere { .. } => {
                return Self::new("state-account", message)
                    .help(Text::fixed("use credentials of the account they were created in (`postpay whoami` shows the active ones and their source)"))
                    .help(Text::fixed("if they no longer exist: `postpay drift` shows it, and `postpay state rm ADDR` removes them from the state"))
                    .help(NOTHING_ORDERED);
            }
            ApplyError::AlreadyThere(twins) => {
                let line = |AliasConflict { address, env_id }: &AliasConflict| {
                    let env_id = clean(env_id);
                    text!("`{address}` matches {env_id}", address, env_id)
                };
                return twins
                    .iter()
                    .map(line)
                    .fold(Self::new("already-there", message), Self::help)
                    .help(Text::fixed("if they were created with a state that was lost, restore it: `postpay state restore`"))
                    .help(Text::fixed("to manage them: `postpay import ADDR ENV_ID` adds them to the state and creates nothing"))
                    .help(Text::fixed("if they are different environments: choose another alias, or create anyway with `--allow-same-alias`"))
                    .help(NOTHING_ORDERED);
            }
        };
        Self::listing(&error)
            .help(Text::fixed(
                "the list from before the first create is needed to find the environment of a lost response",
            ))
            .help(NOTHING_ORDERED)
    }
}

impl Failure {
    /// The account could not be read, for a command that only looks.
    pub(super) fn listing(error: &CloudError) -> Self {
        let message = ApplyError::Listing(error.clone()).text();
        Self::new("listing", message).with_api_details(error)
    }

    /// With what Tencent Cloud said besides its message, and what to do about it.
    #[must_use]
    pub(super) fn with_api_details(self, error: &CloudError) -> Self {
        let said = [("code", &error.code), ("RequestId", &error.request_id)];
        let said =
            said.into_iter().filter_map(|(what, text)| Some(format!("{what}: {}", clean(text.as_deref()?))));
        said.map(Text::same).chain(error.hint.clone()).fold(self, Self::help)
    }
}

impl From<Vec<NotOffered>> for Failure {
    fn from(blocked: Vec<NotOffered>) -> Self {
        let diagnostics = blocked.iter().map(|NotOffered { address, source, why }| {
            let (code, why, help) = why.explain(address);
            Diagnostic::error(code, why).help(declared_in(source)).help(help).help(NOTHING_ORDERED)
        });
        Self::from(diagnostics.collect::<Vec<_>>())
    }
}

impl From<Vec<NotImportable>> for Failure {
    fn from(problems: Vec<NotImportable>) -> Self {
        let diagnostics = problems.iter().map(|problem| {
            let NotImportable { address, env_id, source, why } = problem;
            let (code, why, help) = why.explain();
            let env_id = clean(env_id);
            let message = text!("cannot import {env_id} as `{address}`: {why}", env_id, address, why);
            Diagnostic::error(code, message)
                .help(declared_in(source))
                .help(help)
                .help(Text::fixed("nothing was changed, locally or at Tencent Cloud"))
        });
        Self::from(diagnostics.collect::<Vec<_>>())
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Self::new("sandbox", error.text()).help(NOTHING_SENT)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::new("sandbox", error.text())
    }
}

impl From<(&Path, PlanFileError)> for Failure {
    fn from((path, error): (&Path, PlanFileError)) -> Self {
        let path = path.display();
        Self::new("plan-file", text!("{path}: {error}", path, error))
            .help(Text::fixed("make and review a new plan: `postpay plan -o FILE`"))
            .help(NOTHING_SENT)
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        error.help().into_iter().fold(Self::new(error.code(), error.text()), Self::help).help(NOTHING_SENT)
    }
}

pub(super) fn cannot_print(error: &io::Error) -> Failure {
    Failure::new("stdout", text!("cannot write to standard output: {error}", error))
}

pub(super) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::new("write", text!("cannot write {path}: {error}", path, error))
}

/// The lines of manifests, with each file read once.
#[derive(Default)]
pub(super) struct Lines<'a>(HashMap<&'a str, Option<Arc<SourceFile>>>);

impl<'a> Lines<'a> {
    /// Returns the line of a declaration; None when it is not there any more.
    pub(super) fn span(&mut self, source: &'a SourceRef) -> Option<Span> {
        let file = self.0.entry(&source.file).or_insert_with(|| {
            let read = manifest::read(Path::new(""), Path::new(&source.file));
            read.ok().map(|(file, _)| file)
        });
        let file = Arc::clone(file.as_ref()?);
        let line = usize::try_from(source.line).ok();
        let before = file.line_start(line.filter(|line| *line > 0)?);
        let text = file.text.get(before..)?.lines().next()?;
        let bytes = before + (text.len() - text.trim_start().len())..before + text.trim_end().len();
        Some(Span { file, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::ApplyError;
    use crate::cloud::tencent::codes::{self, Action};
    use crate::cloud::{Grade, Scope, SeenIds};
    use crate::model::Address;

    fn refused() -> CloudError {
        CloudError {
            grade: Grade::Refused(Scope::Run),
            code: Some("AuthFailure".to_owned()),
            message: Text::same("鉴权失败"),
            request_id: Some("r-1".to_owned()),
            http_status: Some(200),
            seen: SeenIds::default(),
            body: None,
            hint: codes::help(Action::Read, &[], "AuthFailure"),
        }
    }

    #[test]
    fn failures_are_translated_and_messages_of_the_api_are_not() {
        let failure = Failure::from(ApplyError::Listing(refused()));
        let [diagnostic] = &failure.diagnostics[..] else {
            panic!("{failure:?}");
        };
        assert_eq!(format!("{:#}", diagnostic.message), "无法列出账号下的环境：鉴权失败");
        let same: Vec<&str> =
            diagnostic.help.iter().filter(|help| !help.is_in_both()).map(Text::en).collect();
        assert_eq!(same, ["code: AuthFailure", "RequestId: r-1"]);

        let twin = AliasConflict { address: Address::new("shop").unwrap(), env_id: "shop-1".to_owned() };
        let there = Failure::from(ApplyError::AlreadyThere(vec![twin]));
        for diagnostic in there.diagnostics {
            assert!(diagnostic.message.is_in_both());
            assert!(diagnostic.help.iter().all(Text::is_in_both));
        }
    }
}
