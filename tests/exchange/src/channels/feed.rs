//! One channel that somebody reads: what it published last, and what it has to say next.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::book::BookFeed;
use super::name::{Channel, Filter, IndexTopic, Interval};
use super::ticker::TickerFeed;
use super::user::UserFeed;
use crate::accounts::AccountId;
use crate::engine::Engine;
use crate::engine::news::News;
use crate::market::Market;
use crate::market::book::{Side, pairs};
use crate::market::quoted::{Quoted, Status};

/// Market steps between two frames of an aggregated channel.
const STEPS_100MS: u64 = 4;
const STEPS_SECOND: u64 = 40;

/// What tells one state of an instrument from another, as one channel sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mark {
    Ticker { change_id: u64, trade_seq: u64, index: f64, status: Status },
    Quote { bid: Option<(i64, i64)>, ask: Option<(i64, i64)> },
    Grouped { change_id: u64 },
    Chart { trade_seq: u64 },
    Perpetual { index: f64 },
}

/// What a channel remembers of its last frame.
#[derive(Debug)]
enum Memory {
    Book(BookFeed),
    User(UserFeed),
    Ticker(TickerFeed),
    /// The last trade published of each instrument.
    Trades(BTreeMap<usize, u64>),
    /// Frames that wait.
    Frames(Vec<Value>),
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
    /// Opens a channel; `None` for one of an account without the account.
    pub(crate) fn open(
        channel: Channel,
        owner: Option<AccountId>,
        market: &Market,
        now_ms: i64,
    ) -> Option<Self> {
        let memory = match &channel {
            Channel::Book { instrument, .. } => {
                let position = market.position(instrument)?;
                Memory::Book(BookFeed::open(position, market.at(position)?))
            }
            Channel::Private(private) => Memory::User(UserFeed::open(private.clone(), owner?)),
            Channel::IncrementalTicker { instrument } => {
                let position = market.position(instrument)?;
                Memory::Ticker(TickerFeed::open(position, market.at(position)?.ticker(now_ms)))
            }
            Channel::Trades { filter, .. } => {
                let all = market.instruments().iter().enumerate().filter(|(_, q)| filter.fits(&q.terms));
                Memory::Trades(all.map(|(position, q)| (position, q.trade_seq)).collect())
            }
            Channel::InstrumentState(_) | Channel::InstrumentCreation(_) => Memory::Frames(Vec::new()),
            // The greeting shows the state of now.
            _ => Memory::Shown(mark(&channel, market)),
        };
        Some(Self { channel, memory })
    }

    /// Takes in what happened.
    pub(crate) fn hear(&mut self, news: &News, engine: &Engine) {
        match (&self.channel, &mut self.memory) {
            (_, Memory::Book(book)) => book.hear(news),
            (_, Memory::User(user)) => user.hear(news, engine),
            (Channel::InstrumentState(filter), Memory::Frames(frames)) => {
                let of = news.instruments.iter().filter(|of| fits(filter, engine, of.position));
                frames.extend(of.map(|of| of.object.clone()));
            }
            (Channel::InstrumentCreation(filter), Memory::Frames(frames)) => {
                let of = news.listed.iter().filter(|position| fits(filter, engine, **position));
                frames.extend(of.filter_map(|position| engine.market.at(*position)).map(Quoted::describe));
            }
            _ => {}
        }
    }

    /// What a new reader gets at once, if this channel greets its readers.
    pub(crate) fn greeting(&self, engine: &Engine, now_ms: i64) -> Vec<Value> {
        let market = &engine.market;
        let greeting = match (&self.channel, &self.memory) {
            (Channel::Book { instrument, .. }, Memory::Book(book)) => {
                market.instrument(instrument).map(|quoted| book.snapshot(quoted))
            }
            (_, Memory::User(user)) => return user.greeting(engine),
            (Channel::MethodsState, _) => Some(json!({ "allow_unauthenticated_public_requests": true })),
            (_, Memory::Ticker(ticker)) => Some(ticker.snapshot()),
            (Channel::Index { topic, name }, _) => index_update(market, *topic, name, now_ms),
            // Nothing is traded yet.
            (Channel::Chart { .. }, _) => None,
            _ => self.current(market, now_ms),
        };
        greeting.into_iter().collect()
    }

