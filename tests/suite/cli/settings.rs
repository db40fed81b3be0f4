//! A flag beats its variable, which beats postpay.yaml, which beats the default.

use crate::support::{MANIFEST, Project, Ran, manifest};

fn with(project: &Project, variables: &[(&str, &str)], args: &[&str]) -> Ran {
    let mut command = project.command(args);
    command.envs(variables.iter().copied());
    Ran::from(command.output().unwrap())
}

#[test]
fn the_rate() {
    let project = Project::of(&["one", "two"]).at_real_pace();
    let rate = |variables: &[(&str, &str)], args: &[&str], expected: &str| {
        let args: Vec<_> = ["plan"].iter().chain(args).copied().collect();
        with(&project, variables, &args).exits(0).says(&[expected]);
    };
    rate(&[], &[], "at 2 per second");
    project.write("postpay.yaml", "version: 1\napi: {endpoint: sandbox, rate: 1}\n");
    rate(&[], &[], "at 1 per second");
    rate(&[("POSTPAY_RATE", "4")], &[], "at 4 per second");
    rate(&[("POSTPAY_RATE", "4")], &["--rate", "0.5"], "at 0.5 per second");
}

#[test]
fn the_state() {
    let project = Project::of(&["one"]);
    project.run(["apply", "-y", "--state", "a/b.state.json"]).exits(0);
    assert!(project.exists("a/b.state.json") && project.exists("a/b.sandbox.jsonl"));
    assert!(!project.exists("state"));
    project.run(["plan"]).exits(0).says(&["1 to create"]);
    let variable = [("POSTPAY_STATE", "a/b.state.json")];
    with(&project, &variable, &["plan"]).exits(0).says(&["No changes."]);
    with(&project, &variable, &["plan", "--state", "c.json"]).exits(0).says(&["1 to create"]);
    project.write("postpay.yaml", "version: 1\nstate: a/b.state.json\napi: {endpoint: sandbox}\n");
    project.run(["plan"]).exits(0).says(&["No changes."]);
}

#[test]
fn the_manifests() {
    let project = Project::of(&["one"]);
    project.write("other/a.yaml", manifest(&["two", "three"]));
    project.write("other/b.yml", manifest(&["four"]));
    let planned = |variables: &[(&str, &str)], args: &[&str], n: usize| {
        let args: Vec<_> = ["plan", "--format", "json"].iter().chain(args).copied().collect();
        let plan = with(&project, variables, &args).exits(0).json();
        assert_eq!(plan["summary"]["create"], n, "{plan}");
    };
    planned(&[], &[], 1);
    planned(&[], &["-f", "other"], 3);
    planned(&[], &["-f", "other/b.yml", "--file", "environments"], 2);
    planned(&[("POSTPAY_FILE", "other/a.yaml,environments")], &[], 3);
    planned(&[("POSTPAY_FILE", "other/a.yaml")], &["-f", "other/b.yml"], 1);
    project
        .write("postpay.yaml", "version: 1\nmanifests: [other, environments/]\napi: {endpoint: sandbox}\n");
    planned(&[], &[], 4);
}

#[test]
fn the_endpoint() {
    let project = Project::of(&["one"]);
    let endpoint = |variables: &[(&str, &str)], args: &[&str], expected: &str| {
        let args: Vec<_> = ["plan", "--format", "json"].iter().chain(args).copied().collect();
        let plan = with(&project, variables, &args).exits(0).json();
        assert_eq!(plan["account"]["endpoint"], expected);
    };
    endpoint(&[], &[], "sandbox");
    let variable = [("POSTPAY_ENDPOINT", "https://tcb.intl.tencentcloudapi.com")];
    endpoint(&variable, &[], "intl.tencentcloudapi.com");
    endpoint(
        &variable,
        &["--endpoint", "https://tcb.ap-shanghai.tencentcloudapi.com"],
        "tencentcloudapi.com",
    );
    project.write("postpay.yaml", "version: 1\n");
    endpoint(&[], &[], "tencentcloudapi.com");
}

#[test]
fn the_settings_and_the_folder() {
    let project = Project::of(&["one"]).at_real_pace();
    project.write(
        "deep/conf/other.yaml",
        "version: 1\nmanifests: ../envs\nstate: st.json\napi: {endpoint: sandbox, rate: 1}\n",
    );
    project.write("deep/envs/a.yaml", manifest(&["two", "three"]));
    let config = ["--config", "deep/conf/other.yaml"];
    project.run(["plan"].iter().chain(&config)).exits(0).says(&[
        "+ two",
        "at 1 per second",
        "deep/conf/../envs/a.yaml",
    ]);
    with(&project, &[("POSTPAY_CONFIG", "deep/conf/other.yaml")], &["plan"]).exits(0).says(&["+ two"]);
    with(&project, &[("POSTPAY_CHDIR", "deep")], &["plan", "--config", "conf/other.yaml"])
        .exits(0)
        .says(&["+ two"]);
    project.run(["-C", "deep", "--config", "conf/other.yaml", "apply", "-y"]).exits(0);
    assert!(project.exists("deep/conf/st.json"), "paths are meant from where the settings are");
    project.run(["-C", "no/such/folder", "plan"]).exits(1).says(&["cannot change to no/such/folder"]);
}

