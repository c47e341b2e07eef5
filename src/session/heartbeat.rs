//! Liveness: a silent peer is asked once, and given up when it does not answer.

use std::time::Duration;

use crate::config::Heartbeat;
use crate::time::Instant;

/// Watches for silence on one connection. Judges by what is received, never by what we send.
#[derive(Debug)]
pub(crate) struct Liveness {
    policy: Heartbeat,
    heard: Instant,
    asked: Option<Question>,
}

#[derive(Debug)]
struct Question {
    at: Instant,
    nonce: u64,
    /// The clock jumped since the peer was first asked, and it was asked again.
    repeated: bool,
}

/// What to do when the heartbeat's timer fires.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Not yet.
    Wait,
    /// Ask the peer, with this number in the ping.
    Ask(u64),
    /// It was silent for this long.
    Dead(Duration),
}

/// A timer that fires this late means that the process, page or machine slept: the peer's answer may be waiting.
const LATE: Duration = Duration::from_secs(1);

impl Liveness {
    pub(crate) fn new(policy: Heartbeat, now: Instant) -> Self {
        Self { policy, heard: now, asked: None }
    }

    /// When [`on_timeout`](Self::on_timeout) has something to say.
    pub(crate) fn deadline(&self) -> Instant {
        match &self.asked {
            Some(question) => question.at + self.policy.timeout,
            None => self.heard + self.policy.idle,
        }
    }

    /// When the question was put that is not answered yet.
    pub(crate) fn asked(&self) -> Option<Instant> {
        self.asked.as_ref().map(|question| question.at)
    }

    /// A message or a ping came.
    pub(crate) fn on_life(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
    }

    /// A pong came; the round trip when it answers our question. Any other pong proves nothing.
    pub(crate) fn on_pong(&mut self, now: Instant, payload: &[u8]) -> Option<Duration> {
        let question = self.asked.as_ref().filter(|question| question.nonce.to_be_bytes() == payload)?;
        let round_trip = now.since(question.at);
        self.on_life(now);
        Some(round_trip)
    }

    /// Something suggests that the connection may be gone: ask now, unless a question is open.
    pub(crate) fn doubt(&mut self, now: Instant, nonce: u64) -> Beat {
        match self.asked {
            Some(_) => Beat::Wait,
            None => self.ask(now, nonce, false),
        }
    }

    pub(crate) fn on_timeout(&mut self, now: Instant, nonce: u64) -> Beat {
        if now < self.deadline() {
            return Beat::Wait;
        }
        match &self.asked {
            None => self.ask(now, nonce, false),
            Some(question) if !question.repeated && now.since(self.deadline()) >= LATE => {
                self.ask(now, nonce, true)
            }
            Some(_) => Beat::Dead(now.since(self.heard)),
        }
    }

    fn ask(&mut self, at: Instant, nonce: u64, repeated: bool) -> Beat {
        self.asked = Some(Question { at, nonce, repeated });
        Beat::Ask(nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn liveness() -> Liveness {
        Liveness::new(Heartbeat { idle: 10 * SECOND, timeout: 4 * SECOND }, Instant::ZERO)
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn silence_is_asked_about_and_then_ends_it() {
        let mut live = liveness();
        assert_eq!(live.on_timeout(at(9), 1), Beat::Wait);
        assert_eq!(live.on_timeout(at(10), 1), Beat::Ask(1));
        assert_eq!(live.deadline(), at(14));
        assert_eq!(live.on_timeout(at(14), 2), Beat::Dead(14 * SECOND));
    }

    #[test]
    fn only_its_own_pong_answers() {
        let mut live = liveness();
        assert_eq!(live.on_pong(at(1), &7u64.to_be_bytes()), None);
        live.on_timeout(at(10), 7);
        assert_eq!(live.on_pong(at(11), b"other"), None);
        assert_eq!(live.on_pong(at(11), &[]), None);
        assert_eq!(live.deadline(), at(14));
        assert_eq!(live.on_pong(at(12), &7u64.to_be_bytes()), Some(2 * SECOND));
        assert_eq!(live.deadline(), at(22));
    }

    #[test]
    fn a_message_answers_too() {
        let mut live = liveness();
        live.on_timeout(at(10), 7);
        live.on_life(at(13));
        assert_eq!(live.deadline(), at(23));
    }

    #[test]
    fn a_jump_of_the_clock_is_asked_about_once() {
        let mut live = liveness();
        assert_eq!(live.on_timeout(at(3600), 1), Beat::Ask(1));
        assert_eq!(live.on_timeout(at(7200), 2), Beat::Ask(2));
        assert_eq!(live.on_timeout(at(10_800), 3), Beat::Dead(Duration::from_secs(10_800)));
    }

    #[test]
    fn doubt_asks_once() {
        let mut live = liveness();
        assert_eq!(live.doubt(at(1), 1), Beat::Ask(1));
        assert_eq!(live.doubt(at(2), 2), Beat::Wait);
        assert_eq!(live.on_timeout(at(5), 3), Beat::Dead(5 * SECOND));
    }
}
