//! Approval of a plan: `yes` for what costs money, and the address of what is destroyed.

use super::error::{Failure, NOTHING_ORDERED};
use super::ui::Ui;
use crate::config::endpoint::SANDBOX;
use crate::i18n::{Text, text};
use crate::plan::guard::Consent;
use crate::plan::{Cost, Mode, Plan, Step};
use crate::report::{clean, count};

/// What the command line says about approval.
#[derive(Clone, Copy)]
pub(super) struct Approval {
    /// By a flag, or by a plan file.
    pub given: Option<Consent>,
    /// `--allow-destroy` is on the same command line.
    pub allows_destroy: bool,
    /// Events are printed, so that nobody can be asked.
    pub json: bool,
}

/// Asks for approval, or returns the one that was given. `url` is the endpoint; None for the embedded one.
///
/// Destroying loses data: approval of a whole plan counts for it only with `--allow-destroy` on the same command line, not
/// with a setting.
pub(super) fn consent(
    approval: Approval,
    plan: &Plan,
    cost: &Cost,
    url: Option<&str>,
    account: Option<&str>,
    ui: &Ui,
) -> Result<Consent, Failure> {
    if plan.changes().next().is_none() {
        return Ok(Consent::NotNeeded);
    }
    let Approval { given, allows_destroy, json } = approval;
    let destroys: Vec<&Step> = plan.destroys().collect();
    let may_destroy = destroys.is_empty() || allows_destroy;
    match given {
        Some(consent) if may_destroy => return Ok(consent),
        Some(_) | None if json || !ui.can_ask() => {
            return Err(no_terminal(given.is_some(), json, plan));
        }
        Some(_) | None => {}
    }
    let others = plan.changes().count() - destroys.len();
    if given.is_none() && others > 0 && !ui.ask(&ui.err.in_lang(question(plan, others, cost, url, account))) {
        return Err(declined());
    }
    for step in destroys {
        if !ui.ask_for(step.address.as_str(), &ui.err.in_lang(last_question(step, plan, url, account))) {
            return Err(declined());
        }
    }
    Ok(Consent::Typed)
}

fn question(plan: &Plan, others: usize, cost: &Cost, url: Option<&str>, account: Option<&str>) -> Text {
    let endpoint = place(plan, url, account);
    let orders = plan.summary.orders;
    let what = match (orders, others - orders) {
        (0, n) => {
            let changes = count(n, "change", "changes");
            text!("Apply {changes} at {endpoint}?", changes, endpoint; n)
        }
        (n, 0) => {
            let environments = environments(n);
            text!("Create {environments} at {endpoint}?", environments, endpoint; n)
        }
        (n, more) => {
            let environments = environments(n);
            let changes = count(more, "other change", "other changes");
            text!(
                "Create {environments} and apply {changes} at {endpoint}?", environments, changes, endpoint; n, more)
        }
    };
    let billed = match (orders, url) {
        (0, _) => text!("Nothing will be created."),
        (_, None) => {
            text!("This is the embedded sandbox: it costs nothing.")
        }
        // What answers on this computer may be a way to Tencent Cloud.
        (_, Some(_)) if plan.account.endpoint == SANDBOX => {
            text!("Unless this endpoint is a sandbox, created environments are billed from then on.")
        }
        (_, Some(_)) => {
            text!("Created environments are billed from then on.")
        }
    };
    let packages = match (cost.text(), cost.overrun()) {
        (Some(cost), Some(overrun)) => text!(" Cost: {cost}. {overrun}", cost, overrun),
        (Some(cost), None) => text!(" Cost: {cost}.", cost),
        (None, _) => Text::same(""),
    };
    text!(
        "\n{what} {billed}{packages}\nOnly 'yes' will be accepted to approve.\nEnter a value: ",
        what,
        billed,
        packages
    )
}

fn environments(n: usize) -> String {
    count(n, "environment", "environments")
}

/// Where it is done, and in whose account, as far as that is known.
fn place(plan: &Plan, url: Option<&str>, account: Option<&str>) -> Text {
    let endpoint = match url {
        // By its address: `sandbox` is what everything on this computer is recorded as.
        Some(url) if plan.account.endpoint == SANDBOX => clean(url),
        Some(_) | None => clean(&plan.account.endpoint),
    };
    match account {
        None => Text::same(endpoint.into_owned()),
        Some(account) => text!("{endpoint}, account {account}", endpoint, account),
    }
}

fn last_question(step: &Step, plan: &Plan, url: Option<&str>, account: Option<&str>) -> Text {
    let env_id = clean(step.ids.env_id.as_deref().unwrap_or("-"));
    let endpoint = place(plan, url, account);
    let which = if step.deposed { text!(" (deposed)") } else { Text::same("") };
    let address = &step.address;
    let prepaid = match (step.is_prepaid(), plan.options.purge) {
        (false, _) => Text::same(""),
        (true, true) => {
            text!(" It is prepaid: it is refunded by Tencent Cloud's rules, and deleted at once.")
        }
        (true, false) => {
            text!(" It is prepaid: it is refunded by Tencent Cloud's rules, and isolated for 15 days.")
        }
    };
    text!(
        "\nDestroy `{address}`{which}, {env_id}, at {endpoint}? Its data will be lost; this cannot be undone.{prepaid}\nType the address to approve: ",
        address,
        which,
        env_id,
        endpoint,
        prepaid
    )
}

fn no_terminal(approved: bool, json: bool, plan: &Plan) -> Failure {
    let why = if json { text!("`--json` never asks") } else { text!("there is no terminal to ask on") };
    let failure = if plan.options.mode != Mode::Normal && !approved {
        Failure::new("no-terminal", text!("destroying needs the address typed as approval, but {why}", why))
            .help(text!("to destroy without asking: `--auto-approve --allow-destroy`"))
    } else if approved {
        Failure::new(
            "no-terminal",
            text!(
                "the plan destroys environments, which needs each address typed as approval, but {why}",
                why
            ),
        )
        .help(text!("to destroy without asking, add `--allow-destroy` to this command"))
    } else {
        Failure::new("no-terminal", text!("apply needs approval, but {why}", why))
            .help(text!(
                "review a plan file and apply it: `postpay plan -o plan.json`, then `postpay apply plan.json`"
            ))
            .help(text!("or apply without asking: `--auto-approve`"))
    };
    // Whose account it is was asked by then.
    failure.help(NOTHING_ORDERED)
}

fn declined() -> Failure {
    Failure::new("declined", text!("not approved")).help(NOTHING_ORDERED)
}
