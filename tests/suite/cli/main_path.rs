//! From an empty folder to a recorded TranId and EnvId, in every format.

use crate::support::{Project, RECEIPTS, Ran, STATE, assert_shown};

#[test]
fn a_stranger_goes_from_an_empty_folder_to_recorded_ids() {
    let project = Project::empty();
    assert_shown!("main-init", project.run(["init"]).exits(0));
    assert_shown!("main-validate", project.run(["validate"]).exits(0));
    assert_shown!("main-plan", project.run(["plan"]).exits(0));
    assert!(!project.exists("state"), "a plan writes nothing");
    assert_shown!("main-apply", project.run(["apply", "-y"]).exits(0));
    assert_eq!(project.ordered_once(), ["shop-prod", "shop-staging"]);
    assert_shown!("main-show", project.run(["show"]).exits(0));
    assert_shown!("main-plan-again", project.run(["plan"]).exits(0));
    let before = project.memory();
    assert_shown!("main-apply-again", project.run(["apply", "-y"]).exits(0));
    assert_eq!(before, project.memory(), "nothing to do leaves no trace");
    assert_eq!(project.ledger().len(), 2);
}

#[test]
fn the_ids_on_record_are_those_that_the_endpoint_gave() {
    let project = Project::ordered(&["one", "two"]);
    let state = project.json(STATE);
    for entry in project.ledger() {
        let record = &state["environments"][entry.params["Alias"].as_str().unwrap()];
        assert_eq!(record["status"], "created");
        assert_eq!(record["tran_id"], *entry.tran_id.as_ref().unwrap());
        assert_eq!(record["env_id"], *entry.env_id.as_ref().unwrap());
    }
    assert_eq!(state["serial"], 1);
    assert_eq!(state["account"]["endpoint"], "sandbox");
    assert!(project.read(&project.receipt()).contains("run_ended"));
    assert!(!project.exists("state/postpay.journal.jsonl"));
}

#[test]
fn the_same_way_in_json() {
    let project = Project::of(&["one", "two"]);
    let run = |args: &[&str]| project.run(args.iter().chain(&["--format", "json"])).exits(0);

    let valid = run(&["validate"]).json();
    assert_eq!((&valid["valid"], &valid["environments"]), (&true.into(), &2.into()));
    let plan = run(&["plan"]).json();
    assert_eq!(plan["summary"]["orders"], 2);
    assert_eq!(plan["resource_changes"][0]["actions"][0], "create");
    assert!(run(&["show"]).json().is_null(), "nothing has been created yet");

    let applied = run(&["apply", "-y"]);
    assert_shown!("main-apply-json", applied);
    let report = applied.json();
    assert_eq!(report["verdict"], "complete");
    assert_eq!(report["summary"]["created"], 2);

    let state = run(&["show"]);
    assert_eq!(state.stdout, project.read(STATE), "the state, byte for byte");
    assert_eq!(run(&["plan"]).json()["summary"]["no_op"], 2);
    let again = run(&["apply", "-y"]).json();
    assert_eq!(again["verdict"], "complete");
    assert_eq!(again["results"], serde_json::json!([]));
    assert_eq!(project.ordered_once(), ["one", "two"]);
}

#[test]
fn a_kept_plan_is_shown_and_carried_out() {
    let project = Project::of(&["one", "two"]);
    assert_shown!("plan-out", project.run(["plan", "-o", "plan.json"]).exits(0));
    let shown = project.run(["show", "plan.json"]).exits(0);
    let plan = project.run(["plan"]).stdout;
    assert!(plan.starts_with(&shown.stdout), "{plan}");
    project.run(["show", "plan.json", "--detailed-exitcode"]).exits(2);
    let json = project.run(["show", "plan.json", "--format", "json"]).exits(0);
    assert_eq!(json.stdout, project.read("plan.json"));
    project.run(["apply", "plan.json"]).exits(0).says(&["Apply complete: 2 created"]);
    assert_eq!(project.ordered_once(), ["one", "two"]);
}

