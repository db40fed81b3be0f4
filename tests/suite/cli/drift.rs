//! Manifests, state and account against one another, with the real binary against the real endpoint.

use postpay::cloud::{CloudWrite as _, Destroy, Update};
use postpay::kinds::postpay as fields;
use postpay::sandbox::{Options, Sandbox, read_ledger};

use crate::endpoint::{PATIENT, client};
use crate::support::{LEDGER, MANIFEST, Project, STATE, assert_shown};

/// What somebody else does in the account, past postpay.
enum Deed {
    Rename(&'static str),
    Isolate,
    Delete,
}

fn env_id(project: &Project, address: &str) -> String {
    let state = project.json(STATE);
    let record = &state["environments"][address];
    record["env_id"].as_str().unwrap().to_owned()
}

fn meddle(project: &Project, address: &str, deed: &Deed) {
    let env_id = env_id(project, address);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let running = Sandbox::start(Options::new(project.file(LEDGER))).await.unwrap();
        let client = client(&running.url(), PATIENT);
        let region = None;
        let destroy =
            |force| Destroy { env_id: env_id.clone(), force, bypass_check: false, region: region.clone() };
        match deed {
            Deed::Rename(alias) => {
                let rename = Update {
                    env_id: env_id.clone(),
                    action: "ModifyEnv",
                    field: fields::ALIAS,
                    value: (*alias).into(),
                    region,
                };
                client.update(&rename).await.unwrap();
            }
            Deed::Isolate => drop(client.destroy(&destroy(false)).await.unwrap()),
            Deed::Delete => drop(client.destroy(&destroy(true)).await.unwrap()),
        }
        running.shutdown().await;
    });
}

/// What happened to an environment past the API, as a line of the ledger.
fn happen(project: &Project, address: &str, now: &serde_json::Value) {
    let line = serde_json::json!({
        "kind": "external_change",
        "env_id": env_id(project, address),
        "at": "2026-01-01T00:00:00Z",
        "now": now,
    });
    let ledger = project.read(LEDGER);
    project.write(LEDGER, format!("{ledger}{line}\n"));
}

/// As if everything in the state had been ordered long ago: what is not listed then is gone, rather than late.
fn age(project: &Project) {
    let mut state = project.json(STATE);
    for (_, record) in state["environments"].as_object_mut().unwrap() {
        record["ordered_at"] = "2025-01-01T00:00:00Z".into();
    }
    project.write(STATE, serde_json::to_string_pretty(&state).unwrap());
}

/// Takes an environment out of the manifest, and gives it up.
fn give_up(project: &Project, address: &str, declared: &[&str]) {
    let others: Vec<&str> = declared.iter().copied().filter(|name| *name != address).collect();
    project.declare(&others);
    project.run(["destroy", address, "-y", "--allow-destroy"]).exits(0);
}

fn codes(json: &serde_json::Value) -> Vec<&str> {
    let findings = json.as_array().unwrap().iter();
    let mut codes: Vec<&str> = findings.map(|finding| finding["code"].as_str().unwrap()).collect();
    codes.sort_unstable();
    codes
}

/// One of each kind that comes of what people do.
fn drifted() -> Project {
    let project = Project::ordered(&["renamed", "isolated", "deleted", "left", "changed"]);
    meddle(&project, "renamed", &Deed::Rename("by-hand"));
    meddle(&project, "isolated", &Deed::Isolate);
    meddle(&project, "deleted", &Deed::Delete);
    project.declare(&["renamed", "isolated", "deleted", "changed", "lost", "new"]);
    let lost = ["apply", "-y", "--target", "lost", "--fault", "reset-before@1"];
    project.run(lost).exits(4);
    project.edit(MANIFEST, "alias: changed", "alias: changed-too");
    age(&project);
    project
}

#[test]
fn all_is_well_in_one_line() {
    let project = Project::ordered(&["one"]);
    let ran = project.run(["drift"]).exits(0);
    assert_eq!(ran.stdout, "No drift. 1 declared, 1 in the state, 2 in the account.\n");
    assert_eq!(ran.stderr, "");
}

