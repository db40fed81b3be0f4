//! `postpay resolve`: settles orders with an unknown outcome, or without an environment id. Orders nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::connect::{Connection, Embedded};
use super::failure::Failure;
use super::load::Project;
use super::options::{Api, Global, id, time};
use super::shown::Shown;
use super::world::World;
use super::{Exit, account, edit, given_up};
use crate::apply::PendingOrder;
use crate::apply::candidates::{Candidate, Proposal, propose};
use crate::apply::settle::{Found, look};
use crate::cloud::tencent::{RETRY_READS_FOR, TencentClient};
use crate::cloud::{CloudError, CloudRead as _};
use crate::lang::{Text, text};
use crate::model::{Address, InstanceKey};
use crate::plan::guard;
use crate::report::{clean, human, json};
use crate::state::journal::{Edit, Edited, Journal, RunId, RunStarted};
use crate::state::{Record, State, StateError, StateStore, Status, Writer};

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
  postpay resolve shop-prod --not-created       it was looked for, and it is not there: it may be created again

`--not-created` needs the request to be 10 minutes old, because Tencent Cloud may still act on it, or --force.
Exits with 0 when nothing is left open, else with 4.")]
pub(super) struct Args {
    /// The addresses to settle [default: all that are open]
    #[arg(value_name = "ADDR")]
    addresses: Vec<Address>,
    /// This environment is the one
    #[arg(long, value_name = "ENV_ID", value_parser = id, group = "answer")]
    adopt: Option<String>,
    /// The order's number, where the bill does not tell it
    #[arg(long, value_name = "TRAN_ID", value_parser = id, requires = "adopt")]
    tran_id: Option<String>,
    /// Adopt it although its alias is another one, or take it as not created although the request is not 10 minutes old
    #[arg(long, requires = "answer")]
    force: bool,
    /// Nothing was created: the next plan creates it again
    #[arg(long, group = "answer")]
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
    pub open: PendingOrder,
    pub status: Status,
    sent_by: Option<String>,
    /// The regions that were asked for it, None for a call that names none.
    asked: Vec<Option<String>>,
    candidates: Vec<Candidate>,
}

pub(super) fn run(args: &Args, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let project = Project::load(global, &args.api)?;
    project.guard_reports(global, world)?;
    let store = world.store(&project.state);
    let mut writer = world.locked(&store, args.lock_timeout, || {
        Writer::open(&store, &world.holder("resolve"), args.lock_timeout)
    })?;
    let Some(state) = writer.state().cloned() else {
        let none = text!("No state: nothing was ordered yet.\n", "没有状态文件：尚未订购任何环境。\n");
        world.print(&world.out.say(&none))?;
        return Ok(Exit::Fine);
    };
    if let Some(blocker) = guard::wrong_endpoint(Some(&state), &project.account()) {
        return Err(Failure::from(vec![blocker]));
    }
    let given_up = given_up::open(&state, &args.addresses);
    let open = wanted(&state, &args.addresses, !given_up.is_empty())?;
    if (args.adopt.is_some() || args.not_created) && open.len() != 1 {
        let n = open.len();
        return Err(Failure::new(
            "resolve-one",
            text!(
                "--adopt and --not-created settle one address; {n} are open",
                "--adopt 和 --not-created 一次只处理一个地址；现有 {n} 个待处理"
            ),
        )
        .help(text!(
            "name the address: `postpay resolve ADDR --adopt ENV_ID`",
            "请指定地址：`postpay resolve ADDR --adopt ENV_ID`"
        )));
    }
    if open.is_empty() && given_up.is_empty() {
        show(&[], world)?;
        world.tell(&text!("Nothing to settle.\n", "没有待处理的内容。\n"));
        return Ok(Exit::Fine);
    }
    let connection = Connection::with_key(&project, &args.embedded, RETRY_READS_FOR, world)?;
    let (cases, seen) = super::runtime()?.block_on(async {
        account::expected(&connection, &project, Some(&state), world).await?;
        let (client, _sandbox) = connection.open(Some(&state)).await?;
        let seen = if given_up.is_empty() {
            Vec::new()
        } else {
            client.environments().await.map_err(|error| unreadable(&error))?
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
            format_version: crate::state::FormatVersion,
            commit: world.commit(&project.sources()),
            ..edit::started(&state, "resolve", world)?
        };
        edit::write(&mut writer, run, edits, world)?;
    }
    let left = writer.state().map_or(0, |state| is_open(state).count() + given_up::open(state, &[]).len());
    world.tell(&text!(
        "{settled} settled, {left} left open. Nothing was ordered.\n",
        "已处理 {settled} 个，仍待处理 {left} 个。未订购任何环境。\n"
    ));
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
            text!("`{address}` is settled already", "`{address}` 早已处理完毕")
        } else {
            text!("`{address}` is not in the state", "`{address}` 不在状态文件中")
        };
        return Err(Failure::new("resolve-address", why).help(text!(
            "`postpay show` lists what is open; nothing was changed",
            "`postpay show` 列出待处理的地址；未更改任何内容"
        )));
    }
    Ok(is_open(state).filter(|(address, _)| addresses.is_empty() || addresses.contains(address)).collect())
}

