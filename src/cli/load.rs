//! From flags, variables and files to the project at hand: configuration, manifests, state, endpoint.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::failure::{Failure, Lines, NOTHING_SENT, cant_write};
use super::folder;
use super::options::{Api, Changes, Global, Select};
use super::reports::way;
use super::rescue;
use super::world::World;
use crate::check::{self, Checked};
use crate::config::{self, Config, Endpoint, Language};
use crate::diagnostic::{Diagnostic, SourceFile, any_error};
use crate::files::{Place, ResolvedPath};
use crate::i18n::{Text, text};
use crate::manifest::{self, Bounds, Found};
use crate::model::{Address, Desired, ManifestHash};
use crate::plan::guard::Limits;
use crate::plan::moves::MoveProblem;
use crate::plan::{Mode, Options, Plan, Target};
use crate::report::clean;
use crate::state::{Account, State, StateStore, read};

/// Where everything is, and how Tencent Cloud is called: flags over variables over postpay.yaml over defaults.
#[derive(Debug)]
pub(super) struct Project {
    pub config: Config,
    config_path: Option<PathBuf>,
    /// The folder that nothing leads out of which a file of the project names; whole and without links.
    root: PathBuf,
    manifests: Vec<PathBuf>,
    /// They were named by whoever runs this, and not by the project.
    manifests_typed: bool,
    pub state: PathBuf,
    pub endpoint: Endpoint,
    /// By flag or variable, rather than by a file that a pull request may change.
    pub endpoint_is_given: bool,
    pub rate: f64,
    pub region: Option<String>,
    pub language: Language,
    pub timeout: Duration,
    /// As it was given; what is merged from it stands above.
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

    /// As [`Self::load`], also where there is no project: everything is as by default then.
    pub(super) fn load_anywhere(global: &Global, api: &Api) -> Result<Self, Failure> {
        let (project, wrong) = Self::load_as_far(global, api)?;
        match wrong {
            None => Ok(project),
            Some(failure) => Err(failure),
        }
    }

    /// The project, and what is wrong with its settings: they are as if nothing were set then, so that all else can be checked.
    pub(super) fn load_as_far(global: &Global, api: &Api) -> Result<(Self, Option<Failure>), Failure> {
        let (config_path, misnamed) = match &global.config {
            Some(path) => (Some(path.clone()), None),
            None => match config::find(Path::new(".")) {
                Ok(name) => (name.map(PathBuf::from), None),
                Err(problem) => (None, Some(Failure::from(*problem).help(NOTHING_SENT))),
            },
        };
        // Paths in the file are meant from where the file is.
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
            // Where they are may be what could not be read.
            declared.filter(|path| wrong.is_none() || path.exists()).collect()
        } else {
            global.files.clone()
        };
        let state = if let Some(path) = &global.state {
            if let Err(why) = config::check_state(path) {
                return Err(Failure::new("state-path", text!("--state: {why}", why)).help(NOTHING_SENT));
            }
            // Where its links go round, whoever opens it says so.
            way(path, &root).map_or_else(|_| path.clone(), |way| settled(path, &way))
        } else {
            let declared = config.state.as_deref();
            let path = base.join(declared.unwrap_or(Path::new(config::DEFAULT_STATE)));
            match stays_in(&path, &root) {
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
            endpoint_is_given: global.endpoint.is_some(),
            endpoint: global.endpoint.clone().or_else(|| config.api.endpoint.clone()).unwrap_or_default(),
            rate: api.rate.or(config.api.rate).unwrap_or(config::DEFAULT_RATE),
            region: api.region.as_ref().or(config.api.region.as_ref()).map(ToString::to_string),
            language: api.api_language.or(config.api.language).unwrap_or(config::DEFAULT_LANGUAGE),
            timeout: api.timeout.or(config.api.timeout).unwrap_or(config::DEFAULT_TIMEOUT),
            config,
            api: api.clone(),
        };
        if wrong.is_none() {
            wrong = project.check_state().err();
        }
        Ok((project, wrong))
    }

