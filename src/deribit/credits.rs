//! The venue's rate limits as data.
//!
//! Source: Deribit's article on rate limits (2026). Every pool refills by 10,000 credits a second; the matching
//! engine counts requests, by the account's tier. The venue ends the connection of a client that overdraws (10028),
//! so nothing may be sent that these do not cover.

use std::borrow::Cow;

use crate::session::limiter::{Bucket, Cost, Lane};

/// The account's allowance at the matching engine. The real one is in `limits` of
/// `private/get_account_summary` with `extended`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matching {
    /// Requests a second, sustained.
    pub rate: u64,
    /// Requests at once.
    pub burst: u64,
}

impl Matching {
    /// Over 25 million dollars traded in seven days.
    pub const TIER_1: Self = Self { rate: 30, burst: 100 };
    /// Over 5 million dollars.
    pub const TIER_2: Self = Self { rate: 20, burst: 50 };
    /// Over 1 million dollars.
    pub const TIER_3: Self = Self { rate: 10, burst: 30 };
    /// Up to 1 million dollars: every new account.
    pub const TIER_4: Self = Self { rate: 5, burst: 20 };
}

const DEFAULT: usize = 0;
const MATCHING: usize = 1;
const SUBSCRIBE: usize = 2;
const INSTRUMENTS: usize = 3;
const TRANSACTION_LOG: usize = 4;
const MOVE_POSITIONS: usize = 5;

const REFILL: u64 = 10_000;

/// Two answers to the server's heartbeat: they come 10 seconds apart at the least, so they never wait.
const HEARTBEAT_RESERVE: u64 = 1_000;

/// How unevenly late requests may reach the venue, in thousandths of a second. A pool there refills from when a
/// request comes, ours from when it leaves: after one that was late on its way, the venue holds less than we count.
const UNEVENNESS: u64 = 300;

/// The buckets, in the order that costs count them. Each holds as much less than the published pool as that refills
/// in 0.3 seconds, so that no uneven delay up to this overdraws it.
///
/// A fifth of the matching engine's burst is kept for cancels. The limit of 100 `private/move_positions` a week is
/// left to the server.
pub(super) fn buckets(matching: Matching) -> Vec<Bucket> {
    let held_back = |refill: u64| (refill * UNEVENNESS).div_ceil(1000);
    let pool = |name, published| Bucket {
        name,
        capacity: published - held_back(REFILL),
        refill: REFILL,
        reserve: 0,
    };
    vec![
        Bucket { reserve: HEARTBEAT_RESERVE, ..pool("non-matching", 50_000) },
        Bucket {
            name: "matching",
            // An allowance of one's own may be smaller than what is held back.
            capacity: matching.burst.saturating_sub(held_back(matching.rate)).max(1),
            refill: matching.rate,
            reserve: matching.burst / 5,
        },
        pool("subscribe", 30_000),
        pool("get_instruments", 500_000),
        pool("get_transaction_log", 80_000),
        pool("move_positions", 600_000),
    ]
}

/// What a method takes.
pub(super) fn cost(method: &str) -> Cow<'static, [Cost]> {
    Cow::Borrowed(match method {
        "public/subscribe" | "private/subscribe" => &[Cost { bucket: SUBSCRIBE, credits: 3_000 }],
        "public/get_instruments" => &[Cost { bucket: INSTRUMENTS, credits: 10_000 }],
        "private/get_transaction_log" => &[Cost { bucket: TRANSACTION_LOG, credits: 10_000 }],
        "private/move_positions" => {
            &[Cost { bucket: MOVE_POSITIONS, credits: 100_000 }, Cost { bucket: MATCHING, credits: 1 }]
        }
        method if is_matching(method) => &[Cost { bucket: MATCHING, credits: 1 }],
        _ => &[Cost { bucket: DEFAULT, credits: 500 }],
    })
}

/// Cancels, and answers to the server's heartbeat, go first.
pub(super) fn lane(method: &str) -> Lane {
    let urgent = method == "public/test" || (is_matching(method) && method.starts_with("private/cancel"));
    if urgent { Lane::Urgent } else { Lane::Normal }
}

/// Whether the method is counted by the matching engine. Mass quotes, spot orders and cancels of everything have
/// allowances of their own beside it, which the venue does not publish; counting them here never overdraws.
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

    /// How many requests go out at once, and how many in the hundred seconds after.
    fn burst_and_sustained(method: &str, lane: Lane) -> (usize, usize) {
        let limiter = Limiter::new(buckets(Matching::TIER_4));
        let drain = |now| (0..10_000).take_while(|_| limiter.spend(now, &cost(method), lane).is_ok()).count();
        let burst = drain(T0);
        let sustained = (1..=1000).map(|tenth| drain(T0 + Duration::from_millis(tenth * 100))).sum();
        (burst, sustained)
    }

    #[test]
    fn the_published_table_less_what_is_held_back() {
        assert_eq!(burst_and_sustained("public/get_time", Lane::Urgent), (94, 2000));
        assert_eq!(burst_and_sustained("public/get_instruments", Lane::Normal), (49, 100));
        assert_eq!(burst_and_sustained("public/subscribe", Lane::Normal), (9, 333));
        assert_eq!(burst_and_sustained("private/get_transaction_log", Lane::Normal), (7, 100));
        assert_eq!(burst_and_sustained("private/move_positions", Lane::Normal), (5, 10));
        assert_eq!(burst_and_sustained("private/cancel", Lane::Urgent), (18, 500));
    }

    /// The venue's pool as it sees requests come, the first of them late.
    #[test]
    fn a_burst_that_arrives_late_does_not_overdraw() {
        for method in ["public/get_time", "public/subscribe", "public/get_instruments"] {
            let ours = Limiter::new(buckets(Matching::TIER_4));
            let published = [("", 50_000), ("", 1_000), ("", 30_000), ("", 500_000)];
            let venue = Limiter::new(published.map(|(name, capacity)| Bucket {
                name,
                capacity,
                refill: REFILL,
                reserve: 0,
            }));
            for millis in 0..5_000 {
                let now = T0 + Duration::from_millis(millis);
                let late = if millis == 0 { Duration::from_millis(299) } else { Duration::ZERO };
                while ours.spend(now, &cost(method), Lane::Urgent).is_ok() {
                    let arrival = (now + late).max(T0 + Duration::from_millis(299));
                    assert!(
                        venue.spend(arrival, &cost(method), Lane::Urgent).is_ok(),
                        "{method} at {millis}"
                    );
                }
            }
        }
    }

    #[test]
    fn cancels_and_heartbeats_find_credits_when_orders_and_queries_took_all_they_may() {
        let limiter = Limiter::new(buckets(Matching::TIER_4));
        for method in ["private/buy", "public/ticker"] {
            while limiter.spend(T0, &cost(method), lane(method)).is_ok() {}
        }
        for method in ["private/cancel", "private/cancel_all", "public/test", "public/test"] {
            assert!(limiter.spend(T0, &cost(method), lane(method)).is_ok(), "{method}");
        }
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
