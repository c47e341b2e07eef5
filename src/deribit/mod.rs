//! The Deribit venue, over its JSON-RPC WebSocket interface.
//!
//! [`Deribit`] is what users hold, [`Adapter`] the [`Protocol`](crate::Protocol) below it; [`topics`] and [`Channel`]
//! name what can be subscribed to, [`data`] says what comes. What is stated about the venue comes from its documents (docs.deribit.com, 2026) and its OpenAPI and
//! AsyncAPI files (2.1.1), or was measured on its production servers.

mod adapter;
mod auth;
mod bars;
pub mod book;
mod chain;
mod channel;
mod client;
mod clock;
mod credits;
pub mod data;
pub mod errors;
mod incremental;
mod instruments;
mod limits;
mod options;
pub mod order;
mod outcome;
mod params;
pub mod query;
pub mod sequence;
mod server;
mod signer;
#[cfg(test)]
mod tests;
pub mod topics;
mod tracker;

pub use adapter::Adapter;
pub use bars::{BarUpdate, Bars};
pub use book::Book;
pub use chain::{ChainOption, ChainUpdate, Expiry, OptionChain, Strike};
pub use channel::{Access, Channel, Interval, Scope};
pub use client::Deribit;
pub use clock::{Clock, ServerTime};
pub use data::Order;
pub use errors::{Class, Code};
pub use incremental::IncrementalTicker;
pub use instruments::{Instruments, Rounding};
pub use limits::Matching;
pub use options::{CancelOnDisconnect, Environment, Options};
pub use order::{AnyOrder, Label, NewOrder, Side};
pub use outcome::{
    Cancelling, Editing, Outcome, PendingCancel, PendingEdit, PendingMassCancel, PendingMassQuote,
    PendingOrder, Placing, Resolution, Settled,
};
pub use signer::{SignError, Signer};
pub use topics::Topic;
pub use tracker::{Change, OrderEvent, OrderKind, OrderTracker, Staleness};
