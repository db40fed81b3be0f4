//! Reads `postpay.yaml` into [`Config`], by the tables of settings.

use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::settings::{Api, Config, Guard, Language};
use super::table::{Setting, Shape, TOP, parses};
use super::{duration, endpoint};
use crate::check::fields::{is_plain, quoted, wrong};
use crate::check::near::{known_here, list, meant, nearest, unknown};
use crate::check::version;
use crate::diagnostic::{Diagnostic, SourceFile, Span};
use crate::drift::Ignore;
use crate::i18n::{Text, text};
use crate::manifest::{self, Entry, Mapping, Node, Value as Yaml};
use crate::model::{Money, Null};
use crate::sanitize::invisible;

pub(super) fn read(source: &Arc<SourceFile>) -> Result<Config, Vec<Diagnostic>> {
    let parsed = manifest::parse(source);
    let mut reader = Reader { problems: parsed.diagnostics, secrets: Vec::new(), keys: Vec::new() };
    let mut config = Config::default();
    if parsed.complete {
        let mut documents = parsed.documents.iter();
        match documents.next().map(manifest::Document::root) {
            Some(root) => config = reader.config(root),
            None => reader.problems.push(version::missing(&Span { file: Arc::clone(source), bytes: 0..0 })),
        }
        if let Some(second) = documents.find(|document| !matches!(document.root().value(), Yaml::Null)) {
            reader.problems.push(
                Diagnostic::error("several-documents", text!("the configuration must be a single document"))
                    .at(&second.root().span(), text!("second document"))
                    .help(text!("remove the `---`")),
            );
        }
    }
    if reader.problems.is_empty() {
        return Ok(config);
    }
    reader.problems.sort_by_key(|problem| problem.labels.first().map(|label| label.span.bytes.start));
    if let Some(shown) = redact(source, &reader.secrets, &reader.keys) {
        let shown = Arc::new(shown);
        let labels = reader.problems.iter_mut().flat_map(|it| &mut it.labels);
        for label in labels.filter(|label| Arc::ptr_eq(&label.span.file, source)) {
            label.span.file = Arc::clone(&shown);
        }
    }
    Err(reader.problems)
}

/// Returns whether a name suggests a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["secret", "token", "password", "credential", "access_key", "accesskey"]
        .iter()
        .any(|word| name.contains(word))
}

/// Returns the file for use in diagnostics: credentials, and what is before an `@` in a URL, are replaced by
/// as many stars as they have bytes, so that positions stay. None when there is nothing to hide.
fn redact(source: &SourceFile, secrets: &[Range<usize>], keys: &[Range<usize>]) -> Option<SourceFile> {
    let mut hidden = keys.to_vec();
    for (at, _) in source.text.match_indices("://") {
        let line = source.text[at..].lines().next().unwrap_or_default();
        hidden.extend(endpoint::user_info(line).map(|it| at + it.start..at + it.end));
    }
    for secret in secrets {
        // Its `@` may be escaped, and then all of it is replaced.
        let text = source.text.get(secret.clone()).unwrap_or_default();
        let end = text.rfind('@').unwrap_or(text.len());
        hidden.push(secret.start..secret.start + end);
    }
    if hidden.is_empty() {
        return None;
    }
    let mut text = String::with_capacity(source.text.len());
    for (at, c) in source.text.char_indices() {
        if c != '\n' && hidden.iter().any(|range| range.contains(&at)) {
            text.extend(std::iter::repeat_n('*', c.len_utf8()));
        } else {
            text.push(c);
        }
    }
    Some(SourceFile::new(source.path.clone(), text))
}

/// The value of a setting.
enum Value<'a> {
    Text(&'a str),
    Texts(Vec<&'a str>),
    Number(f64),
    Whole(u32),
    Duration(Duration),
    Bool(bool),
    Section(Section<'a>),
    Sections(Vec<Section<'a>>),
}

/// The valid settings of a section.
#[derive(Default)]
struct Section<'a>(Vec<(&'static str, Node<'a>, Value<'a>)>);

impl<'a> Section<'a> {
    fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(it, _, _)| *it == name).map(|(_, _, value)| value)
    }

    fn node(&self, name: &str) -> Option<Node<'a>> {
        self.0.iter().find(|(it, _, _)| *it == name).map(|(_, node, _)| *node)
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        if let Value::Text(text) = self.get(name)? { Some(text) } else { None }
    }

    /// Returns a text that its table has checked.
    fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    fn texts<T>(&self, name: &str, item: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        if let Value::Texts(texts) = self.get(name)? {
            texts.iter().map(|text| item(text)).collect()
        } else {
            None
        }
    }

    fn whole(&self, name: &str) -> Option<u32> {
        if let Value::Whole(number) = self.get(name)? { Some(*number) } else { None }
    }

    fn truth(&self, name: &str) -> Option<bool> {
        if let Value::Bool(truth) = self.get(name)? { Some(*truth) } else { None }
    }

    fn section(&self, name: &str) -> Option<&Self> {
        if let Value::Section(section) = self.get(name)? { Some(section) } else { None }
    }
}

