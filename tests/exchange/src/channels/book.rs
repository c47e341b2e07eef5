//! `book.{instrument}.{interval}`: a snapshot, then what changed since the frame before.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::engine::news::News;
use crate::market::book::{Ladder, Side, actions, difference};
use crate::market::quoted::Quoted;

/// What readers have, told as the difference to what is.
#[derive(Debug)]
pub(super) struct BookFeed {
    position: usize,
    change_id: u64,
    ms: i64,
    /// Levels that changed since the last frame, and what they were then.
    pending: BTreeMap<(Side, i64), i64>,
}

impl BookFeed {
    pub(super) fn open(position: usize, quoted: &Quoted) -> Self {
        let (change_id, ms) = (quoted.change_id, quoted.changed_ms);
        Self { position, change_id, ms, pending: BTreeMap::new() }
    }

    pub(super) fn hear(&mut self, news: &News) {
        for change in news.books.iter().filter(|change| change.position == self.position) {
            for level in &change.levels {
                self.pending.entry((level.side, level.price)).or_insert(level.before);
            }
        }
    }

    /// The book as the readers before have it, so that the next change fits for everyone.
    pub(super) fn snapshot(&self, quoted: &Quoted) -> Value {
        let mut book = quoted.book.shown().clone();
        for ((side, price), before) in &self.pending {
            match *before {
                0 => book.side_mut(*side).remove(price),
                before => book.side_mut(*side).insert(*price, before),
            };
        }
        let empty = Ladder::default();
        let side = |side: Side| {
            let changes = difference(empty.side(side), book.side(side), side);
            actions(&changes, quoted.terms.price, quoted.terms.amount)
        };
        json!({
            "type": "snapshot", "timestamp": self.ms, "instrument_name": quoted.terms.name,
            "change_id": self.change_id, "bids": side(Side::Bid), "asks": side(Side::Ask),
        })
    }

    /// The next change, if the book has another number.
    pub(super) fn change(&mut self, quoted: &Quoted) -> Option<Value> {
        if self.change_id == quoted.change_id {
            return None;
        }
        let pending = std::mem::take(&mut self.pending);
        let mut sides = [Side::Bid, Side::Ask].map(|side| {
            let levels = pending.iter().filter(|((of, _), _)| *of == side);
            let changed = levels.filter_map(|((_, price), before)| action(quoted, side, *price, *before));
            let mut changes: Vec<_> = changed.collect();
            if side == Side::Bid {
                changes.reverse();
            }
            actions(&changes, quoted.terms.price, quoted.terms.amount)
        });
        let change = json!({
            "type": "change", "timestamp": quoted.changed_ms, "instrument_name": quoted.terms.name,
            "prev_change_id": self.change_id, "change_id": quoted.change_id,
            "bids": sides[0].take(), "asks": sides[1].take(),
        });
        (self.change_id, self.ms) = (quoted.change_id, quoted.changed_ms);
        Some(change)
    }
}

fn action(quoted: &Quoted, side: Side, price: i64, before: i64) -> Option<(&'static str, i64, i64)> {
    let action = match (before, quoted.book.amount(side, price)) {
        (before, now) if before == now => return None,
        (_, 0) => "delete",
        (0, _) => "new",
        _ => "change",
    };
    Some((action, price, quoted.book.amount(side, price)))
}