#[test]
fn the_detailed_exit_code_says_whether_there_are_changes() {
    let project = Project::of(&["one"]);
    project.run(["plan", "--detailed-exitcode"]).exits(2);
    project.run(["apply", "-y"]).exits(0);
    project.run(["plan", "--detailed-exitcode"]).exits(0);
    project.run(["show", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_report_is_written_beside_what_the_terminal_shows() {
    let project = Project::of(&["one"]);
    let reports = ["--report", "x.json", "--report", "x.txt"];
    let run = |args: &[&str]| project.run(args.iter().chain(&reports)).exits(0);

    run(&["validate"]);
    assert_eq!(project.json("x.json")["valid"], true);
    assert_eq!(project.read("x.txt"), "Valid: 1 environment in 1 file.\n");
    let plan = run(&["plan"]);
    assert!(plan.stdout.starts_with(&project.read("x.txt")), "{plan}");
    assert_eq!(project.json("x.json")["summary"]["orders"], 1);
    let applied = run(&["apply", "-y"]);
    assert!(applied.stdout.ends_with(&project.read("x.txt")), "{applied}");
    assert_eq!(project.json("x.json")["verdict"], "complete");
    let shown = run(&["show"]);
    assert_eq!(project.read("x.txt"), shown.stdout);
    assert_eq!(project.read("x.json"), project.read(STATE));
    // A run without orders replaces what the run before it reported.
    run(&["apply", "-y"]);
    assert_eq!(project.json("x.json")["summary"]["created"], 0);
}

#[test]
fn a_report_without_a_known_ending_is_refused_before_anything_is_done() {
    let project = Project::of(&["one"]);
    for name in ["x.pdf", "x"] {
        project.run(["apply", "-y", "--report", name]).exits(1).says(&[
            "report-format",
            "allowed: .txt, .json, .md, .html, .sarif",
            "nothing was sent",
        ]);
    }
    assert!(!project.exists("state"));
}

#[test]
fn init_takes_nothing_away_and_makes_its_folder() {
    let project = Project::empty();
    project.run(["init", "shop/eu"]).exits(0).says(&["cd shop/eu && postpay plan"]);
    project.run(["-C", "shop/eu", "plan"]).exits(0).says(&["2 to create"]);
    let before = project.files();
    project.run(["init", "shop/eu"]).exits(1).says(&["error[init-exists]"]);
    assert_eq!(before, project.files());
}

#[test]
fn init_adds_a_project_to_a_repository() {
    let project = Project::empty();
    project.write(".gitignore", "/target\n*.state.lock");
    project.write(".gitattributes", "*.png binary\r\n");
    project.write("README.md", "a repository\n");
    let ran = project.run(["init"]).exits(0).says(&["Added lines to .gitignore, .gitattributes."]);
    assert!(!ran.stdout.contains("Created .gitignore"), "{ran}");
    let ignored = project.read(".gitignore");
    assert!(ignored.starts_with("/target\n*.state.lock\n#"), "{ignored}");
    assert!(ignored.ends_with("\n*.sandbox.jsonl\n*.sandbox.jsonl.lock\n"), "{ignored}");
    let attributes = project.read(".gitattributes");
    assert_eq!(attributes, "*.png binary\r\nstate/** -text\n");
    project.run(["apply", "-y"]).exits(0);

    // Everything that a run leaves and git should not have is ignored.
    let git = |args: &[&str]| {
        let mut git = std::process::Command::new("git");
        project.settle(git.args(args));
        Ran::from(git.output().unwrap()).exits(0).stdout
    };
    git(&["init", "-q"]);
    let shown = git(&["status", "--porcelain", "-uall", "state"]);
    assert!(shown.contains("postpay.state.json") && !shown.contains("lock"), "{shown}");
    assert!(!shown.contains("sandbox"), "{shown}");
}

#[test]
fn the_nearest_project_upwards_is_used_and_named() {
    let project = Project::of(&["one"]);
    project.write("environments/deep/notes.txt", "");
    project.write("typed/two.yaml", "version: 1\nenvironments: {two: {env_id: two-1}}\n");
    let run = |folder: &str, args: &[&str]| {
        let mut command = project.command(args);
        Ran::from(command.current_dir(project.file(folder)).output().unwrap())
    };
    let name = format!("Project: {}\n", project.path().canonicalize().unwrap().display());
    let ran = run("environments/deep", &["apply", "-y", "--report", "run.json"]).exits(0);
    assert!(ran.stderr.starts_with(&name), "{ran}");
    // The state is the project's, and what was typed is taken from the folder that it was typed in.
    assert!(project.exists(STATE) && project.exists("environments/deep/run.json"));
    run("environments/deep", &["-C", "..", "plan"]).exits(0).says(&["No changes.", &name]);
    run("typed", &["plan", "-f", "two.yaml", "-o", "plan.json"]).exits(0).says(&["typed/two.yaml:2"]);
    run(".", &["show", "typed/plan.json"]).exits(0);
    let ran = run(".", &["plan"]).exits(0);
    assert!(!ran.stderr.contains("Project:"), "{ran}");
    // Settings that were named stay where they are.
    run("typed", &["plan", "--config", "../postpay.yaml"]).exits(0).says(&["No changes."]);

    // Not out of a repository, and not above the user's own folder.
    project.write("repository/.git/HEAD", "");
    project.write("repository/folder/file", "");
    let none = ["error[no-project]", "postpay init"];
    run("repository/folder", &["plan"]).exits(1).says(&none);
    let mut at_home = project.command(["show"]);
    at_home.current_dir(project.file("typed")).env("HOME", project.file("typed"));
    Ran::from(at_home.output().unwrap()).exits(1).says(&none);
}

#[test]
fn commands_that_need_a_project_suggest_init() {
    let project = Project::empty();
    for args in [&["plan"][..], &["validate"], &["show"], &["state", "list"], &["apply", "-y"], &["fmt"]] {
        project.run(args).exits(1).says(&["error[no-project]", "create a project: `postpay init`"]);
    }
    assert!(project.files().is_empty());
    project.write("one.yaml", "version: 1\nenvironments: {one: {env_id: one-1}}\n");
    project.run(["validate", "-f", "one.yaml"]).exits(0);
    project.run(["fmt", "--check", "one.yaml"]);
}

#[test]
fn the_schemas_that_init_writes_are_named_in_its_files() {
    let project = Project::empty();
    project.run(["init"]).exits(0);
    for name in ["postpay.yaml", "environments/shop.yaml"] {
        let text = project.read(name);
        let (_, schema) = text.lines().next().unwrap().split_once("$schema=").unwrap();
        let path = project.file(name).parent().unwrap().join(schema);
        let schema: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        jsonschema::validator_for(&schema).unwrap().validate(&value).unwrap();
    }
    assert!(!project.exists(RECEIPTS));
}

/// Runs a line in a shell, in the folder of a project.
#[cfg(unix)]
fn in_shell(project: &Project, line: &str) -> Ran {
    let mut shell = std::process::Command::new("sh");
    let line = line.replace("postpay", "\"$0\"");
    shell.args(["-c", &line, env!("CARGO_BIN_EXE_postpay")]);
    project.settle(&mut shell);
    Ran::from(shell.output().unwrap())
}

#[cfg(unix)]
#[test]
fn suggested_commands_can_be_pasted_into_a_shell() {
    let project = Project::empty();
    let ran = project.run(["init", "my $HOME's shop"]).exits(0);
    let next = ran.stderr.lines().find(|line| line.contains("cd ")).unwrap();
    in_shell(&project, next).exits(0).says(&["to create"]);

    let project = Project::of(&["one"]);
    let ran = project.run(["plan", "-o", "the plan.json"]).exits(0);
    let (_, next) = ran.stderr.split_once("exactly this: ").unwrap();
    in_shell(&project, next).exits(0);
    assert_eq!(project.ordered_once(), ["one"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_receipt_names_the_user_also_where_no_variable_does() {
    let project = Project::of(&["one", "two"]);
    for (user, target) in [(None, "one"), (Some(""), "two")] {
        let mut command = project.command(["apply", "-y", "--target", target]);
        for name in ["USER", "LOGNAME", "USERNAME"] {
            match user {
                Some(user) => command.env(name, user),
                None => command.env_remove(name),
            };
        }
        Ran::from(command.output().unwrap()).exits(0);
    }
    let history = project.run(["history", "--format", "json"]).exits(0).stdout;
    let id = std::process::Command::new("id").arg("-un").output().unwrap();
    let name = String::from_utf8(id.stdout).unwrap();
    let who = format!("\"{}@", name.trim());
    assert!(history.contains(&who) || history.contains("\"uid "), "{history}");
    assert!(!history.contains("unknown@") && !history.contains("\"@"), "{history}");
}
