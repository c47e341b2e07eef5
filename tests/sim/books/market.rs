//! A market that moves at random, kept as naively as can be, and how its books are written.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::world::Net;

/// Amounts by price, both in whole steps.
pub type Side = BTreeMap<i64, i64>;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ladder {
    pub bids: Side,
    pub asks: Side,
}

pub struct Market {
    pub name: String,
    /// Digits after the point of a price.
    decimals: usize,
    /// Around this price, in steps.
    middle: i64,
    pub ladder: Ladder,
    pub change_id: u64,
    pub timestamp: u64,
}

impl Market {
    pub fn new(name: &str, decimals: usize, middle: i64) -> Self {
        let ladder = Ladder::default();
        Self { name: name.into(), decimals, middle, ladder, change_id: 0, timestamp: 1_790_133_840_000 }
    }

    /// Changes a few levels, most of them near the middle.
    pub fn step(&mut self, net: &mut Net, change_id: u64) {
        self.middle += (net.random() % 3) as i64 - 1;
        for _ in 0..1 + net.random() % 6 {
            let mut away = 1;
            while away < 200 && !net.chance(12) {
                away += 1;
            }
            let amount = if net.chance(3) { 0 } else { 1 + (net.random() % 100_000) as i64 };
            let bid = net.chance(2);
            let price = if bid { self.middle - away } else { self.middle + away };
            set(if bid { &mut self.ladder.bids } else { &mut self.ladder.asks }, price, amount);
        }
        let middle = self.middle;
        self.ladder.bids.retain(|price, _| *price < middle);
        self.ladder.asks.retain(|price, _| *price > middle);
        if net.chance(5_000) {
            // Nobody offers anything any more.
            self.ladder.asks.clear();
        }
        self.change_id = change_id;
        self.timestamp += 1 + net.random() % 100;
    }

    /// The best levels of each side.
    pub fn top(&self, depth: usize) -> Ladder {
        let bids = self.ladder.bids.iter().rev().take(depth);
        let asks = self.ladder.asks.iter().take(depth);
        Ladder { bids: bids.map(copy).collect(), asks: asks.map(copy).collect() }
    }

    /// The levels of a book as one number: prices and amounts by their bits, the best first.
    pub fn print(&self, ladder: &Ladder) -> u64 {
        let number = |text: String| text.parse::<f64>().unwrap();
        let pair = |(price, amount): (&i64, &i64)| (number(self.price(*price)), number(lots(*amount)));
        fingerprint(ladder.bids.iter().rev().map(pair), ladder.asks.iter().map(pair))
    }

    fn price(&self, steps: i64) -> String {
        decimal(steps * 5, self.decimals)
    }

    /// The data of a message. `before` is the state that it is a change to, with its name.
    pub fn message(&self, net: &mut Net, before: Option<(&Ladder, u64)>, grouped: Option<usize>) -> String {
        let name = format!("\"instrument_name\":\"{}\"", self.name);
        let mut members = vec![name];
        members.push(format!("\"change_id\":{}", spell(net, &self.change_id.to_string())));
        members.push(format!("\"timestamp\":{}", spell(net, &self.timestamp.to_string())));
        if net.chance(10) {
            members.push(r#""comment":{"bids":[["new",1,1]],"deep":[[[{}]],"\"]}"]}"#.into());
        }
        if grouped.is_none() {
            members.push(format!("\"type\":\"{}\"", if before.is_some() { "change" } else { "snapshot" }));
        }
        match before {
            Some((_, prev)) => members.push(format!("\"prev_change_id\":{}", spell(net, &prev.to_string()))),
            None if net.chance(4) => members.push("\"prev_change_id\":null".into()),
            None => {}
        }
        let (now, empty) = (self.top(grouped.unwrap_or(usize::MAX)), Ladder::default());
        let old = before.map_or(&empty, |(ladder, _)| ladder);
        let (bids, asks) = (
            self.entries(net, &old.bids, &now.bids, grouped.is_none(), true),
            self.entries(net, &old.asks, &now.asks, grouped.is_none(), false),
        );
        members.push(format!("\"bids\":[{bids}]"));
        members.push(format!("\"asks\":[{asks}]"));
        for at in (1..members.len()).rev() {
            members.swap(at, (net.random() % (at as u64 + 1)) as usize);
        }
        let comma = if net.chance(10) { " ,\n\t" } else { "," };
        format!("{{{}}}", members.join(comma))
    }

    /// What leads from one side to another, the best first.
    fn entries(&self, net: &mut Net, old: &Side, new: &Side, words: bool, bids: bool) -> String {
        let prices: Vec<i64> = old.keys().chain(new.keys()).copied().collect();
        let mut prices: Vec<i64> =
            prices.into_iter().filter(|price| old.get(price) != new.get(price)).collect();
        prices.sort_unstable();
        prices.dedup();
        if bids {
            prices.reverse();
        }
        let mut text = String::new();
        for price in prices {
            let amount = new.get(&price).copied().unwrap_or_default();
            let word = match (old.contains_key(&price), amount) {
                (_, 0) => "delete",
                (true, _) => "change",
                (false, _) => "new",
            };
            let (price, amount) = (spell(net, &self.price(price)), spell(net, &lots(amount)));
            let comma = if text.is_empty() { "" } else { "," };
            let _ = if words {
                write!(text, "{comma}[\"{word}\",{price},{amount}]")
            } else {
                write!(text, "{comma}[{price},{amount}]")
            };
        }
        text
    }
}

/// Prices and amounts as one number, by their bits.
pub fn fingerprint(bids: impl Iterator<Item = (f64, f64)>, asks: impl Iterator<Item = (f64, f64)>) -> u64 {
    let mut hash = DefaultHasher::new();
    for side in [&mut bids.map(bits) as &mut dyn Iterator<Item = (u64, u64)>, &mut asks.map(bits)] {
        side.for_each(|level| level.hash(&mut hash));
        "end of the side".hash(&mut hash);
    }
    hash.finish()
}

fn bits((price, amount): (f64, f64)) -> (u64, u64) {
    (price.to_bits(), amount.to_bits())
}

fn copy((price, amount): (&i64, &i64)) -> (i64, i64) {
    (*price, *amount)
}

fn set(side: &mut Side, price: i64, amount: i64) {
    if amount == 0 {
        side.remove(&price);
    } else {
        side.insert(price, amount);
    }
}

/// Amounts have two digits after the point.
fn lots(amount: i64) -> String {
    decimal(amount, 2)
}

fn decimal(units: i64, decimals: usize) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>1$}", units.unsigned_abs(), decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// The same number, in one of the ways to write it.
fn spell(net: &mut Net, text: &str) -> String {
    match net.random() % 16 {
        0 => format!("{text}e0"),
        1 => format!("{text}E+00"),
        2 if text.contains('.') => format!("{text}000"),
        3 if !text.contains('.') => format!("{text}.0"),
        4 => {
            // The point goes to the left as far as it can.
            let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
            let whole = digits.find('.').unwrap_or(digits.len());
            let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
            format!("{sign}0.{digits}e{whole}")
        }
        5 if text.contains('.') => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        _ => text.to_owned(),
    }
}
