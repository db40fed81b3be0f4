//! What git says of the manifests: the commit that is checked out, whether they differ from it, and which commit touched
//! which line last.
//!
//! git is asked and never trusted with the run: no binary, no repository, one that git refuses, and one that does not
//! answer in time all give nothing. It is kept from everything that is not reading: hooks, the file system monitor, the
//! network, and locks that another git would meet. A repository that lies as plain files among the manifests, where a pull request
//! can put one with its configuration, is none. Filters that whoever cloned the repository has configured run as they do for every
//! `git status`, and find no key in their environment.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::model::{Address, SourceRef};
use crate::plan::GitFacts;

/// Timeout of one git command. Its facts are optional.
const PATIENCE: Duration = Duration::from_secs(2);

/// Timeout of all `git blame` commands, which take long in a long history.
const BLAME_PATIENCE: Duration = Duration::from_secs(60);

/// What git needs of the environment: to be found, and whoever's configuration says which repositories are trusted. Nothing
/// else is passed on: no key, and nothing of what a caller's own git, as in a hook, says of another repository.
const PASSED_ON: [&str; 11] = [
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "USERPROFILE",
    "SYSTEMROOT",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SUDO_UID",
    "LD_LIBRARY_PATH",
    // Git's own variable for tests: the repository counts as another user's.
    "GIT_TEST_ASSUME_DIFFERENT_OWNER",
];
/// Configuration by variables: `GIT_CONFIG_GLOBAL`, `GIT_CONFIG_COUNT` and the like.
const CONFIGURATION: &str = "GIT_CONFIG_";

/// The repository that the manifests are in.
pub(super) struct Git {
    /// A folder of it.
    folder: PathBuf,
    /// The manifests' files and folders, and the configuration: absolute.
    roots: Vec<PathBuf>,
    commit: String,
    /// Commits below a certain one are not here, so that it seems to have touched every older line.
    is_shallow: bool,
}

impl Git {
    /// None without git, outside of a repository, in one without commits or without a work tree.
    pub(super) fn find(roots: &[PathBuf]) -> Option<Self> {
        let roots: Vec<PathBuf> = roots.iter().filter_map(|root| std::path::absolute(root).ok()).collect();
        let folder = roots.first()?.ancestors().find(|path| path.is_dir())?;
        let asked = [
            "rev-parse",
            "--is-inside-work-tree",
            "--is-shallow-repository",
            "HEAD^{commit}",
            "--absolute-git-dir",
        ];
        let said = String::from_utf8(git(folder, asked, PATIENCE)?).ok()?;
        // A path may have line ends in it.
        let ["true", shallow, commit, of_git] = said.splitn(4, '\n').collect::<Vec<_>>()[..] else {
            return None;
        };
        if is_among_files(folder, of_git) {
            tracing::debug!("a repository lies among the files: git is not asked");
            return None;
        }
        Some(Self {
            folder: folder.to_owned(),
            commit: id(commit)?.to_owned(),
            is_shallow: shallow != "false",
            roots,
        })
    }

    /// The commit, and whether the manifests and the configuration are as it has them. What git can't tell is not
    /// said to be clean.
    pub(super) fn facts(&self) -> GitFacts {
        GitFacts {
            commit: self.commit.clone(),
            author: self.author(),
            dirty: self.is_dirty().unwrap_or(true),
            touched: BTreeMap::new(),
        }
    }