    /// What this channel has to say. Between two beats of the market only those speak that wait for nothing.
    pub(crate) fn next(&mut self, engine: &Engine, now_ms: i64, beat: Option<u64>) -> Vec<Value> {
        if !self.is_due(beat) {
            return Vec::new();
        }
        let market = &engine.market;
        let next = match (&self.channel, &mut self.memory) {
            (Channel::Book { instrument, .. }, Memory::Book(book)) => {
                market.instrument(instrument).and_then(|quoted| book.change(quoted))
            }
            (_, Memory::User(user)) => return user.next(engine),
            (Channel::Trades { filter, .. }, Memory::Trades(seen)) => next_trades(market, filter, seen),
            (_, Memory::Ticker(ticker)) => {
                let now = market.at(ticker.position()).map(|quoted| quoted.ticker(now_ms));
                now.and_then(|now| ticker.change(now))
            }
            (_, Memory::Frames(frames)) => return std::mem::take(frames),
            (Channel::Index { topic, name }, _) => index_update(market, *topic, name, now_ms),
            _ => self.next_current(market, now_ms),
        };
        next.into_iter().collect()
    }

    fn is_due(&self, beat: Option<u64>) -> bool {
        let interval = match (&self.channel, &self.memory) {
            (_, Memory::User(user)) => user.interval(),
            (
                Channel::Book { interval, .. }
                | Channel::Grouped { interval, .. }
                | Channel::Ticker { interval, .. }
                | Channel::Perpetual { interval, .. }
                | Channel::Trades { interval, .. },
                _,
            ) => *interval,
            (Channel::Index { .. } | Channel::IncrementalTicker { .. }, _) => Interval::Agg2,
            (Channel::Chart { .. }, _) => Interval::Ms100,
            _ => Interval::Raw,
        };
        match (interval, beat) {
            (Interval::Raw, _) => true,
            (Interval::Ms100, Some(beat)) => beat.is_multiple_of(STEPS_100MS),
            (Interval::Agg2, Some(beat)) => beat.is_multiple_of(STEPS_SECOND),
            (_, None) => false,
        }
    }

    fn quoted<'a>(&self, market: &'a Market) -> Option<&'a Quoted> {
        match &self.channel {
            Channel::Grouped { instrument, .. }
            | Channel::Ticker { instrument, .. }
            | Channel::Chart { instrument, .. }
            | Channel::Perpetual { instrument, .. }
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
            Channel::Chart { length, .. } => Some(quoted.chart.current(now_ms, *length)),
            Channel::Perpetual { .. } => Some(quoted.perpetual(now_ms)),
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
            status: quoted.status,
        }),
        Channel::Chart { instrument, .. } => {
            market.instrument(instrument).map(|quoted| Mark::Chart { trade_seq: quoted.trade_seq })
        }
        Channel::Perpetual { instrument, .. } => {
            market.instrument(instrument).map(|quoted| Mark::Perpetual { index: quoted.index })
        }
        Channel::Quote { instrument } => {
            let book = market.instrument(instrument)?.book.shown();
            Some(Mark::Quote { bid: book.best_bid(), ask: book.best_ask() })
        }
        Channel::Grouped { instrument, .. } => {
            market.instrument(instrument).map(|quoted| Mark::Grouped { change_id: quoted.change_id })
        }
        _ => None,
    }
}

fn next_trades(market: &Market, filter: &Filter, seen: &mut BTreeMap<usize, u64>) -> Option<Value> {
    let mut trades = Vec::new();
    for (position, quoted) in market.instruments().iter().enumerate() {
        if seen.get(&position) == Some(&quoted.trade_seq) || !filter.fits(&quoted.terms) {
            continue;
        }
        // All of one that was listed since.
        let last = seen.insert(position, quoted.trade_seq).unwrap_or(0);
        trades.extend(quoted.trades_after(last).map(|trade| quoted.trade(trade)));
    }
    (!trades.is_empty()).then_some(Value::Array(trades))
}

fn fits(filter: &Filter, engine: &Engine, position: usize) -> bool {
    engine.market.at(position).is_some_and(|quoted| filter.fits(&quoted.terms))
}

fn index_update(market: &Market, topic: IndexTopic, name: &str, now_ms: i64) -> Option<Value> {
    match topic {
        IndexTopic::Price => market.index_update(name, now_ms),
        IndexTopic::Ranking => market.ranking(name, now_ms),
        IndexTopic::Statistics => market.price_statistics(name, now_ms),
        IndexTopic::Volatility => market.volatility_update(name, now_ms),
        IndexTopic::OptionMarks => market.option_marks(name, now_ms),
        IndexTopic::Expiration => market.expiration_update(name, now_ms),
    }
}

fn grouped(quoted: &Quoted, step: i64, depth: usize) -> Value {
    let book = quoted.book.shown();
    let side = |side| pairs(&book.grouped(side, step, depth), quoted.terms.price, quoted.terms.amount);
    json!({
        "timestamp": quoted.changed_ms, "instrument_name": quoted.terms.name, "change_id": quoted.change_id,
        "bids": side(Side::Bid), "asks": side(Side::Ask),
    })
}
