//! What distinguishes environments: addresses, aliases and environment ids, over all files.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::declared::{Declared, Found, Manifests};
use super::near::{meant, nearest, unknown};
use crate::diagnostic::Diagnostic;
use crate::i18n::{Text, text};
use crate::manifest::Node;
use crate::model::kind::Rule;
use crate::model::{Address, Field, Null, Role, Shape, Value};

/// Two environments at one address could not be distinguished in the state.
pub(super) fn duplicate_addresses(manifests: &Manifests<'_>, problems: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, &Declared<'_>> = HashMap::new();
    for environment in &manifests.environments {
        let first = *seen.entry(environment.name).or_insert(environment);
        // Twice in one mapping is a duplicate key, which has been reported.
        if !first.container.is(environment.container) {
            let name = environment.name;
            problems.push(
                Diagnostic::error("duplicate-address", text!("duplicate address `{name}`", name))
                    .at(&environment.key.span(), text!("again"))
                    .at(&first.key.span(), text!("first here"))
                    .help(text!("addresses must be unique across all files and documents")),
            );
        }
    }
}

/// An alias identifies an environment when an answer is lost, so none that is created shares its own with another that is
/// created, or that is imported: that one is in the account too.
pub(super) fn duplicate_aliases(manifests: &Manifests<'_>, problems: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, Node<'_>> = HashMap::new();
    for environment in manifests.environments.iter().filter(|it| it.import.is_some() || it.is_new()) {
        let Some(alias) = environment.role(Role::Alias) else { continue };
        let Some(text) = alias.text() else { continue };
        let place = if alias.inherited { environment.key } else { alias.node };
        let Some(first) = seen.get(text) else {
            seen.insert(text, place);
            continue;
        };
        let problem = Diagnostic::error("duplicate-alias", text!("duplicate alias `{text}`", text));
        problems.push(
            environment
                .mark(problem, &alias, text!("again"))
                .at(&first.span(), text!("first here"))
                .help(text!("aliases must be unique among environments that are created or imported")),
        );
    }
}

/// What [`Rule::Distinct`] asks of the environments of each kind.
pub(super) fn distinct(manifests: &Manifests<'_>, problems: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<(&str, [&Value; 2]), Node<'_>> = HashMap::new();
    for environment in &manifests.environments {
        for rule in environment.kind.rules {
            let Rule::Distinct { code, field, members } = rule else { continue };
            let found = environment.kind.field(field).and_then(|field| environment.get(field));
            let Some((found, value)) = found.and_then(|found| Some((found.node, found.value?))) else {
                continue;
            };
            let [Some(a), Some(b)] = members.map(|member| value.member(member)) else { continue };
            let Some(first) = seen.get(&(*field, [a, b])) else {
                seen.insert((field, [a, b]), found);
                continue;
            };
            let [first_name, second_name] = members;
            problems.push(
                Diagnostic::error(
                    code,
                    text!(
                        "two environments have the same `{first_name}` and `{second_name}`",
                        first_name,
                        second_name
                    ),
                )
                .at(&found.span(), text!("again"))
                .at(&first.span(), text!("first here"))
                .help(text!("give each environment a `{second_name}` of its own", second_name)),
            );
        }
    }
}

/// Without an alias, a create whose answer was lost cannot be recognised. `recorded` are the addresses in the state: their
/// environments exist.
pub(super) fn missing_aliases(
    manifests: &Manifests<'_>,
    recorded: &BTreeSet<&Address>,
    problems: &mut Vec<Diagnostic>,
) {
    let recorded: HashSet<&str> = recorded.iter().map(|address| address.as_str()).collect();
    let moved: HashSet<&str> = manifests
        .whole_moves()
        .filter(|(_, from, _)| recorded.contains(from.text))
        .map(|(_, _, to)| to.text)
        .collect();
    for environment in &manifests.environments {
        let name = environment.name;
        let is_there = environment.import.is_some() || recorded.contains(name) || moved.contains(name);
        let is_required = || {
            let alias = environment.kind.role(Role::Alias);
            alias.is_some_and(|alias| alias.null == Null::Required)
        };
        // A kind that can't do without has reported it.
        if is_there
            || !environment.shaped
            || !environment.is_new()
            || environment.has(Role::Alias)
            || is_required()
        {
            continue;
        }
        problems.push(
            Diagnostic::error("missing-alias", text!("`{name}` has no `alias`", name))
                .at(&environment.key.span(), text!("`alias` is missing"))
                .help(text!(
                    "without an alias, a create whose response was lost cannot be recognised in the account"
                ))
                .help(text!("to allow this, set `guard: {require_alias: false}` in postpay.yaml")),
        );
    }
}

/// An id where it is named.
struct Named<'m, 'a> {
    environment: &'m Declared<'a>,
    text: &'m str,
    node: Node<'a>,
    /// What its environment has it by: the name of a field, or `import`.
    by: &'static str,
    inherited: bool,
}

