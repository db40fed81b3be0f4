//! `postpay plan`: what would be ordered. It is never given anything that could order.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;

use super::account::Proven;
use super::connect::Embedded;
use super::failure::Failure;
use super::load::Project;
use super::options::{Api, Changes, Format, Global, Select};
use super::shown::Shown;
use super::world::{World, cant_write};
use super::{Exit, drift, live};
use crate::cloud::tencent::REQUEST_CLIENT;
use crate::cloud::tencent::wire::{self, CREATE, DESTROY, DestroyEnv, MODIFY, ModifyEnv, VERSION};
use crate::config::Endpoint;
use crate::diagnostic::Diagnostic;
use crate::drift::noticed;
use crate::files::{self, Links, Refusal, Unnamed};
use crate::lang::{Lang, shell_word, text};
use crate::model::{Address, Desired, SourceRef};
use crate::plan::{Action, Guards, Options, Plan, Step, file, guard};
use crate::report::page::Request;
use crate::report::{clean, human, page};
use crate::state::State;

/// Show what would be ordered; changes nothing, and is offline without --refresh
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(after_help = "\
Examples:
  postpay plan                            compare the manifests with the state
  postpay plan -o plan.json               keep it for review; then: postpay apply plan.json
  postpay plan --detailed-exitcode        in CI: exit 2 when there is something to do
  postpay plan --refresh                  and what the account shows otherwise than it is on record
  postpay plan --target shop-prod         only this address
  postpay plan --show-calls               with the exact requests")]
pub(super) struct Args {
    /// Keep the plan in FILE, for `postpay apply FILE`
    #[arg(short, long, value_name = "FILE", env = "POSTPAY_OUT")]
    out: Option<PathBuf>,
    /// Read the account as well, and show above the plan what it has otherwise than it is on record; the plan stays the same; needs
    /// credentials
    #[arg(long, env = "POSTPAY_REFRESH", value_parser = BoolishValueParser::new())]
    refresh: bool,
    /// Exit with 2 when there are changes. What --refresh shows is none: that is for the exit code of `postpay drift`
    #[arg(long)]
    detailed_exitcode: bool,
    /// Say in JSON, Markdown and HTML which commit last touched the line that declares each change
    #[arg(long)]
    blame: bool,
    /// Show the exact requests, secrets left out
    #[arg(long)]
    show_calls: bool,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    embedded: Embedded,
}

pub(super) fn run(args: &Args, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let project = Project::load(global, &args.api)?;
    project.guard_reports(global, world)?;
    let mut out = None;
    if let Some(path) = &args.out {
        project.not_the_states(path, world)?;
        out = Some(project.keeps_in(path)?);
        world.reports.spare(path)?;
    }
    let state = project.recorded(world)?;
    let desired = project.desired_creates(state.as_ref(), world)?;
    let mut plan =
        project.plan(&desired, state.as_ref(), project.options(&args.select, &args.changes), world)?;
    if args.refresh {
        let live::Seen { live, account } = live::read(&project, &args.embedded, state.as_ref(), world)?;
        // Whoever reviews the plan saw this account, and it is carried out in no other.
        if let Some(Proven::Account(caller)) = account {
            plan.account.uin = Some(caller.account);
        }
        let known = drift::known(&project, world);
        plan.drift = Some(noticed(&plan, &desired, state.as_ref(), &live, &known));
    }
    // Whoever reads the plan on a terminal has the repository before them; it is not looked at for them.
    let kept = args.out.is_some() || !world.reports.files.is_empty() || world.format != Format::Human;
    if (kept || args.blame)
        && let Some(git) = world.git(&project.sources())
    {
        let mut facts = git.facts();
        if args.blame {
            facts.touched = git.blame(declared(&desired, &plan));
        }
        plan.git = Some(facts);
    }
    // Whoever reviewed the plan relies on them, whatever the settings say when it is carried out.
    plan.guards = Guards {
        limits: project.limits(None, None),
        allowed_accounts: project.config.guard.allowed_accounts.clone(),
    };
    // Told to whoever reviews the plan, rather than only to whoever applies it.
    let foreign = guard::wrong_endpoint(state.as_ref(), &plan.account);
    let over = guard::over_limits(&plan, project.limits(None, None), 0);
    for blocker in foreign.into_iter().chain(over) {
        let (code, message, help) = blocker.explain();
        world.diagnose(&[Diagnostic::warning(code, message).help(help)]);
    }
    world.diagnose(not_allowed(&plan, &project).as_slice());
    if let Some(path) = &out {
        write(path, &plan)?;
    }
    let requests = if args.show_calls { requests(&plan, state.as_ref(), &project) } else { Vec::new() };
    show(&plan, project.rate, &requests, world)?;
    if let Some(path) = &args.out {
        let shown = path.display().to_string();
        let shown = clean(&shown);
        let allow = if plan.destroys().next().is_some() { " --allow-destroy" } else { "" };
        let typed = shell_word(&shown);
        world.tell(&text!(
            "Kept in {shown}. To carry out exactly this: postpay apply {typed}{allow}\n",
            "已保存到 {shown}。要完全照此执行：postpay apply {typed}{allow}\n"
        ));
    }
    Ok(exit(&plan, args.detailed_exitcode))
}

/// That no run of the plan would be let through, because of whose it is.
fn not_allowed(plan: &Plan, project: &Project) -> Option<Diagnostic> {
    let allowed = &project.config.guard.allowed_accounts;
    let uin = plan.account.uin.as_ref()?;
    if allowed.is_empty() || allowed.contains(uin) {
        return None;
    }
    let uin = clean(uin);
    let warning = Diagnostic::warning(
        "account-not-allowed",
        text!(
            "the plan is for account {uin}, which guard.allowed_accounts does not list",
            "计划是为账号 {uin} 生成的，它不在 guard.allowed_accounts 中"
        ),
    );
    Some(warning.help(text!(
        "list it too, or keep what is in another account in a state of its own with --state",
        "将它也加入列表，或用 --state 将其他账号的环境记录在单独的状态文件中"
    )))
}

/// Where each change is declared, if it still is.
fn declared<'a>(desired: &'a Desired, plan: &'a Plan) -> impl Iterator<Item = (&'a Address, &'a SourceRef)> {
    let changes = plan.steps.iter().filter(|step| step.action != Action::NoOp && !step.deposed);
    let changing: HashSet<&Address> = changes.map(|step| &step.address).collect();
    desired
        .environments
        .iter()
        .map(|environment| (&environment.address, &environment.source))
        .filter(move |(address, _)| changing.contains(address))
}

