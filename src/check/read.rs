//! Turns documents into [`Manifests`] and reports what is wrong with single keys and values.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use super::declared::{Declared, Given, Import, Lifecycle, Manifests, Member, Move, Name};
use super::fields::{self, empty, invalid_address, invalid_id, invisible, wrong, wrong_text};
use super::near::{known_here, list, meant, nearest, unknown};
use super::version;
use crate::diagnostic::{Diagnostic, Span, any_error};
use crate::i18n::{Text, text};
use crate::kinds;
use crate::manifest::{Entry, Loaded, Mapping, Node, Sequence, Value as Yaml};
use crate::model::Kind;
use crate::model::kind::FieldSpec;

/// The keys of a document.
const TOP: [&str; 5] = ["version", "defaults", "environments", "moved", "removed"];
const LIFECYCLE: [&str; 2] = ["prevent_destroy", "ignore_changes"];
const IMPORT: [&str; 2] = ["env_id", "tran_id"];
const MOVE: [&str; 2] = ["from", "to"];
/// The keys of an environment besides its fields.
const BLOCKS: [&str; 3] = [kinds::KEY, "lifecycle", "import"];
/// The most environments of a project.
pub(super) const MAX_ENVIRONMENTS: usize = 200_000;

/// Reads all documents, and reports what is wrong with single keys and values.
pub(super) fn read<'a>(loaded: &'a Loaded, problems: &mut Vec<Diagnostic>) -> Manifests<'a> {
    let manifests = Manifests { unread: any_error(&loaded.diagnostics), ..Manifests::default() };
    let mut reader = Reader { manifests, problems };
    for file in &loaded.files {
        let mut is_empty = file.complete;
        for document in &file.documents {
            let root = document.root();
            match root.value() {
                Yaml::Null => continue,
                Yaml::Mapping(members) => reader.document(members, root),
                Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) => {
                    let top = list(&TOP);
                    reader.manifests.unread = true;
                    reader.problems.push(
                        wrong(&text!("expected a mapping for the manifest"), root)
                            .help(text!("found {top}", top)),
                    );
                }
            }
            is_empty = false;
        }
        if is_empty {
            let start = Span { file: Arc::clone(&file.source), bytes: 0..0 };
            reader.problems.push(
                Diagnostic::warning("empty-manifest", text!("this manifest declares nothing"))
                    .at(&start, text!("the whole file is empty"))
                    .help(text!("a manifest begins with `version: 1`")),
            );
        }
    }
    reader.manifests
}

struct Reader<'a, 'p> {
    manifests: Manifests<'a>,
    problems: &'p mut Vec<Diagnostic>,
}

/// Where an unknown key is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Defaults,
    Environment,
    Lifecycle,
    Import,
    Move,
}

/// What is in `defaults`.
#[derive(Default)]
struct Defaults<'a> {
    entry: Option<Entry<'a>>,
    kind: Option<&'static Kind>,
    lifecycle: Option<Lifecycle<'a>>,
    /// The fields as each kind has them, for the kinds that were asked for.
    by_kind: Vec<(&'static str, Rc<Vec<Given<'a>>>)>,
}

