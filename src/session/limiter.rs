//! Token buckets in integers: never over capacity, never a lost or refunded credit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::task::AtomicWaker;

use crate::health::Credits;
use crate::time::Instant;

/// A limit as data: credits that requests take, and that come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// A name for events and health.
    pub name: &'static str,
    /// The most credits it holds; it starts full.
    pub capacity: u64,
    /// How credits come back.
    pub refill: Refill,
    /// Credits that only urgent requests may use: heartbeat replies and cancels.
    pub reserve: u64,
}

/// How the credits of a [`Bucket`] come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refill {
    /// This many a second, continuously: a bound on the rate of requests.
    PerSecond(u64),
    /// Those that a request took, once it is answered: a bound on the requests that are on their way. When nobody waits
    /// for the answer any more, they come back with it, but at the latest after 10 seconds; and all with the end of the
    /// connection.
    WhenAnswered,
}

/// What a request takes from one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The bucket's index in the limiter.
    pub bucket: usize,
    /// How many credits.
    pub credits: u64,
}

/// How a request is ranked: in the queue to the wire and for the limiter's reserve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lane {
    /// Goes ahead of everything that waits: heartbeat replies, cancels.
    Urgent,
    /// Waits its turn.
    #[default]
    Normal,
}

/// Why the limiter does not let a request go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limited {
    /// The credits suffice at this time, if nobody else takes them.
    Until(Instant),
    /// The credits suffice when a request that is on its way has been answered.
    Busy,
    /// It asks for more than a bucket can ever give it.
    Never,
}

/// A set of token buckets. Clones share the same buckets: give one limiter to all clients of an account.
///
/// ```
/// use steadysocket::{Bucket, Cost, Lane, Limiter, Refill, time::Instant};
/// let refill = Refill::PerSecond(1);
/// let limiter = Limiter::new([Bucket { name: "calls", capacity: 2, refill, reserve: 0 }]);
/// let call = [Cost { bucket: 0, credits: 1 }];
/// let now = Instant::ZERO;
/// assert!(limiter.spend(now, &call, Lane::Normal).is_ok());
/// assert!(limiter.spend(now, &call, Lane::Normal).is_ok());
/// assert!(limiter.spend(now, &call, Lane::Normal).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Limiter(Arc<Mutex<Levels>>);

#[derive(Debug)]
struct Levels {
    levels: Vec<Level>,
    /// Somebody was told to come again when an answer has come.
    wanted: bool,
    /// Whom to wake then.
    drivers: Vec<Weak<AtomicWaker>>,
}

#[derive(Debug)]
struct Level {
    bucket: Bucket,
    /// What was taken and has not come back, in billionths of a credit, so that a refill for any number of nanoseconds
    /// is exact.
    taken: u128,
    refilled: Option<Instant>,
}

const NANO: u128 = 1_000_000_000;

impl Limiter {
    /// A limiter whose buckets are full.
    pub fn new(buckets: impl IntoIterator<Item = Bucket>) -> Self {
        let level = |bucket| Level { bucket, taken: 0, refilled: None };
        let levels = buckets.into_iter().map(level).collect();
        Self(Arc::new(Mutex::new(Levels { levels, wanted: false, drivers: Vec::new() })))
    }

    /// Takes all `costs`, or nothing.
    ///
    /// # Errors
    /// When it may be tried again; [`Limited::Never`] for a cost above a bucket's capacity or of a bucket that does
    /// not exist.
    pub fn spend(&self, now: Instant, costs: &[Cost], lane: Lane) -> Result<(), Limited> {
        self.spend_if(now, costs, lane, || Ok::<_, std::convert::Infallible>(())).map(drop)
    }

