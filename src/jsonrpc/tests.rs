use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What was found, without borrowing the message.
#[derive(Debug, PartialEq)]
enum Found {
    Reply(u64, Result<String, RpcError>),
    EndOfBatch,
    Data(String, String),
    Unmatched(Unmatched),
    Invalid(String),
}

fn read_as(mut protocol: JsonRpc, message: impl Into<Message>) -> Vec<Found> {
    let message = message.into();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut all = Vec::new();
    protocol.read(Instant::ZERO, &message, &mut |inbound| {
        all.push(match inbound {
            Inbound::Reply { id, result } => Found::Reply(id.0, result.map(text)),
            Inbound::EndOfBatch => Found::EndOfBatch,
            Inbound::Data { route, data } => Found::Data(route.into_owned(), text(data)),
            Inbound::Unmatched(unmatched) => Found::Unmatched(unmatched),
            Inbound::Invalid(problem) => Found::Invalid(problem),
            other => panic!("JSON-RPC gives no {other:?}"),
        });
    });
    all
}

fn read(message: &str) -> Vec<Found> {
    read_as(JsonRpc::new(), message)
}

fn ok(id: u64, result: &str) -> Found {
    Found::Reply(id, Ok(result.to_owned()))
}

fn error(code: i64, message: &str) -> RpcError {
    RpcError::new(code, message)
}

fn notification(method: &str, params: &str) -> Found {
    Found::Unmatched(Unmatched::Notification { method: method.to_owned(), params: params.into() })
}

fn server_request(id: &str, method: &str, params: &str) -> Found {
    Found::Unmatched(Unmatched::Request {
        id: id.to_owned(),
        method: method.to_owned(),
        params: params.into(),
    })
}

fn nobodys(text: &str) -> Found {
    Found::Unmatched(Unmatched::Message(text.into()))
}

/// A reply whose id is ours and that says nothing: whoever waits for it is told that.
fn is_unreadable(found: &[Found]) -> bool {
    let unknown = |error: &RpcError| error.meaning.executed == Executed::Unknown && error.data.is_some();
    matches!(found, [Found::Reply(1, Err(error))] if unknown(error))
}

fn is_invalid(found: &[Found]) -> bool {
    matches!(found, [Found::Invalid(_)])
}

fn encode(id: Option<u64>, method: &'static str, params: Value) -> Value {
    let request = Request::with(method, &params).unwrap();
    let message = JsonRpc::new().encode(Instant::ZERO, id.map(RequestId), &request).unwrap();
    serde_json::from_str(message.as_text().unwrap()).unwrap()
}

/// The examples of section 7 of the specification, in its order.
mod section_7 {
    use super::*;

