//! The venue's clock, estimated from its replies.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::time::Instant;

/// What the venue's clock says, known from the replies that come anyway, with a bound on the error. Clones share what
/// is known.
///
/// A reply says when the server received the request and when it sent the reply (`usIn`, `usOut`). Both lie between our
/// sending and our receiving, so the offset between the two clocks is known to within the time on the network.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Mutex<Option<Estimate>>>);

/// A time on the venue's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerTime {
    /// Microseconds since the Unix epoch.
    pub micros: u64,
    /// How far off this may be, either way.
    pub error: Duration,
}

impl ServerTime {
    /// Milliseconds since the Unix epoch, as the venue's timestamps are.
    pub fn millis(self) -> u64 {
        self.micros / 1000
    }

    /// The earliest that it may be, in milliseconds since the Unix epoch.
    ///
    /// Counted from here, an order's `valid_until` never lets it live longer than was meant.
    pub fn earliest_millis(self) -> u64 {
        let error = u64::try_from(self.error.as_micros()).unwrap_or(u64::MAX);
        self.micros.saturating_sub(error) / 1000
    }
}

/// The two clocks may drift apart by one part in so many: crystals are off by one in 20,000, and a clock that is being
/// set right by as much as one in 2,000.
const DRIFT: i64 = 2_000;

/// The server's clock less ours, in microseconds, at one of our instants.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    at: Instant,
    low: i64,
    high: i64,
}

/// How far the clocks may have drifted apart in between, rounded up: many short times add up to no less than a long one.
fn drift(from: Instant, to: Instant) -> i64 {
    (micros(to) - micros(from)).max(0) / DRIFT + 1
}

impl Estimate {
    /// The same at a later time.
    fn aged(self, now: Instant) -> Self {
        let drift = drift(self.at, now);
        Self { at: now, low: self.low - drift, high: self.high + drift }
    }

    /// What holds when both do, if both can.
    fn and(self, other: Self) -> Option<Self> {
        let (low, high) = (self.low.max(other.low), self.high.min(other.high));
        (low <= high).then_some(Self { low, high, ..self })
    }
}

impl Clock {
    /// The venue's time at one of our instants ([`Client::now`](crate::Client::now) is the present one); `None` before
    /// the first reply.
    pub fn at(&self, now: Instant) -> Option<ServerTime> {
        let Estimate { low, high, .. } = (*self.lock())?.aged(now);
        let offset = i64::midpoint(low, high);
        Some(ServerTime {
            micros: micros(now).saturating_add(offset).try_into().ok()?,
            error: Duration::from_micros(high.abs_diff(offset)),
        })
    }

    /// Whether anything is known.
    pub(super) fn is_known(&self) -> bool {
        self.lock().is_some()
    }

    /// A request left at `sent`; its reply came at `now` and names the server's times.
    pub(super) fn sample(&self, sent: Instant, now: Instant, (us_in, us_out): (u64, u64)) {
        if us_in <= us_out {
            self.learn((sent, us_in), (now, us_out));
        }
    }

    /// The server was asked for the time after `asked`, and its answer came at `now`.
    pub(super) fn told(&self, asked: Instant, now: Instant, millis: u64) {
        let us = millis.saturating_mul(1000);
        // It may have left out almost a millisecond.
        self.learn((asked, us.saturating_add(999)), (now, us));
    }

    /// At the first of our instants the server's clock had not yet come to the time beside it; at the second it had come
    /// to the other.
    fn learn(&self, (before, late): (Instant, u64), (after, early): (Instant, u64)) {
        // Later than the year 9999 is no time.
        let [late, early] = [late, early].map(|us| i64::try_from(us.min(FAR)).unwrap_or_default());
        // Both clocks leave out what is less than a microsecond.
        let (low, high) = (early - micros(after) - 1, late - micros(before) + 1);
        let fresh = Estimate { at: after, low, high: high + drift(before, after) };
        if fresh.low > fresh.high {
            return;
        }
        let mut known = self.lock();
        // When both cannot hold, a clock was set or a machine slept.
        *known = Some(known.and_then(|known| known.aged(after).and(fresh)).unwrap_or(fresh));
    }

