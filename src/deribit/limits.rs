//! What an account may do, as the venue tells it.

use crate::json;

/// An allowance: of requests to the matching engine, most often.
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

    fn least(self, other: Self) -> Self {
        Self { rate: self.rate.min(other.rate), burst: self.burst.min(other.burst) }
    }
}

/// All allowances that differ between accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Everything that does not go to the matching engine and has no pool of its own.
    pub(super) non_matching: Matching,
    pub(super) matching: Matching,
    pub(super) spot: Matching,
    /// `cancel_all`, and cancels by label in all currencies.
    pub(super) cancel_all: Matching,
    /// Requests that quote, and the quotes in them.
    pub(super) mass_quotes: Matching,
    pub(super) quotes: Matching,
}

/// What the venue publishes for all: 20 a second, 100 at once.
const NON_MATCHING: Matching = Matching { rate: 20, burst: 100 };

/// The venue publishes none for quotes: these are of the example in its documents.
const MASS_QUOTES: Matching = Matching { rate: 10, burst: 10 };
const QUOTES: Matching = Matching { rate: 500, burst: 500 };

impl Limits {
    /// Those of a tier, as far as they are published.
    pub(super) fn of(tier: Matching) -> Self {
        Self {
            non_matching: NON_MATCHING,
            matching: tier,
            spot: tier,
            cancel_all: tier,
            mass_quotes: tier.least(MASS_QUOTES),
            quotes: QUOTES,
        }
    }

    /// Reads `limits` of `private/get_account_summary` with `extended`. What it does not say stays as it is.
    ///
    /// An account may have limits for each currency apart. The smallest counts then, because most requests do not say
    /// which currency they are about.
    pub(super) fn told(self, summary: &[u8]) -> Self {
        let mut told = Told::default();
        let _ = json::members(summary, |name, value| {
            if name == *"limits" {
                told.search(value, 0);
            }
        });
        Self {
            // Whether more is meant in requests or in credits, no document says.
            non_matching: told.non_matching.map_or(self.non_matching, |told| told.least(NON_MATCHING)),
            matching: told.matching.unwrap_or(self.matching),
            spot: told.spot.unwrap_or(self.spot),
            cancel_all: told.cancel_all.unwrap_or(self.cancel_all),
            mass_quotes: told.mass_quotes.unwrap_or(self.mass_quotes),
            quotes: told.quotes.unwrap_or(self.quotes),
        }
    }
}

/// What was found in an answer.
#[derive(Default)]
struct Told {
    non_matching: Option<Matching>,
    matching: Option<Matching>,
    spot: Option<Matching>,
    cancel_all: Option<Matching>,
    mass_quotes: Option<Matching>,
    quotes: Option<Matching>,
}

/// `limits` / currency / `matching_engine` / `trading` / `total`, and some to spare.
const DEPTH: u32 = 6;

impl Told {
    fn search(&mut self, object: &[u8], depth: u32) {
        let _ = json::members(object, |name, value| {
            let place = match &*name.bytes() {
                b"non_matching_engine" => &mut self.non_matching,
                b"total" => &mut self.matching,
                b"spot" => &mut self.spot,
                b"cancel_all" => &mut self.cancel_all,
                b"max_quotes" | b"maximum_mass_quotes" => &mut self.mass_quotes,
                b"quotes" | b"maximum_quotes" => &mut self.quotes,
                _ if depth < DEPTH => return self.search(value, depth + 1),
                _ => return,
            };
            if let Some(found) = allowance(value) {
                *place = Some(place.map_or(found, |other| other.least(found)));
            }
        });
    }
}

/// `{"rate":5,"burst":20}`; nothing for a kind of request that the account may not make at all.
fn allowance(value: &[u8]) -> Option<Matching> {
    let (mut rate, mut burst) = (0, 0);
    json::members(value, |name, value| match &*name.bytes() {
        b"rate" => rate = json::unsigned(value).unwrap_or(0),
        b"burst" => burst = json::unsigned(value).unwrap_or(0),
        _ => {}
    })
    .ok()?;
    (rate > 0 && burst > 0).then_some(Matching { rate: rate.min(MOST), burst: burst.min(MOST) })
}

/// More than this is no limit.
const MOST: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const TIER: Limits = Limits {
        non_matching: NON_MATCHING,
        matching: Matching::TIER_4,
        spot: Matching::TIER_4,
        cancel_all: Matching::TIER_4,
        mass_quotes: Matching { rate: 5, burst: 10 },
        quotes: QUOTES,
    };

    fn at(rate: u64, burst: u64) -> Matching {
        Matching { rate, burst }
    }

    #[test]
    fn as_the_documents_show_them() {
        assert_eq!(Limits::of(Matching::TIER_4), TIER);
        let summary = r#"{"currency":"BTC","limits":{"limits_per_currency":false,"non_matching_engine":{"burst":1500,
            "rate":1000},"matching_engine":{"trading":{"total":{"burst":250,"rate":200}},"spot":{"burst":240,"rate":190},
            "quotes":{"burst":500,"rate":501},"max_quotes":{"burst":12,"rate":11},"guaranteed_quotes":{"burst":2,
            "rate":2},"cancel_all":{"burst":230,"rate":180}}},"equity":1.5}"#;
        let expected = Limits {
            non_matching: NON_MATCHING,
            matching: at(200, 250),
            spot: at(190, 240),
            cancel_all: at(180, 230),
            mass_quotes: at(11, 12),
            quotes: at(501, 500),
        };
        assert_eq!(TIER.told(summary.as_bytes()), expected);
        // The other spelling.
        let renamed =
            summary.replace("\"max_quotes", "\"maximum_mass_quotes").replace("\"quotes", "\"maximum_quotes");
        assert_eq!(TIER.told(renamed.as_bytes()), expected);
    }

    #[test]
    fn of_several_currencies_the_smallest_counts() {
        let summary = r#"{"limits":{"limits_per_currency":true,"non_matching_engine":{"rate":10,"burst":50},
            "btc":{"matching_engine":{"trading":{"total":{"rate":30,"burst":60}},"spot":{"rate":0,"burst":0}}},
            "eth":{"matching_engine":{"trading":{"total":{"rate":20,"burst":90}}}}}}"#;
        let limits = TIER.told(summary.as_bytes());
        assert_eq!((limits.non_matching, limits.matching, limits.spot), (at(10, 50), at(20, 60), TIER.spot));
    }

    #[test]
    fn what_makes_no_sense_changes_nothing() {
        let deep = format!("{{\"limits\":{}", "{\"a\":".repeat(10_000));
        for summary in
            ["", "[]", "{}", r#"{"limits":7}"#, r#"{"limits":{"spot":{"rate":-1,"burst":"x"}}}"#, &deep]
        {
            assert_eq!(TIER.told(summary.as_bytes()), TIER, "{}", &summary[..summary.len().min(50)]);
        }
    }
}
