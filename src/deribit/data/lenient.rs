//! Numbers and texts in the other forms that they are sent in.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// An unsigned integer, also when it is written `1054.0` or `1.054e3`, or as a string.
pub(super) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Integer::deserialize(deserializer).map(|Integer(value)| value)
}

pub(super) fn optional_integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Option::<Integer>::deserialize(deserializer)?;
    Ok(value.map(|Integer(value)| value))
}

/// A text, also when it is written as an integer.
pub(super) fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = Option::<Text>::deserialize(deserializer)?;
    Ok(value.map(|Text(value)| value))
}

struct Integer(u64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntegerVisitor)
    }
}

struct IntegerVisitor;

impl Visitor<'_> for IntegerVisitor {
    type Value = Integer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an unsigned integer")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Integer, E> {
        Ok(Integer(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Integer, E> {
        let unsigned = u64::try_from(value).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self));
        unsigned.map(Integer)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Integer, E> {
        // Up to 2^53 a float holds every integer exactly.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && (0.0..=EXACT).contains(&value) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
            return Ok(Integer(value as u64));
        }
        Err(E::invalid_value(Unexpected::Float(value), &self))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Integer, E> {
        value.parse().map(Integer).map_err(|_| E::invalid_value(Unexpected::Str(value), &self))
    }
}

struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an integer")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Text, E> {
        Ok(Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Text, E> {
        Ok(Text(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }
}
