//! `postpay resolve`: settles orders with an unknown outcome, or without an environment id. Orders nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Exit;
use super::connect::{Connection, Embedded};
use super::edit;
use super::failure::Failure;
use super::given_up;
use super::load::Project;
use super::options::{Api, Format, Global, time};
use super::world::World;
use crate::apply::candidates::{Candidate, Proposal, propose};
use crate::apply::settle::{Found, Open, look};
use crate::cloud::tencent::{RETRY_READS_FOR, TencentClient};
use crate::cloud::{CloudError, CloudRead as _};
use crate::desired::Address;
use crate::report::{clean, human, json};
use crate::state::journal::{Edit, Edited, Journal, RunId, RunStarted};
use crate::state::{Record, State, StateError, StateStore, Status};

/// Settle orders whose outcome is unknown; reads the account, orders nothing
///
/// Shows what was sent, when and by whom, and every environment that could have come of it, with what speaks for and
/// against it. One that fits in everything is proposed. What is settled is written to the state and kept as a receipt.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay resolve                               show what is open, propose, ask
  postpay resolve --auto-approve                adopt what fits in everything, without a question
  postpay resolve shop-prod --adopt shop-prod-1a2b3c
  postpay resolve shop-prod --not-created       it was looked for, and it is not there: it may be ordered again

Exits with 0 when nothing is left open, else with 4.")]
pub(super) struct Args {
    /// The addresses to settle [default: all that are open]
    #[arg(value_name = "ADDR")]
    addresses: Vec<Address>,
    /// This environment is the one
    #[arg(long, value_name = "ENV_ID", conflicts_with = "not_created")]
    adopt: Option<String>,
    /// The order's number, where the bill does not tell it
    #[arg(long, value_name = "TRAN_ID", requires = "adopt")]
    tran_id: Option<String>,
    /// Adopt it although its alias is not the one that was ordered
    #[arg(long, requires = "adopt")]
    force: bool,
    /// Nothing was made: the next plan orders it again
    #[arg(long)]
    not_created: bool,
    /// Adopt what fits in everything without asking
    #[arg(short = 'y', long, visible_alias = "yes")]
    auto_approve: bool,
    /// How long to wait for another writer of this state
    #[arg(long, value_name = "TIME", default_value = "0s", env = "POSTPAY_LOCK_TIMEOUT", value_parser = time)]
    lock_timeout: Duration,
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    embedded: Embedded,
}

/// An open order, with what its run and the account say of it.
pub(super) struct Case {
    pub open: Open,
    pub status: Status,
    sent_by: Option<String>,
    candidates: Vec<Candidate>,
}

pub(super) fn run(args: &Args, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let project = Project::load(global, &args.api)?;
    let store = world.store(&project.state);
    let mut writer = store.lock(&world.holder("resolve"), args.lock_timeout)?;
    let Some(state) = writer.state().cloned() else {
        world.print("No state: nothing was ordered yet.\n")?;
        return Ok(Exit::Fine);
    };
    if state
        .account
        .as_ref()
        .is_some_and(|account| account.endpoint != project.account().endpoint)
    {
        return Err(Failure::new(
            "state-endpoint",
            "the state was made with another endpoint than the one that is asked for",
        )
        .help("name it with --endpoint; nothing was changed"));
    }
    let given_up = given_up::open(&state, &args.addresses);
    let open = wanted(&state, &args.addresses, !given_up.is_empty())?;
    if (args.adopt.is_some() || args.not_created) && open.len() != 1 {
        return Err(Failure::new(
            "resolve-one",
            format!(
                "--adopt and --not-created settle one address; {} are open",
                open.len()
            ),
        )
        .help("name the address: `postpay resolve ADDR --adopt ENV_ID`"));
    }
    if open.is_empty() && given_up.is_empty() {
        show(&[], world)?;
        world.say("Nothing to settle.\n");
        return Ok(Exit::Fine);
    }
    let connection = Connection::choose(&project, &args.embedded, RETRY_READS_FOR, world)?;
    let (cases, seen) = super::runtime()?.block_on(async {
        let (client, _sandbox) = connection.open().await?;
        let seen = if given_up.is_empty() {
            Vec::new()
        } else {
            client
                .environments()
                .await
                .map_err(|error| unreadable(&error))?
        };
        let cases = examine(&store, &state, open, &client, world).await?;
        Ok::<_, Failure>((cases, seen))
    })?;
    show(&cases, world)?;
    let mut edits = decide(args, &state, &cases, world)?;
    edits.extend(given_up::settle(&given_up, &seen, args.auto_approve, world));
    let settled = edits.len();
    if settled > 0 {
        let run = RunStarted {
            commit: world.commit(&project.sources()),
            ..edit::started(&state, "resolve", world)?
        };
        edit::write(&mut *writer, run, edits, world)?;
    }
    let left = writer.state().map_or(0, |state| {
        is_open(state).count() + given_up::open(state, &[]).len()
    });
    world.say(&format!(
        "{settled} settled, {left} left open. Nothing was ordered.\n"
    ));
    Ok(if left == 0 { Exit::Fine } else { Exit::Unknown })
}

