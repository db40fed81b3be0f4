//! Bad input: each its own clear message, exit 1, nothing lost, nothing sent.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use crate::support::{LEDGER, MANIFEST, Project, Ran, STATE, at_once};

/// Every file but the locks, which say nothing.
fn unlocked(project: &Project) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = project.files();
    files.retain(|path, _| path.extension().is_none_or(|it| it != "lock"));
    files
}

/// These commands fail with this error, and leave no trace.
#[track_caller]
fn refused(project: &Project, error: &str, commands: &[&[&str]]) {
    let before = unlocked(project);
    for args in commands {
        let ran = project.run(*args).exits(1);
        assert!(ran.stderr.contains(error), "no `{error}`: {ran}");
        assert!(!ran.stderr.contains("panicked"), "{ran}");
    }
    assert_eq!(before, unlocked(project), "{error}");
    assert!(!project.exists(LEDGER), "{error}: nothing was sent");
}

const ALL: [&[&str]; 3] = [&["plan"], &["validate"], &["apply", "-y"]];

#[test]
fn manifests_that_are_not_there_or_not_files() {
    let project = Project::of(&["one"]);
    fs::remove_dir_all(project.file("environments")).unwrap();
    refused(&project, "error[path-not-found]", &ALL);
    fs::create_dir(project.file("environments")).unwrap();
    refused(&project, "error[empty-folder]", &ALL);
    fs::create_dir(project.file(MANIFEST)).unwrap();
    refused(&project, "error[not-a-file]", &ALL);
    fs::remove_dir(project.file(MANIFEST)).unwrap();
    symlink("nowhere.yaml", project.file(MANIFEST)).unwrap();
    refused(&project, "error[path-not-found]", &ALL);
    fs::remove_file(project.file(MANIFEST)).unwrap();
    // Where a link of the project may lead is told in `links`; this is about what is typed.
    let typed: [&[&str]; 2] = [&["plan", "-f", MANIFEST], &["apply", "-y", "-f", MANIFEST]];
    symlink("/dev/zero", project.file(MANIFEST)).unwrap();
    refused(&project, "error[not-a-file]", &typed);
    fs::remove_file(project.file(MANIFEST)).unwrap();
    // Opens for everyone, and can't be read by anyone.
    if fs::metadata("/proc/self/mem").is_ok() {
        symlink("/proc/self/mem", project.file(MANIFEST)).unwrap();
        refused(&project, "error[path-unreadable]", &typed);
        fs::remove_file(project.file(MANIFEST)).unwrap();
    }
    refused(
        &project,
        "error[path-not-found]",
        &[&["plan", "-f", "nowhere.yaml"], &["apply", "-y", "-f", "nowhere.yaml"]],
    );
}

#[test]
fn manifests_that_are_no_manifests() {
    for (error, content) in [
        ("error[not-utf8]", &b"version: 1\nenvironments:\n  a:\n    env_alias: \xb5\n"[..]),
        ("error[not-utf8]", b"\xff\xfev\0e\0r\0"),
        ("error[unsupported-version]", b"version: 2\nenvironments:\n  a: {alias: a}\n"),
        ("error[missing-version]", b"environments:\n  a: {alias: a}\n"),
        ("error[yaml-syntax]", b"version: 1\nenvironments: [\n"),
        ("error[unknown-field]", b"version: 1\nenvironments:\n  a:\n    alias: a\n    env_source: qcloud\n    channel: cocos\n    lifecycle: {prevent_destory: true}\n"),
    ] {
        let project = Project::of(&["one"]);
        project.write(MANIFEST, content);
        refused(&project, error, &ALL);
    }
}

#[test]
fn settings_that_are_none() {
    for (error, content) in [
        ("error[unknown-field]", &b"version: 1\napi: {endpoint: sandbox, rat: 2}\n"[..]),
        ("error[unsupported-version]", b"version: 9\n"),
        ("error[not-utf8]", b"version: 1\nstate: \xff\n"),
        ("error[missing-version]", b""),
        ("error[wrong-type]", b"version: 1\napi: {rate: fast}\n"),
        ("error[invalid-value]", b"version: 1\napi: {endpoint: 'http://tcb.tencentcloudapi.com'}\n"),
    ] {
        let project = Project::of(&["one"]);
        project.write("postpay.yaml", content);
        refused(&project, error, &ALL);
    }
    let project = Project::of(&["one"]);
    refused(
        &project,
        "error[path-not-found]",
        &[&["plan", "--config", "other.yaml"], &["apply", "-y", "--config", "other.yaml"]],
    );
    fs::remove_file(project.file("postpay.yaml")).unwrap();
    fs::create_dir(project.file("postpay.yaml")).unwrap();
    refused(&project, "error[not-a-file]", &ALL);
}

