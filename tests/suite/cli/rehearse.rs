//! A rehearsal shows the promises kept on the user's own data, and touches none of it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Project, Ran, STATE, assert_shown, at_once};

/// The JSON of a rehearsal that kept the promises, and left everything in the folder as it was.
fn kept(project: &Project, args: &[&str]) -> Value {
    let before = project.files();
    let ran = project.run(["rehearse", "--format", "json"].iter().chain(args)).exits(0);
    assert_eq!(project.files(), before, "it wrote into the project");
    let report = ran.json();
    assert_eq!(report["passed"], true, "{ran}");
    for count in ["duplicates", "ids_lost", "unfinished"] {
        assert_eq!(report["totals"][count], 0, "{ran}");
    }
    report
}

/// A state that was made with Tencent Cloud's own endpoint, with one record of every kind.
fn with_state(project: &Project) {
    let record = |alias: &str, status: &str, env_id: Option<&str>, tran_id: Option<&str>| {
        json!({
            "status": status, "env_id": env_id, "tran_id": tran_id,
            "attributes": {"alias": alias, "channel": "qc_console", "env_source": "qcloud"},
            "ordered_at": "2026-06-04T05:34:12Z", "run": "01971e2a-7c00-7000-8000-000000000001",
            "source": "environments/shop.yaml:6"
        })
    };
    let state = json!({
        "format_version": 1, "lineage": "01971e2a-0000-7000-8000-000000000001", "serial": 7, "tool_version": "0.1.0",
        "account": {"endpoint": "tencentcloud.com", "uin": null}, "last_run": "01971e2a-7c00-7000-8000-000000000001",
        "environments": {
            "done": record("done", "created", Some("done-1"), Some("20260604000001")),
            "gone": record("gone", "created", Some("gone-1"), Some("20260604000002")),
            "left": record("left", "unknown", None, None),
            "lost": record("lost", "unknown", None, None),
            "seen": record("seen", "unknown", Some("seen-1"), None),
            "slow": record("slow", "awaiting_env_id", None, Some("20260604000003")),
        }
    });
    project.write(STATE, format!("{state:#}\n"));
}

#[test]
fn a_new_project_is_rehearsed_as_it_stands() {
    let project = Project::empty();
    project.run(["init"]).exits(0);
    let report = kept(&project, &["--random", "12", "--seed", "42"]);
    assert_eq!(report["totals"]["runs"], 12);
    assert_eq!(report["totals"]["orders"], 24);
    assert!(!project.exists("state"));
    let again = kept(&project, &["--random", "12", "--seed", "42"]);
    let faults = |report: &Value| -> Vec<Value> {
        let runs = report["runs"].as_array().unwrap();
        runs.iter().map(|run| run["faults"].clone()).collect()
    };
    assert_eq!(faults(&report), faults(&again), "a seed is a seed");
    let ran = project.run(["rehearse", "--fault", "reset-after@2", "--fault", "eof-before@1"]);
    assert_shown!("rehearse", ran.exits(0));
}

#[test]
fn every_chosen_fault_is_recovered_from() {
    let faults = [
        "throttle@1",
        "reset-before@1",
        "reset-after@2",
        "eof-before@3",
        "eof-after@1",
        "hang-before@2",
        "hang-after@3",
        "500-before@1",
        "500-after@1-3",
        "cut-body@*",
        "html@1",
        "null-env-id@*",
        "missing-tran-id@2",
        "error:LimitExceeded@2",
        "error-after:InternalError@1",
        "list:500-before@1-2",
        "bill:cut-body@1",
    ];
    let project = Project::of(&["one", "two", "three"]);
    at_once(faults, |fault| {
        let report = kept(&project, &["--fault", fault]);
        assert_eq!(report["totals"]["orders"], 3, "{fault}");
        assert!(
            report["totals"]["calls_with_fault"].as_u64() > Some(0) || fault.starts_with("bill"),
            "{fault}"
        );
    });
}

#[test]
fn environments_without_an_alias_are_settled_too() {
    let project = Project::of(&["one"]);
    project.write("postpay.yaml", "version: 1\napi: {endpoint: sandbox}\nguard: {require_alias: false}\n");
    let nameless = "    env_source: qcloud\n    channel: qc_console\n";
    project.write(
        "environments/shop.yaml",
        format!("version: 1\nenvironments:\n  a:\n{nameless}  b:\n{nameless}"),
    );
    let report = kept(&project, &["--fault", "reset-after@1-2", "--fault", "eof-before@3"]);
    assert_eq!(report["totals"]["orders"], 2);
    assert!(report["totals"]["settled"]["adopted"].as_u64() > Some(0));
}

