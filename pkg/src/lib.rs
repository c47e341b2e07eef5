//! The WebAssembly core of the npm package: a thin, private surface that `ts/` makes an API of.
//!
//! What goes out is plain objects and strings. Payloads leave as the text that was received, and are parsed in
//! JavaScript when their consumer takes them.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

mod bell;
mod book;
mod client;
mod errors;
mod health;
mod limiter;
mod objects;
mod options;
mod promise;
mod stream;

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