#[test]
fn endpoints_that_are_refused_before_anything_is_tried() {
    let project = Project::of(&["one"]);
    for endpoint in [
        "http://tcb.tencentcloudapi.com",
        "tcb.tencentcloudapi.com",
        "https://tcb.tencentcloudapi.com/v1",
        "https://me@tcb.tencentcloudapi.com",
    ] {
        refused(
            &project,
            "error: invalid value",
            &[&["apply", "-y", "--endpoint", endpoint], &["plan", "--endpoint", endpoint]],
        );
    }
}

const REAL: [&str; 4] = ["apply", "-y", "--endpoint", "https://tcb.tencentcloudapi.com"];

#[test]
fn keys_that_are_missing_or_half() {
    let project = Project::of(&["one"]);
    refused(&project, "error[credentials]", &[&REAL]);
    for variables in [
        &[("TENCENTCLOUD_SECRET_ID", "AKIDexample")][..],
        &[("TENCENTCLOUD_SECRET_KEY", "example-secret-key")],
        &[("TENCENTCLOUD_SECRET_ID", ""), ("TENCENTCLOUD_SECRET_KEY", "example-secret-key")],
    ] {
        let mut command = project.command(REAL);
        command.envs(variables.iter().copied());
        Ran::from(command.output().unwrap())
            .exits(1)
            .says(&["error[credentials]", "TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"])
            .does_not_say(&["example-secret-key"]);
    }
    assert!(!project.exists("state/postpay.journal.jsonl"));
    assert!(!project.exists("state/postpay.state.json"));
}

fn with_keys(project: &Project, args: &[&str]) -> Ran {
    let mut command = project.command(args);
    command.env("TENCENTCLOUD_SECRET_ID", "AKIDexample").env("TENCENTCLOUD_SECRET_KEY", "example-secret-key");
    Ran::from(command.output().unwrap())
}

#[test]
fn an_endpoint_that_is_not_there() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let project = Project::of(&["one", "two"]);
    let ran = with_keys(&project, &["apply", "-y", "--endpoint", &url, "--retry-for", "1s"]).exits(1);
    ran.says(&["cannot connect", "nothing was created"]);
    // Nothing is in the state, so that the next run orders both.
    project.run(["plan"]).exits(0).says(&["2 to create"]);
}

#[test]
fn a_name_that_nobody_has() {
    let project = Project::of(&["one"]);
    let ran = with_keys(&project, &["apply", "-y", "--endpoint", "https://tcb.invalid", "--retry-for", "0s"])
        .exits(1);
    ran.says(&["cannot connect", "nothing was created"]);
}

#[test]
fn a_state_folder_that_can_not_be_written() {
    let project = Project::of(&["one"]);
    project.write("state", "a file where the folder should be");
    refused(&project, "error[state-io]", &[&["apply", "-y"]]);
    let project = Project::of(&["one"]);
    refused(&project, "error[state-io]", &[&["apply", "-y", "--state", "/proc/postpay/postpay.state.json"]]);
    let project = Project::of(&["one"]);
    fs::create_dir_all(project.file("state/postpay.state.json")).unwrap();
    refused(&project, "error[state-io]", &[&["apply", "-y"], &["plan"], &["show"]]);
}

