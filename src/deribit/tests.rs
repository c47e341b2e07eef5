use std::time::Duration;

use super::adapter::{MAX_MESSAGE, error_of};
use super::*;
use crate::error::{Advice, Category, Executed, Meaning, NotSent, OpeningError, RpcError, Verdict};
use crate::frame::{CloseCode, CloseFrame, Message};
use crate::payload::Payload;
use crate::protocol::{Confirmation, Protocol, Request, RequestId, Step};
use crate::session::limiter::Lane;
use crate::time::Instant;

fn read(protocol: &mut Adapter, text: &str) -> Vec<String> {
    let message = Message::from(text);
    let mut all = Vec::new();
    protocol.read(Instant::ZERO, &message, &mut |inbound| all.push(format!("{inbound:?}")));
    all
}

fn production() -> Adapter {
    Adapter::new(Options::production())
}

fn method(step: &Step) -> &str {
    match step {
        Step::Call(request) => &request.method,
        other => panic!("{other:?}"),
    }
}

fn reply(testnet: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"version":"1.2.26"}},"usIn":1,"usOut":2,"usDiff":1{testnet}}}"#
    )
}

/// Opens, with a reply to hello that ends so.
fn open(options: Options, testnet: &str) -> Step {
    let mut protocol = Adapter::new(options);
    assert_eq!(method(&protocol.open(Instant::ZERO, None)), "public/hello");
    read(&mut protocol, &reply(testnet));
    protocol.open(Instant::ZERO, Some(Ok(&Payload::from("{\"version\":\"1.2.26\"}"))))
}

#[test]
fn the_opening_is_made_on_every_connection() {
    let mut protocol =
        Adapter::new(Options::testnet().client("my \"bot\"", "7").heartbeat(Duration::from_secs(30)));
    let ok = Payload::from("\"ok\"");
    for _ in 0..2 {
        let Step::Call(hello) = protocol.open(Instant::ZERO, None) else { panic!() };
        assert_eq!(hello.method, "public/hello");
        let params: serde_json::Value = serde_json::from_str(&hello.params.unwrap()).unwrap();
        assert_eq!(params, serde_json::json!({"client_name": "my \"bot\"", "client_version": "7"}));
        let Step::Call(heartbeat) = protocol.open(Instant::ZERO, Some(Ok(&ok))) else { panic!() };
        assert_eq!(heartbeat.method, "public/set_heartbeat");
        assert_eq!(heartbeat.params.as_deref(), Some("{\"interval\":30}"));
        assert!(matches!(protocol.open(Instant::ZERO, Some(Ok(&ok))), Step::Done));
    }
    // A connection may end in the middle of it.
    protocol.open(Instant::ZERO, None);
    assert_eq!(method(&protocol.open(Instant::ZERO, None)), "public/hello");
    let short = Options::production().heartbeat(Duration::from_secs(1)).set_heartbeat();
    assert_eq!(short.params.as_deref(), Some("{\"interval\":10}"));
}

#[test]
fn a_refused_step_fails_the_opening() {
    let mut protocol = production();
    protocol.open(Instant::ZERO, None);
    let error = RpcError::new(11051, "system_maintenance");
    let expected = OpeningError::Rejected { method: "public/hello".into(), error: error.clone() };
    let step = protocol.open(Instant::ZERO, Some(Err(&error)));
    assert!(matches!(&step, Step::Fail(error) if *error == expected), "{step:?}");
}

#[test]
fn the_environment_is_checked() {
    for (options, testnet, passes) in [
        (Options::production(), ",\"testnet\":false", true),
        (Options::production(), ",\"testnet\":true", false),
        (Options::testnet(), ",\"testnet\":true", true),
        (Options::testnet(), ",\"testnet\":false", false),
        (Options::testnet(), "", true),
        (Options::testnet(), ",\"testnet\":null", true),
        (Options::local(), ",\"testnet\":true", true),
    ] {
        let step = open(options, testnet);
        assert_eq!(matches!(step, Step::Call(_)), passes, "{testnet}: {step:?}");
        assert!(passes || matches!(step, Step::Fail(OpeningError::WrongServer(_))));
    }
}

