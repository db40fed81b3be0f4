//! What the account shows, for commands that only look.

use super::connect::{Connection, Embedded};
use super::failure::Failure;
use super::load::Project;
use super::world::World;
use crate::cloud::CloudRead;
use crate::cloud::tencent::RETRY_READS_FOR;
use crate::drift::Live;
use crate::sandbox::Running;
use crate::state::State;

/// Reads every page of every region that is listed, and the bills of what is on record.
pub(super) fn read(
    project: &Project,
    embedded: &Embedded,
    state: Option<&State>,
    world: &World,
) -> Result<Live, Failure> {
    let connection = Connection::choose(project, embedded, RETRY_READS_FOR, world)?;
    let recorded = state.into_iter().flat_map(State::env_ids);
    let recorded: Vec<String> = recorded.map(|(_, env_id)| env_id.to_owned()).collect();
    super::runtime()?.block_on(async {
        let (reader, _sandbox) = reader(&connection).await?;
        let environments = reader.environments().await.map_err(Failure::listing)?;
        let bills = if recorded.is_empty() {
            Vec::new()
        } else {
            reader.bills(&recorded).await.map_err(Failure::listing)?
        };
        Ok(Live {
            environments,
            bills,
        })
    })
}

/// Something that looks, and has no way to do anything else.
async fn reader(connection: &Connection) -> Result<(impl CloudRead, Option<Running>), Failure> {
    connection.open().await
}
