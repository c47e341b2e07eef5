//! Sets of pairs in order: what falls due by time, what waits by its turn.
//!
//! `BTreeSet` would do, but each type of it adds ten kilobytes to what a page must load. Here all are pairs of numbers,
//! and share one list of them.

use std::marker::PhantomData;

use crate::protocol::RequestId;
use crate::time::Instant;

/// Something that is a number inside, and orders by it.
pub(crate) trait Number: Copy {
    fn number(self) -> u64;
    fn of(number: u64) -> Self;
}

impl Number for u64 {
    fn number(self) -> u64 {
        self
    }

    fn of(number: u64) -> Self {
        number
    }
}

impl Number for u8 {
    fn number(self) -> u64 {
        self.into()
    }

    #[allow(clippy::cast_possible_truncation, reason = "it was one")]
    fn of(number: u64) -> Self {
        number as u8
    }
}

impl Number for RequestId {
    fn number(self) -> u64 {
        self.0
    }

    fn of(number: u64) -> Self {
        Self(number)
    }
}

impl Number for Instant {
    fn number(self) -> u64 {
        self.as_nanos()
    }

    fn of(number: u64) -> Self {
        Self::from_nanos(number)
    }
}

/// A set of pairs, ordered by the first of each and then by the second.
#[derive(Debug)]
pub(crate) struct Pairs<A, B> {
    list: List,
    types: PhantomData<fn() -> (A, B)>,
}

impl<A, B> Default for Pairs<A, B> {
    fn default() -> Self {
        Self { list: List::default(), types: PhantomData }
    }
}

impl<A: Number, B: Number> Pairs<A, B> {
    pub(crate) fn insert(&mut self, (a, b): (A, B)) {
        self.list.insert((a.number(), b.number()));
    }

    pub(crate) fn remove(&mut self, (a, b): (A, B)) {
        self.list.remove((a.number(), b.number()));
    }

    pub(crate) fn contains(&self, (a, b): (A, B)) -> bool {
        self.list.find((a.number(), b.number())).1.is_ok()
    }

    pub(crate) fn clear(&mut self) {
        self.list.chunks.clear();
    }

    /// The lowest pair.
    pub(crate) fn first(&self) -> Option<(A, B)> {
        self.list.chunks.first()?.first().map(|(a, b)| (A::of(*a), B::of(*b)))
    }

    /// The pairs that begin with `a` or with what is above it.
    pub(crate) fn from(&self, a: A) -> impl Iterator<Item = (A, B)> + '_ {
        self.list.from((a.number(), 0)).map(|(a, b)| (A::of(a), B::of(b)))
    }

    /// All pairs in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (A, B)> + '_ {
        self.from(A::of(0))
    }
}

type Pair = (u64, u64);

/// Pairs in order, in chunks: a change moves no more than one of them.
#[derive(Debug, Default)]
struct List {
    /// None of them is empty.
    chunks: Vec<Vec<Pair>>,
}

/// The most pairs in a chunk.
const MOST: usize = 64;

impl List {
    /// In which chunk a pair is, or would be, and where in that.
    fn find(&self, pair: Pair) -> (usize, Result<usize, usize>) {
        let below = |chunk: &Vec<Pair>| chunk.last().is_some_and(|last| *last < pair);
        // What is above all others belongs to the last chunk.
        let at = self.chunks.partition_point(below).min(self.chunks.len().saturating_sub(1));
        (at, self.chunks.get(at).map_or(Err(0), |chunk| chunk.binary_search(&pair)))
    }

    fn insert(&mut self, pair: Pair) {
        let (at, Err(place)) = self.find(pair) else { return };
        let Some(chunk) = self.chunks.get_mut(at) else { return self.chunks.push(vec![pair]) };
        chunk.insert(place, pair);
        if chunk.len() > MOST {
            // What grows at its end leaves full chunks behind.
            let upper = chunk.split_off(if place == MOST { MOST } else { MOST / 2 });
            self.chunks.insert(at + 1, upper);
        }
    }

    fn remove(&mut self, pair: Pair) {
        let (at, Ok(place)) = self.find(pair) else { return };
        let Some(chunk) = self.chunks.get_mut(at) else { return };
        chunk.remove(place);
        if chunk.is_empty() {
            self.chunks.remove(at);
        } else {
            self.join(at);
            self.join(at.saturating_sub(1));
        }
    }

    /// Makes one of a chunk and the next when little is left in them, so that a few do not take the room of many.
    fn join(&mut self, at: usize) {
        let Some([chunk, next, ..]) = self.chunks.get_mut(at..) else { return };
        if chunk.len() + next.len() <= MOST / 2 {
            chunk.append(next);
            self.chunks.remove(at + 1);
        }
    }

    /// The pairs from this one on.
    fn from(&self, pair: Pair) -> impl Iterator<Item = Pair> + '_ {
        let (at, place) = self.find(pair);
        let place = place.unwrap_or_else(|place| place);
        self.chunks.get(at..).unwrap_or_default().iter().flatten().skip(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// Against the standard library's, with few enough numbers that they meet and enough that chunks split and merge.
        #[test]
        fn pairs_are_a_set_in_order(
            steps in prop::collection::vec((0u64..3, 0u64..30, 0u64..20), 1..2000),
            below in 0u64..40,
        ) {
            let (mut pairs, mut expected) = (Pairs::<u64, u64>::default(), BTreeSet::new());
            // Two of three are added at first, and removed later.
            for (index, (draw, a, b)) in steps.iter().copied().enumerate() {
                if (draw > 0) == (index < steps.len() / 2) {
                    pairs.insert((a, b));
                    expected.insert((a, b));
                } else {
                    pairs.remove((a, b));
                    expected.remove(&(a, b));
                }
                prop_assert_eq!(pairs.contains((a, b)), expected.contains(&(a, b)));
                prop_assert_eq!(pairs.first(), expected.first().copied());
                prop_assert!(pairs.list.chunks.iter().all(|chunk| (1..=MOST).contains(&chunk.len())));
            }
            prop_assert!(pairs.iter().eq(expected.iter().copied()));
            prop_assert!(pairs.from(below).eq(expected.range((below, 0)..).copied()));
        }
    }

    #[test]
    fn what_comes_in_order_fills_its_chunks_and_what_leaves_sparsely_empties_them() {
        let mut pairs = Pairs::<u64, u64>::default();
        (0..6400).for_each(|n| pairs.insert((n, 0)));
        assert_eq!(pairs.list.chunks.len(), 100);
        (0..6400).filter(|n| n % 64 > 0).for_each(|n| pairs.remove((n, 0)));
        assert!(pairs.list.chunks.len() < 12, "{}", pairs.list.chunks.len());
        assert_eq!(pairs.iter().count(), 100);
    }
}
