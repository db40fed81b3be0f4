use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use super::*;
use crate::cloud::{Bill, Bills, PayMode, SeenEnvironment};
use crate::kinds::postpay;
use crate::model::{Address, Attributes, Environment, InstanceKey, Lifecycle, SourceRef};
use crate::plan::{self, Target};
use crate::state::journal::RunId;
use crate::state::{Account, Lineage, Origin, Record, Serial, Status};

fn source() -> SourceRef {
    SourceRef { file: "a.yaml".to_owned(), line: 3 }
}

fn order(alias: &str) -> Attributes {
    [
        (postpay::ALIAS, alias.to_owned()),
        (postpay::ENV_SOURCE, "qcloud".to_owned()),
        (postpay::CHANNEL, "qc_console".to_owned()),
    ]
    .into_iter()
    .collect()
}

fn declared(names: &[&str]) -> Desired {
    let environment = |name: &&str| Environment {
        address: Address::new(name).unwrap(),
        attributes: order(name),
        lifecycle: Lifecycle::default(),
        import: None,
        source: source(),
    };
    Desired { environments: names.iter().map(environment).collect(), ..Desired::default() }
}

fn recorded(names: &[(&str, Status)]) -> State {
    let record = |(name, status): &(&str, Status)| {
        let record = Record {
            status: *status,
            env_id: Some(format!("{name}-1")),
            tran_id: Some("T".to_owned()),
            request_id: None,
            origin: Origin::Ordered,
            attributes: order(name),
            ordered_at: Timestamp::UNIX_EPOCH,
            run: RunId::fresh(),
            source: source(),
            region: None,
            prevent_destroy: false,
            deposed_at: None,
        };
        (InstanceKey::current(Address::new(name).unwrap()), record)
    };
    State {
        format_version: crate::state::FormatVersion,
        lineage: Lineage::fresh(),
        serial: Serial(1),
        tool_version: String::new(),
        account: None,
        last_run: None,
        environments: names.iter().map(record).collect(),
    }
}

fn seen(name: &str) -> SeenEnvironment {
    SeenEnvironment {
        env_id: format!("{name}-1"),
        alias: Some(name.to_owned()),
        source: Some("qcloud".to_owned()),
        channel: Some("qc_console".to_owned()),
        status: Some("NORMAL".to_owned()),
        pay_mode: Some("postpaid".to_owned()),
        ..SeenEnvironment::default()
    }
}

fn drift(desired: &Desired, state: &State, live: Option<&Live>, options: &Options) -> Drift {
    let target = Target {
        account: Account { endpoint: "sandbox".to_owned(), uin: None },
        endpoint: "sandbox".to_owned(),
        region: None,
        state_path: String::new(),
    };
    let plan = Plan::make(
        desired,
        Some(state),
        plan::Options::default(),
        target,
        // Two hours after the environments in the state were created.
        Timestamp::from_second(7200).unwrap(),
    );
    compare(&plan.unwrap(), desired, Some(state), live, options)
}

fn codes(drift: &Drift) -> Vec<(&'static str, bool)> {
    drift
        .findings
        .iter()
        .map(|finding| (finding.code.name(), finding.standing == Standing::Counted))
        .collect()
}

fn live(environments: Vec<SeenEnvironment>) -> Live {
    Live {
        environments,
        bills: Bills::default(),
        regions: vec![None],
        absent: ["a-1".to_owned()].into(),
        known_ids: BTreeSet::new(),
    }
}

/// Returns the codes when the account shows this for a declared environment in the state.
fn showing(change: impl FnOnce(&mut SeenEnvironment)) -> Vec<(&'static str, bool)> {
    let mut environment = seen("a");
    change(&mut environment);
    let (desired, state) = (declared(&["a"]), recorded(&[("a", Status::Created)]));
    let live = live(vec![environment]);
    codes(&drift(&desired, &state, Some(&live), &Options::default()))
}

#[test]
fn no_findings_without_differences() {
    assert_eq!(showing(|_| {}), []);
    // What the account does not show can't differ.
    assert_eq!(
        showing(|environment| {
            environment.alias = None;
            environment.status = None;
            environment.pay_mode = None;
        }),
        []
    );
    // UNAVAILABLE means being created, which is no error.
    let unavailable = |environment: &mut SeenEnvironment| {
        environment.status = Some("UNAVAILABLE".to_owned());
    };
    assert_eq!(showing(unavailable), []);
}