#[test]
fn each_kind_of_drift_is_found_and_nothing_is_changed() {
    let project = drifted();
    let before = project.memory();
    let writes = || {
        let calls = read_ledger(&project.file(LEDGER)).unwrap();
        calls.into_iter().filter(|call| !call.action.starts_with("Describe")).count()
    };
    let sent = writes();
    let ran = project.run(["drift"]).exits(2);
    assert_shown!("drift", ran);
    let json = project.run(["drift", "--format", "json"]).exits(2).json();
    assert_eq!(
        codes(&json["findings"]),
        ["alias-changed", "changed", "gone", "isolated", "not-declared", "not-ordered", "outcome-unknown"]
    );
    assert_eq!(writes(), sent, "it only looked");
    assert_eq!(project.memory(), before);
}

#[test]
fn offline_needs_no_credentials_and_no_account() {
    let project = drifted();
    project.write("postpay.yaml", "version: 1\n");
    project.run(["drift"]).exits(1).says(&["no credentials found"]);
    project
        .run(["drift", "--offline"])
        .exits(2)
        .says(&["account not read", "not-ordered"])
        .does_not_say(&["alias-changed"]);
}

#[test]
fn what_is_known_is_ignored_until_its_day() {
    let project = Project::ordered(&["one"]);
    meddle(&project, "one", &Deed::Rename("by-hand"));
    project.run(["drift"]).exits(2);
    let ignored = project.run(["drift", "--ignore", "alias-changed:one"]).exits(0);
    assert_shown!("drift-ignored", ignored);
    project.run(["drift", "--ignore", "alias-changed:two"]).exits(2);
    let config = |until: &str| {
        format!(
            "version: 1\napi: {{endpoint: sandbox}}\nignore:\n  - {{code: alias-changed, reason: renamed by hand, until: {until}}}\n"
        )
    };
    project.write("postpay.yaml", config("2999-12-31"));
    project.run(["drift"]).exits(0).says(&["renamed by hand"]);
    project.write("postpay.yaml", config("2020-12-31"));
    let expired = project.run(["drift"]).exits(2);
    assert_shown!("drift-expired", expired.stderr);
    let wrong = project.run(["drift", "--ignore", "alias-chnged"]).exits(1);
    assert_shown!("drift-no-such-code", wrong.stderr);
}

#[test]
fn strict_counts_what_nobody_declares_and_a_selection_is_about_addresses() {
    let project = Project::ordered(&["one"]);
    project.run(["state", "rm", "one", "-y", "--force"]).exits(0);
    project.write(MANIFEST, "version: 1\nremoved: [one]\n");
    project.run(["drift"]).exits(0).says(&["unmanaged"]);
    project.run(["drift", "--strict"]).exits(2);
}

#[test]
fn an_account_that_can_not_be_read_is_an_error_and_no_drift() {
    let project = Project::ordered(&["one"]);
    let fault = ["drift", "--fault", "list:error:AuthFailure.UnauthorizedOperation@*"];
    let failed = project.run(fault).exits(1);
    assert!(failed.stderr.contains("error[listing]"), "{failed}");
}