    #[test]
    fn example_01_positional_parameters() {
        assert_eq!(
            encode(Some(1), "subtract", json!([42, 23])),
            json!({"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1})
        );
        assert_eq!(read(r#"{"jsonrpc": "2.0", "result": 19, "id": 1}"#), [ok(1, "19")]);
        assert_eq!(read(r#"{"jsonrpc": "2.0", "result": -19, "id": 2}"#), [ok(2, "-19")]);
    }

    #[test]
    fn example_02_named_parameters() {
        assert_eq!(
            encode(Some(3), "subtract", json!({"subtrahend": 23, "minuend": 42})),
            json!({"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3})
        );
        assert_eq!(read(r#"{"jsonrpc": "2.0", "result": 19, "id": 3}"#), [ok(3, "19")]);
    }

    #[test]
    fn example_03_notifications() {
        assert_eq!(
            encode(None, "update", json!([1, 2, 3, 4, 5])),
            json!({"jsonrpc": "2.0", "method": "update", "params": [1, 2, 3, 4, 5]})
        );
        assert_eq!(encode(None, "foobar", Value::Null), json!({"jsonrpc": "2.0", "method": "foobar"}));
        assert_eq!(
            read(r#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#),
            [notification("update", "[1,2,3,4,5]")]
        );
        assert_eq!(read(r#"{"jsonrpc": "2.0", "method": "foobar"}"#), [notification("foobar", "")]);
    }

    #[test]
    fn example_04_non_existent_method() {
        let text =
            r#"{"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "1"}"#;
        let expected = Found::Reply(1, Err(error(-32601, "Method not found")));
        assert_eq!(read_as(JsonRpc::new().string_ids(""), text), [expected]);
        assert_eq!(
            read(r#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#),
            [server_request("\"1\"", "foobar", "")]
        );
    }

    #[test]
    fn example_05_invalid_json() {
        let sent = r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#;
        assert!(is_invalid(&read(sent)));
        let answer = r#"{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}"#;
        assert_eq!(read(answer), [Found::Unmatched(Unmatched::Error(error(-32700, "Parse error")))]);
    }

    #[test]
    fn example_06_invalid_request_object() {
        assert!(is_invalid(&read(r#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#)));
        let answer =
            r#"{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}"#;
        assert_eq!(read(answer), [Found::Unmatched(Unmatched::Error(error(-32600, "Invalid Request")))]);
    }

    #[test]
    fn example_07_batch_of_invalid_json() {
        let sent = r#"[
            {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
            {"jsonrpc": "2.0", "method"
        ]"#;
        assert!(is_invalid(&read(sent)), "no part of a text that is not JSON is given out");
    }

    #[test]
    fn example_08_empty_array() {
        assert!(is_invalid(&read("[]")));
        assert_eq!(JsonRpc::new().encode_batch(&[]), Err(NotSent::Unsupported("an empty batch")));
    }

    #[test]
    fn example_09_invalid_batch_of_one() {
        assert!(matches!(&*read("[1]"), [Found::Invalid(_), Found::EndOfBatch]));
    }

    #[test]
    fn example_10_invalid_batch() {
        // Reported as one, with their number.
        assert!(matches!(&*read("[1,2,3]"), [Found::Invalid(_), Found::EndOfBatch]));
    }

    #[test]
    fn example_11_batch() {
        let requests = [
            (Some(RequestId(1)), Request::with("sum", &[1, 2, 4]).unwrap()),
            (None, Request::with("notify_hello", &[7]).unwrap()),
            (Some(RequestId(2)), Request::with("subtract", &[42, 23]).unwrap()),
            (Some(RequestId(9)), Request::new("get_data")),
        ];
        let message = JsonRpc::new().string_ids("").encode_batch(&requests).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(message.as_text().unwrap()).unwrap(),
            json!([
                {"jsonrpc": "2.0", "method": "sum", "params": [1, 2, 4], "id": "1"},
                {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
                {"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": "2"},
                {"jsonrpc": "2.0", "method": "get_data", "id": "9"},
            ])
        );
        let answer = r#"[
            {"jsonrpc": "2.0", "result": 7, "id": "1"},
            {"jsonrpc": "2.0", "result": 19, "id": "2"},
            {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
            {"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "5"},
            {"jsonrpc": "2.0", "result": ["hello", 5], "id": "9"}
        ]"#;
        assert_eq!(
            read_as(JsonRpc::new().string_ids(""), answer),
            [
                ok(1, "7"),
                ok(2, "19"),
                Found::Unmatched(Unmatched::Error(error(-32600, "Invalid Request"))),
                Found::Reply(5, Err(error(-32601, "Method not found"))),
                ok(9, "[\"hello\", 5]"),
                Found::EndOfBatch,
            ]
        );
    }

    #[test]
    fn example_12_batch_of_notifications() {
        let batch = r#"[
            {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
            {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
        ]"#;
        assert_eq!(
            read(batch),
            [notification("notify_sum", "[1,2,4]"), notification("notify_hello", "[7]"), Found::EndOfBatch]
        );
    }
}

#[test]
fn parameters_must_be_an_object_or_an_array() {
    for bad in ["1", "\"a\"", "true", "[1", "{}{}", "", "{},\"id\":2", "{\"a\":1}}"] {
        let request = Request { method: "m".into(), params: Some(bad.to_owned()) };
        let refused = JsonRpc::new().encode(Instant::ZERO, None, &request);
        assert!(matches!(refused, Err(NotSent::Params(_))), "{bad}: {refused:?}");
    }
}

#[test]
fn an_error_keeps_its_data() {
    let data = |text: &str| match &*read(text) {
        [Found::Reply(_, Err(error))] => error.data.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(data(r#"{"id":1,"error":{"code":1,"message":"m"}}"#), None);
    assert_eq!(data(r#"{"id":1,"error":{"code":1,"message":"m","data":null}}"#).as_deref(), Some("null"));
    assert_eq!(
        data(r#"{"error":{"data": {"a": [1]} ,"message":"m","code":1},"id":1}"#).as_deref(),
        Some(r#"{"a": [1]}"#)
    );
}

#[test]
fn a_malformed_error_still_answers() {
    for error in ["\"no\"", "{\"code\":\"x\"}", "{\"code\":1.5,\"message\":\"m\"}", "[]", "true"] {
        let text = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{error}}}");
        let found = read(&text);
        let [Found::Reply(1, Err(reply))] = &*found else { panic!("{error}: {found:?}") };
        assert_eq!((reply.code, reply.data.as_deref()), (0, Some(error)));
        // A text is taken for the message that the server meant to send.
        assert_eq!(reply.message == "no", error == "\"no\"");
        assert!(is_unreadable(&read_as(JsonRpc::new().strict(), &*text)));
    }
}

#[test]
fn lenient_unless_strict() {
    for (text, result) in [
        (r#"{"id":1,"result":2}"#, ok(1, "2")),
        (r#"{"id":1,"result":2,"error":null}"#, ok(1, "2")),
        (r#"{"id":1,"result":null,"error":null}"#, ok(1, "null")),
        (r#"{"id":1,"result":null,"error":{"code":3,"message":"no"}}"#, Found::Reply(1, Err(error(3, "no")))),
        (r#"{"method":"m","params":null}"#, notification("m", "")),
    ] {
        assert_eq!(read(text), [result], "{text}");
        let versioned = format!("{{\"jsonrpc\":\"2.0\",{}", &text[1..]);
        assert!(is_invalid(&read_as(JsonRpc::new().strict(), text)), "{text}");
        let found = read_as(JsonRpc::new().strict(), &*versioned);
        assert_eq!(is_invalid(&found) || is_unreadable(&found), text.contains("null"), "{versioned}");
    }
}

#[test]
fn always_invalid() {
    for text in [
        "",
        "  ",
        "1",
        "\"{}\"",
        "{}",
        r#"{"jsonrpc":"1.0","id":1,"result":2}"#,
        r#"{"jsonrpc":2.0,"id":1,"result":2}"#,
        r#"{"jsonrpc":null,"id":1,"result":2}"#,
        r#"{"jsonrpc":"2.0","id":"1","result":2,"error":{"code":1,"message":"m"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":1,"result":2}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":2,"re\u0073ult":3}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"m","result":2}"#,
        r#"{"jsonrpc":"2.0","id":[1],"method":"m"}"#,
        r#"{"jsonrpc":"2.0","id":true,"method":"m"}"#,
        r#"{"jsonrpc":"2.0","method":"m","params":"bar"}"#,
        r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"a","channel":"b","data":1}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":2} {}"#,
    ] {
        assert!(is_invalid(&read(text)), "{text}: {:?}", read(text));
    }
    assert!(is_invalid(&read_as(JsonRpc::new(), b"{\"id\":1,\"result\":\"\xff\"}".to_vec())));
}

#[test]
fn a_reply_that_says_nothing_ends_its_call() {
    for text in [
        "{\"id\":1}",
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":2,"error":{"code":1,"message":"m"}}"#,
    ] {
        assert!(is_unreadable(&read(text)), "{text}: {:?}", read(text));
    }
}

#[test]
fn a_problem_does_not_quote_the_message() {
    for text in ["{\"secret\"}", "[{\"id\":1,\"result\":\"secret\"},]", "\"secret\""] {
        assert!(!format!("{:?}", read(text)).contains("secret"), "{text}");
    }
}

#[test]
fn binary_messages_are_read_as_well() {
    assert_eq!(read_as(JsonRpc::new(), b"{\"id\":1,\"result\":\"\xc3\xa9\"}".to_vec()), [ok(1, "\"é\"")]);
    let nobodys = Found::Unmatched(Unmatched::Message(b"{\"id\":\"x\",\"result\":1}".to_vec().into()));
    assert_eq!(read_as(JsonRpc::new(), b"[{\"id\":\"x\",\"result\":1}]".to_vec())[0], nobodys);
}

#[test]
fn replies_echo_the_id_as_it_was_sent() {
    let foreign = ["\"1\"", "1.0", "1e0", "-1", "01x", "18446744073709551616", "{}", "true", "null"];
    for id in foreign.iter().filter(|id| !id.contains('x')) {
        let text = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":2}}");
        assert_eq!(read(&text), [nobodys(&text)], "{id}");
    }
    let strings = || JsonRpc::new().string_ids("bot\"-");
    let message = strings().encode(Instant::ZERO, Some(RequestId(7)), &Request::new("m")).unwrap();
    let value: Value = serde_json::from_str(message.as_text().unwrap()).unwrap();
    assert_eq!(value["id"], "bot\"-7");
    let text = |id: &str| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":2}}");
    assert_eq!(read_as(strings(), text(r#""bot\"-7""#)), [ok(7, "2")]);
    assert_eq!(read_as(strings(), text(r#""bot\u0022\u002d7""#)), [ok(7, "2")]);
    for id in ["7", r#""7""#, r#""bot\"-07""#, r#""bot\"-""#, r#""bot\"-+7""#] {
        assert_eq!(read_as(strings(), text(id)), [nobodys(&text(id))], "{id}");
    }
}

#[test]
fn part_of_a_batch_that_answers_nobody() {
    assert_eq!(
        read(r#"[ {"id":"x","result":1} , {"result":2} ,{"id":3,"result":3}]"#),
        [nobodys(r#"{"id":"x","result":1}"#), nobodys(r#"{"result":2}"#), ok(3, "3"), Found::EndOfBatch]
    );
    // One bad element does not hurt its neighbours.
    assert!(matches!(
        &*read(r#"[{"id":1,"result":1},{"id":2,"id":2,"result":1},[],{"id":3,"result":3}]"#),
        [Found::Reply(1, _), Found::Invalid(_), Found::Reply(3, _), Found::Invalid(_), Found::EndOfBatch]
    ));
}

#[test]
fn requests_of_the_server() {
    for id in ["7", "-1.5", "\"a\\u0062\"", "null"] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping","params":{{"n":1}}}}"#);
        assert_eq!(read(&text), [server_request(id, "ping", "{\"n\":1}")]);
    }
    let error = RpcError { data: Some("[null]".to_owned()), ..RpcError::new(1, "a\"b\n") };
    let value: Value = serde_json::from_str(&response("\"ab\"", Err(&error)).unwrap()).unwrap();
    let expected = json!({"code": 1, "message": "a\"b\n", "data": [null]});
    assert_eq!(value, json!({"jsonrpc": "2.0", "id": "ab", "error": expected}));
}

#[test]
fn channels_have_names() {
    let protocol = JsonRpc::new().subscriptions(Subscriptions {
        subscribe: "public/subscribe".into(),
        unsubscribe: "public/unsubscribe".into(),
        ..Subscriptions::by_channel()
    });
    let request = protocol.subscribe(0, &["a.b", "c\"d"]).unwrap();
    assert_eq!(request.method, "public/subscribe");
    assert_eq!(request.params.as_deref(), Some(r#"{"channels":["a.b","c\"d"]}"#));
    let request = protocol.unsubscribe(0, &["a.b"]).unwrap();
    assert_eq!(
        (&*request.method, request.params.as_deref()),
        ("public/unsubscribe", Some(r#"{"channels":["a.b"]}"#))
    );

    let confirmed = |answer: &str| {
        let confirmed = protocol.confirmed(&["a", "b", "c"], &answer.into());
        confirmed.into_iter().map(|confirmed| confirmed.channel).collect::<Vec<_>>()
    };
    assert_eq!(confirmed(r#"["c","\u0061","stranger",1]"#), ["a", "c"]);
    assert!(confirmed("[]").is_empty());
    assert_eq!(confirmed("\"ok\""), ["a", "b", "c"]);

    // In any order of members, with or without a null id.
    let data = || Found::Data("a.b".to_owned(), "{\"x\": [1]}".to_owned());
    for text in [
        r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"a.b","data":{"x": [1]}}}"#,
        r#"{ "params" : {"label":"l", "data" : {"x": [1]} , "channel":"a\u002eb"} , "method":"subscription" }"#,
        r#"{"id":null,"method":"subscription","params":{"channel":"a.b","data":{"x": [1]}}}"#,
    ] {
        assert_eq!(read_as(protocol.clone(), text), [data()], "{text}");
    }
    for text in [
        r#"{"method":"other","params":{"channel":"a.b","data":1}}"#,
        r#"{"method":"subscription","params":{"channel":"a.b"}}"#,
        r#"{"method":"subscription","params":{"channel":7,"data":1}}"#,
        r#"{"method":"subscription","params":["a.b",1]}"#,
    ] {
        let found = read_as(protocol.clone(), text);
        assert!(matches!(&*found, [Found::Unmatched(Unmatched::Notification { .. })]), "{text}: {found:?}");
    }
}

#[test]
fn the_server_names_subscriptions() {
    let protocol = JsonRpc::new().subscriptions(Subscriptions::by_id());
    assert_eq!(protocol.subscribe_limits().channels, 1);
    let params = |request: Option<Request>| request.unwrap().params.unwrap();
    assert_eq!(params(protocol.subscribe(0, &["newHeads"])), r#"["newHeads"]"#);
    let filtered = r#"["logs",{"address":"0x8320"}]"#;
    assert_eq!(params(protocol.subscribe(0, &[filtered])), filtered);
    assert_eq!(params(protocol.unsubscribe(0, &["0xcd0c"])), r#"["0xcd0c"]"#);
    let confirmation = Confirmation { channel: "newHeads".into(), route: "0xcd0c".into() };
    assert_eq!(protocol.confirmed(&["newHeads"], &"\"0xcd0c\"".into()), [confirmation]);
    assert!(protocol.confirmed(&["newHeads"], &"null".into()).is_empty());
    let text = r#"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0xcd0c","result":{"n":1}}}"#;
    assert_eq!(read_as(protocol, text), [Found::Data("0xcd0c".into(), "{\"n\":1}".into())]);
}

fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    scalar.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Texts that are close to messages.
fn near_message() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("\"2.0\"".to_owned()),
        Just("null".to_owned()),
        Just("{\"channel\":\"a\",\"data\":1}".to_owned()),
        Just("\"subscription\"".to_owned()),
        Just("{\"code\":1,\"message\":\"m\"}".to_owned()),
        any_value().prop_map(|value| value.to_string()),
    ];
    let key = prop::sample::select(vec!["jsonrpc", "id", "method", "params", "result", "error", "x"]);
    let member = (key, value).prop_map(|(key, value)| format!("\"{key}\":{value}"));
    let object = prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")));
    let batch = prop::collection::vec(object.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(",")));
    (prop_oneof![3 => object, 1 => batch], any::<prop::sample::Index>(), prop::option::of(any::<char>()))
        .prop_map(|(mut text, index, char)| {
            let at = index.index(text.len() + 1);
            if let (Some(char), true) = (char, text.is_char_boundary(at)) {
                text.insert(at, char);
            }
            text
        })
}

proptest! {
    #[test]
    fn requests_are_what_the_judge_reads(id in prop::option::of(any::<u64>()), method in any::<String>(), params in any_value()) {
        let request = Request::with(method.clone(), &params).unwrap();
        let encoded = JsonRpc::new().encode(Instant::ZERO, id.map(RequestId), &request);
        if !(params.is_null() || params.is_array() || params.is_object()) {
            prop_assert!(matches!(encoded, Err(NotSent::Params(_))));
            return Ok(());
        }
        let message = encoded.unwrap();
        let text = message.as_text().unwrap();
        let mut expected = json!({"jsonrpc": "2.0", "method": method});
        if let Some(id) = id {
            expected["id"] = id.into();
        }
        if !params.is_null() {
            expected["params"] = params.clone();
        }
        prop_assert_eq!(serde_json::from_str::<Value>(text).unwrap(), expected);
        // And what we read ourselves.
        let text = if params.is_null() { String::new() } else { params.to_string() };
        let found = read_as(JsonRpc::new().strict(), message);
        let expected = match id {
            Some(id) => server_request(&id.to_string(), &method, &text),
            None => notification(&method, &text),
        };
        prop_assert_eq!(found, [expected]);
    }

    #[test]
    fn replies_are_what_the_judge_wrote(id in any::<u64>(), result in any_value(), code in any::<i64>(), message in any::<String>(), data in prop::option::of(any_value())) {
        let text = json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string();
        prop_assert_eq!(read_as(JsonRpc::new().strict(), text), [ok(id, &result.to_string())]);
        let error = RpcError { data: data.as_ref().map(Value::to_string), ..RpcError::new(code, message) };
        let text = response(&id.to_string(), Err(&error)).unwrap();
        prop_assert_eq!(read_as(JsonRpc::new().strict(), text), [Found::Reply(id, Err(error))]);
    }

    #[test]
    fn nothing_received_panics(bytes in prop::collection::vec(any::<u8>(), 0..100), text in near_message()) {
        for protocol in [JsonRpc::new(), JsonRpc::new().strict(), JsonRpc::new().string_ids("a").subscriptions(Subscriptions::by_id())] {
            prop_assert!(!read_as(protocol.clone(), bytes.clone()).is_empty());
            prop_assert!(!read_as(protocol, text.clone()).is_empty());
        }
        JsonRpc::new().confirmed(&["a"], &Payload::from(&*text));
        JsonRpc::new().confirmed(&["a"], &Payload::from(bytes::Bytes::from(bytes)));
    }

    /// What is not JSON is refused as a whole, and what is, is not called so.
    #[test]
    fn the_judge_agrees_on_what_is_json(text in near_message()) {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        let refused = matches!(&*read(&text), [Found::Invalid(problem)] if problem.contains(" at byte "));
        prop_assert_eq!(refused, !is_json, "{}", text);
    }
}

#[test]
fn a_response_cannot_be_broken_out_of() {
    for id in ["1}", "", "{}", "[1]", "true", "\"a", "1,\"x\":2"] {
        assert!(response(id, Ok("1")).is_err(), "{id}");
    }
    assert!(response("1", Ok("2}")).is_err());
    let error = RpcError { data: Some("1}".into()), ..RpcError::new(1, "}") };
    assert!(response("1", Err(&error)).is_err());
    assert_eq!(response("\"a\"", Ok("19")).unwrap(), r#"{"jsonrpc":"2.0","id":"a","result":19}"#);
}

#[test]
fn strange_elements_of_a_batch_are_counted_and_many_are_refused() {
    let found = |text: &str| {
        let mut found = Vec::new();
        let message = Message::from(text);
        JsonRpc::new().read(Instant::ZERO, &message, &mut |inbound| found.push(format!("{inbound:?}")));
        found
    };
    let strange = found(&format!("[1{}]", ",1".repeat(999)));
    assert_eq!(strange, ["Invalid(\"1000 elements of a batch that are no objects\")", "EndOfBatch"]);
    let many = found(&format!("[{{}}{}]", ",{}".repeat(100_000)));
    assert!(many.len() <= MAX_BATCH + 2, "{}", many.len());
}
