//! Plans for existing environments: update, move, import, replace, forget, destroy.

use super::super::file;
use super::super::moves::MoveError;
use super::*;
use crate::kinds::postpay;
use crate::model::{Import, InstanceKey, Moved, Removed};

/// A record with its own id.
fn owned(name: &str, status: Status, pairs: &[(Field, &str)]) -> Record {
    Record { env_id: (status != Status::AwaitingEnvId).then(|| format!("{name}-1")), ..record(status, pairs) }
}

fn created(name: &str) -> (&str, Record) {
    (name, owned(name, Status::Created, &[(postpay::ALIAS, name)]))
}

fn with(options: Options, desired: &Desired, state: &State) -> Plan {
    let plan = Plan::make(desired, Some(state), options, target(), Timestamp::UNIX_EPOCH).unwrap();
    // Every plan round-trips through a plan file.
    assert_eq!(file::decode(&file::encode(&plan)).unwrap(), plan);
    plan
}

fn allowed() -> Options {
    Options { allow_destroy: true, ..Options::default() }
}

fn step<'a>(plan: &'a Plan, name: &str) -> &'a Step {
    let mut steps = plan.steps.iter();
    steps.find(|step| step.address == address(name)).unwrap()
}

fn kinds(plan: &Plan) -> Vec<(String, Action, Reason)> {
    plan.steps.iter().map(|step| (step.address.to_string(), step.action, step.reason)).collect()
}

fn single_step(name: &str, action: Action, reason: Reason) -> Vec<(String, Action, Reason)> {
    vec![(name.to_owned(), action, reason)]
}

fn moved(from: &str, to: &str) -> Moved {
    Moved { from: address(from), to: address(to), source: source(3) }
}

/// Returns the new alias of an update.
fn renames(step: &Step) -> Option<String> {
    step.updates().next().map(|(_, value)| value.to_string())
}

#[test]
fn alias_is_updated_in_place_and_an_undeclared_one_stays() {
    let recorded = state(vec![created("a")]);
    let plan = make(&declared(&[("a", &[(postpay::ALIAS, "b")])]), Some(&recorded));
    assert_eq!(kinds(&plan), single_step("a", Action::Update, Reason::UpdatedInPlace));
    assert_eq!(renames(step(&plan, "a")).as_deref(), Some("b"));
    assert_eq!((plan.orders().count(), plan.changes().count()), (0, 1));

    let plan = make(&declared(&[("a", &[])]), Some(&recorded));
    assert_eq!(kinds(&plan), single_step("a", Action::NoOp, Reason::Unchanged));
    let given = make(
        &declared(&[("a", &[(postpay::ALIAS, "b")])]),
        Some(&state(vec![("a", owned("a", Status::Created, &[]))])),
    );
    assert_eq!(renames(step(&given, "a")).as_deref(), Some("b"));
}

#[test]
fn alias_and_another_field_force_replacement() {
    let recorded = state(vec![created("a")]);
    let pairs = &[(postpay::ALIAS, "b"), (postpay::FREE_QUOTA, "basic")];
    let plan = make(&declared(&[("a", pairs)]), Some(&recorded));
    assert_eq!(kinds(&plan), single_step("a", Action::Replace, Reason::CannotUpdate));
    assert_eq!(step(&plan, "a").blocker, Some(StepBlocker::Replacement));
    assert_eq!(plan.changes().count(), 0);
}

#[test]
fn environment_without_an_env_id_is_not_renamed() {
    let recorded = state(vec![("a", owned("a", Status::AwaitingEnvId, &[]))]);
    let plan = make(&declared(&[("a", &[(postpay::ALIAS, "b")])]), Some(&recorded));
    assert_eq!(kinds(&plan), single_step("a", Action::Wait, Reason::AwaitingEnvId));
}

#[test]
fn ignore_changes_keeps_a_field() {
    let recorded = state(vec![created("a")]);
    let mut desired = declared(&[("a", &[(postpay::ALIAS, "a"), (postpay::FLAG, "Activity")])]);
    desired.environments[0].lifecycle.ignore_changes = [postpay::FLAG].into();
    let plan = make(&desired, Some(&recorded));
    assert_eq!(kinds(&plan), single_step("a", Action::NoOp, Reason::Unchanged));

    desired.environments[0].attributes.set(postpay::ALIAS, "b");
    let plan = make(&desired, Some(&recorded));
    let update = step(&plan, "a");
    assert_eq!(update.changed, ["alias"]);
    assert_eq!(update.after.as_ref().unwrap().text(postpay::FLAG), None);

    let options = Options { replaces: vec![address("a")], ..Options::default() };
    let plan = with(options, &desired, &recorded);
    let order = step(&plan, "a").after.as_ref().unwrap();
    assert_eq!(order.text(postpay::FLAG), Some("Activity"), "a new one is ordered as it is declared");
}