struct Reader {
    problems: Vec<Diagnostic>,
    /// Values that may hold a password.
    secrets: Vec<Range<usize>>,
    /// Values that may be credentials.
    keys: Vec<Range<usize>>,
}

impl Reader {
    fn config(&mut self, root: Node<'_>) -> Config {
        let mapping = match root.value() {
            Yaml::Mapping(mapping) => mapping,
            Yaml::Null => {
                self.problems.push(version::missing(&root.span()));
                return Config::default();
            }
            Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) => {
                self.problems.push(wrong(&text!("expected a mapping for the settings"), root));
                return Config::default();
            }
        };
        if version::check(mapping, root, &mut self.problems) {
            return Config::default();
        }
        let top = self.section(TOP, mapping, root);
        let none = Section::default();
        let (api, guard) = (top.section("api").unwrap_or(&none), top.section("guard").unwrap_or(&none));
        let ignores = match top.get("ignore") {
            Some(Value::Sections(items)) => items.iter().filter_map(ignore).collect(),
            Some(_) | None => Vec::new(),
        };
        Config {
            manifests: top.texts("manifests", |path| Some(PathBuf::from(path))),
            state: top.text("state").map(PathBuf::from),
            api: Api {
                endpoint: api.parsed("endpoint"),
                region: api.parsed("region"),
                list_regions: api.texts("list_regions", |text| text.parse().ok()),
                language: api.text("language").and_then(Language::by_name),
                rate: match api.get("rate") {
                    Some(Value::Number(rate)) => Some(*rate),
                    Some(_) | None => None,
                },
                in_flight: api.whole("in_flight"),
                timeout: match api.get("timeout") {
                    Some(Value::Duration(timeout)) => Some(*timeout),
                    Some(_) | None => None,
                },
            },
            guard: Guard {
                max_creates: guard.whole("max_creates"),
                max_creates_per_day: guard.whole("max_creates_per_day"),
                max_cost: guard.parsed("max_cost"),
                allow_destroy: guard.truth("allow_destroy"),
                require_alias: guard.truth("require_alias"),
                allowed_accounts: guard
                    .texts("allowed_accounts", |text| Some(text.to_owned()))
                    .unwrap_or_default(),
            },
            ignores,
            warnings: warnings(api, guard),
        }
    }

    /// Reads the members of a section by its table.
    fn section<'a>(
        &mut self,
        table: &'static [Setting],
        section: Mapping<'a>,
        node: Node<'a>,
    ) -> Section<'a> {
        let mut values = Vec::new();
        for entry in section.iter() {
            match table.iter().find(|setting| setting.name == entry.name()) {
                // Checked before.
                Some(Setting { name: "version", .. }) => {}
                Some(setting) => {
                    let value = self.value(setting, entry);
                    values.extend(value.map(|value| (setting.name, entry.value, value)));
                }
                None => self.unknown(&entry, table),
            }
        }
        let missing = |setting: &&Setting| {
            setting.name != "version" && setting.null == Null::Required && section.get(setting.name).is_none()
        };
        self.problems
            .extend(table.iter().filter(missing).map(|setting| missing_field(setting, &node.span())));
        Section(values)
    }

    /// Reads a setting; None when it is null or invalid, which is reported.
    fn value<'a>(&mut self, setting: &'static Setting, entry: Entry<'a>) -> Option<Value<'a>> {
        let (name, node) = (setting.name, entry.value);
        match (setting.shape, node.value()) {
            (_, Yaml::Null) => {
                match setting.null {
                    Null::IsNone => {}
                    Null::Required => self.problems.push(missing_field(setting, &entry.key.span())),
                    Null::IsError => self.problems.push(
                        Diagnostic::error("empty-value", text!("`{name}` has no value", name))
                            .on(&entry.key.span())
                            .help(text!("set a value, or remove the key")),
                    ),
                }
                None
            }
            (Shape::Text(_, check), Yaml::Text(text)) => {
                self.checked(name, text, node, check).map(Value::Text)
            }
            (Shape::OneOf(values), Yaml::Text(text)) => {
                let text = self.visible(name, text, node)?;
                let values = values();
                if values.contains(&text) {
                    return Some(Value::Text(text));
                }
                let all = list(&values);
                let allowed = text!("allowed: {all}", all);
                self.invalid(name, node, nearest(text, &values).map(meant).unwrap_or_default(), &allowed);
                None
            }
            (Shape::Paths, Yaml::Text(text)) => Some(Value::Texts(vec![self.visible(name, text, node)?])),
            (Shape::Paths, Yaml::Sequence(items)) if items.iter().next().is_none() => {
                self.problems.push(
                    Diagnostic::error("empty-value", text!("`{name}` is an empty list", name))
                        .on(&node.span())
                        .help(text!("omit it to use `environments/`")),
                );
                None
            }
            (Shape::Texts(..) | Shape::Paths, Yaml::Sequence(items)) => {
                let check = if let Shape::Texts(_, check) = setting.shape { check } else { |_: &str| Ok(()) };
                // Report every invalid item, not only the first.
                let texts: Vec<Option<&str>> = items
                    .iter()
                    .map(|item| match item.value() {
                        Yaml::Text(text) => self.checked(name, text, item, check),
                        Yaml::Null
                        | Yaml::Bool(_)
                        | Yaml::Number(_)
                        | Yaml::Sequence(_)
                        | Yaml::Mapping(_) => {
                            let what = text!("expected a string for an item of `{name}`", name);
                            self.problems.push(quoted(wrong(&what, item), item));
                            None
                        }
                    })
                    .collect();
                texts.into_iter().collect::<Option<_>>().map(Value::Texts)
            }
            (Shape::Number(least, most), Yaml::Number(text)) => {
                let number = text.parse::<serde_yaml::Number>().ok().and_then(|number| number.as_f64());
                let number = number.filter(|number| (least..=most).contains(number));
                if number.is_none() {
                    self.out_of_range(name, node, &text!("at least {least} and at most {most}", least, most));
                }
                number.map(Value::Number)
            }
            (Shape::Whole(least, most), Yaml::Number(text)) => {
                let number = text.parse().ok().filter(|number| (least..=most).contains(number));
                if number.is_none() {
                    let range = text!("a whole number from {least} to {most}", least, most);
                    self.out_of_range(name, node, &range);
                }
                number.map(Value::Whole)
            }
            (Shape::Money, Yaml::Number(text) | Yaml::Text(text)) => {
                self.checked(name, text, node, parses::<Money>).map(Value::Text)
            }
            (Shape::Duration, Yaml::Number(text) | Yaml::Text(text)) => match duration::parse(text) {
                Ok(timeout) if timeout.is_zero() => {
                    self.out_of_range(name, node, &text!("above 0"));
                    None
                }
                Ok(timeout) => Some(Value::Duration(timeout)),
                Err(error) => {
                    self.invalid(name, node, Text::default(), &Text::of(&error));
                    None
                }
            },
            (Shape::Bool, Yaml::Bool(truth)) => Some(Value::Bool(truth)),
            (Shape::Section(table), Yaml::Mapping(members)) => {
                Some(Value::Section(self.section(table, members, node)))
            }
            (Shape::Sections(table), Yaml::Sequence(items)) => {
                let sections = items.iter().filter_map(|item| match item.value() {
                    Yaml::Mapping(members) => Some(self.section(table, members, item)),
                    Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) => {
                        let what = text!("expected a mapping for an item of `{name}`", name);
                        self.problems.push(wrong(&what, item));
                        None
                    }
                });
                Some(Value::Sections(sections.collect()))
            }
            (shape, _) => {
                self.problems.push(wrong_shape(name, shape, node));
                None
            }
        }
    }

    /// Returns a text that is not empty and has no invisible characters.
    fn visible<'a>(&mut self, name: &str, text: &'a str, node: Node<'_>) -> Option<&'a str> {
        if text.trim().is_empty() || invisible(text).next().is_some() {
            self.problems.push(
                Diagnostic::error(
                    "empty-value",
                    text!("`{name}` is empty or contains invisible characters", name),
                )
                .on(&node.span())
                .help(text!("omit it to use the default")),
            );
            return None;
        }
        Some(text)
    }

    fn checked<'a>(
        &mut self,
        name: &str,
        text: &'a str,
        node: Node<'_>,
        check: fn(&str) -> Result<(), Text>,
    ) -> Option<&'a str> {
        let text = self.visible(name, text, node)?;
        match check(text) {
            Ok(()) => Some(text),
            Err(allowed) => {
                if text.contains('@') {
                    self.secrets.push(node.span().bytes);
                }
                self.invalid(name, node, Text::default(), &allowed);
                None
            }
        }
    }

    fn invalid(&mut self, name: &str, node: Node<'_>, label: Text, allowed: &Text) {
        self.problems.push(
            Diagnostic::error("invalid-value", text!("invalid `{name}`", name))
                .at(&node.span(), label)
                .help(allowed.clone()),
        );
    }

    fn out_of_range(&mut self, name: &str, node: Node<'_>, allowed: &Text) {
        self.problems.push(
            Diagnostic::error("out-of-range", text!("`{name}` is out of range", name))
                .on(&node.span())
                .help(text!("`{name}` must be {allowed}", name, allowed)),
        );
    }

    fn unknown(&mut self, entry: &Entry<'_>, table: &[Setting]) {
        let name = entry.name();
        let known: Vec<&str> = table.iter().map(|setting| setting.name).collect();
        let label = nearest(name, &known).map_or_else(unknown, meant);
        let problem = Diagnostic::error("unknown-field", text!("unknown setting `{name}`", name))
            .at(&entry.key.span(), label);
        self.problems.push(if is_secret(name) {
            self.keys.push(entry.value.span().bytes);
            problem.help(text!("do not store credentials here; remove and rotate this key (https://console.cloud.tencent.com/cam/capi), and set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY"))
        } else {
            problem.help(known_here(&known))
        });
    }
}

