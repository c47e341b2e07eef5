//! Tables: what is found by its key, by its id, or by its name, in a time that does not grow with their size.
//!
//! `HashMap` would do, but each type of it adds five kilobytes to what a page must load. Here all share one index of
//! numbers. It has no secret seed, because the session draws no entropy; see [`Names`] for what that means.

use crate::protocol::RequestId;

/// Names a value of a [`Slab`]. No two values of a slab have the same, so the key of one that is gone finds nothing. A
/// later key is above an earlier one, until four billion were given.
pub(crate) type Key = u64;

/// Values under keys of its own.
#[derive(Debug)]
pub(crate) struct Slab<V> {
    slots: Vec<Option<(Key, V)>>,
    /// Slots that hold nothing.
    free: Vec<u32>,
    /// How many keys were given, in the upper half of the next.
    serial: u32,
}

impl<V> Default for Slab<V> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), serial: 0 }
    }
}

/// The slot of a key: its lower half.
#[allow(clippy::cast_possible_truncation, reason = "the upper half is not wanted")]
fn slot(key: Key) -> u32 {
    key as u32
}

impl<V> Slab<V> {
    pub(crate) fn insert(&mut self, value: V) -> Key {
        #[allow(clippy::cast_possible_truncation, reason = "so many values would not fit into memory")]
        let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
        let key = Key::from(self.serial) << 32 | Key::from(slot);
        self.serial = self.serial.wrapping_add(1);
        match self.slots.get_mut(slot as usize) {
            Some(free) => *free = Some((key, value)),
            None => self.slots.push(Some((key, value))),
        }
        key
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(crate) fn get(&self, key: Key) -> Option<&V> {
        let (there, value) = self.slots.get(slot(key) as usize)?.as_ref()?;
        (*there == key).then_some(value)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut V> {
        let (there, value) = self.slots.get_mut(slot(key) as usize)?.as_mut()?;
        (*there == key).then_some(value)
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<V> {
        let slot = slot(key);
        let (_, value) = self.slots.get_mut(slot as usize)?.take_if(|(there, _)| *there == key)?;
        self.free.push(slot);
        if self.free.len() == self.slots.len() {
            // Many may have been there once.
            self.free.clear();
            self.slots.clear();
        }
        Some(value)
    }

    /// In no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &V)> {
        self.slots.iter().flatten().map(|(key, value)| (*key, value))
    }

    /// In no order.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Key, &mut V)> {
        self.slots.iter_mut().flatten().map(|(key, value)| (*key, value))
    }
}

/// Values by request id.
#[derive(Debug)]
pub(crate) struct Table<V> {
    index: Index,
    values: Slab<(RequestId, V)>,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { index: Index::default(), values: Slab::default() }
    }
}

impl<V> Table<V> {
    /// Adds a value, in place of what was there.
    pub(crate) fn insert(&mut self, id: RequestId, value: V) {
        match self.get_mut(id) {
            Some(there) => *there = value,
            None => self.index.insert(spread(id), self.values.insert((id, value))),
        }
    }

    pub(crate) fn get(&self, id: RequestId) -> Option<&V> {
        self.values.get(self.find(id)?).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, id: RequestId) -> Option<&mut V> {
        let key = self.find(id)?;
        self.values.get_mut(key).map(|(_, value)| value)
    }

    pub(crate) fn contains(&self, id: RequestId) -> bool {
        self.find(id).is_some()
    }

    pub(crate) fn remove(&mut self, id: RequestId) -> Option<V> {
        let key = self.find(id)?;
        self.index.remove(spread(id), key);
        self.values.remove(key).map(|(_, value)| value)
    }

    /// In no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (RequestId, &V)> {
        self.values.iter().map(|(_, (id, value))| (*id, value))
    }

    /// In no order.
    pub(crate) fn into_values(self) -> impl Iterator<Item = V> {
        self.values.slots.into_iter().flatten().map(|(_, (_, value))| value)
    }

    fn find(&self, id: RequestId) -> Option<Key> {
        self.index.find(spread(id)).find(|key| self.values.get(*key).is_some_and(|(there, _)| *there == id))
    }
}

/// Keys by name. The names themselves are kept with what the keys stand for: what is found here may be called
/// something else, and whoever asks has to look.
///
/// Names that a server chooses could be such that all of them are found together. A search then takes as long as there
/// are names, which are no more than the channels that the user asked for.
#[derive(Debug, Default)]
pub(crate) struct Names(Index);

impl Names {
    pub(crate) fn insert(&mut self, name: &str, key: Key) {
        self.0.insert(hash(name), key);
    }

    pub(crate) fn remove(&mut self, name: &str, key: Key) {
        self.0.remove(hash(name), key);
    }

    pub(crate) fn find(&self, name: &str) -> impl Iterator<Item = Key> + '_ {
        self.0.find(hash(name))
    }

    pub(crate) fn clear(&mut self) {
        self.0 = Index::default();
    }
}

