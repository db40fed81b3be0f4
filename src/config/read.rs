//! `postpay.yaml` as a document with places, checked key by key into [`Config`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Api, Config, Endpoint, Guard, Language, MAX_IN_FLIGHT, MAX_RATE, MIN_RATE, duration};
use crate::check::near::{list, nearest};
use crate::diagnostic::{Diagnostic, SourceFile, Span};
use crate::lang::{Text, text};
use crate::manifest::{self, Entry, Mapping, Node, Value};

const TOP: &[&str] = &["version", "manifests", "state", "api", "guard", "ignore"];
const API: &[&str] = &[
    "endpoint",
    "region",
    "list_regions",
    "language",
    "rate",
    "in_flight",
    "timeout",
];
const GUARD: &[&str] = &[
    "max_creates",
    "max_creates_per_day",
    "allow_destroy",
    "allowed_accounts",
    "require_alias",
];

pub(super) fn read(source: &Arc<SourceFile>) -> Result<Config, Vec<Diagnostic>> {
    let parsed = manifest::parse(source);
    let mut reader = Reader {
        problems: parsed.diagnostics,
    };
    let mut config = Config::default();
    if parsed.complete {
        let mut documents = parsed.documents.iter();
        match documents.next().map(manifest::Document::root) {
            Some(root) => config = reader.root(root),
            None => reader.missing_version(&Span {
                file: Arc::clone(source),
                bytes: 0..0,
            }),
        }
        if let Some(second) = documents.find(|one| !matches!(one.root().value(), Value::Null)) {
            reader.problems.push(
                Diagnostic::error("several-documents", "the settings are one document")
                    .at(&second.root().span(), "a second one")
                    .help("take the `---` out"),
            );
        }
    }
    if reader.problems.is_empty() {
        return Ok(config);
    }
    reader
        .problems
        .sort_by_key(|problem| problem.labels.first().map(|label| label.span.bytes.start));
    Err(reader.problems)
}

pub(super) struct Reader {
    pub(super) problems: Vec<Diagnostic>,
}

impl Reader {
    fn root(&mut self, root: Node<'_>) -> Config {
        let mut config = Config::default();
        let mapping = match root.value() {
            Value::Mapping(mapping) => mapping,
            Value::Null => {
                self.missing_version(&root.span());
                return config;
            }
            Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Sequence(_) => {
                self.wrong_type::<()>("the settings", "a mapping", root);
                return config;
            }
        };
        match mapping.get("version") {
            None => self.missing_version(&root.span()),
            Some(entry) => match entry.value.value() {
                Value::Number("1") => {}
                Value::Null => self.missing_version(&entry.key.span()),
                Value::Number(number) if number.parse::<u64>().is_ok_and(|it| it > 1) => {
                    self.problems.push(
                        Diagnostic::error(
                            "unsupported-version",
                            format!("version {number} of the settings is newer than this postpay"),
                        )
                        .at(&entry.value.span(), "this postpay knows version 1")
                        .help("use a newer postpay; nothing else in this file was checked"),
                    );
                    return config;
                }
                Value::Number(_)
                | Value::Text(_)
                | Value::Bool(_)
                | Value::Sequence(_)
                | Value::Mapping(_) => self.problems.push(
                    Diagnostic::error(
                        "unsupported-version",
                        "there is no such version of the settings",
                    )
                    .at(&entry.value.span(), "the version is the number 1")
                    .help("write `version: 1`"),
                ),
            },
        }
        for entry in mapping.iter() {
            let Entry { value, .. } = entry;
            match entry.name() {
                "version" => {}
                "manifests" => config.manifests = self.manifests(value),
                "state" => config.state = self.text("state", value).map(PathBuf::from),
                "api" => config.api = self.section("api", value, Self::api).unwrap_or_default(),
                "guard" => {
                    config.guard = self
                        .section("guard", value, Self::guard)
                        .unwrap_or_default();
                }
                "ignore" => config.ignores = self.ignores(value),
                _ => self.unknown(&entry, TOP),
            }
        }
        config
    }