/// Reads what the runs left and what the account shows.
pub(super) async fn examine(
    store: &impl StateStore,
    state: &State,
    open: Vec<(&Address, &Record)>,
    client: &TencentClient,
    world: &World,
) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for (address, record) in open {
        let journal = journal_of(store, record.run)?;
        // An id that its own answer had is not another order's, unless that one has it too.
        let others = state.records();
        let managed: BTreeSet<String> = others
            .filter(|(_, other)| !std::ptr::eq(*other, record))
            .filter_map(|(_, other)| other.env_id.clone())
            .collect();
        cases.push(case(address, record, journal, &managed, state, client, world).await?);
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
    world: &World,
) -> Result<Case, Failure> {
    let open = PendingOrder { at: None, address: address.clone(), record: record.clone() };
    let before = journal.as_ref().and_then(Journal::listed);
    let asked = std::slice::from_ref(&open);
    let found = look(client, asked, |_| before, managed, Some(state), world.now())
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
    Failure::new("listing", text!("the account can't be read: {message}", "无法读取账号：{message:#}"))
        .help(text!("nothing was changed", "未更改任何内容"))
}

fn journal_of(store: &impl StateStore, run: RunId) -> Result<Option<Journal>, StateError> {
    let receipts = store.receipts()?;
    receipts.iter().find(|receipt| receipt.run == run).map(|receipt| store.receipt(receipt)).transpose()
}

fn show(cases: &[Case], world: &mut World) -> Result<(), Failure> {
    let human = |look| {
        let blocks = cases.iter().map(|case| {
            let sent_by = case.sent_by.as_deref();
            human::resolve::open(&case.open, sent_by, &case.asked, &case.candidates, look)
        });
        blocks.collect::<Vec<_>>().join("\n")
    };
    let document = || {
        let cases = cases.iter();
        json::resolve::document(cases.map(|case| {
            let Case { open, sent_by, asked, candidates, status: _ } = case;
            json::resolve::Shown { open, sent_by: sent_by.as_deref(), asked, candidates }
        }))
    };
    let shown = Shown::plain(&document, &human);
    world.print_as_asked(shown)?;
    world.report(shown)
}

