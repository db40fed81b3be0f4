//! An environment as it is declared, with the place of every value, its defaults merged in.

use std::collections::HashMap;
use std::rc::Rc;

use crate::diagnostic::Diagnostic;
use crate::i18n::{Text, text};
use crate::manifest::{Mapping, Node, Sequence, Value as Yaml};
use crate::model::{Address, Field, Kind, Role, Value};

/// Everything that the documents of a project declare.
#[derive(Default)]
pub(super) struct Manifests<'a> {
    /// In declared order.
    pub environments: Vec<Declared<'a>>,
    pub moves: Vec<Move<'a>>,
    pub removed: Vec<Name<'a>>,
    /// Something could not be read, so more may be declared than is known.
    pub unread: bool,
    /// The first environment above the limit: it and the rest were not read.
    pub too_many: Option<Node<'a>>,
}

impl<'a> Manifests<'a> {
    /// Every address that is declared, with its first environment.
    pub(super) fn declared(&self) -> HashMap<&'a str, &Declared<'a>> {
        let mut declared = HashMap::new();
        for environment in &self.environments {
            declared.entry(environment.name).or_insert(environment);
        }
        declared
    }

    /// The moves from one address to another one. What is incomplete has rules of its own.
    pub(super) fn whole_moves(&self) -> impl Iterator<Item = (&Move<'a>, Name<'a>, Name<'a>)> {
        self.moves.iter().filter_map(|moved| {
            let (from, to) = moved.ends()?;
            (from.text != to.text).then_some((moved, from, to))
        })
    }
}

pub(super) struct Declared<'a> {
    /// Its address, if that is one.
    pub name: &'a str,
    pub key: Node<'a>,
    /// The mapping that its key is in.
    pub container: Mapping<'a>,
    pub kind: &'static Kind,
    /// False when its value is not a mapping, or its kind is not known: then it is not known what it lacks.
    pub shaped: bool,
    pub own: Vec<Given<'a>>,
    /// Those of the defaults of its document that its kind has.
    pub defaults: Rc<Vec<Given<'a>>>,
    /// Its own, or else that of the defaults.
    pub lifecycle: Lifecycle<'a>,
    /// Set when it is imported and not created.
    pub import: Option<Import<'a>>,
}

/// A field as it is written, in an environment or in defaults.
pub(super) struct Given<'a> {
    pub field: Field,
    pub node: Node<'a>,
    pub content: Content,
    /// It comes here by a merge key or an alias.
    pub elsewhere: bool,
}

pub(super) enum Content {
    /// The same as no field, and so a default is taken away.
    Nothing,
    /// What is wrong with it has been reported: it is there, and there is no more to say.
    Wrong,
    Value(Value),
}

/// A field as an environment has it.
pub(super) struct Found<'e, 'a> {
    pub field: Field,
    pub node: Node<'a>,
    /// None when it has been reported as wrong.
    pub value: Option<&'e Value>,
    /// It comes from defaults, a merge key or an alias.
    pub inherited: bool,
}

impl<'e> Found<'e, '_> {
    pub(super) fn text(&self) -> Option<&'e str> {
        self.value?.as_text()
    }
}

impl<'a> Declared<'a> {
    /// Returns what the environment has for a field. None when it has nothing, or takes a default away.
    pub(super) fn get(&self, field: Field) -> Option<Found<'_, 'a>> {
        let find = |all: &'_ [Given<'a>]| all.iter().position(|given| given.field == field);
        let (given, is_default) = match find(&self.own) {
            Some(at) => (&self.own[at], false),
            None => (&self.defaults[find(&self.defaults)?], true),
        };
        let value = match &given.content {
            Content::Nothing => return None,
            Content::Wrong => None,
            Content::Value(value) => Some(value),
        };
        Some(Found { field, node: given.node, value, inherited: is_default || given.elsewhere })
    }

    pub(super) fn role(&self, role: Role) -> Option<Found<'_, 'a>> {
        self.get(self.kind.role(role)?)
    }

    /// Whether it asks for an environment that does not exist yet.
    pub(super) fn is_new(&self) -> bool {
        !self.kind.shares_env_id && !self.has(Role::EnvId)
    }

    pub(super) fn has(&self, role: Role) -> bool {
        self.role(role).is_some()
    }

    /// Marks a value where it is written, or, where it is inherited, the environment and then the place that it comes from.
    pub(super) fn mark(&self, problem: Diagnostic, found: &Found<'_, '_>, text: Text) -> Diagnostic {
        if found.inherited {
            self.mark_inherited(problem, found.node, found.field.name, text)
        } else {
            problem.at(&found.node.span(), text)
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
        problem.at(&self.key.span(), text).at(&node.span(), text!("its `{name}` is this", name))
    }
}

#[derive(Clone, Copy, Default)]
pub(super) struct Lifecycle<'a> {
    pub prevent_destroy: bool,
    pub ignored: Option<Sequence<'a>>,
}

impl<'a> Lifecycle<'a> {
    /// The items of `ignore_changes` that are strings.
    pub(super) fn ignored(self) -> impl Iterator<Item = Name<'a>> {
        self.ignored.into_iter().flat_map(Sequence::iter).filter_map(Name::read)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Import<'a> {
    pub key: Node<'a>,
    /// False when its value is not a mapping: then it is not known what it lacks.
    pub shaped: bool,
    pub env_id: Option<Member<'a>>,
    pub tran_id: Option<Member<'a>>,
    /// It comes here by a merge key or an alias.
    pub inherited: bool,
}

/// A member that should be a string.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub node: Node<'a>,
    /// None when it is of a wrong type, which has been reported.
    pub text: Option<&'a str>,
}

pub(super) struct Move<'a> {
    pub node: Node<'a>,
    pub from: Option<Member<'a>>,
    pub to: Option<Member<'a>>,
}

impl<'a> Move<'a> {
    /// Both addresses, if both are addresses.
    pub(super) fn ends(&self) -> Option<(Name<'a>, Name<'a>)> {
        let end = |member: Option<Member<'a>>| {
            let Member { node, text } = member?;
            Some(Name { text: text?, node }).filter(Name::is_address)
        };
        Some((end(self.from)?, end(self.to)?))
    }
}

/// A name where it is used rather than declared.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    pub text: &'a str,
    pub node: Node<'a>,
}

impl<'a> Name<'a> {
    pub(super) fn read(node: Node<'a>) -> Option<Self> {
        match node.value() {
            Yaml::Text(text) => Some(Self { text, node }),
            Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => None,
        }
    }

    pub(super) fn is_address(&self) -> bool {
        Address::new(self.text).is_ok()
    }
}
