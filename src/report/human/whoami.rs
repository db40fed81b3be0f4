//! Which key is used, and whose it is.

use std::fmt::Write as _;

use super::Look;
use crate::i18n::{Text, text};
use crate::report::identity::Identity;
use crate::report::text::{self, clean, duration};

/// A line for each thing that is known.
pub fn whoami(identity: &Identity, look: Look) -> String {
    let Identity {
        source: _,
        source_text,
        role,
        key_id,
        ends,
        caller,
        endpoint,
        sts_endpoint,
        region,
        list_regions,
    } = identity;
    let plain = |value: &Option<String>| value.as_deref().map(same);
    let account = match caller {
        Some(caller) => same(&caller.account),
        None => text!("unknown"),
    };
    let of_caller = |of: fn(&crate::cloud::Caller) -> Option<String>| {
        caller.as_ref().and_then(of).map(|value| same(&value))
    };
    let expires = ends.map(|(ends, left)| {
        let time = duration(left.unsigned_abs());
        if left.is_negative() {
            text!("{ends}, {time} ago by this machine's clock", ends, time)
        } else {
            text!("{ends}, in {time}", ends, time)
        }
    });
    let regions = (!list_regions.is_empty()).then(|| same(&list_regions.join(", ")));
    let lines = [
        (text!("source"), Some(source_text.clone())),
        (text!("role"), plain(role)),
        (text!("secret id"), Some(key_id.as_deref().map_or_else(|| text!("none issued yet"), same))),
        (text!("expires"), expires),
        (text!("account"), Some(account)),
        (text!("ARN"), of_caller(|caller| caller.arn.clone())),
        (text!("type"), of_caller(|caller| caller.kind.clone())),
        (text!("endpoint"), Some(same(endpoint))),
        (text!("STS"), plain(sts_endpoint)),
        (text!("region"), Some(region.as_deref().map_or_else(|| text!("not set"), same))),
        (text!("lists in"), regions),
        (text!("RequestId"), of_caller(|caller| caller.request_id.clone())),
    ];
    let mut out = String::new();
    for (name, value) in lines {
        let Some(value) = value else { continue };
        // The longest of the names, and two.
        let name = text::left(&look.say(name), 11);
        let _ = writeln!(out, "{name}{}", look.say(value));
    }
    out
}

/// What Tencent Cloud or a person wrote.
fn same(value: &str) -> Text {
    Text::same(clean(value).into_owned())
}
