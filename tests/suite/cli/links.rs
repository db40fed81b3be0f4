//! Links, and paths in a project that lead out of it, in the places that postpay reads and writes: followed on purpose, or
//! refused on purpose.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{JOURNAL, LEDGER, MANIFEST, Project, RECEIPTS, Ran, STATE, manifest};

const LOCK: &str = "state/postpay.state.lock";
const FOREIGN: &str = "somebody's own words\n";

/// A repository may bring such a link along; what it leads to is not ours to read or to write, however well it would fit, and
/// that shows before anything is ordered.
#[test]
fn what_lies_beside_the_state_is_no_link() {
    // What would do in its place, and yet is somebody else's.
    let cut_off = cut_off();
    let journal = cut_off.read(JOURNAL);
    let named = cut_off.read(LOCK);
    let ledger_lock = format!("{LEDGER}.lock");
    for (name, fitting) in [(LOCK, &*named), (LEDGER, ""), (&*ledger_lock, ""), (JOURNAL, &*journal)] {
        for content in [Some(FOREIGN), Some(fitting), None] {
            let project = Project::of(&["one"]);
            fs::create_dir_all(project.file("state")).unwrap();
            if let Some(content) = content {
                project.write("foreign", content);
            }
            symlink("../foreign", project.file(name)).unwrap();
            let ran = project.run(["apply", "-y"]).exits(1);
            let what = format!("{name} {content:?}: {ran}");
            assert!(ran.stderr.contains("it is a symbolic link"), "{what}");
            let there = content.map(|_| project.read("foreign"));
            assert_eq!(there.as_deref(), content, "{what}");
            assert!(!project.exists(STATE), "{what}");
            assert!(project.exists(name), "{what}");
            let readers: &[&[&str]] = match name {
                LOCK => &[&["plan"], &["show"], &["lock", "status"]],
                JOURNAL => &[&["plan"], &["show"]],
                _ => &[],
            };
            for args in readers {
                let ran = project.run(*args).exits(1);
                let what = format!("{name} {content:?}: {ran}");
                assert!(ran.stderr.contains("it is a symbolic link"), "{what}");
            }
            fs::remove_file(project.file(name)).unwrap();
            project.run(["apply", "-y"]).exits(0);
            assert_eq!(project.ordered_once(), ["one"], "{what}");
        }
    }
}

/// A project whose run was cut off: its journal is whole, and waits for the next writer.
fn cut_off() -> Project {
    let project = Project::of(&["one"]);
    let mut command = project.command(["apply", "-y"]);
    command.env("POSTPAY_CRASH_AT", "receipt-next");
    let ran = Ran::from(command.output().unwrap());
    assert!(project.exists(JOURNAL), "{ran}");
    project
}

/// The receipts say what was ordered: they are filed with us, before the first order is sent, and those of somebody else are
/// not ours.
#[test]
fn receipts_are_filed_in_a_folder_of_our_own_and_are_no_links() {
    let project = Project::of(&["one"]);
    fs::create_dir_all(project.file("state")).unwrap();
    fs::create_dir_all(project.file("foreign")).unwrap();
    for to in ["../foreign", "../nowhere", "../postpay.yaml"] {
        symlink(to, project.file(RECEIPTS)).unwrap();
        for args in [&["apply", "-y"][..], &["plan"], &["history"], &["state", "verify"]] {
            let ran = project.run(args).exits(1);
            assert!(ran.stderr.contains("it is a symbolic link"), "{to}: {ran}");
        }
        assert!(!project.exists(LEDGER), "{to}: nothing was sent");
        assert!(!project.exists("nowhere"));
        assert_eq!(fs::read_dir(project.file("foreign")).unwrap().count(), 0);
        fs::remove_file(project.file(RECEIPTS)).unwrap();
    }
    project.write(RECEIPTS, "");
    project.run(["apply", "-y"]).exits(1);
    assert!(!project.exists(LEDGER));
    fs::remove_file(project.file(RECEIPTS)).unwrap();

    project.run(["apply", "-y"]).exits(0);
    let receipt = project.receipt();
    let moved = project.file("foreign/receipt.jsonl");
    fs::rename(project.file(&receipt), &moved).unwrap();
    symlink(&moved, project.file(&receipt)).unwrap();
    for args in [&["plan"][..], &["apply", "-y"], &["history"], &["state", "verify"]] {
        let ran = project.run(args);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains("it is a symbolic link"), "{ran}");
        assert_ne!(ran.code, Some(0), "{ran}");
    }
}

