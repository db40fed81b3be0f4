//! Manifests, state and account against one another, with the real binary against the real endpoint.

use postpay::cloud::{CloudWrite as _, Destroy, Rename};
use postpay::sandbox::{Options, Sandbox, read_ledger};

use crate::endpoint::{PATIENT, client};
use crate::support::{LEDGER, MANIFEST, Project, STATE, assert_shown};

/// What somebody else does in the account, past postpay.
enum Deed {
    Rename(&'static str),
    Isolate,
    Delete,
}

fn meddle(project: &Project, address: &str, deed: &Deed) {
    let env_id = project.json(STATE)["environments"][address]["env_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let running = Sandbox::start(Options::new(project.file(LEDGER)))
            .await
            .unwrap();
        let client = client(&running.url(), PATIENT);
        let region = None;
        let destroy = |force| Destroy {
            env_id: env_id.clone(),
            force,
            bypass_check: false,
            region: region.clone(),
        };
        match deed {
            Deed::Rename(alias) => {
                let rename = Rename {
                    env_id: env_id.clone(),
                    alias: (*alias).to_owned(),
                    region,
                };
                client.rename(&rename).await.unwrap();
            }
            Deed::Isolate => drop(client.destroy(&destroy(false)).await.unwrap()),
            Deed::Delete => drop(client.destroy(&destroy(true)).await.unwrap()),
        }
        running.shutdown().await;
    });
}

/// One of each kind that the embedded endpoint can show.
fn drifted() -> Project {
    let project = Project::ordered(&["renamed", "isolated", "deleted", "left", "changed"]);
    meddle(&project, "renamed", &Deed::Rename("by-hand"));
    meddle(&project, "isolated", &Deed::Isolate);
    meddle(&project, "deleted", &Deed::Delete);
    project.declare(&["renamed", "isolated", "deleted", "changed", "lost", "new"]);
    let lost = [
        "apply",
        "-y",
        "--target",
        "lost",
        "--fault",
        "reset-before@1",
    ];
    project.run(lost).exits(4);
    project.edit(MANIFEST, "alias: changed", "alias: changed-too");
    project
}

#[test]
fn all_is_well_in_one_line() {
    let project = Project::ordered(&["one"]);
    let ran = project.run(["drift"]).exits(0);
    assert_eq!(
        ran.stdout,
        "No drift. 1 declared, 1 on record, 2 in the account.\n"
    );
    assert_eq!(ran.stderr, "");
}

#[test]
fn each_kind_of_drift_is_found_and_nothing_is_changed() {
    let project = drifted();
    let before = project.memory();
    let writes = || {
        let calls = read_ledger(&project.file(LEDGER)).unwrap();
        calls
            .into_iter()
            .filter(|call| !call.action.starts_with("Describe"))
            .count()
    };
    let sent = writes();
    let ran = project.run(["drift"]).exits(2);
    assert_shown!("drift", ran);
    let json = project.run(["drift", "--format", "json"]).exits(2).json();
    let mut codes: Vec<&str> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        [
            "alias-changed",
            "changed",
            "gone",
            "isolated",
            "not-declared",
            "not-ordered",
            "outcome-unknown"
        ]
    );
    assert_eq!(writes(), sent, "it only looked");
    let mut after = project.memory();
    let ledger = project.file(LEDGER);
    let ledger = ledger.strip_prefix(project.path()).unwrap();
    after.insert(ledger.to_owned(), before[ledger].clone());
    assert_eq!(after, before);
}

#[test]
fn offline_needs_no_credentials_and_no_account() {
    let project = drifted();
    project.write("postpay.yaml", "version: 1\n");
    project.run(["drift"]).exits(1).says(&["no key is set"]);
    project
        .run(["drift", "--offline"])
        .exits(2)
        .says(&["the account was left out", "not-ordered"])
        .does_not_say(&["alias-changed"]);
}

#[test]
fn what_is_known_is_ignored_until_its_day() {
    let project = Project::ordered(&["one"]);
    meddle(&project, "one", &Deed::Rename("by-hand"));
    project.run(["drift"]).exits(2);
    let ignored = project
        .run(["drift", "--ignore", "alias-changed:one"])
        .exits(0);
    assert_shown!("drift-ignored", ignored);
    project
        .run(["drift", "--ignore", "alias-changed:two"])
        .exits(2);
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
    project
        .run(["state", "rm", "one", "-y", "--force"])
        .exits(0);
    project.write(MANIFEST, "version: 1\nremoved: [one]\n");
    project.run(["drift"]).exits(0).says(&["unmanaged"]);
    project.run(["drift", "--strict"]).exits(2);
}

#[test]
fn an_account_that_can_not_be_read_is_an_error_and_no_drift() {
    let project = Project::ordered(&["one"]);
    let fault = [
        "drift",
        "--fault",
        "list:error:AuthFailure.UnauthorizedOperation@*",
    ];
    let failed = project.run(fault).exits(1);
    assert_shown!("drift-unreadable", failed.stderr);
}
