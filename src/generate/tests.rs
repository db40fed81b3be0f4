use super::*;
use crate::cloud::{BillOrder, PayMode};
use crate::kinds::postpay;
use crate::model::{Environment, Import, Lifecycle, SourceRef};

fn seen(env_id: &str, alias: &str) -> SeenEnvironment {
    SeenEnvironment {
        env_id: env_id.to_owned(),
        alias: Some(alias.to_owned()),
        source: Some("qcloud".to_owned()),
        channel: Some("qc_console".to_owned()),
        pay_mode: Some("postpaid".to_owned()),
        created_at: Some("2020-06-03 11:00:00".to_owned()),
        ..SeenEnvironment::default()
    }
}

fn bill(env_id: &str) -> Bill {
    Bill {
        env_id: env_id.to_owned(),
        pay_mode: Some(PayMode::Postpaid),
        free_quota: Some("basic".to_owned()),
        payment_channel: Some("qcloud".to_owned()),
        order: Some(BillOrder {
            tran_id: "20200603119423".to_owned(),
            flag: Some("No".to_owned()),
            ..BillOrder::default()
        }),
        ..Bill::default()
    }
}

fn declared(address: &str, alias: &str, env_id: Option<&str>) -> Environment {
    let source = SourceRef { file: "a.yaml".to_owned(), line: 1 };
    Environment {
        address: Address::new(address).unwrap(),
        attributes: [(postpay::ALIAS, alias.to_owned())].into_iter().collect(),
        lifecycle: Lifecycle::default(),
        import: env_id.map(|env_id| Import {
            env_id: env_id.to_owned(),
            tran_id: None,
            source: source.clone(),
        }),
        source,
    }
}

#[test]
fn manifest_has_what_the_account_shows_in_a_stable_order() {
    let seen = [
        seen("shop-2b", "shop"),
        SeenEnvironment {
            alias: Some("我的商店".to_owned()),
            channel: Some("weda\nx: 1".to_owned()),
            ..seen("legacy-1a", "")
        },
        SeenEnvironment { pay_mode: Some("prepayment".to_owned()), ..seen("old-3c", "old") },
        SeenEnvironment { status: Some("ISOLATE".to_owned()), ..seen("gone-4d", "gone") },
        seen("shop-1a", "shop"),
        seen("mine-1", "mine"),
    ];
    let desired =
        Desired { environments: vec![declared("shop", "other", Some("mine-1"))], ..Desired::default() };
    let drafts = draft(&seen, &Bills { shown: vec![bill("shop-2b")], incomplete: false }, &desired, None);
    assert_eq!(drafts.known, 1);
    insta::assert_snapshot!(manifest(&drafts, "sandbox"));
}

#[test]
fn addresses_are_unique_for_any_names() {
    let names = ["shop", "Shop", "商店", "-_-", "a b", "x".repeat(80).as_str()].map(str::to_owned);
    let seen: Vec<SeenEnvironment> =
        names.iter().enumerate().map(|(n, name)| seen(&format!("{n}!"), name)).collect();
    let desired = Desired {
        environments: vec![declared("shop", "x", None), declared("shop-2", "y", None)],
        ..Desired::default()
    };
    let drafts = draft(&seen, &Bills::default(), &desired, None).drafts;
    let addresses: Vec<&str> = drafts.iter().map(|draft| draft.address.as_str()).collect();
    let expected = ["shop-3", "shop-4", "2", "3", "a-b", &"x".repeat(54)];
    assert_eq!(addresses, expected);
}
