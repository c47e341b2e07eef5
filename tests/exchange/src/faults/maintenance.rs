//! The maintenance script: an announcement, a time of refusals, the close, a time away.

use std::time::Duration;

use tokio::time::Instant;

/// How far the script is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No maintenance.
    Open,
    /// Announced: calls are answered with 11051.
    Notice,
    /// Away: upgrades are refused.
    Outage,
}

/// The script, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct Maintenance {
    plan: Option<(Instant, Instant)>,
    closed: bool,
}

impl Maintenance {
    /// Starts the script now.
    pub(crate) fn start(&mut self, now: Instant, notice: Duration, outage: Duration) {
        (self.plan, self.closed) = (Some((now + notice, now + notice + outage)), false);
    }

    pub(crate) fn phase(&self, now: Instant) -> Phase {
        match self.plan {
            Some((close, _)) if now < close => Phase::Notice,
            Some((_, end)) if now < end => Phase::Outage,
            _ => Phase::Open,
        }
    }

    /// Whether the moment to close everything has come; true once.
    pub(crate) fn closes(&mut self, now: Instant) -> bool {
        let due = self.plan.is_some_and(|(close, _)| close <= now) && !self.closed;
        self.closed |= due;
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn runs_through_its_phases() {
        let at = |seconds| start_plus(seconds);
        let mut script = Maintenance::default();
        assert_eq!(script.phase(at(0)), Phase::Open);
        script.start(at(0), Duration::from_secs(2), Duration::from_secs(3));
        assert_eq!((script.phase(at(1)), script.closes(at(1))), (Phase::Notice, false));
        assert_eq!(
            (script.phase(at(2)), script.closes(at(2)), script.closes(at(3))),
            (Phase::Outage, true, false)
        );
        assert_eq!(script.phase(at(5)), Phase::Open);
    }

    fn start_plus(seconds: u64) -> Instant {
        // The paused clock stands still, so this is always the same start.
        Instant::now() + Duration::from_secs(seconds)
    }
}
