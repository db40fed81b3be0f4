//! The pipelines of `postpay init --ci`, and the hooks for pre-commit: what they say fits what reads them, keeps secrets to
//! the one step that needs them, and orders nothing twice although runners are thrown away.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Project, Ran, assert_shown};

const WORKFLOWS: [&str; 3] = [
    ".github/workflows/postpay-apply.yml",
    ".github/workflows/postpay-drift.yml",
    ".github/workflows/postpay-plan.yml",
];
const ACTION: &str = ".github/actions/setup-postpay/action.yml";
const JOBS: &str = ".gitlab-ci.yml";
const REPORT: &str = ".gitlab/show-report.py";

fn repository(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A new project with both pipelines.
fn piped() -> Project {
    let project = Project::empty();
    for kind in ["github", "gitlab"] {
        project.run(["init", "--ci", kind]).exits(0);
    }
    project
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        println!("skipped: there is no {program} on PATH");
    }
    found
}

/// Every value of this key, wherever it stands, with the place it stands in.
fn members<'a>(value: &'a Value, key: &str, at: &str, found: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                let at = format!("{at}.{name}");
                if name == key {
                    found.push((at.clone(), inner));
                }
                members(inner, key, &at, found);
            }
        }
        Value::Array(items) => {
            for (place, inner) in items.iter().enumerate() {
                members(inner, key, &format!("{at}.{place}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn all<'a>(value: &'a Value, key: &str) -> Vec<(String, &'a Value)> {
    let mut found = Vec::new();
    members(value, key, "", &mut found);
    found
}

/// A step of a job, by its name.
fn script(project: &Project, job: &str, step: &str) -> String {
    let workflow = yaml(&project.read(WORKFLOWS[0]));
    let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
    let found = steps.iter().find(|it| it["name"] == step).unwrap();
    found["run"].as_str().unwrap().to_owned()
}

#[test]
fn init_writes_a_pipeline_and_takes_nothing_away() {
    for (kind, files) in
        [("github", &[WORKFLOWS.as_slice(), &[ACTION]].concat()), ("gitlab", &vec![JOBS, REPORT])]
    {
        let project = Project::empty();
        assert_shown!(format!("ci-init-{kind}"), project.run(["init", "--ci", kind]).exits(0));
        project.run(["plan"]).exits(0).says(&["2 to create"]);
        let before = project.files();
        project.run(["init", "--ci", kind]).exits(1).says(&["error[init-exists]"]);
        assert_eq!(before, project.files());

        // In a project that is there, only the pipeline is added.
        let project = Project::of(&["one"]);
        let before = project.files();
        project.run(["init", "--ci", kind]).exits(0);
        let mut after = project.files();
        for file in files {
            assert!(after.remove(Path::new(file)).is_some(), "{file}");
        }
        assert_eq!(before, after);
    }
    let help = Project::empty().run(["init", "--ci", "jenkins"]).exits(1);
    help.says(&["github, gitlab"]);
}

#[test]
fn the_examples_hold_what_init_writes() {
    let project = piped();
    for (example, files) in
        [("ci-github", [WORKFLOWS.as_slice(), &[ACTION]].concat()), ("ci-gitlab", vec![JOBS, REPORT])]
    {
        for file in files {
            let path = repository("examples").join(example).join(file);
            let kept = fs::read_to_string(&path).unwrap();
            assert_eq!(kept, project.read(file), "{}", path.display());
        }
    }
}

#[test]
fn every_pipeline_fits_its_schema() {
    let project = piped();
    let mut files = vec![(ACTION, "github-actions.json"), (JOBS, "gitlab-ci.json")];
    files.extend(WORKFLOWS.map(|file| (file, "github-workflows.json")));
    for (file, schema) in files {
        let schema = repository("tests/suite/fixtures/ci").join(schema);
        let schema = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
        let schema = jsonschema::validator_for(&schema).unwrap();
        let value = yaml(&project.read(file));
        if let Err(error) = schema.validate(&value) {
            panic!("{file}: {error} at {}", error.instance_path());
        }
    }
}

#[test]
fn actionlint_has_nothing_to_say() {
    if !is_there("actionlint") {
        return;
    }
    let project = piped();
    for file in WORKFLOWS {
        let mut command = Command::new("actionlint");
        project.settle(&mut command);
        Ran::from(command.arg(file).output().unwrap()).exits(0);
    }
}

#[test]
fn actions_are_pinned_to_commits_and_name_their_version() {
    let project = piped();
    for file in WORKFLOWS {
        let text = project.read(file);
        let uses = text.lines().filter_map(|line| line.split_once("uses: "));
        for (_, action) in uses {
            if action == "./.github/actions/setup-postpay" {
                continue;
            }
            let (name, version) = action.split_once(" # v").unwrap();
            let (name, commit) = name.split_once('@').unwrap();
            assert!(name.starts_with("actions/"), "{file}: {action}");
            let is_commit = commit.len() == 40 && commit.bytes().all(|c| c.is_ascii_hexdigit());
            assert!(is_commit, "{file}: {action}");
            assert_eq!(version.split('.').count(), 3, "{file}: {action}");
        }
    }
    let jobs = yaml(&project.read(JOBS));
    for (at, image) in all(&jobs, "image") {
        let (_, tag) = image.as_str().unwrap().split_once(':').unwrap();
        assert!(tag.split('.').count() >= 3, "{at}: {image}");
    }
}

#[test]
fn workflows_may_do_as_little_as_they_need() {
    let project = piped();
    let allowed = [
        ("postpay-apply", "plan", r#"{"contents":"read"}"#),
        ("postpay-apply", "apply", r#"{"contents":"write"}"#),
        ("postpay-drift", "drift", r#"{"contents":"read"}"#),
        ("postpay-drift", "issue", r#"{"issues":"write"}"#),
        ("postpay-plan", "plan", r#"{"contents":"read"}"#),
        ("postpay-plan", "comment", r#"{"pull-requests":"write"}"#),
    ];
    let mut seen = 0;
    for file in WORKFLOWS {
        let workflow = yaml(&project.read(file));
        assert_eq!(workflow["permissions"], serde_json::json!({}), "{file}");
        assert!(workflow["concurrency"]["group"].is_string(), "{file}");
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            let (.., permissions) = allowed
                .iter()
                .find(|(workflow, job, _)| file.contains(workflow) && job == name)
                .unwrap_or_else(|| panic!("{file}: {name}"));
            assert_eq!(job["permissions"].to_string(), *permissions, "{file}: {name}");
            assert!(job["timeout-minutes"].is_u64(), "{file}: {name}");
            seen += 1;
        }
        for (at, persist) in all(&workflow, "persist-credentials") {
            assert_eq!(persist, false, "{file}: {at}");
        }
        let checkouts = project.read(file).matches("actions/checkout@").count();
        assert_eq!(checkouts, all(&workflow, "persist-credentials").len(), "{file}");
    }
    assert_eq!(seen, allowed.len());
    let plan = yaml(&project.read(".github/workflows/postpay-plan.yml"));
    let events: Vec<_> = plan["on"].as_object().unwrap().keys().collect();
    assert_eq!(events, ["pull_request"]);
    let apply = yaml(&project.read(WORKFLOWS[0]));
    assert_eq!(apply["concurrency"]["cancel-in-progress"], false);
    assert_eq!(apply["jobs"]["apply"]["environment"], "postpay");
    let jobs = yaml(&project.read(JOBS));
    let apply = &jobs["postpay:apply"];
    assert_eq!(apply["resource_group"], "postpay");
    assert_eq!(apply["interruptible"], false);
    assert_eq!(apply["rules"][0]["when"], "manual");
}

#[test]
fn secrets_are_the_environment_of_one_step_and_nothing_else() {
    let project = piped();
    for (file, secrets) in [(WORKFLOWS[0], 2), (WORKFLOWS[1], 2), (WORKFLOWS[2], 0), (ACTION, 0)] {
        let text = project.read(file);
        assert_eq!(text.matches("secrets.").count(), secrets, "{file}");
        let workflow = yaml(&text);
        let mut in_steps = 0;
        for (at, env) in all(&workflow, "env") {
            for (name, value) in env.as_object().unwrap() {
                let value = value.as_str().unwrap();
                if value.contains("secrets.") {
                    assert!(at.contains(".steps."), "{file}: {at}");
                    assert_eq!(value, format!("${{{{ secrets.{name} }}}}"));
                    in_steps += 1;
                }
            }
        }
        assert_eq!(in_steps, secrets, "{file}");
        for key in ["run", "script"] {
            for (at, text) in all(&workflow, key) {
                let text = text.as_str().unwrap();
                // What a stranger wrote would become part of the program.
                assert!(!text.contains("${{"), "{file}: {at}");
                assert!(!text.contains("TENCENTCLOUD"), "{file}: {at}");
                assert!(!text.contains("set -x"), "{file}: {at}");
                if key == "run" {
                    assert!(text.starts_with("set -euo pipefail\n"), "{file}: {at}");
                }
            }
        }
    }
    let jobs = yaml(&project.read(JOBS));
    for (at, script) in all(&jobs, "script") {
        for text in script.as_array().unwrap() {
            let text = text.as_str().unwrap();
            assert!(text.starts_with("set -euo pipefail\n"), "{at}");
            for line in text.lines().filter(|line| line.contains("TENCENTCLOUD")) {
                let is_handed_on = line.trim().starts_with("export -n TENCENTCLOUD")
                    || line.trim().starts_with("TENCENTCLOUD_SECRET_ID=");
                assert!(is_handed_on && at.contains("postpay:apply"), "{at}: {line}");
            }
        }
    }
}

#[test]
fn every_script_is_one() {
    if !is_there("bash") {
        return;
    }
    let project = piped();
    let mut scripts = Vec::new();
    for file in [WORKFLOWS.as_slice(), &[ACTION]].concat() {
        for (at, text) in all(&yaml(&project.read(file)), "run") {
            scripts.push((format!("{file}{at}"), text.as_str().unwrap().to_owned()));
        }
    }
    for (at, script) in all(&yaml(&project.read(JOBS)), "script") {
        for text in script.as_array().unwrap() {
            scripts.push((format!("{JOBS}{at}"), text.as_str().unwrap().to_owned()));
        }
    }
    assert!(scripts.len() >= 15);
    for (at, text) in scripts {
        project.write("script.sh", text);
        let mut command = Command::new("bash");
        project.settle(&mut command);
        let ran = Ran::from(command.args(["-n", "script.sh"]).output().unwrap());
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{at}");
    }
}

/// How a job ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Well,
    /// Behind the orders, and before anything is saved.
    RunnerLost,
    OutcomeUnknown,
}

fn with_fault(script: &str) -> String {
    let faulty = script.replace("--deadline 5h", "--deadline 5h --fault reset-after@2");
    assert_ne!(script, faulty);
    faulty
}

/// A repository with a project, and a runner: a fresh clone of it for every run, thrown away behind it.
struct Runner {
    project: Project,
    gitlab: bool,
}

impl Runner {
    fn new(gitlab: bool) -> Self {
        let project = piped();
        // What the embedded endpoint remembers stands for the account, which outlives every runner.
        project.write(".gitignore", "*.state.lock\n/origin\n/run-*\n/plan*.json\n");
        let runner = Self { project, gitlab };
        runner.sh(".", "git init --quiet && git add --all && git commit --quiet -m One");
        runner.sh(".", "git clone --quiet --bare . origin");
        runner.sh("origin", "git config receive.advertisePushOptions true");
        runner
    }

    fn shell(&self, folder: &str, script: &str) -> Ran {
        let temp = self.project.file(folder).join("temp");
        let mut command = Command::new("bash");
        self.project.settle(&mut command);
        let program = Path::new(env!("CARGO_BIN_EXE_postpay")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let folders = std::iter::once(program.to_owned()).chain(std::env::split_paths(&path));
        for (name, value) in [("NAME", "Ada"), ("EMAIL", "ada@example.com")] {
            for who in ["AUTHOR", "COMMITTER"] {
                command.env(format!("GIT_{who}_{name}"), value);
            }
        }
        command
            .current_dir(self.project.file(folder))
            .env("PATH", std::env::join_paths(folders).unwrap())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "init.defaultBranch")
            .env("GIT_CONFIG_VALUE_0", "main")
            .env("RUNNER_TEMP", &temp)
            .env("GITHUB_STEP_SUMMARY", "/dev/null")
            .env("GITHUB_RUN_ID", folder)
            .env("GITHUB_RUN_ATTEMPT", "1")
            .env("CI_JOB_ID", folder)
            .env("CI_DEFAULT_BRANCH", "main")
            .env("CI_SERVER_HOST", "example.com")
            .env("CI_PROJECT_URL", self.project.file("origin"))
            .args(["-c", script]);
        Ran::from(command.output().unwrap())
    }

    fn sh(&self, folder: &str, script: &str) -> String {
        self.shell(folder, script).exits(0).stdout
    }

    /// A fresh clone with a plan that was made elsewhere.
    fn clone(&self, name: &str) {
        self.sh(".", &format!("git clone --quiet origin {name}"));
        fs::create_dir_all(self.project.file(name).join("temp")).unwrap();
        self.project.write(&format!("{name}/.git/info/exclude"), "/temp\n/plan.json\n/.postpay\n");
        if self.gitlab {
            // GitLab names the repository by its page, with `.git` behind it.
            let link = self.project.file("origin.git");
            let _ = std::os::unix::fs::symlink(self.project.file("origin"), link);
            let bin = self.project.file(name).join(".postpay/bin");
            fs::create_dir_all(&bin).unwrap();
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_postpay"), bin.join("postpay")).unwrap();
        }
        let plan = self.project.file("plan.json");
        if plan.exists() {
            let there = if self.gitlab { "plan.json" } else { "temp/plan.json" };
            fs::copy(plan, self.project.file(name).join(there)).unwrap();
        }
    }

    fn plan(&self, name: &str) {
        self.clone(name);
        let out = self.project.file("plan.json");
        self.sh(name, &format!("postpay plan -o '{}'", out.display()));
    }

    /// What the job does from its claim on.
    fn apply(&self, name: &str, ends: Ends) -> Ran {
        let project = &self.project;
        if self.gitlab {
            let jobs = yaml(&project.read(JOBS));
            let mut text = jobs["postpay:apply"]["script"][0].as_str().unwrap().to_owned();
            if ends == Ends::OutcomeUnknown {
                text = with_fault(&text);
            }
            if ends == Ends::RunnerLost {
                text = text.replacen("mkdir -p state", "kill -9 $$", 1);
            }
            return self.shell(name, &text);
        }
        let claimed = self.shell(name, &script(project, "apply", "Claim the state"));
        if claimed.code != Some(0) {
            return claimed;
        }
        self.sh(name, &script(project, "apply", "Take the newest state"));
        let mut text = script(project, "apply", "Apply");
        if ends == Ends::OutcomeUnknown {
            text = with_fault(&text);
        }
        let applied = self.shell(name, &text);
        if ends != Ends::RunnerLost {
            self.sh(name, &script(project, "apply", "Save the state"));
        }
        applied
    }

    fn branches(&self) -> String {
        self.sh("origin", "git for-each-ref --format='%(refname:short)' refs/heads")
    }

    fn orders(&self, name: &str) -> usize {
        let ledger = format!("{name}/state/postpay.sandbox.jsonl");
        if !self.project.exists(&ledger) {
            return 0;
        }
        let entries = self.project.ledger_at(&ledger);
        entries.iter().filter(|entry| entry.acted).count()
    }
}

#[test]
fn a_pipeline_orders_a_plan_once_however_often_it_is_run_again() {
    if !is_there("git") || !is_there("bash") {
        return;
    }
    for gitlab in [false, true] {
        let runner = Runner::new(gitlab);
        runner.plan("run-plan");
        // The clone is taken before the first run saves: a job that is run again starts as early as that.
        runner.clone("run-1");
        runner.clone("run-2");
        runner.apply("run-1", Ends::Well).exits(0);
        assert_eq!(runner.orders("run-1"), 2, "gitlab: {gitlab}");
        assert_eq!(runner.branches(), "main\n");
        let again = runner.apply("run-2", Ends::Well).exits(1);
        again.says(&["already applied"]);
        assert_eq!(runner.orders("run-2"), 2, "it saw the first run's");
        assert_eq!(runner.branches(), "main\n", "nothing was left to save");
        runner.plan("run-last");
        let shown = runner.sh("run-last", "postpay plan");
        assert!(shown.contains("No changes."), "{shown}");
    }
}

#[test]
fn an_unknown_outcome_is_saved_and_not_ordered_again() {
    if !is_there("git") || !is_there("bash") {
        return;
    }
    for gitlab in [false, true] {
        let runner = Runner::new(gitlab);
        runner.plan("run-plan");
        runner.clone("run-1");
        runner.apply("run-1", Ends::OutcomeUnknown).exits(4);
        assert_eq!(runner.branches(), "main\n", "gitlab: {gitlab}");
        runner.clone("run-2");
        let shown = runner.sh("run-2", "postpay plan");
        assert!(shown.contains("postpay resolve"), "{shown}");
        assert!(!shown.contains("to create"), "{shown}");
    }
}

#[test]
fn a_runner_that_was_lost_holds_up_every_other() {
    if !is_there("git") || !is_there("bash") {
        return;
    }
    for gitlab in [false, true] {
        let runner = Runner::new(gitlab);
        runner.plan("run-plan");
        runner.clone("run-1");
        runner.apply("run-1", Ends::RunnerLost);
        assert_eq!(runner.orders("run-1"), 2, "gitlab: {gitlab}");
        assert_eq!(runner.branches(), "main\npostpay-applying\n");
        for name in ["run-2", "run-3"] {
            runner.clone(name);
            let held = runner.apply(name, Ends::Well).exits(1);
            held.says(&["postpay-applying is there"]);
            assert_eq!(runner.orders(name), 0, "gitlab: {gitlab}");
        }
    }
}

#[test]
fn the_hooks_for_pre_commit_are_hooks() {
    let text = fs::read_to_string(repository(".pre-commit-hooks.yaml")).unwrap();
    let hooks = yaml(&text);
    let mut ids = Vec::new();
    for hook in hooks.as_array().unwrap() {
        let members = hook.as_object().unwrap();
        for (name, value) in members {
            let fits = match name.as_str() {
                "id" | "name" | "description" | "entry" | "language" => value.is_string(),
                "types" | "args" => value.is_array(),
                "pass_filenames" | "require_serial" => value.is_boolean(),
                _ => false,
            };
            assert!(fits, "{name}: {value}");
        }
        let id = hook["id"].as_str().unwrap();
        // pre-commit builds it with cargo, from the manifest at the root.
        assert_eq!(hook["language"], "rust", "{id}");
        assert_eq!(hook["pass_filenames"], false, "{id}: a project is looked at whole");
        let entry = hook["entry"].as_str().unwrap();
        assert_eq!(entry.replace(' ', "-"), id);
        ids.push(id);
    }
    assert_eq!(ids, ["postpay-fmt", "postpay-validate"]);
    Project::of(&["one"]).run(["validate"]).exits(0);
}

#[test]
fn the_report_script_is_python() {
    if !is_there("python3") {
        return;
    }
    let project = piped();
    fs::set_permissions(project.file(REPORT), fs::Permissions::from_mode(0o644)).unwrap();
    let mut command = Command::new("python3");
    project.settle(&mut command);
    let check = "import ast, sys; ast.parse(open(sys.argv[1], encoding='utf-8').read())";
    Ran::from(command.args(["-c", check, REPORT]).output().unwrap()).exits(0);
}
