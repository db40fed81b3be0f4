//! Environments with an unknown destroy outcome: resolved by a look at the
//! account, as a part of `postpay resolve`.

use super::ui::Ui;
use crate::cloud::SeenEnvironment;
use crate::i18n::text;
use crate::model::{Address, InstanceKey};
use crate::report::clean;
use crate::state::journal::{Edit, Edited};
use crate::state::{Record, State, Status};

/// An environment that may be gone.
pub(super) struct PendingDestroy {
    key: InstanceKey,
    record: Record,
}

/// Those of these addresses, or all of them.
pub(super) fn open(state: &State, addresses: &[Address]) -> Vec<PendingDestroy> {
    let records = state.environments.iter();
    records
        .filter(|(key, record)| {
            record.status == Status::Destroying && (addresses.is_empty() || addresses.contains(&key.address))
        })
        .map(|(key, record)| PendingDestroy { key: key.clone(), record: record.clone() })
        .collect()
}

/// What the account says of them. One that it does not show is forgotten when a person agrees: the keys may be another
/// account's, and the region one that is not listed.
pub(super) fn settle(
    open: &[PendingDestroy],
    seen: &[SeenEnvironment],
    auto_approve: bool,
    ui: &Ui,
) -> Vec<Edited> {
    let mut edits = Vec::new();
    for one in open {
        let PendingDestroy { key: InstanceKey { address, .. }, record } = one;
        let env_id = record.env_id.as_deref().unwrap_or_default();
        let shown = seen.iter().find(|environment| environment.env_id == env_id);
        let status = match shown {
            Some(environment) if environment.is_isolated() => Some(Status::Isolated),
            Some(_) => Some(Status::Created),
            None => None,
        };
        let what = match status {
            Some(Status::Isolated) => text!("is isolated"),
            Some(_) => text!("still exists"),
            None => text!("is not in any listed region"),
        };
        let env_id = clean(env_id);
        ui.status(&text!(
            "A destroy of `{address}`, {env_id}, was requested. It {what}.\n",
            address,
            env_id,
            what
        ));
        let question =
            text!("Remove it from the state? Only 'yes' will be accepted to approve.\nEnter a value: ");
        let agreed = status.is_some() || auto_approve || (ui.can_ask() && ui.ask(&ui.err.in_lang(&question)));
        if agreed {
            edits.push(edited(one, status));
        } else {
            ui.status(&text!("If it no longer exists: `postpay resolve {address} --auto-approve` removes it from the state.\n", address));
        }
    }
    edits
}

fn edited(one: &PendingDestroy, status: Option<Status>) -> Edited {
    let PendingDestroy { key, record } = one;
    let edit = Edit::set(key.clone(), status.map(|status| Record { status, ..record.clone() }));
    Edited { doing: "resolve".to_owned(), edit }
}
