//! The native client over real sockets and TLS on loopback: against the local exchange, and against servers that do
//! what no exchange would.
#![cfg(all(feature = "native", not(all(target_family = "wasm", target_os = "unknown"))))]
// Clippy knows tests by their attribute; helpers have none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod book;
mod calls;
mod chaos;
mod closing;
mod data;
mod drain;
mod fairness;
mod hostile;
mod limits;
mod login;
mod mass;
mod opening;
mod outcomes;
mod playback;
mod pool;
mod recovery;
mod secrets;
mod subscriptions;
mod supervision;
mod support;
mod tls;
mod tracker;
mod transport;
mod typed;
mod typed_streams;
