//! What `JsonRpc` makes of a message, against a judge that reads it with `serde_json` and follows the specification.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use steadysocket::protocol::{Inbound, RequestId, Unmatched};
use steadysocket::time::Instant;
use steadysocket::{JsonRpc, Message, Protocol, Request};

/// The first byte chooses between text and binary, lenient and strict.
pub fn run(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let (binary, strict) = (choice & 1 == 1, choice & 2 == 2);
    let message = match std::str::from_utf8(data) {
        Ok(text) if !binary => Message::from(text),
        _ => Message::from(data.to_vec()),
    };
    let mut rpc = if strict { JsonRpc::new().strict() } else { JsonRpc::new() };
    let mut found = Vec::new();
    rpc.read(Instant::ZERO, &message, &mut |inbound| found.push(Found::of(inbound)));
    encode(&mut rpc, data);
    let Ok(text) = std::str::from_utf8(data) else {
        assert_eq!(found, [Found::Invalid]);
        return;
    };
    match serde_json::from_str::<&RawValue>(text) {
        Err(_) => assert_eq!(found, [Found::Invalid]),
        // Nested too deeply, a number beyond all bounds, half of a surrogate pair: it must be survived.
        Ok(_) if serde_json::from_str::<Value>(text).is_err() => {}
        Ok(raw) => assert_eq!(found, expected(raw.get(), strict), "{text}"),
    }
}

/// Parameters are taken exactly when they are one JSON object or array, so that nothing breaks out of a request.
fn encode(rpc: &mut JsonRpc, params: &[u8]) {
    let Ok(params) = std::str::from_utf8(params) else { return };
    let request = Request { method: "m".into(), params: Some(params.to_owned()) };
    let written = rpc.encode(Instant::ZERO, Some(RequestId(7)), &request);
    let first = params.trim_start_matches([' ', '\t', '\n', '\r']).chars().next();
    let judged = serde_json::from_str::<&RawValue>(params).ok().filter(|_| matches!(first, Some('{' | '[')));
    match (written, judged) {
        (Ok(message), Some(params)) => {
            let read: BTreeMap<String, &RawValue> = serde_json::from_str(message.as_text().unwrap()).unwrap();
            assert_eq!(read["params"].get(), params.get());
            assert_eq!((read["id"].get(), read["method"].get(), read.len()), ("7", "\"m\"", 4));
        }
        (Err(_), None) => {}
        (Err(problem), Some(_)) => assert!(problem.to_string().contains("nested too deeply"), "{problem}"),
        (Ok(_), None) => panic!("these are no parameters: {params}"),
    }
}

/// What was found, with payloads as their text.
#[derive(Debug, PartialEq)]
enum Found {
    Invalid,
    Reply(u64, String),
    Refused(u64, Failure),
    Data(String, String),
    Notification(String, String),
    Request(String, String, String),
    Error(Failure),
    /// Well formed, and nothing of ours.
    Message(String),
    EndOfBatch,
}

#[derive(Debug, PartialEq)]
struct Failure {
    code: i64,
    message: String,
    data: Option<String>,
}

impl Found {
    fn of(inbound: Inbound<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap_or_default();
        let failure = |error: steadysocket::error::RpcError| Failure {
            code: error.code,
            message: error.message,
            data: error.data,
        };
        match inbound {
            Inbound::Reply { id: RequestId(id), result: Ok(result) } => Self::Reply(id, text(result)),
            Inbound::Reply { id: RequestId(id), result: Err(error) } => Self::Refused(id, failure(error)),
            Inbound::EndOfBatch => Self::EndOfBatch,
            Inbound::Data { route, data } => Self::Data(route.into_owned(), text(data)),
            Inbound::Invalid(_) => Self::Invalid,
            Inbound::Unmatched(unmatched) => match unmatched {
                Unmatched::Message(message) => Self::Message(text(message.as_bytes())),
                Unmatched::Notification { method, params } => {
                    Self::Notification(method, text(params.as_bytes()))
                }
                Unmatched::Request { id, method, params } => {
                    Self::Request(id, method, text(params.as_bytes()))
                }
                Unmatched::Error(error) => Self::Error(failure(error)),
                other => panic!("JSON-RPC has no {other:?}"),
            },
            other => panic!("JSON-RPC has no {other:?}"),
        }
    }
}

/// An object's members in order, those of the same name included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}

impl<'a> Members<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.get())
    }

    fn repeats(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.0.iter().filter(|(key, _)| key == name).count() > 1)
    }
}

