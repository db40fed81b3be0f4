//! What is there before anything is ordered: the sample environment, and those that were asked for, prepaid or postpaid.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ledger::{LedgerEntry, Line, SAMPLE_ENV_ID};
use super::world::tran_id;
use crate::cloud::tencent::wire::CREATE;
use crate::lang::text;

/// A postpaid environment that is there from the start, as somebody may have ordered it at the console. Written `ENV_ID` or
/// `ENV_ID:ALIAS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postpaid {
    pub env_id: String,
    /// None: what stands before the last `-` of its id, as in the vendor's ids.
    pub alias: Option<String>,
}

/// A text that names no environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct PostpaidError {
    text: String,
}

impl fmt::Display for PostpaidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text } = self;
        text!(
            "`{text}` names no environment: write ENV_ID or ENV_ID:ALIAS",
            "`{text}` 没有指明环境：写成 ENV_ID 或 ENV_ID:ALIAS"
        )
        .fmt(f)
    }
}

impl FromStr for Postpaid {
    type Err = PostpaidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (env_id, alias) = match text.split_once(':') {
            Some((env_id, alias)) => (env_id, Some(alias)),
            None => (text, None),
        };
        if env_id.is_empty() || alias.is_some_and(str::is_empty) {
            return Err(PostpaidError { text: text.to_owned() });
        }
        Ok(Self { env_id: env_id.to_owned(), alias: alias.map(str::to_owned) })
    }
}

/// What an environment that was there from the start was ordered with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bought {
    pub(super) alias: String,
    pub(super) tran_id: String,
}

impl Bought {
    /// The order as the ledger would have it, had it been made here. It is in no ledger: nobody made it during a run.
    pub(super) fn order(&self, env_id: &str, at: Timestamp) -> LedgerEntry {
        let Self { alias, tran_id } = self;
        let params = [("Alias", alias.as_str()), ("Channel", "qc_console"), ("EnvSource", "qcloud")];
        let params = params.map(|(name, value)| (name.to_owned(), Value::from(value)));
        LedgerEntry {
            call: 0,
            at,
            action: CREATE.to_owned(),
            region: None,
            params: Map::from_iter(params),
            reached: true,
            acted: true,
            changed: false,
            answer: "ok".to_owned(),
            fault: None,
            tran_id: Some(tran_id.clone()),
            env_id: Some(env_id.to_owned()),
            request_id: String::new(),
        }
    }
}

/// The environments that a ledger should know and doesn't. One that it knows stays what it is.
pub(super) fn missing(lines: &[Line], prepaid: &[String], postpaid: &[Postpaid], at: Timestamp) -> Vec<Line> {
    let sample = lines.is_empty().then(|| SAMPLE_ENV_ID.to_owned());
    let prepaid = sample.iter().chain(prepaid).map(|env_id| (env_id, None));
    let postpaid = postpaid.iter().map(|it| (&it.env_id, Some(&it.alias)));
    let mut missing: Vec<Line> = Vec::new();
    for (env_id, bought) in prepaid.chain(postpaid) {
        let all = || lines.iter().chain(&missing);
        let known = all().any(|line| match line {
            Line::Environment { env_id: known, .. } => known == env_id,
            Line::Elsewhere { .. } => false,
            Line::Request(entry) => entry.acted && entry.env_id.as_ref() == Some(env_id),
        });
        if known {
            continue;
        }
        let postpaid = bought.map(|alias| Bought {
            alias: alias.as_deref().unwrap_or(alias_in(env_id)).to_owned(),
            tran_id: free_tran_id(all(), at),
        });
        missing.push(Line::Environment { env_id: env_id.clone(), at, postpaid });
    }
    missing
}

/// The alias that the vendor's form of an id begins with.
pub(super) fn alias_in(env_id: &str) -> &str {
    env_id.rsplit_once('-').map_or(env_id, |(alias, _)| alias)
}

/// An order number of the day that nothing has yet.
fn free_tran_id<'a>(lines: impl Iterator<Item = &'a Line>, at: Timestamp) -> String {
    let taken: Vec<&str> = lines
        .filter_map(|line| match line {
            Line::Environment { postpaid, .. } => Some(postpaid.as_ref()?.tran_id.as_str()),
            Line::Elsewhere { .. } => None,
            Line::Request(entry) => entry.tran_id.as_deref(),
        })
        .collect();
    let mut number = 1;
    loop {
        let tran_id = tran_id(at, number);
        if !taken.contains(&tran_id.as_str()) {
            return tran_id;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::World;

    #[test]
    fn one_is_written_by_its_id_and_perhaps_an_alias() {
        let of = |text: &str| text.parse::<Postpaid>().map(|it| (it.env_id, it.alias));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of("shop-1"), Ok(("shop-1".to_owned(), None)));
        assert_eq!(of("shop-1:店:2"), Ok(("shop-1".to_owned(), some("店:2"))));
        for bad in ["", ":a", "a:"] {
            let error = of(bad).unwrap_err().to_string();
            assert!(error.contains("ENV_ID:ALIAS"), "{error}");
        }
    }

    #[test]
    fn a_postpaid_one_looks_as_if_it_had_been_ordered_at_the_console() {
        let at = Timestamp::from_second(1_591_200_000).unwrap();
        let postpaid: Vec<Postpaid> =
            ["shop-1", "blog-2:博客", "old-1"].map(|text| text.parse().unwrap()).to_vec();
        let lines = missing(&[], &["old-1".to_owned()], &postpaid, at);
        assert_eq!(lines.len(), 4, "the sample, and each of the three once");
        let mut world = World::default();
        for line in &lines {
            world.apply(line);
        }
        let of = |env_id: &str| world.find(env_id).unwrap();
        assert_eq!(of("old-1").info.pay_mode, "prepayment", "it was named first");
        for (env_id, alias, tran_id) in
            [("shop-1", "shop", "20200604000001"), ("blog-2", "博客", "20200604000002")]
        {
            let env = of(env_id);
            assert_eq!(env.info.alias, alias);
            assert_eq!(env.info.pay_mode, "postpaid");
            assert_eq!(
                (&*env.info.source, &*env.info.env_channel, &*env.info.region),
                ("qcloud", "qc_console", "ap-shanghai")
            );
            assert_eq!(env.bill.pay_mode, "POSTPAID");
            assert_eq!(env.bill.payment_channel, "qcloud");
            assert_eq!(env.bill.order_info.as_ref().unwrap().tran_id, tran_id);
        }
        let order = Map::from_iter([
            ("EnvSource".to_owned(), Value::from("qcloud")),
            ("Channel".to_owned(), Value::from("qq")),
        ]);
        let next = world.consider(&order, at).unwrap();
        assert_eq!(next.tran_id, "20200604000003");
        assert_eq!(missing(&lines, &[], &postpaid, at), [], "they are known");
        let more = missing(&lines, &[], &["new-1".parse().unwrap()], at);
        let [Line::Environment { postpaid: Some(bought), .. }] = &*more else {
            panic!("{more:?}");
        };
        assert_eq!(bought.tran_id, "20200604000003");
    }
}
