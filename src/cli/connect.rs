//! The endpoint of a command, and the client for it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::error::{Failure, NOTHING_SENT};
use super::keys::{self, Ask, Session};
use super::options::{self, time};
use super::project::Project;
use super::transport::transport;
use super::ui::Ui;
use crate::clock::SystemClock;
use crate::cloud::tencent::{
    ClientOptions, CredentialCache, Credentials, EndpointUrl, NoCredentials, RETRY_READS_FOR, TencentClient,
    Transport, regions_to_list,
};
use crate::cloud::{Caller, CloudError, Grade, Looks, NotSent, Reading, Watcher};
use crate::config::Endpoint;
use crate::diagnostic::Diagnostic;
use crate::i18n::{Text, text};
use crate::plan::Plan;
use crate::sandbox::{self, Fault, ListAlias, Sandbox};
use crate::state::State;
use crate::state::file::FileStore;

/// How the embedded endpoint behaves.
#[derive(Debug, PartialEq, Eq, Args)]
#[command(next_help_heading = options::SANDBOX_OPTIONS)]
pub(super) struct Embedded {
    /// Inject a fault at a create call: KIND@N, KIND@N-M or KIND@*
    ///
    /// Prefix list:, bill:, modify: or destroy: for other calls. Repeatable. `postpay sandbox serve --help` lists the kinds.
    #[arg(long = "fault", value_name = "KIND@CALL", env = "POSTPAY_FAULT", value_delimiter = ',')]
    pub faults: Vec<Fault>,
    /// Response latency, for example 300ms
    #[arg(long, value_name = "TIME", default_value = "0s", env = "POSTPAY_LATENCY", value_parser = time)]
    pub latency: Duration,
    /// Random delay, up to this time
    #[arg(long, value_name = "TIME", default_value = "0s", env = "POSTPAY_JITTER", value_parser = time)]
    pub jitter: Duration,
    /// Time until a created environment is listed, for example 3s
    #[arg(long, value_name = "TIME", default_value = "0s", env = "POSTPAY_LIST_DELAY", value_parser = time)]
    pub list_delay: Duration,
    /// Field that is listed as the alias
    #[arg(long, value_name = "WHAT", default_value = "alias", env = "POSTPAY_LIST_ALIAS")]
    pub list_alias: ListAliasArg,
    /// Creates per second that it accepts, up to 1000
    #[arg(long, value_name = "N", default_value_t = sandbox::RATE, env = "POSTPAY_SANDBOX_RATE", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub sandbox_rate: u32,
}

/// The field that is listed as the alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListAliasArg {
    Alias,
    Capitals,
    EnvAlias,
    None,
}

impl From<ListAliasArg> for ListAlias {
    fn from(arg: ListAliasArg) -> Self {
        match arg {
            ListAliasArg::Alias => Self::Alias,
            ListAliasArg::Capitals => Self::Capitals,
            ListAliasArg::EnvAlias => Self::EnvAlias,
            ListAliasArg::None => Self::None,
        }
    }
}

impl Default for Embedded {
    fn default() -> Self {
        Self {
            faults: Vec::new(),
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            list_delay: Duration::ZERO,
            list_alias: ListAliasArg::Alias,
            sandbox_rate: sandbox::RATE,
        }
    }
}

/// An endpoint, and what calls to it need. Nothing was sent yet.
#[derive(Clone)]
pub(super) struct Connection {
    region: Option<String>,
    list_regions: Vec<String>,
    language: String,
    transport: Transport,
    retry_reads_for: Duration,
    place: Place,
    watcher: Option<Watcher>,
}

#[derive(Clone)]
enum Place {
    Embedded(Box<sandbox::Options>),
    Remote {
        url: EndpointUrl,
        /// Set once the credentials were found; commands that only change the state need none.
        session: Arc<OnceLock<Session>>,
    },
}

impl Connection {
    /// Chooses the endpoint, and loads the credentials for it.
    pub(super) fn with_credentials(
        project: &Project,
        embedded: &Embedded,
        retry_for: Duration,
        ui: &Ui,
    ) -> Result<Self, Failure> {
        let connection = Self::choose(project, embedded, retry_for, ui)?;
        connection.load_credentials(project, Ask::Machine, ui)?;
        Ok(connection)
    }