    /// Takes all `costs` if they can be paid and `action` succeeds, in one step: what fails costs nothing, and nobody
    /// else can take the credits meanwhile.
    pub(crate) fn spend_if<T, E>(
        &self,
        now: Instant,
        costs: &[Cost],
        lane: Lane,
        action: impl FnOnce() -> Result<T, E>,
    ) -> Result<Result<T, E>, Limited> {
        if costs.is_empty() {
            return Ok(action());
        }
        let mut inner = self.lock();
        if let Err(limited) = affordable(&mut inner.levels, now, costs, lane, |_| 0) {
            inner.wanted |= limited == Limited::Busy;
            return Err(limited);
        }
        let done = action();
        if done.is_ok() {
            for cost in costs {
                inner.levels[cost.bucket].taken += u128::from(cost.credits) * NANO;
            }
        }
        Ok(done)
    }

    /// Gives back what a request took that is not on its way any more, where [`Refill::WhenAnswered`] says so.
    pub fn give_back(&self, costs: &[Cost]) {
        if costs.is_empty() {
            return;
        }
        let mut inner = self.lock();
        for cost in costs {
            if let Some(level) = inner.levels.get_mut(cost.bucket).filter(|level| level.is_returned()) {
                level.taken = level.taken.saturating_sub(u128::from(cost.credits) * NANO);
            }
        }
        let wanted = std::mem::take(&mut inner.wanted);
        let drivers = if wanted { inner.drivers.clone() } else { Vec::new() };
        drop(inner);
        drivers.iter().filter_map(Weak::upgrade).for_each(|driver| driver.wake());
    }

    /// Whether some of the credits are [given back](Self::give_back).
    pub(crate) fn returns(&self, costs: &[Cost]) -> bool {
        let inner = self.lock();
        costs.iter().any(|cost| inner.levels.get(cost.bucket).is_some_and(Level::is_returned))
    }

    /// Wakes this driver when credits were given back that somebody waits for.
    pub(crate) fn watch(&self, driver: &Arc<AtomicWaker>) {
        let mut inner = self.lock();
        inner.drivers.retain(|driver| driver.strong_count() > 0);
        inner.drivers.push(Arc::downgrade(driver));
    }

    /// Changes a bucket. Credits that it holds stay, as far as there is room for them, and none are added.
    pub fn set(&self, now: Instant, index: usize, bucket: Bucket) {
        if let Some(level) = self.lock().levels.get_mut(index) {
            level.refill(now);
            if let Refill::PerSecond(_) = bucket.refill {
                let left = level.left();
                level.taken = (u128::from(bucket.capacity) * NANO).saturating_sub(left);
            }
            level.bucket = bucket;
        }
    }

    /// Whether [`spend`](Self::spend) would succeed at `now`, taking nothing.
    ///
    /// # Errors
    /// As [`spend`](Self::spend).
    pub fn check(&self, now: Instant, costs: &[Cost], lane: Lane) -> Result<(), Limited> {
        self.check_behind(now, costs, lane, |_| 0)
    }

    /// As [`check`](Self::check), behind others that will take `ahead` credits from a bucket.
    pub(crate) fn check_behind(
        &self,
        now: Instant,
        costs: &[Cost],
        lane: Lane,
        ahead: impl Fn(usize) -> u64,
    ) -> Result<(), Limited> {
        affordable(&mut self.lock().levels, now, costs, lane, ahead)
    }

    /// Whole credits in a bucket at `now`; `None` when there is no such bucket.
    pub fn available(&self, now: Instant, bucket: usize) -> Option<u64> {
        let mut inner = self.lock();
        let level = inner.levels.get_mut(bucket)?;
        level.refill(now);
        u64::try_from(level.left() / NANO).ok()
    }

    /// The buckets, in the order that [`Cost::bucket`] counts them.
    pub fn buckets(&self) -> Vec<Bucket> {
        self.lock().levels.iter().map(|level| level.bucket.clone()).collect()
    }

