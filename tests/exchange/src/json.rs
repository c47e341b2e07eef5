//! Writes JSON the way the venue does: keys in no fixed order, floats now and then in exponent form.

use fastrand::Rng;
use serde_json::{Map, Value};

/// One float in this many is written as `2.2e3` instead of `2200.0`.
const EXPONENT_ONE_IN: u32 = 16;

/// Renders a value with its keys shuffled and its floats in either form.
pub(crate) fn render(value: &Value, rng: &mut Rng) -> String {
    let mut out = String::new();
    write(value, rng, &mut out);
    out
}

/// Renders an object whose values are already JSON text, with its keys shuffled.
pub(crate) fn object(mut fields: Vec<(&str, String)>, rng: &mut Rng) -> String {
    rng.shuffle(&mut fields);
    let members: Vec<String> = fields.into_iter().map(|(key, text)| format!("\"{key}\":{text}")).collect();
    format!("{{{}}}", members.join(","))
}

fn write(value: &Value, rng: &mut Rng, out: &mut String) {
    match value {
        Value::Object(map) => write_object(map, rng, out),
        Value::Array(items) => write_array(items, rng, out),
        Value::Number(number) if number.is_f64() => write_float(number.as_f64().unwrap_or(0.0), rng, out),
        other => out.push_str(&other.to_string()),
    }
}

fn write_object(map: &Map<String, Value>, rng: &mut Rng, out: &mut String) {
    let mut entries: Vec<(&String, &Value)> = map.iter().collect();
    rng.shuffle(&mut entries);
    out.push('{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&Value::from(key.as_str()).to_string());
        out.push(':');
        write(value, rng, out);
    }
    out.push('}');
}

fn write_array(items: &[Value], rng: &mut Rng, out: &mut String) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, rng, out);
    }
    out.push(']');
}

fn write_float(float: f64, rng: &mut Rng, out: &mut String) {
    // Both forms are the shortest that read back as the same number.
    let text = if rng.u32(..EXPONENT_ONE_IN) == 0 { format!("{float:e}") } else { format!("{float:?}") };
    out.push_str(&text);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_back_as_what_was_written() {
        let value = json!({"a": [1, 2.5, 6.55e-6, -0.0, 1e21], "b": {"c": "x\"y", "d": null}, "e": 2200.0});
        for seed in 0..200 {
            let text = render(&value, &mut Rng::with_seed(seed));
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value, "{text}");
        }
    }

    #[test]
    fn order_and_number_form_vary() {
        let value = json!({"a": 2200.0, "b": 2200.0});
        let forms: std::collections::HashSet<String> =
            (0..200).map(|seed| render(&value, &mut Rng::with_seed(seed))).collect();
        assert!(forms.iter().any(|text| text.starts_with("{\"b\"")));
        assert!(forms.iter().any(|text| text.contains("2.2e3")));
    }
}