    /// Chooses the endpoint. Loads no credentials, and sends nothing.
    pub(super) fn choose(
        project: &Project,
        embedded: &Embedded,
        retry_for: Duration,
        ui: &Ui,
    ) -> Result<Self, Failure> {
        // Once, because the file of `--record` must be new.
        let transport = transport(project, ui)?;
        let place = match &project.endpoint {
            Endpoint::Sandbox => {
                check_sandbox_options(project, embedded, ui)?;
                Place::Embedded(Box::new(sandbox::Options {
                    latency: embedded.latency,
                    jitter: embedded.jitter,
                    list_delay: embedded.list_delay,
                    list_alias: embedded.list_alias.into(),
                    rate: Some(embedded.sandbox_rate),
                    faults: embedded.faults.clone(),
                    ..sandbox::Options::new(ledger_beside(&project.state)?)
                }))
            }
            Endpoint::Url(url) => {
                if *embedded != Embedded::default() {
                    return Err(Failure::new(
                        "sandbox-only",
                        text!("--fault, --latency, --jitter, --list-delay, --list-alias and --sandbox-rate require the embedded endpoint"),
                    )
                    .help(text!("add `--endpoint sandbox`, or pass them to `postpay sandbox serve`"))
                    .help(NOTHING_SENT));
                }
                Place::Remote { url: url.clone(), session: Arc::default() }
            }
        };
        Ok(Self {
            region: project.region.clone(),
            list_regions: project.config.api.list_regions.iter().flatten().map(ToString::to_string).collect(),
            language: project.language.name().to_owned(),
            transport,
            retry_reads_for: retry_for.min(RETRY_READS_FOR),
            place,
            watcher: ui.watcher(),
        })
    }

    /// Loads the credentials once, if the endpoint needs any. Only the metadata service may be asked, as the last source.
    pub(super) fn load_credentials(&self, project: &Project, ask: Ask, ui: &Ui) -> Result<(), Failure> {
        let Place::Remote { url, session } = &self.place else {
            return Ok(());
        };
        if session.get().is_none() {
            let within = self.retry_reads_for;
            let found = keys::find_session(project, url, &self.transport, within, ask, ui)?;
            session.get_or_init(|| found);
        }
        Ok(())
    }

    /// Returns the regions to list: those in the configuration, that of the calls, and those in the state. None stands for
    /// a call without a region. An environment is missing only if none of them lists it.
    pub(super) fn listed_regions(&self, state: Option<&State>) -> Vec<Option<String>> {
        regions_to_list(self.region.as_deref(), self.known_regions(state))
    }

    /// The same connection, where a listing also asks the regions that a plan creates in.
    pub(super) fn also_listing(&self, plan: &Plan) -> Self {
        let mut connection = self.clone();
        connection.list_regions.extend(plan.regions().map(str::to_owned));
        connection
    }

