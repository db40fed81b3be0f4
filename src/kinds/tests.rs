//! A kind that exists for tests alone: it has every shape of value, no order number, and lives inside another environment,
//! whose EnvId it shares. It passes through every module that knows no kind by name.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use crate::check::{Checked, Options, check};
use crate::cloud::{Bills, SeenEnvironment};
use crate::diagnostic::{SourceFile, any_error};
use crate::drift::{self, Live};
use crate::manifest::{File, Loaded, parse};
use crate::model::kind::{Api, Field, FieldSpec, Kind, Null, Role, Shape};
use crate::model::{Address, Attributes, Desired, ManifestHash, Value};
use crate::plan::{self, Action, Plan, Reason, Target, file};

use crate::state::journal::{
    EndReason, Entry, Event, Evidence, Intent, Journal, Outcome, RunEnded, RunId, RunStarted,
};
use crate::state::{
    self, Account, Lineage, Serial, State, Status, decode_journal, decode_state, encode_journal, encode_state,
};

pub(super) static KIND: Kind = Kind {
    name: "site",
    api: Api { service: "tcb", version: "2018-06-08" },
    action: "CreateSite",
    fields: FIELDS,
    rules: &[],
    codes: &[],
    reads_offers: false,
    returns_tran_id: false,
    request_key: None,
    shares_env_id: true,
    look: None,
    pay_mode: None,
};

const FIELDS: &[FieldSpec] = &[
    FieldSpec {
        null: Null::Required,
        ..FieldSpec::new("env", "EnvId", Shape::Reference, "The environment.")
    },
    FieldSpec { role: Some(Role::EnvAlias), ..FieldSpec::new("title", "Title", Shape::Text, "A title.") },
    FieldSpec {
        values: &["a.example", "b.example"],
        code: "invalid-hosts",
        ..FieldSpec::new("hosts", "Hosts", Shape::List, "Hosts.")
    },
    FieldSpec::new("labels", "Labels", Shape::Map, "Labels."),
    FieldSpec {
        values: &["1", "2", "3"],
        code: "invalid-size",
        ..FieldSpec::new("size", "Size", Shape::Integer, "Size.")
    },
    FieldSpec::new("public", "Public", Shape::Bool, "Whether it is public."),
];

const SIZE: Field = Field::by_name(&KIND, "size");

const MANIFEST: &str = "\
version: 1
defaults: {env_source: qcloud, channel: qc_console}
environments:
  shop: {alias: shop}
  web:
    kind: site
    env: shop
    hosts: [b.example, a.example]
    labels: {team: web}
    size: 2
    public: true
";

fn checked(text: &str) -> Checked {
    let source = Arc::new(SourceFile::new("m.yaml", text));
    let parsed = parse(&source);
    let hash = ManifestHash { path: "m.yaml".into(), sha256: String::new() };
    let (documents, complete) = (parsed.documents, parsed.complete);
    let files = vec![File { source, hash, documents, complete }];
    let checked = check(&Loaded { files, diagnostics: parsed.diagnostics }, Options { require_alias: true });
    crate::diagnostic::assert_chinese(&checked.diagnostics);
    checked
}

fn desired(text: &str) -> Desired {
    let checked = checked(text);
    assert!(!any_error(&checked.diagnostics), "{:?}", checked.diagnostics);
    checked.desired
}

fn address(text: &str) -> Address {
    Address::new(text).unwrap()
}

fn account() -> Account {
    Account { endpoint: "sandbox".to_owned(), uin: None }
}

fn make(desired: &Desired, state: Option<&State>, options: plan::Options) -> Plan {
    let endpoint = "sandbox".to_owned();
    let target = Target { account: account(), endpoint, region: None, state_path: "s.json".to_owned() };
    Plan::make(desired, state, options, target, Timestamp::from_second(7200).unwrap()).unwrap()
}

fn steps(plan: &Plan) -> Vec<(&str, Action)> {
    plan.steps.iter().map(|step| (step.address.as_str(), step.action)).collect()
}

