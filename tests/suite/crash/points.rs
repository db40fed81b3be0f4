//! Every named crash point, with a real abort.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Instant;

use postpay::crash::{
    ADOPTION_KEPT, ADOPTION_NEXT, ANSWER_CAME, API_ACTED, APPROVED, BACKUP_KEPT, FILE_RENAMED, FILE_WRITTEN,
    INTENT_KEPT, JOURNAL_BEGUN, JOURNAL_CREATED, LINE_SYNCED, LINE_WRITTEN, LISTED, LISTING_KEPT, LOCKED,
    LOOK_NEXT, MANIFESTS_READ, OUTCOME_KEPT, PLANNED, POINTS, RECEIPT_FILED, RECEIPT_NEXT, RECEIPT_RENAMED,
    RECOVERY_KEPT, RECOVERY_NEXT, RECOVERY_REOPENED, REQUEST_ARRIVED, RUN_ENDED, RUN_STARTED, SLOT_REACHED,
    STATE_REPLACED, STEP_NEXT,
};

use super::announce;
use super::recovery::{Scene, Tally};
use crate::support::in_parallel;

const NEW: [&str; 3] = ["one", "two", "three"];
const ALL: [&str; 4] = ["zero", "one", "two", "three"];

/// A point, and for which of its visits.
type Moment = (&'static str, u32);

/// What leads up to a command, and where that dies.
struct Case {
    what: &'static str,
    /// Whether an environment was ordered before, so that there is a state and a backup to be made.
    later: bool,
    /// A run that dies before the one that is looked at.
    earlier: Option<Moment>,
    /// A whole command before the one that is looked at, with its exit code.
    first: Option<(&'static [&'static str], i32)>,
    command: &'static [&'static str],
    moment: Moment,
}

const APPLY: &[&str] = &["apply", "-y"];
const ONE_BY_ONE: &[&str] = &["apply", "-y", "--in-flight", "1"];