    fn known_regions(&self, state: Option<&State>) -> Vec<String> {
        let records = state.into_iter().flat_map(State::records);
        let recorded = records.filter_map(|(_, record)| record.region.as_ref());
        // The state may have been edited: a region that is no header value cannot be listed.
        let can_be_sent =
            |region: &&String| !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_graphic());
        let recorded = recorded.filter(can_be_sent);
        self.list_regions.iter().chain(recorded).cloned().collect()
    }

    /// Returns the account of the credentials. STS is asked once; that of the embedded endpoint is known.
    ///
    /// # Errors
    /// When STS does not return it.
    pub(super) async fn caller(&self) -> Result<Caller, CloudError> {
        match &self.place {
            Place::Embedded(_) => Ok(Caller {
                account: sandbox::ACCOUNT.to_owned(),
                user: None,
                arn: None,
                kind: None,
                request_id: None,
            }),
            Place::Remote { session, .. } => {
                let Some(session) = session.get() else {
                    return Err(CloudError::new(Grade::NotSent(NotSent::NoRequest), NO_CREDENTIALS_LOADED));
                };
                let asked = session.caller.get_or_try_init(|| async {
                    let _waiting = Waiting::new(self.watcher.clone());
                    let caller = session.sts.caller().await?;
                    session.credentials.pin_account(&caller.account);
                    Ok(caller)
                });
                asked.await.cloned()
            }
        }
    }

    /// Returns the URL; None for the embedded endpoint.
    pub(super) fn url(&self) -> Option<&EndpointUrl> {
        match &self.place {
            Place::Embedded(_) => None,
            Place::Remote { url, .. } => Some(url),
        }
    }

    /// Returns the credentials; None for the embedded endpoint, and before they were loaded.
    pub(super) fn session(&self) -> Option<&Session> {
        match &self.place {
            Place::Embedded(_) => None,
            Place::Remote { session, .. } => session.get(),
        }
    }

    /// Returns the client, which also lists the regions in the state, and the embedded endpoint, which runs until it is
    /// dropped.
    pub(super) async fn open(
        &self,
        state: Option<&State>,
    ) -> Result<(TencentClient, Option<Sandbox>), Failure> {
        let list_regions = self.known_regions(state);
        let this = self.clone();
        let (endpoint, credentials, running) = match this.place {
            Place::Remote { url, session } => {
                let credentials = session.get().map(|session| Arc::clone(&session.credentials));
                // A plan that only changes the state needs none.
                let none =
                    || CredentialCache::new(NoCredentials(NO_CREDENTIALS_LOADED), Arc::new(SystemClock));
                (url, credentials.unwrap_or_else(|| Arc::new(none())), None)
            }
            Place::Embedded(options) => {
                let running = Sandbox::start(*options).await?;
                let credentials = Arc::new(CredentialCache::fixed(sandbox_credentials()));
                (running.url().parse()?, credentials, Some(running))
            }
        };
        let options = ClientOptions {
            endpoint,
            credentials,
            region: this.region,
            list_regions,
            language: this.language,
            transport: this.transport,
            retry_reads_for: this.retry_reads_for,
            clock: Arc::new(SystemClock),
        };
        let client = TencentClient::new(options)?;
        Ok((client.watched(this.watcher), running))
    }
}

/// Rejects or reports options that have no effect on the embedded endpoint, which has its own credentials.
fn check_sandbox_options(project: &Project, embedded: &Embedded, ui: &Ui) -> Result<(), Failure> {
    let is_of_sts = |fault: &&Fault| fault.target == sandbox::Target::Sts;
    if let Some(fault) = embedded.faults.iter().find(is_of_sts) {
        let fault = fault.to_string();
        return Err(Failure::new(
            "fault-sts",
            text!(
                "`--fault {fault}` has no effect: the embedded endpoint is never asked for credentials",
                fault
            ),
        )
        .help(text!("pass it to `postpay sandbox serve`, and apply to that with `--endpoint`"))
        .help(NOTHING_SENT));
    }
    let options::Keys { profile, cvm_role, assume_role, oidc_provider, .. } = &project.api.keys;
    let given = [
        ("--profile", profile.is_some()),
        ("--cvm-role", cvm_role.is_some()),
        ("--assume-role", assume_role.is_some()),
        ("--oidc-provider", oidc_provider.is_some()),
    ];
    if let Some((flag, _)) = given.iter().find(|(_, is_given)| *is_given) {
        ui.diagnose(&[Diagnostic::warning(
            "sandbox-key",
            text!("`{flag}` has no effect: the embedded endpoint uses its own credentials", flag),
        )]);
    }
    Ok(())
}

const NO_CREDENTIALS_LOADED: Text =
    Text::fixed("no credentials were loaded, because nothing needs to be sent");

/// Progress while STS is asked for the account.
struct Waiting(Option<Watcher>);

impl Waiting {
    fn new(watcher: Option<Watcher>) -> Self {
        if let Some(watcher) = &watcher {
            watcher(Some(&Reading {
                what: Looks::Caller,
                region: 1,
                regions: 1,
                pages: 0,
                done: 0,
                of: None,
            }));
        }
        Self(watcher)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(watcher) = &self.0 {
            watcher(None);
        }
    }
}

pub(super) fn sandbox_credentials() -> Credentials {
    Credentials {
        secret_id: sandbox::SECRET_ID.to_owned(),
        secret_key: sandbox::SECRET_KEY.into(),
        token: None,
    }
}

/// Returns the ledger of the embedded endpoint: `postpay.sandbox.jsonl` beside `postpay.state.json`.
pub(super) fn ledger_beside(state: &Path) -> Result<PathBuf, Failure> {
    Ok(FileStore::resolved(state).beside("sandbox.jsonl")?)
}
