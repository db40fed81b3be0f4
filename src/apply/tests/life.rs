//! Everything but ordering: edits of the record, replacements, changes in place, giving up.

use super::super::import;
use super::*;
use crate::kinds::postpay;
use crate::model::{Import, Lifecycle, Moved, Removed};
use crate::plan::Mode;
use crate::state::Record;

impl Bench {
    /// Orders these, and lets the account show them.
    async fn with(names: &[&'static str]) -> Self {
        Self::scripted(names, &[]).await
    }

    async fn scripted(names: &[&'static str], answers: &[(&str, Vec<Answer>)]) -> Self {
        let mut bench = Self::new(Duration::ZERO, answers);
        if !names.is_empty() {
            let report = bench.apply(names, &settings()).await;
            assert_eq!(report.verdict(), Verdict::Complete);
        }
        for name in names {
            let env_id: &'static str = format!("{name}-1").leak();
            bench.shows(Made::new(env_id, name));
        }
        bench.cloud.calls.lock().unwrap().clear();
        bench
    }

    fn shows(&self, made: Made) {
        self.cloud.account.lock().unwrap().push((Instant::now(), made));
    }

    async fn run(&mut self, options: Options, desired: &Desired) -> ApplySummary {
        let mut writer = self.lock();
        let approved = approved_with(options, desired, writer.state());
        let adoptions = import::look(&*self.cloud, approved.plan(), writer.state()).await.unwrap().unwrap();
        let adoptions = adoptions.into_iter().map(|adoption| (adoption.address.clone(), adoption)).collect();
        self.carry_out(&approved, adoptions, &settings(), &mut writer).await
    }

    fn state(&self) -> State {
        read(self.store()).unwrap().current().unwrap()
    }

    fn record(&self, name: &str) -> Option<Record> {
        self.state().get(&Address::new(name).unwrap()).cloned()
    }

    fn deposed(&self) -> Vec<String> {
        let state = self.state();
        state.deposed().map(|(_, record)| record.env_id.clone().unwrap()).collect()
    }
}

fn address(name: &str) -> Address {
    Address::new(name).unwrap()
}

fn replacing(name: &str) -> Options {
    Options { replaces: vec![address(name)], ..Options::default() }
}

fn giving_up() -> Options {
    Options { allow_destroy: true, ..Options::default() }
}

fn destroying(name: &str) -> Options {
    Options { mode: Mode::Destroy(vec![address(name)]), ..giving_up() }
}

/// `names`, the last of them with another alias.
fn renamed(names: &[&str], alias: &str) -> Desired {
    let mut desired = desired(names);
    let last = desired.environments.last_mut().unwrap();
    last.attributes.set(postpay::ALIAS, alias);
    desired
}

fn whats(report: &ApplySummary) -> Vec<What> {
    report
        .results
        .iter()
        .filter_map(|result| match &result.outcome {
            Outcome::Done(done) => Some(done.what),
            _ => None,
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn state_only_steps_come_first_then_creates_updates_and_destroys_in_reverse() {
    let mut bench = Bench::with(&["a", "b", "c", "d", "e"]).await;
    bench.shows(Made::new("stray-9", "stray"));
    let source = || SourceRef { file: "a.yaml".to_owned(), line: 9 };
    // a stays under another address, b gets another alias, c and d are destroyed, e is forgotten.
    let mut desired = desired(&["new", "a2", "b", "stray"]);
    desired.environments[1].attributes.set(postpay::ALIAS, "a");
    desired.environments[2].attributes.set(postpay::ALIAS, "b2");
    desired.environments[3].import =
        Some(Import { env_id: "stray-9".to_owned(), tran_id: None, source: source() });
    desired.moved = vec![Moved { from: address("a"), to: address("a2"), source: source() }];
    desired.removed = vec![Removed { address: address("e"), source: source() }];
    let report = bench.run(giving_up(), &desired).await;
    assert_eq!(report.verdict(), Verdict::Complete);
    assert_eq!(bench.cloud.names(), ["new", "b-1 -> b2", "d-1 -> nothing", "c-1 -> nothing"]);
    let state = bench.state();
    let names: Vec<&str> = state.current().map(|(address, _)| address.as_str()).collect();
    assert_eq!(names, ["a2", "b", "new", "stray"]);
    assert_eq!(bench.record("a2").unwrap().env_id.as_deref(), Some("a-1"));
    let b = bench.record("b").unwrap();
    assert_eq!(b.attributes.text(postpay::ALIAS), Some("b2"));
    let stray = bench.record("stray").unwrap();
    assert_eq!(stray.origin, crate::state::Origin::Imported);
    assert_eq!(stray.tran_id.as_deref(), Some("777"), "from its bill");
    let counts = report.counts();
    assert_eq!((counts.recorded, counts.ordered, counts.changed, counts.destroyed), (3, 1, 1, 2));
    // And then there is nothing left to do.
    let plan = approved_with(giving_up(), &desired, Some(&state));
    assert!(!plan.plan().has_changes(), "{:?}", plan.plan().steps);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_updated_or_destroyed_after_a_failed_create() {
    let refused = error(Grade::Refused(Scope::Step));
    let mut bench = Bench::scripted(&["a", "b"], &[("new", vec![refused])]).await;
    let report = bench.run(giving_up(), &renamed(&["new", "a"], "a2")).await;
    assert_eq!(bench.cloud.names(), ["new"]);
    assert_eq!(outcomes(&report), ["failed", "not attempted", "not attempted"]);
    assert!(bench.record("b").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_an_update_or_destroy_is_read_back() {
    let lost = ("a-1 -> a2", vec![error(Grade::Unknown)]);
    let mut bench = Bench::scripted(&["a"], &[lost]).await;
    let report = bench.run(Options::default(), &renamed(&["a"], "a2")).await;
    assert_eq!(report.verdict(), Verdict::Complete);
    assert_eq!(whats(&report), [What::Updated]);
    assert_eq!(bench.cloud.names().len(), 1, "it is not sent again");
    let a = bench.record("a").unwrap();
    assert_eq!(a.attributes.text(postpay::ALIAS), Some("a2"));
}

#[tokio::test(start_paused = true)]
async fn a_run_continues_after_a_lost_answer_was_read_back() {
    let lost = [("a-1 -> a2", vec![error(Grade::Unknown)]), ("c-1 -> nothing", vec![error(Grade::Unknown)])];
    let mut bench = Bench::scripted(&["a", "b", "c", "d"], &lost).await;
    let mut desired = renamed(&["b", "a"], "a2");
    desired.environments[0].attributes.set(postpay::ALIAS, "b2");
    desired.environments.reverse();
    let report = bench.run(giving_up(), &desired).await;
    assert_eq!(bench.cloud.names(), ["a-1 -> a2", "b-1 -> b2", "d-1 -> nothing", "c-1 -> nothing"]);
    assert_eq!(whats(&report), [What::Updated, What::Updated, What::Destroyed, What::Destroyed]);
    assert_eq!(report.verdict(), Verdict::Complete);
    assert_eq!(bench.record("c"), None);
}

#[tokio::test(start_paused = true)]
async fn an_update_or_destroy_that_is_not_shown_stays_unknown() {
    let lost = ("a-1 -> a2", vec![error(Grade::Unknown)]);
    let mut bench = Bench::scripted(&["a"], &[lost]).await;
    bench.cloud.account.lock().unwrap().clear();
    let report = bench.run(Options::default(), &renamed(&["a"], "a2")).await;
    assert_eq!(report.verdict(), Verdict::Unknown);
    // It has one alias or the other, so either is a change to a plan.
    assert_eq!(bench.record("a").unwrap().attributes.text(postpay::ALIAS), None);
    for alias in ["a", "a2"] {
        let plan = approved_with(Options::default(), &renamed(&["a"], alias), Some(&bench.state()));
        let renamed = plan.plan().steps[0].updates().next().map(|(_, value)| value.to_string());
        assert_eq!(renamed.as_deref(), Some(alias));
    }
    // It is safe to ask for it again.
    bench.shows(Made::new("a-1", "a"));
    let again = bench.run(Options::default(), &renamed(&["a"], "a2")).await;
    assert_eq!(again.verdict(), Verdict::Complete);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_started_after_an_update_or_a_destroy_with_an_unknown_outcome() {
    let unknown = || vec![error(Grade::Unknown)];
    for (name, sent) in
        [("a-1 -> a2", &["a-1 -> a2"][..]), ("c-1 -> nothing", &["a-1 -> a2", "c-1 -> nothing"])]
    {
        let mut bench = Bench::scripted(&["a", "b", "c"], &[(name, unknown())]).await;
        if name == "a-1 -> a2" {
            bench.cloud.account.lock().unwrap().clear();
        }
        bench.cloud.keeps_destroyed();
        let report = bench.run(giving_up(), &renamed(&["a"], "a2")).await;
        assert_eq!(bench.cloud.names(), sent);
        let reached = &outcomes(&report)[..=sent.len()];
        assert_eq!(reached[sent.len() - 1..], ["unknown", "not attempted"]);
        assert_eq!((report.verdict(), report.ended), (Verdict::Unknown, EndReason::Unknown));
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_or_destroy_that_was_not_sent_is_retried() {
    let throttled = error(Grade::NotSent(NotSent::Throttled));
    let answers =
        [("a-1 -> a2", vec![throttled.clone()]), ("b-1 -> nothing", vec![throttled.clone(), throttled])];
    let mut bench = Bench::scripted(&["a", "b"], &answers).await;
    let report = bench.run(giving_up(), &renamed(&["a"], "a2")).await;
    assert_eq!(report.verdict(), Verdict::Complete);
    assert_eq!(bench.cloud.names().len(), 5);
    let attempts: Vec<u32> = report.results.iter().map(|one| one.attempts).collect();
    assert_eq!(attempts, [2, 3]);
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_the_api_does_not_know_is_removed_from_the_state() {
    let gone = CloudError {
        code: Some("ResourceNotFound".to_owned()),
        ..error(Grade::Refused(Scope::Step)).unwrap_err()
    };
    let mut bench = Bench::scripted(&["a"], &[("a-1 -> nothing", vec![Err(gone)])]).await;
    bench.cloud.account.lock().unwrap().clear();
    let report = bench.run(destroying("a"), &desired(&[])).await;
    assert_eq!(whats(&report), [What::WasGone]);
    assert_eq!(bench.record("a"), None);
}

/// Not to be listed proves nothing: it may be in a region that is not looked at.
#[tokio::test(start_paused = true)]
async fn an_unlisted_environment_stays_in_the_state_after_a_refusal() {
    let refused = error(Grade::Refused(Scope::Step));
    let mut bench = Bench::scripted(&["a"], &[("a-1 -> nothing", vec![refused])]).await;
    bench.cloud.account.lock().unwrap().clear();
    let report = bench.run(destroying("a"), &desired(&[])).await;
    assert_eq!(outcomes(&report), ["failed"]);
    assert!(bench.record("a").is_some());
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_is_still_shown_stays_in_the_state() {
    let mut bench = Bench::with(&["a"]).await;
    bench.cloud.keeps_destroyed();
    let report = bench.run(destroying("a"), &desired(&[])).await;
    assert_eq!(whats(&report), [What::BeingDestroyed]);
    assert_eq!(report.verdict(), Verdict::Complete);
    // Nobody takes it for one that lives: neither the record, nor a plan that declares it again.
    assert_eq!(bench.record("a").unwrap().status, Status::Destroying);
    let plan = approved_with(giving_up(), &desired(&["a"]), Some(&bench.state()));
    let step = &plan.plan().steps[0];
    assert_eq!(step.action, Action::Resolve);
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_only_the_list_lost_stays_in_the_state() {
    let mut bench = Bench::with(&["a"]).await;
    bench.cloud.keeps_destroyed();
    bench.cloud.slips.store(true, Ordering::Relaxed);
    let report = bench.run(destroying("a"), &desired(&[])).await;
    assert_eq!(whats(&report), [What::BeingDestroyed]);
    assert_eq!(bench.record("a").unwrap().status, Status::Destroying);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_destroyed_beside_a_failed_create_with_on_error_continue() {
    let refused = error(Grade::Refused(Scope::Step));
    let mut bench = Bench::scripted(&["a", "b"], &[("new", vec![refused])]).await;
    let mut writer = bench.lock();
    let desired = renamed(&["new", "a"], "a2");
    let approved = approved_with(giving_up(), &desired, writer.state());
    let settings = Settings { on_error: OnError::Continue, ..settings() };
    let report = bench.carry_out(&approved, BTreeMap::new(), &settings, &mut writer).await;
    assert_eq!(outcomes(&report), ["failed", "done", "not attempted"]);
    assert_eq!(bench.cloud.names(), ["new", "a-1 -> a2"]);
}

/// Tencent Cloud refuses the replacement, and makes it all the same.
#[tokio::test(start_paused = true)]
async fn an_unknown_replacement_keeps_what_it_would_have_replaced() {
    let mut bench = Bench::with(&["a"]).await.makes("a", &[Made::new("a-2", "a")]);
    bench.cloud.answers.lock().unwrap().insert("a".to_owned(), [error(Grade::Refused(Scope::Step))].into());
    let report = bench.run(replacing("a"), &desired(&["a"])).await;
    assert_eq!(report.verdict(), Verdict::Unknown);
    assert_eq!(bench.record("a").unwrap().status, Status::Unknown);
    assert_eq!(bench.deposed(), ["a-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_pay_as_you_go_environment_is_not_switched_again() {
    let bench = Bench::with(&[]).await;
    bench.shows(Made::new("a-1", "a"));
    let mut desired = desired(&["a"]);
    let attributes = &mut desired.environments[0].attributes;
    attributes.set(postpay::ENV_ID, "a-1");
    let mut writer = bench.lock();
    let approved = approved_with(Options::default(), &desired, writer.state());
    let (_sender, stop) = watch::channel(false);
    let settings = settings();
    let parts = Parts {
        cloud: Arc::clone(&bench.cloud),
        writer: &mut writer,
        clock: &SystemClock,
        operator: Operator { who: "a@b".to_owned(), pid: 1 },
        commit: None,
        imports: BTreeMap::new(),
        known_ids: BTreeSet::new(),
        last_sent: None,
        stop,
        observe: &mut |_| {},
    };
    let refused = run(&approved, &settings, parts).await.unwrap_err();
    assert!(matches!(refused, ApplyError::AlreadyThere(_)), "{refused}");
    assert!(bench.cloud.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_replaced_environment_stays_in_the_state_at_any_outcome() {
    let table = [
        (ordered("a2"), true, Status::Created, vec!["a-1"]),
        (error(Grade::Refused(Scope::Step)), false, Status::Created, vec![]),
        (error(Grade::Unknown), true, Status::Unknown, vec!["a-1"]),
    ];
    for (answer, replaced, status, deposed) in table {
        let mut bench = Bench::scripted(&["a"], &[]).await;
        bench.cloud.answers.lock().unwrap().insert("a".to_owned(), [answer].into());
        bench.run(replacing("a"), &desired(&["a"])).await;
        let record = bench.record("a").unwrap();
        assert_eq!(record.status, status);
        assert_eq!(record.env_id.as_deref() != Some("a-1"), replaced);
        assert_eq!(bench.deposed(), deposed);
        assert_eq!(bench.cloud.names(), ["a"], "nothing is destroyed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_replacement_whose_answer_was_lost_is_read_back_beside_the_old_one() {
    let mut bench = Bench::with(&["a"]).await.makes("a", &[Made::new("a-2", "a")]);
    bench.cloud.answers.lock().unwrap().insert("a".to_owned(), [error(Grade::Unknown)].into());
    let report = bench.run(replacing("a"), &desired(&["a"])).await;
    assert_eq!(report.verdict(), Verdict::Complete);
    assert_eq!(bench.record("a").unwrap().env_id.as_deref(), Some("a-2"));
    assert_eq!(bench.deposed(), ["a-1"]);

    // The old one is destroyed by name, and the new one stays.
    let options = Options { mode: Mode::DestroyDeposed(vec![address("a")]), ..giving_up() };
    let report = bench.run(options, &desired(&["a"])).await;
    assert_eq!(whats(&report), [What::Destroyed]);
    assert_eq!(bench.deposed(), [""; 0]);
    assert_eq!(bench.record("a").unwrap().env_id.as_deref(), Some("a-2"));
}

#[tokio::test(start_paused = true)]
async fn prevent_destroy_is_in_the_state_before_it_leaves_the_manifests() {
    let mut bench = Bench::with(&["a"]).await;
    let mut protected = desired(&["a"]);
    protected.environments[0].lifecycle = Lifecycle { prevent_destroy: true, ..Lifecycle::default() };
    let report = bench.run(giving_up(), &protected).await;
    assert_eq!(outcomes(&report), ["recorded"]);
    assert!(bench.cloud.names().is_empty());
    assert!(bench.record("a").unwrap().prevent_destroy);
    let report = bench.run(giving_up(), &desired(&[])).await;
    assert!(report.results.is_empty());
    assert!(bench.cloud.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_intent_has_prevent_destroy() {
    let mut bench = Bench::scripted(&[], &[("a", vec![error(Grade::Unknown)])]).await;
    let mut protected = desired(&["a"]);
    protected.environments[0].lifecycle.prevent_destroy = true;
    bench.run(Options::default(), &protected).await;
    let record = bench.record("a").unwrap();
    assert_eq!(record.status, Status::Unknown);
    assert!(record.prevent_destroy);
}

#[tokio::test(start_paused = true)]
async fn an_update_without_credentials_is_not_announced_and_is_retried() {
    let changes = async |keys: Vec<NotSent>| {
        let mut bench = Bench::with(&["a", "b"]).await;
        let keys = keys.into_iter();
        let cloud = Arc::get_mut(&mut bench.cloud).unwrap();
        *cloud.keys.get_mut() = keys.map(|cause| (HALF, no_key(cause))).collect();
        let report = bench.run(giving_up(), &renamed(&["a"], "a2")).await;
        let receipts = bench.store().receipts().unwrap();
        let journal = bench.store().receipt(receipts.last().unwrap()).unwrap();
        let entries = journal.entries.iter();
        let intents = entries.filter(|entry| matches!(entry.event, Event::Intent(_)));
        let attempts: Vec<u32> = report.results.iter().map(|one| one.attempts).collect();
        (report.verdict(), attempts, intents.count())
    };
    let none = NotSent::NoKey;
    assert_eq!(changes(vec![none, none]).await, (Verdict::Complete, vec![3, 1], 2));
    assert_eq!(changes(vec![NotSent::NoRequest]).await, (Verdict::Failed, vec![1, 0], 0));
}

/// A writer that another process takes over after so many checks.
fn taken_over_after(checks: usize, writer: Writer) -> Writer {
    let mut left = checks;
    faulty(writer, move |op| match op {
        Op::Renew if left == 0 => Some(StateError::FencedOut { path: Path::new("lock").to_owned() }),
        Op::Renew => {
            left -= 1;
            None
        }
        Op::Append(_) | Op::Appended(_) | Op::Read => None,
    })
}

#[tokio::test(start_paused = true)]
async fn a_request_is_withdrawn_when_the_lock_is_lost() {
    // The create, the update and the destroy are sent after the first, second and third check.
    for (checks, sent) in [
        (0, &[][..]),
        (1, &["new"]),
        (2, &["new", "a-1 -> a2"]),
        (3, &["new", "a-1 -> a2", "b-1 -> nothing"]),
    ] {
        let mut bench = Bench::with(&["a", "b"]).await;
        let mut taken = taken_over_after(checks, bench.lock());
        let desired = renamed(&["new", "a"], "a2");
        let approved = approved_with(giving_up(), &desired, taken.state());
        let report = bench.carry_out(&approved, BTreeMap::new(), &settings(), &mut taken).await;
        assert_eq!(bench.cloud.names(), sent);
        assert_eq!(report.is_fenced_out(), checks < 3);
        drop(taken);
        // The next writer recovers the run, and finds no intent that may have acted.
        let state = bench.lock().state().cloned().unwrap();
        let of = |name: &str| state.get(&address(name));
        let alias = of("a").unwrap().attributes.text(postpay::ALIAS);
        assert_eq!(alias, Some(if checks < 2 { "a" } else { "a2" }));
        assert_eq!(of("new").is_some(), checks > 0);
        let status = of("b").map(|record| record.status);
        assert_eq!(status, (checks < 3).then_some(Status::Created));
    }
}
