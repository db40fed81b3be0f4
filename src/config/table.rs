//! The settings of `postpay.yaml`, one row each: the reader and the JSON Schema both use these tables.

use std::fmt::Display;
use std::str::FromStr;

use jiff::civil::Date;
use serde_json::{Map, Value as Json, json};

use super::endpoint::Endpoint;
use super::region::{PATTERN as REGION, Region};
use super::settings::{Language, MAX_IN_FLIGHT, MAX_RATE, MIN_RATE, check_state};
use crate::drift::Code;
use crate::i18n::{Text, text};
use crate::model::schema::{object, with_null};
use crate::model::{Address, Money, Null};

pub(super) struct Setting {
    pub name: &'static str,
    pub shape: Shape,
    /// What null means.
    pub null: Null,
    /// For the JSON Schema.
    pub doc: &'static str,
}

#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// A pattern for the schema, and the check itself.
    Text(&'static str, Check),
    Texts(&'static str, Check),
    /// A text, or a list of texts that is not empty.
    Paths,
    OneOf(fn() -> Vec<&'static str>),
    Number(f64, f64),
    Whole(u32, u32),
    Money,
    Duration,
    Bool,
    Section(&'static [Setting]),
    /// A list of mappings.
    Sections(&'static [Setting]),
}

/// Returns what is allowed when a text is not.
type Check = fn(&str) -> Result<(), Text>;

const fn setting(name: &'static str, shape: Shape, null: Null, doc: &'static str) -> Setting {
    Setting { name, shape, null, doc }
}

pub(super) const TOP: &[Setting] = &[
    setting("version", Shape::Whole(1, 1), Null::Required, "The version of this format. Always 1."),
    setting(
        "manifests",
        Shape::Paths,
        Null::IsError,
        "Manifests: a file or folder of the project, or a list of them. `environments/` when left out.",
    ),
    setting(
        "state",
        Shape::Text("", |text| check_state(text.as_ref())),
        Null::IsError,
        "Where the state is kept: a path in the project, a `.json` file in its repository, or a PostgreSQL database, \
         `postgres://HOST/DATABASE?project=NAME`. `state/postpay.state.json` when left out.",
    ),
    setting("api", Shape::Section(API), Null::IsNone, "How Tencent Cloud is called."),
    setting("guard", Shape::Section(GUARD), Null::IsNone, "What a plan must not go beyond."),
    setting(
        "ignore",
        Shape::Sections(IGNORE),
        Null::IsNone,
        "Drift that somebody knows of and accepts, for a while.",
    ),
];

const API: &[Setting] = &[
    setting(
        "endpoint",
        Shape::Text(
            r"^(sandbox|internal|[a-z]{2}-[a-z0-9-]*[a-z0-9]|[hH][tT][tT][pP][sS]?://[^/?#@\\]+/?)$",
            parses::<Endpoint>,
        ),
        Null::IsError,
        "`sandbox`, or an https address without path; http for a loopback address alone. `internal` and a region, as `ap-shanghai`, \
         stand for Tencent Cloud's hosts of that name. `https://tcb.tencentcloudapi.com` when left out.",
    ),
    setting("region", Shape::Text(REGION, parses::<Region>), Null::IsError, "The region that calls name."),
    setting(
        "list_regions",
        Shape::Texts(REGION, parses::<Region>),
        Null::IsError,
        "The regions in which environments are looked for.",
    ),
    setting(
        "language",
        Shape::OneOf(|| Language::ALL.map(Language::name).to_vec()),
        Null::IsNone,
        "The language of Tencent Cloud's messages. `zh-CN` when left out.",
    ),
    setting(
        "rate",
        Shape::Number(MIN_RATE, MAX_RATE),
        Null::IsNone,
        "Creates per second. 2 when left out, which is Tencent Cloud's limit.",
    ),
    setting(
        "in_flight",
        Shape::Whole(1, MAX_IN_FLIGHT),
        Null::IsNone,
        "Calls that may be in progress at a time. 4 when left out.",
    ),
    setting(
        "timeout",
        Shape::Duration,
        Null::IsNone,
        "How long a response is waited for: seconds, or a number with `ms`, `s`, `m` or `h`. 60 when left out.",
    ),
];

const GUARD: &[Setting] = &[
    setting(
        "max_creates",
        Shape::Whole(0, u32::MAX),
        Null::IsError,
        "The most environments that one run may create.",
    ),
    setting(
        "max_creates_per_day",
        Shape::Whole(0, u32::MAX),
        Null::IsError,
        "The most environments that may be created in a day.",
    ),
    setting(
        "max_cost",
        Shape::Money,
        Null::IsError,
        "What the packages that one run buys may cost, by DescribeEnvPlans. Use that is billed beyond them is not covered.",
    ),
    setting(
        "allow_destroy",
        Shape::Bool,
        Null::IsError,
        "Environments removed from the manifests are destroyed, with their data. Without it, they are kept.",
    ),
    setting(
        "allowed_accounts",
        Shape::Texts("^[0-9]+$", is_account),
        Null::IsError,
        "The numbers (uin) of the main accounts that may be worked in, each in quotes. Empty for any.",
    ),
    setting(
        "require_alias",
        Shape::Bool,
        Null::IsError,
        "Every environment that is to be created has an alias: without one, a create whose answer was lost can't be recognised in \
         the account. True when left out.",
    ),
];

const IGNORE: &[Setting] = &[
    setting(
        "code",
        Shape::OneOf(|| Code::ALL.map(Code::name).to_vec()),
        Null::Required,
        "The code of the finding, as `postpay drift` shows it.",
    ),
    setting(
        "address",
        Shape::Text("^[a-z0-9][a-z0-9_-]{0,63}$", |text| match Address::new(text) {
            Ok(_) => Ok(()),
            Err(_) => Err(Address::RULE),
        }),
        Null::IsNone,
        "The address of the finding; any, when left out or null.",
    ),
    setting("reason", Shape::Text("", |_| Ok(())), Null::Required, "Why, for whoever reads it later."),
    setting(
        "until",
        Shape::Text(r"^\d{4}-\d{2}-\d{2}$", |text| match text.parse::<Date>() {
            Ok(_) => Ok(()),
            Err(_) => Err(text!("the last day on which it applies, such as 2027-01-31")),
        }),
        Null::Required,
        "The last day on which it holds.",
    ),
];

pub(super) fn parses<T: FromStr<Err: Display>>(text: &str) -> Result<(), Text> {
    text.parse::<T>().map(drop).map_err(|error| Text::of(&error))
}

fn is_account(text: &str) -> Result<(), Text> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(text!("accounts must be UINs, as shown by `postpay whoami`: [\"100000000001\"]"))
}

/// Returns the JSON Schema (draft 2020-12) of `postpay.yaml`.
pub fn config_schema() -> Json {
    let mut schema =
        section("Settings of a postpay project. Every one has a default, a flag or a variable.", TOP);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("postpay.yaml, version 1");
    schema["properties"]["version"] = json!({"const": 1, "description": TOP[0].doc});
    schema
}

fn section(doc: &str, settings: &[Setting]) -> Json {
    let properties: Map<String, Json> =
        settings.iter().map(|setting| (setting.name.to_owned(), property(setting))).collect();
    let required = settings.iter().filter(|setting| setting.null == Null::Required);
    object(doc, &properties, &required.map(|setting| setting.name).collect::<Vec<_>>())
}

fn property(setting: &Setting) -> Json {
    let text = |pattern: &str| match pattern {
        "" => json!({"type": "string", "minLength": 1}),
        pattern => json!({"type": "string", "pattern": pattern}),
    };
    let mut schema = match setting.shape {
        Shape::Text(pattern, _) => text(pattern),
        Shape::Texts(pattern, _) => json!({"type": "array", "items": text(pattern)}),
        Shape::Paths => {
            json!({"type": ["string", "array"], "minLength": 1, "minItems": 1, "items": {"type": "string"}})
        }
        Shape::OneOf(values) => json!({"type": "string", "enum": values()}),
        Shape::Number(least, most) => json!({"type": "number", "minimum": least, "maximum": most}),
        Shape::Whole(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
        Shape::Money => json!({"type": ["number", "string"], "minimum": 0, "pattern": Money::PATTERN}),
        Shape::Duration => {
            json!({"type": ["integer", "string"], "minimum": 1, "pattern": r"^[0-9]+(ms|s|m|h)?$"})
        }
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Section(settings) => section(setting.doc, settings),
        Shape::Sections(settings) => json!({"type": "array", "items": section(setting.doc, settings)}),
    };
    if setting.null == Null::IsNone {
        with_null(&mut schema);
    }
    schema["description"] = json!(setting.doc);
    schema
}
