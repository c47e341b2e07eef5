//! The venue's buckets, one set per account, or per address for those who are not logged in: whole credits,
//! refilled continuously, charged per call.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::accounts::AccountId;

/// A credit is counted in millionths, so that a refill of any number of microseconds is exact.
const PARTS: u64 = 1_000_000;

/// How strictly the exchange counts credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditPolicy {
    /// Refuse calls that the budget does not cover. Spending is counted either way.
    pub enforced: bool,
    /// The size of each pool, as a percentage of the published one.
    pub pool_percent: u64,
    /// The speed of the refill, as a percentage of the published one.
    pub refill_percent: u64,
}

impl Default for CreditPolicy {
    fn default() -> Self {
        Self { enforced: true, pool_percent: 100, refill_percent: 100 }
    }
}

/// How much an account may ask of the matching engine; the venue sets it by what was traded in seven days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tier {
    /// 30 requests a second, 100 at once: above $25M.
    One,
    /// 20 requests a second, 50 at once: above $5M.
    Two,
    /// 10 requests a second, 30 at once: above $1M.
    Three,
    /// 5 requests a second, 20 at once: everyone else.
    #[default]
    Four,
}

impl Tier {
    /// Requests a second.
    pub fn rate(self) -> u64 {
        match self {
            Self::One => 30,
            Self::Two => 20,
            Self::Three => 10,
            Self::Four => 5,
        }
    }

    /// Requests at once.
    pub fn burst(self) -> u64 {
        match self {
            Self::One => 100,
            Self::Two => 50,
            Self::Three => 30,
            Self::Four => 20,
        }
    }
}

/// The kinds of bucket that calls of this exchange draw from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bucket {
    /// Every call that has no bucket of its own.
    NonMatching,
    /// `public/get_instruments`.
    Instruments,
    /// `public/subscribe` and `private/subscribe`.
    Subscribe,
    /// `private/get_transaction_log`.
    TransactionLog,
    /// Orders, edits and cancels: one credit each, by the account's [`Tier`].
    Matching,
    /// `private/cancel_all`, and `private/cancel_by_label` without a currency: likewise, apart from the others.
    CancelAll,
    /// `private/mass_quote` and `private/cancel_quotes`.
    Quotes,
}

impl Bucket {
    /// The bucket of a call.
    pub(crate) fn of(method: &str, params: &Map<String, Value>) -> Self {
        match method {
            "public/get_instruments" => Self::Instruments,
            "public/subscribe" | "private/subscribe" => Self::Subscribe,
            "private/get_transaction_log" => Self::TransactionLog,
            "private/cancel_all" => Self::CancelAll,
            "private/cancel_by_label" if !params.contains_key("currency") => Self::CancelAll,
            "private/mass_quote" | "private/cancel_quotes" => Self::Quotes,
            "private/buy"
            | "private/sell"
            | "private/edit"
            | "private/edit_by_label"
            | "private/cancel"
            | "private/cancel_by_label"
            | "private/close_position" => Self::Matching,
            method if method.starts_with("private/cancel_all_by_") => Self::Matching,
            _ => Self::NonMatching,
        }
    }

    /// What one call costs.
    pub fn cost(self) -> u64 {
        match self {
            Self::NonMatching => 500,
            Self::Instruments | Self::TransactionLog => 10_000,
            Self::Subscribe => 3_000,
            Self::Matching | Self::CancelAll | Self::Quotes => 1,
        }
    }

    /// How much a full pool holds; that of the matching engine for the lowest tier.
    pub fn pool(self) -> u64 {
        self.pool_of(Tier::default())
    }

    /// How much comes back in a second; likewise.
    pub fn refill(self) -> u64 {
        self.refill_of(Tier::default())
    }

    fn pool_of(self, tier: Tier) -> u64 {
        match self {
            Self::NonMatching => 50_000,
            Self::Instruments => 500_000,
            Self::Subscribe => 30_000,
            Self::TransactionLog => 80_000,
            Self::Matching | Self::CancelAll => tier.burst(),
            Self::Quotes => 10,
        }
    }

    fn refill_of(self, tier: Tier) -> u64 {
        match self {
            Self::Matching | Self::CancelAll => tier.rate(),
            Self::Quotes => 10,
            _ => 10_000,
        }
    }
}

/// Who pays. The tier of an account never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Payer {
    Address(IpAddr),
    Account(AccountId, Tier),
}

impl Payer {
    fn tier(self) -> Tier {
        match self {
            Self::Address(_) => Tier::default(),
            Self::Account(_, tier) => tier,
        }
    }
}

#[derive(Debug)]
struct Level {
    parts: u64,
    at: Duration,
    spent: u64,
}

/// What everyone has left.
#[derive(Debug)]
pub(crate) struct Credits {
    policy: CreditPolicy,
    levels: HashMap<(Payer, Bucket), Level>,
    refused: u64,
}

impl Credits {
    pub(crate) fn new(policy: CreditPolicy) -> Self {
        Self { policy, levels: HashMap::new(), refused: 0 }
    }

    /// Charges one call at time `now`. False when the budget does not cover it; then nothing is charged.
    pub(crate) fn charge(&mut self, payer: Payer, bucket: Bucket, now: Duration) -> bool {
        let enforced = self.policy.enforced;
        let cost = bucket.cost() * PARTS;
        let level = self.refilled(payer, bucket, now);
        let covered = level.parts >= cost;
        if covered || !enforced {
            level.parts = level.parts.saturating_sub(cost);
            level.spent += bucket.cost();
            return true;
        }
        self.refused += 1;
        false
    }

