//! From the vendor's texts, where anything may be empty, to values that are there or not. Pure.
//!
//! They end in the state, in receipts, in manifests and in reports. An endpoint that says our own token back as a name does
//! not get it there; rows whose EnvId is none were left out before.

use crate::cloud::tencent::redact::Redactor;
use crate::cloud::tencent::wire::{BillInfo, EnvInfo, NO_TIME};
use crate::cloud::{Bill, BillOrder, PayMode, SeenEnvironment};

/// An environment as it is listed.
pub(super) fn environment(env: EnvInfo, redactor: &Redactor) -> SeenEnvironment {
    let EnvInfo { env_id, source, alias, create_time, update_time: _, status, env_channel, pay_mode, region } =
        env;
    let said = |text: String| said(&text, redactor);
    SeenEnvironment {
        env_id,
        alias: said(alias),
        source: said(source),
        channel: said(env_channel),
        status: said(status),
        pay_mode: said(pay_mode),
        created_at: time(said(create_time)),
        region: said(region),
    }
}

/// A bill as it is shown.
pub(super) fn bill(bill: BillInfo, redactor: &Redactor) -> Bill {
    let said = |text: String| said(&text, redactor);
    Bill {
        env_id: bill.env_id,
        pay_mode: said(bill.pay_mode).map(|word| PayMode::from_word(&word)),
        free_quota: said(bill.free_quota),
        payment_channel: said(bill.payment_channel),
        status: said(bill.status),
        order: bill.order_info.and_then(|order| {
            Some(BillOrder {
                tran_id: redactor.id(&order.tran_id)?,
                created_at: time(said(order.create_time)),
                flag: said(order.flag),
                extension_id: said(order.extension_id),
                tran_status: order.tran_status,
            })
        }),
    }
}

/// A text, when there is one.
fn said(text: &str, redactor: &Redactor) -> Option<String> {
    (!text.is_empty()).then(|| redactor.listed(text))
}

/// A time, unless it is the vendor's word for none.
fn time(text: Option<String>) -> Option<String> {
    text.filter(|text| text != NO_TIME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tencent::credentials::Credentials;
    use crate::cloud::tencent::wire::{OrderInfo, decode_bills, decode_envs};

    #[test]
    fn an_environment_has_what_the_vendor_said_and_no_more() {
        let body = r#"{"Response":{"EnvList":[
            {"EnvId":"a-1","Alias":"我的\u001b环境","Source":"qcloud","EnvChannel":"qc_console","Status":"NORMAL",
             "PayMode":"postpaid","CreateTime":"2018-08-13 10:52:09","Region":"ap-shanghai","Tags":[{}]},
            {"EnvId":"b","Alias":"","Source":null,"CreateTime":"0000-00-00 00:00:00"}
        ]}}"#;
        let rows = decode_envs(body.as_bytes()).unwrap().rows;
        let environment = |row| environment(row, &Redactor::default());
        let [full, bare] = <[_; 2]>::try_from(rows).unwrap().map(environment);
        let some = |text: &str| Some(text.to_owned());
        let expected = SeenEnvironment {
            env_id: "a-1".to_owned(),
            alias: some(r"我的\u{1b}环境"),
            source: some("qcloud"),
            channel: some("qc_console"),
            status: some("NORMAL"),
            pay_mode: some("postpaid"),
            created_at: some("2018-08-13 10:52:09"),
            region: some("ap-shanghai"),
        };
        assert_eq!(full, expected);
        let nothing = SeenEnvironment { env_id: "b".to_owned(), ..SeenEnvironment::default() };
        assert_eq!(bare, nothing);
    }

    #[test]
    fn a_bill_has_an_order_only_with_its_number() {
        let table = [
            ("null", None),
            ("{}", None),
            (r#"{"TranId":""}"#, None),
            (r#"{"TranId":null,"Flag":"x"}"#, None),
            (
                r#"{"TranId":7,"TranStatus":"4","CreateTime":"0000-00-00 00:00:00","Flag":""}"#,
                Some(BillOrder { tran_id: "7".to_owned(), tran_status: Some(4), ..BillOrder::default() }),
            ),
        ];
        for (order, expected) in table {
            let body = format!(
                r#"{{"Response":{{"EnvBillingInfoList":[{{"EnvId":"a","PayMode":"PREPAYMENT","Status":"","OrderInfo":{order}}}]}}}}"#
            );
            let row = decode_bills(body.as_bytes()).unwrap().rows.remove(0);
            let bill = bill(row, &Redactor::default());
            assert_eq!(bill.order, expected, "{order}");
            assert_eq!((bill.pay_mode, bill.status), (Some(PayMode::Prepaid), None));
        }
        let unknown = bill(
            BillInfo {
                pay_mode: "FREE".to_owned(),
                order_info: Some(OrderInfo::default()),
                ..BillInfo::default()
            },
            &Redactor::default(),
        );
        assert_eq!(unknown.pay_mode, Some(PayMode::Other("FREE".to_owned())));
    }

    #[test]
    fn a_token_that_is_said_back_is_kept_nowhere_and_what_is_like_one_stays() {
        let redactor = Redactor::new(&Credentials {
            secret_id: "AKIDEXAMPLE-AKIDEXAMPLE".to_owned(),
            secret_key: "a-key-of-thirty-two-characters-0".into(),
            token: Some("to/ken/to/ken/to/ken/to/ken".into()),
        });
        let all = "x to/ken/to/ken/to/ken/to/ken a-key-of-thirty-two-characters-0 AKIDEXAMPLE-AKIDEXAMPLE";
        let shown = "x [token] [secret key] [secret id]";
        let text = || all.to_owned();
        let seen = environment(
            EnvInfo {
                env_id: "a-1".to_owned(),
                alias: text(),
                source: text(),
                env_channel: text(),
                status: text(),
                pay_mode: text(),
                create_time: text(),
                update_time: text(),
                region: text(),
            },
            &redactor,
        );
        let some = || Some(shown.to_owned());
        let expected = SeenEnvironment {
            env_id: "a-1".to_owned(),
            alias: some(),
            source: some(),
            channel: some(),
            status: some(),
            pay_mode: some(),
            created_at: some(),
            region: some(),
        };
        assert_eq!(seen, expected);
        let shown_bill = bill(
            BillInfo {
                env_id: "a-1".to_owned(),
                status: text(),
                order_info: Some(OrderInfo { tran_id: text(), flag: text(), ..OrderInfo::default() }),
                ..BillInfo::default()
            },
            &redactor,
        );
        assert!(!format!("{shown_bill:?}").contains("to/ken"), "{shown_bill:?}");
        // The start of a secret, or a short one, is no reason to take an id for another.
        let short = Redactor::new(&Credentials {
            secret_id: "shop".to_owned(),
            secret_key: "a-key-of-thirty-two-characters-0".into(),
            token: None,
        });
        for id in ["shop-1", "a-key-of-thirty"] {
            assert_eq!(short.listed(id), id);
        }
    }
}