    fn api(&mut self, section: Mapping<'_>) -> Api {
        let mut api = Api::default();
        for entry in section.iter() {
            let value = entry.value;
            match entry.name() {
                "endpoint" => {
                    api.endpoint = self.text("endpoint", value).and_then(|text| {
                        match text.parse::<Endpoint>() {
                            Ok(endpoint) => Some(endpoint),
                            Err(error) => self.invalid("endpoint", value, error.to_string()),
                        }
                    });
                }
                "region" => api.region = self.text("region", value).map(str::to_owned),
                "list_regions" => {
                    api.list_regions = self.texts("list_regions", value);
                }
                "language" => {
                    api.language = self.text("language", value).and_then(|text| {
                        let names = Language::ALL.map(Language::name);
                        Language::by_name(text).or_else(|| {
                            self.invalid("language", value, format!("allowed: {}", list(&names)))
                        })
                    });
                }
                "rate" => api.rate = self.rate(value),
                "in_flight" => {
                    api.in_flight = self.whole("in_flight", value, 1, MAX_IN_FLIGHT);
                }
                "timeout" => api.timeout = self.timeout(value),
                _ => self.unknown(&entry, API),
            }
        }
        api
    }

    fn guard(&mut self, section: Mapping<'_>) -> Guard {
        let mut guard = Guard::default();
        for entry in section.iter() {
            let value = entry.value;
            match entry.name() {
                "max_creates" => {
                    guard.max_creates = self.whole("max_creates", value, 0, u32::MAX);
                }
                "max_creates_per_day" => {
                    guard.max_creates_per_day =
                        self.whole("max_creates_per_day", value, 0, u32::MAX);
                }
                "require_alias" => guard.require_alias = self.truth("require_alias", value),
                "allow_destroy" => guard.allow_destroy = self.truth("allow_destroy", value),
                "allowed_accounts" => {
                    if self
                        .texts("allowed_accounts", value)
                        .is_some_and(|accounts| !accounts.is_empty())
                    {
                        self.refuse(
                            "guard.allowed_accounts",
                            value,
                            "this version of postpay cannot ask whose keys it was given; leave it out, and keep keys apart by project",
                        );
                    }
                }
                _ => self.unknown(&entry, GUARD),
            }
        }
        guard
    }

