//! Misbehaviour on command.

pub(crate) mod chaos;
pub(crate) mod command;
pub(crate) mod door;
pub(crate) mod maintenance;
pub(crate) mod mischief;
pub(crate) mod orders;

use std::time::Duration;

use self::orders::Cut;

/// Which connections a fault is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Target {
    /// Every open connection. A lasting fault is then also for those that come later.
    #[default]
    All,
    /// The connection opened last.
    Newest,
    /// The connection with this number.
    Connection(u64),
}

/// Something that goes wrong on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// TCP ends in order (FIN), without a close frame.
    Drop,
    /// TCP is reset (RST), without a close frame.
    Reset,
    /// A close frame, then the end of TCP.
    Close {
        /// The close code.
        code: u16,
        /// The reason; what is beyond 123 bytes is cut off.
        reason: String,
    },
    /// Neither reads nor writes any more, while TCP stays up: a half-open connection.
    Stall,
    /// Ends a stall. What was queued meanwhile is written.
    Resume,
    /// Every reply waits this long. Lasting; zero ends it.
    DelayReplies(Duration),
    /// The next reply waits this long, alone.
    LateReply(Duration),
    /// The next reply is never sent.
    LoseReply,
    /// The next reply is sent twice.
    DuplicateReply,
    /// A reply to a request that nobody made.
    UnknownReply,
    /// A text frame that is not JSON.
    Garbage,
    /// A text frame of so many bytes: valid JSON, of no use.
    Oversize(usize),
    /// A binary frame of so many bytes.
    Binary(usize),
    /// So many ping frames in a row.
    Pings(usize),
    /// The next update of a channel that is no snapshot is lost.
    Gap(String),
    /// One more frame of a channel, subscribed or not: what an `unsubscribe` may cross on the wire.
    StrayUpdate(String),
    /// Subscribing to a channel is refused in silence: it is not in the result. Lasting.
    RefuseChannel(String),
    /// Ends [`Fault::RefuseChannel`].
    AllowChannel(String),
    /// So many `subscribe` calls of each connection are answered with 11052. Lasting; zero ends it.
    FailSubscribes(usize),
    /// So many calls of a method, by each connection, are answered with an error code and nothing is done. Lasting;
    /// zero ends it.
    FailCalls {
        /// The method, as in `public/auth`.
        method: String,
        /// The code.
        code: i64,
        /// How many calls.
        count: usize,
    },
    /// The connection is cut when the next request to the matching engine has come in: it is never carried out.
    CutBeforeMatch(Cut),
    /// The connection is cut when the next such request is carried out, and not answered.
    CutAfterMatch(Cut),
    /// The next such request is answered; then the connection is cut.
    AnswerThenCut(Cut),
    /// The next such request is carried out, and answered with this error code all the same.
    FailAfterMatch(i64),
    /// The next such request is carried out, and its answer is lost.
    LoseMatchReply,
    /// The next such request is carried out so much later, also when its connection is gone by then.
    DelayMatch(Duration),
    /// The same, and the connection is cut while it waits.
    CutThenMatch(Cut, Duration),
}

impl Fault {
    /// Whether the fault, given for all connections, is also for those that come later.
    pub(crate) fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::DelayReplies(_)
                | Self::RefuseChannel(_)
                | Self::AllowChannel(_)
                | Self::FailSubscribes(_)
                | Self::FailCalls { .. }
        )
    }
}
