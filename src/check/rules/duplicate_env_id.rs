//! An environment that exists is switched once, or adopted once, so one address alone names it.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::{Environment, Manifests};
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;
use crate::manifest::Node;

/// An id where it is named.
#[derive(Clone, Copy)]
struct Named<'m, 'a> {
    environment: &'m Environment<'a>,
    text: &'a str,
    node: Node<'a>,
    /// What its environment has it by: `env_id`, or `import`.
    by: &'static str,
    inherited: bool,
}

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, Named<'_, '_>> = HashMap::new();
    for (_, environment) in manifests.environments() {
        let ids = ids(manifests, environment).into_iter().flatten();
        // What is empty names nothing, and has a rule of its own.
        for named in ids.filter(|named| !named.text.trim().is_empty()) {
            match seen.get(named.text) {
                None => {
                    seen.insert(named.text, named);
                }
                // An import may say again what the field says.
                Some(first) if std::ptr::eq(first.environment, environment) => {}
                Some(first) => problems.push(twice(first, &named)),
            }
        }
    }
}

fn ids<'m, 'a>(manifests: &Manifests<'a>, environment: &'m Environment<'a>) -> [Option<Named<'m, 'a>>; 2] {
    let field = manifests.get(environment, postpay::ENV_ID).and_then(|value| {
        Some(Named {
            environment,
            text: manifests.text(environment, postpay::ENV_ID)?,
            node: value.node,
            by: postpay::ENV_ID.name,
            inherited: value.inherited,
        })
    });
    let imported = environment.import.and_then(|import| {
        let env_id = import.env_id?;
        Some(Named {
            environment,
            text: env_id.text?,
            node: env_id.node,
            by: "import",
            inherited: import.inherited,
        })
    });
    [field, imported]
}

fn twice(first: &Named<'_, '_>, again: &Named<'_, '_>) -> Diagnostic {
    let env_id = again.text;
    let problem = Diagnostic::error(
        "duplicate-env-id",
        text!("the environment `{env_id}` is named twice", "环境 `{env_id}` 被指定了两次"),
    );
    let place = if first.inherited { first.environment.key } else { first.node };
    let problem = if again.inherited {
        again.environment.mark_inherited(problem, again.node, again.by, text!("again", "再次出现"))
    } else {
        problem.at(&again.node.span(), text!("again", "再次出现"))
    }
    .at(&place.span(), text!("first here", "首次出现在这里"));
    if [first.by, again.by].contains(&"import") {
        problem.help(text!(
            "an environment has one address: it is adopted there, and not ordered at another one",
            "一个环境只有一个地址：在该地址下纳管，不能又在另一个地址下订购"
        ))
    } else {
        problem.help(text!(
            "two orders for one environment would be paid twice",
            "对同一个环境下两个订单，会付两次费"
        ))
    }
}