/// What is to be written, by what was said on the command line, or by what fits and was agreed to.
fn decide(args: &Args, state: &State, cases: &[Case], world: &World) -> Result<Vec<Edited>, Failure> {
    if let [case] = cases {
        if let Some(env_id) = &args.adopt {
            return Ok(vec![adopt_named(case, env_id, args.tran_id.as_deref(), args.force, state)?]);
        }
        if args.not_created {
            let edited = forget(case, state)?;
            if !args.force {
                is_old_enough(case, world.now())?;
            }
            return Ok(vec![edited]);
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
    let tran_id = candidate.tran_id().or(case.open.record.tran_id.as_deref());
    put(case, &candidate.environment.env_id, tran_id)
}

/// How many of the open orders an environment would fit.
fn claims(cases: &[Case], wanted: &Candidate) -> usize {
    let fitting = cases.iter().flat_map(|case| &case.candidates).filter(|candidate| candidate.fits());
    fitting.filter(|candidate| candidate.environment.env_id == wanted.environment.env_id).count()
}

fn agreed(case: &Case, candidate: &Candidate, world: &World) -> bool {
    if !world.can_ask() {
        return false;
    }
    let env_id = clean(&candidate.environment.env_id);
    let address = &case.open.address;
    world.ask(&world.err.say(text!(
        "\nAdopt {env_id} as `{address}`? Only `yes` is a yes: ",
        "\n将 {env_id} 纳管为 `{address}`？只有输入 `yes` 才算同意："
    )))
}

pub(super) fn adopt_named(
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
            text!("{env_id} is on record as `{address}`", "{env_id} 已记录在 `{address}`"),
        )
        .help(text!(
            "an environment has one address; nothing was changed",
            "一个环境只有一个地址；未更改任何内容"
        )));
    }
    let Some(candidate) = case.candidates.iter().find(|candidate| candidate.environment.env_id == env_id)
    else {
        let (env_id, address) = (clean(env_id), &case.open.address);
        return Err(Failure::new(
            "resolve-not-there",
            text!(
                "the account shows no environment {env_id} that could be `{address}`",
                "账号中没有列出可能是 `{address}` 的环境 {env_id}"
            ),
        )
        .help(text!(
            "it has to be in the account, and to have come to be since the run began; nothing was changed",
            "它必须在该账号中，并且是在那次运行开始之后创建的；未更改任何内容"
        )));
    };
    if !force && candidate.contradicts_the_alias() {
        let found = match &candidate.environment.alias {
            Some(alias) => Text::same(clean(alias).into_owned()),
            None => text!("none", "（无）"),
        };
        let (env_id, address) = (clean(env_id), &case.open.address);
        return Err(Failure::new(
            "resolve-other-alias",
            text!(
                "{env_id} has the alias {found}, and `{address}` was ordered with another",
                "{env_id} 的别名是 {found:#}，而订购 `{address}` 时用的是另一个"
            ),
        )
        .help(text!(
            "adopting the wrong one leaves the right one unmanaged, and orders another again; nothing was changed",
            "纳管错了环境，正确的那个就无人管理，并且会再订购一个；未更改任何内容"
        ))
        .help(text!(
            "if its alias was changed at the vendor since: add --force",
            "如果它的别名此后在腾讯云被改过：加上 --force"
        )));
    }
    let known = candidate.tran_id().or(case.open.record.tran_id.as_deref());
    if let (Some(said), Some(known)) = (tran_id, known)
        && said != known
    {
        let (known, said) = (clean(known), clean(said));
        return Err(Failure::new(
            "resolve-other-number",
            text!("the order number is {known}, not {said}", "订单号是 {known}，不是 {said}"),
        )
        .help(text!(
            "leave --tran-id out: it is for bills that tell no number; nothing was changed",
            "请去掉 --tran-id：它用于账单没有写明订单号的情况；未更改任何内容"
        )));
    }
    Ok(put(case, env_id, known.or(tran_id)))
}

