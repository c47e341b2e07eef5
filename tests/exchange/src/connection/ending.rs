//! How a connection ends, and why.

use tokio_tungstenite::tungstenite::Error;

/// Why a connection ended, as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// The client closed it, with this code if it gave one.
    ByClient(Option<u16>),
    /// The client vanished without a close frame.
    Lost,
    /// A fault, or the chaos, cut it.
    ByFault(String),
    /// A `test_request` was not answered.
    Heartbeat,
    /// No heartbeat, nothing subscribed, nothing sent.
    Idle,
    /// It did not read what it subscribed to.
    TooSlow,
    /// Its address had no credits left.
    NoCredits,
    /// It broke the WebSocket protocol, or sent a frame beyond all measure.
    BadFrame,
    /// `private/logout`.
    Logout,
    /// The maintenance script.
    Maintenance,
}

/// What the peer sees of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum How {
    /// TCP ends in order, but no close frame.
    Fin,
    /// TCP is reset.
    Reset,
    /// A close frame, then TCP ends.
    Frame(u16, String),
}

/// An end: how and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) how: How,
    pub(crate) why: Closed,
}

impl Ending {
    /// The venue documents the words, not the code.
    pub(crate) fn too_slow() -> Self {
        Self { how: How::Frame(1008, "connection_too_slow".into()), why: Closed::TooSlow }
    }

    /// The error reply says it; what follows on the wire is not documented, so nothing does.
    pub(crate) fn no_credits() -> Self {
        Self { how: How::Fin, why: Closed::NoCredits }
    }

    pub(crate) fn heartbeat() -> Self {
        Self { how: How::Frame(4000, "heartbeat close".into()), why: Closed::Heartbeat }
    }

    pub(crate) fn idle() -> Self {
        Self { how: How::Fin, why: Closed::Idle }
    }

    pub(crate) fn bad_frame(error: &Error) -> Self {
        let code = match error {
            Error::Capacity(_) => 1009,
            Error::Utf8(_) => 1007,
            _ => 1002,
        };
        Self { how: How::Frame(code, error.to_string()), why: Closed::BadFrame }
    }

    /// The venue closes without a word about the code.
    pub(crate) fn logout() -> Self {
        Self { how: How::Frame(1000, String::new()), why: Closed::Logout }
    }

    pub(crate) fn maintenance() -> Self {
        Self { how: How::Frame(1001, "maintenance".into()), why: Closed::Maintenance }
    }

    pub(crate) fn fault(how: How, name: &str) -> Self {
        Self { how, why: Closed::ByFault(name.into()) }
    }
}
