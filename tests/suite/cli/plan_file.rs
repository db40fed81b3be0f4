//! A plan file orders exactly what it says, or nothing.

use postpay::kinds::postpay as fields;
use postpay::plan::{Plan, file};

use crate::support::{MANIFEST, Project, STATE};

fn kept(aliases: &[&str]) -> Project {
    let project = Project::of(aliases);
    project.run(["plan", "-o", "plan.json"]).exits(0);
    project
}

/// The plan is refused with this error, nothing is sent and nothing is written.
#[track_caller]
fn refused(project: &Project, error: &str, args: &[&str]) {
    let (before, sent) = (project.memory(), project.ledger().len());
    let ran = project.run(["apply", "plan.json"].iter().chain(args)).exits(1);
    let ran = ran.says(&[error, "nothing was sent"]);
    assert_eq!(project.ledger().len(), sent, "{ran}");
    assert_eq!(before, project.memory(), "{ran}");
}

#[test]
fn one_that_was_used_is_refused() {
    let project = kept(&["one"]);
    project.run(["apply", "plan.json"]).exits(0);
    refused(&project, "error[plan-used]", &[]);
    refused(&project, "error[plan-used]", &["-y"]);
}

#[test]
fn one_that_was_used_in_part_is_refused() {
    let project = kept(&["one", "two"]);
    project.run(["apply", "plan.json", "--rate", "1", "--deadline", "900ms"]).exits(3);
    refused(&project, "error[plan-used]", &[]);
    assert_eq!(project.ordered_once(), ["one"]);
}

#[test]
fn one_that_the_state_moved_past_is_refused() {
    let project = kept(&["one", "two"]);
    project.run(["apply", "-y", "--target", "two"]).exits(0);
    refused(&project, "error[plan-stale]", &[]);
}

#[test]
fn one_of_another_state_is_refused() {
    let project = Project::ordered(&["one"]);
    project.declare(&["one", "two"]);
    project.run(["plan", "-o", "plan.json"]).exits(0);
    std::fs::remove_dir_all(project.file("state")).unwrap();
    refused(&project, "error[plan-foreign]", &[]);
}

#[test]
fn one_that_was_altered_is_refused() {
    let project = kept(&["one"]);
    project.edit("plan.json", "\"alias\": \"one\"", "\"alias\": \"two\"");
    refused(&project, "error[plan-file]", &[]);
    project.run(["show", "plan.json"]).exits(1).says(&["checksum does not match"]);
}

/// A checksum is no secret. What is ordered is what the manifests and the state make of it now.
#[test]
fn one_that_was_altered_and_sealed_again_is_refused() {
    type Alter = fn(&mut Plan);
    let alterations: [(&str, Alter); 5] = [
        ("alias", |plan| {
            let after = plan.steps[0].after.as_mut().unwrap();
            after.set(fields::ALIAS, "two");
        }),
        ("more", |plan| {
            let after = plan.steps[0].after.as_mut().unwrap();
            after.set(fields::FREE_QUOTA, "basic");
        }),
        ("address", |plan| {
            plan.steps[0].address = "two".parse().unwrap();
        }),
        ("once-more", |plan| {
            let mut again = plan.steps[0].clone();
            again.address = "again".parse().unwrap();
            plan.steps.push(again);
        }),
        ("less", |plan| plan.steps.clear()),
    ];
    for (name, alter) in alterations {
        let project = kept(&["one"]);
        let mut plan = file::decode(&project.read("plan.json")).unwrap();
        alter(&mut plan);
        project.write("plan.json", file::encode(&plan));
        // It is a whole plan, and shown as one.
        project.run(["show", "plan.json"]).exits(0);
        for args in [&[][..], &["-y"]] {
            let before = project.memory();
            project
                .run(["apply", "plan.json"].iter().chain(args))
                .exits(1)
                .says(&["error[plan-not-remade]", "nothing was sent"]);
            assert!(project.ledger().is_empty(), "{name}");
            assert_eq!(before, project.memory(), "{name}");
        }
    }
}

#[test]
fn one_that_is_no_plan_is_refused() {
    for content in ["", "{\"format_version\": 1, \"tool", "{\"format_version\": 2}", "\u{0}\u{1}"] {
        let project = kept(&["one"]);
        project.write("plan.json", content);
        refused(&project, "error[plan-file]", &[]);
    }
    let project = Project::of(&["one"]);
    refused(&project, "error[plan-file]", &[]);
    std::fs::create_dir(project.file("plan.json")).unwrap();
    refused(&project, "error[plan-file]", &[]);
}

