//! Which numbers a session gives to requests of its own. It shares the counter with its users, in other threads.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::protocol::RequestId;

/// Notes the numbers that are taken, and says which are to be taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape(Arc<Mutex<Numbers>>);

#[derive(Debug, Default)]
struct Numbers {
    taken: Vec<RequestId>,
    given: VecDeque<RequestId>,
}

impl Tape {
    /// The number that is to be taken next, or a new one.
    pub(crate) fn next(&self, counter: &AtomicU64) -> RequestId {
        let mut numbers = self.lock();
        let id = match numbers.given.pop_front() {
            Some(id) => id,
            None => RequestId(counter.fetch_add(1, Ordering::Relaxed)),
        };
        counter.fetch_max(id.0.saturating_add(1), Ordering::Relaxed);
        numbers.taken.push(id);
        id
    }

    /// Those that were taken since this was asked.
    pub(crate) fn taken(&self) -> Vec<RequestId> {
        std::mem::take(&mut self.lock().taken)
    }

    /// These are to be taken next, and no others that were said before.
    pub(crate) fn give(&self, ids: Vec<RequestId>) {
        self.lock().given = ids.into();
    }

    fn lock(&self) -> MutexGuard<'_, Numbers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
