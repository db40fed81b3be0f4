//! What is there and not recognised is never taken for absent: it is used, or named and refused.

use std::fs;

use crate::support::{LEDGER, MANIFEST, Project, STATE, manifest};

#[test]
fn manifests_with_names_like_a_backup_stop_a_destroy_and_nothing_else() {
    let project = Project::ordered(&["one", "two"]);
    fs::rename(project.file(MANIFEST), project.file("environments/two.yaml.bak")).unwrap();
    project.declare(&["one"]);
    let warning = "warning[manifest-not-read]";
    project.run(["plan"]).exits(0).says(&[warning, "`environments/two.yaml.bak`"]);
    project.run(["validate"]).exits(0).says(&[warning]);
    let sent = project.read(LEDGER);
    for args in [
        &["plan", "--allow-destroy"][..],
        &["apply", "-y", "--allow-destroy"],
        &["destroy", "two", "-y", "--allow-destroy"],
    ] {
        project.run(args).exits(1).says(&["error[manifest-not-read]", "`environments/two.yaml.bak`"]);
    }
    assert_eq!(project.read(LEDGER), sent);
    fs::remove_file(project.file("environments/two.yaml.bak")).unwrap();
    project.run(["destroy", "two", "-y", "--allow-destroy"]).exits(0);
}

#[test]
fn settings_are_read_under_both_endings() {
    let project = Project::of(&["one", "two"]).at_real_pace();
    project.write("postpay.yml", "version: 1\napi:    {endpoint: sandbox, rate: 1}\n");
    fs::remove_file(project.file("postpay.yaml")).unwrap();
    project.run(["plan"]).exits(0).says(&["at 1 per second"]);
    project.run(["fmt"]).exits(0).says(&["postpay.yml"]);
}

#[test]
fn settings_that_are_not_recognised_are_an_error() {
    for (names, code) in [
        (&["postpay.yaml", "postpay.yml"][..], "several-settings"),
        (&["postpay.yaml", "Postpay.yaml"], "several-settings"),
        (&["Postpay.yaml"], "settings-not-read"),
        (&["POSTPAY.YML"], "settings-not-read"),
        (&["postpay.yaml.bak"], "settings-not-read"),
        (&[".postpay.yml"], "settings-not-read"),
        (&["postpay.json"], "settings-not-read"),
    ] {
        let project = Project::of(&["one"]);
        let text = project.read("postpay.yaml");
        fs::remove_file(project.file("postpay.yaml")).unwrap();
        for name in names {
            project.write(name, &text);
        }
        for args in [&["plan"][..], &["validate"], &["apply", "-y"], &["state", "list"]] {
            let ran = project.run(args).exits(1).says(&[code]);
            for name in names {
                assert!(ran.stderr.contains(&format!("`{name}`")), "{ran}");
            }
        }
        assert!(!project.exists(STATE) && !project.exists(LEDGER), "{names:?}");
        // Whoever names one means it.
        project.run(["plan", "--config", names[0]]).exits(0);
    }
    // Beside settings that are read, a backup of them is no harm.
    let project = Project::of(&["one"]);
    project.write("postpay.yaml.bak", "version: 1\n");
    project.run(["plan"]).exits(0);
}

#[test]
fn states_that_can_not_be_files_are_refused_before_anything_is_sent() {
    for (state, says) in [
        ("mysql://user:secret@host/db", "`mysql://` is not supported"),
        ("postgres://user:secret@host/db?project=p", "holds a password"),
        ("state/", "`state/` is a folder"),
        ("state/..", "`state/..` is a folder"),
        ("environments/state.yaml", "would be read as a manifest"),
        ("environments/state.yml.bak", "would be read as a manifest"),
        ("postpay.yaml", "would be read as a manifest"),
        (MANIFEST, "would be read as a manifest"),
    ] {
        let project = Project::of(&["one"]);
        let before = project.files();
        let ran = project.run(["apply", "-y", "--state", state]).exits(1).says(&["state-path", says]);
        assert!(!ran.stderr.contains("secret"), "{ran}");
        assert_eq!(project.files(), before, "{state}");
        let settings = format!("version: 1\nstate: '{state}'\napi: {{endpoint: sandbox}}\n");
        project.write("postpay.yaml", settings);
        let ran = project.run(["apply", "-y"]).exits(1).says(&[says]);
        assert!(!ran.stderr.contains("secret"), "{ran}");
        assert!(!project.exists(LEDGER));
    }
    let project = Project::of(&["one"]);
    project.run(["apply", "-y", "--state", "environments/state.json"]).exits(0);
    project.run(["plan", "--state", "environments/state.json"]).exits(0).says(&["No changes."]);
}

#[test]
fn ids_with_blanks_or_quotes_are_refused_where_they_are_given() {
    let project = Project::ordered(&["one"]);
    for id in ["x-1 ", " x-1", "x\u{3000}1", "x\u{200b}1", "x\u{a0}1", "\u{201c}x-1\u{201d}"] {
        let adopt: [&[&str]; 2] = [&["import", "one", id], &["resolve", "one", "--adopt", id]];
        for args in adopt {
            project.run(args).exits(1).says(&["invalid value", "an id has 1 to 128 characters"]);
        }
    }
}

