//! Which `postpay.yaml` files are accepted, and how others are reported.

use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::diagnostic::assert_chinese;
use crate::diagnostic::render::render;
use crate::drift::{Code, Ignore};

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
fn every_setting_is_read() {
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
                region: Some("ap-shanghai".parse().unwrap()),
                list_regions: Some(vec!["ap-shanghai".parse().unwrap(), "ap-guangzhou".parse().unwrap(),]),
                language: Some(Language::EnUs),
                rate: Some(0.5),
                in_flight: Some(32),
                timeout: Some(Duration::from_millis(1500)),
            },
            guard: Guard {
                max_creates: Some(5),
                max_cost: None,
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
            warnings: Vec::new(),
        })
    );
}

#[test]
fn create_region_missing_from_list_regions_is_a_warning() {
    let warnings = |api: &str| {
        let text = format!("version: 1\napi:\n  {api}\n");
        let warnings = parse(&source(&text)).unwrap().warnings;
        assert_chinese(&warnings);
        let code_and_line = |warning: &Diagnostic| {
            assert!(!warning.is_error());
            format!("{} {}", warning.code, warning.labels[0].span.start().line)
        };
        warnings.iter().map(code_and_line).collect::<Vec<_>>()
    };
    let here = "region: ap-guangzhou";
    assert_eq!(warnings(&format!("list_regions: [ap-shanghai]\n  {here}")), ["region-not-listed 4"]);
    for fine in [
        here.to_owned(),
        "list_regions: [ap-shanghai]".to_owned(),
        format!("{here}\n  list_regions: []"),
        format!("{here}\n  list_regions: [ap-shanghai, ap-guangzhou]"),
    ] {
        assert!(warnings(&fine).is_empty(), "{fine}");
    }
}

#[test]
fn missing_settings_are_none() {
    assert_eq!(parse(&source("version: 1\n")), Ok(Config::default()));
    assert_eq!(parse(&source("version: 1\napi: {rate: ~, timeout: }\nguard:\n---\n")), Ok(Config::default()));
    let config = parse(&source("version: 1\nmanifests: here\napi: {timeout: 90}\n")).unwrap();
    assert_eq!(config.manifests, Some(vec![PathBuf::from("here")]));
    assert_eq!(config.api.timeout, Some(Duration::from_secs(90)));
}

#[test]
fn all_problems_are_reported_at_once() {
    let text = "version: 1\nmanifest: x\napi:\n  endpoint: http://tcb.tencentcloudapi.com\n  rate: .inf\n  in_flight: 33\n  timeout: 0s\n  language: zh\n  list_regions: ap-shanghai\n  retries: 3\nguard:\n  allow_destroy: 1\n  allowed_accounts: [shop]\n  max_creates: -1\n  require_alias: 'yes'\nstate: ''\nignore:\n  - {code: alias-chnged, until: soon, why: x}\n  - {code: gone, address: NO, reason: r, until: 2027-01-31}\n  - gone\n";
    let problems = parse(&source(text)).unwrap_err();
    insta::assert_snapshot!(render(&problems, false, crate::i18n::Lang::En));
    assert_chinese(&problems);
}

#[test]
fn version_must_be_one() {
    assert_eq!(codes(""), ["missing-version 1"]);
    assert_eq!(codes("# nothing\n"), ["missing-version 1"]);
    assert_eq!(codes("state: x.json\n"), ["missing-version 1"]);
    assert_eq!(codes("version:\n"), ["missing-version 1"]);
    assert_eq!(codes("version: '1'\n"), ["unsupported-version 1"]);
    assert_eq!(codes("version: 1.0\n"), ["unsupported-version 1"]);
    assert_eq!(codes("version: 2\nnew: x\n"), ["unsupported-version 1"]);
}

#[test]
fn unexpected_shapes_are_reported() {
    assert_eq!(codes("- version\n"), ["wrong-type 1"]);
    assert_eq!(codes("version: 1\n---\nversion: 1\n"), ["several-documents 3"]);
    assert_eq!(codes("version: 1\napi: [\n"), ["yaml-syntax 3"]);
    assert_eq!(codes("version: 1\nmanifests: []\n"), ["empty-value 2"]);
    assert_eq!(codes("version: 1\nmanifests: [~]\n"), ["wrong-type 2"]);
    assert_eq!(codes("version: 1\nversion: 1\n"), ["duplicate-key 2"]);
    assert_eq!(codes("version: 1\napi: {rate: 0}\n"), ["out-of-range 2"]);
    assert_eq!(codes("version: 1\napi: {rate: .nan}\n"), ["out-of-range 2"]);
    assert_eq!(codes("version: 1\napi: {rate: 0.0009}\n"), ["out-of-range 2"]);
    assert_eq!(codes("version: 1\napi: {timeout: 87601h}\n"), ["invalid-value 2"]);
    assert_eq!(codes("version: 1\napi: {in_flight: 0}\n"), ["out-of-range 2"]);
    assert_eq!(codes("version: 1\napi: {timeout: 1.5}\n"), ["invalid-value 2"]);
}

#[test]
fn null_in_a_guard_is_an_error() {
    for (section, keys) in [
        ("", &["manifests", "state"][..]),
        ("api", &["endpoint", "region", "list_regions"]),
        (
            "guard",
            &["max_creates", "max_creates_per_day", "allow_destroy", "allowed_accounts", "require_alias"],
        ),
    ] {
        for key in keys {
            let text = match section {
                "" => format!("version: 1\n{key}:\n"),
                section => format!("version: 1\n{section}: {{{key}: }}\n"),
            };
            assert_eq!(codes(&text), ["empty-value 2"], "{text}");
            let pointer = match section {
                "" => format!("/properties/{key}"),
                section => format!("/properties/{section}/properties/{key}"),
            };
            let schema = config_schema();
            let schema = schema.pointer(&pointer).unwrap().to_string();
            assert!(!schema.contains("\"null\""), "{key}: {schema}");
        }
    }
}

