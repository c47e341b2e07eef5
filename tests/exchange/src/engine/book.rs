//! One book with everyone in it: the crowd, which has one place in the line of each level, and the orders of
//! clients. Price first, then time.

use std::collections::{BTreeMap, VecDeque};

use super::order::OrderId;
use crate::accounts::AccountId;
use crate::market::book::{Ladder, Side};

/// A client's order in the line of a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resting {
    pub(crate) order: OrderId,
    pub(crate) account: AccountId,
    /// What everyone sees.
    pub(crate) shown: i64,
    /// What comes after it.
    pub(crate) hidden: i64,
    /// How much is shown again when nothing is left to see.
    pub(crate) refresh: i64,
}

impl Resting {
    fn left(&self) -> i64 {
        self.shown + self.hidden
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// The amount is the crowd's ladder's.
    Crowd,
    Order(Resting),
}

/// Who was in the book first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    Crowd,
    Order(OrderId),
}

/// One match: a price, an amount, and whose it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) maker: Maker,
    pub(crate) price: i64,
    pub(crate) amount: i64,
}

/// What an order would meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Probe {
    /// How much of it would be filled at once.
    pub(crate) available: i64,
    /// Whether it would meet an order of its own account.
    pub(crate) meets_own: bool,
}

/// A level that changed, and what it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) side: Side,
    pub(crate) price: i64,
    pub(crate) before: i64,
}

/// The book of one instrument.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book {
    shown: Ladder,
    crowd: Ladder,
    /// The lines of the levels that clients are in.
    lines: BTreeMap<(Side, i64), VecDeque<Entry>>,
    /// Amounts as they were when the book was last told to the world.
    touched: BTreeMap<(Side, i64), i64>,
}

impl Book {
    /// What everyone sees.
    pub(crate) fn shown(&self) -> &Ladder {
        &self.shown
    }

    /// The crowd's part.
    pub(crate) fn crowd(&self) -> &Ladder {
        &self.crowd
    }

    /// Sets what the crowd has at a level. More than before goes to the end of the line.
    pub(crate) fn set_crowd(&mut self, side: Side, price: i64, amount: i64) {
        let levels = self.crowd.side_mut(side);
        let before = if amount > 0 { levels.insert(price, amount) } else { levels.remove(&price) };
        let before = before.unwrap_or(0);
        if let Some(line) = self.lines.get_mut(&(side, price))
            && (amount == 0 || amount > before)
        {
            line.retain(|entry| *entry != Entry::Crowd);
            if amount > 0 {
                line.push_back(Entry::Crowd);
            }
        }
        self.show(side, price, amount - before);
    }

    /// Puts an order at the end of the line of its level.
    pub(crate) fn rest(&mut self, side: Side, price: i64, resting: Resting) {
        let shown = resting.shown;
        let crowd = self.crowd.side(side).contains_key(&price);
        let fresh = || if crowd { [Entry::Crowd].into() } else { VecDeque::new() };
        self.lines.entry((side, price)).or_insert_with(fresh).push_back(Entry::Order(resting));
        self.show(side, price, shown);
    }

    /// Takes an order out. Gives back what was left of it.
    pub(crate) fn remove(&mut self, side: Side, price: i64, order: OrderId) -> Option<Resting> {
        let line = self.lines.get_mut(&(side, price))?;
        let place = line.iter().position(|entry| matches!(entry, Entry::Order(r) if r.order == order))?;
        let Some(Entry::Order(resting)) = line.remove(place) else { return None };
        self.tidy(side, price);
        self.show(side, price, -resting.shown);
        Some(resting)
    }

    /// Makes an order smaller without losing its place: first what nobody sees.
    pub(crate) fn reduce(&mut self, side: Side, price: i64, order: OrderId, by: i64) {
        let Some(line) = self.lines.get_mut(&(side, price)) else { return };
        let found = line.iter_mut().find_map(|entry| match entry {
            Entry::Order(resting) if resting.order == order => Some(resting),
            _ => None,
        });
        let Some(resting) = found else { return };
        let unseen = by.min(resting.hidden);
        resting.hidden -= unseen;
        let seen = (by - unseen).min(resting.shown);
        resting.shown -= seen;
        self.show(side, price, -seen);
    }

    /// What is left of an order that rests here.
    pub(crate) fn resting(&self, side: Side, price: i64, order: OrderId) -> Option<&Resting> {
        self.lines.get(&(side, price))?.iter().find_map(|entry| match entry {
            Entry::Order(resting) if resting.order == order => Some(resting),
            _ => None,
        })
    }