#[test]
fn a_checkout_with_other_line_endings_verifies() {
    let project = Project::ordered(&["one"]);
    project.write(MANIFEST, manifest(&["one", "two"]));
    project.run(["plan", "-o", "p.json"]).exits(0);
    let files = project.files();
    let receipts = files.keys().filter(|path| path.starts_with("state/receipts"));
    let receipts: Vec<String> = receipts.map(|path| path.display().to_string()).collect();
    assert_eq!(receipts.len(), 1);
    for name in [STATE, MANIFEST].into_iter().chain(receipts.iter().map(String::as_str)).chain(["p.json"]) {
        let text = project.read(name);
        assert!(!text.contains('\r'));
        project.write(name, text.replace('\n', "\r\n"));
    }
    project.run(["state", "verify"]).exits(0);
    project.run(["apply", "p.json"]).exits(0).says(&["Apply complete: 1 created"]);
    project.run(["state", "verify"]).exits(0);
    // What is in a line still counts.
    let text = project.read(&receipts[0]);
    project.write(&receipts[0], text.replacen("one", "eno", 1));
    project.run(["state", "verify"]).exits(1);
}

#[test]
fn init_keeps_git_from_changing_line_endings_of_the_state() {
    let project = Project::empty();
    project.write(".gitattributes", "*.png binary");
    project.run(["init"]).exits(0).says(&[".gitattributes"]);
    let expected = "*.png binary\nstate/** -text\n";
    assert_eq!(project.read(".gitattributes"), expected);
}

#[test]
fn hostile_manifests_are_refused_in_few_words() {
    let long = "x".repeat(200_000);
    let bomb = "a: &a [1,2,3,4,5,6,7,8,9,0], b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a], c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b], \
                d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c], e: [*d,*d,*d,*d,*d,*d,*d]";
    let document =
        |n: usize| format!("version: 1\nenvironments: {{e{n}: {{env_id: e-{n}, extra: {{{bomb}}}}}}}\n");
    let project = Project::of(&["one"]);
    project.write("one.yaml", document(0));
    project.run(["validate", "-f", "one.yaml"]).exits(0);
    // Each of them is under the limit.
    for n in 0..15 {
        project.write(&format!("many/{n}.yaml"), document(n));
    }
    project.run(["validate", "-f", "many"]).exits(1).says(&["alias-bomb"]);
    let documents: Vec<String> = (0..15).map(document).collect();
    project.write("documents.yaml", documents.join("---\n"));
    project.run(["validate", "-f", "documents.yaml"]).exits(1).says(&["alias-bomb"]);

    let all = (0..2000).map(|n| format!("  e{n}: {{alias: e{n}}}\n")).collect::<Vec<_>>().concat();
    let defaults = format!("{{env_source: qcloud, channel: cocos, extra: {long}}}");
    project.write("defaults.yaml", format!("version: 1\ndefaults: {defaults}\nenvironments:\n{all}"));
    project
        .run(["validate", "-f", "defaults.yaml"])
        .exits(1)
        .says(&["project-too-large", "larger than 256 MiB"]);

    let keys = (0..1000).map(|n| format!(", k{n}: {n}")).collect::<Vec<_>>().concat();
    let extra = format!("version: 1\nenvironments: {{a: {{env_id: x, extra: {{{long}: 1{keys}}}}}}}\n");
    project.write("key.yaml", extra);
    let ran = project.run(["plan", "-f", "key.yaml"]).exits(0);
    assert!(ran.stdout.len() < 100_000, "{}", ran.stdout.len());
    project.write("field.yaml", format!("version: 1\n{long}: 1\n"));
    let ran = project.run(["validate", "-f", "field.yaml"]).exits(1);
    assert!(ran.stderr.len() < 20_000, "{}", ran.stderr.len());
}

#[test]
fn more_environments_than_a_project_may_have_are_named_as_such() {
    let project = Project::of(&["one"]);
    let all = (0..200_001).map(|n| format!("  e{n}: {{}}\n")).collect::<Vec<_>>().concat();
    project.write("a.yaml", format!("version: 1\nenvironments:\n{all}"));
    let ran = project.run(["validate", "-f", "a.yaml"]).exits(1).says(&[
        "project-too-large",
        "more than 200000 environments",
        "a.yaml:200003:3",
    ]);
    assert!(!ran.stderr.contains("missing-alias"));
}

#[test]
fn a_warning_that_repeats_is_shown_once() {
    let project = Project::of(&["one"]);
    let names: Vec<String> = (0..1000).map(|n| format!("an-alias-of-many-letters-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    project.declare(&names);
    let ran =
        project.run(["validate"]).exits(0).says(&["(1000 such warnings)", "the first 3 places are shown"]);
    assert_eq!(ran.stderr.matches("warning[").count(), 1, "{ran}");
    let json = project.run(["validate", "--format", "json"]).exits(0).json();
    assert_eq!(json["diagnostics"].as_array().unwrap().len(), 100, "each has its place");
}
