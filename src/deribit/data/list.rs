//! Lists that are sometimes a single thing.

use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize};

use super::lenient::Member;

/// Some things, whether they were sent as a list or as one of them alone: `user.orders.*.raw` sends one order a
/// message, its other intervals send lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T> Deref for OneOrMany<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> IntoIterator for OneOrMany<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a OneOrMany<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[allow(private_bounds, reason = "it holds the objects of this module")]
impl<'de, T: Member> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<T>::read(deserializer).map(Self)
    }
}
