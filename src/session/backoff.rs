//! When to try again: exponential backoff with full jitter.

use std::time::Duration;

use super::random::Random;
use crate::config::Backoff;

/// Counts failed attempts and draws the delay before the next.
#[derive(Debug)]
pub(crate) struct Attempts {
    policy: Backoff,
    failed: u32,
    /// The present connection was up long enough for its loss not to count as a failed attempt.
    stable: bool,
}

impl Attempts {
    pub(crate) fn new(policy: Backoff) -> Self {
        Self { policy, failed: 0, stable: false }
    }

    /// How many attempts in a row have failed.
    pub(crate) fn failed(&self) -> u32 {
        self.failed
    }

    /// A connection was made; whether it is stable shows later.
    pub(crate) fn connected(&mut self) {
        self.stable = false;
    }

    /// The connection has been up for long enough: the count starts anew.
    pub(crate) fn prove_stable(&mut self) {
        self.failed = 0;
        self.stable = true;
    }

    /// Counts a failure; the delay before the next attempt, or `None` when no attempt is left.
    pub(crate) fn fail(&mut self, random: &mut Random) -> Option<Duration> {
        if !std::mem::take(&mut self.stable) {
            self.failed = self.failed.saturating_add(1);
        }
        if self.policy.max_attempts.is_some_and(|max| self.failed >= max) {
            return None;
        }
        Some(random.up_to(self.bound()))
    }

    /// The upper bound of the present delay: `base × factor^(failed - 1)`, at most `cap`.
    fn bound(&self) -> Duration {
        let exponent = self.failed.saturating_sub(1);
        let factor = self.policy.factor.checked_pow(exponent).unwrap_or(u32::MAX);
        self.policy.base.saturating_mul(factor).min(self.policy.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds_double_up_to_the_cap() {
        let mut attempts = Attempts::new(Backoff::default());
        let mut random = Random::new(1);
        let bounds: Vec<_> = (0..9)
            .map(|_| {
                attempts.fail(&mut random);
                attempts.bound().as_millis()
            })
            .collect();
        assert_eq!(bounds, [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        attempts.prove_stable();
        for bound in [250, 250, 500] {
            attempts.fail(&mut random);
            assert_eq!(attempts.bound().as_millis(), bound);
        }
    }

    #[test]
    fn the_last_attempt_has_no_delay_after_it() {
        let mut attempts = Attempts::new(Backoff { max_attempts: Some(3), ..Backoff::default() });
        let mut random = Random::new(1);
        assert!(attempts.fail(&mut random).is_some());
        assert!(attempts.fail(&mut random).is_some());
        assert!(attempts.fail(&mut random).is_none());
    }

    #[test]
    fn jitter_covers_the_whole_range_and_differs_between_clients() {
        let delays = |seed| {
            let (mut random, mut attempts) = (Random::new(seed), Attempts::new(Backoff::default()));
            attempts.fail(&mut random).unwrap().as_millis()
        };
        let all: Vec<_> = (0..1000).map(delays).collect();
        for quarter in 0..4u128 {
            let range = quarter * 62..(quarter + 1) * 62;
            let hits = all.iter().filter(|delay| range.contains(delay)).count();
            assert!((180..320).contains(&hits), "{hits} of 1000 in {range:?} ms");
        }
    }

    proptest! {
        #[test]
        fn never_over_the_cap_and_never_a_panic(
            seed: u64, failures in 1usize..200, base in 1u64..100_000, factor in 1u32..u32::MAX, cap in 1u64..100_000,
        ) {
            let cap = Duration::from_millis(cap.max(base));
            let base = Duration::from_millis(base);
            let mut attempts = Attempts::new(Backoff { base, factor, cap, ..Backoff::default() });
            let mut random = Random::new(seed);
            for _ in 0..failures {
                prop_assert!(attempts.fail(&mut random).unwrap() <= cap);
            }
        }
    }
}
