//! One side of a book.

use super::super::data::Level;

/// Levels in one array, the best at its end: most changes are near the best price, where little has to move.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ladder<const BID: bool> {
    levels: Vec<Level>,
}

/// So many levels from the best are looked through one by one, which is quicker than halving.
const NEAR: usize = 16;

impl<const BID: bool> Ladder<BID> {
    /// The levels, the worst first.
    pub(super) fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Puts these levels, the best first, in the place of all.
    pub(super) fn replace(&mut self, levels: &[Level]) {
        self.levels.clear();
        let sorted = levels.is_sorted_by(|one, next| is_worse::<BID>(next.price, one.price));
        if sorted && levels.iter().all(|level| level.amount != 0.0) {
            self.levels.extend(levels.iter().rev());
        } else {
            levels.iter().for_each(|level| self.set(*level));
        }
    }

    /// Puts an amount at a price in the place of what was there. Zero takes the level away.
    pub(super) fn set(&mut self, level: Level) {
        let at = self.place(level.price);
        let known = self.levels.get_mut(at).filter(|known| known.price == level.price);
        match (known, level.amount == 0.0) {
            (Some(known), false) => known.amount = level.amount,
            (Some(_), true) => drop(self.levels.remove(at)),
            (None, false) => self.levels.insert(at, level),
            (None, true) => {}
        }
    }

    /// The amount at exactly this price.
    pub(super) fn amount(&self, price: f64) -> f64 {
        let level = self.levels.get(self.place(price)).filter(|level| level.price == price);
        level.map_or(0.0, |level| level.amount)
    }

    /// The levels that are no worse than a price, the worst first.
    pub(super) fn down_to(&self, price: f64) -> &[Level] {
        &self.levels[self.place(price)..]
    }

    /// How many levels are worse than a price.
    fn place(&self, price: f64) -> usize {
        let worse = |level: &Level| is_worse::<BID>(level.price, price);
        let far = self.levels.len().saturating_sub(NEAR);
        match self.levels[far..].iter().rposition(worse) {
            Some(near) => far + near + 1,
            None => self.levels[..far].partition_point(worse),
        }
    }
}

fn is_worse<const BID: bool>(one: f64, other: f64) -> bool {
    if BID { one < other } else { one > other }
}
