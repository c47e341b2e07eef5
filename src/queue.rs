//! The bounded queue between a connection and one consumer. It never forgets to say what it lost.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;

use crate::config::{Overflow, Queue as Policy};
use crate::error::{Disconnect, Refusal};
use crate::payload::Payload;
use crate::protocol::Unmatched;
use crate::session::Event;

/// What a consumer receives, in order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Update<T> {
    /// Data.
    Data(T),
    /// This many updates were lost before what comes next, because the consumer was too slow.
    Lagged(u64),
    /// The connection ended: there is no data until [`Resumed`](Self::Resumed), and what was sent meanwhile is missed.
    Interrupted(Disconnect),
    /// The channel is subscribed anew, because a consumer of it asked for that ([`Subscription::renew`]): there is no
    /// data until [`Resumed`](Self::Resumed), what was sent meanwhile is missed, and what the server sends first, such
    /// as a snapshot, comes again.
    ///
    /// [`Subscription::renew`]: crate::Subscription::renew
    Renewing,
    /// The server confirmed the channel again, or data flows again.
    Resumed,
    /// The server refused the channel after a reconnect. It is asked for again from time to time.
    Refused(Refusal),
    /// The queue was full and its policy is [`Overflow::Close`]: this is the last update.
    Overflowed,
    /// The data is not of the expected form.
    Invalid(crate::error::DecodeError),
}

impl<T> Update<T> {
    /// The data, if that is what it is.
    pub fn data(self) -> Option<T> {
        match self {
            Self::Data(data) => Some(data),
            _ => None,
        }
    }

    /// The same update with its data converted; everything else stays what it is.
    ///
    /// ```
    /// use steadysocket::Update;
    /// assert_eq!(Update::Data(2).map(|n| n * 3), Update::Data(6));
    /// assert_eq!(Update::<u8>::Lagged(7).map(u64::from), Update::Lagged(7));
    /// ```
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Update<U> {
        self.and_then(|data| Update::Data(convert(data)))
    }

    /// As [`map`](Self::map), for a conversion that may fail.
    pub(crate) fn and_then<U>(self, convert: impl FnOnce(T) -> Update<U>) -> Update<U> {
        match self {
            Self::Data(data) => convert(data),
            Self::Lagged(count) => Update::Lagged(count),
            Self::Interrupted(reason) => Update::Interrupted(reason),
            Self::Renewing => Update::Renewing,
            Self::Resumed => Update::Resumed,
            Self::Refused(reason) => Update::Refused(reason),
            Self::Overflowed => Update::Overflowed,
            Self::Invalid(error) => Update::Invalid(error),
        }
    }
}

/// How many bytes an item holds while it waits.
pub(crate) trait Weight {
    fn weight(&self) -> usize;
}

impl Weight for Payload {
    fn weight(&self) -> usize {
        self.as_bytes().len()
    }
}

impl Weight for Unmatched {
    fn weight(&self) -> usize {
        match self {
            Self::Message(message) => message.as_bytes().len(),
            Self::Notification { method, params } => method.len() + params.weight(),
            Self::Request { id, method, params } => id.len() + method.len() + params.weight(),
            Self::Error(error) => error.message.len() + error.data.as_ref().map_or(0, String::len),
        }
    }
}

/// Their number bounds events.
impl Weight for Event {
    fn weight(&self) -> usize {
        0
    }
}

/// One producer, one consumer, one bound.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<Inner<T>>,
    waker: AtomicWaker,
}

#[derive(Debug)]
struct Inner<T> {
    policy: Policy,
    items: VecDeque<Item<T>>,
    /// What happened after the last item.
    tail: Gap,
    /// What the items weigh together.
    bytes: usize,
    dropped: u64,
    /// What all queues of the client have dropped.
    dropped_by_all: Arc<AtomicU64>,
    /// Nothing more will come.
    ended: bool,
}

#[derive(Debug)]
struct Item<T> {
    /// What happened before it.
    gap: Gap,
    weight: usize,
    data: T,
}

/// What happened between two items. Gaps merge, so that news never takes more room than data.
#[derive(Debug, Default)]
struct Gap(Option<Box<News>>);

#[derive(Debug, Default)]
struct News {
    /// Lost before the interruption, if there was one.
    lagged: u64,
    stopped: Option<Stop>,
    refused: Option<Refusal>,
    resumed: bool,
    /// Lost after that.
    lagged_since: u64,
    overflowed: bool,
}

