//! `postpay.yaml` as a document with places, checked key by key into [`Config`].

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{
    Api, Config, Endpoint, Guard, Language, MAX_IN_FLIGHT, MAX_RATE, MIN_RATE, Region, RegionError, duration,
    endpoint,
};
use crate::check::near::{known_here, list, meant, nearest, unknown};
use crate::diagnostic::{Diagnostic, SourceFile, Span};
use crate::lang::{Text, text};
use crate::manifest::{self, Entry, Mapping, Node, Value};
use crate::sanitize::invisible;

const TOP: &[&str] = &["version", "manifests", "state", "api", "guard", "ignore"];
const API: &[&str] = &["endpoint", "region", "list_regions", "language", "rate", "in_flight", "timeout"];
const GUARD: &[&str] =
    &["max_creates", "max_creates_per_day", "allow_destroy", "allowed_accounts", "require_alias"];

pub(super) fn read(source: &Arc<SourceFile>) -> Result<Config, Vec<Diagnostic>> {
    let parsed = manifest::parse(source);
    let mut reader =
        Reader { problems: parsed.diagnostics, secrets: Vec::new(), keys: Vec::new(), warnings: Vec::new() };
    let mut config = Config::default();
    if parsed.complete {
        let mut documents = parsed.documents.iter();
        match documents.next().map(manifest::Document::root) {
            Some(root) => config = reader.root(root),
            None => reader.missing_version(&Span { file: Arc::clone(source), bytes: 0..0 }),
        }
        if let Some(second) = documents.find(|one| !matches!(one.root().value(), Value::Null)) {
            reader.problems.push(
                Diagnostic::error(
                    "several-documents",
                    text!("the settings are one document", "配置只能有一个文档"),
                )
                .at(&second.root().span(), text!("a second one", "第二个文档"))
                .help(text!("take the `---` out", "请删去 `---`")),
            );
        }
    }
    if reader.problems.is_empty() {
        config.warnings = reader.warnings;
        return Ok(config);
    }
    reader.problems.sort_by_key(|problem| problem.labels.first().map(|label| label.span.bytes.start));
    if let Some(shown) = without_passwords(source, &reader.secrets, &reader.keys) {
        let shown = Arc::new(shown);
        let labels = reader.problems.iter_mut().flat_map(|it| &mut it.labels);
        for label in labels.filter(|label| Arc::ptr_eq(&label.span.file, source)) {
            label.span.file = Arc::clone(&shown);
        }
    }
    Err(reader.problems)
}

/// What somebody may call a key.
fn is_of_a_key(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["secret", "token", "password", "credential", "access_key", "accesskey"]
        .iter()
        .any(|word| name.contains(word))
}

/// What has to have a value where it is there: half a line, or a template whose variable is empty, would move where orders go and
/// where they are recorded, or lift a guard.
pub(super) const NEVER_NULL: &[&str] = &[
    "manifests",
    "state",
    "endpoint",
    "region",
    "list_regions",
    "max_creates",
    "max_creates_per_day",
    "allow_destroy",
    "allowed_accounts",
    "require_alias",
];