/// FNV-1a.
fn hash(name: &str) -> u32 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    fold(name.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

/// Ids that follow each other, far from each other.
fn spread(id: RequestId) -> u32 {
    fold(id.0.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[allow(clippy::cast_possible_truncation, reason = "that is what it is for")]
fn fold(hash: u64) -> u32 {
    (hash ^ hash >> 32) as u32
}

/// Keys by hash: open addressing with linear probing.
#[derive(Debug, Default)]
struct Index {
    /// As many as a power of two, a quarter of them empty. Each key is at the place of its hash, or after it with no
    /// empty cell between.
    cells: Vec<Option<(u32, Key)>>,
    count: usize,
}

impl Index {
    fn insert(&mut self, hash: u32, key: Key) {
        if self.count + 1 > self.cells.len() / 4 * 3 {
            let more = vec![None; (self.cells.len() * 2).max(8)];
            let cells = std::mem::replace(&mut self.cells, more);
            cells.into_iter().flatten().for_each(|(hash, key)| self.put(hash, key));
        }
        self.put(hash, key);
        self.count += 1;
    }

    fn find(&self, hash: u32) -> impl Iterator<Item = Key> + '_ {
        let cells = (0..self.cells.len()).map_while(move |step| *self.cells.get(self.place(hash, step))?);
        cells.filter(move |(there, _)| *there == hash).map(|(_, key)| key)
    }

    fn remove(&mut self, hash: u32, key: Key) {
        let mut steps = 0..self.cells.len();
        let Some(found) =
            steps.find(|step| self.at(self.place(hash, *step)).is_none_or(|cell| cell == (hash, key)))
        else {
            return;
        };
        let mut gap = self.place(hash, found);
        if self.at(gap).is_none() {
            return;
        }
        self.count -= 1;
        self.set(gap, None);
        // What follows moves up, unless it would come to be before the place of its hash.
        for step in steps {
            let place = self.place(hash, step);
            let Some((other, key)) = self.at(place) else { return };
            if self.distance(self.place(other, 0), place) >= self.distance(gap, place) {
                self.set(gap, Some((other, key)));
                self.set(place, None);
                gap = place;
            }
        }
    }

    fn put(&mut self, hash: u32, key: Key) {
        let free =
            (0..self.cells.len()).map(|step| self.place(hash, step)).find(|place| self.at(*place).is_none());
        free.into_iter().for_each(|place| self.set(place, Some((hash, key))));
    }

    /// So many steps after the place of a hash.
    fn place(&self, hash: u32, step: usize) -> usize {
        (hash as usize).wrapping_add(step) & self.cells.len().wrapping_sub(1)
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.cells.len().wrapping_sub(1)
    }

    fn at(&self, place: usize) -> Option<(u32, Key)> {
        self.cells.get(place).copied().flatten()
    }

    fn set(&mut self, place: usize, cell: Option<(u32, Key)>) {
        if let Some(there) = self.cells.get_mut(place) {
            *there = cell;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        /// Against the standard library's.
        #[test]
        fn a_table_is_a_map(steps in prop::collection::vec((any::<bool>(), 0u64..200), 1..600)) {
            let (mut table, mut expected) = (Table::default(), BTreeMap::new());
            for (value, (add, id)) in steps.into_iter().enumerate() {
                let id = RequestId(id);
                if add {
                    table.insert(id, value);
                    expected.insert(id, value);
                } else {
                    prop_assert_eq!(table.remove(id), expected.remove(&id));
                }
                prop_assert_eq!(table.get(id), expected.get(&id));
            }
            let all: BTreeMap<_, _> = table.iter().map(|(id, value)| (id, *value)).collect();
            prop_assert_eq!(all, expected);
            prop_assert!(table.values.slots.len() <= 200, "slots are used again");
        }

        /// With hashes so few that most of them meet.
        #[test]
        fn an_index_finds_all_that_has_a_hash_and_nothing_else(
            steps in prop::collection::vec((0u8..5, 0u32..12, 0u64..8), 1..400), factor: u32,
        ) {
            let (mut index, mut expected) = (Index::default(), BTreeSet::new());
            for (draw, hash, key) in steps {
                let hash = hash.wrapping_mul(factor);
                if draw > 1 && expected.insert((hash, key)) {
                    index.insert(hash, key);
                } else if draw <= 1 {
                    expected.remove(&(hash, key));
                    index.remove(hash, key);
                }
                for (hash, _) in &expected {
                    let found: BTreeSet<_> = index.find(*hash).map(|key| (*hash, key)).collect();
                    let there = expected.iter().filter(|pair| pair.0 == *hash).copied().collect();
                    prop_assert_eq!(found, there);
                }
                prop_assert_eq!(index.cells.iter().flatten().count(), expected.len());
                prop_assert_eq!(index.count, expected.len());
            }
        }
    }

    #[test]
    fn the_key_of_what_is_gone_finds_nothing() {
        let mut slab = Slab::default();
        let first = slab.insert('a');
        slab.insert('z');
        assert_eq!(slab.remove(first), Some('a'));
        let second = slab.insert('b');
        assert_eq!(slab.remove(first), None);
        assert_eq!((slab.get(first), slab.get(second)), (None, Some(&'b')));
        assert_eq!(slot(first), slot(second), "its slot is used again");
        assert!(second > first);
    }

    #[test]
    fn names_with_the_same_hash_are_both_found() {
        let mut names = Names::default();
        names.insert("ticker", 1);
        names.insert("ticker", 2);
        assert_eq!(names.find("ticker").collect::<BTreeSet<_>>(), BTreeSet::from([1, 2]));
        names.remove("ticker", 1);
        assert_eq!(names.find("ticker").collect::<Vec<_>>(), [2]);
        assert_eq!(names.find("book").count(), 0);
    }
}
