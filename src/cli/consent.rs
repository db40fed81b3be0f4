//! Somebody has to agree to what a plan does: a `yes` for what costs money, and the address of what is given up.

use super::carry_out::Job;
use super::failure::{Failure, NOTHING_SENT};
use super::world::World;
use crate::config::endpoint::SANDBOX;
use crate::plan::guard::Consent;
use crate::plan::{Mode, Plan, Step};
use crate::report::{clean, count};

/// Asks, or finds that somebody agreed before.
///
/// Giving up loses data: an approval that was given for a plan as a whole counts for it only with `--allow-destroy` on the
/// same command line, so that no setting that somebody forgot about does it.
pub(super) fn consent(job: &Job<'_>, plan: &Plan, world: &World) -> Result<Consent, Failure> {
    if plan.changes().next().is_none() {
        return Ok(Consent::NotNeeded);
    }
    let given = if job.flags.auto_approve {
        Some(Consent::Auto)
    } else {
        job.kept.map(|_| Consent::PlanFile)
    };
    let destroys: Vec<&Step> = plan.destroys().collect();
    let may_destroy = destroys.is_empty() || job.asked_to_destroy;
    match given {
        Some(consent) if may_destroy => return Ok(consent),
        Some(_) | None if job.flags.json || !world.can_ask() => {
            return Err(no_terminal(given.is_some(), plan));
        }
        Some(_) | None => {}
    }
    let others = plan.changes().count() - destroys.len();
    if given.is_none() && others > 0 && !world.ask(&question(plan, others)) {
        return Err(declined());
    }
    for step in destroys {
        if !world.ask_for(step.address.as_str(), &last_question(step, plan)) {
            return Err(declined());
        }
    }
    Ok(Consent::Typed)
}

fn question(plan: &Plan, others: usize) -> String {
    let endpoint = clean(&plan.account.endpoint);
    let orders = plan.summary().orders;
    let what = match (orders, others - orders) {
        (0, n) => format!("Carry out {}?", count(n, "change", "changes")),
        (n, 0) => format!("Order {} from {endpoint}?", environments(n)),
        (n, more) => format!(
            "Order {} from {endpoint}, and carry out {}?",
            environments(n),
            count(more, "other change", "other changes")
        ),
    };
    let cost = match &*endpoint {
        _ if orders == 0 => "Nothing is ordered.",
        SANDBOX => "It speaks the vendor's protocol and costs nothing.",
        _ => "What is ordered costs money from then on.",
    };
    format!("\n{what} {cost}\nOnly `yes` is a yes: ")
}

fn environments(n: usize) -> String {
    count(n, "pay-as-you-go environment", "pay-as-you-go environments")
}

fn last_question(step: &Step, plan: &Plan) -> String {
    let env_id = clean(step.ids.env_id.as_deref().unwrap_or("-"));
    let endpoint = clean(&plan.account.endpoint);
    let which = if step.deposed { " (deposed)" } else { "" };
    format!(
        "\nGive up `{}`{which}, {env_id}, at {endpoint}? Its data is lost, and that can't be undone.\nType its address to \
         agree: ",
        step.address
    )
}

fn no_terminal(approved: bool, plan: &Plan) -> Failure {
    let failure = if plan.options.mode != Mode::Normal && !approved {
        Failure::new(
            "no-terminal",
            "there is no terminal to ask for the address of what is given up",
        )
        .help("if it is to be given up without a question: `--auto-approve --allow-destroy`")
    } else if approved {
        Failure::new(
            "no-terminal",
            "the plan gives environments up, and there is no terminal to ask for their addresses",
        )
        .help("if they are to be given up without a question, say so on this command line: `--allow-destroy`")
    } else {
        Failure::new(
            "no-terminal",
            "there is no terminal to show the plan on and to ask for a `yes`",
        )
        .help("review a plan file and apply it: `postpay plan -o plan.json`, then `postpay apply plan.json`")
        .help("or carry it out without a question: `--auto-approve`")
    };
    failure.help(NOTHING_SENT)
}

fn declined() -> Failure {
    Failure::new("declined", "not approved").help(NOTHING_SENT)
}
