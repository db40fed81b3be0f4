//! `postpay history`: every order, from the receipts; whole or said not to be; and against a bill.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{MANIFEST, Project, RECEIPTS, STATE, assert_shown, manifest, until};

/// Ordered, refused and lost, replaced, settled, moved and forgotten.
fn eventful() -> Project {
    let project = Project::of(&["one", "two", "three"]);
    let faults = "error:InvalidParameter@2,error:InternalError@3";
    project
        .run([
            "apply",
            "-y",
            "--in-flight=1",
            "--on-error=continue",
            "--sandbox-rate=1000",
            "--fault",
            faults,
        ])
        .exits(4);
    project.run(["resolve", "three", "--not-created", "--force"]).exits(0);
    project.write(MANIFEST, manifest(&["one"]).replace("  one:", "  uno:"));
    project.run(["state", "mv", "one", "uno", "-y"]).exits(0);
    let replace = ["apply", "-y", "--replace", "uno", "--sandbox-rate=1000"];
    project.run(replace).exits(0);
    project
}

fn happenings(project: &Project, args: &[&str]) -> Vec<Value> {
    let args = [&["history", "--format", "json"], args].concat();
    let document = project.run(args).exits(0).json();
    assert_eq!(document["format_version"], 1);
    assert_eq!(document["complete"], true);
    document["history"].as_array().unwrap().clone()
}

