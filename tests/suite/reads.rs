//! Looking at the account, the real client against the real sandbox: all of it, in spite of trouble, and never half of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use postpay::apply::PendingOrder;
use postpay::apply::settle::{adoptable, look};
use postpay::clock::Clock as _;
use postpay::cloud::tencent::{ClientOptions, TencentClient};
use postpay::cloud::{
    Bill, BillOrder, Bills, CloudError, CloudRead as _, CloudWrite as _, Grade, Lookup, NotSent, PayMode,
    Scope, SeenEnvironment,
};
use postpay::kinds::postpay as fields;
use postpay::model::{Address, Attributes, SourceRef};
use postpay::sandbox::{LedgerEntry, Options, SAMPLE_ENV_ID, Sandbox, read_ledger};
use postpay::state::journal::RunId;
use postpay::state::{Origin, Record, Status};

use crate::endpoint::{PATIENT, SHORT, Skewed, client, options, order, raw_server, sandbox};
use crate::support::server;

/// The requests of one action, in the order they came.
fn calls(ledger: &Path, action: &str) -> Vec<LedgerEntry> {
    let mut entries = read_ledger(ledger).unwrap();
    entries.retain(|entry| entry.action == action);
    entries
}

fn lists(ledger: &Path) -> Vec<LedgerEntry> {
    calls(ledger, "DescribeEnvs")
}

fn bills(ledger: &Path) -> Vec<LedgerEntry> {
    calls(ledger, "DescribeBillingInfo")
}

/// A client that does not try again.
fn once(endpoint: &str) -> TencentClient {
    TencentClient::new(ClientOptions { retry_reads_for: Duration::ZERO, ..options(endpoint) }).unwrap()
}

fn in_regions(endpoint: &str, region: Option<&str>, list_regions: &[&str]) -> TencentClient {
    TencentClient::new(ClientOptions {
        region: region.map(str::to_owned),
        list_regions: list_regions.iter().map(|it| (*it).to_owned()).collect(),
        ..options(endpoint)
    })
    .unwrap()
}

fn ids(environments: &[SeenEnvironment]) -> Vec<&str> {
    environments.iter().map(|env| env.env_id.as_str()).collect()
}

async fn crowded(folder: &Path, count: usize) -> (Sandbox, Vec<String>) {
    let existing: Vec<String> = (1..count).map(|n| format!("old-{n}")).collect();
    let running = Sandbox::start(Options {
        rate: None,
        existing: existing.clone(),
        ..Options::new(folder.join("ledger.jsonl"))
    })
    .await
    .unwrap();
    let all = [SAMPLE_ENV_ID.to_owned()].into_iter().chain(existing);
    (running, all.collect())
}

#[tokio::test]
async fn every_environment_of_every_page_is_seen_once() {
    let folder = crate::support::folder();
    let (running, all) = crowded(folder.path(), 345).await;
    let seen = client(&running.url(), PATIENT).environments().await.unwrap();
    assert_eq!(ids(&seen), all);
    let asked: Vec<u64> =
        lists(running.ledger()).iter().map(|entry| entry.params["Offset"].as_u64().unwrap()).collect();
    assert_eq!(asked, [0, 100, 200, 300], "no more calls than pages");
}

#[tokio::test]
async fn bills_of_many_come_in_the_order_asked_and_none_is_made_up() {
    let folder = crate::support::folder();
    let (running, mut all) = crowded(folder.path(), 230).await;
    all.reverse();
    let mut asked = all.clone();
    asked.insert(7, "nobody-knows-this".to_owned());
    asked.push(all[3].clone());
    let client = client(&running.url(), PATIENT);
    let seen = client.bills(&asked).await.unwrap().shown;
    let seen: Vec<&str> = seen.iter().map(|bill| bill.env_id.as_str()).collect();
    assert_eq!(seen, all);
    assert!(client.bills(&[]).await.unwrap().shown.is_empty());
    for entry in bills(running.ledger()) {
        let named = entry.params["EnvIds"].as_array().unwrap().len();
        assert!((1..=100).contains(&named), "nothing named means everything");
    }
}

