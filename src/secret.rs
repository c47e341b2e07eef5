//! A string that cannot print itself.

use std::fmt;

/// A credential. Its `Debug` shows `***`, whatever it holds, and it has no `Display`.
///
/// ```
/// let secret = steadysocket::Secret::new("hunter2");
/// assert_eq!(format!("{secret:?}"), "***");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a credential.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The credential itself, for the one place that must send it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Takes the credential out of a text from outside.
    pub(crate) fn redact(&self, text: &mut String) {
        crate::redact::redact(&self.0, text);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(secret: T) -> Self {
        Self::new(secret)
    }
}
