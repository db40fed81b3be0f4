//! States, record by record, verifications and restores for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{Address, InstanceKey};
use crate::report::human;
use crate::state::Record;
use crate::state::Serial;
use crate::state::compare::Difference;
use crate::state::restore::{Present, Proposal};
use crate::state::verify::{Notice, Problem, Verification};

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay state verify --format json, version 1")]
struct VerificationV1<'a> {
    format_version: u32,
    fine: bool,
    serial: Option<u64>,
    lineage: Option<String>,
    environments: usize,
    deposed: usize,
    receipts: usize,
    sound_receipts: usize,
    /// The serial from which on the receipts were compared with the state: 0 for all of it, null when they were not.
    compared_since: Option<u64>,
    problems: Vec<SaidV1<'a>>,
    warnings: Vec<SaidV1<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Said")]
pub(super) struct SaidV1<'a> {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<DifferenceV1<'a>>,
    /// The environments that it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    addresses: Vec<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Difference")]
pub(super) struct DifferenceV1<'a> {
    /// None for a member of the state itself.
    address: Option<&'a str>,
    /// Whether it is about an environment that another one took the address of, and which.
    #[serde(skip_serializing_if = "Option::is_none")]
    deposed: Option<&'a str>,
    /// None when the whole environment is on one side only.
    field: Option<&'a str>,
    /// member, missing, surplus or field.
    kind: &'static str,
    found: Option<&'a str>,
    expected: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay state restore --format json, version 1")]
struct ProposalV1<'a> {
    format_version: u32,
    from: &'a str,
    serial: u64,
    lineage: String,
    environments: usize,
    folded: usize,
    /// none, unreadable or state.
    present: &'static str,
    present_serial: Option<u64>,
    changes_nothing: bool,
    differences: Vec<DifferenceV1<'a>>,
    open_run: Option<String>,
    written: bool,
    /// Where what was there is kept.
    kept: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay state list --format json, version 1")]
struct ListV1<'a> {
    format_version: u32,
    environments: Vec<ListedV1<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Listed")]
struct ListedV1<'a> {
    address: &'a str,
    status: &'static str,
    env_id: Option<&'a str>,
    tran_id: Option<&'a str>,
    /// Whether another one took its address.
    deposed: bool,
}

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay state show --format json, version 1")]
struct ShownV1<'a> {
    format_version: u32,
    address: &'a str,
    /// As in a state file; null when only former environments of the address are in the state.
    record: Option<&'a Record>,
    deposed: Vec<&'a Record>,
}