/// Why data stopped.
#[derive(Debug)]
enum Stop {
    Renewing,
    Interrupted(Disconnect),
}

impl Gap {
    fn news(&mut self) -> &mut News {
        self.0.get_or_insert_default()
    }

    /// Adds what happened later.
    fn then(&mut self, later: Self) {
        let Some(later) = later.0 else { return };
        let news = self.news();
        news.lag(later.lagged);
        if let Some(stop) = later.stopped {
            // Whatever was resumed before has stopped again, and all that was lost is lost before that.
            news.lagged += std::mem::take(&mut news.lagged_since);
            // That the connection ended says more than that the channel began anew.
            if matches!(stop, Stop::Interrupted(_)) || news.stopped.is_none() {
                news.stopped = Some(stop);
            }
            news.resumed = later.resumed;
        } else {
            news.resumed |= later.resumed;
        }
        news.lagged_since += later.lagged_since;
        news.refused = later.refused.or(news.refused.take()).filter(|_| !later.resumed);
        news.overflowed |= later.overflowed;
    }

    /// Notes a loss after everything that happened so far.
    fn lag(&mut self, count: u64) {
        self.news().lag(count);
    }

    /// Takes the next piece of news, in the order in which it is told.
    fn pop<T>(&mut self) -> Option<Update<T>> {
        let news = self.0.as_mut()?;
        if news.lagged > 0 {
            return Some(Update::Lagged(std::mem::take(&mut news.lagged)));
        }
        match news.stopped.take() {
            Some(Stop::Interrupted(reason)) => return Some(Update::Interrupted(reason)),
            Some(Stop::Renewing) => return Some(Update::Renewing),
            None => {}
        }
        if let Some(reason) = news.refused.take() {
            return Some(Update::Refused(reason));
        }
        if std::mem::take(&mut news.resumed) {
            return Some(Update::Resumed);
        }
        if news.lagged_since > 0 {
            return Some(Update::Lagged(std::mem::take(&mut news.lagged_since)));
        }
        if std::mem::take(&mut news.overflowed) {
            return Some(Update::Overflowed);
        }
        self.0 = None;
        None
    }
}

impl News {
    fn lag(&mut self, count: u64) {
        if self.stopped.is_some() || self.resumed {
            self.lagged_since += count;
        } else {
            self.lagged += count;
        }
    }
}

impl<T> Queue<T> {
    pub(crate) fn new(policy: Policy) -> Self {
        Self::counting(policy, Arc::default())
    }

    /// One that adds what it drops to a count that it shares with others.
    pub(crate) fn counting(policy: Policy, dropped_by_all: Arc<AtomicU64>) -> Self {
        let capacity = match policy.overflow {
            Overflow::Latest => 1,
            Overflow::DropOldest | Overflow::DropNewest | Overflow::Close => policy.capacity.max(1),
        };
        let policy = Policy { capacity, ..policy };
        let inner = Inner {
            policy,
            items: VecDeque::new(),
            tail: Gap::default(),
            bytes: 0,
            dropped: 0,
            dropped_by_all,
            ended: false,
        };
        Self { state: Mutex::new(inner), waker: AtomicWaker::new() }
    }

    /// Adds an item. Whether the consumer wants more.
    pub(crate) fn push(&self, data: T) -> bool
    where
        T: Weight,
    {
        let mut inner = self.lock();
        if inner.ended {
            return false;
        }
        let weight = data.weight();
        if inner.is_full(weight) {
            inner.overflow(weight, data);
        } else {
            inner.append(weight, data);
        }
        let open = !inner.ended;
        drop(inner);
        self.waker.wake();
        open
    }

    pub(crate) fn interrupt(&self, reason: Disconnect) {
        self.tell(News { stopped: Some(Stop::Interrupted(reason)), ..News::default() });
    }

    pub(crate) fn renew(&self) {
        self.tell(News { stopped: Some(Stop::Renewing), ..News::default() });
    }

    pub(crate) fn resume(&self) {
        self.tell(News { resumed: true, ..News::default() });
    }

    pub(crate) fn refuse(&self, reason: Refusal) {
        self.tell(News { refused: Some(reason), ..News::default() });
    }

    fn tell(&self, news: News) {
        self.lock().tail.then(Gap(Some(Box::new(news))));
        self.waker.wake();
    }

