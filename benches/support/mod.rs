//! What the benches share: projects of any size, written as people write them, and the least of several timings.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use postpay::check::{self, Checked};
use postpay::diagnostic::any_error;
use postpay::manifest;
use postpay::model::{Desired, InstanceKey};
use postpay::plan::Target;
use postpay::state::encode_state;
use postpay::state::journal::RunId;
use postpay::state::{Account, Lineage, Origin, Record, Serial, State, Status};

/// How many environments people keep in one file before they start another.
const A_FILE: u32 = 250;

/// A folder with manifests, and a state beside them.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) root: PathBuf,
}

impl Project {
    /// Writes the manifests of `n` environments.
    pub(crate) fn generate(root: &Path, n: u32) -> Result<Self> {
        let project = Self { root: root.to_owned() };
        fs::create_dir_all(project.manifests())?;
        for first in (0..n).step_by(usize::try_from(A_FILE)?) {
            let text = manifest(first..n.min(first + A_FILE));
            fs::write(project.manifests().join(format!("{first:05}.yaml")), text)?;
        }
        Ok(project)
    }

    pub(crate) fn manifests(&self) -> PathBuf {
        self.root.join("environments")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.root.join("state").join("postpay.state.json")
    }

    /// The manifest files, in the order in which they are read.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files =
            fs::read_dir(self.manifests())?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        files.sort();
        Ok(files)
    }

    /// What `postpay validate` does.
    pub(crate) fn check(&self) -> Checked {
        let bounds = manifest::Bounds { project: &self.root, typed: true };
        let loaded = manifest::load(&self.root, &[self.manifests()], bounds, None);
        check::check(&loaded, check::Options::default())
    }

    /// What the manifests ask for. A bench that measures how errors are found would measure nothing.
    pub(crate) fn desired(&self) -> Result<Desired> {
        let Checked { desired, diagnostics } = self.check();
        ensure!(!any_error(&diagnostics), "the generated manifests are not valid: {diagnostics:?}");
        Ok(desired)
    }

    /// Puts everything that is declared in the state.
    pub(crate) fn record(&self, desired: &Desired) -> Result<()> {
        let path = self.state();
        fs::create_dir_all(path.parent().context("a state is in a folder")?)?;
        fs::write(path, encode_state(&recorded(desired))?)?;
        Ok(())
    }
}

/// Five to seven lines an environment, a third of them with Chinese in it, a quarter with an `extra` mapping.
fn manifest(environments: std::ops::Range<u32>) -> String {
    const TEAMS: [&str; 4] = ["shop", "search", "ads", "billing"];
    let mut yaml = String::from(
        "# yaml-language-server: $schema=../schemas/manifest.v1.schema.json\n\
         version: 1\n\
         defaults:\n  env_source: qcloud\n  channel: qc_console\n\
         environments:\n",
    );
    for n in environments {
        let team = TEAMS[usize::try_from(n % 4).unwrap_or_default()];
        // Writing to a String cannot fail.
        let _ = write!(
            yaml,
            "  {team}-{n:05}:\n    alias: {team}-{n:05}\n    free_quota: basic\n    source: qcloud\n"
        );
        let _ = match n % 3 {
            0 => writeln!(yaml, "    env_alias: 商店环境 {n}"),
            _ => writeln!(yaml, "    env_alias: Environment {n} of {team}"),
        };
        if n % 4 == 1 {
            let _ = writeln!(yaml, "    extra:\n      cost_center: \"{n:06}\"");
        }
    }
    yaml
}

/// A state that holds everything that is declared, as it was ordered.
pub(crate) fn recorded(desired: &Desired) -> State {
    let run = RunId::fresh();
    let environments = desired.environments.iter().map(|environment| {
        let record = Record {
            status: Status::Created,
            env_id: Some(format!("{}-8g1h2j3k4l5m6n7", environment.address)),
            tran_id: Some("20240506410001234567890".to_owned()),
            request_id: None,
            origin: Origin::Ordered,
            attributes: environment.attributes.clone(),
            ordered_at: Timestamp::UNIX_EPOCH,
            run,
            source: environment.source.clone(),
            region: None,
            prevent_destroy: false,
            deposed_at: None,
        };
        (InstanceKey::current(environment.address.clone()), record)
    });
    State {
        format_version: postpay::state::FormatVersion,
        lineage: Lineage::fresh(),
        serial: Serial(1),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        account: Some(account()),
        last_run: Some(run),
        environments: environments.collect(),
    }
}

pub(crate) fn account() -> Account {
    Account { endpoint: "sandbox".to_owned(), uin: None }
}

/// Where its orders go, and where they are recorded.
pub(crate) fn target() -> Target {
    Target {
        account: account(),
        endpoint: "sandbox".to_owned(),
        region: None,
        state_path: "state/postpay.state.json".to_owned(),
    }
}

pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = work();
    (made, start.elapsed())
}

pub(crate) fn ratio(of: Duration, to: Duration) -> f64 {
    of.as_secs_f64() / to.as_secs_f64()
}
