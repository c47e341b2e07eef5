//! Values in every form that they are sent in.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor,
};

/// What a member of an object can be.
pub(crate) trait Member: Sized {
    /// Reads it, in whatever form it was sent.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// What a member is that was not sent; `None` for one that has to be there.
    fn absent() -> Option<Self> {
        None
    }

    /// Whether it can as well be left out.
    fn is_absent(&self) -> bool {
        false
    }
}

/// Reads a `T` by [`Member::read`], where serde asks for a seed.
pub(crate) struct Read<T>(PhantomData<T>);

impl<T> Read<T> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Member> DeserializeSeed<'de> for Read<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::read(deserializer)
    }
}

/// Reads a member that serde's own derive handles.
pub(super) fn member<'de, T: Member, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// Implements [`Member`] by serde's own derive.
macro_rules! derived {
    ($($type:ty),*) => {$(
        impl crate::deribit::data::lenient::Member for $type {
            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                serde::Deserialize::deserialize(deserializer)
            }
        }
    )*};
}

pub(super) use derived;

/// Anything that is read by [`Member::read`], where serde asks for a type.
pub(crate) struct Lenient<T>(pub(crate) T);

impl<'de, T: Member> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

/// Null is the same as nothing.
impl<T: Member> Member for Option<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Maybe<T>(PhantomData<T>);
        impl<'de, T: Member> Visitor<'de> for Maybe<T> {
            type Value = Option<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or null")
            }

            fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
                Ok(None)
            }

            fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
                Ok(None)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
                T::read(deserializer).map(Some)
            }
        }
        deserializer.deserialize_option(Maybe(PhantomData))
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// Null is an empty list, and an object is a list of one: the venue sends some lists so.
impl<T: Member> Member for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);
        impl<'de, T: Member> Visitor<'de> for List<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E: Error>(self) -> Result<Vec<T>, E> {
                Ok(Vec::new())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element_seed(Read::new())? {
                    items.push(item);
                }
                Ok(items)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
                T::read(MapAccessDeserializer::new(map)).map(|item| vec![item])
            }
        }
        deserializer.deserialize_any(List(PhantomData))
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// Values by name. Null is none, also as a value.
impl<T: Member> Member for BTreeMap<String, T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map<T>(PhantomData<T>);
        impl<'de, T: Member> Visitor<'de> for Map<T> {
            type Value = BTreeMap<String, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("values by name")
            }

            fn visit_unit<E: Error>(self) -> Result<BTreeMap<String, T>, E> {
                Ok(BTreeMap::new())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BTreeMap<String, T>, A::Error> {
                let mut items = BTreeMap::new();
                while let Some(name) = map.next_key()? {
                    let value: Option<T> = map.next_value_seed(Read::new())?;
                    items.extend(value.map(|value| (name, value)));
                }
                Ok(items)
            }
        }
        deserializer.deserialize_any(Map(PhantomData))
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

derived!(serde_json::Value);

/// A value without parts.
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(&'a str),
}

/// A value without parts, made of what was sent.
pub(crate) trait FromScalar: Sized {
    /// What it is, for errors.
    const EXPECTED: &'static str;

    /// `None` when it cannot be made of that.
    fn from_scalar(scalar: &Scalar<'_>) -> Option<Self>;

    /// As [`Member::absent`].
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: FromScalar> Member for T {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole(PhantomData))
    }

    fn absent() -> Option<Self> {
        <T as FromScalar>::absent()
    }
}

struct Whole<T>(PhantomData<T>);

impl<T: FromScalar> Whole<T> {
    fn of<E: Error>(self, scalar: &Scalar<'_>, unexpected: Unexpected<'_>) -> Result<T, E> {
        T::from_scalar(scalar).ok_or_else(|| E::invalid_value(unexpected, &self))
    }
}

impl<T: FromScalar> Visitor<'_> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        self.of(&Scalar::Null, Unexpected::Unit)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        self.of(&Scalar::Bool(value), Unexpected::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        self.of(&Scalar::Unsigned(value), Unexpected::Unsigned(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        self.of(&Scalar::Signed(value), Unexpected::Signed(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        self.of(&Scalar::Float(value), Unexpected::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<T, E> {
        self.of(&Scalar::Text(value), Unexpected::Str(value))
    }
}

impl FromScalar for f64 {
    const EXPECTED: &'static str = "a number";

    fn from_scalar(scalar: &Scalar<'_>) -> Option<Self> {
        scalar.number()
    }
}

impl FromScalar for u64 {
    const EXPECTED: &'static str = "an unsigned integer";

    fn from_scalar(scalar: &Scalar<'_>) -> Option<Self> {
        scalar.integer()?.try_into().ok()
    }
}

impl FromScalar for i64 {
    const EXPECTED: &'static str = "an integer";

    fn from_scalar(scalar: &Scalar<'_>) -> Option<Self> {
        scalar.integer()?.try_into().ok()
    }
}

impl FromScalar for String {
    const EXPECTED: &'static str = "a text";

    fn from_scalar(scalar: &Scalar<'_>) -> Option<Self> {
        scalar.text().map(Cow::into_owned)
    }
}

/// A flag that is not there, or null, is not set.
impl FromScalar for bool {
    const EXPECTED: &'static str = "true or false";

    fn from_scalar(scalar: &Scalar<'_>) -> Option<Self> {
        match *scalar {
            Scalar::Bool(value) => Some(value),
            Scalar::Text("true") => Some(true),
            Scalar::Text("false") | Scalar::Null => Some(false),
            Scalar::Text(_) | Scalar::Unsigned(_) | Scalar::Signed(_) | Scalar::Float(_) => None,
        }
    }

    fn absent() -> Option<Self> {
        Some(false)
    }
}

impl<'a> Scalar<'a> {
    /// A number, also as a text.
    pub(crate) fn number(&self) -> Option<f64> {
        #[allow(
            clippy::cast_precision_loss,
            reason = "the nearest float is meant, as for any number in JSON"
        )]
        match *self {
            Self::Unsigned(value) => Some(value as f64),
            Self::Signed(value) => Some(value as f64),
            Self::Float(value) => Some(value),
            Self::Text(text) => text.parse().ok().filter(|value: &f64| value.is_finite()),
            Self::Null | Self::Bool(_) => None,
        }
    }

    /// An integer, also as `1054.0` or `1.054e3`, or as a text.
    fn integer(&self) -> Option<i128> {
        // Up to 2^53 a float holds every integer exactly.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match *self {
            Self::Unsigned(value) => Some(value.into()),
            Self::Signed(value) => Some(value.into()),
            #[allow(clippy::cast_possible_truncation, reason = "checked by the guard")]
            Self::Float(value) if value.fract() == 0.0 && value.abs() <= EXACT => Some(value as i128),
            Self::Text(text) => text.parse().ok(),
            Self::Float(_) | Self::Null | Self::Bool(_) => None,
        }
    }

    /// A text, also as an integer.
    pub(crate) fn text(&self) -> Option<Cow<'a, str>> {
        match *self {
            Self::Text(text) => Some(text.into()),
            Self::Null | Self::Bool(_) => None,
            Self::Unsigned(_) | Self::Signed(_) | Self::Float(_) => Some(self.integer()?.to_string().into()),
        }
    }

    /// A word, also as an integer or a boolean.
    pub(crate) fn word(&self) -> Option<Cow<'a, str>> {
        match *self {
            Self::Bool(true) => Some("true".into()),
            Self::Bool(false) => Some("false".into()),
            _ => self.text(),
        }
    }
}