impl<'a> Reader<'a, '_> {
    fn document(&mut self, root: Mapping<'a>, node: Node<'a>) {
        if version::check(root, node, self.problems) {
            // Whatever else it holds is in a format that this version does not know.
            self.manifests.unread = true;
            return;
        }
        let mut defaults = Defaults::default();
        if let Some(entry) = root.get("defaults") {
            self.defaults(entry, &mut defaults);
        }
        let mut environments = None;
        for entry in root.iter() {
            match entry.name() {
                "environments" if environments.is_none() => {
                    environments = Some(entry);
                    self.environments(entry.value, &mut defaults);
                }
                "moved" => self.moves(entry.value),
                "removed" => self.removed(entry.value),
                // Holds anchors that the rest of the file refers to.
                name if TOP.contains(&name) || name.starts_with("x-") => {}
                _ => self.unknown(entry, Place::Top, &TOP),
            }
        }
        self.declares_nothing(root, node, environments);
    }

    /// A document without environments creates nothing, which is seldom what it was written for.
    fn declares_nothing(&mut self, root: Mapping<'a>, node: Node<'a>, environments: Option<Entry<'a>>) {
        let is_empty = environments.is_none_or(|entry| match entry.value.value() {
            Yaml::Null => true,
            Yaml::Mapping(environments) => environments.is_empty(),
            // Of a wrong type, which is reported.
            Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) => false,
        });
        let lists_any = |name| {
            root.get(name).is_some_and(|entry| match entry.value.value() {
                Yaml::Null => false,
                Yaml::Sequence(items) => items.iter().next().is_some(),
                Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Mapping(_) => true,
            })
        };
        if root.is_empty() || !is_empty || lists_any("moved") || lists_any("removed") {
            return;
        }
        let place = environments.map_or(node, |entry| entry.key);
        self.problems.push(
            Diagnostic::warning("empty-environments", text!("this document declares no environment"))
                .on(&place.span())
                .help(text!("declare environments under `environments`, with the address as key"))
                .help(text!("`defaults` and anchors apply only to their own document")),
        );
    }

    fn defaults(&mut self, entry: Entry<'a>, defaults: &mut Defaults<'a>) {
        let Some(body) = self.block(entry.value, &text!("expected a mapping for `defaults`"), || {
            text!("write fields under it: `env_source: qcloud`")
        }) else {
            return;
        };
        defaults.entry = Some(entry);
        let (kind, _) = self.kind(body);
        defaults.kind = kind;
        let known = kind.map_or_else(|| kinds::ALL.to_vec(), |kind| vec![kind]);
        let fields = known.iter().flat_map(|kind| kind.fields).map(|field| field.name);
        let names = each_once(fields.chain(["lifecycle"]));
        for entry in body.iter() {
            match entry.name() {
                kinds::KEY => {}
                "lifecycle" => {
                    if defaults.lifecycle.is_none() {
                        defaults.lifecycle = Some(self.lifecycle(entry.value, &known));
                    }
                }
                "import" => self.problems.push(
                    Diagnostic::error("misplaced-import", text!("`import` is not allowed under `defaults`"))
                        .at(&entry.key.span(), text!("not here"))
                        .help(text!(
                            "move it to the environment to import; an import is for one environment"
                        )),
                ),
                name if names.contains(&name) => {}
                _ => self.unknown(entry, Place::Defaults, &names),
            }
        }
        // Checked even where no environment uses them.
        for kind in known {
            self.defaults_for(kind, defaults);
        }
    }

    /// The fields of `defaults` that a kind has.
    fn defaults_for(&mut self, kind: &'static Kind, defaults: &mut Defaults<'a>) -> Rc<Vec<Given<'a>>> {
        if let Some((_, given)) = defaults.by_kind.iter().find(|(name, _)| *name == kind.name) {
            return Rc::clone(given);
        }
        let mut given = Vec::new();
        if let Some(entry) = defaults.entry
            && let Yaml::Mapping(body) = entry.value.value()
        {
            for member in body.iter().filter(|member| is_inherited(member.name(), kind, defaults.kind)) {
                given.extend(self.field(kind, entry, member));
            }
        }
        let given = Rc::new(given);
        defaults.by_kind.push((kind.name, Rc::clone(&given)));
        given
    }

    fn field(&mut self, kind: &'static Kind, body: Entry<'a>, entry: Entry<'a>) -> Option<Given<'a>> {
        let field = kind.field(entry.name())?;
        let content = fields::read(field.spec(), entry.value, self.problems);
        let elsewhere = body.is_alias() || entry.is_alias() || entry.merged;
        Some(Given { field, node: entry.value, content, elsewhere })
    }

    /// Returns the kind that a body names, and false when it names one that is not known.
    fn kind(&mut self, body: Mapping<'a>) -> (Option<&'static Kind>, bool) {
        let Some(entry) = body.get(kinds::KEY) else {
            return (None, true);
        };
        let names: Vec<&str> = kinds::ALL.iter().map(|kind| kind.name).collect();
        match entry.value.value() {
            Yaml::Null => (None, true),
            Yaml::Text(name) => {
                let kind = kinds::find(name);
                if kind.is_none() {
                    let label = nearest(name, &names).map_or_else(unknown, meant);
                    self.problems.push(
                        Diagnostic::error("invalid-kind", text!("`{name}` is not a kind", name))
                            .at(&entry.value.span(), label)
                            .help(known_here(&names)),
                    );
                }
                (kind, kind.is_some())
            }
            Yaml::Bool(_) | Yaml::Number(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => {
                self.problems.push(wrong_text(&text!("`kind`"), entry.value));
                (None, false)
            }
        }
    }

    fn environments(&mut self, all: Node<'a>, defaults: &mut Defaults<'a>) {
        let container = match all.value() {
            Yaml::Mapping(container) => container,
            Yaml::Null => return,
            Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) => {
                self.manifests.unread = true;
                self.problems.push(wrong(&text!("expected a mapping for `environments`"), all).help(text!(
                    "write each environment under its address: `shop-prod: {alias: shop-prod}`"
                )));
                return;
            }
        };
        for entry in container.iter() {
            if self.manifests.environments.len() >= MAX_ENVIRONMENTS {
                self.manifests.too_many.get_or_insert(entry.key);
                return;
            }
            let environment = self.environment(entry, container, defaults);
            self.manifests.environments.push(environment);
        }
    }

    fn environment(
        &mut self,
        environment: Entry<'a>,
        container: Mapping<'a>,
        defaults: &mut Defaults<'a>,
    ) -> Declared<'a> {
        let name = environment.name();
        self.problems.extend(
            invalid_address(name, environment.key)
                .map(|problem| problem.help(text!("for any other name, use `env_alias`"))),
        );
        let before = self.problems.len();
        let what = text!("expected a mapping for the environment `{name}`", name);
        let body =
            self.block(environment.value, &what, || text!("write its fields under it: `alias: shop-prod`"));
        let is_mapping = self.problems.len() == before;
        let (own_kind, is_known) = body.map_or((None, true), |body| self.kind(body));
        let kind = own_kind.or(defaults.kind).unwrap_or(kinds::DEFAULT);
        let (mut own, mut lifecycle, mut import) = (Vec::new(), None, None);
        for entry in body.into_iter().flat_map(Mapping::iter) {
            match entry.name() {
                kinds::KEY => {}
                "lifecycle" if lifecycle.is_none() => {
                    lifecycle = Some(self.lifecycle(entry.value, &[kind]));
                }
                "import" if import.is_none() => {
                    let inherited = environment.is_alias() || entry.is_alias() || entry.merged;
                    import = Some(self.import(entry, inherited));
                }
                name if BLOCKS.contains(&name) => {}
                // Of a kind that is not known, no field is.
                _ if !is_known => {}
                _ => {
                    if let Some(given) = self.field(kind, environment, entry) {
                        own.push(given);
                        continue;
                    }
                    let fields = kind.fields.iter().map(|field| field.name);
                    let known: Vec<&str> = fields.chain(["lifecycle", "import"]).collect();
                    self.unknown(entry, Place::Environment, &known);
                }
            }
        }
        Declared {
            name,
            key: environment.key,
            container,
            kind,
            shaped: is_mapping && is_known,
            own,
            defaults: self.defaults_for(kind, defaults),
            lifecycle: lifecycle.or(defaults.lifecycle).unwrap_or_default(),
            import,
        }
    }

    /// The members of a mapping; nothing at all is an empty one.
    fn block(&mut self, node: Node<'a>, what: &Text, help: impl Fn() -> Text) -> Option<Mapping<'a>> {
        match node.value() {
            Yaml::Mapping(members) => Some(members),
            Yaml::Null => None,
            Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) => {
                self.problems.push(wrong(what, node).help(help()));
                None
            }
        }
    }

    /// The items of a list; nothing at all is an empty one.
    fn items(&mut self, node: Node<'a>, what: &Text, help: Text) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let items = match node.value() {
            Yaml::Sequence(items) => Some(items),
            Yaml::Null => None,
            Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Mapping(_) => {
                self.problems.push(wrong(what, node).help(help));
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
                None => self.unknown(entry, place, &names),
            }
        }
        found
    }

    /// A member that should be a string. Null is the same as leaving it out.
    fn member(&mut self, name: &str, node: Option<Node<'a>>) -> Option<Member<'a>> {
        let node = node?;
        let text = match node.value() {
            Yaml::Null => return None,
            Yaml::Text(text) => Some(text),
            Yaml::Bool(_) | Yaml::Number(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => {
                self.problems.push(wrong_text(&text!("`{name}`", name), node));
                None
            }
        };
        Some(Member { node, text })
    }

    /// A `lifecycle` that is nothing takes that of the defaults away, as one without members does.
    fn lifecycle(&mut self, node: Node<'a>, known: &[&'static Kind]) -> Lifecycle<'a> {
        let mut lifecycle = Lifecycle::default();
        let Some(block) = self.block(node, &text!("expected a mapping for `lifecycle`"), || {
            text!("for example `lifecycle: {prevent_destroy: true}`")
        }) else {
            return lifecycle;
        };
        let [prevent_destroy, ignore_changes] = self.members(block, LIFECYCLE, Place::Lifecycle);
        if let Some(node) = prevent_destroy {
            match node.value() {
                Yaml::Bool(truth) => lifecycle.prevent_destroy = truth,
                // Half a line that was to protect something must not come to nothing.
                Yaml::Null | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => {
                    let what = text!("expected a boolean for `prevent_destroy`");
                    self.problems
                        .push(wrong(&what, node).help(text!("write `true` or `false`, without quotes")));
                }
            }
        }
        if let Some(node) = ignore_changes {
            match node.value() {
                Yaml::Sequence(items) => {
                    lifecycle.ignored = Some(items);
                    self.ignored(items, known);
                }
                Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Mapping(_) => {
                    let what = text!("expected a list for `ignore_changes`");
                    self.problems.push(
                        wrong(&what, node).help(text!("write the names of fields: `ignore_changes: [flag]`")),
                    );
                }
            }
        }
        lifecycle
    }

    /// A name that is no field would ignore nothing, and nobody would know.
    fn ignored(&mut self, items: Sequence<'a>, known: &[&'static Kind]) {
        const CODE: &str = "invalid-ignore-changes";
        let fields = || known.iter().flat_map(|kind| kind.fields);
        let mut seen = std::collections::HashMap::new();
        for item in items.iter() {
            let Some(Name { text, node }) = Name::read(item) else {
                let what = text!("expected a string for an item of `ignore_changes`");
                self.problems.push(
                    wrong(&what, item).help(text!("write the name of a field: `ignore_changes: [flag]`")),
                );
                continue;
            };
            let place = node.span();
            let field = fields().find(|field| field.name == text);
            if field.is_some_and(FieldSpec::is_identity) {
                self.problems.push(
                    Diagnostic::error(CODE, text!("changes of `{text}` cannot be ignored", text))
                        .at(&place, text!("not this one"))
                        .help(text!("another `{text}` is another environment", text)),
                );
            } else if field.is_none() {
                let names = fields().filter(|field| !field.is_identity()).map(|field| field.name);
                let names = each_once(names);
                let label = nearest(text, &names).map_or_else(unknown, meant);
                self.problems.push(
                    Diagnostic::error(CODE, text!("unknown field `{text}`", text))
                        .at(&place, label)
                        .help(known_here(&names)),
                );
            }
            let first: Node<'_> = *seen.entry(text).or_insert(node);
            if first.span() != place {
                self.problems.push(
                    Diagnostic::warning("duplicate-ignore-changes", text!("`{text}` is ignored twice", text))
                        .at(&place, text!("again"))
                        .at(&first.span(), text!("first here"))
                        .help(text!("once is enough")),
                );
            }
        }
    }

    /// An `import` that is nothing is half of one. To leave it out would create what is to be imported.
    fn import(&mut self, entry: Entry<'a>, inherited: bool) -> Import<'a> {
        let mut import = Import { key: entry.key, shaped: true, env_id: None, tran_id: None, inherited };
        let Yaml::Mapping(block) = entry.value.value() else {
            import.shaped = false;
            self.problems.push(wrong(&text!("expected a mapping for `import`"), entry.value).help(text!("give the environment to import: `import: {env_id: shop-prod-1a2b3c}`; to create one, omit `import`")));
            return import;
        };
        let [env_id, tran_id] = self.members(block, IMPORT, Place::Import);
        import.env_id = self.member("env_id", env_id);
        import.tran_id = self.member("tran_id", tran_id);
        let help = [
            text!("set it to the EnvId of the environment to import"),
            text!("omit it if the TranId is not known"),
        ];
        for ((name, id), help) in IMPORT.into_iter().zip([import.env_id, import.tran_id]).zip(help) {
            let Some(Member { node, text: Some(text) }) = id else { continue };
            if text.trim().is_empty() {
                self.problems.push(empty(name, node).help(help));
            }
            self.problems.extend(invalid_id(name, text, node));
            self.problems.extend(invisible(name, text, node));
        }
        if import.env_id.is_none() {
            self.problems.push(
                Diagnostic::error("missing-env-id", text!("missing `env_id` in `import`"))
                    .at(&import.key.span(), text!("which environment?"))
                    .help(text!(
                        "set it to the EnvId of the environment: `import: {env_id: shop-prod-1a2b3c}`"
                    )),
            );
        }
        import
    }

    fn moves(&mut self, node: Node<'a>) {
        let help = text!("write each move as an item: `- {from: shop, to: shop-prod}`");
        for node in self.items(node, &text!("expected a list for `moved`"), help) {
            let Yaml::Mapping(block) = node.value() else {
                let what = text!("expected a mapping for an item of `moved`");
                self.problems
                    .push(wrong(&what, node).help(text!("write it as `{from: shop, to: shop-prod}`")));
                continue;
            };
            let [from, to] = self.members(block, MOVE, Place::Move);
            let (from, to) = (self.member("from", from), self.member("to", to));
            let ends = [from, to].into_iter().flatten();
            self.problems.extend(ends.filter_map(|end| invalid_address(end.text?, end.node)));
            self.manifests.moves.push(Move { node, from, to });
        }
    }

    fn removed(&mut self, node: Node<'a>) {
        let help = text!("write each address as an item: `- old-shop`");
        for node in self.items(node, &text!("expected a list for `removed`"), help) {
            if let Some(name) = Name::read(node) {
                self.problems.extend(invalid_address(name.text, node));
                self.manifests.removed.push(name);
            } else {
                let what = text!("expected a string for an item of `removed`");
                self.problems.push(wrong(&what, node).help(text!("write an address: `- old-shop`")));
            }
        }
    }

    /// A key that means nothing: a slip that would otherwise be a field silently left out.
    fn unknown(&mut self, entry: Entry<'a>, place: Place, known: &[&str]) {
        let name = entry.name();
        let message = match place {
            Place::Top => text!("unknown key `{name}`", name),
            Place::Defaults | Place::Environment => text!("unknown field `{name}`", name),
            Place::Lifecycle => {
                text!("unknown member `{name}` of `lifecycle`", name)
            }
            Place::Import => text!("unknown member `{name}` of `import`", name),
            Place::Move => {
                text!("unknown member `{name}` of a `moved` entry", name)
            }
        };
        let label = nearest(name, known).map_or_else(unknown, meant);
        self.problems.push(
            Diagnostic::error("unknown-field", message)
                .at(&entry.key.span(), label)
                .help(belongs(name, place).unwrap_or_else(|| known_here(known))),
        );
    }
}