/// Every code there is, in one run: those of a plan, and those of an account that people, Tencent Cloud and a late list changed.
fn of_every_kind() -> Project {
    let ordered = [
        "renamed",
        "isolated",
        "broken",
        "prepaid",
        "sourced",
        "channeled",
        "deleted",
        "left",
        "changed",
        "stray",
        "forgotten",
        "revived",
    ];
    let project = Project::ordered(&ordered);
    // Given up, and brought back in the console.
    give_up(&project, "revived", &ordered);
    // Two more orders, whose answers are lost or lack the EnvId; nothing is looked up for them.
    let more: Vec<&str> = ordered.into_iter().chain(["awaiting", "lost"]).collect();
    project.declare(&more);
    let fault = |address, fault| ["apply", "-y", "--target", address, "--fault", fault];
    project.run(fault("awaiting", "null-env-id@1")).exits(0);
    project.run(fault("lost", "reset-before@1")).exits(4);
    meddle(&project, "renamed", &Deed::Rename("by-hand"));
    meddle(&project, "isolated", &Deed::Isolate);
    meddle(&project, "deleted", &Deed::Delete);
    happen(&project, "broken", &serde_json::json!({"status": "ABNORMAL"}));
    happen(&project, "prepaid", &serde_json::json!({"pay_mode": "prepayment"}));
    happen(&project, "sourced", &serde_json::json!({"source": "miniapp"}));
    happen(&project, "channeled", &serde_json::json!({"channel": "cocos"}));
    project.run(["state", "rm", "stray", "-y", "--force"]).exits(0);
    happen(&project, "revived", &serde_json::json!({"status": "NORMAL"}));
    age(&project);
    // Created by somebody else, or by a request whose answer was lost.
    let line = serde_json::json!({
        "kind": "environment",
        "env_id": "new-1a2b3c4d",
        "at": "2026-01-01T00:00:00Z",
        "postpaid": {"alias": "new", "tran_id": "20260101000099"},
    });
    project.write(LEDGER, format!("{}{line}\n", project.read(LEDGER)));
    // Ordered just now, and not listed yet.
    project.declare(&["late"]);
    project.run(["apply", "-y", "--target", "late"]).exits(4);
    project.declare(&[
        "renamed",
        "isolated",
        "broken",
        "prepaid",
        "sourced",
        "channeled",
        "deleted",
        "changed",
        "awaiting",
        "lost",
        "late",
        "new",
    ]);
    project.edit(MANIFEST, "alias: changed", "alias: changed-too");
    let manifest = project.read(MANIFEST);
    project.write(MANIFEST, format!("{manifest}removed: [forgotten]\n"));
    project
}

#[test]
fn one_run_finds_every_kind_there_is() {
    let project = of_every_kind();
    let args = ["drift", "--strict", "--list-delay", "10m", "--format", "json"];
    // What was done longer ago than that is shown, and what was done just now is not.
    let ledger = project.read(LEDGER);
    let late = env_id(&project, "late");
    let long_ago = |line: &str| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        if line["env_id"] != late.as_str() {
            line["at"] = "2026-01-01T00:00:00Z".into();
        }
        line.to_string() + "\n"
    };
    project.write(LEDGER, ledger.lines().map(long_ago).collect::<String>());
    let json = project.run(args).exits(2).json();
    let mut found = codes(&json["findings"]);
    found.dedup();
    let mut all: Vec<&str> = postpay::drift::Code::ALL.into_iter().map(postpay::drift::Code::name).collect();
    // Only packages have them: see `kinds`.
    let of_packages =
        ["expires-soon", "overrun-changed", "package-changed", "renewal-changed", "tags-changed"];
    all.retain(|code| !of_packages.contains(code));
    all.sort_unstable();
    assert_eq!(found, all);
    for finding in json["findings"].as_array().unwrap() {
        let is_info = finding["code"] == "not-listed";
        let expected = if is_info { "not_counted" } else { "counted" };
        assert_eq!(finding["standing"], expected, "{finding}");
        for member in ["expected", "found", "next"] {
            assert!(!finding[member].as_str().unwrap().is_empty(), "{finding}");
        }
        if finding["code"] != "unmanaged" {
            assert!(finding["source"]["line"].as_u64() > Some(0), "{finding}");
            assert!(finding["address"].is_string(), "{finding}");
        }
    }
    assert_shown!("drift-every-kind", project.run(&args[..4]).exits(2));
    // A refreshed plan has the same findings and the same steps.
    let plan = |refresh: &[&str]| {
        let plan = ["plan", "--format", "json", "--list-delay", "10m"];
        let mut json = project.run(plan.iter().chain(refresh)).exits(0).json();
        for differs in ["created_at", "checksum"] {
            json.as_object_mut().unwrap().remove(differs);
        }
        json
    };
    let mut refreshed = plan(&["--refresh"]);
    let drift = refreshed.as_object_mut().unwrap().remove("resource_drift");
    let drift = drift.unwrap();
    let mut live = codes(&drift);
    live.dedup();
    let expected = [
        "alias-changed",
        "channel-changed",
        "error-status",
        "gone",
        "in-use-again",
        "isolated",
        "not-listed",
        "pay-mode-changed",
        "possible-duplicate",
        "source-changed",
        "unmanaged",
    ];
    assert_eq!(live, expected);
    assert_eq!(refreshed, plan(&[]));
}

#[test]
fn a_list_that_lags_does_not_say_that_something_is_gone() {
    let project = Project::ordered(&["one"]);
    let late = project.run(["drift", "--list-delay", "1h"]).exits(0).does_not_say(&["not in the account"]);
    assert_shown!("drift-late", late);
}

