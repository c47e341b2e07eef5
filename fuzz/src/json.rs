//! The JSON reader against `serde_json`.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::reader::json::{Reader, Str, integer, members, quote, unsigned};

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        assert!(Reader::checked(data).is_err());
        // A caller that did not check must still come to no harm.
        let _ = Reader::new(data).value();
        return;
    };
    let mut reader = Reader::new(data);
    let read = reader.value().and_then(|value| reader.end().map(|()| value));
    // `RawValue` checks the grammar alone: no range of numbers, no limit of depth.
    let judged: Result<&RawValue, _> = serde_json::from_str(text);
    match (read, judged) {
        (Ok(value), Ok(judged)) => {
            assert_eq!(value, judged.get().as_bytes());
            if let Ok(judged) = serde_json::from_str(text) {
                compare(value, &judged);
            }
        }
        (Err(_), Err(_)) => {}
        // Deeper than 128 is refused, whatever it is.
        (Err(problem), Ok(_)) => assert!(problem.to_string().starts_with("nested too deeply"), "{problem}"),
        (Ok(_), Err(problem)) => panic!("{problem}"),
    }
    let mut quoted = String::new();
    quote(&mut quoted, text);
    assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
}

fn compare(value: &[u8], judged: &Value) {
    let text = std::str::from_utf8(value).unwrap();
    match judged {
        Value::Null => assert_eq!(text, "null"),
        Value::Bool(judged) => assert_eq!(text, judged.to_string()),
        Value::String(judged) => {
            let string = Str::of(value).unwrap();
            assert_eq!((string.text(), string.bytes()), (judged.into(), judged.as_bytes().into()));
            assert!(string == **judged);
        }
        Value::Number(_) => compare_number(text),
        Value::Array(judged) => {
            let mut reader = Reader::new(value);
            reader.array().unwrap();
            for judged in judged {
                assert!(reader.element().unwrap());
                compare(reader.value().unwrap(), judged);
            }
            assert!(!reader.element().unwrap());
        }
        Value::Object(judged) => {
            let mut last = std::collections::BTreeMap::new();
            members(value, |name, value| {
                let _ = last.insert(name.text().into_owned(), value);
            })
            .unwrap();
            // Of members of the same name `serde_json` keeps the last.
            assert!(last.keys().eq(judged.keys()));
            last.values().zip(judged.values()).for_each(|(value, judged)| compare(value, judged));
        }
    }
}

/// Rust's own conversion is the judge of numbers: it rounds right, which `serde_json` without a feature does not.
fn compare_number(text: &str) {
    let judged: f64 = text.parse().unwrap();
    match Reader::new(text.as_bytes()).number() {
        Ok(number) => assert_eq!(number.to_bits(), judged.to_bits()),
        Err(_) => assert!(judged.is_infinite()),
    }
    assert_eq!(unsigned(text.as_bytes()), text.parse().ok());
    // Rust reads -0 as 0, and so do we.
    assert_eq!(integer(text.as_bytes()), text.parse().ok());
    if let Ok(whole) = Reader::new(text.as_bytes()).integer()
        && whole < 1 << 53
    {
        assert_eq!(whole as f64, judged);
    }
}
