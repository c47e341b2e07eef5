//! The exchange from outside: a bare WebSocket client over loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what fails here fails its test")]

mod account;
mod auth;
mod book;
mod conformance;
mod control;
mod credits;
mod disconnect;
mod door;
mod envelope;
mod faults;
mod heartbeat;
mod maintenance;
mod market_data;
mod order_faults;
mod pressure;
mod program;
mod quotes;
mod reference;
mod replies;
mod streams;
mod subscriptions;
mod support;
mod tls;
mod trading;
mod triggers;
mod user_channels;