/// A run that creates what the plan says; both answers hold the EnvId of the shop, that of the site no TranId.
fn run(plan: &Plan) -> Journal {
    let started = RunStarted {
        format_version: state::FormatVersion,
        run: RunId::fresh(),
        lineage: Lineage::fresh(),
        base: Serial::default(),
        tool_version: "0.1.0".to_owned(),
        account: account(),
        plan: "sha256:plan".to_owned(),
        who: "ada".to_owned(),
        pid: 7,
        region: None,
        commit: None,
    };
    let mut entries = Vec::new();
    for (step, number) in plan.steps.iter().zip(0..) {
        let attributes = step.after.clone().unwrap();
        let tran_id = attributes.kind().returns_tran_id.then(|| "20261201000001".to_owned());
        let intent = Intent {
            step: number,
            attempt: 1,
            address: step.address.clone(),
            action: attributes.kind().action.to_owned(),
            attributes,
            members: BTreeMap::new(),
            source: step.source.clone(),
            replaces: None,
            prevent_destroy: false,
            resends: None,
        };
        let outcome = Outcome {
            step: number,
            attempt: 1,
            address: step.address.clone(),
            evidence: Evidence::Ordered,
            tran_id,
            env_id: Some("shop-abc123".to_owned()),
            request_id: None,
            code: None,
            message: None,
            http_status: Some(200),
            body: None,
            took_ms: 40,
        };
        entries.extend([Event::Intent(intent), Event::Outcome(outcome)]);
    }
    entries.push(Event::RunEnded(RunEnded { reason: EndReason::Finished }));
    let at = Timestamp::from_second(1).unwrap();
    let entries = entries.into_iter().map(|event| Entry { at, event }).collect();
    Journal { started, started_at: at, entries }
}

fn shown(alias: &str) -> SeenEnvironment {
    SeenEnvironment {
        env_id: "shop-abc123".to_owned(),
        alias: Some(alias.to_owned()),
        source: Some("qcloud".to_owned()),
        channel: Some("qc_console".to_owned()),
        status: Some("NORMAL".to_owned()),
        pay_mode: Some("postpaid".to_owned()),
        ..SeenEnvironment::default()
    }
}

fn codes(desired: &Desired, state: &State, alias: &str) -> Vec<&'static str> {
    let live = Live {
        environments: vec![shown(alias)],
        bills: Bills::default(),
        regions: vec![None],
        absent: HashSet::new(),
        known_ids: BTreeSet::new(),
    };
    let plan = make(desired, Some(state), plan::Options::default());
    let drift = drift::compare(&plan, desired, Some(state), Some(&live), &drift::Options::default());
    drift.findings.iter().map(|finding| finding.code.name()).collect()
}

#[test]
fn a_kind_of_its_own_passes_from_its_manifest_to_drift() {
    let desired = desired(MANIFEST);
    let site = &desired.environments[1].attributes;
    let stored = json!({
        "kind": "site", "env": "shop", "hosts": ["b.example", "a.example"], "labels": {"team": "web"}, "size": 2, "public": true,
    });
    assert_eq!(serde_json::to_value(site).unwrap(), stored);
    assert_eq!(serde_json::from_value::<Attributes>(stored).unwrap(), *site);

    // What it refers to is created first.
    let plan = make(&desired, None, plan::Options::default());
    assert_eq!(steps(&plan), [("shop", Action::Create), ("web", Action::Create)]);
    assert_eq!(file::decode(&file::encode(&plan)).unwrap().steps, plan.steps);

    let journal = run(&plan);
    let path = Path::new("journal.jsonl");
    let read = decode_journal(path, &encode_journal(&journal).unwrap()).unwrap();
    assert_eq!(read, journal);

    let state = state::rebuild(None, [&read]).unwrap();
    assert_eq!(decode_state(path, &encode_state(&state).unwrap()).unwrap(), state);
    for (name, tran_id) in [("shop", Some("20261201000001")), ("web", None)] {
        let record = state.get(&address(name)).unwrap();
        assert_eq!(record.status, Status::Created);
        assert_eq!((record.env_id.as_deref(), record.tran_id.as_deref()), (Some("shop-abc123"), tran_id));
    }

    let again = make(&desired, Some(&state), plan::Options::default());
    assert_eq!(steps(&again), [("shop", Action::NoOp), ("web", Action::NoOp)]);
    assert_eq!(codes(&desired, &state, "shop"), [""; 0]);
    // What the account shows of the environment is said of its own address alone.
    assert_eq!(codes(&desired, &state, "other"), ["alias-changed"]);

    let mut larger = desired.clone();
    larger.environments[1].attributes.set(SIZE, Value::Integer(3));
    let change = make(&larger, Some(&state), plan::Options::default());
    let step = change.steps.iter().find(|step| step.address == address("web")).unwrap();
    assert_eq!((step.action, step.changed_fields().collect::<Vec<_>>()), (Action::Replace, vec![SIZE]));
}

