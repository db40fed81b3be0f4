//! Reads the account: every page of every region.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use jiff::SignedDuration;
use serde::Serialize;
use serde_json::Value;

use super::ask::{Asker, Question};
use super::client::TencentClient;
use super::evidence::no_reply;
use super::redact::Redactor;
use super::walk::{self, Bounds, Next, Short, Walk};
use super::wire::{
    self, DescribeBillingInfo, DescribeEnvBaseInfo, DescribeEnvs, NO_TIME, Page, Response, number_of, text_of,
};
use crate::cloud::{
    Bill, BillOrder, Bills, CloudError, CloudRead, Gap, Inside, Listing, Looks, Lookup, Offer, Offers,
    PayMode, Reading, SeenEnvironment, Watcher,
};
use crate::i18n::{Text, text};
use crate::model::Kind;
use crate::model::Money;

/// Environments whose bills are asked for at once.
const CHUNK: usize = 100;

/// Reads the packages that are sold. `UnitPrice` is the price of a month, as a text or a number.
fn packages(response: &Response) -> Result<Vec<Offer>, Text> {
    let offer = |row: &Value| {
        let price = row.get("UnitPrice").and_then(text_of).and_then(|price| price.parse().ok());
        Some(Offer { package: text_of(row.get("PackageId")?)?, price })
    };
    Ok(wire::page(response, "PlanList", offer)?.rows)
}

impl CloudRead for TencentClient {
    async fn listing(&self) -> Result<Listing, CloudError> {
        let mut listing = Listing::default();
        let mut known = HashSet::new();
        let mut progress = self.progress(Looks::Environments, None);
        let mut bounds = Bounds::default();
        for (at, region) in self.regions().iter().enumerate() {
            progress.reading.region = at + 1;
            let is_last = at + 1 == self.regions().len();
            let before = listing.environments.len();
            let question = Question {
                action: wire::LIST,
                region: region.as_deref(),
                decode: |response: &Response| self.environments_page(response),
            };
            let body = |offset| DescribeEnvs {
                limit: Some(walk::LIMIT),
                offset: Some(offset),
                ..DescribeEnvs::default()
            };
            let walked = self.walk(
                &question,
                |env| &env.env_id,
                body,
                &mut bounds,
                |walk| {
                    // The totals of the regions after this one are not known.
                    let total = walk.total().filter(|_| is_last);
                    progress.page(before + walk.rows.len(), total.map(|total| before + total));
                },
            );
            let (rows, short) = walked.await?;
            listing.gaps.extend(short.map(|Short { rows, total, contradictory }| Gap {
                region: region.clone(),
                rows,
                total,
                contradictory,
            }));
            listing.environments.extend(rows.into_iter().filter(|env| known.insert(env.env_id.clone())));
        }
        Ok(listing)
    }

    async fn prices(&self) -> Result<BTreeMap<String, Money>, CloudError> {
        let question = Question { action: wire::PLANS, region: None, decode: packages };
        let sold = self.asker().ask(&question, &serde_json::Map::new()).await?.payload;
        Ok(sold.into_iter().filter_map(|offer| Some((offer.package, offer.price?))).collect())
    }

    async fn lookup(&self, env_ids: &[String]) -> Result<Vec<Lookup>, CloudError> {
        let mut progress = self.progress(Looks::Lookup, Some(env_ids.len()));
        let mut found = Vec::new();
        for (at, env_id) in env_ids.iter().enumerate() {
            found.push(self.find_environment(env_id).await?);
            progress.page(at + 1, Some(env_ids.len()));
        }
        Ok(found)
    }

