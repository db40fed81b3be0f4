//! What is to be adopted: what is declared, beside what the account shows.

use std::fmt::Write as _;

use super::Look;
use crate::apply::adopt::{Adoption, Compared};
use crate::report::text::clean;

/// Every environment that is to be adopted, field by field.
pub fn adoptions(adoptions: &[Adoption], look: Look) -> String {
    let mut out = String::new();
    for adoption in adoptions {
        one(&mut out, adoption, look);
    }
    out
}

fn one(out: &mut String, adoption: &Adoption, look: Look) {
    let Adoption {
        address,
        environment,
        bill,
        tran_id,
        attributes: _,
        compared,
    } = adoption;
    let _ = writeln!(
        out,
        "\n{} {} in the account:",
        look.strong(address),
        clean(&environment.env_id)
    );
    let told =
        |text: Option<&String>| text.map_or("not told".to_owned(), |text| clean(text).into_owned());
    let pay_mode = bill
        .as_ref()
        .and_then(|bill| bill.pay_mode.as_ref())
        .map(ToString::to_string);
    let rows = [
        ("status", told(environment.status.as_ref())),
        ("region", told(environment.region.as_ref())),
        ("created", told(environment.created_at.as_ref())),
        (
            "pay mode",
            told(pay_mode.as_ref().or(environment.pay_mode.as_ref())),
        ),
        ("tran_id", told(tran_id.as_ref())),
    ];
    for (name, value) in rows {
        let _ = writeln!(out, "      {name:<14}{value}");
    }
    for one in compared {
        let Compared {
            field,
            declared,
            live,
            fits,
        } = one;
        let quoted = |value: &String| format!("\"{}\"", clean(value));
        let line = match (declared, live) {
            (Some(_), Some(live)) if *fits => format!("{}  as declared", quoted(live)),
            (Some(declared), Some(live)) => {
                let differs = look.bad(format!("but {} is declared", quoted(declared)));
                format!(
                    "{}  {differs}: the next plan says what can be done",
                    quoted(live)
                )
            }
            (Some(declared), None) => format!("{}  declared, and not told", quoted(declared)),
            (None, Some(live)) => format!("{}  not declared, left as it is", quoted(live)),
            (None, None) => continue,
        };
        let _ = writeln!(out, "      {field:<14}{line}");
    }
}
