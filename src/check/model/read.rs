//! From documents to [`Manifests`]: every value goes to the list of its kind, and what has no place goes to one too.

use super::{
    Body, Document, Environment, MAX_ENVIRONMENTS, Manifests, Misshapen, Place, Shape, Strange, TOP, Written,
    is_newer,
};
use crate::diagnostic::any_error;
use crate::kinds::postpay;
use crate::manifest::{Entry, Loaded, Mapping, Node, Value as Yaml};

impl<'a> Manifests<'a> {
    pub(in crate::check) fn read(loaded: &'a Loaded) -> Self {
        let mut this = Self { unread: any_error(&loaded.diagnostics), ..Self::default() };
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
                        this.unread = true;
                        this.misshapen(Shape::Manifest, document.root());
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
            defaults: Body::default(),
        };
        if is_newer(version) {
            // Whatever else it says, it says in words that this version does not know.
            self.unread = true;
            self.documents.push(document);
            return;
        }
        if let Some(entry) = root.get("defaults") {
            document.defaults = self.body(entry, Place::Defaults, Shape::Defaults);
        }
        for entry in root.iter() {
            match entry.name() {
                "environments" if document.environments_key.is_none() => {
                    document.environments_key = Some(entry.key);
                    self.environments_of(entry.value, &mut document);
                }
                "moved" => self.moves_of(entry.value),
                "removed" => self.removed_of(entry.value),
                name if TOP.contains(&name) => {}
                _ => self.strange.push(Strange { entry, place: Place::Top }),
            }
        }
        self.documents.push(document);
    }

    fn environments_of(&mut self, all: Node<'a>, document: &mut Document<'a>) {
        let container = match all.value() {
            Yaml::Mapping(container) => container,
            Yaml::Null => return,
            Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) => {
                self.unread = true;
                return self.misshapen(Shape::Environments, all);
            }
        };
        let before: usize = self.documents.iter().map(|it| it.environments.len()).sum();
        for entry in container.iter() {
            if before + document.environments.len() >= MAX_ENVIRONMENTS {
                self.too_many.get_or_insert(entry.key);
                return;
            }
            let name = entry.name();
            let Body { fields, lifecycle, import } =
                self.body(entry, Place::Environment, Shape::Environment(name));
            document.environments.push(Environment {
                name,
                key: entry.key,
                container,
                shaped: matches!(entry.value.value(), Yaml::Null | Yaml::Mapping(_)),
                lifecycle: lifecycle.or(document.defaults.lifecycle).unwrap_or_default(),
                import,
                fields,
                defaults: document.defaults.fields.clone(),
            });
        }
    }

    fn body(&mut self, of: Entry<'a>, place: Place, shape: Shape<'a>) -> Body<'a> {
        let node = of.value;
        let start = self.fields.len();
        let (mut lifecycle, mut import) = (None, None);
        match node.value() {
            Yaml::Null => {}
            Yaml::Mapping(body) => {
                for entry in body.iter() {
                    match entry.name() {
                        "lifecycle" => {
                            lifecycle.get_or_insert_with(|| self.lifecycle(entry.value));
                        }
                        "import" if place == Place::Defaults => {
                            self.misplaced_imports.push(entry.key);
                        }
                        "import" => {
                            let inherited = of.is_alias() || entry.is_alias() || entry.merged;
                            import.get_or_insert_with(|| self.import(entry, inherited));
                        }
                        name => match postpay::KIND.field(name) {
                            Some(field) => self.fields.push(Written {
                                field,
                                node: entry.value,
                                elsewhere: of.is_alias() || entry.is_alias() || entry.merged,
                            }),
                            None => self.strange.push(Strange { entry, place }),
                        },
                    }
                }
            }
            Yaml::Bool(_) | Yaml::Number(_) | Yaml::Text(_) | Yaml::Sequence(_) => {
                self.misshapen(shape, node);
            }
        }
        Body { fields: start..self.fields.len(), lifecycle, import }
    }

    pub(super) fn misshapen(&mut self, should_be: Shape<'a>, node: Node<'a>) {
        self.misshapen.push(Misshapen { should_be, node });
    }
}