    /// What an order of `amount` from `side` would meet at `limit` or better.
    pub(crate) fn probe(&self, side: Side, limit: i64, amount: i64, account: Option<AccountId>) -> Probe {
        let against = side.other();
        let mut probe = Probe::default();
        for (price, _) in self.shown.best_first(against) {
            if probe.available >= amount || !side.reaches(limit, price) {
                break;
            }
            self.probe_level(against, price, amount, account, &mut probe);
        }
        probe.available = probe.available.min(amount);
        probe
    }

    fn probe_level(&self, side: Side, price: i64, want: i64, account: Option<AccountId>, probe: &mut Probe) {
        let crowd = self.crowd.side(side).get(&price).copied().unwrap_or(0);
        let Some(line) = self.lines.get(&(side, price)) else {
            probe.available += crowd;
            return;
        };
        for entry in line {
            if probe.available >= want {
                return;
            }
            match entry {
                Entry::Crowd => probe.available += crowd,
                Entry::Order(resting) => {
                    probe.meets_own |= account == Some(resting.account);
                    probe.available += resting.left();
                }
            }
        }
    }

    /// Fills up to `amount` against the other side, at `limit` or better.
    pub(crate) fn take(&mut self, side: Side, limit: i64, amount: i64) -> Vec<Match> {
        let against = side.other();
        let mut matches = Vec::new();
        let mut want = amount;
        while want > 0 {
            let Some((price, standing)) = self.shown.best(against) else { break };
            if !side.reaches(limit, price) {
                break;
            }
            let one = if self.lines.contains_key(&(against, price)) {
                self.take_first(against, price, want)
            } else {
                let amount = want.min(standing);
                self.set_crowd(against, price, standing - amount);
                Match { maker: Maker::Crowd, price, amount }
            };
            want -= one.amount;
            matches.push(one);
        }
        matches
    }

    /// Fills against the first in the line of a level.
    fn take_first(&mut self, side: Side, price: i64, want: i64) -> Match {
        let first = self.lines.get_mut(&(side, price)).and_then(VecDeque::pop_front);
        let Some(Entry::Order(mut resting)) = first else {
            let standing = self.crowd.side(side).get(&price).copied().unwrap_or(0);
            let amount = want.min(standing);
            if let Some(line) = self.lines.get_mut(&(side, price)) {
                line.push_front(Entry::Crowd);
            }
            self.set_crowd(side, price, standing - amount);
            self.tidy(side, price);
            return Match { maker: Maker::Crowd, price, amount };
        };
        let amount = want.min(resting.shown);
        let maker = Maker::Order(resting.order);
        resting.shown -= amount;
        let mut refreshed = 0;
        if let Some(line) = self.lines.get_mut(&(side, price)) {
            if resting.shown > 0 {
                line.push_front(Entry::Order(resting));
            } else if resting.hidden > 0 {
                refreshed = resting.refresh.min(resting.hidden);
                resting.shown = refreshed;
                resting.hidden -= refreshed;
                line.push_back(Entry::Order(resting));
            }
        }
        self.tidy(side, price);
        self.show(side, price, refreshed - amount);
        Match { maker, price, amount }
    }

    /// The levels that changed since the last time this was asked.
    pub(crate) fn changes(&mut self) -> Vec<Touched> {
        let touched = std::mem::take(&mut self.touched).into_iter();
        touched
            .filter(|((side, price), before)| self.amount(*side, *price) != *before)
            .map(|((side, price), before)| Touched { side, price, before })
            .collect()
    }

    /// What everyone sees at a level.
    pub(crate) fn amount(&self, side: Side, price: i64) -> i64 {
        self.shown.side(side).get(&price).copied().unwrap_or(0)
    }

    fn show(&mut self, side: Side, price: i64, by: i64) {
        if by == 0 {
            return;
        }
        let before = self.amount(side, price);
        self.touched.entry((side, price)).or_insert(before);
        let levels = self.shown.side_mut(side);
        match before + by {
            after if after > 0 => levels.insert(price, after),
            _ => levels.remove(&price),
        };
    }

    /// A level without clients needs no line.
    fn tidy(&mut self, side: Side, price: i64) {
        let clients = |line: &VecDeque<Entry>| line.iter().any(|entry| *entry != Entry::Crowd);
        if self.lines.get(&(side, price)).is_some_and(|line| !clients(line)) {
            self.lines.remove(&(side, price));
        }
    }
}