pub(super) fn is_open(state: &State) -> impl Iterator<Item = (&Address, &Record)> {
    state
        .environments
        .iter()
        .filter(|(_, record)| match record.status {
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
        let why = if state.environments.contains_key(address) {
            "is settled already"
        } else {
            "is not in the state"
        };
        return Err(
            Failure::new("resolve-address", format!("`{address}` {why}"))
                .help("`postpay show` lists what is open; nothing was changed"),
        );
    }
    Ok(is_open(state)
        .filter(|(address, _)| addresses.is_empty() || addresses.contains(address))
        .collect())
}

/// Reads what the runs left and what the account shows.
pub(super) async fn examine(
    store: &impl StateStore,
    state: &State,
    open: Vec<(&Address, &Record)>,
    client: &TencentClient,
    world: &World,
) -> Result<Vec<Case>, Failure> {
    let recorded = state.env_ids();
    let managed: BTreeSet<String> = recorded.map(|(_, env_id)| env_id.to_owned()).collect();
    let mut cases = Vec::new();
    for (address, record) in open {
        let journal = journal_of(store, record.run)?;
        // An id that its own answer had is not another order's.
        let mut managed = managed.clone();
        record.env_id.iter().for_each(|id| {
            managed.remove(id);
        });
        cases.push(case(address, record, journal, &managed, client, world).await?);
    }
    Ok(cases)
}

async fn case(
    address: &Address,
    record: &Record,
    journal: Option<Journal>,
    managed: &BTreeSet<String>,
    client: &TencentClient,
    world: &World,
) -> Result<Case, Failure> {
    let open = Open::of(address, record);
    let before = journal.as_ref().and_then(Journal::listed);
    let asked = std::slice::from_ref(&open);
    let found = look(client, asked, |_| before, managed, world.now())
        .await
        .map_err(|error| unreadable(&error))?;
    let candidates = found
        .into_iter()
        .flat_map(|Found { candidates, .. }| candidates)
        .collect();
    Ok(Case {
        open,
        status: record.status,
        sent_by: journal.map(|journal| journal.started.who),
        candidates,
    })
}

fn unreadable(error: &CloudError) -> Failure {
    Failure::new(
        "listing",
        format!("the account can't be read: {}", error.message),
    )
    .help("nothing was changed")
}

fn journal_of(store: &impl StateStore, run: RunId) -> Result<Option<Journal>, StateError> {
    let receipts = store.receipts()?;
    receipts
        .iter()
        .find(|receipt| receipt.run == run)
        .map(|receipt| store.receipt(receipt))
        .transpose()
}

fn show(cases: &[Case], world: &mut World) -> Result<(), Failure> {
    let human = |look| {
        let blocks = cases.iter().map(|case| {
            human::resolve::open(&case.open, case.sent_by.as_deref(), &case.candidates, look)
        });
        blocks.collect::<Vec<_>>().join("\n")
    };
    let document = || {
        let cases = cases.iter();
        json::resolve::document(cases.map(|case| {
            let Case {
                open,
                sent_by,
                candidates,
                status: _,
            } = case;
            (open, sent_by.as_deref(), candidates.as_slice())
        }))
    };
    match world.format {
        Format::Human => world.print(&human(world.out))?,
        Format::Json => world.print(&document())?,
    }
    world.report(document, human)
}

/// What is to be written, by what was said on the command line, or by what fits and was agreed to.
fn decide(
    args: &Args,
    state: &State,
    cases: &[Case],
    world: &World,
) -> Result<Vec<Edited>, Failure> {
    if let [case] = cases {
        if let Some(env_id) = &args.adopt {
            return Ok(vec![adopt_named(
                case,
                env_id,
                args.tran_id.as_deref(),
                args.force,
                state,
            )?]);
        }
        if args.not_created {
            return Ok(vec![forget(case, state)?]);
        }
    }
    let mut edits = Vec::new();
    for case in cases {
        let proposed = proposed(case, cases);
        match proposed {
            Some(candidate) if args.auto_approve || agreed(case, candidate, world) => {
                edits.push(adopt(case, candidate));
            }
            Some(_) | None => {
                let fits = proposed.map(|candidate| candidate.environment.env_id.as_str());
                world.tell(&human::resolve::next(&case.open.address, fits));
            }
        }
    }
    Ok(edits)
}

/// The environment that fits one of the open orders in everything, and fits no other.
pub(super) fn proposed<'a>(case: &'a Case, cases: &[Case]) -> Option<&'a Candidate> {
    match propose(&case.candidates) {
        Proposal::Adopt(candidate) if claims(cases, candidate) == 1 => Some(candidate),
        Proposal::Adopt(_) | Proposal::Ask | Proposal::Nothing => None,
    }
}