/// The JSON Schema of `state verify --format json`.
pub fn verify_schema() -> serde_json::Value {
    schemars::schema_for!(VerificationV1<'_>).to_value()
}

/// The JSON Schema of `state restore --format json`.
pub fn restore_schema() -> serde_json::Value {
    schemars::schema_for!(ProposalV1<'_>).to_value()
}

/// The JSON Schema of `state list --format json`.
pub fn list_schema() -> serde_json::Value {
    schemars::schema_for!(ListV1<'_>).to_value()
}

/// The JSON Schema of `state show --format json`.
pub fn show_schema() -> serde_json::Value {
    schemars::schema_for!(ShownV1<'_>).to_value()
}

/// Records with their addresses, as one JSON document that ends in a newline.
pub fn list(records: &[(&InstanceKey, &Record)]) -> String {
    let environments = records.iter().map(|(key, record)| ListedV1 {
        address: key.address.as_str(),
        status: record.status.name(),
        env_id: record.env_id.as_deref(),
        tran_id: record.tran_id.as_deref(),
        deposed: key.is_deposed(),
    });
    pretty(&ListV1 { format_version: 1, environments: environments.collect() })
}

/// Everything that the state has of one address, as one JSON document that ends in a newline.
pub fn record(address: &Address, record: Option<&Record>, deposed: &[(&InstanceKey, &Record)]) -> String {
    let deposed = deposed.iter().map(|(_, record)| *record).collect();
    pretty(&ShownV1 { format_version: 1, address: address.as_str(), record, deposed })
}

/// A verification as one JSON document that ends in a newline.
pub fn verification(verification: &Verification) -> String {
    let Verification {
        lineage,
        serial,
        environments,
        deposed,
        receipts,
        sound_receipts,
        compared_since,
        problems,
        notices,
    } = verification;
    pretty(&VerificationV1 {
        format_version: 1,
        fine: problems.is_empty(),
        serial: serial.map(|serial| serial.0),
        lineage: lineage.map(|lineage| lineage.to_string()),
        environments: *environments,
        deposed: *deposed,
        receipts: *receipts,
        sound_receipts: *sound_receipts,
        compared_since: compared_since.map(|Serial(serial)| serial),
        problems: problems.iter().map(problem).collect(),
        warnings: notices.iter().map(notice).collect(),
    })
}

pub(super) fn problem(problem: &Problem) -> SaidV1<'_> {
    let (difference, addresses) = match problem {
        Problem::Differs(difference) => {
            let difference = self::difference(difference);
            let address = difference.address;
            (Some(difference), address.into_iter().collect())
        }
        Problem::Unrecorded { rescued, .. } => (None, vec![rescued.outcome.address.as_str()]),
        Problem::Shared { keys, .. } => (None, keys.iter().map(|key| key.address.as_str()).collect()),
        Problem::Error(_) => (None, Vec::new()),
    };
    SaidV1 {
        code: problem.code(),
        message: human::verify::problem(problem).en().to_owned(),
        difference,
        addresses,
    }
}

pub(super) fn notice(notice: &Notice) -> SaidV1<'_> {
    let addresses = match notice {
        Notice::BeginningMissing { unverified, .. } => {
            unverified.iter().map(|key| key.address.as_str()).collect()
        }
        Notice::OpenRun { unknown, .. } => texts(unknown),
        Notice::RescueOpen { rescued, .. } => vec![rescued.outcome.address.as_str()],
        Notice::RescueSettled { .. } | Notice::RescueUnreadable { .. } => Vec::new(),
    };
    SaidV1 {
        code: notice.code(),
        message: human::verify::notice(notice).en().to_owned(),
        difference: None,
        addresses,
    }
}

fn texts(addresses: &[Address]) -> Vec<&str> {
    addresses.iter().map(Address::as_str).collect()
}

pub(super) fn difference(difference: &Difference) -> DifferenceV1<'_> {
    match difference {
        Difference::Member { name, found, expected } => DifferenceV1 {
            address: None,
            deposed: None,
            field: Some(name),
            kind: "member",
            found: Some(found),
            expected: Some(expected),
        },
        Difference::Missing { key, record } => {
            DifferenceV1 { kind: "missing", expected: record.tran_id.as_deref(), ..about(key) }
        }
        Difference::Surplus { key, record } => {
            DifferenceV1 { kind: "surplus", found: record.tran_id.as_deref(), ..about(key) }
        }
        Difference::Field { key, name, found, expected } => DifferenceV1 {
            field: Some(name),
            kind: "field",
            found: found.as_deref(),
            expected: expected.as_deref(),
            ..about(key)
        },
    }
}

fn about(key: &InstanceKey) -> DifferenceV1<'_> {
    DifferenceV1 {
        address: Some(key.address.as_str()),
        deposed: key.deposed.as_deref(),
        field: None,
        kind: "",
        found: None,
        expected: None,
    }
}

/// A restore as one JSON document that ends in a newline. `written` is false for a dry run.
pub fn restore(proposal: &Proposal, written: bool, kept: Option<&std::path::Path>) -> String {
    let Proposal { state, from, folded, present, open } = proposal;
    let (word, serial, differences) = match present {
        Present::Nothing => ("none", None, &[][..]),
        Present::Unreadable(_) => ("unreadable", None, &[][..]),
        Present::State { serial, differences } => ("state", Some(serial.0), differences.as_slice()),
    };
    pretty(&ProposalV1 {
        format_version: 1,
        from,
        serial: state.serial.0,
        lineage: state.lineage.to_string(),
        environments: state.current().count(),
        folded: *folded,
        present: word,
        present_serial: serial,
        changes_nothing: proposal.changes_nothing(),
        differences: differences.iter().map(difference).collect(),
        open_run: open.map(|run| run.to_string()),
        written,
        kept: kept.map(|path| path.display().to_string()),
    })
}

pub(super) fn pretty(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}
