//! One channel that somebody reads: what it published last, and what it has to say next.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::name::{Channel, Interval};
use crate::market::Market;
use crate::market::book::{Ladder, Side, actions, difference, pairs};
use crate::market::quoted::Quoted;

/// Market steps between two frames of an aggregated channel.
const STEPS_100MS: u64 = 4;
const STEPS_SECOND: u64 = 40;

/// What tells one state of an instrument from another, as one channel sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mark {
    Ticker { change_id: u64, trade_seq: u64, index: f64 },
    Quote { bid: Option<(i64, i64)>, ask: Option<(i64, i64)> },
    Grouped { change_id: u64 },
}

/// What a channel remembers of its last frame.
#[derive(Debug)]
enum Memory {
    /// The book as readers have it, so that each frame is the difference to it.
    Book { published: Ladder, change_id: u64, ms: i64 },
    /// The last trade published of each instrument.
    Trades(BTreeMap<String, u64>),
    /// What the last frame showed, as far as it matters for whether there is news.
    Shown(Option<Mark>),
}

/// The state of one channel.
#[derive(Debug)]
pub(crate) struct Feed {
    channel: Channel,
    memory: Memory,
}

impl Feed {
    pub(crate) fn open(channel: Channel, market: &Market) -> Self {
        let memory = match &channel {
            Channel::Book { instrument, .. } => remember_book(market.instrument(instrument)),
            Channel::Trades { instruments, .. } => {
                let quoted = instruments.iter().filter_map(|name| market.instrument(name));
                Memory::Trades(quoted.map(|q| (q.terms.name.clone(), q.trade_seq)).collect())
            }
            // The greeting shows the state of now.
            _ => Memory::Shown(mark(&channel, market)),
        };
        Self { channel, memory }
    }

    /// What a new reader gets at once, if this channel greets its readers.
    pub(crate) fn greeting(&self, market: &Market, now_ms: i64) -> Option<Value> {
        match (&self.channel, &self.memory) {
            (Channel::Book { instrument, .. }, Memory::Book { published, change_id, ms }) => {
                Some(snapshot(market.instrument(instrument)?, published, *change_id, *ms))
            }
            (Channel::MethodsState, _) => Some(json!({ "allow_unauthenticated_public_requests": true })),
            (Channel::Index { name }, _) => market.index_update(name, now_ms),
            (
                Channel::Trades { .. } | Channel::PlatformState | Channel::Book { .. } | Channel::Private(_),
                _,
            ) => None,
            _ => self.current(market, now_ms),
        }
    }

    /// What this channel has to say at a beat of the market, if anything.
    pub(crate) fn next(&mut self, market: &Market, now_ms: i64, beat: u64) -> Option<Value> {
        if !self.is_due(beat) {
            return None;
        }
        match (&self.channel, &mut self.memory) {
            (Channel::Book { instrument, .. }, memory) => next_change(market.instrument(instrument)?, memory),
            (Channel::Trades { .. }, Memory::Trades(seen)) => next_trades(market, seen),
            (Channel::Index { name }, _) => market.index_update(name, now_ms),
            (Channel::PlatformState | Channel::MethodsState | Channel::Private(_), _) => None,
            _ => self.next_current(market, now_ms),
        }
    }

    fn is_due(&self, beat: u64) -> bool {
        let interval = match &self.channel {
            Channel::Book { interval, .. }
            | Channel::Grouped { interval, .. }
            | Channel::Ticker { interval, .. }
            | Channel::Trades { interval, .. } => *interval,
            Channel::Index { .. } => Interval::Agg2,
            Channel::Quote { .. } | Channel::PlatformState | Channel::MethodsState | Channel::Private(_) => {
                Interval::Raw
            }
        };
        match interval {
            Interval::Raw => true,
            Interval::Ms100 => beat.is_multiple_of(STEPS_100MS),
            Interval::Agg2 => beat.is_multiple_of(STEPS_SECOND),
        }
    }

