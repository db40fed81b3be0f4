//! Documents as fields with their places: what the rules look at.
//!
//! Nothing is judged here. What does not fit the shape is set aside in a list of its own, for the
//! rule that speaks of it.

mod life;
mod read;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::diagnostic::{Diagnostic, Span};
use crate::kinds::postpay;
use crate::lang::{Text, text};
use crate::manifest::{Entry, File, Mapping, Node, Value as Yaml};
use crate::model::Field;

pub(super) use life::{IMPORT, Import, LIFECYCLE, Lifecycle, MOVE, Move, Name, Said};

/// The keys of a document.
pub(super) const TOP: [&str; 5] = ["version", "defaults", "environments", "moved", "removed"];
/// The most environments of a project.
pub(super) const MAX_ENVIRONMENTS: usize = 200_000;
/// The version of the manifest format that this is.
pub(super) const VERSION: &str = "1";

#[derive(Default)]
pub(super) struct Manifests<'a> {
    /// Files that hold nothing at all.
    pub empty: Vec<&'a File>,
    pub documents: Vec<Document<'a>>,
    /// The fields of all defaults and environments, in declared order.
    pub fields: Vec<Written<'a>>,
    /// As they are written, in defaults too.
    pub lifecycles: Vec<Lifecycle<'a>>,
    /// The ids that imports name, as they are written.
    pub imported_ids: Vec<Said<'a>>,
    /// Imports in defaults, which none of the environments has.
    pub misplaced_imports: Vec<Node<'a>>,
    pub moves: Vec<Move<'a>>,
    pub removed: Vec<Name<'a>>,
    /// Keys that are no field.
    pub strange: Vec<Strange<'a>>,
    /// Values of another type than their place has. Those of fields are in `fields`.
    pub misshapen: Vec<Misshapen<'a>>,
    /// Addresses that have their environments already.
    pub recorded: HashSet<&'a str>,
    /// The first environment that is one too many: it and the rest were not read.
    pub too_many: Option<Node<'a>>,
    /// Something could not be read, so more may be declared than is known.
    pub unread: bool,
}

pub(super) struct Document<'a> {
    pub root: Mapping<'a>,
    pub place: Span,
    pub version: Option<Entry<'a>>,
    /// Their key, when there is one.
    pub environments_key: Option<Node<'a>>,
    pub environments: Vec<Environment<'a>>,
    defaults: Body<'a>,
}

pub(super) struct Environment<'a> {
    pub name: &'a str,
    pub key: Node<'a>,
    /// The mapping that its key stands in.
    pub container: Mapping<'a>,
    /// False when its value is no mapping: then there is no saying what it lacks.
    pub shaped: bool,
    /// Its own, or else that of the defaults.
    pub lifecycle: Lifecycle<'a>,
    /// There when the environment is adopted and never ordered.
    pub import: Option<Import<'a>>,
    fields: Range<usize>,
    defaults: Range<usize>,
}

/// What stands in an environment, or in defaults.
#[derive(Default)]
struct Body<'a> {
    fields: Range<usize>,
    lifecycle: Option<Lifecycle<'a>>,
    import: Option<Import<'a>>,
}

/// A field as it is written.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub field: Field,
    pub node: Node<'a>,
    /// It comes here by a merge key or an alias.
    elsewhere: bool,
}

/// A field as an environment has it.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub field: Field,
    pub node: Node<'a>,
    pub content: Content<'a>,
    /// It comes from defaults, a merge key or an alias.
    pub inherited: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    Text(&'a str),
    /// Of [`postpay::EXTRA`] alone.
    Members(Mapping<'a>),
    /// Of a wrong type, which its own rule reports: it is there, but there is no more to say.
    Wrong,
}

pub(super) struct Strange<'a> {
    pub entry: Entry<'a>,
    pub place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Top,
    Defaults,
    Environment,
    Lifecycle,
    Import,
    Move,
}

pub(super) struct Misshapen<'a> {
    pub should_be: Shape<'a>,
    pub node: Node<'a>,
}

