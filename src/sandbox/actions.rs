//! The actions of the API. A new one is a row of [`ACTIONS`] and its function: values in, values out.

mod billing;
mod cloudrun;
mod environments;
mod package;
mod postpay;
mod sts;

use super::event::{Event, LedgerEntry};
use super::fault::Target;
use super::model::{Account, Call, Environment, Members, Rejection};
use super::options::RATE;

pub(super) use postpay::purchase;
pub(super) use sts::{KnownSecret, known_secret, metadata};
pub use sts::{SECRET_ID, SECRET_KEY};

/// One action.
#[derive(Clone, Copy)]
pub(super) struct Action {
    pub(super) name: &'static str,
    /// The service's name in a signature.
    pub(super) service: &'static str,
    pub(super) version: &'static str,
    pub(super) is_signed: bool,
    /// The faults that count its calls.
    pub(super) target: Target,
    /// Calls per second that Tencent Cloud documents.
    pub(super) per_second: u32,
    pub(super) run: Run,
}

/// What an action does.
#[derive(Clone, Copy)]
pub(super) enum Run {
    /// Answers from what the account shows by now.
    Read(fn(&Account, &Call<'_>) -> Result<Members, Rejection>),
    Write {
        /// Checks the request, notes in the entry what it does, and answers. Changes nothing.
        check: fn(&Account, &Call<'_>, &mut LedgerEntry) -> Result<Members, Rejection>,
        /// Does what the entry says.
        apply: fn(&mut Account, &LedgerEntry),
    },
}

const fn tcb(name: &'static str, target: Target, per_second: u32, run: Run) -> Action {
    Action { name, service: "tcb", version: "2018-06-08", is_signed: true, target, per_second, run }
}

const fn sts(name: &'static str, run: Run) -> Action {
    let target = Target::Sts;
    Action { name, service: "sts", version: "2018-08-13", is_signed: true, target, per_second: 20, run }
}

pub(super) const ACTIONS: [Action; 16] = [
    tcb(
        "CreatePostpayPackage",
        Target::Create,
        RATE,
        Run::Write { check: postpay::check, apply: postpay::apply },
    ),
    tcb("CreateEnv", Target::Create, 20, Run::Write { check: package::check_create, apply: package::create }),
    tcb(
        "ModifyEnvExtra",
        Target::Modify,
        20,
        Run::Write { check: package::check_extra, apply: package::extra },
    ),
    tcb(
        "ModifyEnvPlan",
        Target::Modify,
        20,
        Run::Write { check: package::check_plan, apply: package::change_plan },
    ),
    tcb("CheckTcbService", Target::Account, 20, Run::Read(package::service)),
    tcb("DescribeEnvLimit", Target::Account, 20, Run::Read(package::limits)),
    tcb("DescribeEnvPlans", Target::Account, 20, Run::Read(package::plans)),
    tcb(
        "ModifyEnv",
        Target::Modify,
        50,
        Run::Write { check: environments::check_modify, apply: environments::modify },
    ),
    tcb(
        "DestroyEnv",
        Target::Destroy,
        20,
        Run::Write { check: environments::check_destroy, apply: environments::destroy },
    ),
    tcb("DescribeEnvs", Target::List, 100, Run::Read(environments::list)),
    tcb("DescribeBillingInfo", Target::Bills, 50, Run::Read(billing::list)),
    Action {
        service: "tcbr",
        version: "2022-02-17",
        ..tcb(
            "CreateCloudRunEnv",
            Target::Create,
            20,
            Run::Write { check: cloudrun::check, apply: cloudrun::open },
        )
    },
    Action {
        service: "tcbr",
        version: "2022-02-17",
        ..tcb("DescribeEnvBaseInfo", Target::Inside, 20, Run::Read(cloudrun::describe))
    },
    sts("GetCallerIdentity", Run::Read(|_, call| Ok(sts::caller(call)))),
    sts("AssumeRole", Run::Read(sts::assume_role)),
    Action {
        is_signed: false,
        ..sts("AssumeRoleWithWebIdentity", Run::Read(sts::assume_role_with_web_identity))
    },
];

impl Action {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        ACTIONS.iter().find(|action| action.name == name)
    }

    pub(super) fn writes(&self) -> bool {
        matches!(self.run, Run::Write { .. })
    }
}

/// Applies one event. Nothing else changes an account.
pub(super) fn apply(account: &mut Account, event: &Event) {
    match event {
        Event::Environment { env_id, at, postpaid: None } => account.add(Environment::prepaid(env_id, *at)),
        Event::Environment { env_id, at, postpaid: Some(bought) } => {
            postpay::apply(account, &purchase(env_id, *at, bought));
        }
        Event::ExternalChange { env_id, at, now } => {
            if let Some(env) = account.find_mut(env_id) {
                env.change(now, *at);
            }
        }
        Event::Request(entry) => {
            let run = Action::named(&entry.action).map(|action| action.run);
            if let Some(Run::Write { apply, .. }) = run.filter(|_| entry.acted || entry.changed) {
                apply(account, entry);
            }
        }
    }
}

#[cfg(test)]
mod tests;
