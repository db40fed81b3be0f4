use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::*;
use crate::sandbox::event::ExternalState;
use crate::sandbox::options::{ListAlias, Options};

/// 2020-06-04 00:00:00 in Beijing.
const NOW: Timestamp = Timestamp::constant(1_591_200_000, 0);

fn account(env_ids: &[&str]) -> Account {
    let mut account = Account::default();
    for env_id in env_ids {
        let event =
            Event::Environment { env_id: (*env_id).to_owned(), at: Timestamp::UNIX_EPOCH, postpaid: None };
        apply(&mut account, &event);
    }
    account
}

fn params(value: &Value) -> Members {
    value.as_object().unwrap().clone()
}

/// Runs an action; a write is checked and not applied.
fn call_as(
    account: &Account,
    name: &str,
    asked: &Value,
    options: &Options,
    region: Option<&str>,
) -> Result<(Members, LedgerEntry), String> {
    let call = Call { params: params(asked), region, caller: SECRET_ID, at: NOW, options };
    let mut entry = LedgerEntry {
        at: NOW,
        action: name.to_owned(),
        region: region.map(str::to_owned),
        params: params(asked),
        ..LedgerEntry::default()
    };
    let answer = match Action::named(name).unwrap().run {
        Run::Read(answer) => answer(account, &call),
        Run::Write { check, .. } => check(account, &call, &mut entry),
    };
    answer.map(|members| (members, entry)).map_err(|rejection| rejection.code)
}

fn call(account: &Account, name: &str, asked: &Value) -> Result<(Members, LedgerEntry), String> {
    call_as(account, name, asked, &Options::new("unused"), None)
}

/// Runs a write and applies it.
fn write(account: &mut Account, name: &str, asked: &Value) {
    let (_, entry) = call(account, name, asked).unwrap();
    apply(account, &Event::Request(entry));
}

