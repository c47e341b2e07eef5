//! WebSocket frames as the core sees them (RFC 6455 section 5), and close codes (section 7.4).

use std::fmt;

use bytes::Bytes;

use crate::show::Quoted;

/// One WebSocket frame, already assembled from its fragments and unmasked.
///
/// Transports answer pings themselves, as RFC 6455 section 5.5.2 asks; the session still sees them, because
/// any frame from the peer is a sign of life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A data message.
    Message(Message),
    /// A ping and its payload, at most 125 bytes.
    Ping(Bytes),
    /// A pong and its payload.
    Pong(Bytes),
    /// A close frame; `None` when it carried no status code.
    Close(Option<CloseFrame>),
}

/// A data message: text or binary.
#[derive(Clone, PartialEq, Eq)]
pub enum Message {
    /// UTF-8 text.
    Text(Text),
    /// Bytes.
    Binary(Bytes),
}

impl Message {
    /// The message's bytes, whatever its kind.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The bytes as a cheap, reference-counted handle.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Text(text) => &text.0,
            Self::Binary(bytes) => bytes,
        }
    }

    /// The text, when this is a text message.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            Self::Binary(_) => None,
        }
    }
}

impl fmt::Debug for Message {
    /// Shows kind and length only: messages may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Binary(bytes) => write!(f, "Binary({} bytes)", bytes.len()),
        }
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<Text> for Message {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

/// UTF-8 text in reference-counted bytes: cloning it copies nothing.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Text(Bytes);

impl Text {
    /// The text. Costs one UTF-8 check, because safe code has no other way from bytes to `str`.
    pub fn as_str(&self) -> &str {
        // Every constructor checks, so the default is never taken.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The text's bytes, at no cost.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes behind the text.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl TryFrom<Bytes> for Text {
    type Error = std::str::Utf8Error;

    fn try_from(bytes: Bytes) -> Result<Self, Self::Error> {
        std::str::from_utf8(&bytes)?;
        Ok(Self(bytes))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl fmt::Debug for Text {
    /// Shows the length only: messages may hold credentials. `Display` shows the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The status code and reason of a close frame.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "record", derive(serde::Serialize, serde::Deserialize))]
pub struct CloseFrame {
    /// Why the sender closes.
    pub code: CloseCode,
    /// A text for people, at most 123 bytes on the wire.
    pub reason: String,
}

impl CloseFrame {
    /// The longest reason that fits into a close frame, in bytes.
    pub const MAX_REASON: usize = 123;

    /// A close frame whose reason is cut to what fits, at a character boundary.
    pub fn new(code: CloseCode, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        let end = (0..=Self::MAX_REASON.min(reason.len())).rev().find(|&i| reason.is_char_boundary(i));
        reason.truncate(end.unwrap_or(0));
        Self { code, reason }
    }
}

impl fmt::Display for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code.0)?;
        if !self.reason.is_empty() {
            write!(f, " {}", Quoted(&self.reason))?;
        }
        Ok(())
    }
}

/// A close status code: RFC 6455 section 7.4 and the IANA registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "record", derive(serde::Serialize, serde::Deserialize))]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the server goes down, or the page goes away.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer saw a protocol error.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: the peer cannot accept this kind of data.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: stands for a close frame without a code; never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: stands for a connection that ended without a close frame; never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: data that was not consistent with its type.
    pub const INVALID_DATA: Self = Self(1007);
    /// 1008: a policy was violated.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message was too big.
    pub const TOO_BIG: Self = Self(1009);
    /// 1010: the client wanted an extension that the server lacks.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: the server met an unexpected condition.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: the server is overloaded; try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 3000: not authorised (IANA).
    pub const UNAUTHORIZED: Self = Self(3000);
    /// 3003: forbidden (IANA).
    pub const FORBIDDEN: Self = Self(3003);

    /// Whether the code may travel in a close frame (RFC 6455 section 7.4.1 and the IANA registry).
    pub const fn is_legal_on_the_wire(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// Whether an application may send it: 1000 or 3000–4999, the WHATWG rule, kept on both targets.
    pub const fn is_sendable(self) -> bool {
        matches!(self.0, 1000 | 3000..=4999)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_at_a_character() {
        let frame = CloseFrame::new(CloseCode::NORMAL, "é".repeat(80));
        assert_eq!(frame.reason.len(), 122);
        assert_eq!(CloseFrame::new(CloseCode::NORMAL, "bye").reason, "bye");
    }

    #[test]
    fn codes_that_may_not_travel() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, u16::MAX] {
            assert!(!CloseCode(code).is_legal_on_the_wire(), "{code}");
        }
        for code in [1000, 1001, 1014, 3000, 4999] {
            assert!(CloseCode(code).is_legal_on_the_wire(), "{code}");
        }
        assert!(!CloseCode::GOING_AWAY.is_sendable());
    }

    #[test]
    fn text_checks_its_bytes() {
        assert!(Text::try_from(Bytes::from_static(b"\xff")).is_err());
        assert_eq!(Text::try_from(Bytes::from_static("ü".as_bytes())).unwrap().as_str(), "ü");
    }
}
