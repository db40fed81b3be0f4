//! What is shown to people speaks their language; what programs read is the same in every one.

use crate::support::{MANIFEST, Project, RECEIPTS, Ran, STATE, assert_shown};

/// Flags, variables, and whether they come to Chinese.
type Choice = (&'static [&'static str], &'static [(&'static str, &'static str)], bool);

/// Every way to ask for Chinese, and what overrides it.
const CHOICES: [Choice; 8] = [
    (&[], &[], false),
    (&[], &[("LANG", "zh_CN.UTF-8")], true),
    (&[], &[("POSTPAY_LANG", "zh")], true),
    (&["--lang", "zh"], &[], true),
    (&[], &[("POSTPAY_LANG", "en"), ("LANG", "zh_CN.UTF-8")], false),
    (&[], &[("POSTPAY_LANG", "zh"), ("LANG", "en_US.UTF-8")], true),
    (&["--lang", "en"], &[("POSTPAY_LANG", "zh"), ("LANG", "zh_CN.UTF-8")], false),
    (&["--lang", "zh"], &[("POSTPAY_LANG", "en")], true),
];

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

fn chinese(project: &Project, args: &[&str]) -> Ran {
    project.run(args.iter().chain(&["--lang", "zh"]))
}

/// Two environments whose aliases at the console are Chinese.
fn shops() -> Project {
    let project = Project::of(&[]);
    project.write(
        MANIFEST,
        "version: 1\ndefaults:\n  env_source: qcloud\n  channel: qc_console\nenvironments:\n  shop:\n    alias: shop\n    \
         env_alias: 线上商店\n  staging:\n    alias: staging\n    env_alias: 测试商店（华南）\n    \
         extra: {owner: 平台组, 部门: 电商}\n",
    );
    project
}

#[test]
fn the_flag_beats_the_variable_and_that_beats_the_locale() {
    let project = Project::ordered(&["shop"]);
    for command in [&["plan"][..], &["show"], &["history"], &["drift"]] {
        for (args, variables, expected) in CHOICES {
            let mut program = project.command(command.iter().chain(args));
            program.envs(variables.iter().copied());
            let ran = Ran::from(program.output().unwrap()).exits(0);
            assert_eq!(is_chinese(&ran.stdout), expected, "{command:?} {args:?} {variables:?}\n{ran}");
        }
    }
    // What another program reads is no sentence.
    let list = chinese(&project, &["state", "list"]).exits(0);
    assert_eq!(list.stdout, "shop\n");
}

#[test]
fn a_plan_is_reviewed_and_carried_out_in_chinese() {
    let project = shops();
    let plan = chinese(&project, &["plan"]).exits(0);
    assert_shown!("lang-zh-plan", plan.stdout);
    let applied = chinese(&project, &["apply", "-y", "--in-flight", "1"]).exits(0);
    assert_shown!("lang-zh-apply", applied.stdout);
    applied.says(&["[1/2] shop：正在订购", "[2/2] staging：已订购，TranId "]);
    assert_eq!(project.ordered_once(), ["shop", "staging"]);
    assert_shown!("lang-zh-show", chinese(&project, &["show"]).exits(0).stdout);
    let history = chinese(&project, &["history"]).exits(0);
    assert_shown!("lang-zh-history", history.stdout);
    let record = chinese(&project, &["state", "show", "shop"]).exits(0);
    record.says(&["shop：已创建 (created)"]);
    let verified = chinese(&project, &["state", "verify"]).exits(0);
    assert_shown!("lang-zh-verify", verified.stdout);
    let again = chinese(&project, &["plan"]).exits(0);
    assert_eq!(again.stdout, "没有变更。2 个环境与声明一致。\n");
}

#[test]
fn what_differs_is_told_in_chinese() {
    let project = shops();
    project.run(["apply", "-y"]).exits(0);
    project.edit(MANIFEST, "env_alias: 线上商店", "env_alias: 线上书店");
    project.edit(MANIFEST, "alias: staging", "alias: trial");
    project.edit(MANIFEST, "environments:", "environments:\n  new: {alias: new}");
    let plan = chinese(&project, &["plan"]).exits(0);
    assert_shown!("lang-zh-plan-changed", plan.stdout);
    let drift = chinese(&project, &["drift"]);
    assert_shown!("lang-zh-drift", drift.stdout);
    project.declare(&["shop"]);
    let plan = chinese(&project, &["plan"]).exits(0);
    assert_shown!("lang-zh-plan-left-over", plan.stdout);
}

