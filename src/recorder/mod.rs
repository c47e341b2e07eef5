//! A connection on record: every frame in and out, and everything else that decides what the connection does, as lines
//! of JSON. [`replay`](crate::replay) plays a recording again, so that an incident becomes a test.
//!
//! ```
//! use steadysocket::recorder::{Memory, Recorder};
//! use steadysocket::Config;
//! # use std::time::Duration;
//! # fn wall() -> Duration { Duration::ZERO }
//!
//! let memory = Memory::new(64 * 1024 * 1024);
//! let config = Config::new("wss://example.com")?.recorder(Some(Recorder::new(memory.clone(), wall)));
//! // ... connect, and then:
//! println!("{}", memory.text());
//! # Ok::<(), steadysocket::error::ConfigError>(())
//! ```
//!
//! Natively `Recorder::to_file` writes to a file, from a thread of its own. Whatever the sink does, the connection never
//! waits for it: what it cannot take is counted as lost, and the recording says so in its place.
//!
//! # The format, version 1
//!
//! Lines of JSON in UTF-8, each ended by a line feed. A last line that lacks it was torn by a crash, and is ignored.
//! Members that a reader does not know are to be ignored. There are three kinds of lines.
//!
//! A header, which begins a recording. A file to which another recording was appended has another header:
//!
//! | member | |
//! | --- | --- |
//! | `recording` | always `"steadysocket"` |
//! | `version` | 1 |
//! | `wall` | the wall clock, RFC 3339 in UTC with microseconds |
//!
//! A loss, where the sink took less than came:
//!
//! | member | |
//! | --- | --- |
//! | `lost` | how many lines are missing here |
//!
//! Something that went into a connection or came out of it:
//!
//! | member | |
//! | --- | --- |
//! | `at` | the monotonic clock, in nanoseconds since an epoch of the platform; 0 before the client starts |
//! | `wall` | the wall clock, as above |
//! | `session` | which client, counted from 1 since the header |
//! | `connection` | which of its connections or attempts, counted from 1; 0 before the first |
//! | `in` or `out` | what it was: an object with one member, or a string when there is nothing more to say |
//!
//! What goes in:
//!
//! | `in` | |
//! | --- | --- |
//! | `begin` | a client begins, or begins anew after a panic: `seed` of its randomness (a string of digits), whether sockets can ping, `url`, and the options of its configuration that decide what it does; times are `secs` and `nanos` |
//! | `start` | it starts |
//! | `command` | the user wants something: `submit`, `cancel`, `subscribe`, `unsubscribe`, `renew`, `reconnect`, `drain`, `close` |
//! | `connected`, `connect_failed`, `disconnected` | the socket is open, could not be opened, or ended, with the [reason](crate::error::Disconnect) |
//! | `frame` | a frame arrived |
//! | `writable` | the socket has room again, or has none |
//! | `prepared` | a step of the protocol that had to be awaited is ready, or failed |
//! | `signal` | the platform noticed something: `offline`, `online`, `visible` |
//! | `timeout` | a timer was due; `phase` is how far an attempt to connect had come |
//! | `poll` | it was asked for a frame to send |
//! | `adopt`, `take_over` | after a panic: a stream that goes on, and the end of what was before, with the reason |
//! | `abandoned` | its driver was dropped |
//!
//! What comes out, after the input that it follows from:
//!
//! | `out` | |
//! | --- | --- |
//! | `frame` | a frame was given to the socket |
//! | `connect`, `hang_up` | an attempt begins; the socket is dropped |
//! | `dial` | where to, without the query |
//! | `prepare` | a step of the protocol is awaited |
//! | `ids` | the numbers that it gave to requests of its own |
//! | `settled` | a request ended: `id`, and the [error](crate::Error), or null when it was answered or sent |
//! | `told` | a stream was told something: its number and the [note](crate::session::Note) |
//! | `event` | an [`Event`](crate::Event) |
//!
//! A `frame` is one of: `json`, a text message that is JSON, as it was; `text`, any other; `binary`, a binary message
//! in Base64; `ping` and `pong`, their payloads in Base64; `close`, with `code` and `reason`, or null when it had none.
//! Errors, events and notes are the variants of the types of this crate in snake case.
//!
//! # Secrets
//!
//! Before a line reaches the sink, [`Redaction`] takes the credentials out of it.
//!
//! # What a recording does not hold
//!
//! What [`Config::limiter`](crate::Config::limiter) is spent on by other clients, and the payloads that were delivered, because they are parts of
//! frames.

