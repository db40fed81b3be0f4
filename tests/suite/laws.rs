//! Laws that hold across rooms: what a plan orders, once the journal is folded and the state was on disk, is not ordered
//! again, whatever the fields hold.

use std::path::Path;

use jiff::Timestamp;
use postpay::kinds::postpay as fields;
use postpay::model::{Address, Attributes, Desired, Environment, Lifecycle, SourceRef};
use postpay::plan::{Options, Plan, Target};
use postpay::state::journal::{Event, Evidence, Intent, Outcome, RunId, RunStarted};
use postpay::state::{Account, Lineage, Replay, State};
use postpay::state::{decode_state, encode_state};
use proptest::prelude::*;

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

fn plan(desired: &Desired, state: Option<&State>) -> Plan {
    let (selection, now) = (Options::default(), Timestamp::UNIX_EPOCH);
    Plan::make(desired, state, selection, target(), now).unwrap()
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let fields = proptest::sample::select(fields::KIND.fields().collect::<Vec<_>>());
    let value = "[a-zA-Z0-9 \"{}:\u{4e00}-\u{4e10}]{1,8}";
    proptest::collection::btree_map(fields, value, 0..6).prop_map(|fields| fields.into_iter().collect())
}

fn desired() -> impl Strategy<Value = Desired> {
    proptest::collection::btree_map("[a-z][a-z0-9-]{0,8}", attributes(), 0..6).prop_map(|all| {
        let environments = all.into_iter().zip(1..).map(|((name, attributes), line)| {
            let file = "a.yaml".to_owned();
            Environment {
                address: Address::new(&name).unwrap(),
                attributes,
                lifecycle: Lifecycle::default(),
                import: None,
                source: SourceRef { file, line },
            }
        });
        Desired {
            environments: environments.collect(),
            manifests: Vec::new(),
            moved: Vec::new(),
            removed: Vec::new(),
        }
    })
}

/// What the plan's orders leave when the first `taken` of them were taken and the answer of the next was lost.
fn applied(plan: &Plan, taken: usize) -> State {
    let started = RunStarted {
        format_version: postpay::state::FormatVersion,
        run: RunId::fresh(),
        lineage: Lineage::fresh(),
        base: plan.serial,
        tool_version: "0.1.0".to_owned(),
        account: account(),
        plan: String::new(),
        who: "ada@loom".to_owned(),
        pid: 7,
        region: None,
        commit: None,
    };
    let mut replay = Replay::new(None, started);
    for (step, number) in plan.orders().take(taken + 1).zip(1..) {
        let intent = Event::Intent(Intent {
            step: number,
            attempt: 1,
            address: step.address.clone(),
            action: step.after.as_ref().unwrap().kind().action.to_owned(),
            attributes: step.after.clone().unwrap(),
            members: std::collections::BTreeMap::new(),
            source: step.source.clone(),
            replaces: None,
            prevent_destroy: false,
            resends: None,
        });
        replay.apply(Timestamp::UNIX_EPOCH, &intent);
        if usize::try_from(number).unwrap() > taken {
            break;
        }
        let outcome = Event::Outcome(Outcome {
            step: number,
            attempt: 1,
            address: step.address.clone(),
            evidence: Evidence::Ordered,
            tran_id: Some(number.to_string()),
            env_id: Some(format!("env-{number}")),
            request_id: None,
            code: None,
            message: None,
            http_status: Some(200),
            body: None,
            took_ms: 1,
        });
        replay.apply(Timestamp::UNIX_EPOCH, &outcome);
    }
    let bytes = encode_state(&replay.finish()).unwrap();
    decode_state(Path::new("state"), &bytes).unwrap()
}

proptest! {
    #[test]
    fn a_plan_after_its_own_apply_is_empty(desired in desired()) {
        let first = plan(&desired, None);
        let state = applied(&first, first.steps.len());
        prop_assert!(!plan(&desired, Some(&state)).has_changes());
    }

    #[test]
    fn a_plan_after_half_an_apply_orders_the_other_half_and_not_the_unknown_one(
        desired in desired(),
        taken in 0_usize..7,
    ) {
        let first = plan(&desired, None);
        let state = applied(&first, taken);
        let again = plan(&desired, Some(&state));
        let left: Vec<_> = again.orders().map(|step| &step.address).collect();
        let expected: Vec<_> = first.orders().map(|step| &step.address).skip(taken + 1).collect();
        prop_assert_eq!(left, expected);
    }
}