fn receipts(project: &Project) -> Vec<PathBuf> {
    let entries = fs::read_dir(project.file(RECEIPTS)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn every_order_is_told_with_what_came_of_it() {
    let project = eventful();
    let before = project.memory();
    assert_shown!("history", project.run(["history"]).exits(0));
    assert_shown!("history-all", project.run(["history", "--all"]).exits(0));
    let told = happenings(&project, &[]);
    let short: Vec<String> = told
        .iter()
        .map(|it| {
            let text = |name: &str| it[name].as_str().unwrap_or("-").to_owned();
            format!("{} {} {}", text("address"), text("result"), text("code"))
        })
        .collect();
    assert_eq!(
        short,
        ["one ordered -", "two refused InvalidParameter", "three unknown InternalError", "uno ordered -",]
    );
    let state = project.json(STATE);
    let replaced = format!("uno/{}", told[0]["env_id"].as_str().unwrap());
    assert_eq!(state["environments"][replaced]["env_id"], told[0]["env_id"]);
    assert_eq!(told[0]["source"], "environments/shop.yaml:6");
    assert_eq!(told[2]["settled"]["created"], false);
    assert_eq!(told[3]["tran_id"], state["environments"]["uno"]["tran_id"]);
    assert_eq!(told[3]["run"], state["last_run"]);
    assert_eq!(before, project.memory(), "a reader changes nothing");
}

#[test]
fn a_part_of_it_by_address_and_time() {
    let project = eventful();
    let addresses = |args: &[&str]| -> Vec<String> {
        let told = happenings(&project, args);
        told.iter().map(|it| it["address"].as_str().unwrap().to_owned()).collect()
    };
    // Under both names, as it was moved.
    assert_eq!(addresses(&["--address", "one"]), ["one", "uno"]);
    assert_eq!(addresses(&["--address", "uno"]), ["one", "uno"]);
    let both = ["--address", "two", "--address", "three"];
    assert_eq!(addresses(&both), ["two", "three"]);
    assert_eq!(addresses(&["--since", "1h"]).len(), 4);
    assert_eq!(addresses(&["--since", "2026-01-01"]).len(), 4);
    assert!(addresses(&["--since", "2999-01-01T00:00:00Z"]).is_empty());
    let last = happenings(&project, &[])[3]["time"].clone();
    assert_eq!(addresses(&["--since", last.as_str().unwrap()]), ["uno"]);

    let nothing = project.run(["history", "--address", "tow"]).exits(0);
    nothing.says(&["the history has nothing about", "did you mean `two`?"]);
    project.run(["history", "--since", "yesterday"]).exits(1).says(&["a date (2026-05-01)"]);
}

#[test]
fn a_spreadsheet_gets_a_line_for_each_and_no_formula() {
    let project = eventful();
    let text = project.run(["history", "--csv", "--all", "--format", "json"]).exits(0).stdout;
    let lines: Vec<&str> = text.lines().collect();
    let told = happenings(&project, &["--all"]);
    assert_eq!(lines.len(), told.len() + 1);
    assert!(lines[0].starts_with("time,address,action,result,tran_id,env_id,request_id"));
    let order = told[0]["tran_id"].as_str().unwrap();
    assert!(lines[1].contains(&format!(",one,CreatePostpayPackage,ordered,{order},")));
    assert!(text.contains("state mv"), "{text}");
    // A name that begins like a formula can't be an address, but it can be a user's.
    let mut command = project.command(["state", "mv", "uno", "eins", "-y"]);
    command.env("USER", "=cmd|' /C calc'!A0");
    assert!(command.output().unwrap().status.success());
    let text = project.run(["history", "--csv", "--all"]).exits(0).stdout;
    let last = text.lines().last().unwrap();
    assert!(last.contains(",'=cmd|' /C calc'!A0@"), "{last}");
}

#[test]
fn an_open_run_is_part_of_it() {
    let project = Project::of(&["one"]);
    let nothing = project.run(["history"]).exits(0);
    nothing.says(&["No matching orders or changes"]);
    assert!(!project.exists("state"));
    let mut running = project.start(["apply", "-y", "--fault", "hang-after@1"]);
    until("the order", || project.ledger().len() == 1);
    let told = happenings(&project, &[]);
    assert_eq!(told[0]["result"], "in_progress");
    running.kill();
    project.run(["apply", "-y"]).exits(4);
    let told = happenings(&project, &[]);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["result"], "lost");
}

#[test]
fn a_damaged_or_missing_receipt_is_told_and_hides_no_other() {
    let project = eventful();
    project.run(["history", "verify"]).exits(0).says(&["OK: 4 receipts"]);
    let paths = receipts(&project);
    let whole = fs::read_to_string(&paths[0]).unwrap();
    fs::write(&paths[0], whole.replacen("\"ordered\"", "\"refused\"", 1)).unwrap();
    let ran = project.run(["history", "verify"]).exits(1);
    assert_shown!("history-verify-damaged", ran);
    let document = project.run(["history", "verify", "--format", "json"]).exits(1).json();
    assert_eq!(document["valid"], false);
    assert_eq!(document["receipts"][0]["valid"], false);
    assert_eq!(document["receipts"][1]["valid"], true);
    let ran = project.run(["history", "--format", "json"]).exits(1);
    let told = ran.json();
    assert_eq!(told["complete"], false);
    assert_eq!(told["problems"][0]["code"], "journal-damaged");
    ran.says(&["error[journal-damaged]"]);
    let kept = told["history"].as_array().unwrap();
    assert_eq!(kept.last().unwrap()["address"], "uno");

    // One from the middle is gone.
    fs::write(&paths[0], whole).unwrap();
    fs::remove_file(&paths[1]).unwrap();
    project.run(["history"]).exits(1).says(&["error[receipts-missing]", "one  CreatePostpayPackage"]);
    project.run(["history", "verify"]).exits(1);
    // Those from the beginning were thrown away: the orders are told by their records.
    for path in &paths[..1] {
        fs::remove_file(path).unwrap();
    }
    let ran = project.run(["history"]).exits(0);
    ran.says(&["warning[unverifiable]", "receipt missing"]);
    let told = happenings(&project, &[]);
    assert_eq!(told[0]["result"], "created");
    assert_eq!(told[0]["who"], Value::Null);
}

/// A bill with a line for each of these numbers.
fn bill(head: &str, numbers: &[&str]) -> String {
    let lines: Vec<String> =
        numbers.iter().map(|number| format!("云开发 CloudBase,{number},0.10\n")).collect();
    format!("产品名称,{head},优惠后总价\n{}", lines.concat())
}

fn numbers(project: &Project) -> Vec<String> {
    let told = happenings(project, &[]);
    told.iter().filter_map(|it| it["tran_id"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_bill_that_agrees_exits_with_0_and_one_that_does_not_with_2() {
    let project = eventful();
    let ours = numbers(&project);
    let [first, second] = [ours[0].as_str(), ours[1].as_str()];
    let before = project.memory();
    // One order has a line a day.
    project.write("bill.csv", bill("订单 ID", &[first, second, first]));
    let ran = project.run(["history", "reconcile", "bill.csv", "--column", "订单ID"]).exits(0);
    ran.says(&["3 lines", "2 orders on both sides", "no differences"]);

    project.write("bill.csv", bill("Order ID", &["T9", second, "T9", ""]));
    let reconcile = ["history", "reconcile", "bill.csv", "--column", "Order ID"];
    let ran = project.run(reconcile).exits(2);
    assert_shown!("history-reconcile", ran);
    let document = project.run(reconcile.iter().chain(&["--format", "json"])).exits(2).json();
    assert_eq!(document["agrees"], false);
    assert_eq!(document["matched"], 1);
    assert_eq!(document["unknown"][0]["tran_id"], "T9");
    assert_eq!(document["unknown"][0]["lines"][1], 4);
    assert_eq!(document["unbilled"][0]["tran_id"], first);
    assert_eq!(document["unbilled"][0]["address"], "one");
    assert_eq!(document["without_number"], 1);
    assert_eq!(before, project.memory());

    // A bill of another time misses nothing of this one.
    project.write("bill.csv", bill("TranId", &[second]));
    for span in [["--until", "2020-01-01"], ["--since", "2999-01-01"]] {
        let args = [&["history", "reconcile", "bill.csv", "--column", "TranId"], &span[..]].concat();
        project.run(args).exits(0);
    }
    // GBK, with tabs, and a column of another name.
    let (gbk, _, _) = encoding_rs::GBK.encode("订单编号\t金额\n");
    let lines = format!("{first}\t1\n{second}\t1\n");
    project.write("bill.csv", [&gbk[..], lines.as_bytes()].concat());
    let named = ["history", "reconcile", "bill.csv", "--column", "订单编号"];
    project.run(named).exits(0);
}

#[test]
fn a_file_that_is_no_bill_lists_its_columns() {
    let project = eventful();
    let before = project.memory();
    project.write("bill.csv", "Product,Cost\nCloudBase,1\n");
    let ran = project.run(["history", "reconcile", "bill.csv"]).exits(1);
    assert_shown!("history-no-bill", ran);
    project
        .run(["history", "reconcile", "bill.csv", "--column", "Deal"])
        .exits(1)
        .says(&["expected: `Deal`", "`Product`"]);
    project.write("bill.csv", "Order ID,Cost\n2.02006E+13,1\n");
    project.run(["history", "reconcile", "bill.csv", "--column", "Order ID"]).exits(1).says(&[
        "line 2",
        "a spreadsheet has rounded",
        "export the bill again",
    ]);
    for (name, bytes) in [("empty.csv", &b""[..]), ("image.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")] {
        project.write(name, bytes);
        let ran = project.run(["history", "reconcile", name]).exits(1);
        ran.says(&["error[bill]", name, "nothing was changed"]);
    }
    project.run(["history", "reconcile", "nowhere.csv"]).exits(1).says(&["cannot read nowhere.csv"]);
    assert_eq!(before, project.memory());
}

#[test]
fn an_order_that_no_bill_can_tell_of_is_named_and_damage_is_no_agreement() {
    let project = Project::of(&["one"]);
    project.run(["apply", "-y", "--fault", "reset-before@1"]).exits(4);
    project.write("bill.csv", "Order ID\n");
    let ran = project.run(["history", "reconcile", "bill.csv", "--column", "Order ID"]).exits(0);
    ran.says(&["Possibly created, without a TranId", "one"]);
    let path = receipts(&project).remove(0);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("ordered", "Ordered", 1)).unwrap_or_default();
    fs::write(&path, text.replacen("\"pid\"", "\"dip\"", 1)).unwrap();
    project
        .run(["history", "reconcile", "bill.csv", "--column", "Order ID"])
        .exits(1)
        .says(&["error[journal-damaged]"]);
}
