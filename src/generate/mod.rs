//! Generates manifests for unmanaged environments, so that the next plan imports them and creates nothing.
//! Pure.
//!
//! Only fields that the account shows and that can be declared are written. Comments list the rest for the
//! reviewer.

mod kind;
mod yaml;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use crate::apply::import::{ImportBlocker, check_importable};
use crate::cloud::shown::shown_attributes;
use crate::cloud::{Bill, Bills, SeenEnvironment, api_time};
use crate::i18n::Text;
use crate::kinds;
use crate::model::{Address, Attributes, Desired, Field, Kind, Role, Value};
use crate::state::State;
use yaml::{comment, scalar, write_field};

pub use kind::{Redeclared, cannot_redeclare, manifest_of_kind, redeclare};

/// The declaration of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub address: Address,
    pub env_id: String,
    /// Its order number, if its bill has one.
    pub tran_id: Option<String>,
    pub attributes: Attributes,
    /// Further facts, written as comments.
    pub remarks: Vec<String>,
}

/// An environment that can't be declared as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub env_id: String,
    pub why: ImportBlocker,
}

/// The environments of an account that are neither declared nor in the state, by environment id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drafts {
    pub drafts: Vec<Draft>,
    pub left_out: Vec<LeftOut>,
    /// The number of environments that are declared or in the state.
    pub known: usize,
}

/// Returns the environment ids that are declared or in the state.
pub fn known<'a>(desired: &'a Desired, state: Option<&'a State>) -> HashSet<&'a str> {
    let declared = desired.environments.iter().flat_map(|environment| {
        let imported = environment.import.as_ref().map(|import| import.env_id.as_str());
        imported.into_iter().chain(environment.attributes.env_id())
    });
    let recorded = state.into_iter().flat_map(State::env_ids);
    declared.chain(recorded.map(|(_, env_id)| env_id)).collect()
}

/// Drafts a declaration for each of `seen` that is not known.
pub fn draft(seen: &[SeenEnvironment], bills: &Bills, desired: &Desired, state: Option<&State>) -> Drafts {
    let known = known(desired, state);
    let shown: HashMap<&str, &Bill> = bills.shown.iter().map(|bill| (bill.env_id.as_str(), bill)).collect();
    let unknown: BTreeMap<&str, &SeenEnvironment> = seen
        .iter()
        .filter(|environment| !known.contains(environment.env_id.as_str()))
        .map(|environment| (environment.env_id.as_str(), environment))
        .collect();
    let recorded = state.into_iter().flat_map(State::records);
    let ordered: HashSet<&str> = recorded.filter_map(|(_, record)| record.tran_id.as_deref()).collect();
    let mut names = Names::in_use(desired, state);
    let mut drafts = Drafts { known: seen.len() - unknown.len(), ..Drafts::default() };
    for (env_id, environment) in unknown {
        let bill = shown.get(env_id).copied();
        let number = bill.and_then(|bill| bill.order.as_ref());
        let is_ordered = number.is_some_and(|order| ordered.contains(order.tran_id.as_str()));
        let found = match importable_kind(environment, bill) {
            Ok(_) if is_ordered => Err(ImportBlocker::OrderedElsewhere),
            Ok(_) if bill.is_none() && bills.incomplete => Err(ImportBlocker::BillNotShown),
            found => found,
        };
        match found {
            Ok(kind) => drafts.drafts.push(draft_environment(kind, environment, bill, &mut names)),
            Err(why) => drafts.left_out.push(LeftOut { env_id: env_id.to_owned(), why }),
        }
    }
    drafts
}

/// Returns the kind that an environment is paid for as.
fn importable_kind(
    environment: &SeenEnvironment,
    bill: Option<&Bill>,
) -> Result<&'static Kind, ImportBlocker> {
    let kinds = kinds::ALL.iter().filter(|kind| kind.pay_mode.is_some());
    let mut checked =
        kinds.map(|kind| check_importable(kind, Some(environment), bill).map(|_| -> &'static Kind { kind }));
    let is_of_other_kind = |why| matches!(why, Err(ImportBlocker::Prepaid | ImportBlocker::Postpaid));
    checked.find(|found| !is_of_other_kind(found.map(drop))).unwrap_or(Err(ImportBlocker::PayModeNotShown))
}

fn draft_environment(
    kind: &'static Kind,
    environment: &SeenEnvironment,
    bill: Option<&Bill>,
    names: &mut Names,
) -> Draft {
    let live = shown_attributes(kind, environment, bill);
    let mut remarks = Vec::new();
    let mut attributes = Attributes::new(kind);
    for (field, value) in live.iter() {
        let text = value.to_string();
        if text.trim().is_empty() {
            continue;
        }
        match rejection(field, value, &text, &live, names) {
            None => attributes.set(field, value),
            Some(why) => remarks.push(format!("{field} is {text:?}, {why}")),
        }
    }
    let created_at = environment.created_at.as_deref().map(api_time::describe);
    let facts = [
        ("region", environment.region.as_deref().filter(|_| attributes.region().is_none())),
        ("created", created_at.as_ref().map(Text::en)),
        ("status", environment.status.as_deref()),
    ];
    let facts = facts.into_iter().filter_map(|(name, value)| Some((name, value?)));
    remarks.extend(facts.map(|(name, value)| format!("{name} {value}")));
    Draft {
        address: names.address(environment.alias.as_deref(), &environment.env_id),
        env_id: environment.env_id.clone(),
        tran_id: bill.and_then(|bill| bill.order.as_ref()).map(|order| order.tran_id.clone()),
        attributes,
        remarks,
    }
}

/// Returns why a field that the account shows can't be declared.
fn rejection(
    field: Field,
    value: &Value,
    text: &str,
    live: &Attributes,
    names: &mut Names,
) -> Option<&'static str> {
    let is_shown = |text: &str| !text.chars().any(char::is_control);
    let is_visible = match value {
        Value::Map(members) => {
            members.iter().all(|(name, value)| is_shown(name) && is_shown(&value.to_string()))
        }
        Value::Text(_) | Value::Integer(_) | Value::Bool(_) | Value::List(_) => is_shown(text),
    };
    if !is_visible {
        return Some("which holds characters that can't be seen");
    }
    let kind = live.kind();
    let is_pair = || {
        let (source, channel) = (live.role(Role::Source)?, live.role(Role::Channel)?);
        let (by, field) = (kind.role(Role::Source)?, kind.role(Role::Channel)?);
        kind.values_beside(field.name, by.name, source)?.contains(&channel).then_some(())
    };
    match field.role {
        Some(Role::Source | Role::Channel) if is_pair().is_none() => {
            Some("and no valid pair of env_source and channel")
        }
        Some(Role::Alias) if !field.accepts(text) => Some("which is not a valid alias"),
        Some(Role::Alias) if !names.aliases.insert(text.to_owned()) => {
            Some("which another environment also has")
        }
        Some(_) | None if !field.accepts(text) => Some("which is not a valid value"),
        Some(_) | None => None,
    }
}

