//! The rules that the field tables hold: single values, and how the fields of one environment depend on
//! each other.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::str::FromStr as _;

use super::declared::{Content, Declared, Found};
use super::near::{known_here, list, meant, nearest, unknown};
use crate::diagnostic::Diagnostic;
use crate::i18n::{Text, text};
use crate::manifest::{Entry, Mapping, Node, Value as Yaml};
use crate::model::kind::{FieldSpec, Rule, is_words};
use crate::model::{Address, ID_RULE, Null, Role, Shape, Value, is_id};
use crate::sanitize;

/// Reads the value of a field, and reports everything that is wrong with it.
pub(super) fn read(field: &FieldSpec, node: Node<'_>, problems: &mut Vec<Diagnostic>) -> Content {
    let value = match (field.shape, node.value()) {
        (_, Yaml::Null) => {
            // Half a line must not create what was to be switched.
            if field.null == Null::IsError {
                problems
                    .push(empty(field.name, node).help(text!(
                        "set it to the EnvId of the environment; to create one, omit the field"
                    )));
            }
            return Content::Nothing;
        }
        (_, Yaml::Text("")) if field.empty_is_none => return Content::Nothing,
        (
            Shape::Text | Shape::Id | Shape::Alias | Shape::Words | Shape::Json | Shape::Reference,
            Yaml::Text(text),
        ) => {
            check_text(field, text, node, problems);
            Some(Value::Text(text.to_owned()))
        }
        (Shape::Json, Yaml::Mapping(members)) => {
            check_members(field.name, members, problems);
            compact_json(members, problems).map(Value::Text)
        }
        (Shape::Integer, Yaml::Number(number)) => match number.parse() {
            Ok(whole) => {
                check_allowed(field, number, node, problems);
                Some(Value::Integer(whole))
            }
            Err(_) => None,
        },
        (Shape::Bool, Yaml::Bool(truth)) => Some(Value::Bool(truth)),
        (Shape::List, Yaml::Sequence(items)) => {
            let mut seen = HashMap::new();
            let texts = items.iter().map(|item| match item.value() {
                Yaml::Text(text) => {
                    check_text(field, text, item, problems);
                    if let Some(first) = seen.insert(text, item) {
                        problems.push(twice(field, text, item, first));
                    }
                    Some(text.to_owned())
                }
                Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => {
                    let name = field.name;
                    problems.push(wrong_text(&text!("an item of `{name}`", name), item));
                    None
                }
            });
            // Every item is looked at, whatever is wrong with one.
            let texts: Vec<Option<String>> = texts.collect();
            if texts.is_empty() {
                problems.push(empty(field.name, node));
            }
            return texts
                .into_iter()
                .collect::<Option<_>>()
                .map_or(Content::Wrong, |texts| Content::Value(Value::List(texts)));
        }
        (Shape::Map, Yaml::Mapping(members)) => {
            let texts = members.iter().map(|member| {
                let Entry { key, value, .. } = member;
                let (map, name) = (field.name, member.name());
                problems.extend(invisible(map, name, key));
                match value.value() {
                    Yaml::Text(text) => {
                        problems.extend(invisible(map, text, value));
                        Some((name.to_owned(), Value::Text(text.to_owned())))
                    }
                    Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => {
                        problems.push(wrong_text(&text!("`{map}.{name}`", map, name), value));
                        None
                    }
                }
            });
            let texts: Vec<_> = texts.collect();
            return texts
                .into_iter()
                .collect::<Option<_>>()
                .map_or(Content::Wrong, |texts| Content::Value(Value::Map(texts)));
        }
        (Shape::Object, Yaml::Mapping(members)) => return read_object(field, node, members, problems),
        (_, _) => {
            problems.push(wrong_shape(field, node));
            return Content::Wrong;
        }
    };
    match value {
        Some(value) => Content::Value(value),
        None => Content::Wrong,
    }
}

