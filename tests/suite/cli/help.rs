//! What the program says of itself.

use std::path::Path;

use crate::support::{Project, Ran, assert_shown};

const COMMANDS: [&[&str]; 35] = [
    &[],
    &["init"],
    &["validate"],
    &["fmt"],
    &["plan"],
    &["apply"],
    &["destroy"],
    &["drift"],
    &["import"],
    &["generate"],
    &["resolve"],
    &["rehearse"],
    &["show"],
    &["whoami"],
    &["state"],
    &["state", "list"],
    &["state", "show"],
    &["state", "mv"],
    &["state", "rm"],
    &["state", "pull"],
    &["state", "push"],
    &["state", "restore"],
    &["state", "verify"],
    &["history"],
    &["history", "verify"],
    &["history", "reconcile"],
    &["lock"],
    &["lock", "status"],
    &["sandbox"],
    &["sandbox", "serve"],
    &["sandbox", "ledger"],
    &["sandbox", "reset"],
    &["schema"],
    &["completions"],
    &["man"],
];

/// Help that is approved as a whole; of every other command, its sections are checked.
const APPROVED: [&[&str]; 3] = [&[], &["apply"], &["state", "mv"]];

#[test]
fn every_command_has_help_with_its_sections() {
    let project = Project::empty().at_real_pace();
    for command in COMMANDS {
        let help = project.run(command.iter().chain(&["--help"])).exits(0).stdout;
        let usage = ["Usage: postpay"].iter().chain(command).copied().collect::<Vec<_>>().join(" ");
        assert!(help.contains(&usage), "{command:?}:\n{help}");
        for section in ["-h, --help", "Global options:"] {
            assert!(help.contains(section), "{command:?} has no `{section}`:\n{help}");
        }
        assert!(!help.starts_with("Usage:"), "{command:?} does not say what it does:\n{help}");
        if APPROVED.contains(&command) {
            let name = ["help"].iter().chain(command).copied().collect::<Vec<_>>();
            assert_shown!(name.join("-"), help);
        }
    }
}

#[test]
fn help_and_usage_errors_are_in_english() {
    let project = Project::empty().at_real_pace();
    for line in ["--help", "plam"] {
        let mut chinese = project.command([line]);
        let chinese = Ran::from(chinese.env("LANG", "zh_CN.UTF-8").output().unwrap());
        let english = project.run([line]);
        assert_eq!((chinese.stdout, chinese.stderr), (english.stdout, english.stderr));
    }
}

#[test]
fn the_version_names_the_commit() {
    let root = env!("CARGO_MANIFEST_DIR");
    let git = std::process::Command::new("git")
        .args(["-C", root, "log", "-1", "--format=%h %cs", "--abbrev=12"])
        .output();
    let version = Project::empty().run(["--version"]).exits(0).stdout;
    let number = env!("CARGO_PKG_VERSION");
    let expected = match git {
        Ok(git) if git.status.success() && Path::new(root).join(".git").exists() => {
            let commit = String::from_utf8(git.stdout).unwrap();
            format!("postpay {number} ({})\n", commit.trim())
        }
        // A source archive is of no commit.
        Ok(_) | Err(_) => format!("postpay {number}\n"),
    };
    assert_eq!(version, expected);
}

#[test]
fn every_command_that_there_is_is_held_here() {
    let help = Project::empty().run(["--help"]).stdout;
    let listed = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help");
    for name in listed {
        assert!(COMMANDS.iter().any(|it| it.first() == Some(&name)), "{name}");
    }
}

#[test]
fn the_version_is_no_error_and_a_wrong_command_line_is_one() {
    let project = Project::of(&["one"]);
    let version = project.run(["--version"]).exits(0);
    let number = format!("postpay {}", env!("CARGO_PKG_VERSION"));
    assert!(version.stdout.starts_with(&number), "{version}");
    for wrong in [
        &["plam"][..],
        &["plan", "--no-such-flag"],
        &["plan", "--target", "Not An Address"],
        &["plan", "--rate", "0"],
        &["plan", "--rate", "101"],
        &["apply", "--in-flight", "33"],
        &["apply", "--deadline", "soon"],
        &["apply", "--fault", "reset-aftr@1"],
        &["apply", "plan.json", "--target", "one"],
        &["plan", "--format", "yaml"],
        &["schema"],
        &["completions", "tcsh"],
        &["show", "a", "b"],
        &[],
    ] {
        let ran = project.run(wrong).exits(1);
        assert_eq!(ran.stdout, "", "{ran}");
        assert!(!ran.stderr.is_empty(), "{wrong:?} says nothing");
    }
    assert_shown!("wrong-command", project.run(["plam"]));
    assert_shown!("wrong-fault", project.run(["apply", "--fault", "reset-aftr@1"]));
    assert!(!project.exists("state"));
}

#[test]
fn every_shell_gets_its_completions() {
    let project = Project::empty().at_real_pace();
    for (shell, mark) in [
        ("bash", "complete -F _postpay"),
        ("zsh", "#compdef postpay"),
        ("fish", "complete -c postpay"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion:arg-completer[postpay]"),
    ] {
        let script = project.run(["completions", shell]).exits(0);
        assert_eq!(script.stderr, "");
        assert!(script.stdout.contains(mark), "{shell}");
        assert!(script.stdout.contains("detailed-exitcode"), "{shell}");
    }
    let bash = project.run(["completions", "bash"]).stdout;
    project.write("postpay.bash", bash);
    let mut check = std::process::Command::new("bash");
    check.args(["-n", "postpay.bash"]);
    project.settle(&mut check);
    assert!(check.status().unwrap().success());
}

#[test]
fn the_manual_page_is_roff_and_names_every_command() {
    let page = Project::empty().run(["man"]).exits(0).stdout;
    assert!(page.contains(".TH postpay 1"), "{page}");
    for command in COMMANDS.iter().filter_map(|it| it.first()) {
        assert!(page.contains(command), "{command}");
    }
    assert!(page.contains("Exit codes"), "{page}");
}
