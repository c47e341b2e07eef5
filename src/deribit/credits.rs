//! The venue's rate limits as data, and what each request takes from them.
//!
//! Source: Deribit's article on rate limits (2026). Every pool refills by 10,000 credits a second; the matching
//! engine counts requests, by the account's tier. The venue ends the connection of a client that overdraws (10028),
//! so nothing may be sent that these do not cover.

use std::borrow::Cow;

use super::limits::{Limits, Matching};
use crate::json::{self, Reader, Str};
use crate::protocol::Request;
use crate::session::limiter::{Bucket, Cost, Lane, Refill};

const DEFAULT: usize = 0;
const MATCHING: usize = 1;
const SPOT: usize = 2;
const CANCEL_ALL: usize = 3;
const MASS_QUOTES: usize = 4;
const QUOTES: usize = 5;
const SUBSCRIBE: usize = 6;
const INSTRUMENTS: usize = 7;
const TRANSACTION_LOG: usize = 8;
const MOVE_POSITIONS: usize = 9;
const IN_FLIGHT: usize = 10;

/// What most pools get back each second.
const REFILL: u64 = 10_000;

/// What most requests cost.
const CALL: u64 = 500;

/// Two answers to the server's heartbeat: they come 10 seconds apart at the least, so they never wait.
const HEARTBEAT_RESERVE: u64 = 1_000;

/// How unevenly late requests may reach the venue, in thousandths of a second. A pool there refills from when a
/// request comes, ours from when it leaves: after one that was late on its way, the venue holds less than we count.
const UNEVENNESS: u64 = 300;

/// The matching engine queues 8 requests of an account and refuses more (10047). Triggers use the queue too.
const QUEUE: u64 = 8;

/// The buckets, in the order that costs count them. Each holds as much less than the venue's own as that refills
/// in 0.3 seconds, so that no uneven delay up to this overdraws it.
///
/// A fifth of the matching engine's burst is kept for cancels, and one place of its queue. The limit of 100
/// `private/move_positions` a week is left to the server.
pub(super) fn buckets(limits: &Limits) -> Vec<Bucket> {
    let pool = |name, capacity| bucket(name, capacity, REFILL, 0);
    let orders = |name, Matching { rate, burst }| bucket(name, burst, rate, burst / 5);
    let quotes = |name, Matching { rate, burst }| bucket(name, burst, rate, 0);
    let Matching { rate, burst } = limits.non_matching;
    vec![
        bucket("non-matching", burst * CALL, rate * CALL, HEARTBEAT_RESERVE),
        orders("matching", limits.matching),
        orders("spot", limits.spot),
        quotes("cancel_all", limits.cancel_all),
        quotes("mass_quote", limits.mass_quotes),
        quotes("quotes", limits.quotes),
        pool("subscribe", 30_000),
        pool("get_instruments", 500_000),
        pool("get_transaction_log", 80_000),
        pool("move_positions", 600_000),
        Bucket { name: "in flight", capacity: QUEUE - 1, refill: Refill::WhenAnswered, reserve: 1 },
    ]
}

fn bucket(name: &'static str, published: u64, refill: u64, reserve: u64) -> Bucket {
    // An allowance of one's own may be smaller than what is held back.
    let capacity = published.saturating_sub(refill.saturating_mul(UNEVENNESS).div_ceil(1000)).max(1);
    Bucket { name, capacity, refill: Refill::PerSecond(refill), reserve: reserve.min(capacity - 1) }
}

const fn take(bucket: usize, credits: u64) -> Cost {
    Cost { bucket, credits }
}

