//! The browser's transport in a worker: the same tests as in a page, but for what only pages have.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[path = "web/connecting.rs"]
mod connecting;
#[path = "web/ending.rs"]
mod ending;
#[path = "web/living.rs"]
mod living;
#[path = "web/support.rs"]
mod support;