pub(super) fn adopt(case: &Case, candidate: &Candidate) -> Edited {
    let tran_id = candidate.tran_id().or(case.open.tran_id.as_deref());
    put(case, &candidate.environment.env_id, tran_id)
}

/// How many of the open orders an environment would fit.
fn claims(cases: &[Case], wanted: &Candidate) -> usize {
    let fitting = cases
        .iter()
        .flat_map(|case| &case.candidates)
        .filter(|candidate| candidate.fits());
    fitting
        .filter(|candidate| candidate.environment.env_id == wanted.environment.env_id)
        .count()
}

fn agreed(case: &Case, candidate: &Candidate, world: &World) -> bool {
    if !world.can_ask() {
        return false;
    }
    let env_id = clean(&candidate.environment.env_id);
    world.ask(&format!(
        "\nAdopt {env_id} as `{}`? Only `yes` is a yes: ",
        case.open.address
    ))
}

pub(super) fn adopt_named(
    case: &Case,
    env_id: &str,
    tran_id: Option<&str>,
    force: bool,
    state: &State,
) -> Result<Edited, Failure> {
    let taken = state.environments.iter().find(|(address, record)| {
        record.env_id.as_deref() == Some(env_id) && **address != case.open.address
    });
    if let Some((address, _)) = taken {
        return Err(Failure::new(
            "resolve-taken",
            format!("{} is on record as `{address}`", clean(env_id)),
        )
        .help("an environment has one address; nothing was changed"));
    }
    let Some(candidate) = case
        .candidates
        .iter()
        .find(|candidate| candidate.environment.env_id == env_id)
    else {
        return Err(Failure::new(
            "resolve-not-there",
            format!("the account shows no environment {} that could be `{}`", clean(env_id), case.open.address),
        )
        .help("it has to be in the account, and to have come to be since the run began; nothing was changed"));
    };
    if !force && candidate.contradicts_the_alias() {
        let found = candidate.environment.alias.as_deref().unwrap_or("none");
        return Err(Failure::new(
            "resolve-other-alias",
            format!(
                "{} has the alias {}, and `{}` was ordered with another",
                clean(env_id),
                clean(found),
                case.open.address
            ),
        )
        .help("adopting the wrong one leaves the right one unmanaged, and orders another again; nothing was changed")
        .help("if its alias was changed at the vendor since: add --force"));
    }
    let known = candidate.tran_id().or(case.open.tran_id.as_deref());
    if let (Some(said), Some(known)) = (tran_id, known)
        && said != known
    {
        return Err(Failure::new(
            "resolve-other-number",
            format!("the order number is {}, not {}", clean(known), clean(said)),
        )
        .help("leave --tran-id out: it is for bills that tell no number; nothing was changed"));
    }
    Ok(put(case, env_id, known.or(tran_id)))
}

pub(super) fn forget(case: &Case, state: &State) -> Result<Edited, Failure> {
    let address = &case.open.address;
    if case.status == Status::AwaitingEnvId || case.open.tran_id.is_some() {
        return Err(Failure::new(
            "resolve-ordered",
            format!("the vendor answered with an order number for `{address}`"),
        )
        .help("an order was made: look for its environment, and adopt it; nothing was changed"));
    }
    if let Some(candidate) = case
        .candidates
        .iter()
        .find(|candidate| candidate.fits() || candidate.looks_alike())
    {
        let env_id = clean(&candidate.environment.env_id);
        return Err(Failure::new(
            "resolve-created",
            format!("{env_id} looks like `{address}`"),
        )
        .help(format!(
            "if it is the one: `postpay resolve {address} --adopt {env_id}`"
        ))
        .help("if it is not, give it another alias at the vendor first; nothing was changed"));
    }
    // What this order would have replaced has its address back.
    let kept = state
        .deposed_at(address)
        .find(|deposed| deposed.by == case.open.run);
    let edit = match kept {
        Some(kept) => Edit::Put {
            address: address.clone(),
            record: Box::new(kept.record.clone()),
        },
        None => Edit::Forget {
            address: address.clone(),
        },
    };
    Ok(Edited {
        doing: "resolve --not-created".to_owned(),
        edit,
    })
}

fn put(case: &Case, env_id: &str, tran_id: Option<&str>) -> Edited {
    let address = case.open.address.clone();
    let record = case.open.record(
        Status::Created,
        Some(env_id.to_owned()),
        tran_id.map(str::to_owned),
    );
    Edited {
        doing: "resolve --adopt".to_owned(),
        edit: Edit::Put {
            address,
            record: Box::new(record),
        },
    }
}