#[test]
fn prevent_destroy_is_an_update() {
    let recorded = state(vec![created("a")]);
    let mut desired = declared(&[("a", &[(postpay::ALIAS, "a")])]);
    desired.environments[0].lifecycle.prevent_destroy = true;
    let plan = make(&desired, Some(&recorded));
    assert_eq!(kinds(&plan), single_step("a", Action::Update, Reason::ProtectionChanged));
    assert_eq!(renames(step(&plan, "a")), None);
    assert!(step(&plan, "a").changes_protection());
}

#[test]
fn requested_replacement_counts_as_a_create() {
    let recorded = state(vec![created("a"), created("b")]);
    let desired = declared(&[("a", &[(postpay::ALIAS, "a")]), ("b", &[(postpay::ALIAS, "b")])]);
    let options = Options { replaces: vec![address("a")], ..Options::default() };
    let plan = with(options, &desired, &recorded);
    assert_eq!(step(&plan, "a").reason, Reason::ReplaceRequested);
    assert_eq!(plan.orders().map(|step| step.address.as_str()).collect::<Vec<_>>(), ["a"]);
    let here = target();
    let facts = facts(Some(&recorded), &here);
    assert_eq!(blockers(&plan, &facts), []);
    let limited = Facts { limits: Limits { max_creates: Some(0), ..Limits::default() }, ..facts };
    assert_eq!(blockers(&plan, &limited), [Blocker::TooMany { orders: 1, limit: 0 }]);
}

#[test]
fn impossible_replacement_is_blocked() {
    let switched = [(postpay::ENV_ID, "a-1")];
    let recorded = state(vec![
        ("a", owned("a", Status::Created, &switched)),
        ("b", owned("b", Status::AwaitingEnvId, B)),
    ]);
    let options = Options { replaces: vec![address("a"), address("b")], ..Options::default() };
    let plan = with(options, &declared(&[("a", &switched), ("b", B)]), &recorded);
    assert_eq!(step(&plan, "a").blocker, Some(StepBlocker::ReplacesItself));
    assert_eq!(step(&plan, "b").blocker, Some(StepBlocker::ReplacesAwaiting));
    assert_eq!(plan.orders().count(), 0);
}

/// Adds a former environment of `a` to the state.
fn depose(state: &mut State, record: Record) {
    let key = InstanceKey::deposed(address("a"), record.env_id.clone().unwrap());
    state.environments.insert(key, Record { deposed_at: Some(Timestamp::UNIX_EPOCH), ..record });
}

#[test]
fn replacement_is_not_repeated_unless_something_changed() {
    let mut recorded = state(vec![created("a")]);
    depose(&mut recorded, created("old").1);
    let options = || Options { replaces: vec![address("a")], ..Options::default() };
    let same = declared(&[("a", &[(postpay::ALIAS, "a")])]);
    let plan = with(options(), &same, &recorded);
    let now = plan.steps.iter().find(|step| !step.deposed).unwrap();
    assert_eq!(now.blocker, Some(StepBlocker::ReplacedAlready));
    assert_eq!(plan.orders().count(), 0);

    let another = declared(&[("a", &[(postpay::ALIAS, "a"), (postpay::CHANNEL, "cocos")])]);
    assert_eq!(with(options(), &another, &recorded).orders().count(), 1);

    recorded.environments.retain(|key, _| !key.is_deposed());
    assert_eq!(with(options(), &same, &recorded).orders().count(), 1);
}