fn missing_field(setting: &Setting, place: &Span) -> Diagnostic {
    let name = setting.name;
    let problem =
        Diagnostic::error("missing-field", text!("`{name}` is missing", name)).at(place, text!("here"));
    match setting.shape {
        Shape::OneOf(values) => {
            let all = list(&values());
            problem.help(text!("one of {all}", all))
        }
        Shape::Text(_, check) => match check("") {
            Err(allowed) => problem.help(allowed),
            Ok(()) => problem,
        },
        Shape::Texts(..)
        | Shape::Paths
        | Shape::Number(..)
        | Shape::Whole(..)
        | Shape::Money
        | Shape::Duration
        | Shape::Bool
        | Shape::Section(_)
        | Shape::Sections(_) => problem,
    }
}

fn wrong_shape(name: &str, shape: Shape, node: Node<'_>) -> Diagnostic {
    let should_be = match shape {
        Shape::Text(..) | Shape::OneOf(_) => text!("a string"),
        Shape::Texts(..) | Shape::Paths => text!("a list of strings"),
        Shape::Number(..) => text!("a number"),
        Shape::Whole(..) => text!("a whole number"),
        Shape::Money => text!("an amount"),
        Shape::Duration => text!("a duration"),
        Shape::Bool => text!("true or false"),
        Shape::Section(_) => text!("a mapping"),
        Shape::Sections(_) => text!("a list of mappings"),
    };
    let problem = wrong(&text!("expected {should_be} for `{name}`", should_be, name), node);
    match (shape, node.value()) {
        (Shape::Text(..) | Shape::OneOf(_) | Shape::Texts(..) | Shape::Paths, Yaml::Number(_)) => {
            quoted(problem, node)
        }
        (Shape::Number(..) | Shape::Whole(..) | Shape::Bool, Yaml::Text(text)) if is_plain(text) => {
            problem.help(text!("write it without quotes"))
        }
        (_, _) => problem,
    }
}

