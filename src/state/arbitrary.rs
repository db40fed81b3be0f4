//! States and journals for property tests: those that a run can leave, and arbitrary ones.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use uuid::Uuid;

use super::journal::{
    Edit, Edited, EndReason, Entry, Event, Evidence, Intent, Journal, Outcome, Recovered, RunEnded,
    RunStarted,
};
use crate::kinds::postpay;
use crate::model::{Address, Attributes, InstanceKey, SourceRef};
use crate::state::record::RunId;
use crate::state::record::{Account, Lineage, Origin, Record, Serial, State, Status};

pub(crate) const ORDER: &str = "CreatePostpayPackage";

pub(crate) fn address() -> impl Strategy<Value = Address> {
    select(vec!["a", "b", "c", "shop-prod", "0_x"]).prop_map(|text| Address::new(text).unwrap())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9-]{1,8}".boxed(),
        // Characters that JSON must escape, and some that it need not.
        "[\"\\\\\n\t\u{0}\u{7f}\u{2028}环境 é😀]{0,4}".boxed(),
    ]
}

fn moment() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_000_000_000, 0_i32..1_000_000_000)
        .prop_map(|(second, nano)| Timestamp::new(second, nano).unwrap())
}

fn run() -> impl Strategy<Value = RunId> {
    any::<u128>().prop_map(|bits| RunId(Uuid::from_u128(bits)))
}

fn attributes() -> impl Strategy<Value = Attributes> {
    btree_map(select(postpay::KIND.fields().collect::<Vec<_>>()), text(), 0..4)
        .prop_map(|fields| fields.into_iter().collect())
}

fn source() -> impl Strategy<Value = SourceRef> {
    (text(), any::<u32>()).prop_map(|(file, line)| SourceRef { file, line })
}

fn account() -> impl Strategy<Value = Account> {
    (text(), option::of(text())).prop_map(|(endpoint, uin)| Account { endpoint, uin })
}

pub(crate) fn record() -> impl Strategy<Value = Record> {
    (
        select(vec![
            Status::Created,
            Status::AwaitingEnvId,
            Status::Unknown,
            Status::Isolated,
            Status::Destroying,
        ]),
        option::of(text()),
        option::of(text()),
        option::of(text()),
        select(vec![Origin::Ordered, Origin::Imported]),
        attributes(),
        moment(),
        run(),
        (source(), option::of(text()), any::<bool>()),
    )
        .prop_map(
            |(
                status,
                env_id,
                tran_id,
                request_id,
                origin,
                attributes,
                ordered_at,
                run,
                (source, region, prevent_destroy),
            )| {
                Record {
                    status,
                    env_id,
                    tran_id,
                    request_id,
                    origin,
                    attributes,
                    ordered_at,
                    run,
                    source,
                    region,
                    prevent_destroy,
                    deposed_at: None,
                }
            },
        )
}

pub(crate) fn deposed() -> impl Strategy<Value = (InstanceKey, Record)> {
    (address(), record(), text(), moment()).prop_map(|(address, record, env_id, at)| {
        let record = Record { env_id: Some(env_id.clone()), deposed_at: Some(at), ..record };
        (InstanceKey::deposed(address, env_id), record)
    })
}

/// Removes environments that repeat an EnvId.
pub(crate) fn distinct(state: State) -> State {
    let numbered = |((key, mut record), number): ((InstanceKey, Record), u32)| {
        record.env_id = record.env_id.map(|id| format!("{id}-{number}"));
        let deposed = key.deposed.and_then(|_| record.env_id.clone());
        (InstanceKey { address: key.address, deposed }, record)
    };
    State { environments: state.environments.into_iter().zip(0..).map(numbered).collect(), ..state }
}

pub(crate) fn state() -> impl Strategy<Value = State> {
    (
        any::<u128>(),
        0..u64::from(u32::MAX),
        text(),
        option::of(account()),
        option::of(run()),
        btree_map(address(), record(), 0..4),
        vec(deposed(), 0..3),
    )
        .prop_map(|(lineage, serial, tool_version, account, last_run, current, deposed)| State {
            format_version: crate::state::FormatVersion,
            lineage: Lineage(Uuid::from_u128(lineage)),
            serial: Serial(serial),
            tool_version,
            account,
            last_run,
            environments: current
                .into_iter()
                .map(|(address, record)| (InstanceKey::current(address), record))
                .chain(deposed)
                .collect(),
        })
}

pub(crate) fn started() -> impl Strategy<Value = RunStarted> {
    (
        run(),
        any::<u128>(),
        0..u64::from(u32::MAX),
        account(),
        text(),
        any::<u32>(),
        (option::of(text()), option::of(text())),
    )
        .prop_map(|(run, lineage, base, account, who, pid, (region, commit))| RunStarted {
            format_version: crate::state::FormatVersion,
            run,
            lineage: Lineage(Uuid::from_u128(lineage)),
            base: Serial(base),
            tool_version: "0.1.0".to_owned(),
            account,
            plan: "sha256:0".to_owned(),
            who,
            pid,
            region,
            commit,
        })
}

/// How a step ends: not at all, or with an outcome.
type End = Option<(Evidence, Option<String>, Option<String>)>;