fn expected(text: &str, strict: bool) -> Vec<Found> {
    if text.starts_with('{') {
        return vec![judge(text, strict)];
    }
    if !text.starts_with('[') {
        return vec![Found::Invalid];
    }
    let elements: Vec<&RawValue> = serde_json::from_str(text).unwrap();
    if elements.is_empty() {
        return vec![Found::Invalid];
    }
    let (objects, others): (Vec<_>, Vec<_>) =
        elements.iter().map(|element| element.get()).partition(|element| element.starts_with('{'));
    let mut found: Vec<_> = objects.into_iter().map(|object| judge(object, strict)).collect();
    if !others.is_empty() {
        found.push(Found::Invalid);
    }
    found.push(Found::EndOfBatch);
    found
}

fn judge(text: &str, strict: bool) -> Found {
    let object: Members<'_> = serde_json::from_str(text).unwrap();
    let params: Option<Members<'_>> = object
        .get("params")
        .filter(|params| params.starts_with('{'))
        .map(|params| serde_json::from_str(params).unwrap());
    // RFC 8259 section 4: what comes twice means nothing.
    if object.repeats(&["jsonrpc", "id", "method", "params", "result", "error"])
        || params.as_ref().is_some_and(|params| params.repeats(&["channel", "data"]))
    {
        return Found::Invalid;
    }
    match object.get("jsonrpc") {
        Some(version) if string(version).as_deref() == Some("2.0") => {}
        None if !strict => {}
        _ => return Found::Invalid,
    }
    // Some servers write null for what is not there.
    let absent = |member: &Option<&str>| matches!(member, None | Some("null"));
    let (result, error) = match (object.get("result"), object.get("error")) {
        (Some(_), Some(_)) if strict => return Found::Invalid,
        (Some(result), error) if absent(&error) => (Some(result), None),
        (result, Some(error)) if absent(&result) => (None, Some(error)),
        (None, None) => (None, None),
        _ => return Found::Invalid,
    };
    let id = object.get("id");
    match (object.get("method"), result, error) {
        (Some(method), None, None) => {
            judge_request(method, id, object.get("params"), params.as_ref(), strict)
        }
        (None, Some(result), _) => match id.and_then(own) {
            Some(id) => Found::Reply(id, result.to_owned()),
            None => Found::Message(text.to_owned()),
        },
        (None, None, Some(error)) => judge_error(error, id, text, strict),
        _ => Found::Invalid,
    }
}

fn judge_request(
    method: &str,
    id: Option<&str>,
    params: Option<&str>,
    named: Option<&Members<'_>>,
    strict: bool,
) -> Found {
    let Some(method) = string(method) else { return Found::Invalid };
    let update = || Some((string(named?.get("channel")?)?, named?.get("data")?));
    if matches!(id, None | Some("null"))
        && method == "subscription"
        && let Some((channel, data)) = update()
    {
        return Found::Data(channel, data.to_owned());
    }
    let params = match params {
        None => "",
        Some("null") if !strict => "",
        Some(params) if params.starts_with(['{', '[']) => params,
        Some(_) => return Found::Invalid,
    };
    match id {
        None => Found::Notification(method, params.to_owned()),
        Some(id) if id == "null" || id.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) => {
            Found::Request(id.to_owned(), method, params.to_owned())
        }
        Some(_) => Found::Invalid,
    }
}

fn judge_error(error: &str, id: Option<&str>, text: &str, strict: bool) -> Found {
    // The last of the same name counts.
    let members = serde_json::from_str::<Value>(error).unwrap();
    let code = members.get("code").filter(|code| code.is_i64()).and_then(Value::as_i64);
    let message = members.get("message").and_then(Value::as_str).map(str::to_owned);
    let well_formed = code.is_some() && message.is_some();
    if strict && !well_formed {
        return Found::Invalid;
    }
    let data = if well_formed {
        let raw: Members<'_> = serde_json::from_str(error).unwrap();
        raw.0.iter().rev().find(|(key, _)| key == "data").map(|(_, data)| data.get().to_owned())
    } else {
        Some(error.to_owned())
    };
    let failure = Failure { code: code.unwrap_or_default(), message: message.unwrap_or_default(), data };
    match id {
        None | Some("null") => Found::Error(failure),
        Some(id) => match own(id) {
            Some(id) => Found::Refused(id, failure),
            None => Found::Message(text.to_owned()),
        },
    }
}

fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// Ours are written as unsigned integers.
fn own(id: &str) -> Option<u64> {
    id.bytes().all(|byte| byte.is_ascii_digit()).then(|| id.parse().ok())?
}
