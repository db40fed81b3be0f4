//! `postpay resolve`: settles creates with an unknown outcome, or without an environment id. Only `--resend` creates anything.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::connect::{Connection, Embedded};
use super::env;
use super::error::{Exit, Failure};
use super::options::{Api, Global, id, time};
use super::project::Project;
use super::ui::Ui;
use super::{account, edit, pending_destroy, resend};
use crate::apply::PendingOrder;
use crate::apply::candidates::{Candidate, Proposal, propose};
use crate::apply::settle::{Found, look};
use crate::cloud::tencent::{RETRY_READS_FOR, TencentClient};
use crate::cloud::{CloudError, CloudRead as _};
use crate::i18n::{Text, text};
use crate::model::{Address, InstanceKey};
use crate::plan::guard;
use crate::report::clean;
use crate::report::resolve::{OpenOrder, ResolveView, describe_next_step};
use crate::state::journal::{Edit, Edited, Journal, RunId, RunStarted};
use crate::state::{Record, State, StateError, StateStore, Status, Writer};

/// Resolve unknown outcomes
///
/// Creates nothing without --resend. Reads the account. Shows what was sent, when and by whom, and every candidate environment with what
/// matches and what does not. A full match is proposed. The result is written to the state, with a receipt.
#[expect(clippy::struct_excessive_bools, reason = "one per flag")]
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay resolve                            show, propose and ask
  postpay resolve --auto-approve             import full matches without asking
  postpay resolve shop-prod --adopt shop-prod-1a2b3c
  postpay resolve shop-prod --not-created    nothing was created
  postpay resolve shop-run --resend          send a cloudrun create once more

`--not-created` and `--resend` need --force for a request younger than 10 minutes: Tencent Cloud may still act on it.
Exits with 0 if nothing is left unresolved, else with 4.")]
pub(super) struct Args {
    /// Addresses [default: all with an unknown outcome]
    #[arg(value_name = "ADDR")]
    addresses: Vec<Address>,
    /// The environment to import
    #[arg(long, value_name = "ENV_ID", value_parser = id, group = "answer")]
    adopt: Option<String>,
    /// The order number, if the bill has none
    #[arg(long, hide_short_help = true, value_name = "TRAN_ID", value_parser = id, requires = "adopt")]
    tran_id: Option<String>,
    /// Skip the alias check or the 10-minute wait
    ///
    /// With --adopt, import an environment whose alias differs. With --not-created or --resend, accept a request
    /// younger than 10 minutes.
    #[arg(long, requires = "answer")]
    force: bool,
    /// Nothing was created: the next plan creates it again
    #[arg(long, group = "answer")]
    not_created: bool,
    /// Send it once more with the same request key (cloudrun)
    ///
    /// Only for kinds whose requests have a key by which Tencent Cloud recognizes a repeat. The account is read
    /// first: a create that is there is not sent again. Asks for approval; needs --force for a request younger
    /// than 10 minutes.
    #[arg(long, group = "answer")]
    resend: bool,
    /// Do not ask for approval
    #[arg(short = 'y', long, visible_alias = "yes")]
    auto_approve: bool,
    /// How long to wait for the state lock
    #[arg(long, hide_short_help = true, value_name = "TIME", default_value = "0s", env = "POSTPAY_LOCK_TIMEOUT", value_parser = time)]
    lock_timeout: Duration,
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    embedded: Embedded,
}

