//! What surrounds the process: clock, variables, user and folders.

use std::ffi::OsString;
use std::path::PathBuf;

use jiff::Timestamp;

use super::git::Git;
use crate::apply::Operator;
use crate::clock::{Clock as _, SystemClock};
use crate::plan::GitFacts;
use crate::state::Holder;

pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

pub(super) fn raw_variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Returns a variable. Invalid UTF-8 is replaced rather than ignored: credentials that are passed over may be replaced by
/// those of another account.
pub(super) fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?;
    Some(value.to_string_lossy().into_owned())
}

pub(super) fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

/// Folders for a rescue file when there is no room beside the state.
pub(super) fn spare_folders() -> [PathBuf; 2] {
    [PathBuf::from("."), std::env::temp_dir()]
}

/// Returns the user and the process, as the state records them.
pub(super) fn operator() -> Operator {
    let user = ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| variable(name).filter(|user| !user.trim().is_empty()));
    let user = user.unwrap_or_else(user_of_process);
    let host = gethostname::gethostname();
    Operator { who: format!("{user}@{}", host.to_string_lossy()), pid: std::process::id() }
}

/// Returns what the lock shows to others while `command` runs.
pub(super) fn holder(command: &str) -> Holder {
    let Operator { who, pid } = operator();
    Holder { who, pid, since: now(), doing: command.to_owned() }
}

/// Returns the commit of the repository that these files are in, with `+dirty` when they differ from it.
pub(super) fn commit(roots: &[PathBuf]) -> Option<String> {
    let GitFacts { commit, dirty, .. } = Git::find(roots)?.facts();
    Some(commit + if dirty { "+dirty" } else { "" })
}

/// Returns the name of the user that the process runs as, or else the number.
#[cfg(unix)]
fn user_of_process() -> String {
    let uid = rustix::process::getuid().as_raw().to_string();
    let users = std::fs::read("/etc/passwd").unwrap_or_default();
    let users = String::from_utf8_lossy(&users);
    name_of_uid(&users, &uid).map_or_else(|| format!("uid {uid}"), str::to_owned)
}

#[cfg(not(unix))]
fn user_of_process() -> String {
    "unknown".to_owned()
}

/// Finds the name of a uid in the text of `/etc/passwd`.
#[cfg(unix)]
fn name_of_uid<'a>(users: &'a str, uid: &str) -> Option<&'a str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1) == Some(uid)).then_some(name)
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::name_of_uid;

    #[test]
    fn the_name_of_a_uid_is_found() {
        let users = "root:x:0:0:root:/root:/bin/bash\n+::::::\n:x:7:7::/:\nci:x:1001:100::/home/ci:/bin/sh\n";
        assert_eq!(name_of_uid(users, "1001"), Some("ci"));
        assert_eq!(name_of_uid(users, "0"), Some("root"));
        for uid in ["7", "100", "x"] {
            assert_eq!(name_of_uid(users, uid), None, "{uid}");
        }
    }
}
