//! Values of a wrong type: above all numbers and truth values that were meant as strings.

use crate::check::Options;
use crate::check::model::{Manifests, Shape, TOP};
use crate::check::near::list;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;
use crate::manifest::{Node, Value};

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for misshapen in &manifests.misshapen {
        problems.push(other(misshapen.should_be, misshapen.node));
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

fn other(should_be: Shape<'_>, node: Node<'_>) -> Diagnostic {
    let a_mapping = |name: &str| format!("{name} is a mapping");
    let a_list = |name: &str| format!("`{name}` is a list");
    let (what, help) = match should_be {
        Shape::Manifest => (
            a_mapping("a manifest"),
            format!("it holds {}", list(&TOP)),
        ),
        Shape::Defaults => (
            a_mapping("`defaults`"),
            "write fields under it: `env_source: qcloud`".to_owned(),
        ),
        Shape::Environments => (
            a_mapping("`environments`"),
            "write each environment under its address: `shop-prod: {alias: shop-prod}`".to_owned(),
        ),
        Shape::Environment(name) => (
            a_mapping(&format!("the environment `{name}`")),
            "write its fields under it: `alias: shop-prod`".to_owned(),
        ),
        Shape::Lifecycle => (
            a_mapping("`lifecycle`"),
            "for example `lifecycle: {prevent_destroy: true}`".to_owned(),
        ),
        Shape::PreventDestroy => (
            "`prevent_destroy` is a boolean".to_owned(),
            "write `true` or `false`, without quotes".to_owned(),
        ),
        Shape::IgnoreChanges => (
            a_list("ignore_changes"),
            "write the names of fields: `ignore_changes: [flag]`".to_owned(),
        ),
        Shape::Ignored => (
            "an item of `ignore_changes` is a string".to_owned(),
            "write the name of a field: `ignore_changes: [flag]`".to_owned(),
        ),
        Shape::Import => (
            a_mapping("`import`"),
            "name the environment that is to be adopted: `import: {env_id: shop-prod-1a2b3c}`; to order one, leave it out"
                .to_owned(),
        ),
        Shape::Id(name) | Shape::End(name) => return string(name, node),
        Shape::Moved => (
            a_list("moved"),
            "write each move as an item: `- {from: shop, to: shop-prod}`".to_owned(),
        ),
        Shape::Move => (
            a_mapping("an item of `moved`"),
            "write it as `{from: shop, to: shop-prod}`".to_owned(),
        ),
        Shape::Removed => (
            a_list("removed"),
            "write each address as an item: `- old-shop`".to_owned(),
        ),
        Shape::Forgotten => (
            "an item of `removed` is a string".to_owned(),
            "write an address: `- old-shop`".to_owned(),
        ),
    };
    wrong(&what, node).help(help)
}

fn field(field: Field, node: Node<'_>) -> Diagnostic {
    if field == Field::Extra {
        in_quotes(wrong("`extra` is a string or a mapping", node), node)
    } else {
        string(field.name(), node)
    }
}

fn string(name: &str, node: Node<'_>) -> Diagnostic {
    in_quotes(wrong(&format!("`{name}` is a string"), node), node)
}

fn wrong(what: &str, node: Node<'_>) -> Diagnostic {
    let is = node.describe();
    Diagnostic::error("wrong-type", format!("{what}, not {is}")).at(&node.span(), is)
}

/// How a number or a truth value is written that is meant as a string.
fn in_quotes(problem: Diagnostic, node: Node<'_>) -> Diagnostic {
    match node.value() {
        Value::Number(number) => problem.help(format!("write it in quotes: \"{number}\"")),
        Value::Bool(truth) => problem.help(format!("write it in quotes: \"{truth}\"")),
        Value::Null | Value::Text(_) | Value::Sequence(_) | Value::Mapping(_) => problem,
    }
}