/// Reads the members of a [`Shape::Object`].
fn read_object(
    field: &FieldSpec,
    node: Node<'_>,
    members: Mapping<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Content {
    let before = problems.len();
    let (name, names) = (field.name, field.members.iter().map(|member| member.name).collect::<Vec<_>>());
    for entry in members.iter().filter(|entry| !names.contains(&entry.name())) {
        let member = entry.name();
        let label = nearest(member, &names).map_or_else(unknown, meant);
        problems.push(
            Diagnostic::error("unknown-field", text!("unknown member `{member}` of `{name}`", member, name))
                .at(&entry.key.span(), label)
                .help(known_here(&names)),
        );
    }
    let mut values = BTreeMap::new();
    for member in field.members {
        let content = members.get(member.name).map(|entry| read(member, entry.value, problems));
        match content {
            Some(Content::Value(value)) => drop(values.insert(member.name.to_owned(), value)),
            Some(Content::Wrong) => {}
            Some(Content::Nothing) | None if member.null == Null::Required => {
                let missing = member.name;
                problems.push(
                    Diagnostic::error("missing-field", text!("`{name}` has no `{missing}`", name, missing))
                        .at(&node.span(), text!("`{missing}` is missing", missing)),
                );
            }
            Some(Content::Nothing) | None => {
                let default = member.default.map(Value::Bool);
                values.extend(default.map(|default| (member.name.to_owned(), default)));
            }
        }
    }
    if problems.len() == before { Content::Value(Value::Map(values)) } else { Content::Wrong }
}

/// Reports everything that is wrong with a text of a field.
fn check_text(field: &FieldSpec, text: &str, node: Node<'_>, problems: &mut Vec<Diagnostic>) {
    let name = field.name;
    if text.trim().is_empty() && !field.empty_is_none {
        problems
            .push(empty(name, node).help(text!("omit the field, or set it to `null` to remove a default")));
        return;
    }
    problems.extend(invisible(name, text, node).map(|problem| match field.shape {
        Shape::Json => {
            problem.help(text!("write `{name}` as a mapping: it is sent as JSON, on one line", name))
        }
        Shape::Text
        | Shape::Id
        | Shape::Alias
        | Shape::Integer
        | Shape::Words
        | Shape::Bool
        | Shape::List
        | Shape::Map
        | Shape::Object
        | Shape::Reference => problem,
    }));
    match field.shape {
        Shape::Id => problems.extend(invalid_id(name, text, node)),
        Shape::Alias if !field.accepts(text) => {
            let problem = Diagnostic::error(field.code, text!("`{text}` is not an alias", text));
            problems.push(advised(
                field,
                problem
                    .on(&node.span())
                    .help(text!("an alias starts with a-z and contains only a-z, 0-9 and `-`")),
            ));
        }
        Shape::Words if !is_words(text) => {
            let problem = Diagnostic::error(field.code, text!("`{text}` is not an alias", text));
            problems.push(advised(
                field,
                problem
                    .on(&node.span())
                    .help(text!("an alias contains only a-z, 0-9 and single `-` between them")),
            ));
        }
        Shape::Reference => problems.extend(invalid_address(text, node)),
        Shape::Text
        | Shape::Alias
        | Shape::Words
        | Shape::Json
        | Shape::Integer
        | Shape::Bool
        | Shape::List
        | Shape::Map
        | Shape::Object => {}
    }
    check_allowed(field, text, node, problems);
    let length = text.chars().count();
    if let Some(max) = field.max.filter(|max| length > *max) {
        problems.push(
            Diagnostic::error(field.code, text!("`{name}` has {length} characters", name, length))
                .on(&node.span())
                .help(text!("at most {max} characters are allowed", max)),
        );
    }
    if let Some(longest) = field.longest.filter(|longest| length > *longest) {
        problems.push(
            Diagnostic::warning(
                "long-alias",
                text!("`{name}` has {length} characters; Tencent Cloud may reject it", name, length),
            )
            .on(&node.span())
            .help(text!("{longest} characters are safe", longest)),
        );
    }
}

/// Reports a text that is not one of the values of its field.
fn check_allowed(field: &FieldSpec, text: &str, node: Node<'_>, problems: &mut Vec<Diagnostic>) {
    if field.values.is_empty() || field.values.contains(&text) {
        return;
    }
    let (name, allowed) = (field.name, list(field.values));
    let problem = if field.open {
        Diagnostic::warning(
            field.code,
            text!("`{text}` is not a `{name}` that Tencent Cloud documents", text, name),
        )
        .help(text!("known values: {allowed}; it is sent unchanged", allowed))
    } else {
        Diagnostic::error(field.code, text!("`{text}` is not a valid `{name}`", text, name))
            .help(text!("allowed: {allowed}", allowed))
    };
    let label =
        nearest(text, field.values).filter(|_| field.shape != Shape::Integer).map(meant).unwrap_or_default();
    problems.push(advised(field, problem.at(&node.span(), label)));
}

fn advised(field: &FieldSpec, problem: Diagnostic) -> Diagnostic {
    field.help.iter().cloned().fold(problem, Diagnostic::help)
}

fn twice(field: &FieldSpec, text: &str, again: Node<'_>, first: Node<'_>) -> Diagnostic {
    Diagnostic::error(field.code, text!("`{text}` is listed twice", text))
        .at(&again.span(), text!("again"))
        .at(&first.span(), text!("first here"))
}

pub(super) fn empty(name: &str, node: Node<'_>) -> Diagnostic {
    Diagnostic::error("empty-value", text!("`{name}` is empty", name)).on(&node.span())
}

/// An id with a space is compared as another one here, and perhaps not by the API. A text that is empty or holds invisible
/// characters has a diagnostic of its own.
pub(super) fn invalid_id(name: &str, text: &str, node: Node<'_>) -> Option<Diagnostic> {
    if is_id(text) || text.trim().is_empty() || sanitize::invisible(text).next().is_some() {
        return None;
    }
    let bad = text.chars().find(|c| !is_id(c.encode_utf8(&mut [0; 4])));
    let message = match bad {
        Some(c) => {
            let code = u32::from(c);
            text!("`{name}` contains the character U+{code}", name, code = format!("{code:04X}"))
        }
        None => text!("`{name}` is too long", name),
    };
    Some(Diagnostic::error("invalid-id", message).on(&node.span()).help(ID_RULE))
}

/// A name that is not an address. Addresses are typed on command lines, so they are kept plain.
pub(super) fn invalid_address(name: &str, node: Node<'_>) -> Option<Diagnostic> {
    if Address::new(name).is_ok() {
        return None;
    }
    let problem = Diagnostic::error("invalid-address", text!("`{name}` is not an address", name))
        .at(&node.span(), text!("not an address"))
        .help(Address::RULE);
    let plain: String = name
        .chars()
        .take(Address::MAX_CHARS)
        .map(|character| match character.to_ascii_lowercase() {
            plain @ ('a'..='z' | '0'..='9' | '_' | '-') => plain,
            _ => '-',
        })
        .collect();
    let near = plain.trim_matches(['-', '_']);
    Some(match Address::new(near) {
        Ok(_) => problem.help(text!("for example `{near}`", near)),
        Err(_) => problem,
    })
}

/// What cannot be seen cannot be reviewed: control characters, those that change the direction of a line, and those that are
/// drawn as nothing.
pub(super) fn invisible(name: &str, text: &str, node: Node<'_>) -> Option<Diagnostic> {
    let (_, character) = sanitize::invisible(text).next()?;
    Some(invisible_character(name, character, node))
}

fn invisible_character(name: &str, character: char, node: Node<'_>) -> Diagnostic {
    let code = u32::from(character);
    let problem = Diagnostic::error(
        "control-character",
        text!("`{name}` contains the invisible character U+{code}", name, code = format!("{code:04X}")),
    )
    .at(&node.span(), text!("in this value"));
    if character == '\n' {
        problem.help(text!("a block that starts with `|` ends in a line break; `>-` does not"))
    } else {
        problem
    }
}

/// The keys and values of a mapping that is sent as JSON, where a line break is written as `\n`. How deep it goes is bounded
/// where the YAML is read.
fn check_members(name: &str, members: Mapping<'_>, problems: &mut Vec<Diagnostic>) {
    for entry in members.iter() {
        problems.extend(invisible_member(name, entry.name(), entry.key));
        check_member(name, entry.value, problems);
    }
}

fn check_member(name: &str, node: Node<'_>, problems: &mut Vec<Diagnostic>) {
    match node.value() {
        Yaml::Text(text) => problems.extend(invisible_member(name, text, node)),
        Yaml::Mapping(members) => check_members(name, members, problems),
        Yaml::Sequence(items) => items.iter().for_each(|item| check_member(name, item, problems)),
        Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) => {}
    }
}