/// The plan in the format that was asked for, and in every report.
pub(super) fn show(plan: &Plan, rate: f64, requests: &[Request], world: &mut World) -> Result<(), Failure> {
    let told = world.told();
    let json = || file::encode(plan);
    let human = |look: human::Look| human::plan::plan(plan, rate, look) + &listed(requests, look.lang);
    let page = |lang| page::plan(plan, rate, &told, requests.to_vec(), lang);
    let shown = Shown::new(&json, &human, &page);
    let printed = world.print_as_asked(shown);
    if world.format == Format::Json {
        // A plan file has no place for them.
        world.say(&listed(requests, world.err.lang));
    }
    let written = world.report(shown);
    Failure::of_all([printed, written].into_iter().filter_map(Result::err))
}

pub(super) fn exit(plan: &Plan, detailed: bool) -> Exit {
    if detailed && plan.has_changes() { Exit::Changes } else { Exit::Fine }
}

/// Replaces the file whole, so that a plan is there or is not.
fn write(path: &std::path::Path, plan: &Plan) -> Result<(), Failure> {
    use std::io::Write as _;
    // A manifest, a configuration or somebody's work is not replaced by a plan; an older plan is.
    let is_other = match files::read(path, Links::Followed, file::MAX_BYTES) {
        Ok(bytes) => !bytes.is_empty() && file::decode(&String::from_utf8_lossy(&bytes)).is_err(),
        // No plan is a device or a pipe. What can't be read for another reason can't be written either, which says why.
        Err(error) => Refusal::of(&error).is_some(),
    };
    if is_other {
        return Err(Failure::new("plan-out", {
            let path = path.display().to_string();
            let path = clean(&path);
            text!("{path} is there, and is no plan", "{path} 已存在，且不是计划文件")
        })
        .help(text!("name another file; nothing was written", "请指定另一个文件；未写入任何内容")));
    }
    let write = || {
        let mut unnamed = Unnamed::make(path, ".postpay-plan-", files::PRIVATE)?;
        let file = unnamed.file()?;
        file.write_all(file::encode(plan).as_bytes())?;
        file.sync_all()?;
        unnamed.replace()
    };
    write().map_err(|error| cant_write(path, &error))
}