    /// The commit that last touched the line that each of these is declared in. One that is not committed yet, or not
    /// known, is left out.
    pub(super) fn blame<'a>(
        &self,
        declared: impl Iterator<Item = (&'a Address, &'a SourceRef)>,
    ) -> BTreeMap<Address, String> {
        // One question a file, however many environments it declares.
        let mut files: BTreeMap<&str, Vec<(u32, &Address)>> = BTreeMap::new();
        for (address, source) in declared {
            let lines = files.entry(&source.file).or_default();
            lines.push((source.line, address));
        }
        let end = Instant::now() + BLAME_PATIENCE;
        let mut touched = BTreeMap::new();
        for (file, wanted) in files {
            let left = end.saturating_duration_since(Instant::now());
            let Some(lines) = self.blame_of(Path::new(file), left) else {
                continue;
            };
            touched.extend(
                wanted
                    .into_iter()
                    .filter_map(|(line, address)| Some((address.clone(), lines.of(line)?.to_owned()))),
            );
        }
        touched
    }

    /// The name of whoever wrote the commit.
    fn author(&self) -> Option<String> {
        let commit = git(&self.folder, ["cat-file", "commit", &self.commit], PATIENCE)?;
        let commit = String::from_utf8_lossy(&commit);
        let author =
            commit.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix("author "));
        let name = author?.rsplit_once(" <")?.0.trim();
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn is_dirty(&self) -> Option<bool> {
        // A manifest that git ignores is in no commit either.
        let options = [
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--ignored=traditional",
            "--ignore-submodules=none",
            "--",
        ];
        let options = options.iter().map(OsStr::new);
        let roots = self.roots.iter().map(|root| root.as_os_str());
        let said = git(&self.folder, options.chain(roots), PATIENCE)?;
        Some(
            said.split(|byte| *byte == 0).filter_map(|record| record.get(3..)).any(|path| self.matters(path)),
        )
    }

    /// Whether a path that git named is a manifest's, or one of the files that were named. A folder of manifests may
    /// have other files in it.
    fn matters(&self, path: &[u8]) -> bool {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        let is_manifest = name.ends_with(b".yaml") || name.ends_with(b".yml");
        (is_manifest && !name.starts_with(b"."))
            || self
                .roots
                .iter()
                .any(|root| root.file_name().is_some_and(|root| root.as_encoded_bytes() == name))
    }

    fn blame_of(&self, file: &Path, patience: Duration) -> Option<Blame> {
        let file = std::path::absolute(file).ok()?;
        let folder = file.parent().filter(|folder| folder.is_dir())?;
        let options = ["blame", "--incremental", "--no-textconv", "--"];
        let options = options.iter().map(OsStr::new);
        let said = git(folder, options.chain([file.as_os_str()]), patience)?;
        Some(Blame::parse(&String::from_utf8_lossy(&said), self.is_shallow))
    }
}

/// The folder below the root of its repository, with `/` between folders; None outside of a repository, or without git.
pub(super) fn folder(of: &Path) -> Option<String> {
    let said = String::from_utf8(git(of, ["rev-parse", "--show-prefix"], PATIENCE)?).ok()?;
    Some(said.trim_end_matches('\n').trim_end_matches('/').to_owned())
}

/// Which commit touched which lines last: (first line, lines, commit).
#[derive(Debug, Default, PartialEq, Eq)]
struct Blame {
    ranges: Vec<(u32, u32, String)>,
}

impl Blame {
    /// Reads `git blame --incremental`: a line `commit old-line line lines` opens each range, and a `boundary` stands
    /// among what is said of a commit when it is first named.
    fn parse(text: &str, is_shallow: bool) -> Self {
        let mut ranges: Vec<(u32, u32, String)> = Vec::new();
        let mut boundaries = HashSet::new();
        for line in text.lines() {
            if line == "boundary" {
                boundaries.extend(ranges.last().map(|(.., commit)| commit.clone()));
                continue;
            }
            let mut words = line.split(' ');
            let mut number = |skip| words.nth(skip).and_then(|word| word.parse::<u32>().ok());
            let opens = line.split_once(' ').and_then(|(commit, _)| id(commit)).zip(number(2)).zip(number(0));
            if let Some(((commit, first), count)) = opens {
                ranges.push((first, count, commit.to_owned()));
            }
        }
        ranges.retain(|(.., commit)| {
            // Zeros stand for what is not committed.
            let committed = commit.bytes().any(|digit| digit != b'0');
            committed && !(is_shallow && boundaries.contains(commit))
        });
        ranges.sort_unstable();
        Self { ranges }
    }