/// Reading a device takes all memory, and opening a pipe waits for ever: neither is ever what a store put there.
#[test]
fn no_device_and_no_pipe_stands_in_the_place_of_a_file_of_ours() {
    let commands = [
        &["plan"][..],
        &["plan", "--refresh"],
        &["show"],
        &["lock", "status"],
        &["history"],
        &["state", "verify"],
        &["state", "restore", "--from", "backup", "-y"],
        &["apply", "-y"],
    ];
    let backup = format!("{STATE}.backup");
    let rescue = "state/postpay.rescue.00000000-0000-7000-8000-000000000000.json";
    let ledger_lock = format!("{LEDGER}.lock");
    for pipe in [false, true] {
        let ordered = Project::ordered(&["one"]);
        ordered.run(["state", "mv", "one", "uno", "-y"]).exits(0);
        ordered.run(["state", "mv", "uno", "one", "-y"]).exits(0);
        let mut receipts: Vec<_> = ordered.files().into_keys().collect();
        receipts.retain(|name| name.starts_with(RECEIPTS));
        let receipt = receipts.last().unwrap().to_str().unwrap();
        for name in [STATE, JOURNAL, LOCK, LEDGER, receipt, &*backup, rescue, &*ledger_lock] {
            let before = ordered.file(name).exists().then(|| ordered.read(name));
            let _ = fs::remove_file(ordered.file(name));
            if pipe {
                let made = std::process::Command::new("mkfifo").arg(ordered.file(name)).status();
                assert!(made.unwrap().success());
            } else {
                symlink("/dev/zero", ordered.file(name)).unwrap();
            }
            let mut told = 0;
            for args in commands {
                let ran = soon(&ordered, args);
                assert_ne!(ran.code, None, "{name}: {ran}");
                told += usize::from(ran.code == Some(1));
            }
            assert!(told > 0 || name == rescue, "{name}");
            fs::remove_file(ordered.file(name)).unwrap();
            if let Some(before) = before {
                ordered.write(name, before);
            }
            assert_eq!(ordered.ordered_once(), ["one"], "{name}");
        }
        symlink("/dev/zero", ordered.file("plan.json")).unwrap();
        for args in [["apply", "plan.json"], ["show", "plan.json"], ["plan", "-oplan.json"]] {
            let ran = soon(&ordered, &args);
            assert_eq!(ran.code, Some(1), "{ran}");
        }
    }
}

/// Ends by itself, and with little memory, or is ended.
fn soon(project: &Project, args: &[&str]) -> Ran {
    let mut command = std::process::Command::new("timeout");
    command.args(["-s", "KILL", "30", "prlimit", "--as=4000000000"]);
    command.arg(env!("CARGO_BIN_EXE_postpay")).args(args);
    project.settle(&mut command);
    Ran::from(command.output().unwrap())
}

/// The lock's file is cut and written over as it stands: under another name it would be somebody else's that is cut.
#[test]
fn what_is_written_to_as_it_stands_has_no_second_name() {
    let ledger_lock = format!("{LEDGER}.lock");
    let cut_off = cut_off();
    let (journal, state) = (cut_off.read(JOURNAL), cut_off.read(STATE));
    for name in [LOCK, LEDGER, &*ledger_lock, JOURNAL] {
        let project = Project::of(&["one"]);
        let words = if name == JOURNAL {
            project.write(STATE, &state);
            journal.as_str()
        } else if name == LEDGER {
            ""
        } else {
            FOREIGN
        };
        project.write("foreign", words);
        fs::create_dir_all(project.file("state")).unwrap();
        fs::hard_link(project.file("foreign"), project.file(name)).unwrap();
        let ran = project.run(["apply", "-y"]).exits(1);
        assert!(ran.stderr.contains("a hard link"), "{name}: {ran}");
        assert_eq!(project.read("foreign"), words, "{name}");
        assert!(project.orders().is_empty());
    }
}

