//! Cuts connections now and then, at random but by the seed.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use super::Fault;

/// When the next cut comes, and which it is.
#[derive(Debug)]
pub(crate) struct Chaos {
    every: Option<Duration>,
    next: Option<Instant>,
    rng: Rng,
}

impl Chaos {
    pub(crate) fn new(every: Option<Duration>, rng: Rng) -> Self {
        Self { every, next: None, rng }
    }

    /// Sets the mean time between cuts; `None` ends them.
    pub(crate) fn set(&mut self, every: Option<Duration>) {
        (self.every, self.next) = (every, None);
    }

    /// The fault that is due now, if one is.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Fault> {
        let every = self.every?;
        let due = self.next.is_some_and(|next| next <= now);
        if due || self.next.is_none() {
            self.next = Some(now + every.mul_f64(0.5 + self.rng.f64()));
        }
        due.then(|| self.cut())
    }

    fn cut(&mut self) -> Fault {
        match self.rng.u8(..4) {
            0 => Fault::Reset,
            1 => Fault::Close { code: 1001, reason: "going away".into() },
            2 => Fault::Close { code: 1012, reason: "service restart".into() },
            _ => Fault::Drop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn cuts_about_as_often_as_asked() {
        let start = Instant::now();
        let mut chaos = Chaos::new(Some(Duration::from_secs(5)), Rng::with_seed(1));
        let cuts =
            (0..10_000).filter(|n| chaos.poll(start + Duration::from_millis(100) * *n).is_some()).count();
        assert!((150..250).contains(&cuts), "{cuts}");
        chaos.set(None);
        assert_eq!(chaos.poll(start + Duration::from_secs(9_999)), None);
    }
}