#[test]
fn orphaned_environments_are_kept_unless_destroys_are_allowed() {
    let mut protected = created("safe");
    protected.1.prevent_destroy = true;
    let recorded = state(vec![created("a"), created("b"), created("kept"), protected]);
    let desired = declared(&[("kept", &[(postpay::ALIAS, "kept")])]);
    let plan = with(Options::default(), &desired, &recorded);
    assert_eq!(plan.changes().count(), 0);
    assert_eq!(plan.blocked().count(), 0, "it holds nothing up");
    assert_eq!((plan.summary.kept, plan.summary.destroy), (3, 0));

    let plan = with(allowed(), &desired, &recorded);
    let names: Vec<&str> = plan.destroys().map(|step| step.address.as_str()).collect();
    assert_eq!(names, ["b", "a"], "last, and in reverse");
    assert_eq!(step(&plan, "safe").blocker, Some(StepBlocker::PreventDestroy));
    let here = target();
    let found = blockers(&plan, &facts(Some(&recorded), &here));
    assert_eq!(
        found.iter().map(Blocker::code).collect::<Vec<_>>(),
        ["destroy-not-allowed"; 2],
        "a plan file alone does not allow it"
    );
    let fine = Facts { allow_destroy: true, ..facts(Some(&recorded), &here) };
    assert_eq!(blockers(&plan, &fine), []);
}

#[test]
fn manifests_that_declare_nothing_destroy_nothing() {
    let recorded = state(vec![created("a")]);
    let plan = with(allowed(), &declared(&[]), &recorded);
    let here = target();
    let facts = Facts { allow_destroy: true, ..facts(Some(&recorded), &here) };
    assert_eq!(blockers(&plan, &facts), [Blocker::NothingDeclared { count: 1 }]);
}

#[test]
fn environment_of_another_address_is_not_destroyed() {
    let mut twin = created("b");
    twin.1.env_id = Some("a-1".to_owned());
    let recorded = state(vec![created("a"), twin]);
    let desired = declared(&[("b", &[(postpay::ALIAS, "b")])]);
    let plan = with(allowed(), &desired, &recorded);
    let here = target();
    let facts = Facts { allow_destroy: true, ..facts(Some(&recorded), &here) };
    let found = blockers(&plan, &facts);
    assert_eq!(found.iter().map(Blocker::code).collect::<Vec<_>>(), ["destroys-managed"]);
}

#[test]
fn environment_that_moves_to_a_declared_address_is_not_destroyed() {
    let recorded = state(vec![created("old")]);
    let mut desired = declared(&[("new", &[(postpay::ALIAS, "old")])]);
    desired.moved = vec![moved("old", "new")];
    let options = Options { mode: Mode::Destroy(vec![address("old")]), ..allowed() };
    let plan = with(options, &desired, &recorded);
    assert_eq!(step(&plan, "old").blocker, Some(StepBlocker::StillDeclared));
    for narrow in ["old", "new"] {
        let excluding = Options { excludes: vec![address(narrow)], ..Options::default() };
        assert_eq!(with(excluding, &desired, &recorded).steps, []);
        let targeting = Options { targets: vec![address(narrow)], ..Options::default() };
        assert_eq!(with(targeting, &desired, &recorded).steps.len(), 1);
    }
}

#[test]
fn import_is_not_created_in_place_of_an_isolated_environment() {
    let recorded = state(vec![("a", owned("a", Status::Isolated, &[(postpay::ALIAS, "a")]))]);
    let mut desired = declared(&[("a", &[(postpay::ALIAS, "a")])]);
    for (env_id, refused) in [("a-1", false), ("another", true)] {
        desired.environments[0].import =
            Some(Import { env_id: env_id.to_owned(), tran_id: None, source: source(2) });
        let plan = with(Options::default(), &desired, &recorded);
        assert_eq!(step(&plan, "a").action, Action::Import);
        assert_eq!(step(&plan, "a").blocker.is_some(), refused);
        assert_eq!(plan.orders().count(), 0);
    }
    // Renaming the key back does not create the environment again.
    desired.environments[0].import = None;
    let both = state(vec![("a", owned("a", Status::Isolated, &[(postpay::ALIAS, "old")])), created("b")]);
    desired.environments[0].attributes.set(postpay::ALIAS, "b");
    let plan = with(Options::default(), &desired, &both);
    assert_eq!(step(&plan, "a").blocker, Some(StepBlocker::Renamed { from: address("b") }));
}

