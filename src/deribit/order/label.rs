//! The name of an order: what its owner called it, and what makes it unlike any other.

use std::convert::Infallible;
use std::fmt;

use serde::Serialize;

use crate::error::ConfigError;

/// A label of an order: at most 64 characters, which the venue keeps with the order.
///
/// Orders that this library places have a unique ending on their labels, by which they are found again whatever happens
/// to the connection: a dot, 13 letters or digits that differ between clients, and a number that the client counts on.
/// What was there before it is the [owner's part](Self::user). An order that was given no label has the ending alone.
///
/// ```
/// use steadysocket::deribit::order::Label;
/// let label = Label::new("mm-1")?;
/// assert_eq!((label.as_str(), label.is_unique()), ("mm-1", false));
/// assert_eq!(Label::new("x".repeat(65)).unwrap_err().field, "label");
///
/// // What came back with the order.
/// let label = Label::new("mm-1.0zik0zg0ox2dkf")?;
/// assert_eq!((label.user(), label.is_unique()), ("mm-1", true));
/// # Ok::<(), steadysocket::error::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Label(String);

impl Label {
    /// The most characters that a label may have.
    pub const MAX: usize = 64;
    /// The most characters that its owner has for a label which is made unique.
    pub const MAX_USER: usize = Self::MAX - 1 - CLIENT_DIGITS - MAX_NUMBER_DIGITS;

    /// A label.
    ///
    /// # Errors
    /// A [`ConfigError`] on field `label` for a text that is empty or has more than 64 characters.
    pub fn new(text: impl Into<String>) -> Result<Self, ConfigError> {
        let text = text.into();
        match text.chars().count() {
            0 => Err(ConfigError::new("label", "is empty")),
            1..=Self::MAX => Ok(Self(text)),
            count => Err(ConfigError::new("label", format!("has {count} characters where 64 are allowed"))),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The owner's part: all before the unique ending, which may be nothing; the whole label when it has no such ending.
    pub fn user(&self) -> &str {
        split(&self.0).0
    }

    /// Whether it has a unique ending. One of the same form that another program made up cannot be told apart.
    pub fn is_unique(&self) -> bool {
        split(&self.0).1
    }

    /// A label that no other order has: two clients have the same ending only when their platforms drew the same 64
    /// random bits, and within a client the numbers differ.
    ///
    /// # Errors
    /// A [`ConfigError`] on field `label` when the owner's part has more than [`MAX_USER`](Self::MAX_USER) characters.
    pub(crate) fn unique(user: Option<&Self>, client: u64, number: u64) -> Result<Self, ConfigError> {
        let user = user.map_or("", Self::as_str);
        match user.chars().count() {
            count if count > Self::MAX_USER => {
                let problem = format!("has {count} characters where {} are allowed", Self::MAX_USER);
                Err(ConfigError::new("label", problem))
            }
            _ => Ok(Self(format!("{user}{DOT}{:0>CLIENT_DIGITS$}{}", digits(client), digits(number)))),
        }
    }
}

const DOT: char = '.';
const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// 36 to this power is more than 2⁶⁴.
const CLIENT_DIGITS: usize = 13;
/// Enough for 3·10¹⁵ orders and other requests of one client.
const MAX_NUMBER_DIGITS: usize = 10;

/// The owner's part of a label, and whether a unique ending follows it.
pub(crate) fn split(label: &str) -> (&str, bool) {
    let length = CLIENT_DIGITS + 1..=CLIENT_DIGITS + MAX_NUMBER_DIGITS;
    let is_ending =
        |ending: &str| length.contains(&ending.len()) && ending.bytes().all(|byte| DIGITS.contains(&byte));
    match label.rsplit_once(DOT) {
        Some((user, ending)) if is_ending(ending) => (user, true),
        _ => (label, false),
    }
}

/// A number to base 36.
fn digits(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from(DIGITS[(number % 36) as usize]));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

impl TryFrom<&str> for Label {
    type Error = ConfigError;

    fn try_from(text: &str) -> Result<Self, ConfigError> {
        Self::new(text)
    }
}

impl TryFrom<String> for Label {
    type Error = ConfigError;

    fn try_from(text: String) -> Result<Self, ConfigError> {
        Self::new(text)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Label {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<Infallible> for ConfigError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn label(text: &str) -> Label {
        Label::new(text).unwrap()
    }

    #[test]
    fn the_last_of_them_still_fits() {
        let last = 36u64.pow(MAX_NUMBER_DIGITS as u32) - 1;
        let user = "ä".repeat(Label::MAX_USER);
        let unique = Label::unique(Some(&label(&user)), u64::MAX, last).unwrap();
        assert_eq!(unique.as_str().chars().count(), Label::MAX);
        assert_eq!((unique.user(), unique.is_unique()), (&*user, true));
        let error = Label::unique(Some(&label(&"ä".repeat(41))), 1, 1).unwrap_err();
        assert_eq!(error.to_string(), "label: has 41 characters where 40 are allowed");
    }

    #[test]
    fn what_others_made_is_left_whole() {
        for text in [".", "mm", "mm.1", "a.b.c", "mm.0123456789ABCDEF", "mm.0123456789abc"] {
            assert_eq!((label(text).user(), label(text).is_unique()), (text, false), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_owner_finds_what_he_wrote(user in "\\PC{1,40}", client: u64, number in 0u64..1 << 50) {
            let unique = Label::unique(Some(&label(&user)), client, number).unwrap();
            prop_assert_eq!((unique.user(), unique.is_unique()), (&*user, true));
        }

        #[test]
        fn no_two_are_alike(one: (u64, u32), other: (u64, u32)) {
            let unique = |(client, number): (u64, u32)| Label::unique(None, client, number.into()).unwrap();
            prop_assert_eq!(unique(one) == unique(other), one == other);
        }
    }
}