#[test]
fn a_region_that_is_only_on_record_is_asked_too() {
    let project = Project::of(&["one"]);
    project.run(["apply", "-y", "--region", "ap-guangzhou"]).exits(0);
    age(&project);
    let config =
        |regions: &str| format!("version: 1\napi: {{endpoint: sandbox, list_regions: [{regions}]}}\n");
    for regions in ["ap-shanghai", "ap-shanghai, ap-guangzhou"] {
        project.write("postpay.yaml", config(regions));
        project.run(["drift"]).exits(0);
    }
}

#[test]
fn half_a_list_is_an_error_and_no_drift() {
    let project = Project::ordered(&["one"]);
    let config = "version: 1\napi: {endpoint: sandbox, list_regions: [ap-shanghai, ap-guangzhou]}\n";
    project.write("postpay.yaml", config);
    let fault = "list:error:AuthFailure.UnauthorizedOperation@2";
    for command in [&["drift"][..], &["plan", "--refresh"]] {
        let failed = project.run(command.iter().chain(&["--fault", fault])).exits(1);
        assert_eq!(failed.stdout, "");
    }
}

#[test]
fn another_endpoint_than_the_states_is_not_compared_with_it() {
    let project = Project::ordered(&["one"]);
    project.write("postpay.yaml", "version: 1\n");
    let keys = [("TENCENTCLOUD_SECRET_ID", "AKIDtest"), ("TENCENTCLOUD_SECRET_KEY", "secret")];
    let ran = project.command(["drift"]).envs(keys).output().unwrap();
    let ran = crate::support::Ran::from(ran).exits(1);
    assert!(ran.stderr.contains("error[state-endpoint]"), "{ran}");
}

#[test]
fn a_refreshed_plan_is_kept_shown_and_carried_out_as_it_is() {
    let project = Project::ordered(&["renamed", "deleted"]);
    meddle(&project, "renamed", &Deed::Rename("by-hand"));
    meddle(&project, "deleted", &Deed::Delete);
    age(&project);
    project.declare(&["renamed", "deleted", "new"]);
    // What is gone is told, and not ordered again.
    let plan = project.run(["plan", "--refresh", "-o", "plan.json"]).exits(0);
    assert_shown!("plan-refresh", plan);
    let shown = project.run(["show", "plan.json"]).exits(0);
    assert!(plan.stdout.starts_with(&shown.stdout), "{shown}");
    let altered = project.read("plan.json").replace("\"by-hand\"", "\"by-heart\"");
    project.write("altered.json", altered);
    project.run(["apply", "altered.json"]).exits(1).says(&["checksum does not match"]);
    project.run(["apply", "plan.json"]).exits(0);
    assert_eq!(project.ordered_once(), ["deleted", "new", "renamed"]);
    project.run(["apply", "plan.json"]).exits(1).says(&["plan-used"]);
}

#[test]
fn what_a_refresh_shows_is_no_change_of_the_plan() {
    let project = Project::ordered(&["one"]);
    let plan = ["plan", "--refresh", "--detailed-exitcode", "--report", "plan.html"];
    let is_good = || {
        let page = project.read("plan.html");
        assert!(page.contains("account read"), "{page}");
        page.contains("<header class=\"top good\">")
    };
    let clean = project.run(plan).exits(0);
    clean.says(&[
        "Note: No drift: the account matches the state.",
        "No changes. 1 environment matches the configuration.",
    ]);
    assert!(is_good());
    meddle(&project, "one", &Deed::Rename("by-hand"));
    project.run(plan).exits(0).says(&["alias-changed  one"]);
    assert!(!is_good());
    let config = "version: 1\napi: {endpoint: sandbox}\nignore:\n  - {code: alias-changed, reason: by hand, until: 2999-12-31}\n";
    project.write("postpay.yaml", config);
    project.run(plan).exits(0).says(&["1 ignored by postpay.yaml"]).does_not_say(&["alias-changed"]);
    assert!(is_good());
    project.write("postpay.yaml", "version: 1\n");
    project.run(["plan", "--refresh"]).exits(1).says(&["no credentials found"]);
    project.run(["plan"]).exits(0);
}
