//! A plan on disk and on standard output, version 1: JSON, named after Terraform's `resource_changes`, with a checksum
//! over itself. A frozen copy of the model: the model may change, files that people keep may not.

mod findings;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Action, Finding, GitFacts, Guards, Ids, Limits, Mode, Options, Plan, Reason, Refusal, Step};
use crate::lang::{Text, text};
use crate::model::{Address, Attributes, ManifestHash, SourceRef};
use crate::state::{Account, Lineage, Serial};
use findings::FindingV1;

/// Far more than a plan of a hundred thousand environments needs.
pub const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// The version that this module writes, and the only one that it reads.
pub const FORMAT_VERSION: u64 = 1;

/// Why a text is no plan that may be trusted.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    Empty,
    Json(#[from] serde_json::Error),
    /// JSON of another kind: a state, a report.
    NotAPlan,
    Version {
        found: u64,
    },
    Altered,
    Content(Text),
}

impl PlanFileError {
    /// What is wrong with it.
    pub fn text(&self) -> Text {
        match self {
            Self::Empty => Text::fixed("it is empty", "文件为空"),
            Self::Json(error) if error.is_syntax() || error.is_eof() => {
                text!("it is not JSON: {error}", "它不是 JSON：{error}")
            }
            Self::Json(error) => Text::same(error.to_string()),
            Self::NotAPlan => Text::fixed(
                "it is JSON, and not a plan; a state is shown by `postpay show --state FILE`",
                "它是 JSON，但不是计划；状态文件用 `postpay show --state FILE` 查看",
            ),
            Self::Version { found } => text!(
                "it has format version {found}; this postpay reads {FORMAT_VERSION}",
                "其格式版本为 {found}；此 postpay 读取 {FORMAT_VERSION}"
            ),
            Self::Altered => Text::fixed(
                "its checksum does not fit: it was altered, or damaged, after it was written",
                "校验和不符：写入后被修改过或已损坏",
            ),
            Self::Content(why) => why.clone(),
        }
    }
}

impl fmt::Display for PlanFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// A plan as people and programs read it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "postpay plan, version 1")]
struct PlanV1 {
    /// The version of this format.
    format_version: u64,
    /// The version of postpay that made the plan.
    tool_version: String,
    /// RFC 3339, UTC.
    #[schemars(with = "String")]
    created_at: Timestamp,
    /// The lineage of the state that the plan was made from; null when there was none.
    #[schemars(with = "Option<String>")]
    lineage: Option<Uuid>,
    /// The serial of that state; 0 when there was none.
    serial: u64,
    /// The state file, as it was named.
    state_path: String,
    account: AccountV1,
    /// Where calls are sent: `sandbox`, or the whole address. The plan is carried out there and nowhere else.
    endpoint: String,
    /// The vendor's region that is sent with the orders, if one is.
    region: Option<String>,
    guards: GuardsV1,
    /// The manifest files that the plan was made from.
    manifests: Vec<ManifestV1>,
    /// The plan is about these addresses alone, unless the list is empty.
    targets: Vec<String>,
    /// The plan leaves these addresses out.
    excludes: Vec<String>,
    /// normal; destroy or destroy_deposed when the plan is about giving `targets` up and nothing else.
    mode: ModeV1,
    /// A new environment is ordered in the place of these.
    replaces: Vec<String>,
    /// Whether what is no longer declared is given up.
    allow_destroy: bool,
    /// Whether what is given up is deleted at once (IsForce).
    purge: bool,
    /// Whether what is given up is given up whatever is in it (BypassCheck).
    bypass_check: bool,
    /// What git said of the manifests; absent when it was not asked, or had nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    git: Option<GitV1>,
    /// What the account showed that is not on record, for those who review the plan; absent when it was not looked at
    /// (`--refresh`), empty when there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource_drift: Option<Vec<FindingV1>>,
    /// In the order in which they are carried out.
    resource_changes: Vec<ChangeV1>,
    summary: SummaryV1,
    /// SHA-256, in hex, of the compact JSON of this document with this member empty.
    checksum: String,
}