    async fn bills(&self, env_ids: &[String]) -> Result<Bills, CloudError> {
        let mut found: HashMap<String, Bill> = HashMap::new();
        let mut incomplete = false;
        // Whether every region shows every bill is not documented: what one region lacks is asked of the next.
        let mut progress = self.progress(Looks::Bills, Some(env_ids.len()));
        let mut bounds = Bounds::default();
        for (at, region) in self.regions().iter().enumerate() {
            progress.reading.region = at + 1;
            let mut asked = HashSet::new();
            let missing: Vec<String> =
                env_ids.iter().filter(|id| !found.contains_key(*id) && asked.insert(*id)).cloned().collect();
            let mut chunks: VecDeque<&[String]> = missing.chunks(CHUNK).collect();
            let question = Question {
                action: wire::BILLS,
                region: region.as_deref(),
                decode: |response: &Response| {
                    let row = |row: &Value| bill(row, &self.service.redactor);
                    wire::page(response, "EnvBillingInfoList", row)
                },
            };
            while let Some(chunk) = chunks.pop_front() {
                let before = found.len();
                let body = |offset| DescribeBillingInfo {
                    env_ids: Some(chunk.to_vec()),
                    limit: Some(walk::LIMIT),
                    offset: Some(offset),
                    ..DescribeBillingInfo::default()
                };
                let walked = self.walk(
                    &question,
                    |bill| &bill.env_id,
                    body,
                    &mut bounds,
                    |walk| {
                        progress.page(before + walk.rows.len(), Some(env_ids.len()));
                    },
                );
                match walked.await {
                    Ok((rows, short)) => {
                        incomplete |= short.is_some();
                        found.extend(rows.into_iter().map(|bill| (bill.env_id.clone(), bill)));
                    }
                    // The answer does not name the id, and the others may have bills.
                    Err(error) if refuses_the_id(&error) => {
                        if chunk.len() > 1 {
                            let (first, second) = chunk.split_at(chunk.len() / 2);
                            chunks.extend([first, second]);
                        }
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        let shown = env_ids.iter().filter_map(|id| found.remove(id)).collect();
        Ok(Bills { shown, incomplete })
    }

    async fn offers(&self) -> Offers {
        let number = |response: &Response, name: &str| {
            number_of(response.get(name)?).and_then(|number| u64::try_from(number).ok())
        };
        let is_open = |response: &Response| response.get("Initialized").and_then(truth_of);
        let environments =
            |response: &Response| Some((number(response, "CurrentEnvNum")?, number(response, "MaxEnvNum")?));
        Offers {
            is_open: self.offer(wire::SERVICE_STATUS, is_open).await,
            environments: self.offer(wire::LIMITS, environments).await,
            packages: self.offer(wire::PLANS, |response| packages(response).ok()).await,
        }
    }

    async fn inside(
        &self,
        kind: &'static Kind,
        env_id: &str,
        region: Option<&str>,
    ) -> Result<Inside, CloudError> {
        let service = self.service_of(kind);
        let Some(action) = kind.look else {
            return Err(no_reply(true, &Text::fixed("this cannot be looked for"), &service.redactor));
        };
        let question = Question { action, region, decode: wire::decode_inside };
        let body = DescribeEnvBaseInfo { env_id: Some(env_id.to_owned()) };
        let asker = Asker { service, spacing: &self.spacing, retry_for: self.retry_reads_for };
        match asker.ask(&question, &body).await {
            Ok(fetched) => Ok(fetched.payload),
            // The international site answers so, where the other one says that there is none.
            Err(error) if error.code.as_deref() == Some("ResourceNotFound") => Ok(Inside::Absent),
            Err(error) => Err(error),
        }
    }

    fn ahead(&self) -> SignedDuration {
        self.service.ahead()
    }
}

impl TencentClient {
    fn asker(&self) -> Asker<'_> {
        Asker { service: &self.service, spacing: &self.spacing, retry_for: self.retry_reads_for }
    }

    /// Asks for one thing that the account may buy. None where it is not shown: then the create itself decides.
    async fn offer<T>(
        &self,
        action: &'static str,
        decode: impl Fn(&Response) -> Option<T> + Send + Sync,
    ) -> Option<T> {
        let decode = |response: &Response| Ok(decode(response));
        let question = Question { action, region: None, decode };
        match self.asker().ask(&question, &serde_json::json!({})).await {
            Ok(fetched) => fetched.payload,
            Err(error) => {
                tracing::warn!(action, message = %error.message, "what the account may buy is not known");
                None
            }
        }
    }

    fn progress(&self, what: Looks, of: Option<usize>) -> Progress<'_> {
        let reading = Reading { what, region: 1, regions: self.regions().len(), pages: 0, done: 0, of };
        let progress = Progress { watcher: self.watcher.as_ref(), reading };
        progress.report(Some(&progress.reading));
        progress
    }

    fn environments_page(&self, response: &Response) -> Result<Page<SeenEnvironment>, Text> {
        wire::page(response, "EnvList", |row| environment(row, &self.service.redactor))
    }

    /// Asks every region for one environment.
    async fn find_environment(&self, env_id: &str) -> Result<Lookup, CloudError> {
        let mut answer = Lookup::Absent;
        let body = DescribeEnvs {
            env_id: Some(env_id.to_owned()),
            limit: Some(walk::LIMIT),
            offset: Some(0),
            ..DescribeEnvs::default()
        };
        for region in self.regions() {
            let question = Question {
                action: wire::LIST,
                region: region.as_deref(),
                decode: |response: &Response| self.environments_page(response),
            };
            let page = match self.asker().ask(&question, &body).await {
                Ok(fetched) => fetched.payload,
                Err(error) if refuses_the_id(&error) => {
                    answer = Lookup::Unanswered;
                    continue;
                }
                Err(error) => return Err(error),
            };
            // An API that ignores the id returns a page of whatever there is, and the environment may be on another.
            let is_empty = page.sent == 0 && page.total.is_none_or(|total| total == 0);
            if let Some(env) = page.rows.into_iter().find(|env| env.env_id == env_id) {
                return Ok(Lookup::Found(Box::new(env)));
            }
            if !is_empty {
                answer = Lookup::Unanswered;
            }
        }
        Ok(answer)
    }

    /// Returns every row of a list, and how it fell short of being complete. `on_page` is called after each page.
    async fn walk<T, D, B: Serialize>(
        &self,
        question: &Question<'_, D>,
        id: fn(&T) -> &str,
        body: impl Fn(u32) -> B,
        bounds: &mut Bounds,
        mut on_page: impl FnMut(&Walk<T>),
    ) -> Result<(Vec<T>, Option<Short>), CloudError>
    where
        D: Fn(&Response) -> Result<Page<T>, Text>,
    {
        let too_much = |why: Text| {
            let what = question.name();
            no_reply(true, &text!("{what}: {why}", what, why), &self.service.redactor)
        };
        let mut walk = Walk::default();
        let mut offset = 0;
        loop {
            let fetched = self.asker().ask(question, &body(offset)).await?;
            bounds.count(fetched.payload.sent, fetched.bytes).map_err(too_much)?;
            let next = walk.take(fetched.payload, id);
            on_page(&walk);
            match next {
                Next::At(next) => offset = next,
                Next::Done => break,
                Next::TooLong => return Err(too_much(walk::too_long())),
            }
        }
        let short = walk.short();
        if let Some(short) = short {
            tracing::warn!(action = question.action, ?short, "the list is incomplete");
        }
        Ok((walk.rows, short))
    }
}

/// Whether the id in a request was refused, rather than the caller. `InvalidParameter.EnvId` is listed for DescribeEnvs; of
/// `ResourceNotFound` only `.UserNotExists`, which is about the account. What either says of the environment is not documented.
fn refuses_the_id(error: &CloudError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    let is_not_found = code == "ResourceNotFound" || code.starts_with("ResourceNotFound.");
    code == "InvalidParameter.EnvId" || is_not_found && !code.contains("User")
}

/// Reports how far a read has come, and that it has ended when it is dropped.
struct Progress<'a> {
    watcher: Option<&'a Watcher>,
    reading: Reading,
}

impl Progress<'_> {
    /// Reports one more page. `done` of `of` environments are there by now.
    fn page(&mut self, done: usize, of: Option<usize>) {
        self.reading.pages += 1;
        self.reading.done = done;
        self.reading.of = of.map(|of| of.max(done));
        self.report(Some(&self.reading));
    }

