//! JSON Schema of the field tables, for editors. Covers what can be checked of a single value.

use serde_json::{Map, Value as Json, json};

use super::address::Address;
use super::ids::ID_PATTERN;
use super::kind::{ALIAS_PATTERN, FieldSpec, Null, Shape, WORDS_PATTERN};

/// Returns the schema of an object with these properties and no others.
pub fn object(description: &str, properties: &Map<String, Json>, required: &[&str]) -> Json {
    let mut schema = json!({
        "type": "object",
        "description": description,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// Returns the schema of an address.
pub fn address() -> Json {
    json!({"type": "string", "pattern": Address::PATTERN, "maxLength": Address::MAX_CHARS})
}

/// Returns the schema of a field's value.
pub fn property(field: &FieldSpec) -> Json {
    let mut schema = match field.shape {
        Shape::Text if field.empty_is_none => json!({"type": "string"}),
        Shape::Text => json!({"type": "string", "minLength": 1}),
        Shape::Id => json!({"type": "string", "pattern": ID_PATTERN}),
        Shape::Alias => json!({"type": "string", "pattern": ALIAS_PATTERN}),
        Shape::Words => json!({"type": "string", "pattern": WORDS_PATTERN}),
        Shape::Reference => address(),
        Shape::Json => json!({"type": ["string", "object"], "minLength": 1}),
        Shape::Integer => json!({"type": "integer"}),
        Shape::Bool => json!({"type": "boolean"}),
        Shape::List => json!({"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}),
        Shape::Map => json!({"type": "object", "additionalProperties": {"type": "string"}}),
        Shape::Object => {
            let members = field.members.iter();
            let required = members.clone().filter(|member| member.null == Null::Required);
            let required: Vec<&str> = required.map(|member| member.name).collect();
            object(
                field.doc,
                &members.map(|member| (member.name.to_owned(), property(member))).collect(),
                &required,
            )
        }
    };
    if let Some(max) = field.max {
        schema["maxLength"] = json!(max);
    }
    if !field.values.is_empty() && !field.open {
        let values = field.values.iter().map(|value| match field.shape {
            Shape::Integer => json!(value.parse::<i64>().unwrap_or_default()),
            Shape::Text
            | Shape::Id
            | Shape::Alias
            | Shape::Words
            | Shape::Reference
            | Shape::Json
            | Shape::Bool
            | Shape::List
            | Shape::Map
            | Shape::Object => json!(value),
        });
        let mut values: Vec<Json> = values.collect();
        if field.shape == Shape::List {
            schema["items"]["enum"] = json!(values);
        } else {
            values.extend(field.empty_is_none.then(|| json!("")));
            schema["enum"] = json!(values);
        }
    }
    if field.null == Null::IsNone {
        with_null(&mut schema);
    }
    schema["description"] = json!(field.doc);
    if let Some(default) = field.default {
        schema["default"] = json!(default);
    }
    if !field.examples.is_empty() {
        schema["examples"] = json!(field.examples);
    }
    schema
}

/// Allows null, which is the same as leaving the value out.
pub fn with_null(schema: &mut Json) {
    if let Some(values) = schema.get_mut("enum").and_then(Json::as_array_mut) {
        values.push(Json::Null);
    }
    schema["type"] = match schema["type"].take() {
        Json::Array(types) => types.into_iter().chain([json!("null")]).collect(),
        one @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_)) => {
            json!([one, "null"])
        }
    };
}
