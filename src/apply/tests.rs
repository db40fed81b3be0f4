//! The engine against a scripted cloud and a real store, with tokio's clock held still.

#![allow(
    clippy::result_large_err,
    clippy::unnecessary_wraps,
    reason = "the scripted answers are those of the trait"
)]

mod life;
mod pace;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio::sync::watch;

use super::import::Importable;
use super::*;
use crate::clock::{Clock, SystemClock};
use crate::cloud::{
    Bill, BillOrder, Bills, CloudError, Destroy, Done, Gap, Grade, LOOK_FIRST, Lookup, NotSent, Order,
    Ordered, PayMode, Scope, SeenEnvironment, SeenIds, Update,
};
use crate::kinds::postpay;
use crate::model::{Address, Desired, Environment, Lifecycle, SourceRef};
use crate::plan::guard::{self, CallerIdentity, Consent, Facts, Limits};
use crate::plan::{Options, Plan, Target};
use crate::state::faulty::{Op, faulty};
use crate::state::file::FileStore;
use crate::state::journal::{EndReason, Evidence, Intent, Outcome as Line, RunEnded};
use crate::state::{Account, Holder, IoOp, StateError, StateStore, Writer, read, verify};

type Answer = Result<Ordered, CloudError>;

const HALF: Duration = Duration::from_millis(500);
/// The spacing of starts at 2 per second.
const SPACED: Duration = Duration::from_micros(514_500);

fn desired(names: &[&str]) -> Desired {
    let environments = names
        .iter()
        .zip(1..)
        .map(|(name, line)| Environment {
            address: Address::new(name).unwrap(),
            attributes: [(postpay::ALIAS, (*name).to_owned())].into_iter().collect(),
            lifecycle: Lifecycle::default(),
            import: None,
            source: SourceRef { file: "a.yaml".to_owned(), line },
        })
        .collect();
    Desired { environments, ..Desired::default() }
}

fn account() -> Account {
    Account { endpoint: "sandbox".to_owned(), uin: None }
}

fn target() -> Target {
    Target {
        account: account(),
        endpoint: "sandbox".to_owned(),
        region: None,
        state_path: "state/postpay.state.json".to_owned(),
    }
}

fn approved(desired: &Desired, state: Option<&State>) -> Approved {
    approved_with(Options::default(), desired, state)
}

fn approved_with(options: Options, desired: &Desired, state: Option<&State>) -> Approved {
    let plan = Plan::make(desired, state, options, target(), SystemClock.now()).unwrap();
    let target = target();
    let facts = Facts {
        state,
        target: &target,
        allowed_accounts: &[],
        remade: None,
        manifests: &[],
        used_by: None,
        orders_last_day: 0,
        limits: Limits::default(),
        allow_destroy: true,
    };
    let checked = guard::check(plan, &facts).unwrap().in_account(CallerIdentity::Waived).unwrap();
    checked.approve(Consent::Auto).unwrap()
}

fn settings() -> Settings {
    Settings {
        rate: 2.0,
        in_flight: 4,
        on_error: OnError::Stop,
        retry_for: Duration::from_secs(30),
        deadline: None,
        settle: Duration::from_secs(60),
        settle_refused: Duration::ZERO,
        allow_same_alias: false,
        accept_missing_rows: None,
    }
}

fn ordered(name: &str) -> Answer {
    Ok(Ordered {
        tran_id: Some(format!("tran-{name}")),
        env_id: Some(format!("{name}-1")),
        request_id: Some(format!("request-{name}")),
    })
}

fn error(grade: Grade) -> Answer {
    Err(CloudError {
        grade,
        code: Some("Code".to_owned()),
        message: "message".into(),
        request_id: Some("request".to_owned()),
        http_status: Some(200),
        seen: SeenIds::default(),
        body: None,
        hint: None,
    })
}

/// An environment that an order makes all the same, whatever it answers.
#[derive(Clone)]
struct Made {
    env_id: &'static str,
    alias: &'static str,
    tran_id: &'static str,
    /// How long the account takes to show it.
    hidden: Duration,
}

impl Made {
    const fn new(env_id: &'static str, alias: &'static str) -> Self {
        Self { env_id, alias, tran_id: "777", hidden: Duration::ZERO }
    }
}

/// Gives scripted answers after `latency`; a create without one succeeds.
struct Scripted {
    answers: Mutex<HashMap<String, VecDeque<Answer>>>,
    /// What the first order of a name makes.
    effects: Mutex<HashMap<String, Vec<Made>>>,
    /// What the account shows, and from when on.
    account: Mutex<Vec<(Instant, Made)>>,
    latency: Duration,
    calls: Mutex<Vec<(String, Instant)>>,
    looks: Mutex<Vec<Instant>>,
    /// Whether destroyed environments are shown as before.
    keeps: AtomicBool,
    /// Whether the list loses destroyed environments, which are still shown by their id.
    slips: AtomicBool,
    /// What every listing lacks.
    gaps: Mutex<Vec<Gap>>,
    /// How long a key is got for, and what comes of it, each time that none is at hand.
    keys: tokio::sync::Mutex<VecDeque<(Duration, Result<(), CloudError>)>>,
    /// Which creates are throttled, besides the scripted ones.
    gateway: Option<Mutex<pace::Gateway>>,
    /// Where to look whether the intent is on disk when the request arrives.
    store: FileStore,
}

impl Scripted {
    fn keeps_destroyed(&self) {
        self.keeps.store(true, Ordering::Relaxed);
    }

    fn names(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|(name, _)| name.clone()).collect()
    }

    fn gaps(&self) -> Vec<Duration> {
        let calls = self.calls.lock().unwrap();
        calls.windows(2).map(|pair| pair[1].1 - pair[0].1).collect()
    }

    fn shown(&self) -> Vec<Made> {
        let account = self.account.lock().unwrap();
        let now = Instant::now();
        account.iter().filter(|(from, _)| *from <= now).map(|(_, made)| made.clone()).collect()
    }
}

impl CloudWrite for Scripted {
    async fn ready(&self) -> Result<(), CloudError> {
        // Whoever comes while one is got waits for that one.
        let mut keys = self.keys.lock().await;
        match keys.front().cloned() {
            Some((takes, key)) => {
                tokio::time::sleep(takes).await;
                keys.pop_front();
                key
            }
            None => Ok(()),
        }
    }

    async fn create(&self, Order { attributes: order, .. }: &Order) -> Answer {
        // As the real one does, which signs with it.
        self.ready().await?;
        let name = order.text(postpay::ALIAS).unwrap().to_owned();
        let open = read(&self.store).unwrap().current().unwrap();
        let record = open.get(&Address::new(&name).unwrap()).unwrap();
        assert_eq!(record.status, Status::Unknown, "an intent is on disk before {name} is sent");
        self.calls.lock().unwrap().push((name.clone(), Instant::now()));
        if let Some(gateway) = &self.gateway
            && !gateway.lock().unwrap().admits(Instant::now())
        {
            tokio::time::sleep(self.latency).await;
            return error(Grade::NotSent(NotSent::Throttled));
        }
        for made in self.effects.lock().unwrap().remove(&name).unwrap_or_default() {
            self.account.lock().unwrap().push((Instant::now() + made.hidden, made));
        }
        tokio::time::sleep(self.latency).await;
        let scripted = self.answers.lock().unwrap().get_mut(&name).and_then(VecDeque::pop_front);
        scripted.unwrap_or_else(|| ordered(&name))
    }

