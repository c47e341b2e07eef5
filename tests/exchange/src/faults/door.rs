//! Misbehaviour before a connection is one: at the upgrade.

use std::time::Duration;

use tokio::time::Instant;

/// What a client meets instead of a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Door {
    /// The upgrade is answered with an HTTP status.
    Refuse {
        /// The status, 400 to 599.
        status: u16,
        /// Seconds for a `Retry-After` header.
        retry_after: Option<u64>,
    },
    /// TCP is accepted and the upgrade never answered.
    Silent,
    /// TCP is accepted and closed at once.
    Hangup,
    /// The upgrade succeeds, then a close frame with this code comes at once.
    CloseAtOnce(u16),
}

/// How long a door stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// For so many attempts.
    Attempts(usize),
    /// For so long.
    For(Duration),
    /// Until [`Exchange::open_door`](crate::Exchange::open_door).
    UntilOpened,
}

/// The door as it is set now.
#[derive(Debug, Default)]
pub(crate) struct Doorway {
    set: Option<(Door, Span, Instant)>,
}

impl Doorway {
    pub(crate) fn set(&mut self, door: Door, span: Span, now: Instant) {
        self.set = Some((door, span, now));
    }

    pub(crate) fn open(&mut self) {
        self.set = None;
    }

    /// What the next client meets; `None` is a WebSocket.
    pub(crate) fn meet(&mut self, now: Instant) -> Option<Door> {
        let (door, span, since) = self.set.as_mut()?;
        let over = match span {
            Span::Attempts(0) => true,
            Span::Attempts(left) => {
                *left -= 1;
                false
            }
            Span::For(length) => now.saturating_duration_since(*since) >= *length,
            Span::UntilOpened => false,
        };
        if over {
            self.set = None;
            return None;
        }
        Some(door.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn attempts_and_times_run_out() {
        let now = Instant::now();
        let mut doorway = Doorway::default();
        assert_eq!(doorway.meet(now), None);
        doorway.set(Door::Silent, Span::Attempts(2), now);
        let met: Vec<bool> = (0..4).map(|_| doorway.meet(now).is_some()).collect();
        assert_eq!(met, [true, true, false, false]);
        doorway.set(Door::Hangup, Span::For(Duration::from_secs(5)), now);
        assert!(doorway.meet(now + Duration::from_secs(4)).is_some());
        assert!(doorway.meet(now + Duration::from_secs(5)).is_none());
    }
}
