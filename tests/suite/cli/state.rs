//! `postpay state`: looking at what is in the state, and changing it by hand. Nothing of it orders, nothing loses an id.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{
    JOURNAL, LEDGER, MANIFEST, Project, RECEIPTS, Ran, STATE, assert_shown, at_once, manifest, until,
};

/// `one`, which another took the address of, and `two`.
fn replaced() -> Project {
    let project = Project::ordered(&["one", "two"]);
    project.run(["apply", "-y", "--replace", "one"]).exits(0);
    project
}

fn state(project: &Project) -> Value {
    project.json(STATE)
}

fn deposed_id(project: &Project) -> String {
    let state = state(project);
    let mut keys = state["environments"].as_object().unwrap().keys();
    let (_, env_id) = keys.find_map(|key| key.split_once('/')).unwrap();
    env_id.to_owned()
}

/// A refusal says so, sends nothing and changes nothing.
#[track_caller]
fn refused(project: &Project, args: &[&str], code: &str) -> Ran {
    let (before, sent) = (project.memory(), project.ledger().len());
    let ran = project.run(args).exits(1);
    assert_eq!(ran.stdout, "", "{ran}");
    let ran = ran.says(&[&format!("error[{code}]"), "nothing was"]);
    assert_eq!(before, project.memory(), "{ran}");
    assert_eq!(sent, project.ledger().len(), "{ran}");
    ran
}

/// Whatever was edited, state and receipts agree, and the receipts rebuild the state.
#[track_caller]
fn consistent(project: &Project) {
    project.run(["state", "verify"]).exits(0);
    project.run(["history", "verify"]).exits(0);
    let ran = project.run(["state", "restore", "--dry-run"]).exits(0);
    ran.says(&["The current state is the same"]);
    let before = project.read(STATE);
    fs::remove_file(project.file(STATE)).unwrap();
    project.run(["state", "restore", "-y"]).exits(0);
    assert_eq!(project.read(STATE), before);
}

#[test]
fn a_list_is_one_address_a_line() {
    let project = replaced();
    let old = deposed_id(&project);
    let list = |args: &[&str]| project.run([&["state", "list"], args].concat()).exits(0).stdout;
    let deposed = format!("one (deposed {old})\n");
    assert_eq!(list(&[]), format!("one\n{deposed}two\n"));
    assert_eq!(list(&["t*"]), "two\n");
    assert_eq!(list(&["?wo", "one"]), list(&[]));
    assert_eq!(list(&["x*"]), "");
    assert_eq!(list(&["--id", &old]), deposed);
    let new = state(&project)["environments"]["one"]["env_id"].clone();
    assert_eq!(list(&["--id", new.as_str().unwrap()]), "one\n");
    let document = project.run(["state", "list", "--format", "json"]).json();
    assert_eq!(document["format_version"], 1);
    let listed = document["environments"].as_array().unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[0]["env_id"], new);
    assert_eq!(listed[0]["deposed"], false);
    assert_eq!(listed[1]["env_id"], old.as_str());
    assert_eq!(listed[1]["deposed"], true);
    assert_eq!(listed[1]["status"], "created");

    project.run(["state", "list", "tow"]).exits(1).says(&["did you mean `two`?"]);
    project.run(["state", "list", "--id", "nobodys"]).exits(1).says(&["unknown-env-id"]);
    project.run(["state", "list", "No Address"]).exits(1);
}

#[test]
fn a_record_is_shown_whole() {
    let project = replaced();
    let ran = project.run(["state", "show", "one"]).exits(0);
    assert_shown!("state-show", ran);
    let document = project.run(["state", "show", "one", "--format", "json"]).json();
    let state = state(&project);
    assert_eq!(document["record"], state["environments"]["one"]);
    assert_eq!(document["deposed"][0], state["environments"][format!("one/{}", deposed_id(&project))]);
    project
        .run(["state", "show", "onee"])
        .exits(1)
        .says(&["`onee` is not in the state", "did you mean `one`?"]);
    assert_shown!("state-table", project.run(["show"]).exits(0));
}

#[test]
fn a_pull_is_the_state_file_with_the_open_run_folded_in() {
    let project = Project::ordered(&["one"]);
    let pulled = project.run(["state", "pull"]).exits(0);
    assert_eq!(pulled.stdout, project.read(STATE));

    project.declare(&["one", "two"]);
    let mut running = project.start(["apply", "-y", "--fault", "hang-after@1"]);
    until("the order", || project.ledger().len() == 2);
    let pulled = project.run(["state", "pull"]).exits(0);
    assert_eq!(pulled.json()["environments"]["two"]["status"], "unknown");
    assert_eq!(pulled.json()["serial"], 2);
    pulled.says(&["warning[open-run]"]);
    running.kill();
}

