//! Values of a wrong type: above all numbers and truth values that were meant as strings.

use crate::check::Options;
use crate::check::model::{Manifests, Place};
use crate::desired::Field;
use crate::diagnostic::Diagnostic;
use crate::manifest::{Node, Value};

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for misshapen in &manifests.misshapen {
        let (name, node) = (misshapen.name, misshapen.node);
        let (what, help) = match misshapen.place {
            Place::Top if name == "environments" => (
                "`environments` is a mapping".to_owned(),
                "write each environment under its address: `shop-prod: {alias: shop-prod}`",
            ),
            Place::Top => (
                "a manifest is a mapping".to_owned(),
                "it holds `version`, `defaults` and `environments`",
            ),
            Place::Defaults => (
                "`defaults` is a mapping".to_owned(),
                "write fields under it: `env_source: qcloud`",
            ),
            Place::Environment => (
                format!("the environment `{name}` is a mapping"),
                "write its fields under it: `alias: shop-prod`",
            ),
        };
        problems.push(
            Diagnostic::error("wrong-type", format!("{what}, not {}", node.describe()))
                .at(&node.span(), node.describe())
                .help(help),
        );
    }
    for written in &manifests.fields {
        let allowed = match written.node.value() {
            Value::Null | Value::Text(_) => true,
            Value::Mapping(_) => written.field == Field::Extra,
            Value::Bool(_) | Value::Number(_) | Value::Sequence(_) => false,
        };
        if !allowed {
            problems.push(field(written.field, written.node));
        }
    }
}

fn field(field: Field, node: Node<'_>) -> Diagnostic {
    let kind = if field == Field::Extra {
        "a string or a mapping"
    } else {
        "a string"
    };
    let problem = Diagnostic::error(
        "wrong-type",
        format!("`{field}` is {kind}, not {}", node.describe()),
    )
    .at(&node.span(), node.describe());
    match node.value() {
        Value::Number(number) => problem.help(format!("write it in quotes: \"{number}\"")),
        Value::Bool(truth) => problem.help(format!("write it in quotes: \"{truth}\"")),
        Value::Null | Value::Text(_) | Value::Sequence(_) | Value::Mapping(_) => problem,
    }
}