    fn report(&self, reading: Option<&Reading>) {
        if let Some(watcher) = self.watcher {
            watcher(reading);
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.report(None);
    }
}

/// Reads a row of `DescribeEnvs`. None without an id: a row whose EnvId is not an id counts as missing.
fn environment(row: &Value, redactor: &Redactor) -> Option<SeenEnvironment> {
    let member = |name| member(row, name, redactor);
    Some(SeenEnvironment {
        env_id: redactor.id(&text_of(row.get("EnvId")?)?)?,
        alias: member("Alias"),
        source: member("Source"),
        channel: member("EnvChannel"),
        status: member("Status"),
        pay_mode: member("PayMode"),
        created_at: member("CreateTime").filter(|time| time != NO_TIME),
        region: member("Region"),
        package: member("PackageId"),
        tags: row.get("Tags").and_then(|tags| tags_of(tags, redactor)),
    })
}

/// Reads the tags of a row; None when they are not a list of tags.
fn tags_of(tags: &Value, redactor: &Redactor) -> Option<BTreeMap<String, String>> {
    let tag = |tag: &Value| {
        let text = |name| tag.get(name)?.as_str().map(|text| redactor.text(text));
        Some((text("Key")?, text("Value")?))
    };
    tags.as_array()?.iter().map(tag).collect()
}

/// Reads a row of `DescribeBillingInfo`.
fn bill(row: &Value, redactor: &Redactor) -> Option<Bill> {
    let member = |name| member(row, name, redactor);
    Some(Bill {
        env_id: redactor.id(&text_of(row.get("EnvId")?)?)?,
        pay_mode: member("PayMode").map(|word| PayMode::from_word(&word)),
        package: member("PackageId"),
        expires_at: member("ExpireTime").filter(|time| time != NO_TIME),
        overrun: row.get("EnableOverrun").and_then(truth_of),
        auto_renew: row.get("IsAutoRenew").and_then(truth_of),
        free_quota: member("FreeQuota"),
        payment_channel: member("PaymentChannel"),
        status: member("Status"),
        order: row.get("OrderInfo").and_then(|order| bill_order(order, redactor)),
    })
}

fn bill_order(order: &Value, redactor: &Redactor) -> Option<BillOrder> {
    let member = |name| member(order, name, redactor);
    Some(BillOrder {
        tran_id: redactor.id(&text_of(order.get("TranId")?)?)?,
        created_at: member("CreateTime").filter(|time| time != NO_TIME),
        flag: member("Flag"),
        extension_id: member("ExtensionId"),
        tran_status: order.get("TranStatus").and_then(number_of),
    })
}

/// Reads a boolean, or one of the words that requests have for it.
fn truth_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(word) => word.to_ascii_lowercase().parse().ok(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Reads a text of a row. It may end in the state, so a secret that the endpoint echoes is redacted.
fn member(row: &Value, name: &str, redactor: &Redactor) -> Option<String> {
    row.get(name).and_then(text_of).map(|text| redactor.text(&text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cloud::tencent::Credentials;

    #[test]
    fn environment_has_what_is_shown_and_no_more() {
        let row = json!({
            "EnvId": "a-1", "Alias": "我的\u{1b}环境", "Source": "qcloud", "EnvChannel": "qc_console",
            "Status": "NORMAL", "PayMode": "postpaid", "CreateTime": "2018-08-13 10:52:09",
            "Region": "ap-shanghai", "PackageId": "baas_personal",
            "Tags": [{"Key": "team", "Value": "web"}],
        });
        let some = |text: &str| Some(text.to_owned());
        let full = SeenEnvironment {
            env_id: "a-1".to_owned(),
            alias: some(r"我的\u{1b}环境"),
            source: some("qcloud"),
            channel: some("qc_console"),
            status: some("NORMAL"),
            pay_mode: some("postpaid"),
            created_at: some("2018-08-13 10:52:09"),
            region: some("ap-shanghai"),
            package: some("baas_personal"),
            tags: Some(BTreeMap::from([("team".to_owned(), "web".to_owned())])),
        };
        let bare = SeenEnvironment { env_id: "12".to_owned(), ..SeenEnvironment::default() };
        let table = [
            (row, Some(full)),
            (
                json!({"EnvId": 12, "Alias": "", "Source": null, "CreateTime": NO_TIME, "Tags": [{}]}),
                Some(bare),
            ),
            (json!({"EnvId": ""}), None),
            (json!({"EnvId": null}), None),
            (json!({"EnvId": "not an id"}), None),
            (json!({}), None),
            (json!(7), None),
        ];
        for (row, expected) in table {
            assert_eq!(environment(&row, &Redactor::default()), expected, "{row}");
        }
    }

    #[test]
    fn bill_has_an_order_only_with_its_number() {
        let order = |tran_id: &str| BillOrder {
            tran_id: tran_id.to_owned(),
            tran_status: Some(4),
            ..BillOrder::default()
        };
        let table = [
            (json!(null), None),
            (json!("none"), None),
            (json!({}), None),
            (json!({"TranId": ""}), None),
            (json!({"TranId": null, "Flag": "x"}), None),
            (
                json!({"TranId": 7, "TranStatus": "4", "CreateTime": NO_TIME, "Flag": "", "Oops": {}}),
                Some(order("7")),
            ),
        ];
        for (info, expected) in table {
            let row = json!({"EnvId": "a", "PayMode": "PREPAYMENT", "Status": "", "OrderInfo": info});
            let bill = bill(&row, &Redactor::default()).unwrap();
            assert_eq!((bill.order, bill.status), (expected, None), "{info}");
            assert_eq!(bill.pay_mode, Some(PayMode::Prepaid));
        }
    }

    #[test]
    fn echoed_secret_is_redacted_and_what_is_like_one_stays() {
        let redactor = Redactor::new(&Credentials {
            secret_id: "AKIDEXAMPLE-AKIDEXAMPLE".to_owned(),
            secret_key: "a-key-of-thirty-two-characters-0".into(),
            token: Some("to/ken/to/ken/to/ken/to/ken".into()),
        });
        let all = "x to/ken/to/ken/to/ken/to/ken a-key-of-thirty-two-characters-0 AKIDEXAMPLE-AKIDEXAMPLE";
        let names =
            ["Alias", "Source", "EnvChannel", "Status", "PayMode", "CreateTime", "Region", "PaymentChannel"];
        let mut row: Value = names.map(|name| (name.to_owned(), Value::from(all))).into_iter().collect();
        row["EnvId"] = "a-1".into();
        row["OrderInfo"] = json!({"TranId": "1", "Flag": all, "ExtensionId": all, "CreateTime": all});
        let shown = format!("{:?} {:?}", environment(&row, &redactor), bill(&row, &redactor));
        assert_eq!(shown.matches("x [token] [secret key] [secret id]").count(), 7 + 3 + 3, "{shown}");
        for secret in ["to/ken", "characters-0", "AKIDEXAMPLE"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        // The start of a secret, or a short one, does not make an id another one.
        let short = Redactor::new(&Credentials {
            secret_id: "shop".to_owned(),
            secret_key: "a-key-of-thirty-two-characters-0".into(),
            token: None,
        });
        for id in ["shop-1", "a-key-of-th"] {
            assert_eq!(short.text(id), id);
        }
    }
}