/// To destroy it would destroy the environment that it lives in.
#[test]
fn what_shares_an_environment_is_forgotten_and_not_destroyed() {
    let state =
        state::rebuild(None, [&run(&make(&desired(MANIFEST), None, plan::Options::default()))]).unwrap();
    let mut shop = desired(MANIFEST);
    shop.environments.truncate(1);
    let options = plan::Options { allow_destroy: true, ..plan::Options::default() };
    let plan = make(&shop, Some(&state), options);
    let step = plan.steps.iter().find(|step| step.address == address("web")).unwrap();
    assert_eq!((step.action, step.reason, &step.blocker), (Action::Forget, Reason::NotDeclared, &None));
}

#[test]
fn its_fields_are_checked_by_its_table() {
    let text = "\
version: 1
environments:
  web: {kind: site, env: shop, hosts: [c.example, 1], labels: [x], size: 4, public: 'yes', alias: web}
  shop: {kind: site, env: web}
  solo: {kind: site, size: two}
";
    let checked = checked(text);
    let places: Vec<String> = checked
        .diagnostics
        .iter()
        .map(|problem| format!("{} {}", problem.code, problem.labels[0].span))
        .collect();
    assert_eq!(
        places,
        [
            "unknown-reference m.yaml:3:26",
            "invalid-hosts m.yaml:3:40",
            "wrong-type m.yaml:3:51",
            "wrong-type m.yaml:3:63",
            "invalid-size m.yaml:3:74",
            "wrong-type m.yaml:3:85",
            "unknown-field m.yaml:3:92",
            "unknown-reference m.yaml:4:27",
            "missing-field m.yaml:5:3",
            "wrong-type m.yaml:5:28",
        ]
    );
}

