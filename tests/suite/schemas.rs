//! The published schemas are those that the types make. `UPDATE_SCHEMAS=1 cargo test` writes them anew.

use std::fs;
use std::path::Path;

use postpay::kinds::postpay as fields;
use postpay::model::{Address, Attributes, Desired, Environment, Lifecycle, SourceRef};
use postpay::plan::{Options, Plan, Target, file};
use postpay::report::events;
use postpay::report::schemas::PUBLISHED;
use postpay::state::Account;
use postpay::{config, manifest, state};
use serde_json::Value;

#[test]
fn no_published_schema_is_stale() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let files = [
        ("manifest.v1.schema.json", manifest::manifest_schema()),
        ("config.v1.schema.json", config::config_schema()),
        ("state.v1.schema.json", state::state_schema()),
        ("plan.v1.schema.json", file::schema()),
        ("events.v1.schema.json", events::schema()),
    ];
    let files = files.map(|(name, schema)| (name.to_owned(), schema));
    let documents = PUBLISHED.iter();
    let documents = documents.map(|(name, _, schema)| (format!("{name}.v1.schema.json"), schema()));
    let made: Vec<_> = files.into_iter().chain(documents).collect();
    let stale: Vec<&String> = made
        .iter()
        .filter(|(name, schema)| {
            let path = folder.join(name);
            let text = format!("{schema:#}\n");
            if std::env::var_os("UPDATE_SCHEMAS").is_some() {
                fs::write(&path, &text).unwrap();
            }
            fs::read_to_string(&path).ok() != Some(text)
        })
        .map(|(name, _)| name)
        .collect();
    assert!(stale.is_empty(), "stale: {stale:?}; run the tests with UPDATE_SCHEMAS=1");
}

#[test]
fn a_plan_fits_its_schema() {
    let attributes: Attributes = [(fields::ALIAS, "a".to_owned())].into_iter().collect();
    let environment = Environment {
        address: Address::new("a").unwrap(),
        attributes,
        lifecycle: Lifecycle::default(),
        import: None,
        source: SourceRef { file: "a.yaml".to_owned(), line: 1 },
    };
    let desired = Desired {
        environments: vec![environment],
        manifests: Vec::new(),
        moved: Vec::new(),
        removed: Vec::new(),
    };
    let account = Account { endpoint: "sandbox".to_owned(), uin: None };
    let target = Target {
        account,
        endpoint: "sandbox".to_owned(),
        region: None,
        state_path: "state/postpay.state.json".to_owned(),
    };
    let plan = Plan::make(&desired, None, Options::default(), target, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let schema = jsonschema::validator_for(&file::schema()).unwrap();
    let document: Value = serde_json::from_str(&file::encode(&plan)).unwrap();
    let problems: Vec<String> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let mut stranger = document;
    stranger["surprise"] = Value::Bool(true);
    assert!(!schema.is_valid(&stranger));
}