#[test]
fn another_environment_after_the_opening_is_told_once() {
    let mut protocol = production();
    protocol.open(Instant::ZERO, None);
    read(&mut protocol, &reply(",\"testnet\":false"));
    let ok = Payload::from("\"ok\"");
    while !matches!(protocol.open(Instant::ZERO, Some(Ok(&ok))), Step::Done) {}
    let found = read(&mut protocol, &reply(",\"testnet\":true"));
    assert!(found[1].starts_with("Invalid(\"the server is the test network"), "{found:?}");
    assert_eq!(read(&mut protocol, &reply(",\"testnet\":true")).len(), 1);
    assert_eq!(read(&mut protocol, &reply("")).len(), 1);
}

#[test]
fn the_heartbeat_is_answered() {
    let mut protocol = production();
    for text in [
        r#"{"params":{"type":"test_request"},"method":"heartbeat","jsonrpc":"2.0"}"#,
        r#"{"jsonrpc":"2.0","method":"heartbeat","params":{"new":1,"type":"test_request"}}"#,
    ] {
        assert_eq!(read(&mut protocol, text), ["Answer(Request(public/test))"]);
    }
    for params in ["{\"type\":\"heartbeat\"}", "{}", "{\"type\":1}", "[]"] {
        let text = format!("{{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{params}}}");
        assert_eq!(read(&mut protocol, &text), ["Nothing"]);
    }
    assert_eq!(protocol.lane("public/test"), Lane::Urgent);
}

#[test]
fn data_and_errors() {
    let mut protocol = production();
    let update =
        r#"{"params":{"channel":"quote.X","label":"a","data":{}},"method":"subscription","jsonrpc":"2.0"}"#;
    let data = read(&mut protocol, update);
    assert!(data[0].starts_with("Data { route: \"quote.X\""), "{data:?}");
    // As captured: no id when the text could not be read.
    let unread = r#"{"jsonrpc":"2.0","error":{"message":"bad_request","data":"invalid json","code":11050},"testnet":false,"usIn":1,"usOut":1,"usDiff":0}"#;
    assert!(read(&mut protocol, unread)[0].starts_with("Unmatched(Error("));
}

