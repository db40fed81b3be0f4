//! `fmt`: what it lists, what it leaves alone, and that a plan sees no difference.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Stdio;

use crate::support::{MANIFEST, Project, Ran, Running, assert_shown};

const MESSY: &str = "\
version:  1   # ours


defaults: {env_source: qcloud,channel: qc_console}
environments:
    # The shop.
    shop:
        alias:   shop
    # The blog.
    blog:
        alias: blog
        # later
        flags:
        - x
";

const TIDY: &str = "\
version: 1 # ours

defaults: {env_source: qcloud, channel: qc_console}
environments:
  # The shop.
  shop:
    alias: shop

  # The blog.
  blog:
    alias: blog
    # later
    flags:
      - x
";

/// Two files that are not in the layout, and one that is.
fn messy() -> Project {
    let project = Project::of(&["one"]);
    project.write("environments/a.yaml", MESSY);
    project.write("postpay.yaml", "version: 1\napi: { endpoint: sandbox }\n");
    project
}

fn piped(project: &Project, args: &[&str], text: &str) -> Ran {
    let mut command = project.command(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::new(command);
    running.type_in(text);
    let mut ran = running.wait();
    ran.line = args.join(" ");
    ran
}

#[test]
fn a_project_is_laid_out_and_then_it_is() {
    let project = messy();
    let before = project.read(MANIFEST);
    assert_shown!("fmt", project.run(["fmt"]).exits(0));
    assert_eq!(project.read("environments/a.yaml"), TIDY);
    assert_eq!(project.read("postpay.yaml"), "version: 1\napi: {endpoint: sandbox}\n");
    assert_eq!(project.read(MANIFEST), before);
    let after = project.files();
    for args in [&["fmt"][..], &["fmt", "--diff"], &["fmt", "--check"]] {
        let again = project.run(args).exits(0);
        assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("", ""));
    }
    assert_eq!(project.files(), after, "nothing is left lying about");
}

#[test]
fn a_check_lists_and_writes_nothing() {
    let project = messy();
    let before = project.files();
    assert_shown!("fmt-check", project.run(["fmt", "--check"]).exits(2));
    let diff = project.run(["fmt", "--check", "--diff"]).exits(2);
    assert_shown!("fmt-check-diff", diff);
    let json = project.run(["fmt", "--check", "--diff", "--format", "json"]);
    assert_shown!("fmt-check-json", json.exits(2));
    let coloured = project.run(["fmt", "--check", "--diff", "--color", "always"]);
    coloured.exits(2).says(&["\u{1b}[31m-version:  1"]);
    assert_eq!(project.files(), before);
}

#[test]
fn a_diff_alone_is_written_too() {
    let project = messy();
    let shown = project.run(["fmt", "--diff", "environments"]).exits(0);
    shown.says(&["environments/a.yaml\n--- old/", "\n+version: 1 # ours\n"]);
    assert_eq!(project.read("environments/a.yaml"), TIDY);
    let json = project.run(["fmt", "--format", "json", "--report", "r.json"]);
    let json = json.exits(0);
    assert_shown!("fmt-json", json);
    assert_eq!(project.read("r.json"), json.stdout);
}

#[test]
fn a_plan_sees_no_difference() {
    let project = Project::ordered(&["one", "two"]);
    let text = project.read(MANIFEST);
    let spread = text.replace("  ", "     ").replace('\n', "  \r\n\r\n\r\n");
    project.write(MANIFEST, format!("\u{feff}{spread}"));
    project.run(["plan"]).exits(0).says(&["No changes."]);
    let ran = project.run(["fmt"]).exits(0);
    assert_eq!(ran.stdout, format!("{MANIFEST}\n"));
    assert!(!project.read(MANIFEST).contains(['\r', '\u{feff}']));
    project.run(["plan"]).exits(0).says(&["No changes."]);
}

#[test]
fn one_file_with_an_error_and_none_is_written() {
    let project = messy();
    project.write("environments/b.yaml", "a: [1\nb: 2\n");
    project.write("environments/c.yaml", b"version: 1\n# \xb5\n");
    project.write("environments/d.yaml", "a: 1\n...\n\u{feff}b: 2\n");
    let before = project.files();
    project.run(["fmt"]).exits(1).says(&["error[yaml-syntax]"]);
    // A check still tells what there is to lay out.
    let check = project.run(["fmt", "--check"]).exits(1);
    assert_eq!(check.stdout, "environments/a.yaml\npostpay.yaml\n");
    let json = project.run(["fmt", "--format", "json"]).exits(1).json();
    assert_eq!(json["files"][0]["written"], false);
    assert_eq!(json["diagnostics"].as_array().unwrap().len(), 3);
    assert_eq!(json["diagnostics"][0]["range"]["start"]["line"], 2);
    assert_eq!(project.files(), before);
}

