//! SIGKILL at moments that nobody chose.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::announce;
use super::recovery::{Scene, Tally};
use crate::support::{JOURNAL, LEDGER, Running, in_parallel};

const TRIALS: u64 = 100;

/// How many trials: more of them at night (POSTPAY_KILL_TRIALS).
fn trials() -> u64 {
    let asked = std::env::var("POSTPAY_KILL_TRIALS").ok();
    asked.map_or(TRIALS, |trials| trials.parse().expect("POSTPAY_KILL_TRIALS is a number"))
}
const ALIASES: [&str; 4] = ["one", "two", "three", "four"];

/// SplitMix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        let at = self.below(among.len() as u64);
        among[usize::try_from(at).unwrap()]
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// Lets it run for a while, by the clock or by what it has written, and kills it. True when it was not over by then.
fn kill(scene: &Scene, mut running: Running, dice: &mut Dice, horizon: Duration) -> bool {
    if dice.one_in(2) {
        let micros = u64::try_from(horizon.as_micros()).unwrap();
        thread::sleep(Duration::from_micros(dice.below(micros.max(1))));
    } else {
        let file = scene.project.file(dice.pick(&[JOURNAL, LEDGER]));
        let size = |path| std::fs::metadata(path).map_or(0, |file| file.len());
        let grown = size(&file) + dice.below(4000);
        let patience = Instant::now() + horizon;
        while size(&file) < grown && Instant::now() < patience {
            thread::sleep(Duration::from_micros(200));
        }
        thread::sleep(Duration::from_micros(dice.below(3000)));
    }
    running.kill_now()
}

fn trial(dice: &mut Dice, horizon: Duration) -> Result<Tally, String> {
    let call = 1 + dice.below(4);
    let fault = dice.pick(&[
        None,
        None,
        None,
        Some("reset-after"),
        Some("null-env-id"),
        Some("error-after:InternalError"),
        Some("missing-tran-id"),
    ]);
    let mut embedded = vec!["--latency".to_owned(), dice.pick(&["0ms", "5ms", "20ms"]).to_owned()];
    if let Some(fault) = fault {
        embedded.extend(["--fault".to_owned(), format!("{fault}@{call}")]);
    }
    let mut scene = Scene::new(&ALIASES);
    if dice.one_in(3) {
        scene.serve(&embedded);
    } else {
        scene.embed(&embedded);
    }
    if dice.one_in(4) {
        scene.project.declare(&ALIASES[..1]);
        scene.run(&["apply", "-y", "--settle", "2s"]).exits(0);
        scene.project.declare(&ALIASES);
    }
    let in_flight = dice.pick(&["1", "2", "4"]);
    let apply = ["apply", "-y", "--settle", "2s", "--in-flight", in_flight];

    let mut deaths = 0;
    let mut losses = 0;
    deaths += usize::from(kill(&scene, scene.start(&apply), dice, horizon));
    losses += scene.losses_now()?;
    // A recovery can be killed too, and so can the one after it.
    for command in [&apply[..], &["resolve", "-y"]] {
        if dice.one_in(3) {
            deaths += usize::from(kill(&scene, scene.start(command), dice, horizon));
            losses += scene.losses_now()?;
        }
    }
    scene.embed(&[]);
    let mut tally = scene.recover(&ALIASES)?;
    tally.deaths = deaths;
    tally.losses += losses;
    Ok(tally)
}

#[test]
fn killed_at_any_time_nothing_is_ordered_twice_and_nothing_is_lost() {
    let seed = match std::env::var("POSTPAY_CRASH_SEED") {
        Ok(seed) => seed.parse().expect("POSTPAY_CRASH_SEED is a number"),
        Err(_) => SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs(),
    };
    announce(&format!("kills: POSTPAY_CRASH_SEED={seed} deals the same moments again"));
    let started = Instant::now();
    // What a run takes here and now, so that kills fall into all of it.
    let scene = Scene::new(&ALIASES);
    let measured = Instant::now();
    scene.run(&["apply", "-y"]).exits(0);
    let horizon = measured.elapsed().mul_f64(1.5);

    let total = Mutex::new((Tally::default(), Vec::new()));
    in_parallel(0..trials(), |number| {
        let mut dice = Dice(seed.wrapping_add(number.wrapping_mul(0x2545_f491_4f6c_dd1d)));
        let ended = trial(&mut dice, horizon);
        let mut total = total.lock().unwrap();
        let wrong = match ended {
            Ok(tally) => {
                total.0 += tally;
                (tally.duplicates + tally.losses > 0).then(|| format!("{tally:?}"))
            }
            Err(why) => Some(why),
        };
        if let Some(why) = wrong {
            total.1.push(format!("seed {seed}, trial {number}: {why}"));
        }
    });
    let (tally, wrong) = total.into_inner().unwrap();
    announce(&format!(
        "kills: {} trials, {} processes killed, {} orders, {} settled by resolve, {} duplicates, {} losses, {:.1} s",
        tally.trials,
        tally.deaths,
        tally.orders,
        tally.settled,
        tally.duplicates,
        tally.losses,
        started.elapsed().as_secs_f64(),
    ));
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    assert!(tally.deaths * 2 > tally.trials, "most processes are over before they are killed: {tally:?}");
}
