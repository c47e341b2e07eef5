//! The browser's transport in a page, against the local exchange. `tests/browser` starts both.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

#[path = "web/connecting.rs"]
mod connecting;
#[path = "web/ending.rs"]
mod ending;
#[path = "web/living.rs"]
mod living;
#[path = "web/page.rs"]
mod page;
#[path = "web/support.rs"]
mod support;
