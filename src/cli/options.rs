//! Flags that several commands share, each with its variable.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{BoolishValueParser, PossibleValue};
use clap::{Args, ValueEnum};

use crate::cloud::tencent::EndpointUrl;
use crate::config::{self, Endpoint, Language, Region};
use crate::i18n::Lang;
use crate::model::{Address, ID_RULE, is_id};
use crate::sanitize::invisible;

/// Flags that every command takes. A flag beats its variable, which beats postpay.yaml, which beats the default.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Change to DIR before running
    #[arg(
        short = 'C',
        long,
        hide_short_help = true,
        global = true,
        value_name = "DIR",
        env = "POSTPAY_CHDIR"
    )]
    pub chdir: Option<PathBuf>,
    /// The configuration file [default: postpay.yaml or postpay.yml]
    #[arg(long, hide_short_help = true, global = true, value_name = "FILE", env = "POSTPAY_CONFIG")]
    pub config: Option<PathBuf>,
    /// Manifest or folder; repeatable [default: environments/]
    #[arg(
        short = 'f',
        long = "file",
        global = true,
        value_name = "PATH",
        env = "POSTPAY_FILE",
        value_delimiter = ','
    )]
    pub files: Vec<PathBuf>,
    /// The state file [default: state/postpay.state.json]
    #[arg(long, global = true, value_name = "FILE", env = "POSTPAY_STATE")]
    pub state: Option<PathBuf>,
    /// URL of the API, or `sandbox` for the embedded endpoint
    ///
    /// `internal` or a region stands for the Tencent Cloud host of that name. The embedded endpoint needs no credentials.
    #[arg(long, global = true, value_name = "URL", env = "POSTPAY_ENDPOINT")]
    pub endpoint: Option<Endpoint>,
    /// When to use colour; NO_COLOR also turns it off
    #[arg(
        long,
        hide_short_help = true,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        env = "POSTPAY_COLOR"
    )]
    pub color: Color,
    /// Language of messages; codes and JSON never change [default: from the locale]
    #[arg(long, hide_short_help = true, global = true, value_name = "LANG", env = "POSTPAY_LANG")]
    pub lang: Option<Lang>,
    /// Log level on standard error: error, warn, info, debug or trace
    #[arg(long, hide_short_help = true, global = true, value_name = "LEVEL", env = "POSTPAY_LOG")]
    pub log: Option<tracing::Level>,
    /// Output format
    ///
    /// markdown is for pull requests; github writes annotations and the step summary.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human", env = "POSTPAY_FORMAT")]
    pub format: Format,
    /// Also write the result to FILE (.json, .md, .html, …)
    ///
    /// The extension picks the format: .txt, .json, .md, .html, .sarif, .xml (JUnit) or .csv. An error is written too.
    /// Repeatable.
    #[arg(
        long = "report",
        global = true,
        value_name = "FILE",
        env = "POSTPAY_REPORT",
        value_delimiter = ','
    )]
    pub reports: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

impl ValueEnum for Lang {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::En, Self::Zh]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::En => "en",
            Self::Zh => "zh",
        }))
    }
}

/// How a result is shown. A doc comment on a variant would make every command's help three times as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    // For people
    Human,
    // For programs; `postpay schema` prints its schema
    Json,
    // For the comment below a pull request
    Markdown,
    // Annotations for GitHub Actions, and the step's summary
    Github,
    // SARIF 2.1.0, for code scanning
    Sarif,
    // JUnit's XML, for the tests of a pipeline
    Junit,
    // One page that needs nothing besides itself
    Html,
    // For a spreadsheet; `history` alone has it
    Csv,
}

impl Format {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Github => "github",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
            Self::Html => "html",
            Self::Csv => "csv",
        }
    }

    /// It shows a page, which not every command has.
    pub(super) const fn is_of_a_page(self) -> bool {
        match self {
            Self::Human | Self::Json | Self::Csv => false,
            Self::Markdown | Self::Github | Self::Sarif | Self::Junit | Self::Html => true,
        }
    }
}

/// Which addresses a command is about.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Select {
    /// Only this address; repeatable
    #[arg(long = "target", value_name = "ADDR")]
    pub targets: Vec<Address>,
    /// Not this address; repeatable
    #[arg(long = "exclude", value_name = "ADDR")]
    pub excludes: Vec<Address>,
}

/// What a plan may do besides what is declared.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Changes {
    /// Create a replacement for this address; repeatable
    ///
    /// The old environment stays in the state as deposed, keeps running, and keeps billing.
    #[arg(long = "replace", value_name = "ADDR")]
    pub replaces: Vec<Address>,
    /// Allow destroying what is not declared, with its data
    #[arg(long)]
    pub allow_destroy: bool,
}

/// Headings of options that only the long help shows.
pub(super) const API_OPTIONS: &str = "API options";
pub(super) const CREDENTIAL_OPTIONS: &str = "Credential options";
pub(super) const SANDBOX_OPTIONS: &str = "Sandbox options";

