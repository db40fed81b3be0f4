//! What the account shows, for commands that only look.

use std::collections::{BTreeSet, HashSet};

use super::account::{self, Proven};
use super::connect::{Connection, Embedded};
use super::error::Failure;
use super::project::Project;
use super::ui::Ui;
use crate::cloud::tencent::RETRY_READS_FOR;
use crate::cloud::{Bills, CloudRead, Lookup};
use crate::drift::Live;
use crate::plan::{Prices, guard};
use crate::sandbox::Sandbox;
use crate::state::{State, Status};

/// The environments of the account, and the account itself if it is known.
pub(super) struct Seen {
    pub(super) live: Live,
    pub(super) account: Option<Proven>,
    /// Prices a month by package, where they were asked for.
    pub(super) prices: Option<Prices>,
}

/// Lists every region, and reads the bills of what is in the state. Environments in the state that no list has are read by
/// id.
pub(super) fn read(
    project: &Project,
    embedded: &Embedded,
    state: Option<&State>,
    with_prices: bool,
    ui: &Ui,
) -> Result<Seen, Failure> {
    let connection = Connection::with_credentials(project, embedded, RETRY_READS_FOR, ui)?;
    // In another account, every environment in the state would seem to be missing.
    if let Some(blocker) = guard::wrong_endpoint(state, &project.account()) {
        return Err(Failure::from(vec![blocker]));
    }
    let recorded = state.into_iter().flat_map(State::env_ids);
    let recorded: Vec<String> = recorded.map(|(_, env_id)| env_id.to_owned()).collect();
    super::runtime::start()?.block_on(async {
        let account = account::expected(&connection, project, state, ui).await?;
        let (reader, _sandbox) = reader(&connection, state).await?;
        let mut environments = reader.environments().await.map_err(|error| Failure::listing(&error))?;
        let listed: HashSet<&str> =
            environments.iter().map(|environment| environment.env_id.as_str()).collect();
        let missing: Vec<String> = state
            .into_iter()
            .flat_map(State::records)
            .filter(|(_, record)| record.status == Status::Created)
            .filter_map(|(_, record)| record.env_id.clone())
            .filter(|env_id| !listed.contains(env_id.as_str()))
            .collect();
        let mut absent = HashSet::new();
        if !missing.is_empty() {
            let named = reader.lookup(&missing).await.map_err(|error| Failure::listing(&error))?;
            for (env_id, named) in missing.into_iter().zip(named) {
                match named {
                    Lookup::Found(environment) => environments.push(*environment),
                    Lookup::Absent => drop(absent.insert(env_id)),
                    Lookup::Unanswered => {}
                }
            }
        }
        let bills = if recorded.is_empty() {
            Bills::default()
        } else {
            reader.bills(&recorded).await.map_err(|error| Failure::listing(&error))?
        };
        let prices = if with_prices {
            Some(reader.prices().await.map_err(|error| Failure::listing(&error))?)
        } else {
            None
        };
        let recorded: HashSet<&String> = recorded.iter().collect();
        let mut listed = environments.iter();
        let known_ids = if listed.all(|environment| recorded.contains(&environment.env_id)) {
            BTreeSet::new()
        } else {
            project.ids_in_receipts()?
        };
        Ok(Seen {
            live: Live { environments, bills, regions: connection.listed_regions(state), absent, known_ids },
            account,
            prices,
        })
    })
}

/// Returns a client that can only read.
async fn reader(
    connection: &Connection,
    state: Option<&State>,
) -> Result<(impl CloudRead, Option<Sandbox>), Failure> {
    connection.open(state).await
}