/// What limited a run when the plan was made. When it is carried out, the stricter of these and the present ones hold; so does
/// `allow_destroy`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GuardsV1 {
    /// How many creates a run may send; null for any number.
    max_creates: Option<usize>,
    /// How many creates may be sent in 24 hours; null for any number.
    max_creates_per_day: Option<usize>,
    /// Whether each create without an env_id has to have an alias.
    require_alias: bool,
    /// The accounts that may be worked in; empty for any.
    allowed_accounts: Vec<String>,
}

/// For those who review the plan: nothing is decided by it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GitV1 {
    /// The commit that was checked out.
    commit: String,
    /// True when the manifests or the configuration were not as that commit has them.
    dirty: bool,
}

/// Whom the orders go to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AccountV1 {
    /// `sandbox`, or the vendor's site.
    endpoint: String,
    /// The vendor's number for the account, where it is known.
    uin: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ModeV1 {
    Normal,
    Destroy,
    DestroyDeposed,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ManifestV1 {
    path: String,
    /// Lower-case hex.
    sha256: String,
}

/// What is to be done with one environment.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangeV1 {
    address: String,
    /// The address that it has on record so far, when that changes.
    previous_address: Option<String>,
    /// True when this is not about what stands at the address, but about what was replaced there.
    deposed: bool,
    /// One of create, update, replace, destroy, forget, import, move, resolve, wait, no-op.
    actions: Vec<String>,
    /// Why: not_ordered, given_up, unchanged, awaiting_env_id, outcome_unknown, replace_because_cannot_update,
    /// replace_by_request, alias_changed, protection_changed, moved, import_declared, removed,
    /// delete_because_no_resource_config, delete_by_request, isolated, deposed, being_destroyed.
    action_reason: String,
    /// Present when the step is refused as it stands.
    refusal: Option<RefusalV1>,
    /// The fields as ordered; null for what was never ordered.
    before: Option<Attributes>,
    /// The fields as declared; null for what is not declared.
    after: Option<Attributes>,
    /// What the vendor decides: true for every id that is not known before the order.
    after_unknown: BTreeMap<String, bool>,
    /// The fields that differ between before and after.
    changed: BTreeSet<String>,
    prevent_destroy: ProtectionV1,
    env_id: Option<String>,
    tran_id: Option<String>,
    request_id: Option<String>,
    source: SourceV1,
}

/// Whether it is not to be given up.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProtectionV1 {
    before: bool,
    after: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RefusalV1 {
    /// One of replacement, replaces_itself, replaces_awaiting, replaces_imported, replaced_already, replacement_unknown, renamed,
    /// managed_elsewhere, imports_another, still_declared, which hold up the plan; or destroy_not_allowed, prevent_destroy, which do so only when its end
    /// was asked for.
    kind: String,
    /// The address or environment id that the refusal is about, besides its own.
    other: Option<String>,
}

/// The manifest file and line, from 1.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SourceV1 {
    file: String,
    line: u32,
    /// The commit that last touched that line; absent when it was not asked for, or is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
}

/// How many steps of each kind there are.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SummaryV1 {
    /// Paid orders that carrying out the plan sends.
    orders: usize,
    create: usize,
    update: usize,
    replace: usize,
    destroy: usize,
    /// No longer declared, and kept all the same.
    kept: usize,
    forget: usize,
    import: usize,
    /// With another address than before, whatever else is done.
    moved: usize,
    resolve: usize,
    wait: usize,
    no_op: usize,
    /// Steps that hold up the plan.
    refused: usize,
}

/// The JSON Schema of a plan file.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(PlanV1).to_value()
}

/// The plan as a JSON text that ends in a newline.
pub fn encode(plan: &Plan) -> String {
    let mut file = PlanV1::from(plan);
    file.checksum = checksum(&file);
    // Only a map with keys that are not text, or a failing writer, can make this fail.
    let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
    text.push('\n');
    text
}

/// The identity of a plan: what a receipt remembers of it.
pub fn identity(plan: &Plan) -> String {
    checksum(&PlanV1::from(plan))
}

