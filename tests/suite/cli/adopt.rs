//! Environments that exist already: adopted, declared for the first time, never ordered.

use crate::support::{MANIFEST, Project, STATE, assert_shown};

const POSTPAID: &str = "stray-1a2b3c";

/// An endpoint that has a pay-as-you-go environment, and a manifest that adopts it.
fn project(import: &str) -> Project {
    let project = Project::of(&[]);
    project.write(
        MANIFEST,
        format!(
            "version: 1\nenvironments:\n  stray:\n    alias: stray\n    env_source: qcloud\n    channel: qc_console\n{import}"
        ),
    );
    project.run(["sandbox", "reset", "--existing-postpaid", POSTPAID]).exits(0);
    project
}

fn importing(env_id: &str) -> String {
    format!("    import: {{env_id: {env_id}}}\n")
}

#[test]
fn an_import_block_adopts_and_orders_nothing() {
    let project = project(&importing(POSTPAID));
    assert_shown!("adopt-plan", project.run(["plan"]).exits(0));
    assert_shown!("adopt-apply", project.run(["apply", "-y"]).exits(0));
    assert!(project.orders().is_empty());
    let record = &project.json(STATE)["environments"]["stray"];
    assert_eq!(record["origin"], "imported");
    assert_eq!(record["env_id"], POSTPAID);
    project.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_difference_is_shown_before_it_is_adopted_and_planned_afterwards() {
    let project = project(&importing(POSTPAID));
    project.edit(MANIFEST, "alias: stray", "alias: found");
    assert_shown!("adopt-differs", project.run(["apply", "-y"]).exits(0));
    project.run(["plan", "--detailed-exitcode"]).exits(2).says(&["1 to update"]);
}

#[test]
fn what_can_t_be_adopted_is_told_and_changes_nothing() {
    for (error, env_id) in
        [("error[import-not-there]", "nobody-has-it"), ("error[import-prepaid]", "cdnheader-v2a")]
    {
        let project = project(&importing(env_id));
        project.run(["apply", "-y"]).exits(1).says(&[error]);
        assert!(!project.exists(STATE));
        assert!(project.orders().is_empty());
    }
}

#[test]
fn the_command_adopts_what_is_declared() {
    let project = project("");
    let adopted = project.run(["import", "stray", POSTPAID, "-y"]).exits(0);
    assert_shown!("adopt-command", adopted);
    assert!(project.orders().is_empty());
    project.run(["plan", "--detailed-exitcode"]).exits(0);
    project.run(["import", "stray", POSTPAID, "-y"]).exits(1).says(&["is already in the state"]);
    project.run(["import", "stry", POSTPAID, "-y"]).exits(1).says(&["did you mean `stray`?"]);
    // One environment, one address.
    let more = project.read(MANIFEST)
        + "  other:\n    alias: other\n    env_source: qcloud\n    channel: qc_console\n";
    project.write(MANIFEST, more);
    let managed = project.run(["import", "other", POSTPAID, "-y"]).exits(1);
    assert!(managed.stderr.contains("error[step-refused]"), "{managed}");
}

#[test]
fn what_nobody_declares_is_declared_in_a_new_file_and_adopted() {
    let project = project("");
    project.write(MANIFEST, "version: 1\nremoved: [never-was]\n");
    let shown = project.run(["generate"]).exits(0);
    assert_shown!("generate", shown);
    let file = "environments/adopted.yaml";
    project.run(["generate", "-o", file]).exits(0);
    assert_eq!(project.read(file), shown.stdout);
    project.run(["fmt", "--check"]).exits(0);
    let plan = project.run(["plan", "--format", "json"]).exits(0).json();
    assert_eq!(plan["summary"]["import"], 2);
    assert_eq!(plan["summary"]["orders"], 0);
    project.run(["apply", "-y"]).exits(0);
    assert!(project.orders().is_empty());
    project.run(["plan", "--detailed-exitcode"]).exits(0);

    // A project may begin with what is there.
    let empty = project_without_manifests();
    empty.run(["generate", "-o", "environments/adopted.yaml"]).exits(0);
    empty.run(["plan"]).exits(0).says(&["2 to import"]);

    // Nothing is written over a file, and nothing is left to declare.
    let before = project.read(file);
    let over = project.run(["generate", "-o", file]).exits(1);
    assert!(over.stderr.contains("error[generate-out]"), "{over}");
    assert_eq!(project.read(file), before);
    project.run(["generate", "-o", "environments/more.yaml"]).exits(0).says(&["No file was written."]);
    assert!(!project.exists("environments/more.yaml"));
}

fn project_without_manifests() -> Project {
    let project = project("");
    std::fs::remove_file(project.file(MANIFEST)).unwrap();
    project
}
