//! The vendor's console takes 20 characters for an alias; the action's page gives no limit.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;

const LONGEST: usize = 20;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (written, text) in manifests.texts(postpay::ALIAS) {
        let length = text.chars().count();
        if length > LONGEST {
            problems.push(
                Diagnostic::warning(
                    "long-alias",
                    text!(
                        "this alias has {length} characters, the vendor may refuse it",
                        "该别名有 {length} 个字符，可能被腾讯云拒绝"
                    ),
                )
                .on(&written.node.span())
                .help(text!("{LONGEST} characters are safe", "不超过 {LONGEST} 个字符较为稳妥")),
            );
        }
    }
}