#[tokio::test]
async fn every_listed_region_is_asked_by_its_own_name() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &[]).await;
    let url = running.url();
    for region in ["ap-guangzhou", "ap-singapore"] {
        let here = in_regions(&url, Some(region), &[]);
        here.create(&order(region).into()).await.unwrap();
        let seen = here.environments().await.unwrap();
        assert_eq!(seen.len(), 1, "only what is in {region}");
        assert_eq!(seen[0].region.as_deref(), Some(region));
    }
    let regions = ["ap-singapore", "ap-shanghai", "ap-guangzhou", "ap-shanghai"];
    let all = in_regions(&url, Some("ap-beijing"), &regions);
    let before = lists(running.ledger()).len();
    let seen = all.environments().await.unwrap();
    let found: Vec<&str> = seen.iter().filter_map(|env| env.region.as_deref()).collect();
    assert_eq!(found, regions[..3]);
    // The last is its own: what it orders is made there, whatever is listed besides.
    let asked: Vec<Option<String>> =
        lists(running.ledger()).split_off(before).into_iter().map(|entry| entry.region).collect();
    assert_eq!(
        asked,
        [regions[0], regions[1], regions[2], "ap-beijing"]
            .iter()
            .map(|it| Some((*it).to_owned()))
            .collect::<Vec<_>>()
    );
    let env_ids: Vec<String> = seen.into_iter().map(|env| env.env_id).collect();
    assert_eq!(all.bills(&env_ids).await.unwrap().shown.len(), 3);
    assert_eq!(client(&url, PATIENT).environments().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_region_that_fails_fails_the_whole_list() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &["list:error:UnsupportedRegion@2"]).await;
    let all = in_regions(&running.url(), None, &["ap-shanghai", "ap-nowhere"]);
    let error = all.environments().await.unwrap_err();
    assert_eq!(error.grade, Grade::Refused(Scope::Run));
    assert!(error.message.en().starts_with("DescribeEnvs in ap-nowhere: "), "{}", error.message);
}

#[tokio::test]
async fn a_failing_read_is_made_again_until_it_answers() {
    let mut all = tokio::task::JoinSet::new();
    for kind in [
        "throttle",
        "reset-before",
        "eof-before",
        "hang-before",
        "500-before",
        "cut-body",
        "html",
        "error:InternalError",
    ] {
        all.spawn(async move {
            let folder = crate::support::folder();
            let faults = [format!("list:{kind}@1"), format!("bill:{kind}@1")];
            let running = sandbox(folder.path(), &[&faults[0], &faults[1]]).await;
            let client = client(&running.url(), if kind == "hang-before" { SHORT } else { PATIENT });
            let seen = client.environments().await.unwrap();
            assert_eq!(ids(&seen), [SAMPLE_ENV_ID], "{kind}");
            let seen = client.bills(&[SAMPLE_ENV_ID.to_owned()]).await.unwrap().shown;
            assert_eq!(seen.len(), 1, "{kind}");
            for entries in [lists(running.ledger()), bills(running.ledger())] {
                let faults: Vec<Option<String>> = entries.into_iter().map(|entry| entry.fault).collect();
                assert_eq!(faults, [Some(kind.to_owned()), None], "{kind}");
            }
        });
    }
    all.join_all().await;
}