mod line;
mod memory;
mod reader;
mod redaction;
mod session;
mod tape;
mod wall;

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) use line::{Body, json, word};
pub use line::{Input, Line, Options, Output};
pub use memory::Memory;
#[cfg(feature = "native")]
#[allow(unused_imports, reason = "the native transport's files count their losses by it")]
pub(crate) use memory::loss;
pub use reader::{ReadError, Reader, Record};
pub use redaction::Redaction;
pub(crate) use session::{Recorded, apply};
pub(crate) use tape::Tape;

use crate::platform::{MaybeSend, MaybeSync};

/// The version of the format that is written and read.
pub const VERSION: u32 = 1;

/// Where a recording goes.
pub trait Sink: MaybeSend + MaybeSync {
    /// Takes one line, without its line feed. It must not block, and does not fail: what cannot be kept is lost.
    fn write(&self, line: String);

    /// How many lines were lost so far.
    fn lost(&self) -> u64 {
        0
    }

    /// What is wrong, when something is.
    fn problem(&self) -> Option<String> {
        None
    }

    /// Waits until everything that was taken is where it is to go.
    fn flush(&self) {}
}

/// Records the connections that are given it by [`Config::recorder`](crate::Config::recorder). Clones record to the same
/// place.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

type Wall = Box<dyn WallClock>;

/// What tells the time of day.
trait WallClock: MaybeSend + MaybeSync {
    fn now(&self) -> Duration;
}

impl<F: Fn() -> Duration + MaybeSend + MaybeSync> WallClock for F {
    fn now(&self) -> Duration {
        self()
    }
}

struct Shared {
    sink: Box<dyn Sink>,
    wall: Wall,
    redaction: Mutex<Redaction>,
    sessions: AtomicU32,
}

impl Recorder {
    /// Records to `sink`. `wall` is the time since 1970-01-01 in UTC.
    pub fn new(
        sink: impl Sink + 'static,
        wall: impl Fn() -> Duration + MaybeSend + MaybeSync + 'static,
    ) -> Self {
        let began = wall::rfc3339(wall());
        sink.write(format!(r#"{{"recording":"steadysocket","version":{VERSION},"wall":"{began}"}}"#));
        #[allow(clippy::arc_with_non_send_sync, reason = "a browser's sink stays in its thread")]
        Self(Arc::new(Shared {
            sink: Box::new(sink),
            wall: Box::new(wall),
            redaction: Mutex::default(),
            sessions: AtomicU32::new(0),
        }))
    }

    /// Sets what is taken for a secret. For all clones, and before any of them is given to a client.
    pub fn redaction(self, redaction: Redaction) -> Self {
        *self.redact() = redaction;
        self
    }

    /// How many lines could not be kept. The recording says where they are missing.
    pub fn lost(&self) -> u64 {
        self.0.sink.lost()
    }

    /// What is wrong with the recording, when something is. Each client is told of it once by
    /// [`Event::NotRecorded`](crate::Event::NotRecorded).
    pub fn problem(&self) -> Option<String> {
        self.0.sink.problem()
    }

    /// Waits until everything so far is where it is to go, which also happens when the last clone is dropped. It blocks:
    /// call it where that does no harm, such as in a panic hook of a program that aborts.
    pub fn flush(&self) {
        self.0.sink.flush();
    }

    fn number(&self) -> u32 {
        self.0.sessions.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn wall(&self) -> String {
        wall::rfc3339(self.0.wall.now())
    }

    fn redact(&self) -> MutexGuard<'_, Redaction> {
        self.0.redaction.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, line: String) {
        self.0.sink.write(line);
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}
