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
fn what_people_read_is_in_chinese() {
    let project = shops();
    assert_shown!("lang-zh-plan", chinese(&project, &["plan"]).exits(0).stdout);
    // The third call is lost: two environments are created, and of one nobody knows.
    project.edit(MANIFEST, "environments:", "environments:\n  first:\n    alias: first");
    let applied = chinese(&project, &["apply", "-y", "--in-flight", "1", "--fault", "reset-before@3"]);
    assert_shown!("lang-zh-apply", applied.exits(4).stdout);
    project.edit(MANIFEST, "env_alias: 线上商店", "env_alias: 线上书店");
    project.edit(MANIFEST, "environments:", "environments:\n  new: {alias: new}");
    assert_shown!("lang-zh-drift", chinese(&project, &["drift"]).exits(2).stdout);
    let wrong = chinese(&project, &["state", "rm", "nowhere", "-y"]).exits(1);
    assert!(is_chinese(&wrong.stderr), "{wrong}");
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