    async fn update(&self, Update { env_id, value, .. }: &Update) -> Result<Done, CloudError> {
        let alias = value.to_string();
        self.change(&format!("{env_id} -> {alias}"), |made| {
            made.iter_mut()
                .filter(|(_, made)| made.env_id == env_id)
                .for_each(|(_, made)| made.alias = alias.clone().leak());
        })
    }

    async fn destroy(&self, Destroy { env_id, .. }: &Destroy) -> Result<Done, CloudError> {
        self.change(&format!("{env_id} -> nothing"), |made| {
            made.retain(|(_, made)| made.env_id != env_id || self.keeps.load(Ordering::Relaxed));
        })
    }
}

impl Scripted {
    /// Does it unless it is scripted to be refused, and answers as it is scripted to.
    fn change(&self, name: &str, change: impl FnOnce(&mut Vec<(Instant, Made)>)) -> Result<Done, CloudError> {
        self.calls.lock().unwrap().push((name.to_owned(), Instant::now()));
        let scripted = self.answers.lock().unwrap().get_mut(name).and_then(VecDeque::pop_front);
        let acts = match &scripted {
            None | Some(Ok(_)) => true,
            Some(Err(error)) => error.grade == Grade::Unknown,
        };
        if acts {
            change(&mut self.account.lock().unwrap());
        }
        match scripted {
            Some(Err(error)) => Err(error),
            Some(Ok(_)) | None => Ok(Done { request_id: Some(format!("request-{name}")) }),
        }
    }
}

impl CloudRead for Scripted {
    async fn listing(&self) -> Result<Listing, CloudError> {
        self.looks.lock().unwrap().push(Instant::now());
        let created_at = SystemClock.now().strftime("%F %T").to_string();
        let show = |made: Made| SeenEnvironment {
            env_id: made.env_id.to_owned(),
            alias: Some(made.alias.to_owned()),
            created_at: Some(created_at.clone()),
            pay_mode: Some("postpaid".to_owned()),
            ..SeenEnvironment::default()
        };
        let asked = self.names();
        let is_lost = |made: &Made| {
            self.slips.load(Ordering::Relaxed) && asked.contains(&format!("{} -> nothing", made.env_id))
        };
        let listed = self.shown().into_iter().filter(|made| !is_lost(made));
        Ok(Listing { environments: listed.map(show).collect(), gaps: self.gaps.lock().unwrap().clone() })
    }

    async fn lookup(&self, env_ids: &[String]) -> Result<Vec<Lookup>, CloudError> {
        let shown = self.shown();
        let one = |env_id: &String| {
            let is_there = shown.iter().any(|made| made.env_id == env_id);
            let environment = SeenEnvironment { env_id: env_id.clone(), ..SeenEnvironment::default() };
            is_there.then(|| Lookup::Found(Box::new(environment)))
        };
        let named = env_ids.iter().map(one);
        Ok(named.map(|named| named.unwrap_or(Lookup::Absent)).collect())
    }

    async fn bills(&self, env_ids: &[String]) -> Result<Bills, CloudError> {
        let created_at = SystemClock.now().strftime("%F %T").to_string();
        let bill = |made: Made| Bill {
            env_id: made.env_id.to_owned(),
            pay_mode: Some(PayMode::Postpaid),
            order: Some(BillOrder {
                tran_id: made.tran_id.to_owned(),
                created_at: Some(created_at.clone()),
                ..BillOrder::default()
            }),
            ..Bill::default()
        };
        let asked = |made: &Made| env_ids.iter().any(|id| id == made.env_id);
        Ok(Bills { shown: self.shown().into_iter().filter(asked).map(bill).collect(), incomplete: false })
    }
}

struct Bench {
    folder: tempfile::TempDir,
    cloud: Arc<Scripted>,
    heard: Vec<String>,
    stop: Option<watch::Sender<bool>>,
    /// What is heard when a user presses Ctrl-C.
    stop_at: &'static str,
}

impl Bench {
    fn new(latency: Duration, answers: &[(&str, Vec<Answer>)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().join("postpay.state.json"));
        let answers = answers.iter().map(|(name, answers)| ((*name).to_owned(), answers.clone().into()));
        let cloud = Scripted {
            answers: Mutex::new(answers.collect()),
            effects: Mutex::default(),
            account: Mutex::default(),
            latency,
            calls: Mutex::default(),
            looks: Mutex::default(),
            keeps: AtomicBool::new(false),
            slips: AtomicBool::new(false),
            gaps: Mutex::default(),
            keys: tokio::sync::Mutex::default(),
            gateway: None,
            store,
        };
        Self { folder, cloud: Arc::new(cloud), heard: Vec::new(), stop: None, stop_at: "sending interrupt 1" }
    }

    /// Lets the first order of `name` make something, whatever it answers.
    fn makes(self, name: &str, made: &[Made]) -> Self {
        self.cloud.effects.lock().unwrap().insert(name.to_owned(), made.to_vec());
        self
    }

    fn store(&self) -> &FileStore {
        &self.cloud.store
    }

    fn lock(&self) -> Writer {
        let holder =
            Holder { who: "a@b".to_owned(), pid: 1, since: SystemClock.now(), doing: "test".to_owned() };
        Writer::open(self.store(), &holder, Duration::ZERO).unwrap()
    }

    async fn apply(&mut self, names: &[&str], settings: &Settings) -> ApplySummary {
        let mut writer = self.lock();
        self.apply_with(names, settings, &mut writer).await
    }

    async fn apply_with(&mut self, names: &[&str], settings: &Settings, writer: &mut Writer) -> ApplySummary {
        let approved = approved(&desired(names), writer.state());
        self.carry_out(&approved, BTreeMap::new(), settings, writer).await
    }

    async fn carry_out(
        &mut self,
        approved: &Approved,
        imports: BTreeMap<Address, Importable>,
        settings: &Settings,
        writer: &mut Writer,
    ) -> ApplySummary {
        let (sender, stop) = watch::channel(false);
        self.stop = Some(sender);
        let heard = &mut self.heard;
        let (sender, stop_at) = (self.stop.as_ref().unwrap(), self.stop_at);
        let parts = Parts {
            cloud: Arc::clone(&self.cloud),
            writer,
            clock: &SystemClock,
            operator: Operator { who: "a@b".to_owned(), pid: 1 },
            commit: None,
            imports,
            known_ids: BTreeSet::new(),
            last_sent: None,
            stop,
            observe: &mut |progress| {
                let line = match progress {
                    Progress::Started { .. } => "started".to_owned(),
                    Progress::Sending { step, attempt, .. } => {
                        format!("sending {} {attempt}", step.address)
                    }
                    Progress::Retrying { step, .. } => format!("retrying {}", step.address),
                    Progress::Looking { open, .. } => format!("looking for {open}"),
                    Progress::Waiting { open, .. } => format!("waiting for {open}"),
                    Progress::Ready { address, .. } => format!("{address} is ready"),
                    Progress::Found { address, env_id, .. } => format!("found {address} {env_id}"),
                    Progress::Ended(result) => format!("ended {}", result.address),
                    Progress::Stopping { reason, under_way, .. } => {
                        format!("stopping {reason:?} {under_way}")
                    }
                };
                if line == stop_at {
                    sender.send(true).unwrap();
                }
                heard.push(line);
            },
        };
        run(approved, settings, parts).await.unwrap()
    }
}

