//! The venue's credit buckets, one set per address: whole credits, refilled continuously, charged per call.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

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

/// The kinds of bucket that calls of this exchange draw from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bucket {
    /// Every call that has no bucket of its own.
    NonMatching,
    /// `public/get_instruments`.
    Instruments,
    /// `public/subscribe` and `private/subscribe`.
    Subscribe,
}

impl Bucket {
    fn of(method: &str) -> Self {
        match method {
            "public/get_instruments" => Self::Instruments,
            "public/subscribe" | "private/subscribe" => Self::Subscribe,
            _ => Self::NonMatching,
        }
    }

    /// What one call costs.
    pub fn cost(self) -> u64 {
        match self {
            Self::NonMatching => 500,
            Self::Instruments => 10_000,
            Self::Subscribe => 3_000,
        }
    }

    /// How much a full pool holds.
    pub fn pool(self) -> u64 {
        match self {
            Self::NonMatching => 50_000,
            Self::Instruments => 500_000,
            Self::Subscribe => 30_000,
        }
    }

    /// How much comes back in a second.
    pub fn refill(self) -> u64 {
        10_000
    }
}

#[derive(Debug)]
struct Level {
    parts: u64,
    at: Duration,
    spent: u64,
}

/// What all addresses have left.
#[derive(Debug)]
pub(crate) struct Credits {
    policy: CreditPolicy,
    levels: HashMap<(IpAddr, Bucket), Level>,
    refused: u64,
}

impl Credits {
    pub(crate) fn new(policy: CreditPolicy) -> Self {
        Self { policy, levels: HashMap::new(), refused: 0 }
    }

    /// Charges one call at time `now`. False when the budget does not cover it; then nothing is charged.
    pub(crate) fn charge(&mut self, ip: IpAddr, method: &str, now: Duration) -> bool {
        let bucket = Bucket::of(method);
        let enforced = self.policy.enforced;
        let cost = bucket.cost() * PARTS;
        let level = self.refilled(ip, bucket, now);
        let covered = level.parts >= cost;
        if covered || !enforced {
            level.parts = level.parts.saturating_sub(cost);
            level.spent += bucket.cost();
            return true;
        }
        self.refused += 1;
        false
    }

    /// Whole credits that an address has left in a bucket.
    pub(crate) fn left(&mut self, ip: IpAddr, bucket: Bucket, now: Duration) -> u64 {
        self.refilled(ip, bucket, now).parts / PARTS
    }

    /// Credits spent from a bucket by all addresses.
    pub(crate) fn spent(&self, bucket: Bucket) -> u64 {
        self.levels.iter().filter(|((_, of), _)| *of == bucket).map(|(_, level)| level.spent).sum()
    }

    /// Calls refused for want of credits.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    fn refilled(&mut self, ip: IpAddr, bucket: Bucket, now: Duration) -> &mut Level {
        let full = bucket.pool() * self.policy.pool_percent / 100 * PARTS;
        let rate = bucket.refill() * self.policy.refill_percent / 100;
        let level = self.levels.entry((ip, bucket)).or_insert(Level { parts: full, at: now, spent: 0 });
        let micros = u64::try_from(now.saturating_sub(level.at).as_micros()).unwrap_or(u64::MAX);
        // Only whole microseconds are credited, so only those move the mark.
        level.at += Duration::from_micros(micros);
        level.parts = full.min(level.parts.saturating_add(micros.saturating_mul(rate)));
        level
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn burst(credits: &mut Credits, method: &str, now: Duration) -> usize {
        (0..1_000).take_while(|_| credits.charge(IP, method, now)).count()
    }

    #[test]
    fn bursts_are_the_published_ones() {
        let mut credits = Credits::new(CreditPolicy::default());
        assert_eq!(burst(&mut credits, "public/ticker", Duration::ZERO), 100);
        assert_eq!(burst(&mut credits, "public/subscribe", Duration::ZERO), 10);
        assert_eq!(burst(&mut credits, "public/get_instruments", Duration::ZERO), 50);
        assert_eq!(credits.refused(), 3);
    }

    #[test]
    fn refill_is_exact_and_capped() {
        let mut credits = Credits::new(CreditPolicy::default());
        burst(&mut credits, "public/subscribe", Duration::ZERO);
        let almost = Duration::from_micros(299_999);
        assert!(!credits.charge(IP, "public/subscribe", almost));
        assert!(credits.charge(IP, "public/subscribe", Duration::from_micros(300_000)));
        assert_eq!(credits.left(IP, Bucket::Subscribe, Duration::from_secs(3_600)), 30_000);
        assert_eq!(credits.spent(Bucket::Subscribe), 33_000);
    }

    #[test]
    fn addresses_do_not_share() {
        let mut credits = Credits::new(CreditPolicy::default());
        burst(&mut credits, "public/subscribe", Duration::ZERO);
        assert!(credits.charge(Ipv4Addr::new(127, 0, 0, 2).into(), "public/subscribe", Duration::ZERO));
    }
}
