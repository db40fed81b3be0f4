//! A run that does everything at once, and dies at every moment of it: run again, it ends as if it had never died.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use postpay::crash::{
    BACKUP_KEPT, CHANGE_ANSWERED, CHANGE_INTENT_KEPT, CHANGE_OUTCOME_KEPT, EDIT_KEPT, EDIT_NEXT, INTENT_KEPT,
    LINE_WRITTEN, OUTCOME_KEPT, RUN_ENDED, SLOT_REACHED, STATE_REPLACED, STEP_NEXT,
};
use postpay::sandbox::read_ledger;

use super::announce;
use super::recovery::Scene;
use crate::support::{LEDGER, MANIFEST, Project, RECEIPTS, STATE, in_parallel};

/// The points that only such a run comes by.
pub(super) const POINTS: [&str; 5] =
    [EDIT_NEXT, EDIT_KEPT, CHANGE_INTENT_KEPT, CHANGE_ANSWERED, CHANGE_OUTCOME_KEPT];

const APPLY: &[&str] = &["apply", "-y", "--allow-destroy", "--in-flight", "1"];

fn moments() -> Vec<(&'static str, u32)> {
    // Two edits of the record alone, an order, a change in place, two that are given up, each with an edit of its own.
    let visits = [
        (EDIT_NEXT, 5),
        (EDIT_KEPT, 5),
        // One loop sends the create, the update and the two destroys.
        (STEP_NEXT, 4),
        (SLOT_REACHED, 4),
        (INTENT_KEPT, 1),
        (OUTCOME_KEPT, 1),
        (CHANGE_INTENT_KEPT, 3),
        (CHANGE_ANSWERED, 3),
        (CHANGE_OUTCOME_KEPT, 3),
        (LINE_WRITTEN, 16),
        (RUN_ENDED, 1),
        (BACKUP_KEPT, 1),
        (STATE_REPLACED, 1),
    ];
    visits.into_iter().flat_map(|(point, visits)| (1..=visits).map(move |visit| (point, visit))).collect()
}

fn ids(project: &Project) -> BTreeMap<String, String> {
    let state = project.json(STATE);
    let records = state["environments"].as_object().unwrap().iter();
    records
        .filter_map(|(address, record)| Some((address.clone(), record["env_id"].as_str()?.to_owned())))
        .collect()
}

/// Everything that the receipts hold.
fn receipts(project: &Project) -> String {
    let folder = std::fs::read_dir(project.file(RECEIPTS)).unwrap();
    folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

fn trial((point, visit): (&str, u32)) -> Result<(), String> {
    let scene = Scene::new(&["a", "b", "c", "d", "e"]);
    let project = &scene.project;
    scene.run(&["apply", "-y"]).exits(0);
    let before = ids(project);
    project.declare(&["new", "moved", "c"]);
    project.edit(MANIFEST, "alias: moved", "alias: a");
    project.edit(MANIFEST, "alias: c", "alias: c2");
    let text = project.read(MANIFEST);
    project.write(MANIFEST, text + "moved: [{from: a, to: moved}]\nremoved: [b]\n");
    let ran = scene.run_to(APPLY, &format!("{point}@{visit}"));
    if ran.code.is_some() {
        return Err(format!("it did not die\n{ran}"));
    }
    // An order that may have been made is settled first, as a user is told to.
    let again = scene.run(APPLY);
    if again.code == Some(4) {
        let settled = scene.run(&["resolve", "-y"]);
        if settled.code == Some(4) {
            scene.run(&["resolve", "new", "--not-created", "--force"]).exits(0);
        }
        scene.run(APPLY).exits(0);
    } else if again.code != Some(0) {
        return Err(again.to_string());
    }
    scene.run(&["plan", "--detailed-exitcode", "--allow-destroy"]).exits(0);
    let after = ids(project);
    let now: Vec<&str> = after.keys().map(String::as_str).collect();
    let isolated = ["c", "d", "e", "moved", "new"];
    if now != isolated || after["moved"] != before["a"] || after["c"] != before["c"] {
        return Err(format!("{before:?} became {after:?}"));
    }
    let receipts = receipts(project);
    if let Some(lost) = before.values().find(|id| !receipts.contains(*id)) {
        return Err(format!("{lost} is in no receipt"));
    }
    let calls = read_ledger(&project.file(LEDGER)).unwrap();
    let orders = calls.iter().filter(|call| call.acted).count();
    if orders != 6 {
        return Err(format!("{orders} orders of 6"));
    }
    let given_up = |id: &String| {
        calls
            .iter()
            .any(|call| call.changed && call.action == "DestroyEnv" && call.env_id.as_ref() == Some(id))
    };
    let wrongly: Vec<&String> = before
        .iter()
        .filter(|(address, id)| given_up(id) != ["d", "e"].contains(&address.as_str()))
        .map(|(address, _)| address)
        .collect();
    if wrongly.is_empty() { Ok(()) } else { Err(format!("given up or not, wrongly: {wrongly:?}")) }
}

#[test]
fn a_run_of_everything_that_dies_anywhere_ends_the_same() {
    if !cfg!(debug_assertions) {
        return;
    }
    let started = Instant::now();
    let wrong = Mutex::new(Vec::new());
    let moments = moments();
    let trials = moments.len();
    in_parallel(moments, |moment| {
        if let Err(why) = trial(moment) {
            let (point, visit) = moment;
            let mut wrong = wrong.lock().unwrap();
            wrong.push(format!("dying at {point}@{visit}: {why}"));
        }
    });
    let wrong = wrong.into_inner().unwrap();
    announce(&format!(
        "crash points of a whole life: {trials} trials, {} wrong, {:.1} s",
        wrong.len(),
        started.elapsed().as_secs_f64()
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
