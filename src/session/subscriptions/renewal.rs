//! When a channel may begin anew: at once the first time, then after growing delays, so that a server whose losses never
//! end is not hammered.

use std::time::Duration;

use crate::session::random::Random;
use crate::time::Instant;

/// The renewals of one channel.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    /// When it was last allowed.
    last: Option<Instant>,
    /// How often since there was a quiet time.
    count: u32,
    /// When it is to be done.
    due: Option<Instant>,
}

/// The delay after the first renewal and the longest one; doubling, with jitter.
const DELAY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));

/// So long after a renewal all is well again.
const QUIET: Duration = Duration::from_secs(120);

impl Renewal {
    /// Somebody asks for one. When it is due, unless one is due already.
    pub(super) fn ask(&mut self, now: Instant, random: &mut Random) -> Option<Instant> {
        if self.due.is_some() {
            return None;
        }
        let recent = self.last.filter(|last| now.since(*last) < QUIET);
        let due = match recent {
            None => {
                self.count = 0;
                now
            }
            Some(last) => {
                let bound = DELAY.0.saturating_mul(1 << self.count.min(7)).min(DELAY.1);
                self.count = self.count.saturating_add(1);
                now.max(last + bound / 2 + random.up_to(bound / 2))
            }
        };
        (self.last, self.due) = (Some(due), Some(due));
        self.due
    }

    /// When it is to be done.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// It cannot be done yet. When to look again.
    pub(super) fn postpone(&mut self, now: Instant) -> Instant {
        let due = now + DELAY.0;
        self.due = Some(due);
        due
    }

    /// It is done, or not needed any more.
    pub(super) fn clear(&mut self) {
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_once_then_after_growing_delays_until_a_quiet_time() {
        let (mut renewal, mut random) = (Renewal::default(), Random::new(1));
        let start = Instant::ZERO + Duration::from_secs(1);
        assert_eq!(renewal.ask(start, &mut random), Some(start));
        assert_eq!(renewal.ask(start, &mut random), None, "one is due already");
        let mut now = start;
        for count in 0..20 {
            renewal.clear();
            let due = renewal.ask(now, &mut random).unwrap();
            let bound = DELAY.0.saturating_mul(1 << count.min(7)).min(DELAY.1);
            assert!(due.since(now) >= bound / 2 && due.since(now) <= bound, "{count}");
            now = due;
        }
        renewal.clear();
        now = now + QUIET;
        assert_eq!(renewal.ask(now, &mut random), Some(now));
    }
}