fn rows(answer: &Members, list: &str, member: &str) -> String {
    let rows = answer[list].as_array().unwrap();
    rows.iter().map(|row| row[member].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn create_postpay_package_follows_the_documented_rules() {
    let account = account(&["cdnheader-v2a"]);
    let ok = json!({"EnvSource":"qcloud","Channel":"qc_console"});
    let with = |more: Value| {
        let mut all = params(&ok);
        all.extend(params(&more));
        Value::Object(all)
    };
    let table = [
        (ok.clone(), ""),
        (with(json!({"FreeQuota":"basic","Alias":"a-1","Extra":"{}","EnvAlias":"我的","Flag":"X"})), ""),
        (with(json!({"FreeQuota":"","EnvId":"","Alias":""})), ""),
        (json!({"EnvId":"cdnheader-v2a"}), ""),
        (json!({"EnvSource":"miniapp","Channel":"ide","WxAppId":"wx1"}), ""),
        (json!({}), "MissingParameter"),
        (json!({"Alias":"a"}), "MissingParameter"),
        (json!({"EnvSource":"qcloud"}), "InvalidParameter"),
        (json!({"EnvId":"cdnheader-v2a","Channel":"qq"}), "InvalidParameter"),
        (json!({"EnvId":"unknown"}), "ResourceNotFound"),
        (json!({"EnvSource":"miniapp","Channel":"ide"}), "MissingParameter"),
        (with(json!({"Source":"miniapp"})), "MissingParameter"),
        (with(json!({"FreeQuota":"Basic"})), "InvalidParameterValue"),
        (json!({"EnvSource":"qcloud","Channel":"ide"}), "InvalidParameterValue"),
        (json!({"EnvSource":"other","Channel":"ide"}), "InvalidParameterValue"),
        (with(json!({"Alias":"Shop"})), "InvalidParameterValue"),
        (with(json!({"Alias":"1shop"})), "InvalidParameterValue"),
        (with(json!({"Alias":"a_b"})), "InvalidParameterValue"),
        (with(json!({"Region":"x"})), "UnknownParameter"),
        (with(json!({"Flag":1})), "InvalidParameter"),
        (with(json!({"Extra":{"a":1}})), "InvalidParameter"),
    ];
    for (body, code) in table {
        let got = call(&account, "CreatePostpayPackage", &body).err();
        assert_eq!(got.unwrap_or_default(), code, "{body}");
    }
}

#[test]
fn generated_ids_have_the_documented_form() {
    let mut account = account(&[]);
    let body = json!({"EnvSource":"qcloud","Channel":"qq","Alias":"shop"});
    let (answer, entry) = call(&account, "CreatePostpayPackage", &body).unwrap();
    assert_eq!(answer["TranId"], "20200604000001", "the date in Beijing");
    let env_id = answer["EnvId"].as_str().unwrap();
    assert!(env_id.starts_with("shop-") && env_id.len() == "shop-".len() + 16, "{env_id}");
    apply(&mut account, &Event::Request(entry));
    let body = json!({"EnvSource":"qcloud","Channel":"qq"});
    let (answer, _) = call(&account, "CreatePostpayPackage", &body).unwrap();
    assert_eq!(answer["TranId"], "20200604000002");
    assert!(answer["EnvId"].as_str().unwrap().starts_with("qcloud-"));
}

#[test]
fn an_existing_environment_is_switched_and_not_created_again() {
    let mut account = account(&["env-0"]);
    assert_eq!(account.envs[0].info.pay_mode, "prepayment");
    write(&mut account, "CreatePostpayPackage", &json!({"EnvId": "env-0"}));
    assert_eq!(account.envs.len(), 1);
    assert_eq!(account.envs[0].info.pay_mode, "postpaid");
    assert_eq!(account.envs[0].bill.pay_mode, "POSTPAID");
}

#[test]
fn changes_follow_the_documented_rules() {
    let mut account = account(&["a-1", "b-1"]);
    write(&mut account, "DestroyEnv", &json!({"EnvId":"b-1"}));
    let long = "a".repeat(33);
    let table = [
        ("ModifyEnv", json!({"EnvId":"a-1","Alias":"shop-2"}), Ok(true)),
        ("ModifyEnv", json!({"EnvId":"a-1","Alias":"Shop"}), Ok(true)),
        ("ModifyEnv", json!({"EnvId":"a-1","Alias":"我的CloudBase环境"}), Ok(true)),
        ("ModifyEnv", json!({"EnvId":"a-1","Alias":"环".repeat(32)}), Ok(true)),
        ("ModifyEnv", json!({"EnvId":"a-1","Alias":long}), Ok(true)),
        ("ModifyEnv", json!({"EnvId":"a-1","Alias":format!("{long}-Z9")}), Ok(true)),
        ("ModifyEnv", json!({"EnvId":"a-1"}), Ok(false)),
        ("ModifyEnv", json!({"EnvId":"a-1","Alias":""}), Ok(false)),
        ("ModifyEnv", json!({"EnvId":"a-1","CustomQps":500}), Ok(false)),
        ("ModifyEnv", json!({"EnvId":"a-1","Alias":"环".repeat(33)}), Err("InvalidParameter")),
        ("ModifyEnv", json!({"EnvId":"a-1","Alias":long.to_uppercase()}), Err("InvalidParameter")),
        ("ModifyEnv", json!({"EnvId":"a-1","Alias":format!("{long}_")}), Err("InvalidParameter")),
        ("ModifyEnv", json!({"EnvId":"a-1","Alias":1}), Err("InvalidParameter")),
        ("ModifyEnv", json!({"EnvId":["a-1"]}), Err("InvalidParameter")),
        ("ModifyEnv", json!({"EnvId":"a-1","EnvAlias":"x"}), Err("UnknownParameter")),
        ("ModifyEnv", json!({"Alias":"shop"}), Err("MissingParameter")),
        ("ModifyEnv", json!({"EnvId":"","Alias":"shop"}), Err("MissingParameter")),
        ("ModifyEnv", json!({"EnvId":null}), Err("MissingParameter")),
        ("ModifyEnv", json!({"EnvId":"z-1","Alias":"x"}), Err("ResourceNotFound")),
        ("DestroyEnv", json!({"EnvId":"a-1"}), Ok(true)),
        ("DestroyEnv", json!({"EnvId":"a-1","IsForce":false,"BypassCheck":true}), Ok(true)),
        ("DestroyEnv", json!({"EnvId":"a-1","IsForce":true}), Ok(true)),
        ("DestroyEnv", json!({"EnvId":"b-1"}), Ok(false)),
        ("DestroyEnv", json!({"EnvId":"b-1","IsForce":true}), Ok(true)),
        ("DestroyEnv", json!({"EnvId":"a-1","IsForce":"true"}), Err("InvalidParameter")),
        ("DestroyEnv", json!({"EnvId":"a-1","BypassCheck":1}), Err("InvalidParameter")),
        ("DestroyEnv", json!({"EnvId":"a-1","DeleteDirectly":true}), Err("UnknownParameter")),
        ("DestroyEnv", json!({"IsForce":true}), Err("MissingParameter")),
        ("DestroyEnv", json!({"EnvId":"z-1"}), Err("ResourceNotFound")),
    ];
    for (action, body, expected) in table {
        let got = call(&account, action, &body).map(|(_, entry)| entry.changed);
        assert_eq!(got.as_ref().map_err(String::as_str).copied(), expected, "{action} {body}");
    }
}

#[test]
fn a_rename_changes_the_alias_and_nothing_else() {
    let mut account = account(&["a-1", "b-1"]);
    let before = account.find("b-1").unwrap().info.clone();
    write(&mut account, "ModifyEnv", &json!({"EnvId":"b-1","Alias":"博客"}));
    let mut after = account.find("b-1").unwrap().info.clone();
    assert_eq!((&*after.alias, &*after.update_time), ("博客", "2020-06-04 00:00:00"));
    after.alias.clone_from(&before.alias);
    after.update_time.clone_from(&before.update_time);
    assert_eq!(after, before);
    assert_eq!(account.find("a-1").unwrap().info.alias, "a");
}

#[test]
fn destroy_isolates_first_and_then_deletes() {
    let mut account = account(&["a-1", "b-1"]);
    let again = json!({"EnvId":"a-1","FreeQuota":"basic"});
    let forced = json!({"EnvId":"a-1","IsForce":true});
    write(&mut account, "DestroyEnv", &json!({"EnvId":"a-1"}));
    let env = account.find("a-1").unwrap();
    assert_eq!((&*env.info.status, &*env.bill.status), ("ISOLATE", "ISOLATE"));
    assert_eq!(
        (&*env.info.update_time, &*env.bill.isolated_time),
        ("2020-06-04 00:00:00", "2020-06-04 00:00:00")
    );
    let code = |account: &Account, action, body| call(account, action, body).unwrap_err();
    assert_eq!(code(&account, "CreatePostpayPackage", &again), "ResourceUnavailable");
    write(&mut account, "DestroyEnv", &forced);
    assert_eq!(account.envs.len(), 1);
    assert!(account.had("a-1"));
    assert_eq!(code(&account, "DestroyEnv", &forced), "ResourceNotFound");
    assert_eq!(code(&account, "CreatePostpayPackage", &again), "ResourceNotFound");
    assert!(!account.find("b-1").unwrap().is_isolated());
}

#[test]
fn a_write_that_changed_nothing_is_not_applied() {
    let mut account = account(&["a-1"]);
    let (_, entry) = call(&account, "DestroyEnv", &json!({"EnvId":"a-1","IsForce":true})).unwrap();
    apply(&mut account, &Event::Request(LedgerEntry { changed: false, ..entry }));
    assert_eq!(account.envs.len(), 1);
    write(&mut account, "ModifyEnv", &json!({"EnvId":"a-1","Alias":"x"}));
    assert_eq!(account.new_tran_id(NOW), "20200604000001", "no change is an order");
}

#[test]
fn an_external_change_shows_in_the_list_and_on_the_bill() {
    let mut account = account(&["a-1"]);
    let change = |now: Value| Event::ExternalChange {
        env_id: "a-1".to_owned(),
        at: NOW,
        now: serde_json::from_value::<ExternalState>(now).unwrap(),
    };
    apply(&mut account, &change(json!({"status":"ABNORMAL","pay_mode":"postpaid"})));
    let env = &account.envs[0];
    assert_eq!((&*env.info.status, &*env.bill.status), ("ABNORMAL", "NORMAL"));
    assert_eq!((&*env.info.pay_mode, &*env.bill.pay_mode), ("postpaid", "POSTPAID"));
}

#[test]
fn environments_are_paged_and_filtered() {
    let ids: Vec<String> = (0..130).map(|n| format!("env-{n}")).collect();
    let account = account(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let table = [
        (json!({}), 20, 130),
        (json!({"Limit":500}), 100, 130),
        (json!({"Limit":100,"Offset":100}), 30, 130),
        (json!({"Limit":100,"Offset":1000}), 0, 130),
        (json!({"EnvId":"env-7"}), 1, 1),
        (json!({"EnvId":"no"}), 0, 0),
        (json!({"Channels":["qc_console"],"IsVisible":false}), 0, 0),
    ];
    for (body, count, total) in table {
        let (answer, _) = call(&account, "DescribeEnvs", &body).unwrap();
        assert_eq!(answer["EnvList"].as_array().unwrap().len(), count, "{body}");
        assert_eq!(answer["Total"], total, "{body}");
    }
    for (body, code) in [(json!({"Limit":"x"}), "InvalidParameter"), (json!({"Nope":1}), "UnknownParameter")]
    {
        assert_eq!(call(&account, "DescribeEnvs", &body).unwrap_err(), code);
    }
    let list = |list_alias, region| {
        let options = Options { list_alias, ..Options::new("unused") };
        call_as(&account, "DescribeEnvs", &json!({"Limit": 1}), &options, region).unwrap().0
    };
    assert_eq!(list(ListAlias::Alias, Some("ap-guangzhou"))["Total"], 0);
    assert_eq!(rows(&list(ListAlias::Capitals, Some("ap-shanghai")), "EnvList", "Alias"), "ENV");
    assert_eq!(rows(&list(ListAlias::None, None), "EnvList", "Alias"), "");
}

#[test]
fn bills_are_selected_and_paged() {
    let account = account(&["env-0", "env-1", "env-2", "env-3", "env-4"]);
    let table = [
        (json!({}), "env-0 env-1 env-2 env-3 env-4", 5),
        (json!({"EnvIds":[],"EnvId":""}), "env-0 env-1 env-2 env-3 env-4", 5),
        (json!({"EnvId":"env-1"}), "env-1", 1),
        (json!({"EnvIds":["env-3","no","env-1"],"EnvId":"env-0"}), "env-1 env-3", 2),
        (json!({"Limit":2,"Offset":3}), "env-3 env-4", 5),
        (json!({"Limit":2,"Offset":4}), "env-4", 5),
        (json!({"EnvIds":["no"]}), "", 0),
    ];
    for (body, expected, total) in table {
        let (answer, _) = call(&account, "DescribeBillingInfo", &body).unwrap();
        assert_eq!(rows(&answer, "EnvBillingInfoList", "EnvId"), expected, "{body}");
        assert_eq!(answer["Total"], total, "{body}");
    }
    for (body, code) in [
        (json!({"Limit":"x"}), "InvalidParameter"),
        (json!({"Limit":-1}), "InvalidParameter"),
        (json!({"Offset":1.5}), "InvalidParameter"),
        (json!({"EnvId":["a"]}), "InvalidParameter"),
        (json!({"EnvIds":"a"}), "InvalidParameter"),
        (json!({"EnvIds":[1]}), "InvalidParameter"),
        (json!({"EnvIDs":["a"]}), "UnknownParameter"),
    ] {
        assert_eq!(call(&account, "DescribeBillingInfo", &body).unwrap_err(), code, "{body}");
    }
}

#[test]
fn a_bill_has_the_documented_form() {
    let mut account = account(&["env-0"]);
    write(&mut account, "CreatePostpayPackage", &json!({"EnvId":"env-0","FreeQuota":"basic"}));
    let asked = json!({"EnvSource":"qcloud","Channel":"qq","Flag":"QuickStart","ExtensionId":"ext-1"});
    let options = Options::new("unused");
    let (_, entry) =
        call_as(&account, "CreatePostpayPackage", &asked, &options, Some("ap-guangzhou")).unwrap();
    let env_id = entry.env_id.clone().unwrap();
    apply(&mut account, &Event::Request(entry));
    apply(&mut account, &Event::Environment { env_id: "old-1".to_owned(), at: NOW, postpaid: None });
    let (answer, _) = call(&account, "DescribeBillingInfo", &json!({})).unwrap();
    let [switched, created, prepaid] = [0, 1, 2].map(|n| &answer["EnvBillingInfoList"][n]);
    assert_eq!(switched["PayMode"], "POSTPAID");
    assert_eq!(switched["FreeQuota"], "basic");
    assert_eq!(switched["PaymentChannel"], "qcloud");
    assert_eq!(switched["CreateTime"], "1970-01-01 08:00:00");
    let expected = json!({
        "TranId": "20200604000002", "PackageId": "", "TranType": 1, "TranStatus": 4,
        "CreateTime": "2020-06-04 00:00:00", "UpdateTime": "2020-06-04 00:00:00",
        "PayMode": "POSTPAID", "ExtensionId": "ext-1", "ResourceReady": "successful",
        "Flag": "QuickStart", "ReqBody": asked.to_string()
    });
    assert_eq!(created["OrderInfo"], expected);
    assert_eq!(created["ExpireTime"], "0000-00-00 00:00:00");
    assert_eq!(prepaid["PayMode"], "PREPAYMENT");
    assert_eq!(prepaid["OrderInfo"], Value::Null);
    assert_eq!(prepaid["ExpireTime"], "2020-07-04 00:00:00");
    let (listed, _) = call_as(&account, "DescribeEnvs", &json!({}), &options, Some("ap-guangzhou")).unwrap();
    assert_eq!(rows(&listed, "EnvList", "EnvId"), env_id, "a switched environment stays in its region");
}

#[test]
fn temporary_credentials_are_known_by_their_id_alone() {
    let asked =
        json!({"RoleArn": "qcs::cam::uin/1:roleName/x", "RoleSessionName": "s", "DurationSeconds": 900});
    let account = Account::default();
    let (answer, _) = call(&account, "AssumeRole", &asked).unwrap();
    assert_eq!(answer["ExpiredTime"], NOW.as_second() + 900);
    let credentials = &answer["Credentials"];
    let known = known_secret(credentials["TmpSecretId"].as_str().unwrap()).unwrap();
    let (token, ends) = known.temporary.unwrap();
    assert_eq!(credentials["TmpSecretKey"], known.secret_key);
    assert_eq!((&credentials["Token"], ends.as_second()), (&Value::from(token), NOW.as_second() + 900));
    let options = Options { max_session: Some(std::time::Duration::from_secs(3)), ..Options::new("unused") };
    let (shorter, _) = call_as(&account, "AssumeRole", &asked, &options, None).unwrap();
    assert_eq!(shorter["ExpiredTime"], NOW.as_second() + 3);
    assert!(known_secret("AKIDtmpnothing").is_none());
    assert!(known_secret("AKIDother").is_none());
}

#[test]
fn roles_need_all_their_parameters() {
    let whole = json!({"ProviderId": "p", "WebIdentityToken": "t", "RoleArn": "qcs::cam::uin/1:roleName/x", "RoleSessionName": "s"});
    let code = |name: &str, value: Value| {
        let mut asked = whole.clone();
        asked[name] = value;
        call(&Account::default(), "AssumeRoleWithWebIdentity", &asked).err().unwrap_or_default()
    };
    assert_eq!(code("DurationSeconds", json!("900")), "");
    for name in ["ProviderId", "WebIdentityToken", "RoleArn", "RoleSessionName"] {
        assert_eq!(code(name, json!("")), "MissingParameter", "{name}");
    }
    for seconds in [json!(0), json!(43_201), json!("x")] {
        assert_eq!(code("DurationSeconds", seconds), "InvalidParameter.OverTimeError");
    }
    assert_eq!(code("RoleArn", json!("x")), "InvalidParameter.ResourceError");
}

#[test]
fn callers_are_users_or_roles() {
    let options = Options { account: "42".to_owned(), ..Options::new("unused") };
    for (caller, kind) in [(SECRET_ID, "CAMUser"), ("AKIDtmp1x", "CAMRole")] {
        let call = Call { params: Map::new(), region: None, caller, at: NOW, options: &options };
        let answer = sts::caller(&call);
        assert_eq!((&answer["AccountId"], &answer["Type"]), (&json!("42"), &json!(kind)));
    }
}

#[test]
fn the_metadata_service_knows_only_its_role() {
    let options = Options { machine_role: Some("web".to_owned()), ..Options::new("unused") };
    assert_eq!(metadata(&options, "", NOW).as_deref(), Some("web"));
    assert!(metadata(&options, "other", NOW).is_none());
    let key: Value = serde_json::from_str(&metadata(&options, "web", NOW).unwrap()).unwrap();
    assert_eq!(key["Code"], "Success");
    assert!(known_secret(key["TmpSecretId"].as_str().unwrap()).is_some());
}