pub(super) fn forget(case: &Case, state: &State) -> Result<Edited, Failure> {
    let address = &case.open.address;
    let number = &case.open.record.tran_id;
    let mut others = state.records().filter(|(at, _)| *at != address);
    // A number that another order has does not say that this one was made.
    let is_its_own = number.is_some() && others.all(|(_, other)| other.tran_id != *number);
    if case.status == Status::AwaitingEnvId || is_its_own {
        return Err(Failure::new(
            "resolve-ordered",
            text!(
                "the vendor answered with an order number for `{address}`",
                "腾讯云已为 `{address}` 返回了订单号"
            ),
        )
        .help(text!(
            "an order was made: look for its environment, and adopt it; nothing was changed",
            "订单已经生成：请找到它的环境并纳管；未更改任何内容"
        )));
    }
    // What was not asked can't say that nothing is there.
    if !case.asked.contains(&case.open.record.region) {
        return Err(not_asked(case));
    }
    if let Some(candidate) =
        case.candidates.iter().find(|candidate| candidate.fits() || candidate.looks_alike())
    {
        let env_id = clean(&candidate.environment.env_id);
        return Err(Failure::new(
            "resolve-created",
            text!("{env_id} looks like `{address}`", "{env_id} 看起来就是 `{address}`"),
        )
        .help(text!(
            "if it is the one: `postpay resolve {address} --adopt {env_id}`",
            "如果就是它：`postpay resolve {address} --adopt {env_id}`"
        ))
        .help(text!(
            "if it is not, give it another alias at the vendor first; nothing was changed",
            "如果不是，请先在腾讯云给它换一个别名；未更改任何内容"
        )));
    }
    // What this order would have replaced has its address back.
    let kept =
        state.deposed_at(address).find(|(_, record)| record.deposed_at == Some(case.open.record.ordered_at));
    let edit = Edit::current(address.clone(), kept.map(|(_, record)| record.clone()));
    Ok(Edited { doing: "resolve --not-created".to_owned(), edit })
}

/// How old an outcome must be before its environment counts as not created. Tencent Cloud may act on a request, and list what it
/// made, after its answer was lost.
const LATE: SignedDuration = SignedDuration::from_mins(10);

/// Rejects an outcome that is too young. A time in the future counts as now.
fn is_old_enough(case: &Case, now: Timestamp) -> Result<(), Failure> {
    let address = &case.open.address;
    let age = now.duration_since(case.open.record.ordered_at);
    let age = age.max(SignedDuration::ZERO);
    if age >= LATE {
        return Ok(());
    }
    let passed = age.as_secs();
    let left = LATE.as_secs() - passed;
    let (minutes, seconds) = (left / 60, left % 60);
    Err(Failure::new(
        "resolve-too-early",
        text!(
            "the request for `{address}` was sent {passed} s ago, and Tencent Cloud may still create it",
            "`{address}` 的请求在 {passed} 秒前发出，腾讯云仍可能创建它"
        ),
    )
    .help(text!(
        "wait {minutes} min {seconds} s, then run `postpay resolve {address} --not-created` again; nothing was changed",
        "请等待 {minutes} 分 {seconds} 秒，然后再次执行 `postpay resolve {address} --not-created`；未更改任何内容"
    ))
    .help(text!(
        "if you know that it was not created: add --force",
        "如果确知没有创建：加上 --force"
    )))
}

fn not_asked(case: &Case) -> Failure {
    let address = &case.open.address;
    let failure = match &case.open.record.region {
        Some(region) => {
            let region = clean(region);
            Failure::new(
                "resolve-region",
                text!(
                    "`{address}` was ordered in {region}, which was not asked",
                    "`{address}` 是在地域 {region} 订购的，而没有查询该地域"
                ),
            )
            .help(text!(
                "name it: `api.list_regions` in postpay.yaml, or --region",
                "请指定该地域：postpay.yaml 的 `api.list_regions`，或 --region"
            ))
        }
        None => Failure::new(
            "resolve-region",
            text!(
                "`{address}` was ordered by a call that named no region, and only calls that name one were made now",
                "订购 `{address}` 的请求没有指定地域，而这次查询都指定了地域"
            ),
        )
        .help(text!(
            "leave --region and `api.region` out for this once",
            "这一次请不要使用 --region 和 `api.region`"
        )),
    };
    failure.help(text!(
        "what was not looked at can't show that nothing was made; nothing was changed",
        "没有查询过的地域不能证明什么都没有创建；未更改任何内容"
    ))
}

fn put(case: &Case, env_id: &str, tran_id: Option<&str>) -> Edited {
    let address = case.open.address.clone();
    let record = case.open.settled(Status::Created, Some(env_id.to_owned()), tran_id.map(str::to_owned));
    Edited { doing: "resolve --adopt".to_owned(), edit: Edit::current(address, Some(record)) }
}