/// The state itself may be a link: it stays one, and what lies beside it lies beside what it leads to.
#[test]
fn the_state_may_be_a_link() {
    let project = Project::of(&["one"]);
    fs::create_dir_all(project.file("state")).unwrap();
    fs::create_dir_all(project.file("elsewhere")).unwrap();
    symlink("../elsewhere/shop.state.json", project.file(STATE)).unwrap();
    let shop = ["--state", "elsewhere/shop.state.json"];
    project.run(["apply", "-y"].iter().chain(&shop)).exits(0);
    project.declare(&["one", "two"]);
    for orders in [2, 2] {
        project.run(["apply", "-y"]).exits(0);
        assert!(project.file(STATE).is_symlink());
        assert!(!project.file("elsewhere/shop.state.json").is_symlink());
        let ledger = project.ledger_at("elsewhere/shop.sandbox.jsonl");
        assert_eq!(ledger.len(), orders);
    }
    assert!(project.exists("elsewhere/receipts"));
    assert!(!project.exists(LEDGER));
}

const SECRET: &str = "the-words-of-another-file";

/// Runs with a key in the environment, as a runner has it.
fn with_secret(project: &Project, args: &[&str]) -> Ran {
    let mut command = project.command(args);
    command.env("TENCENTCLOUD_SECRET_KEY", SECRET);
    Ran::from(command.output().unwrap())
}

/// Whoever opens a pull request writes its manifests, its settings and its links; what the computer that checks it has besides
/// is not theirs to see. A problem shows the line that it is about, so nothing outside may be read at all.
#[test]
fn nothing_outside_of_the_project_is_read_for_a_pull_request() {
    let elsewhere = Project::empty();
    elsewhere.write("secret.yaml", format!("password: {SECRET}\nother: [\n"));
    elsewhere.write("settings.yaml", format!("version: 1\n{SECRET}: 1\n"));
    let outside = elsewhere.path().display().to_string();
    let name = elsewhere.path().file_name().unwrap().to_str().unwrap();
    let settings = |manifests: &str| {
        format!("version: 1\nmanifests: [environments, {manifests}]\napi: {{endpoint: sandbox}}\n")
    };
    let link = |at: &'static str, to: String| (at, Err(to));
    let says = |manifests: String| ("postpay.yaml", Ok(settings(&manifests)));
    for (at, change) in [
        link("environments/x.yaml", format!("{outside}/secret.yaml")),
        link("environments/x.yaml", "/proc/self/environ".to_owned()),
        link("environments/team", outside.clone()),
        link("postpay.yaml", format!("{outside}/settings.yaml")),
        link("postpay.yaml", "/proc/self/environ".to_owned()),
        says(format!("{outside}/secret.yaml")),
        says(format!("../{name}/secret.yaml")),
        says(format!("../{name}")),
        says("/proc/self/environ".to_owned()),
    ] {
        let project = Project::of(&["one"]);
        match &change {
            Ok(settings) => project.write(at, settings),
            Err(to) => {
                let _ = fs::remove_file(project.file(at));
                symlink(to, project.file(at)).unwrap();
            }
        }
        for args in [
            &["validate"][..],
            &["validate", "--format", "json"],
            &["plan", "--endpoint", "sandbox", "--report", "r.html"],
            &["apply", "-y", "--endpoint", "sandbox"],
            &["fmt"],
            &["fmt", "--check", "--diff"],
        ] {
            let ran = with_secret(&project, args).exits(1);
            let what = format!("{at} {change:?} {args:?}: {ran}");
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(said.contains("outside-project"), "{what}");
            assert!(!said.contains(SECRET), "{what}");
            assert!(!said.contains("password"), "{what}");
        }
        for (file, bytes) in project.files() {
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(SECRET), "{at} {change:?}: {}", file.display());
        }
        assert!(!project.exists(STATE));
    }
}

#[test]
fn fmt_writes_to_no_file_outside_of_the_project() {
    const MESSY: &str = "version:   1\nenvironments: {}\n";
    let elsewhere = Project::empty();
    let outside = elsewhere.file("outside.yaml");
    for by_link in [true, false] {
        elsewhere.write("outside.yaml", MESSY);
        let project = Project::of(&["one"]);
        project.write("environments/messy.yaml", MESSY);
        if by_link {
            symlink(&outside, project.file("environments/x.yaml")).unwrap();
        } else {
            let outside = outside.display();
            let settings = format!("version: 1\nmanifests: [environments, {outside}]\n");
            project.write("postpay.yaml", settings);
        }
        project.run(["fmt"]).exits(1).says(&["outside-project"]);
        assert_eq!(elsewhere.read("outside.yaml"), MESSY);
        assert_eq!(project.read("environments/messy.yaml"), MESSY);
    }
    // Whoever types the path means it.
    let project = Project::of(&["one"]);
    project.run(["fmt", outside.to_str().unwrap()]).exits(0);
    assert_ne!(elsewhere.read("outside.yaml"), MESSY);
}