/// Whether a kind takes a default, in `defaults` of the kind `of` or of the usual one: not where a field of this name means
/// something else there.
fn is_inherited(name: &str, kind: &'static Kind, of: Option<&'static Kind>) -> bool {
    let of = of.unwrap_or(kinds::DEFAULT);
    match (of.field(name), kind.field(name)) {
        (Some(theirs), Some(own)) => of.name == kind.name || theirs.role.is_some() && theirs.role == own.role,
        (None, _) | (_, None) => true,
    }
}

/// The fields of several kinds may have the same names.
fn each_once<'n>(names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut seen = HashSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

/// Where a key belongs that has its place elsewhere.
fn belongs(name: &str, place: Place) -> Option<Text> {
    let is_field = kinds::ALL.iter().any(|kind| kind.field(name).is_some());
    match place {
        Place::Top if is_field || name == "lifecycle" => {
            Some(text!("it belongs in an environment or under `defaults`"))
        }
        Place::Top if name == "import" => Some(text!("it belongs in an environment")),
        Place::Defaults | Place::Environment if LIFECYCLE.contains(&name) => {
            Some(text!("it belongs under `lifecycle`"))
        }
        Place::Environment if name == "tran_id" => Some(text!("it belongs under `import`")),
        Place::Defaults | Place::Environment if TOP.contains(&name) => {
            Some(text!("it belongs at the top of the document"))
        }
        Place::Lifecycle | Place::Import if is_field => Some(text!("it belongs directly in the environment")),
        Place::Top
        | Place::Defaults
        | Place::Environment
        | Place::Lifecycle
        | Place::Import
        | Place::Move => None,
    }
}
