//! A WebSocket client that stays up.

#[path = "../platform/mod.rs"]
pub mod platform;

mod client;
pub mod config;
pub mod deribit;
mod driver;
pub mod error;
pub mod frame;
mod json;
pub mod jsonrpc;
mod mailbox;
mod payload;
pub mod protocol;
mod queue;
mod secret;
pub mod session;
pub mod time;
pub mod transport;

pub use client::{Call, Client, Feed, FromPayload, Subscription};
pub use config::{Config, Url};
pub use driver::Driver;
pub use error::Error;
pub use frame::{CloseCode, CloseFrame, Frame, Message, Text};
pub use jsonrpc::JsonRpc;
pub use payload::Payload;
pub use platform::here::*;
pub use protocol::{Protocol, Request};
pub use queue::Update;
pub use secret::Secret;
pub use session::limiter::{Bucket, Cost, Lane, Limited, Limiter};
pub use session::{Event, State, Stats};
