//! From flags, variables and files to the project at hand: configuration, manifests, state, endpoint.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::env;
use super::error::{Failure, Lines, NOTHING_SENT, cannot_write};
use super::folder;
use super::options::{Api, Changes, Global, Select};
use super::reports::resolve_path;
use super::rescue;
use super::ui::Ui;
use crate::check::{self, Checked};
use crate::config::{self, Config, Endpoint, Language};
use crate::diagnostic::{Diagnostic, SourceFile, any_error};
use crate::files::{self, Links, Place, ResolvedPath};
use crate::i18n::{Text, text};
use crate::manifest::{self, Bounds, Found};
use crate::model::{Address, Desired, ManifestHash};
use crate::plan::guard::Limits;
use crate::plan::moves::MoveProblem;
use crate::plan::{Mode, Options, Plan, Target};
use crate::report::clean;
use crate::state::file::FileStore;
use crate::state::postgres::{self, Location, PostgresStore};
use crate::state::{Account, State, StateStore, read};

/// The settings of a project: flags beat variables, which beat postpay.yaml, which beats the defaults.
#[derive(Debug)]
pub(super) struct Project {
    pub config: Config,
    config_path: Option<PathBuf>,
    /// The folder that paths in the project's files may not leave, canonical.
    root: PathBuf,
    manifests: Vec<PathBuf>,
    /// They were named on the command line, not by the project.
    manifests_typed: bool,
    /// The state file. With a database, no state is there, but its name and folder are those of local files: the sandbox's
    /// ledger, and outcomes that could not be written.
    pub state: PathBuf,
    /// The database that has the state.
    database: Option<Location>,
    pub endpoint: Endpoint,
    /// By flag or variable, not by a file that a pull request may change.
    pub endpoint_is_given: bool,
    pub rate: f64,
    pub region: Option<String>,
    pub language: Language,
    pub timeout: Duration,
    /// The flags as given; merged settings are above.
    pub api: Api,
}

impl Project {
    /// Loads the project of this folder.
    ///
    /// # Errors
    /// When there is none, or its settings have errors.
    pub(super) fn load(global: &Global, api: &Api) -> Result<Self, Failure> {
        check_project(global)?;
        Self::load_anywhere(global, api)
    }

    /// As [`Self::load`], but without a project the defaults are used.
    pub(super) fn load_anywhere(global: &Global, api: &Api) -> Result<Self, Failure> {
        let (project, wrong) = Self::load_as_far(global, api)?;
        match wrong {
            None => Ok(project),
            Some(failure) => Err(failure),
        }
    }

