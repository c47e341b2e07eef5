//! A WebSocket client that stays up: it reconnects, restores what you subscribed to, and tells what became of every
//! call.
//!
//! ```no_run
//! use steadysocket::{Config, Update};
//!
//! # async fn f() -> Result<(), steadysocket::Error> {
//! let client = steadysocket::connect(Config::new("wss://example.com/rpc")?).await?; // reconnects from here on
//! let time: u64 = client.call("get_time", ()).await?;
//! let mut ticks = client.subscribe("ticker").await?;
//! while let Some(update) = ticks.next().await {
//!     match update {
//!         Update::Data(payload) => println!("{time}: {:?}", payload.as_str()),
//!         Update::Interrupted(reason) => println!("stale from here on: {reason}"),
//!         Update::Resumed => println!("fresh again"),
//!         other => println!("{other:?}"),
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! The heart of it is five functions: [`connect`], [`Client::send`], [`Client::subscribe`], [`Client::state`] and
//! [`Client::close`]. [`Client::call`] adds JSON-RPC 2.0, [`deribit`] a venue, [`Protocol`] any other venue.
//!
//! # How data flows
//!
//! ```text
//!      in:   socket ─► Driver ─► Session::handle_frame(now, frame) ─► queue ─► Subscription::next
//!     out:   Client::call ─► mailbox ─► Driver ─► Session::handle_command(now, command) ─► poll_transmit ─► socket
//!    time:   Driver asks Session::poll_timeout() ─► one timer ─► Session::handle_timeout(now)
//! ```
//!
//! [`session::Session`] is a pure state machine: it reads no clock, draws no entropy, and does no input or output.
//! [`Driver`] is the one future that moves bytes and time between it and a socket. [`transport`] says what it asks of a
//! platform; `platform/` holds the platforms, chosen by target. [`Protocol`] says how a venue speaks.
//!
//! | to find | look into |
//! | --- | --- |
//! | what users hold | [`Client`], [`Subscription`], [`Call`], [`Feed`] |
//! | every option, with unit and default | [`config`] |
//! | many clients by name | [`Registry`] |
//! | how a client is | [`Client::health`] |
//! | all that happens inside, told to an observer | `telemetry`, a feature that is on by default |
//! | a connection that outlives a panic | [`Client::supervised`] |
//! | several clients as one, and channels had twice | [`pool`] |
//! | what can go wrong, and whose fault it is | [`error`] |
//! | JSON-RPC 2.0 | [`jsonrpc`] |
//! | reconnection, deadlines, credits, heartbeats, subscriptions | [`session`] |
//! | a connection on record, and played again | `recorder` and `replay`, a feature that is on by default |
//! | tests of your program, on virtual time | `testing`, a feature |
//! | this target's transport, with its TLS options | [`platform`] |
//!
//! # Promises
//!
//! 1. **The library never sends a request twice.** When a connection ends, every call on it ends at once:
//!    [`Error::NotSent`] (safe to make again), [`Error::Unknown`] (it left, no answer came), or with its answer.
//!    Only [`Config::retry_idempotent`] changes that, for methods of which the protocol says that it does no harm.
//! 2. **Subscriptions are what the server confirmed**, not what was asked for. All that are desired are restored on
//!    each connection; what the server refuses is told, stays desired, and is asked for again.
//! 3. **Consumers know how fresh their data is**: [`Update::Interrupted`], [`Update::Resumed`] and [`Update::Lagged`]
//!    come in order with it.
//! 4. **Reconnection is kind**: full jitter, a cap, `Retry-After` honoured, an end where trying again cannot help.
//! 5. **Liveness is proved**: silence is asked about, and a machine that slept asks once before it gives up.
//! 6. **The limiter is exact**, and no wait outlives its call's deadline.
//! 7. **Secrets do not show** in `Debug`, `Display`, errors or events, not even where a server repeats them. TLS is verified.
//! 8. **Input is hostile**: nothing received panics, grows without bound, or holds up another stream.

#[path = "../platform/mod.rs"]
pub mod platform;

mod alarm;
mod client;
pub mod config;
pub mod deribit;
mod driver;
pub mod error;
pub mod frame;
mod health;
mod json;
pub mod jsonrpc;
mod mailbox;
mod payload;
pub mod pool;
pub mod protocol;
mod queue;
#[cfg(feature = "record")]
pub mod recorder;
mod redact;
mod registry;
#[cfg(feature = "record")]
pub mod replay;
mod secret;
pub mod session;
mod show;
mod sorted;
mod supervisor;
mod table;
#[cfg(feature = "telemetry")]
pub mod telemetry;
#[cfg(not(feature = "telemetry"))]
#[allow(dead_code, unused_imports, reason = "what would be told, and to nobody")]
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod transport;

pub use client::{Call, Client, Feed, FromPayload, Subscription};
pub use config::{Config, Url};
pub use driver::Driver;
pub use error::Error;
pub use frame::{CloseCode, CloseFrame, Frame, Message, Text};
pub use health::{Backlog, BookFreshness, BookHealth, Credits, Health, Trouble, Verdict};
pub use jsonrpc::JsonRpc;
pub use payload::Payload;
#[allow(unused_imports, reason = "a build without a transport has nothing to show here")]
pub use platform::here::*;
pub use pool::{Pool, PoolOptions};
pub use protocol::{Protocol, Request};
pub use queue::Update;
pub use registry::{Drained, Entry, NotRegistered, Registry};
pub use secret::Secret;
pub use session::limiter::{Bucket, Cost, Lane, Limited, Limiter, Refill};
pub use session::{Event, State, Stats};
pub use supervisor::{Restarts, Supervisor};

/// The README's examples, compiled.
#[cfg(all(doctest, feature = "native"))]
#[doc = include_str!("../README.md")]
struct Readme;
