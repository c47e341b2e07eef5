//! The user's name for an order.

use std::convert::Infallible;
use std::fmt;

use serde::Serialize;

use crate::error::ConfigError;

/// A label of an order: at most 64 characters, which the venue keeps with the order.
///
/// ```
/// use steadysocket::deribit::order::Label;
/// let label = Label::new("mm-1")?;
/// assert_eq!(label.as_str(), "mm-1");
/// assert_eq!(Label::new("x".repeat(65)).unwrap_err().field, "label");
/// # Ok::<(), steadysocket::error::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Label(String);

impl Label {
    /// The most characters that a label may have.
    pub const MAX: usize = 64;

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