    /// As [`Self::load_anywhere`], but returns errors in the settings beside a project with the defaults, so that everything
    /// else can be checked.
    pub(super) fn load_as_far(global: &Global, api: &Api) -> Result<(Self, Option<Failure>), Failure> {
        let (config_path, misnamed) = match &global.config {
            Some(path) => (Some(path.clone()), None),
            None => match config::find(Path::new(".")) {
                Ok(name) => (name.map(PathBuf::from), None),
                Err(problem) => (None, Some(Failure::from(*problem).help(NOTHING_SENT))),
            },
        };
        // Paths in the file are relative to it.
        let base = config_path.as_deref().and_then(Path::parent).unwrap_or(Path::new("")).to_owned();
        let root = project_folder(&base)?;
        let config = match &config_path {
            None => Ok(Config::default()),
            Some(path) if global.config.is_some() => config::load(Path::new(""), path).map_err(Failure::from),
            Some(path) => config_of_project(path, &root),
        };
        let (config, mut wrong) = match config {
            Ok(config) => (config, None),
            Err(failure) => (Config::default(), Some(failure)),
        };
        wrong = misnamed.or(wrong);
        let manifests = if global.files.is_empty() {
            let declared = config.manifests.clone().unwrap_or_else(|| vec![config::DEFAULT_MANIFESTS.into()]);
            let declared = declared.iter().map(|path| base.join(path));
            // The settings that could not be read may have named another place.
            declared.filter(|path| wrong.is_none() || path.exists()).collect()
        } else {
            global.files.clone()
        };
        let mut database = None;
        let wanted = global.state.as_deref().or(config.state.as_deref());
        let state = if let Some(url) = wanted.filter(|path| config::is_database(path)) {
            match location(url) {
                Ok(location) => database = Some(location),
                Err(why) => drop(wrong.get_or_insert(Failure::new("state-path", why).help(NOTHING_SENT))),
            }
            base.join(config::DEFAULT_STATE)
        } else if let Some(path) = &global.state {
            if let Err(why) = config::check_state(path) {
                return Err(Failure::new("state-path", text!("--state: {why}", why)).help(NOTHING_SENT));
            }
            // Opening it reports a cycle of links.
            resolve_path(path, &root).map_or_else(|_| path.clone(), |resolved| without_links(path, &resolved))
        } else {
            let declared = config.state.as_deref();
            let path = base.join(declared.unwrap_or(Path::new(config::DEFAULT_STATE)));
            match check_state_place(&path, &root) {
                Ok(path) => path,
                Err(failure) => {
                    wrong.get_or_insert(failure);
                    base.join(config::DEFAULT_STATE)
                }
            }
        };
        let project = Self {
            config_path,
            root,
            manifests,
            manifests_typed: !global.files.is_empty(),
            state,
            database,
            endpoint_is_given: global.endpoint.is_some(),
            endpoint: global.endpoint.clone().or_else(|| config.api.endpoint.clone()).unwrap_or_default(),
            rate: api.rate.or(config.api.rate).unwrap_or(config::DEFAULT_RATE),
            region: api.region.as_ref().or(config.api.region.as_ref()).map(ToString::to_string),
            language: api.language.or(config.api.language).unwrap_or(config::DEFAULT_LANGUAGE),
            timeout: api.timeout.or(config.api.timeout).unwrap_or(config::DEFAULT_TIMEOUT),
            config,
            api: api.clone(),
        };
        if wrong.is_none() {
            wrong = project.check_state().err();
        }
        Ok((project, wrong))
    }

    /// Rejects a state file that is a manifest or the settings, or would be read as a manifest.
    fn check_state(&self) -> Result<(), Failure> {
        let end = |path: &Path| Some(Place::resolve(path).ok()?.end().to_owned());
        // Opening it reports why it cannot be followed.
        let Some(state) = end(&self.state) else {
            return Ok(());
        };
        let is_config = self.config_path.iter().any(|path| end(path).as_ref() == Some(&state));
        let mut manifests = self.manifests.iter().filter_map(|path| end(path));
        let is_manifest = manifests.any(|path| {
            // A manifest on the command line that is the state gets another error.
            (path == state && !self.manifests_typed)
                || (state.starts_with(&path) && manifest::may_be_manifest(&state))
        });
        if !is_config && !is_manifest {
            return Ok(());
        }
        let state = self.state.display().to_string();
        let state = clean(&state);
        Err(Failure::new(
            "state-path",
            text!("the state cannot be {state}: that is a manifest or postpay.yaml, or would be read as a manifest", state),
        )
        .help(text!("use a .json file outside of the manifests, such as state/postpay.state.json"))
        .help(NOTHING_SENT))
    }

    /// Returns the store of the state. Connects to nothing yet.
    ///
    /// # Errors
    /// When there are no resources for a connection.
    pub(super) fn store(&self) -> Result<Box<dyn StateStore>, Failure> {
        Ok(match &self.database {
            None => Box::new(FileStore::resolved(&self.state)),
            Some(database) => {
                let rescue = FileStore::resolved(&self.state).beside("rescue")?;
                Box::new(PostgresStore::new(database.clone(), rescue)?)
            }
        })
    }