/// What is typed may be anywhere; what is found in a folder stays in it, or in the project.
#[test]
fn a_manifest_that_is_typed_may_be_anywhere() {
    let elsewhere = Project::empty();
    elsewhere.write("team/two.yaml", manifest(&["two"]));
    elsewhere.write("team/notes.txt", SECRET);
    let project = Project::of(&["one"]);
    let file = elsewhere.file("team/two.yaml");
    let (file, folder) = (file.to_str().unwrap(), elsewhere.file("team"));
    let folder = folder.to_str().unwrap();
    for typed in [file, folder] {
        project.run(["validate", "-f", typed, "-f", MANIFEST]).exits(0).says(&["2 environments in 2 files"]);
    }
    symlink("/proc/self/environ", elsewhere.file("team/x.yaml")).unwrap();
    with_secret(&project, &["validate", "-f", folder])
        .exits(1)
        .says(&["outside-project"])
        .does_not_say(&[SECRET]);
    // What the kernel makes up is no manifest even then.
    with_secret(&project, &["validate", "-f", "/proc/self/environ"])
        .exits(1)
        .says(&["not-a-file"])
        .does_not_say(&[SECRET]);
}

/// Settings that lead nowhere are not the same as none: their limits would be gone unseen.
#[test]
fn settings_that_lead_nowhere_are_an_error() {
    let project = Project::of(&["one"]);
    fs::remove_file(project.file("postpay.yaml")).unwrap();
    symlink("nowhere", project.file("postpay.yaml")).unwrap();
    project.run(["apply", "-y", "--endpoint", "sandbox"]).exits(1).says(&["path-not-found", "postpay.yaml"]);
    assert!(!project.exists(STATE));
}

/// A report takes the place of what is there. What was ordered, and what is to be, is no place for one, by whatever name.
#[test]
fn a_report_takes_the_place_of_nothing_of_the_project() {
    let project = Project::ordered(&["one"]);
    project.run(["state", "mv", "one", "uno", "-y"]).exits(0);
    project.write("environments/deep/two.yaml", manifest(&["two"]));
    project.write("state/postpay.state.json.replaced-20260101T000000Z", "{}");
    let receipt = fs::read_dir(project.file(RECEIPTS)).unwrap().next();
    let receipt = receipt.unwrap().unwrap().file_name().into_string().unwrap();
    let kept = |project: &Project| {
        let mut files = project.files();
        // Who holds the lock is written there, and a hard link is a file like any other.
        files.retain(|name, _| !name.ends_with("postpay.state.lock"));
        for made in ["h.json", "r.json"] {
            files.remove(std::path::Path::new(made));
        }
        files
    };
    let before = kept(&project);
    let own = [
        STATE.to_owned(),
        format!("{STATE}.backup"),
        format!("{STATE}.replaced-20260101T000000Z"),
        format!("{RECEIPTS}/{receipt}"),
        format!("{RECEIPTS}/new.json"),
        LEDGER.to_owned(),
        LOCK.to_owned(),
        JOURNAL.to_owned(),
        MANIFEST.to_owned(),
        "environments/deep/two.yaml".to_owned(),
        "environments/new.yaml".to_owned(),
        "postpay.yaml".to_owned(),
    ];
    for to in own {
        let mut ways = vec![("symbolic", symlink(&to, project.file("r.json")))];
        if project.exists(&to) {
            let hard = fs::hard_link(project.file(&to), project.file("h.json"));
            ways.push(("hard", hard));
        }
        for (kind, made) in ways {
            made.unwrap();
            let report = if kind == "hard" { "h.json" } else { "r.json" };
            for command in [&["plan"][..], &["show"], &["apply", "-y"], &["validate"]] {
                let ran = project.run([command, &["--report", report]].concat());
                let what = format!("{kind} {to}: {ran}");
                assert_eq!(ran.code, Some(1), "{what}");
                let told = ["state-file", "report-path"];
                assert!(told.iter().any(|code| ran.stderr.contains(code)), "{what}");
            }
            // Which replaces a link that leads nowhere by the plan, and follows none.
            project.run(["plan", "-o", report]);
            fs::remove_file(project.file(report)).unwrap();
            assert_eq!(kept(&project), before, "{kind} {to}");
        }
    }
}