/// An open order, with its run and its candidates.
pub(super) struct Case {
    pub open: PendingOrder,
    pub status: Status,
    sent_by: Option<String>,
    /// The regions that were asked for it, None for a call that names none.
    asked: Vec<Option<String>>,
    candidates: Vec<Candidate>,
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load(global, &args.api)?;
    project.guard_reports(global, ui)?;
    let store = project.store()?;
    let mut writer = ui.locked(&*store, args.lock_timeout, || {
        Writer::open(&*store, &env::holder("resolve"), args.lock_timeout)
    })?;
    let Some(state) = writer.state().cloned() else {
        let none = text!("No state: nothing has been created yet.\n");
        ui.print(&ui.out.in_lang(&none))?;
        return Ok(Exit::Fine);
    };
    if let Some(blocker) = guard::wrong_endpoint(Some(&state), &project.account()) {
        return Err(Failure::from(vec![blocker]));
    }
    let destroys = pending_destroy::open(&state, &args.addresses);
    let open = wanted(&state, &args.addresses, !destroys.is_empty())?;
    if (args.adopt.is_some() || args.not_created || args.resend) && open.len() != 1 {
        let n = open.len();
        return Err(Failure::new(
            "resolve-one",
            text!("--adopt, --not-created and --resend work on one address, but {n} are unresolved", n),
        )
        .help(text!("name the address: `postpay resolve ADDR --adopt ENV_ID`")));
    }
    if open.is_empty() && destroys.is_empty() {
        show(&[], ui)?;
        ui.status(&text!("Nothing to resolve.\n"));
        return Ok(Exit::Fine);
    }
    let repeat = match open[..] {
        [(address, record)] if args.resend => {
            let intent = resend::intent(address, record, journal_of(&*store, record.run)?)?;
            if !args.force {
                is_old_enough(address, record, "--resend", env::now())?;
            }
            Some(intent)
        }
        _ => None,
    };
    let connection = Connection::with_credentials(&project, &args.embedded, RETRY_READS_FOR, ui)?;
    if let Some(intent) = repeat {
        let others = is_open(&state).count() + pending_destroy::open(&state, &[]).len() > 1;
        let exit =
            resend::run(intent, &state, &project, &connection, args.auto_approve, (&*store, writer), ui)?;
        show(&[], ui)?;
        return Ok(if others { Exit::Unknown } else { exit });
    }
    let (cases, seen) = super::runtime::start()?.block_on(async {
        account::expected(&connection, &project, Some(&state), ui).await?;
        let (client, _sandbox) = connection.open(Some(&state)).await?;
        let seen = if destroys.is_empty() {
            Vec::new()
        } else {
            client.environments().await.map_err(|error| unreadable(&error))?
        };
        let cases = examine(&*store, &state, open, &client).await?;
        Ok::<_, Failure>((cases, seen))
    })?;
    show(&cases, ui)?;
    let mut edits = decide(args, &state, &cases, ui)?;
    edits.extend(pending_destroy::settle(&destroys, &seen, args.auto_approve, ui));
    let settled = edits.len();
    if settled > 0 {
        let run = RunStarted {
            format_version: crate::state::FormatVersion,
            commit: env::commit(&project.sources()),
            ..edit::started(&state, "resolve")?
        };
        edit::write(&mut writer, run, edits)?;
    }
    let left =
        writer.state().map_or(0, |state| is_open(state).count() + pending_destroy::open(state, &[]).len());
    ui.status(&text!("{settled} resolved, {left} unresolved. Nothing was created.\n", settled, left));
    Ok(if left == 0 { Exit::Fine } else { Exit::Unknown })
}

pub(super) fn is_open(state: &State) -> impl Iterator<Item = (&Address, &Record)> {
    state.current().filter(|(_, record)| match record.status {
        Status::Unknown | Status::AwaitingEnvId => true,
        Status::Created | Status::Isolated | Status::Destroying => false,
    })
}

fn wanted<'a>(
    state: &'a State,
    addresses: &[Address],
    is_given_up: bool,
) -> Result<Vec<(&'a Address, &'a Record)>, Failure> {
    if let Some(address) = addresses
        .iter()
        .find(|address| !is_open(state).any(|(open, _)| open == *address))
        .filter(|_| !is_given_up)
    {
        let why = if state.get(address).is_some() {
            text!("`{address}` is already resolved", address)
        } else {
            text!("`{address}` is not in the state", address)
        };
        return Err(Failure::new("resolve-address", why)
            .help(text!("run `postpay show` to list unresolved addresses; nothing was changed")));
    }
    Ok(is_open(state).filter(|(address, _)| addresses.is_empty() || addresses.contains(address)).collect())
}

/// Reads the journals and the account.
pub(super) async fn examine(
    store: &dyn StateStore,
    state: &State,
    open: Vec<(&Address, &Record)>,
    client: &TencentClient,
) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for (address, record) in open {
        let journal = journal_of(store, record.run)?;
        // An id in the response of one order belongs to no other, unless that has it too.
        let others = state.records();
        let managed: BTreeSet<String> = others
            .filter(|(_, other)| !std::ptr::eq(*other, record))
            .filter_map(|(_, other)| other.env_id.clone())
            .collect();
        cases.push(case(address, record, journal, &managed, state, client).await?);
    }
    Ok(cases)
}

async fn case(
    address: &Address,
    record: &Record,
    journal: Option<Journal>,
    managed: &BTreeSet<String>,
    state: &State,
    client: &TencentClient,
) -> Result<Case, Failure> {
    let open = PendingOrder { at: None, address: address.clone(), record: record.clone() };
    let before = journal.as_ref().and_then(Journal::listed);
    let asked = std::slice::from_ref(&open);
    let found = look(client, asked, |_| before, managed, Some(state), env::now())
        .await
        .map_err(|error| unreadable(&error))?;
    let candidates = found.into_iter().flat_map(|Found { candidates, .. }| candidates).collect();
    Ok(Case {
        open,
        status: record.status,
        sent_by: journal.map(|journal| journal.started.who),
        asked: client.regions().to_vec(),
        candidates,
    })
}

