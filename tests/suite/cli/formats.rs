//! Every format, of every command that has a page: real output, read by whoever else would read it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{MANIFEST, Project, Ran, STATE};

/// Names that mean something to a terminal, to HTML, to Markdown, to XML and to GitHub.
const HOSTILE: &str =
    r#""<script>alert(1)</script> @team #1 ``` | ]]> ::error::x %0A [a](http://e.vil) \"'& </details>""#;

const PAGES: [&str; 5] = ["markdown", "github", "sarif", "junit", "html"];

const REPORTS: [&str; 14] = [
    "--report",
    "r.md",
    "--report",
    "r.sarif",
    "--report",
    "r.xml",
    "--report",
    "r.html",
    "--report",
    "r.json",
    "--report",
    "r.txt",
    "--report",
    "s.sarif.json",
];

/// What the standard's own schema says of a document; its results, as (level, rule).
fn sarif(text: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/fixtures/sarif");
    let schema = fs::read_to_string(folder.join("sarif-schema-2.1.0.json")).unwrap();
    // A pattern of the schema has a bracket too many, which no strict reader of patterns takes. We name no language.
    let pattern = "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}";
    let mended = schema.replace(&format!("{pattern}]?$"), &format!("{pattern}$"));
    assert_ne!(schema, mended);
    let schema: Value = serde_json::from_str(&mended).unwrap();
    let document: Value = serde_json::from_str(text).unwrap();
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
        .validate(&document)
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    let run = &document["runs"][0];
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let results = run["results"].as_array().unwrap();
    results
        .iter()
        .map(|result| {
            let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(run["tool"]["driver"]["rules"][at]["id"], result["ruleId"]);
            (word(&result["level"]), word(&result["ruleId"]))
        })
        .collect()
}

/// The cases of a suite, as (name, what became of it).
fn junit(text: &str) -> Vec<(String, &'static str)> {
    let document = roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    cases
        .map(|case| {
            let has = |name| case.children().any(|node| node.has_tag_name(name));
            let what = match (has("failure"), has("skipped")) {
                (true, _) => "failed",
                (false, true) => "skipped",
                (false, false) => "passed",
            };
            (case.attribute("name").unwrap().to_owned(), what)
        })
        .collect()
}

/// GitHub's commands, without their texts.
fn commands(text: &str) -> Vec<&str> {
    text.lines()
        .map(|line| {
            let (command, _) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
            command
        })
        .collect()
}

/// Reads every report as whoever it is for. Gives the Markdown.
fn read_all(project: &Project) -> String {
    sarif(&project.read("r.sarif"));
    assert_eq!(project.read("r.sarif"), project.read("s.sarif.json"));
    junit(&project.read("r.xml"));
    project.json("r.json");
    assert!(!project.read("r.html").is_empty() && !project.read("r.txt").is_empty());
    let markdown = project.read("r.md");
    assert!(markdown.len() <= 65_000 && markdown.starts_with("<!-- postpay:"), "{markdown}");
    markdown
}

fn clear(project: &Project) {
    for name in REPORTS.iter().filter(|arg| !arg.starts_with("--")) {
        let _ = fs::remove_file(project.file(name));
    }
}

fn run(project: &Project, args: &[&str]) -> Ran {
    clear(project);
    project.run(args.iter().chain(&REPORTS))
}

#[test]
fn manifests_with_problems_are_told_in_every_format() {
    let project = Project::of(&["one"]);
    project.write("environments/bad.yaml", "version: 1\nenvironments:\n  two: {sauce: qcloud}\n");
    run(&project, &["validate"]).exits(1);
    let markdown = read_all(&project);
    assert!(markdown.contains("postpay validate: invalid"), "{markdown}");
    assert!(markdown.contains("`environments/bad.yaml:3`"), "{markdown}");
    let results = sarif(&project.read("r.sarif"));
    assert!(results.contains(&("error".into(), "unknown-field".into())), "{results:?}");
    let cases = junit(&project.read("r.xml"));
    assert_eq!(cases, [("environments/bad.yaml".into(), "failed"), (MANIFEST.into(), "passed")]);
    let github = project.run(["validate", "--format", "github"]).exits(1);
    let first = commands(&github.stdout)[0];
    assert!(first.starts_with("error file=environments/bad.yaml,line=3,"), "{github}");
}

