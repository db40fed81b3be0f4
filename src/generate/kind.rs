//! Declares environments again with another kind, for when Tencent Cloud no longer sells the declared one.

use std::fmt::Write as _;

use super::yaml::{comment, scalar, write_field};
use crate::i18n::{Text, text};
use crate::kinds;
use crate::model::{Address, Attributes, Environment, Field, Kind, Null, SourceRef};
use crate::state::State;

/// A declaration that replaces one of another kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeclared {
    pub address: Address,
    /// Where the entry to replace is.
    pub replaces: SourceRef,
    /// The comments of that entry, each with its `#`.
    comments: Vec<String>,
    /// What both kinds have.
    attributes: Attributes,
    /// Why a value is not kept.
    remarks: Vec<String>,
    prevent_destroy: bool,
    ignore_changes: Vec<&'static str>,
}

/// Returns why an environment cannot be declared with another kind; None when it can.
pub fn cannot_redeclare(environment: &Environment, state: Option<&State>, kind: &Kind) -> Option<Text> {
    let Environment { address, attributes, import, .. } = environment;
    let own = attributes.kind().name;
    if own == kind.name || attributes.kind().shares_env_id {
        Some(text!("`{address}` is declared with `kind: {own}`", address, own))
    } else if state.is_some_and(|state| state.get(address).is_some()) {
        Some(text!("`{address}` is in the state: another kind would be another environment", address))
    } else if import.is_some() || attributes.env_id().is_some() {
        Some(text!("`{address}` is an existing environment, which keeps its kind", address))
    } else {
        None
    }
}

/// Declares an environment with another kind. Values that both kinds have are kept; the rest is for the user to choose.
pub fn redeclare(environment: &Environment, kind: &'static Kind, comments: Vec<String>) -> Redeclared {
    let old = &environment.attributes;
    let mut attributes = Attributes::new(kind);
    let mut remarks = Vec::new();
    for field in kind.fields() {
        let Some(value) = same_field(field, old.kind()).and_then(|same| old.get(same)) else { continue };
        let text = value.to_string();
        if field.accepts(&text) {
            attributes.set(field, value);
        } else {
            remarks.push(format!("{field} was {text:?}, which is not valid for `kind: {}`", kind.name));
        }
    }
    let ignored = environment.lifecycle.ignore_changes.iter();
    let ignored = ignored.filter_map(|field| same_field(*field, kind).map(|field| field.spec().name));
    Redeclared {
        address: environment.address.clone(),
        replaces: environment.source.clone(),
        comments,
        attributes,
        remarks,
        prevent_destroy: environment.lifecycle.prevent_destroy,
        ignore_changes: ignored.collect(),
    }
}

/// Returns the field of a kind that means the same as one of another kind.
fn same_field(field: Field, kind: &'static Kind) -> Option<Field> {
    kind.role(field.role?)
}

/// Returns a manifest with these declarations. Fields that have to be chosen are left empty.
pub fn manifest_of_kind(redeclared: &[Redeclared], kind: &'static Kind) -> String {
    let needed: Vec<&str> =
        kind.fields().filter(|field| field.null == Null::Required).map(|field| field.spec().name).collect();
    let mut text = String::from("# yaml-language-server: $schema=../schemas/manifest.v1.schema.json\n");
    text.push_str("# Replaces the entries of these names: remove those, then fill in what is empty here.\n");
    text.push_str("version: 1\n\nenvironments:\n");
    for (at, one) in redeclared.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        for line in &one.comments {
            let _ = writeln!(text, "  {}", comment(line));
        }
        let _ = writeln!(text, "  {}:\n    {}: {}", scalar(one.address.as_str()), kinds::KEY, kind.name);
        for remark in &one.remarks {
            let _ = writeln!(text, "    # {}", comment(remark));
        }
        for field in kind.fields() {
            match one.attributes.get(field) {
                Some(value) => write_field(&mut text, field, value),
                None if needed.contains(&field.name) => {
                    let _ = writeln!(text, "    {field}:");
                }
                None => {}
            }
        }
        if one.prevent_destroy || !one.ignore_changes.is_empty() {
            text.push_str("    lifecycle:\n");
            if one.prevent_destroy {
                text.push_str("      prevent_destroy: true\n");
            }
            if !one.ignore_changes.is_empty() {
                let _ = writeln!(text, "      ignore_changes: [{}]", one.ignore_changes.join(", "));
            }
        }
    }
    text
}