#[test]
fn format_colour_and_the_rest() {
    let project = Project::of(&["one", "two"]);
    with(&project, &[("POSTPAY_FORMAT", "json")], &["plan"]).exits(0).json();
    with(&project, &[("POSTPAY_FORMAT", "json")], &["plan", "--format", "human"]).says(&["Plan:"]);
    with(&project, &[("POSTPAY_COLOR", "always")], &["plan"]).says(&["\u{1b}["]);
    with(&project, &[("POSTPAY_COLOR", "always")], &["plan", "--color", "never"]).does_not_say(&["\u{1b}["]);
    with(&project, &[("NO_COLOR", "1")], &["plan"]).does_not_say(&["\u{1b}["]);
    with(&project, &[("POSTPAY_REPORT", "r.json,r.txt")], &["plan"]).exits(0);
    assert!(project.exists("r.json") && project.exists("r.txt"));
    with(&project, &[("POSTPAY_OUT", "p.json")], &["plan"]).exits(0);
    assert!(project.exists("p.json"));
    with(&project, &[("POSTPAY_MAX_CREATES", "1")], &["apply", "-y"]).exits(1).says(&["too-many-orders"]);
    with(&project, &[("POSTPAY_RATE", "fast")], &["plan"]).exits(1).says(&["--rate"]);
    with(&project, &[], &["plan", "--rate", "0.0009"]).exits(1).says(&["from 0.001 to 100"]);
    with(&project, &[], &["plan", "--rate", "0.001"]).exits(0);
    with(&project, &[], &["apply", "-y", "--deadline", "5000000000000000h"])
        .exits(1)
        .says(&["--deadline", "too long"]);
    assert!(project.memory().is_empty());
    with(&project, &[("POSTPAY_LOG", "debug")], &["plan"]).exits(0);
    with(
        &project,
        &[("POSTPAY_API_LANGUAGE", "en-US"), ("POSTPAY_REGION", "ap-guangzhou")],
        &["plan", "--show-calls"],
    )
    .exits(0)
    .says(&["X-TC-Language: en-US", "X-TC-Region: ap-guangzhou"]);
}

#[test]
fn an_environment_to_be_created_needs_an_alias_unless_that_is_switched_off() {
    const DEFAULT: &str = "version: 1\napi: {endpoint: sandbox}\n";
    const OFF: &str = "version: 1\napi: {endpoint: sandbox}\nguard: {require_alias: false}\n";
    let project = Project::of(&["one"]);
    project.write(
        "environments/shop.yaml",
        "version: 1\nenvironments:\n  one: {env_source: qcloud, channel: qc_console}\n",
    );
    project.write("postpay.yaml", DEFAULT);
    let refused = |command: &[&str]| {
        project.run(command).exits(1).says(&[
            "missing-alias",
            "cannot be recognised",
            "require_alias: false",
        ]);
    };
    for command in [&["validate"][..], &["plan"], &["apply", "-y"], &["rehearse"]] {
        refused(command);
    }
    project.write("postpay.yaml", OFF);
    project.run(["validate"]).exits(0);
    project.run(["plan", "-o", "plan.json"]).exits(0);
    project.write("postpay.yaml", DEFAULT);
    refused(&["apply", "plan.json"]);
    assert!(project.memory().is_empty());
    project.write("postpay.yaml", OFF);
    project.run(["apply", "plan.json"]).exits(0);
    assert_eq!(project.ledger().len(), 1);
    // What is in the state is not created.
    project.write("postpay.yaml", DEFAULT);
    for command in [&["validate"][..], &["plan"], &["apply", "-y"], &["drift"]] {
        project.run(command).exits(0);
    }
}

#[test]
fn a_variable_that_is_empty_counts_as_absent() {
    let project = Project::of(&["one", "two"]).at_real_pace();
    let plan = project.run(["plan"]).exits(0).stdout;
    for name in [
        "CHDIR", "CONFIG", "FILE", "STATE", "ENDPOINT", "COLOR", "LOG", "FORMAT", "REPORT", "OUT", "RATE",
        "REGION", "LANGUAGE", "TIMEOUT",
    ] {
        let ran = with(&project, &[(&format!("POSTPAY_{name}"), "")], &["plan"]).exits(0);
        assert_eq!(ran.stdout, plan, "{name}");
    }
}

#[test]
fn a_variable_can_say_yes_and_no_in_the_usual_words() {
    let project = Project::of(&["one"]);
    for (word, code) in [("1", 0), ("true", 0), ("yes", 0), ("0", 0), ("false", 0), ("no", 0), ("perhaps", 1)]
    {
        let variable = ("POSTPAY_ALLOW_UNKNOWN_ACCOUNT", word);
        with(&project, &[variable], &["apply", "-y"]).exits(code);
    }
}

#[test]
fn what_is_wrong_with_the_settings_hides_nothing_that_is_wrong_with_a_manifest() {
    let project = Project::of(&["one"]);
    project.write("postpay.yaml", "version: 1\nmanifest: x\n");
    project.write(MANIFEST, manifest(&["one"]).replace("alias:", "alais:"));
    let told = project.run(["validate"]).exits(1);
    told.says(&["unknown setting `manifest`", "alais", "Invalid: 3 errors"]);
    // Where they are can't be told: nothing is said of a folder that nobody named.
    std::fs::remove_dir_all(project.file("environments")).unwrap();
    let told = project.run(["validate"]).exits(1);
    told.says(&["Invalid: 1 error"]);
}