/// The file as its lines are shown beside a problem: keys, and what stands before an `@` in an address, have stars in its place, as many as
/// it had bytes, so that everything stands where it stood. None when there is nothing to hide.
fn without_passwords(
    source: &SourceFile,
    secrets: &[Range<usize>],
    keys: &[Range<usize>],
) -> Option<SourceFile> {
    let mut hidden = keys.to_vec();
    for (at, _) in source.text.match_indices("://") {
        let line = source.text[at..].lines().next().unwrap_or_default();
        hidden.extend(endpoint::user_info(line).map(|it| at + it.start..at + it.end));
    }
    for secret in secrets {
        // Its `@` may be written as an escape, and then all of it goes.
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

/// What a value should be.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    String,
    Strings,
    Number,
    Whole,
    Duration,
    Truth,
    Mapping,
    Mappings,
}

impl Kind {
    fn text(self) -> Text {
        match self {
            Self::String => text!("a string", "字符串"),
            Self::Strings => text!("a list of strings", "字符串的列表"),
            Self::Number => text!("a number", "数字"),
            Self::Whole => text!("a whole number", "整数"),
            Self::Duration => text!("a duration", "时长"),
            Self::Truth => text!("true or false", " true 或 false"),
            Self::Mapping => text!("a mapping", "映射"),
            Self::Mappings => text!("a list of mappings", "映射的列表"),
        }
    }

    /// Whether a number may be one that has lost its quotes.
    fn is_quoted(self) -> bool {
        match self {
            Self::String | Self::Strings => true,
            Self::Number | Self::Whole | Self::Duration | Self::Truth | Self::Mapping | Self::Mappings => {
                false
            }
        }
    }

    /// Whether a string may be one that has quotes too many.
    fn is_plain(self) -> bool {
        match self {
            Self::Number | Self::Whole | Self::Truth => true,
            Self::String | Self::Strings | Self::Duration | Self::Mapping | Self::Mappings => false,
        }
    }
}

/// A key, as a sentence begins with it. Chinese has the blank that stands between it and what follows.
pub(super) fn named(name: &str) -> Text {
    text!("`{name}`", "`{name}` ")
}

pub(super) fn item_of(name: &str) -> Text {
    text!("an item of `{name}`", "`{name}` 的项")
}

pub(super) fn allowed(names: &[&str]) -> Text {
    let names = list(names);
    text!("allowed: {names}", "可用的值：{names:#}")
}

pub(super) struct Reader {
    pub(super) problems: Vec<Diagnostic>,
    /// Where values stand that may hold a password.
    secrets: Vec<Range<usize>>,
    /// Where values stand that may be a key.
    keys: Vec<Range<usize>>,
    warnings: Vec<Diagnostic>,
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
                self.wrong_type::<()>(&text!("the settings", "配置"), Kind::Mapping, root);
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
                            text!(
                                "version {number} of the settings is newer than this postpay",
                                "配置的版本 {number} 比当前的 postpay 新"
                            ),
                        )
                        .at(
                            &entry.value.span(),
                            text!("this postpay knows version 1", "当前的 postpay 只支持版本 1"),
                        )
                        .help(text!(
                            "use a newer postpay; nothing else in this file was checked",
                            "请使用更新的 postpay；该文件的其余内容没有检查"
                        )),
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
                        text!("there is no such version of the settings", "配置没有这个版本"),
                    )
                    .at(&entry.value.span(), text!("the version is the number 1", "版本应为数字 1"))
                    .help(text!("write `version: 1`", "请写 `version: 1`")),
                ),
            },
        }
        for entry in mapping.iter() {
            let Entry { value, .. } = entry;
            if self.lacks_value(&entry) {
                continue;
            }
            match entry.name() {
                "version" => {}
                "manifests" => config.manifests = self.manifests(value),
                "state" => config.state = self.state(value),
                "api" => config.api = self.section("api", value, Self::api).unwrap_or_default(),
                "guard" => {
                    config.guard = self.section("guard", value, Self::guard).unwrap_or_default();
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
            if self.lacks_value(&entry) {
                continue;
            }
            match entry.name() {
                "endpoint" => {
                    api.endpoint =
                        self.text("endpoint", value).and_then(|text| match text.parse::<Endpoint>() {
                            Ok(endpoint) => Some(endpoint),
                            Err(error) => {
                                if text.contains('@') {
                                    self.secrets.push(value.span().bytes);
                                }
                                self.invalid("endpoint", value, &Text::of(&error))
                            }
                        });
                }
                "region" => {
                    api.region = self.text("region", value).and_then(|text| self.region(text, value));
                }
                "list_regions" => api.list_regions = self.regions(value),
                "language" => {
                    api.language = self.text("language", value).and_then(|text| {
                        let names = Language::ALL.map(Language::name);
                        Language::by_name(text).or_else(|| self.invalid("language", value, &allowed(&names)))
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
        if let (Some(entry), Some(region), Some(listed)) =
            (section.get("region"), &api.region, &api.list_regions)
            && !listed.is_empty()
            && !listed.contains(region)
        {
            self.warnings.push(
                Diagnostic::warning(
                    "region-not-listed",
                    text!(
                        "orders are sent to {region}, and `list_regions` does not name it",
                        "订购请求发往 {region}，而 `list_regions` 中没有它"
                    ),
                )
                .on(&entry.value.span())
                .help(text!(
                    "what is ordered there is looked for there all the same; add {region} to `list_regions` if that is meant",
                    "在那里订购的环境仍会在那里查找；如果确实如此，请把 {region} 加入 `list_regions`"
                )),
            );
        }
        api
    }

    fn guard(&mut self, section: Mapping<'_>) -> Guard {
        let mut guard = Guard::default();
        for entry in section.iter() {
            let value = entry.value;
            if self.lacks_value(&entry) {
                continue;
            }
            match entry.name() {
                "max_creates" => {
                    guard.max_creates = self.whole("max_creates", value, 0, u32::MAX);
                }
                "max_creates_per_day" => {
                    guard.max_creates_per_day = self.whole("max_creates_per_day", value, 0, u32::MAX);
                }
                "require_alias" => guard.require_alias = self.truth("require_alias", value),
                "allow_destroy" => guard.allow_destroy = self.truth("allow_destroy", value),
                "allowed_accounts" => {
                    guard.allowed_accounts = self.accounts(value);
                }
                _ => self.unknown(&entry, GUARD),
            }
        }
        guard
    }

    /// Reports a key without a value where leaving the key out is not the same.
    fn lacks_value(&mut self, entry: &Entry<'_>) -> bool {
        let name = entry.name();
        let lacks = matches!(entry.value.value(), Value::Null) && NEVER_NULL.contains(&name);
        if lacks {
            self.problems.push(
                Diagnostic::error("empty-value", text!("`{name}` has no value", "`{name}` 没有值"))
                    .on(&entry.key.span())
                    .help(text!("write one, or remove the key", "请写上值，或删除该键")),
            );
        }
        lacks
    }

    fn section<T>(&mut self, name: &str, node: Node<'_>, read: fn(&mut Self, Mapping<'_>) -> T) -> Option<T> {
        match node.value() {
            Value::Null => None,
            Value::Mapping(section) => Some(read(self, section)),
            Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Sequence(_) => {
                self.wrong_type(&named(name), Kind::Mapping, node)
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
                Diagnostic::error(
                    "empty-value",
                    text!("`manifests` names no path", "`manifests` 没有写任何路径"),
                )
                .on(&node.span())
                .help(text!("leave it out for `environments/`", "省略该项即为 `environments/`")),
            );
            return None;
        }
        Some(paths.into_iter().map(PathBuf::from).collect())
    }

    fn state(&mut self, node: Node<'_>) -> Option<PathBuf> {
        let text = self.text("state", node)?;
        match super::check_state(text.as_ref()) {
            Ok(()) => Some(PathBuf::from(text)),
            Err(why) => {
                if text.contains('@') {
                    self.secrets.push(node.span().bytes);
                }
                self.invalid("state", node, &why)
            }
        }
    }

    fn rate(&mut self, node: Node<'_>) -> Option<f64> {
        let Value::Number(text) = node.value() else {
            return self.not_a("rate", Kind::Number, node);
        };
        let rate = text.parse::<serde_yaml::Number>().ok().and_then(|number| number.as_f64());
        match rate {
            Some(rate) if (MIN_RATE..=MAX_RATE).contains(&rate) => Some(rate),
            Some(_) | None => self.out_of_range(
                "rate",
                node,
                &text!("at least {MIN_RATE} and at most {MAX_RATE}", "{MIN_RATE} 到 {MAX_RATE}"),
            ),
        }
    }

    fn timeout(&mut self, node: Node<'_>) -> Option<Duration> {
        let text = match node.value() {
            Value::Number(text) | Value::Text(text) => text,
            Value::Null | Value::Bool(_) | Value::Sequence(_) | Value::Mapping(_) => {
                return self.not_a("timeout", Kind::Duration, node);
            }
        };
        match duration::parse(text) {
            Ok(timeout) if timeout.is_zero() => {
                self.out_of_range("timeout", node, &text!("above 0", "大于 0"))
            }
            Ok(timeout) => Some(timeout),
            Err(error) => self.invalid("timeout", node, &Text::of(&error)),
        }
    }

    fn whole(&mut self, name: &str, node: Node<'_>, least: u32, most: u32) -> Option<u32> {
        let Value::Number(text) = node.value() else {
            return self.not_a(name, Kind::Whole, node);
        };
        match text.parse::<u32>() {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            Ok(_) | Err(_) => self.out_of_range(
                name,
                node,
                &text!("a whole number from {least} to {most}", "{least} 到 {most} 的整数"),
            ),
        }
    }

    fn truth(&mut self, name: &str, node: Node<'_>) -> Option<bool> {
        match node.value() {
            Value::Bool(truth) => Some(truth),
            Value::Null | Value::Number(_) | Value::Text(_) | Value::Sequence(_) | Value::Mapping(_) => {
                self.not_a(name, Kind::Truth, node)
            }
        }
    }

    pub(super) fn text<'a>(&mut self, name: &str, node: Node<'a>) -> Option<&'a str> {
        let Value::Text(text) = node.value() else {
            return self.not_a(name, Kind::String, node);
        };
        if text.trim().is_empty() || invisible(text).next().is_some() {
            self.problems.push(
                Diagnostic::error(
                    "empty-value",
                    text!(
                        "`{name}` is empty, or holds what cannot be seen",
                        "`{name}` 为空，或含有不可见字符"
                    ),
                )
                .on(&node.span())
                .help(text!("leave it out for its default", "省略该项即用默认值")),
            );
            return None;
        }
        Some(text)
    }

    fn texts(&mut self, name: &str, node: Node<'_>) -> Option<Vec<String>> {
        let Value::Sequence(items) = node.value() else {
            return self.not_a(name, Kind::Strings, node);
        };
        let texts: Vec<_> = items
            .iter()
            .map(|item| match item.value() {
                Value::Null => self.wrong_type(&item_of(name), Kind::String, item),
                Value::Bool(_)
                | Value::Number(_)
                | Value::Text(_)
                | Value::Sequence(_)
                | Value::Mapping(_) => self.text(name, item).map(str::to_owned),
            })
            .collect();
        texts.into_iter().collect()
    }

    fn accounts(&mut self, node: Node<'_>) -> Vec<String> {
        let accounts = self.texts("allowed_accounts", node).unwrap_or_default();
        let Value::Sequence(items) = node.value() else {
            return accounts;
        };
        for item in items.iter() {
            if let Value::Text(one) = item.value()
                // An empty one is told of already.
                && !one.is_empty()
                && !one.bytes().all(|byte| byte.is_ascii_digit())
            {
                let allowed = text!(
                    "an account is named by its number, which `postpay whoami` shows: [\"100000000001\"]",
                    "账号用其编号表示（`postpay whoami` 会显示）：[\"100000000001\"]"
                );
                self.invalid::<()>("guard.allowed_accounts", item, &allowed);
            }
        }
        // A template whose variable is empty would turn the guard off unseen.
        if items.iter().next().is_none() {
            let warning = Diagnostic::warning(
                "no-allowed-accounts",
                text!("an empty list of accounts allows any account", "账号列表为空，即允许任何账号"),
            );
            self.warnings.push(warning.on(&node.span()).help(text!(
                "name the accounts that may be worked in, or leave `allowed_accounts` out",
                "请写明可以使用的账号，或删除 `allowed_accounts`"
            )));
        }
        accounts
    }

    fn region(&mut self, text: &str, node: Node<'_>) -> Option<Region> {
        match text.parse() {
            Ok(region) => Some(region),
            Err(error) => {
                let error: RegionError = error;
                self.invalid("region", node, &Text::of(&error))
            }
        }
    }

    fn regions(&mut self, node: Node<'_>) -> Option<Vec<Region>> {
        let texts = self.texts("list_regions", node)?;
        let Value::Sequence(items) = node.value() else {
            return None;
        };
        let regions: Vec<_> = items.iter().zip(&texts).map(|(item, text)| self.region(text, item)).collect();
        regions.into_iter().collect()
    }

    /// Reports a wrong type; nothing at all is the same as leaving the key out.
    fn not_a<T>(&mut self, name: &str, kind: Kind, node: Node<'_>) -> Option<T> {
        if matches!(node.value(), Value::Null) {
            return None;
        }
        self.wrong_type(&named(name), kind, node)
    }

    pub(super) fn wrong_type<T>(&mut self, what: &Text, kind: Kind, node: Node<'_>) -> Option<T> {
        let (should_be, is) = (kind.text(), node.describe());
        let problem = Diagnostic::error(
            "wrong-type",
            text!("{what} is {should_be}, not {is}", "{what:#}应为{should_be:#}，而不是{is:#}"),
        )
        .at(&node.span(), is);
        self.problems.push(match node.value() {
            Value::Number(text) if kind.is_quoted() => {
                problem.help(text!("write it in quotes: \"{text}\"", "请加上引号：\"{text}\""))
            }
            Value::Text(_) if kind.is_plain() => problem.help(text!("write it without quotes", "请去掉引号")),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Sequence(_)
            | Value::Mapping(_) => problem,
        });
        None
    }

    pub(super) fn invalid<T>(&mut self, name: &str, node: Node<'_>, allowed: &Text) -> Option<T> {
        self.problems.push(
            Diagnostic::error("invalid-value", text!("invalid `{name}`", "这不是有效的 `{name}`"))
                .on(&node.span())
                .help(allowed.clone()),
        );
        None
    }

    fn out_of_range<T>(&mut self, name: &str, node: Node<'_>, allowed: &Text) -> Option<T> {
        self.problems.push(
            Diagnostic::error("out-of-range", text!("`{name}` is out of range", "`{name}` 超出范围"))
                .on(&node.span())
                .help(text!("`{name}` is {allowed}", "`{name}` 的取值：{allowed:#}")),
        );
        None
    }

    pub(super) fn unknown(&mut self, entry: &Entry<'_>, known: &[&str]) {
        let name = entry.name();
        let label = nearest(name, known).map_or_else(unknown, meant);
        let problem =
            Diagnostic::error("unknown-field", text!("unknown setting `{name}`", "没有配置项 `{name}`"))
                .at(&entry.key.span(), label);
        self.problems.push(if is_of_a_key(name) {
            self.keys.push(entry.value.span().bytes);
            problem.help(text!(
                "no key belongs into this file: take it out, make a new one at https://console.cloud.tencent.com/cam/capi, and set \
                 TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY",
                "密钥不应写在此文件中：请删除它，在 https://console.cloud.tencent.com/cam/capi 更换密钥，\
                 并设置 TENCENTCLOUD_SECRET_ID 和 TENCENTCLOUD_SECRET_KEY"
            ))
        } else {
            problem.help(known_here(known))
        });
    }

    fn missing_version(&mut self, place: &Span) {
        self.problems.push(
            Diagnostic::error(
                "missing-version",
                text!("the settings do not say their version", "配置没有写明版本"),
            )
            .at(place, text!("no `version` here", "这里没有 `version`"))
            .help(text!("postpay.yaml begins with `version: 1`", "postpay.yaml 以 `version: 1` 开头")),
        );
    }
}
