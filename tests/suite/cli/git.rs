//! What a plan and a receipt say of the manifests' repository, and that nothing that is wrong with it is in the way.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{MANIFEST, Project, Ran, manifest};

/// The program, or None with a line that says why the test is not run.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("git")).find(|file| file.is_file());
    if found.is_none() {
        println!("skipped: there is no git on PATH");
    }
    found
}

/// git as nobody has configured it, in a folder of the project.
fn git(project: &Project, folder: &str, args: &[&str]) -> String {
    let mut command = Command::new("git");
    project.settle(&mut command);
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Ada").env(format!("GIT_{who}_EMAIL"), "ada@example.com");
    }
    command
        .current_dir(project.file(folder))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["-c", "init.defaultBranch=main"])
        .args(args);
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn commit(project: &Project, folder: &str) -> String {
    git(project, folder, &["add", "--all"]);
    git(project, folder, &["commit", "--quiet", "-m", "A change"]);
    git(project, folder, &["rev-parse", "HEAD"])
}

/// A project in a repository, and its commit.
fn committed(aliases: &[&str]) -> (Project, String) {
    let project = Project::of(aliases);
    git(&project, ".", &["init", "--quiet"]);
    let id = commit(&project, ".");
    (project, id)
}

fn plan(project: &Project, args: &[&str]) -> Value {
    let line = ["plan", "--format", "json"];
    project.run(line.iter().chain(args)).exits(0).json()
}

fn is_dirty(project: &Project) -> bool {
    plan(project, &[])["git"]["dirty"].as_bool().unwrap()
}

/// The commits of the lines that the plan's steps are declared in.
fn blamed(plan: &Value) -> Vec<(&str, Option<&str>)> {
    let steps = plan["resource_changes"].as_array().unwrap();
    steps
        .iter()
        .map(|step| {
            let address = step["address"].as_str().unwrap();
            (address, plan["git"]["touched"][address].as_str())
        })
        .collect()
}

/// A program in the place of git, in a folder of its own.
fn instead_of_git(project: &Project, script: &str) -> PathBuf {
    project.write("bin/git", format!("#!/bin/sh\n{script}\n"));
    let file = project.file("bin/git");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    project.file("bin")
}

fn with(project: &Project, variables: &[(&str, &Path)], args: &[&str]) -> Ran {
    let mut command = project.command(args);
    command.envs(variables.iter().copied());
    Ran::from(command.output().unwrap())
}