    /// Returns the place of the state, for messages.
    pub(super) fn state_place(&self) -> String {
        self.database.as_ref().map_or_else(|| self.state.display().to_string(), ToString::to_string)
    }

    /// Works on a state file, in place of the project's own state.
    pub(super) fn use_state(&mut self, path: PathBuf) {
        (self.state, self.database) = (path, None);
    }

    /// Whether the place of the manifests is known.
    pub(super) fn has_manifests(&self) -> bool {
        !self.manifests.is_empty()
    }

    /// Returns where manifests may be.
    fn bounds(&self) -> Bounds<'_> {
        Bounds { project: &self.root, typed: self.manifests_typed }
    }

    /// Returns where files that were named on the command line may be: anywhere, but not through links in a folder.
    pub(super) fn typed(&self) -> Bounds<'_> {
        Bounds { project: &self.root, typed: true }
    }

    /// Returns the YAML files of the project, the manifests first, and problems with their paths.
    pub(super) fn yaml(&self) -> (Vec<Found>, Vec<Diagnostic>) {
        let (mut found, mut problems) = manifest::find(Path::new(""), &self.manifests, self.bounds());
        // Loading checked where the settings are.
        let config: Vec<PathBuf> = self.config_path.iter().cloned().collect();
        let (settings, more) = manifest::find(Path::new(""), &config, self.typed());
        let is_new = |one: &Found| found.iter().all(|other| other.real != one.real);
        let settings: Vec<Found> = settings.into_iter().filter(is_new).collect();
        found.extend(settings);
        problems.extend(more);
        (found, problems)
    }

    /// Returns the endpoint and the state of creates.
    pub(super) fn target(&self) -> Target {
        Target {
            account: self.account(),
            endpoint: self.endpoint.to_string(),
            region: self.region.clone(),
            state_path: self.state_place(),
        }
    }

    /// Returns the files and folders of the manifests, and the configuration file.
    pub(super) fn sources(&self) -> Vec<PathBuf> {
        let manifests = self.manifests.iter().cloned();
        manifests.chain(self.config_path.clone()).collect()
    }

    pub(super) fn account(&self) -> Account {
        Account { endpoint: self.endpoint.site(), uin: None }
    }

    /// Returns the limits of a run; flags beat the file.
    pub(super) fn limits(&self, max_creates: Option<u32>, max_creates_per_day: Option<u32>) -> Limits {
        let guard = &self.config.guard;
        Limits {
            max_creates: max_creates.or(guard.max_creates).map(count),
            max_creates_per_day: max_creates_per_day.or(guard.max_creates_per_day).map(count),
            max_cost: guard.max_cost,
            require_alias: self.requires_alias(),
        }
    }

    /// Returns the maximum of concurrent calls; the flag beats the file.
    pub(super) fn in_flight(&self, given: Option<u32>) -> usize {
        count(given.or(self.config.api.in_flight).unwrap_or(config::DEFAULT_IN_FLIGHT))
    }

    fn requires_alias(&self) -> bool {
        self.config.guard.require_alias.unwrap_or(true)
    }

    /// Rejects reports that could not be written or would overwrite other files, before anything is created.
    pub(super) fn guard_reports(&self, global: &Global, ui: &mut Ui) -> Result<(), Failure> {
        let guarded = self.check_report_paths(global, ui);
        // If one is rejected, none is written, not even with the error.
        ui.reports.guarded = guarded.is_ok();
        ui.reports.written = guarded.is_err();
        let named = global.config.iter().chain(&global.state);
        ui.reports.named = named
            .map(|path| {
                let path = path.display().to_string();
                path.replace(std::path::MAIN_SEPARATOR, "/")
            })
            .collect();
        guarded
    }

    fn check_report_paths(&self, global: &Global, ui: &mut Ui) -> Result<(), Failure> {
        if let Some(path) = &self.api.record {
            ui.reports.set_record(path)?;
            self.check_not_state_file(path)?;
            self.check_stays_in_project(path)?;
        } else if global.reports.is_empty() {
            return Ok(());
        }
        for path in self.config_path.iter().chain(&self.manifests) {
            ui.reports.check_unused(path)?;
        }
        let (manifests, _) = self.yaml();
        let manifests = manifests.into_iter().map(|found| Place::at(found.real));
        ui.reports.check_all_unused(manifests)?;
        for path in &global.reports {
            self.check_not_state_file(path)?;
        }
        ui.reports.check_links(&self.root)?;
        for path in &global.reports {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let has_folder = folder.is_none_or(Path::is_dir);
            if !has_folder || path.is_dir() {
                let shown = path.display().to_string();
                let shown = clean(&shown);
                return Err(Failure::new(
                    "report-path",
                    text!("--report {shown}: cannot write a file there", shown),
                )
                .help(text!("name a file in a folder that exists"))
                .help(NOTHING_SENT));
            }
        }
        Ok(())
    }

    /// Rejects writing to a file of the state.
    pub(super) fn check_not_state_file(&self, path: &Path) -> Result<(), Failure> {
        if FileStore::resolved(&self.state).owns(path)? {
            let shown = path.display().to_string();
            let shown = clean(&shown);
            return Err(Failure::new("state-file", text!("{shown} is one of the state's own files", shown))
                .help(text!("choose another file"))
                .help(NOTHING_SENT));
        }
        Ok(())
    }

    /// Rejects creating a file through a link of the project that leads out of it. Returns the path with the links to its
    /// folder resolved; opening it then follows no link.
    pub(super) fn check_stays_in_project(&self, path: &Path) -> Result<PathBuf, Failure> {
        // The file itself is new.
        let folder = path.parent().unwrap_or(Path::new(""));
        let resolved = resolve_path(folder, &self.root).map_err(|error| cannot_write(path, &error))?;
        if !resolved.leads_out_of(&self.root) {
            let name = path.file_name().unwrap_or_default();
            return Ok(resolved.resolved(folder).join(name));
        }
        let (path, end) = (path.display().to_string(), resolved.end.display().to_string());
        let (path, end) = (clean(&path), clean(&end));
        Err(Failure::new(
            "outside-project",
            text!("{path}: a link in the project points to {end}", path, end),
        )
        .help(text!("name the target folder directly; nothing was written"))
        .help(NOTHING_SENT))
    }

    /// Reads and checks every manifest.
    pub(super) fn check(&self) -> (Vec<PathBuf>, Checked) {
        self.check_as(check::Options::default(), None)
    }

    /// As [`Project::check`], with the rules for creates.
    pub(super) fn check_creates(&self, state: Option<&State>) -> (Vec<PathBuf>, Checked) {
        let require_alias = self.requires_alias();
        self.check_as(check::Options { require_alias }, state)
    }

    fn check_as(&self, options: check::Options, state: Option<&State>) -> (Vec<PathBuf>, Checked) {
        let loaded = self.load_manifests();
        let files = loaded.files.iter().map(|file| file.hash.path.clone());
        let recorded = state.into_iter().flat_map(|state| state.current().map(|(address, _)| address));
        let mut checked = check::check_beside(&loaded, options, &recorded.collect());
        checked.diagnostics.extend(self.config.warnings.iter().cloned());
        (files.collect(), checked)
    }

    pub(super) fn load_manifests(&self) -> manifest::Loaded {
        let config = self.config_path.as_deref();
        manifest::load(Path::new(""), &self.manifests, self.bounds(), config)
    }

    /// Checks the manifests with one more file.
    pub(super) fn check_with(&self, source: Arc<SourceFile>) -> Vec<Diagnostic> {
        let mut loaded = self.load_manifests();
        let parsed = manifest::parse(&source);
        loaded.diagnostics.extend(parsed.diagnostics);
        loaded.files.push(manifest::File {
            hash: ManifestHash { path: source.path.clone(), sha256: String::new() },
            source,
            documents: parsed.documents,
            complete: parsed.complete,
        });
        check::check(&loaded, check::Options::default()).diagnostics
    }

    /// Returns what the manifests declare.
    ///
    /// # Errors
    /// All problems, if there is an error.
    pub(super) fn desired(&self, ui: &Ui) -> Result<Desired, Failure> {
        Self::without_errors(self.check().1, ui)
    }

    /// As [`Project::desired`], with the rules for creates.
    pub(super) fn desired_creates(&self, state: Option<&State>, ui: &Ui) -> Result<Desired, Failure> {
        Self::without_errors(self.check_creates(state).1, ui)
    }

    fn without_errors(checked: Checked, ui: &Ui) -> Result<Desired, Failure> {
        let Checked { desired, diagnostics } = checked;
        if any_error(&diagnostics) {
            let failure = Failure::from(diagnostics);
            return Err(failure);
        }
        ui.diagnose(&diagnostics);
        Ok(desired)
    }

    pub(super) fn plan(
        &self,
        desired: &Desired,
        state: Option<&State>,
        options: Options,
    ) -> Result<Plan, Failure> {
        let declared: HashSet<&Address> =
            desired.environments.iter().map(|environment| &environment.address).collect();
        if let Some(address) = options.replaces.iter().find(|it| !declared.contains(it)) {
            return Err(unknown_address(address, desired, None)
                .help(text!("only declared environments can be replaced")));
        }
        for address in options.targets.iter().chain(&options.excludes) {
            let known = declared.contains(address) || state.is_some_and(|state| state.get(address).is_some());
            if !known {
                return Err(unknown_address(address, desired, state));
            }
        }
        check_selectors(&options)?;
        self.make(desired, state, options)
    }

    /// As [`Project::plan`], with options that were checked before.
    pub(super) fn make(
        &self,
        desired: &Desired,
        state: Option<&State>,
        options: Options,
    ) -> Result<Plan, Failure> {
        let mut target = self.target();
        // The state may know the account already.
        target.account.uin = state
            .and_then(|state| state.account.as_ref())
            .filter(|account| account.endpoint == target.account.endpoint)
            .and_then(|account| account.uin.clone());
        let plan = Plan::make(desired, state, options, target, env::now())
            .map_err(|problems| Failure::from(problems.iter().map(explain_move).collect::<Vec<_>>()))?;
        // Deposed environments are destroyed whatever the manifests declare.
        if plan.destroys().any(|step| !step.deposed) {
            let unread = manifest::find_unrecognised(Path::new(""), &self.manifests, self.bounds());
            if let Some(problem) = unread {
                return Err(Failure::from(problem).help(NOTHING_SENT));
            }
        }
        Ok(plan)
    }

    /// Returns the options of a plan; flags beat the file.
    pub(super) fn options(&self, select: &Select, changes: &Changes) -> Options {
        let Select { targets, excludes } = select.clone();
        let Changes { replaces, allow_destroy } = changes.clone();
        Options {
            mode: Mode::Normal,
            targets,
            excludes,
            replaces,
            allow_destroy: self.allows_destroy(allow_destroy),
            purge: false,
            bypass_check: false,
        }
    }

    /// Whether environments may be destroyed; the flag beats the file.
    pub(super) fn allows_destroy(&self, given: bool) -> bool {
        given || self.config.guard.allow_destroy.unwrap_or(false)
    }

    /// Returns the state with the open run merged in; None when nothing was ever created.
    pub(super) fn read_state(&self, ui: &Ui) -> Result<Option<State>, Failure> {
        let store = self.store()?;
        let snapshot = read(&*store)?;
        if let Some(journal) = &snapshot.journal {
            let started = &journal.started;
            let (run, who, pid) = (started.run, &started.who, started.pid);
            ui.diagnose(&[Diagnostic::warning(
                "open-run",
                text!("run {run} of {who} (pid {pid}) is in progress or was interrupted", run, who, pid),
            )
            .help(text!("its progress so far is shown; requests without a response count as unknown"))]);
        }
        let current = snapshot.current();
        rescue::found(&*store, current.as_ref(), ui);
        Ok(current)
    }

    /// Returns the EnvIds in all receipts, also of environments that are not in the state any more.
    pub(super) fn ids_in_receipts(&self) -> Result<BTreeSet<String>, Failure> {
        let store = self.store()?;
        let mut env_ids = BTreeSet::new();
        for receipt in store.receipts()? {
            let journal = store.receipt(&receipt)?;
            env_ids.extend(journal.env_ids().map(str::to_owned));
        }
        Ok(env_ids)
    }
}