/// Reads what [`encode`] wrote.
pub fn decode(text: &str) -> Result<Plan, PlanFileError> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u64,
    }
    if text.trim().is_empty() {
        return Err(PlanFileError::Empty);
    }
    let document: serde_json::Value = serde_json::from_str(text)?;
    let is_ours = document.get("resource_changes").is_some();
    let Ok(Version { format_version }) = serde_json::from_value(document) else {
        return Err(PlanFileError::NotAPlan);
    };
    if format_version != FORMAT_VERSION {
        return Err(PlanFileError::Version { found: format_version });
    }
    if !is_ours {
        return Err(PlanFileError::NotAPlan);
    }
    let file: PlanV1 = serde_json::from_str(text)?;
    if checksum(&file) != file.checksum {
        return Err(PlanFileError::Altered);
    }
    Plan::try_from(file)
}

fn checksum(file: &PlanV1) -> String {
    let blank = PlanV1 { checksum: String::new(), ..file.clone() };
    let bytes = serde_json::to_vec(&blank).unwrap_or_default();
    Sha256::digest(&bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl From<&Plan> for PlanV1 {
    fn from(plan: &Plan) -> Self {
        let Plan {
            tool_version,
            created_at,
            lineage,
            serial,
            state_path,
            account,
            endpoint,
            region,
            guards:
                Guards { limits: Limits { max_creates, max_creates_per_day, require_alias }, allowed_accounts },
            manifests,
            options: Options { mode, targets, excludes, replaces, allow_destroy, purge, bypass_check },
            git,
            drift,
            steps,
        } = plan;
        let texts = |addresses: &[Address]| addresses.iter().map(ToString::to_string).collect();
        let (mode, targets) = match mode {
            Mode::Normal => (ModeV1::Normal, targets),
            Mode::Destroy(addresses) => (ModeV1::Destroy, addresses),
            Mode::DestroyDeposed(addresses) => (ModeV1::DestroyDeposed, addresses),
        };
        Self {
            format_version: FORMAT_VERSION,
            tool_version: tool_version.clone(),
            created_at: *created_at,
            lineage: lineage.map(|Lineage(uuid)| uuid),
            serial: serial.0,
            state_path: state_path.clone(),
            endpoint: endpoint.clone(),
            region: region.clone(),
            guards: GuardsV1 {
                max_creates: *max_creates,
                max_creates_per_day: *max_creates_per_day,
                require_alias: *require_alias,
                allowed_accounts: allowed_accounts.clone(),
            },
            account: AccountV1 { endpoint: account.endpoint.clone(), uin: account.uin.clone() },
            manifests: manifests
                .iter()
                .map(|ManifestHash { path, sha256 }| ManifestV1 {
                    path: path.display().to_string(),
                    sha256: sha256.clone(),
                })
                .collect(),
            targets: texts(targets),
            excludes: texts(excludes),
            mode,
            replaces: texts(replaces),
            allow_destroy: *allow_destroy,
            purge: *purge,
            bypass_check: *bypass_check,
            git: git.as_ref().map(|GitFacts { commit, dirty, touched: _ }| GitV1 {
                commit: commit.clone(),
                dirty: *dirty,
            }),
            resource_drift: drift.as_ref().map(|findings| findings.iter().map(FindingV1::from).collect()),
            resource_changes: steps
                .iter()
                .map(|step| {
                    let mut change = ChangeV1::from(step);
                    // What was replaced at an address is declared nowhere.
                    let git = git.as_ref().filter(|_| !step.deposed);
                    change.source.commit = git.and_then(|git| git.touched.get(&step.address).cloned());
                    change
                })
                .collect(),
            summary: SummaryV1::from(plan.summary()),
            checksum: String::new(),
        }
    }
}

impl From<super::Summary> for SummaryV1 {
    fn from(summary: super::Summary) -> Self {
        let super::Summary {
            orders,
            create,
            update,
            replace,
            destroy,
            kept,
            forget,
            import,
            moved,
            resolve,
            wait,
            no_op,
            refused,
        } = summary;
        Self {
            orders,
            create,
            update,
            replace,
            destroy,
            kept,
            forget,
            import,
            moved,
            resolve,
            wait,
            no_op,
            refused,
        }
    }
}

impl From<&Step> for ChangeV1 {
    fn from(step: &Step) -> Self {
        let Step {
            address,
            previous_address,
            deposed,
            action,
            reason,
            refusal,
            before,
            after,
            was_protected,
            prevent_destroy,
            ids,
            source,
        } = step;
        let (env_id, tran_id) = match action {
            // Both are the new environment's, whatever the old one has.
            Action::Create | Action::Replace => (true, true),
            Action::Resolve | Action::Wait => (ids.env_id.is_none(), ids.tran_id.is_none()),
            Action::Update
            | Action::Destroy
            | Action::Forget
            | Action::Import
            | Action::Move
            | Action::NoOp => (false, false),
        };
        let unknown = [("env_id", env_id), ("tran_id", tran_id)]
            .into_iter()
            .filter(|(_, unknown)| *unknown)
            .map(|(name, unknown)| (name.to_owned(), unknown))
            .collect();
        Self {
            address: address.to_string(),
            previous_address: previous_address.as_ref().map(ToString::to_string),
            deposed: *deposed,
            actions: vec![action.name().to_owned()],
            action_reason: reason.name().to_owned(),
            refusal: refusal.as_ref().map(|refusal| RefusalV1 {
                kind: refusal.name().to_owned(),
                other: refusal.other().map(str::to_owned),
            }),
            before: before.clone(),
            after: after.clone(),
            after_unknown: unknown,
            changed: step.changed_fields().into_iter().map(|field| field.name.to_owned()).collect(),
            prevent_destroy: ProtectionV1 { before: *was_protected, after: *prevent_destroy },
            env_id: ids.env_id.clone(),
            tran_id: ids.tran_id.clone(),
            request_id: ids.request_id.clone(),
            source: SourceV1 {
                file: source.file.clone(),
                line: source.line,
                // The plan knows it; a step is the same whoever wrote its line.
                commit: None,
            },
        }
    }
}

impl TryFrom<PlanV1> for Plan {
    type Error = PlanFileError;

    fn try_from(file: PlanV1) -> Result<Self, PlanFileError> {
        let git = git(file.git, &file.resource_changes)?;
        Ok(Self {
            git,
            drift: file
                .resource_drift
                .map(|findings| findings.into_iter().map(Finding::try_from).collect())
                .transpose()?,
            tool_version: file.tool_version,
            created_at: file.created_at,
            lineage: file.lineage.map(Lineage),
            serial: Serial(file.serial),
            state_path: file.state_path,
            endpoint: file.endpoint,
            region: file.region,
            guards: Guards {
                limits: Limits {
                    max_creates: file.guards.max_creates,
                    max_creates_per_day: file.guards.max_creates_per_day,
                    require_alias: file.guards.require_alias,
                },
                allowed_accounts: file.guards.allowed_accounts,
            },
            account: Account { endpoint: file.account.endpoint, uin: file.account.uin },
            manifests: file
                .manifests
                .into_iter()
                .map(|ManifestV1 { path, sha256 }| ManifestHash { path: path.into(), sha256 })
                .collect(),
            options: Options {
                mode: match file.mode {
                    ModeV1::Normal => Mode::Normal,
                    ModeV1::Destroy => Mode::Destroy(addresses(&file.targets)?),
                    ModeV1::DestroyDeposed => Mode::DestroyDeposed(addresses(&file.targets)?),
                },
                targets: match file.mode {
                    ModeV1::Normal => addresses(&file.targets)?,
                    ModeV1::Destroy | ModeV1::DestroyDeposed => Vec::new(),
                },
                excludes: addresses(&file.excludes)?,
                replaces: addresses(&file.replaces)?,
                allow_destroy: file.allow_destroy,
                purge: file.purge,
                bypass_check: file.bypass_check,
            },
            steps: file.resource_changes.into_iter().map(Step::try_from).collect::<Result<_, _>>()?,
        })
    }
}

/// What git said, put together again.
fn git(git: Option<GitV1>, changes: &[ChangeV1]) -> Result<Option<GitFacts>, PlanFileError> {
    let touched = changes
        .iter()
        .filter(|change| !change.deposed)
        .filter_map(|change| Some((&change.address, change.source.commit.clone()?)))
        .map(|(at, commit)| Ok((address(at)?, commit)))
        .collect::<Result<BTreeMap<_, _>, PlanFileError>>()?;
    match git {
        Some(GitV1 { commit, dirty }) => Ok(Some(GitFacts { commit, dirty, touched })),
        None if touched.is_empty() => Ok(None),
        None => Err(PlanFileError::Content(Text::fixed(
            "it names commits of lines, and not the commit that was checked out",
            "其中有各行的提交，却没有检出的提交",
        ))),
    }
}

impl TryFrom<ChangeV1> for Step {
    type Error = PlanFileError;

    fn try_from(change: ChangeV1) -> Result<Self, PlanFileError> {
        let [action] = change.actions.as_slice() else {
            let address = &change.address;
            return Err(PlanFileError::Content(text!(
                "`{address}` has not exactly one action",
                "`{address}` 的动作不是恰好一个"
            )));
        };
        Ok(Self {
            address: address(&change.address)?,
            previous_address: change.previous_address.as_deref().map(address).transpose()?,
            deposed: change.deposed,
            action: named(Action::ALL, Action::name, action)?,
            reason: named(Reason::ALL, Reason::name, &change.action_reason)?,
            refusal: change.refusal.map(Refusal::try_from).transpose()?,
            before: change.before,
            after: change.after,
            was_protected: change.prevent_destroy.before,
            prevent_destroy: change.prevent_destroy.after,
            ids: Ids { env_id: change.env_id, tran_id: change.tran_id, request_id: change.request_id },
            source: SourceRef { file: change.source.file, line: change.source.line },
        })
    }
}

impl TryFrom<RefusalV1> for Refusal {
    type Error = PlanFileError;

    fn try_from(RefusalV1 { kind, other }: RefusalV1) -> Result<Self, PlanFileError> {
        match (kind.as_str(), other) {
            ("replacement", None) => Ok(Self::Replacement),
            ("replaces_itself", None) => Ok(Self::ReplacesItself),
            ("replaces_awaiting", None) => Ok(Self::ReplacesAwaiting),
            ("replaces_imported", None) => Ok(Self::ReplacesImported),
            ("replaced_already", None) => Ok(Self::ReplacedAlready),
            ("replacement_unknown", None) => Ok(Self::ReplacementUnknown),
            ("destroy_not_allowed", None) => Ok(Self::DestroyNotAllowed),
            ("prevent_destroy", None) => Ok(Self::PreventDestroy),
            ("still_declared", None) => Ok(Self::StillDeclared),
            ("imports_another", Some(env_id)) => Ok(Self::ImportsAnother { env_id }),
            ("renamed", Some(from)) => Ok(Self::Renamed { from: address(&from)? }),
            ("managed_elsewhere", Some(other)) => Ok(Self::ManagedAs { other: address(&other)? }),
            (kind, _) => {
                let kind = kind.escape_debug();
                Err(PlanFileError::Content(text!("`{kind}` is no refusal", "`{kind}` 不是拒绝原因")))
            }
        }
    }
}

fn named<T: Copy, const N: usize>(
    all: [T; N],
    name: impl Fn(T) -> &'static str,
    wanted: &str,
) -> Result<T, PlanFileError> {
    all.into_iter().find(|one| name(*one) == wanted).ok_or_else(|| {
        let wanted = wanted.escape_debug();
        PlanFileError::Content(text!("`{wanted}` is not known", "不认识 `{wanted}`"))
    })
}

fn address(text: &str) -> Result<Address, PlanFileError> {
    Address::new(text).map_err(|error| PlanFileError::Content(Text::of(&error)))
}

fn addresses(texts: &[String]) -> Result<Vec<Address>, PlanFileError> {
    texts.iter().map(|text| address(text)).collect()
}