#[test]
fn errors_bring_their_meaning() {
    let mut protocol = production();
    for id in ["\"id\":3,", ""] {
        let text =
            format!(r#"{{"jsonrpc":"2.0",{id}"error":{{"code":11094,"message":"internal_server_error"}}}}"#);
        let message = Message::from(&*text);
        let mut meanings = Vec::new();
        protocol.read(Instant::ZERO, &message, &mut |mut inbound| {
            meanings.extend(error_of(&mut inbound).map(|e| e.meaning))
        });
        let advice = Advice::Reconcile;
        let expected = Meaning { category: Category::Application, advice, executed: Executed::Unknown };
        assert_eq!(meanings, [expected]);
    }
}

#[test]
fn after_too_many_requests_the_next_connection_waits_for_credits() {
    let mut protocol = production();
    let close = CloseFrame::new(CloseCode(4000), "heartbeat close");
    assert_eq!(protocol.close_verdict(&close), Verdict::Retry(None));
    let error = r#"{"jsonrpc":"2.0","id":3,"error":{"code":10028,"message":"too_many_requests"}}"#;
    let found = read(&mut protocol, error);
    assert!(found[0].starts_with("Reply { id: RequestId(3), result: Err"));
    assert_eq!(found[1], "Hold(5s)");
    let policy = CloseFrame::new(CloseCode::POLICY_VIOLATION, "");
    assert_eq!(protocol.close_verdict(&policy), Verdict::Retry(None));
}

#[test]
fn one_channel_that_is_not_allowed_does_not_fail_others() {
    let protocol = production();
    let groups = ["quote.X", "book.X.raw", "user.orders.any.any.raw"].map(|channel| protocol.group(channel));
    assert_eq!(groups, [0, 1, 2]);
    let methods = groups.map(|group| protocol.subscribe(group, &["a", "b"]).unwrap().method);
    assert_eq!(methods, ["public/subscribe", "public/subscribe", "private/subscribe"]);
    let unsubscribe = protocol.unsubscribe(2, &["a", "b"]).unwrap();
    assert_eq!(unsubscribe.method, "private/unsubscribe");
    assert_eq!(unsubscribe.params.as_deref(), Some(r#"{"channels":["a","b"]}"#));
    let confirmed = protocol.confirmed(&["a", "b"], &"[\"b\"]".into());
    assert_eq!(confirmed, [Confirmation::of("b")]);
}

#[test]
fn what_the_venue_cannot_take_does_not_leave() {
    let mut protocol = production();
    let id = Some(RequestId(1));
    let positional = Request::with("public/ticker", &["BTC-PERPETUAL"]).unwrap();
    assert_eq!(
        protocol.encode(Instant::ZERO, id, &positional),
        Err(NotSent::Unsupported("positional parameters"))
    );
    let batch = [(id, Request::new("public/test"))];
    assert_eq!(protocol.encode_batch(&batch), Err(NotSent::Unsupported("batches")));
    let request = |size: usize| Request::with("m", &serde_json::json!({"a": "x".repeat(size)})).unwrap();
    let overhead = protocol.encode(Instant::ZERO, id, &request(0)).unwrap().as_bytes().len();
    assert!(protocol.encode(Instant::ZERO, id, &request(MAX_MESSAGE - overhead)).is_ok());
    let refused = protocol.encode(Instant::ZERO, id, &request(MAX_MESSAGE - overhead + 1));
    assert_eq!(refused, Err(NotSent::TooLarge { size: MAX_MESSAGE + 1, limit: MAX_MESSAGE }));
}

#[test]
fn a_full_subscribe_request_fits_into_a_message() {
    let mut protocol = Adapter::new(Options::production().credentials("id", "secret"));
    let limits = protocol.subscribe_limits();
    let name = "ticker.BTC_USDC-30JUN23-100000d625-C.100ms";
    let fitting = (limits.bytes / (name.len() + 3)).min(limits.channels);
    let request = protocol.subscribe(2, &vec![name; fitting]).unwrap();
    assert!(protocol.encode(Instant::ZERO, Some(RequestId(u64::MAX)), &request).is_ok());
}

#[test]
fn behind_a_pointer_it_is_the_same() {
    let protocols = || {
        let plain = Adapter::new(Options::production());
        let boxed: Box<dyn Protocol> = Box::new(Adapter::new(Options::production()));
        (plain, boxed)
    };
    let (mut plain, mut boxed) = protocols();
    fn told(protocol: &mut impl Protocol) -> String {
        let now = Instant::ZERO;
        let channels = ["book.BTC-PERPETUAL.raw", "user.lock"];
        let request = Request::with("private/cancel_all", &()).unwrap();
        let id = Some(RequestId(7));
        protocol.seed(7);
        let mut said = vec![
            format!("{:?}", protocol.open(now, None)),
            format!("{:?}", protocol.encode(now, id, &request)),
            format!("{:?}", protocol.encode_batch(&[(id, request.clone()), (None, request.clone())])),
            format!("{:?} {:?}", protocol.upkeep_at(), protocol.upkeep(now, None)),
            format!("{:?} {:?}", protocol.probe(), protocol.buckets()),
            format!("{:?} {:?}", protocol.cost(&request), protocol.subscribe_limits()),
            format!("{:?} {:?}", protocol.lane(&request.method), protocol.lane("public/ticker")),
            format!("{} {}", protocol.is_idempotent("public/ticker"), protocol.is_idempotent("private/buy")),
            format!("{:?}", channels.map(|channel| protocol.group(channel))),
            format!("{:?} {:?}", protocol.subscribe(1, &channels), protocol.unsubscribe(1, &channels)),
            format!("{:?}", protocol.confirmed(&channels, &Payload::from("[\"user.lock\"]"))),
            format!("{:?}", [10028, 13009].map(|code| protocol.is_about_all(&RpcError::new(code, "")))),
            format!("{:?}", protocol.close_verdict(&CloseFrame::new(CloseCode(1008), ""))),
        ];
        protocol.forget(RequestId(7));
        let answer = Message::from(r#"{"jsonrpc":"2.0","id":7,"result":1,"usIn":1,"usOut":2,"usDiff":1}"#);
        protocol.read(now, &answer, &mut |inbound| said.push(format!("{inbound:?}")));
        said.join("\n")
    }
    assert_eq!(told(&mut boxed), told(&mut plain));
}
