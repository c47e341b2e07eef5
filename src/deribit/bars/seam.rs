//! Where history and stream meet.

use std::collections::VecDeque;

use super::BarUpdate;
use crate::deribit::data::Bar;

/// Joins bars from the history with bars from the stream. Each tick is closed once, in order.
#[derive(Debug)]
pub(super) struct Seam {
    /// Nothing before this is wanted.
    since: u64,
    /// The time from one tick to the next.
    step: Option<u64>,
    /// The newest bar, which may change.
    current: Option<Bar>,
    /// From which tick on something may be missing.
    missing: Option<u64>,
    /// A bar from the stream that waits for what is missing before it.
    pending: Option<Bar>,
    /// Whether a stream that was interrupted has not come back.
    interrupted: bool,
    updates: VecDeque<BarUpdate>,
}

impl Seam {
    /// The first bar that is wanted is the one in which `since` lies.
    pub(super) fn new(since: u64, step: Option<u64>) -> Self {
        let since = step.map_or(since, |step| since.saturating_sub(step - 1));
        let (missing, updates) = (Some(since), VecDeque::new());
        Self { since, step, current: None, missing, pending: None, interrupted: false, updates }
    }

    /// What is to be told next.
    pub(super) fn next(&mut self) -> Option<BarUpdate> {
        self.updates.pop_front()
    }

    /// From where the history is to be fetched before anything else is read from the stream.
    pub(super) fn missing_since(&self) -> Option<u64> {
        self.missing.filter(|_| !self.interrupted)
    }

    /// A bar from the stream.
    pub(super) fn live(&mut self, bar: Bar) {
        match self.current {
            // Ticks without trades do not come, and neither do those that were lost: the history knows which it was.
            Some(current) if self.skips(current.tick, bar.tick) => {
                (self.missing, self.pending) = (Some(current.tick), Some(bar));
            }
            Some(_) => self.advance(bar),
            // The history was empty.
            None => (self.missing, self.pending) = (Some(self.since), Some(bar)),
        }
    }

    /// What was fetched, the oldest first.
    pub(super) fn history(&mut self, bars: impl Iterator<Item = Bar>) {
        self.missing = None;
        bars.for_each(|bar| self.advance(bar));
        // The history may be behind the stream. It is not asked twice for what it does not have.
        self.pending.take().into_iter().for_each(|bar| self.advance(bar));
    }

    pub(super) fn interrupted(&mut self) {
        if !std::mem::replace(&mut self.interrupted, true) {
            self.updates.push_back(BarUpdate::Interrupted);
        }
        self.lost();
    }

    pub(super) fn resumed(&mut self) {
        if std::mem::replace(&mut self.interrupted, false) {
            self.updates.push_back(BarUpdate::Resumed);
        }
        self.lost();
    }

    /// Something of the stream was lost: the newest bar that is known may have changed, too.
    pub(super) fn lost(&mut self) {
        self.missing = Some(self.current.map_or(self.since, |current| current.tick));
        self.pending = None;
    }

    /// Takes a bar, unless it is older than what is known.
    fn advance(&mut self, bar: Bar) {
        // What was traded in a bar only grows.
        let is_older = |current: Bar| (bar.tick, bar.volume) < (current.tick, current.volume);
        if bar.tick < self.since || self.current.is_some_and(is_older) {
            return;
        }
        let before = self.current.replace(bar);
        // Of a bar under way only the last state is of use.
        if let Some(BarUpdate::Current(_)) = self.updates.back() {
            self.updates.pop_back();
        }
        self.updates.extend(before.filter(|before| before.tick < bar.tick).map(BarUpdate::Closed));
        self.updates.push_back(BarUpdate::Current(bar));
    }

    fn skips(&self, from: u64, to: u64) -> bool {
        self.step.is_some_and(|step| to > from.saturating_add(step))
    }
}
