//! Every timer of a connection in one table.

use crate::time::Instant;

/// What a session waits for. Each timer is set for one connection or attempt and cleared with it, so that a stale one
/// never ends the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The attempt to connect took too long.
    Connect,
    /// The backoff is over: try again.
    Retry,
    /// The connection has been up long enough for the count of attempts to start anew.
    Stable,
    /// Nothing was received for the idle limit, or the peer did not answer when asked.
    Heartbeat,
    /// The peer has taken nothing from us for too long.
    Stalled,
    /// The earliest deadline among the requests.
    Deadline,
    /// The limiter has the credits that a waiting request needs.
    Credits,
    /// A refused channel is asked for again.
    Resubscribe,
    /// A step's request was not ready in time.
    Prepare,
    /// The protocol has something to do by itself.
    Upkeep,
    /// The peer did not answer our close frame.
    Close,
    /// Everything under way has ended, or has had its time: the client closes.
    Drain,
}

impl Timer {
    const ALL: [Self; 12] = [
        Self::Connect,
        Self::Retry,
        Self::Stable,
        Self::Heartbeat,
        Self::Stalled,
        Self::Deadline,
        Self::Credits,
        Self::Resubscribe,
        Self::Prepare,
        Self::Upkeep,
        Self::Close,
        Self::Drain,
    ];
}

#[derive(Debug, Default)]
pub(crate) struct Timers([Option<Instant>; Timer::ALL.len()]);

impl Timers {
    pub(crate) fn set(&mut self, timer: Timer, at: impl Into<Option<Instant>>) {
        self.0[timer as usize] = at.into();
    }

    pub(crate) fn clear_all(&mut self) {
        self.0 = Default::default();
    }

    pub(crate) fn get(&self, timer: Timer) -> Option<Instant> {
        self.0[timer as usize]
    }

    /// Clears a timer; when it would have fired.
    pub(crate) fn take(&mut self, timer: Timer) -> Option<Instant> {
        self.0[timer as usize].take()
    }

    /// When the next timer fires.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes the earliest timer that has fired by `now`.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Timer> {
        let fired = |timer: &Timer| self.get(*timer).is_some_and(|at| at <= now);
        let timer = Timer::ALL.into_iter().filter(fired).min_by_key(|timer| self.get(*timer))?;
        self.set(timer, None);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_in_order_and_once() {
        let at = Instant::from_nanos;
        let mut timers = Timers::default();
        timers.set(Timer::Retry, at(20));
        timers.set(Timer::Close, at(10));
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.expire(at(9)), None);
        assert_eq!(timers.expire(at(30)), Some(Timer::Close));
        assert_eq!(timers.expire(at(30)), Some(Timer::Retry));
        assert_eq!((timers.expire(at(30)), timers.next()), (None, None));
    }
}
