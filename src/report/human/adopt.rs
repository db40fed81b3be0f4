//! What is to be adopted: what is declared, beside what the account shows.

use std::fmt::Write as _;

use super::Look;
use crate::apply::import::{Compared, Importable};
use crate::i18n::{Text, text};
use crate::report::text::{clean, left};

/// Every environment that is to be adopted, field by field.
pub fn adoptions(adoptions: &[Importable], look: Look) -> String {
    let mut out = String::new();
    for adoption in adoptions {
        one(&mut out, adoption, look);
    }
    out
}

/// How wide the names are.
const COLUMN: usize = 14;

fn one(out: &mut String, adoption: &Importable, look: Look) {
    let Importable { address, environment, bill, tran_id, attributes: _, compared } = adoption;
    let (head, env_id) = (look.strong(address), clean(&environment.env_id));
    let head = text!("{head} {env_id} in the account:", head, env_id);
    let _ = writeln!(out, "\n{}", look.say(head));
    let told = |text: Option<&String>| match text {
        Some(text) => Text::same(clean(text).into_owned()),
        None => text!("not reported"),
    };
    let pay_mode = bill.as_ref().and_then(|bill| bill.pay_mode.as_ref()).map(ToString::to_string);
    let rows = [
        (text!("status"), told(environment.status.as_ref())),
        (text!("region"), told(environment.region.as_ref())),
        (text!("created at"), told(environment.created_at.as_ref())),
        (text!("pay mode"), told(pay_mode.as_ref().or(environment.pay_mode.as_ref()))),
        (Text::same("tran_id"), told(tran_id.as_ref())),
    ];
    for (name, value) in rows {
        let name = left(&look.say(name), COLUMN);
        let _ = writeln!(out, "      {name}{}", look.say(value));
    }
    for one in compared {
        let Compared { field, declared, live, fits } = one;
        let quoted = |value: &String| format!("\"{}\"", clean(value));
        let line = match (declared, live) {
            (Some(_), Some(live)) if *fits => {
                let live = quoted(live);
                text!("{live}  as declared", live)
            }
            (Some(declared), Some(live)) => {
                let (declared, live) = (quoted(declared), quoted(live));
                let differs = look.bad(text!("but the manifest has {declared}", declared));
                text!("{live}  {differs}: see the next plan for options", live, differs)
            }
            (Some(declared), None) => {
                let declared = quoted(declared);
                text!("{declared}  declared, not reported", declared)
            }
            (None, Some(live)) => {
                let live = quoted(live);
                text!("{live}  not declared, will not be changed", live)
            }
            (None, None) => continue,
        };
        let field = left(&field.to_string(), COLUMN);
        let _ = writeln!(out, "      {field}{}", look.say(line));
    }
}
