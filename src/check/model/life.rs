//! What a manifest says of an environment's life, rather than of its order: `lifecycle`, `import`, `moved`, `removed`.

use super::{Manifests, Place, Shape, Strange};
use crate::manifest::{Entry, Mapping, Node, Sequence, Value as Yaml};
use crate::model::Address;

/// The members of a `lifecycle`.
pub(in crate::check) const LIFECYCLE: [&str; 2] = ["prevent_destroy", "ignore_changes"];
/// The members of an `import`.
pub(in crate::check) const IMPORT: [&str; 2] = ["env_id", "tran_id"];
/// The members of an item of `moved`.
pub(in crate::check) const MOVE: [&str; 2] = ["from", "to"];

#[derive(Clone, Copy, Default)]
pub(in crate::check) struct Lifecycle<'a> {
    pub prevent_destroy: bool,
    ignored: Option<Sequence<'a>>,
}

#[derive(Clone, Copy)]
pub(in crate::check) struct Import<'a> {
    pub key: Node<'a>,
    /// False when its value is no mapping: then there is no saying what it lacks.
    pub shaped: bool,
    pub env_id: Option<Said<'a>>,
    pub tran_id: Option<Said<'a>>,
    /// It is written elsewhere, and comes here by a merge key or an alias.
    pub inherited: bool,
}

/// A member that should be a string.
#[derive(Clone, Copy)]
pub(in crate::check) struct Said<'a> {
    pub name: &'static str,
    pub node: Node<'a>,
    /// None when it is of a wrong type, which its own rule reports.
    pub text: Option<&'a str>,
}

pub(in crate::check) struct Move<'a> {
    pub node: Node<'a>,
    pub from: Option<Said<'a>>,
    pub to: Option<Said<'a>>,
}

/// An address where it is used rather than declared.
#[derive(Clone, Copy)]
pub(in crate::check) struct Name<'a> {
    pub text: &'a str,
    pub node: Node<'a>,
}

impl<'a> Lifecycle<'a> {
    /// The items of `ignore_changes` that are strings.
    pub(in crate::check) fn ignored(self) -> impl Iterator<Item = Name<'a>> {
        let items = self.ignored.into_iter().flat_map(Sequence::iter);
        items.filter_map(name)
    }
}

impl<'a> Said<'a> {
    fn name(self) -> Option<Name<'a>> {
        let Self { node, text, .. } = self;
        text.map(|text| Name { text, node })
    }
}

impl<'a> Move<'a> {
    /// Both of its addresses, if it has both and they are addresses.
    pub(in crate::check) fn ends(&self) -> Option<(Name<'a>, Name<'a>)> {
        let end = |said: Option<Said<'a>>| said?.name().filter(Name::is_address);
        Some((end(self.from)?, end(self.to)?))
    }
}

impl Name<'_> {
    pub(in crate::check) fn is_address(&self) -> bool {
        Address::new(self.text).is_ok()
    }
}