fn outcomes(report: &ApplySummary) -> Vec<&'static str> {
    let word = |result: &StepResult| match &result.outcome {
        Outcome::Ordered { .. } => "ordered",
        Outcome::Failed(_) => "failed",
        Outcome::Unknown(_) => "unknown",
        Outcome::Done(_) => "done",
        Outcome::Recorded => "recorded",
        Outcome::NotAttempted => "not attempted",
    };
    report.results.iter().map(word).collect()
}

#[tokio::test(start_paused = true)]
async fn creates_start_in_declared_order_half_a_second_apart_at_any_latency() {
    for latency in [0, 300, 1000, 1900] {
        let latency = Duration::from_millis(latency);
        let mut bench = Bench::new(latency, &[]);
        let report = bench.apply(&["e", "d", "c", "b", "a"], &settings()).await;
        assert_eq!(report.verdict(), Verdict::Complete);
        assert_eq!(bench.cloud.names(), ["e", "d", "c", "b", "a"]);
        for gap in bench.cloud.gaps() {
            let spaced = Duration::from_millis(514)..=Duration::from_millis(516);
            assert!(spaced.contains(&gap), "{gap:?} at {latency:?}");
        }
        let ideal = HALF * 4 + latency;
        assert!(report.took >= ideal && report.took < ideal.mul_f64(1.03), "{:?}", report.took);
        let state = report.state.unwrap();
        assert_eq!(state.environments.len(), 5);
        assert!(state.environments.values().all(|record| record.status == Status::Created));
        assert_eq!(read(bench.store()).unwrap().state, Some(state));
    }
}