#[test]
fn only_the_address_of_an_ignored_drift_may_be_null() {
    let ignore = |address: &str| {
        format!("version: 1\nignore: [{{code: gone, address: {address}, reason: k, until: 2099-01-01}}]\n")
    };
    assert_eq!(parse(&source(&ignore("null"))).unwrap().ignores[0].address, None);
    assert!(parse(&source(&ignore("shop"))).unwrap().ignores[0].address.is_some());
    for (code, reason, until) in
        [("null", "k", "2099-01-01"), ("gone", "null", "2099-01-01"), ("gone", "k", "")]
    {
        let text = format!("version: 1\nignore: [{{code: {code}, reason: {reason}, until: {until}}}]\n");
        assert_eq!(codes(&text), ["missing-field 2"], "{text}");
    }
}

#[test]
fn state_must_be_a_file_and_a_url_is_not_shown() {
    for state in ["mysql://u:secret@h/db", "s3://bucket/key", "state/", "a/.."] {
        let text = format!("version: 1\nstate: {state}\n");
        let problems = parse(&source(&text)).unwrap_err();
        assert_chinese(&problems);
        assert_eq!(codes(&text), ["invalid-value 2"], "{text}");
        let shown = render(&problems, false, crate::i18n::Lang::En);
        assert!(!shown.contains("secret"), "{shown}");
    }
    for state in ["state/a.json", "a:b.json", "../x.json", "/a/b.json"] {
        assert!(parse(&source(&format!("version: 1\nstate: {state}\n"))).is_ok(), "{state}");
    }
}

#[test]
fn invisible_characters_are_rejected_in_every_setting() {
    for unseen in ["\\u00AD", "\\u202E", "\\u200B", "\\U000E0041", "\\t"] {
        for setting in [
            format!("api: {{list_regions: [\"ap-shanghai{unseen}\"]}}"),
            format!("api: {{region: \"ap-shanghai{unseen}\"}}"),
            format!("state: \"s{unseen}.json\""),
            format!("manifests: [\"a{unseen}\"]"),
        ] {
            let text = format!("version: 1\n{setting}\n");
            assert_eq!(codes(&text), ["empty-value 2"], "{text}");
        }
    }
}

#[test]
fn schema_has_the_minimum_rate() {
    let rate = &config_schema()["properties"]["api"];
    assert!(rate.to_string().contains(&format!("\"minimum\":{MIN_RATE}")));
}

#[test]
fn region_is_checked_in_every_setting() {
    let long = "a".repeat(20_000);
    for region in ["上海", "AP-shanghai", long.as_str()] {
        let create = format!("version: 1\napi:\n  region: {region}\n");
        assert_eq!(codes(&create), ["invalid-value 3"]);
        let listed = format!("version: 1\napi:\n  list_regions:\n    - ap-shanghai\n    - {region}\n");
        assert_eq!(codes(&listed), ["invalid-value 5"]);
    }
}

#[test]
fn userinfo_of_a_url_is_never_shown() {
    for endpoint in [
        "https://user:hunter2@host",
        "'https://user:hunter2 with@host'",
        "user:hunter2@host",
        "\"https://user:hunter2\\x40host\"",
        "[https://user:hunter2@host]",
        "&a https://user:hunter2@host",
        ">-\n    https://user:hunter2@host",
    ] {
        // Another problem whose excerpt may include this line.
        let text = format!("version: 1\napi:\n  endpoint: {endpoint}\n  retries: 3\n");
        let problems = parse(&source(&text)).unwrap_err();
        for lang in [crate::i18n::Lang::En, crate::i18n::Lang::Zh] {
            let shown = render(&problems, false, lang);
            assert!(!shown.contains("hunter2"), "{endpoint}:\n{shown}");
            assert!(!format!("{problems:?}").contains("hunter2"));
        }
        let of_retries = problems.iter().find(|problem| problem.code == "unknown-field");
        let span = &of_retries.unwrap().labels[0].span;
        assert_eq!(span.text(), "retries", "{endpoint}");
    }
}

#[test]
fn credentials_in_the_file_are_not_shown() {
    for text in [
        "version: 1\nsecret_key: hunter2hunter2\n",
        "version: 1\napi: {secretId: hunter2hunter2, token: hunter2hunter2}\n",
        "version: 1\ncredentials:\n  - hunter2hunter2\n",
    ] {
        let problems = parse(&source(text)).unwrap_err();
        let shown = render(&problems, false, crate::i18n::Lang::En);
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("do not store credentials here"), "{shown}");
    }
}

#[test]
fn every_invalid_account_is_reported_and_an_empty_list_is_a_warning() {
    let text = "version: 1\nguard:\n  allowed_accounts:\n    - '1'\n    - x\n    - ''\n    - 'y'\n";
    let problems = parse(&source(text)).unwrap_err();
    let lines: Vec<_> = problems.iter().map(|problem| problem.labels[0].span.start().line).collect();
    assert_eq!(lines, [5, 6, 7]);
    let warnings = parse(&source("version: 1\nguard: {allowed_accounts: []}\n")).unwrap().warnings;
    assert_eq!(warnings[0].code, "no-allowed-accounts");
    assert_chinese(&warnings);
}
