//! What is in the OpenAPI document, which a generator made and not without faults.

use serde_json::{Map, Value, json};

/// The example results of a method.
pub fn examples(document: &Value, method: &str) -> Vec<Value> {
    let response = &document["paths"][format!("/{method}")]["get"]["responses"]["200"];
    let own = &response["content"]["application/json"]["examples"];
    let shared = &resolve(document, response)["content"]["application/json"]["examples"];
    let examples = [own, shared].into_iter().filter_map(Value::as_object).flat_map(Map::values);
    examples.filter_map(|example| example["value"].get("result").cloned()).collect()
}

/// The names of a method's parameters.
pub fn parameters(document: &Value, method: &str) -> Vec<String> {
    let parameters = document["paths"][format!("/{method}")]["get"]["parameters"].as_array();
    let name = |parameter| resolve(document, parameter)["name"].as_str().unwrap().to_owned();
    parameters.into_iter().flatten().map(name).collect()
}

/// A result that has every member of its schema.
pub fn instance_of_result(document: &Value, method: &str) -> Option<Value> {
    // Schemas that describe something else than the result that the examples show.
    const WRONG: [&str; 9] = [
        // An error object.
        "public/ticker",
        "public/get_order_book",
        "public/get_order_book_by_instrument_id",
        // A list of filters.
        "public/get_expirations",
        // A list of objects, where the example has names.
        "public/get_supported_index_names",
        // Lists, where the examples have objects with a list.
        "private/get_user_locks",
        "private/get_access_log",
        // Objects, where the example has rows.
        "public/get_historical_volatility",
        // An error without members, beside the members of one.
        "private/mass_quote",
    ];
    if WRONG.contains(&method) {
        return None;
    }
    let response = &document["paths"][format!("/{method}")]["get"]["responses"]["200"];
    let content = &resolve(document, response)["content"]["application/json"];
    let schema = resolve(document, &content["schema"]);
    let result = schema["properties"].get("result")?;
    Some(instance(document, "result", result, 0))
}

fn resolve<'a>(document: &'a Value, mut value: &'a Value) -> &'a Value {
    while let Some(path) = value["$ref"].as_str() {
        match document.pointer(path.trim_start_matches('#')) {
            Some(found) => value = found,
            // The document refers to things that it does not have.
            None => return &Value::Null,
        }
    }
    value
}

fn instance(document: &Value, name: &str, schema: &Value, depth: usize) -> Value {
    let schema = resolve(document, schema);
    if depth > 8 {
        return Value::Null;
    }
    let inner = |schema| instance(document, name, schema, depth + 1);
    if let Some(parts) = schema["allOf"].as_array() {
        let objects = parts.iter().map(inner).filter_map(|part| part.as_object().cloned());
        return objects.flatten().collect::<Map<_, _>>().into();
    }
    if let Some(forms) = schema["oneOf"].as_array() {
        return forms.first().map_or(Value::Null, inner);
    }
    if let Some(members) = schema["properties"].as_object() {
        let members = members.iter().map(|(name, schema)| {
            let value = instance(document, name, schema, depth + 1);
            (name.clone(), value)
        });
        return members.collect::<Map<_, _>>().into();
    }
    match schema["type"].as_str() {
        Some("array") => schema.get("items").map_or(json!([]), |items| json!([inner(items)])),
        Some("object") => json!({}),
        Some("boolean") => json!(true),
        Some("integer") => json!(7),
        Some("number") => json!(if is_integral(name) { 7.0 } else { 1.5 }),
        Some("string") => match schema["enum"].as_array() {
            Some(words) => words.first().cloned().unwrap_or_default(),
            None if is_flag(name) => json!("true"),
            None => json!("1"),
        },
        _ => Value::Null,
    }
}

/// Documented as numbers, and integers in every example.
fn is_integral(name: &str) -> bool {
    name.ends_with("_id") || ["id", "result", "records_total", "rate", "burst"].contains(&name)
}

/// Documented as strings, and flags in every example.
fn is_flag(name: &str) -> bool {
    ["reduce_only", "post_only", "self_trading_extended_to_subaccounts", "block_rfq_self_match_prevention"]
        .contains(&name)
}
