//! Nothing that somebody else wrote is printed in a way that a CI system obeys.

use crate::support::{MANIFEST, Project, Ran, STATE};

/// Every text that a manifest, an account or a file name may bring.
const FRAGMENTS: [&str; 5] = [
    "##[add-mask]aa",
    "x##[add-matcher]y.json",
    "##VSO[task.setvariable variable=x]y",
    "#####teamcity[message text='x']",
    "::error::x",
];

/// The lines of a text that a runner would obey, but for workflow commands of postpay's own.
fn obeyed(text: &str, own_commands: bool) -> Vec<&str> {
    let is_command = |line: &str| {
        let own = ["::error ", "::warning ", "::notice "];
        let own = own_commands && own.iter().any(|own| line.starts_with(own));
        line.trim_start().starts_with("::") && !own
    };
    let markers = ["##[", "##vso[", "##teamcity["];
    text.split(['\n', '\r'])
        .filter(|line| {
            let lower = line.to_lowercase();
            markers.iter().any(|marker| lower.contains(marker)) || is_command(line)
        })
        .collect()
}

fn run(project: &Project, args: &[&str]) -> Ran {
    let mut command = project.command(args);
    command.env("GITHUB_ACTIONS", "true").env("CI", "true");
    Ran::from(command.output().unwrap())
}

fn is_harmless(ran: &Ran, args: &[&str]) {
    let own_commands = args.contains(&"github");
    for text in [&ran.stdout, &ran.stderr] {
        let obeyed = obeyed(text, own_commands);
        assert!(obeyed.is_empty(), "{args:?}: {obeyed:#?}\n{ran}");
    }
}

fn hostile() -> Project {
    let project = Project::of(&["one"]);
    let alias = FRAGMENTS.join(" ");
    let extra = r###"
    extra: {k: "##[add-matcher]x.json", "##vso[x]": "\n::error::y\n##[x]"}
    flag: "##teamcity[x]"
"###;
    let fields = format!("alias: one\n    env_alias: \"{alias}\"{}", extra.trim_end());
    project.edit(MANIFEST, "alias: one", &fields);
    project
}