const OTHER: &[Cost] = &[take(DEFAULT, CALL)];
const SUBSCRIBING: &[Cost] = &[take(SUBSCRIBE, 3_000)];
const LISTING: &[Cost] = &[take(INSTRUMENTS, 10_000)];
const LOGGING: &[Cost] = &[take(TRANSACTION_LOG, 10_000)];
const MOVING: &[Cost] = &[take(MOVE_POSITIONS, 100_000), take(MATCHING, 1), take(IN_FLIGHT, 1)];
const CANCELLING_ALL: &[Cost] = &[take(CANCEL_ALL, 1), take(IN_FLIGHT, 1)];
const ORDERING: &[Cost] = &[take(MATCHING, 1), take(IN_FLIGHT, 1)];
const ORDERING_SPOT: &[Cost] = &[take(SPOT, 1), take(IN_FLIGHT, 1)];
/// No document says whether it counts as a cancel or as a quote.
const CANCELLING_QUOTES: &[Cost] = &[take(MATCHING, 1), take(MASS_QUOTES, 1), take(IN_FLIGHT, 1)];
/// Nothing in the request says which of the two it is.
const ORDERING_EITHER: &[Cost] = &[take(MATCHING, 1), take(SPOT, 1), take(IN_FLIGHT, 1)];

/// What a request takes.
pub(super) fn cost(request: &Request) -> Cow<'static, [Cost]> {
    let params = request.params.as_deref().unwrap_or_default();
    Cow::Borrowed(match &*request.method {
        "public/subscribe" | "private/subscribe" => SUBSCRIBING,
        "public/get_instruments" => LISTING,
        "private/get_transaction_log" => LOGGING,
        "private/move_positions" => MOVING,
        "private/cancel_all" => CANCELLING_ALL,
        "private/cancel_by_label" if member(params, "currency").is_none() => CANCELLING_ALL,
        "private/cancel_quotes" => CANCELLING_QUOTES,
        "private/mass_quote" => {
            let quotes = take(QUOTES, quotes(params));
            return Cow::Owned(vec![take(MASS_QUOTES, 1), quotes, take(IN_FLIGHT, 1)]);
        }
        method if is_matching(method) => match is_spot(params) {
            Some(true) => ORDERING_SPOT,
            Some(false) => ORDERING,
            None => ORDERING_EITHER,
        },
        _ => OTHER,
    })
}

/// Cancels, and answers to the server's heartbeat, go first.
pub(super) fn lane(method: &str) -> Lane {
    let urgent = method == "public/test" || (is_matching(method) && method.starts_with("private/cancel"));
    if urgent { Lane::Urgent } else { Lane::Normal }
}

/// Whether the matching engine carries the method out.
fn is_matching(method: &str) -> bool {
    matches!(
        method,
        "private/buy"
            | "private/sell"
            | "private/edit"
            | "private/edit_by_label"
            | "private/cancel"
            | "private/cancel_by_label"
            | "private/cancel_all"
            | "private/cancel_all_by_instrument"
            | "private/cancel_all_by_currency"
            | "private/cancel_all_by_currency_pair"
            | "private/cancel_all_by_kind_or_type"
            | "private/cancel_quotes"
            | "private/close_position"
            | "private/mass_quote"
            | "private/move_positions"
            | "private/verify_block_trade"
            | "private/execute_block_trade"
            | "private/add_block_rfq_quote"
            | "private/edit_block_rfq_quote"
            | "private/cancel_block_rfq_quote"
            | "private/cancel_all_block_rfq_quotes"
    )
}

/// Whether a request trades spot, if it says what it trades. Spot instruments are named by their two currencies
/// (`BTC_USDC`); all others have a hyphen.
fn is_spot(params: &str) -> Option<bool> {
    let name = Str::of(member(params, "instrument_name")?)?.text();
    Some(name.contains('_') && !name.contains('-'))
}

/// How many quotes a mass quote holds, each side counted.
fn quotes(params: &str) -> u64 {
    let sides = |quote: &[u8]| {
        let mut sides = 0;
        let _ = json::members(quote, |name, _| sides += u64::from(name == *"bid" || name == *"ask"));
        sides
    };
    let count = |quotes: &[u8]| {
        let (mut reader, mut count) = (Reader::new(quotes), 0);
        reader.array()?;
        while reader.element()? {
            count += sides(reader.value()?);
        }
        Ok::<_, json::Malformed>(count)
    };
    member(params, "quotes").and_then(|quotes| count(quotes).ok()).unwrap_or(0).max(1)
}

