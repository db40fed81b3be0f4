//! `postpay plan`: what `apply` would do. It has nothing that could create anything.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;

use super::account::Proven;
use super::connect::Embedded;
use super::error::{Exit, Failure, cannot_write};
use super::git::Git;
use super::options::{Api, Changes, Format, Global, Select};
use super::project::Project;
use super::ui::Ui;
use super::{drift, live};
use crate::cloud::tencent::REQUEST_CLIENT;
use crate::cloud::tencent::wire::{self, DESTROY, DestroyEnv, SERVICE, VERSION};
use crate::config::Endpoint;
use crate::diagnostic::Diagnostic;
use crate::drift::unplanned_findings;
use crate::files::{self, Links, Refusal, TempFile};
use crate::i18n::{shell_word, text};
use crate::model::kind::Api as Service;
use crate::model::{Address, Desired, Field, SourceRef, Value};
use crate::plan::{Action, Guards, Options, Plan, Step, file, guard};
use crate::report::plan::{Detail, PlanView, render_requests};
use crate::report::view::Request;
use crate::report::{clean, count};
use crate::state::State;

/// Show what apply would create, update, replace and destroy
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(after_help = "\
Examples:
  postpay plan -o plan.json             save it, for postpay apply plan.json
  postpay plan --detailed-exitcode      in CI: exit 2 when there are changes
  postpay plan --target shop-prod       only this address
  postpay plan --refresh --show-calls   with drift, and the exact requests")]
pub(super) struct Args {
    /// Save the plan to FILE, for `postpay apply FILE`
    #[arg(short, long, value_name = "FILE", env = "POSTPAY_OUT")]
    out: Option<PathBuf>,
    /// Also read the account and report drift
    ///
    /// Drift does not change the plan.
    #[arg(long, env = "POSTPAY_REFRESH", value_parser = BoolishValueParser::new())]
    refresh: bool,
    /// Exit with 2 when there are changes
    ///
    /// Drift that --refresh reports does not count.
    #[arg(long)]
    detailed_exitcode: bool,
    /// Add the last commit of each change to JSON, Markdown and HTML
    #[arg(long, hide_short_help = true)]
    blame: bool,
    /// Show the exact requests, without secrets
    #[arg(long)]
    show_calls: bool,
    /// Show every field on a line of its own
    #[arg(long)]
    verbose: bool,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    embedded: Embedded,
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load(global, &args.api)?;
    project.guard_reports(global, ui)?;
    let mut out = None;
    if let Some(path) = &args.out {
        project.check_not_state_file(path)?;
        out = Some(project.check_stays_in_project(path)?);
        ui.reports.check_unused(path)?;
    }
    let state = project.read_state(ui)?;
    let desired = project.desired_creates(state.as_ref(), ui)?;
    let mut plan = project.plan(&desired, state.as_ref(), project.options(&args.select, &args.changes))?;
    if args.refresh {
        let live::Seen { live, account, prices } =
            live::read(&project, &args.embedded, state.as_ref(), plan.cost.is_some(), ui)?;
        // The plan was reviewed against this account, and applies to no other.
        if let Some(Proven::Account(caller)) = account {
            plan.account.uin = Some(caller.account);
        }
        plan.set_prices(prices);
        let known = drift::known(&project, ui);
        plan.drift = Some(unplanned_findings(&plan, &desired, state.as_ref(), &live, &known));
    }
    // On a terminal the reader has the repository at hand.
    let is_saved = args.out.is_some() || !ui.reports.files.is_empty() || ui.format != Format::Human;
    if (is_saved || args.blame)
        && let Some(git) = Git::find(&project.sources())
    {
        let mut facts = git.facts();
        if args.blame {
            facts.touched = git.blame(declared(&desired, &plan));
        }
        plan.git = Some(facts);
    }
    // A saved plan keeps the guards that it was reviewed with.
    plan.guards = Guards {
        limits: project.limits(None, None),
        allowed_accounts: project.config.guard.allowed_accounts.clone(),
    };
    let is_blocked = plan.blocked().next().is_some();
    if let Some(path) = out.as_ref().filter(|_| !is_blocked) {
        write(path, &plan)?;
    }
    let requests = if args.show_calls { requests(&plan, state.as_ref(), &project) } else { Vec::new() };
    let detail = if args.verbose { Detail::Full } else { Detail::Folded };
    // Below the plan, beside its summary, and in every page.
    let warnings = warnings(&plan, state.as_ref(), &project);
    let shown = show_detailed(&plan, project.rate, &requests, detail, &warnings, ui);
    ui.diagnose(&warnings);
    ui.diagnose(blocked(&plan, args.out.is_some()).as_slice());
    shown?;
    if is_blocked {
        return Ok(Exit::Error);
    }
    print_next_step(&plan, args.out.as_deref(), ui)?;
    Ok(exit(&plan, args.detailed_exitcode))
}

/// Says where the plan was saved, and how to apply it.
fn print_next_step(plan: &Plan, out: Option<&Path>, ui: &mut Ui) -> Result<(), Failure> {
    let allow = if plan.destroys().next().is_some() { " --allow-destroy" } else { "" };
    if let Some(path) = out {
        let path = path.display().to_string();
        let path = clean(&path);
        let argument = shell_word(&path);
        ui.status(&text!(
            "Saved to {path}. To carry out exactly this: postpay apply {argument}{allow}\n",
            path,
            argument,
            allow
        ));
    } else if ui.format == Format::Human && plan.changes().next().is_some() {
        let text = text!("Not saved: use -o FILE. To plan again and apply: postpay apply{allow}\n", allow);
        ui.print(text.in_lang(ui.out.lang))?;
    }
    Ok(())
}

/// What would keep the plan from being applied, besides its steps.
fn warnings(plan: &Plan, state: Option<&State>, project: &Project) -> Vec<Diagnostic> {
    let foreign = guard::wrong_endpoint(state, &plan.account);
    let limits = project.limits(None, None);
    // Offline, the prices are not known yet.
    let dear = plan.prices.as_ref().and_then(|prices| guard::over_cost(plan, limits, Some(prices)));
    let over = guard::over_limits(plan, limits, 0).into_iter().chain(dear);
    let blockers = foreign.into_iter().chain(over).map(|blocker| {
        let (code, message, help) = blocker.explain();
        Diagnostic::warning(code, message).help(help)
    });
    blockers.chain(not_allowed(plan, project)).collect()
}

/// The error of a plan with blocked steps, which is not saved.
fn blocked(plan: &Plan, is_saved: bool) -> Option<Diagnostic> {
    let n = plan.blocked().count();
    if n == 0 {
        return None;
    }
    let steps = count(n, "step is", "steps are");
    let message = if is_saved {
        text!("{steps} blocked; apply would refuse this plan. Not saved: no file was written", steps; n)
    } else {
        text!("{steps} blocked; apply would refuse this plan", steps; n)
    };
    Some(Diagnostic::error("plan-blocked", message))
}

/// A warning for a plan of an account that is not allowed.
fn not_allowed(plan: &Plan, project: &Project) -> Option<Diagnostic> {
    let allowed = &project.config.guard.allowed_accounts;
    let uin = plan.account.uin.as_ref()?;
    if allowed.is_empty() || allowed.contains(uin) {
        return None;
    }
    let uin = clean(uin);
    let warning = Diagnostic::warning(
        "account-not-allowed",
        text!("the plan is for account {uin}, which guard.allowed_accounts does not list", uin),
    );
    Some(warning.help(text!("list it too, or use another state for another account with `--state`")))
}

/// The place of each change that is declared.
fn declared<'a>(desired: &'a Desired, plan: &'a Plan) -> impl Iterator<Item = (&'a Address, &'a SourceRef)> {
    let changes = plan.steps.iter().filter(|step| step.action != Action::NoOp && !step.deposed);
    let changing: HashSet<&Address> = changes.map(|step| &step.address).collect();
    desired
        .environments
        .iter()
        .map(|environment| (&environment.address, &environment.source))
        .filter(move |(address, _)| changing.contains(address))
}