#[test]
fn foreign_text_is_broken_on_every_way_out_of_every_command() {
    let project = hostile();
    let formats = ["human", "json", "markdown", "github", "html", "sarif", "junit"];
    for format in formats {
        for args in [&["plan", "--show-calls", "--format", format][..], &["validate", "--format", format]] {
            let ran = run(&project, args).exits(0);
            is_harmless(&ran, args);
        }
    }
    let reports = ["r.json", "r.txt", "r.md", "r.html", "r.sarif", "r.xml"];
    let mut args = vec!["plan", "-o", "plan.json"];
    args.extend(reports.iter().flat_map(|name| ["--report", name]));
    is_harmless(&run(&project, &args).exits(0), &args);
    for name in reports {
        let text = project.read(name);
        assert!(obeyed(&text, false).is_empty(), "{name}: {text}");
        let is_shown = text.contains("add-mask") || ["r.sarif", "r.xml"].contains(&name);
        assert!(is_shown, "{name}: it is still there");
    }
    // JSON is the same to whoever reads it.
    let extra = run(&project, &["plan", "--format", "json"]).json().to_string();
    assert!(extra.contains("##[add-matcher]x.json"), "{extra}");

    for args in [
        &["show", "plan.json"][..],
        &["apply", "plan.json", "--format", "github", "--log", "trace"],
        &["show"],
        &["show", "--format", "json"],
        &["drift", "--format", "github"],
        &["drift", "--format", "json"],
        &["drift", "--log", "trace"],
        &["state", "list"],
        &["state", "show", "one"],
        &["state", "pull"],
        &["history"],
        &["history", "--format", "csv"],
        &["history", "--format", "json"],
        &["sandbox", "ledger"],
        &["sandbox", "ledger", "--format", "json"],
    ] {
        let ran = run(&project, args);
        assert!(matches!(ran.code, Some(0 | 2)), "{args:?} {ran}");
        is_harmless(&ran, args);
    }
    project.write("environments/two.yaml", project.read(MANIFEST).replace("one", "two"));
    let args = ["apply", "-y", "--json"];
    let ran = run(&project, &args).exits(0);
    is_harmless(&ran, &args);
    for line in ran.stdout.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[test]
fn a_comment_that_a_diagnostic_shows_can_not_mask_the_output_of_a_job() {
    let project = Project::of(&["one"]);
    project.edit(MANIFEST, "alias: one", "alias:   One # notes ##[add-mask]true");
    let file = "##[add-mask]true ::x";
    project.write(&format!("environments/{file}.yaml"), "version: 1\nnot-known: 1\n");
    for args in [
        &["validate"][..],
        &["validate", "--format", "github"],
        &["validate", "--format", "json"],
        &["plan", "--format", "markdown"],
        &["plan", "-o", "p.json", "--report", "r.md"],
        &["fmt", "--check", "--diff"],
    ] {
        let ran = run(&project, args);
        assert!(format!("{ran}").contains("add-mask"), "{args:?} {ran}");
        is_harmless(&ran, args);
    }
}

#[test]
fn what_is_typed_is_broken_where_it_is_repeated() {
    let project = Project::of(&["one"]);
    for args in [
        &["plan", "##[add-mask]true"][..],
        &["plan", "\n::error::x"],
        &["plan", "#\u{1b}[0m#[add-mask]x"],
        &["::error::x"],
        &["##[add-mask]x"],
        &["-C", "##[add-mask]x", "plan"],
        &["plan", "-f", "##[add-mask]x"],
        &["plan", "--report", "##[add-mask]x"],
        &["plan", "--target", "##[add-mask]x"],
        &["state", "show", "##[add-mask]x"],
        &["show", "##[add-mask]x"],
        &["history", "reconcile", "##[add-mask]x"],
    ] {
        let ran = run(&project, args).exits(1);
        is_harmless(&ran, args);
    }
}

#[test]
fn bills_and_states_of_others_are_broken_too() {
    let project = Project::ordered(&["one"]);
    let bill = "TranId,EnvId\n##[add-mask]1,##vso[x]\n20261201999999,::error::x\n";
    project.write("bill.csv", bill);
    let reconcile = ["history", "reconcile", "bill.csv", "--column", "TranId"];
    for args in [reconcile.to_vec(), [&reconcile[..], &["--format", "json"]].concat()] {
        let ran = run(&project, &args);
        is_harmless(&ran, &args);
    }
    let state = project.read(STATE).replace("\"qcloud\"", "\"##[add-mask]x\"");
    project.write(STATE, state);
    for args in [&["show"][..], &["plan"], &["state", "pull"], &["state", "verify"]] {
        is_harmless(&run(&project, args), args);
    }
}

/// What is printed to be kept in a file is not changed; text that a runner would obey is refused instead.
#[test]
fn formatted_standard_input_is_printed_as_it_is_or_not_at_all() {
    let project = Project::of(&["one"]);
    for (comment, code) in [("# [notes] a::b", 0), ("# ##[add-mask]true", 1)] {
        let text = format!("{comment}\n{}", project.read(MANIFEST));
        project.write("in.yaml", &text);
        let mut command = project.command(["fmt", "-"]);
        command.stdin(std::fs::File::open(project.file("in.yaml")).unwrap());
        let ran = Ran::from(command.output().unwrap()).exits(code);
        assert_eq!(ran.stdout, if code == 0 { text } else { String::new() });
        is_harmless(&ran, &["fmt"]);
    }
}

/// The scripts and pages that postpay prints are as they were made.
#[test]
fn what_is_postpays_own_holds_nothing_that_is_obeyed() {
    let project = Project::empty();
    for args in [
        &["completions", "bash"][..],
        &["completions", "zsh"],
        &["completions", "fish"],
        &["completions", "elvish"],
        &["completions", "powershell"],
        &["man"],
        &["schema", "plan"],
        &["schema", "manifest"],
        &["--help"],
    ] {
        let ran = run(&project, args).exits(0);
        is_harmless(&ran, args);
        assert!(!ran.stdout.contains(r"##\["), "{args:?}");
    }
}