    /// Whole credits that someone has left in a bucket.
    pub(crate) fn left(&mut self, payer: Payer, bucket: Bucket, now: Duration) -> u64 {
        self.refilled(payer, bucket, now).parts / PARTS
    }

    /// Credits spent from a bucket by everyone.
    pub(crate) fn spent(&self, bucket: Bucket) -> u64 {
        self.levels.iter().filter(|((_, of), _)| *of == bucket).map(|(_, level)| level.spent).sum()
    }

    /// Calls refused for want of credits.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// `limits` of an account summary, in calls.
    pub(crate) fn limits(&self, tier: Tier) -> Value {
        let limit = |bucket: Bucket| {
            let (burst, rate) = (self.full(bucket, tier), self.rate(bucket, tier) / 100);
            json!({ "burst": burst / bucket.cost(), "rate": rate / bucket.cost() })
        };
        json!({
            "limits_per_currency": false, "non_matching_engine": limit(Bucket::NonMatching),
            "matching_engine": {
                "trading": { "total": limit(Bucket::Matching) }, "spot": limit(Bucket::Matching),
                "cancel_all": limit(Bucket::CancelAll), "quotes": { "burst": 500, "rate": 500 },
                "max_quotes": limit(Bucket::Quotes), "guaranteed_quotes": { "burst": 2, "rate": 2 },
            },
        })
    }

    fn full(&self, bucket: Bucket, tier: Tier) -> u64 {
        bucket.pool_of(tier) * self.policy.pool_percent / 100
    }

    /// Hundredths of a credit a second.
    fn rate(&self, bucket: Bucket, tier: Tier) -> u64 {
        bucket.refill_of(tier) * self.policy.refill_percent
    }

    fn refilled(&mut self, payer: Payer, bucket: Bucket, now: Duration) -> &mut Level {
        let full = self.full(bucket, payer.tier()) * PARTS;
        let rate = self.rate(bucket, payer.tier());
        let level = self.levels.entry((payer, bucket)).or_insert(Level { parts: full, at: now, spent: 0 });
        let micros = u64::try_from(now.saturating_sub(level.at).as_micros()).unwrap_or(u64::MAX);
        // Only whole microseconds are credited, so only those move the mark.
        level.at += Duration::from_micros(micros);
        level.parts = full.min(level.parts.saturating_add(micros.saturating_mul(rate) / 100));
        level
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const IP: Payer = Payer::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));

    fn charge(credits: &mut Credits, payer: Payer, method: &str, now: Duration) -> bool {
        credits.charge(payer, Bucket::of(method, &Map::new()), now)
    }

    fn burst(credits: &mut Credits, payer: Payer, method: &str, now: Duration) -> usize {
        (0..1_000).take_while(|_| charge(credits, payer, method, now)).count()
    }

    #[test]
    fn bursts_are_the_published_ones() {
        let mut credits = Credits::new(CreditPolicy::default());
        for (method, count) in [
            ("public/ticker", 100),
            ("public/subscribe", 10),
            ("public/get_instruments", 50),
            ("private/get_transaction_log", 8),
        ] {
            assert_eq!(burst(&mut credits, IP, method, Duration::ZERO), count, "{method}");
        }
        assert_eq!(credits.refused(), 4);
    }

    #[test]
    fn orders_are_counted_by_tier_and_mass_cancels_apart() {
        let mut credits = Credits::new(CreditPolicy::default());
        for (account, tier, count) in
            [(1, Tier::One, 100), (2, Tier::Two, 50), (3, Tier::Three, 30), (4, Tier::Four, 20)]
        {
            let payer = Payer::Account(AccountId(account), tier);
            assert_eq!(burst(&mut credits, payer, "private/buy", Duration::ZERO), count);
            assert_eq!(burst(&mut credits, payer, "private/cancel", Duration::ZERO), 0);
            assert_eq!(burst(&mut credits, payer, "private/cancel_all", Duration::ZERO), count);
            assert_eq!(
                burst(&mut credits, payer, "private/sell", Duration::from_secs(1)),
                tier.rate() as usize
            );
        }
    }

    #[test]
    fn refill_is_exact_and_capped() {
        let mut credits = Credits::new(CreditPolicy::default());
        burst(&mut credits, IP, "public/subscribe", Duration::ZERO);
        let almost = Duration::from_micros(299_999);
        assert!(!charge(&mut credits, IP, "public/subscribe", almost));
        assert!(charge(&mut credits, IP, "public/subscribe", Duration::from_micros(300_000)));
        assert_eq!(credits.left(IP, Bucket::Subscribe, Duration::from_secs(3_600)), 30_000);
        assert_eq!(credits.spent(Bucket::Subscribe), 33_000);
    }

    #[test]
    fn nobody_shares() {
        let mut credits = Credits::new(CreditPolicy::default());
        burst(&mut credits, IP, "public/subscribe", Duration::ZERO);
        for other in [
            Payer::Address(Ipv4Addr::new(127, 0, 0, 2).into()),
            Payer::Account(AccountId(1), Tier::Four),
            Payer::Account(AccountId(2), Tier::Four),
        ] {
            assert!(charge(&mut credits, other, "public/subscribe", Duration::ZERO));
        }
    }
}