/// Shows the plan in the requested format, and in every report.
pub(super) fn show(plan: &Plan, rate: f64, requests: &[Request], ui: &mut Ui) -> Result<(), Failure> {
    show_detailed(plan, rate, requests, Detail::Folded, &[], ui)
}

/// Shows the plan with diagnostics that pages have as well, and that are printed after it.
fn show_detailed(
    plan: &Plan,
    rate: f64,
    requests: &[Request],
    detail: Detail,
    diagnostics: &[Diagnostic],
    ui: &mut Ui,
) -> Result<(), Failure> {
    let diagnostics = [&ui.diagnostics(), diagnostics].concat();
    let view = PlanView { plan, rate, requests, detail, diagnostics };
    let printed = ui.print_view(&view);
    if ui.format == Format::Json {
        ui.print_stderr(&render_requests(requests, ui.err));
    }
    let written = ui.write_reports(&view);
    Failure::merge([printed, written].into_iter().filter_map(Result::err))
}

pub(super) fn exit(plan: &Plan, detailed: bool) -> Exit {
    if detailed && plan.has_changes() { Exit::Changes } else { Exit::Fine }
}

/// Writes the whole file or nothing.
fn write(path: &Path, plan: &Plan) -> Result<(), Failure> {
    use std::io::Write as _;
    // Only an older plan is replaced.
    let is_other = match files::read(path, Links::Followed, file::MAX_BYTES) {
        Ok(bytes) => !bytes.is_empty() && file::decode(&String::from_utf8_lossy(&bytes)).is_err(),
        // A device or a pipe is no plan. Other files that cannot be read cannot be written either, which gives the reason.
        Err(error) => Refusal::from_error(&error).is_some(),
    };
    if is_other {
        return Err(Failure::new("plan-out", {
            let path = path.display().to_string();
            let path = clean(&path);
            text!("{path} already exists and is not a plan file", path)
        })
        .help(text!("choose another file; nothing was written")));
    }
    let write = || {
        let mut temp = TempFile::create(path, ".postpay-plan-", files::PRIVATE)?;
        let file = temp.file()?;
        file.write_all(file::encode(plan).as_bytes())?;
        file.sync_all()?;
        temp.replace()
    };
    write().map_err(|error| cannot_write(path, &error))
}