/// Checks that this folder, or the command line, names a project.
pub(super) fn check_project(global: &Global) -> Result<(), Failure> {
    let is_named = global.config.is_some() || global.state.is_some() || !global.files.is_empty();
    // A state alone is not a project, but must not be ignored.
    let has_state = || Path::new(config::DEFAULT_STATE).symlink_metadata().is_ok();
    if is_named || folder::is_project(Path::new(".")) || has_state() {
        return Ok(());
    }
    Err(Failure::new("no-project", text!("no postpay.yaml and no environments/ in this folder or above it"))
        .help(text!("create a project: `postpay init`; or change to one: `-C DIR`"))
        .help(NOTHING_SENT))
}

/// Returns the folder of a project: this one, or that of settings that are outside of it.
fn project_folder(settings: &Path) -> Result<PathBuf, Failure> {
    let here = std::fs::canonicalize(".").map_err(|error| {
        let why = text!("cannot determine the current folder: {error}", error);
        Failure::new("chdir", why).help(NOTHING_SENT)
    })?;
    // Reading them reports when they are missing.
    let settings = std::fs::canonicalize(here.join(settings)).unwrap_or_else(|_| here.clone());
    Ok(if settings.starts_with(&here) { here } else { settings })
}

/// Returns the path with its links resolved; opening it then follows no link.
fn without_links(path: &Path, resolved: &ResolvedPath) -> PathBuf {
    // The store rejects a broken link: what the state had would be created again.
    if resolved.is_link && resolved.end.symlink_metadata().is_err() {
        return path.to_owned();
    }
    resolved.resolved(path)
}