/// The first, second and third visit.
fn each(points: &[&'static str], visits: u32) -> Vec<Moment> {
    points.iter().flat_map(|point| (1..=visits).map(|visit| (*point, visit))).collect()
}

const END: [&str; 4] = [STATE_REPLACED, RECEIPT_NEXT, RECEIPT_RENAMED, RECEIPT_FILED];
const STEP: [&str; 7] =
    [STEP_NEXT, INTENT_KEPT, SLOT_REACHED, REQUEST_ARRIVED, API_ACTED, ANSWER_CAME, OUTCOME_KEPT];
const FILES: [&str; 2] = [FILE_WRITTEN, FILE_RENAMED];
const LINES: [&str; 2] = [LINE_WRITTEN, LINE_SYNCED];

/// The end of a run in which so many files are replaced: the state, its backup where there was a state, and before both
/// the state as it is, to prove that it can be.
fn end(files: u32) -> Vec<Moment> {
    let mut moments = each(&FILES, files);
    moments.extend(each(&END, 1));
    if files > 1 {
        moments.push((BACKUP_KEPT, 1));
    }
    moments
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let case =
        |what, command, moment| Case { what, later: false, earlier: None, first: None, command, moment };

    // A run of three orders: nine lines.
    let start = [
        LOCKED,
        MANIFESTS_READ,
        PLANNED,
        APPROVED,
        LISTED,
        JOURNAL_CREATED,
        JOURNAL_BEGUN,
        RUN_STARTED,
        LISTING_KEPT,
        RUN_ENDED,
    ];
    for later in [false, true] {
        let mut moments = each(&start, 1);
        moments.extend(each(&LINES, 9));
        moments.extend(end(if later { 3 } else { 1 }));
        let run = |command| move |moment| (command, moment);
        let steps = each(&STEP, 3);
        let all = moments
            .into_iter()
            .chain(steps.clone())
            .map(run(ONE_BY_ONE))
            .chain(steps.into_iter().map(run(APPLY)));
        cases.extend(all.map(|(command, moment)| Case { later, ..case("ordering", command, moment) }));
    }

    // The next run, over what a dead one left.
    for later in [false, true] {
        for earlier in
            [(INTENT_KEPT, 1), (API_ACTED, 2), (LINE_WRITTEN, 6), (OUTCOME_KEPT, 3), (RUN_ENDED, 1)]
        {
            let mut moments = each(&[RECOVERY_NEXT, RECOVERY_REOPENED, RECOVERY_KEPT], 1);
            moments.extend(each(&LINES, 1));
            moments.extend(end(if later { 2 } else { 1 }));
            cases.extend(moments.into_iter().map(|moment| Case {
                later,
                earlier: Some(earlier),
                ..case("recovering", ONE_BY_ONE, moment)
            }));
        }
        // The state holds the run already: all that is left is to file it.
        let filing = [RECOVERY_NEXT, RECOVERY_REOPENED, RECEIPT_NEXT, RECEIPT_RENAMED, RECEIPT_FILED];
        cases.extend(each(&filing, 1).into_iter().map(|moment| Case {
            later,
            earlier: Some((STATE_REPLACED, 1)),
            ..case("recovering", ONE_BY_ONE, moment)
        }));
    }

    // A lost answer that is read back, and an answer without an environment id.
    let mut moments = each(&[LOOK_NEXT, ADOPTION_NEXT, ADOPTION_KEPT, RUN_ENDED], 1);
    moments.extend(each(&LINES, 10).split_off(5));
    moments.extend(end(1));
    moments.push((STEP_NEXT, 3));
    moments.push((API_ACTED, 3));
    for moment in moments {
        const LOST: &[&str] =
            &["apply", "-y", "--in-flight", "1", "--settle", "2s", "--fault", "reset-after@2"];
        cases.push(case("reading back", LOST, moment));
    }
    for moment in each(&[LOOK_NEXT, ADOPTION_NEXT, ADOPTION_KEPT, RUN_ENDED], 1) {
        const NO_ID: &[&str] = &["apply", "-y", "--settle", "2s", "--fault", "null-env-id@2"];
        cases.push(case("looking for an id", NO_ID, moment));
    }

    // What a person settles is a run of three lines.
    let mut moments = each(&[JOURNAL_CREATED, JOURNAL_BEGUN], 1);
    moments.extend(each(&LINES, 3));
    moments.extend(end(3));
    for moment in moments {
        // One at a time, so that the third call is the third environment's on a busy computer too.
        const AFTER: &[&str] = &["apply", "-y", "--in-flight=1", "--settle=0s", "--fault", "reset-after@3"];
        const BEFORE: &[&str] = &["apply", "-y", "--in-flight=1", "--settle=0s", "--fault", "reset-before@3"];
        cases.push(Case { first: Some((AFTER, 4)), ..case("adopting by hand", &["resolve", "-y"], moment) });
        cases.push(Case {
            first: Some((BEFORE, 4)),
            ..case("giving up by hand", &["resolve", "three", "--not-created", "--force"], moment)
        });
    }
    cases
}

/// How many of three orders, made one by one, are in the state as created and as unknown after a crash. This is the table of
/// `src/apply/protocol.md`, by number.
fn left((point, visit): Moment, later: bool) -> (usize, usize) {
    let visit = usize::try_from(visit).unwrap();
    match point {
        STEP_NEXT => (visit - 1, 0),
        INTENT_KEPT | SLOT_REACHED | REQUEST_ARRIVED | API_ACTED | ANSWER_CAME => (visit - 1, 1),
        OUTCOME_KEPT => (visit, 0),
        // run_started, listed, an intent and an outcome for each order, run_ended.
        LINE_WRITTEN | LINE_SYNCED => match visit {
            1 | 2 => (0, 0),
            9 => (3, 0),
            line => ((line - 3).div_ceil(2), line % 2),
        },
        LOCKED | MANIFESTS_READ | PLANNED | APPROVED | LISTED | JOURNAL_CREATED | JOURNAL_BEGUN
        | RUN_STARTED | LISTING_KEPT => (0, 0),
        // Where there is a state, it is replaced by itself before anything is created.
        FILE_WRITTEN | FILE_RENAMED if later && visit == 1 => (0, 0),
        RUN_ENDED | FILE_WRITTEN | FILE_RENAMED | BACKUP_KEPT | STATE_REPLACED | RECEIPT_NEXT
        | RECEIPT_RENAMED | RECEIPT_FILED => (3, 0),
        other => panic!("an ordinary run does not come by {other}"),
    }
}

fn trial(case: &Case) -> Result<Tally, String> {
    let scene = Scene::new(&NEW);
    let aliases: &[&str] = if case.later { &ALL } else { &NEW };
    let mut deaths = 1;
    if case.later {
        scene.project.declare(&ALL[..1]);
        scene.run(APPLY).exits(0);
        scene.project.declare(&ALL);
    }
    if let Some((point, visit)) = case.earlier {
        deaths += 1;
        let ran = scene.run_to(ONE_BY_ONE, &format!("{point}@{visit}"));
        if ran.code.is_some() {
            return Err(format!("the run before it did not die\n{ran}"));
        }
    }
    if let Some((command, exit)) = case.first {
        scene.run(command).exits(exit);
    }
    let (point, visit) = case.moment;
    let ran = scene.run_to(case.command, &format!("{point}@{visit}"));
    if ran.code.is_some() {
        return Err(format!("it did not die\n{ran}"));
    }
    let losses = scene.losses_now()?;
    if case.what == "ordering" && case.command == ONE_BY_ONE {
        let (created, unknown) = left(case.moment, case.later);
        let expected = (created + usize::from(case.later), unknown);
        if expected != (0, 0) && scene.told()? != expected {
            return Err(format!("(created, unknown) is {:?}, not {expected:?}\n{ran}", scene.told()?));
        }
    }
    let mut tally = scene.recover(aliases)?;
    tally.deaths = deaths;
    tally.losses += losses;
    Ok(tally)
}

#[test]
fn at_every_crash_point_nothing_is_ordered_twice_and_nothing_is_lost() {
    if !cfg!(debug_assertions) {
        return;
    }
    let started = Instant::now();
    let total = Mutex::new((Tally::default(), BTreeSet::new(), Vec::new()));
    in_parallel(cases(), |case| {
        let (point, visit) = case.moment;
        let ended = trial(&case);
        let mut total = total.lock().unwrap();
        let wrong = match ended {
            Ok(tally) => {
                total.0 += tally;
                total.1.insert(point);
                (tally.duplicates + tally.losses > 0).then(|| format!("{tally:?}"))
            }
            Err(why) => Some(why),
        };
        if let Some(why) = wrong {
            total.2.push(format!(
                "{}, dying at {point}@{visit} (later: {}, earlier: {:?}, {:?}): {why}",
                case.what, case.later, case.earlier, case.command
            ));
        }
    });
    let (tally, hit, wrong) = total.into_inner().unwrap();
    announce(&format!(
        "crash points: {} points, {} trials, {} deaths, {} orders, {} settled by resolve, {} duplicates, {} losses, {:.1} s",
        hit.len(),
        tally.trials,
        tally.deaths,
        tally.orders,
        tally.settled,
        tally.duplicates,
        tally.losses,
        started.elapsed().as_secs_f64(),
    ));
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    let elsewhere = BTreeSet::from(super::life::POINTS);
    let all = BTreeSet::from(POINTS);
    let expected: BTreeSet<_> = all.difference(&elsewhere).copied().collect();
    assert_eq!(hit, expected, "every point is hit");
}