fn ignore(item: &Section<'_>) -> Option<Ignore> {
    Some(Ignore {
        code: item.parsed("code")?,
        address: item.parsed("address"),
        reason: Text::same(item.text("reason")?.to_owned()),
        until: Some(item.parsed("until")?),
    })
}

/// Returns warnings about valid settings that may be a mistake.
fn warnings(api: &Section<'_>, guard: &Section<'_>) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    if let (Some(node), Some(region), Some(Value::Texts(listed))) =
        (api.node("region"), api.text("region"), api.get("list_regions"))
        && !listed.is_empty()
        && !listed.contains(&region)
    {
        warnings.push(
            Diagnostic::warning(
                "region-not-listed",
                text!("environments are created in {region}, but `list_regions` does not include it", region),
            )
            .on(&node.span())
            .help(text!(
                "postpay lists {region} anyway; add it to `list_regions` if this is intended",
                region
            )),
        );
    }
    // A template with an empty variable would silently disable the guard.
    if let (Some(node), Some(Value::Texts(accounts))) =
        (guard.node("allowed_accounts"), guard.get("allowed_accounts"))
        && accounts.is_empty()
    {
        let warning =
            Diagnostic::warning("no-allowed-accounts", text!("an empty list of accounts allows any account"));
        warnings.push(
            warning.on(&node.span()).help(text!("list the allowed accounts, or omit `allowed_accounts`")),
        );
    }
    warnings
}