    /// What the buckets hold at `now`, in the order that [`Cost::bucket`] counts them.
    pub(crate) fn credits(&self, now: Instant) -> Vec<Credits> {
        let credits = |level: &mut Level| {
            level.refill(now);
            let Bucket { name, capacity, reserve, .. } = level.bucket;
            Credits {
                name,
                available: u64::try_from(level.left() / NANO).unwrap_or(u64::MAX),
                capacity,
                reserve,
            }
        };
        self.lock().levels.iter_mut().map(credits).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Levels> {
        // Nothing below can panic half-way through a change, so a poisoned lock holds sound levels.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn affordable(
    levels: &mut [Level],
    now: Instant,
    costs: &[Cost],
    lane: Lane,
    ahead: impl Fn(usize) -> u64,
) -> Result<(), Limited> {
    let (mut until, mut busy) = (None, false);
    for (index, cost) in costs.iter().enumerate() {
        // A bucket that is named twice pays the sum.
        let credits = costs[..=index].iter().filter(|other| other.bucket == cost.bucket).map(|c| c.credits);
        let level = levels.get_mut(cost.bucket).ok_or(Limited::Never)?;
        match level.affordable(now, credits.fold(0, u64::saturating_add), lane, ahead(cost.bucket)) {
            Ok(()) => {}
            Err(Limited::Never) => return Err(Limited::Never),
            Err(Limited::Busy) => busy = true,
            Err(Limited::Until(time)) => until = until.max(Some(time)),
        }
    }
    match until {
        _ if busy => Err(Limited::Busy),
        Some(time) => Err(Limited::Until(time)),
        None => Ok(()),
    }
}

impl Level {
    fn is_returned(&self) -> bool {
        self.bucket.refill == Refill::WhenAnswered
    }

    /// What it holds.
    fn left(&self) -> u128 {
        (u128::from(self.bucket.capacity) * NANO).saturating_sub(self.taken)
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.since(self.refilled.unwrap_or(now)).as_nanos();
        // Clients that share the limiter may come with slightly older times; those add nothing and take nothing back.
        self.refilled = self.refilled.max(Some(now));
        if let Refill::PerSecond(credits) = self.bucket.refill {
            self.taken = self.taken.saturating_sub(elapsed.saturating_mul(credits.into()));
        }
    }

    fn affordable(&mut self, now: Instant, credits: u64, lane: Lane, ahead: u64) -> Result<(), Limited> {
        self.refill(now);
        if credits == 0 {
            return Ok(());
        }
        let reserve = match lane {
            Lane::Urgent => 0,
            Lane::Normal => self.bucket.reserve,
        };
        let needed = u128::from(credits) + u128::from(reserve);
        if needed > u128::from(self.bucket.capacity) {
            return Err(Limited::Never);
        }
        let missing = ((needed + u128::from(ahead)) * NANO).saturating_sub(self.left());
        match self.bucket.refill {
            _ if missing == 0 => Ok(()),
            Refill::WhenAnswered => Err(Limited::Busy),
            Refill::PerSecond(0) => Err(Limited::Never),
            Refill::PerSecond(refill) => {
                let at = u128::from(now.as_nanos()) + missing.div_ceil(u128::from(refill));
                Err(Limited::Until(Instant::from_nanos(u64::try_from(at).unwrap_or(u64::MAX))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    fn bucket(capacity: u64, refill: u64, reserve: u64) -> Bucket {
        Bucket { name: "test", capacity, refill: Refill::PerSecond(refill), reserve }
    }

    fn cost(credits: u64) -> [Cost; 1] {
        [Cost { bucket: 0, credits }]
    }

    const T0: Instant = Instant::from_nanos(1_000_000);

    #[test]
    fn a_refusal_takes_nothing() {
        let limiter = Limiter::new([bucket(10, 1, 0), bucket(1, 1, 0)]);
        let both = [Cost { bucket: 0, credits: 1 }, Cost { bucket: 1, credits: 1 }];
        assert_eq!(limiter.spend(T0, &both, Lane::Normal), Ok(()));
        assert_eq!(limiter.spend(T0, &both, Lane::Normal), Err(Limited::Until(T0 + Duration::from_secs(1))));
        assert_eq!(limiter.available(T0, 0), Some(9));
    }

    #[test]
    fn what_can_never_be_paid_is_said_at_once() {
        let limiter = Limiter::new([bucket(10, 1, 4), bucket(5, 0, 0)]);
        assert_eq!(limiter.spend(T0, &cost(7), Lane::Normal), Err(Limited::Never));
        assert_eq!(limiter.spend(T0, &cost(7), Lane::Urgent), Ok(()));
        assert_eq!(limiter.spend(T0, &[Cost { bucket: 9, credits: 1 }], Lane::Normal), Err(Limited::Never));
        let once = [Cost { bucket: 1, credits: 5 }];
        assert_eq!(limiter.spend(T0, &once, Lane::Normal), Ok(()));
        assert_eq!(limiter.spend(T0, &once, Lane::Normal), Err(Limited::Never));
        let twice = [Cost { bucket: 0, credits: 6 }, Cost { bucket: 0, credits: 6 }];
        assert_eq!(limiter.spend(T0, &twice, Lane::Urgent), Err(Limited::Never));
    }

    #[test]
    fn the_reserve_is_for_urgent_requests() {
        let limiter = Limiter::new([bucket(10, 1, 3)]);
        assert_eq!(limiter.spend(T0, &cost(7), Lane::Normal), Ok(()));
        assert!(limiter.spend(T0, &cost(1), Lane::Normal).is_err());
        assert_eq!(limiter.spend(T0, &cost(3), Lane::Urgent), Ok(()));
    }

    proptest! {
        /// Against the definition: what is spent up to any time never exceeds capacity + refill × time, and nothing
        /// that the budget covers is refused.
        #[test]
        fn exact_at_every_moment(
            capacity in 1u64..1000, refill in 0u64..100_000,
            steps in prop::collection::vec((0u64..2_000_000_000, 0u64..1200), 1..200),
        ) {
            let limiter = Limiter::new([bucket(capacity, refill, 0)]);
            let mut now = T0;
            let mut level = u128::from(capacity) * NANO;
            for (nanos, credits) in steps {
                now = now + Duration::from_nanos(nanos);
                level = (level + u128::from(nanos) * u128::from(refill)).min(u128::from(capacity) * NANO);
                match limiter.spend(now, &cost(credits), Lane::Normal) {
                    Ok(()) => {
                        prop_assert!(level >= u128::from(credits) * NANO);
                        level -= u128::from(credits) * NANO;
                    }
                    Err(Limited::Never) => prop_assert!(credits > capacity || (refill == 0 && level < u128::from(credits) * NANO)),
                    Err(Limited::Busy) => prop_assert!(false, "nothing here is given back"),
                    Err(Limited::Until(time)) => {
                        prop_assert!(level < u128::from(credits) * NANO);
                        // The time is the first at which it can be paid.
                        let gain = |at: Instant| level + u128::from(at.as_nanos() - now.as_nanos()) * u128::from(refill);
                        prop_assert!(gain(time) >= u128::from(credits) * NANO);
                        prop_assert!(gain(time - Duration::from_nanos(1)) < u128::from(credits) * NANO);
                    }
                }
                prop_assert_eq!(limiter.available(now, 0).map(u128::from), Some(level / NANO));
            }
        }

        /// A bucket that is changed keeps what it holds, as far as there is room, and gets nothing.
        #[test]
        fn changes_mint_nothing(
            steps in prop::collection::vec((0u64..2_000_000_000, 1u64..100, 0u64..1000, 0u64..1000, any::<bool>()), 1..100),
        ) {
            let limiter = Limiter::new([bucket(10, 10, 0)]);
            let (mut now, mut capacity, mut refill) = (T0, 10, 10);
            let mut level = 10 * NANO;
            for (nanos, credits, new_capacity, new_refill, change) in steps {
                now = now + Duration::from_nanos(nanos);
                let full = u128::from(capacity) * NANO;
                level = (level + u128::from(nanos) * u128::from(refill)).min(full);
                if change {
                    (capacity, refill) = (new_capacity, new_refill);
                    limiter.set(now, 0, bucket(capacity, refill, 0));
                    level = level.min(u128::from(capacity) * NANO);
                }
                let paid = limiter.spend(now, &cost(credits), Lane::Urgent).is_ok();
                prop_assert_eq!(paid, level >= u128::from(credits) * NANO);
                level -= if paid { u128::from(credits) * NANO } else { 0 };
                prop_assert_eq!(limiter.available(now, 0).map(u128::from), Some(level / NANO));
            }
        }

        /// What was taken and not given back never exceeds the bound, whatever it is changed to meanwhile.
        #[test]
        fn requests_on_their_way_are_bounded(steps in prop::collection::vec((0u8..3, 1u64..12), 1..200)) {
            let slots = |capacity| Bucket { refill: Refill::WhenAnswered, ..bucket(capacity, 0, 0) };
            let limiter = Limiter::new([slots(7)]);
            let (mut flying, mut most) = (0, 7);
            for (step, number) in steps {
                match step {
                    0 if limiter.spend(T0, &cost(1), Lane::Normal).is_ok() => {
                        flying += 1;
                        prop_assert!(flying <= most);
                    }
                    0 => prop_assert!(flying >= most),
                    1 if flying > 0 => {
                        limiter.give_back(&cost(1));
                        flying -= 1;
                    }
                    1 => {}
                    _ => {
                        most = number;
                        limiter.set(T0, 0, slots(most));
                    }
                }
                prop_assert_eq!(limiter.available(T0, 0), Some(most.saturating_sub(flying)));
            }
        }

        /// Times that step back, as they do between threads, never mint credits.
        #[test]
        fn older_times_mint_nothing(times in prop::collection::vec(0u64..3_000_000_000, 1..100)) {
            let limiter = Limiter::new([bucket(5, 10, 0)]);
            limiter.spend(T0, &[], Lane::Normal).unwrap();
            let mut spent = 0u128;
            let mut latest = T0;
            limiter.available(T0, 0);
            for nanos in times {
                let now = T0 + Duration::from_nanos(nanos);
                latest = latest.max(now);
                if limiter.spend(now, &cost(1), Lane::Normal).is_ok() {
                    spent += NANO;
                }
                prop_assert!(spent <= 5 * NANO + u128::from(latest.as_nanos() - T0.as_nanos()) * 10);
            }
        }
    }

    #[test]
    fn whoever_waits_for_an_answer_is_woken_by_it() {
        let slots = Bucket { refill: Refill::WhenAnswered, ..bucket(2, 0, 1) };
        let limiter = Limiter::new([bucket(100, 1, 0), slots]);
        let order = [Cost { bucket: 0, credits: 1 }, Cost { bucket: 1, credits: 1 }];
        let (count, waker) = counting_waker();
        let driver = Arc::new(AtomicWaker::new());
        driver.register(&waker);
        limiter.watch(&driver);
        assert_eq!(limiter.spend(T0, &order, Lane::Normal), Ok(()));
        assert_eq!(limiter.spend(T0, &order, Lane::Urgent), Ok(()), "the reserve is for urgent requests");
        limiter.give_back(&order);
        assert_eq!(count.load(Ordering::Relaxed), 0, "nobody waits");
        assert_eq!(limiter.spend(T0, &order, Lane::Normal), Err(Limited::Busy));
        limiter.give_back(&order);
        assert_eq!(count.load(Ordering::Relaxed), 1);
        assert_eq!((limiter.available(T0, 0), limiter.available(T0, 1)), (Some(98), Some(2)));
        // More than was taken does not come back.
        limiter.give_back(&order);
        assert_eq!((limiter.available(T0, 0), limiter.available(T0, 1)), (Some(98), Some(2)));
    }

    fn counting_waker() -> (Arc<AtomicUsize>, std::task::Waker) {
        struct Count(Arc<AtomicUsize>);
        impl std::task::Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let count = Arc::new(AtomicUsize::new(0));
        (count.clone(), Arc::new(Count(count)).into())
    }

    #[test]
    fn exact_under_concurrency() {
        let limiter = Limiter::new([bucket(1000, 0, 0)]);
        let spent: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        (0..500).filter(|_| limiter.spend(T0, &cost(1), Lane::Normal).is_ok()).count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(spent, 1000);
    }
}