/// The requests that carrying the plan out would make. The signature is left out: it is made when a request is sent.
fn requests(plan: &Plan, state: Option<&State>, project: &Project) -> Vec<Request> {
    let records = state.into_iter().flat_map(State::records);
    let regions: HashMap<Option<&str>, Option<&str>> =
        records.map(|(_, record)| (record.env_id.as_deref(), record.region.as_deref())).collect();
    let mut requests = Vec::new();
    for step in plan.changes() {
        let Some((action, body)) = call(step, plan) else {
            continue;
        };
        // What is there is spoken to where it is.
        let there = regions.get(&step.ids.env_id.as_deref()).copied().flatten();
        let region = there.filter(|_| !step.is_order()).or(project.region.as_deref());
        let mut text = String::new();
        let _ = match &project.endpoint {
            // It is started with the run, on a port that is free then.
            Endpoint::Sandbox => writeln!(text, "POST / (sandbox)"),
            Endpoint::Url(url) => writeln!(text, "POST {url}/"),
        };
        let _ = writeln!(text, "Content-Type: application/json");
        let _ = writeln!(text, "X-TC-Action: {action}");
        let _ = writeln!(text, "X-TC-Version: {VERSION}");
        let _ = writeln!(text, "X-TC-RequestClient: {REQUEST_CLIENT}");
        if let Some(region) = region {
            let _ = writeln!(text, "X-TC-Region: {}", clean(region));
        }
        let _ = writeln!(text, "X-TC-Language: {}", project.language.name());
        let _ = writeln!(text, "\n{}", String::from_utf8_lossy(&body));
        requests.push(Request { name: step.address.to_string(), text });
    }
    requests
}

/// For people; nothing when they were not asked for, or there are none.
fn listed(requests: &[Request], lang: Lang) -> String {
    let mut text = String::new();
    if !requests.is_empty() {
        let head = text!("\nRequests, in sending order:\n", "\n请求，按发送顺序：\n");
        text.push_str(head.in_lang(lang));
    }
    for Request { name, text: request } in requests {
        let _ = writeln!(text, "\n# {name}");
        for line in request.lines() {
            let _ = writeln!(text, "{}", clean(line));
        }
    }
    text
}

/// What a step asks the vendor for, if it does.
fn call(step: &Step, plan: &Plan) -> Option<(&'static str, Vec<u8>)> {
    if step.is_order() {
        return Some((CREATE, wire::create_body(step.after.as_ref()?)));
    }
    let env_id = step.ids.env_id.as_deref()?;
    match step.action {
        Action::Update => {
            let alias = step.renames()?;
            Some((MODIFY, wire::request_body(&ModifyEnv::new(env_id, alias))))
        }
        Action::Destroy => {
            let Options { purge, bypass_check, .. } = plan.options;
            let destroy = DestroyEnv::new(env_id, purge, bypass_check);
            Some((DESTROY, wire::request_body(&destroy)))
        }
        Action::Create
        | Action::Replace
        | Action::Forget
        | Action::Import
        | Action::Move
        | Action::Resolve
        | Action::Wait
        | Action::NoOp => None,
    }
}