#[test]
fn declared_protected_and_unknown_environments_are_not_destroyed() {
    let mut protected = created("safe");
    protected.1.prevent_destroy = true;
    let recorded = state(vec![
        created("declared"),
        protected,
        ("lost", owned("lost", Status::Unknown, &[])),
        ("waits", owned("waits", Status::AwaitingEnvId, &[])),
    ]);
    let names = ["declared", "safe", "lost", "waits"].map(address);
    let options = Options { mode: Mode::Destroy(names.to_vec()), ..allowed() };
    let plan = with(options, &declared(&[("declared", &[])]), &recorded);
    assert_eq!(plan.changes().count(), 0);
    assert_eq!(step(&plan, "declared").blocker, Some(StepBlocker::StillDeclared));
    assert_eq!(step(&plan, "safe").blocker, Some(StepBlocker::PreventDestroy));
    assert_eq!(plan.blocked().count(), 2, "what was asked for is not kept in silence");
    assert_eq!(step(&plan, "lost").action, Action::Resolve);
    assert_eq!(step(&plan, "waits").action, Action::Wait);
}

#[test]
fn deposed_environments_are_destroyed_only_by_name() {
    let mut recorded = state(vec![created("a")]);
    depose(&mut recorded, owned("a-old", Status::Created, &[(postpay::ALIAS, "a")]));
    let desired = declared(&[("a", &[(postpay::ALIAS, "a")])]);
    let plan = with(allowed(), &desired, &recorded);
    let shown = plan.steps.iter().find(|step| step.deposed).unwrap();
    assert_eq!((shown.action, shown.reason), (Action::NoOp, Reason::Deposed));
    assert!(!plan.has_changes());

    let options = Options { mode: Mode::DestroyDeposed(vec![address("a")]), ..allowed() };
    let plan = with(options, &desired, &recorded);
    let destroyed: Vec<_> = plan.destroys().map(|step| step.ids.env_id.clone()).collect();
    assert_eq!(destroyed, [Some("a-old-1".to_owned())]);
}

/// A replaced environment can't be declared any more, so its own protection could never be removed.
#[test]
fn deposed_environment_is_protected_by_the_declaration_at_its_address() {
    let mut recorded = state(vec![created("a")]);
    let mut old = owned("a-old", Status::Created, &[(postpay::ALIAS, "a")]);
    old.prevent_destroy = true;
    depose(&mut recorded, old);
    let options = Options { mode: Mode::DestroyDeposed(vec![address("a")]), ..allowed() };
    let mut desired = declared(&[("a", &[(postpay::ALIAS, "a")])]);
    assert_eq!(with(options.clone(), &desired, &recorded).destroys().count(), 1);
    desired.environments[0].lifecycle.prevent_destroy = true;
    let plan = with(options.clone(), &desired, &recorded);
    assert_eq!(step(&plan, "a").blocker, Some(StepBlocker::PreventDestroy));
    let plan = with(options, &declared(&[]), &recorded);
    assert_eq!(step(&plan, "a").blocker, Some(StepBlocker::PreventDestroy));
}

#[test]
fn isolated_environment_is_left_alone_and_can_be_created_again() {
    let recorded = state(vec![("a", owned("a", Status::Isolated, &[(postpay::ALIAS, "a")]))]);
    let plan = with(allowed(), &declared(&[]), &recorded);
    assert_eq!(kinds(&plan), single_step("a", Action::NoOp, Reason::Isolated));
    let plan = with(Options::default(), &declared(&[("a", &[(postpay::ALIAS, "a")])]), &recorded);
    assert_eq!(kinds(&plan), single_step("a", Action::Create, Reason::Destroyed));
    let here = target();
    assert_eq!(blockers(&plan, &facts(Some(&recorded), &here)), []);
}

#[test]
fn removed_address_is_forgotten_and_not_destroyed() {
    let recorded = state(vec![created("a"), ("lost", owned("lost", Status::Unknown, &[]))]);
    let removed =
        ["a", "lost", "never-was"].map(|name| Removed { address: address(name), source: source(4) });
    let desired = Desired { removed: removed.to_vec(), ..declared(&[]) };
    let plan = with(allowed(), &desired, &recorded);
    assert_eq!(step(&plan, "a").action, Action::Forget);
    assert_eq!(step(&plan, "lost").action, Action::Resolve, "it may have been created");
    assert_eq!(plan.steps.len(), 2);
    assert_eq!(plan.destroys().count(), 0);
}

