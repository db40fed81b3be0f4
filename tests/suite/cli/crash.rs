//! kill -9 at the worst moments: nothing is ordered twice and nothing is forgotten.

use crate::support::{JOURNAL, Project, STATE, assert_shown, at_once, until};

/// Lines of the open run that say this.
fn journal(project: &Project, kind: &str) -> usize {
    let text = std::fs::read_to_string(project.file(JOURNAL)).unwrap_or_default();
    text.lines().filter(|line| line.contains(&format!("\"{kind}\""))).count()
}

#[test]
fn killed_before_an_answer_came_the_order_is_unknown() {
    let project = Project::of(&["one", "two", "three"]);
    let mut running = project.start(["apply", "-y", "--fault", "hang-after@2"]);
    until("the second order", || project.ledger().len() == 2);
    running.kill();
    assert!(project.exists(JOURNAL));
    assert_eq!(project.ordered_once(), ["one", "two"]);

    let before = project.memory();
    let plan = project.run(["plan", "--detailed-exitcode"]).exits(2);
    assert_shown!("crash-plan", plan);
    assert_shown!("crash-show", project.run(["show"]).exits(0));
    assert_eq!(before, project.memory(), "readers change nothing");

    let applied = project.run(["apply", "-y"]).exits(4);
    assert_shown!("crash-apply", applied.stdout);
    applied.says(&["warning[recovered]", "unknown outcomes: `two`; they are not ordered again"]);
    assert_eq!(project.ordered_once(), ["one", "three", "two"]);
    assert_eq!(project.reached().len(), 3);
    let state = project.json(STATE);
    assert_eq!(state["environments"]["one"]["status"], "created");
    assert_eq!(state["environments"]["two"]["status"], "unknown");
    assert_eq!(state["environments"]["three"]["status"], "created");
    assert!(!project.exists(JOURNAL));
}

#[test]
fn killed_at_any_moment_no_alias_is_ordered_twice() {
    type Moment = fn(&Project) -> bool;
    let moments: [(&str, Moment); 5] = [
        ("the run is open", |it| journal(it, "run_started") >= 1),
        ("an intent is on disk", |it| journal(it, "intent") >= 1),
        ("an order arrived", |it| !it.ledger().is_empty()),
        ("an outcome is on disk", |it| journal(it, "outcome") >= 1),
        ("another intent is on disk", |it| journal(it, "intent") >= 2),
    ];
    at_once(moments, |(what, moment)| {
        let project = Project::of(&["one", "two", "three"]);
        let mut running = project.start(["apply", "-y", "--latency", "40ms"]);
        until(what, || moment(&project));
        running.kill();
        project.ordered_once();
        project.run(["plan"]).exits(0);
        let ran = project.run(["apply", "-y"]);
        assert!(matches!(ran.code, Some(0 | 4)), "{what}\n{ran}");
        let ordered = project.ordered_once();
        let state = project.json(STATE);
        for alias in ["one", "two", "three"] {
            let status = &state["environments"][alias]["status"];
            // What is not known to exist is at least known to be in doubt.
            let known = if ordered.iter().any(|it| it == alias) {
                status == "created" || status == "unknown"
            } else {
                status == "unknown"
            };
            assert!(known, "{what}: {alias} is {status}\n{ran}");
        }
        project.run(["apply", "-y"]);
        assert_eq!(project.ordered_once(), ordered, "{what}");
    });
}

#[test]
fn a_lost_answer_does_not_hold_up_the_lock() {
    let project = Project::of(&["one", "two"]);
    let mut running = project.start(["apply", "-y", "--fault", "hang-after@1"]);
    until("the first order", || project.ledger().len() == 1);
    running.kill();
    project.run(["apply", "-y"]).exits(4).does_not_say(&["held by"]);
    assert_eq!(project.ordered_once(), ["one", "two"]);
}