#[test]
fn one_whose_manifests_changed_is_refused() {
    let project = kept(&["one"]);
    project.edit(MANIFEST, "qc_console", "cocos");
    refused(&project, "error[plan-manifest-changed]", &[]);
    std::fs::remove_file(project.file(MANIFEST)).unwrap();
    refused(&project, "error[plan-manifest-changed]", &[]);
}

#[test]
fn one_for_another_endpoint_is_refused() {
    let project = Project::of(&["one"]);
    project.run(["plan", "-o", "plan.json", "--endpoint", "https://tcb.tencentcloudapi.com"]).exits(0);
    refused(&project, "error[plan-endpoint]", &[]);
}

#[test]
fn one_with_a_blocked_step_is_refused() {
    let project = Project::ordered(&["one"]);
    project.edit(MANIFEST, "qc_console", "cocos");
    project.declare(&["one", "two"]);
    project.edit(MANIFEST, "qc_console", "cocos");
    // `plan -o` does not save it, but its JSON is a plan file too.
    let plan = project.run(["plan", "--format", "json"]).exits(1).stdout;
    project.write("plan.json", &plan);
    refused(&project, "error[step-refused]", &[]);
}

#[test]
fn one_over_the_limit_is_refused() {
    let project = kept(&["one", "two"]);
    refused(&project, "error[too-many-orders]", &["--max-creates", "1"]);
}

#[test]
fn one_of_another_project_is_refused() {
    let project = kept(&["one"]);
    project.write("elsewhere/postpay.yaml", "version: 1\napi: {endpoint: sandbox}\n");
    let ran = project.run(["-C", "elsewhere", "apply", "../plan.json"]).exits(1);
    ran.says(&["was removed after the plan was made"]);
    assert!(!project.exists(STATE) && !project.exists("elsewhere/state/postpay.state.json"));
    // In a subfolder of its project it is the same plan.
    std::fs::create_dir(project.file("subfolder")).unwrap();
    project.run(["-C", "subfolder", "apply", "../plan.json"]).exits(0);
    assert_eq!(project.ordered_once(), ["one"]);
}

#[test]
fn a_plan_that_can_not_be_kept_is_an_error_and_leaves_the_old_one() {
    let project = kept(&["one"]);
    let before = project.read("plan.json");
    project.run(["plan", "-o", "no/such/folder/plan.json"]).exits(1).says(&["cannot write"]);
    std::fs::create_dir(project.file("folder")).unwrap();
    project.run(["plan", "-o", "folder"]).exits(1).says(&["cannot write"]);
    assert_eq!(project.read("plan.json"), before);
}

#[test]
fn settings_that_changed_since_the_plan_make_it_no_laxer_and_send_it_nowhere_else() {
    let project = Project::of(&["one", "two"]);
    let settings = |text: &str| project.write("postpay.yaml", format!("version: 1\n{text}"));
    settings("api: {endpoint: sandbox}\nguard: {max_creates: 1, allowed_accounts: ['1']}\n");
    project.run(["plan", "-o", "plan.json"]);
    settings("api: {endpoint: sandbox}\n");
    if project.exists("plan.json") {
        project
            .run(["apply", "plan.json", "--max-creates", "5"])
            .exits(1)
            .says(&["too-many-orders", "a plan file keeps the limits"]);
    }
    settings("api: {endpoint: sandbox}\nguard: {max_creates: 2}\n");
    project.run(["plan", "-o", "plan.json"]).exits(0);
    for text in [
        "api: {endpoint: 'http://127.0.0.1:1'}\n",
        "api: {endpoint: 'http://127.0.0.1:2'}\n",
        "api: {endpoint: ap-shanghai}\n",
    ] {
        settings(text);
        project.run(["apply", "plan.json"]).exits(1).says(&["error[plan-endpoint]", "`sandbox`"]);
    }
    settings("api: {endpoint: ap-shanghai}\n");
    project.run(["plan", "-o", "far.json"]).exits(0);
    settings("api: {endpoint: ap-guangzhou}\n");
    project.run(["apply", "far.json"]).exits(1).says(&[
        "error[plan-endpoint]",
        "ap-shanghai",
        "ap-guangzhou",
    ]);
    settings("api: {endpoint: sandbox}\n");
    project.run(["apply", "plan.json"]).exits(0);
}