/// The size of files is limited at ever later moments of a run, as on a disk that fills up.
#[test]
fn a_full_disk_loses_nothing_and_orders_nothing_twice() {
    at_once([0, 1, 2, 3, 4, 6], |kib| {
        let project = Project::of(&["one", "two", "three"]);
        let mut shell = std::process::Command::new("bash");
        shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" apply -y")]);
        shell.arg(env!("CARGO_BIN_EXE_postpay"));
        project.settle(&mut shell);
        let ran = Ran::from(shell.output().unwrap());
        let ran = ran.does_not_say(&["panicked"]);
        let sent = project.ordered_once();
        match ran.code {
            Some(0) => assert_eq!(sent.len(), 3, "{ran}"),
            Some(1) => assert!(sent.is_empty(), "{kib}: {ran}"),
            Some(3 | 4) => assert!(!sent.is_empty() || ran.code == Some(4), "{kib}: {ran}"),
            _ => panic!("{kib}: {ran}"),
        }
        if ran.code != Some(0) {
            assert!(!ran.stderr.contains("An order failed"), "{kib}: {ran}");
            assert!(
                ran.stderr.contains("File too large") || ran.stdout.contains("File too large"),
                "{kib}: {ran}"
            );
        }
        // There is room again: every order that was made is known of, and the rest is made.
        let again = project.run(["apply", "-y"]);
        assert!(matches!(again.code, Some(0 | 4)), "{kib}: {again}");
        project.ordered_once();
        let state = project.json("state/postpay.state.json");
        for alias in project.ordered_once() {
            assert!(state["environments"][&alias].is_object(), "{kib}: {alias}\n{ran}\n{again}");
        }
    });
}

#[test]
fn a_report_that_can_not_be_written_is_found_out_before_anything_is_ordered() {
    let project = Project::of(&["one"]);
    for path in ["nowhere/r.json", "environments.json/r.txt"] {
        project.run(["apply", "-y", "--report", path]).exits(1).says(&[
            "report-path",
            path,
            "nothing was sent",
        ]);
    }
    assert!(!project.exists(STATE));
    assert!(!project.exists(LEDGER));
}

/// A short text can hold a great many problems, and a pipeline's log takes only so much.
#[test]
fn of_many_problems_a_hundred_are_shown_and_the_rest_is_counted() {
    /// More than a hundred problems take, and far less than they would all.
    const MOST: usize = 400_000;
    let many = |line: fn(usize) -> String| (0..3000).map(line).collect::<Vec<_>>().concat();
    let lines = many(|n| format!("  e{n}: {{x{n}: 1}}\n"));
    let one_line: Vec<String> = (0..3000).map(|n| format!("e{n}: {{x{n}: 1}}")).collect();
    let one_line = format!("  {{{}}}\n", one_line.join(", "));
    let project = Project::of(&[]);
    for environments in [lines, one_line] {
        let text = format!("version: 1\nenvironments:\n{environments}");
        project.write(MANIFEST, text);
        let valid = project.run(["validate", "--format", "json"]).exits(1);
        assert!(valid.stdout.len() < MOST && valid.stderr.len() < MOST);
        let document = valid.json();
        let errors = document["error_count"].as_u64().unwrap();
        assert!(errors >= 3000, "{errors}");
        let shown = document["diagnostics"].as_array().unwrap().len() as u64;
        let warnings = document["warning_count"].as_u64().unwrap();
        let left_out = document["left_out"].as_u64().unwrap();
        assert_eq!((shown, shown + left_out), (100, errors + warnings));
        let not_shown = format!("not shown: {} errors", errors - 100);
        for args in [
            &["validate"][..],
            &["plan", "--report", "r.html", "--report", "r.sarif", "--report", "r.json"],
            &["validate", "--format", "github"],
            &["validate", "--format", "junit"],
            &["apply", "-y", "--json"],
            &["fmt"],
        ] {
            let ran = project.run(args);
            assert!(ran.stdout.len() < MOST && ran.stderr.len() < MOST, "{args:?}");
            if args != ["fmt"] {
                ran.exits(1).says(&["more-problems", &not_shown]);
            }
        }
        for report in ["r.html", "r.sarif", "r.json"] {
            let text = project.read(report);
            assert!(text.len() < MOST, "{report}: {}", text.len());
            assert!(text.contains("not shown") || text.contains("left_out"), "{report}");
        }
    }
    // The settings too.
    let settings = many(|n| format!("x{n}: 1\n"));
    project.write("postpay.yaml", format!("version: 1\n{settings}"));
    let ran = project.run(["plan"]).exits(1).says(&["more-problems"]);
    assert!(ran.stderr.len() < MOST);
}
