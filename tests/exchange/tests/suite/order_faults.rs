//! Faults between the receipt of an order and its answer, and the ledger that knows the truth.

use std::time::Duration;

use serde_json::{Value, json};
use steadysocket_exchange::{
    Account, Closed, CreditPolicy, Cut, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Exchange, Fault, Target, Tier,
};

use crate::support::{Client, End, orderly, soon};
use crate::trading::{best, start, trader};

/// Longer than any test: only a release ends it.
const HELD: Duration = Duration::from_secs(3_600);
const PERPETUAL: &str = "BTC-PERPETUAL";

fn order(exchange: &Exchange, label: &str) -> Value {
    let price = best(exchange, PERPETUAL).0.0 - 100.0;
    json!({ "instrument_name": PERPETUAL, "price": price, "amount": 10.0, "label": label })
}

async fn back(exchange: &Exchange) -> Client {
    trader(exchange, "local").await
}

async fn by_label(client: &mut Client, label: &str) -> Vec<Value> {
    let params = json!({ "currency": "BTC", "label": label });
    client.result("private/get_order_state_by_label", params).await.as_array().unwrap().clone()
}

#[tokio::test]
async fn the_ledger_has_every_request_and_what_became_of_it() {
    let (exchange, mut client) = start().await;
    let placed = client.result("private/buy", order(&exchange, "one")).await["order"].clone();
    client
        .error("private/buy", json!({ "instrument_name": PERPETUAL, "amount": 7.0, "price": 1.0 }), 10002)
        .await;
    client.result("private/cancel_by_label", json!({ "label": "one" })).await;
    let ledger = exchange.ledger();
    let methods: Vec<&str> = ledger.requests.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["private/buy", "private/buy", "private/cancel_by_label"]);
    let [first, refused, _] = ledger.requests.as_slice() else { panic!() };
    assert_eq!(
        (first.label.as_deref(), first.order_id.as_deref()),
        (Some("one"), placed["order_id"].as_str())
    );
    assert!(first.received <= first.matched.unwrap() && first.matched <= first.answered);
    assert_eq!((refused.error, refused.order_id.as_ref()), (Some(10002), None));
    let [order] = ledger.orders.as_slice() else { panic!() };
    assert_eq!((order.state.as_str(), order.request, order.filled_amount), ("cancelled", first.number, 0.0));
    assert_eq!(order.cancel_reason.as_deref(), Some("user_request"));
    assert!(ledger.duplicate_labels().is_empty());
}

#[tokio::test]
async fn a_label_sent_twice_is_seen() {
    let (exchange, mut client) = start().await;
    for _ in 0..2 {
        client.result("private/buy", order(&exchange, "twice")).await;
    }
    assert_eq!(exchange.ledger().duplicate_labels().get("twice"), Some(&2));
    assert_eq!(exchange.ledger().with_label("twice").count(), 2);
}

#[tokio::test]
async fn fills_are_in_the_ledger() {
    let (exchange, mut client) = start().await;
    let params = json!({ "instrument_name": PERPETUAL, "type": "market", "amount": 50.0, "label": "m" });
    let result = client.result("private/buy", params).await;
    let ledger = exchange.ledger();
    let order = ledger.with_label("m").next().unwrap();
    assert_eq!(order.fills.len(), result["trades"].as_array().unwrap().len());
    assert_eq!(order.fills.iter().map(|fill| fill.amount).sum::<f64>(), 50.0);
    assert!(order.fills.iter().all(|fill| !fill.maker));
}

#[tokio::test]
async fn cut_before_the_match_the_order_never_was() {
    for cut in [Cut::Drop, Cut::Reset] {
        let (exchange, mut client) = start().await;
        exchange.fault(Target::All, Fault::CutBeforeMatch(cut));
        client.send("private/buy", order(&exchange, "x")).await;
        assert_eq!(client.end().await, End::Abrupt);
        let mut client = back(&exchange).await;
        assert_eq!(by_label(&mut client, "x").await, [Value::Null; 0]);
        let ledger = exchange.ledger();
        assert_eq!((ledger.requests.len(), ledger.orders.len()), (1, 0));
        assert_eq!((ledger.requests[0].matched, ledger.requests[0].answered), (None, None));
    }
}

#[tokio::test]
async fn cut_after_the_match_the_order_is() {
    for cut in [Cut::Drop, Cut::Reset] {
        let (exchange, mut client) = start().await;
        exchange.fault(Target::All, Fault::CutAfterMatch(cut));
        client.send("private/buy", order(&exchange, "x")).await;
        assert_eq!(client.end().await, End::Abrupt);
        let mut client = back(&exchange).await;
        assert_eq!(by_label(&mut client, "x").await[0]["order_state"], "open");
        let ledger = exchange.ledger();
        assert!(ledger.requests[0].matched.is_some() && ledger.requests[0].answered.is_none());
    }
}