/// Whoever commits a link under the name of a report would choose what the report is written over.
#[test]
fn no_link_of_a_project_leads_a_report_out_of_it() {
    let elsewhere = Project::empty();
    elsewhere.write("there.md", FOREIGN);
    elsewhere.write("hook", FOREIGN);
    let outside = elsewhere.path();
    let project = Project::of(&["one"]);
    project.write(".git/hooks/post-merge", FOREIGN);
    for (to, name, report) in [
        (outside.join("there.md"), "plan.md", "plan.md"),
        (outside.join("new.md"), "plan.md", "plan.md"),
        (outside.join("hook"), "plan.md", "plan.md"),
        (outside.to_owned(), "out", "out/new.md"),
        (".git/hooks/post-merge".into(), "plan.md", "plan.md"),
        (".git/hooks/pre-push".into(), "plan.md", "plan.md"),
    ] {
        symlink(&to, project.file(name)).unwrap();
        let what = to.display();
        let ran = project.run(["plan", "--report", report]).exits(1);
        assert!(ran.stderr.contains("error[report-path]"), "{what}: {ran}");
        // Also while it is not even known whether there are settings.
        let ran = project.run(["plan", "--report", report, "--config", "nowhere.yaml"]);
        assert_eq!(ran.code, Some(1), "{what}: {ran}");
        if name == "out" {
            for command in [["plan", "-o", "out/plan.json"], ["generate", "-o", "out/g.yaml"]] {
                let ran = project.run(command).exits(1);
                assert!(ran.stderr.contains("error[outside-project]"), "{what}: {ran}");
            }
        }
        fs::remove_file(project.file(name)).unwrap();
    }
    let names: Vec<_> = elsewhere.files().into_keys().collect();
    assert_eq!(names, ["hook", "there.md"].map(std::path::PathBuf::from));
    assert_eq!(elsewhere.read("there.md"), FOREIGN);
    assert_eq!(elsewhere.read("hook"), FOREIGN);
    assert_eq!(project.read(".git/hooks/post-merge"), FOREIGN);
    assert!(!project.exists(".git/hooks/pre-push"));

    // What is named directly may be anywhere, and a link within the project stays one.
    elsewhere.write("there.md", "");
    let there = elsewhere.file("there.md");
    project.run(["plan", "--report", there.to_str().unwrap()]).exits(0);
    assert_ne!(elsewhere.read("there.md"), "");
    project.write("reports/old.md", "<!-- postpay:plan -->\n");
    symlink("reports/old.md", project.file("latest.md")).unwrap();
    project.run(["plan", "--report", "latest.md"]).exits(0);
    assert!(project.file("latest.md").is_symlink());
    assert!(project.read("reports/old.md").len() > 100);
    // So may a link of somebody else's, to a device too.
    symlink("/dev/null", elsewhere.file("null.json")).unwrap();
    let null = elsewhere.file("null.json");
    project.run(["plan", "--report", null.to_str().unwrap()]).exits(0);
}

