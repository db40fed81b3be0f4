//! Environments that were asked to be given up, without anybody seeing what became of them: settled by a look at the
//! account, as a part of `postpay resolve`.

use super::world::World;
use crate::cloud::SeenEnvironment;
use crate::lang::text;
use crate::model::{Address, InstanceKey};
use crate::report::clean;
use crate::state::journal::{Edit, Edited};
use crate::state::{Record, State, Status};

/// An environment that may be gone.
pub(super) struct GivenUp {
    key: InstanceKey,
    record: Record,
}

/// Those of these addresses, or all of them.
pub(super) fn open(state: &State, addresses: &[Address]) -> Vec<GivenUp> {
    let records = state.environments.iter();
    records
        .filter(|(key, record)| {
            record.status == Status::Destroying && (addresses.is_empty() || addresses.contains(&key.address))
        })
        .map(|(key, record)| GivenUp { key: key.clone(), record: record.clone() })
        .collect()
}

/// What the account says of them. One that it does not show is forgotten when a person agrees: the keys may be another
/// account's, and the region one that is not listed.
pub(super) fn settle(
    open: &[GivenUp],
    seen: &[SeenEnvironment],
    auto_approve: bool,
    world: &World,
) -> Vec<Edited> {
    let mut edits = Vec::new();
    for one in open {
        let GivenUp { key: InstanceKey { address, .. }, record } = one;
        let env_id = record.env_id.as_deref().unwrap_or_default();
        let shown = seen.iter().find(|environment| environment.env_id == env_id);
        let status = match shown {
            Some(environment) if environment.is_isolated() => Some(Status::Isolated),
            Some(_) => Some(Status::Created),
            None => None,
        };
        let what = match status {
            Some(Status::Isolated) => text!("is isolated", "已被隔离"),
            Some(_) => text!("is there, and was not given up", "仍在，并未被销毁"),
            None => text!("is not shown in any region that is listed", "在所查询的各个地域中都没有列出"),
        };
        let env_id = clean(env_id);
        world.tell(&text!(
            "`{address}`, {env_id}, was asked to be given up. It {what}.\n",
            "`{address}`（{env_id}）曾被请求销毁。它{what:#}。\n"
        ));
        let question = text!(
            "Forget it as gone? Only `yes` is a yes: ",
            "视为已不存在，移除其记录？只有输入 `yes` 才算同意："
        );
        let agreed =
            status.is_some() || auto_approve || (world.can_ask() && world.ask(&world.err.say(&question)));
        if agreed {
            edits.push(edited(one, status));
        } else {
            world.tell(&text!(
                "If it is gone: `postpay resolve {address} --auto-approve` forgets it.\n",
                "如果它已不存在：`postpay resolve {address} --auto-approve` 会移除其记录。\n"
            ));
        }
    }
    edits
}

fn edited(one: &GivenUp, status: Option<Status>) -> Edited {
    let GivenUp { key, record } = one;
    let edit = Edit::set(key.clone(), status.map(|status| Record { status, ..record.clone() }));
    Edited { doing: "resolve".to_owned(), edit }
}