    fn quoted<'a>(&self, market: &'a Market) -> Option<&'a Quoted> {
        match &self.channel {
            Channel::Grouped { instrument, .. }
            | Channel::Ticker { instrument, .. }
            | Channel::Quote { instrument } => market.instrument(instrument),
            _ => None,
        }
    }

    /// The whole state that a ticker, quote or grouped book shows.
    fn current(&self, market: &Market, now_ms: i64) -> Option<Value> {
        let quoted = self.quoted(market)?;
        match &self.channel {
            Channel::Ticker { .. } => Some(quoted.ticker(now_ms)),
            Channel::Quote { .. } => Some(quoted.quote()),
            Channel::Grouped { step, depth, .. } => Some(grouped(quoted, *step, *depth)),
            _ => None,
        }
    }

    fn next_current(&mut self, market: &Market, now_ms: i64) -> Option<Value> {
        let mark = mark(&self.channel, market)?;
        if matches!(self.memory, Memory::Shown(Some(shown)) if shown == mark) {
            return None;
        }
        self.memory = Memory::Shown(Some(mark));
        self.current(market, now_ms)
    }
}

fn mark(channel: &Channel, market: &Market) -> Option<Mark> {
    match channel {
        Channel::Ticker { instrument, .. } => market.instrument(instrument).map(|quoted| Mark::Ticker {
            change_id: quoted.change_id,
            trade_seq: quoted.trade_seq,
            index: quoted.index,
        }),
        Channel::Quote { instrument } => market
            .instrument(instrument)
            .map(|quoted| Mark::Quote { bid: quoted.book.best_bid(), ask: quoted.book.best_ask() }),
        Channel::Grouped { instrument, .. } => {
            market.instrument(instrument).map(|quoted| Mark::Grouped { change_id: quoted.change_id })
        }
        _ => None,
    }
}

fn remember_book(quoted: Option<&Quoted>) -> Memory {
    let empty = Memory::Book { published: Ladder::default(), change_id: 0, ms: 0 };
    quoted.map_or(empty, |quoted| Memory::Book {
        published: quoted.book.clone(),
        change_id: quoted.change_id,
        ms: quoted.changed_ms,
    })
}

fn snapshot(quoted: &Quoted, book: &Ladder, change_id: u64, ms: i64) -> Value {
    let empty = Ladder::default();
    let side = |side: Side| {
        let changes = difference(empty.side(side), book.side(side), side);
        actions(&changes, quoted.terms.price, quoted.terms.amount)
    };
    json!({
        "type": "snapshot", "timestamp": ms, "instrument_name": quoted.terms.name, "change_id": change_id,
        "bids": side(Side::Bid), "asks": side(Side::Ask),
    })
}

fn next_change(quoted: &Quoted, memory: &mut Memory) -> Option<Value> {
    let Memory::Book { published, change_id, ms } = memory else { return None };
    if *change_id == quoted.change_id {
        return None;
    }
    let side = |side: Side| {
        let changes = difference(published.side(side), quoted.book.side(side), side);
        actions(&changes, quoted.terms.price, quoted.terms.amount)
    };
    let change = json!({
        "type": "change", "timestamp": quoted.changed_ms, "instrument_name": quoted.terms.name,
        "prev_change_id": *change_id, "change_id": quoted.change_id,
        "bids": side(Side::Bid), "asks": side(Side::Ask),
    });
    published.clone_from(&quoted.book);
    (*change_id, *ms) = (quoted.change_id, quoted.changed_ms);
    Some(change)
}

fn next_trades(market: &Market, seen: &mut BTreeMap<String, u64>) -> Option<Value> {
    let mut trades = Vec::new();
    for (name, seq) in seen.iter_mut() {
        let Some(quoted) = market.instrument(name) else { continue };
        trades.extend(quoted.trades_after(*seq).map(|trade| quoted.trade(trade)));
        *seq = quoted.trade_seq;
    }
    (!trades.is_empty()).then_some(Value::Array(trades))
}

fn grouped(quoted: &Quoted, step: i64, depth: usize) -> Value {
    let side = |side| pairs(&quoted.book.grouped(side, step, depth), quoted.terms.price, quoted.terms.amount);
    json!({
        "timestamp": quoted.changed_ms, "instrument_name": quoted.terms.name, "change_id": quoted.change_id,
        "bids": side(Side::Bid), "asks": side(Side::Ask),
    })
}