#[test]
fn each_difference_in_the_account_has_its_code() {
    type Change = fn(&mut SeenEnvironment);
    let table: [(Change, &str); 6] = [
        (|seen| seen.alias = Some("b".to_owned()), "alias-changed"),
        (|seen| seen.source = Some("miniapp".to_owned()), "source-changed"),
        (|seen| seen.channel = Some("qq".to_owned()), "channel-changed"),
        (|seen| seen.status = Some("Isolate".to_owned()), "isolated"),
        (|seen| seen.status = Some("ERROR".to_owned()), "error-status"),
        (|seen| seen.pay_mode = Some("PREPAYMENT".to_owned()), "pay-mode-changed"),
    ];
    for (change, code) in table {
        assert_eq!(showing(change), [(code, true)]);
    }
}

#[test]
fn planned_changes_are_found_without_the_account() {
    let desired = declared(&["new", "lost", "waits"]);
    let state =
        recorded(&[("lost", Status::Unknown), ("waits", Status::AwaitingEnvId), ("old", Status::Created)]);
    let found = drift(&desired, &state, None, &Options::default());
    let mut expected = vec![
        ("outcome-unknown", true),
        ("awaiting-env-id", true),
        ("not-ordered", true),
        ("not-declared", true),
    ];
    let mut codes = codes(&found);
    codes.sort_unstable();
    expected.sort_unstable();
    assert_eq!(codes, expected);
    assert_eq!(found.seen, None);
}

#[test]
fn unmanaged_environment_only_counts_when_strict() {
    let (desired, state) = (declared(&["a"]), recorded(&[("a", Status::Created)]));
    let live = live(vec![seen("a"), seen("stray")]);
    let found = drift(&desired, &state, Some(&live), &Options::default());
    assert_eq!(codes(&found), [("unmanaged", false)]);
    assert!(!found.is_drift());
    let strict = Options { strict: true, ..Options::default() };
    assert!(drift(&desired, &state, Some(&live), &strict).is_drift());
}

#[test]
fn possible_duplicate_counts_without_strict() {
    let twin = |env_id: &str, alias: Option<&str>| SeenEnvironment {
        env_id: env_id.to_owned(),
        alias: alias.map(str::to_owned),
        ..seen("x")
    };
    let (desired, state) = (declared(&["a", "b"]), recorded(&[("a", Status::Created)]));
    let duplicates = |state: &State, live: Live| {
        let found = drift(&desired, state, Some(&live), &Options::default());
        let duplicates = found.counted().filter(|finding| finding.code == Code::PossibleDuplicate);
        let found = duplicates.map(|finding| {
            let address = finding.address.as_ref().map(Address::as_str).unwrap();
            let env_id = finding.env_id.as_deref().unwrap();
            format!("{address} {env_id}: {}", finding.next.en())
        });
        found.collect::<Vec<_>>()
    };
    // Of a declared environment in the state, and of one that is not.
    let shown =
        live(vec![seen("a"), twin("a-222222", None), twin("other-1", Some("B")), twin("a-b-333333", None)]);
    let found = duplicates(&state, shown.clone());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("a a-222222: check it in the console"));
    assert!(found[1].starts_with("b other-1: to manage it: `postpay import b other-1`"));
    // The outcome of its create is unknown.
    let mut open = recorded(&[("a", Status::Created), ("b", Status::Unknown)]);
    open.environments
        .values_mut()
        .filter(|record| record.status == Status::Unknown)
        .for_each(|record| record.env_id = None);
    let found = duplicates(&open, shown.clone());
    assert!(found[1].starts_with("b other-1: `postpay resolve b`"), "{found:?}");
    // It is in a receipt.
    let known = Live { known_ids: ["a-222222".to_owned(), "other-1".to_owned()].into(), ..shown };
    assert_eq!(duplicates(&state, known), [""; 0]);
}

#[test]
fn missing_environment_is_gone_unless_it_was_destroyed() {
    let desired = declared(&["a"]);
    let state = recorded(&[("a", Status::Created), ("given-up", Status::Isolated)]);
    let found = drift(&desired, &state, Some(&live(vec![])), &Options::default());
    assert_eq!(codes(&found), [("gone", true)]);
}