    fn section<T>(
        &mut self,
        name: &str,
        node: Node<'_>,
        read: fn(&mut Self, Mapping<'_>) -> T,
    ) -> Option<T> {
        match node.value() {
            Value::Null => None,
            Value::Mapping(section) => Some(read(self, section)),
            Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Sequence(_) => {
                self.wrong_type(&format!("`{name}`"), "a mapping", node)
            }
        }
    }

    fn manifests(&mut self, node: Node<'_>) -> Option<Vec<PathBuf>> {
        let paths = if let Value::Text(_) = node.value() {
            vec![self.text("manifests", node)?.to_owned()]
        } else {
            self.texts("manifests", node)?
        };
        if paths.is_empty() {
            self.problems.push(
                Diagnostic::error("empty-value", "`manifests` names no path")
                    .at(&node.span(), "")
                    .help("leave it out for `environments/`"),
            );
            return None;
        }
        Some(paths.into_iter().map(PathBuf::from).collect())
    }

    fn rate(&mut self, node: Node<'_>) -> Option<f64> {
        let Value::Number(text) = node.value() else {
            return self.not_a("rate", "a number", node);
        };
        let rate = text
            .parse::<serde_yaml::Number>()
            .ok()
            .and_then(|number| number.as_f64());
        match rate {
            Some(rate) if (MIN_RATE..=MAX_RATE).contains(&rate) => Some(rate),
            Some(_) | None => self.out_of_range(
                "rate",
                node,
                format!("at least {MIN_RATE} and at most {MAX_RATE}"),
            ),
        }
    }

    fn timeout(&mut self, node: Node<'_>) -> Option<Duration> {
        let text = match node.value() {
            Value::Number(text) | Value::Text(text) => text,
            Value::Null | Value::Bool(_) | Value::Sequence(_) | Value::Mapping(_) => {
                return self.not_a("timeout", "a duration", node);
            }
        };
        match duration::parse(text) {
            Ok(timeout) if timeout.is_zero() => self.out_of_range("timeout", node, "above 0"),
            Ok(timeout) => Some(timeout),
            Err(error) => self.invalid("timeout", node, error.to_string()),
        }
    }

    fn whole(&mut self, name: &str, node: Node<'_>, least: u32, most: u32) -> Option<u32> {
        let Value::Number(text) = node.value() else {
            return self.not_a(name, "a whole number", node);
        };
        match text.parse::<u32>() {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            Ok(_) | Err(_) => {
                self.out_of_range(name, node, format!("a whole number from {least} to {most}"))
            }
        }
    }

    fn truth(&mut self, name: &str, node: Node<'_>) -> Option<bool> {
        match node.value() {
            Value::Bool(truth) => Some(truth),
            Value::Null
            | Value::Number(_)
            | Value::Text(_)
            | Value::Sequence(_)
            | Value::Mapping(_) => self.not_a(name, "true or false", node),
        }
    }

    pub(super) fn text<'a>(&mut self, name: &str, node: Node<'a>) -> Option<&'a str> {
        let Value::Text(text) = node.value() else {
            return self.not_a(name, "a string", node);
        };
        if text.trim().is_empty() || text.contains(char::is_control) {
            self.problems.push(
                Diagnostic::error(
                    "empty-value",
                    format!("`{name}` is empty, or holds what cannot be seen"),
                )
                .at(&node.span(), "")
                .help("leave it out for its default"),
            );
            return None;
        }
        Some(text)
    }

    fn texts(&mut self, name: &str, node: Node<'_>) -> Option<Vec<String>> {
        let Value::Sequence(items) = node.value() else {
            return self.not_a(name, "a list of strings", node);
        };
        let texts: Vec<_> = items
            .iter()
            .map(|item| match item.value() {
                Value::Null => self.wrong_type(&format!("an item of `{name}`"), "a string", item),
                Value::Bool(_)
                | Value::Number(_)
                | Value::Text(_)
                | Value::Sequence(_)
                | Value::Mapping(_) => self.text(name, item).map(str::to_owned),
            })
            .collect();
        texts.into_iter().collect()
    }

    /// Reports a wrong type; nothing at all is the same as leaving the key out.
    fn not_a<T>(&mut self, name: &str, kind: &str, node: Node<'_>) -> Option<T> {
        if matches!(node.value(), Value::Null) {
            return None;
        }
        self.wrong_type(&format!("`{name}`"), kind, node)
    }

    pub(super) fn wrong_type<T>(&mut self, what: &str, kind: &str, node: Node<'_>) -> Option<T> {
        let problem = Diagnostic::error(
            "wrong-type",
            format!("{what} is {kind}, not {}", node.describe()),
        )
        .at(&node.span(), node.describe());
        self.problems.push(match node.value() {
            Value::Number(text) if kind.contains("string") => {
                problem.help(format!("write it in quotes: \"{text}\""))
            }
            Value::Text(_) if kind.contains("number") || kind.contains("true") => {
                problem.help("write it without quotes")
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Sequence(_)
            | Value::Mapping(_) => problem,
        });
        None
    }

    pub(super) fn invalid<T>(
        &mut self,
        name: &str,
        node: Node<'_>,
        allowed: impl Into<Text>,
    ) -> Option<T> {
        self.problems.push(
            Diagnostic::error("invalid-value", format!("this is no `{name}`"))
                .at(&node.span(), "")
                .help(allowed),
        );
        None
    }

    fn out_of_range<T>(
        &mut self,
        name: &str,
        node: Node<'_>,
        allowed: impl Into<Text>,
    ) -> Option<T> {
        let allowed = allowed.into();
        self.problems.push(
            Diagnostic::error(
                "out-of-range",
                text!("`{name}` is out of range", "`{name}` 超出范围"),
            )
            .at(&node.span(), "")
            .help(text!(
                "`{name}` is {allowed}",
                "`{name}` 的取值：{allowed:#}"
            )),
        );
        None
    }

    /// To ignore a guard would be worse than to have none: it is refused by name.
    fn refuse(&mut self, name: &str, node: Node<'_>, instead: impl Into<Text>) {
        self.problems.push(
            Diagnostic::error(
                "unsupported-field",
                format!("`{name}` is not carried out by this version of postpay"),
            )
            .at(&node.span(), "refused rather than ignored")
            .help(instead),
        );
    }

    pub(super) fn unknown(&mut self, entry: &Entry<'_>, known: &[&str]) {
        let name = entry.name();
        let label = nearest(name, known).map_or_else(
            || "unknown".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        self.problems.push(
            Diagnostic::error("unknown-field", format!("there is no setting `{name}`"))
                .at(&entry.key.span(), label)
                .help(format!("known here: {}", list(known))),
        );
    }

    fn missing_version(&mut self, place: &Span) {
        self.problems.push(
            Diagnostic::error("missing-version", "the settings do not say their version")
                .at(place, "no `version` here")
                .help("postpay.yaml begins with `version: 1`"),
        );
    }
}
