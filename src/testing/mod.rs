//! Tests of what uses a client, on virtual time over a simulated network: feature `testing`.
//!
//! A [`World`] holds a clock, a network and the tasks that run on them, in one thread and without a socket. Hours pass
//! in milliseconds, nothing sleeps, and the same seed gives the same history, so that a test that fails does so again.
//! A [`Venue`] is the server of that world; [`Script`] is one that does what a test says, and shows how a test is written.
//! [`examples/test_a_bot.rs`](https://github.com/steadysocket/steadysocket/blob/main/examples/test_a_bot.rs) is a trading bot
//! for Deribit with its tests.

#![allow(clippy::panic, clippy::expect_used, reason = "a failed test is reported by panicking")]

mod net;
mod platform;
mod script;
mod venue;
mod world;

pub use net::{ConnId, Net, Sight};
pub use platform::{SimPlatform, SimSocket};
pub use script::{Answer, Received, Script};
pub use venue::{Dial, Venue};
pub use world::World;