#[test]
fn a_plan_names_the_commit_that_its_manifests_are_of() {
    if program().is_none() {
        return;
    }
    let (project, id) = committed(&["one"]);
    let made = plan(&project, &[]);
    assert_eq!(made["git"]["commit"], id.as_str());
    assert_eq!(made["git"]["dirty"], false);
    assert_eq!(blamed(&made), [("one", None)], "it was not asked for");
    // Neither what is beside the manifests nor what postpay writes makes a difference.
    project.write("README.md", "changed");
    project.write("environments/notes.txt", "new");
    project.run(["apply", "-y"]).exits(0);
    assert!(!is_dirty(&project));
    let receipt = project.read(&project.receipt());
    assert!(receipt.contains(&format!(r#""commit":"{id}""#)), "{receipt}");
}

#[test]
fn manifests_that_no_commit_has_are_dirty() {
    type Change = fn(&Project);
    if program().is_none() {
        return;
    }
    let changes: [(&str, Change); 7] = [
        ("changed", |project| project.declare(&["one", "two"])),
        ("staged", |project| {
            project.declare(&["one", "two"]);
            git(project, ".", &["add", "--all"]);
        }),
        ("new", |project| {
            project.write("environments/b/new.yml", manifest(&["new"]));
        }),
        ("ignored", |project| {
            project.write(".git/info/exclude", "*.yml\n");
            project.write("environments/new.yml", manifest(&["new"]));
        }),
        ("gone", |project| {
            fs::remove_file(project.file("environments/b.yaml")).unwrap();
        }),
        ("renamed", |project| {
            let (from, to) = ("environments/b.yaml", "environments/c.yaml");
            fs::rename(project.file(from), project.file(to)).unwrap();
        }),
        ("settings", |project| {
            project.edit("postpay.yaml", "version: 1", "version: 1 # ");
        }),
    ];
    for (name, change) in changes {
        let project = Project::of(&["one"]);
        project.write("environments/b.yaml", manifest(&["b"]));
        git(&project, ".", &["init", "--quiet"]);
        commit(&project, ".");
        assert!(!is_dirty(&project), "{name}");
        change(&project);
        assert!(is_dirty(&project), "{name}");
    }
    let (project, id) = committed(&["one"]);
    project.declare(&["two"]);
    project.run(["apply", "-y"]).exits(0);
    let receipt = project.read(&project.receipt());
    assert!(receipt.contains(&format!("{id}+dirty")), "{receipt}");
}

#[test]
fn blame_names_the_commit_of_each_declared_line() {
    if program().is_none() {
        return;
    }
    let (project, first) = committed(&["one", "two"]);
    project.declare(&["one", "two", "three"]);
    let second = commit(&project, ".");
    project.declare(&["one", "two", "three", "four"]);
    let made = plan(&project, &["--blame"]);
    let (first, second) = (Some(first.as_str()), Some(second.as_str()));
    let lines = [("one", first), ("two", first), ("three", second), ("four", None)];
    assert_eq!(blamed(&made), lines);
    let schema = project.run(["schema", "plan"]).exits(0).json();
    jsonschema::validator_for(&schema).unwrap().validate(&made).unwrap();
    // What is as it was ordered was reviewed before; what is not declared any more has no line.
    project.run(["apply", "-y", "--target", "one"]).exits(0);
    project.run(["apply", "-y", "--target", "two"]).exits(0);
    project.declare(&["two", "three"]);
    let made = plan(&project, &["--blame"]);
    for (address, commit) in blamed(&made) {
        let expected = (address == "three").then_some(second).flatten();
        assert_eq!(commit, expected, "{address}");
    }
}

#[test]
fn where_the_history_was_cut_off_no_line_is_blamed() {
    if program().is_none() {
        return;
    }
    let (project, _) = committed(&["one"]);
    project.declare(&["one", "two"]);
    let id = commit(&project, ".");
    let from = format!("file://{}", project.path().display());
    git(&project, ".", &["clone", "--quiet", "--depth=1", &from, "shallow"]);
    let ran = project.run(["-C", "shallow", "plan", "--format", "json", "--blame"]);
    let made = ran.exits(0).json();
    assert_eq!(made["git"]["commit"], id.as_str());
    assert_eq!(blamed(&made), [("one", None), ("two", None)]);
}

#[test]
fn a_plan_file_is_carried_out_after_a_commit_that_leaves_the_manifests_alone() {
    if program().is_none() {
        return;
    }
    let (project, id) = committed(&["one"]);
    project.run(["plan", "--blame", "-o", "plan.json"]).exits(0).does_not_say(&[&id]);
    let kept = project.json("plan.json");
    assert_eq!(kept["git"]["commit"], id.as_str());
    assert_eq!(blamed(&kept), [("one", Some(id.as_str()))]);
    let shown = project.run(["show", "plan.json", "--format", "json"]);
    assert_eq!(shown.exits(0).json(), kept, "showing it loses nothing");
    project.write("README.md", "later");
    let later = commit(&project, ".");
    // The commit is part of what was reviewed: an altered one is found out.
    let altered = project.read("plan.json").replace(&id, &later);
    project.write("altered.json", altered);
    project.run(["apply", "altered.json"]).exits(1).says(&["altered"]);
    project.run(["apply", "plan.json"]).exits(0);
    assert_eq!(project.ordered_once(), ["one"]);
}

#[test]
fn names_with_spaces_chinese_and_new_lines_are_names() {
    if program().is_none() {
        return;
    }
    let project = Project::empty();
    let folder = "客户 one\ntwo";
    let file = |name: &str| format!("{folder}/environments/{name}");
    project.write(&format!("{folder}/postpay.yaml"), "version: 1\napi:\n  endpoint: sandbox\n");
    project.write(&file("商店 1.yaml"), manifest(&["one"]));
    project.write(&file("-f\nx.yaml"), manifest(&["two"]));
    project.write(&file(":(top)*.yaml"), manifest(&["three"]));
    git(&project, folder, &["init", "--quiet"]);
    let id = commit(&project, folder);
    let plan = || {
        let ran = project.run(["-C", folder, "plan", "--format", "json", "--blame"]);
        ran.exits(0).json()
    };
    let made = plan();
    assert_eq!(made["git"]["commit"], id.as_str());
    assert_eq!(made["git"]["dirty"], false);
    let mut lines = blamed(&made);
    lines.sort_unstable();
    let id = Some(id.as_str());
    assert_eq!(lines, [("one", id), ("three", id), ("two", id)]);
    for name in ["商店 1.yaml", "-f\nx.yaml", ":(top)*.yaml"] {
        let text = project.read(&file(name));
        project.write(&file(name), format!("{text}# changed\n"));
        assert_eq!(plan()["git"]["dirty"], true, "{name}");
        project.write(&file(name), text);
        assert_eq!(plan()["git"]["dirty"], false, "{name}");
    }
}

#[test]
fn without_a_repository_that_answers_there_is_a_plan_all_the_same() {
    if program().is_none() {
        return;
    }
    let untold = |ran: Ran| {
        let made = ran.exits(0).json();
        assert_eq!(made.get("git"), None, "{made:#}");
        assert_eq!(made["summary"]["orders"], 1);
    };
    let line = ["plan", "--format", "json", "--blame"];
    let project = Project::of(&["one"]);
    untold(project.run(line));
    let empty = project.file("empty");
    fs::create_dir(&empty).unwrap();
    untold(with(&project, &[("PATH", &empty)], &line));

    let (project, _) = committed(&["one"]);
    // It hangs, with a child of its own that holds its output open, and would have had an answer.
    let id = "a".repeat(40);
    let hangs = instead_of_git(&project, &format!("sleep 30 & sleep 30; echo true; echo false; echo {id}"));
    let path = |first: &Path| {
        let path = std::env::var_os("PATH").unwrap();
        let rest = std::env::split_paths(&path);
        std::env::join_paths(std::iter::once(first.to_owned()).chain(rest)).unwrap()
    };
    untold(with(&project, &[("PATH", Path::new(&path(&hangs)))], &line));
    let lies = instead_of_git(&project, "echo true; echo false; echo HEAD");
    untold(with(&project, &[("PATH", Path::new(&path(&lies)))], &line));
    // git refuses what belongs to somebody else.
    let other = [("GIT_TEST_ASSUME_DIFFERENT_OWNER", Path::new("1"))];
    untold(with(&project, &other, &line));
    project.write(".git/HEAD", "nonsense");
    untold(project.run(line));

    let project = Project::of(&["one"]);
    git(&project, ".", &["init", "--quiet"]);
    untold(project.run(line));
    let project = Project::of(&["one"]);
    git(&project, ".", &["init", "--quiet", "--bare", "."]);
    untold(project.run(line));
    // The repository is there and damaged: what can't be told is not said to be clean.
    let (project, id) = committed(&["one"]);
    project.write(".git/index", "nonsense");
    let made = project.run(line).exits(0).json();
    assert_eq!(made["git"]["commit"], id.as_str());
    assert_eq!(made["git"]["dirty"], true);
}

#[test]
fn the_repository_is_the_one_that_the_manifests_are_in() {
    if program().is_none() {
        return;
    }
    let (project, id) = committed(&["one"]);
    let (other, _) = committed(&["another"]);
    other.declare(&["changed"]);
    let dir = other.file(".git");
    // As in a hook of the other repository.
    let variables =
        [("GIT_DIR", dir.as_path()), ("GIT_INDEX_FILE", &dir.join("index")), ("GIT_WORK_TREE", other.path())];
    let made = with(&project, &variables, &["plan", "--format", "json"]).exits(0).json();
    assert_eq!(made["git"]["commit"], id.as_str());
    assert_eq!(made["git"]["dirty"], false);
    // Started from elsewhere.
    let file = project.file(MANIFEST);
    let file = file.to_str().unwrap();
    let made = Project::empty().run(["plan", "--format", "json", "--endpoint", "sandbox", "-f", file]);
    let made = made.exits(0).json();
    assert_eq!(made["git"]["commit"], id.as_str());
    assert_eq!(made["git"]["dirty"], false);
}

#[test]
fn nothing_that_a_repository_configures_is_run_and_nothing_of_it_is_written() {
    if program().is_none() {
        return;
    }
    let (project, _) = committed(&["one"]);
    let witness = project.file("witness");
    project.write("evil.sh", format!("#!/bin/sh\ntouch '{}'\n", witness.display()));
    let evil = project.file("evil.sh");
    fs::set_permissions(&evil, fs::Permissions::from_mode(0o755)).unwrap();
    let evil = evil.to_str().unwrap();
    project.write(".gitattributes", "*.yaml diff=evil\n");
    project.write(".git/hooks/post-index-change", project.read("evil.sh").as_bytes());
    let hook = project.file(".git/hooks/post-index-change");
    fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).unwrap();
    for (key, value) in [
        ("core.fsmonitor", evil),
        ("core.pager", evil),
        ("diff.evil.textconv", evil),
        ("diff.external", evil),
    ] {
        git(&project, ".", &["config", key, value]);
    }
    // Touched and the same: a `git status` that may write would note that down in the index.
    project.declare(&["one"]);
    let index = fs::read(project.file(".git/index")).unwrap();
    let made = plan(&project, &["--blame"]);
    assert_eq!(made["git"]["dirty"], false);
    assert!(!witness.exists());
    assert_eq!(index, fs::read(project.file(".git/index")).unwrap());
    assert!(!project.exists(".git/index.lock"));
}

/// A bare repository can be committed as plain files, with a configuration that names programs.
#[test]
fn a_repository_among_the_manifests_runs_nothing() {
    if program().is_none() {
        return;
    }
    let project = Project::of(&["one"]);
    let witness = project.file("witness");
    let among = ["--git-dir=environments", "--work-tree=."];
    let git = |args: &[&str]| git(&project, ".", &[&among[..], args].concat());
    git(&["init", "--quiet"]);
    git(&["add", "environments/shop.yaml"]);
    git(&["commit", "--quiet", "-m", "A change"]);
    let clean = format!("env >'{}'; cat", witness.display());
    git(&["config", "core.worktree", ".."]);
    git(&["config", "filter.evil.clean", &clean]);
    project.write(".gitattributes", "*.yaml filter=evil\n");
    // Touched and the same: whether it differs is for git to find out.
    project.declare(&["one"]);
    for line in ["plan --format json --blame", "plan -o plan.json", "apply -y"] {
        project.run(line.split(' ')).exits(0);
        assert!(!witness.exists(), "{line} ran the filter");
    }
}

/// Whoever has configured a filter meant it to run, and not to be told keys.
#[test]
fn what_git_runs_finds_no_key() {
    if program().is_none() {
        return;
    }
    let (project, _) = committed(&["one"]);
    let witness = project.file("witness");
    let clean = format!("env >'{}'; cat", witness.display());
    git(&project, ".", &["config", "filter.mine.clean", &clean]);
    project.write(".gitattributes", "*.yaml filter=mine\n");
    project.declare(&["one"]);
    let mut command = project.command(["plan", "-o", "plan.json"]);
    command.envs([
        ("TENCENTCLOUD_SECRET_KEY", "hunter2"),
        ("TENCENTCLOUD_SECRET_ID", "hunter2"),
        ("TENCENTCLOUD_TOKEN", "hunter2"),
    ]);
    Ran::from(command.output().unwrap()).exits(0);
    let seen = fs::read_to_string(&witness).unwrap_or_default();
    assert!(seen.contains("PATH=") && !seen.contains("hunter2"), "{seen}");
}

#[test]
fn git_is_asked_once_a_file_and_not_at_all_for_a_plan_on_the_terminal() {
    let Some(real) = program() else {
        return;
    };
    let (project, _) = committed(&["one"]);
    let names: Vec<String> = (0..40).map(|n| format!("shop-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    project.declare(&names[..20]);
    project.write("environments/second.yaml", manifest(&names[20..]));
    commit(&project, ".");
    let log = project.file("asked");
    let bin = instead_of_git(
        &project,
        &format!("echo \"$*\" >>'{}'\nexec '{}' \"$@\"", log.display(), real.display()),
    );
    let asked = |args: &[&str]| {
        let _ = fs::remove_file(&log);
        with(&project, &[("PATH", &bin)], args).exits(0);
        let text = fs::read_to_string(&log).unwrap_or_default();
        let of = |word: &str| text.lines().filter(|line| line.contains(word)).count();
        (text.lines().count(), of(" blame "))
    };
    assert_eq!(asked(&["plan"]), (0, 0));
    assert_eq!(asked(&["plan", "--format", "json"]), (3, 0));
    assert_eq!(asked(&["plan", "--blame", "-o", "plan.json"]), (5, 2));
}