/// An environment that exists is switched once, or imported once, so one address alone names it.
pub(super) fn env_ids(manifests: &Manifests<'_>, problems: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, Named<'_, '_>> = HashMap::new();
    for environment in &manifests.environments {
        let field = environment.role(Role::EnvId).and_then(|found| {
            let Found { field, node, inherited, .. } = found;
            Some(Named { environment, text: found.text()?, node, by: field.spec().name, inherited })
        });
        let imported = environment.import.and_then(|import| {
            let env_id = import.env_id?;
            let (text, inherited) = (env_id.text?, import.inherited);
            Some(Named { environment, text, node: env_id.node, by: "import", inherited })
        });
        if let (Some(imported), Some(field)) = (&imported, &field)
            && imported.text != field.text
        {
            problems.push(mismatch(imported, field));
        }
        // What is empty names nothing, and has been reported.
        for named in [field, imported].into_iter().flatten().filter(|named| !named.text.trim().is_empty()) {
            match seen.get(named.text) {
                None => {
                    seen.insert(named.text, named);
                }
                // An import may repeat what the field says.
                Some(first) if std::ptr::eq(first.environment, environment) => {}
                Some(first) => problems.push(twice(first, &named)),
            }
        }
    }
}

fn mismatch(imported: &Named<'_, '_>, field: &Named<'_, '_>) -> Diagnostic {
    let (name, ours, theirs) = (imported.environment.name, imported.text, field.text);
    let problem = Diagnostic::error(
        "import-mismatch",
        text!("`{name}` imports `{ours}`, but its `env_id` is `{theirs}`", name, ours, theirs),
    )
    .at(&imported.node.span(), text!("imported here"));
    mark(field, problem, text!("a different environment here"))
        .help(text!("remove `env_id`: `import` is enough for an imported environment"))
}

fn mark(named: &Named<'_, '_>, problem: Diagnostic, text: Text) -> Diagnostic {
    if named.inherited {
        named.environment.mark_inherited(problem, named.node, named.by, text)
    } else {
        problem.at(&named.node.span(), text)
    }
}

fn twice(first: &Named<'_, '_>, again: &Named<'_, '_>) -> Diagnostic {
    let env_id = again.text;
    let problem = Diagnostic::error("duplicate-env-id", text!("duplicate environment `{env_id}`", env_id));
    let place = if first.inherited { first.environment.key } else { first.node };
    let problem = mark(again, problem, text!("again")).at(&place.span(), text!("first here"));
    problem.help(if [first.by, again.by].contains(&"import") {
        text!("an environment has one address; it cannot be imported at one and created at another")
    } else {
        text!("two orders for one environment are paid twice")
    })
}

/// A reference leads to an environment that is declared earlier, and that lives in no other: so it is created first. One kind
/// is opened once on an environment.
pub(super) fn references(manifests: &Manifests<'_>, problems: &mut Vec<Diagnostic>) {
    let declared = manifests.declared();
    let mut earlier: HashSet<&str> = HashSet::new();
    let mut seen: HashMap<(&str, &str, &str), Node<'_>> = HashMap::new();
    for environment in &manifests.environments {
        let fields = environment.kind.fields();
        let is_inside = |field: &Field| field.shape == Shape::Reference || field.role == Some(Role::Inside);
        for field in fields.filter(is_inside) {
            let Some(found) = environment.get(field) else { continue };
            let Some(to) = found.text() else { continue };
            let place = (environment.kind.name, field.spec().name, to);
            let first = seen.get(&place).copied();
            seen.entry(place).or_insert(if found.inherited { environment.key } else { found.node });
            if field.shape == Shape::Reference
                && let Some((message, label)) = wrong_reference(to, field, &declared, &earlier, manifests)
            {
                let problem = Diagnostic::error("unknown-reference", message);
                problems.push(environment.mark(problem, &found, label).help(text!(
                    "`{field}` must be the address of an environment that is declared earlier",
                    field
                )));
            } else if let Some(off) = declared.get(to).and_then(|to| overrun_off(to)) {
                let problem = Diagnostic::warning(
                    "overrun-off",
                    text!(
                        "`{to}` has `overrun: false`: what runs inside it would stop when its package is used up",
                        to
                    ),
                );
                problems.push(
                    environment
                        .mark(problem, &found, text!("opened on it"))
                        .at(&off.span(), text!("switched off here"))
                        .help(text!("set `overrun: true` for `{to}`", to)),
                );
            }
            if let Some(first) = first {
                let kind = environment.kind.name;
                let problem = Diagnostic::error(
                    "duplicate-environment",
                    text!("`{kind}` is declared twice for `{to}`", kind, to),
                );
                problems.push(
                    environment.mark(problem, &found, text!("again")).at(&first.span(), text!("first here")),
                );
            }
        }
        earlier.insert(environment.name);
    }
}

/// Where an environment switches off that use beyond its package is billed.
fn overrun_off<'a>(environment: &Declared<'a>) -> Option<Node<'a>> {
    let found = environment.role(Role::Overrun)?;
    (found.value == Some(&Value::Bool(false))).then_some(found.node)
}

/// Why an address is not one to refer to, in a line and in a label.
fn wrong_reference(
    to: &str,
    field: Field,
    declared: &HashMap<&str, &Declared<'_>>,
    earlier: &HashSet<&str>,
    manifests: &Manifests<'_>,
) -> Option<(Text, Text)> {
    let message = text!("`{field}` cannot be `{to}`", field, to);
    match declared.get(to) {
        Some(environment) if environment.kind.shares_env_id => {
            Some((message, text!("it refers to another environment, too")))
        }
        Some(_) if earlier.contains(to) => None,
        Some(_) => Some((message, text!("it is declared later"))),
        // In what could not be read, it may be declared.
        None if manifests.unread => None,
        None => {
            let names: Vec<&str> = manifests.environments.iter().map(|it| it.name).collect();
            Some((message, nearest(to, &names).map_or_else(unknown, meant)))
        }
    }
}
