//! What `postpay.yaml` may say, and what becomes of what it may not.

use super::*;
use crate::diagnostic::assert_chinese;
use crate::diagnostic::render::render;
use crate::drift::Code;

fn source(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile::new("postpay.yaml", text))
}

fn codes(text: &str) -> Vec<String> {
    let problems = parse(&source(text)).unwrap_err();
    assert_chinese(&problems);
    problems
        .iter()
        .map(|problem| format!("{} {}", problem.code, problem.labels[0].span.start().line))
        .collect()
}

#[test]
fn everything_that_can_be_said_is_read() {
    let config = parse(&source(
        "version: 1\nmanifests: [a, b/c.yaml]\nstate: s.json\napi:\n  endpoint: sandbox\n  region: ap-shanghai\n  list_regions: [ap-shanghai, ap-guangzhou]\n  language: en-US\n  rate: 0.5\n  in_flight: 32\n  timeout: 1500ms\nguard:\n  max_creates: 5\n  max_creates_per_day: 0\n  allow_destroy: false\n  allowed_accounts: ['100000000001']\n  require_alias: true\nignore:\n  - {code: alias-changed, address: shop-prod, reason: renamed by hand, until: 2027-01-31}\n",
    ));
    assert_eq!(
        config,
        Ok(Config {
            manifests: Some(vec!["a".into(), "b/c.yaml".into()]),
            state: Some("s.json".into()),
            api: Api {
                endpoint: Some(Endpoint::Sandbox),
                region: Some("ap-shanghai".to_owned()),
                list_regions: Some(vec!["ap-shanghai".to_owned(), "ap-guangzhou".to_owned()]),
                language: Some(Language::EnUs),
                rate: Some(0.5),
                in_flight: Some(32),
                timeout: Some(Duration::from_millis(1500)),
            },
            guard: Guard {
                max_creates: Some(5),
                max_creates_per_day: Some(0),
                allow_destroy: Some(false),
                require_alias: Some(true),
                allowed_accounts: vec!["100000000001".to_owned()],
            },
            ignores: vec![Ignore {
                code: Code::AliasChanged,
                address: Some("shop-prod".parse().unwrap()),
                reason: "renamed by hand".into(),
                until: Some(jiff::civil::date(2027, 1, 31)),
            }],
        })
    );
}

#[test]
fn what_is_not_said_is_none() {
    assert_eq!(parse(&source("version: 1\n")), Ok(Config::default()));
    assert_eq!(
        parse(&source(
            "version: 1\napi: {rate: ~, timeout: }\nguard:\n---\n"
        )),
        Ok(Config::default())
    );
    let one = parse(&source("version: 1\nmanifests: here\napi: {timeout: 90}\n")).unwrap();
    assert_eq!(one.manifests, Some(vec![PathBuf::from("here")]));
    assert_eq!(one.api.timeout, Some(Duration::from_secs(90)));
}

#[test]
fn every_problem_is_told_at_once() {
    let text = "version: 1\nmanifest: x\napi:\n  endpoint: http://tcb.tencentcloudapi.com\n  rate: .inf\n  in_flight: 33\n  timeout: 0s\n  language: zh\n  list_regions: ap-shanghai\n  retries: 3\nguard:\n  allow_destroy: 1\n  allowed_accounts: [shop]\n  max_creates: -1\n  require_alias: 'yes'\nstate: ''\nignore:\n  - {code: alias-chnged, until: soon, why: x}\n  - {code: gone, address: NO, reason: r, until: 2027-01-31}\n  - gone\n";
    let problems = parse(&source(text)).unwrap_err();
    insta::assert_snapshot!(render(&problems, false, crate::lang::Lang::En));
    assert_chinese(&problems);
}

#[test]
fn the_version_is_the_number_one() {
    assert_eq!(codes(""), ["missing-version 1"]);
    assert_eq!(codes("# nothing\n"), ["missing-version 1"]);
    assert_eq!(codes("state: x.json\n"), ["missing-version 1"]);
    assert_eq!(codes("version:\n"), ["missing-version 1"]);
    assert_eq!(codes("version: '1'\n"), ["unsupported-version 1"]);
    assert_eq!(codes("version: 1.0\n"), ["unsupported-version 1"]);
    assert_eq!(codes("version: 2\nnew: x\n"), ["unsupported-version 1"]);
}

#[test]
fn odd_shapes_are_problems() {
    assert_eq!(codes("- version\n"), ["wrong-type 1"]);
    assert_eq!(
        codes("version: 1\n---\nversion: 1\n"),
        ["several-documents 3"]
    );
    assert_eq!(codes("version: 1\napi: [\n"), ["yaml-syntax 3"]);
    assert_eq!(codes("version: 1\nmanifests: []\n"), ["empty-value 2"]);
    assert_eq!(codes("version: 1\nmanifests: [~]\n"), ["wrong-type 2"]);
    assert_eq!(codes("version: 1\nversion: 1\n"), ["duplicate-key 2"]);
    for state in ["/abs/x.json", ".bash_login", "x", ".json", "x.json/"] {
        let text = format!("version: 1\nstate: {state}\n");
        assert_eq!(codes(&text), ["invalid-value 2"], "{state}");
    }
    assert_eq!(codes("version: 1\napi: {rate: 0}\n"), ["out-of-range 2"]);
    assert_eq!(codes("version: 1\napi: {rate: .nan}\n"), ["out-of-range 2"]);
    assert_eq!(
        codes("version: 1\napi: {rate: 0.0009}\n"),
        ["out-of-range 2"]
    );
    assert_eq!(
        codes("version: 1\napi: {timeout: 87601h}\n"),
        ["invalid-value 2"]
    );
    assert_eq!(
        codes("version: 1\napi: {in_flight: 0}\n"),
        ["out-of-range 2"]
    );
    assert_eq!(
        codes("version: 1\napi: {timeout: 1.5}\n"),
        ["invalid-value 2"]
    );
}

#[test]
fn the_schema_knows_the_least_rate() {
    let rate = &config_schema()["properties"]["api"];
    assert!(
        rate.to_string()
            .contains(&format!("\"minimum\":{MIN_RATE}"))
    );
}