/// The requests that applying the plan would send, without their signatures.
fn requests(plan: &Plan, state: Option<&State>, project: &Project) -> Vec<Request> {
    let records = state.into_iter().flat_map(State::records);
    let regions: HashMap<Option<&str>, Option<&str>> =
        records.map(|(_, record)| (record.env_id.as_deref(), record.region.as_deref())).collect();
    let mut requests = Vec::new();
    for step in plan.changes() {
        for Call { action, body, region: declared, service } in calls(step, plan) {
            // An existing environment is updated in its own region.
            let there = regions.get(&step.ids.env_id.as_deref()).copied().flatten();
            let region = there.filter(|_| !step.is_order()).or(declared).or(project.region.as_deref());
            let mut text = String::new();
            let _ = match &project.endpoint {
                // Its port is chosen when it starts.
                Endpoint::Sandbox => writeln!(text, "POST / (sandbox)"),
                Endpoint::Url(url) => writeln!(text, "POST {}/", url.of_service(service.service)),
            };
            let _ = writeln!(text, "Content-Type: application/json");
            let _ = writeln!(text, "X-TC-Action: {action}");
            let _ = writeln!(text, "X-TC-Version: {}", service.version);
            let _ = writeln!(text, "X-TC-RequestClient: {REQUEST_CLIENT}");
            if let Some(region) = region {
                let _ = writeln!(text, "X-TC-Region: {}", clean(region));
            }
            let _ = writeln!(text, "X-TC-Language: {}", project.language.name());
            let _ = writeln!(text, "\n{}", String::from_utf8_lossy(&body));
            requests.push(Request { name: step.address.to_string(), text });
        }
    }
    requests
}

/// A request as far as it is known before it is sent.
struct Call<'a> {
    action: &'static str,
    body: Vec<u8>,
    /// The region that a create declares.
    region: Option<&'a str>,
    service: Service,
}

/// The requests of a step. What is known only when they are sent stands in brackets.
fn calls<'a>(step: &'a Step, plan: &Plan) -> Vec<Call<'a>> {
    let tcb = Service { service: SERVICE, version: VERSION };
    let change = |action, body| Call { action, body, region: None, service: tcb };
    if step.is_order() {
        let Some(order) = &step.after else { return Vec::new() };
        let kind = order.kind();
        let references = order.references();
        let references =
            references.map(|(field, address)| (field.member.to_owned(), format!("(EnvId of {address})")));
        let key = kind.request_key.map(|member| (member.to_owned(), "(request key)".to_owned()));
        let body = wire::create_body(order, &references.chain(key).collect());
        let region = order.region().or(kind.shares_env_id.then_some("(region of the environment)"));
        return vec![Call { action: kind.action, body, region, service: kind.api }];
    }
    let Some(env_id) = step.ids.env_id.as_deref() else {
        return Vec::new();
    };
    match step.action {
        Action::Update => {
            let updates = step.updates();
            let request = |(field, value): (Field, &Value)| {
                Some(change(field.update.action()?, wire::update_body(env_id, field, value)))
            };
            updates.filter_map(request).collect()
        }
        Action::Destroy => {
            let Options { purge, bypass_check, .. } = plan.options;
            let destroy = DestroyEnv::new(env_id, purge, bypass_check);
            vec![change(DESTROY, wire::request_body(&destroy))]
        }
        Action::Create
        | Action::Replace
        | Action::Forget
        | Action::Import
        | Action::Move
        | Action::Resolve
        | Action::Wait
        | Action::NoOp => Vec::new(),
    }
}