fn unreadable(error: &CloudError) -> Failure {
    let message = &error.message;
    Failure::new("listing", text!("cannot read the account: {message}", message))
        .help(text!("nothing was changed"))
}

fn journal_of(store: &dyn StateStore, run: RunId) -> Result<Option<Journal>, StateError> {
    let receipts = store.receipts()?;
    receipts.iter().find(|receipt| receipt.run == run).map(|receipt| store.receipt(receipt)).transpose()
}

fn show(cases: &[Case], ui: &mut Ui) -> Result<(), Failure> {
    let open = cases
        .iter()
        .map(|case| OpenOrder::new(&case.open, case.sent_by.as_deref(), &case.asked, &case.candidates));
    ui.show(&ResolveView::new(open))
}

/// Returns the edits: from the command line, or from full matches that were approved.
fn decide(args: &Args, state: &State, cases: &[Case], ui: &Ui) -> Result<Vec<Edited>, Failure> {
    if let [case] = cases {
        if let Some(env_id) = &args.adopt {
            return Ok(vec![adopt_by_id(case, env_id, args.tran_id.as_deref(), args.force, state)?]);
        }
        if args.not_created {
            let edited = forget(case, state)?;
            if !args.force {
                is_old_enough(&case.open.address, &case.open.record, "--not-created", env::now())?;
            }
            return Ok(vec![edited]);
        }
    }
    let mut edits = Vec::new();
    for case in cases {
        let proposed = proposed(case, cases);
        match proposed {
            Some(candidate) if args.auto_approve || agreed(case, candidate, ui) => {
                edits.push(adopt(case, candidate));
            }
            Some(_) | None => {
                let fits = proposed.map(|candidate| candidate.environment.env_id.as_str());
                ui.status(&describe_next_step(&case.open.address, fits));
                if fits.is_none() && case.open.record.attributes.kind().request_key.is_some() {
                    let address = &case.open.address;
                    ui.status(&text!(
                        "    or `postpay resolve {address} --resend` to send it once more with the same request key\n",
                        address
                    ));
                }
            }
        }
    }
    Ok(edits)
}

/// Returns the environment that fully matches this open order and no other.
pub(super) fn proposed<'a>(case: &'a Case, cases: &[Case]) -> Option<&'a Candidate> {
    match propose(&case.candidates) {
        Proposal::Adopt(candidate) if claims(cases, candidate) == 1 => Some(candidate),
        Proposal::Adopt(_) | Proposal::Ask | Proposal::Nothing => None,
    }
}

pub(super) fn adopt(case: &Case, candidate: &Candidate) -> Edited {
    let tran_id = candidate.tran_id().or(case.open.record.tran_id.as_deref());
    put(case, &candidate.environment.env_id, tran_id)
}

/// Counts the open orders that an environment matches.
fn claims(cases: &[Case], wanted: &Candidate) -> usize {
    let fitting = cases.iter().flat_map(|case| &case.candidates).filter(|candidate| candidate.fits());
    fitting.filter(|candidate| candidate.environment.env_id == wanted.environment.env_id).count()
}

fn agreed(case: &Case, candidate: &Candidate, ui: &Ui) -> bool {
    if !ui.can_ask() {
        return false;
    }
    let env_id = clean(&candidate.environment.env_id);
    let address = &case.open.address;
    ui.ask(&ui.err.in_lang(text!(
        "\nImport {env_id} as `{address}`? Only 'yes' will be accepted to approve.\nEnter a value: ",
        env_id,
        address
    )))
}

pub(super) fn adopt_by_id(
    case: &Case,
    env_id: &str,
    tran_id: Option<&str>,
    force: bool,
    state: &State,
) -> Result<Edited, Failure> {
    let own = InstanceKey::current(case.open.address.clone());
    let taken = state
        .environments
        .iter()
        .find(|(key, record)| **key != own && record.env_id.as_deref() == Some(env_id));
    if let Some((InstanceKey { address, .. }, _)) = taken {
        let env_id = clean(env_id);
        return Err(Failure::new(
            "resolve-taken",
            text!("{env_id} is already in the state as `{address}`", env_id, address),
        )
        .help(text!("an environment can have only one address; nothing was changed")));
    }
    let Some(candidate) = case.candidates.iter().find(|candidate| candidate.environment.env_id == env_id)
    else {
        let (env_id, address) = (clean(env_id), &case.open.address);
        return Err(Failure::new(
            "resolve-not-there",
            text!("the account has no environment {env_id} that could be `{address}`", env_id, address),
        )
        .help(text!("it must be in the account and created after the run began; nothing was changed")));
    };
    if !force && candidate.contradicts_the_alias() {
        let found = match &candidate.environment.alias {
            Some(alias) => Text::same(clean(alias).into_owned()),
            None => text!("none"),
        };
        let (env_id, address) = (clean(env_id), &case.open.address);
        return Err(Failure::new(
            "resolve-other-alias",
            text!("{env_id} has the alias {found}, but `{address}` was created with another one", env_id, found, address),
        )
        .help(text!("importing the wrong environment leaves the right one unmanaged and creates another one; nothing was changed"))
        .help(text!("if its alias was changed at Tencent Cloud since then: add --force")));
    }
    let known = candidate.tran_id().or(case.open.record.tran_id.as_deref());
    if let (Some(said), Some(known)) = (tran_id, known)
        && said != known
    {
        let (known, said) = (clean(known), clean(said));
        return Err(Failure::new(
            "resolve-other-number",
            text!("the order number is {known}, not {said}", known, said),
        )
        .help(text!("remove --tran-id: it is only for bills without an order number; nothing was changed")));
    }
    Ok(put(case, env_id, known.or(tran_id)))
}

