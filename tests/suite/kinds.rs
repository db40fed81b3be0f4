//! What every kind goes through, with the real binary against the real endpoint: a life, a lost answer, a crash.

use postpay::crash;
use postpay::sandbox::{LedgerEntry, read_ledger};
use serde_json::{Value, json};

use crate::support::{LEDGER, MANIFEST, Project, RECEIPTS, STATE};

fn package(fields: &str) -> String {
    format!(
        "version: 1\nenvironments:\n  shop:\n    kind: package\n    alias: shop\n    package: baas_personal\n    resources: [storage, function]\n{fields}"
    )
}

fn packages(fields: &str) -> Project {
    let project = Project::of(&[]);
    project.write(MANIFEST, package(fields));
    project
}

/// The requests that changed something.
fn writes(project: &Project) -> Vec<LedgerEntry> {
    let mut entries = read_ledger(&project.file(LEDGER)).unwrap();
    entries.retain(|entry| entry.acted || entry.changed);
    entries
}

fn actions(project: &Project) -> Vec<String> {
    writes(project).into_iter().map(|entry| entry.action).collect()
}

fn record(project: &Project) -> Value {
    project.json(STATE)["environments"]["shop"].clone()
}

#[test]
fn package_is_created_updated_in_place_and_destroyed() {
    let project = packages("    period: 3\n    tags: {team: web}\n");
    project
        .run(["plan", "--show-calls"])
        .exits(0)
        .says(&["X-TC-Action: CreateEnv", r#""EnableOverrun":"TRUE""#]);
    project.run(["apply", "-y"]).exits(0).says(&["created"]);
    let created = &writes(&project)[0];
    assert_eq!(
        Value::Object(created.params.clone()),
        json!({
            "Alias": "shop", "PackageId": "baas_personal", "Resources": ["storage", "function"], "Period": 3,
            "Tags": [{"Key": "team", "Value": "web"}], "EnableOverrun": "TRUE",
        })
    );
    let before = record(&project);
    assert_eq!((&before["status"], &before["tran_id"]), (&json!("created"), &Value::Null));
    assert_eq!(before["env_id"].as_str(), created.env_id.as_deref());
    project.run(["plan", "--detailed-exitcode"]).exits(0).says(&["No changes."]);
    project.run(["drift"]).exits(0);

    // Both fields that are updated in place, each by its own action.
    project.write(
        MANIFEST,
        package("    period: 3\n    tags: {team: web}\n    overrun: false\n")
            .replace("alias: shop", "alias: store"),
    );
    project.run(["plan", "--show-calls"]).exits(0).says(&[
        "ModifyEnv",
        "ModifyEnvExtra",
        r#""EnableOverrun":"FALSE""#,
    ]);
    project.run(["apply", "-y"]).exits(0).says(&["updated"]);
    assert_eq!(actions(&project), ["CreateEnv", "ModifyEnv", "ModifyEnvExtra"]);
    let after = record(&project);
    assert_eq!(
        (&after["attributes"]["alias"], &after["attributes"]["overrun"]),
        (&json!("store"), &json!(false))
    );
    assert_eq!(after["env_id"], before["env_id"]);
    project.run(["plan", "--detailed-exitcode"]).exits(0);
    project.run(["drift"]).exits(0);

    // Everything else is fixed by the order.
    project.edit(MANIFEST, "period: 3", "period: 12");
    project.run(["plan"]).exits(1).says(&["--replace shop"]);

    project.write(MANIFEST, "version: 1\nenvironments: {}\n");
    project.run(["destroy", "shop", "-y", "--allow-destroy"]).exits(0);
    assert_eq!(actions(&project).last().unwrap(), "DestroyEnv");
    assert_eq!(record(&project)["status"], "isolated");
}

#[test]
fn region_of_a_package_is_a_header_and_its_environment_is_found_there() {
    let project = packages("    region: ap-singapore\n");
    let lost = ["apply", "-y", "--fault", "reset-after@1", "--settle", "20s"];
    project.run(lost).exits(0).says(&["found in the account"]);
    let created = &writes(&project)[0];
    assert_eq!(created.region.as_deref(), Some("ap-singapore"));
    assert!(!created.params.contains_key("Region"), "{:?}", created.params);
    assert_eq!(record(&project)["region"], "ap-singapore");
    project.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn lost_answer_to_a_package_is_read_back_and_not_sent_again() {
    for fault in [
        "reset-after@1",
        "null-env-id@1",
        "cut-body@1",
        "html@1",
        "error-after:InternalError@1",
        "hang-after@1",
    ] {
        let project = packages("");
        let lost = ["apply", "-y", "--fault", fault, "--settle", "20s", "--timeout", "2s"];
        project.run(lost).exits(0).says(&["found in the account"]);
        assert_eq!(project.ordered_once(), ["shop"], "{fault}");
        assert_eq!(record(&project)["env_id"].as_str(), writes(&project)[0].env_id.as_deref(), "{fault}");
        project.run(["plan", "--detailed-exitcode"]).exits(0);
    }
}

/// Nothing tells whether it acted, so it is never sent again.
#[test]
fn unknown_outcome_of_a_package_stays() {
    for fault in [
        "reset-before@*",
        "error:ResourceInUse@*",
        "error:FailedOperation@*",
        "error:InternalError@*",
        "error:OperationDenied@*",
    ] {
        let project = packages("");
        project.run(["apply", "-y", "--fault", fault, "--settle", "1s"]).exits(4);
        assert_eq!(record(&project)["status"], "unknown", "{fault}");
        let sent = project.ledger().len();
        project.run(["apply", "-y", "--settle", "1s"]).exits(4);
        assert_eq!((sent, project.ledger().len()), (1, 1), "{fault}");
        project.run(["resolve", "shop", "--not-created", "--force", "-y"]).exits(0);
        project.run(["apply", "-y"]).exits(0);
        assert_eq!(project.ordered_once(), ["shop"], "{fault}");
    }
}

#[test]
fn refused_package_is_not_created_and_may_end_the_run() {
    for (code, ends_run) in [
        ("InvalidParameter", false),
        ("InvalidParameter.Alias", false),
        ("MissingParameter.Param", false),
        ("ResourceInsufficient", true),
        ("ResourcesSoldOut", true),
    ] {
        let project = packages("");
        let two = package("")
            + "  blog:\n    kind: package\n    alias: blog\n    package: baas_personal\n    resources: [function]\n";
        project.write(MANIFEST, two);
        let fault = format!("error:{code}@1");
        let ran = project.run(["apply", "-y", "--fault", &fault, "--on-error", "continue", "--settle", "0s"]);
        ran.exits(if ends_run { 1 } else { 3 });
        assert_eq!(project.ordered_once(), if ends_run { &[][..] } else { &["blog"][..] }, "{code}");
        assert_eq!(record(&project), Value::Null, "{code}");
    }
}

/// A state that was lost cannot know the environment; the account does.
#[test]
fn package_that_exists_already_is_not_created_again() {
    let project = packages("");
    project.run(["apply", "-y"]).exits(0);
    for name in [STATE, "state/postpay.state.json.backup"] {
        std::fs::remove_file(project.file(name)).unwrap_or_default();
    }
    std::fs::remove_dir_all(project.file(RECEIPTS)).unwrap();
    project.run(["apply", "-y"]).exits(1).says(&["already"]);
    assert_eq!(project.ordered_once(), ["shop"]);
    let env_id = writes(&project)[0].env_id.clone().unwrap();
    project.run(["import", "shop", &env_id, "-y"]).exits(0);
    project.run(["plan", "--detailed-exitcode"]).exits(0);
    assert_eq!(record(&project)["attributes"]["package"], "baas_personal");
}

/// From its intent on, a create that a crash cut off may have acted: it is never sent again by itself.
#[test]
fn crash_while_a_package_is_created_loses_and_repeats_nothing() {
    for point in [
        crash::INTENT_KEPT,
        crash::SLOT_REACHED,
        crash::REQUEST_ARRIVED,
        crash::API_ACTED,
        crash::ANSWER_CAME,
        crash::OUTCOME_KEPT,
    ] {
        let project = packages("");
        let died = project.command(["apply", "-y"]).env("POSTPAY_CRASH_AT", point).output().unwrap();
        assert!(!died.status.success(), "{point}");
        let has_acted = writes(&project).len() == 1;
        let again = project.run(["apply", "-y"]);
        if point == crash::OUTCOME_KEPT {
            again.exits(0);
        } else {
            again.exits(4);
            let settled = if has_acted {
                vec!["resolve", "shop", "-y"]
            } else {
                vec!["resolve", "shop", "--not-created", "--force", "-y"]
            };
            project.run(settled).exits(0);
            project.run(["apply", "-y"]).exits(0);
        }
        assert_eq!(project.ordered_once(), ["shop"], "{point}");
        assert_eq!(record(&project)["env_id"].as_str(), writes(&project)[0].env_id.as_deref(), "{point}");
    }
}

#[test]
fn apply_waits_for_what_it_created_only_when_asked() {
    // The sandbox lists it late; without --wait nobody looks.
    let project = packages("");
    project.run(["apply", "-y", "--list-delay", "60s"]).exits(0).does_not_say(&["Waiting until"]);

    let project = packages("");
    project.run(["apply", "-y", "--list-delay", "1s", "--wait"]).exits(0).says(&[
        "Waiting until 1 environment can be used, at most ",
        "shop: in use",
        "Apply complete",
    ]);
    // A run without creates has nothing to wait for.
    project.run(["apply", "-y", "--wait=1m"]).exits(0).does_not_say(&["Waiting until"]);

    let project = packages("");
    let ran = project.run(["apply", "-y", "--list-delay", "1s", "--wait", "--json"]).exits(0);
    ran.says(&[r#""action":"wait","open":1"#, r#""result":"ready""#, r#""verdict":"complete""#]);
}

#[test]
fn end_of_the_wait_names_what_is_not_ready_and_loses_nothing() {
    let project = packages("");
    project.run(["apply", "-y", "--list-delay", "60s", "--wait=1s"]).exits(3).says(&[
        "error[not-ready]: `shop`, shop-",
        "Applied, but not ready for use: 1 created",
        "`postpay drift`",
    ]);
    assert_eq!(record(&project)["status"], "created");
    project.run(["plan", "--detailed-exitcode"]).exits(0).says(&["No changes."]);

    let project = packages("");
    let ran = project.run(["apply", "-y", "--list-delay", "60s", "--wait=1s", "--json"]).exits(3);
    ran.says(&[r#""code":"not-ready""#, r#""verdict":"part_way""#]);
    // Without a value after `=`, what follows is the plan file.
    project.run(["apply", "--wait", "1m"]).exits(1).says(&["cannot read 1m"]);
}

#[cfg(unix)]
#[test]
fn signal_ends_the_wait_in_order_and_the_lock_is_free_meanwhile() {
    let project = packages("");
    let mut running = project.start(["apply", "-y", "--list-delay", "60s", "--wait"]);
    running.told("Waiting until 1 environment");
    project.run(["state", "rm", "shop", "--force", "-y"]).exits(0);
    running.signal("INT");
    let rest = running.rest_of_stderr();
    assert!(rest.contains("error[not-ready]: `shop`"), "{rest}");
    running.wait().exits(3);
    assert_eq!(project.ordered_once(), ["shop"]);
}

/// A package, and CloudRun on it.
const CLOUDRUN: &str = "  shop-run:\n    kind: cloudrun\n    env: shop\n    package_type: Trial\n";

fn with_cloudrun() -> Project {
    let project = packages("");
    project.write(MANIFEST, package("") + CLOUDRUN);
    project
}

fn cloudrun(project: &Project) -> Value {
    project.json(STATE)["environments"]["shop-run"].clone()
}

#[test]
fn cloudrun_is_opened_on_an_environment_of_the_same_run() {
    let project = with_cloudrun();
    project
        .run(["plan", "--show-calls"])
        .exits(0)
        .says(&["X-TC-Action: CreateCloudRunEnv", "X-TC-Version: 2022-02-17"]);
    // It waits until its environment is listed, and in use.
    project.run(["apply", "-y", "--list-delay", "1s"]).exits(0);
    assert_eq!(actions(&project), ["CreateEnv", "CreateCloudRunEnv"]);
    let [env, open] = &writes(&project)[..] else { panic!() };
    assert_eq!(open.params["EnvId"].as_str(), env.env_id.as_deref());
    assert_eq!(open.region.as_deref(), Some("ap-shanghai"), "that of the environment");
    assert_eq!(open.params["ReqKey"].as_str().unwrap().len(), 32);
    assert!(!open.params.contains_key("EnvType"));
    assert_eq!(
        (&cloudrun(&project)["status"], &cloudrun(&project)["env_id"]),
        (&json!("created"), &record(&project)["env_id"])
    );
    project.run(["plan", "--detailed-exitcode"]).exits(0).says(&["No changes."]);
    project.run(["drift"]).exits(0);
    for command in [&["state", "verify"][..], &["history", "verify"], &["history"], &["show"]] {
        project.run(command).exits(0);
    }
    // It ends with its environment, and is not destroyed by itself.
    project.write(MANIFEST, package(""));
    project.run(["apply", "-y", "--allow-destroy"]).exits(0);
    assert_eq!(cloudrun(&project), Value::Null);
    assert_eq!(actions(&project).len(), 2);
}

#[test]
fn cloudrun_that_is_open_already_is_imported_and_not_created() {
    let project = with_cloudrun();
    project.run(["apply", "-y"]).exits(0);
    project.run(["state", "rm", "shop-run", "--force", "-y"]).exits(0);
    project.run(["apply", "-y"]).exits(0);
    assert_eq!(actions(&project), ["CreateEnv", "CreateCloudRunEnv"]);
    assert_eq!(
        (&cloudrun(&project)["status"], &cloudrun(&project)["origin"]),
        (&json!("created"), &json!("imported"))
    );
}

#[test]
fn lost_answer_to_cloudrun_is_read_back_and_an_unknown_one_stays() {
    let project = with_cloudrun();
    project
        .run(["apply", "-y", "--fault", "reset-after@2", "--settle", "20s"])
        .exits(0)
        .says(&["found in the account"]);
    assert_eq!(actions(&project), ["CreateEnv", "CreateCloudRunEnv"]);
    assert_eq!(cloudrun(&project)["status"], "created");

    let project = with_cloudrun();
    project.run(["apply", "-y", "--fault", "reset-before@2", "--settle", "1s"]).exits(4);
    let unknown = cloudrun(&project);
    assert_eq!((&unknown["status"], &unknown["env_id"]), (&json!("unknown"), &record(&project)["env_id"]));
    project.run(["apply", "-y", "--settle", "1s"]).exits(4);
    assert_eq!(actions(&project), ["CreateEnv"], "it is not sent again by itself");
    project.run(["resolve", "shop-run", "--not-created", "--force", "-y"]).exits(0);
    project.run(["apply", "-y"]).exits(0);
    assert_eq!(actions(&project), ["CreateEnv", "CreateCloudRunEnv"]);
}

/// Every request for CloudRun that arrived, with its key; those that acted are true.
fn opens(project: &Project) -> Vec<(String, bool)> {
    let mut entries = read_ledger(&project.file(LEDGER)).unwrap();
    entries.retain(|entry| entry.action == "CreateCloudRunEnv");
    let key = |entry: &LedgerEntry| entry.params["ReqKey"].as_str().unwrap().to_owned();
    entries.iter().map(|entry| (key(entry), entry.acted)).collect()
}

const RESEND: [&str; 5] = ["resolve", "shop-run", "--resend", "--force", "-y"];

fn with_unknown_cloudrun() -> Project {
    let project = with_cloudrun();
    project.run(["apply", "-y", "--fault", "reset-before@2", "--settle", "1s"]).exits(4);
    project
}

#[test]
fn unknown_cloudrun_is_sent_again_with_the_same_key_only_when_asked() {
    let project = with_unknown_cloudrun();
    let first = opens(&project)[0].0.clone();
    project.run(["resolve", "shop-run"]).exits(4).says(&["postpay resolve shop-run --resend"]);
    project.run(["resolve", "shop-run", "--resend", "-y"]).exits(1).says(&["--resend", "wait 9 min"]);
    project.run(["resolve", "shop-run", "--resend", "--force"]).exits(1).says(&["no-terminal"]);
    assert_eq!(opens(&project), [(first.clone(), false)]);

    project.run(RESEND).exits(0).says(&["`shop-run` was sent again and is created on shop-"]);
    assert_eq!(opens(&project), [(first.clone(), false), (first, true)]);
    assert_eq!(actions(&project), ["CreateEnv", "CreateCloudRunEnv"]);
    assert_eq!(
        (&cloudrun(&project)["status"], &cloudrun(&project)["env_id"]),
        (&json!("created"), &record(&project)["env_id"])
    );
    for command in [&["plan", "--detailed-exitcode"][..], &["state", "verify"], &["history", "verify"]] {
        project.run(command).exits(0);
    }
    project.run(RESEND).exits(1).says(&["already resolved"]);
    assert_eq!(opens(&project).len(), 2);
}

/// Whatever becomes of the repeat, the next one has the same key too.
#[test]
fn repeat_that_proves_nothing_stays_unknown_and_keeps_its_key() {
    for (fault, says) in [
        ("reset-before@1", "resend-unknown"),
        ("error:InvalidParameter@1", "resend-failed"),
        ("throttle@1", "resend-failed"),
        ("error:ResourceInUse@1", "resend-unknown"),
    ] {
        let project = with_unknown_cloudrun();
        project.run(RESEND.into_iter().chain(["--fault", fault])).exits(4).says(&[says]);
        assert_eq!(cloudrun(&project)["status"], "unknown", "{fault}");
        project.run(["apply", "-y", "--settle", "1s"]).exits(4);
        project.run(RESEND).exits(0);
        let opens = opens(&project);
        assert!(opens.iter().all(|(key, _)| *key == opens[0].0), "{fault}: {opens:?}");
        assert_eq!(opens.iter().filter(|(_, acted)| *acted).count(), 1, "{fault}");
        project.run(["plan", "--detailed-exitcode"]).exits(0);
    }
}

#[test]
fn cloudrun_that_exists_is_not_sent_again() {
    // It acted, and nobody looked.
    let project = with_cloudrun();
    project.run(["apply", "-y", "--fault", "reset-after@2", "--settle", "0s"]).exits(4);
    project.run(RESEND).exits(1).says(&["resend-not-absent", "has it already", "postpay resolve shop-run"]);
    assert_eq!(opens(&project).len(), 1);
    // So it does when the answer to the repeat is lost.
    let project = with_unknown_cloudrun();
    project.run(RESEND.into_iter().chain(["--fault", "reset-after@1"])).exits(4);
    project.run(RESEND).exits(1).says(&["has it already"]);
    project.run(["resolve", "shop-run", "-y"]).exits(0);
    assert_eq!((actions(&project).len(), &cloudrun(&project)["status"]), (2, &json!("created")));
}

#[test]
fn crash_while_cloudrun_is_sent_again_loses_and_repeats_nothing() {
    for point in [
        crash::INTENT_KEPT,
        crash::REQUEST_ARRIVED,
        crash::API_ACTED,
        crash::ANSWER_CAME,
        crash::OUTCOME_KEPT,
    ] {
        let project = with_unknown_cloudrun();
        let died = project.command(RESEND).env("POSTPAY_CRASH_AT", point).output().unwrap();
        assert!(!died.status.success(), "{point}");
        project.run(["apply", "-y", "--settle", "0s"]).exits(if point == crash::OUTCOME_KEPT {
            0
        } else {
            4
        });
        if cloudrun(&project)["status"] == "unknown" {
            let has_acted = opens(&project).iter().any(|(_, acted)| *acted);
            project.run(RESEND).exits(i32::from(has_acted));
            project.run(["resolve", "shop-run", "-y"]).exits(i32::from(!has_acted));
        }
        let opens = opens(&project);
        assert!(opens.iter().all(|(key, _)| *key == opens[0].0), "{point}: {opens:?}");
        assert_eq!(actions(&project), ["CreateEnv", "CreateCloudRunEnv"], "{point}");
        assert_eq!(cloudrun(&project)["status"], "created", "{point}");
    }
}

#[test]
fn kind_without_a_request_key_is_never_sent_again() {
    let project = packages("");
    project.run(["apply", "-y", "--fault", "reset-before@1", "--settle", "1s"]).exits(4);
    let sent = project.ledger().len();
    project
        .run(["resolve", "shop", "--resend", "--force", "-y"])
        .exits(1)
        .says(&["error[resend-impossible]: `shop` cannot be sent again: `kind: package` has no request key"]);
    assert_eq!(project.ledger().len(), sent);
    assert_eq!(record(&project)["status"], "unknown");
}

#[test]
fn cloudrun_is_opened_and_read_back_in_the_region_of_its_environment() {
    let project = with_cloudrun();
    project.write("postpay.yaml", "version: 1\napi: {endpoint: sandbox, region: ap-shanghai}\n");
    project.write(MANIFEST, package("    region: ap-singapore\n") + CLOUDRUN);
    project.run(["apply", "-y", "--fault", "reset-after@2", "--settle", "0s"]).exits(4);
    assert_eq!(writes(&project)[1].region.as_deref(), Some("ap-singapore"));
    project.run(["resolve", "shop-run", "-y"]).exits(0);
    assert_eq!(cloudrun(&project)["status"], "created");
    assert_eq!(actions(&project), ["CreateEnv", "CreateCloudRunEnv"]);
}

#[test]
fn crash_while_cloudrun_is_opened_loses_and_repeats_nothing() {
    for point in [
        crash::INTENT_KEPT,
        crash::REQUEST_ARRIVED,
        crash::API_ACTED,
        crash::ANSWER_CAME,
        crash::OUTCOME_KEPT,
    ] {
        let project = with_cloudrun();
        let died =
            project.command(["apply", "-y"]).env("POSTPAY_CRASH_AT", format!("{point}@2")).output().unwrap();
        assert!(!died.status.success(), "{point}");
        let opened = writes(&project).iter().filter(|entry| entry.action == "CreateCloudRunEnv").count();
        let again = project.run(["apply", "-y"]);
        if point == crash::OUTCOME_KEPT {
            again.exits(0);
        } else {
            again.exits(4);
            let settled = if opened == 1 {
                vec!["resolve", "shop-run", "-y"]
            } else {
                vec!["resolve", "shop-run", "--not-created", "--force", "-y"]
            };
            project.run(settled).exits(0);
            project.run(["apply", "-y"]).exits(0);
        }
        assert_eq!(actions(&project), ["CreateEnv", "CreateCloudRunEnv"], "{point}");
        assert_eq!(cloudrun(&project)["env_id"], record(&project)["env_id"], "{point}");
    }
}

#[test]
fn cloudrun_on_an_environment_without_overrun_is_a_warning() {
    let project = packages("");
    project.write(MANIFEST, package("    overrun: false\n") + CLOUDRUN);
    let checked = project.run(["validate"]).exits(0);
    checked.says(&["warning[overrun-off]: `shop` has `overrun: false`", "environments/shop.yaml:8"]);
}

/// Without its environment nothing is sent for it.
#[test]
fn cloudrun_is_not_attempted_without_its_environment() {
    let project = with_cloudrun();
    project
        .run([
            "apply",
            "-y",
            "--fault",
            "error:InvalidParameter@1",
            "--on-error",
            "continue",
            "--settle",
            "0s",
        ])
        .exits(1);
    assert_eq!(actions(&project), [""; 0]);
    let problems = [
        ("env: nobody", "unknown-reference"),
        ("env: shop-run", "unknown-reference"),
        ("env: later", "unknown-reference"),
        ("env: shop\n    env_id: shop-1", "missing-environment"),
        ("env_id:", "empty-value"),
        ("alias: a", "missing-environment"),
        ("env: shop\n    vpc_id: vpc-1", "unpaired-network"),
    ];
    for (fields, code) in problems {
        let later = "  later: {kind: package, alias: later, package: baas_personal, resources: [function]}\n";
        project.write(MANIFEST, package("") + &CLOUDRUN.replace("env: shop", fields) + later);
        project.run(["validate"]).exits(1).says(&[code]);
    }
}

/// Adds to the ledger what somebody else did in the account.
fn happen(project: &Project, now: &Value) {
    let line = json!({
        "kind": "external_change", "env_id": record(project)["env_id"], "at": "2026-01-01T00:00:00Z", "now": now,
    });
    let ledger = project.read(LEDGER);
    project.write(LEDGER, format!("{ledger}{line}\n"));
}

#[test]
fn drift_of_a_package_is_what_its_bill_and_its_tags_show() {
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48);
    for (now, code) in [
        (json!({"package": "baas_integration"}), "package-changed"),
        (json!({"overrun": false}), "overrun-changed"),
        (json!({"auto_renew": true}), "renewal-changed"),
        (json!({"tags": [{"Key": "other", "Value": "x"}]}), "tags-changed"),
        (json!({"tags": []}), "tags-changed"),
        (json!({"expires": soon}), "expires-soon"),
        (json!({"auto_renew": true, "expires": soon}), "renewal-changed"),
        (json!({"pay_mode": "postpaid"}), "pay-mode-changed"),
        (json!({"status": "ISOLATE"}), "isolated"),
        (json!({"tags": [{"Key": "other", "Value": "x"}, {"Key": "team", "Value": "web"}]}), ""),
    ] {
        let project = packages("    tags: {team: web}\n");
        project.run(["apply", "-y"]).exits(0);
        happen(&project, &now);
        let drift = project.run(["drift"]);
        if code.is_empty() {
            drift.exits(0);
        } else {
            drift.exits(2).says(&[code]);
        }
    }
}

/// `CreateEnv` returns no order number, and the bill has it only later.
#[test]
fn order_number_of_a_package_is_added_once_its_bill_shows_it() {
    let project = packages("");
    project.run(["apply", "-y"]).exits(0);
    assert_eq!(record(&project)["tran_id"], Value::Null);
    // As if it had been created a day ago.
    let at = writes(&project)[0].at;
    let earlier = at - jiff::SignedDuration::from_hours(24);
    project.edit(LEDGER, &at.to_string(), &earlier.to_string());
    project.write(MANIFEST, package("    overrun: false\n"));
    project.run(["apply", "-y"]).exits(0);
    let number = record(&project)["tran_id"].as_str().unwrap().to_owned();
    assert!(number.len() > 8, "{number}");
    assert_eq!(record(&project)["attributes"]["overrun"], false);
    project.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn cost_is_shown_and_limited() {
    let project = packages("    period: 3\n");
    project.run(["plan"]).exits(0).says(&["not known for baas_personal"]);
    project
        .run(["plan", "--refresh"])
        .exits(0)
        .says(&[
            "cost = 59.70 (19.90 a month, 3 months). Expires after 3 months; renewal is manual.",
            "Cost: 59.70 for the packages",
            "Overrun is on for 1 package: use beyond it is billed without a limit, which max_cost does not cover.",
        ]);
    let bought = json!({
        "address": "shop", "package": "baas_personal", "months": 3, "auto_renew": false, "overrun": true,
    });
    for (command, price, total, sum) in [
        (&["plan", "--format", "json"][..], json!(null), json!(null), "0.00"),
        (&["plan", "--refresh", "--format", "json"], json!("19.90"), json!("59.70"), "59.70"),
    ] {
        let mut bought = bought.clone();
        bought["price"] = price;
        bought["total"] = total;
        let unknown = if sum == "0.00" { vec!["baas_personal"] } else { vec![] };
        let cost = project.run(command).exits(0).json()["cost"].clone();
        assert_eq!(cost, json!({"total": sum, "unknown": unknown, "packages": [bought]}));
    }
    let shown = packages("    auto_renew: true\n    overrun: false\n").run(["plan"]).exits(0);
    shown
        .says(&["Expires after 1 month, and is then renewed automatically."])
        .does_not_say(&["Overrun is on"]);
    for (max_cost, code) in [("59.69", "cost-limit"), ("\"59.7\"", ""), ("60", "")] {
        let project = packages("    period: 3\n");
        project.write(
            "postpay.yaml",
            format!("version: 1\napi: {{endpoint: sandbox}}\nguard: {{max_cost: {max_cost}}}\n"),
        );
        if code.is_empty() {
            project.run(["apply", "-y"]).exits(0);
            assert_eq!(actions(&project), ["CreateEnv"]);
        } else {
            project.run(["plan", "--refresh"]).exits(0).says(&[code]);
            project.run(["apply", "-y"]).exits(1).says(&[code, "59.70", "guard.max_cost"]);
            assert_eq!(actions(&project), [""; 0]);
        }
    }
    // What has no price may cost anything.
    let project = packages("");
    project.write("postpay.yaml", "version: 1\napi: {endpoint: sandbox}\nguard: {max_cost: 1000}\n");
    let unread = ["apply", "-y", "--fault", "account:error:InvalidAction@*"];
    project.run(unread).exits(1).says(&["prices-unknown", "cost-unknown", "baas_personal"]);
    assert_eq!(actions(&project), [""; 0]);
}

/// The requests of these actions.
fn asked(project: &Project, action: &str) -> usize {
    read_ledger(&project.file(LEDGER)).unwrap().iter().filter(|entry| entry.action == action).count()
}

#[test]
fn offers_are_read_once_per_run_and_only_for_packages() {
    let reads = ["CheckTcbService", "DescribeEnvLimit", "DescribeEnvPlans"];
    let project = Project::ordered(&["shop"]);
    assert_eq!(reads.map(|action| asked(&project, action)), [0; 3]);

    let project = packages("");
    let two = package("")
        + "  blog:\n    kind: package\n    alias: blog\n    package: baas_personal\n    resources: [function]\n";
    project.write(MANIFEST, two);
    project.run(["apply", "-y"]).exits(0);
    assert_eq!(reads.map(|action| asked(&project, action)), [1; 3]);

    // One that is not sold is rejected with its place, and nothing is sent.
    let project = packages("");
    project.edit(MANIFEST, "baas_personal", "baas_vip");
    let refused = project.run(["apply", "-y"]).exits(1);
    refused.says(&["error[package-not-sold]", "environments/shop.yaml:3", "baas_personal"]);
    assert_eq!(project.ledger().len(), 0);

    // What can't be read decides nothing.
    let project = packages("");
    project.run(["apply", "-y", "--fault", "account:error:InvalidAction@*"]).exits(0);
    assert_eq!(project.ordered_once(), ["shop"]);
}

#[test]
fn cloudrun_follows_an_environment_that_is_replaced_and_is_not_opened_on_one_that_is_destroyed() {
    let project = with_cloudrun();
    project.run(["apply", "-y"]).exits(0);
    let old = record(&project)["env_id"].clone();
    project.edit(MANIFEST, "baas_personal", "baas_integration");
    project.run(["apply", "-y", "--replace", "shop"]).exits(0);
    assert_ne!(record(&project)["env_id"], old);
    assert_eq!(cloudrun(&project)["env_id"], old);
    let kept = project.json(STATE)["environments"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(
        kept.iter().any(|key| key.contains(old.as_str().unwrap())),
        "the former environment is in the state: {kept:?}"
    );
    // It is on the former environment still: to open it on the new one is a create, and has to be requested.
    project.run(["plan"]).exits(1).says(&["--replace shop-run"]);
    project.run(["apply", "-y", "--replace", "shop-run"]).exits(0);
    assert_eq!(cloudrun(&project)["env_id"], record(&project)["env_id"]);
    assert_eq!(actions(&project), ["CreateEnv", "CreateCloudRunEnv", "CreateEnv", "CreateCloudRunEnv"]);
    project.run(["plan", "--detailed-exitcode"]).exits(0);

    // An address whose destroy was requested, and whose result nobody saw.
    let project = packages("");
    project.run(["apply", "-y"]).exits(0);
    project.write(MANIFEST, "version: 1\nenvironments: {}\n");
    let lost = ["destroy", "shop", "-y", "--allow-destroy", "--fault", "destroy:reset-before@1"];
    project.run(lost).exits(4);
    project.write(MANIFEST, package("") + CLOUDRUN);
    project.run(["apply", "-y"]).exits(1).says(&["is being destroyed"]);
    assert_eq!(actions(&project), ["CreateEnv"]);
}

/// Each fault at the first, the second and the third of three packages, one by one and four at a time.
#[test]
fn faults_create_no_package_twice_and_lose_none() {
    const FAULTS: [&str; 12] = [
        "reset-before",
        "reset-after",
        "eof-before",
        "eof-after",
        "500-before",
        "500-after",
        "cut-body",
        "html",
        "null-env-id",
        "throttle",
        "error:InternalError",
        "error-after:FailedOperation",
    ];
    let names = ["one", "two", "three"];
    let manifest: String = names.iter().fold("version: 1\nenvironments:\n".to_owned(), |text, name| {
        text + &format!(
            "  {name}: {{kind: package, alias: {name}, package: baas_personal, resources: [function]}}\n"
        )
    });
    let cases = FAULTS
        .iter()
        .flat_map(|fault| (1..=3).flat_map(move |at| ["1", "4"].map(|flight| (*fault, at, flight))));
    crate::support::in_parallel(cases, |(fault, at, flight)| {
        let project = Project::of(&[]);
        project.write(MANIFEST, &manifest);
        let fault = format!("{fault}@{at}");
        let run = [
            "apply",
            "-y",
            "--fault",
            &fault,
            "--in-flight",
            flight,
            "--settle",
            "2s",
            "--on-error",
            "continue",
        ];
        project.run(run);
        project.run(["apply", "-y", "--settle", "0s"]);
        for name in names {
            if project.json(STATE)["environments"][name]["status"] == "unknown" {
                let was_made = project.orders().contains_key(name);
                let adopt = vec!["resolve", name, "-y"];
                let forget = vec!["resolve", name, "--not-created", "--force", "-y"];
                project.run(if was_made { adopt } else { forget }).exits(0);
            }
        }
        project.run(["apply", "-y"]).exits(0);
        assert_eq!(project.ordered_once(), ["one", "three", "two"], "{fault} {flight}");
        let state = project.json(STATE);
        let mut made: Vec<_> = writes(&project).into_iter().map(|entry| entry.env_id.unwrap()).collect();
        let records = state["environments"].as_object().unwrap().values();
        let mut kept: Vec<_> = records.map(|record| record["env_id"].as_str().unwrap().to_owned()).collect();
        made.sort();
        kept.sort();
        assert_eq!(made, kept, "{fault} {flight}");
    });
}

/// A package of one month always expires soon, so it only counts when few days are left.
#[test]
fn package_that_expires_within_a_month_is_reported_and_not_drift() {
    let project = packages("    period: 12\n");
    project.run(["apply", "-y"]).exits(0);
    project.run(["drift"]).exits(0).says(&["unmanaged"]).does_not_say(&["expires-soon"]);
    let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(20 * 24);
    happen(&project, &json!({"expires": expires}));
    project.run(["drift"]).exits(0).says(&["expires-soon"]);
}

#[test]
fn withdrawn_action_suggests_a_kind_and_generate_writes_it() {
    let project = Project::of(&[]);
    project.write(
        MANIFEST,
        "version: 1
environments:
  # The shop.
  # It has two comments.
  shop:
    alias: shop # short
    env_source: qcloud
    # And one in it.
    channel: qc_console
    lifecycle: {prevent_destroy: true, ignore_changes: [alias, extra]}

  # Another one.
  long:
    {alias: a-name-of-more-than-20, env_source: qcloud, channel: qc_console}
  next: {kind: package, alias: next, package: baas_personal, resources: [function]}
",
    );
    for code in ["ActionOffline", "InvalidAction", "ResourcesSoldOut.PostpayPackageNotAvailable"] {
        let fault = format!("error:{code}@1");
        let refused = project.run(["apply", "-y", "--fault", &fault, "--settle", "0s", "--target", "shop"]);
        refused.exits(1).says(&["kind: package", "postpay generate --kind package"]);
    }
    assert_eq!(actions(&project), [""; 0]);

    let shown = project.run(["generate", "--kind", "package"]).exits(0);
    assert_eq!(
        shown.stdout,
        "\
# yaml-language-server: $schema=../schemas/manifest.v1.schema.json
# Replaces the entries of these names: remove those, then fill in what is empty here.
version: 1

environments:
  # The shop.
  # It has two comments.
  # short
  # And one in it.
  shop:
    kind: package
    alias: shop
    package:
    resources:
    lifecycle:
      prevent_destroy: true
      ignore_changes: [alias]

  # Another one.
  long:
    kind: package
    # alias was \"a-name-of-more-than-20\", which is not valid for `kind: package`
    alias:
    package:
    resources:
"
    );
    let places = format!("{MANIFEST}:5, {MANIFEST}:13");
    shown.says(&[&places, "remove those", "postpay validate"]);
    let file = "environments/package.yaml";
    let written = project.run(["generate", "--kind", "package", "shop", "-o", file]).exits(0);
    written.says(&["Written to environments/package.yaml", &format!("{MANIFEST}:5:")]);
    assert!(project.read(file).contains("  shop:") && !project.read(file).contains("  long:"));
    project.run(["fmt", "--check"]).says(&[MANIFEST]).does_not_say(&[file]);
    // Until the old entry is removed there are two, and then it is said what has to be chosen.
    project.run(["validate"]).exits(1).says(&["shop"]);
    project.write(MANIFEST, "version: 1\nremoved: [never-was]\n");
    project.run(["validate"]).exits(1).says(&[
        "`shop` has no `package`",
        "known values: `baas_personal`",
        "`shop` has no `resources`",
        "allowed: `flexdb`, `storage`",
    ]);
    let filled = project.read(file).replace("package:\n", "package: baas_personal\n");
    project.write(file, filled.replace("resources:\n", "resources: [function]\n"));
    project.run(["apply", "-y"]).exits(0);
    assert_eq!(project.ordered_once(), ["shop"]);

    // What exists keeps its kind, and nothing is left to declare.
    for (address, code) in [("shop", "generate-kind"), ("shp", "did you mean `shop`?")] {
        project.run(["generate", "--kind", "package", address]).exits(1).says(&[code]);
    }
    project.run(["generate", "--kind", "package"]).exits(0).says(&["Nothing to declare"]);
    project.run(["generate", "--kind", "cloudrun"]).exits(1).says(&["possible values: package"]);
    project.run(["generate", "shop"]).exits(1).says(&["--kind"]);
}

/// What the account does not show is needed neither for the import nor for what follows.
#[test]
fn prepaid_environment_is_generated_and_imported_as_a_package() {
    let project = packages("    period: 3\n    tags: {team: web}\n    auto_renew: true\n");
    project.run(["apply", "-y"]).exits(0);
    project.run(["state", "rm", "shop", "--force", "-y"]).exits(0);
    project.write(MANIFEST, "version: 1\nremoved: [never-was]\n");
    // Nothing in this project is prepaid, so the environment is none of its concern.
    project.run(["drift"]).exits(0).does_not_say(&["unmanaged"]);
    let file = "environments/imported.yaml";
    project.run(["generate", "-o", file]).exits(0);
    let text = project.read(file);
    for line in [
        "kind: package",
        "alias: shop",
        "package: baas_personal",
        "auto_renew: true",
        "overrun: true",
        "team: web",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("resources:") && !text.contains("period:"), "{text}");
    project.run(["fmt", "--check"]).exits(0);
    project.run(["apply", "-y"]).exits(0);
    assert_eq!(actions(&project), ["CreateEnv"]);
    assert_eq!(record(&project)["origin"], "imported");
    project.run(["plan", "--detailed-exitcode"]).exits(0);
    project.run(["drift"]).exits(0);

    // Declared afterwards, it is written to the state and changed there; nothing is sent.
    for (fields, period) in [("period: 6\n    resources: [storage]\n", 6), ("period: 12\n", 12)] {
        let declared = text.replacen("alias: shop\n", &format!("alias: shop\n    {fields}"), 1);
        project.write(file, &declared);
        project.run(["plan"]).exits(0).says(&["state only"]).does_not_say(&["forces replacement"]);
        project.run(["apply", "-y"]).exits(0);
        assert_eq!(record(&project)["attributes"]["period"], period);
        project.run(["plan", "--detailed-exitcode"]).exits(0);
    }
    assert_eq!(actions(&project), ["CreateEnv"]);
    // What the account shows still forces replacement.
    project.write(file, text.replace("package: baas_personal", "package: baas_integration"));
    project.run(["plan"]).exits(1).says(&["--replace shop"]);
}

#[test]
fn prepaid_environment_is_not_imported_as_another_kind() {
    let project = packages("");
    project.run(["apply", "-y"]).exits(0);
    project.run(["state", "rm", "shop", "--force", "-y"]).exits(0);
    let env_id = writes(&project)[0].env_id.clone().unwrap();
    let imported =
        format!("version: 1\nenvironments:\n  shop: {{alias: shop, import: {{env_id: {env_id}}}}}\n");
    project.write(MANIFEST, &imported);
    project.run(["apply", "-y"]).exits(1).says(&["import-prepaid", "kind: package"]);
    project.write(MANIFEST, imported.replace("alias: shop", "kind: package"));
    project.run(["apply", "-y"]).exits(0);
    assert_eq!(record(&project)["attributes"]["package"], "baas_personal");
    project.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn destroy_of_a_package_explains_refund_isolation_and_purge() {
    let project = packages("");
    project.run(["apply", "-y"]).exits(0);
    project.write(MANIFEST, "version: 1\nenvironments: {}\n");
    let isolated = ["destroy", "shop", "-y", "--allow-destroy"];
    project.run(isolated).exits(0).says(&["refunded", "15 days", "`--purge`"]);
    let purged = ["destroy", "shop", "-y", "--allow-destroy", "--purge"];
    project.run(purged).exits(0).says(&["refunded", "at once"]).does_not_say(&["15 days"]);
    assert_eq!(record(&project), Value::Null);
}
