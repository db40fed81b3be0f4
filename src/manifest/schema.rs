//! The JSON Schema of a manifest, generated from the kinds' field tables.
//!
//! Rules across values, environments or files are in [`crate::check`].

use serde_json::{Map, Value as Json, json};

use crate::kinds;
use crate::model::ID_PATTERN;
use crate::model::schema::{address, object, property};

/// Returns the JSON Schema (draft 2020-12) of one document of a manifest.
pub fn manifest_schema() -> Json {
    let mut fields = fields();
    fields.insert("lifecycle".to_owned(), nullable(lifecycle()));
    let mut environment = fields.clone();
    environment.insert("import".to_owned(), import());
    let environments = json!({
        "type": ["object", "null"],
        "description": "The environments by address: a name of your own choice that stays the same for good and is unique over all manifests.",
        "propertyNames": address(),
        "additionalProperties": nullable(object(
            "One environment: the fields of its kind, and what is to become of it.",
            &environment,
            &[],
        )),
    });
    let moved = properties([
        ("from", "The address that the environment had. It is not declared any more."),
        ("to", "The address that it has now."),
    ]);
    let properties = [
        ("version", json!({"const": 1, "description": "The version of the manifest format. Always 1."})),
        (
            "defaults",
            nullable(object(
                "Values that every environment of this document has, unless it says otherwise. A value of `null` in an environment takes a default away.",
                &fields,
                &[],
            )),
        ),
        ("environments", environments),
        (
            "moved",
            list(
                "Environments whose address changed: what was created as `from` is `to` from now on, and nothing is created for it. A move may stay here after it is carried out.",
                &object("A change of address.", &moved, &["from", "to"]),
            ),
        ),
        (
            "removed",
            list(
                "Addresses to forget: their environments are left alone and are not managed any more. Remove them from `environments` too.",
                &address(),
            ),
        ),
    ];
    let mut schema = object(
        "A postpay manifest: CloudBase environments to be created.",
        &properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect(),
        &["version"],
    );
    schema["patternProperties"] =
        json!({"^x-": {"description": "Ignored. A place for anchors that the file refers to."}});
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("postpay manifest, version 1");
    schema
}

/// Returns the fields of all kinds. A field of several kinds may have any of their schemas.
fn fields() -> Map<String, Json> {
    let names: Vec<Json> = kinds::ALL.iter().map(|kind| json!(kind.name)).chain([Json::Null]).collect();
    let kind = json!({"enum": names, "description": "What to create. `postpay` when left out."});
    let mut fields = Map::from_iter([(kinds::KEY.to_owned(), kind)]);
    for field in kinds::ALL.iter().flat_map(|kind| kind.fields) {
        let own = property(field);
        match fields.get_mut(field.name) {
            None => {
                fields.insert(field.name.to_owned(), own);
            }
            Some(other) if *other == own => {}
            Some(other) => match other.get_mut("anyOf").and_then(Json::as_array_mut) {
                Some(any) => any.push(own),
                None => *other = json!({"anyOf": [other.take(), own]}),
            },
        }
    }
    fields
}

fn lifecycle() -> Json {
    // Ignoring a changed `env_id` would mean another environment.
    let fields = kinds::ALL.iter().flat_map(|kind| kind.fields);
    let ignored: std::collections::BTreeSet<&str> =
        fields.filter(|field| !field.is_identity()).map(|field| field.name).collect();
    let properties = Map::from_iter([
        (
            "prevent_destroy".to_owned(),
            json!({
                "type": "boolean",
                "description": "The environment is not destroyed, even after it was removed from the manifests.",
            }),
        ),
        (
            "ignore_changes".to_owned(),
            json!({
                "type": "array",
                "items": {"enum": ignored},
                "description": "Fields in which a difference between the manifest and the state is none.",
            }),
        ),
    ]);
    object(
        "How the environment may change once it is in the state. It replaces that of the defaults as a whole.",
        &properties,
        &[],
    )
}

fn import() -> Json {
    let id = |doc: &str, example: &str, types: Json| json!({"type": types, "pattern": ID_PATTERN, "description": doc, "examples": [example]});
    let properties = Map::from_iter([
        (
            "env_id".to_owned(),
            id(
                "EnvId: the id of the environment. No other address names it.",
                "shop-prod-1a2b3c",
                json!("string"),
            ),
        ),
        (
            "tran_id".to_owned(),
            id(
                "TranId: the number of its order, where it is known. Write it in quotes.",
                "20200603119423",
                json!(["string", "null"]),
            ),
        ),
    ]);
    object(
        "The environment that exists already: it is imported under this address, and never created.",
        &properties,
        &["env_id"],
    )
}

fn properties<const N: usize>(ends: [(&str, &str); N]) -> Map<String, Json> {
    let property = |(name, doc): (&str, &str)| {
        let mut schema = address();
        schema["description"] = json!(doc);
        (name.to_owned(), schema)
    };
    ends.into_iter().map(property).collect()
}

fn list(description: &str, items: &Json) -> Json {
    json!({"type": ["array", "null"], "description": description, "items": items})
}

fn nullable(mut schema: Json) -> Json {
    schema["type"] = json!(["object", "null"]);
    schema
}