fn invisible_member(name: &str, text: &str, node: Node<'_>) -> Option<Diagnostic> {
    let is_layout = |character: char| matches!(character, '\n' | '\r' | '\t');
    let (_, character) = sanitize::invisible(text).find(|(_, character)| !is_layout(*character))?;
    Some(invisible_character(name, character, node))
}

/// Returns the mapping as JSON without blanks, the keys of every object sorted. None when a value has no form in JSON, which
/// is reported.
fn compact_json(members: Mapping<'_>, problems: &mut Vec<Diagnostic>) -> Option<String> {
    let (mut json, before) = (String::new(), problems.len());
    write_object(members, &mut json, problems);
    (problems.len() == before).then_some(json)
}

fn write_json(node: Node<'_>, json: &mut String, problems: &mut Vec<Diagnostic>) {
    match node.value() {
        Yaml::Null => json.push_str("null"),
        Yaml::Bool(truth) => json.push_str(if truth { "true" } else { "false" }),
        Yaml::Text(text) => write_string(text, json),
        Yaml::Number(text) => match json_number(text) {
            Ok(number) => json.push_str(&number),
            Err(why) => problems.push(
                Diagnostic::error("invalid-extra", why)
                    .on(&node.span())
                    .help(text!("write it in quotes: \"{text}\"", text)),
            ),
        },
        Yaml::Sequence(items) => {
            json.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                write_json(item, json, problems);
            }
            json.push(']');
        }
        Yaml::Mapping(members) => write_object(members, json, problems),
    }
}