    fn lock(&self) -> MutexGuard<'_, Option<Estimate>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of the year 9999 in microseconds.
const FAR: u64 = 253_402_300_800_000_000;

fn micros(now: Instant) -> i64 {
    // A thousandth of any number of nanoseconds fits.
    i64::try_from(now.as_nanos() / 1000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EPOCH: u64 = 1_790_000_000_000_000;

    fn at(micros: u64) -> Instant {
        Instant::from_nanos(micros * 1000)
    }

    /// Rounding and drift within a reply are a few microseconds.
    fn is_near(time: ServerTime, micros: u64, error: u64) -> bool {
        time.micros.abs_diff(micros) < 10
            && time.error.abs_diff(Duration::from_micros(error)).as_micros() < 10
    }

    #[test]
    fn a_reply_bounds_the_time() {
        let clock = Clock::default();
        assert_eq!(clock.at(at(0)), None);
        // 10 ms on the network both ways together, 2 ms at the server.
        clock.sample(at(1_000), at(13_000), (EPOCH + 5_000, EPOCH + 7_000));
        let time = clock.at(at(13_000)).unwrap();
        assert!(is_near(time, EPOCH + 12_000, 5_000), "{time:?}");
        assert_eq!(time.earliest_millis(), (EPOCH + 6_900) / 1000);
        // A second later less is known.
        let later = clock.at(at(1_013_000)).unwrap();
        assert!(is_near(later, EPOCH + 1_012_000, 5_500), "{later:?}");
    }

    #[test]
    fn a_faster_reply_narrows_it_and_a_slower_one_does_no_harm() {
        let clock = Clock::default();
        for (round_trip, error) in [(8_000, 4_000), (2_000, 1_000), (800_000, 1_000)] {
            let server = EPOCH + round_trip / 2;
            clock.sample(at(0), at(round_trip), (server, server));
            let known = clock.at(at(round_trip)).unwrap().error;
            assert!(known <= Duration::from_micros(error + 500), "{round_trip}: {known:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_is_believed() {
        let clock = Clock::default();
        clock.sample(at(0), at(2_000), (EPOCH, EPOCH));
        clock.sample(at(10_000), at(12_000), (EPOCH + 3_600_000_000, EPOCH + 3_600_000_000));
        let set = clock.at(at(12_000)).unwrap();
        assert!(is_near(set, EPOCH + 3_600_001_000, 1_000), "{set:?}");
        // What makes no sense is not.
        clock.sample(at(12_000), at(14_000), (EPOCH + 9, EPOCH));
        clock.sample(at(12_000), at(14_000), (0, u64::MAX));
        assert_eq!(clock.at(at(12_000)), Some(set));
    }

    proptest! {
        /// Whatever the network does, and with clocks that drift, the true time is within the bound.
        #[test]
        fn the_bound_holds(
            drift in -400i64..400,
            replies in prop::collection::vec((0u64..2_000_000, 0u64..500_000, 0u64..10_000, 0u64..500_000), 1..50),
        ) {
            let clock = Clock::default();
            let server = |ours: u64| {
                EPOCH.checked_add_signed(ours as i64 + ours as i64 * drift / 1_000_000).unwrap()
            };
            let mut now = 0;
            for (pause, out, work, back) in replies {
                let sent = now + pause;
                now = sent + out + work + back;
                clock.sample(at(sent), at(now), (server(sent + out), server(sent + out + work)));
                let time = clock.at(at(now)).unwrap();
                // Two microseconds for rounding.
                prop_assert!(time.micros.abs_diff(server(now)) <= time.error.as_micros() as u64 + 2);
            }
        }
    }
}