/// A state is made where it is looked for, not where a link happens to lead; and one that is only out of reach is not ordered
/// again.
#[test]
fn a_link_in_the_place_of_the_state_that_leads_nowhere_is_an_error() {
    let project = Project::of(&["one"]);
    fs::create_dir_all(project.file("state")).unwrap();
    fs::create_dir_all(project.file("out")).unwrap();
    symlink("../out/nope", project.file(STATE)).unwrap();
    for args in [&["plan"][..], &["apply", "-y"], &["show"], &["state", "restore", "-y"]] {
        project.run(args).exits(1).says(&["error[state-io]", "symbolic link to", "which does not exist"]);
    }
    assert_eq!(fs::read_dir(project.file("out")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(project.file("state")).unwrap().count(), 1);
}

/// A pull request may change `state:` and bring folders that are links along: nothing is made where those lead.
#[test]
fn the_settings_keep_the_state_in_the_project() {
    let elsewhere = Project::empty();
    let outside = elsewhere.path().display().to_string();
    let name = elsewhere.path().file_name().unwrap().to_str().unwrap();
    for (state, code) in [
        (format!("{outside}/x.json"), "outside-project"),
        (format!("../{name}/x.json"), "outside-project"),
        (format!("sub/../../{name}/x.json"), "outside-project"),
        (format!("../{name}/new/x.json"), "outside-project"),
        ("linked/x.json".to_owned(), "outside-project"),
        ("linked/new/x.json".to_owned(), "outside-project"),
    ] {
        let project = Project::of(&["one"]);
        fs::create_dir(project.file(".git")).unwrap();
        symlink(&outside, project.file("linked")).unwrap();
        let settings = format!("version: 1\nstate: {state}\napi: {{endpoint: sandbox}}\n");
        project.write("postpay.yaml", settings);
        let before = project.files();
        for args in [&["plan"][..], &["apply", "-y"], &["state", "restore", "-y"]] {
            let code = format!("error[{code}]");
            project.run(args).exits(1).says(&[&code, "--state"]);
        }
        assert_eq!(project.files(), before, "{state}");
    }
    assert!(elsewhere.files().is_empty());

    // A repository of several projects may keep their states together, and nothing else.
    let project = Project::empty();
    fs::create_dir(project.file(".git")).unwrap();
    for (state, exit) in [("../all/one.json", 0), ("../all/.bash_login", 1)] {
        let settings = format!("version: 1\nstate: {state}\napi: {{endpoint: sandbox}}\n");
        project.write("one/postpay.yaml", settings);
        project.write("one/environments/shop.yaml", manifest(&["one"]));
        project.run(["-C", "one", "apply", "-y"]).exits(exit);
    }
    assert!(project.exists("all/one.json") && !project.exists("all/.bash_login"));

    // Where the state is kept when nothing says so may be such a folder too.
    let project = Project::of(&["one"]);
    symlink(&outside, project.file("state")).unwrap();
    project.run(["apply", "-y"]).exits(1).says(&["error[outside-project]"]);
    assert!(elsewhere.files().is_empty());
    // Whoever types the path means it, whatever it is called.
    project.run(["apply", "-y", "--state", "state/shop"]).exits(0);
    assert!(elsewhere.exists("shop"));
}

/// The link would choose which state is read, and where locks, journals and receipts are made.
#[test]
fn a_link_in_the_place_of_the_state_leads_out_of_the_project_only_when_it_is_typed() {
    let elsewhere = Project::ordered(&["one"]);
    let outside = elsewhere.file(STATE);
    let before = elsewhere.files();
    let project = Project::of(&["one"]);
    fs::create_dir_all(project.file("state")).unwrap();
    for to in [outside.clone(), elsewhere.file("state/new.json")] {
        symlink(&to, project.file(STATE)).unwrap();
        for args in [&["plan"][..], &["apply", "-y"], &["show"]] {
            project.run(args).exits(1).says(&["error[outside-project]", "--state"]);
        }
        assert_eq!(elsewhere.files(), before);
        fs::remove_file(project.file(STATE)).unwrap();
    }
    symlink(&outside, project.file("typed.json")).unwrap();
    project.run(["plan", "--state", "typed.json"]).exits(0).says(&["No changes"]);
}

#[test]
fn a_record_and_a_pipeline_are_written_to_no_folder_that_a_link_leads_to() {
    let elsewhere = Project::empty();
    let project = Project::of(&["one"]);
    symlink(elsewhere.path(), project.file("d")).unwrap();
    project.run(["plan", "--refresh", "--record", "d/r.jsonl"]).exits(1).says(&["error[outside-project]"]);
    project.run(["apply", "-y", "--record", "d/r.jsonl"]).exits(1).says(&["error[outside-project]"]);
    assert!(!project.exists(STATE));

    symlink(elsewhere.path(), project.file(".github")).unwrap();
    let before = project.files();
    project.run(["init", "--ci", "github"]).exits(1).says(&[".github"]);
    assert_eq!(project.files(), before);
    assert!(elsewhere.files().is_empty());
}

/// A name that ends as a report does says nothing of what is there.
#[test]
fn a_report_replaces_reports_and_empty_files_only() {
    const PACKAGE: &str = "{\n  \"name\": \"shop\",\n  \"version\": \"1.0.0\"\n}\n";
    let project = Project::ordered(&["one"]);
    let others = [
        ("a.json", PACKAGE),
        ("b.json", "{\"format_version\": \"1.2\", \"resource_changes\": []}"),
        ("c.json", "not JSON"),
        ("d.md", "# Read me\n"),
        ("e.html", "<!doctype html>\n<title>Shop</title>\n"),
        ("f.xml", "<testsuites name=\"shop\"/>\n"),
        ("g.sarif", "{\"version\": \"2.1.0\", \"runs\": [{\"tool\": {\"driver\": {\"name\": \"x\"}}}]}"),
    ];
    for (name, text) in others {
        project.write(name, text);
        symlink(name, project.file(&format!("link-{name}"))).unwrap();
        for report in [name.to_owned(), format!("link-{name}")] {
            for command in [&["plan"][..], &["apply", "-y"]] {
                project
                    .run([command, &["--report", &report]].concat())
                    .exits(1)
                    .says(&["error[report-path]", "not a postpay report"]);
                assert_eq!(project.read(name), text);
            }
        }
        // An empty file, and then each time the report of the run before.
        project.write(name, "");
        for _ in 0..2 {
            project.run(["plan", "--report", name]).exits(0);
            assert_ne!(project.read(name), "");
        }
        let link = format!("link-{name}");
        project.run(["plan", "--report", &link]).exits(0);
        assert!(project.file(&link).is_symlink());
    }
    // A text says of itself what it is to nobody: it is replaced where it was named, and through no link.
    project.write("notes.txt", FOREIGN);
    symlink("notes.txt", project.file("link.txt")).unwrap();
    project.run(["plan", "--report", "link.txt"]).exits(1).says(&["error[report-path]"]);
    assert_eq!(project.read("notes.txt"), FOREIGN);
    project.run(["plan", "--report", "notes.txt"]).exits(0);
    assert_ne!(project.read("notes.txt"), FOREIGN);
    project.run(["history", "--format", "human", "--report", "h.csv"]).exits(0);
    project.run(["history", "--format", "human", "--report", "h.csv"]).exits(0);
    project.write("h.csv", "id,name\n1,x\n");
    project.run(["history", "--report", "h.csv"]).exits(1);
    // Every result can be replaced by the next, whatever it was, and the state of another project by none.
    for command in [&["show"][..], &["validate"], &["apply", "-y"], &["plan"], &["history"]] {
        project.run([command, &["--report", "any.json"]].concat()).exits(0);
    }
    let other = Project::ordered(&["two"]);
    let state = other.file(STATE);
    let before = other.read(STATE);
    project.run(["plan", "--report", state.to_str().unwrap()]).exits(1).says(&["error[report-path]"]);
    assert_eq!(other.read(STATE), before);
}

/// A pipe is waited for without end, and a device has none.
#[test]
fn whatever_is_named_to_be_read_is_a_regular_file_of_a_sane_size() {
    let project = Project::ordered(&["one"]);
    let pipe = project.file("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for file in ["pipe", "/dev/zero"] {
        for args in [
            &["plan", "--refresh", "--endpoint", "https://localhost:1", "--ca-file", file][..],
            &["history", "reconcile", file],
            &["state", "push", file, "-y"],
            &["apply", file],
            &["show", file],
            &["plan", "--config", file],
            &["plan", "-f", file],
            &["state", "restore", "--from", file, "-y"],
            &["plan", "--state", file],
        ] {
            let mut command = std::process::Command::new("timeout");
            command.args(["-s", "KILL", "30", "prlimit", "--as=4000000000"]);
            command.arg(env!("CARGO_BIN_EXE_postpay")).args(args);
            project.settle(&mut command);
            command.env("TENCENTCLOUD_SECRET_ID", "id").env("TENCENTCLOUD_SECRET_KEY", "key");
            let ran = Ran::from(command.output().unwrap());
            assert_eq!(ran.code, Some(1), "{args:?}: {ran}");
            assert!(ran.stderr.contains("not a"), "{args:?}: {ran}");
        }
    }
}