pub(super) fn forget(case: &Case, state: &State) -> Result<Edited, Failure> {
    let address = &case.open.address;
    let number = &case.open.record.tran_id;
    let mut others = state.records().filter(|(at, _)| *at != address);
    // An order number of another order proves nothing.
    let is_its_own = number.is_some() && others.all(|(_, other)| other.tran_id != *number);
    if case.status == Status::AwaitingEnvId || is_its_own {
        return Err(Failure::new(
            "resolve-ordered",
            text!("Tencent Cloud returned an order number for `{address}`", address),
        )
        .help(text!(
            "an order exists: find its environment and import it with --adopt; nothing was changed"
        )));
    }
    // Regions that were not listed prove nothing.
    if !case.asked.contains(&case.open.record.region) {
        return Err(not_asked(case));
    }
    if let Some(candidate) =
        case.candidates.iter().find(|candidate| candidate.fits() || candidate.looks_alike())
    {
        let env_id = clean(&candidate.environment.env_id);
        return Err(Failure::new("resolve-created", text!("{env_id} matches `{address}`", env_id, address))
            .help(text!(
                "if it is the right one: `postpay resolve {address} --adopt {env_id}`",
                address,
                env_id
            ))
            .help(text!(
                "if not, first change its alias in the Tencent Cloud console; nothing was changed"
            )));
    }
    // The environment that it would have replaced is current again.
    let kept =
        state.deposed_at(address).find(|(_, record)| record.deposed_at == Some(case.open.record.ordered_at));
    let edit = Edit::current(address.clone(), kept.map(|(_, record)| record.clone()));
    Ok(Edited { doing: "resolve --not-created".to_owned(), edit })
}

/// How old an outcome must be before its environment counts as not created. Tencent Cloud may act on a request, and list what it
/// made, after its answer was lost.
const LATE: SignedDuration = SignedDuration::from_mins(10);

/// Rejects an outcome that is too young. A time in the future counts as now.
fn is_old_enough(address: &Address, record: &Record, flag: &str, now: Timestamp) -> Result<(), Failure> {
    let age = now.duration_since(record.ordered_at);
    let age = age.max(SignedDuration::ZERO);
    if age >= LATE {
        return Ok(());
    }
    let passed = age.as_secs();
    let left = LATE.as_secs() - passed;
    let (minutes, seconds) = (left / 60, left % 60);
    Err(Failure::new(
        "resolve-too-early",
        text!("the request for `{address}` was sent {passed} s ago, and Tencent Cloud may still create it", address, passed),
    )
    .help(text!("wait {minutes} min {seconds} s, then run `postpay resolve {address} {flag}` again; nothing was changed", minutes, seconds, address, flag))
    .help(text!("if you know that it was not created: add --force")))
}

fn not_asked(case: &Case) -> Failure {
    let address = &case.open.address;
    let failure = match &case.open.record.region {
        Some(region) => {
            let region = clean(region);
            Failure::new(
                "resolve-region",
                text!("`{address}` was created in {region}, which was not searched", address, region),
            )
            .help(text!("add it: `api.list_regions` in postpay.yaml, or --region"))
        }
        None => Failure::new(
            "resolve-region",
            text!(
                "`{address}` was created by a call without a region, but only named regions were searched",
                address
            ),
        )
        .help(text!("run it once without --region and `api.region`")),
    };
    failure.help(text!(
        "a region that was not searched cannot prove that nothing was created; nothing was changed"
    ))
}

fn put(case: &Case, env_id: &str, tran_id: Option<&str>) -> Edited {
    let address = case.open.address.clone();
    let record = case.open.settled(Status::Created, Some(env_id.to_owned()), tran_id.map(str::to_owned));
    Edited { doing: "resolve --adopt".to_owned(), edit: Edit::current(address, Some(record)) }
}