/// Addresses and aliases that are in use.
struct Names {
    addresses: BTreeSet<String>,
    aliases: BTreeSet<String>,
}

impl Names {
    fn in_use(desired: &Desired, state: Option<&State>) -> Self {
        let declared = || desired.environments.iter();
        let recorded = || state.into_iter().flat_map(State::records);
        let addresses = declared()
            .map(|environment| &environment.address)
            .chain(recorded().map(|(address, _)| address))
            .chain(desired.moved.iter().map(|moved| &moved.from))
            .chain(desired.removed.iter().map(|removed| &removed.address));
        let aliases = declared()
            .map(|environment| &environment.attributes)
            .chain(recorded().map(|(_, record)| &record.attributes));
        Self {
            addresses: addresses.map(ToString::to_string).collect(),
            aliases: aliases.filter_map(|attributes| attributes.alias()).map(str::to_owned).collect(),
        }
    }

    /// Returns an unused address, derived from the alias or else from the id.
    fn address(&mut self, alias: Option<&str>, env_id: &str) -> Address {
        let candidates = [alias, Some(env_id)].into_iter().flatten().map(to_address);
        let start = candidates.into_iter().find(|name| !name.is_empty());
        let start = start.unwrap_or_else(|| "environment".to_owned());
        let mut tries = (1_u32..).map(|n| match n {
            1 => start.clone(),
            n => format!("{start}-{n}"),
        });
        loop {
            // There are more numbers than environments.
            let name = tries.next().unwrap_or_else(|| start.clone());
            if let Ok(address) = Address::new(&name)
                && self.addresses.insert(name)
            {
                return address;
            }
        }
    }
}

/// Replaces characters that an address may not have, and leaves room for a number.
fn to_address(name: &str) -> String {
    let letters = name.to_lowercase();
    let letters: String = letters
        .chars()
        .map(|c| match c {
            'a'..='z' | '0'..='9' | '_' | '-' => c,
            _ => '-',
        })
        .collect();
    let letters = letters.trim_matches(['-', '_']);
    letters.chars().take(54).collect()
}

/// Returns a manifest with these declarations, in the layout of `fmt`.
pub fn manifest(drafts: &Drafts, endpoint: &str) -> String {
    let mut text = String::from("# yaml-language-server: $schema=../schemas/manifest.v1.schema.json\n");
    let _ = writeln!(
        text,
        "# Environments of {} that no manifest declares. The next apply imports them and creates nothing.",
        comment(endpoint)
    );
    for LeftOut { env_id, why } in &drafts.left_out {
        let _ = writeln!(text, "# left out: {}: {}", comment(env_id), comment(&why.to_string()));
    }
    text.push_str("version: 1\n\nenvironments:\n");
    for (at, draft) in drafts.drafts.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        write_draft(&mut text, draft);
    }
    text
}

fn write_draft(text: &mut String, draft: &Draft) {
    let Draft { address, env_id, tran_id, attributes, remarks } = draft;
    let _ = writeln!(text, "  {}:", scalar(address.as_str()));
    for remark in remarks {
        let _ = writeln!(text, "    # {}", comment(remark));
    }
    if attributes.kind().name != kinds::DEFAULT.name {
        let _ = writeln!(text, "    {}: {}", kinds::KEY, attributes.kind().name);
    }
    for (field, value) in attributes.iter() {
        write_field(text, field, value);
    }
    let _ = writeln!(text, "    import:\n      env_id: {}", scalar(env_id));
    if let Some(tran_id) = tran_id {
        let _ = writeln!(text, "      tran_id: {}", scalar(tran_id));
    }
}

#[cfg(test)]
mod tests;
