//! Every trace of an order in a whole answer, wherever it stands: in the envelope, beside it, nested, or under a key that
//! stands twice, of which a map would keep the last only.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The traces that a JSON body holds. Names of ids are compared without regard to case: a trace too many only makes an
/// answer prove less.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traces {
    /// Each once, in the body's order.
    pub tran_ids: Vec<String>,
    /// Each once, in the body's order.
    pub env_ids: Vec<String>,
    /// A member named like an id holds what is neither an id nor nothing.
    pub odd: bool,
    /// A key that stands twice in one object, so that nobody can tell which is meant.
    pub repeated: Option<&'static str>,
}

/// The most ids of a kind that are kept: an endpoint gone wrong may send a hundred thousand.
const MOST_IDS: usize = 20;

/// The keys that may not stand twice. `Code` is among them because one of two codes may be a throttle's, on which an order is
/// sent again.
const ONCE: [&str; 6] = ["Response", "Error", "Code", "TranId", "EnvId", "RequestId"];

/// The traces in a body; none when it is not JSON.
pub fn traces(body: &[u8]) -> Traces {
    let mut traces = Traces::default();
    let mut json = serde_json::Deserializer::from_slice(body);
    let walk = Walk { id: None, nested: false, wrapped: false, traces: &mut traces };
    // What a broken body holds is for `salvage` to find; what was found before it broke is kept.
    let _ = walk.deserialize(&mut json);
    traces
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Id {
    Tran,
    Env,
}

impl Id {
    fn named(key: &str) -> Option<Self> {
        if key.eq_ignore_ascii_case("TranId") {
            Some(Self::Tran)
        } else if key.eq_ignore_ascii_case("EnvId") {
            Some(Self::Env)
        } else {
            None
        }
    }
}

/// Goes through one value.
struct Walk<'a> {
    /// The id in whose member the value stands.
    id: Option<Id>,
    /// Whether it stands in a list or an object there.
    nested: bool,
    /// Whether it stands in a JSON text that holds JSON. One such wrap is looked into: the depth must have an end.
    wrapped: bool,
    traces: &'a mut Traces,
}

impl Walk<'_> {
    fn within(&mut self, key: Option<&str>) -> Walk<'_> {
        let named = key.and_then(Id::named);
        Walk { id: named.or(self.id), nested: self.id.is_some(), wrapped: self.wrapped, traces: self.traces }
    }

    fn text(self, text: &str) {
        let text = text.trim();
        let Some(id) = self.id else {
            // JSON that is wrapped in a text.
            if !self.wrapped && text.starts_with(['{', '[']) {
                let walk = Walk { id: None, nested: false, wrapped: true, traces: self.traces };
                let _ = walk.deserialize(&mut serde_json::Deserializer::from_str(text));
            }
            return;
        };
        if text.is_empty() {
            return self.nothing();
        }
        let ids = match id {
            Id::Tran => &mut self.traces.tran_ids,
            Id::Env => &mut self.traces.env_ids,
        };
        if ids.len() < MOST_IDS && !ids.iter().any(|known| known == text) {
            ids.push(text.to_owned());
        }
    }

    /// Nothing in the member itself is nothing; a list of nothing is something that nobody expects.
    fn nothing(self) {
        self.traces.odd |= self.nested;
    }

    fn odd(self) {
        self.traces.odd |= self.id.is_some();
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.nothing();
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.odd();
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        if self.id.is_some() {
            self.text(&number.to_string());
        }
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        if self.id.is_some() {
            self.text(&number.to_string());
        }
        Ok(())
    }

    /// Its digits are lost here; `salvage` reads them from the body.
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.odd();
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.text(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let mut empty = true;
        while items.next_element_seed(self.within(None))?.is_some() {
            empty = false;
        }
        if empty {
            self.nothing();
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let mut empty = true;
        let mut met = [false; ONCE.len()];
        while let Some(key) = members.next_key::<String>()? {
            empty = false;
            for (name, met) in ONCE.into_iter().zip(&mut met) {
                if key == name && std::mem::replace(met, true) {
                    self.traces.repeated = Some(name);
                }
            }
            members.next_value_seed(self.within(Some(&key)))?;
        }
        if empty {
            self.nothing();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body, its order numbers, its EnvIds, whether it is odd, and what stands twice.
    type Case = (&'static str, &'static [&'static str], &'static [&'static str], bool, Option<&'static str>);

    #[test]
    fn traces_are_found_wherever_they_stand() {
        let table: [Case; 19] = [
            (r#"{"Response":{"TranId":"1","EnvId":"e"}}"#, &["1"], &["e"], false, None),
            (r#"{"TranId":"1","Response":{"TranId":"1"}}"#, &["1"], &[], false, None),
            (r#"{"Response":{"Data":{"TranId":"1"}}}"#, &["1"], &[], false, None),
            (r#"{"TranId":["1",{"x":" 2 "}]}"#, &["1", "2"], &[], false, None),
            (r#"{"TranId":{"EnvId":"e","x":7}}"#, &["7"], &["e"], false, None),
            (r#"{"tran\u0049d":"1","envID":"e"}"#, &["1"], &["e"], false, None),
            (r#"{"Data":"{\"TranId\":\"1\"}"}"#, &["1"], &[], false, None),
            (r#"{"TranId":"1","TranId":"2"}"#, &["1", "2"], &[], false, Some("TranId")),
            (r#"{"Response":{"TranId":"1"},"Response":{}}"#, &["1"], &[], false, Some("Response")),
            (r#"{"Error":1,"Error":1}"#, &[], &[], false, Some("Error")),
            (r#"{"Error":{"Code":"a","Message":"m","Code":"b"}}"#, &[], &[], false, Some("Code")),
            (r#"{"RequestId":"a","RequestId":"a"}"#, &[], &[], false, Some("RequestId")),
            // Each in an object of its own.
            (r#"[{"Code":"a"},{"Code":"a"}]"#, &[], &[], false, None),
            (r#"{"TranId":null,"EnvId":" "}"#, &[], &[], false, None),
            (r#"{"TranId":[],"EnvId":{}}"#, &[], &[], false, None),
            (r#"{"TranId":[null]}"#, &[], &[], true, None),
            (r#"{"TranId":true}"#, &[], &[], true, None),
            (r#"{"TranId":1e30}"#, &[], &[], true, None),
            (r#"{"a":[{"TranId":"1"},"#, &["1"], &[], false, None),
        ];
        for (body, tran_ids, env_ids, odd, repeated) in table {
            let expected = Traces {
                tran_ids: tran_ids.iter().map(|&id| id.to_owned()).collect(),
                env_ids: env_ids.iter().map(|&id| id.to_owned()).collect(),
                odd,
                repeated: ONCE.into_iter().find(|&name| Some(name) == repeated),
            };
            assert_eq!(traces(body.as_bytes()), expected, "{body}");
        }
    }
}