fn write_object(members: Mapping<'_>, json: &mut String, problems: &mut Vec<Diagnostic>) {
    let mut entries: Vec<_> = members.iter().collect();
    entries.sort_by_key(Entry::name);
    json.push('{');
    for (at, entry) in entries.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        write_string(entry.name(), json);
        json.push(':');
        write_json(entry.value, json, problems);
    }
    json.push('}');
}

fn write_string(text: &str, json: &mut String) {
    // Display of a JSON value is its compact form, and writing to a String cannot fail.
    let _ = write!(json, "{}", serde_json::Value::from(text));
}

fn json_number(text: &str) -> Result<String, Text> {
    let number = serde_yaml::Number::from_str(text)
        .map_err(|_| text!("`{text}` is too large for a number in JSON", text))?;
    let whole = number.as_u64().map(|it| it.to_string()).or_else(|| number.as_i64().map(|it| it.to_string()));
    whole
        .or_else(|| Some(serde_json::Number::from_f64(number.as_f64()?)?.to_string()))
        .ok_or_else(|| text!("`{text}` is not a number in JSON", text))
}

fn wrong_shape(field: &FieldSpec, node: Node<'_>) -> Diagnostic {
    let name = field.name;
    let what = match field.shape {
        Shape::Text | Shape::Id | Shape::Alias | Shape::Words | Shape::Reference => {
            return wrong_text(&text!("`{name}`", name), node);
        }
        Shape::Json => {
            let what = text!("expected a string or a mapping for `{name}`", name);
            return quoted(wrong(&what, node), node);
        }
        Shape::Integer => text!("expected a whole number for `{name}`", name),
        Shape::Bool => text!("expected a boolean for `{name}`", name),
        Shape::List => text!("expected a list of strings for `{name}`", name),
        Shape::Map | Shape::Object => text!("expected a mapping for `{name}`", name),
    };
    wrong(&what, node)
}

/// A value that should be a string: above all a number or a truth value without quotes.
pub(super) fn wrong_text(what: &Text, node: Node<'_>) -> Diagnostic {
    quoted(wrong(&text!("expected a string for {what}", what), node), node)
}