#[tokio::test]
async fn a_read_that_never_answers_is_given_up_and_says_so() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &["list:throttle@*", "bill:html@*"]).await;
    let client = TencentClient::new(ClientOptions {
        // Waits of 250, 500 and 1,000 ms fit, one of 2,000 more does not: two seconds to spare on a busy computer.
        retry_reads_for: Duration::from_millis(3740),
        ..options(&running.url())
    })
    .unwrap();
    let error = client.environments().await.unwrap_err();
    assert_eq!(error.grade, Grade::NotSent(NotSent::Throttled));
    assert_eq!(error.code.as_deref(), Some("RequestLimitExceeded"));
    assert!(error.message.en().starts_with("DescribeEnvs, 4 attempts: "), "{}", error.message);
    assert_eq!(lists(running.ledger()).len(), 4);

    let error = once(&running.url()).bills(&["a".to_owned()]).await.unwrap_err();
    assert_eq!(error.grade, Grade::Unknown);
    assert!(error.message.en().starts_with("DescribeBillingInfo: "), "{}", error.message);
    assert!(error.body.unwrap().contains("log in"));
}

#[tokio::test]
async fn a_refused_read_is_made_once() {
    let folder = crate::support::folder();
    let faults = ["list:error:AuthFailure.UnauthorizedOperation@*", "bill:error:InvalidAction@*"];
    let running = sandbox(folder.path(), &faults).await;
    let client = client(&running.url(), PATIENT);
    let error = client.environments().await.unwrap_err();
    assert_eq!(error.grade, Grade::Refused(Scope::Step));
    assert!(error.hint.unwrap().en().contains("access management"));
    assert!(error.request_id.is_some());
    let error = client.bills(&["a".to_owned()]).await.unwrap_err();
    assert_eq!(error.grade, Grade::Refused(Scope::Run));
    let entries = read_ledger(running.ledger()).unwrap();
    assert_eq!(entries.len(), 2, "one request each");
}

#[tokio::test]
async fn an_id_that_the_vendor_refuses_costs_the_others_nothing() {
    let folder = crate::support::folder();
    let (running, all) = crowded(folder.path(), 4).await;
    drop(running);
    for code in ["InvalidParameter.EnvId", "ResourceNotFound"] {
        // The bills of all, and then of the first two of them.
        let running = sandbox(folder.path(), &[&format!("bill:error:{code}@1")]).await;
        let client = client(&running.url(), PATIENT);
        let bills = client.bills(&all).await.unwrap();
        assert_eq!(bills.shown.len(), all.len(), "{code}");
        drop(running);
        let running = sandbox(folder.path(), &[&format!("bill:error:{code}@*")]).await;
        let client = crate::endpoint::client(&running.url(), PATIENT);
        assert_eq!(client.bills(&all).await.unwrap(), Bills::default(), "{code}");
    }
    let other = "bill:error:InvalidParameter@*";
    let running = sandbox(folder.path(), &[other]).await;
    assert!(client(&running.url(), PATIENT).bills(&all).await.is_err());
}

