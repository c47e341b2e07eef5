//! The pure book: messages and news in, levels and their status out.

use super::levels::Levels;
use super::message::{Kind, Message};
use super::status::{Reason, Status};
use crate::time::Instant;

/// An order book that is kept by its channel's messages, and knows when it cannot be trusted.
///
/// It does no input or output, and is given the time: [`Book`](super::Book) feeds it from a subscription. Its levels
/// are only to be had as what they are: from [`live`](Self::live) while nothing is known to be missing, from
/// [`last_known`](Self::last_known) together with their status.
///
/// The rules, from the venue's documents and measured on its production servers:
///
/// - A snapshot replaces everything. The venue sends one for each subscription.
/// - A change is applied when its `prev_change_id` is the `change_id` of the message before. One whose `change_id` is
///   not above that has been applied already. Any other leaves a gap, and nothing but a snapshot mends it.
/// - Each entry sets the amount at its price; an amount of zero, or the word `delete`, removes the level.
/// - A message that is not understood may hold anything: the book is stale from there on. No message is applied by half.
/// - A best bid that is not below the best ask is taken for a sign of lost data: the venue matches such orders.
/// - A grouped book's messages each hold all levels, and do not say what came before: that one was missed cannot be
///   noticed, and the next one makes up for it.
#[derive(Clone, Debug)]
pub struct OrderBook {
    instrument: String,
    /// Whether each message is the whole book.
    grouped: bool,
    levels: Levels,
    status: Status,
    message: Message,
}

impl OrderBook {
    /// An empty book for the messages of `book.{instrument}.{interval}`, which waits for its first snapshot from `now`
    /// on.
    pub fn new(now: Instant, instrument: impl Into<String>) -> Self {
        Self {
            instrument: instrument.into(),
            grouped: false,
            levels: Levels::default(),
            status: Status::Resyncing { since: now, why: Reason::New },
            message: Message::default(),
        }
    }

    /// The same for `book.{instrument}.{group}.{depth}.{interval}`, whose messages each are the whole book.
    pub fn grouped(now: Instant, instrument: impl Into<String>) -> Self {
        Self { grouped: true, ..Self::new(now, instrument) }
    }

    /// The instrument that was asked for. Messages about another are refused.
    pub fn instrument(&self) -> &str {
        &self.instrument
    }

    /// Whether its levels are the venue's.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The levels, when they are the venue's.
    pub fn live(&self) -> Option<&Levels> {
        self.status.is_live().then_some(&self.levels)
    }

    /// The levels as they were known last, and whether they are the venue's: to be shown, not to be traded on.
    pub fn last_known(&self) -> (&Levels, &Status) {
        (&self.levels, &self.status)
    }

    /// Takes a message: the data of a notification, received at `now`. Whether levels or status changed.
    pub fn apply(&mut self, now: Instant, data: &[u8]) -> bool {
        match self.take(data) {
            Ok(true) => self.status = Status::Live,
            Ok(false) => return false,
            Err(reason) => self.stale(now, reason),
        }
        true
    }

    /// The levels may be wrong from here on, and nothing that mends them is under way.
    pub fn stale(&mut self, now: Instant, why: Reason) {
        self.status = Status::Stale { since: self.status.since().unwrap_or(now), why };
    }

    /// The channel begins anew: the levels may be wrong, and a snapshot is on its way.
    pub fn resync(&mut self, now: Instant) {
        let since = self.status.since().unwrap_or(now);
        let why = self.status.why().cloned().unwrap_or(Reason::Renewed);
        self.status = Status::Resyncing { since, why };
    }

    /// Whether the levels are the venue's now; `false` when the message changes nothing.
    fn take(&mut self, data: &[u8]) -> Result<bool, Reason> {
        self.message.read(data, &self.instrument)?;
        let message = &self.message;
        match (message.kind, self.grouped) {
            (Some(Kind::Snapshot), _) | (None, true) => self.levels.replace(message),
            (Some(Kind::Change), false) => match &self.status {
                Status::Live if message.change_id <= self.levels.change_id() => return Ok(false),
                Status::Live if message.prev_change_id == Some(self.levels.change_id()) => {
                    self.levels.change(message);
                }
                Status::Live => {
                    let (last, found) = (self.levels.change_id(), message.prev_change_id);
                    return Err(Reason::Gap { last, found });
                }
                Status::Resyncing { .. } => return Err(Reason::NoSnapshot),
                // It is known that something is missing; only a snapshot mends it.
                Status::Stale { .. } => return Ok(false),
            },
            (None, false) => return Err(Reason::Malformed("its type is missing".into())),
            (Some(Kind::Change), true) => return Err(Reason::Malformed("not the whole book".into())),
        }
        if self.levels.is_too_deep() {
            return Err(Reason::TooDeep);
        }
        match self.levels.crossing() {
            Some((bid, ask)) => Err(Reason::Crossed { bid, ask }),
            None => Ok(true),
        }
    }
}