    /// Nothing more will come. What waits can still be taken.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.waker.wake();
    }

    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Update<T>>> {
        if let Some(ready) = self.try_next() {
            return Poll::Ready(ready);
        }
        self.waker.register(cx.waker());
        // Something may have come between the look and the registration.
        match self.try_next() {
            Some(ready) => Poll::Ready(ready),
            None => Poll::Pending,
        }
    }

    /// What waits: the next update, or `Some(None)` at the end.
    pub(crate) fn try_next(&self) -> Option<Option<Update<T>>> {
        self.lock().pop()
    }

    /// Items lost or replaced so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Items that wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().items.len()
    }

    /// The most items that may wait.
    pub(crate) fn capacity(&self) -> usize {
        self.lock().policy.capacity
    }

    /// Whether something happened that the consumer was not told yet.
    pub(crate) fn has_news(&self) -> bool {
        let inner = self.lock();
        inner.ended || inner.tail.0.is_some() || inner.items.iter().any(|item| item.gap.0.is_some())
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Inner<T> {
    fn is_full(&self, weight: usize) -> bool {
        let heavy = self.bytes.saturating_add(weight) > self.policy.bytes;
        self.items.len() >= self.policy.capacity || (heavy && !self.items.is_empty())
    }

    fn append(&mut self, weight: usize, data: T) {
        self.bytes += weight;
        let gap = std::mem::take(&mut self.tail);
        self.items.push_back(Item { gap, weight, data });
    }

    /// Forgets the oldest item, and keeps what was to be said before it.
    fn drop_oldest(&mut self, lost: u64) {
        let Some(Item { gap: mut before, weight, .. }) = self.items.pop_front() else { return };
        self.bytes -= weight;
        self.count_dropped();
        if lost > 0 {
            before.lag(lost);
        }
        let after = match self.items.front_mut() {
            Some(item) => &mut item.gap,
            None => &mut self.tail,
        };
        before.then(std::mem::take(after));
        *after = before;
    }

    fn overflow(&mut self, weight: usize, data: T) {
        match self.policy.overflow {
            Overflow::DropOldest | Overflow::Latest => {
                let lost = u64::from(self.policy.overflow == Overflow::DropOldest);
                while self.is_full(weight) {
                    self.drop_oldest(lost);
                }
                self.append(weight, data);
            }
            Overflow::DropNewest => {
                self.count_dropped();
                self.tail.lag(1);
            }
            Overflow::Close => {
                self.count_dropped();
                self.tail.news().overflowed = true;
                self.ended = true;
            }
        }
    }

    fn count_dropped(&mut self) {
        self.dropped += 1;
        self.dropped_by_all.fetch_add(1, Ordering::Relaxed);
    }

    /// The next update, or `Some(None)` at the end.
    fn pop(&mut self) -> Option<Option<Update<T>>> {
        let gap = match self.items.front_mut() {
            Some(item) => &mut item.gap,
            None => &mut self.tail,
        };
        if let Some(update) = gap.pop() {
            return Some(Some(update));
        }
        if let Some(Item { weight, data, .. }) = self.items.pop_front() {
            self.bytes -= weight;
            return Some(Some(Update::Data(data)));
        }
        self.ended.then_some(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A number weighs what it says, so that a test can fill a queue by weight.
    impl Weight for u32 {
        fn weight(&self) -> usize {
            *self as usize
        }
    }

    fn queue(capacity: usize, overflow: Overflow) -> Queue<u32> {
        Queue::new(Policy { capacity, bytes: usize::MAX, overflow })
    }

    #[test]
    fn bytes_are_bounded_too() {
        let queue = Queue::new(Policy { capacity: 100, bytes: 10, overflow: Overflow::DropOldest });
        for n in [4, 5, 6, 3] {
            queue.push(n);
        }
        assert_eq!(drain(&queue), [Update::Lagged(2), Update::Data(6), Update::Data(3)]);
        queue.push(1000);
        assert_eq!(drain(&queue), [Update::Data(1000)], "one is taken whatever its weight");
        assert_eq!((queue.dropped(), queue.lock().bytes), (2, 0));
    }

    fn drain(queue: &Queue<u32>) -> Vec<Update<u32>> {
        std::iter::from_fn(|| queue.take()).collect()
    }

    impl Queue<u32> {
        fn take(&self) -> Option<Update<u32>> {
            self.lock().pop().flatten()
        }
    }

    const LOST: Disconnect = Disconnect::Requested;

    #[test]
    fn the_oldest_are_dropped_and_counted_before_what_follows() {
        let queue = queue(2, Overflow::DropOldest);
        (1..=5).for_each(|n| assert!(queue.push(n)));
        assert_eq!(drain(&queue), [Update::Lagged(3), Update::Data(4), Update::Data(5)]);
        assert_eq!(queue.dropped(), 3);
    }

    #[test]
    fn the_newest_are_dropped_and_counted_before_what_follows() {
        let queue = queue(2, Overflow::DropNewest);
        (1..=5).for_each(|n| assert!(queue.push(n)));
        assert_eq!(drain(&queue), [Update::Data(1), Update::Data(2), Update::Lagged(3)]);
        queue.push(6);
        assert_eq!(drain(&queue), [Update::Data(6)]);
    }

    #[test]
    fn the_latest_replaces_without_noise() {
        let queue = queue(9, Overflow::Latest);
        (1..=5).for_each(|n| assert!(queue.push(n)));
        assert_eq!(drain(&queue), [Update::Data(5)]);
        assert_eq!(queue.dropped(), 4);
    }

    #[test]
    fn close_keeps_what_came_before() {
        let queue = queue(1, Overflow::Close);
        assert!(queue.push(1));
        assert!(!queue.push(2));
        assert_eq!(drain(&queue), [Update::Data(1), Update::Overflowed]);
        assert_eq!(queue.lock().pop(), Some(None));
    }

    #[test]
    fn news_keeps_its_place_and_merges() {
        let queue = queue(2, Overflow::DropOldest);
        queue.push(1);
        queue.interrupt(LOST);
        queue.resume();
        queue.interrupt(LOST);
        queue.resume();
        queue.push(2);
        queue.push(3);
        let expected =
            [Update::Lagged(1), Update::Interrupted(LOST), Update::Resumed, Update::Data(2), Update::Data(3)];
        assert_eq!(drain(&queue), expected);
        queue.renew();
        queue.resume();
        queue.push(4);
        queue.interrupt(LOST);
        queue.resume();
        queue.renew();
        assert_eq!(
            drain(&queue),
            [Update::Renewing, Update::Resumed, Update::Data(4), Update::Interrupted(LOST)]
        );
        queue.renew();
        queue.interrupt(LOST);
        queue.interrupt(LOST);
        assert_eq!(drain(&queue), [Update::Interrupted(LOST)]);
        queue.refuse(Refusal::NotConfirmed);
        queue.resume();
        assert_eq!(drain(&queue), [Update::Resumed]);
    }

    proptest! {
        /// Whatever happens, what is read is in order, every loss is told before later data, a loss since the data
        /// resumed is told after that, and the bound holds.
        #[test]
        fn no_silent_loss(
            capacity in 1usize..6, newest: bool,
            steps in prop::collection::vec(0u8..6, 1..200),
        ) {
            let overflow = if newest { Overflow::DropNewest } else { Overflow::DropOldest };
            let queue = queue(capacity, overflow);
            let (mut sent, mut seen, mut live, mut told_live) = (0, 0, true, true);
            let resumed = std::cell::RefCell::new(Vec::new());
            let mut told = None;
            let mut check = |update: Update<u32>| {
                match update {
                    Update::Data(n) => {
                        assert_eq!(n, seen + 1);
                        seen = n;
                        let last = resumed.borrow().iter().copied().filter(|sent| *sent < n).max();
                        assert!(told.take() <= last, "a loss is told before the resumption that it came after");
                    }
                    Update::Lagged(n) => seen += u32::try_from(n).unwrap(),
                    Update::Interrupted(_) => { told_live = false }
                    Update::Resumed => { told_live = true; told = Some(seen) }
                    other => panic!("{other:?}"),
                }
            };
            for step in steps {
                match step {
                    0 if live => { queue.interrupt(LOST); live = false }
                    1 if !live => { queue.resume(); resumed.borrow_mut().push(sent); live = true }
                    2 => queue.take().into_iter().for_each(&mut check),
                    _ => { sent += 1; queue.push(sent); }
                }
                prop_assert!(queue.len() <= capacity);
            }
            drain(&queue).into_iter().for_each(&mut check);
            prop_assert_eq!(seen, sent);
            prop_assert_eq!(told_live, live);
        }
    }
}
