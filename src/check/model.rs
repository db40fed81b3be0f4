//! Documents as fields with their places: what the rules look at.
//!
//! Nothing is judged here. What does not fit the shape is set aside in a list of its own, for the
//! rule that speaks of it.

use std::ops::Range;

use crate::desired::Field;
use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{Entry, File, Loaded, Mapping, Node, Value as Yaml};

/// The keys of a document that this version carries out.
pub(super) const TOP: [&str; 3] = ["version", "defaults", "environments"];
/// Those that have a meaning, but not in this version.
pub(super) const TOP_RESERVED: [&str; 2] = ["moved", "removed"];
/// The version of the manifest format that this is.
pub(super) const VERSION: &str = "1";

#[derive(Default)]
pub(super) struct Manifests<'a> {
    /// Files that hold nothing at all.
    pub empty: Vec<&'a File>,
    pub documents: Vec<Document<'a>>,
    /// The fields of all defaults and environments, in declared order.
    pub fields: Vec<Written<'a>>,
    /// Keys that are no field.
    pub strange: Vec<Strange<'a>>,
    /// Values that should hold a mapping and do not.
    pub misshapen: Vec<Misshapen<'a>>,
}

pub(super) struct Document<'a> {
    pub root: Mapping<'a>,
    pub place: Span,
    pub version: Option<Entry<'a>>,
    /// Their key, when there is one.
    pub environments_key: Option<Node<'a>>,
    pub environments: Vec<Environment<'a>>,
    defaults: Range<usize>,
}

pub(super) struct Environment<'a> {
    pub name: &'a str,
    pub key: Node<'a>,
    /// The mapping that its key stands in.
    pub container: Mapping<'a>,
    /// False when its value is no mapping: then there is no saying what it lacks.
    pub shaped: bool,
    fields: Range<usize>,
    defaults: Range<usize>,
}

/// A field as it is written.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub field: Field,
    pub node: Node<'a>,
    merged: bool,
}

/// A field as an environment has it.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub field: Field,
    pub node: Node<'a>,
    pub content: Content<'a>,
    /// It comes from defaults or from a merge key.
    pub inherited: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    Text(&'a str),
    /// Of [`Field::Extra`] alone.
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
}

pub(super) struct Misshapen<'a> {
    /// What it is called: `defaults`.
    pub name: &'a str,
    pub node: Node<'a>,
    pub place: Place,
}

impl<'a> Manifests<'a> {
    pub(super) fn read(loaded: &'a Loaded) -> Self {
        let mut this = Self::default();
        for file in &loaded.files {
            let mut empty = file.complete;
            for document in &file.documents {
                match document.root().value() {
                    Yaml::Null => {}
                    Yaml::Mapping(root) => {
                        empty = false;
                        this.document(root, document.root());
                    }
                    Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) => {
                        empty = false;
                        this.misshapen.push(Misshapen {
                            name: "a manifest",
                            node: document.root(),
                            place: Place::Top,
                        });
                    }
                }
            }
            if empty {
                this.empty.push(file);
            }
        }
        this
    }

    fn document(&mut self, root: Mapping<'a>, node: Node<'a>) {
        let version = root.get("version");
        let mut document = Document {
            root,
            place: node.span(),
            version,
            environments_key: None,
            environments: Vec::new(),
            defaults: self.fields.len()..self.fields.len(),
        };
        if is_newer(version) {
            // Whatever else it says, it says in words that this version does not know.
            self.documents.push(document);
            return;
        }
        if let Some(entry) = root.get("defaults") {
            document.defaults = self.body(entry.name(), entry.value, Place::Defaults);
        }
        for entry in root.iter() {
            match entry.name() {
                "environments" if document.environments_key.is_none() => {
                    document.environments_key = Some(entry.key);
                    self.environments_of(entry, &mut document);
                }
                name if TOP.contains(&name) => {}
                _ => self.strange.push(Strange {
                    entry,
                    place: Place::Top,
                }),
            }
        }
        self.documents.push(document);
    }

    fn environments_of(&mut self, all: Entry<'a>, document: &mut Document<'a>) {
        let container = match all.value.value() {
            Yaml::Mapping(container) => container,
            Yaml::Null => return,
            Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) => {
                return self.misshapen.push(Misshapen {
                    name: all.name(),
                    node: all.value,
                    place: Place::Top,
                });
            }
        };
        for entry in container.iter() {
            let fields = self.body(entry.name(), entry.value, Place::Environment);
            document.environments.push(Environment {
                name: entry.name(),
                key: entry.key,
                container,
                shaped: matches!(entry.value.value(), Yaml::Null | Yaml::Mapping(_)),
                fields,
                defaults: document.defaults.clone(),
            });
        }
    }

    fn body(&mut self, name: &'a str, node: Node<'a>, place: Place) -> Range<usize> {
        let start = self.fields.len();
        match node.value() {
            Yaml::Null => {}
            Yaml::Mapping(body) => {
                for entry in body.iter() {
                    match Field::by_name(entry.name()) {
                        Some(field) => self.fields.push(Written {
                            field,
                            node: entry.value,
                            merged: entry.merged,
                        }),
                        None => self.strange.push(Strange { entry, place }),
                    }
                }
            }
            Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) => {
                self.misshapen.push(Misshapen { name, node, place });
            }
        }
        start..self.fields.len()
    }

    /// Every environment, with the document it stands in.
    pub(super) fn environments(
        &self,
    ) -> impl Iterator<Item = (&Document<'a>, &Environment<'a>)> + use<'_, 'a> {
        self.documents.iter().flat_map(|document| {
            document
                .environments
                .iter()
                .map(move |environment| (document, environment))
        })
    }

    /// Every text that is written for `field`, in defaults too; blank ones are left out.
    pub(super) fn texts(
        &self,
        field: Field,
    ) -> impl Iterator<Item = (Written<'a>, &'a str)> + use<'_, 'a> {
        self.fields
            .iter()
            .filter(move |written| written.field == field)
            .filter_map(|written| match written.node.value() {
                Yaml::Text(text) if !text.trim().is_empty() => Some((*written, text)),
                Yaml::Text(_)
                | Yaml::Null
                | Yaml::Bool(_)
                | Yaml::Number(_)
                | Yaml::Sequence(_)
                | Yaml::Mapping(_) => None,
            })
    }

    /// What an environment has for `field`, its defaults merged in.
    pub(super) fn get(&self, environment: &Environment<'a>, field: Field) -> Option<Value<'a>> {
        let find = |range: &Range<usize>| {
            self.fields
                .get(range.clone())?
                .iter()
                .find(|written| written.field == field)
        };
        let (written, default) = match find(&environment.fields) {
            Some(own) => (own, false),
            None => (find(&environment.defaults)?, true),
        };
        Some(Value {
            field,
            node: written.node,
            content: content(field, written.node)?,
            inherited: default || written.merged,
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
        Yaml::Text("") if field == Field::FreeQuota => return None,
        Yaml::Text(text) => Content::Text(text),
        Yaml::Mapping(members) if field == Field::Extra => Content::Members(members),
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
    pub(super) fn mark(&self, problem: Diagnostic, value: &Value<'_>, text: &str) -> Diagnostic {
        if value.inherited {
            problem
                .at(&self.key.span(), text)
                .at(&value.node.span(), format!("its `{}` is this", value.field))
        } else {
            problem.at(&value.node.span(), text)
        }
    }
}