    fn of(&self, line: u32) -> Option<&str> {
        let after = self.ranges.partition_point(|(first, ..)| *first <= line);
        let (first, count, commit) = self.ranges.get(after.checked_sub(1)?)?;
        (line - first < *count).then_some(commit)
    }
}

/// Whether git's folder is one that the manifests are in: such a one can be committed, with its configuration. A git that is
/// old does not know `safe.bareRepository`.
fn is_among_files(folder: &Path, of_git: &str) -> bool {
    let of_git = Path::new(of_git.trim_end_matches('\n'));
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    whole(folder).starts_with(whole(of_git))
}

/// A commit's id: SHA-1 or SHA-256, whole.
fn id(text: &str) -> Option<&str> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (matches!(text.len(), 40 | 64) && is_hex).then_some(text)
}

fn passed_on() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        PASSED_ON.contains(&name.as_ref()) || name.starts_with(CONFIGURATION)
    })
}

/// What git prints when it succeeds in time.
fn git<S: AsRef<OsStr>>(
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
    patience: Duration,
) -> Option<Vec<u8>> {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["--no-pager", "--no-optional-locks", "--literal-pathspecs"])
        .args(["-c", "core.fsmonitor=false"])
        .args(["-c", "core.hooksPath=/dev/null"])
        .args(["-c", "safe.bareRepository=explicit"])
        .args(arguments)
        .env_clear()
        .envs(passed_on())
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let shown: Vec<OsString> = command.get_args().map(OsStr::to_owned).collect();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            tracing::debug!(%error, "no git");
            return None;
        }
    };
    let said = answer(&mut child, patience);
    if said.is_none() {
        // It may have failed on its own.
        let _ = child.kill();
        let _ = child.wait();
        // Every folder outside of a repository has it.
        tracing::trace!(arguments = ?shown, "git gave no answer");
    }
    said
}

/// Everything that the child prints, if it ends well before patience does.
fn answer(child: &mut Child, patience: Duration) -> Option<Vec<u8>> {
    let end = Instant::now() + patience;
    let mut stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::sync_channel(1);
    // Reading has no time limit, so that a thread of its own waits for what may never come.
    let read = move || {
        let mut said = Vec::new();
        let read = stdout.read_to_end(&mut said).map(|_| said);
        let _ = sender.send(read);
    };
    std::thread::Builder::new().spawn(read).ok()?;
    let said = receiver.recv_timeout(patience).ok()?.ok()?;
    // It has closed its output, and is about to end.
    loop {
        match child.try_wait().ok()? {
            Some(status) => return status.success().then_some(said),
            None if Instant::now() >= end => return None,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const ZEROS: &str = "0000000000000000000000000000000000000000";

    fn text() -> String {
        format!(
            "{B} 4 4 2\nauthor {A} 1 1 1\nsummary boundary\nprevious {A} x\nfilename x.yaml\n\
             {ZEROS} 3 3 1\nauthor Not Committed Yet\nfilename x.yaml\n\
             {A} 1 1 2\nauthor Ada\nboundary\nfilename x.yaml\n\
             {A} 3 6 1\nfilename x.yaml\n"
        )
    }

    #[test]
    fn a_blame_gives_every_committed_line_its_commit() {
        let blame = Blame::parse(&text(), false);
        let lines: Vec<_> = (0..=7).map(|line| blame.of(line)).collect();
        let [a, b] = [Some(A), Some(B)];
        assert_eq!(lines, [None, a, a, None, b, b, a, None]);
    }

    #[test]
    fn where_history_was_cut_off_nothing_is_blamed() {
        let blame = Blame::parse(&text(), true);
        let lines: Vec<_> = (0..=7).map(|line| blame.of(line)).collect();
        let b = Some(B);
        assert_eq!(lines, [None, None, None, None, b, b, None, None]);
    }

    #[test]
    fn only_a_whole_id_is_a_commit() {
        assert_eq!(id(A), Some(A));
        assert_eq!(id(&A.repeat(2)[..64]), Some(&A.repeat(2)[..64]));
        for text in ["", "HEAD", &A[1..], &A.to_uppercase()] {
            assert_eq!(id(text), None, "{text}");
        }
    }
}