fn end() -> impl Strategy<Value = End> {
    let id = || "[a-z0-9]{6}";
    prop_oneof![
        Just(None),
        (id(), option::of(id())).prop_map(|(tran, env)| Some((Evidence::Ordered, Some(tran), env))),
        (option::of(id()), option::of(id())).prop_map(|(tran, env)| Some((Evidence::Unknown, tran, env))),
        Just(Some((Evidence::Refused, None, None))),
        // A response that contradicts itself.
        id().prop_map(|tran| Some((Evidence::Refused, Some(tran), None))),
        Just(Some((Evidence::NotSent, None, None))),
    ]
}

/// A journal that a run can leave: one create step per environment, after attempts that were not sent, with
/// steps in flight together; cut off anywhere or ended.
pub(crate) fn journal() -> impl Strategy<Value = Journal> {
    let steps = btree_map(address(), (0_u32..3, attributes(), end()), 0..5);
    (started(), moment(), steps, vec(any::<Index>(), 40), any::<bool>()).prop_map(
        |(started, at, steps, picks, ended)| {
            let mut queues: Vec<Vec<Event>> = steps
                .into_iter()
                .zip(1..)
                .map(|((address, (not_sent, attributes, end)), step)| {
                    let intent = |attempt| {
                        Event::Intent(Intent {
                            step,
                            attempt,
                            address: address.clone(),
                            action: ORDER.to_owned(),
                            attributes: attributes.clone(),
                            members: BTreeMap::new(),
                            source: SourceRef { file: "environments/all.yaml".to_owned(), line: step },
                            replaces: None,
                            prevent_destroy: false,
                            resends: None,
                        })
                    };
                    let outcome_event = |attempt, (evidence, tran_id, env_id)| {
                        Event::Outcome(outcome(step, attempt, &address, evidence, tran_id, env_id))
                    };
                    let mut events = Vec::new();
                    for attempt in 1..=not_sent {
                        events.push(intent(attempt));
                        events.push(outcome_event(attempt, (Evidence::NotSent, None, None)));
                    }
                    events.push(intent(not_sent + 1));
                    events.extend(end.map(|end| outcome_event(not_sent + 1, end)));
                    events.reverse();
                    events
                })
                .collect();
            let mut entries = Vec::new();
            for pick in picks {
                queues.retain(|queue| !queue.is_empty());
                if !queues.is_empty() {
                    let queue = pick.index(queues.len());
                    entries.extend(queues[queue].pop().map(|event| Entry { at, event }));
                }
            }
            if ended {
                let reason = EndReason::Finished;
                entries.push(Entry { at, event: Event::RunEnded(RunEnded { reason }) });
            }
            Journal { started_at: at, started, entries }
        },
    )
}

pub(crate) fn outcome(
    step: u32,
    attempt: u32,
    address: &Address,
    evidence: Evidence,
    tran_id: Option<String>,
    env_id: Option<String>,
) -> Outcome {
    Outcome {
        step,
        attempt,
        address: address.clone(),
        evidence,
        tran_id,
        env_id,
        request_id: Some(format!("request-{step}-{attempt}")),
        code: None,
        message: None,
        http_status: Some(200),
        body: None,
        took_ms: 40,
    }
}

fn wild_event() -> impl Strategy<Value = Event> {
    let intent = (
        0_u32..4,
        0_u32..3,
        address(),
        select(vec![ORDER, "DestroyEnv", "ModifyEnv", "Other"]),
        attributes(),
        (source(), option::of(text()), any::<bool>()),
    )
        .prop_map(|(step, attempt, address, action, attributes, (source, replaces, prevent_destroy))| {
            Event::Intent(Intent {
                step,
                attempt,
                address,
                action: action.to_owned(),
                attributes,
                members: BTreeMap::new(),
                source,
                replaces,
                prevent_destroy,
                resends: None,
            })
        });
    let evidence = select(vec![Evidence::Ordered, Evidence::Refused, Evidence::NotSent, Evidence::Unknown]);
    let outcomes = (
        (0_u32..4, 0_u32..3, address(), evidence),
        (option::of(text()), option::of(text())),
        (option::of(text()), option::of(text()), option::of(text())),
    )
        .prop_map(|((step, attempt, address, evidence), (tran, env), (code, message, body))| {
            Event::Outcome(Outcome {
                code,
                message,
                body,
                ..outcome(step, attempt, &address, evidence, tran, env)
            })
        });
    let edit = prop_oneof![
        (address(), option::of(record())).prop_map(|(address, record)| Edit::current(address, record)),
        (address(), address()).prop_map(|(from, to)| Edit::Move { from, to }),
        (deposed(), any::<bool>())
            .prop_map(|((key, record), is_put)| Edit::set(key, is_put.then_some(record))),
    ];
    let edited = (text(), edit).prop_map(|(doing, edit)| Event::Edited(Edited { doing, edit }));
    prop_oneof![3 => intent, 3 => outcomes, 1 => edited]
}

/// Any events that can be encoded, whether or not a run would write them.
pub(crate) fn wild_journal() -> impl Strategy<Value = Journal> {
    let events = vec((moment(), wild_event()), 0..16);
    let end = option::of((text(), vec(address(), 0..3)));
    (started(), moment(), events, end).prop_map(|(started, started_at, events, end)| {
        let mut entries: Vec<Entry> = events.into_iter().map(|(at, event)| Entry { at, event }).collect();
        entries.extend(end.map(|(by, unknown)| Entry {
            at: started_at,
            event: Event::Recovered(Recovered { by, unknown }),
        }));
        Journal { started_at, started, entries }
    })
}

/// The ids in a state.
pub(crate) fn ids(state: &State) -> Vec<&String> {
    state.environments.values().flat_map(|record| record.tran_id.iter().chain(&record.env_id)).collect()
}
