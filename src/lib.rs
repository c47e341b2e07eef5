//! A WebSocket client that stays up.

#[path = "../platform/mod.rs"]
pub mod platform;

pub mod config;
pub mod deribit;
pub mod error;
pub mod frame;
mod json;
pub mod jsonrpc;
mod payload;
pub mod protocol;
mod secret;
mod session;
pub mod time;
pub mod transport;

pub use config::{Config, Url};
pub use error::Error;
pub use frame::{CloseCode, CloseFrame, Frame, Message, Text};
pub use jsonrpc::JsonRpc;
pub use payload::Payload;
pub use protocol::{Protocol, Request};
pub use secret::Secret;
pub use session::limiter::{Bucket, Cost, Lane, Limited, Limiter};
