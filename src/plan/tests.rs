//! Plans made from manifests and states, their files, and the guard.

mod life;

use std::path::PathBuf;

use proptest::prelude::*;

use super::guard::{CallerIdentity, Consent, Facts, Limits};
use super::*;
use crate::kinds::postpay;
use crate::model::{Attributes, Environment, Field, InstanceKey, Lifecycle, SourceRef};
use crate::state::journal::RunId;
use crate::state::{Origin, Record, Status};

fn address(name: &str) -> Address {
    Address::new(name).unwrap()
}

fn attributes(pairs: &[(Field, &str)]) -> Attributes {
    pairs.iter().map(|(field, value)| (*field, (*value).to_owned())).collect()
}

fn source(line: u32) -> SourceRef {
    SourceRef { file: "a.yaml".to_owned(), line }
}

fn declared(environments: &[(&str, &[(Field, &str)])]) -> Desired {
    let environments = environments
        .iter()
        .zip(1..)
        .map(|((name, pairs), line)| Environment {
            address: address(name),
            attributes: attributes(pairs),
            lifecycle: Lifecycle::default(),
            import: None,
            source: source(line),
        })
        .collect();
    Desired { environments, ..Desired::default() }
}

fn record(status: Status, pairs: &[(Field, &str)]) -> Record {
    Record {
        status,
        env_id: (status == Status::Created).then(|| "e-1".to_owned()),
        tran_id: (status != Status::Unknown).then(|| "1".to_owned()),
        request_id: None,
        origin: Origin::Ordered,
        attributes: attributes(pairs),
        ordered_at: Timestamp::UNIX_EPOCH,
        run: RunId::fresh(),
        source: source(9),
        region: None,
        prevent_destroy: false,
        deposed_at: None,
    }
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

fn state(records: Vec<(&str, Record)>) -> State {
    State {
        format_version: FormatVersion,
        lineage: Lineage::fresh(),
        serial: Serial(7),
        tool_version: "0.1.0".to_owned(),
        account: Some(account()),
        last_run: None,
        environments: records
            .into_iter()
            .map(|(name, record)| (InstanceKey::current(address(name)), record))
            .collect(),
    }
}

fn make(desired: &Desired, state: Option<&State>) -> Plan {
    Plan::make(desired, state, Options::default(), target(), Timestamp::UNIX_EPOCH).unwrap()
}

fn actions(plan: &Plan) -> Vec<(String, Action)> {
    plan.steps.iter().map(|step| (step.address.to_string(), step.action)).collect()
}

const UIN: &str = "100000000001";

/// Returns all blockers of a plan in the account of [`UIN`].
fn blockers(plan: &Plan, facts: &Facts<'_>) -> Vec<Blocker> {
    approve(plan, facts, CallerIdentity::Account(UIN)).err().unwrap_or_default()
}

fn approve(
    plan: &Plan,
    facts: &Facts<'_>,
    identity: CallerIdentity<'_>,
) -> Result<guard::Approved, Vec<Blocker>> {
    guard::check(plan.clone(), facts)?.in_account(identity)?.approve(Consent::Auto)
}

fn codes(plan: &Plan, facts: &Facts<'_>) -> Vec<&'static str> {
    blockers(plan, facts).iter().map(Blocker::code).collect()
}

fn facts<'a>(state: Option<&'a State>, target: &'a Target) -> Facts<'a> {
    Facts {
        state,
        target,
        allowed_accounts: &[],
        remade: None,
        manifests: &[],
        used_by: None,
        orders_last_day: 0,
        limits: Limits::default(),
        allow_destroy: false,
    }
}

const A: &[(Field, &str)] = &[(postpay::ALIAS, "a"), (postpay::FREE_QUOTA, "basic")];
const B: &[(Field, &str)] = &[(postpay::ALIAS, "b")];

#[test]
fn each_difference_has_its_action() {
    let recorded = state(vec![
        ("same", record(Status::Created, &[(postpay::FLAG, "QUICKSTART")])),
        ("waits", record(Status::AwaitingEnvId, B)),
        ("unknown", record(Status::Unknown, A)),
        ("renamed", record(Status::Created, &[(postpay::ALIAS, "old")])),
        ("changed", record(Status::Created, A)),
        ("gone", record(Status::Created, &[(postpay::ALIAS, "gone")])),
        ("gone-too", record(Status::Created, &[(postpay::ALIAS, "gone-too")])),
    ]);
    let desired = declared(&[
        ("new", &[(postpay::ALIAS, "new")]),
        ("same", &[(postpay::FLAG, "QuickStart")]),
        ("waits", B),
        ("unknown", &[(postpay::ALIAS, "something-else")]),
        ("renamed", &[(postpay::ALIAS, "renamed")]),
        ("changed", &[(postpay::ALIAS, "a")]),
    ]);
    let plan = make(&desired, Some(&recorded));
    let expected = [
        ("same", Action::NoOp),
        ("waits", Action::Wait),
        ("unknown", Action::Resolve),
        ("new", Action::Create),
        ("changed", Action::Replace),
        ("renamed", Action::Update),
        ("gone-too", Action::Destroy),
        ("gone", Action::Destroy),
    ];
    assert_eq!(actions(&plan), expected.map(|(name, action)| (name.to_owned(), action)));
    let refused: Vec<&Address> = plan.blocked().map(|step| &step.address).collect();
    assert_eq!(refused, [&address("changed")]);
    assert_eq!(plan.orders().count(), 1);
    let changed = plan.steps.iter().find(|step| step.address == address("changed")).unwrap();
    assert_eq!(changed.changed, ["free_quota"]);
}

#[test]
fn creates_keep_the_declared_order() {
    let desired = declared(&[("z", A), ("m", B), ("a", &[])]);
    let plan = make(&desired, None);
    let names: Vec<&str> = plan.orders().map(|step| step.address.as_str()).collect();
    assert_eq!(names, ["z", "m", "a"]);
}

#[test]
fn declaring_the_returned_env_id_is_no_change() {
    let recorded = state(vec![("a", record(Status::Created, A))]);
    let with = |id| {
        let mut pairs = A.to_vec();
        pairs.push((postpay::ENV_ID, id));
        actions(&make(&declared(&[("a", &pairs)]), Some(&recorded)))[0].1
    };
    assert_eq!(with("e-1"), Action::NoOp);
    assert_eq!(with("e-2"), Action::Replace);
}

#[test]
fn renamed_key_is_blocked() {
    let nameless: &[(Field, &str)] = &[(postpay::SOURCE, "qcloud")];
    for pairs in [A, nameless] {
        let recorded = state(vec![("old", record(Status::Created, pairs))]);
        let plan = make(&declared(&[("new", pairs)]), Some(&recorded));
        let new = plan.steps.iter().find(|step| step.address == address("new")).unwrap();
        assert_eq!(new.blocker, Some(StepBlocker::Renamed { from: address("old") }));
        assert_eq!(plan.orders().count(), 0);
        // Without an alias, an equal one may be created while both are declared.
        let both = make(&declared(&[("old", pairs), ("new", pairs)]), Some(&recorded));
        assert_eq!(both.orders().count(), usize::from(pairs == nameless));
    }
}

/// The declaration of `old` loses its alias; the environment created with it still exists.
#[test]
fn alias_moved_to_another_address_is_blocked() {
    let recorded = state(vec![("old", record(Status::Created, A))]);
    let moved = declared(&[("old", B), ("new", A)]);
    let plan = make(&moved, Some(&recorded));
    let new = plan.steps.iter().find(|step| step.address == address("new")).unwrap();
    assert_eq!(new.blocker, Some(StepBlocker::Renamed { from: address("old") }));
}

#[test]
fn managed_environment_is_blocked_at_another_address() {
    let recorded = state(vec![("a", record(Status::Created, A))]);
    let plan = make(&declared(&[("a", A), ("b", &[(postpay::ENV_ID, "e-1")])]), Some(&recorded));
    assert_eq!(
        plan.blocked().next().unwrap().blocker,
        Some(StepBlocker::ManagedElsewhere { other: address("a") })
    );
}

#[test]
fn targets_and_excludes_narrow_a_plan() {
    let desired = declared(&[("a", A), ("b", B)]);
    let narrow = |targets: &[&str], excludes: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|name| address(name)).collect();
        let selection = Options { targets: names(targets), excludes: names(excludes), ..Options::default() };
        let plan = Plan::make(&desired, None, selection, target(), Timestamp::UNIX_EPOCH).unwrap();
        actions(&plan).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(narrow(&["b"], &[]), ["b"]);
    assert_eq!(narrow(&[], &["b"]), ["a"]);
    assert_eq!(narrow(&["a", "b"], &["a"]), ["b"]);
}

#[test]
fn plan_is_blocked_for_another_state_or_endpoint() {
    let desired = declared(&[("a", A), ("b", B)]);
    let here = target();
    let recorded = state(vec![("a", record(Status::Created, A))]);
    let plan = make(&desired, Some(&recorded));
    let fine = facts(Some(&recorded), &here);
    assert_eq!(codes(&plan, &fine), [""; 0]);

    let moved_on = State { serial: Serial(8), ..recorded.clone() };
    assert_eq!(codes(&plan, &facts(Some(&moved_on), &here)), ["plan-stale"]);
    let foreign = State { lineage: Lineage::fresh(), ..recorded.clone() };
    assert_eq!(codes(&plan, &facts(Some(&foreign), &here)), ["plan-foreign"]);
    assert_eq!(codes(&plan, &facts(None, &here)), ["plan-foreign"]);
    let used = Facts { used_by: Some(RunId::fresh()), ..fine.clone() };
    assert_eq!(codes(&plan, &used), ["plan-used"]);
    let first = make(&desired, None);
    assert_eq!(codes(&first, &facts(Some(&recorded), &here)), ["plan-stale"]);

    let remote =
        Target { account: Account { endpoint: "tencentcloudapi.com".to_owned(), uin: None }, ..target() };
    let elsewhere = facts(Some(&recorded), &remote);
    assert_eq!(codes(&plan, &elsewhere), ["plan-endpoint", "state-endpoint"]);
}

#[test]
fn plan_is_blocked_in_another_account() {
    let account = |uin: Option<&str>| Account { endpoint: "sandbox".to_owned(), uin: uin.map(str::to_owned) };
    let recorded = |uin| State { account: Some(account(uin)), ..state(Vec::new()) };
    let plan =
        |state: &State, uin| Plan { account: account(uin), ..make(&declared(&[("a", A)]), Some(state)) };
    let other = || Some("100000000002");
    let only = |uin: &str| vec![uin.to_owned()];
    let here = target();
    let table = [
        (None, None, vec![], CallerIdentity::Account(UIN), vec![]),
        (Some(UIN), Some(UIN), only(UIN), CallerIdentity::Account(UIN), vec![]),
        (other(), None, vec![], CallerIdentity::Account(UIN), vec!["state-account"]),
        (None, other(), vec![], CallerIdentity::Account(UIN), vec!["plan-account"]),
        (None, None, only("100000000002"), CallerIdentity::Account(UIN), vec!["account-not-allowed"]),
        (
            other(),
            other(),
            only("100000000002"),
            CallerIdentity::Account(UIN),
            vec!["state-account", "account-not-allowed"],
        ),
        // If an account is expected, it has to be known.
        (None, None, vec![], CallerIdentity::Waived, vec![]),
        (Some(UIN), None, vec![], CallerIdentity::Waived, vec!["account-unknown"]),
        (None, None, only(UIN), CallerIdentity::Waived, vec!["account-unknown"]),
    ];
    for (of_state, of_plan, allowed, whose, expected) in table {
        let state = recorded(of_state);
        let plan = plan(&state, of_plan);
        let facts = Facts { allowed_accounts: &allowed, ..facts(Some(&state), &here) };
        match approve(&plan, &facts, whose) {
            Ok(approved) => {
                assert_eq!(expected, Vec::<&str>::new(), "{of_state:?} {of_plan:?} {whose:?}");
                let uin = approved.account().uin.as_deref();
                assert_eq!(uin, (whose != CallerIdentity::Waived).then_some(UIN));
            }
            Err(found) => {
                let found: Vec<_> = found.iter().map(Blocker::code).collect();
                assert_eq!(found, expected, "{of_state:?} {of_plan:?} {whose:?}");
            }
        }
    }
}

#[test]
fn plan_that_calls_the_api_is_not_approved_before_the_account_is_known() {
    let here = target();
    let not_asked = |plan: &Plan| approve(plan, &facts(None, &here), CallerIdentity::NotAsked).map(drop);
    let plan = make(&declared(&[("a", A)]), None);
    assert_eq!(not_asked(&plan), Err(vec![Blocker::AccountNotAsked]));
    assert_eq!(not_asked(&make(&declared(&[]), None)), Ok(()));
}

#[test]
fn changed_or_missing_manifest_makes_a_plan_stale() {
    let hash = |sha256: &str| ManifestHash { path: PathBuf::from("a.yaml"), sha256: sha256.to_owned() };
    let desired = Desired { manifests: vec![hash("1")], ..declared(&[("a", A)]) };
    let plan = make(&desired, None);
    let here = target();
    for (now, fine) in [(Some(hash("1")), true), (Some(hash("2")), false), (None, false)] {
        let manifests = [(PathBuf::from("a.yaml"), now)];
        let facts = Facts { manifests: &manifests, ..facts(None, &here) };
        assert_eq!(blockers(&plan, &facts).is_empty(), fine);
    }
}

#[test]
fn stricter_of_the_plans_and_the_current_guards_applies() {
    let desired = declared(&[("a", A), ("b", &[(postpay::FREE_QUOTA, "basic")])]);
    let here = target();
    let open = Guards::default();
    let limited = |max_creates, max_creates_per_day, require_alias| Guards {
        limits: Limits { max_creates, max_creates_per_day, max_cost: None, require_alias },
        allowed_accounts: Vec::new(),
    };
    let only = |uin: &str| Guards { allowed_accounts: vec![uin.to_owned()], ..Guards::default() };
    for (guards, code) in [
        (limited(Some(1), None, false), "too-many-orders"),
        (limited(None, Some(2), false), "too-many-orders"),
        (limited(None, None, true), "missing-alias"),
        (only("100000000002"), "account-not-allowed"),
    ] {
        for (of_plan, present) in [(&guards, &open), (&open, &guards), (&guards, &guards)] {
            let plan = Plan { guards: of_plan.clone(), ..make(&desired, None) };
            let plan = file::decode(&file::encode(&plan)).unwrap();
            let facts = Facts {
                limits: present.limits,
                allowed_accounts: &present.allowed_accounts,
                orders_last_day: 1,
                ..facts(None, &here)
            };
            assert_eq!(codes(&plan, &facts), [code], "{of_plan:?} {present:?}");
        }
    }
    // Different allowed accounts leave none.
    let plan = Plan { guards: only(UIN), ..make(&desired, None) };
    let others = ["100000000002".to_owned()];
    let facts = Facts { allowed_accounts: &others, ..facts(None, &here) };
    assert_eq!(codes(&plan, &facts), ["account-not-allowed"]);
}

#[test]
fn plan_is_for_one_endpoint_one_state_and_one_region() {
    let plan = make(&declared(&[("a", A)]), None);
    for (target, code) in [
        (Target { endpoint: "http://127.0.0.1:1".to_owned(), ..target() }, "plan-endpoint"),
        (Target { state_path: "other/s.json".to_owned(), ..target() }, "plan-state"),
        (Target { region: Some("ap-shanghai".to_owned()), ..target() }, "plan-region"),
    ] {
        assert_eq!(codes(&plan, &facts(None, &target)), [code]);
    }
}

#[test]
fn plan_that_the_manifests_do_not_produce_is_blocked() {
    let here = target();
    let plan = make(&declared(&[("a", A)]), None);
    let other = make(&declared(&[("a", B)]), None);
    for (remade, fine) in [(&plan, true), (&other, false)] {
        let facts = Facts { remade: Some(remade), ..facts(None, &here) };
        assert_eq!(blockers(&plan, &facts).is_empty(), fine);
    }
}

#[test]
fn require_alias_applies_to_plan_files() {
    let here = target();
    let nameless: &[(Field, &str)] = &[(postpay::ENV_SOURCE, "qcloud")];
    let plan = make(&declared(&[("a", A), ("b", nameless), ("c", &[(postpay::ENV_ID, "e-9")])]), None);
    let limits = Limits { require_alias: true, ..Limits::default() };
    let found = blockers(&plan, &Facts { limits, ..facts(None, &here) });
    assert_eq!(found, [Blocker::NoAlias { address: address("b") }]);
}

#[test]
fn limits_are_exact() {
    let plan = make(&declared(&[("a", A), ("b", B)]), None);
    let here = target();
    let with = |max_creates, max_creates_per_day, orders_last_day| {
        let limits = Limits { max_creates, max_creates_per_day, max_cost: None, require_alias: false };
        blockers(&plan, &Facts { orders_last_day, limits, ..facts(None, &here) }).len()
    };
    assert_eq!(with(Some(2), None, 0), 0);
    assert_eq!(with(Some(1), None, 0), 1);
    assert_eq!(with(None, Some(5), 3), 0);
    assert_eq!(with(None, Some(5), 4), 1);
    assert_eq!(with(Some(0), Some(0), 0), 2);
}

#[test]
fn edited_plan_with_a_recomputed_checksum_is_blocked() {
    let recorded = state(vec![("a", record(Status::Created, A))]);
    let mut plan = make(&declared(&[("a", A)]), Some(&recorded));
    plan.steps[0].action = Action::Create;
    let here = target();
    let found = blockers(&plan, &facts(Some(&recorded), &here));
    assert_eq!(found, [Blocker::AlreadyOrdered { address: address("a") }]);

    let mut twice = make(&declared(&[("b", B)]), None);
    twice.steps.push(twice.steps[0].clone());
    let found = blockers(&twice, &facts(None, &here));
    assert_eq!(found, [Blocker::AlreadyOrdered { address: address("b") }]);
}

#[test]
fn plan_file_round_trips() {
    let recorded = state(vec![
        ("a", record(Status::Unknown, A)),
        ("gone", record(Status::Created, &[(postpay::EXTRA, r#"{"k":"\u001b"}"#)])),
        ("old", record(Status::Created, B)),
    ]);
    let plan =
        make(&declared(&[("a", A), ("renamed", B), ("c", &[(postpay::ENV_ALIAS, "我的")])]), Some(&recorded));
    let text = file::encode(&plan);
    assert_eq!(file::decode(&text).unwrap(), plan);
    assert_eq!(file::encode(&file::decode(&text).unwrap()), text);
}

#[test]
fn altered_plan_file_is_rejected() {
    use file::PlanFileError as E;
    let text = file::encode(&make(&declared(&[("a", A)]), None));
    assert!(matches!(file::decode(""), Err(E::Empty)));
    assert!(matches!(file::decode(&text[..text.len() / 2]), Err(E::Json(_))));
    assert!(matches!(file::decode("[]"), Err(E::NotAPlan)));
    assert!(matches!(file::decode("{\"format_version\":1}"), Err(E::NotAPlan)));
    let newer = text.replacen(r#""format_version": 1"#, r#""format_version": 2"#, 1);
    assert!(matches!(file::decode(&newer), Err(E::Version { found: 2 })));
    for (from, to) in [
        ("basic", "Basic"),
        ("\"a\"", "\"b\""),
        ("\"serial\": 0", "\"serial\": 1"),
        ("\"create\": 1", "\"create\": 0"),
    ] {
        let altered = text.replacen(from, to, 1);
        assert_ne!(altered, text, "{from}");
        assert!(matches!(file::decode(&altered), Err(E::Altered)), "{from}");
    }
    for (from, to) in [
        ("{", "{\"more\": 1,"),
        ("\"ids\": {", "\"ids\": {\"more\": 1,"),
        ("\"alias\": \"a\"", "\"alias\": \"a\", \"alias\": \"a\""),
        ("\"serial\": 0", "\"serial\": 0, \"serial\": 0"),
    ] {
        let extended = text.replacen(from, to, 1);
        assert_ne!(extended, text, "{from}");
        assert!(matches!(file::decode(&extended), Err(E::Json(_))), "{from}");
    }
}

proptest! {
    #[test]
    fn plan_file_decoding_never_panics(text in ".{0,200}") {
        let _ = file::decode(&text);
    }

    #[test]
    fn plan_after_everything_was_created_is_empty(
        names in proptest::collection::btree_set("[a-z][a-z0-9-]{0,8}", 0..6),
        flag in proptest::option::of("[A-Za-z]{1,6}"),
    ) {
        let environments = names.iter().map(|name| {
            let mut attributes = attributes(&[(postpay::ALIAS, name)]);
            if let Some(flag) = &flag {
                attributes.set(postpay::FLAG, flag.clone());
            }
            Environment {
                address: address(name),
                attributes,
                lifecycle: Lifecycle::default(),
                import: None,
                source: source(1),
            }
        });
        let desired = Desired { environments: environments.collect(), ..Desired::default() };
        let first = make(&desired, None);
        prop_assert_eq!(first.orders().count(), names.len());
        let ordered = first.steps.iter().map(|step| {
            let attributes = step.after.clone().unwrap();
            (step.address.as_str(), Record { attributes, ..record(Status::Created, &[]) })
        });
        let recorded = state(ordered.collect());
        prop_assert!(!make(&desired, Some(&recorded)).has_changes());
    }
}

#[test]
fn a_plan_with_prices_accepts_no_higher_ones() {
    let by_use = attributes(A);
    let kind = crate::kinds::find("package").unwrap();
    let mut bought = Attributes::new(kind);
    for (name, value) in [("alias", "shop"), ("package", "baas_personal")] {
        bought.set(kind.field(name).unwrap(), value);
    }
    let here = target();
    let facts = facts(None, &here);
    let prices = |price: &str| Prices::from([("baas_personal".to_owned(), price.parse().unwrap())]);
    for (attributes, now, codes) in [
        (&bought, Some(prices("20")), &[][..]),
        (&bought, Some(prices("19.9")), &[]),
        (&bought, Some(prices("20.01")), &["price-changed"]),
        (&bought, Some(Prices::new()), &["price-changed"]),
        (&bought, None, &["price-changed"]),
        (&by_use, None, &[]),
    ] {
        let mut desired = declared(&[("shop", A)]);
        desired.environments[0].attributes = attributes.clone();
        let plan = Plan { prices: Some(prices("20")), ..make(&desired, None) };
        let checked = guard::check(plan, &facts).unwrap().at_prices(now.as_ref());
        let found: Vec<&str> = checked.err().iter().flatten().map(Blocker::code).collect();
        assert_eq!(found, codes, "{now:?}");
    }
}