/// A value of a wrong type; `what` says of which type it is.
pub(crate) fn wrong(what: &Text, node: Node<'_>) -> Diagnostic {
    let found = match node.value() {
        // A value that only has quotes too many is described, because it reads like the right one.
        Yaml::Text(text) if !is_plain(text) && text.len() <= 40 => {
            Text::same(format!("`{}`", text.escape_debug()))
        }
        Yaml::Null
        | Yaml::Bool(_)
        | Yaml::Number(_)
        | Yaml::Text(_)
        | Yaml::Sequence(_)
        | Yaml::Mapping(_) => node.describe(),
    };
    Diagnostic::error("wrong-type", text!("{what}, found {found}", what, found))
        .at(&node.span(), node.describe())
}

/// Whether a string would be a number or a boolean without its quotes.
pub(crate) fn is_plain(text: &str) -> bool {
    text.parse::<f64>().is_ok() || ["true", "false"].contains(&text)
}

/// Says how a number or a boolean is written that is meant as a string.
pub(crate) fn quoted(problem: Diagnostic, node: Node<'_>) -> Diagnostic {
    let text = match node.value() {
        Yaml::Number(number) => number,
        Yaml::Bool(true) => "true",
        Yaml::Bool(false) => "false",
        Yaml::Null | Yaml::Text(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => return problem,
    };
    problem.help(text!("write it in quotes: \"{text}\"", text))
}

/// Reports what the fields of an environment lack, and how they contradict each other.
pub(super) fn check_together(environment: &Declared<'_>, problems: &mut Vec<Diagnostic>) {
    let name = environment.name;
    let get = |field: &str| environment.get(environment.kind.field(field)?);
    // What is imported is not created, and the account does not show how it once was.
    let is_created = environment.import.is_none();
    if is_created && environment.shaped {
        for field in environment
            .kind
            .fields()
            .filter(|field| field.null == Null::Required && get(field.name).is_none())
        {
            let problem = missing(environment, "missing-field", field.name);
            let allowed = list(field.values);
            problems.push(match field.values {
                [] => problem,
                _ if field.open => problem.help(text!("known values: {allowed}", allowed)),
                _ => problem.help(text!("allowed: {allowed}", allowed)),
            });
        }
    }
    for rule in environment.kind.rules {
        match rule {
            Rule::Together { code, fields: [a, b] } => {
                let (given, lacking) = match (get(a), get(b)) {
                    (Some(given), None) => (given, b),
                    (None, Some(given)) => (given, a),
                    (None, None) | (Some(_), Some(_)) => continue,
                };
                let has = given.field.name;
                let problem = Diagnostic::error(
                    code,
                    text!("`{name}` sets `{has}` without `{lacking}`", name, has, lacking),
                );
                problems.push(
                    environment.mark(problem, &given, text!("`{lacking}` is missing", lacking)).help(text!(
                        "set both `{a}` and `{b}`, or neither",
                        a,
                        b
                    )),
                );
            }
            Rule::OneOf { code, fields: [a, b] } => match (get(a), get(b)) {
                (Some(first), Some(second)) => problems.push(
                    Diagnostic::error(code, text!("`{name}` sets both `{a}` and `{b}`", name, a, b))
                        .at(&first.node.span(), text!("one of them"))
                        .at(&second.node.span(), text!("and the other"))
                        .help(text!("remove one of them")),
                ),
                (None, None) if is_created && environment.shaped => problems.push(
                    Diagnostic::error(code, text!("`{name}` has neither `{a}` nor `{b}`", name, a, b))
                        .at(&environment.key.span(), text!("one of them is needed")),
                ),
                (None, None | Some(_)) | (Some(_), None) => {}
            },
            Rule::NeededToCreate { code, field } => {
                // One of two that go together without the other is another rule's.
                let partner = environment.kind.rules.iter().find_map(|rule| rule.partner(field));
                let is_given = get(field).is_some() || partner.and_then(get).is_some();
                if is_created && environment.shaped && !environment.has(Role::EnvId) && !is_given {
                    problems.push(not_creatable(environment, code, field, partner));
                }
            }
            Rule::NeededWhen { code, field, when } => {
                let because =
                    when.iter().find_map(|(by, value)| get(by).filter(|found| found.text() == Some(value)));
                if let Some(because) = because.filter(|_| is_created && get(field).is_none()) {
                    let (by, value) = (because.field.name, because.text().unwrap_or_default());
                    problems.push(
                        missing(environment, code, field)
                            .at(&because.node.span(), text!("required by this"))
                            .help(text!("set `{field}`, which `{by}: {value}` requires", field, by, value)),
                    );
                }
            }
            Rule::Depends { code, field, by, values: _ } => {
                if let (Some(value), Some(because)) = (get(field), get(by)) {
                    problems.extend(not_beside(environment, code, &value, &because));
                }
            }
            Rule::NeedsItem { code, field, list, item } => {
                let Some(given) = get(field) else { continue };
                let there = get(list);
                let has_it = there.as_ref().is_some_and(|there| match there.value {
                    Some(Value::List(items)) => items.iter().any(|it| it == item),
                    // What it is has been reported.
                    None => true,
                    Some(Value::Text(_) | Value::Integer(_) | Value::Bool(_) | Value::Map(_)) => false,
                });
                if has_it || !is_created {
                    continue;
                }
                let problem = Diagnostic::error(
                    code,
                    text!("`{name}` sets `{field}` without `{item}` in `{list}`", name, field, item, list),
                );
                let problem = environment.mark(problem, &given, text!("Tencent Cloud would ignore it"));
                problems.push(
                    match there {
                        Some(there) => problem.at(&there.node.span(), text!("`{item}` is not in this", item)),
                        None => problem,
                    }
                    .help(text!(
                        "add `{item}` to `{list}`, or remove `{field}`",
                        item,
                        list,
                        field
                    )),
                );
            }
            Rule::Discouraged { code, field, value, why, help } => {
                let Some(found) = get(field).filter(|_| is_created) else { continue };
                let is_it = match found.value {
                    Some(Value::List(items)) => items.iter().any(|it| it == value),
                    Some(other @ (Value::Text(_) | Value::Bool(_) | Value::Integer(_))) => {
                        other.to_string() == *value
                    }
                    Some(Value::Map(_)) | None => false,
                };
                if is_it {
                    problems.push(
                        Diagnostic::warning(code, why.clone()).on(&found.node.span()).help(help.clone()),
                    );
                }
            }
            // It is about two environments.
            Rule::Distinct { .. } => {}
        }
    }
}

fn missing(environment: &Declared<'_>, code: &'static str, field: &str) -> Diagnostic {
    let name = environment.name;
    Diagnostic::error(code, text!("`{name}` has no `{field}`", name, field))
        .at(&environment.key.span(), text!("`{field}` is missing", field))
}

fn not_creatable(
    environment: &Declared<'_>,
    code: &'static str,
    field: &str,
    partner: Option<&str>,
) -> Diagnostic {
    let name = environment.name;
    let needed = list(&[field].into_iter().chain(partner).collect::<Vec<_>>());
    Diagnostic::error(code, text!("`{name}` has neither `env_id` nor `{field}`", name, field))
        .at(&environment.key.span(), text!("not enough to create it"))
        .help(text!("to create an environment, set {needed} here or under `defaults`", needed))
        .help(text!("to switch an existing environment to pay-as-you-go, set its `env_id`"))
        .help(text!("to manage an existing environment without creating anything, add `import: {env_id: …}`"))
}

/// A value that another field's value does not allow. None where that one is not known: its own rule reports it.
fn not_beside(
    environment: &Declared<'_>,
    code: &'static str,
    value: &Found<'_, '_>,
    because: &Found<'_, '_>,
) -> Option<Diagnostic> {
    let (text, by) = (value.text()?, because.text()?);
    let (field, other) = (value.field.name, because.field.name);
    let allowed = environment.kind.values_beside(field, other, by)?;
    if allowed.contains(&text) || text.trim().is_empty() {
        return None;
    }
    let problem =
        Diagnostic::error(code, text!("`{text}` is not a {field} of {other} `{by}`", text, field, other, by));
    let label = nearest(text, allowed).map(meant).unwrap_or_default();
    let problem = if value.inherited && !because.inherited {
        let label_there = text!("does not match the inherited {field}", field);
        environment.mark(problem, because, label_there).at(&value.node.span(), label)
    } else {
        problem.at(&value.node.span(), label).at(&because.node.span(), text!("because of this value"))
    };
    let allowed = list(allowed);
    Some(problem.help(text!("{field}s of {by}: {allowed}", field, by, allowed)))
}
