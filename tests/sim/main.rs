//! The session and its driver on virtual time, over a simulated network. Nothing here sleeps: hours pass in
//! milliseconds, and one seed decides everything that happens.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod calls;
mod connect;
mod liveness;
mod recovery;
mod regressions;
mod storm;
mod streams;
mod venue;
mod world;