/// Rejects a state outside of the project, also through links: a pull request could choose where files are written. A
/// `.json` file elsewhere in the repository is allowed; without a repository, one near the project. Returns the path with its
/// links resolved.
fn check_state_place(state: &Path, root: &Path) -> Result<PathBuf, Failure> {
    let resolved = match resolve_path(state, root) {
        Ok(resolved) => resolved,
        // The store reports a cycle of its own links.
        Err(error) => {
            let folder = state.parent().unwrap_or(Path::new(""));
            return match resolve_path(folder, root) {
                Ok(folder) if !folder.leads_out_of(root) => Ok(state.to_owned()),
                Ok(_) | Err(_) => Err(cannot_write(state, &error)),
            };
        }
    };
    let is_json = |path: &Path| path.extension().is_some_and(|ending| ending == "json");
    let folder = resolved.end.parent().unwrap_or(&resolved.end);
    let may_be_there = || match repository(root) {
        Some(top) => resolved.end.starts_with(top),
        None => state.is_relative() && !resolved.has_project_link && is_near(folder),
    };
    if resolved.end.starts_with(root) || (is_json(state) && is_json(&resolved.end) && may_be_there()) {
        return Ok(without_links(state, &resolved));
    }
    let (state, end) = (state.display().to_string(), resolved.end.display().to_string());
    let (state, end) = (clean(&state), clean(&end));
    Err(Failure::new(
        "outside-project",
        text!("the state {state} would be outside of the project, in {end}", state, end),
    )
    .help(text!("`state` in postpay.yaml and links in a project may only point into the project, or to a .json file in its repository"))
    .help(text!("to use another place: `--state FILE`, or POSTPAY_STATE"))
    .help(NOTHING_SENT))
}