#[tokio::test]
async fn only_an_empty_answer_to_its_id_says_that_an_environment_is_not_there() {
    let list = |rows: &str, total: u8| {
        format!(r#"{{"Response":{{"EnvList":[{rows}],"Total":{total},"RequestId":"r"}}}}"#)
    };
    let refused = |code: &str| {
        format!(r#"{{"Response":{{"Error":{{"Code":"{code}","Message":"m"}},"RequestId":"r"}}}}"#)
    };
    let table = [
        (list("", 0), Some("Absent")),
        (list(r#"{"EnvId":"a"}"#, 1), Some("Shown")),
        // The id was passed over: what is wanted may be on another page.
        (list(r#"{"EnvId":"b"}"#, 1), Some("Unanswered")),
        (list(r#"{"EnvId":"b"},{"EnvId":"a"}"#, 9), Some("Shown")),
        (list("", 3), Some("Unanswered")),
        (refused("InvalidParameter.EnvId"), Some("Unanswered")),
        (refused("ResourceNotFound.EnvNotExists"), Some("Unanswered")),
        // Whose key it is, and not what is asked for.
        (refused("ResourceNotFound.UserNotExists"), None),
        (refused("AuthFailure.UnauthorizedOperation"), None),
    ];
    for (body, expected) in table {
        let (client, _requests) = stubborn(&body);
        let said = client.lookup(&["a".to_owned()]).await.ok().map(|said| {
            let [said] = <[Lookup; 1]>::try_from(said).unwrap();
            match said {
                Lookup::Found(environment) => {
                    assert_eq!(environment.env_id, "a");
                    "Shown"
                }
                Lookup::Absent => "Absent",
                Lookup::Unanswered => "Unanswered",
            }
        });
        assert_eq!(said, expected, "{body}");
    }
}

#[tokio::test]
async fn a_wrong_clock_is_mended_by_a_read_too() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &[]).await;
    let late = TencentClient::new(ClientOptions {
        clock: Arc::new(Skewed(Duration::from_secs(3600))),
        ..options(&running.url())
    })
    .unwrap();
    late.environments().await.unwrap();
    late.create(&order("shop").into()).await.unwrap();
    let answers: Vec<String> =
        read_ledger(running.ledger()).unwrap().into_iter().map(|entry| entry.answer).collect();
    assert_eq!(answers, ["AuthFailure.SignatureExpire", "ok", "ok"]);
}

/// A clock may be off by hours, and the order be sent by Tencent Cloud's all the same.
#[tokio::test]
async fn an_order_is_found_by_the_vendors_time_whatever_the_clock_says() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &["reset-after@1"]).await;
    // It is to be mended even without time to try again.
    let late = TencentClient::new(ClientOptions {
        clock: Arc::new(Skewed(Duration::from_secs(3 * 3600))),
        retry_reads_for: Duration::ZERO,
        ..options(&running.url())
    })
    .unwrap();
    let before: BTreeSet<String> =
        late.environments().await.unwrap().into_iter().map(|seen| seen.env_id).collect();
    let clock = Skewed(Duration::from_secs(3 * 3600));
    let sent_at = clock.now();
    let error = late.create(&order("shop").into()).await.unwrap_err();
    assert_eq!(error.grade, Grade::Unknown);
    let record = Record {
        status: Status::Unknown,
        env_id: None,
        tran_id: None,
        request_id: None,
        origin: Origin::Ordered,
        attributes: order("shop"),
        ordered_at: sent_at,
        run: RunId::fresh(),
        source: SourceRef { file: String::new(), line: 0 },
        region: None,
        prevent_destroy: false,
        deposed_at: None,
    };
    let open = PendingOrder { at: None, address: Address::new("shop").unwrap(), record };
    let managed = BTreeSet::new();
    let asked = std::slice::from_ref(&open);
    let found = look(&late, asked, |_| Some(&before), &managed, None, clock.now()).await.unwrap();
    assert_eq!(adoptable(&found).len(), 1, "{found:?}");
}

#[tokio::test]
async fn what_was_just_ordered_may_not_be_listed_yet() {
    let folder = crate::support::folder();
    let slow = Sandbox::start(Options {
        list_delay: Duration::from_secs(3600),
        ..Options::new(folder.path().join("ledger.jsonl"))
    })
    .await
    .unwrap();
    let there = client(&slow.url(), PATIENT);
    let new = there.create(&order("shop").into()).await.unwrap().env_id.unwrap();
    assert_eq!(ids(&there.environments().await.unwrap()), [SAMPLE_ENV_ID]);
    assert!(there.bills(std::slice::from_ref(&new)).await.unwrap().shown.is_empty());
    slow.shutdown().await;

    let prompt = sandbox(folder.path(), &[]).await;
    let there = client(&prompt.url(), PATIENT);
    assert_eq!(ids(&there.environments().await.unwrap()), [SAMPLE_ENV_ID, &new]);
    assert_eq!(there.bills(&[new]).await.unwrap().shown.len(), 1);
}

#[tokio::test]
async fn a_bill_tells_prepaid_switched_and_ordered_apart() {
    let folder = crate::support::folder();
    let (running, _) = crowded(folder.path(), 2).await;
    let client = client(&running.url(), PATIENT);
    let mut new = order("shop");
    new.set(fields::FLAG, "QuickStart");
    new.set(fields::EXTENSION_ID, "ext-1");
    let new = client.create(&new.clone().into()).await.unwrap();
    let mut switch = Attributes::default();
    switch.set(fields::ENV_ID, SAMPLE_ENV_ID);
    switch.set(fields::FREE_QUOTA, "basic");
    let switched = client.create(&switch.clone().into()).await.unwrap();
    let env_id = new.env_id.unwrap();

    let seen = client.environments().await.unwrap();
    let made = seen.iter().find(|env| env.env_id == env_id).unwrap();
    let some = |text: &str| Some(text.to_owned());
    let expected = SeenEnvironment {
        env_id: env_id.clone(),
        alias: some("shop"),
        source: some("qcloud"),
        channel: some("qc_console"),
        status: some("NORMAL"),
        pay_mode: some("postpaid"),
        created_at: made.created_at.clone(),
        region: some("ap-shanghai"),
        package: None,
        tags: Some(BTreeMap::new()),
    };
    assert_eq!(made, &expected);
    let asked = [env_id, SAMPLE_ENV_ID.to_owned(), "old-1".to_owned()];
    let [of_new, of_switched, prepaid] =
        <[Bill; 3]>::try_from(client.bills(&asked).await.unwrap().shown).unwrap();
    assert_eq!(of_new.pay_mode, Some(PayMode::Postpaid));
    assert_eq!((of_new.free_quota, of_new.payment_channel), (None, some("qcloud")));
    let order = of_new.order.unwrap();
    let expected = BillOrder {
        tran_id: new.tran_id.unwrap(),
        created_at: made.created_at.clone(),
        flag: some("QuickStart"),
        extension_id: some("ext-1"),
        tran_status: Some(4),
    };
    assert_eq!(order, expected);
    assert_eq!(of_switched.pay_mode, Some(PayMode::Postpaid));
    assert_eq!(of_switched.free_quota, some("basic"));
    assert_eq!(Some(of_switched.order.unwrap().tran_id), switched.tran_id);
    assert_eq!(prepaid.pay_mode, Some(PayMode::Prepaid));
    assert_eq!((prepaid.order, prepaid.status), (None, some("NORMAL")));
}

/// What is left of an order whose answer lacked something: the environment stands, and its bill has the order's number.
#[tokio::test]
async fn an_order_without_an_answer_is_found_by_its_bill() {
    for fault in ["null-env-id", "missing-tran-id", "reset-after", "error-after:InternalError"] {
        let folder = crate::support::folder();
        let running = sandbox(folder.path(), &[&format!("{fault}@1")]).await;
        let client = client(&running.url(), PATIENT);
        let before = client.environments().await.unwrap();
        let answer = client.create(&order("shop").into()).await;
        let after = client.environments().await.unwrap();
        let new: Vec<String> =
            after.into_iter().filter(|env| !before.contains(env)).map(|env| env.env_id).collect();
        let made = &calls(running.ledger(), "CreatePostpayPackage")[0];
        assert_eq!(new.first(), made.env_id.as_ref(), "{fault}");
        let bills = client.bills(&new).await.unwrap().shown;
        let found = bills[0].order.as_ref().map(|order| order.tran_id.as_str());
        assert_eq!((bills.len(), found), (1, made.tran_id.as_deref()), "{fault}");
        if let Ok(ordered) = answer {
            assert_eq!(ordered.env_id, None);
            assert_eq!(found, ordered.tran_id.as_deref());
        }
    }
}

/// A vendor that answers the same to everything.
fn stubborn(body: &str) -> (TencentClient, std::sync::mpsc::Receiver<Vec<u8>>) {
    let (address, requests) = raw_server(server::ok(body));
    (once(&format!("http://{address}")), requests)
}

#[tokio::test]
async fn an_answer_without_a_list_is_no_empty_account() {
    for body in [
        r#"{"Response":{"RequestId":"r"}}"#,
        r#"{"Response":{"Total":0,"EnvList":"","RequestId":"r"}}"#,
        "{}",
    ] {
        let (client, _requests) = stubborn(body);
        let results: [Result<usize, CloudError>; 2] = [
            client.environments().await.map(|list| list.len()),
            client.bills(&["a".to_owned()]).await.map(|bills| bills.shown.len()),
        ];
        for result in results {
            assert_eq!(result.unwrap_err().grade, Grade::Unknown, "{body}");
        }
    }
}

#[tokio::test]
async fn a_list_that_ignores_the_offset_ends_and_is_incomplete() {
    let body = r#"{"Response":{"EnvList":[{"EnvId":"a"},{"EnvId":"b"},{"Alias":"?"}],"Total":"40","RequestId":"r"}}"#;
    let (client, requests) = stubborn(body);
    let listing = client.listing().await.unwrap();
    assert_eq!(ids(&listing.environments), ["a", "b"]);
    assert_eq!(listing.missing(), None, "{listing:?}");
    drop(client);
    let asked: Vec<Vec<u8>> = requests.try_iter().collect();
    assert_eq!(asked.len(), 6, "two pages, three times");
    let first = String::from_utf8(asked[0].clone()).unwrap();
    assert!(first.contains("x-tc-action: DescribeEnvs"), "{first}");
    assert!(first.ends_with(r#"{"Limit":100,"Offset":0}"#), "{first}");
}

#[tokio::test]
async fn a_total_that_is_no_number_is_no_list() {
    for total in [r#""many""#, "-1", "{}", "true"] {
        let body = format!(r#"{{"Response":{{"EnvList":[],"Total":{total},"RequestId":"r"}}}}"#);
        let (client, _requests) = stubborn(&body);
        let error = client.environments().await.unwrap_err();
        assert!(error.message.en().contains("`Total`"), "{total}: {error:?}");
    }
}

#[tokio::test]
async fn an_incomplete_list_is_walked_three_times_and_is_an_error_with_its_numbers() {
    let folder = crate::support::folder();
    let (running, _) = crowded(folder.path(), 3).await;
    drop(running);
    let running = sandbox(folder.path(), &["list:short@*", "bill:short@*"]).await;
    let client = in_regions(&running.url(), Some("ap-shanghai"), &["ap-guangzhou"]);
    let listing = client.listing().await.unwrap();
    assert_eq!(listing.environments.len(), 2);
    assert_eq!(listing.missing(), Some(1));
    // Two pages a walk in the one region, and one in the other, where there is nothing.
    assert_eq!(lists(running.ledger()).len(), 7);
    let error = client.environments().await.unwrap_err();
    let message = error.message.en();
    assert!(message.contains("in ap-shanghai: 2 of 3 environments"), "{message}");
    assert!(error.hint.unwrap().en().contains("nothing was done"));
    // A bill that is not shown is not the same as none.
    let asked: Vec<String> = ids(&listing.environments).into_iter().map(str::to_owned).collect();
    let bills = client.bills(&asked).await.unwrap();
    assert_eq!(bills.shown.len(), 1);
    assert!(bills.incomplete);
}

#[tokio::test]
async fn a_list_that_is_complete_at_the_third_walk_is_the_list() {
    let folder = crate::support::folder();
    let (running, all) = crowded(folder.path(), 3).await;
    drop(running);
    let running = sandbox(folder.path(), &["list:short@1-4"]).await;
    let client = client(&running.url(), PATIENT);
    assert_eq!(ids(&client.environments().await.unwrap()), all);
    assert_eq!(lists(running.ledger()).len(), 5);
}

#[tokio::test]
async fn pages_that_contradict_each_other_are_no_shortfall() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &["list:repeat@*"]).await;
    let client = client(&running.url(), PATIENT);
    let listing = client.listing().await.unwrap();
    assert_eq!(listing.missing(), None);
    let error = client.environments().await.unwrap_err();
    assert!(error.message.en().contains("inconsistent"), "{error:?}");
}