/// What a package lacks or has too much, and the code and place of each problem.
#[test]
fn every_rule_of_a_package_is_checked() {
    const STORAGE: &str = "storage: {bucket: b-1, region: ap-shanghai, base_path: /a}";
    let table = [
        ("alias: shop, package: baas_personal, resources: [storage]", ""),
        ("alias: shop-2-x, package: baas_personal, resources: [function, postgresql], period: 24", ""),
        ("package: baas_personal, resources: [storage]", "missing-field 4"),
        ("alias: shop, resources: [storage]", "missing-field 4"),
        ("alias: shop, package: baas_personal", "missing-field 4"),
        ("alias: shop, package: baas_personal, resources: []", "empty-value 4"),
        ("alias: shop, package: baas_personal, resources: [storage, storage]", "invalid-resource 4"),
        ("alias: shop, package: baas_personal, resources: [storag]", "invalid-resource 4"),
        ("alias: shop, package: baas_personal, resources: [flexdb]", "resource-not-offered 4"),
        ("alias: shop, package: baas_persona, resources: [storage]", "unknown-package 4"),
        ("alias: -shop, package: baas_personal, resources: [storage]", "invalid-alias 4"),
        ("alias: shop-, package: baas_personal, resources: [storage]", "invalid-alias 4"),
        ("alias: shop--a, package: baas_personal, resources: [storage]", "invalid-alias 4"),
        ("alias: Shop, package: baas_personal, resources: [storage]", "invalid-alias 4"),
        ("alias: a12345678901234567890, package: baas_personal, resources: [storage]", "invalid-alias 4"),
        ("alias: shop, package: baas_personal, resources: [storage], period: 13", "invalid-period 4"),
        ("alias: shop, package: baas_personal, resources: [storage], period: '1'", "wrong-type 4"),
        ("alias: shop, package: baas_personal, resources: [storage], overrun: false", "overrun-off 4"),
        ("alias: shop, package: baas_personal, resources: [storage], overrun: 'TRUE'", "wrong-type 4"),
        ("alias: shop, package: baas_personal, resources: [storage], region: ap-tokyo", "unknown-region 4"),
        (
            "alias: shop, package: baas_personal, resources: [storage], region: ap-guangzhou",
            "region-on-request 4",
        ),
        ("alias: shop, package: baas_personal, resources: [storage], channel: qq", "unknown-field 4"),
        (
            "alias: shop, package: baas_personal, resources: [storage], storage: {bucket: b-1}",
            "missing-field 4 missing-field 4",
        ),
        (
            "alias: shop, package: baas_personal, resources: [storage], storage: {bucket: b-1, region: r, base_path: a, x: 1}",
            "unknown-field 4",
        ),
    ];
    let kind =
        |fields: &str| format!("version: 1\nenvironments:\n  # One.\n  one: {{kind: package, {fields}}}\n");
    let problems = |text: &str| {
        let problems = checked(text).diagnostics;
        let shown = problems.iter().map(|it| format!("{} {}", it.code, it.labels[0].span.start().line));
        shown.collect::<Vec<_>>().join(" ")
    };
    for (fields, expected) in table {
        assert_eq!(problems(&kind(fields)), expected, "{fields}");
    }
    let needed = |resources: &str| {
        kind(&format!("alias: shop, package: baas_personal, resources: [{resources}], {STORAGE}"))
    };
    assert_eq!(problems(&needed("storage")), "");
    assert_eq!(problems(&needed("function")), "storage-without-resource 4");
    let two = needed("storage") + &needed("storage").replace("one:", "two:").replace("shop", "shop-2")[34..];
    assert_eq!(problems(&two), "duplicate-base-path 5", "{two}");
}

#[test]
fn package_is_sent_as_the_api_takes_it() {
    let text = "\
version: 1
environments:
  one:
    kind: package
    alias: shop
    package: baas_personal
    resources: [storage, function]
    period: 3
    auto_renew: true
    tags: {team: web}
    region: ap-singapore
    storage: {bucket: b-1, region: ap-shanghai, base_path: /a}
";
    let order = desired(text).environments.remove(0).attributes;
    let body = crate::cloud::tencent::wire::create_body(&order, &BTreeMap::new());
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&body).unwrap(),
        json!({
            "Alias": "shop", "PackageId": "baas_personal", "Resources": ["storage", "function"], "Period": 3,
            "Tags": [{"Key": "team", "Value": "web"}], "RenewFlag": "NOTIFY_AND_AUTO_RENEW", "EnableOverrun": "TRUE",
            "ExternalStorage": {"BucketName": "b-1", "Region": "ap-shanghai", "BasePath": "/a", "Enabled": true},
        }),
        "the region is a header, and the switch is always sent"
    );
    assert_eq!(order.region(), Some("ap-singapore"));
    let stored = serde_json::to_value(&order).unwrap();
    assert_eq!(serde_json::from_value::<Attributes>(stored).unwrap(), order);
}

/// A field of the same name may mean something else in another kind.
#[test]
fn defaults_of_one_kind_do_not_change_the_meaning_of_another() {
    let text = "\
version: 1
defaults: {source: qcloud, env_source: qcloud, channel: qc_console, package: baas_personal}
environments:
  shop: {alias: shop}
  next: {kind: package, alias: next, resources: [function]}
  run: {kind: cloudrun, env: next, package_type: Trial}
";
    let run = &desired(text).environments[2].attributes;
    assert_eq!(
        serde_json::to_value(run).unwrap(),
        json!({"kind": "cloudrun", "env": "next", "package_type": "Trial"})
    );
}