fn name(node: Node<'_>) -> Option<Name<'_>> {
    match node.value() {
        Yaml::Text(text) => Some(Name { text, node }),
        Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => None,
    }
}

impl<'a> Manifests<'a> {
    /// The moves from one address to another, from where to where. What is not whole has rules of its own.
    pub(in crate::check) fn whole_moves(&self) -> impl Iterator<Item = (&Move<'a>, Name<'a>, Name<'a>)> {
        self.moves.iter().filter_map(|moved| {
            let (from, to) = moved.ends()?;
            (from.text != to.text).then_some((moved, from, to))
        })
    }

    /// A `lifecycle` that is nothing takes that of the defaults away, as one without members does.
    pub(super) fn lifecycle(&mut self, node: Node<'a>) -> Lifecycle<'a> {
        let mut lifecycle = Lifecycle::default();
        let block = match node.value() {
            Yaml::Mapping(block) => block,
            Yaml::Null => return lifecycle,
            Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) => {
                self.misshapen(Shape::Lifecycle, node);
                return lifecycle;
            }
        };
        let [prevent_destroy, ignore_changes] = self.members(block, LIFECYCLE, Place::Lifecycle);
        if let Some(node) = prevent_destroy {
            match node.value() {
                Yaml::Bool(truth) => lifecycle.prevent_destroy = truth,
                // Half a line that was to protect something must not come to nothing.
                Yaml::Null | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => {
                    self.misshapen(Shape::PreventDestroy, node);
                }
            }
        }
        if let Some(node) = ignore_changes {
            match node.value() {
                Yaml::Sequence(items) => {
                    for item in items.iter().filter(|item| name(*item).is_none()) {
                        self.misshapen(Shape::Ignored, item);
                    }
                    lifecycle.ignored = Some(items);
                }
                Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Mapping(_) => {
                    self.misshapen(Shape::IgnoreChanges, node);
                }
            }
        }
        self.lifecycles.push(lifecycle);
        lifecycle
    }

    /// An `import` that is nothing is half of one. To leave it out would order what is to be adopted.
    pub(super) fn import(&mut self, entry: Entry<'a>, inherited: bool) -> Import<'a> {
        let mut import = Import { key: entry.key, shaped: true, env_id: None, tran_id: None, inherited };
        match entry.value.value() {
            Yaml::Mapping(block) => {
                let [env_id, tran_id] = self.members(block, IMPORT, Place::Import);
                import.env_id = self.said("env_id", env_id, Shape::Id("env_id"));
                import.tran_id = self.said("tran_id", tran_id, Shape::Id("tran_id"));
                self.imported_ids.extend([import.env_id, import.tran_id].into_iter().flatten());
            }
            Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) => {
                import.shaped = false;
                self.misshapen(Shape::Import, entry.value);
            }
        }
        import
    }

    pub(super) fn moves_of(&mut self, node: Node<'a>) {
        for node in self.items(node, Shape::Moved) {
            if let Yaml::Mapping(block) = node.value() {
                let [from, to] = self.members(block, MOVE, Place::Move);
                let from = self.said("from", from, Shape::End("from"));
                let to = self.said("to", to, Shape::End("to"));
                self.moves.push(Move { node, from, to });
            } else {
                self.misshapen(Shape::Move, node);
            }
        }
    }

    pub(super) fn removed_of(&mut self, node: Node<'a>) {
        for node in self.items(node, Shape::Removed) {
            match name(node) {
                Some(name) => self.removed.push(name),
                None => self.misshapen(Shape::Forgotten, node),
            }
        }
    }

    /// The items of a list; nothing is an empty one.
    fn items(&mut self, node: Node<'a>, shape: Shape<'a>) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let items = match node.value() {
            Yaml::Sequence(items) => Some(items),
            Yaml::Null => None,
            Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Mapping(_) => {
                self.misshapen(shape, node);
                None
            }
        };
        items.into_iter().flat_map(Sequence::iter)
    }

    /// The members of these names. The first of each counts; one that is there twice has been reported.
    fn members<const N: usize>(
        &mut self,
        block: Mapping<'a>,
        names: [&str; N],
        place: Place,
    ) -> [Option<Node<'a>>; N] {
        let mut found = [None; N];
        for entry in block.iter() {
            match names.iter().position(|name| *name == entry.name()) {
                Some(at) => {
                    found[at].get_or_insert(entry.value);
                }
                None => self.strange.push(Strange { entry, place }),
            }
        }
        found
    }

    fn said(&mut self, name: &'static str, node: Option<Node<'a>>, shape: Shape<'a>) -> Option<Said<'a>> {
        let node = node?;
        let text = match node.value() {
            Yaml::Null => return None,
            Yaml::Text(text) => Some(text),
            Yaml::Bool(_) | Yaml::Number(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => {
                self.misshapen(shape, node);
                None
            }
        };
        Some(Said { name, node, text })
    }
}
