use std::collections::BTreeSet;

use super::*;

fn error(code: i64, data: Option<&str>) -> RpcError {
    let mut error = RpcError::new(code, "message");
    error.data = data.map(str::to_owned);
    error.meaning = meaning(&error);
    error
}

fn advice(code: i64, data: Option<&str>) -> Advice {
    Error::Rejected(error(code, data)).advice()
}

#[test]
fn every_code_is_itself() {
    let mut numbers = BTreeSet::new();
    for code in Code::ALL {
        assert_eq!(Code::from(code.number()), *code);
        assert!(numbers.insert(code.number()), "{code:?}");
        assert!(!matches!(code.class(), Class::Other), "{code:?}");
    }
    assert_eq!(numbers.len(), 158);
    for unknown in [0, 1, 10008, 99999, i64::MIN, i64::MAX] {
        assert_eq!(Code::from(unknown), Code::Other(unknown));
        assert_eq!(Code::Other(unknown).number(), unknown);
    }
}

#[test]
fn the_rows_that_the_made_up_table_has_wrong() {
    for (number, name) in [
        (10001, "error"),
        (10028, "too_many_requests"),
        (10029, "not_owner_of_order"),
        (11054, "post_only_reject"),
        (13010, "value_required"),
    ] {
        assert_eq!(Code::from(number).name(), name);
    }
}

#[test]
fn an_order_may_have_been_executed_where_the_venue_does_not_know_itself() {
    for code in [10001, 10050, 11094, 13028, 31337] {
        let error = Error::Rejected(error(code, None));
        assert_eq!((error.executed(), error.advice()), (Executed::Unknown, Advice::Reconcile), "{code}");
    }
    for code in [10009, 10028, 10040, 10047, 11051, 13009, 13666, 13777, 13888, -32602] {
        assert_eq!(Error::Rejected(error(code, None)).executed(), Executed::No, "{code}");
    }
}

#[test]
fn categories() {
    for (code, category) in [
        (13009, Category::Authentication),
        (13021, Category::Authentication),
        (13778, Category::Authentication),
        (10028, Category::Application),
        (11051, Category::Application),
        (10043, Category::Application),
        (11050, Category::Protocol),
        (-32601, Category::Protocol),
        (4711, Category::Application),
    ] {
        assert_eq!(Error::Rejected(error(code, None)).category(), category, "{code}");
    }
}

#[test]
fn the_venue_says_how_long_to_wait() {
    let seconds = |seconds| Advice::Retry(Some(Duration::from_secs_f64(seconds)));
    assert_eq!(advice(13780, Some("{\"wait\":3}")), seconds(3.0));
    assert_eq!(advice(12998, Some("{\"wait\":2.5,\"more\":[]}")), seconds(2.5));
    assert_eq!(advice(10028, Some("{\"wait\":1}")), seconds(1.0));
    assert_eq!(advice(10028, None), seconds(5.0));
    for nonsense in
        ["{\"wait\":-1}", "{\"wait\":1e300}", "{\"wait\":\"soon\"}", "null", "[1]", "7", "\"wait\""]
    {
        assert_eq!(advice(13780, Some(nonsense)), Advice::Retry(None), "{nonsense}");
    }
    // A wait does not make something worth repeating.
    assert_eq!(advice(10043, Some("{\"wait\":3}")), Advice::Change);
}

#[test]
fn details() {
    let captured = Details::of(&error(-32602, Some("{\"reason\":\"invalid format\",\"param\":\"nonce\"}")));
    assert_eq!(captured.reason.as_deref(), Some("invalid format"));
    assert_eq!(captured.param.as_deref(), Some("nonce"));
    assert_eq!(Details::of(&error(11050, Some("\"invalid json\""))).reason.as_deref(), Some("invalid json"));
    for nothing in [None, Some("null"), Some("[]"), Some("{}"), Some("3")] {
        assert_eq!(Details::of(&error(1, nothing)), Details::default(), "{nothing:?}");
    }
}

#[test]
fn the_code_of_an_error() {
    let rejected = error(13020, None);
    assert_eq!(Code::of(&Error::Rejected(rejected.clone())), Some(Code::NotFound));
    let refused = Error::Refused { channel: "x".into(), reason: Refusal::Error(rejected) };
    assert_eq!(Code::of(&refused), Some(Code::NotFound));
    assert_eq!(Code::of(&Error::NotSent(crate::error::NotSent::Offline)), None);
}