/// Whether a folder exists, or its parent does.
fn is_near(folder: &Path) -> bool {
    folder.is_dir() || folder.parent().is_some_and(Path::is_dir)
}

/// Returns the root of the git repository of a folder.
fn repository(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.join(".git").exists())
}

/// Loads settings that were not named on the command line. They may not be outside of the project.
fn config_of_project(path: &Path, root: &Path) -> Result<Config, Failure> {
    // Reading reports why it cannot be followed.
    let Ok(real) = std::fs::canonicalize(path) else {
        return Ok(config::load(Path::new(""), path)?);
    };
    if !real.starts_with(root) {
        return Err(Failure::from(manifest::outside(path, &real)));
    }
    let shown = path.to_owned();
    let (source, _) =
        manifest::read_found(&Found { shown, real }).map_err(|problem| Failure::from(*problem))?;
    Ok(config::parse(&source)?)
}

/// Explains a `moved` block that cannot be applied, at its line.
fn explain_move(problem: &MoveProblem) -> Diagnostic {
    let MoveProblem { moved, why } = problem;
    let (code, message, help) = why.explain();
    let diagnostic = Diagnostic::error(code, message);
    let diagnostic = if let Some(span) = Lines::default().span(&moved.source) {
        diagnostic.at(&span, Text::fixed("this move"))
    } else {
        let source = &moved.source;
        diagnostic.help(text!("it is declared in {source}", source))
    };
    diagnostic.help(help).help(NOTHING_SENT)
}

