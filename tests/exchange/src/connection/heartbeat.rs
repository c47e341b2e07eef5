//! The venue's liveness rules of one connection, given the time.

use std::time::Duration;

use tokio::time::Instant;

/// What the rules ask for at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Ask the client whether it is there; on a quiet connection a `heartbeat` frame goes along.
    Ask { quiet: bool },
    /// The client did not answer.
    Unanswered,
    /// Nothing was ever asked of this connection, nor by it, for a minute.
    Idle,
}

/// The first request comes after 1.2 intervals, the others after 1.06: measured on the venue.
const FIRST_PERCENT: u32 = 122;
const NEXT_PERCENT: u32 = 106;
const GRACE_SECONDS: u32 = 10;
const IDLE_MILLIS: u32 = 60_500;

/// Timers of one connection. A scaled second lets tests run them fast.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    second: Duration,
    interval: Option<Duration>,
    ask_at: Option<Instant>,
    answer_by: Option<Instant>,
    heard_at: Instant,
    quiet: bool,
}

impl Heartbeat {
    pub(crate) fn new(second: Duration, now: Instant) -> Self {
        Self { second, interval: None, ask_at: None, answer_by: None, heard_at: now, quiet: true }
    }

    /// `public/set_heartbeat`.
    pub(crate) fn set(&mut self, seconds: f64, now: Instant) {
        let interval = self.second.mul_f64(seconds);
        self.interval = Some(interval);
        self.ask_at = Some(now + interval * FIRST_PERCENT / 100);
        self.answer_by = None;
    }

    /// `public/disable_heartbeat`.
    pub(crate) fn disable(&mut self) {
        (self.interval, self.ask_at, self.answer_by) = (None, None, None);
    }

    /// Any frame came in.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
    }

    /// A `public/test` came in.
    pub(crate) fn answered(&mut self) {
        self.answer_by = None;
    }

    /// An update went out.
    pub(crate) fn spoke(&mut self) {
        self.quiet = false;
    }

    /// When [`Self::poll`] wants to be called next.
    pub(crate) fn deadline(&self, subscribed: bool) -> Option<Instant> {
        [self.ask_at, self.answer_by, self.idle_at(subscribed)].into_iter().flatten().min()
    }

    /// What is due now.
    pub(crate) fn poll(&mut self, now: Instant, subscribed: bool) -> Option<Beat> {
        let past = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if past(self.answer_by) {
            return Some(Beat::Unanswered);
        }
        if past(self.idle_at(subscribed)) {
            return Some(Beat::Idle);
        }
        let interval = self.interval.filter(|_| past(self.ask_at))?;
        self.ask_at = Some(now + interval * NEXT_PERCENT / 100);
        // An unanswered request keeps its deadline when the next one goes out.
        self.answer_by = self.answer_by.or(Some(now + self.second * GRACE_SECONDS));
        Some(Beat::Ask { quiet: std::mem::replace(&mut self.quiet, true) })
    }

    fn idle_at(&self, subscribed: bool) -> Option<Instant> {
        let exempt = subscribed || self.interval.is_some();
        (!exempt).then(|| self.heard_at + self.second * IDLE_MILLIS / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beats(heartbeat: &mut Heartbeat, start: Instant, answer: bool) -> Vec<(u64, Beat)> {
        let mut seen = Vec::new();
        while let Some(at) = heartbeat.deadline(false).filter(|at| *at < start + Duration::from_secs(60)) {
            if let Some(beat) = heartbeat.poll(at, false) {
                seen.push(((at - start).as_millis() as u64, beat));
                match beat {
                    Beat::Ask { .. } if answer => heartbeat.answered(),
                    Beat::Ask { .. } => {}
                    Beat::Unanswered | Beat::Idle => break,
                }
            }
        }
        seen
    }

    #[tokio::test(start_paused = true)]
    async fn asks_as_the_venue_does() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(Duration::from_secs(1), start);
        heartbeat.set(10.0, start);
        let times: Vec<u64> = beats(&mut heartbeat, start, true).iter().map(|(ms, _)| *ms).collect();
        assert_eq!(times, [12_200, 22_800, 33_400, 44_000, 54_600]);
    }

    #[tokio::test(start_paused = true)]
    async fn gives_ten_seconds_to_answer() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(Duration::from_secs(1), start);
        heartbeat.set(10.0, start);
        assert_eq!(
            beats(&mut heartbeat, start, false),
            [(12_200, Beat::Ask { quiet: true }), (22_200, Beat::Unanswered)]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn idles_out_only_without_heartbeat_and_subscription() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(Duration::from_secs(1), start);
        assert_eq!(heartbeat.deadline(true), None);
        let late = start + Duration::from_millis(60_500);
        assert_eq!(heartbeat.deadline(false), Some(late));
        assert_eq!(heartbeat.poll(late, false), Some(Beat::Idle));
    }
}
