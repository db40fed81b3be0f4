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

/// `-h` is one screen of what a command needs; the rest is in `--help`.
#[test]
fn the_short_help_of_every_command_fits_a_screen() {
    let project = Project::empty();
    for command in COMMANDS {
        let mut short = project.command(command.iter().chain(&["-h"]));
        let help = Ran::from(short.env("COLUMNS", "80").output().unwrap()).exits(0).stdout;
        let lines = help.lines().count();
        assert!(lines <= 30, "{command:?} has {lines} lines:\n{help}");
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{command:?}: {line}");
            let is_entry = line.starts_with("  ") && !line.starts_with("                    ");
            assert!(is_entry || !line.starts_with(' ') || command == ["schema"], "{command:?} wraps: {line}");
        }
        for text in ["[env:", "API options", "Credential options", "Sandbox options"] {
            assert!(!help.contains(text), "{command:?} has `{text}`:\n{help}");
        }
    }
}

#[test]
fn offline_commands_do_not_offer_the_endpoint() {
    let project = Project::empty();
    for (command, is_offered) in
        [("validate", false), ("fmt", false), ("history", false), ("schema", false), ("plan", true)]
    {
        let help = project.run([command, "--help"]).exits(0).stdout;
        assert_eq!(help.contains("--endpoint"), is_offered, "{command}:\n{help}");
    }
}

#[test]
fn options_with_one_dash_are_read_as_in_terraform() {
    let project = Project::of(&["one"]);
    project.run(["plan", "-out=plan.tf", "-target=one", "-detailed-exitcode"]).exits(2);
    assert!(project.exists("plan.tf") && !project.exists("ut=plan.tf"));
    project.run(["plan", "-out", "other.tf"]).exits(0);
    assert!(project.exists("other.tf"));
    project.run(["apply", "-auto-approve", "plan.tf"]).exits(0);
    project.run(["-help"]).exits(0);
    for (args, tip) in [
        (&["plan", "-var", "a=b"][..], "write the values in the manifests"),
        (&["plan", "-var-file=x"], "write the values in the manifests"),
        (&["plan", "-json"], "--format json"),
        (&["apply", "-parallelism=3"], "--in-flight"),
        (&["apply", "-input=false"], "--auto-approve"),
        (&["plan", "-no-color"], "--color never"),
        (&["plan", "-outt=plan.txt"], "--out"),
        (&["plan", "-replacee=one"], "--replace"),
    ] {
        let ran = project.run(args).exits(1);
        assert!(ran.stderr.contains(tip), "{args:?}: {ran}");
    }
    assert!(!project.exists("utt=plan.txt"));
    // Short options with their value, and what follows `--`, stay as they are.
    project.run(["plan", "-oplain.tf"]).exits(0);
    assert!(project.exists("plain.tf"));
    let ran = project.run(["apply", "--", "-auto-approve"]).exits(1);
    assert!(ran.stderr.contains("cannot read -auto-approve"), "{ran}");
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

/// Runs the completion function of the bash script for a command line that ends with the word to complete.
#[cfg(unix)]
fn complete_in_bash(project: &Project, line: &[&str]) -> Vec<String> {
    let words = line.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let (word, before) = (line[line.len() - 1], line[line.len() - 2]);
    let script = format!(
        "source postpay.bash; COMP_WORDS=({words}); COMP_CWORD={}; _postpay postpay '{word}' '{before}'; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        line.len() - 1
    );
    let mut bash = std::process::Command::new("bash");
    bash.args(["-c", &script]);
    project.settle(&mut bash);
    let folder = Path::new(env!("CARGO_BIN_EXE_postpay")).parent().unwrap().to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    bash.env("PATH", format!("{}:{path}", folder.display()));
    let output = bash.output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[cfg(unix)]
#[test]
fn addresses_are_completed() {
    let project = Project::ordered(&["shop-a", "shop-b"]);
    project.declare(&["shop-a", "blog"]);
    for shell in ["bash", "zsh", "fish"] {
        let script = project.run(["completions", shell]).exits(0).stdout;
        assert!(script.contains("(postpay addresses 2>/dev/null)"), "{shell}");
        assert!(!script.contains("POSTPAY_ADDRESSES"), "{shell}");
    }
    project.write("postpay.bash", project.run(["completions", "bash"]).stdout);
    for option in ["--target", "--exclude", "--replace"] {
        let found = complete_in_bash(&project, &["postpay", "plan", option, "shop"]);
        assert_eq!(found, ["shop-a", "shop-b"], "{option}");
    }
    let found = complete_in_bash(&project, &["postpay", "state", "show", "bl"]);
    assert_eq!(found, ["blog"]);
    // A project with errors still has addresses, and without any there is nothing to complete.
    assert_eq!(Project::empty().run(["addresses"]).stdout, "");
}

#[test]
fn every_command_has_a_manual_page() {
    let project = Project::empty();
    for command in COMMANDS {
        let page = project.run(["man"].iter().chain(command)).exits(0).stdout;
        let name = ["postpay"].iter().chain(command).copied().collect::<Vec<_>>().join("-");
        assert!(page.contains(&format!(".TH {name} 1")), "{command:?}: {page}");
    }
    let page = project.run(["man", "apply"]).stdout;
    assert!(page.contains("How long to wait for the state lock"), "{page}");
    let page = project.run(["man"]).stdout;
    for command in COMMANDS.iter().filter_map(|it| it.first()) {
        assert!(page.contains(command), "{command}");
    }
    assert!(page.contains("Exit codes"), "{page}");
    let ran = project.run(["man", "state", "mvv"]).exits(1);
    assert!(ran.stderr.contains("there is no command `state mvv`"), "{ran}");
}