#[tokio::test(start_paused = true)]
async fn at_most_in_flight_calls_are_in_progress() {
    let mut bench = Bench::new(Duration::from_secs(4), &[]);
    let one = Settings { in_flight: 1, ..settings() };
    bench.apply(&["a", "b", "c"], &one).await;
    for gap in bench.cloud.gaps() {
        assert!(gap >= Duration::from_secs(4), "{gap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_stops_the_run_and_is_never_sent_again() {
    let unknown = ("b", vec![error(Grade::Unknown)]);
    let mut bench = Bench::new(Duration::ZERO, &[unknown]);
    let on = Settings { on_error: OnError::Continue, ..settings() };
    let report = bench.apply(&["a", "b", "c", "d"], &on).await;
    assert_eq!(outcomes(&report), ["ordered", "unknown", "not attempted", "not attempted"]);
    assert_eq!((report.verdict(), report.ended), (Verdict::Unknown, EndReason::Unknown));

    let report = bench.apply(&["a", "b", "c", "d"], &settings()).await;
    assert_eq!(outcomes(&report), ["ordered", "ordered"], "c and d; b is not in the plan's orders");
    assert_eq!(report.verdict(), Verdict::Unknown, "b still is");
    assert_eq!(bench.cloud.names(), ["a", "b", "c", "d"]);
    let state = report.state.unwrap();
    let b = state.get(&Address::new("b").unwrap()).unwrap();
    assert_eq!(b.status, Status::Unknown);
}

/// Between an intent and its slot there is a moment. What is learnt in it counts.
#[tokio::test(start_paused = true)]
async fn an_answer_just_before_a_slot_may_withdraw_the_next_request() {
    let just_before = SPACED.saturating_sub(LEAD / 2);
    let unknown = ("b", vec![error(Grade::Unknown)]);
    let mut bench = Bench::new(just_before, &[unknown]);
    let report = bench.apply(&["a", "b", "c", "d"], &settings()).await;
    assert_eq!(outcomes(&report), ["ordered", "unknown", "not attempted", "not attempted"]);
    assert_eq!(bench.cloud.names(), ["a", "b"]);
    assert_eq!(report.results[2].attempts, 0);
    let state = report.state.unwrap();
    assert!(state.get(&Address::new("c").unwrap()).is_none(), "its intent was taken back: {state:?}");

    let throttled = ("a", vec![error(Grade::NotSent(NotSent::Throttled))]);
    let mut bench = Bench::new(just_before, &[throttled]);
    let report = bench.apply(&["a", "b"], &settings()).await;
    assert_eq!(report.verdict(), Verdict::Complete);
    assert_eq!(bench.cloud.names(), ["a", "a", "b"]);
    let attempts = report.results.iter().map(|result| result.attempts);
    assert_eq!(attempts.collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test(start_paused = true)]
async fn calls_in_progress_are_recorded_after_an_unknown_outcome() {
    let unknown = ("a", vec![error(Grade::Unknown)]);
    let mut bench = Bench::new(Duration::from_millis(1200), &[unknown]);
    let report = bench.apply(&["a", "b", "c", "d", "e"], &settings()).await;
    assert_eq!(outcomes(&report), ["unknown", "ordered", "ordered", "not attempted", "not attempted"]);
    assert!(bench.heard.contains(&"stopping Unknown 2".to_owned()), "{:?}", bench.heard);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_create_is_retried_before_the_next_one_and_slows_the_pace() {
    let throttled = error(Grade::NotSent(NotSent::Throttled));
    let mut bench = Bench::new(Duration::ZERO, &[("a", vec![throttled.clone(), throttled])]);
    let report = bench.apply(&["a", "b"], &settings()).await;
    assert_eq!(report.verdict(), Verdict::Complete);
    assert_eq!(bench.cloud.names(), ["a", "a", "a", "b"]);
    assert_eq!(report.results[0].attempts, 3);
    let gaps = bench.cloud.gaps();
    assert!(gaps[0] >= Duration::from_secs(1) && gaps[1] >= Duration::from_secs(2), "{gaps:?}");
    let slower = Duration::from_millis(520)..Duration::from_millis(530);
    assert!(slower.contains(&gaps[2]), "one congestion: {gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn only_calls_that_are_throttled_twice_in_a_row_back_off() {
    let throttled = error(Grade::NotSent(NotSent::Throttled));
    let connect = error(Grade::NotSent(NotSent::Connect));
    let answers = vec![connect.clone(), throttled.clone(), connect, throttled];
    let mut bench = Bench::new(Duration::ZERO, &[("a", answers)]);
    let report = bench.apply(&["a"], &settings()).await;
    assert_eq!(report.verdict(), Verdict::Complete);
    let gaps = bench.cloud.gaps();
    let window = Duration::from_secs(1)..Duration::from_millis(1100);
    assert!(window.contains(&gaps[1]), "{gaps:?}");
    assert!(window.contains(&gaps[3]), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn the_summary_has_the_times_and_kinds_of_all_calls() {
    let throttled = error(Grade::NotSent(NotSent::Throttled));
    let slow = Duration::from_secs(3);
    let mut bench = Bench::new(slow, &[("b", vec![throttled])]);
    let report = bench.apply(&["a", "b"], &settings()).await;
    let calls = |at: usize| report.results[at].calls.as_slice();
    let kinds = |at: usize| calls(at).iter().map(|call| call.kind).collect::<Vec<_>>();
    assert_eq!(kinds(0), [CallKind::Taken]);
    assert_eq!(kinds(1), [CallKind::Throttled, CallKind::Taken]);
    for call in calls(0).iter().chain(calls(1)) {
        assert_eq!(call.answered, call.sent + slow);
    }
    let (first, turned_away, again) = (calls(0)[0], calls(1)[0], calls(1)[1]);
    assert!(turned_away.sent >= first.sent + HALF, "{turned_away:?}");
    assert!(again.sent >= turned_away.answered, "{again:?}");
    assert!(report.took >= again.answered, "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_create_that_is_never_sent_fails_within_retry_for() {
    let refused_connection = vec![error(Grade::NotSent(NotSent::Connect)); 50];
    let mut bench = Bench::new(Duration::ZERO, &[("a", refused_connection)]);
    let brief = Settings { retry_for: Duration::from_secs(3), ..settings() };
    let report = bench.apply(&["a", "b"], &brief).await;
    assert_eq!(outcomes(&report), ["failed", "not attempted"]);
    assert_eq!(report.verdict(), Verdict::Failed);
    assert!(report.took <= Duration::from_secs(3));
    assert!(report.state.unwrap().environments.is_empty());
    assert!(bench.cloud.names().len() > 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_stops_by_on_error_and_one_of_the_run_always_stops() {
    let refusal = |scope| ("a", vec![error(Grade::Refused(scope))]);
    let on = Settings { on_error: OnError::Continue, ..settings() };
    for (scope, settings, expected, verdict) in [
        (Scope::Step, settings(), ["failed", "not attempted"], Verdict::Failed),
        (Scope::Step, on.clone(), ["failed", "ordered"], Verdict::PartWay),
        (Scope::Run, on, ["failed", "not attempted"], Verdict::Failed),
    ] {
        let mut bench = Bench::new(Duration::ZERO, &[refusal(scope)]);
        let report = bench.apply(&["a", "b"], &settings).await;
        assert_eq!(outcomes(&report), expected, "{scope:?}");
        assert_eq!(report.verdict(), verdict);
        assert_eq!(bench.cloud.names().iter().filter(|name| *name == "a").count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_starts_nothing_more_and_waits_for_calls_in_progress() {
    let mut bench = Bench::new(Duration::from_secs(1), &[]);
    let report = bench.apply(&["a", "interrupt", "c", "d"], &settings()).await;
    assert_eq!(outcomes(&report), ["ordered", "ordered", "not attempted", "not attempted"]);
    assert_eq!((report.verdict(), report.ended), (Verdict::PartWay, EndReason::Interrupted));
    assert!(bench.heard.contains(&"stopping Interrupted 2".to_owned()), "{:?}", bench.heard);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_started_after_the_deadline() {
    for (deadline, started) in [
        (Duration::ZERO, 0),
        (Duration::from_nanos(1), 1),
        // The second slot, and a moment after its intent could have been written.
        (HALF, 1),
        (HALF.saturating_sub(LEAD / 2), 1),
        (Duration::from_millis(700), 2),
        (Duration::MAX, 3),
    ] {
        let mut bench = Bench::new(Duration::from_secs(1), &[]);
        let soon = Settings { deadline: Some(deadline), ..settings() };
        let report = bench.apply(&["a", "b", "c"], &soon).await;
        let counts = report.counts();
        assert_eq!((counts.ordered, counts.not_attempted), (started, 3 - started), "{deadline:?}");
        let ended = if started == 3 {
            (Verdict::Complete, EndReason::Finished)
        } else {
            (Verdict::PartWay, EndReason::Deadline)
        };
        assert_eq!((report.verdict(), report.ended), ended);
    }
}

#[tokio::test]
async fn a_deadline_of_zero_starts_nothing_with_the_real_clock() {
    let mut bench = Bench::new(Duration::ZERO, &[]);
    let at_once = Settings { deadline: Some(Duration::ZERO), ..settings() };
    let report = bench.apply(&["a"], &at_once).await;
    assert_eq!(outcomes(&report), ["not attempted"]);
    assert!(bench.cloud.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_create_without_an_env_id_is_awaiting_it() {
    let answer = Ok(Ordered { tran_id: Some("1".to_owned()), env_id: None, request_id: None });
    let mut bench = Bench::new(Duration::ZERO, &[("a", vec![answer])]);
    let report = bench.apply(&["a"], &settings()).await;
    assert_eq!(report.verdict(), Verdict::Complete);
    assert_eq!(report.counts().awaiting_env_id, 1);
    let state = report.state.unwrap();
    let record = state.environments.values().next().unwrap();
    assert_eq!((record.status, record.tran_id.as_deref()), (Status::AwaitingEnvId, Some("1")));
}

#[tokio::test(start_paused = true)]
async fn ids_of_an_unknown_outcome_are_recorded() {
    let Err(seen) = error(Grade::Unknown) else { unreachable!() };
    let ids = SeenIds { tran_id: Some("1".to_owned()), env_id: Some("e".to_owned()) };
    let answer = Err(CloudError { seen: ids, ..seen });
    let mut bench = Bench::new(Duration::ZERO, &[("a", vec![answer])]);
    let state = bench.apply(&["a"], &settings()).await.state.unwrap();
    let record = state.environments.values().next().unwrap();
    assert_eq!(record.status, Status::Unknown);
    assert_eq!((record.tran_id.as_deref(), record.env_id.as_deref()), (Some("1"), Some("e")));
}

#[tokio::test(start_paused = true)]
async fn every_attempt_has_an_intent_and_an_outcome_in_the_receipt() {
    let throttled = error(Grade::NotSent(NotSent::Throttled));
    let mut bench = Bench::new(Duration::ZERO, &[("a", vec![throttled])]);
    bench.apply(&["a", "b"], &settings()).await;
    let receipts = bench.store().receipts().unwrap();
    let journal = bench.store().receipt(&receipts[0]).unwrap();
    let lines: Vec<String> = journal
        .entries
        .iter()
        .map(|entry| match &entry.event {
            Event::Intent(Intent { step, attempt, .. }) => format!("intent {step}.{attempt}"),
            Event::Outcome(Line { step, attempt, evidence, .. }) => {
                let word = match evidence {
                    Evidence::Ordered => "ordered",
                    Evidence::NotSent => "not sent",
                    Evidence::Done => "done",
                    Evidence::Refused | Evidence::Unknown => "other",
                };
                format!("outcome {step}.{attempt} {word}")
            }
            Event::RunEnded(RunEnded { reason }) => format!("ended {reason:?}"),
            Event::Listed(_) => "listed".to_owned(),
            Event::Edited(_) | Event::Recovered(_) => "other".to_owned(),
        })
        .collect();
    assert_eq!(
        lines,
        [
            "listed",
            "intent 1.1",
            "outcome 1.1 not sent",
            "intent 1.2",
            "outcome 1.2 ordered",
            "intent 2.1",
            "outcome 2.1 ordered",
            "ended Finished",
        ]
    );
}

/// A writer whose disk is full after so many lines.
fn full_after(lines: u64, writer: Writer) -> Writer {
    faulty(writer, move |op| match op {
        Op::Append(seq) if seq > lines => {
            Some(IoOp::Write.failed(Path::new("journal"))(std::io::ErrorKind::StorageFull.into()))
        }
        Op::Append(_) | Op::Appended(_) | Op::Read | Op::Renew => None,
    })
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_stops_the_run_before_anything_unrecorded_is_sent() {
    // Room for the start, the list, an intent and its outcome: the second intent does not fit, so it is not sent.
    let mut bench = Bench::new(Duration::ZERO, &[]);
    let mut full = full_after(4, bench.lock());
    let report = bench.apply_with(&["a", "b", "c"], &settings(), &mut full).await;
    assert_eq!(outcomes(&report), ["ordered", "not attempted", "not attempted"]);
    assert_eq!(bench.cloud.names(), ["a"]);
    assert!(report.trouble.is_some() && report.unwritten.is_empty());
    assert_eq!(report.verdict(), Verdict::PartWay);
    drop(full);
    // The next writer finds the journal and loses nothing.
    let state = bench.lock().state().cloned().unwrap();
    assert_eq!(state.environments.values().next().unwrap().status, Status::Created);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_can_not_be_written_is_unknown() {
    let mut bench = Bench::new(Duration::ZERO, &[]);
    let mut full = full_after(3, bench.lock());
    let report = bench.apply_with(&["a", "b"], &settings(), &mut full).await;
    let unwritten = &report.unwritten[0];
    assert_eq!(report.unwritten.len(), 1);
    assert_eq!(Some(unwritten.run), report.run);
    assert_eq!(unwritten.outcome.address, Address::new("a").unwrap());
    assert_eq!(unwritten.outcome.tran_id.as_deref(), Some("tran-a"));
    assert_eq!(report.verdict(), Verdict::Unknown);
    assert_eq!(bench.cloud.names(), ["a"]);
    drop(full);
    let state = bench.lock().state().cloned().unwrap();
    assert_eq!(state.environments.values().next().unwrap().status, Status::Unknown);
    assert!(bench.folder.path().join("receipts").is_dir());
}

/// The answer to `b` is lost.
fn lost() -> [(&'static str, Vec<Answer>); 1] {
    [("b", vec![error(Grade::Unknown)])]
}

fn status_of(report: &ApplySummary, name: &str) -> Status {
    report.state.as_ref().unwrap().get(&Address::new(name).unwrap()).unwrap().status
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_read_back_and_the_run_goes_on() {
    let made = Made { hidden: Duration::from_secs(5), ..Made::new("b-1", "b") };
    let mut bench = Bench::new(Duration::ZERO, &lost()).makes("b", &[made]);
    let report = bench.apply(&["a", "b", "c"], &settings()).await;
    assert_eq!(outcomes(&report), ["ordered", "ordered", "ordered"]);
    assert_eq!((report.verdict(), report.ended), (Verdict::Complete, EndReason::Finished));
    assert_eq!(bench.cloud.names(), ["a", "b", "c"], "each once");
    assert!(bench.heard.contains(&"found b b-1".to_owned()), "{:?}", bench.heard);
    let Outcome::Ordered { ordered, read_back, .. } = &report.results[1].outcome else { panic!() };
    assert!(read_back);
    assert_eq!((ordered.tran_id.as_deref(), ordered.env_id.as_deref()), (Some("777"), Some("b-1")));
    assert_eq!(status_of(&report, "b"), Status::Created);
    // What was read back is in the state: the next run has nothing to do.
    let state = bench.lock().state().cloned().unwrap();
    assert_eq!(state.environments.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn looks_are_repeated_with_growing_pauses_until_the_time_is_over() {
    let mut bench = Bench::new(Duration::ZERO, &lost());
    let report = bench.apply(&["b", "c"], &settings()).await;
    assert_eq!(outcomes(&report), ["unknown", "not attempted"]);
    assert_eq!(report.verdict(), Verdict::Unknown);
    let looks = bench.cloud.looks.lock().unwrap().clone();
    // The first is the list from before the run.
    let pauses: Vec<u64> = looks[1..].windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 10, 10, 10, 10, 5]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_adopted_unless_exactly_one_new_environment_fits() {
    let old = Made { hidden: Duration::ZERO, ..Made::new("b-0", "b") };
    for (made, why) in [
        (vec![Made::new("b-1", "b"), Made::new("b-2", "b")], "two fit"),
        (vec![Made::new("x-1", "x")], "another alias"),
        (vec![], "nothing is there"),
    ] {
        let mut bench = Bench::new(Duration::ZERO, &lost()).makes("b", &made);
        let report = bench.apply(&["b", "c"], &settings()).await;
        assert_eq!(outcomes(&report), ["unknown", "not attempted"], "{why}");
        assert_eq!(status_of(&report, "b"), Status::Unknown, "{why}");
    }
    // One that was there before the run can't be the run's.
    let mut bench = Bench::new(Duration::ZERO, &lost());
    bench.cloud.account.lock().unwrap().push((Instant::now(), old));
    let report = bench
        .apply(&["b"], &Settings { allow_same_alias: true, accept_missing_rows: None, ..settings() })
        .await;
    assert_eq!(outcomes(&report), ["unknown"]);
}

#[tokio::test(start_paused = true)]
async fn two_lost_orders_do_not_share_one_environment() {
    let answers = [("a", vec![error(Grade::Unknown)]), ("a2", vec![error(Grade::Unknown)])];
    // Its id begins with both aliases, and it shows none.
    let made = Made::new("a-123456", "");
    let mut bench = Bench::new(Duration::from_secs(1), &answers).makes("a", &[made]);
    let report = bench.apply(&["a", "a2"], &settings()).await;
    assert_eq!(outcomes(&report), ["ordered", "unknown"]);
}

#[tokio::test(start_paused = true)]
async fn a_missing_env_id_is_found_by_the_order_number() {
    let answer = Ok(Ordered { tran_id: Some("777".to_owned()), env_id: None, request_id: None });
    let made = Made { hidden: Duration::from_secs(3), ..Made::new("named-otherwise", "我的") };
    let mut bench = Bench::new(Duration::ZERO, &[("a", vec![answer])]).makes("a", &[made]);
    let report = bench.apply(&["a"], &settings()).await;
    assert_eq!(report.verdict(), Verdict::Complete);
    let record = report.state.unwrap().environments.into_values().next().unwrap();
    assert_eq!((record.status, record.env_id.as_deref()), (Status::Created, Some("named-otherwise")));
}

#[tokio::test(start_paused = true)]
async fn a_later_run_finds_what_an_earlier_one_waited_for() {
    let answer = Ok(Ordered { tran_id: Some("777".to_owned()), env_id: None, request_id: None });
    let made = Made { hidden: Duration::from_secs(600), ..Made::new("a-1", "a") };
    let mut bench = Bench::new(Duration::ZERO, &[("a", vec![answer])]).makes("a", &[made]);
    let first = bench.apply(&["a"], &settings()).await;
    assert_eq!(first.counts().awaiting_env_id, 1);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let second = bench.apply(&["a"], &settings()).await;
    assert_eq!(second.found, [(Address::new("a").unwrap(), "a-1".to_owned())]);
    assert_eq!(status_of(&second, "a"), Status::Created);
    assert_eq!(bench.cloud.names(), ["a"], "nothing was ordered for it");
}

/// An order that is answered with this, and makes `made` all the same; looked for as by default.
async fn with_left_behind(answers: Vec<Answer>, made: &[Made]) -> (Bench, ApplySummary, Duration) {
    let mut bench = Bench::new(Duration::ZERO, &[("b", answers)]).makes("b", made);
    let patient = Settings { settle_refused: Duration::from_secs(10), ..settings() };
    let started = Instant::now();
    let report = bench.apply(&["b"], &patient).await;
    (bench, report, started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn environments_of_refused_creates_are_looked_for_to_the_end_of_the_time() {
    let refused = || vec![error(Grade::Refused(Scope::Step))];
    let shown_after = |seconds| Made { hidden: Duration::from_secs(seconds), ..Made::new("b-1", "b") };
    for seconds in [0, 1, 8, 10] {
        let (_bench, report, _) = with_left_behind(refused(), &[shown_after(seconds)]).await;
        assert_eq!(outcomes(&report), ["unknown"], "{seconds}");
        assert_eq!(report.results[0].left_behind.as_deref(), Some("b-1"));
        let Outcome::Unknown(error) = &report.results[0].outcome else { panic!() };
        assert_eq!(error.hint, Some(LOOK_FIRST), "the code's own says to try again");
        assert_eq!((report.verdict(), status_of(&report, "b")), (Verdict::Unknown, Status::Unknown));
    }
    let (_bench, report, took) = with_left_behind(refused(), &[shown_after(11)]).await;
    assert_eq!(outcomes(&report), ["failed"]);
    assert_eq!(took.as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn what_the_gateway_rejected_is_not_looked_for() {
    for (code, looked) in [
        ("AuthFailure.SecretIdNotFound", 0),
        ("AuthFailure.Other", 0),
        ("InvalidAction", 0),
        ("IpNotInWhitelist", 0),
        ("InvalidParameter", 10),
        ("UnauthorizedOperation", 10),
    ] {
        let rejected =
            CloudError { code: Some(code.to_owned()), ..error(Grade::Refused(Scope::Run)).unwrap_err() };
        let (_bench, report, took) = with_left_behind(vec![Err(rejected)], &[]).await;
        assert_eq!(outcomes(&report), ["failed"], "{code}");
        assert_eq!(took.as_secs(), looked, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn refused_and_throttled_creates_share_one_read_back() {
    let refused = || vec![error(Grade::Refused(Scope::Step))];
    let throttled = vec![error(Grade::NotSent(NotSent::Throttled))];
    let answers = [("a", refused()), ("b", throttled), ("c", refused())];
    let mut bench = Bench::new(Duration::ZERO, &answers);
    let patient =
        Settings { settle_refused: Duration::from_secs(10), on_error: OnError::Continue, ..settings() };
    bench.apply(&["a", "b", "c", "d"], &patient).await;
    let last = bench.cloud.calls.lock().unwrap().last().unwrap().1;
    let looks = bench.cloud.looks.lock().unwrap();
    let looks = looks.iter().filter(|look| **look >= last);
    let looks: Vec<u64> = looks.map(|look| (*look - last).as_secs()).collect();
    assert_eq!(looks, [0, 1, 3, 7, 10]);
    assert!(bench.heard.contains(&"looking for 3".to_owned()), "{:?}", bench.heard);
}

#[tokio::test(start_paused = true)]
async fn a_second_environment_of_a_throttled_create_is_reported() {
    let throttled = || error(Grade::NotSent(NotSent::Throttled));
    let surplus = Made { hidden: Duration::from_secs(5), ..Made::new("b-2", "b") };
    let (_bench, report, took) = with_left_behind(vec![throttled()], std::slice::from_ref(&surplus)).await;
    assert_eq!(outcomes(&report), ["ordered"]);
    assert_eq!(report.results[0].left_behind.as_deref(), Some("b-2"));
    assert_eq!(report.verdict(), Verdict::Unknown);
    assert_eq!(status_of(&report, "b"), Status::Created, "the one with an answer stays in the state");
    assert!(took < Duration::from_secs(10), "nothing is left to look for: {took:?}");
    // Its own environment is none too many.
    let own = Made { env_id: "b-1", ..surplus.clone() };
    let (_bench, report, _) = with_left_behind(vec![throttled()], &[own]).await;
    assert_eq!(report.results[0].left_behind, None);
    assert_eq!(report.verdict(), Verdict::Complete);
}

#[tokio::test(start_paused = true)]
async fn an_environment_of_a_create_to_come_stops_the_run() {
    let throttled = error(Grade::NotSent(NotSent::Throttled));
    let other = Made { hidden: Duration::from_secs(5), ..Made::new("b-2", "B") };
    let (_bench, report, _) = with_left_behind(vec![throttled; 99], &[other]).await;
    assert_eq!(outcomes(&report), ["not attempted"]);
    let found = matches!(
        &report.trouble,
        Some(Trouble::OtherCreator { address, env_id, ours: None }) if address.as_str() == "b" && env_id == "b-2"
    );
    assert!(found, "{:?}", report.trouble);
    assert_eq!(report.verdict(), Verdict::Failed);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_the_read_back_of_refused_creates() {
    let refused = vec![error(Grade::Refused(Scope::Step))];
    let mut bench = Bench::new(Duration::ZERO, &[("a", refused)]);
    bench.stop_at = "looking for 1";
    let patient = Settings { settle_refused: Duration::from_secs(10), ..settings() };
    let started = Instant::now();
    let report = bench.apply(&["a"], &patient).await;
    assert_eq!(outcomes(&report), ["failed"]);
    assert!(started.elapsed() < Duration::from_secs(1));
}

/// A clock that returns these times, the last of which went back.
struct Told(Timestamp);

impl Clock for Told {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_went_back_breaks_neither_pace_nor_replay() {
    let mut bench = Bench::new(Duration::ZERO, &[]);
    let before = bench.apply(&["a"], &settings()).await.state.unwrap();
    let receipts = bench.store().receipts().unwrap();
    let first = bench.store().receipt(&receipts[0]).unwrap();
    let sent = first.last_sent_at().unwrap();
    for (names, back) in [
        (vec!["a", "b"], Duration::from_millis(1)),
        (vec!["a", "b", "c"], Duration::from_secs(40 * 24 * 3600)),
    ] {
        let mut writer = bench.lock();
        let approved = approved(&desired(&names), writer.state());
        let clock = Told(sent - back);
        let (_sender, stop) = watch::channel(false);
        let parts = Parts {
            cloud: Arc::clone(&bench.cloud),
            writer: &mut writer,
            clock: &clock,
            operator: Operator { who: "a@b".to_owned(), pid: 1 },
            commit: None,
            imports: BTreeMap::new(),
            known_ids: BTreeSet::new(),
            last_sent: Some(sent),
            stop,
            observe: &mut |_| {},
        };
        let settings = settings();
        let started = Instant::now();
        let report = run(&approved, &settings, parts).await.unwrap();
        let waited = bench.cloud.calls.lock().unwrap().last().unwrap().1 - started;
        assert!(waited >= SPACED, "a whole interval from now: {waited:?}");
        assert!(waited < SPACED + LEAD, "and no longer: {waited:?}");
        assert_eq!(report.verdict(), Verdict::Complete);
        let state = report.state.unwrap();
        assert_eq!(state.environments.len(), names.len());
        let a = Address::new("a").unwrap();
        assert_eq!(state.get(&a).unwrap(), before.get(&a).unwrap());
        drop(writer);
        let verified = verify::verify(bench.store()).unwrap();
        assert!(verified.problems.is_empty(), "{verified:?}");
        assert_eq!(bench.lock().state(), Some(&state));
    }
}

/// With the real clock: a held one is never past the end of no time at all.
#[tokio::test]
async fn one_look_is_made_even_without_time_to_wait() {
    let lost = ("a", vec![error(Grade::Unknown)]);
    let mut bench = Bench::new(Duration::ZERO, &[lost]).makes("a", &[Made::new("a-1", "a")]);
    let at_once = Settings { settle: Duration::from_nanos(1), ..settings() };
    let report = bench.apply(&["a"], &at_once).await;
    assert_eq!(outcomes(&report), ["ordered"]);
}

#[tokio::test(start_paused = true)]
async fn a_later_run_finds_what_an_earlier_one_waited_for_beside_its_creates() {
    let answer = Ok(Ordered { tran_id: Some("777".to_owned()), env_id: None, request_id: None });
    let made = Made { hidden: Duration::from_secs(600), ..Made::new("a-1", "a") };
    let mut bench = Bench::new(Duration::ZERO, &[("a", vec![answer])]).makes("a", &[made]);
    bench.apply(&["a"], &settings()).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let second = bench.apply(&["a", "b"], &settings()).await;
    assert_eq!(status_of(&second, "a"), Status::Created);
    assert_eq!(bench.cloud.names(), ["a", "b"]);
}

/// Tries to create these against an account that shows something else, with what receipts know.
async fn refused(
    bench: &Bench,
    desired: &Desired,
    known_ids: &[&str],
    settings: &Settings,
) -> Result<ApplySummary, ApplyError> {
    let mut writer = bench.lock();
    let approved = approved(desired, writer.state());
    let (_sender, stop) = watch::channel(false);
    let parts = Parts {
        cloud: Arc::clone(&bench.cloud),
        writer: &mut writer,
        clock: &SystemClock,
        operator: Operator { who: "a@b".to_owned(), pid: 1 },
        commit: None,
        imports: BTreeMap::new(),
        known_ids: known_ids.iter().map(|id| (*id).to_owned()).collect(),
        last_sent: None,
        stop,
        observe: &mut |_| {},
    };
    run(&approved, settings, parts).await
}

#[tokio::test(start_paused = true)]
async fn what_the_account_may_have_already_is_not_created() {
    let mut desired = desired(&["a", "shop-prod", "shop"]);
    desired.environments[0].attributes.set(postpay::ENV_ALIAS, "甲");
    // What the account shows, what receipts know, and the address that it is taken for.
    let table: &[(&str, &str, &[&str], Option<&str>)] = &[
        ("a-0", "a", &[], Some("a")),
        ("x-0", "A", &[], Some("a")),
        ("x-0", "甲", &[], Some("a")),
        ("a-123456", "", &[], Some("a")),
        ("a-123456", "甲", &[], Some("a")),
        ("shop-prod-1234abcd", "", &[], Some("shop-prod")),
        ("shop-1234abcd", "", &[], Some("shop")),
        ("a-123456", "other", &[], None),
        ("shop-dev-1234abcd", "", &[], None),
        // Receipts know it: only the alias itself says that it would cost twice.
        ("a-123456", "", &["a-123456"], None),
        ("a-123456", "甲", &["a-123456"], None),
        ("a-123456", "a", &["a-123456"], Some("a")),
    ];
    for (env_id, alias, known, expected) in table {
        let bench = Bench::new(Duration::ZERO, &[]);
        let there = (Instant::now(), Made::new(env_id, alias));
        bench.cloud.account.lock().unwrap().push(there);
        let ended = refused(&bench, &desired, known, &settings()).await;
        let found = match &ended {
            Ok(_) => None,
            Err(ApplyError::AlreadyThere(twins)) => {
                assert_eq!((twins.len(), twins[0].env_id.as_str()), (1, *env_id));
                Some(twins[0].address.as_str())
            }
            Err(error) => panic!("{error}"),
        };
        assert_eq!(found, *expected, "{env_id} {alias} {known:?}");
        let created = if found.is_some() { 0 } else { 3 };
        assert_eq!(bench.cloud.names().len(), created, "{env_id} {alias}");
    }
    let mut bench = Bench::new(Duration::ZERO, &[]);
    let there = (Instant::now(), Made::new("a-123456", "A"));
    bench.cloud.account.lock().unwrap().push(there);
    let anyway = Settings { allow_same_alias: true, ..settings() };
    let report = bench.apply(&["a", "b"], &anyway).await;
    assert_eq!(outcomes(&report), ["ordered", "ordered"]);
}

#[tokio::test(start_paused = true)]
async fn an_excluded_address_does_not_hide_an_alias_conflict() {
    let mut desired = desired(&["a", "b"]);
    for environment in &mut desired.environments {
        environment.attributes.set(postpay::ENV_ALIAS, "both");
    }
    let bench = Bench::new(Duration::ZERO, &[]);
    let there = (Instant::now(), Made::new("a-123456", "both"));
    bench.cloud.account.lock().unwrap().push(there);
    let options = Options { targets: vec![Address::new("a").unwrap()], ..Options::default() };
    let plan = Plan::make(&desired, None, options, target(), SystemClock.now()).unwrap();
    let seen = bench.cloud.environments().await.unwrap();
    let conflicts = alias_conflicts(&plan, None, &BTreeSet::new(), &seen);
    assert_eq!(conflicts.len(), 1);
}

fn gap(rows: u64, total: u64, contradictory: bool) -> Gap {
    Gap { region: None, rows, total, contradictory }
}

#[tokio::test(start_paused = true)]
async fn an_incomplete_list_creates_nothing_unless_its_exact_shortfall_is_accepted() {
    let accepting = |rows| Settings { accept_missing_rows: rows, ..settings() };
    let two = vec![gap(3, 4, false), gap(0, 1, false)];
    let unclear = vec![gap(3, 4, false), gap(0, 1, true)];
    let table = [
        (&two, None, false),
        (&two, Some(1), false),
        (&two, Some(3), false),
        (&two, Some(2), true),
        (&unclear, Some(1), false),
        (&unclear, Some(2), false),
    ];
    for (gaps, accepted, creates) in table {
        let bench = Bench::new(Duration::ZERO, &[]);
        bench.cloud.gaps.lock().unwrap().clone_from(gaps);
        let ended = refused(&bench, &desired(&["a"]), &[], &accepting(accepted)).await;
        let names = bench.cloud.names();
        assert_eq!(names.len(), usize::from(creates), "{gaps:?} {accepted:?}");
        match ended {
            Ok(report) => assert_eq!(outcomes(&report), ["ordered"]),
            Err(error) => assert!(matches!(error, ApplyError::Incomplete { .. }), "{error}"),
        }
        if creates {
            let receipts = bench.store().receipts().unwrap();
            let journal = bench.store().receipt(&receipts[0]).unwrap();
            assert_eq!(journal.missing_rows(), 2);
            assert_eq!(journal.listed(), None, "what is new can't be told by it");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_settled_from_an_incomplete_listing() {
    let unknown = ("a", vec![error(Grade::Unknown)]);
    let bench = Bench::new(Duration::ZERO, &[unknown]).makes("a", &[Made::new("a-123456", "a")]);
    *bench.cloud.gaps.lock().unwrap() = vec![gap(0, 1, false)];
    let accepting = Settings { accept_missing_rows: Some(1), ..settings() };
    let report = refused(&bench, &desired(&["a"]), &[], &accepting).await.unwrap();
    assert_eq!(outcomes(&report), ["unknown"]);
}

/// What was accepted as missing before the run and is listed later is not new.
#[tokio::test(start_paused = true)]
async fn nothing_is_adopted_when_the_first_listing_was_incomplete() {
    let unknown = ("a", vec![error(Grade::Unknown)]);
    let bench = Bench::new(Duration::ZERO, &[unknown]).makes("a", &[Made::new("a-123456", "a")]);
    *bench.cloud.gaps.lock().unwrap() = vec![gap(0, 1, false)];
    let accepting = Settings { accept_missing_rows: Some(1), ..settings() };
    let gaps = Arc::clone(&bench.cloud);
    let heal = async {
        while gaps.names().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        gaps.gaps.lock().unwrap().clear();
    };
    let desired = desired(&["a"]);
    let (report, ()) = tokio::join!(refused(&bench, &desired, &[], &accepting), heal);
    assert_eq!(outcomes(&report.unwrap()), ["unknown"]);
}

fn numbered(tran_id: &str, env_id: Option<&str>) -> Answer {
    Ok(Ordered { tran_id: Some(tran_id.to_owned()), env_id: env_id.map(str::to_owned), request_id: None })
}

#[tokio::test(start_paused = true)]
async fn an_answer_with_the_ids_of_another_create_is_unknown_and_stops_the_run() {
    for (first, second) in [
        (numbered("1", Some("a-1")), numbered("1", Some("b-1"))),
        (numbered("1", Some("a-1")), numbered("2", Some("a-1"))),
        (numbered("1", None), numbered("1", None)),
    ] {
        let expected = second.clone().unwrap();
        let answers = [("a", vec![first]), ("b", vec![second])];
        // However well it fits, it fits both: it is not adopted.
        let made = Made { tran_id: "1", ..Made::new("b-1", "b") };
        let mut bench = Bench::new(Duration::ZERO, &answers).makes("b", &[made]);
        let report = bench.apply(&["a", "b", "c"], &settings()).await;
        assert_eq!(outcomes(&report), ["ordered", "unknown", "not attempted"]);
        assert_eq!((report.verdict(), report.ended), (Verdict::Unknown, EndReason::Unknown));
        let record = &report.state.as_ref().unwrap().get(&Address::new("b").unwrap()).unwrap();
        assert_eq!(record.status, Status::Unknown);
        assert_eq!(record.tran_id, expected.tran_id);
        assert_eq!(record.env_id, expected.env_id);
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_in_the_state_is_not_accepted_for_another_create() {
    let mut bench = Bench::new(Duration::ZERO, &[("b", vec![numbered("tran-a", Some("b-1"))])]);
    bench.apply(&["a"], &settings()).await;
    let report = bench.apply(&["a", "b"], &settings()).await;
    assert_eq!(outcomes(&report), ["unknown"]);
    assert_eq!(report.verdict(), Verdict::Unknown);
    let verified = verify::verify(bench.store()).unwrap();
    let [problem] = verified.problems.as_slice() else { panic!("{verified:?}") };
    assert_eq!(problem.code(), "shared-id");
}

#[tokio::test(start_paused = true)]
async fn a_repaired_call_is_retried_without_retry_time_but_not_forever() {
    let repaired = || error(Grade::NotSent(NotSent::Repaired));
    let at_once = Settings { retry_for: Duration::ZERO, ..settings() };
    let mut bench = Bench::new(HALF, &[("a", vec![repaired(), repaired()])]);
    let report = bench.apply(&["a"], &at_once).await;
    assert_eq!(outcomes(&report), ["ordered"]);
    let mut bench = Bench::new(HALF, &[("a", (0..9).map(|_| repaired()).collect())]);
    let report = bench.apply(&["a"], &at_once).await;
    assert_eq!(outcomes(&report), ["failed"]);
    assert_eq!(bench.cloud.names(), ["a"; 3]);
}

/// What is got for keys before calls: how long it takes, and what comes of it.
fn keyed(latency: Duration, keys: Vec<(Duration, Result<(), CloudError>)>) -> Bench {
    let mut bench = Bench::new(latency, &[]);
    let cloud = Arc::get_mut(&mut bench.cloud).unwrap();
    *cloud.keys.get_mut() = keys.into();
    bench
}

fn no_key(cause: NotSent) -> Result<(), CloudError> {
    error(Grade::NotSent(cause)).map(|_| ())
}

/// How many intents a bench's only receipt has.
fn intents(bench: &Bench) -> usize {
    let receipts = bench.store().receipts().unwrap();
    let journal = bench.store().receipt(&receipts[0]).unwrap();
    let entries = journal.entries.iter();
    let is_intent = |event: &Event| matches!(event, Event::Intent(_));
    entries.filter(|entry| is_intent(&entry.event)).count()
}

#[tokio::test(start_paused = true)]
async fn creates_that_waited_for_credentials_do_not_leave_together() {
    let slow = (Duration::from_secs(3), Ok(()));
    // The second is got by a call whose time came a moment before its key ended.
    let mut bench = keyed(Duration::from_secs(2), vec![slow.clone(), slow]);
    let names = ["a", "b", "c", "d", "e"];
    let report = bench.apply(&names, &settings()).await;
    assert_eq!(report.verdict(), Verdict::Complete);
    assert_eq!(bench.cloud.names(), names);
    for gap in bench.cloud.gaps() {
        assert!(gap >= HALF, "{gap:?}");
    }
    assert_eq!(intents(&bench), names.len());
}

#[tokio::test(start_paused = true)]
async fn a_create_without_credentials_is_not_announced_and_is_retried() {
    let second = Duration::from_secs(1);
    let none = (second, no_key(NotSent::NoKey));
    let mut bench = keyed(Duration::ZERO, vec![none.clone(), none.clone()]);
    let report = bench.apply(&["a", "b"], &settings()).await;
    assert_eq!(outcomes(&report), ["ordered", "ordered"]);
    assert_eq!(intents(&bench), 2);
    assert_eq!(report.results[0].attempts, 3);
    // Not for ever, and not at all where there will be none.
    let never = (0..99).map(|_| none.clone()).collect();
    for (keys, tries) in [
        (never, 6..=7),
        (vec![(second, no_key(NotSent::NoRequest))], 1..=1),
        (vec![(second, no_key_at_all())], 1..=1),
    ] {
        let mut bench = keyed(Duration::ZERO, keys);
        let report = bench.apply(&["a", "b"], &settings()).await;
        assert_eq!(outcomes(&report), ["failed", "not attempted"]);
        let attempts = report.results[0].attempts;
        assert!(tries.contains(&attempts), "{attempts}");
        assert_eq!(report.verdict(), Verdict::Failed);
        assert!(bench.cloud.names().is_empty());
        assert_eq!(intents(&bench), 0);
    }
}

/// A grade that says nothing of an order, since none was sent.
fn no_key_at_all() -> Result<(), CloudError> {
    error(Grade::Unknown).map(|_| ())
}

#[tokio::test(start_paused = true)]
async fn answers_and_a_stop_are_handled_while_credentials_are_obtained() {
    // The answer to `b` says to stop; `c` was waiting for its key.
    let keys = vec![
        (Duration::ZERO, Ok(())),
        (Duration::ZERO, Ok(())),
        (Duration::ZERO, Ok(())),
        (Duration::ZERO, Ok(())),
        (Duration::from_secs(9), Ok(())),
    ];
    let mut bench = keyed(Duration::from_secs(2), keys.clone());
    let refused = error(Grade::Refused(Scope::Run));
    let answers = [("b".to_owned(), VecDeque::from([refused]))];
    let cloud = Arc::get_mut(&mut bench.cloud).unwrap();
    *cloud.answers.get_mut().unwrap() = answers.into();
    let report = bench.apply(&["a", "b", "c"], &settings()).await;
    assert_eq!(outcomes(&report), ["ordered", "failed", "not attempted"]);
    assert_eq!(intents(&bench), 2);
    assert!(report.took < Duration::from_secs(4), "{:?}", report.took);
    // Nobody waits for a key after the deadline.
    let mut bench = keyed(Duration::ZERO, keys);
    let hurried = Settings { deadline: Some(Duration::from_secs(2)), ..settings() };
    let report = bench.apply(&["a", "b", "c"], &hurried).await;
    assert_eq!(outcomes(&report), ["ordered", "ordered", "not attempted"]);
    assert_eq!(report.ended, EndReason::Deadline);
}
