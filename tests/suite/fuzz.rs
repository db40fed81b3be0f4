//! The laws of the fuzz targets, held a short time on stable: for arbitrary bytes, and for what once was valid.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use postpay::check::{self, Options};
use postpay::kinds::postpay as fields;
use postpay::manifest;
use postpay::model::{Address, Attributes, SourceRef};
use postpay::plan::{Options as PlanOptions, Plan, Target, file};
use postpay::state::encode_journal;
use postpay::state::journal::{
    EndReason, Entry, Event, Evidence, Intent, Journal, Outcome, RunEnded, RunId, RunStarted,
};
use postpay::state::{Account, Lineage, Serial};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use uuid::Uuid;

#[path = "../fuzz/laws.rs"]
mod laws;

/// Something that happens to bytes on their way.
#[derive(Debug, Clone)]
enum Mutation {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Delete(Index, usize),
    /// A piece stands once more, somewhere else.
    Repeat(Index, usize, Index),
    Cut(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let telling = prop_oneof![
        vec(any::<u8>(), 1..4),
        prop::sample::select(vec![
            "null",
            "{",
            "}",
            "[",
            "\"",
            ":",
            ",",
            "\n",
            "\\u0000",
            "1e5",
            "-1",
            "99999999999999999999999",
            "&a",
            "*a",
            "<<: *a",
            "\u{feff}",
            "\u{1b}[31m",
            "\u{9b}31m",
            "\u{ad}",
            "\u{200d}",
            "\u{202e}",
            "\u{2028}",
            "\u{3164}",
            "\u{e0041}",
            "\"\\u202e\\u200b\"",
            "❤\u{fe0f}",
            "é",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        (any::<Index>(), telling).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (any::<Index>(), 1..20_usize).prop_map(|(at, length)| Mutation::Delete(at, length)),
        (any::<Index>(), 1..80_usize, any::<Index>())
            .prop_map(|(from, length, to)| Mutation::Repeat(from, length, to)),
        any::<Index>().prop_map(Mutation::Cut),
    ]
}

fn mutated(mut bytes: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        let place = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
        match mutation {
            Mutation::Set(at, byte) => {
                let at = place(at, &bytes);
                if let Some(old) = bytes.get_mut(at) {
                    *old = *byte;
                }
            }
            Mutation::Insert(at, more) => {
                let at = place(at, &bytes);
                bytes.splice(at..at, more.iter().copied());
            }
            Mutation::Delete(at, length) => {
                let at = place(at, &bytes);
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Mutation::Repeat(from, length, to) => {
                let (from, to) = (place(from, &bytes), place(to, &bytes));
                let piece = bytes[from..(from + length).min(bytes.len())].to_vec();
                bytes.splice(to..to, piece);
            }
            Mutation::Cut(at) => bytes.truncate(place(at, &bytes)),
        }
    }
    bytes
}

/// Holds a law for `valid` as they are, for what mutations make of them, and for anything.
fn hold(law: fn(&[u8]), valid: Vec<Vec<u8>>) {
    assert!(!valid.is_empty());
    for bytes in &valid {
        law(bytes);
    }
    let any_bytes = prop_oneof![
        1 => vec(any::<u8>(), 0..300),
        1 => ".{0,100}".prop_map(String::into_bytes),
        4 => (prop::sample::select(valid), vec(mutation(), 1..6))
            .prop_map(|(bytes, mutations)| mutated(bytes, &mutations)),
    ];
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(bytes in any_bytes)| law(&bytes));
}

fn fixtures(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/fixtures").join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn manifests() {
    hold(laws::manifest, [fixtures("valid"), fixtures("invalid")].concat());
}

#[test]
fn states() {
    hold(laws::state, fixtures("state/v1"));
}

fn journal_of_one_run() -> Journal {
    let run = RunId(Uuid::from_u128(7));
    let attributes: Attributes = [(fields::ALIAS, "商店".to_owned())].into_iter().collect();
    let address = Address::new("shop").unwrap();
    let events = [
        Event::Intent(Intent {
            step: 1,
            attempt: 1,
            address: address.clone(),
            action: "CreatePostpayPackage".to_owned(),
            attributes,
            members: std::collections::BTreeMap::new(),
            source: SourceRef { file: "a.yaml".to_owned(), line: 3 },
            replaces: None,
            prevent_destroy: false,
            resends: None,
        }),
        Event::Outcome(Outcome {
            step: 1,
            attempt: 1,
            address,
            evidence: Evidence::Ordered,
            tran_id: Some("1".to_owned()),
            env_id: None,
            request_id: Some("r".to_owned()),
            code: None,
            message: None,
            http_status: Some(200),
            body: None,
            took_ms: 12,
        }),
        Event::RunEnded(RunEnded { reason: EndReason::Finished }),
    ];
    Journal {
        started_at: Timestamp::UNIX_EPOCH,
        started: RunStarted {
            format_version: postpay::state::FormatVersion,
            run,
            lineage: Lineage(Uuid::from_u128(1)),
            base: Serial(3),
            tool_version: "0.1.0".to_owned(),
            account: account(),
            plan: "0".repeat(64),
            who: "a@b".to_owned(),
            pid: 4,
            region: None,
            commit: None,
        },
        entries: events.into_iter().map(|event| Entry { at: Timestamp::UNIX_EPOCH, event }).collect(),
    }
}

fn account() -> Account {
    Account { endpoint: "sandbox".to_owned(), uin: None }
}

#[test]
fn journals() {
    let whole = journal_of_one_run();
    let mut open = whole.clone();
    open.entries.truncate(1);
    hold(laws::journal, vec![encode_journal(&whole).unwrap(), encode_journal(&open).unwrap()]);
}

#[test]
fn plan_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/fixtures");
    let plans = ["valid/everything.yaml", "valid/minimal.yaml"].map(|name| {
        let loaded = {
            let project = &folder;
            let bounds = manifest::Bounds { project, typed: true };
            manifest::load(&folder, &[name.into()], bounds, None)
        };
        let desired = check::check(&loaded, Options::default()).desired;
        assert!(!desired.environments.is_empty());
        let plan = Plan::make(
            &desired,
            None,
            PlanOptions::default(),
            Target {
                account: account(),
                endpoint: "sandbox".to_owned(),
                region: Some("ap-shanghai".to_owned()),
                state_path: "a.state.json".to_owned(),
            },
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        file::encode(&plan).into_bytes()
    });
    hold(laws::plan_file, plans.to_vec());
}

#[test]
fn responses() {
    let bodies = [
        r#"{"Response":{"EnvId":"cdnheader-v2a","RequestId":"r","TranId":"20200603119423"}}"#,
        r#"{"Response":{"TranId":20200603119423,"EnvId":null,"RequestId":"r"}}"#,
        r#"{"Response":{"TranId":1e5,"RequestId":"r"}}"#,
        r#"{"Response":{"TranId":202006031194230000000000001}}"#,
        r#"{"Response":{"Error":{"Code":"InternalError","Message":"出错"},"RequestId":"r"}}"#,
        r#"{"Response":{"RequestId":"r"}}"#,
        r#"{"code":4100,"message":"no","codeDesc":"AuthFailure","TranId":"7"}"#,
        r#"{"Response":{"EnvList":[{"EnvId":"a","Alias":"b","PackageName":null}],"Total":1,"RequestId":"r"}}"#,
        r#"{"Response":{"EnvBillingInfoList":[{"EnvId":"a","OrderInfo":{"TranId":"1"}}],"Total":1,"RequestId":"r"}}"#,
        r#"{"Response":{"AccountId":"1","Arn":"a","UserId":"2","Type":"CAMUser","RequestId":"r"}}"#,
        r#"{"Response":{"Credentials":{"Token":"t","TmpSecretId":"i","TmpSecretKey":"k"},"ExpiredTime":1,"RequestId":"r"}}"#,
        "<!DOCTYPE html><html></html>",
    ];
    hold(laws::response, bodies.map(|body| body.as_bytes().to_vec()).to_vec());
}
