//! Which endpoint a run talks to, and with which keys.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::failure::{Failure, NOTHING_SENT};
use super::keys::{self, Ask, Session};
use super::load::Project;
use super::options::{self, time};
use super::transport::transport;
use super::world::World;
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

/// How the embedded endpoint behaves, for a rehearsal.
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

/// What a list shows as an alias.
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

/// An endpoint that was chosen and not yet spoken to.
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
    /// Chooses the endpoint, and looks for the key to it.
    pub(super) fn with_key(
        project: &Project,
        embedded: &Embedded,
        retry_for: Duration,
        world: &World,
    ) -> Result<Self, Failure> {
        let connection = Self::choose(project, embedded, retry_for, world)?;
        connection.find_key(project, Ask::Machine, world)?;
        Ok(connection)
    }

    /// Chooses the endpoint. Looks for no key, and sends nothing.
    pub(super) fn choose(
        project: &Project,
        embedded: &Embedded,
        retry_for: Duration,
        world: &World,
    ) -> Result<Self, Failure> {
        // Once: the file that is recorded in is a new one.
        let transport = transport(project, world)?;
        let place = match &project.endpoint {
            Endpoint::Sandbox => {
                not_of_the_embedded(project, embedded, world)?;
                Place::Embedded(Box::new(sandbox::Options {
                    latency: embedded.latency,
                    jitter: embedded.jitter,
                    list_delay: embedded.list_delay,
                    list_alias: embedded.list_alias.into(),
                    rate: Some(embedded.sandbox_rate),
                    faults: embedded.faults.clone(),
                    ..sandbox::Options::new(ledger_beside(&project.state, world)?)
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
            watcher: world.watcher(),
        })
    }

    /// Looks for the key, once, where the endpoint needs one. Nothing but the machine is asked, and only if nothing else is
    /// found.
    pub(super) fn find_key(&self, project: &Project, ask: Ask, world: &World) -> Result<(), Failure> {
        let Place::Remote { url, session } = &self.place else {
            return Ok(());
        };
        if session.get().is_none() {
            let within = self.retry_reads_for;
            let found = keys::find_session(project, url, &self.transport, within, ask, world)?;
            session.get_or_init(|| found);
        }
        Ok(())
    }

    /// The regions that a listing asks, None for a call that names none: those that are configured, the one that calls are
    /// sent with, and whichever have something in the state. Whatever is concluded from "not there" has looked there.
    pub(super) fn listed_regions(&self, state: Option<&State>) -> Vec<Option<String>> {
        regions_to_list(self.region.as_deref(), self.named_regions(state))
    }

    /// The same connection, where a listing also asks the regions that a plan creates in.
    pub(super) fn also_listing(&self, plan: &Plan) -> Self {
        let mut connection = self.clone();
        connection.list_regions.extend(plan.regions().map(str::to_owned));
        connection
    }

    fn named_regions(&self, state: Option<&State>) -> Vec<String> {
        let records = state.into_iter().flat_map(State::records);
        let recorded = records.filter_map(|(_, record)| record.region.as_ref());
        // Tencent Cloud's word for where an adopted one is, or a hand's: one that can't be sent can't be asked.
        let can_be_sent =
            |region: &&String| !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_graphic());
        let recorded = recorded.filter(can_be_sent);
        self.list_regions.iter().chain(recorded).cloned().collect()
    }

    /// Whose account the key is of. The embedded endpoint's is known, and Tencent Cloud is asked once.
    ///
    /// # Errors
    /// When Tencent Cloud does not say.
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
                    return Err(CloudError::new(Grade::NotSent(NotSent::NoRequest), NO_KEY_WAS_LOOKED_FOR));
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

    /// Where Tencent Cloud's endpoint is; None for the embedded one.
    pub(super) fn url(&self) -> Option<&EndpointUrl> {
        match &self.place {
            Place::Embedded(_) => None,
            Place::Remote { url, .. } => Some(url),
        }
    }

    /// What is known of the key to Tencent Cloud's endpoint; None for the embedded one, and before it was looked for.
    pub(super) fn session(&self) -> Option<&Session> {
        match &self.place {
            Place::Embedded(_) => None,
            Place::Remote { session, .. } => session.get(),
        }
    }

    /// The client, and the embedded endpoint that it talks to, if it does; the endpoint lives as long as that. It lists the
    /// regions of what is in the state too.
    pub(super) async fn open(
        &self,
        state: Option<&State>,
    ) -> Result<(TencentClient, Option<Sandbox>), Failure> {
        let list_regions = self.named_regions(state);
        let this = self.clone();
        let (endpoint, credentials, running) = match this.place {
            Place::Remote { url, session } => {
                let credentials = session.get().map(|session| Arc::clone(&session.credentials));
                // Nothing can be sent without them.
                let none =
                    || CredentialCache::new(NoCredentials(NO_KEY_WAS_LOOKED_FOR), Arc::new(SystemClock));
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

/// What was asked for and has no meaning for the embedded endpoint, which has a key of its own and is asked for no other.
fn not_of_the_embedded(project: &Project, embedded: &Embedded, world: &World) -> Result<(), Failure> {
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
        world.diagnose(&[Diagnostic::warning(
            "sandbox-key",
            text!("`{flag}` has no effect: the embedded endpoint uses its own credentials", flag),
        )]);
    }
    Ok(())
}

const NO_KEY_WAS_LOOKED_FOR: Text =
    Text::fixed("no credentials were loaded, because nothing needs to be sent");

/// Progress while Tencent Cloud is asked whose the credentials are.
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

/// Where the embedded endpoint keeps what it did: `postpay.sandbox.jsonl` beside `postpay.state.json`.
pub(super) fn ledger_beside(state: &Path, world: &World) -> Result<PathBuf, Failure> {
    Ok(world.store(state).beside("sandbox.jsonl")?)
}
