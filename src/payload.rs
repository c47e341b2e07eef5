//! What a server sent as a result or as data: bytes that stay as received until their consumer decodes them.

use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::error::DecodeError;
use crate::frame::Message;

/// A result or an update, as the bytes that were received. Cloning it copies nothing.
///
/// ```
/// # use steadysocket::Payload;
/// let payload = Payload::from("[1.5,2]");
/// let numbers: Vec<f64> = payload.decode()?;
/// assert_eq!(numbers, [1.5, 2.0]);
/// # Ok::<(), steadysocket::error::DecodeError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Payload(Bytes);

impl Payload {
    /// The part of `message` that `slice` borrows, without copying it.
    pub(crate) fn part_of(message: &Message, slice: &[u8]) -> Self {
        let whole = message.bytes();
        let start = (slice.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        match start.checked_add(slice.len()) {
            Some(end) if end <= whole.len() => Self(whole.slice(start..end)),
            // A protocol may hand out bytes that it made itself.
            _ => Self(Bytes::copy_from_slice(slice)),
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, when they are UTF-8. What came in a text message always is.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The bytes behind the payload.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }

    /// Decodes the payload as JSON.
    ///
    /// # Errors
    /// What did not fit and where, without quoting the payload.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.decode_as("payload")
    }

    /// As [`decode`](Self::decode), with a name for the error to give.
    pub(crate) fn decode_as<T: DeserializeOwned>(&self, what: &str) -> Result<T, DecodeError> {
        serde_json::from_slice(&self.0)
            .map_err(|error| DecodeError { what: what.to_owned(), problem: describe(&error) })
    }
}

/// The kind and place of a JSON error. The library's own text may quote the input, which may be secret.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // Messages about names in the caller's own types quote those, not values: they are worth keeping.
    if text.starts_with("missing field") {
        return text;
    }
    let kind = match error.classify() {
        serde_json::error::Category::Data => "a value of another type than expected",
        serde_json::error::Category::Eof => "the text ends too early",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "not valid JSON",
    };
    format!("{kind} at column {}", error.column())
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl fmt::Debug for Payload {
    /// Shows the length only: payloads may hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_shares_the_message_and_a_stranger_is_copied() {
        let message = Message::from("{\"a\":[1,2]}");
        let part = Payload::part_of(&message, &message.as_bytes()[5..10]);
        assert_eq!(part.as_str(), Some("[1,2]"));
        assert_eq!(part.as_bytes().as_ptr(), message.as_bytes()[5..].as_ptr());
        assert_eq!(Payload::part_of(&message, b"other bytes").as_bytes(), b"other bytes");
    }

    #[test]
    fn a_decode_error_does_not_quote_the_payload() {
        let error = Payload::from("\"hunter2\"").decode::<u64>().unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        let error = Payload::from("{}").decode::<std::collections::BTreeMap<String, u8>>();
        assert!(error.is_ok());
    }
}
