//! Two requests a second, as the endpoint saw them arrive.

use std::time::Duration;

use crate::support::Project;

/// The limit of 500 ms, less what a busy computer may shift an arrival by.
const GAP: Duration = Duration::from_millis(480);

#[track_caller]
fn arrivals_keep_the_limit(project: &Project) {
    let ledger = project.ledger();
    for pair in ledger.windows(2) {
        let gap = Duration::try_from(pair[1].at.duration_since(pair[0].at)).unwrap();
        assert!(
            gap >= GAP,
            "{gap:?} between {} and {}",
            pair[0].call,
            pair[1].call
        );
    }
    // None was turned away: the limit was kept by this side.
    assert!(
        ledger
            .iter()
            .all(|entry| entry.reached && entry.answer == "ok"),
        "{ledger:?}"
    );
}

#[test]
fn orders_arrive_half_a_second_apart() {
    let project = Project::of(&["one", "two", "three", "four"]);
    let ran = project.run(["apply", "-y"]).exits(0);
    assert_eq!(project.ordered_once().len(), 4, "{ran}");
    arrivals_keep_the_limit(&project);
    let aliases: Vec<_> = project
        .ledger()
        .iter()
        .map(|it| it.params["Alias"].clone())
        .collect();
    assert_eq!(
        aliases,
        ["one", "two", "three", "four"],
        "in declared order"
    );
}

#[test]
fn a_slow_answer_does_not_slow_the_pace() {
    let project = Project::of(&["one", "two", "three"]);
    project.run(["apply", "-y", "--latency", "1s"]).exits(0);
    arrivals_keep_the_limit(&project);
    let ledger = project.ledger();
    let whole = Duration::try_from(ledger[2].at.duration_since(ledger[0].at)).unwrap();
    assert!(
        whole < Duration::from_millis(1900),
        "{whole:?}: the answers were waited for"
    );
}

#[test]
fn two_runs_in_a_row_keep_the_limit() {
    let project = Project::of(&["one"]);
    project.run(["apply", "-y"]).exits(0);
    project.declare(&["one", "two"]);
    project.run(["apply", "-y"]).exits(0);
    assert_eq!(project.ordered_once().len(), 2);
    arrivals_keep_the_limit(&project);
}

#[test]
fn a_run_that_hurries_is_turned_away_and_still_orders_once() {
    let project = Project::of(&["one", "two", "three"]);
    project
        .run(["apply", "-y", "--rate", "100"])
        .exits(0)
        .says(&["at 100 a second", "RequestLimitExceeded"]);
    assert_eq!(project.ordered_once().len(), 3);
}
