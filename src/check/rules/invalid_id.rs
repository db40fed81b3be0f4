//! An id is compared as it is written, and sent as it is written: a blank in it makes it another one here, and perhaps not there.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::invisible::unseen;
use crate::kinds::postpay;
use crate::lang::text;
use crate::manifest::Node;
use crate::model::{Field, ID_RULE, is_id};

/// `source` is no id, but a word that is sent as it stands.
const IDS: [Field; 4] = [postpay::ENV_ID, postpay::WX_APP_ID, postpay::EXTENSION_ID, postpay::SOURCE];

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for field in IDS {
        let written = manifests.texts(field);
        problems.extend(written.filter_map(|(it, text)| problem(field.name, text, it.node)));
    }
    let imported = manifests.imported_ids.iter();
    problems.extend(imported.filter_map(|id| problem(id.name, id.text?, id.node)));
}

fn problem(name: &str, text: &str, node: Node<'_>) -> Option<Diagnostic> {
    // What is empty, or holds what can't be seen, has rules of its own.
    if is_id(text) || text.trim().is_empty() || unseen(text).next().is_some() {
        return None;
    }
    let bad = text.chars().find(|c| !is_id(c.encode_utf8(&mut [0; 4])));
    let problem = Diagnostic::error(
        "invalid-id",
        match bad {
            Some(c) => {
                let code = u32::from(c);
                text!("`{name}` holds the character U+{code:04X}", "`{name}` 含有字符 U+{code:04X}")
            }
            None => text!("`{name}` is too long", "`{name}` 过长"),
        },
    );
    Some(problem.on(&node.span()).help(ID_RULE))
}
