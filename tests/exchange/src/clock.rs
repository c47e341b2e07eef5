//! The two clocks: wall time for what goes on the wire, tokio's monotonic time for everything that waits.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Wall time that never steps back: one reading of the system clock, then monotonic time on top of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
    start_us: u64,
}

impl Clock {
    // The exchange stamps its frames with wall time, as the venue does; this is its only reading of that clock.
    #[allow(clippy::disallowed_methods)]
    pub(crate) fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self { start: Instant::now(), start_us: whole_micros(since_epoch) }
    }

    /// When the exchange started, in milliseconds since 1970.
    pub(crate) fn started_ms(&self) -> i64 {
        i64::try_from(self.start_us / 1_000).unwrap_or(i64::MAX)
    }

    /// Time since the exchange started.
    pub(crate) fn uptime(&self) -> Duration {
        self.start.elapsed()
    }

    /// Microseconds since 1970.
    pub(crate) fn micros(&self) -> u64 {
        self.start_us + whole_micros(self.uptime())
    }

    /// Milliseconds since 1970.
    pub(crate) fn millis(&self) -> i64 {
        i64::try_from(self.micros() / 1_000).unwrap_or(i64::MAX)
    }
}

fn whole_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
