//! Values of a wrong type: above all numbers and truth values that were meant as strings.

use crate::check::Options;
use crate::check::model::{Manifests, Shape, TOP};
use crate::check::near::list;
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::{Text, text};
use crate::manifest::{Node, Value};
use crate::model::Field;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for misshapen in &manifests.misshapen {
        problems.push(other(misshapen.should_be, misshapen.node));
    }
    for written in &manifests.fields {
        let allowed = match written.node.value() {
            Value::Null | Value::Text(_) => true,
            Value::Mapping(_) => written.field == postpay::EXTRA,
            Value::Bool(_) | Value::Number(_) | Value::Sequence(_) => false,
        };
        if !allowed {
            problems.push(field(written.field, written.node));
        }
    }
}

fn other(should_be: Shape<'_>, node: Node<'_>) -> Diagnostic {
    let top = list(&TOP);
    let (what, help) = match should_be {
        Shape::Manifest => {
            (text!("a manifest is a mapping", "清单应为映射"), text!("it holds {top}", "它包含 {top:#}"))
        }
        Shape::Defaults => (
            text!("`defaults` is a mapping", "`defaults` 应为映射"),
            text!("write fields under it: `env_source: qcloud`", "在它下面写字段：`env_source: qcloud`"),
        ),
        Shape::Environments => (
            text!("`environments` is a mapping", "`environments` 应为映射"),
            text!(
                "write each environment under its address: `shop-prod: {{alias: shop-prod}}`",
                "以地址为键写每个环境：`shop-prod: {{alias: shop-prod}}`"
            ),
        ),
        Shape::Environment(name) => (
            text!("the environment `{name}` is a mapping", "环境 `{name}` 应为映射"),
            text!("write its fields under it: `alias: shop-prod`", "在它下面写字段：`alias: shop-prod`"),
        ),
        Shape::Lifecycle => (
            text!("`lifecycle` is a mapping", "`lifecycle` 应为映射"),
            text!(
                "for example `lifecycle: {{prevent_destroy: true}}`",
                "例如 `lifecycle: {{prevent_destroy: true}}`"
            ),
        ),
        Shape::PreventDestroy => (
            text!("`prevent_destroy` is a boolean", "`prevent_destroy` 应为布尔值"),
            text!("write `true` or `false`, without quotes", "请写 `true` 或 `false`，不加引号"),
        ),
        Shape::IgnoreChanges => (
            text!("`ignore_changes` is a list", "`ignore_changes` 应为列表"),
            text!(
                "write the names of fields: `ignore_changes: [flag]`",
                "写字段名：`ignore_changes: [flag]`"
            ),
        ),
        Shape::Ignored => (
            text!("an item of `ignore_changes` is a string", "`ignore_changes` 的项应为字符串"),
            text!(
                "write the name of a field: `ignore_changes: [flag]`",
                "写字段名：`ignore_changes: [flag]`"
            ),
        ),
        Shape::Import => (
            text!("`import` is a mapping", "`import` 应为映射"),
            text!(
                "name the environment that is to be adopted: `import: {{env_id: shop-prod-1a2b3c}}`; to order one, leave it out",
                "写明要纳管的环境：`import: {{env_id: shop-prod-1a2b3c}}`；如果要订购，请省略该项"
            ),
        ),
        Shape::Id(name) | Shape::End(name) => return string(name, node),
        Shape::Moved => (
            text!("`moved` is a list", "`moved` 应为列表"),
            text!(
                "write each move as an item: `- {{from: shop, to: shop-prod}}`",
                "每次移动写成一项：`- {{from: shop, to: shop-prod}}`"
            ),
        ),
        Shape::Move => (
            text!("an item of `moved` is a mapping", "`moved` 的项应为映射"),
            text!("write it as `{{from: shop, to: shop-prod}}`", "写成 `{{from: shop, to: shop-prod}}`"),
        ),
        Shape::Removed => (
            text!("`removed` is a list", "`removed` 应为列表"),
            text!("write each address as an item: `- old-shop`", "每个地址写成一项：`- old-shop`"),
        ),
        Shape::Forgotten => (
            text!("an item of `removed` is a string", "`removed` 的项应为字符串"),
            text!("write an address: `- old-shop`", "写一个地址：`- old-shop`"),
        ),
    };
    wrong(&what, node).help(help)
}

fn field(field: Field, node: Node<'_>) -> Diagnostic {
    if field == postpay::EXTRA {
        in_quotes(wrong(&text!("`extra` is a string or a mapping", "`extra` 应为字符串或映射"), node), node)
    } else {
        string(field.name, node)
    }
}

fn string(name: &str, node: Node<'_>) -> Diagnostic {
    in_quotes(wrong(&text!("`{name}` is a string", "`{name}` 应为字符串"), node), node)
}

fn wrong(what: &Text, node: Node<'_>) -> Diagnostic {
    let is = node.describe();
    Diagnostic::error("wrong-type", text!("{what}, not {is}", "{what:#}，而不是{is:#}")).at(&node.span(), is)
}

/// How a number or a truth value is written that is meant as a string.
fn in_quotes(problem: Diagnostic, node: Node<'_>) -> Diagnostic {
    match node.value() {
        Value::Number(number) => {
            problem.help(text!("write it in quotes: \"{number}\"", "请加上引号：\"{number}\""))
        }
        Value::Bool(truth) => {
            problem.help(text!("write it in quotes: \"{truth}\"", "请加上引号：\"{truth}\""))
        }
        Value::Null | Value::Text(_) | Value::Sequence(_) | Value::Mapping(_) => problem,
    }
}
