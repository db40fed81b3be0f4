//! Two requests a second, as the endpoint saw them arrive.

use std::time::Duration;

use crate::support::Project;

/// The spacing of 514.5 ms, less what a quick connection may shift an arrival by.
const GAP: Duration = Duration::from_millis(500);

/// A busy computer can hold one arrival up, and so bring it nearer to the next. A program that keeps no limit fails
/// every time, so one good run of three is enough.
#[track_caller]
fn one_of_three(run: impl Fn() -> Result<(), String>) {
    let failures: Vec<_> = (0..3).map_while(|_| run().err()).collect();
    assert!(failures.len() < 3, "{failures:#?}");
}

fn keeps_the_limit(project: &Project) -> Result<(), String> {
    let ledger = project.ledger();
    for pair in ledger.windows(2) {
        let gap = gap(&pair[0], &pair[1]);
        if gap < GAP {
            return Err(format!("{gap:?} before call {}", pair[1].call));
        }
    }
    // This side kept the limit: the other had no need to.
    match ledger.iter().find(|entry| entry.answer != "ok") {
        Some(entry) => Err(format!("{entry:?}")),
        None => Ok(()),
    }
}

fn gap(one: &postpay::sandbox::LedgerEntry, other: &postpay::sandbox::LedgerEntry) -> Duration {
    Duration::try_from(other.at.duration_since(one.at)).unwrap()
}

#[test]
fn orders_arrive_half_a_second_apart() {
    one_of_three(|| {
        let project = Project::of(&["one", "two", "three", "four"]).at_real_pace();
        project.run(["apply", "-y"]).exits(0);
        assert_eq!(project.ordered_once().len(), 4);
        let ledger = project.ledger();
        let aliases: Vec<_> = ledger.iter().map(|it| it.params["Alias"].clone()).collect();
        assert_eq!(aliases, ["one", "two", "three", "four"], "in declared order");
        let whole = gap(&ledger[0], &ledger[3]);
        if whole > Duration::from_millis(1650) {
            return Err(format!("{whole:?} for three pauses"));
        }
        keeps_the_limit(&project)
    });
}

#[test]
fn a_slow_answer_does_not_slow_the_pace() {
    one_of_three(|| {
        let project = Project::of(&["one", "two", "three"]).at_real_pace();
        project.run(["apply", "-y", "--latency", "1s"]).exits(0);
        let ledger = project.ledger();
        let whole = gap(&ledger[0], &ledger[2]);
        if whole > Duration::from_millis(1300) {
            return Err(format!("{whole:?}: the answers were waited for"));
        }
        keeps_the_limit(&project)
    });
}

#[test]
fn no_more_are_under_way_than_asked_for() {
    let project = Project::of(&["one", "two"]).at_real_pace();
    project.run(["apply", "-y", "--latency", "1s", "--in-flight", "1"]).exits(0);
    let ledger = project.ledger();
    let gap = gap(&ledger[0], &ledger[1]);
    assert!(gap >= Duration::from_secs(1), "{gap:?}: the answer was not waited for");
}

#[test]
fn two_runs_in_a_row_keep_the_limit() {
    one_of_three(|| {
        let project = Project::of(&["one"]).at_real_pace();
        project.run(["apply", "-y"]).exits(0);
        project.declare(&["one", "two"]);
        project.run(["apply", "-y"]).exits(0);
        assert_eq!(project.ordered_once().len(), 2);
        keeps_the_limit(&project)
    });
}

#[test]
fn a_run_that_hurries_is_turned_away_and_still_orders_once() {
    let project = Project::of(&["one", "two", "three"]).at_real_pace();
    let ran = project.run(["apply", "-y", "--rate", "100"]).exits(0);
    ran.says(&["at 100 per second", "RequestLimitExceeded"]);
    assert_eq!(project.ordered_once().len(), 3);
}

#[test]
fn jitter_lets_requests_arrive_in_another_order() {
    let aliases = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let project = Project::of(&aliases).at_real_pace();
    let fast = ["--rate", "100", "--sandbox-rate", "1000", "--in-flight", "8"];
    let args = ["apply", "-y", "--jitter", "400ms"].into_iter().chain(fast);
    project.run(args).exits(0);
    let ledger = project.ledger();
    let arrived: Vec<_> = ledger.iter().map(|it| it.params["Alias"].clone()).collect();
    assert_eq!(project.ordered_once(), aliases);
    assert_ne!(arrived, aliases);
}

#[test]
fn a_congestion_delays_creates_and_keeps_their_order() {
    let project = Project::of(&["one", "two", "three"]).at_real_pace();
    let ran = project.run(["apply", "-y", "--fault", "throttle-for:1500ms@2"]).exits(0);
    let ran = ran.says(&["RequestLimitExceeded", "attempt 3"]);
    assert_eq!(project.ordered_once().len(), 3);
    let created = project.ledger().into_iter().filter(|entry| entry.acted);
    let aliases: Vec<_> = created.map(|it| it.params["Alias"].clone()).collect();
    assert_eq!(aliases, ["one", "two", "three"], "{ran}");
}