#[test]
fn incomplete_answers_do_not_prove_that_an_environment_is_gone() {
    let desired = declared(&["a"]);
    let nothing = live(vec![]);
    let regions = |names: &[&str]| names.iter().map(|name| Some((*name).to_owned())).collect();
    let bill =
        |status: &str| Bill { env_id: "a-1".to_owned(), status: Some(status.to_owned()), ..Bill::default() };
    let codes_for = |region: Option<&str>, live: &Live| {
        let mut state = recorded(&[("a", Status::Created)]);
        for record in state.environments.values_mut() {
            record.region = region.map(str::to_owned);
        }
        let found = drift(&desired, &state, Some(live), &Options::default());
        codes(&found)
    };
    let shanghai = Live { regions: regions(&["ap-shanghai"]), ..nothing.clone() };
    assert_eq!(codes_for(None, &nothing), [("gone", true)]);
    assert_eq!(codes_for(Some("ap-shanghai"), &shanghai), [("gone", true)]);
    // Created in a region that was not searched or is unknown.
    assert_eq!(codes_for(Some("ap-guangzhou"), &shanghai), [("not-listed", true)]);
    assert_eq!(codes_for(None, &shanghai), [("not-listed", true)]);
    // Not looked up by id, or without a response.
    let unanswered = Live { absent: HashSet::new(), ..nothing.clone() };
    assert_eq!(codes_for(None, &unanswered), [("not-listed", true)]);
    let billed =
        |status| Live { bills: Bills { shown: vec![bill(status)], incomplete: true }, ..nothing.clone() };
    assert_eq!(codes_for(None, &billed("NORMAL")), [("not-listed", true)]);
    assert_eq!(codes_for(None, &billed("ISOLATE")), [("gone", true)]);
    // The list of bills is incomplete.
    let short = Live { bills: Bills { shown: Vec::new(), incomplete: true }, ..nothing.clone() };
    assert_eq!(codes_for(None, &short), [("not-listed", true)]);
}

#[test]
fn destroyed_environment_in_use_again_is_found() {
    let desired = declared(&["a"]);
    let codes_for = |environment: SeenEnvironment, bills: Option<Vec<Bill>>| {
        let state = recorded(&[("a", Status::Created), ("b", Status::Isolated)]);
        let live = Live {
            bills: Bills { incomplete: bills.is_none(), shown: bills.unwrap_or_default() },
            ..live(vec![seen("a"), environment])
        };
        let found = drift(&desired, &state, Some(&live), &Options::default());
        codes(&found)
    };
    assert_eq!(codes_for(seen("b"), Some(vec![])), [("in-use-again", true)]);
    assert_eq!(codes_for(seen("b"), None), [], "its bill may say otherwise");
    let isolated = SeenEnvironment { status: Some("ISOLATE".to_owned()), ..seen("b") };
    assert_eq!(codes_for(isolated, Some(vec![])), []);
    let bill = Bill { env_id: "b-1".to_owned(), status: Some("ISOLATE".to_owned()), ..Bill::default() };
    assert_eq!(codes_for(seen("b"), Some(vec![bill])), []);
}

#[test]
fn deposed_environment_that_is_gone_is_forgotten_by_its_id() {
    let desired = declared(&[]);
    let mut state = recorded(&[("a", Status::Created)]);
    let (key, record) = state.environments.pop_first().unwrap();
    state.environments.insert(InstanceKey::deposed(key.address, "a-1".to_owned()), record);
    let found = drift(&desired, &state, Some(&live(vec![])), &Options::default());
    let gone = found.findings.iter().find(|finding| finding.code == Code::Gone);
    let next = gone.unwrap().next.en();
    assert!(next.contains("`postpay state rm --deposed a-1`"), "{next}");
}

#[test]
fn ignored_finding_is_reported_with_its_reason_and_does_not_count() {
    let (desired, state) = (declared(&["a", "b"]), recorded(&[]));
    let ignoring = |text: &str| Options { ignores: vec![text.parse().unwrap()], ..Options::default() };
    let found = drift(&desired, &state, None, &ignoring("not-ordered:a"));
    assert_eq!(codes(&found), [("not-ordered", false), ("not-ordered", true)]);
    let both = drift(&desired, &state, None, &ignoring("not-ordered"));
    assert!(!both.is_drift());
    assert!("not-there".parse::<Ignore>().is_err());
    assert!("gone:NO".parse::<Ignore>().is_err());
}

#[test]
fn difference_in_ignore_changes_is_not_reported() {
    let mut desired = declared(&["a"]);
    desired.environments[0].lifecycle.ignore_changes = [postpay::ALIAS].into();
    let state = recorded(&[("a", Status::Created)]);
    let live = live(vec![SeenEnvironment { alias: Some("b".to_owned()), ..seen("a") }]);
    let found = drift(&desired, &state, Some(&live), &Options::default());
    assert_eq!(codes(&found), []);
}

#[test]
fn bills_are_compared_too() {
    let (desired, state) = (declared(&["a"]), recorded(&[("a", Status::Created)]));
    let live = Live {
        environments: vec![seen("a")],
        bills: Bills {
            shown: vec![Bill {
                env_id: "a-1".to_owned(),
                pay_mode: Some(PayMode::Prepaid),
                status: Some("ISOLATE".to_owned()),
                ..Bill::default()
            }],
            incomplete: false,
        },
        regions: vec![None],
        ..Live::default()
    };
    let found = drift(&desired, &state, Some(&live), &Options::default());
    assert_eq!(codes(&found), [("isolated", true), ("pay-mode-changed", true)]);
}
