//! The embedded endpoint by itself: what is there from the start, and what its ledger shows.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use postpay::cloud::{CloudWrite as _, Destroy, Grade, Update};
use postpay::kinds::postpay as fields;
use postpay::sandbox::{Options, SAMPLE_ENV_ID, Sandbox, read_ledger};

use super::secrets::serve;
use crate::endpoint::{PATIENT, client};
use crate::support::{LEDGER, Project, Running, assert_shown};

fn rename(env_id: &str) -> Update {
    Update {
        env_id: env_id.to_owned(),
        action: "ModifyEnv",
        field: fields::ALIAS,
        value: "我的环境".into(),
        region: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_listed_with_what_they_asked_for() {
    let project = Project::empty();
    let running = Sandbox::start(Options {
        faults: vec!["destroy:reset-after@2".parse().unwrap()],
        ..Options::new(project.file(LEDGER))
    })
    .await
    .unwrap();
    let client = client(&running.url(), PATIENT);
    let destroy =
        |force| Destroy { env_id: SAMPLE_ENV_ID.to_owned(), force, bypass_check: false, region: None };
    client.update(&rename(SAMPLE_ENV_ID)).await.unwrap();
    client.update(&rename("nobody")).await.unwrap_err();
    client.destroy(&destroy(false)).await.unwrap();
    client.destroy(&destroy(true)).await.unwrap_err();
    running.shutdown().await;
    assert_shown!("sandbox-ledger-changes", project.run(["sandbox", "ledger"]).exits(0));
    let ledger = project.run(["sandbox", "ledger", "--format", "json"]).json();
    let told: Vec<_> = (0..4)
        .map(|at| (&ledger[at]["acted"], &ledger[at]["changed"]))
        .map(|(acted, changed)| (acted.as_bool().unwrap(), changed.as_bool().unwrap()))
        .collect();
    assert_eq!(told, [(false, true), (false, false), (false, true), (false, true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_on_record_before_anybody_is_told_of_it() {
    // Other builds hold no crash points.
    if !cfg!(debug_assertions) {
        return;
    }
    for (point, made) in [("request-arrived", false), ("api-acted", true)] {
        let project = Project::empty();
        let mut command = project.command(["sandbox", "serve", "--listen", "127.0.0.1:0"]);
        command.env("POSTPAY_CRASH_AT", point).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Running::new(command);
        let mut url = String::new();
        let mut stdout = BufReader::new(running.stdout());
        stdout.read_line(&mut url).unwrap();
        let error = client(url.trim(), PATIENT).update(&rename(SAMPLE_ENV_ID)).await.unwrap_err();
        assert_eq!(error.grade, Grade::Unknown, "{point}: {error:?}");
        assert_eq!(running.wait().code, None, "{point}: it died");
        let changed: Vec<bool> =
            read_ledger(&project.file(LEDGER)).unwrap().iter().map(|entry| entry.changed).collect();
        let expected: &[bool] = if made { &[true] } else { &[] };
        assert_eq!(changed, expected, "{point}");
    }
}

#[test]
fn environments_can_be_there_from_the_start_prepaid_or_postpaid() {
    let project = Project::empty();
    let given = ["--existing", "old-1", "--existing-postpaid", "shop-1:店"];
    project.run(["sandbox", "reset"].iter().chain(&given)).exits(0);
    let lines = |text: &str| {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>()
    };
    let reset = lines(&project.read(LEDGER));
    let of = |at: usize| (&reset[at]["env_id"], &reset[at]["postpaid"]["alias"]);
    let null = serde_json::Value::Null;
    assert_eq!(of(0), (&SAMPLE_ENV_ID.into(), &null));
    assert_eq!(of(1), (&"old-1".into(), &null));
    assert_eq!(of(2), (&"shop-1".into(), &"店".into()));

    let more = ["--existing-postpaid", "blog-1"];
    let more: Vec<&str> = more.iter().chain(&given).copied().collect();
    let (mut running, _) = serve(&project, &more);
    running.kill();
    let served = lines(&project.read(LEDGER));
    assert_eq!(served[..3], reset, "what is known stays what it is");
    assert_eq!(served[3]["env_id"], "blog-1");
    assert_eq!(served[3]["postpaid"]["alias"], "blog");
    assert_ne!(served[3]["postpaid"]["tran_id"], served[2]["postpaid"]["tran_id"]);
    assert_eq!(served.len(), 4);

    let before = fs::read(project.file(LEDGER)).unwrap();
    project
        .run(["sandbox", "reset", "--existing-postpaid", ":shop"])
        .exits(1)
        .says(&["`:shop` is not an environment: write ENV_ID or ENV_ID:ALIAS"]);
    assert_eq!(fs::read(project.file(LEDGER)).unwrap(), before);
}
