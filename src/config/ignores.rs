//! `ignore` in `postpay.yaml`: drift that somebody knows of, why, and until when.

use jiff::civil::Date;

use super::read::{Kind, Reader, allowed, item_of, named};
use crate::check::near::{list, meant, nearest};
use crate::diagnostic::Diagnostic;
use crate::drift::{Code, Ignore};
use crate::lang::{Text, text};
use crate::manifest::{Mapping, Node, Value};
use crate::model::Address;

const KEYS: &[&str] = &["code", "address", "reason", "until"];

impl Reader {
    pub(super) fn ignores(&mut self, node: Node<'_>) -> Vec<Ignore> {
        let items = match node.value() {
            Value::Sequence(items) => items,
            Value::Null => return Vec::new(),
            Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Mapping(_) => {
                self.wrong_type::<()>(&named("ignore"), Kind::Mappings, node);
                return Vec::new();
            }
        };
        items.iter().filter_map(|item| self.ignore(item)).collect()
    }

    fn ignore(&mut self, item: Node<'_>) -> Option<Ignore> {
        let Value::Mapping(members) = item.value() else {
            return self.wrong_type(&item_of("ignore"), Kind::Mapping, item);
        };
        for entry in members.iter() {
            if !KEYS.contains(&entry.name()) {
                self.unknown(&entry, KEYS);
            }
        }
        let code = self.code(members, item);
        let reason = self.needed(
            members,
            item,
            "reason",
            &text!("say why, for whoever reads this later", "写明原因，供以后查看的人参考"),
        );
        let until = self.until(members, item);
        let address = match members.get("address") {
            None => None,
            Some(entry) if matches!(entry.value.value(), Value::Null) => None,
            Some(entry) => {
                let text = self.text("address", entry.value)?;
                let address = Address::new(text).ok();
                if address.is_none() {
                    self.invalid::<()>("address", entry.value, &Address::RULE);
                }
                Some(address?)
            }
        };
        Some(Ignore { code: code?, address, reason: Text::same(reason?.to_owned()), until: Some(until?) })
    }

    fn code(&mut self, members: Mapping<'_>, item: Node<'_>) -> Option<Code> {
        let names = Code::ALL.map(Code::name);
        let all = list(&names);
        let one_of = text!("one of {all}", "{all:#} 之一");
        let text = self.needed(members, item, "code", &one_of)?;
        let code = text.parse().ok();
        if code.is_none() {
            let allowed = allowed(&names);
            let help = nearest(text, &names)
                .map(meant)
                .map_or(allowed.clone(), |near| text!("{near} {allowed}", "{near:#}{allowed:#}"));
            self.invalid::<()>("code", members.get("code")?.value, &help);
        }
        code
    }

    fn until(&mut self, members: Mapping<'_>, item: Node<'_>) -> Option<Date> {
        const DAY: Text = Text::fixed(
            "the last day on which it holds, such as 2027-01-31",
            "最后一个有效的日子，例如 2027-01-31",
        );
        let text = self.needed(members, item, "until", &DAY)?;
        let until = text.parse().ok();
        if until.is_none() {
            self.invalid::<()>("until", members.get("until")?.value, &DAY);
        }
        until
    }

    fn needed<'a>(
        &mut self,
        members: Mapping<'a>,
        item: Node<'_>,
        name: &str,
        help: &Text,
    ) -> Option<&'a str> {
        let place = match members.get(name) {
            None => item.span(),
            Some(entry) if matches!(entry.value.value(), Value::Null) => entry.key.span(),
            Some(entry) => return self.text(name, entry.value),
        };
        self.problems.push(
            Diagnostic::error(
                "missing-field",
                text!("an ignored drift has no `{name}`", "被忽略的漂移没有写 `{name}`"),
            )
            .at(&place, text!("here", "在这里"))
            .help(help.clone()),
        );
        None
    }
}
