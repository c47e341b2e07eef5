//! The session and its driver on virtual time, over a simulated network. Nothing here sleeps: hours pass in
//! milliseconds, and one seed decides everything that happens.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a life prints its seed")]
#![allow(clippy::arc_with_non_send_sync, reason = "a browser's configuration stays in its thread")]

/// One test body, two targets.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
use std::prelude::v1::test;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

use steadysocket::testing as world;

mod books;
mod calls;
mod closing;
mod connect;
mod draining;
mod floor;
mod health;
mod last_words;
mod limits;
mod liveness;
mod lives;
mod login;
mod outcomes;
mod pool;
#[cfg(feature = "record")]
mod recording;
mod recovery;
mod registry;
mod regressions;
mod streams;
mod supervision;
#[cfg(feature = "telemetry")]
mod telemetry;
mod tracker;
mod upkeep;
mod venue;