#[test]
fn paths_that_are_no_manifests() {
    let project = messy();
    project.write("empty/notes.txt", "");
    project.write("a.json", "{\"version\":   1}");
    let wrong = ["fmt", "gone.yaml", "empty", "a.json", "environments"];
    let before = project.files();
    project.run(wrong).exits(1).says(&["error[path-not-found]"]);
    project.run(["fmt", "-", "a.yaml"]).exits(1).says(&["error[fmt-stdin]"]);
    project.run(["fmt", "-f", "gone"]).exits(1).says(&["`gone` does not exist"]);
    project.write("postpay.yaml", "version: 1\nmanifets: x\n");
    project.run(["fmt"]).exits(1).says(&["manifests"]);
    project.write("postpay.yaml", before[Path::new("postpay.yaml")].clone());
    assert_eq!(project.files(), before);
    // What `-f` names is no manifest when it is the state.
    let project = Project::ordered(&["one"]);
    let ran = project.run(["fmt", "-f", "state/postpay.state.json"]);
    ran.exits(1).says(&["one of the state's own files"]);
}

#[test]
fn files_and_folders_by_name() {
    let project = messy();
    project.write("other/b.yml", "a:   1\n");
    project.write("other/postpay.yaml", "b:   1\n");
    project.write("other/.hidden.yaml", "c:   1\n");
    let ran = project.run(["fmt", "other", "other/b.yml"]).exits(0);
    assert_eq!(ran.stdout, "other/b.yml\nother/postpay.yaml\n");
    let ran = project.run(["fmt", "-C", "other", "--check", "."]).exits(0);
    assert_eq!(ran.stdout, "");
    let ran = project.run(["fmt", "-f", "environments/a.yaml"]).exits(0);
    assert_eq!(ran.stdout, "environments/a.yaml\npostpay.yaml\n");
}

#[test]
fn standard_input_goes_to_standard_output() {
    let project = messy();
    let ran = piped(&project, &["fmt", "-"], MESSY).exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (TIDY, ""));
    assert_eq!(piped(&project, &["fmt", "-"], TIDY).exits(0).stdout, TIDY);
    assert_eq!(piped(&project, &["fmt", "-"], "").exits(0).stdout, "");
    let check = piped(&project, &["fmt", "--check", "-"], MESSY).exits(2);
    assert_eq!(check.stdout, "<stdin>\n");
    piped(&project, &["fmt", "--check", "-"], TIDY).exits(0);
    let diff = piped(&project, &["fmt", "--diff", "-"], "a:  1\n").exits(0);
    assert_shown!("fmt-stdin-diff", diff);
    let json = piped(&project, &["fmt", "--format", "json", "-"], "a:  1");
    assert_shown!("fmt-stdin-json", json.exits(0));
    let wrong = piped(&project, &["fmt", "-"], "a: [\n");
    assert_shown!("fmt-stdin-error", wrong.exits(1));
}

#[test]
fn a_link_stays_a_link_and_a_mode_stays_a_mode() {
    let project = Project::of(&["one"]);
    project.write("real/shop.yaml", MESSY);
    symlink("../real/shop.yaml", project.file("environments/link.yaml")).unwrap();
    let mode = fs::Permissions::from_mode(0o640);
    fs::set_permissions(project.file("real/shop.yaml"), mode).unwrap();
    let ran = project.run(["fmt"]).exits(0);
    assert_eq!(ran.stdout, "environments/link.yaml\n");
    let link = fs::symlink_metadata(project.file("environments/link.yaml")).unwrap();
    assert!(link.is_symlink());
    assert_eq!(project.read("real/shop.yaml"), TIDY);
    let mode = fs::metadata(project.file("real/shop.yaml")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o640);
}

#[test]
fn what_can_not_be_written_is_as_it_was() {
    let project = messy();
    let only_read = fs::Permissions::from_mode(0o444);
    fs::set_permissions(project.file("environments/a.yaml"), only_read).unwrap();
    project.run(["fmt"]).exits(1).says(&["error[write]"]);
    assert_eq!(project.read("environments/a.yaml"), MESSY);
    project.run(["fmt", "--check", "environments"]).exits(2);

    // No file may grow, as on a full disk.
    let project = messy();
    let before = project.files();
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" fmt"]);
    shell.arg(env!("CARGO_BIN_EXE_postpay"));
    project.settle(&mut shell);
    let ran = Ran::from(shell.output().unwrap()).exits(1);
    assert_eq!(ran.stdout, "");
    assert_eq!(ran.stderr.matches("error[write]: cannot write").count(), 2);
    assert_eq!(project.files(), before);

    let project = messy();
    let before = project.files();
    let folder = project.file("environments");
    let set = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
    set(0o555);
    let bound = fs::write(folder.join("probe"), "").is_err();
    let ran = project.run(["fmt", "environments"]);
    set(0o755);
    if bound {
        ran.exits(1).says(&["error[write]: cannot write environments/a.yaml"]);
        assert_eq!(project.files(), before);
    } else {
        eprintln!("skipped: permissions do not bind this user");
    }
}

#[test]
fn what_the_repository_ships_is_in_the_layout() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = Project::empty();
    let shipped = ["examples", "src/cli/init"].map(|it| repository.join(it).display().to_string());
    let [examples, init] = &shipped;
    let ran = project.run(["fmt", "--check", "--diff", examples, init]);
    let ran = ran.exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    project.run(["init"]).exits(0);
    project.run(["fmt", "--check"]).exits(0);
}
