//! How the holders of a client wait: by the timer of its driver, since they have no clock of their own.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::channel::oneshot;

use crate::sorted::Pairs;
use crate::table::{Key, Slab};
use crate::time::Instant;

/// Ready once its time has come, or the client has ended.
#[derive(Debug)]
pub(crate) struct Alarm(Option<oneshot::Receiver<()>>);

/// What sets an [`Alarm`] off.
pub(crate) type Bell = oneshot::Sender<()>;

impl Alarm {
    pub(crate) fn new() -> (Bell, Self) {
        let (bell, ring) = oneshot::channel();
        (bell, Self(Some(ring)))
    }

    /// One that is off already.
    pub(crate) fn off() -> Self {
        Self(None)
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(ring) = &mut self.0 else { return Poll::Ready(()) };
        // Without a bell nothing else will come either.
        let rung = Pin::new(ring).poll(cx).map(|_| ());
        if rung.is_ready() {
            self.0 = None;
        }
        rung
    }
}

/// The bells of one driver, by time.
#[derive(Debug, Default)]
pub(crate) struct Bells {
    bells: Slab<Bell>,
    due: Pairs<Instant, Key>,
    /// How many there may be before those that nobody hears any more are taken out.
    room: usize,
}

impl Bells {
    pub(crate) fn set(&mut self, at: Instant, bell: Bell) {
        if self.bells.len() >= self.room {
            let unheard = |key: Key| self.bells.get(key).is_none_or(Bell::is_canceled);
            let unheard: Vec<_> = self.due.iter().filter(|(_, key)| unheard(*key)).collect();
            unheard.into_iter().for_each(|entry| drop(self.take(entry)));
            self.room = 2 * self.bells.len() + 16;
        }
        self.due.insert((at, self.bells.insert(bell)));
    }

    /// When the next one rings.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| at)
    }

    /// Rings those whose time has come.
    pub(crate) fn ring(&mut self, now: Instant) {
        while let Some(entry) = self.due.first().filter(|(at, _)| *at <= now) {
            if let Some(bell) = self.take(entry) {
                let _ = bell.send(());
            }
        }
    }

    fn take(&mut self, entry: (Instant, Key)) -> Option<Bell> {
        self.due.remove(entry);
        self.bells.remove(entry.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn they_ring_in_time_and_once() {
        let mut bells = Bells::default();
        let (late, mut late_alarm) = Alarm::new();
        let (early, mut early_alarm) = Alarm::new();
        bells.set(at(20), late);
        bells.set(at(10), early);
        assert_eq!(bells.next(), Some(at(10)));
        bells.ring(at(10));
        assert_eq!((early_alarm.now_or_never_mut(), late_alarm.now_or_never_mut()), (Some(()), None));
        // One that is off stays off.
        assert_eq!(early_alarm.now_or_never_mut(), Some(()));
        drop(bells);
        assert_eq!(late_alarm.now_or_never_mut(), Some(()));
    }

    #[test]
    fn those_that_nobody_hears_take_no_room() {
        let mut bells = Bells::default();
        let (bell, mut alarm) = Alarm::new();
        bells.set(at(1), bell);
        for n in 0..10_000 {
            bells.set(at(n + 2), Alarm::new().0);
        }
        assert!(bells.bells.len() <= 32, "{}", bells.bells.len());
        bells.ring(at(1));
        assert_eq!(alarm.now_or_never_mut(), Some(()));
    }

    impl Alarm {
        fn now_or_never_mut(&mut self) -> Option<()> {
            self.now_or_never()
        }
    }
}
