//! One order book, kept in whole steps of price and amount so that levels compare exactly.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::instrument::Grid;

/// Which side of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Bid,
    Ask,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Bid => Self::Ask,
            Self::Ask => Self::Bid,
        }
    }

    /// Whether an order of this side with a limit reaches a price of the other.
    pub(crate) fn reaches(self, limit: i64, price: i64) -> bool {
        match self {
            Self::Bid => limit >= price,
            Self::Ask => limit <= price,
        }
    }

    /// `buy` or `sell`.
    pub(crate) fn direction(self) -> &'static str {
        match self {
            Self::Bid => "buy",
            Self::Ask => "sell",
        }
    }

    /// 1 for buying, -1 for selling.
    pub(crate) fn sign(self) -> i64 {
        match self {
            Self::Bid => 1,
            Self::Ask => -1,
        }
    }
}

/// Amount by price, both in whole steps.
pub(crate) type Levels = BTreeMap<i64, i64>;

/// Both sides of a book.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ladder {
    pub(crate) bids: Levels,
    pub(crate) asks: Levels,
}

impl Ladder {
    pub(crate) fn side(&self, side: Side) -> &Levels {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }

    pub(crate) fn side_mut(&mut self, side: Side) -> &mut Levels {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    /// The best level of a side.
    pub(crate) fn best(&self, side: Side) -> Option<(i64, i64)> {
        match side {
            Side::Bid => self.best_bid(),
            Side::Ask => self.best_ask(),
        }
    }

    /// The levels of a side, best first.
    pub(crate) fn best_first(&self, side: Side) -> impl Iterator<Item = (i64, i64)> {
        let (bids, asks) = match side {
            Side::Bid => (Some(self.bids.iter().rev()), None),
            Side::Ask => (None, Some(self.asks.iter())),
        };
        let bids = bids.into_iter().flatten();
        bids.chain(asks.into_iter().flatten()).map(|(price, amount)| (*price, *amount))
    }

    pub(crate) fn best_bid(&self) -> Option<(i64, i64)> {
        self.bids.last_key_value().map(|(price, amount)| (*price, *amount))
    }

    pub(crate) fn best_ask(&self) -> Option<(i64, i64)> {
        self.asks.first_key_value().map(|(price, amount)| (*price, *amount))
    }

    /// The best `depth` levels of a side, best first.
    pub(crate) fn top(&self, side: Side, depth: usize) -> Vec<(i64, i64)> {
        self.best_first(side).take(depth).collect()
    }

    /// The best `depth` levels after rounding prices away from the middle to multiples of `step`.
    pub(crate) fn grouped(&self, side: Side, step: i64, depth: usize) -> Vec<(i64, i64)> {
        let mut groups = Vec::<(i64, i64)>::new();
        for (price, amount) in self.best_first(side) {
            let down = price.div_euclid(step) * step;
            let rounded = if side == Side::Ask && down != price { down + step } else { down };
            let full = groups.len() == depth;
            match groups.last_mut() {
                Some((last, sum)) if *last == rounded => *sum += amount,
                _ if full => break,
                _ => groups.push((rounded, amount)),
            }
        }
        groups
    }
}

/// What happened to a level between two states of a book, best price first.
pub(crate) fn difference(old: &Levels, new: &Levels, side: Side) -> Vec<(&'static str, i64, i64)> {
    let mut changes: Vec<_> =
        old.keys().filter(|price| !new.contains_key(price)).map(|p| ("delete", *p, 0)).collect();
    changes.extend(new.iter().filter_map(|(price, amount)| match old.get(price) {
        None => Some(("new", *price, *amount)),
        Some(before) if before != amount => Some(("change", *price, *amount)),
        Some(_) => None,
    }));
    changes.sort_by_key(|(_, price, _)| if side == Side::Bid { -price } else { *price });
    changes
}

/// `[[action, price, amount]]`.
pub(crate) fn actions(changes: &[(&str, i64, i64)], price: Grid, amount: Grid) -> Value {
    changes.iter().map(|(action, p, a)| json!([action, price.value(*p), amount.value(*a)])).collect()
}

/// `[[price, amount]]`.
pub(crate) fn pairs(levels: &[(i64, i64)], price: Grid, amount: Grid) -> Value {
    levels.iter().map(|(p, a)| json!([price.value(*p), amount.value(*a)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(pairs: &[(i64, i64)]) -> Levels {
        pairs.iter().copied().collect()
    }

    #[test]
    fn difference_names_each_change_best_first() {
        let (old, new) = (levels(&[(1, 5), (2, 5), (3, 5)]), levels(&[(2, 5), (3, 6), (4, 1)]));
        let bids = difference(&old, &new, Side::Bid);
        assert_eq!(bids, [("new", 4, 1), ("change", 3, 6), ("delete", 1, 0)]);
        let asks = difference(&old, &new, Side::Ask);
        assert_eq!(asks.first(), Some(&("delete", 1, 0)));
    }

    #[test]
    fn groups_round_away_from_the_middle() {
        let ladder = Ladder {
            bids: levels(&[(99, 1), (101, 2), (104, 3)]),
            asks: levels(&[(106, 1), (110, 2), (111, 4)]),
        };
        assert_eq!(ladder.grouped(Side::Bid, 5, 10), [(100, 5), (95, 1)]);
        assert_eq!(ladder.grouped(Side::Ask, 5, 10), [(110, 3), (115, 4)]);
        assert_eq!(ladder.grouped(Side::Ask, 5, 1), [(110, 3)]);
    }
}