/// A place that is not a field, by what belongs there.
#[derive(Clone, Copy)]
pub(super) enum Shape<'a> {
    Manifest,
    Defaults,
    Environments,
    /// By its address.
    Environment(&'a str),
    Lifecycle,
    PreventDestroy,
    IgnoreChanges,
    /// An item of `ignore_changes`.
    Ignored,
    Import,
    /// A member of an import.
    Id(&'static str),
    Moved,
    /// An item of `moved`.
    Move,
    /// A member of such an item.
    End(&'static str),
    Removed,
    /// An item of `removed`.
    Forgotten,
}

impl<'a> Manifests<'a> {
    /// Every address that is declared, with its first environment.
    pub(super) fn declared(&self) -> HashMap<&'a str, &Environment<'a>> {
        let mut declared = HashMap::new();
        for (_, environment) in self.environments() {
            declared.entry(environment.name).or_insert(environment);
        }
        declared
    }

    /// Every environment, with the document it stands in.
    pub(super) fn environments(
        &self,
    ) -> impl Iterator<Item = (&Document<'a>, &Environment<'a>)> + use<'_, 'a> {
        self.documents
            .iter()
            .flat_map(|document| document.environments.iter().map(move |environment| (document, environment)))
    }

    /// Every text that is written for `field`, in defaults too; blank ones are left out.
    pub(super) fn texts(&self, field: Field) -> impl Iterator<Item = (Written<'a>, &'a str)> + use<'_, 'a> {
        self.fields.iter().filter(move |written| written.field == field).filter_map(|written| {
            match written.node.value() {
                Yaml::Text(text) if !text.trim().is_empty() => Some((*written, text)),
                Yaml::Text(_)
                | Yaml::Null
                | Yaml::Bool(_)
                | Yaml::Number(_)
                | Yaml::Sequence(_)
                | Yaml::Mapping(_) => None,
            }
        })
    }

    /// What an environment has for `field`, its defaults merged in.
    pub(super) fn get(&self, environment: &Environment<'a>, field: Field) -> Option<Value<'a>> {
        let find = |range: &Range<usize>| {
            self.fields.get(range.clone())?.iter().find(|written| written.field == field)
        };
        let (written, default) = match find(&environment.fields) {
            Some(own) => (own, false),
            None => (find(&environment.defaults)?, true),
        };
        Some(Value {
            field,
            node: written.node,
            content: content(field, written.node)?,
            inherited: default || written.elsewhere,
        })
    }

    /// The text that an environment has for `field`.
    pub(super) fn text(&self, environment: &Environment<'a>, field: Field) -> Option<&'a str> {
        match self.get(environment, field)?.content {
            Content::Text(text) => Some(text),
            Content::Members(_) | Content::Wrong => None,
        }
    }
}

fn content(field: Field, node: Node<'_>) -> Option<Content<'_>> {
    Some(match node.value() {
        Yaml::Null => return None,
        // The vendor takes an empty level for no free quota, the same as none.
        Yaml::Text("") if field == postpay::FREE_QUOTA => return None,
        Yaml::Text(text) => Content::Text(text),
        Yaml::Mapping(members) if field == postpay::EXTRA => Content::Members(members),
        Yaml::Bool(_) | Yaml::Number(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => Content::Wrong,
    })
}

/// A whole number above [`VERSION`].
pub(super) fn is_newer(version: Option<Entry<'_>>) -> bool {
    version.is_some_and(|entry| match entry.value.value() {
        Yaml::Number(number) => number.parse::<u64>().is_ok_and(|number| number > 1),
        Yaml::Null | Yaml::Bool(_) | Yaml::Text(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => false,
    })
}

impl Environment<'_> {
    /// Marks a value where it is written, or, where it is inherited, the environment and then the
    /// place that it comes from.
    pub(super) fn mark(&self, problem: Diagnostic, value: &Value<'_>, text: Text) -> Diagnostic {
        if value.inherited {
            self.mark_inherited(problem, value.node, value.field.name, text)
        } else {
            problem.at(&value.node.span(), text)
        }
    }

    /// Marks the environment, and then the place that its `name` comes from.
    pub(super) fn mark_inherited(
        &self,
        problem: Diagnostic,
        node: Node<'_>,
        name: &str,
        text: Text,
    ) -> Diagnostic {
        problem
            .at(&self.key.span(), text)
            .at(&node.span(), text!("its `{name}` is this", "它的 `{name}` 来自这里"))
    }
}