/// Rejects options that contradict each other.
fn check_selectors(options: &Options) -> Result<(), Failure> {
    let is_selected = options.filter();
    let why = if let Some(address) = options.targets.iter().find(|it| !is_selected(it)) {
        text!("`{address}` is both in --target and in --exclude", address)
    } else if let Some(address) = options.replaces.iter().find(|it| !is_selected(it)) {
        text!("`{address}` is in --replace, but --target or --exclude leaves it out", address)
    } else {
        return Ok(());
    };
    Err(Failure::new("selectors", why).help(NOTHING_SENT))
}

pub(super) fn unknown_address(address: &Address, desired: &Desired, state: Option<&State>) -> Failure {
    let declared = desired.environments.iter().map(|environment| environment.address.as_str());
    let recorded = state.into_iter().flat_map(|state| state.current().map(|(address, _)| address.as_str()));
    let known: Vec<&str> = declared.chain(recorded).collect();
    let near = check::near::nearest(address.as_str(), &known);
    let failure = Failure::new(
        "unknown-address",
        text!("no environment has the address `{address}`, in the manifests or in the state", address),
    );
    match near {
        Some(near) => failure.help(text!("did you mean `{near}`?", near)),
        None => failure.help(text!("run `postpay show` to list the addresses in the state")),
    }
    .help(NOTHING_SENT)
}

fn count(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// Reads the URL of a database. A password comes from the environment or a password file, as with libpq.
fn location(url: &Path) -> Result<Location, Text> {
    let url = url.to_str().ok_or_else(|| text!("not a PostgreSQL URL: {error}", error = "not UTF-8"))?;
    let file = env::raw_variable("PGPASSFILE").map(PathBuf::from);
    let file = file.or_else(|| Some(env::home()?.join(".pgpass")));
    Location::parse(url, env::raw_variable, |host, port, database, user| {
        let Some(file) = file.as_deref().filter(|file| file.exists()) else {
            return Ok(None);
        };
        let text = files::read(file, Links::Followed, MAX_PASSWORD_FILE).map_err(|error| {
            let path = file.display();
            text!("cannot read {path}: {error}", path, error)
        })?;
        Ok(postgres::find_password(&String::from_utf8_lossy(&text), host, port, database, user))
    })
}

/// Far more than a password file holds, in bytes.
const MAX_PASSWORD_FILE: u64 = 1 << 20;
