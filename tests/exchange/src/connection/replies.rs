//! Replies that take a detour.

use std::collections::BTreeMap;

use tokio::time::Instant;

/// Replies by the moment they are due; those of one moment in order.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    held: BTreeMap<(Instant, u64), String>,
    count: u64,
}

impl Replies {
    pub(crate) fn hold(&mut self, until: Instant, text: String, copies: usize) {
        for _ in 0..copies {
            self.count += 1;
            self.held.insert((until, self.count), text.clone());
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.held.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes out what is due.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<String> {
        let later = self.held.split_off(&(now, u64::MAX));
        std::mem::replace(&mut self.held, later).into_values().collect()
    }
}