#[test]
fn moved_environment_is_updated_at_its_new_address() {
    let recorded = state(vec![created("old")]);
    let mut desired = declared(&[("new", &[(postpay::ALIAS, "old")])]);
    desired.moved = vec![moved("old", "new")];
    let plan = with(allowed(), &desired, &recorded);
    assert_eq!(kinds(&plan), single_step("new", Action::Move, Reason::Moved));
    assert_eq!(step(&plan, "new").previous_address, Some(address("old")));
    assert_eq!(plan.summary.moved, 1);

    desired.environments[0].attributes.set(postpay::ALIAS, "new");
    let plan = with(allowed(), &desired, &recorded);
    assert_eq!(kinds(&plan), single_step("new", Action::Update, Reason::UpdatedInPlace));
    assert_eq!(step(&plan, "new").previous_address, Some(address("old")));
    assert_eq!((plan.summary.moved, plan.summary.update), (1, 1));

    // Blocks may stay after they are applied.
    let done = state(vec![("new", created("old").1)]);
    desired.environments[0].attributes.set(postpay::ALIAS, "old");
    let plan = with(allowed(), &desired, &done);
    assert_eq!(kinds(&plan), single_step("new", Action::NoOp, Reason::Unchanged));
}

#[test]
fn moves_form_chains() {
    let mut desired = declared(&[("c", &[(postpay::ALIAS, "x")])]);
    desired.moved = vec![moved("b", "c"), moved("a", "b")];
    for at in ["a", "b"] {
        let recorded = state(vec![(at, created("x").1)]);
        let plan = with(Options::default(), &desired, &recorded);
        assert_eq!(step(&plan, "c").previous_address, Some(address(at)));
        assert_eq!(plan.steps.len(), 1, "{at} is not left over");
    }
}

#[test]
fn move_that_does_not_fit_the_state_is_an_error() {
    let mut desired = declared(&[("c", &[(postpay::ALIAS, "x")])]);
    desired.moved = vec![moved("a", "b"), moved("b", "c")];
    let problems = |state: Option<&State>| {
        let options = Options::default();
        let made = Plan::make(&desired, state, options, target(), Timestamp::UNIX_EPOCH);
        made.map(drop).unwrap_err().into_iter().map(|problem| problem.why).collect::<Vec<_>>()
    };
    let missing = MoveError::Missing { from: address("b"), to: address("c") };
    assert_eq!(problems(None), std::slice::from_ref(&missing));
    assert_eq!(problems(Some(&state(vec![created("z")]))), [missing]);
    let used = |from, to| MoveError::Used { from: address(from), to: address(to) };
    let both = state(vec![created("b"), created("c")]);
    assert_eq!(problems(Some(&both)), [used("b", "c")]);
    let two = state(vec![created("a"), created("b")]);
    assert_eq!(problems(Some(&two)), [used("a", "b")]);

    desired.moved = vec![moved("a", "b"), moved("b", "a")];
    let made = Plan::make(&desired, None, Options::default(), target(), Timestamp::UNIX_EPOCH);
    let cycle = made.unwrap_err().remove(0).why;
    assert_eq!(cycle, MoveError::Cycle { from: address("a") });
}

#[test]
fn import_is_never_created() {
    let mut desired = declared(&[("a", A)]);
    desired.environments[0].import =
        Some(Import { env_id: "e-7".to_owned(), tran_id: None, source: source(2) });
    let plan = make(&desired, None);
    assert_eq!(kinds(&plan), single_step("a", Action::Import, Reason::ImportDeclared));
    assert_eq!(plan.orders().count(), 0);

    let mine = |env_id: &str, status| Record { env_id: Some(env_id.to_owned()), ..record(status, A) };
    let adopted = state(vec![("a", mine("e-7", Status::Created))]);
    let plan = with(Options::default(), &desired, &adopted);
    assert_eq!(kinds(&plan), single_step("a", Action::NoOp, Reason::Unchanged));

    let another = state(vec![("a", mine("e-8", Status::Created))]);
    let plan = with(Options::default(), &desired, &another);
    assert_eq!(
        plan.blocked().next().unwrap().blocker,
        Some(StepBlocker::ImportsAnother { env_id: "e-8".to_owned() })
    );
    let elsewhere = state(vec![("b", mine("e-7", Status::Created))]);
    let plan = with(Options::default(), &desired, &elsewhere);
    assert_eq!(step(&plan, "a").blocker, Some(StepBlocker::ManagedElsewhere { other: address("b") }));
}
