//! The native transport against scripted servers on loopback.
#![cfg(all(feature = "native", not(all(target_family = "wasm", target_os = "unknown"))))]
// Clippy knows tests by their attribute; helpers have none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "native_transport/frames.rs"]
mod frames;
#[path = "native_transport/handshake.rs"]
mod handshake;
#[path = "native_transport/support.rs"]
mod support;
#[path = "native_transport/tls.rs"]
mod tls;