#[test]
fn an_example_is_rehearsed() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for name in ["quickstart", "adopt", "wechat"] {
        let from = examples.join(name);
        let project = Project::empty();
        let args = ["-C", from.to_str().unwrap(), "--state", "/nonexistent/postpay.state.json"];
        let before = listed(&from);
        project
            .run(["rehearse", "--random", "3", "--seed", "1"].iter().chain(&args))
            .exits(0)
            .says(&["0 duplicates, 0 ids lost", "every run completed"]);
        assert_eq!(listed(&from), before);
    }
}

fn listed(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_state_of_a_real_account_is_copied_and_only_what_is_missing_is_ordered() {
    let project = Project::of(&["done", "lost", "new", "seen", "slow"]);
    with_state(&project);
    let none = kept(&project, &["--fault", "throttle@99"]);
    assert_eq!(none["creates_per_run"], 2, "the new one, and the lost one that nothing proves");
    assert_eq!(none["totals"]["orders"], 2);
    assert_eq!(none["assumed"].as_array().unwrap().len(), 4);
    let report = kept(&project, &["--random", "8", "--seed", "3"]);
    assert_eq!(report["totals"]["orders"], 16);
}

#[test]
fn an_environment_that_is_named_is_taken_as_existing() {
    let project = Project::of(&["one"]);
    project.write("environments/shop.yaml", "version: 1\nenvironments:\n  legacy:\n    env_id: mine-1a2b\n");
    let report = kept(&project, &["--fault", "hang-after@1"]);
    assert_eq!(report["totals"]["orders"], 1);
    kept(&project, &["--fault", "reset-before@1"]);
}

/// The configured endpoint would refuse the connection, and there are no keys at all.
#[test]
fn the_configured_endpoint_is_never_spoken_to_and_no_credentials_are_needed() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let project = Project::of(&["one"]);
    project.write("postpay.yaml", format!("version: 1\napi:\n  endpoint: {url}\n  region: ap-guangzhou\n"));
    kept(&project, &["--random", "2", "--seed", "5"]);
    let came = listener.accept().unwrap_err();
    assert_eq!(came.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn what_would_be_refused_is_refused_and_a_limit_is_told() {
    let project = Project::ordered(&["one"]);
    project.edit("environments/shop.yaml", "qc_console", "cocos");
    project.run(["rehearse"]).exits(1).says(&["step-refused", "nothing was sent"]);
    project.declare(&["one", "two", "three"]);
    project.write("postpay.yaml", "version: 1\napi:\n  endpoint: sandbox\nguard:\n  max_creates: 1\n");
    project.run(["rehearse", "--fault", "reset-after@1"]).exits(0).says(&[
        "too-many-orders",
        "it is rehearsed",
        "2 creates",
    ]);
}

#[test]
fn a_job_that_can_not_be_finished_is_no_success() {
    let project = Project::of(&["one"]);
    project
        .run(["rehearse", "--fault", "error:LimitExceeded@*"])
        .exits(1)
        .says(&["not finished after 20 applies", "1 run did not complete"]);
    project.run(["rehearse", "--fault", "error-after:LimitExceeded@1"]).exits(1).says(&[
        "left one-",
        "check it before creating it again",
        "0 duplicates, 0 ids lost",
    ]);
}

#[test]
fn the_real_pace_is_the_vendors() {
    let project = Project::of(&["one", "two", "three"]);
    let report = kept(&project, &["--real-pace", "--fault", "throttle@99"]);
    assert!(report["took_seconds"].as_f64() >= Some(0.9), "{report}");
}

#[test]
fn ctrl_c_ends_it() {
    let project = Project::of(&["one"]);
    let mut rehearsal = project.start(["rehearse", "--real-pace", "--fault", "hang-before@*"]);
    let mut head = String::new();
    let mut stdout = std::io::BufReader::new(rehearsal.stdout());
    while !head.contains("FAULTS") {
        assert!(std::io::BufRead::read_line(&mut stdout, &mut head).unwrap() > 0);
    }
    std::thread::sleep(std::time::Duration::from_millis(200));
    rehearsal.signal("INT");
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut stdout, &mut rest).unwrap();
    let ended: Ran = rehearsal.wait();
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(rest.contains("Interrupted: 1 run was skipped."), "{rest}");
}

#[test]
fn a_plan_without_creates_is_not_rehearsed() {
    let project = Project::ordered(&["one"]);
    let ran = project.run(["rehearse", "--report", "r.txt"]).exits(0);
    assert_eq!(ran.stdout, "Nothing to rehearse: the plan creates nothing.\n");
    assert_eq!(project.read("r.txt"), ran.stdout);
    let report = project.run(["rehearse", "--format", "json"]).exits(0).json();
    assert_eq!(report["runs"].as_array().unwrap().len(), 0);
}