#[tokio::test]
async fn an_answer_can_be_the_last_thing_said() {
    let (exchange, mut client) = start().await;
    exchange.command("answer-then-cut").unwrap();
    client.result("private/buy", order(&exchange, "x")).await;
    assert_eq!(client.end().await, End::Abrupt);
    assert!(exchange.ledger().requests[0].answered.is_some());
}

#[tokio::test]
async fn an_answer_can_be_lost_alone() {
    let (exchange, mut client) = start().await;
    exchange.fault(Target::All, Fault::LoseMatchReply);
    // A fault of the engine's leaves other calls alone.
    client.result("public/get_time", json!({})).await;
    let id = client.send("private/buy", order(&exchange, "x")).await;
    soon(exchange.wait_for(|exchange| !exchange.ledger().orders.is_empty())).await;
    assert_eq!(by_label(&mut client, "x").await.len(), 1);
    assert!(client.passed.iter().all(|frame| frame["id"] != id));
    assert_eq!(exchange.ledger().requests[0].answered, None);
}

#[tokio::test]
async fn an_order_can_be_carried_out_when_its_connection_is_long_gone() {
    let (exchange, mut client) = start().await;
    exchange.fault(Target::All, Fault::CutThenMatch(Cut::Reset, HELD));
    client.send("private/buy", order(&exchange, "late")).await;
    assert_eq!(client.end().await, End::Abrupt);
    let mut client = back(&exchange).await;
    assert!(!exchange.is_idle());
    assert_eq!(by_label(&mut client, "late").await.len(), 0, "a look before it is carried out finds nothing");
    exchange.release();
    soon(exchange.wait_for(Exchange::is_idle)).await;
    assert_eq!(by_label(&mut client, "late").await[0]["order_state"], "open");
}

#[tokio::test]
async fn a_delayed_match_is_overtaken() {
    let (exchange, mut client) = start().await;
    exchange.fault(Target::All, Fault::DelayMatch(HELD));
    let late = client.send("private/buy", order(&exchange, "late")).await;
    client.result("private/buy", order(&exchange, "early")).await;
    exchange.command("release").unwrap();
    assert_eq!(client.frame().await["id"], late);
    let labels: Vec<String> = exchange.ledger().orders.iter().map(|order| order.label.clone()).collect();
    assert_eq!(labels, ["early", "late"]);
}

#[tokio::test]
async fn a_late_order_misses_its_deadline() {
    let (exchange, mut client) = start().await;
    exchange.fault(Target::All, Fault::DelayMatch(Duration::from_millis(60)));
    let now = client.result("public/get_time", json!({})).await.as_i64().unwrap();
    let mut late = order(&exchange, "late");
    late["valid_until"] = json!(now + 30);
    assert_eq!(client.error("private/buy", late, 13888).await["message"], "timed_out");
    assert!(exchange.ledger().orders.is_empty());
}

#[tokio::test]
async fn a_mass_cancel_purges_what_still_waits() {
    let (exchange, mut client) = start().await;
    exchange.fault(Target::All, Fault::DelayMatch(HELD));
    let waiting = client.send("private/buy", order(&exchange, "w")).await;
    assert_eq!(client.result("private/cancel_all", json!({})).await, 0);
    let purged = client.passed.iter().find(|frame| frame["id"] == waiting).unwrap();
    assert_eq!((&purged["error"]["code"], exchange.is_idle()), (&json!(13666), true));
    assert!(exchange.ledger().orders.is_empty());
}

#[tokio::test]
async fn nine_at_once_are_one_too_many() {
    let free = CreditPolicy { enforced: false, ..CreditPolicy::default() };
    let exchange = orderly().frozen(true).credits(free).matching_latency(HELD).start().await.unwrap();
    let mut client = back(&exchange).await;
    for n in 0..9 {
        client.send("private/buy", order(&exchange, &format!("n{n}"))).await;
    }
    assert_eq!(client.frame().await["error"]["code"], 10047);
    exchange.release();
    for _ in 0..8 {
        assert!(client.frame().await.get("result").is_some());
    }
    assert_eq!(exchange.ledger().orders.len(), 8);
}

#[tokio::test]
async fn orders_are_counted_by_the_tier_of_the_account() {
    let still = CreditPolicy { refill_percent: 0, ..CreditPolicy::default() };
    let account = Account::new("third").key("third", "third-secret").tier(Tier::Three);
    let exchange = orderly().frozen(true).credits(still).account(account).start().await.unwrap();
    let mut client = trader(&exchange, "third").await;
    let params = json!({ "currency": "BTC", "extended": true });
    let summary = client.result("private/get_account_summary", params).await;
    assert_eq!(summary["limits"]["matching_engine"]["trading"]["total"]["burst"], 30);
    for n in 0..30 {
        client.result("private/buy", order(&exchange, &format!("n{n}"))).await;
    }
    // Mass cancels have a bucket of their own.
    assert_eq!(client.result("private/cancel_all", json!({})).await, 30);
    assert_eq!(
        client.error("private/buy", order(&exchange, "x"), 10028).await["message"],
        "too_many_requests"
    );
    assert_eq!(client.end().await, End::Abrupt);
    soon(exchange.wait_until(|journal| {
        journal.connections().all(|c| c.closed.as_ref().is_some_and(|(_, why)| *why == Closed::NoCredits))
    }))
    .await;
    assert_eq!(exchange.ledger().requests.len(), 31);
}