/// One of the parameters.
fn member<'a>(params: &'a str, wanted: &str) -> Option<&'a [u8]> {
    let mut found = None;
    let read = json::members(params.as_bytes(), |name, value| {
        if name == *wanted {
            found = Some(value);
        }
    });
    found.filter(|_| read.is_ok())
}

/// Whether making the request twice does no harm: it reads, or sets what is set already. Of public methods only those
/// that hand out tokens change anything.
pub(super) fn is_idempotent(method: &str) -> bool {
    match method {
        "public/auth" | "public/exchange_token" | "public/fork_token" => false,
        "private/subscribe" | "private/unsubscribe" | "private/unsubscribe_all" => true,
        method => method.starts_with("public/") || method.starts_with("private/get_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::limiter::Limiter;
    use crate::time::Instant;
    use std::time::Duration;

    const T0: Instant = Instant::from_nanos(1);

    fn tier_4() -> Limiter {
        Limiter::new(buckets(&Limits::of(Matching::TIER_4)))
    }

    fn request(method: &'static str, params: &str) -> Request {
        Request { method: method.into(), params: Some(params.into()) }
    }

    /// Whether a request may leave. It is answered at once.
    fn pass(limiter: &Limiter, now: Instant, method: &'static str) -> bool {
        let cost = cost(&Request::new(method));
        let passes = limiter.spend(now, &cost, lane(method)).is_ok();
        if passes {
            limiter.give_back(&cost);
        }
        passes
    }

    /// How many requests go out at once, and how many in the hundred seconds after.
    fn burst_and_sustained(method: &'static str) -> (usize, usize) {
        let limiter = tier_4();
        let drain = |now| (0..10_000).take_while(|_| pass(&limiter, now, method)).count();
        let burst = drain(T0);
        let sustained = (1..=1000).map(|tenth| drain(T0 + Duration::from_millis(tenth * 100))).sum();
        (burst, sustained)
    }

    #[test]
    fn the_published_table_less_what_is_held_back() {
        assert_eq!(burst_and_sustained("public/test"), (94, 2000));
        assert_eq!(burst_and_sustained("public/get_time"), (92, 2000));
        assert_eq!(burst_and_sustained("public/get_instruments"), (49, 100));
        assert_eq!(burst_and_sustained("public/subscribe"), (9, 333));
        assert_eq!(burst_and_sustained("private/get_transaction_log"), (7, 100));
        assert_eq!(burst_and_sustained("private/move_positions"), (5, 10));
        assert_eq!(burst_and_sustained("private/cancel"), (18, 500));
        assert_eq!(burst_and_sustained("private/buy"), (14, 500));
        assert_eq!(burst_and_sustained("private/cancel_all"), (18, 500));
        assert_eq!(burst_and_sustained("private/mass_quote"), (8, 500));
    }

    #[test]
    fn what_a_request_takes_depends_on_what_it_trades() {
        let buckets = |method, params: &str| {
            cost(&request(method, params)).iter().map(|cost| cost.bucket).collect::<Vec<_>>()
        };
        let perpetual = r#"{"amount":10,"instrument_name":"BTC-PERPETUAL"}"#;
        let linear = r#"{"instrument_name":"XRP_USDC-30JUN23-0d625-C"}"#;
        let spot = r#"{"instrument_name":"BTC_USDC"}"#;
        assert_eq!(buckets("private/buy", perpetual), [MATCHING, IN_FLIGHT]);
        assert_eq!(buckets("private/sell", linear), [MATCHING, IN_FLIGHT]);
        assert_eq!(buckets("private/close_position", spot), [SPOT, IN_FLIGHT]);
        assert_eq!(buckets("private/cancel", r#"{"order_id":"1"}"#), [MATCHING, SPOT, IN_FLIGHT]);
        assert_eq!(buckets("private/cancel_by_label", r#"{"label":"x"}"#), [CANCEL_ALL, IN_FLIGHT]);
        let in_currency = r#"{"label":"x","currency":"BTC"}"#;
        assert_eq!(buckets("private/cancel_by_label", in_currency), [MATCHING, SPOT, IN_FLIGHT]);
        assert_eq!(buckets("private/cancel_quotes", "{}"), [MATCHING, MASS_QUOTES, IN_FLIGHT]);
        assert_eq!(buckets("private/get_positions", spot), [DEFAULT]);
        for garbled in ["", "[]", "{", r#"{"instrument_name":7}"#] {
            assert_eq!(buckets("private/buy", garbled), [MATCHING, SPOT, IN_FLIGHT], "{garbled}");
        }
    }

    #[test]
    fn each_side_of_a_quote_counts() {
        let side = r#"{"price":1,"amount":1}"#;
        let both = format!(r#"{{"instrument_name":"A","bid":{side},"ask":{side}}}"#);
        let one = format!(r#"{{"instrument_name":"B","ask":{side}}}"#);
        let params = format!(r#"{{"quote_id":"q","quotes":[{both},{one},{both}]}}"#);
        let count = |params: &str| {
            cost(&request("private/mass_quote", params))
                .iter()
                .find(|cost| cost.bucket == QUOTES)
                .unwrap()
                .credits
        };
        assert_eq!(count(&params), 5);
        assert_eq!((count("{}"), count(r#"{"quotes":7}"#)), (1, 1));
    }

    #[test]
    fn fewer_are_on_their_way_than_the_venue_queues() {
        let limiter = Limiter::new(buckets(&Limits::of(Matching { rate: 1_000, burst: 10_000 })));
        let fly = |method: &'static str| {
            let cost = cost(&Request::new(method));
            (0..100).take_while(|_| limiter.spend(T0, &cost, lane(method)).is_ok()).count()
        };
        // One place is kept for what takes risk away.
        assert_eq!(
            (fly("private/buy"), fly("private/edit"), fly("private/cancel"), fly("private/cancel_all")),
            (6, 0, 1, 0)
        );
    }

    /// The venue's pool as it sees requests come, the first of them late.
    #[test]
    fn a_burst_that_arrives_late_does_not_overdraw() {
        for (method, published, price) in [
            ("public/test", 50_000, CALL),
            ("public/subscribe", 30_000, 3_000),
            ("public/get_instruments", 500_000, 10_000),
        ] {
            let ours = tier_4();
            let refill = Refill::PerSecond(REFILL);
            let venue = Limiter::new([Bucket { name: "", capacity: published, refill, reserve: 0 }]);
            for millis in 0..5_000 {
                let now = T0 + Duration::from_millis(millis);
                let late = if millis == 0 { Duration::from_millis(299) } else { Duration::ZERO };
                while pass(&ours, now, method) {
                    let arrival = (now + late).max(T0 + Duration::from_millis(299));
                    let paid = venue.spend(arrival, &[take(0, price)], Lane::Urgent);
                    assert!(paid.is_ok(), "{method} at {millis}");
                }
            }
        }
    }

    #[test]
    fn cancels_and_heartbeats_find_credits_when_orders_and_queries_took_all_they_may() {
        let limiter = tier_4();
        for method in ["private/buy", "public/ticker"] {
            while pass(&limiter, T0, method) {}
        }
        for method in ["private/cancel", "private/cancel_all", "public/test", "public/test"] {
            assert!(pass(&limiter, T0, method), "{method}");
        }
    }

    #[test]
    fn the_smallest_allowance_still_lets_something_through() {
        let limiter = Limiter::new(buckets(&Limits::of(Matching { rate: 1, burst: 1 })));
        assert!(pass(&limiter, T0, "private/buy"));
    }

    #[test]
    fn lanes() {
        for method in ["private/cancel", "private/cancel_all", "private/cancel_quotes", "public/test"] {
            assert_eq!(lane(method), Lane::Urgent, "{method}");
        }
        for method in ["private/buy", "private/cancel_withdrawal", "private/edit", "public/get_time"] {
            assert_eq!(lane(method), Lane::Normal, "{method}");
        }
    }

    #[test]
    fn orders_are_never_idempotent() {
        for method in ["private/buy", "private/cancel", "private/edit", "private/withdraw", "public/auth"] {
            assert!(!is_idempotent(method), "{method}");
        }
        for method in ["public/get_time", "private/get_positions", "private/subscribe"] {
            assert!(is_idempotent(method), "{method}");
        }
    }
}