/// How Tencent Cloud is called. Each stands in postpay.yaml under `api` too.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = API_OPTIONS)]
pub(super) struct Api {
    /// Requests per second [default: 2, the limit of Tencent Cloud]
    #[arg(long, value_name = "N", env = "POSTPAY_RATE", value_parser = rate)]
    pub rate: Option<f64>,
    /// Tencent Cloud region, sent as X-TC-Region [default: not sent]
    #[arg(long, value_name = "REGION", env = "POSTPAY_REGION")]
    pub region: Option<Region>,
    /// Language of Tencent Cloud's messages: zh-CN or en-US [default: zh-CN]
    #[arg(long = "api-language", value_name = "LANG", env = "POSTPAY_API_LANGUAGE", value_parser = language)]
    pub language: Option<Language>,
    /// Timeout of one call, for example 60s or 2m [default: 60s]
    #[arg(long, value_name = "TIME", env = "POSTPAY_TIMEOUT", value_parser = timeout)]
    pub timeout: Option<Duration>,
    /// Timeout of connecting, at most three quarters of --timeout [default: 10s]
    #[arg(long, value_name = "TIME", env = "POSTPAY_CONNECT_TIMEOUT", value_parser = timeout)]
    pub connect_timeout: Option<Duration>,
    /// Additional trusted certificate authorities, PEM
    #[arg(long, value_name = "FILE", env = "POSTPAY_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// Record every call in a new file as JSON lines, without secrets
    #[arg(long, value_name = "FILE", env = "POSTPAY_RECORD")]
    pub record: Option<PathBuf>,
    /// Continue if the account of the credentials is unknown
    ///
    /// Not possible if the state or guard.allowed_accounts has an account.
    #[arg(long, env = "POSTPAY_ALLOW_UNKNOWN_ACCOUNT", value_parser = BoolishValueParser::new())]
    pub allow_unknown_account: bool,
    #[command(flatten)]
    pub keys: Keys,
}

/// Where the key comes from. Without any of them it is looked for where Tencent Cloud's tools keep it. None of them stands in
/// postpay.yaml: whoever may change that file is not to choose whose key is used.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = CREDENTIAL_OPTIONS)]
pub(super) struct Keys {
    /// Profile in ~/.tencentcloud/credentials or ~/.tccli
    #[arg(long, value_name = "NAME", env = "POSTPAY_PROFILE", conflicts_with_all = ["cvm_role", "oidc_provider"])]
    pub profile: Option<String>,
    /// Use the role of this machine, from the metadata service
    #[arg(
        long,
        value_name = "NAME",
        env = "POSTPAY_CVM_ROLE",
        num_args = 0..=1,
        default_missing_value = "",
        require_equals = true,
        conflicts_with = "oidc_provider"
    )]
    pub cvm_role: Option<String>,
    /// Assume this role: qcs::cam::uin/UIN:roleName/NAME
    #[arg(long, value_name = "ARN", env = "POSTPAY_ASSUME_ROLE")]
    pub assume_role: Option<String>,
    /// Session name of the role [default: postpay]
    #[arg(long, value_name = "NAME", env = "POSTPAY_ROLE_SESSION_NAME", requires = "assume_role")]
    pub role_session_name: Option<String>,
    /// How long the role's credentials are valid, up to 12h [default: 2h]
    #[arg(long, value_name = "TIME", env = "POSTPAY_ROLE_DURATION", value_parser = timeout, requires = "assume_role")]
    pub role_duration: Option<Duration>,
    /// External id that the role requires
    #[arg(
        long,
        value_name = "ID",
        env = "POSTPAY_ROLE_EXTERNAL_ID",
        requires = "assume_role",
        conflicts_with = "oidc_provider"
    )]
    pub role_external_id: Option<String>,
    /// Assume the role with a token of this OIDC identity provider
    #[arg(long, value_name = "ID", env = "POSTPAY_OIDC_PROVIDER", requires_all = ["oidc_token_file", "assume_role"])]
    pub oidc_provider: Option<String>,
    /// File with that token; it is read again for each renewal
    #[arg(long, value_name = "FILE", env = "POSTPAY_OIDC_TOKEN_FILE", requires = "oidc_provider")]
    pub oidc_token_file: Option<PathBuf>,
    /// STS endpoint for roles and account lookup [default: beside --endpoint]
    #[arg(long, value_name = "URL", env = "POSTPAY_STS_ENDPOINT")]
    pub sts_endpoint: Option<EndpointUrl>,
    /// Metadata service on this machine, for tests
    #[arg(long, hide = true, value_name = "URL", env = "POSTPAY_METADATA_ENDPOINT")]
    pub metadata_endpoint: Option<EndpointUrl>,
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (config::MIN_RATE..=config::MAX_RATE).contains(&rate) => Ok(rate),
        Ok(_) | Err(_) => {
            Err(format!("a number of requests a second, from {} to {}", config::MIN_RATE, config::MAX_RATE))
        }
    }
}

fn language(text: &str) -> Result<Language, String> {
    Language::by_name(text).ok_or_else(|| format!("one of {}", Language::ALL.map(Language::name).join(", ")))
}

pub(super) fn time(text: &str) -> Result<Duration, String> {
    config::duration::parse(text).map_err(|error| error.to_string())
}

/// The id of an environment or an order, as it is sent.
pub(super) fn id(text: &str) -> Result<String, String> {
    if is_id(text) && invisible(text).next().is_none() {
        Ok(text.to_owned())
    } else {
        Err(ID_RULE.en().to_owned())
    }
}

pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("more than 0".to_owned()),
        timeout => Ok(timeout),
    }
}