#[test]
fn a_plan_and_a_kept_plan_are_shown_alike() {
    let project = Project::ordered(&["one"]);
    project.declare(&["one", "two"]);
    project.run(["plan", "-o", "plan.json"]).exits(0);
    for format in PAGES {
        let fresh = project.run(["plan", "--format", format]).exits(0);
        let kept = project.run(["show", "plan.json", "--format", format]).exits(0);
        let timeless = |ran: &Ran| {
            let lines = ran.stdout.lines().filter(|line| !line.contains("2026-") && !line.contains("made"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(timeless(&fresh), timeless(&kept));
    }
    run(&project, &["plan", "--show-calls"]).exits(0);
    let markdown = read_all(&project);
    for part in ["postpay plan: there are changes", "| create | 1 |", "- `+` `two`", "CreatePostpayPackage"] {
        assert!(markdown.contains(part), "{part}\n{markdown}");
    }
    assert_eq!(junit(&project.read("r.xml")), [("one".into(), "passed"), ("two".into(), "passed")]);
}

#[test]
fn a_plan_that_is_refused_says_so_and_where() {
    let project = Project::ordered(&["one"]);
    project.edit(MANIFEST, "channel: qc_console", "channel: cocos");
    let plan = run(&project, &["plan", "--format", "github"]).exits(1);
    let commands = commands(&plan.stdout);
    assert!(commands[0].starts_with(&format!("error file={MANIFEST},line=")), "{plan}");
    read_all(&project);
    let applied = run(&project, &["apply", "-y", "--format", "sarif"]).exits(1);
    assert_eq!(sarif(&applied.stdout)[0].0, "error");
    assert_eq!(sarif(&project.read("r.sarif")), sarif(&applied.stdout));
    let markdown = read_all(&project);
    assert!(markdown.contains("Nothing was applied: 1 error."), "{markdown}");
    assert_eq!(project.json("r.json")["failed"], true);
}

#[test]
fn a_run_with_a_failed_and_an_unknown_step_is_reported_as_it_ended() {
    let project = Project::of(&["one", "two", "three"]);
    let faults = ["--fault", "error:InvalidParameter@1", "--fault", "reset-after@2"];
    let args = ["apply", "-y", "--in-flight", "1", "--on-error", "continue", "--format", "junit"];
    let line: Vec<&str> = args.into_iter().chain(faults).collect();
    let ran = run(&project, &line).exits(4);
    let cases = junit(&ran.stdout);
    let of = |what| cases.iter().filter(|(_, is)| *is == what).count();
    assert_eq!((of("failed"), cases.len()), (2, 3), "{ran}");
    let results = sarif(&project.read("r.sarif"));
    for code in ["step_failed", "outcome_unknown"] {
        assert!(results.contains(&("error".into(), code.into())), "{results:?}");
    }
    let markdown = read_all(&project);
    assert!(markdown.contains("postpay apply: action required"), "{markdown}");
}

#[test]
fn drift_is_an_entry_for_every_finding() {
    let project = Project::ordered(&["one"]);
    project.declare(&["one", "two"]);
    run(&project, &["drift"]).exits(2);
    assert_eq!(sarif(&project.read("r.sarif")), [("warning".into(), "not-ordered".into())]);
    assert!(read_all(&project).contains("| not-ordered | 1 |"));
    project.declare(&["one"]);
    run(&project, &["drift"]).exits(0);
    assert!(read_all(&project).contains("postpay drift: no drift"));
}

#[test]
fn why_there_is_no_result_is_reported_too() {
    let project = Project::of(&["one"]);
    project.write("environments/bad.yaml", "version: 1\nenvironments: [\n");
    for (args, said) in [
        (&["plan"][..], "No plan: 1 error."),
        (&["apply", "-y"], "Nothing was applied: 1 error."),
        (&["drift", "--offline"], "Nothing was compared: 1 error."),
    ] {
        run(&project, args).exits(1);
        let markdown = read_all(&project);
        assert!(markdown.contains(said), "{markdown}");
        assert_eq!(sarif(&project.read("r.sarif")), [("error".into(), "yaml-syntax".into())]);
        assert!(project.read("r.txt").contains("error[yaml-syntax]"));
        let printed = project.run(args.iter().chain(&["--format", "sarif"])).exits(1);
        sarif(&printed.stdout);
        // What reads a plan finds none.
        let printed = project.run(args.iter().chain(&["--format", "json"])).exits(1);
        assert_eq!(printed.stdout, "");
    }
    assert!(!project.exists(STATE));
    // What nobody could look at yet is not overwritten: it may be anything.
    project.write("postpay.yaml", "version: [\n");
    project.write("r.json", "mine");
    project.run(["plan", "--report", "r.json", "--report", "new.json"]).exits(1).says(&["r.json"]);
    assert_eq!(project.read("r.json"), "mine");
}

#[test]
fn hostile_names_do_nothing_in_any_format() {
    let project = Project::of(&["one"]);
    let alias_of = |text: &str| format!("alias: one\n    env_alias: {text}");
    // A manifest may hold nothing that is not seen, but for what JSON writes as an escape.
    let extra = r#"
    extra: '{"note":"\u202Egnol \u061c\u001b[31m"}'"#;
    project.edit(MANIFEST, "alias: one", &(alias_of(HOSTILE) + extra));
    for args in [&["plan", "--show-calls"][..], &["apply", "-y"], &["drift"]] {
        let ran = run(&project, args);
        assert!(matches!(ran.code, Some(0 | 2)), "{ran}");
        let markdown = read_all(&project);
        let unsafe_to_show = ['\u{202e}', '\u{61c}', '\u{1b}'];
        for name in ["r.md", "r.xml", "r.html", "r.txt", "r.sarif"] {
            assert!(!project.read(name).contains(unsafe_to_show), "{name}");
        }
        assert!(!ran.stdout.contains(unsafe_to_show), "{ran}");
        if args[0] == "plan" {
            assert!(ran.stdout.contains("gnol"), "{ran}");
        }
        for name in ["r.xml", "r.html"] {
            assert!(!project.read(name).contains("<script>alert"), "{name}");
        }
        // It is there, within a block of code that nothing in it ends.
        if args[0] == "plan" {
            let at = markdown.find("@team").unwrap();
            let open = markdown[..at].rfind("````diff").unwrap();
            assert!(!markdown[open + 4..at].contains("````"), "{markdown}");
        }
    }
    let project = Project::of(&["one"]);
    project.edit(MANIFEST, "alias: one", &alias_of("x").replace("env_alias", "\"<script>@team #1 `|\""));
    for format in PAGES {
        let ran = project.run(["validate", "--format", format]);
        let shown = &ran.exits(1).stdout;
        match format {
            "github" => assert_eq!(commands(shown).len(), 2),
            "sarif" => assert_eq!(sarif(shown).len(), 1),
            // In code there are no tags and no mentions.
            "markdown" => assert!(shown.contains("` <script>@team #1  `"), "{shown}"),
            _ => assert!(!shown.contains("<script>@"), "{shown}"),
        }
    }
}

#[test]
fn a_step_of_a_workflow_gets_a_summary_behind_what_is_there() {
    let project = Project::of(&["one"]);
    project.write("summary.md", "before\n");
    let mut command = project.command(["plan", "--format", "github", "--report", "plan.html"]);
    command.env("GITHUB_STEP_SUMMARY", project.file("summary.md"));
    let ran = Ran::from(command.output().unwrap()).exits(0);
    assert_eq!(commands(&ran.stdout), ["notice title=postpay plan"]);
    let summary = project.read("summary.md");
    assert!(summary.starts_with("before\n<!-- postpay:plan -->\n"), "{summary}");
    // That it can't be written is told, and no more.
    let mut command = project.command(["plan", "--format", "github"]);
    command.env("GITHUB_STEP_SUMMARY", project.file("nowhere/summary.md"));
    let ran = Ran::from(command.output().unwrap()).exits(0);
    ran.says(&["warning[step-summary]", "::notice title=postpay plan::"]);
}

#[test]
fn the_state_has_every_format_and_the_history_is_a_list() {
    let project = Project::ordered(&["one", "two"]);
    let ids = |address: &str| {
        let record = &project.json(STATE)["environments"][address];
        [&record["env_id"], &record["tran_id"]].map(|id| id.as_str().unwrap().to_owned())
    };
    for format in ["human", "json", "markdown", "github", "html", "junit"] {
        let shown = project.run(["show", "--format", format]).exits(0);
        for id in ids("one").iter().chain(&ids("two")) {
            let is_there = shown.stdout.contains(id.as_str());
            // A case of JUnit's and an annotation have a name, and what is wrong.
            assert_eq!(is_there, !matches!(format, "junit" | "github"), "{format}: {shown}");
        }
    }
    let shown = project.run(["show", "--report", "s.md", "--report", "s.html", "--report", "s.sarif"]);
    shown.exits(0);
    assert!(project.read("s.md").contains(&ids("one")[0]));
    assert!(project.read("s.html").contains(&ids("one")[1]));
    assert_eq!(project.json("s.sarif")["version"], "2.1.0");
    // What is to be settled is a warning of each.
    let lost = ["apply", "-y", "--fault", "reset-before@1", "--settle", "0s"];
    project.declare(&["one", "two", "lost"]);
    project.run(lost).exits(4);
    let shown = project.run(["show", "--format", "github"]).exits(0);
    shown.says(&["::warning", "postpay resolve lost"]);
    let csv = project.run(["history", "--format", "csv"]).exits(0);
    assert_eq!(csv.stdout, project.run(["history", "--csv"]).exits(0).stdout);
    project.run(["history", "--report", "h.csv"]).exits(0);
    assert_eq!(project.read("h.csv"), csv.stdout);
    project.run(["plan", "--format", "csv"]).exits(1).says(&["this command has no format `csv`"]);
}

#[test]
fn a_format_that_a_command_does_not_have_is_refused_before_anything_is_done() {
    let project = Project::ordered(&["one"]);
    let before = project.files();
    for args in [&["state", "list"][..], &["history"], &["state", "rm", "one", "-y"], &["resolve"]] {
        for wrong in [&["--format", "sarif"], &["--report", "r.md"]] {
            let ran = project.run(args.iter().chain(wrong.iter())).exits(1);
            ran.says(&["error[format]", "this command has no format", "nothing was sent"]);
        }
    }
    assert!(before == project.files());
}

#[test]
fn a_report_takes_no_other_files_place() {
    let project = Project::ordered(&["one"]);
    project.run(["plan", "-o", "plan.json"]).exits(0);
    let before = project.files();
    for args in [
        &["plan", "-o", "plan.json", "--report", "./plan.json"][..],
        &["apply", "plan.json", "--report", "plan.json"],
        &["show", "plan.json", "--report", "plan.json"],
        &["plan", "--report", "x.md", "--report", "./x.md"],
        &["plan", "--report", STATE],
        &["validate", "--report", STATE],
        &["resolve", "--report", STATE],
    ] {
        let ran = project.run(args).exits(1);
        ran.says(&["nothing was sent"]);
    }
    assert!(before == project.files());
}

#[test]
fn a_project_below_the_root_of_a_repository_is_named_from_there() {
    let root = Project::empty();
    let mut git = std::process::Command::new("git");
    git.args(["init", "--quiet"]);
    root.settle(&mut git);
    assert!(git.status().unwrap().success());
    root.write("infra/shop/postpay.yaml", "version: 1\napi:\n  endpoint: sandbox\n");
    root.write("infra/shop/environments/a.yaml", "version: 1\nenvironments:\n  a: {sauce: x}\n");
    let ran = root.run(["-C", "infra/shop", "validate", "--format", "github"]).exits(1);
    ran.says(&["file=infra/shop/environments/a.yaml,line=3,"]);
    let ran = root.run(["-C", "infra/shop", "validate", "--format", "markdown"]).exits(1);
    assert!(ran.stdout.starts_with("<!-- postpay:validate:infra/shop -->\n"), "{ran}");
}