/// Whether the answer came; when none can come any more, that is the end.
async fn answer_or_end(exchange: &Exchange, client: &mut Client, id: u64) -> bool {
    let mut asked = client.try_send("public/get_time", json!({})).await;
    loop {
        let frame: Value = match client.message().await {
            Some(Ok(message)) if message.is_text() => {
                serde_json::from_str(message.to_text().unwrap()).unwrap()
            }
            Some(Ok(_)) => continue,
            Some(Err(_)) | None => return false,
        };
        match &frame["id"] {
            answered if *answered == id => return true,
            // What was carried out before this was asked would be answered before it.
            idle if *idle == asked && exchange.is_idle() => {
                let last = client.try_send("public/get_time", json!({})).await;
                return client.find_or_end(|frame| frame["id"] == id || frame["id"] == last).await
                    == Some(json!(id));
            }
            again if *again == asked => asked = client.try_send("public/get_time", json!({})).await,
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_hazard_strikes_some_and_the_ledger_tells_which() {
    let free = CreditPolicy { enforced: false, ..CreditPolicy::default() };
    let exchange = orderly().frozen(true).credits(free).hazard(3).start().await.unwrap();
    let mut client = back(&exchange).await;
    let mut answered = Vec::new();
    for n in 0..60 {
        let label = format!("h{n}");
        let id = client.try_send("private/buy", order(&exchange, &label)).await;
        if answer_or_end(&exchange, &mut client, id).await {
            answered.push(label);
        } else {
            client = back(&exchange).await;
        }
    }
    exchange.hazard(None);
    soon(exchange.wait_for(Exchange::is_idle)).await;
    let ledger = exchange.ledger();
    assert!(ledger.duplicate_labels().is_empty());
    let never = ledger.requests.iter().filter(|request| request.matched.is_none()).count();
    let silent = ledger.requests.iter().filter(|r| r.matched.is_some() && r.answered.is_none()).count();
    assert!(never > 0 && silent > 0 && answered.len() > 20, "{never} {silent} {}", answered.len());
    for request in &ledger.requests {
        let label = request.label.as_deref().unwrap();
        assert_eq!(ledger.with_label(label).count(), usize::from(request.matched.is_some()), "{label}");
    }
    assert!(answered.iter().all(|label| ledger.with_label(label).count() == 1));
}

#[tokio::test]
async fn the_ledger_is_on_the_wire_too() {
    let exchange = orderly().frozen(true).control(true).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.log_in(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET).await;
    let placed = client.result("private/buy", order(&exchange, "w")).await["order"].clone();
    let ledger = client.result("local/ledger", json!({ "label": "w" })).await;
    assert_eq!(ledger["requests"][0]["order_id"], placed["order_id"]);
    assert_eq!(ledger["orders"][0]["order_state"], "open");
    assert_eq!(ledger["duplicate_labels"], json!([]));
    assert_eq!(client.result("local/fault", json!({ "command": "cut-after-match" })).await, "ok");
    client.send("private/buy", order(&exchange, "gone")).await;
    assert_eq!(client.end().await, End::Abrupt);
}

#[tokio::test]
async fn an_error_can_hide_that_the_order_is_there() {
    let (exchange, mut client) = start().await;
    exchange.fault(Target::All, Fault::FailAfterMatch(11094));
    let error = client.error("private/buy", order(&exchange, "x"), 11094).await;
    assert_eq!(error["message"], "internal_server_error");
    assert_eq!(by_label(&mut client, "x").await[0]["order_state"], "open");
}

#[tokio::test]
async fn calls_can_fail_with_any_code_before_anything_is_done() {
    let (exchange, mut client) = start().await;
    exchange.command("fail private/buy 10040 2").unwrap();
    for _ in 0..2 {
        assert_eq!(client.error("private/buy", order(&exchange, "x"), 10040).await["message"], "retry");
    }
    client.result("private/buy", order(&exchange, "x")).await;
    assert_eq!(exchange.ledger().requests.len(), 1);
    exchange.command("fail public/auth 13004").unwrap();
    let mut late = Client::connect(&exchange).await;
    let login =
        json!({ "grant_type": "client_credentials", "client_id": "local", "client_secret": "local-secret" });
    late.error("public/auth", login.clone(), 13004).await;
    late.result("public/auth", login).await;
    exchange.fault(Target::All, Fault::FailCalls { method: "public/auth".into(), code: 0, count: 0 });
    back(&exchange).await;
}