#[test]
fn what_failed_is_told_in_chinese_with_what_was_and_was_not_done() {
    for (fault, exit, name) in [
        ("error:InvalidParameter@1", 1, "lang-zh-apply-failed"),
        ("error:ResourcesSoldOut.PostpayPackageNotAvailable@2", 3, "lang-zh-apply-part-way"),
    ] {
        let project = Project::of(&["one", "two", "three"]);
        let args = ["apply", "-y", "--in-flight", "1", "--fault", fault];
        let applied = chinese(&project, &args).exits(exit);
        assert_shown!(name, applied.stdout);
    }
    let project = Project::of(&["one", "two", "three"]);
    let fault = "reset-before@2";
    let args = ["apply", "-y", "--in-flight", "1", "--fault", fault];
    let applied = chinese(&project, &args).exits(4);
    assert_shown!("lang-zh-apply-unknown", applied.stdout);
    let plan = chinese(&project, &["plan"]).exits(0);
    assert_shown!("lang-zh-plan-unknown", plan.stdout);
    let resolved = chinese(&project, &["resolve"]);
    assert_shown!("lang-zh-resolve", resolved.stdout);
}

#[test]
fn tables_and_columns_stand_in_line() {
    let project = Project::of(&["shop"]);
    let rehearse = ["rehearse", "--fault", "reset-after@1"];
    let rehearsed = chinese(&project, &rehearse).exits(0);
    assert_shown!("lang-zh-rehearse", rehearsed.stdout);
    let lock = chinese(&project, &["lock", "status"]).exits(0);
    assert_shown!("lang-zh-lock", lock.stdout);
    project.run(["apply", "-y"]).exits(0);
    let receipts = chinese(&project, &["history", "verify"]).exits(0);
    assert_shown!("lang-zh-history-verify", receipts.stdout);
    let edit = chinese(&project, &["state", "rm", "shop", "-y", "--force"]).exits(0);
    assert_shown!("lang-zh-edit", edit.stdout);
}

/// `text` with every number, time and id as `#`: whatever is made of digits and what hexadecimals and times hold beside them.
fn without_numbers(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, 'a'..='f' | '.' | '-' | ':');
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(length.max(first.len_utf8()));
        let is_number = length > 0 && run.contains(|c: char| c.is_ascii_digit());
        out.push_str(if is_number { "#" } else { run });
        rest = after;
    }
    out
}

#[test]
fn what_programs_read_is_the_same_in_every_language() {
    let said = |lang: &str| {
        let project = shops();
        let json = |args: &[&str]| {
            let format = ["--format", "json", "--lang", lang];
            let ran = project.run(args.iter().chain(&format));
            assert!(ran.stdout.len() > 2, "{ran}");
            ran.stdout
        };
        let lost = ["apply", "-y", "--in-flight", "1", "--fault", "reset-before@2"];
        let mut said = [
            &["plan"][..],
            &lost,
            &["show"],
            &["state", "list"],
            &["state", "verify"],
            &["lock", "status"],
            &["history"],
            &["history", "verify"],
            &["drift"],
        ]
        .map(json)
        .to_vec();
        // Now there is a notice, which is a sentence.
        std::fs::remove_dir_all(project.file(RECEIPTS)).unwrap();
        said.push(json(&["state", "verify"]));
        said.push(project.read(STATE));
        for text in &mut said {
            for own in ["线上商店", "测试商店（华南）", "平台组", "部门", "电商"] {
                *text = text.replace(own, "");
            }
            assert!(!is_chinese(text), "{text}");
            *text = without_numbers(text);
        }
        said
    };
    for (english, chinese) in said("en").iter().zip(&said("zh")) {
        assert_eq!(english, chinese);
    }
}