    /// Refuses a state that is a manifest or the settings, or would be read as a manifest.
    fn check_state(&self) -> Result<(), Failure> {
        let end = |path: &Path| Some(Place::resolve(path).ok()?.end().to_owned());
        // What can't be followed can't be used either, which says why.
        let Some(state) = end(&self.state) else {
            return Ok(());
        };
        let is_config = self.config_path.iter().any(|path| end(path).as_ref() == Some(&state));
        let mut manifests = self.manifests.iter().filter_map(|path| end(path));
        let is_manifest = manifests.any(|path| {
            // A state that is named as a manifest gets an error of its own.
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

    /// Whether it is known where the manifests are.
    pub(super) fn has_manifests(&self) -> bool {
        !self.manifests.is_empty()
    }

    /// How far the manifests may lead.
    fn bounds(&self) -> Bounds<'_> {
        Bounds { project: &self.root, typed: self.manifests_typed }
    }

    /// How far what is typed may lead: anywhere, but for what is found in a folder.
    pub(super) fn typed(&self) -> Bounds<'_> {
        Bounds { project: &self.root, typed: true }
    }

    /// Every file that is YAML of this project: its manifests, then its settings. What is wrong with the paths comes with it.
    pub(super) fn yaml(&self) -> (Vec<Found>, Vec<Diagnostic>) {
        let (mut found, mut problems) = manifest::find(Path::new(""), &self.manifests, self.bounds());
        // They were read by now, so they lead where they may.
        let config: Vec<PathBuf> = self.config_path.iter().cloned().collect();
        let (settings, more) = manifest::find(Path::new(""), &config, self.typed());
        let is_new = |one: &Found| found.iter().all(|other| other.real != one.real);
        let settings: Vec<Found> = settings.into_iter().filter(is_new).collect();
        found.extend(settings);
        problems.extend(more);
        (found, problems)
    }

    /// Where orders go, and where they are recorded.
    pub(super) fn target(&self) -> Target {
        Target {
            account: self.account(),
            endpoint: self.endpoint.to_string(),
            region: self.region.clone(),
            state_path: self.state.display().to_string(),
        }
    }

    /// The manifests' files and folders, and the configuration, if there is one.
    pub(super) fn sources(&self) -> Vec<PathBuf> {
        let manifests = self.manifests.iter().cloned();
        manifests.chain(self.config_path.clone()).collect()
    }

    pub(super) fn account(&self) -> Account {
        Account { endpoint: self.endpoint.site(), uin: None }
    }

    /// How much a run may order; what is given beats what the file says.
    pub(super) fn limits(&self, max_creates: Option<u32>, max_creates_per_day: Option<u32>) -> Limits {
        let guard = &self.config.guard;
        Limits {
            max_creates: max_creates.or(guard.max_creates).map(count),
            max_creates_per_day: max_creates_per_day.or(guard.max_creates_per_day).map(count),
            max_cost: guard.max_cost,
            require_alias: self.requires_alias(),
        }
    }

    /// How many calls may be under way at once; what is given beats what the file says.
    pub(super) fn in_flight(&self, given: Option<u32>) -> usize {
        count(given.or(self.config.api.in_flight).unwrap_or(config::DEFAULT_IN_FLIGHT))
    }

    fn requires_alias(&self) -> bool {
        self.config.guard.require_alias.unwrap_or(true)
    }

    /// Refuses reports that could not be written, or would overwrite a file of the state's own: a run that costs money is
    /// no time to find that out.
    pub(super) fn guard_reports(&self, global: &Global, world: &mut World) -> Result<(), Failure> {
        let guarded = self.hold_against_files(global, world);
        // Where one of them may not be written, none is: not even to say so.
        world.reports.guarded = guarded.is_ok();
        world.reports.written = guarded.is_err();
        let named = global.config.iter().chain(&global.state);
        world.reports.named = named
            .map(|path| {
                let path = path.display().to_string();
                path.replace(std::path::MAIN_SEPARATOR, "/")
            })
            .collect();
        guarded
    }

    fn hold_against_files(&self, global: &Global, world: &mut World) -> Result<(), Failure> {
        if let Some(path) = &self.api.record {
            world.reports.spare_record(path)?;
            self.not_the_states(path, world)?;
            self.keeps_in(path)?;
        } else if global.reports.is_empty() {
            return Ok(());
        }
        for path in self.config_path.iter().chain(&self.manifests) {
            world.reports.spare(path)?;
        }
        let (manifests, _) = self.yaml();
        let manifests = manifests.into_iter().map(|found| Place::at(found.real));
        world.reports.spare_all(manifests)?;
        for path in &global.reports {
            self.not_the_states(path, world)?;
        }
        world.reports.keep_in(&self.root)?;
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

    /// Refuses to write to a file of the state's own.
    pub(super) fn not_the_states(&self, path: &Path, world: &World) -> Result<(), Failure> {
        if world.store(&self.state).owns(path)? {
            let shown = path.display().to_string();
            let shown = clean(&shown);
            return Err(Failure::new("state-file", text!("{shown} is one of the state's own files", shown))
                .help(text!("choose another file"))
                .help(NOTHING_SENT));
        }
        Ok(())
    }

    /// Refuses to make a file in a folder that a link of the project leads to, out of the project. Gives the path with links to
    /// its folder resolved: one that is there later is an error for whoever makes the file.
    pub(super) fn keeps_in(&self, path: &Path) -> Result<PathBuf, Failure> {
        // The file itself is created, and follows no link.
        let folder = path.parent().unwrap_or(Path::new(""));
        let way = way(folder, &self.root).map_err(|error| cant_write(path, &error))?;
        if !way.leads_out_of(&self.root) {
            let name = path.file_name().unwrap_or_default();
            return Ok(way.resolved(folder).join(name));
        }
        let (path, end) = (path.display().to_string(), way.end.display().to_string());
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

    /// As [`Project::check`], for whoever creates what is declared and not in the state.
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

    fn load_manifests(&self) -> manifest::Loaded {
        let config = self.config_path.as_deref();
        manifest::load(Path::new(""), &self.manifests, self.bounds(), config)
    }

    /// What there would be to say of the manifests with one more file beside them.
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

    /// What the manifests ask for; every problem at once if they can't be used.
    pub(super) fn desired(&self, world: &World) -> Result<Desired, Failure> {
        Self::usable(self.check().1, world)
    }

    /// As [`Project::desired`], for whoever creates what is declared and not in the state.
    pub(super) fn desired_creates(&self, state: Option<&State>, world: &World) -> Result<Desired, Failure> {
        Self::usable(self.check_creates(state).1, world)
    }

    fn usable(checked: Checked, world: &World) -> Result<Desired, Failure> {
        let Checked { desired, diagnostics } = checked;
        if any_error(&diagnostics) {
            let failure = Failure::from(diagnostics);
            return Err(failure);
        }
        world.diagnose(&diagnostics);
        Ok(desired)
    }

    pub(super) fn plan(
        &self,
        desired: &Desired,
        state: Option<&State>,
        options: Options,
        world: &World,
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
        self.make(desired, state, options, world)
    }

    /// As [`Project::plan`], with options that were looked at before.
    pub(super) fn make(
        &self,
        desired: &Desired,
        state: Option<&State>,
        options: Options,
        world: &World,
    ) -> Result<Plan, Failure> {
        let mut target = self.target();
        // Whose account it is for is known before anybody is asked, where the state knows.
        target.account.uin = state
            .and_then(|state| state.account.as_ref())
            .filter(|account| account.endpoint == target.account.endpoint)
            .and_then(|account| account.uin.clone());
        let plan = Plan::make(desired, state, options, target, world.now())
            .map_err(|problems| Failure::from(problems.iter().map(moved).collect::<Vec<_>>()))?;
        // What was replaced is destroyed whatever the manifests say.
        if plan.destroys().any(|step| !step.deposed) {
            let unread = manifest::find_unrecognised(Path::new(""), &self.manifests, self.bounds());
            if let Some(problem) = unread {
                return Err(Failure::from(problem).help(NOTHING_SENT));
            }
        }
        Ok(plan)
    }

    /// What a plan is asked to be; what is given beats what the file says.
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

    /// Whether anything may be destroyed; the flag beats the file.
    pub(super) fn allows_destroy(&self, given: bool) -> bool {
        given || self.config.guard.allow_destroy.unwrap_or(false)
    }

    /// The state with an open run folded in; None when nothing was ever ordered.
    pub(super) fn recorded(&self, world: &World) -> Result<Option<State>, Failure> {
        let store = world.store(&self.state);
        let snapshot = read(&store)?;
        if let Some(journal) = &snapshot.journal {
            let started = &journal.started;
            let (run, who, pid) = (started.run, &started.who, started.pid);
            world.diagnose(&[Diagnostic::warning(
                "open-run",
                text!("run {run} of {who} (pid {pid}) is in progress or was interrupted", run, who, pid),
            )
            .help(text!("its progress so far is shown; requests without a response count as unknown"))]);
        }
        let current = snapshot.current();
        rescue::found(&store, current.as_ref(), world);
        Ok(current)
    }

    /// The ids of every environment that a finished run created or put in the state, whether or not the state still has it.
    pub(super) fn ids_in_receipts(&self, world: &World) -> Result<BTreeSet<String>, Failure> {
        let store = world.store(&self.state);
        let mut env_ids = BTreeSet::new();
        for receipt in store.receipts()? {
            let journal = store.receipt(&receipt)?;
            env_ids.extend(journal.env_ids().map(str::to_owned));
        }
        Ok(env_ids)
    }
}

/// Fails where neither files nor options make a project.
pub(super) fn check_project(global: &Global) -> Result<(), Failure> {
    let is_named = global.config.is_some() || global.state.is_some() || !global.files.is_empty();
    // A state alone is no project, and nothing that may be passed over.
    let has_state = || Path::new(config::DEFAULT_STATE).symlink_metadata().is_ok();
    if is_named || folder::is_project(Path::new(".")) || has_state() {
        return Ok(());
    }
    Err(Failure::new("no-project", text!("no postpay.yaml and no environments/ in this folder or above it"))
        .help(text!("create a project: `postpay init`; or change to one: `-C DIR`"))
        .help(NOTHING_SENT))
}

/// The folder that a project is in: the one that we are in, or that of the settings where they lie elsewhere.
fn project_folder(settings: &Path) -> Result<PathBuf, Failure> {
    let here = std::fs::canonicalize(".").map_err(|error| {
        let why = text!("cannot determine the current folder: {error}", error);
        Failure::new("chdir", why).help(NOTHING_SENT)
    })?;
    // Where they are not there, reading them says so.
    let settings = std::fs::canonicalize(here.join(settings)).unwrap_or_else(|_| here.clone());
    Ok(if settings.starts_with(&here) { here } else { settings })
}

/// A path that was followed, with its links resolved: one that is there later is an error.
fn settled(path: &Path, way: &ResolvedPath) -> PathBuf {
    // A link to nothing is left for the store to refuse: what it holds would be ordered again.
    if way.is_link && way.end.symlink_metadata().is_err() {
        return path.to_owned();
    }
    way.resolved(path)
}

/// Refuses a state that the project would have kept elsewhere: whoever may change the project would have folders and files made
/// where they like. It is kept in the project, or as a `.json` file elsewhere in the repository that the project is in, also
/// where a link in its place leads; where there is no repository, nobody asks for a change of it. Gives the path with its links
/// resolved.
fn stays_in(state: &Path, root: &Path) -> Result<PathBuf, Failure> {
    let way = match way(state, root) {
        Ok(way) => way,
        // Its own links go round, which the store says, or those to its folder.
        Err(error) => {
            let folder = state.parent().unwrap_or(Path::new(""));
            return match way(folder, root) {
                Ok(folder) if !folder.leads_out_of(root) => Ok(state.to_owned()),
                Ok(_) | Err(_) => Err(cant_write(state, &error)),
            };
        }
    };
    let is_json = |path: &Path| path.extension().is_some_and(|ending| ending == "json");
    let folder = way.end.parent().unwrap_or(&way.end);
    let may_be_there = || match repository(root) {
        Some(top) => way.end.starts_with(top),
        None => state.is_relative() && !way.has_project_link && is_near(folder),
    };
    if way.end.starts_with(root) || (is_json(state) && is_json(&way.end) && may_be_there()) {
        return Ok(settled(state, &way));
    }
    let (state, end) = (state.display().to_string(), way.end.display().to_string());
    let (state, end) = (clean(&state), clean(&end));
    Err(Failure::new(
        "outside-project",
        text!("the state {state} would be outside of the project, in {end}", state, end),
    )
    .help(text!("`state` in postpay.yaml and links in a project may only point into the project, or to a .json file in its repository"))
    .help(text!("to use another place: `--state FILE`, or POSTPAY_STATE"))
    .help(NOTHING_SENT))
}

/// Whether a folder is there, or the one that it would be made in is.
fn is_near(folder: &Path) -> bool {
    folder.is_dir() || folder.parent().is_some_and(Path::is_dir)
}

/// The top of the git repository that a folder is in.
fn repository(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.join(".git").exists())
}

/// The settings that nobody named: whoever may change the project chose where they lead.
fn config_of_project(path: &Path, root: &Path) -> Result<Config, Failure> {
    // What can't be followed can't be read either, which says why.
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

/// A `moved` block that does not fit, with the line that it stands in.
fn moved(problem: &MoveProblem) -> Diagnostic {
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