#[test]
fn without_a_state_there_is_nothing_to_look_at_and_nothing_to_change() {
    let project = Project::of(&["one"]);
    let list = project.run(["state", "list"]).exits(0);
    assert_eq!(list.stdout, "");
    project.write("file.json", "{}");
    for args in [
        &["state", "show", "one"][..],
        &["state", "pull"],
        &["state", "mv", "one", "two", "-y"],
        &["state", "rm", "one", "-y"],
    ] {
        project.run(args).exits(1).says(&["error[no-state]"]);
    }
    assert!(!project.exists("state"));
}

#[test]
fn what_is_moved_is_not_ordered_again() {
    let project = replaced();
    let old = deposed_id(&project);
    let before = state(&project);
    let renamed = manifest(&["one", "two"]).replace("  one:", "  uno:");
    project.write(MANIFEST, renamed);
    let memory = project.memory();
    let dry = project.run(["state", "mv", "one", "uno", "--dry-run"]).exits(0);
    assert_shown!("state-mv-dry-run", dry);
    assert_eq!(memory, project.memory());
    refused(&project, &["state", "mv", "one", "uno"], "no-terminal");

    let ran = project.run(["state", "mv", "one", "uno", "-y", "--format", "json"]).exits(0);
    let document = ran.json();
    assert_eq!(document["command"], "state mv one uno");
    assert_eq!(document["written"], true);
    assert_eq!(document["serial"], 3);
    assert_eq!(document["warnings"], serde_json::json!([]));
    let changes = document["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 2);
    assert_eq!(changes[0]["change"], "moved");
    assert_eq!(changes[1]["record"]["env_id"], old.as_str());
    ran.says(&["serial 3", "Nothing was sent to Tencent Cloud."]);

    let after = state(&project);
    assert_eq!(after["environments"]["uno"], before["environments"]["one"]);
    let (moved, deposed) = (format!("uno/{old}"), format!("one/{old}"));
    assert_eq!(after["environments"][moved], before["environments"][deposed]);
    assert_eq!(project.json(&format!("{STATE}.backup")), before);
    let plan = project.run(["plan", "--detailed-exitcode"]).exits(0);
    plan.says(&["No changes."]);
    assert_eq!(project.orders()["one"], 2);
    consistent(&project);
    let receipt = fs::read_dir(project.file(RECEIPTS)).unwrap().count();
    assert_eq!(receipt, 3);
}

#[test]
fn a_move_that_does_not_fit_is_refused() {
    let project = replaced();
    let old = deposed_id(&project);
    refused(&project, &["state", "mv", "won", "uno", "-y"], "unknown-address")
        .says(&["`won` is not in the state"]);
    refused(&project, &["state", "mv", "tow", "uno", "-y"], "unknown-address").says(&["did you mean `two`?"]);
    refused(&project, &["state", "mv", "one", "two", "-y"], "move-used")
        .says(&["`two` is in use: it has", "postpay state rm two"]);
    refused(&project, &["state", "mv", "one", "one", "-y"], "move-same");
    let ran = project.run(["state", "mv", "one", "No Address", "-y"]).exits(1);
    ran.says(&["is not an address"]);
    // An address at which only a replaced one is in the state is not free.
    project.declare(&["two"]);
    project.run(["state", "rm", "one", "-y"]).exits(0);
    refused(&project, &["state", "mv", "two", "one", "-y"], "move-used").says(&[&format!("--deposed {old}")]);
    refused(&project, &["state", "mv", "one", "three", "-y"], "unknown-address")
        .says(&[&format!("its earlier environment {old} is in the state, deposed")]);
}

#[test]
fn a_move_says_what_the_manifests_make_of_it_and_does_not_need_them() {
    let project = Project::ordered(&["one"]);
    project.run(["state", "mv", "one", "uno", "--dry-run"]).exits(0).says(&[
        "warning[still-declared]: `one` is still declared in environments/shop.yaml:6",
        "`moved` block",
        "warning[not-declared]: `uno`",
    ]);
    project.write(MANIFEST, "version: 1\nenvironments: [\n");
    project
        .run(["state", "mv", "one", "uno", "-y"])
        .exits(0)
        .says(&["warning[manifests]", "postpay validate"]);
    assert_eq!(project.run(["state", "list"]).stdout, "uno\n");
}

#[test]
fn an_order_with_an_unknown_outcome_can_be_moved_and_not_forgotten() {
    let project = Project::of(&["one"]);
    project.run(["apply", "-y", "--fault", "reset-before@1"]).exits(4);
    refused(&project, &["state", "rm", "one", "-y", "--force"], "rm-unknown")
        .says(&["postpay resolve one", "it would be created again"]);
    project.write(MANIFEST, manifest(&["one"]).replace("  one:", "  uno:"));
    project.run(["state", "mv", "one", "uno", "-y"]).exits(0);
    assert_eq!(state(&project)["environments"]["uno"]["status"], "unknown");
    project.run(["apply", "-y"]).exits(4);
    assert!(project.orders().is_empty());
    project.run(["resolve", "uno", "--not-created", "--force"]).exits(0);
    project.run(["apply", "-y"]).exits(0);
    assert_eq!(project.ordered_once(), ["one"]);
    consistent(&project);
}

#[test]
fn what_is_forgotten_lives_on_and_what_is_declared_is_not_forgotten() {
    let project = Project::ordered(&["one", "two", "three"]);
    refused(&project, &["state", "rm", "one", "-y"], "still-declared").says(&[
        "environments/shop.yaml:6",
        "would create it again",
        "--force",
    ]);
    project.write("broken.yaml", "version: 1\nenvironments: [\n");
    refused(&project, &["state", "rm", "one", "-y", "-f", "broken.yaml"], "manifests");
    project.declare(&["three"]);
    // One of them is not there: none is forgotten.
    refused(&project, &["state", "rm", "one", "fore", "-y"], "unknown-address");
    refused(&project, &["state", "rm", "one"], "no-terminal");
    let ran = project.run(["state", "rm", "two", "one", "-y"]).exits(0);
    assert_shown!("state-rm", ran);
    assert_eq!(project.run(["state", "list"]).stdout, "three\n");
    project.run(["plan", "--detailed-exitcode"]).exits(0);
    consistent(&project);
    // The receipts keep what was forgotten.
    let found = project.run(["history", "--address", "one"]).exits(0);
    assert!(found.stdout.contains("TranId"), "{found}");

    project.run(["state", "rm", "three", "-y", "--force"]).exits(0).says(&["warning[still-declared]"]);
    // A report does not take the place of the state.
    let args = ["state", "list", "--report", STATE];
    project.run(args).exits(1).says(&["error[state-file]"]);
    let plan = project.run(["plan", "--detailed-exitcode"]).exits(2);
    plan.says(&["+ three "]);
}

#[test]
fn what_was_replaced_is_forgotten_by_its_id() {
    let project = replaced();
    let old = deposed_id(&project);
    let new = state(&project)["environments"]["one"]["env_id"].clone();
    let new = new.as_str().unwrap();
    refused(&project, &["state", "rm", "--deposed", new, "-y"], "unknown-env-id")
        .says(&["environment of `one`"]);
    refused(&project, &["state", "rm", "two", "--deposed", &old, "-y"], "unknown-env-id");
    project.run(["state", "rm", "-y"]).exits(1).says(&["<ADDR>"]);
}

#[test]
fn a_replaced_one_that_is_forgotten_leaves_what_has_its_address() {
    let project = replaced();
    let old = deposed_id(&project);
    // It is declared, and that is no matter: it is not what would be ordered again.
    let ran = project.run(["state", "rm", "one", "--deposed", &old, "-y"]).exits(0);
    ran.says(&[&format!("one (deposed {old}) is removed from the state")]);
    assert_eq!(project.run(["state", "list"]).stdout, "one\ntwo\n");
    project.run(["plan", "--detailed-exitcode"]).exits(0);
    consistent(&project);
}

/// The state as it is, with a later serial and this change.
fn mended(project: &Project, change: impl FnOnce(&mut Value)) -> String {
    let mut state = state(project);
    state["serial"] = (state["serial"].as_u64().unwrap() + 1).into();
    change(&mut state);
    project.write("mended.json", format!("{state:#}\n"));
    "mended.json".to_owned()
}

#[test]
fn a_pushed_state_takes_the_records_place_and_the_receipts_tell_so() {
    let project = replaced();
    let old = deposed_id(&project);
    let pulled = project.run(["state", "pull"]).stdout;
    project.write("same.json", &pulled);
    project.run(["state", "push", "same.json", "-y"]).exits(0).says(&["no changes", "Nothing was written"]);

    // What was replaced stands again, under a name of its own; `two` gets another name, and `one` another region.
    let file = mended(&project, |state| {
        let environments = state["environments"].as_object_mut().unwrap();
        let mut deposed = environments.remove(&format!("one/{old}")).unwrap();
        deposed.as_object_mut().unwrap().remove("deposed_at");
        environments.insert("old".to_owned(), deposed);
        let two = environments.remove("two").unwrap();
        environments.insert("zwei".to_owned(), two);
        environments["one"]["region"] = "ap-shanghai".into();
    });
    let memory = project.memory();
    let dry = project.run(["state", "push", &file, "--dry-run"]).exits(0);
    assert_shown!("state-push-dry-run", dry);
    assert_eq!(memory, project.memory());
    refused(&project, &["state", "push", &file], "no-terminal");
    project.run(["state", "push", &file, "-y"]).exits(0);
    let after = state(&project);
    assert_eq!(after["serial"], 3);
    assert_eq!(after["environments"]["old"]["env_id"], old.as_str());
    assert_eq!(after["environments"]["one"]["region"], "ap-shanghai");
    assert_eq!(after["environments"]["two"], Value::Null);
    assert_eq!(after["environments"].as_object().unwrap().len(), 3);
    consistent(&project);
    // The same once more says nothing new.
    let again = project.run(["state", "push", &file, "-y"]).exits(0);
    again.says(&["no changes"]);

    // And back, from standard input.
    let mut back: Value = serde_json::from_str(&pulled).unwrap();
    back["serial"] = 4.into();
    let mut command = project.command(["state", "push", "-", "-y"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(back.to_string().as_bytes()).unwrap();
    drop(stdin);
    Ran::from(child.wait_with_output().unwrap()).exits(0);
    let mut expected: Value = serde_json::from_str(&pulled).unwrap();
    let found = state(&project);
    expected["serial"] = 4.into();
    expected["last_run"] = found["last_run"].clone();
    assert_eq!(found, expected);
    consistent(&project);
    assert_eq!(project.orders()["one"], 2, "nothing was created");
}

#[test]
fn a_file_that_is_no_later_word_on_this_state_is_not_pushed() {
    let project = replaced();
    let old = deposed_id(&project);
    let push = |file: &str, code: &str| refused(&project, &["state", "push", file, "-y", "--force"], code);
    let changed = |change: &dyn Fn(&mut Value)| mended(&project, change);
    let foreign = changed(&|state: &mut Value| {
        state["lineage"] = "01970000-0000-7000-8000-000000000002".into();
    });
    push(&foreign, "push-foreign").says(&["--force does not help"]);
    let older = changed(&|state: &mut Value| state["serial"] = 1.into());
    push(&older, "push-older").says(&["has serial 1, but the state has 2"]);
    let same = changed(&|state: &mut Value| {
        state["serial"] = 2.into();
        state["environments"]["one"]["region"] = "ap-shanghai".into();
    });
    push(&same, "push-same-serial").says(&["increase its `serial` to 3"]);
    let endpoint = changed(&|state: &mut Value| state["account"]["endpoint"] = "tencentcloudapi.com".into());
    push(&endpoint, "push-account").says(&["`tencentcloudapi.com`", "`sandbox`"]);
    let nobody = changed(&|state: &mut Value| state["account"] = Value::Null);
    push(&nobody, "push-account");
    let newer = changed(&|state: &mut Value| state["format_version"] = 2.into());
    push(&newer, "state-newer").says(&["format version 2"]);
    let twice = changed(&|state: &mut Value| {
        let environments = state["environments"].as_object_mut().unwrap();
        let env_id = environments["one"]["env_id"].as_str().unwrap().to_owned();
        let mut deposed = environments.remove(&format!("one/{old}")).unwrap();
        deposed["env_id"] = env_id.clone().into();
        environments.insert(format!("one/{env_id}"), deposed);
    });
    push(&twice, "push-contradiction").says(&["is in the file twice: one and one (deposed"]);
    let same_twice = changed(&|state: &mut Value| {
        let one = state["environments"]["one"]["env_id"].clone();
        state["environments"]["two"]["env_id"] = one;
    });
    push(&same_twice, "push-contradiction").says(&["is in the file twice: one and two"]);
    let nameless =
        changed(&|state: &mut Value| state["environments"][format!("one/{old}")]["env_id"] = Value::Null);
    push(&nameless, "push-contradiction").says(&["must have an EnvId"]);
    let unknown = changed(&|state: &mut Value| state["environments"]["one"]["mood"] = "good".into());
    push(&unknown, "state-damaged").says(&["mood", "mended.json:"]);
    let whole = project.read(STATE);
    project.write("cut.json", &whole[..whole.len() / 2]);
    push("cut.json", "state-damaged");
    project.write("empty.json", "");
    push("empty.json", "state-empty");
    push("nowhere.json", "push-file");
    // Nobody can be asked: standard input is the state.
    refused(&project, &["state", "push", "-"], "no-terminal");
}

#[test]
fn a_push_forgets_only_what_it_is_told_to() {
    let project = replaced();
    let old = deposed_id(&project);
    let without = mended(&project, |state| {
        state["environments"].as_object_mut().unwrap().remove("two");
        state["environments"].as_object_mut().unwrap().remove(&format!("one/{old}"));
        state["environments"]["one"]["tran_id"] = Value::Null;
    });
    let ran = refused(&project, &["state", "push", &without, "-y"], "push-forgets");
    assert_shown!("state-push-forgets", ran);
    ran.says(&[&old]);
    let ran = project.run(["state", "push", &without, "-y", "--force"]).exits(0);
    ran.says(&["warning[push-forgets]", "two is removed from the state"]);
    consistent(&project);

    let project = Project::of(&["one"]);
    project.run(["apply", "-y", "--fault", "reset-before@1"]).exits(4);
    let without = mended(&project, |state| {
        state["environments"] = serde_json::json!({});
    });
    refused(&project, &["state", "push", &without, "-y"], "push-forgets")
        .says(&["one: an order that may exist"]);
}

#[test]
fn nothing_is_edited_while_another_process_writes() {
    let project = Project::ordered(&["one"]);
    project.declare(&["one", "two"]);
    let mut running = project.start(["apply", "-y", "--fault", "hang-after@1"]);
    until("the order", || project.ledger().len() == 2);
    let pid = format!("process {}", running.id());
    project.declare(&[]);
    project.write(MANIFEST, manifest(&["three"]));
    let pulled = project.run(["state", "pull"]).stdout;
    let file = pulled
        .replace("\"serial\": 2", "\"serial\": 3")
        .replace("\"status\": \"created\",", "\"status\": \"created\", \"origin\": \"imported\",");
    project.write("file.json", file);
    let before = project.memory();
    for args in [
        &["state", "mv", "one", "uno", "-y"][..],
        &["state", "rm", "one", "-y"],
        &["state", "push", "file.json", "-y"],
    ] {
        let ran = project.run(args).exits(1);
        ran.says(&["error[state-locked]", &pid, "doing `apply`"]);
    }
    assert_eq!(before, project.memory());
    // Looking takes no lock.
    project.run(["state", "list"]).exits(0);
    running.kill();
    project.run(["state", "mv", "one", "uno", "-y"]).exits(0).says(&["was interrupted"]);
    assert_eq!(project.run(["state", "list"]).stdout, "two\nuno\n");
    consistent(&project);
}

#[test]
fn killed_at_any_moment_a_move_is_made_or_not_and_nothing_between() {
    let moments = [
        "journal-created",
        "journal-begun",
        "line-written@2",
        "line-synced@2",
        "line-synced@3",
        "file-written@1",
        "backup-kept",
        "state-replaced",
        "receipt-next",
        "receipt-renamed",
        "receipt-filed",
    ];
    at_once(moments, |moment| {
        let project = Project::ordered(&["one"]);
        let before = state(&project)["environments"]["one"].clone();
        let mut command = project.command(["state", "mv", "one", "uno", "-y"]);
        command.env("POSTPAY_CRASH_AT", moment);
        let died = Ran::from(command.output().unwrap());
        assert_eq!(died.code, None, "{moment}: {died}");
        let list = project.run(["state", "list"]).exits(0).stdout;
        assert!(list == "one\n" || list == "uno\n", "{moment}: {list}");
        project.run(["state", "verify"]).exits(0);
        let again = project.run(["state", "mv", "one", "uno", "-y"]);
        let expected = i32::from(list != "one\n");
        assert_eq!(again.code, Some(expected), "{moment}: {again}");
        project.run(["lock", "status"]).exits(0);
        // The next writer finishes what the dead one began.
        project.run(["state", "mv", "uno", "eins", "-y"]).exits(0);
        assert_eq!(state(&project)["environments"]["eins"], before, "{moment}");
        assert!(!project.exists(JOURNAL), "{moment}");
        assert_eq!(project.ledger_at(LEDGER).len(), 1, "{moment}");
        consistent(&project);
    });
}
